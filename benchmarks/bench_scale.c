/* Time and memory per atom from small to large: cells of a file repeated, every atom moved a little.
 *
 *     bench_scale [-n 512,4096,32768,100000] [-s LiMnO2,Cu] [-t THREADS] [--recompute] [-m MODEL] [CELLS.extxyz]
 *
 * Without --recompute activations are kept where they fit the calculator's budget.
 * One row per system and size, in columns that plot.gp reads.  Every row is a process of its own.  Its base memory is
 * the peak after one cell has been computed; memory per atom is what comes on top, the structure itself included.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { MOST_SIZES = 32, MOST_STEPS = 7 };

static const double ENOUGH_SECONDS = 3;

/* eV per atom, single against double in eight copies of the cell. */
static const double MOST_ENERGY_ERROR = 2e-5;

typedef struct options {
    const char *file, *model, *systems;
    bool recompute;
    int threads, n_size;
    long sizes[MOST_SIZES];
} options;

static chgnet_calculator *calculator_new(chgnet_context *ctx, const chgnet_model *model, const options *o,
                                         bool is_double)
{
    chgnet_calculator *calculator;
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = o->threads;
    chosen.trajectory = 1;
    bench_check(ctx, chgnet_calculator_create(ctx, model, &chosen, &calculator));
    if (o->recompute)
        calculator->keep_at_most = 0;
    return calculator;
}

typedef struct session {
    const options *o;
    chgnet_context *ctx;
    chgnet_model *model;
    chgi_structure cell;
} session;

static session session_open(const options *o, const char *system)
{
    session s = {.o = o};
    if (chgnet_context_create(&s.ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(s.ctx, chgnet_model_load(s.ctx, o->model, &s.model));
    bench_read(s.ctx, o->file, system, &s.cell);
    return s;
}

static void session_close(session *s)
{
    chgi_structure_destroy(&s->cell);
    chgnet_model_destroy(s->model);
    chgnet_context_destroy(s->ctx);
}

static void verify(const options *o, const char *system, long n_copy)
{
    session s = session_open(o, system);
    chgi_structure few;
    chgnet_calculator *exact = calculator_new(s.ctx, s.model, o, true);
    chgnet_calculator *single = calculator_new(s.ctx, s.model, o, false);
    bench_repeat(s.ctx, &s.cell, n_copy, &few);
    bench_step(exact, &few);
    bench_step(single, &few);
    double error = fabs(exact->energy - single->energy) / (double)few.n_atom;
    if (!(error <= MOST_ENERGY_ERROR))
        bench_fail("%s: %g eV/atom off double precision: the results are wrong", system, error);
    chgi_structure_destroy(&few);
    chgnet_calculator_destroy(single);
    chgnet_calculator_destroy(exact);
    session_close(&s);
}

/* The first step grows the memory and is not counted. */
static void repeat_step(chgnet_calculator *calculator, const chgi_structure *structure, bench_times *times)
{
    bench_step(calculator, structure);
    double end = bench_now() + ENOUGH_SECONDS;
    do
        bench_add(times, bench_step(calculator, structure));
    while (times->count < MOST_STEPS && bench_now() < end);
}

static void measure(const options *o, const char *system, long size)
{
    static bench_times times;
    session s = session_open(o, system);
    chgi_structure structure;
    chgnet_calculator *calculator = calculator_new(s.ctx, s.model, o, false);
    bench_step(calculator, &s.cell);
    double base = bench_peak_memory();
    bench_repeat(s.ctx, &s.cell, (size + s.cell.n_atom - 1) / s.cell.n_atom, &structure);
    repeat_step(calculator, &structure, &times);
    double n = (double)structure.n_atom, peak = bench_peak_memory();
    printf("%-10s %7.0f %2d %-9s %10.4f %10.4f %9.1f %8.1f %9.1f %6.1f %6.1f\n", system, n, o->threads,
           o->recompute ? "recompute" : "default", 1e3 * bench_minimum(&times) / n, 1e3 * bench_median(&times) / n,
           1e-6 * peak, 1e-6 * base, 1e-3 * (peak - base) / n, (double)calculator->graph.n_edge / n,
           (double)calculator->graph.n_angle / n);
    fflush(stdout);
    chgi_structure_destroy(&structure);
    chgnet_calculator_destroy(calculator);
    session_close(&s);
}

typedef void work(const options *o, const char *system, long number);

/* In a process of its own.  \return false when it did not end well, and then it or the kernel has said why */
static bool apart(work *do_it, const options *o, const char *system, long number)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        bench_fail("no new process");
    if (child == 0) {
        do_it(o, system, number);
        _exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "bench: %s: ended by signal %d\n", system, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static options parse(int argc, char **argv)
{
    static const struct option known[] = {{"recompute", no_argument, NULL, 'r'}, {0}};
    options o = {.file = "benchmarks/cells.extxyz",
                 .model = "0.3.0",
                 .systems = "LiMnO2,Cu",
                 .threads = 1,
                 .n_size = 4,
                 .sizes = {512, 4096, 32768, 100000}};
    for (int letter; (letter = getopt_long(argc, argv, "n:s:t:m:", known, NULL)) != -1;) {
        if (letter == 'n')
            o.n_size = bench_numbers(optarg, 1, MOST_SIZES, o.sizes);
        else if (letter == 's')
            o.systems = optarg;
        else if (letter == 't')
            o.threads = (int)bench_number(optarg, 1);
        else if (letter == 'm')
            o.model = optarg;
        else if (letter == 'r')
            o.recompute = true;
        else
            bench_fail(
                "usage: bench_scale [-n SIZES] [-s SYSTEMS] [-t THREADS] [--recompute] [-m MODEL] [CELLS.extxyz]");
    }
    if (optind < argc)
        o.file = argv[optind];
    return o;
}

int main(int argc, char **argv)
{
    options o = parse(argc, argv);
    bool all_well = true;
    printf("# %-8s %7s %2s %-9s %10s %10s %9s %8s %9s %6s %6s\n", "system", "atoms", "t", "mode", "least_ms/a",
           "median_ms", "peak_MB", "base_MB", "kB/atom", "edges", "angles");
    for (const char *at = o.systems; *at != '\0';) {
        char system[32];
        size_t length = strcspn(at, ",");
        snprintf(system, sizeof system, "%.*s", (int)length, at);
        if (!apart(verify, &o, system, 8))
            return EXIT_FAILURE;
        for (int i = 0; i < o.n_size; i++)
            all_well &= apart(measure, &o, system, o.sizes[i]);
        printf("\n\n"); /* the next system is the next data set */
        at += length + (at[length] == ',');
    }
    return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
