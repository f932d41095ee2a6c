/* Tangents of the gated MLP (nn/gated.h): values first, with the factors that all directions share, then one direction
 * at a time. */
#ifndef CHGI_NN_GATED_TANGENT_H
#define CHGI_NN_GATED_TANGENT_H

#include "nn/gated.h"

#define chgi_gated_point_find CHGI_K(gated_point_find)
#define chgi_gated_tangent CHGI_K(gated_tangent)

/** Where the tangents are taken: some rows and what is known there.  The caller owns the arrays. */
typedef struct chgi_gated_point {
    chg_real *x;      /**< (rows,width) result of the first map; then the slope of the hidden activation */
    chg_real *h;      /**< (rows,width) hidden activation */
    chg_real *y;      /**< (rows,2 n_out) what enters the LayerNorms */
    chg_real *g;      /**< (rows,n_out) the result */
    chg_real *factor; /**< (rows,2 n_out) dg/dy at fixed variance */
    chg_real *share;  /**< (rows,2) inverse^2 / n_feature, for the change of the variance; 0 without LayerNorm */
} chgi_gated_point;

/** Fill the point.  \param[in,out] point  x is given; without a hidden layer y is given instead, and x and h are unused
 */
void chgi_gated_point_find(const chgi_gated *gated, int rows, const chgi_gated_point *point);

/** \param[in,out] dx  (rows,width)    tangent of the first map's result; spent
 *  \param[out]    dy  (rows,2 n_out)  scratch; without a hidden layer unused
 *  \param[out]    dg  (rows,n_out) */
void chgi_gated_tangent(const chgi_gated *gated, int rows, const chgi_gated_point *point, chg_real *dx, chg_real *dy,
                        chg_real *dg);

#endif
