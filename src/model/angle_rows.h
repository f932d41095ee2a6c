/* What bond convolution and angle update share: both read [e_ij, e_ik, a_ijk, v_i]. */
#ifndef CHGI_MODEL_ANGLE_ROWS_H
#define CHGI_MODEL_ANGLE_ROWS_H

#include "model/rows.h"

#define chgi_angle_project CHGI_K(angle_project)
#define chgi_angle_gather CHGI_K(angle_gather)
#define chgi_angle_clear CHGI_K(angle_clear)
#define chgi_angle_scatter CHGI_K(angle_scatter)
#define chgi_angle_spread CHGI_K(angle_spread)

/** Project e of short bonds and v of atoms. */
void chgi_angle_project(const chgi_pass *pass, const chgi_angle_layer *layer);

/** x (rows,width) of the angles [angle, angle + rows) of one atom. */
void chgi_angle_gather(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom, int64_t angle, int rows,
                       chg_real *x);

/** Zero one atom's sums before chgi_angle_scatter. */
void chgi_angle_clear(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom);

/** Add dx (rows,width) to the sums of one atom and its short edges, and to dangle. */
void chgi_angle_scatter(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom, int64_t angle, int rows,
                        const chg_real *dx);

/** Carry the sums on to de and dv. */
void chgi_angle_spread(const chgi_pass *pass, const chgi_angle_layer *layer);

#endif
