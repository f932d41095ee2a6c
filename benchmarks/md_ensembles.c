/* Do the thermostats and barostats sample what they promise?  Each drives a crystal of springs, whose averages are
 * known exactly, over many steps from fixed seeds; means and variances must lie within four standard errors.
 *
 *     md_ensembles [-n STEPS] [-s SEED] [CASE...]
 *
 * Prints a table; the exit status is 1 when a value is further off.
 *
 * Kinetic energy and springs have k T/2 per degree of freedom, with the variance (k T)^2/2 each.  Springs do not feel
 * the cell, for sites keep their places in it, so the volume has the density
 *     V^f exp(-(C(V) + P V)/kT)
 * where f = 1 if the springs hold the atoms among themselves and the crystal may be anywhere in the cell, 0 if they
 * hold them at sites.  A full cell, L times a rotation with the lower triangle L and G = L L^T, has
 *     V^f det(G)^(-3/2) exp(...) dG = V^(f-3) L11^3 L22^2 L33 exp(...) dL.
 *
 * The modes of a harmonic crystal exchange no energy, and a thermostat that acts on all velocities alike cannot make
 * them.  So, but for Langevin dynamics, pairs of atoms collide elastically every 20 steps: their relative velocity is
 * turned at random, which changes no kinetic energy, no momentum and no exact value.  How much energy and volume there
 * is remains the business of thermostat and barostat alone.
 *
 * Standard errors are those of means over blocks, the largest over 32 to 256 blocks, which allows for correlations.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/springs.h"
#include "base/memory.h"
#include "base/rng.h"
#include "bench.h"
#include "task/md.h"

static const double BOLTZMANN = 8.617330337217213e-05; /* eV/K */
static const double GPA = 160.21766208;                /* 1 eV/A^3 */

enum { N_ATOM = 8, KINETIC = 0, POTENTIAL, VOLUME, LOWER, N_QUANTITY = LOWER + 6 };
static const double TEMPERATURE = 600, PRESSURE = 1.5; /* K, GPa */

static const struct test_case {
    const char *name;
    chgi_md_ensemble ensemble;
    bool floating, full_cell, fixed;
} cases[] = {
    {"nvt-langevin", CHGI_MD_NVT_LANGEVIN, false, false, false},
    {"nvt-langevin, floating", CHGI_MD_NVT_LANGEVIN, true, false, false},
    {"nvt-langevin, fixed atoms", CHGI_MD_NVT_LANGEVIN, false, false, true},
    {"nvt-nose-hoover", CHGI_MD_NVT_NOSE_HOOVER, false, false, false},
    {"nvt-nose-hoover, floating", CHGI_MD_NVT_NOSE_HOOVER, true, false, false},
    {"nvt-nose-hoover, fixed atoms", CHGI_MD_NVT_NOSE_HOOVER, false, false, true},
    {"nvt-bussi", CHGI_MD_NVT_BUSSI, false, false, false},
    {"nvt-bussi, floating", CHGI_MD_NVT_BUSSI, true, false, false},
    {"nvt-bussi, fixed atoms", CHGI_MD_NVT_BUSSI, false, false, true},
    {"npt-scr", CHGI_MD_NPT_SCR, false, false, false},
    {"npt-scr, floating", CHGI_MD_NPT_SCR, true, false, false},
    {"npt-mtk", CHGI_MD_NPT_MTK, false, false, false},
    {"npt-mtk, floating", CHGI_MD_NPT_MTK, true, false, false},
    {"npt-mtk, full cell", CHGI_MD_NPT_MTK, false, true, false},
    {"npt-mtk, full cell, floating", CHGI_MD_NPT_MTK, true, true, false},
};

typedef struct moments {
    bool known;
    double mean, variance;
} moments;

static bool has_barostat(const struct test_case *t)
{
    return t->ensemble == CHGI_MD_NPT_SCR || t->ensemble == CHGI_MD_NPT_MTK;
}

