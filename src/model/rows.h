/* Loops over tiles of rows, shared by the layers. */
#ifndef CHGI_MODEL_ROWS_H
#define CHGI_MODEL_ROWS_H

#include <omp.h>

#include "model/network.h"
#include "nn/vecmath.h"

#define chgi_rows_project CHGI_K(rows_project)
#define chgi_rows_project_back CHGI_K(rows_project_back)
#define chgi_rows_pair CHGI_K(rows_pair)
#define chgi_rows_spread CHGI_K(rows_spread)

static inline int chgi_tile_rows(int64_t first, int64_t end)
{
    return end - first < CHGI_TILE ? (int)(end - first) : CHGI_TILE;
}

/** Atoms that a thread takes at a time: a thread goes through neighbouring rows, which are called in ahead, and yet the
 * threads end together. */
static inline int chgi_rows_chunk(int64_t atoms)
{
    int64_t chunk = atoms / (16 * (int64_t)omp_get_num_threads());
    return chunk < 1 ? 1 : chunk > 32 ? 32 : (int)chunk;
}

/** out = x W^T + b for all rows, shared among the threads; returns when all is done.
 *  \param[in] base  (rows,n_out) out = base + x W^T + b instead; NULL: 0; may be out */
void chgi_rows_project(const chgi_linear *linear, int64_t rows, const chg_real *x, const chg_real *base, chg_real *out);

/** dx = dy W, or dx += dy W. */
void chgi_rows_project_back(const chgi_linear *linear, int64_t rows, const chg_real *dy, chg_real *dx, bool add);

/** The two short edges of each of some short bonds, added up.
 *  \param[in]  part  (n_short_edge,width)
 *  \param[out] out   (rows,width) of the bonds [bond, bond + rows) */
void chgi_rows_pair(const chgi_graph *graph, int width, const chg_real *part, int64_t bond, int rows, chg_real *out);

/** de += (both edges' part) W for all short bonds. \param[in] part (n_short_edge,linear->n_out) */
void chgi_rows_spread(const chgi_pass *pass, const chgi_linear *linear, const chg_real *part);

/** Whole vectors of a row in the narrowest and widest case. */
enum { CHGI_ROW_VECTORS = 2 * CHGI_MOST_WIDTH / CHGI_LANES };

/** A row to registers, and back to memory by addition. */
CHGI_INLINE void chgi_row_load(int width, const chg_real *row, chg_vector *v)
{
#pragma GCC unroll 8
    for (int c = 0; c < width; c += CHGI_LANES)
        v[c / CHGI_LANES] = chgi_load(row + c);
}

CHGI_INLINE void chgi_row_zero(int width, chg_vector *v)
{
#pragma GCC unroll 8
    for (int c = 0; c < width; c += CHGI_LANES)
        v[c / CHGI_LANES] = (chg_vector){0};
}

CHGI_INLINE void chgi_row_flush(int width, const chg_vector *v, chg_real *sum)
{
#pragma GCC unroll 8
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(sum + c, chgi_load(sum + c) + v[c / CHGI_LANES]);
}

/** sum += row. */
static inline void chgi_row_add(int width, const chg_real *row, chg_real *sum)
{
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(sum + c, chgi_load(sum + c) + chgi_load(row + c));
}

/** sum += row * factor. */
static inline void chgi_row_add_product(int width, const chg_real *row, const chg_real *factor, chg_real *sum)
{
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(sum + c, chgi_load(sum + c) + chgi_load(row + c) * chgi_load(factor + c));
}

static inline chg_real chgi_row_dot(int width, const chg_real *a, const chg_real *b)
{
    chg_vector sum = {0};
    for (int c = 0; c < width; c += CHGI_LANES)
        sum += chgi_load(a + c) * chgi_load(b + c);
    return chgi_sum(sum);
}

#endif
