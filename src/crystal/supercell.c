/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/supercell.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

typedef struct point {
    int at[3];       /* in vectors of the unit cell */
    int64_t rest[3]; /* the same in vectors of the supercell, times the number of cells, less whole ones */
} point;

typedef struct repeat {
    const int (*matrix)[3];
    int64_t adjoint[3][3]; /* inverse of the matrix times its determinant */
    int64_t n_cell;
    point *points; /* (n_cell) */
} repeat;

static void find_adjoint(repeat *r)
{
    const int(*m)[3] = r->matrix;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            r->adjoint[i][j] = (int64_t)m[a][c] * m[b][d] - (int64_t)m[a][d] * m[b][c];
        }
    r->n_cell = 0;
    for (int k = 0; k < 3; k++)
        r->n_cell += m[0][k] * r->adjoint[k][0];
}

/* From the lowest to the highest corner of the supercell along an axis of the unit cell. */
static int extent(const int row[3])
{
    int low = 0, high = 0;
    for (int k = 0; k < 3; k++) {
        low += row[k] < 0 ? row[k] : 0;
        high += row[k] > 0 ? row[k] : 0;
    }
    return high - low;
}

/* Take a lattice point unless the supercell's lattice brings it onto one that is there. */
static void take_point(repeat *r, point p, int64_t *n)
{
    for (int i = 0; i < 3; i++) {
        int64_t sum = 0;
        for (int k = 0; k < 3; k++)
            sum += r->adjoint[i][k] * p.at[k];
        p.rest[i] = (sum % r->n_cell + r->n_cell) % r->n_cell;
    }
    for (int64_t k = 0; k < *n; k++)
        if (memcmp(r->points[k].rest, p.rest, sizeof p.rest) == 0)
            return;
    r->points[(*n)++] = p;
}

/* The first axis runs fastest, over a box around the supercell: this is the order of phonopy (structure/cells.py). */
static void find_points(repeat *r)
{
    int64_t n = 0;
    int size[3] = {extent(r->matrix[0]), extent(r->matrix[1]), extent(r->matrix[2])};
    for (int c = 0; c < size[2]; c++)
        for (int b = 0; b < size[1]; b++)
            for (int a = 0; a < size[0] && n < r->n_cell; a++)
                take_point(r, (point){.at = {a, b, c}}, &n);
}

/* All copies of the atoms, inside the supercell. */
static void place_atoms(const repeat *r, const chgi_structure *unit, const double inverse[3][3], chgi_structure *s)
{
    for (int64_t k = 0; k < s->n_atom; k++) {
        const point *p = &r->points[k % r->n_cell];
        const double *x = unit->positions + 3 * (k / r->n_cell);
        double place[3], whole;
        for (int c = 0; c < 3; c++)
            place[c] = p->at[c] + x[0] * inverse[0][c] + x[1] * inverse[1][c] + x[2] * inverse[2][c];
        for (int i = 0; i < 3; i++) {
            double sum = 0;
            for (int c = 0; c < 3; c++)
                sum += (double)r->adjoint[i][c] * place[c];
            double share = modf(sum / (double)r->n_cell, &whole);
            share += share < -1e-12 ? 1 : 0;
            for (int c = 0; c < 3; c++)
                s->positions[3 * k + c] += share * s->cell[i][c];
        }
        s->numbers[k] = unit->numbers[k / r->n_cell];
    }
}

static chgnet_status check_matrix(chgnet_context *ctx, const int matrix[3][3])
{
    for (int i = 0; i < 9; i++)
        if (matrix[i / 3][i % 3] > CHGI_SUPERCELL_ELEMENT || matrix[i / 3][i % 3] < -CHGI_SUPERCELL_ELEMENT)
            return chgi_context_fail(ctx, CHGNET_EUSAGE, "the supercell's matrix holds %d; give numbers from -%d to %d",
                                     matrix[i / 3][i % 3], CHGI_SUPERCELL_ELEMENT, CHGI_SUPERCELL_ELEMENT);
    return CHGNET_OK;
}

static chgnet_status check_size(chgnet_context *ctx, const chgi_structure *unit, int64_t n_cell)
{
    if (n_cell < 1 || n_cell > CHGI_SUPERCELL_CELLS)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "the supercell's matrix has the determinant %lld; give one from 1 to %d",
                                 (long long)n_cell, CHGI_SUPERCELL_CELLS);
    if (!unit->pbc[0] || !unit->pbc[1] || !unit->pbc[2])
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the cell has an axis that is not periodic; a supercell needs three that are");
    if (unit->n_atom < 1 || unit->n_atom > INT32_MAX / n_cell)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%lld times %lld atoms; give at least 1 and at most %d",
                                 (long long)n_cell, (long long)unit->n_atom, INT32_MAX);
    return CHGNET_OK;
}

chgnet_status chgi_supercell_make(chgnet_context *ctx, const chgi_structure *unit, const int matrix[3][3],
                                  int64_t *n_cell, chgi_structure *supercell)
{
    repeat r = {.matrix = matrix};
    double inverse[3][3];
    *supercell = (chgi_structure){0};
    CHGI_TRY(check_matrix(ctx, matrix));
    find_adjoint(&r);
    CHGI_TRY(check_size(ctx, unit, r.n_cell));
    if (!chgi_structure_invert(unit->cell, inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    *n_cell = r.n_cell;
    r.points = chgi_memory_new((size_t)r.n_cell, sizeof *r.points);
    if (!r.points)
        return chgi_context_nomem(ctx, (size_t)r.n_cell, sizeof *r.points);
    find_points(&r);
    chgnet_status status = chgi_structure_create(ctx, r.n_cell * unit->n_atom, supercell);
    if (status == CHGNET_OK) {
        for (int k = 0; k < 9; k++)
            for (int i = 0; i < 3; i++)
                supercell->cell[k / 3][k % 3] += matrix[i][k / 3] * unit->cell[i][k % 3];
        supercell->pbc[0] = supercell->pbc[1] = supercell->pbc[2] = true;
        place_atoms(&r, unit, (const double(*)[3])inverse, supercell);
    }
    chgi_memory_free(r.points);
    return status;
}
