/* Constant pressure by Martyna, Tobias and Klein, with a Nose-Hoover chain for the atoms and one for the cell:
 *     dr/dt = v + g r        dv/dt = F/m - (g + tr(g)/N_f) v        d(cell)/dt = cell g
 *     W dg/dt = sum m v v - virial - P V + 2K/N_f [+ k T]
 * g is symmetric, so the cell does not turn; of an isotropic cell it is a multiple of 1.  k T stands where the total
 * momentum is conserved (see volume_energy in md_observe.c).
 * Time is split as in Tuckerman et al., J. Phys. A 39, 5629 (2006).
 * With it the metric tensor G of the cell vectors has the distribution det(G)^(-3/2) exp(-(F(G) + P V)/kT) dG, and of
 * an isotropic cell the volume exp(-(F(V) + P V)/kT) dV.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "math/eigen3.h"
#include "task/md_inside.h"

double chgi_md_cell_inertia(const chgi_md *md)
{
    double relaxation = md->options.barostat_time;
    return ((double)md->n_freedom + 3) / 3 * chgi_md_thermal(md) * relaxation * relaxation;
}

double chgi_md_cell_freedom(const chgi_md *md)
{
    return md->options.full_cell ? 6 : 1;
}

/* A symmetric matrix becomes a multiple of 1 where only the volume may change. */
static void keep_shape(const chgi_md *md, double matrix[3][3])
{
    double mean = (matrix[0][0] + matrix[1][1] + matrix[2][2]) / 3;
    for (int a = 0; !md->options.full_cell && a < 3; a++)
        for (int b = 0; b < 3; b++)
            matrix[a][b] = a == b ? mean : 0;
}

static void chain_cell(chgi_md *md, double time)
{
    chgi_md_numbers *n = md->state.numbers;
    double square = 0;
    for (int c = 0; c < 9; c++)
        square += n->cell_velocity[c / 3][c % 3] * n->cell_velocity[c / 3][c % 3];
    double factor =
        chgi_md_chain_move(n->cell_chain_velocity, md->options.chain, chgi_md_cell_freedom(md), chgi_md_thermal(md),
                           md->options.barostat_time, chgi_md_cell_inertia(md) * square, time, &n->exchanged);
    for (int c = 0; c < 9; c++)
        n->cell_velocity[c / 3][c % 3] *= factor;
}

static void kick_cell(chgi_md *md, double time)
{
    chgi_md_numbers *n = md->state.numbers;
    double force[3][3], inertia = chgi_md_cell_inertia(md);
    chgi_md_kinetic_tensor(md, force);
    double twice_kinetic = force[0][0] + force[1][1] + force[2][2];
    double same = twice_kinetic / (double)md->n_freedom - n->pressure / CHGI_MD_GPA * chgi_md_volume(md);
    if (!md->options.external)
        same += chgi_md_thermal(md);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            force[a][b] += (a == b ? same : 0) - (n->virial[a][b] + n->virial[b][a]) / 2;
    keep_shape(md, force);
    for (int c = 0; c < 9; c++)
        n->cell_velocity[c / 3][c % 3] += time * force[c / 3][c % 3] / inertia;
}

/* Of a symmetric matrix A:  exp(A t)  and the integral of exp(A s) over s from 0 to t. */
static void propagators(const double matrix[3][3], double time, double whole[3][3], double integral[3][3])
{
    double values[3], vectors[3][3];
    chgi_eigen3(matrix, values, vectors);
    memset(whole, 0, 9 * sizeof(double));
    memset(integral, 0, 9 * sizeof(double));
    for (int k = 0; k < 3; k++) {
        double x = values[k] * time, grown = exp(x), sum = x != 0 ? expm1(x) / x * time : time;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) {
                double both = vectors[k][a] * vectors[k][b];
                whole[a][b] += grown * both;
                integral[a][b] += sum * both;
            }
    }
}

/* out = a x + factor b y for a 3-vector each; out may be x or y */
static void combine(const double a[3][3], const double x[3], double factor, const double b[3][3], const double y[3],
                    double out[3])
{
    double result[3];
    for (int c = 0; c < 3; c++)
        result[c] = a[c][0] * x[0] + a[c][1] * x[1] + a[c][2] * x[2] +
                    factor * (b[c][0] * y[0] + b[c][1] * y[1] + b[c][2] * y[2]);
    memcpy(out, result, sizeof result);
}

static void kick_atoms(chgi_md *md, double time)
{
    chgi_md_state *s = &md->state;
    const double(*g)[3] = (const double(*)[3])s->numbers->cell_velocity;
    double drag[3][3], whole[3][3], integral[3][3], trace = g[0][0] + g[1][1] + g[2][2];
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            drag[a][b] = -g[a][b] - (a == b ? trace / (double)md->n_freedom : 0);
    propagators((const double(*)[3])drag, time, whole, integral);
    for (int64_t i = 0; i < s->n_atom; i++)
        combine((const double(*)[3])whole, s->velocities + 3 * i, 1 / md->inertia[i], (const double(*)[3])integral,
                s->forces + 3 * i, s->velocities + 3 * i);
}

static void drift_all(chgi_md *md, double time)
{
    chgi_md_state *s = &md->state;
    double whole[3][3], integral[3][3], none[3] = {0};
    propagators((const double(*)[3])s->numbers->cell_velocity, time, whole, integral);
    for (int64_t i = 0; i < s->n_atom; i++)
        combine((const double(*)[3])whole, s->positions + 3 * i, 1, (const double(*)[3])integral, s->velocities + 3 * i,
                s->positions + 3 * i);
    for (int a = 0; a < 3; a++)
        combine((const double(*)[3])whole, s->numbers->cell[a], 0, (const double(*)[3])integral, none,
                s->numbers->cell[a]);
}

/* A cell that changes by a tenth in one step is out of bounds. */
static chgnet_status check_strain(const chgi_md *md)
{
    const double(*g)[3] = (const double(*)[3])md->state.numbers->cell_velocity;
    for (int c = 0; c < 9; c++)
        if (!(fabs(g[c / 3][c % 3]) * md->options.timestep < 0.1))
            return chgi_context_fail(
                md->ctx, CHGNET_ENUMERIC,
                "step %.0f would strain the cell by %.3g; less than 0.1, so a longer barostat time or a "
                "relaxed cell would be right",
                md->now, g[c / 3][c % 3] * md->options.timestep);
    return CHGNET_OK;
}

chgnet_status chgi_md_step_mtk(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    chain_cell(md, time / 2);
    chgi_md_chain_atoms(md, time / 2);
    kick_cell(md, time / 2);
    CHGI_TRY(check_strain(md));
    kick_atoms(md, time / 2);
    CHGI_TRY(chgi_md_check_speed(md));
    drift_all(md, time);
    CHGI_TRY(chgi_md_compute(md, want));
    kick_atoms(md, time / 2);
    kick_cell(md, time / 2);
    chgi_md_chain_atoms(md, time / 2);
    chain_cell(md, time / 2);
    return CHGNET_OK;
}
