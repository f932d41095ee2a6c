/* Time of one calculator step (neighbours, graph, energy, forces, stress, magmoms) of each structure in a file.
 *
 *     bench_step [-t 1,2] [-r ROUNDS] [-m MODEL] [-p single|double] [FILE.extxyz]
 *     bench_step --serve [-t 1] ...       each line of standard input names a structure: do a step, print the seconds
 *
 * Prints Markdown tables.  Every structure runs in processes of its own, one for the peak memory and one for the times;
 * there thread counts and sgemm loops take turns, so that gains and shares compare what ran side by side.
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
#include "crystal/reader.h"

enum { MOST_STRUCTURES = 64, MOST_COUNTS = 8, WARM_UP = 3, PARTS = 2 * CHGI_PHASES * CHGI_PHASE_LAYERS };

static const double SGEMM_SECONDS = 0.02;

/* Single precision against double: what is more is an error, not rounding. */
static const double MOST_ENERGY_ERROR = 2e-5, MOST_FORCE_ERROR = 1e-3;

typedef struct options {
    const char *file, *model;
    bool is_double, serve;
    int rounds, n_count;
    long counts[MOST_COUNTS]; /* of threads */
} options;

/* One structure with one number of threads, seconds: medians over rounds; of the parts, the least of each. */
typedef struct timing {
    double step, step_minimum, sgemm_rate;
    double neighbours, set_structure, rest;
    chgi_profile profile;
} timing;

typedef struct record {
    char name[24];
    int64_t n_atom;
    double edges, short_edges, angles; /* per atom */
    double flop_exact, flop_tabulated; /* per step */
    double energy_error, force_error;  /* eV/atom, eV/A: against double precision */
    double peak_memory;                /* bytes */
    int sgemm_rows;
    timing timings[MOST_COUNTS];
} record;

static chgnet_calculator *calculator_new(chgnet_context *ctx, const chgnet_model *model, bool is_double, long threads)
{
    chgnet_calculator *calculator;
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = (int)threads;
    chosen.trajectory = 1;
    bench_check(ctx, chgnet_calculator_create(ctx, model, &chosen, &calculator));
    return calculator;
}

