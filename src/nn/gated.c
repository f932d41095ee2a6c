#include "nn/gated.h"

#include "nn/norm.h"

typedef struct row_norm {
    chgi_moments half[2];
} row_norm;

static inline row_norm row_moments(const chgi_gated *gated, const chg_real *y)
{
    row_norm row = {{{0, 1}, {0, 1}}};
    if (gated->norm)
        for (int half = 0; half < 2; half++)
            row.half[half] = chgi_norm_moments(y + half * gated->n_out, gated->n_out, gated->n_feature);
    return row;
}

/* Without LayerNorm scale is 1 and shift 0 (set when weights are bound), so one expression serves both. */
static inline chg_vector normed(const chgi_gated *gated, const row_norm *row, const chg_real *y, int half, int c)
{
    return chgi_norm_apply(row->half[half], chgi_load(y + half * gated->n_out + c), gated->scale[half] + c,
                           gated->shift[half] + c);
}

static void gate_forward(const chgi_gated *gated, int rows, const chg_real *y, chg_real *g)
{
    int n = gated->n_out;
    for (int r = 0; r < rows; r++, y += 2 * n, g += n) {
        row_norm row = row_moments(gated, y);
        for (int c = 0; c < n; c += CHGI_LANES) {
            chg_vector core = normed(gated, &row, y, 0, c), gate = normed(gated, &row, y, 1, c);
            chgi_store(g + c, core * chgi_sigmoid(core) * chgi_sigmoid(gate));
        }
    }
}

static void gate_backward(const chgi_gated *gated, int rows, const chg_real *y, const chg_real *dg, chg_real *g,
                          chg_real *dy)
{
    int n = gated->n_out;
    for (int r = 0; r < rows; r++, y += 2 * n, dy += 2 * n, g += n, dg += n) {
        row_norm row = row_moments(gated, y);
        for (int c = 0; c < n; c += CHGI_LANES) {
            chg_vector core = normed(gated, &row, y, 0, c), gate = normed(gated, &row, y, 1, c);
            chg_vector s = chgi_sigmoid(core), open = chgi_sigmoid(gate), seed = chgi_load(dg + c);
            chg_vector value = core * s * open;
            chgi_store(g + c, value);
            chgi_store(dy + c, seed * open * chgi_silu_slope(core, s));
            chgi_store(dy + n + c, seed * value * ((chg_real)1 - open));
        }
        if (gated->norm)
            for (int half = 0; half < 2; half++)
                chgi_norm_backward(row.half[half], gated->scale[half], n, gated->n_feature, y + half * n, dy + half * n);
    }
}

void chgi_gated_forward(const chgi_gated *gated, int rows, const chg_real *x, chg_real *h, chg_real *y, chg_real *g)
{
    int hidden = gated->n_hidden, n = gated->n_out;
    if (hidden == 0) {
        gate_forward(gated, rows, x, g);
        return;
    }
    for (int64_t i = 0; i < (int64_t)rows * 2 * hidden; i += CHGI_LANES) {
        chg_vector value = chgi_load(x + i);
        chgi_store(h + i, value * chgi_sigmoid(value));
    }
    chgi_product(rows, n, hidden, h, 2 * hidden, gated->core.forward, n, gated->core.bias, 0, y, 2 * n);
    chgi_product(rows, n, hidden, h + hidden, 2 * hidden, gated->gate.forward, n, gated->gate.bias, 0, y + n, 2 * n);
    gate_forward(gated, rows, y, g);
}

void chgi_gated_backward(const chgi_gated *gated, int rows, const chg_real *x, const chg_real *y, const chg_real *dg,
                         chg_real *g, chg_real *dy, chg_real *dx)
{
    static const chg_real zero[1024];
    int hidden = gated->n_hidden, n = gated->n_out;
    if (hidden == 0) {
        gate_backward(gated, rows, x, dg, g, dx);
        return;
    }
    gate_backward(gated, rows, y, dg, g, dy);
    chgi_product(rows, hidden, n, dy, 2 * n, gated->core.backward, hidden, zero, 0, dx, 2 * hidden);
    chgi_product(rows, hidden, n, dy + n, 2 * n, gated->gate.backward, hidden, zero, 0, dx + hidden, 2 * hidden);
    for (int64_t i = 0; i < (int64_t)rows * 2 * hidden; i += CHGI_LANES) {
        chg_vector value = chgi_load(x + i);
        chgi_store(dx + i, chgi_load(dx + i) * chgi_silu_slope(value, chgi_sigmoid(value)));
    }
}
