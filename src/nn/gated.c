#include "nn/gated.h"

#include "nn/norm.h"

/* Rows of a tile are treated a block at a time, stage by stage: the sums over one row take long to arrive, and the
 * other rows of the block fill the wait.  A block stays in the first cache. */
enum { BLOCK = 8 };

/* Stages are compiled once for the width of the released models, so that loops over a row unroll, and once for any. */

/* The sums over the lanes of `count` vectors, a multiple of CHGI_LANES. */
CHGI_INLINE void sums(int count, const chg_vector *v, chg_real *sum)
{
    for (int k = 0; k < count; k += CHGI_LANES)
        chgi_store(sum + k, chgi_sum_each(v + k));
}

/* 1/sigma of core and gate of each row. */
CHGI_INLINE void find_inverses(const chgi_gated *gated, int n, int n_feature, int rows, const chg_real *y,
                               chg_real inverse[2 * BLOCK])
{
    chg_vector square[2 * BLOCK];
    for (int r = 0; r < 2 * BLOCK; r++, y += n) {
        square[r] = (chg_vector){0};
        if (r < 2 * rows && gated->norm)
#pragma GCC unroll 4
            for (int c = 0; c < n; c += CHGI_LANES)
                square[r] += chgi_load(y + c) * chgi_load(y + c);
    }
    sums(2 * BLOCK, square, inverse);
    for (int r = 0; r < 2 * BLOCK; r++)
        inverse[r] = gated->norm ? 1 / chgi_norm_root(inverse[r] / (chg_real)n_feature + (chg_real)1e-5) : 1;
}

CHGI_INLINE chg_vector normed(const chgi_gated *gated, int half, chg_real inverse, const chg_real *y, int c)
{
    return chgi_load(y + c) * inverse * chgi_load(gated->scale[half] + c) + chgi_load(gated->shift[half] + c);
}

CHGI_INLINE void forward_block(const chgi_gated *gated, int n, int n_feature, int rows, const chg_real *y, chg_real *g)
{
    chg_real inverse[2 * BLOCK];
    find_inverses(gated, n, n_feature, rows, y, inverse);
    for (int r = 0; r < rows; r++, y += 2 * n, g += n)
#pragma GCC unroll 4
        for (int c = 0; c < n; c += CHGI_LANES) {
            chg_vector core = normed(gated, 0, inverse[2 * r], y, c),
                       gate = normed(gated, 1, inverse[2 * r + 1], y + n, c);
            chgi_store(g + c, core * chgi_sigmoid(core) * chgi_sigmoid(gate));
        }
}

/* The forward result, dy before the LayerNorms' sums, and those sums lane by lane: dhat y. */
CHGI_INLINE void backward_row(const chgi_gated *gated, int n, const chg_real inverse[2], const chg_real *y,
                              const chg_real *dg, chg_real *g, chg_real *dy, chg_vector sum[2])
{
    sum[0] = sum[1] = (chg_vector){0};
#pragma GCC unroll 4
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector core = normed(gated, 0, inverse[0], y, c), gate = normed(gated, 1, inverse[1], y + n, c);
        chg_vector s = chgi_sigmoid(core), open = chgi_sigmoid(gate), seed = chgi_load(dg + c);
        chg_vector silu = core * s, value = silu * open;
        chg_vector dcore = seed * open * (s + silu - silu * s) * chgi_load(gated->scale[0] + c);
        chg_vector dgate = seed * (value - value * open) * chgi_load(gated->scale[1] + c);
        chgi_store(g + c, value);
        chgi_store(dy + c, dcore);
        chgi_store(dy + n + c, dgate);
        sum[0] += dcore * chgi_load(y + c);
        sum[1] += dgate * chgi_load(y + n + c);
    }
}

CHGI_INLINE void backward_block(const chgi_gated *gated, int n, int n_feature, int rows, const chg_real *y,
                                const chg_real *dg, chg_real *g, chg_real *dy)
{
    chg_real inverse[2 * BLOCK], mean[2 * BLOCK];
    chg_vector sum[2 * BLOCK];
    find_inverses(gated, n, n_feature, rows, y, inverse);
    for (int r = 0; r < rows; r++)
        backward_row(gated, n, inverse + 2 * r, y + 2 * r * n, dg + r * n, g + r * n, dy + 2 * r * n, sum + 2 * r);
    for (int r = 2 * rows; r < 2 * BLOCK; r++)
        sum[r] = (chg_vector){0};
    sums(2 * BLOCK, sum, mean);
    for (int r = 0; r < 2 * rows && gated->norm; r++) {
        chg_real scale = inverse[r], factor = mean[r] / (chg_real)n_feature * scale * scale;
#pragma GCC unroll 4
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(dy + r * n + c, scale * (chgi_load(dy + r * n + c) - chgi_load(y + r * n + c) * factor));
    }
}

