/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/build.h"

#include <math.h>
#include <string.h>

enum { MOST_SITES = 8 };

/* ---- surfaces --------------------------------------------------------------------------------- */

/* The (1x1) cell of a surface, lengths in units of a (hcp: spacing in units of c). */
typedef struct net {
    double first[2], second[2];
    double shift[2]; /* from a layer to the next one up, in units of the vectors */
    int period;      /* layers until the stacking repeats */
    double spacing;
} net;

#define SQRT2 1.41421356237309504880
#define SQRT3 1.73205080756887729353

static const net nets[] = {
    [CHGI_FCC111] = {{1 / SQRT2, 0}, {0.5 / SQRT2, 0.5 * SQRT3 / SQRT2}, {1 / 3.0, 1 / 3.0}, 3, 1 / SQRT3},
    [CHGI_FCC100] = {{1 / SQRT2, 0}, {0, 1 / SQRT2}, {0.5, 0.5}, 2, 0.5},
    [CHGI_FCC110] = {{1 / SQRT2, 0}, {0, 1}, {0.5, 0.5}, 2, 0.5 / SQRT2},
    [CHGI_BCC100] = {{1, 0}, {0, 1}, {0.5, 0.5}, 2, 0.5},
    [CHGI_BCC110] = {{1, 0}, {0.5, 0.5 * SQRT2}, {0.5, 0}, 2, 1 / SQRT2},
    [CHGI_HCP0001] = {{1, 0}, {0.5, 0.5 * SQRT3}, {1 / 3.0, 1 / 3.0}, 2, 0.5},
};

static void combine(const int row[2], const net *n, double a, double out[2])
{
    for (int k = 0; k < 2; k++)
        out[k] = a * (row[0] * n->first[k] + row[1] * n->second[k]);
}

/* Whether the point (u, v), in units of the (1x1) vectors, lies in the cell with these rows; by whole numbers, so that
 * no point on a border is counted twice. */
static bool is_inside(const int matrix[2][2], int u, int v, int determinant)
{
    int s = u * matrix[1][1] - v * matrix[1][0], t = v * matrix[0][0] - u * matrix[0][1];
    return s >= 0 && s < determinant && t >= 0 && t < determinant;
}

static int reach_of(const int matrix[2][2])
{
    int reach = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            reach += matrix[i][j] < 0 ? -matrix[i][j] : matrix[i][j];
    return reach;
}

/* The atoms of one layer; its stacking shift comes on top, taken back into the cell. */
static void fill_layer(const chgi_surface *surface, int determinant, int layer, double z, chgi_structure *slab)
{
    const net *n = &nets[surface->kind];
    const int(*m)[2] = surface->matrix;
    int reach = reach_of(m), phase = layer % n->period;
    int64_t atom = (int64_t)layer * determinant;
    for (int u = -reach; u <= reach; u++)
        for (int v = -reach; v <= reach; v++) {
            if (!is_inside(m, u, v, determinant))
                continue;
            double x = u + phase * n->shift[0], y = v + phase * n->shift[1];
            double s = (x * m[1][1] - y * m[1][0]) / determinant, t = (y * m[0][0] - x * m[0][1]) / determinant;
            s -= floor(s + 1e-9);
            t -= floor(t + 1e-9);
            for (int k = 0; k < 3; k++)
                slab->positions[3 * atom + k] = s * slab->cell[0][k] + t * slab->cell[1][k];
            slab->positions[3 * atom + 2] = z;
            slab->numbers[atom++] = surface->element;
        }
}

/* The cell with its first vector along x. */
static void set_cell(const chgi_surface *surface, double height, chgi_structure *slab)
{
    double first[2], second[2];
    combine(surface->matrix[0], &nets[surface->kind], surface->a, first);
    combine(surface->matrix[1], &nets[surface->kind], surface->a, second);
    double length = hypot(first[0], first[1]);
    double cell[3][3] = {{length, 0, 0},
                         {(first[0] * second[0] + first[1] * second[1]) / length,
                          (first[0] * second[1] - first[1] * second[0]) / length, 0},
                         {0, 0, height}};
    memcpy(slab->cell, cell, sizeof cell);
}

