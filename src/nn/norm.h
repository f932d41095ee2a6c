/* LayerNorm of one row.  Rows are padded with zeros; the mean is over the n_feature first numbers. */
#ifndef CHGI_NN_NORM_H
#define CHGI_NN_NORM_H

#include <math.h>

#include "nn/vecmath.h"

typedef struct chgi_moments {
    chg_real mean, inverse; /**< inverse = 1/sqrt(variance + 1e-5) */
} chgi_moments;

/* The padding adds nothing to the sum, and mean^2 each to the sum of squares, which is taken off. */
static inline chgi_moments chgi_norm_moments(const chg_real *y, int n, int n_feature)
{
    chg_vector sum = {0}, square = {0};
    for (int c = 0; c < n; c += CHGI_LANES)
        sum += chgi_load(y + c);
    chg_real mean = chgi_sum(sum) / (chg_real)n_feature;
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector off = chgi_load(y + c) - mean;
        square += off * off;
    }
    chg_real total = chgi_sum(square) - (chg_real)(n - n_feature) * mean * mean;
    return (chgi_moments){mean, (chg_real)(1 / sqrt((double)total / n_feature + 1e-5))};
}

static inline chg_vector chgi_norm_apply(chgi_moments m, chg_vector y, const chg_real *scale, const chg_real *shift)
{
    return (y - m.mean) * m.inverse * chgi_load(scale) + chgi_load(shift);
}

/** Gradient of one row, in place: dy = inverse (dhat - mean(dhat) - hat mean(dhat hat)) with dhat = d scale. */
static inline void chgi_norm_backward(chgi_moments m, const chg_real *scale, int n, int n_feature, const chg_real *y,
                                      chg_real *d)
{
    chg_vector sum = {0}, product = {0};
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector dhat = chgi_load(d + c) * chgi_load(scale + c);
        chgi_store(d + c, dhat);
        sum += dhat;
        product += dhat * ((chgi_load(y + c) - m.mean) * m.inverse);
    }
    chg_real a = chgi_sum(sum) / (chg_real)n_feature, b = chgi_sum(product) / (chg_real)n_feature;
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector hat = (chgi_load(y + c) - m.mean) * m.inverse;
        chgi_store(d + c, m.inverse * (chgi_load(d + c) - a - hat * b));
    }
}

#endif
