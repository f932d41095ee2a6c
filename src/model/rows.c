#include "model/rows.h"

#include <string.h>

static const chg_real zeros[2 * CHGI_MOST_WIDTH + CHGI_PAD];

void chgi_rows_project(const chgi_linear *linear, int64_t rows, const chg_real *x, const chg_real *base, chg_real *out)
{
    int n_in = linear->n_in, n_out = linear->n_out;
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows; r += CHGI_TILE) {
        chg_real *tile = out + r * n_out;
        int count = chgi_tile_rows(r, rows);
        for (int64_t k = 0; base && k < (int64_t)count * n_out; k += CHGI_LANES)
            chgi_store(tile + k, chgi_load(base + r * n_out + k) + chgi_load(linear->bias + k % n_out));
        chgi_product(count, n_out, n_in, x + r * n_in, n_in, linear->forward, n_out, base ? tile : linear->bias,
                     base ? n_out : 0, tile, n_out);
    }
}

void chgi_rows_project_back(const chgi_linear *linear, int64_t rows, const chg_real *dy, chg_real *dx, bool add)
{
    int n_in = linear->n_in, n_out = linear->n_out;
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows; r += CHGI_TILE) {
        chg_real *tile = dx + r * n_in;
        chgi_product(chgi_tile_rows(r, rows), n_in, n_out, dy + r * n_out, n_out, linear->backward, n_in,
                     add ? tile : zeros, add ? n_in : 0, tile, n_in);
    }
}

void chgi_rows_pair(const chgi_graph *graph, int width, const chg_real *part, int64_t bond, int rows, chg_real *out)
{
    for (int r = 0; r < rows; r++, out += width) {
        int64_t s = graph->bond_short[bond + r];
        const chg_real *forth = part + s * width, *back = part + (int64_t)graph->short_reverse[s] * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(out + c, chgi_load(forth + c) + chgi_load(back + c));
    }
}

/* Remote atoms have short edges, but nothing was spread to these. */
static void pair_own(const chgi_graph *graph, int width, const chg_real *part, int64_t bond, int rows, chg_real *out)
{
    int64_t own = graph->short_start[graph->n_own];
    for (int r = 0; r < rows; r++, out += width) {
        int64_t s = graph->bond_short[bond + r], back = graph->short_reverse[s];
        memset(out, 0, (size_t)width * sizeof *out);
        if (s < own)
            chgi_row_add(width, part + s * width, out);
        if (back < own)
            chgi_row_add(width, part + back * width, out);
    }
}

void chgi_rows_spread(const chgi_pass *pass, const chgi_linear *linear, const chg_real *part)
{
    int width = linear->n_out, n = linear->n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_DX);
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < pass->graph->n_short_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, pass->graph->n_short_bond);
        chg_real *de = pass->w.de + u * n;
        if (pass->graph->n_own == pass->graph->n_atom)
            chgi_rows_pair(pass->graph, width, part, u, rows, tile);
        else
            pair_own(pass->graph, width, part, u, rows, tile);
        chgi_product(rows, n, width, tile, width, linear->backward, n, de, n, de, n);
    }
}
