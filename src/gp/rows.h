/* The training set as the Gaussian process sees it: points, and rows of energies and force components. */
#ifndef CHGI_GP_ROWS_H
#define CHGI_GP_ROWS_H

#include "gp/form.h"

/** Labels one after the other; a label's rows are its energy, if it has one, then its force components. */
typedef struct chgi_rows {
    int width, n_element;
    int64_t n_label, n_point, n_row, n_jacobian, n_energy;
    int64_t *point_start, *row_start, *jacobian_start; /**< (n_label+1) */
    int32_t *has_energy;                               /**< (n_label) */
    double *count;                                     /**< (n_label,n_element) atoms of each element */
    double *points;                                    /**< (n_point,width) standardised */
    double *square;                                    /**< (n_point) |x|^2 */
    int32_t *groups;                                   /**< (n_point) ascending within a label */
    double *jacobian;                                  /**< label by label (its points, n_force, width) */
    double *targets;                                   /**< (n_row) labels minus base */
} chgi_rows;

/** What a label must have: finite numbers, at least one atom and one row in all.
 *  \return CHGNET_OK; CHGNET_EINPUT names the label, counting from 1 */
chgnet_status chgi_rows_check(chgnet_context *ctx, int n_feature, int64_t n_label, const chgi_label *labels);

/** Make rows from labels.  \param[in,out] form  its standardisation is learnt first where `learn` is set
 *  \param[in] by_group  learn for each group of points by itself
 *  \return CHGNET_OK; CHGNET_EINPUT for an unknown element; CHGNET_ENOMEM */
chgnet_status chgi_rows_create(chgnet_context *ctx, chgi_form *form, bool learn, bool by_group, int64_t n_label,
                               const chgi_label *labels, chgi_rows *rows);
/** All of `a`, then all of `b`. */
chgnet_status chgi_rows_join(chgnet_context *ctx, const chgi_rows *a, const chgi_rows *b, chgi_rows *joined);
/** Allocate arrays for the sizes that stand in `rows`; starts are zero. */
chgnet_status chgi_rows_allocate(chgnet_context *ctx, chgi_rows *rows);
/** Fill what follows from the rest: squares, starts of Jacobians, number of energies. */
void chgi_rows_finish(chgi_rows *rows);
void chgi_rows_destroy(chgi_rows *rows);

/** Force components of a label. */
static inline int64_t chgi_rows_forces(const chgi_rows *rows, int64_t label)
{
    return rows->row_start[label + 1] - rows->row_start[label] - rows->has_energy[label];
}

/** Most points and most force components of one label. */
void chgi_rows_largest(const chgi_rows *rows, int64_t *n_point, int64_t *n_force);

#endif
