#include "model/rows.h"

static const chg_real zeros[2 * CHGI_MOST_WIDTH + CHGI_PAD];

void chgi_rows_project(const chgi_linear *linear, int64_t rows, const chg_real *x, chg_real *out, bool add)
{
    int n_in = linear->n_in, n_out = linear->n_out;
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows; r += CHGI_TILE) {
        chg_real *tile = out + r * n_out;
        int count = chgi_tile_rows(r, rows);
        if (add)
            for (int k = 0; k < count; k++)
                chgi_row_add(n_out, linear->bias, tile + (int64_t)k * n_out);
        chgi_product(count, n_out, n_in, x + r * n_in, n_in, linear->forward, n_out, add ? tile : linear->bias,
                     add ? n_out : 0, tile, n_out);
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
