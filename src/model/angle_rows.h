/* What bond convolution and angle update share: both read [e_ij, e_ik, a_ijk, v_i] through a gated MLP. */
#ifndef CHGI_MODEL_ANGLE_ROWS_H
#define CHGI_MODEL_ANGLE_ROWS_H

#include "model/rows.h"

#define chgi_angle_project CHGI_K(angle_project)
#define chgi_angle_begin CHGI_K(angle_begin)
#define chgi_angle_begin_back CHGI_K(angle_begin_back)
#define chgi_angle_forward CHGI_K(angle_forward)
#define chgi_angle_backward CHGI_K(angle_backward)
#define chgi_angle_spread CHGI_K(angle_spread)

/** One layer over angles at work. */
typedef struct chgi_angle_work {
    const chgi_pass *pass;
    const chgi_angle_layer *layer;
    const chg_real *angle; /**< (n_angle,width_angle) features that it reads; unused where it reads the turn table */
    chg_real *slope, *y;   /**< (n_angle,...) kept activations; NULL: recompute */
    bool first_gradient;   /**< dangle is written, not added to: nobody read these features later */
} chgi_angle_work;

/** Project features of short bonds and atoms. \param[in] v (n_atom,width_atom) \param[in] e (n_short_bond,width_bond)
 */
void chgi_angle_project(const chgi_angle_work *work, const chg_real *v, const chg_real *e);

/** Before chgi_angle_forward for the angles of one atom: what the turn table says of its turns. */
void chgi_angle_begin(const chgi_angle_work *work, int64_t atom);

/** gated() of the angles [angle, angle + rows) of one atom, (rows,n_out). */
void chgi_angle_forward(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *value);

/** Before chgi_angle_backward for the angles of one atom: the same with slopes, and its sums are zeroed. */
void chgi_angle_begin_back(const chgi_angle_work *work, int64_t atom);

/** Back through gated(): adds to the sums of one atom and its short edges, and to dangle or dtheta.
 *  \param[in]  dvalue  (rows,n_out)
 *  \param[out] value   (rows,n_out) the forward result once more */
void chgi_angle_backward(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, const chg_real *dvalue,
                         chg_real *value);

/** Carry the sums on to de and dv. */
void chgi_angle_spread(const chgi_angle_work *work);

#endif