static chgi_structure make_structure(chgnet_context *ctx)
{
    static const int32_t numbers[N_ATOM] = {3, 8, 25, 8, 12, 8, 29, 16};
    static const double cell[3][3] = {{4, 0.2, -0.1}, {0.3, 4.4, 0.25}, {-0.2, 0.15, 5}};
    chgi_structure s;
    bench_check(ctx, chgi_structure_create(ctx, N_ATOM, &s));
    memcpy(s.cell, cell, sizeof cell);
    memcpy(s.numbers, numbers, sizeof numbers);
    for (int i = 0; i < N_ATOM; i++) {
        double part[3] = {0.25 + 0.5 * (i & 1), 0.25 + 0.25 * (i & 2), 0.25 + 0.125 * (i & 4)};
        for (int c = 0; c < 3; c++) {
            s.pbc[c] = true;
            s.positions[3 * i + c] = part[0] * cell[0][c] + part[1] * cell[1][c] + part[2] * cell[2][c];
        }
    }
    return s;
}

/* Springs of different strength and atoms of different mass: no two modes are alike, or a thermostat that acts on all
 * of them at once could not tell them apart. */
static springs make_springs(chgnet_context *ctx, const struct test_case *t, const chgi_structure *structure)
{
    springs s = {.ctx = ctx, .pair = t->floating ? 5 : 0.5};
    for (int i = 0; i < N_ATOM && !t->floating; i++)
        s.stiffness[i] = 3 + 0.5 * i;
    s.volume0 = chgi_structure_volume((const double(*)[3])structure->cell);
    if (t->full_cell)
        s.shape = 0.5;
    else if (has_barostat(t))
        s.bulk = 0.08;
    springs_lower((const double(*)[3])structure->cell, s.lower0);
    return s;
}

static void fix_some(chgi_structure *structure)
{
    structure->move_mask = chgi_memory_new((size_t)structure->n_atom * 3, sizeof(bool));
    if (!structure->move_mask)
        bench_fail("not enough memory");
    for (int k = 0; k < 3 * N_ATOM; k++) /* one atom whole, others in one and in two components */
        structure->move_mask[k] = k >= 3 && k != 4 && k != 7 && k != 8;
}

/* ---- exact values
 * ---------------------------------------------------------------------------------------------------- */

typedef struct sums {
    double weight, x[N_QUANTITY], square[N_QUANTITY];
} sums;

static void add(sums *s, int quantity, double value, double weight)
{
    s->x[quantity] += weight * value;
    s->square[quantity] += weight * value * value;
}

/* exp(-(C + P V)/kT) over a fine grid: smooth and vanishing at its ends, so the plain sum is exact to rounding. */
static void sum_volume(const springs *s, double thermal, double power, sums *all)
{
    double width = sqrt(thermal * s->volume0 / s->bulk);
    for (int k = -12000; k <= 12000; k++) {
        double volume = s->volume0 + k * width * 1e-3, off = volume - s->volume0;
        if (volume <= 0)
            continue;
        double energy = s->bulk / 2 * off * off / s->volume0;
        double weight = pow(volume, power) * exp(-(energy + PRESSURE / GPA * (volume - s->volume0)) / thermal);
        all->weight += weight;
        add(all, VOLUME, volume, weight);
        add(all, POTENTIAL, energy, weight);
    }
}

static void sum_cell(const springs *s, double thermal, double power, sums *all)
{
    enum { HALF = 90 };
    double width = sqrt(thermal / s->shape), step = 8.0 / HALF * width, square = thermal / s->shape;
    for (int a = -HALF; a <= HALF; a++)
        for (int b = -HALF; b <= HALF; b++)
            for (int c = -HALF; c <= HALF; c++) {
                double l[3] = {s->lower0[0][0] + a * step, s->lower0[1][1] + b * step, s->lower0[2][2] + c * step};
                if (l[0] <= 0 || l[1] <= 0 || l[2] <= 0)
                    continue;
                double volume = l[0] * l[1] * l[2], energy = s->shape / 2 * step * step * (a * a + b * b + c * c);
                double weight = pow(volume, power - 3) * l[0] * l[0] * l[0] * l[1] * l[1] * l[2] *
                                exp(-(energy + PRESSURE / GPA * (volume - s->volume0)) / thermal);
                all->weight += weight;
                add(all, VOLUME, volume, weight);
                add(all, POTENTIAL, energy, weight);
                for (int k = 0; k < 3; k++)
                    add(all, LOWER + k, l[k], weight);
            }
    for (int k = 0; k < 3; k++) { /* off the diagonal: normal, and nothing else depends on them */
        double center = k == 0 ? s->lower0[1][0] : s->lower0[2][k - 1];
        all->x[LOWER + 3 + k] = all->weight * center;
        all->square[LOWER + 3 + k] = all->weight * (center * center + square);
    }
}

