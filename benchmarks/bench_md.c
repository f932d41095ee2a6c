/* Steps per second of molecular dynamics through the library: velocity Verlet at constant energy.
 *
 *     bench_md [-n STEPS] [-t THREADS] [-m MODEL] [-i ID] [--skin TENTHS] [--temperature K] [--timestep FS]
 * [FILE.extxyz]
 *
 * The list of neighbours has a skin, in tenths of an Angstrom: 10 unless given, 0 for a new list at every step.
 *
 * Prints one row: system, atoms, threads, steps, seconds, steps per second, drift of the total energy in eV per atom.
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

/* eV, A and atomic mass units make this unit of time, in fs. */
static const double TIME_UNIT = 10.180505710774743;
static const double BOLTZMANN = 8.617333262e-5; /* eV/K */

/* Of the elements that the benchmark structures hold. */
static double mass_of(int number)
{
    static const struct {
        int number;
        double mass;
    } known[] = {{3, 6.94}, {8, 15.999}, {12, 24.305}, {16, 32.06}, {25, 54.938}, {27, 58.933}, {29, 63.546}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number)
            return known[i].mass;
    bench_fail("bench_md does not know the mass of %s", chgi_element_symbol(number));
}

typedef struct options {
    const char *file, *model, *id;
    int steps, threads;
    double temperature, timestep, skin; /* K, fs, A */
} options;

typedef struct system_state {
    chgi_structure structure;
    double *mass, *velocity; /* (n), (n,3) */
    chgnet_calculator *calculator;
} system_state;

/* Velocities of a fixed pattern, scaled to the temperature: chance adds nothing to a benchmark. */
static void set_velocities(system_state *s, double temperature)
{
    int64_t n = s->structure.n_atom;
    double twice_kinetic = 0;
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            double v = sin(1.7 * (double)(3 * i + c) + 0.3) / sqrt(s->mass[i]);
            s->velocity[3 * i + c] = v;
            twice_kinetic += s->mass[i] * v * v;
        }
    double scale = sqrt(3.0 * (double)n * BOLTZMANN * temperature / twice_kinetic);
    for (int64_t k = 0; k < 3 * n; k++)
        s->velocity[k] *= scale;
}

static double total_energy(const system_state *s)
{
    double energy = s->calculator->energy;
    for (int64_t k = 0; k < 3 * s->structure.n_atom; k++)
        energy += s->mass[k / 3] * s->velocity[k] * s->velocity[k] / 2;
    return energy;
}

static void kick(system_state *s, double time)
{
    for (int64_t k = 0; k < 3 * s->structure.n_atom; k++)
        s->velocity[k] += time * s->calculator->forces[k] / s->mass[k / 3];
}

static void compute(system_state *s)
{
    chgnet_calculator *c = s->calculator;
    bench_check(c->ctx, chgi_calculator_set_positions(c, s->structure.positions));
    bench_check(c->ctx, chgi_calculator_compute(c, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
}

static void md_step(system_state *s, double timestep)
{
    kick(s, timestep / 2);
    for (int64_t k = 0; k < 3 * s->structure.n_atom; k++)
        s->structure.positions[k] += timestep * s->velocity[k];
    compute(s);
    kick(s, timestep / 2);
}

static void run(const options *o, system_state *s)
{
    double timestep = o->timestep / TIME_UNIT;
    int64_t n = s->structure.n_atom;
    bench_step(s->calculator, &s->structure);
    for (int i = 0; i < 2; i++) /* warm up */
        md_step(s, timestep);
    double before = total_energy(s), start = bench_now();
    for (int i = 0; i < o->steps; i++)
        md_step(s, timestep);
    double seconds = bench_now() - start, drift = (total_energy(s) - before) / (double)n;
    if (!(fabs(drift) < 1e-2))
        bench_fail("the total energy went off by %g eV/atom: the forces are wrong", drift);
    printf("%s %lld %d %d %.6f %.3f %.2e\n", o->id, (long long)n, o->threads, o->steps, seconds, o->steps / seconds,
           drift);
}

static options parse(int argc, char **argv)
{
    static const struct option known[] = {{"temperature", required_argument, NULL, 'T'},
                                          {"timestep", required_argument, NULL, 'd'},
                                          {"skin", required_argument, NULL, 's'},
                                          {0}};
    options o = {.file = "benchmarks/structures.extxyz",
                 .model = "0.3.0",
                 .id = "LiMnO2",
                 .steps = 100,
                 .threads = 1,
                 .temperature = 300,
                 .timestep = 1,
                 .skin = 1};
    for (int letter; (letter = getopt_long(argc, argv, "n:t:m:i:", known, NULL)) != -1;) {
        if (letter == 'n')
            o.steps = (int)bench_number(optarg, 1);
        else if (letter == 't')
            o.threads = (int)bench_number(optarg, 1);
        else if (letter == 'm')
            o.model = optarg;
        else if (letter == 'i')
            o.id = optarg;
        else if (letter == 'T')
            o.temperature = (double)bench_number(optarg, 1);
        else if (letter == 'd')
            o.timestep = (double)bench_number(optarg, 1);
        else if (letter == 's')
            o.skin = 0.1 * (double)bench_number(optarg, 0);
        else
            bench_fail("usage: bench_md [-n STEPS] [-t THREADS] [-m MODEL] [-i ID] [--skin TENTHS] [--temperature K] "
                       "[--timestep FS] "
                       "[FILE.extxyz]");
    }
    if (optind < argc)
        o.file = argv[optind];
    return o;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgnet_model *model;
    system_state s = {0};
    options o = parse(argc, argv);
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(ctx, chgnet_model_load(ctx, o.model, &model));
    chgnet_options chosen = chgnet_options_default();
    chosen.threads = o.threads;
    chosen.skin = o.skin;
    chosen.trajectory = 1;
    bench_check(ctx, chgnet_calculator_create(ctx, model, &chosen, &s.calculator));
    bench_read(ctx, o.file, o.id, &s.structure);
    s.mass = chgi_memory_new((size_t)s.structure.n_atom, sizeof *s.mass);
    s.velocity = chgi_memory_new((size_t)s.structure.n_atom, 3 * sizeof *s.velocity);
    if (!s.mass || !s.velocity)
        bench_fail("not enough memory");
    for (int64_t i = 0; i < s.structure.n_atom; i++)
        s.mass[i] = mass_of(s.structure.numbers[i]);
    set_velocities(&s, o.temperature);
    run(&o, &s);
    chgi_memory_free(s.mass);
    chgi_memory_free(s.velocity);
    chgi_structure_destroy(&s.structure);
    chgnet_calculator_destroy(s.calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return EXIT_SUCCESS;
}
