/* LayerNorm of one row.  Rows are padded with zeros; means are over the n_feature first numbers.
 *
 * A LayerNorm behind a linear map needs no mean: the map is centered once when weights are bound (chgi_linear_center),
 * and a gradient that goes back through a centered map need not be free of its mean either. */
#ifndef CHGI_NN_NORM_H
#define CHGI_NN_NORM_H

#include <math.h>

#include "nn/vecmath.h"

static inline chg_real chgi_norm_root(chg_real x)
{
#if CHGI_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

/** 1/sqrt(variance + 1e-5) of a row whose mean is zero. */
static inline __attribute__((always_inline)) chg_real chgi_norm_inverse(const chg_real *y, int n, int n_feature)
{
    chg_vector square = {0};
    for (int c = 0; c < n; c += CHGI_LANES)
        square += chgi_load(y + c) * chgi_load(y + c);
    return (chg_real)1 / chgi_norm_root(chgi_sum(square) / (chg_real)n_feature + (chg_real)1e-5);
}

/** Take the mean off a row; the padding stays zero.  \return 1/sqrt(variance + 1e-5) */
static inline chg_real chgi_norm_center(chg_real *y, int n, int n_feature)
{
    chg_vector sum = {0};
    for (int c = 0; c < n; c += CHGI_LANES)
        sum += chgi_load(y + c);
    chg_real mean = chgi_sum(sum) / (chg_real)n_feature;
    for (int c = 0; c < n_feature; c++)
        y[c] -= mean;
    return chgi_norm_inverse(y, n, n_feature);
}

/** Gradient of one row, in place: dy = inverse (dhat - hat mean(dhat hat)) with dhat = d scale and hat = y inverse;
 *  its mean is left in, see above. */
static inline __attribute__((always_inline)) void chgi_norm_backward(chg_real inverse, const chg_real *scale, int n,
                                                                     int n_feature, const chg_real *y, chg_real *d)
{
    chg_vector product = {0};
    for (int c = 0; c < n; c += CHGI_LANES)
        product += chgi_load(d + c) * chgi_load(scale + c) * chgi_load(y + c);
    chg_real b = chgi_sum(product) * inverse * inverse / (chg_real)n_feature;
    for (int c = 0; c < n; c += CHGI_LANES)
        chgi_store(d + c, inverse * (chgi_load(d + c) * chgi_load(scale + c) - chgi_load(y + c) * b));
}

#endif