static void find_exact(const struct test_case *t, const springs *s, int64_t n_freedom, moments exact[N_QUANTITY])
{
    double thermal = BOLTZMANN * TEMPERATURE, n = (double)n_freedom;
    sums all = {0};
    memset(exact, 0, N_QUANTITY * sizeof *exact);
    if (t->full_cell)
        sum_cell(s, thermal, t->floating, &all);
    else if (has_barostat(t))
        sum_volume(s, thermal, t->floating, &all);
    for (int q = POTENTIAL; q < (t->full_cell ? N_QUANTITY : LOWER) && all.weight > 0; q++) {
        double mean = all.x[q] / all.weight;
        exact[q] = (moments){true, mean, all.square[q] / all.weight - mean * mean};
    }
    if (t->full_cell) { /* three more springs, off the diagonal */
        exact[POTENTIAL].mean += 3 * thermal / 2;
        exact[POTENTIAL].variance += 3 * thermal * thermal / 2;
    }
    exact[KINETIC] = (moments){true, n * thermal / 2, n * thermal * thermal / 2};
    exact[POTENTIAL].known = true;
    exact[POTENTIAL].mean += n * thermal / 2;
    exact[POTENTIAL].variance += n * thermal * thermal / 2;
}

/* ---- measured values
 * ------------------------------------------------------------------------------------------------- */

typedef struct series {
    int64_t n;
    double *value[N_QUANTITY]; /* (n) */
} series;

static void record(const chgi_md *md, series *all, int64_t step)
{
    chgi_md_observables o;
    double lower[3][3];
    chgi_md_observe(md, &o);
    springs_lower((const double(*)[3])o.cell, lower);
    double values[N_QUANTITY] = {o.kinetic,   o.potential, o.volume,    lower[0][0], lower[1][1],
                                 lower[2][2], lower[1][0], lower[2][0], lower[2][1]};
    for (int q = 0; q < N_QUANTITY; q++)
        all->value[q][step] = values[q];
}

/* Mean of a series and the standard error of that mean. */
static void judge(const double *x, int64_t n, double *mean, double *error)
{
    *mean = *error = 0;
    for (int64_t k = 0; k < n; k++)
        *mean += x[k] / (double)n;
    for (int64_t n_block = 32; n_block <= 256; n_block *= 2) {
        int64_t length = n / n_block;
        double square = 0;
        for (int64_t b = 0; b < n_block; b++) {
            double sum = 0;
            for (int64_t k = b * length; k < (b + 1) * length; k++)
                sum += x[k] - *mean;
            square += sum / (double)length * (sum / (double)length);
        }
        *error = fmax(*error, sqrt(square / (double)(n_block * (n_block - 1))));
    }
}

static bool print_row(const char *name, const char *what, double exact, double got, double error)
{
    double off = (got - exact) / error;
    bool ok = fabs(off) <= 4;
    printf("| %s | %s | %.6g | %.6g | %.2g | %+.1f%s |\n", name, what, exact, got, error, off, ok ? "" : " **off**");
    fflush(stdout);
    return ok;
}

static bool compare(const char *name, const moments exact[N_QUANTITY], series *all)
{
    static const char *const names[N_QUANTITY] = {"kinetic energy (eV)",
                                                  "potential energy (eV)",
                                                  "volume (A^3)",
                                                  "L11 (A)",
                                                  "L22 (A)",
                                                  "L33 (A)",
                                                  "L21 (A)",
                                                  "L31 (A)",
                                                  "L32 (A)"};
    bool ok = true;
    for (int q = 0; q < N_QUANTITY; q++) {
        char what[64];
        double got, error;
        if (!exact[q].known)
            continue;
        judge(all->value[q], all->n, &got, &error);
        ok = print_row(name, names[q], exact[q].mean, got, error) && ok;
        for (int64_t k = 0; k < all->n; k++) /* about the exact mean: the expected value is the exact variance */
            all->value[q][k] = (all->value[q][k] - exact[q].mean) * (all->value[q][k] - exact[q].mean);
        judge(all->value[q], all->n, &got, &error);
        snprintf(what, sizeof what, "its variance, %s", names[q]);
        ok = print_row(name, what, exact[q].variance, got, error) && ok;
    }
    return ok;
}

