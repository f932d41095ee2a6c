/* Energy conservation and cost of dynamics with CHGNet, on 64 atoms of MgO at 600 K unless told otherwise.
 *
 *     md_energy drift [-n STEPS] [-p single|double] [-f FS] ...
 *         slope of the total energy over an NVE run
 *     md_energy order [-n STEPS] ...
 *         in double: RMS fluctuation of the total energy at the time step and at twice it
 *     md_energy cost [-n STEPS] ...
 *         a step of dynamics against a bare prediction of the same atoms
 *     md_energy conserved [-n STEPS] ...
 *         how much the conserved quantity of every ensemble wanders, and the total energy
 *     further: [-t THREADS] [-m MODEL] [-i ID] [-k KELVIN] [FILE.extxyz]
 *
 * Before it measures, Langevin dynamics brings the crystal to the temperature for a picosecond.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench.h"
#include "task/md.h"

typedef struct options {
    const char *file, *model, *id;
    int steps, threads;
    bool is_double;
    double temperature, timestep; /* K, fs */
} options;

typedef struct laboratory {
    chgnet_context *ctx;
    chgnet_model *model;
    chgnet_calculator *calculator;
    chgi_potential potential;
    chgi_structure structure; /* with the velocities it has come to */
} laboratory;

static chgi_md_options options_of(chgi_md_ensemble ensemble, const options *o, double timestep)
{
    chgi_md_options how = chgi_md_options_default(ensemble);
    how.temperature[0] = how.temperature[1] = o->temperature;
    how.timestep = timestep;
    how.seed = 1;
    return how;
}

static chgi_md *begin(laboratory *lab, const chgi_md_options *how)
{
    chgi_md *md;
    bench_check(lab->ctx, chgi_md_create(lab->ctx, &lab->potential, &lab->structure, how, &md));
    bench_check(lab->ctx, chgi_md_start(md, 0));
    return md;
}

/* Positions and velocities of a run become those of the structure. */
static void keep(laboratory *lab, const chgi_md *md)
{
    const chgi_md_state *s = chgi_md_get_state(md);
    double *velocities;
    bench_check(lab->ctx, chgi_structure_add_column(lab->ctx, &lab->structure, "velocities", 'R', 3, &velocities));
    for (int64_t k = 0; k < 3 * s->n_atom; k++) {
        lab->structure.positions[k] = s->positions[k];
        velocities[k] = s->velocities[k] / CHGI_MD_FS;
    }
}

static void bring_to_temperature(laboratory *lab, const options *o)
{
    chgi_md_options how = options_of(CHGI_MD_NVT_LANGEVIN, o, o->timestep);
    chgi_md *md = begin(lab, &how);
    for (int i = 0; i < 1000; i++)
        bench_check(lab->ctx, chgi_md_step(md, 0));
    keep(lab, md);
    chgi_md_destroy(md);
}

/* Conserved quantity, eV: slope of the straight line through it, eV/fs, root mean square from its mean; the same of the
 * total energy; mean temperature, K. */
typedef struct course {
    double slope, rms, rms_total, temperature;
} course;

static double root_mean_square(double sum, double square, int n)
{
    return sqrt(fmax(square / n - sum / n * sum / n, 0));
}

static course watch(laboratory *lab, const chgi_md_options *how, int n, bool talk)
{
    chgi_md_observables first, now;
    chgi_md *md = begin(lab, how);
    double sum = 0, square = 0, product = 0, kelvin = 0, sum_total = 0, square_total = 0, middle = (n + 1) / 2.0;
    chgi_md_observe(md, &first);
    for (int i = 1; i <= n; i++) {
        bench_check(lab->ctx, chgi_md_step(md, 0));
        chgi_md_observe(md, &now);
        double off = now.conserved - first.conserved, total = now.total - first.total;
        sum += off;
        square += off * off;
        sum_total += total;
        square_total += total * total;
        product += off * (i - middle) * how->timestep;
        kelvin += now.temperature;
        if (talk && i % 1000 == 0)
            fprintf(stderr, "%g ps: total energy %+.4f meV/atom, %.0f K on average\n", now.time / 1000,
                    1000 * total / (double)lab->structure.n_atom, kelvin / i);
    }
    chgi_md_destroy(md);
    double spread = how->timestep * how->timestep * n * ((double)n * n - 1) / 12;
    return (course){product / spread, root_mean_square(sum, square, n), root_mean_square(sum_total, square_total, n),
                    kelvin / n};
}

static void show_drift(laboratory *lab, const options *o)
{
    chgi_md_options how = options_of(CHGI_MD_NVE, o, o->timestep);
    course c = watch(lab, &how, o->steps, true);
    double n = (double)lab->structure.n_atom;
    printf("%s, %.0f atoms, %s, nve, %g fs, %g ps at %.0f K: drift %.5f meV/atom/ps, RMS fluctuation %.4f meV/atom\n",
           o->id, n, o->is_double ? "double" : "single", o->timestep, o->steps * o->timestep / 1000, c.temperature,
           1e6 * c.slope / n, 1000 * c.rms / n);
}

static void show_order(laboratory *lab, const options *o)
{
    double n = (double)lab->structure.n_atom;
    chgi_md_options at_one = options_of(CHGI_MD_NVE, o, o->timestep),
                    at_two = options_of(CHGI_MD_NVE, o, 2 * o->timestep);
    course one = watch(lab, &at_one, o->steps, false), two = watch(lab, &at_two, o->steps / 2, false);
    printf("%s, %.0f atoms, double, nve, %g ps at %.0f K: RMS fluctuation of the total energy %.5f meV/atom at %g fs, "
           "%.5f at %g fs, ratio %.3f\n",
           o->id, n, o->steps * o->timestep / 1000, one.temperature, 1000 * one.rms / n, o->timestep,
           1000 * two.rms / n, 2 * o->timestep, two.rms / one.rms);
}