/* Tiles follow each other in arrays that are kept, too large for the caches: while one tile is at work, the rows of the
 * next are called in, few at a time, so that no step waits for memory. */
static void gate_forward(const chgi_gated *gated, int rows, const chg_real *y, chg_real *g)
{
    int n = gated->n_out;
    for (int r = 0; r < rows; r += BLOCK) {
        int count = rows - r < BLOCK ? rows - r : BLOCK;
        chgi_prefetch(y + 2 * (rows + r) * n, 2 * count * n, 1);
        if (gated->n_feature == 64 && count == BLOCK)
            forward_block(gated, 64, 64, BLOCK, y + 2 * r * 64, g + r * 64);
        else if (gated->n_feature == 64)
            forward_block(gated, 64, 64, count, y + 2 * r * 64, g + r * 64);
        else
            forward_block(gated, n, gated->n_feature, count, y + 2 * r * n, g + r * n);
    }
}

static void gate_backward(const chgi_gated *gated, int rows, const chg_real *y, const chg_real *dg, chg_real *g,
                          chg_real *dy)
{
    int n = gated->n_out;
    for (int r = 0; r < rows; r += BLOCK) {
        int count = rows - r < BLOCK ? rows - r : BLOCK;
        chgi_prefetch(y + 2 * (rows + r) * n, 2 * count * n, 0);
        if (gated->n_feature == 64 && count == BLOCK)
            backward_block(gated, 64, 64, BLOCK, y + 2 * r * 64, dg + r * 64, g + r * 64, dy + 2 * r * 64);
        else if (gated->n_feature == 64)
            backward_block(gated, 64, 64, count, y + 2 * r * 64, dg + r * 64, g + r * 64, dy + 2 * r * 64);
        else
            backward_block(gated, n, gated->n_feature, count, y + 2 * r * n, dg + r * n, g + r * n, dy + 2 * r * n);
    }
}

void chgi_gated_activate(const chgi_gated *gated, int rows, chg_real *x, chg_real *h)
{
    int64_t count = (int64_t)rows * 2 * gated->n_hidden;
    for (int64_t i = 0; i < count; i += CHGI_LANES) {
        __builtin_prefetch(x + count + i, 1, 2);
        chg_vector value = chgi_load(x + i), s = chgi_sigmoid(value);
        chgi_store(h + i, value * s);
        chgi_store(x + i, chgi_silu_slope(value, s));
    }
}

void chgi_gated_forward(const chgi_gated *gated, int rows, const chg_real *h, chg_real *y, chg_real *g)
{
    int hidden = gated->n_hidden, n = gated->n_out;
    if (hidden > 0) {
        chgi_product(rows, n, hidden, h, 2 * hidden, gated->core.forward, n, gated->core.bias, 0, y, 2 * n);
        chgi_product(rows, n, hidden, h + hidden, 2 * hidden, gated->gate.forward, n, gated->gate.bias, 0, y + n,
                     2 * n);
    }
    gate_forward(gated, rows, y, g);
}

void chgi_gated_backward(const chgi_gated *gated, int rows, const chg_real *slope, const chg_real *y,
                         const chg_real *dg, chg_real *g, chg_real *dy, chg_real *dx)
{
    static const chg_real zero[1024];
    int hidden = gated->n_hidden, n = gated->n_out;
    if (hidden == 0) {
        gate_backward(gated, rows, y, dg, g, dx);
        return;
    }
    gate_backward(gated, rows, y, dg, g, dy);
    chgi_product(rows, hidden, n, dy, 2 * n, gated->core.backward, hidden, zero, 0, dx, 2 * hidden);
    chgi_product(rows, hidden, n, dy + n, 2 * n, gated->gate.backward, hidden, zero, 0, dx + hidden, 2 * hidden);
    int64_t count = (int64_t)rows * 2 * hidden;
    for (int64_t i = 0; i < count; i += CHGI_LANES) {
        __builtin_prefetch(slope + count + i, 0, 2);
        chgi_store(dx + i, chgi_load(dx + i) * chgi_load(slope + i));
    }
}