/* The relative velocity of two free atoms in a random direction. */
static void collide(chgi_rng *rng, const chgi_md *md, int i, int j)
{
    double *a = chgi_md_get_state(md)->velocities + 3 * i, *b = chgi_md_get_state(md)->velocities + 3 * j;
    double share = chgi_md_masses(md)[j] / (chgi_md_masses(md)[i] + chgi_md_masses(md)[j]), square = 0, length = 0,
           to[3];
    for (int c = 0; c < 3; c++) {
        to[c] = chgi_rng_normal(rng);
        length += to[c] * to[c];
        square += (a[c] - b[c]) * (a[c] - b[c]);
    }
    for (int c = 0; c < 3; c++) {
        double change = to[c] * sqrt(square / length) - (a[c] - b[c]);
        a[c] += share * change;
        b[c] -= (1 - share) * change;
    }
}

/* Atom and partner by a random shift; with atoms held, the wholly free ones alone. */
static void mix(const chgi_md *md, const bool *mask, uint64_t seed, int64_t step)
{
    chgi_rng rng = chgi_rng_start(seed, 1000, (uint64_t)step, 0);
    int shift = 1 + (int)(chgi_rng_uniform(&rng) * (N_ATOM - 1));
    for (int i = 0; i < N_ATOM; i++) {
        int j = (i + shift) % N_ATOM;
        bool both = true;
        for (int c = 0; mask && c < 3; c++)
            both = both && mask[3 * i + c] && mask[3 * j + c];
        if (both)
            collide(&rng, md, i, j);
    }
}

static chgi_md_options options_of(const struct test_case *t, uint64_t seed)
{
    chgi_md_options o = chgi_md_options_default(t->ensemble);
    o.temperature[0] = o.temperature[1] = TEMPERATURE;
    o.pressure[0] = o.pressure[1] = PRESSURE;
    o.thermostat_time = 40;
    o.barostat_time = 150;
    o.friction = 0.02;
    o.compressibility = 1 / (0.08 * GPA);
    o.full_cell = t->full_cell;
    o.external = !t->floating;
    o.seed = seed;
    return o;
}

static bool run_case(chgnet_context *ctx, const struct test_case *t, uint64_t seed, series *all)
{
    chgi_structure structure = make_structure(ctx);
    springs s = make_springs(ctx, t, &structure);
    chgi_potential potential = springs_potential(&s);
    chgi_md_options options = options_of(t, seed);
    moments exact[N_QUANTITY];
    chgi_md *md;
    if (t->fixed)
        fix_some(&structure);
    bench_check(ctx, chgi_md_create(ctx, &potential, &structure, &options, &md));
    bench_check(ctx, chgi_md_start(md, 0));
    for (int64_t k = -all->n / 20; k < all->n; k++) { /* the first twentieth forgets the start */
        bench_check(ctx, chgi_md_step(md, 0));
        if (k >= 0)
            record(md, all, k);
        if (k % 20 == 0 && t->ensemble != CHGI_MD_NVT_LANGEVIN)
            mix(md, structure.move_mask, seed, k);
    }
    find_exact(t, &s, chgi_md_freedom(md), exact);
    bool ok = compare(t->name, exact, all);
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
    return ok;
}

static bool is_wanted(const char *name, char **wanted, int n)
{
    bool found = n == 0;
    for (int i = 0; i < n; i++)
        found = found || strcmp(name, wanted[i]) == 0;
    return found;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    series all = {.n = 1000000};
    uint64_t seed = 1;
    bool ok = true;
    for (int letter; (letter = getopt(argc, argv, "n:s:")) != -1;) {
        if (letter == 'n')
            all.n = bench_number(optarg, 1000);
        else if (letter == 's')
            seed = (uint64_t)bench_number(optarg, 0);
        else
            bench_fail("usage: md_ensembles [-n STEPS] [-s SEED] [CASE...]");
    }
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    for (int q = 0; q < N_QUANTITY; q++)
        if (!(all.value[q] = chgi_memory_new((size_t)all.n, sizeof(double))))
            bench_fail("not enough memory");
    printf("| ensemble | quantity | exact | measured | standard error | off, in standard errors |\n");
    printf("|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (is_wanted(cases[i].name, argv + optind, argc - optind))
            ok = run_case(ctx, &cases[i], seed, &all) && ok;
    for (int q = 0; q < N_QUANTITY; q++)
        chgi_memory_free(all.value[q]);
    chgnet_context_destroy(ctx);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
