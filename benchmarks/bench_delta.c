/* What the delta-model adds to a step: plain and corrected steps take turns within one run.
 *
 *     bench_delta [-t THREADS] [-r ROUNDS] [-n LABELS] [-i INDUCING] [-m MODEL] [-p single|double]
 *
 * The structures are slabs of 48 Cu and 2 S, every coordinate moved by up to 0.15 A.  The delta-models learn random
 * energies of LABELS of them (500), in the global and the species form dense, in the atomic form with INDUCING (2000)
 * inducing atoms.  Hyperparameters are those that fits start from: the time of a step does not depend on them.
 *
 * Prints a Markdown table: least and median time of a plain and of a corrected step, the ratio of the medians, and
 * ratios with the standard deviation and with its gradient.
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

enum { ATOMS = 50, COPPER = 48, WARM_UP = 3, KINDS = 4 };

typedef struct options {
    const char *model;
    bool is_double;
    long threads, rounds, labels, inducing;
} options;

/* Plain, corrected, with standard deviation, with its gradient. */
static const unsigned wants[KINDS] = {CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT,
                                      CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT,
                                      CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | CHGNET_WANT_STD,
                                      CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | CHGNET_WANT_STD |
                                          CHGNET_WANT_STD_GRADIENT};

/* Three layers of Cu(111), 4 x 4, two S above; a = 3.61 A. */
static void make_slab(chgnet_context *ctx, chgi_structure *s)
{
    const double d = 3.61 / sqrt(2), step = 3.61 / sqrt(3), height = d * sqrt(0.75);
    bench_check(ctx, chgi_structure_create(ctx, ATOMS, s));
    for (int k = 0; k < 3; k++)
        s->pbc[k] = true;
    s->cell[0][0] = 4 * d;
    s->cell[1][0] = 2 * d;
    s->cell[1][1] = 4 * height;
    s->cell[2][2] = 20;
    for (int i = 0; i < ATOMS; i++) {
        int layer = i < COPPER ? i / 16 : 3, place = i < COPPER ? i % 16 : 10 * (i - COPPER), x = place % 4,
            y = place / 4;
        s->numbers[i] = i < COPPER ? 29 : 16;
        s->positions[3 * i] = d * (x + 0.5 * y + layer * 0.5);
        s->positions[3 * i + 1] = height * (y + layer / 3.0);
        s->positions[3 * i + 2] = 4 + step * layer - (i < COPPER ? 0 : 0.6);
    }
}

static double random_number(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U); /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

static void rattle(const chgi_structure *place, uint64_t *state, chgi_structure *moved)
{
    for (int k = 0; k < 3 * ATOMS; k++)
        moved->positions[k] = place->positions[k] + 0.15 * random_number(state);
}

/* Labels of random energy; their embeddings (labels,ATOMS,n_feature) are in `fea`. */
static void make_labels(chgnet_calculator *c, const chgi_structure *slab, long count, double *fea, chgi_label *labels)
{
    chgi_structure moved;
    uint64_t state = 1;
    size_t size = (size_t)(ATOMS * c->n_feature);
    bench_check(c->ctx, chgi_structure_copy(c->ctx, slab, &moved));
    for (long k = 0; k < count; k++) {
        rattle(slab, &state, &moved);
        bench_check(c->ctx, chgi_calculator_set_structure(c, &moved));
        bench_check(c->ctx, chgi_calculator_compute(c, CHGNET_WANT_ENERGY));
        memcpy(fea + (size_t)k * size, c->atom_fea, size * sizeof *fea);
        labels[k] = (chgi_label){.n_atom = ATOMS,
                                 .numbers = slab->numbers,
                                 .fea = fea + (size_t)k * size,
                                 .has_energy = true,
                                 .energy = random_number(&state)};
    }
    chgi_structure_destroy(&moved);
}

/* One step with or without correction.  \return seconds */
static double step(chgnet_calculator *c, const chgi_delta *delta, const chgi_structure *structure, unsigned want)
{
    bench_check(c->ctx, chgi_calculator_set_delta(c, delta));
    double start = bench_now();
    bench_check(c->ctx, chgi_calculator_set_structure(c, structure));
    bench_check(c->ctx, chgi_calculator_compute(c, want));
    return bench_now() - start;
}

/* The correction must be there, and must be what the delta-model says by itself. */
static void verify(chgnet_calculator *c, const chgi_delta *delta, const chgi_structure *slab)
{
    chgi_delta_workspace workspace = {0};
    chgi_correction correction = {.want_std = true};
    step(c, NULL, slab, wants[0]);
    double plain = c->energy;
    step(c, delta, slab, wants[KINDS - 1]);
    bench_check(c->ctx, chgi_delta_predict(c->ctx, delta, ATOMS, slab->numbers, c->atom_fea, &workspace, &correction));
    chgi_delta_workspace_destroy(&workspace);
    if (!(fabs(c->energy - plain - correction.energy) < 1e-9 && correction.energy != 0 && correction.std > 0 &&
          fabs(correction.std - c->energy_std) < 1e-9))
        bench_fail("the corrected energy is %g eV, not %g + %g: the results are wrong", c->energy, plain,
                   correction.energy);
}

