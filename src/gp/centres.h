/* Sums over centres: what a prediction is made of.
 *
 *     value(x) = sum_j w(g,g_j) (a_j kappa(x,z_j) + c_j . grad_z kappa(x,z_j))
 */
#ifndef CHGI_GP_CENTRES_H
#define CHGI_GP_CENTRES_H

#include "gp/matrix.h"

/** Points and centres are taken in tiles of this size. */
enum { CHGI_POINT_TILE = 16, CHGI_CENTRE_TILE = 128 };

typedef struct chgi_tile_work {
    double *dots, *slopes;                  /**< (POINT_TILE,CENTRE_TILE) x.z, x.c */
    double *coefficient[CHGI_COEFFICIENTS]; /**< the same */
} chgi_tile_work;

/** Take memory for one thread. */
void chgi_tile_take(chgi_arena *arena, chgi_tile_work *work);

/** Points to predict for, sorted by group. */
typedef struct chgi_queries {
    int64_t n;
    const int32_t *groups; /**< (n) ascending */
    const double *x;       /**< (n,width) */
    const double *square;  /**< (n) */
} chgi_queries;

/** Values and gradients of all points.
 *  \param[in]  by_value (n_centre) a; by_slope (n_centre,width) c, or NULL; slope_own (n_centre) c.z, read with
 * by_slope \param[out] value    (n) \param[out] gradient (n,width) d value_i / d x_i; NULL: not wanted \param[in]  work
 * one per thread */
void chgi_centres_apply(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                        const double *by_value, const double *by_slope, const double *slope_own,
                        const chgi_queries *queries, int n_thread, const chgi_tile_work *work, double *value,
                        double *gradient);

/** What all points together are to each centre.
 *  \param[out] value (n_centre) f_j = sum_i w kappa(x_i,z_j)
 *  \param[out] slope (n_centre,width) grad_z f_j; NULL: not wanted */
void chgi_centres_project(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                          const chgi_queries *queries, int n_thread, const chgi_tile_work *work, double *value,
                          double *slope);

#endif