chgnet_status chgi_build_surface(chgnet_context *ctx, const chgi_surface *surface, chgi_structure *slab)
{
    const int(*m)[2] = surface->matrix;
    int determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    double spacing = nets[surface->kind].spacing * (surface->kind == CHGI_HCP0001 ? surface->c : surface->a);
    if (determinant <= 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the surface cell %d %d, %d %d has determinant %d; it must be "
                                 "positive: exchange the rows or change a sign",
                                 m[0][0], m[0][1], m[1][0], m[1][1], determinant);
    CHGI_TRY(chgi_structure_create(ctx, (int64_t)determinant * surface->layers, slab));
    set_cell(surface, 2 * surface->vacuum + (surface->layers - 1) * spacing, slab);
    for (int layer = 0; layer < surface->layers; layer++)
        fill_layer(surface, determinant, layer, surface->vacuum + layer * spacing, slab);
    slab->pbc[0] = slab->pbc[1] = true;
    return CHGNET_OK;
}

/* ---- bulk ------------------------------------------------------------------------------------- */

static const struct lattice {
    int n;
    double sites[MOST_SITES][3];
} lattices[] = {
    [CHGI_FCC] = {4, {{0, 0, 0}, {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}}},
    [CHGI_BCC] = {2, {{0, 0, 0}, {0.5, 0.5, 0.5}}},
    [CHGI_HCP] = {2, {{0, 0, 0}, {1 / 3.0, 1 / 3.0, 0.5}}},
    [CHGI_SC] = {1, {{0, 0, 0}}},
    [CHGI_DIAMOND] = {8,
                      {{0, 0, 0},
                       {0, 0.5, 0.5},
                       {0.5, 0, 0.5},
                       {0.5, 0.5, 0},
                       {0.25, 0.25, 0.25},
                       {0.25, 0.75, 0.75},
                       {0.75, 0.25, 0.75},
                       {0.75, 0.75, 0.25}}},
};

static void place_cell(const struct lattice *lattice, double cell[3][3], const int at[3], int element,
                       chgi_structure *bulk, int64_t atom)
{
    for (int s = 0; s < lattice->n; s++, atom++) {
        bulk->numbers[atom] = element;
        for (int k = 0; k < 3; k++)
            for (int axis = 0; axis < 3; axis++)
                bulk->positions[3 * atom + k] += (at[axis] + lattice->sites[s][axis]) * cell[axis][k];
    }
}

chgnet_status chgi_build_bulk(chgnet_context *ctx, chgi_bulk_kind kind, int element, double a, double c,
                              const int repeat[3], chgi_structure *bulk)
{
    const struct lattice *lattice = &lattices[kind];
    double cell[3][3] = {{a, 0, 0}, {0, a, 0}, {0, 0, a}};
    if (kind == CHGI_HCP) {
        cell[1][0] = 0.5 * a;
        cell[1][1] = 0.5 * SQRT3 * a;
        cell[2][2] = c;
    }
    CHGI_TRY(chgi_structure_create(ctx, (int64_t)lattice->n * repeat[0] * repeat[1] * repeat[2], bulk));
    int at[3];
    int64_t atom = 0;
    for (at[0] = 0; at[0] < repeat[0]; at[0]++)
        for (at[1] = 0; at[1] < repeat[1]; at[1]++)
            for (at[2] = 0; at[2] < repeat[2]; at[2]++, atom += lattice->n)
                place_cell(lattice, cell, at, element, bulk, atom);
    for (int axis = 0; axis < 3; axis++) {
        bulk->pbc[axis] = true;
        for (int k = 0; k < 3; k++)
            bulk->cell[axis][k] = repeat[axis] * cell[axis][k];
    }
    return CHGNET_OK;
}