static void measure(const options *o, chgnet_calculator *c, const chgi_delta *delta, const chgi_structure *slab,
                    const char *name)
{
    bench_times *times = chgi_memory_new(KINDS, sizeof *times);
    chgi_structure moved;
    if (!times)
        bench_fail("not enough memory");
    verify(c, delta, slab);
    bench_check(c->ctx, chgi_structure_copy(c->ctx, slab, &moved));
    for (long turn = -WARM_UP; turn < o->rounds; turn++) {
        bench_move(slab, (unsigned)(turn + WARM_UP), &moved);
        for (int k = 0; k < KINDS; k++) {
            double seconds = step(c, k ? delta : NULL, &moved, wants[k]);
            if (turn >= 0)
                bench_add(&times[k], seconds);
        }
    }
    double plain = bench_median(&times[0]);
    printf("| %s | %.2f (%.2f) | %.2f (%.2f) | **%.3f** | %.3f | %.3f |\n", name, 1e3 * plain,
           1e3 * bench_minimum(&times[0]), 1e3 * bench_median(&times[1]), 1e3 * bench_minimum(&times[1]),
           bench_median(&times[1]) / plain, bench_median(&times[2]) / plain, bench_median(&times[3]) / plain);
    fflush(stdout);
    chgi_structure_destroy(&moved);
    chgi_memory_free(times);
}

static void measure_all(const options *o, chgnet_calculator *c)
{
    static const struct {
        const char *name;
        chgi_aggregation aggregation;
    } forms[] = {{"global", CHGI_GLOBAL}, {"species", CHGI_SPECIES}, {"atomic", CHGI_ATOMIC}};
    chgi_structure slab;
    chgi_label *labels = chgi_memory_new((size_t)o->labels, sizeof *labels);
    double *fea = chgi_memory_new((size_t)o->labels * ATOMS, (size_t)c->n_feature * sizeof *fea);
    if (!labels || !fea)
        bench_fail("not enough memory");
    make_slab(c->ctx, &slab);
    make_labels(c, &slab, o->labels, fea, labels);
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        chgi_delta_choice choice = chgi_delta_choice_default();
        chgi_delta *delta;
        char name[80];
        choice.aggregation = forms[f].aggregation;
        choice.layer = CHGI_ATOM_FEA;
        choice.n_inducing = forms[f].aggregation == CHGI_ATOMIC ? o->inducing : 0;
        choice.optimize = false;
        double start = bench_now();
        bench_check(c->ctx, chgi_delta_fit(c->ctx, &choice, c->n_feature, o->labels, labels, &delta));
        double seconds = bench_now() - start;
        chgi_delta_summary summary = chgi_delta_describe(delta);
        snprintf(name, sizeof name, "%s, %lld %s | %.1f", forms[f].name,
                 (long long)(summary.n_inducing ? summary.n_inducing : summary.n_label),
                 summary.n_inducing ? "inducing atoms" : "structures", seconds);
        measure(o, c, delta, &slab, name);
        chgi_delta_destroy(delta);
    }
    chgi_structure_destroy(&slab);
    chgi_memory_free(fea);
    chgi_memory_free(labels);
}

static options parse(int argc, char **argv)
{
    options o = {.model = "0.3.0", .threads = 1, .rounds = 30, .labels = 500, .inducing = 2000};
    for (int letter; (letter = getopt(argc, argv, "t:r:n:i:m:p:")) != -1;) {
        if (letter == 't')
            o.threads = bench_number(optarg, 1);
        else if (letter == 'r')
            o.rounds = bench_number(optarg, 1);
        else if (letter == 'n')
            o.labels = bench_number(optarg, 2);
        else if (letter == 'i')
            o.inducing = bench_number(optarg, 1);
        else if (letter == 'm')
            o.model = optarg;
        else if (letter == 'p' && (strcmp(optarg, "single") == 0 || strcmp(optarg, "double") == 0))
            o.is_double = optarg[0] == 'd';
        else
            bench_fail("usage: bench_delta [-t THREADS] [-r ROUNDS] [-n LABELS] [-i INDUCING] [-m MODEL] "
                       "[-p single|double]");
    }
    return o;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgnet_model *model;
    chgnet_calculator *calculator;
    options o = parse(argc, argv);
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(ctx, chgnet_model_load(ctx, o.model, &model));
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = o.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = (int)o.threads;
    chosen.trajectory = 1;
    bench_check(ctx, chgnet_calculator_create(ctx, model, &chosen, &calculator));
    printf(
        "| %s, %d atoms, %ld threads | fit, s | plain step, ms: median (least) | corrected | ratio | with std | with "
        "its gradient |\n|---|---|---|---|---|---|---|\n",
        o.is_double ? "double" : "single", ATOMS, o.threads);
    measure_all(&o, calculator);
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return EXIT_SUCCESS;
}