static void start(const options *o, chgnet_context **ctx, chgnet_model **model)
{
    if (chgnet_context_create(ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(*ctx, chgnet_model_load(*ctx, o->model, model));
}

/* ---- one structure ---------------------------------------------------------------------------- */

static void measure_memory(const options *o, const chgi_structure *structure, record *r)
{
    chgnet_context *ctx;
    chgnet_model *model;
    start(o, &ctx, &model);
    chgnet_calculator *calculator = calculator_new(ctx, model, o->is_double, o->counts[0]);
    bench_step(calculator, structure);
    r->peak_memory = bench_peak_memory();
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
}

static void verify(chgnet_context *ctx, const chgnet_model *model, const chgi_structure *structure,
                   chgnet_calculator *calculator, record *r)
{
    chgnet_calculator *exact = calculator_new(ctx, model, true, 1);
    bench_step(exact, structure);
    bench_step(calculator, structure);
    r->energy_error = fabs(calculator->energy - exact->energy) / (double)structure->n_atom;
    for (int64_t k = 0; k < 3 * structure->n_atom; k++)
        r->force_error = fmax(r->force_error, fabs(calculator->forces[k] - exact->forces[k]));
    chgnet_calculator_destroy(exact);
    if (!(r->energy_error <= MOST_ENERGY_ERROR && r->force_error <= MOST_FORCE_ERROR))
        bench_fail("%s: %g eV/atom and %g eV/A off double precision: the results are wrong", r->name, r->energy_error,
                   r->force_error);
}

static void describe(const chgi_graph *graph, record *r)
{
    double n = (double)graph->n_atom;
    r->n_atom = graph->n_atom;
    r->edges = (double)graph->n_edge / n;
    r->short_edges = (double)graph->n_short_edge / n;
    r->angles = (double)graph->n_angle / n;
    r->flop_exact = bench_flop_exact(graph);
    r->flop_tabulated = bench_flop_tabulated(graph);
}

static double lesser(double least, double seconds)
{
    return least == 0 ? seconds : fmin(least, seconds);
}

/* `now` holds one round; its rest still holds the whole pass. */
static void keep_least(timing *t, timing now)
{
    double *least = t->profile.seconds[0][0];
    const double *parts = now.profile.seconds[0][0];
    for (int k = 0; k < PARTS; k++) {
        now.rest -= parts[k];
        least[k] = lesser(least[k], parts[k]);
    }
    t->step_minimum = lesser(t->step_minimum, now.step_minimum);
    t->neighbours = lesser(t->neighbours, now.neighbours);
    t->set_structure = lesser(t->set_structure, now.set_structure);
    t->rest = lesser(t->rest, now.rest);
}

/* A step taken apart; the neighbour search runs once more on its own. */
static double timed_step(chgnet_calculator *calculator, const chgi_structure *structure, chgi_pair_list *pairs,
                         timing *t)
{
    chgnet_context *ctx = calculator->ctx;
    chgi_profile profile = {0};
    double cutoff = chgi_model_weights(calculator->model)->hyper.atom_cutoff;
    double before = bench_now();
    bench_check(ctx, chgi_neighbour_find(ctx, structure, cutoff, pairs));
    double begin = bench_now();
    calculator->profile = &profile;
    bench_check(ctx, chgi_calculator_set_structure(calculator, structure));
    double middle = bench_now();
    bench_check(ctx, chgi_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
    double seconds = bench_now() - begin;
    calculator->profile = NULL;
    keep_least(t, (timing){0, seconds, 0, begin - before, middle - begin, begin + seconds - middle, profile});
    return seconds;
}

static void measure_times(const options *o, const chgi_structure *structure, record *r)
{
    static bench_times steps[MOST_COUNTS], rates[MOST_COUNTS];
    chgnet_context *ctx;
    chgnet_model *model;
    chgnet_calculator *calculators[MOST_COUNTS];
    chgi_structure moved = {0};
    chgi_pair_list pairs = {0};
    start(o, &ctx, &model);
    bench_check(ctx, chgi_structure_copy(ctx, structure, &moved));
    for (int k = 0; k < o->n_count; k++) {
        calculators[k] = calculator_new(ctx, model, o->is_double, o->counts[k]);
        verify(ctx, model, structure, calculators[k], r);
    }
    describe(&calculators[0]->graph, r);
    r->sgemm_rows = bench_sgemm_best_rows(SGEMM_SECONDS);
    for (int turn = -WARM_UP; turn < o->rounds; turn++) {
        bench_move(structure, (unsigned)(turn + WARM_UP), &moved);
        for (int k = 0; k < o->n_count; k++) {
            timing dropped = {0};
            double rate = bench_sgemm_rate(r->sgemm_rows, (int)o->counts[k], SGEMM_SECONDS);
            double seconds = timed_step(calculators[k], &moved, &pairs, turn < 0 ? &dropped : &r->timings[k]);
            if (turn < 0)
                continue;
            bench_add(&steps[k], seconds);
            bench_add(&rates[k], rate);
        }
    }
    for (int k = 0; k < o->n_count; k++) {
        r->timings[k].step = bench_median(&steps[k]);
        r->timings[k].sgemm_rate = bench_median(&rates[k]);
        chgnet_calculator_destroy(calculators[k]);
    }
    chgi_pair_list_destroy(&pairs);
    chgi_structure_destroy(&moved);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
}

typedef void measurement(const options *o, const chgi_structure *structure, record *r);

/* In a process of its own, which hands the record back through a pipe. */
static void measure_apart(measurement *measure, const options *o, const chgi_structure *structure, record *r)
{
    int ends[2], status;
    if (pipe(ends) != 0)
        bench_fail("no pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        bench_fail("no new process");
    if (child == 0) {
        measure(o, structure, r);
        _exit(write(ends[1], r, sizeof *r) == (ssize_t)sizeof *r ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got<sizeof *r; got += n> 0 ? (size_t)n : 0)
        n = read(ends[0], (char *)r + got, sizeof *r - got);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (got < sizeof *r || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
        exit(EXIT_FAILURE);
}

/* ---- tables ----------------------------------------------------------------------------------- */

static void print_steps(const options *o, const record *records, int n)
{
    puts("| system | atoms | e | b | a | threads | ms/atom, least | median | GFLOP/s exact | tabulated | sgemm GFLOP/s "
         "| share | peak MB | energy error, eV/atom | force error, eV/A |");
    puts("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (const record *r = records; r < records + n; r++)
        for (int k = 0; k < o->n_count; k++) {
            const timing *t = &r->timings[k];
            printf("| %s | %lld | %.1f | %.1f | %.1f | %ld | %.3f | %.3f | %.1f | %.1f | %.1f | %.2f | %.0f | %.0e | "
                   "%.0e |\n",
                   r->name, (long long)r->n_atom, r->edges, r->short_edges, r->angles, o->counts[k],
                   1e3 * t->step_minimum / (double)r->n_atom, 1e3 * t->step / (double)r->n_atom,
                   1e-9 * r->flop_exact / t->step, 1e-9 * r->flop_tabulated / t->step, 1e-9 * t->sgemm_rate,
                   r->flop_tabulated / t->step / t->sgemm_rate, 1e-6 * r->peak_memory, r->energy_error, r->force_error);
        }
}

static void print_gains(const options *o, const record *records, int n)
{
    if (o->n_count < 2)
        return;
    printf(
        "\n| system | threads against %ld | gain of the step | gain of sgemm loops | share |\n|---|---|---|---|---|\n",
        o->counts[0]);
    for (const record *r = records; r < records + n; r++)
        for (int k = 1; k < o->n_count; k++) {
            double gain = r->timings[0].step / r->timings[k].step;
            double loops = r->timings[k].sgemm_rate / r->timings[0].sgemm_rate;
            printf("| %s | %ld | %.2f | %.2f | %.2f |\n", r->name, o->counts[k], gain, loops, gain / loops);
        }
}

static void print_phase(const record *records, int n, const char *name, int layer, const double *seconds)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, seconds[i]);
    if (most < 1e-6) /* there is no such layer, only the clock */
        return;
    printf(layer < 0 ? "| %s " : "| %s %d ", name, layer);
    for (int i = 0; i < n; i++) {
        double step = records[i].timings[0].step_minimum;
        printf("| %.4f (%.1f %%) ", 1e3 * seconds[i] / (double)records[i].n_atom, 100 * seconds[i] / step);
    }
    puts("|");
}

static void print_layers(const record *records, int n, int back, int phase, const char *name, bool one)
{
    double seconds[MOST_STRUCTURES];
    for (int layer = 0; layer < CHGI_PHASE_LAYERS; layer++) {
        for (int i = 0; i < n; i++)
            seconds[i] = records[i].timings[0].profile.seconds[back][phase][layer];
        print_phase(records, n, name, one ? -1 : layer + 1, seconds);
    }
}

static void print_phases(const options *o, const record *records, int n)
{
    static const char *const ways[] = {"forward", "backward"};
    static const char *const names[CHGI_PHASES] = {[CHGI_PHASE_EMBED] = "basis and first features",
                                                   [CHGI_PHASE_ATOM_CONV] = "atom convolution",
                                                   [CHGI_PHASE_BOND_CONV] = "bond convolution",
                                                   [CHGI_PHASE_ANGLE_UPDATE] = "angle update",
                                                   [CHGI_PHASE_READOUT] = "readout",
                                                   [CHGI_PHASE_OTHER] = "clearing, copying"};
    double neighbours[MOST_STRUCTURES], graph[MOST_STRUCTURES], rest[MOST_STRUCTURES];
    printf("\n| ms/atom (share), %ld thread%s, least of each part |", o->counts[0], o->counts[0] == 1 ? "" : "s");
    for (int i = 0; i < n; i++) {
        const timing *t = &records[i].timings[0];
        printf(" %s |", records[i].name);
        neighbours[i] = t->neighbours;
        graph[i] = t->set_structure - t->neighbours;
        rest[i] = t->rest;
    }
    printf("\n|---|");
    for (int i = 0; i < n; i++)
        printf("---|");
    puts("");
    print_phase(records, n, "neighbours", -1, neighbours);
    print_phase(records, n, "graph", -1, graph);
    for (int back = 0; back < 2; back++)
        for (int phase = 0; phase < CHGI_PHASES; phase++) {
            char name[64];
            bool one =
                phase != CHGI_PHASE_ATOM_CONV && phase != CHGI_PHASE_BOND_CONV && phase != CHGI_PHASE_ANGLE_UPDATE;
            snprintf(name, sizeof name, "%s: %s", ways[back], names[phase]);
            print_layers(records, n, back, phase, name, one);
        }
    print_phase(records, n, "forces, virial and the rest", -1, rest);
}

/* ---- the two ways to run ---------------------------------------------------------------------- */

static int read_all(const options *o, chgi_structure *structures, char names[][24])
{
    chgnet_context *ctx;
    chgi_reader *reader;
    int n = 0;
    bool got = true;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        bench_fail("not enough memory");
    bench_check(ctx, chgi_reader_open(ctx, o->file, &reader));
    while (n < MOST_STRUCTURES && got) {
        bench_check(ctx, chgi_reader_next(reader, &structures[n], &got));
        if (!got)
            break;
        const char *name = chgi_structure_info(&structures[n], "id");
        snprintf(names[n], sizeof names[n], "%s", name ? name : "unnamed");
        n++;
    }
    chgi_reader_destroy(reader);
    chgnet_context_destroy(ctx);
    return n;
}

static void serve(const options *o, const chgi_structure *structures, char names[][24], int n)
{
    chgnet_context *ctx;
    chgnet_model *model;
    char line[64];
    unsigned turn = 0;
    start(o, &ctx, &model);
    chgnet_calculator *calculator = calculator_new(ctx, model, o->is_double, o->counts[0]);
    while (fgets(line, sizeof line, stdin)) {
        int i = 0;
        line[strcspn(line, "\n")] = '\0';
        while (i < n && strcmp(names[i], line) != 0)
            i++;
        if (i == n)
            bench_fail("there is no structure '%s'", line);
        chgi_structure moved = {0};
        bench_check(ctx, chgi_structure_copy(ctx, &structures[i], &moved));
        bench_move(&structures[i], ++turn, &moved);
        printf("%.9f\n", bench_step(calculator, &moved));
        fflush(stdout);
        chgi_structure_destroy(&moved);
    }
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
}

static void report(const options *o, const chgi_structure *structures, char names[][24], int n)
{
    static record records[MOST_STRUCTURES];
    for (int i = 0; i < n; i++) {
        memcpy(records[i].name, names[i], sizeof names[i]);
        measure_apart(measure_memory, o, &structures[i], &records[i]);
        measure_apart(measure_times, o, &structures[i], &records[i]);
    }
    printf("chgnet %s, model %s, %s precision, %d rounds after %d to warm up; sgemm of (%d x 64)(64 x 64)\n\n",
           chgnet_version(), o->model, o->is_double ? "double" : "single", o->rounds, WARM_UP, records[0].sgemm_rows);
    print_steps(o, records, n);
    print_gains(o, records, n);
    print_phases(o, records, n);
}

static options parse(int argc, char **argv)
{
    static const struct option known[] = {{"serve", no_argument, NULL, 's'}, {0}};
    options o = {.file = "benchmarks/structures.extxyz", .model = "0.3.0", .rounds = 15, .n_count = 1, .counts = {1}};
    for (int letter; (letter = getopt_long(argc, argv, "t:r:m:p:", known, NULL)) != -1;) {
        if (letter == 't')
            o.n_count = bench_numbers(optarg, 1, MOST_COUNTS, o.counts);
        else if (letter == 'r')
            o.rounds = (int)bench_number(optarg, 1);
        else if (letter == 'm')
            o.model = optarg;
        else if (letter == 'p')
            o.is_double = strcmp(optarg, "double") == 0;
        else if (letter == 's')
            o.serve = true;
        else
            bench_fail("usage: bench_step [-t 1,2] [-r ROUNDS] [-m MODEL] [-p single|double] [--serve] [FILE.extxyz]");
    }
    if (optind < argc)
        o.file = argv[optind];
    return o;
}

int main(int argc, char **argv)
{
    static chgi_structure structures[MOST_STRUCTURES];
    static char names[MOST_STRUCTURES][24];
    options o = parse(argc, argv);
    int n = read_all(&o, structures, names);
    if (n == 0)
        bench_fail("%s holds no structure", o.file);
    if (o.serve)
        serve(&o, structures, names, n);
    else
        report(&o, structures, names, n);
    for (int i = 0; i < n; i++)
        chgi_structure_destroy(&structures[i]);
    return EXIT_SUCCESS;
}