static void show_conserved(laboratory *lab, const options *o)
{
    double n = (double)lab->structure.n_atom;
    for (int e = 0; e <= CHGI_MD_ENSEMBLE_COUNT; e++) { /* npt-mtk twice */
        bool full_cell = e == CHGI_MD_ENSEMBLE_COUNT;
        chgi_md_ensemble ensemble = full_cell ? CHGI_MD_NPT_MTK : (chgi_md_ensemble)e;
        chgi_md_options how = options_of(ensemble, o, o->timestep);
        how.full_cell = full_cell;
        course c = watch(lab, &how, o->steps, false);
        printf("%s, %.0f atoms, %s, %s%s, %g ps at %.0f K: RMS of the conserved quantity %.4f meV/atom, of the total "
               "energy %.4f\n",
               o->id, n, o->is_double ? "double" : "single", chgi_md_ensemble_name(ensemble),
               full_cell ? ", full cell" : "", o->steps * o->timestep / 1000, c.temperature, 1000 * c.rms / n,
               1000 * c.rms_total / n);
    }
}

/* In turns, so that whatever else the machine does disturbs both alike: a step of dynamics, and a bare prediction of
 * the atoms as they then stand, whose list of neighbours is what it was. */
static void show_cost(laboratory *lab, const options *o)
{
    chgi_md_options how = chgi_md_options_default(CHGI_MD_NVE);
    bench_times steps = {0}, bare = {0};
    how.timestep = o->timestep;
    chgi_md *md = begin(lab, &how);
    for (int i = 0; i < o->steps; i++) {
        double start = bench_now();
        bench_check(lab->ctx, chgi_md_step(md, 0));
        bench_add(&steps, bench_now() - start);
        start = bench_now();
        bench_check(lab->ctx, chgi_calculator_compute(lab->calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
        bench_add(&bare, bench_now() - start);
    }
    printf("%s, %lld atoms, %s, %d threads: a step takes %.3f ms (median; least %.3f), a bare prediction %.3f ms "
           "(least %.3f): "
           "%.3f times as long\n",
           o->id, (long long)lab->structure.n_atom, o->is_double ? "double" : "single", o->threads,
           1e3 * bench_median(&steps), 1e3 * bench_minimum(&steps), 1e3 * bench_median(&bare),
           1e3 * bench_minimum(&bare), bench_median(&steps) / bench_median(&bare));
    chgi_md_destroy(md);
}

static options parse(int argc, char **argv)
{
    options o = {.file = "benchmarks/structures.extxyz",
                 .model = "0.3.0",
                 .id = "MgO",
                 .threads = 1,
                 .temperature = 600,
                 .timestep = 1};
    for (int letter; (letter = getopt(argc, argv, "n:p:f:t:m:i:k:")) != -1;) {
        if (letter == 'n')
            o.steps = (int)bench_number(optarg, 2);
        else if (letter == 'p')
            o.is_double = strcmp(optarg, "double") == 0;
        else if (letter == 'f')
            o.timestep = (double)bench_number(optarg, 1);
        else if (letter == 't')
            o.threads = (int)bench_number(optarg, 1);
        else if (letter == 'm')
            o.model = optarg;
        else if (letter == 'i')
            o.id = optarg;
        else if (letter == 'k')
            o.temperature = (double)bench_number(optarg, 1);
        else
            bench_fail(
                "usage: md_energy drift|order|cost|conserved [-n STEPS] [-p single|double] [-f FS] [-t THREADS] [-m "
                "MODEL] [-i ID] "
                "[-k KELVIN] [FILE.extxyz]");
    }
    if (optind < argc)
        o.file = argv[optind];
    return o;
}

int main(int argc, char **argv)
{
    laboratory lab = {0};
    const char *what = argc > 1 ? argv[1] : "";
    bool drift = strcmp(what, "drift") == 0, order = strcmp(what, "order") == 0, cost = strcmp(what, "cost") == 0;
    bool conserved = strcmp(what, "conserved") == 0;
    if (!drift && !order && !cost && !conserved)
        bench_fail("usage: md_energy drift|order|cost|conserved ...");
    options o = parse(argc - 1, argv + 1);
    if (o.steps == 0)
        o.steps = drift ? 20000 : cost ? 200 : 2000;
    o.is_double = o.is_double || order;
    if (chgnet_context_create(&lab.ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(lab.ctx, chgnet_model_load(lab.ctx, o.model, &lab.model));
    chgnet_options chosen = chgnet_options_default();
    chosen.threads = o.threads;
    chosen.skin = 1;
    chosen.precision = o.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.trajectory = 1;
    bench_check(lab.ctx, chgnet_calculator_create(lab.ctx, lab.model, &chosen, &lab.calculator));
    lab.potential = chgi_calculator_potential(lab.calculator);
    bench_read(lab.ctx, o.file, o.id, &lab.structure);
    bring_to_temperature(&lab, &o);
    if (drift)
        show_drift(&lab, &o);
    else if (order)
        show_order(&lab, &o);
    else if (conserved)
        show_conserved(&lab, &o);
    else
        show_cost(&lab, &o);
    chgi_structure_destroy(&lab.structure);
    chgnet_calculator_destroy(lab.calculator);
    chgnet_model_destroy(lab.model);
    chgnet_context_destroy(lab.ctx);
    return EXIT_SUCCESS;
}
