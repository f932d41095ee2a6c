/* A crystal of springs, whose averages are known exactly: a potential for the tests and benchmarks of dynamics.
 *     U = sum_i k_i/2 |u_i|^2 + sum_i q/4 |u_i|^4 + sum_i p/2 |u_(i+1) - u_i|^2 + C(cell)
 * u_i is what atom i is away from its site, which keeps its place within the cell when that changes.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef SPRINGS_H
#define SPRINGS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "calc/potential.h"

enum { SPRINGS_MAX = 64 };

typedef struct springs {
    chgnet_context *ctx;
    int n;
    double stiffness[SPRINGS_MAX]; /* k_i, eV/A^2 */
    double quartic, pair;          /* q, eV/A^4; p, eV/A^2 */
    double bulk, volume0;          /* C = bulk/2 (V - V0)^2/V0, eV/A^3 */
    double shape,
        lower0[3][3]; /* C = shape/2 sum (L - L0)^2 over the lower triangle; cell = L times a rotation, eV/A^2 */
    double site[SPRINGS_MAX][3]; /* within the cell */
    double cell[3][3], position[3 * SPRINGS_MAX], force[3 * SPRINGS_MAX];
    double factor; /* 0: the potential fails in its place; 1: all is well; NAN: energies are no numbers */
    double std;    /* what it says of its energy's standard deviation */
    int64_t calls;
} springs;

static chgnet_status springs_set(void *self, const chgi_structure *structure)
{
    springs *s = self;
    double inverse[3][3];
    s->n = (int)structure->n_atom;
    memcpy(s->cell, structure->cell, sizeof s->cell);
    memcpy(s->position, structure->positions, (size_t)s->n * 3 * sizeof *s->position);
    if (s->n > SPRINGS_MAX || !chgi_structure_invert(structure->cell, inverse))
        return chgi_context_fail(s->ctx, CHGNET_EINPUT, "springs: too many atoms or no cell");
    for (int i = 0; i < s->n; i++)
        for (int c = 0; c < 3; c++) {
            s->site[i][c] = 0;
            for (int d = 0; d < 3; d++)
                s->site[i][c] += s->position[3 * i + d] * inverse[d][c];
        }
    return CHGNET_OK;
}

static chgnet_status springs_move(void *self, const double *positions, const double (*cell)[3])
{
    springs *s = self;
    memcpy(s->position, positions, (size_t)s->n * 3 * sizeof *s->position);
    if (cell)
        memcpy(s->cell, cell, sizeof s->cell);
    return CHGNET_OK;
}

/* What atom i is away from its site. */
static void springs_away(const springs *s, int i, double u[3])
{
    for (int c = 0; c < 3; c++) {
        u[c] = s->position[3 * i + c];
        for (int d = 0; d < 3; d++)
            u[c] -= s->site[i][d] * s->cell[d][c];
    }
}

/* L with  cell cell^T = L L^T. */
static void springs_lower(const double cell[3][3], double lower[3][3])
{
    memset(lower, 0, 9 * sizeof(double));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) {
            double sum = cell[i][0] * cell[j][0] + cell[i][1] * cell[j][1] + cell[i][2] * cell[j][2];
            for (int k = 0; k < j; k++)
                sum -= lower[i][k] * lower[j][k];
            lower[i][j] = i == j ? sqrt(sum) : sum / lower[j][j];
        }
}

/* C = shape/2 |L - L0|^2.  A strain e of the cell's vectors a turns into one of the rows of L, e' = R e R^T with a = L
 * R; dL = L F(e' + e'^T), F the lower triangle with half the diagonal.  So dC/de' = sym of M, M = F applied to L^T
 * shape(L - L0). */
static double springs_shape(const springs *s, double virial[3][3])
{
    double lower[3][3], rotation[3][3], pull[3][3] = {{0}}, turned[3][3], energy = 0;
    springs_lower((const double(*)[3])s->cell, lower);
    for (int i = 0; i < 3; i++)
        for (int c = 0; c < 3; c++) {
            double sum = s->cell[i][c];
            for (int k = 0; k < i; k++)
                sum -= lower[i][k] * rotation[k][c];
            rotation[i][c] = sum / lower[i][i];
        }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) {
            double off = s->shape * (lower[i][j] - s->lower0[i][j]);
            energy += off * (lower[i][j] - s->lower0[i][j]) / 2;
            for (int k = j; k <= i; k++) /* dL[i][j] = sum_k L[i][k] F[k][j] */
                pull[k][j] += off * lower[i][k];
        }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) /* F[k][j] of e' + e'^T: e'[k][j] + e'[j][k] below, e'[k][k] on the diagonal */
            turned[a][b] = a == b ? pull[a][a] : pull[a > b ? a : b][a > b ? b : a];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            for (int k = 0; k < 3; k++)
                for (int l = 0; l < 3; l++)
                    virial[a][b] += rotation[k][a] * turned[k][l] * rotation[l][b];
    return energy;
}

static double springs_cell_energy(const springs *s, double virial[3][3])
{
    double energy = s->shape > 0 ? springs_shape(s, virial) : 0;
    if (s->bulk > 0) {
        double volume = fabs(chgi_structure_volume((const double(*)[3])s->cell)), off = volume - s->volume0;
        energy += s->bulk / 2 * off * off / s->volume0;
        for (int a = 0; a < 3; a++)
            virial[a][a] += s->bulk * off / s->volume0 * volume;
    }
    return energy;
}

static chgnet_status springs_compute(void *self, unsigned want, chgi_outcome *outcome)
{
    springs *s = self;
    chgi_outcome o = {.forces = s->force, .energy_std = s->std};
    (void)want;
    s->calls++;
    if (s->factor == 0)
        return chgi_context_fail(s->ctx, CHGNET_ENUMERIC, "springs: told to fail");
    memset(s->force, 0, sizeof s->force);
    o.energy = springs_cell_energy(s, o.virial);
    for (int i = 0; i < s->n; i++) {
        double u[3], next[3];
        int j = (i + 1) % s->n;
        springs_away(s, i, u);
        springs_away(s, j, next);
        double square = u[0] * u[0] + u[1] * u[1] + u[2] * u[2];
        o.energy += s->stiffness[i] / 2 * square + s->quartic / 4 * square * square;
        for (int c = 0; c < 3; c++) {
            double own = (s->stiffness[i] + s->quartic * square) * u[c], shared = s->pair * (next[c] - u[c]);
            o.energy += shared * (next[c] - u[c]) / 2;
            s->force[3 * i + c] += shared - own;
            s->force[3 * j + c] -= shared;
            for (int d = 0; d < 3; d++)
                o.virial[d][c] += u[d] * own + (next[d] - u[d]) * shared;
        }
    }
    o.energy *= s->factor;
    *outcome = o;
    return CHGNET_OK;
}

static void springs_destroy(void *self)
{
    (void)self;
}

static chgi_potential springs_potential(springs *s)
{
    s->factor = 1;
    s->std = -1;
    return (chgi_potential){s, springs_set, springs_move, springs_compute, springs_destroy};
}

#endif
