#include "nn/gated_tangent.h"

#include "nn/norm.h"

static const chg_real zeros[1024];

static void find_row(const chgi_gated *gated, const chg_real *y, chg_real *factor, chg_real share[2])
{
    int n = gated->n_out;
    chg_real inverse[2] = {1, 1};
    for (int half = 0; half < 2; half++) {
        share[half] = 0;
        if (gated->norm) {
            inverse[half] = chgi_norm_inverse(y + half * n, n, gated->n_feature);
            share[half] = inverse[half] * inverse[half] / (chg_real)gated->n_feature;
        }
    }
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector scale[2] = {chgi_load(gated->scale[0] + c), chgi_load(gated->scale[1] + c)};
        chg_vector core = chgi_load(y + c) * inverse[0] * scale[0] + chgi_load(gated->shift[0] + c);
        chg_vector gate = chgi_load(y + n + c) * inverse[1] * scale[1] + chgi_load(gated->shift[1] + c);
        chg_vector s = chgi_sigmoid(core), open = chgi_sigmoid(gate);
        chgi_store(factor + c, open * chgi_silu_slope(core, s) * scale[0] * inverse[0]);
        chgi_store(factor + n + c, core * s * open * ((chg_real)1 - open) * scale[1] * inverse[1]);
    }
}

void chgi_gated_point_find(const chgi_gated *gated, int rows, const chgi_gated_point *point)
{
    int n = gated->n_out;
    if (gated->n_hidden)
        chgi_gated_activate(gated, rows, point->x, point->h);
    chgi_gated_forward(gated, rows, point->h, point->y, point->g);
    for (int r = 0; r < rows; r++)
        find_row(gated, point->y + 2 * r * n, point->factor + 2 * r * n, point->share + 2 * r);
}

/* With y free of its mean, as dy is: dhat = inverse (dy - y mean(y dy) inverse^2). */
static inline __attribute__((always_inline)) void tangent_row(int n, const chg_real *y, const chg_real *factor,
                                                              const chg_real share[2], const chg_real *dy, chg_real *dg)
{
    chg_vector sum[2] = {{0}, {0}};
    for (int c = 0; c < n; c += CHGI_LANES) {
        sum[0] += chgi_load(y + c) * chgi_load(dy + c);
        sum[1] += chgi_load(y + n + c) * chgi_load(dy + n + c);
    }
    chg_real core = chgi_sum(sum[0]) * share[0], gate = chgi_sum(sum[1]) * share[1];
    for (int c = 0; c < n; c += CHGI_LANES)
        chgi_store(dg + c, chgi_load(factor + c) * (chgi_load(dy + c) - core * chgi_load(y + c)) +
                               chgi_load(factor + n + c) * (chgi_load(dy + n + c) - gate * chgi_load(y + n + c)));
}

void chgi_gated_tangent(const chgi_gated *gated, int rows, const chgi_gated_point *point, chg_real *dx, chg_real *dy,
                        chg_real *dg)
{
    int hidden = gated->n_hidden, n = gated->n_out;
    if (hidden) {
        for (int64_t k = 0; k < (int64_t)rows * 2 * hidden; k += CHGI_LANES)
            chgi_store(dx + k, chgi_load(dx + k) * chgi_load(point->x + k));
        chgi_product(rows, n, hidden, dx, 2 * hidden, gated->core.forward, n, zeros, 0, dy, 2 * n);
        chgi_product(rows, n, hidden, dx + hidden, 2 * hidden, gated->gate.forward, n, zeros, 0, dy + n, 2 * n);
    }
    for (int r = 0; r < rows; r++)
        tangent_row(n, point->y + 2 * r * n, point->factor + 2 * r * n, point->share + 2 * r,
                    (hidden ? dy : dx) + 2 * r * n, dg + r * n);
}
