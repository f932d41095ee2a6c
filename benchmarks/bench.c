/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/text.h"
#include "crystal/reader.h"

/* ---- time and memory -------------------------------------------------------------------------- */

double bench_now(void)
{
    return omp_get_wtime();
}

void bench_add(bench_times *times, double seconds)
{
    if (times->count == BENCH_MOST_TIMES)
        bench_fail("more than %d repetitions; ask for fewer", BENCH_MOST_TIMES);
    times->seconds[times->count++] = seconds;
}

double bench_minimum(const bench_times *times)
{
    double least = INFINITY;
    for (int i = 0; i < times->count; i++)
        least = fmin(least, times->seconds[i]);
    return least;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(const bench_times *times)
{
    double sorted[BENCH_MOST_TIMES];
    int n = times->count;
    memcpy(sorted, times->seconds, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    return n == 0 ? NAN : (sorted[n / 2] + sorted[(n - 1) / 2]) / 2;
}

double bench_peak_memory(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return NAN;
    return 1024.0 * (double)usage.ru_maxrss;
}

/* ---- sgemm ------------------------------------------------------------------------------------ */

enum { WIDTH = 64, MOST_ROWS = 1024, BUNCH = 1 << 16 /* rows between two looks at the clock */ };

typedef struct tiles {
    float in[MOST_ROWS * WIDTH], weight[WIDTH * WIDTH], out[MOST_ROWS * WIDTH];
} tiles;

static void multiply(tiles *t, int rows, int count)
{
    for (int i = 0; i < count; i++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, WIDTH, WIDTH, 1, t->in, WIDTH, t->weight, WIDTH, 0,
                    t->out, WIDTH);
}

static void fill(tiles *t)
{
    for (int i = 0; i < MOST_ROWS * WIDTH; i++)
        t->in[i] = (float)(i % 17) * 0.1F - 0.8F;
    for (int i = 0; i < WIDTH * WIDTH; i++)
        t->weight[i] = (float)(i % 13) * 0.1F - 0.6F;
}

/* Every loop does the same work; the time is that of the slowest. */
double bench_sgemm_rate(int rows, int threads, double seconds)
{
    tiles *all = chgi_memory_new((size_t)threads, sizeof *all);
    if (!all)
        bench_fail("not enough memory for the sgemm loops");
    openblas_set_num_threads(1);
    int count = BUNCH / rows;
    double best = INFINITY;
#pragma omp parallel num_threads(threads)
    {
        tiles *mine = all + omp_get_thread_num();
        fill(mine);
        multiply(mine, rows, count);
        double end = bench_now() + seconds; /* each thread has its own, and one decides for all */
        bool more;
        do {
#pragma omp barrier
            double start = bench_now();
            multiply(mine, rows, count);
#pragma omp barrier
#pragma omp master
            best = fmin(best, bench_now() - start);
#pragma omp barrier
#pragma omp single copyprivate(more)
            more = bench_now() < end;
        } while (more);
    }
    chgi_memory_free(all);
    return 2.0 * WIDTH * WIDTH * rows * count * threads / best;
}

int bench_sgemm_best_rows(double seconds)
{
    int best_rows = 0;
    double best = 0;
    for (int rows = 64; rows <= MOST_ROWS; rows *= 2) {
        double rate = bench_sgemm_rate(rows, 1, seconds);
        if (rate > best) {
            best = rate;
            best_rows = rows;
        }
    }
    return best_rows;
}

/* ---- errors and arguments --------------------------------------------------------------------- */

void bench_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(EXIT_FAILURE);
}

void bench_check(const chgnet_context *ctx, chgnet_status status)
{
    if (status != CHGNET_OK)
        bench_fail("%s", chgnet_context_error(ctx));
}

long bench_number(const char *text, long least)
{
    int64_t number;
    if (!chgi_text_to_int(text, strlen(text), &number) || number < least || number > INT32_MAX)
        bench_fail("'%s' is no number of at least %ld", text, least);
    return (long)number;
}

int bench_numbers(const char *text, long least, int most, long *numbers)
{
    int count = 0;
    for (;; text++) {
        char word[32];
        size_t length = strcspn(text, ",");
        if (count == most || length >= sizeof word)
            bench_fail("'%s': give at most %d numbers separated by commas", text, most);
        memcpy(word, text, length);
        word[length] = '\0';
        numbers[count++] = bench_number(word, least);
        text += length;
        if (*text == '\0')
            return count;
    }
}

/* ---- structures ------------------------------------------------------------------------------- */

void bench_read(chgnet_context *ctx, const char *path, const char *id, chgi_structure *structure)
{
    chgi_reader *reader;
    bool got;
    bench_check(ctx, chgi_reader_open(ctx, path, &reader));
    for (;;) {
        bench_check(ctx, chgi_reader_next(reader, structure, &got));
        if (!got)
            bench_fail("%s: there is no frame with id=%s", path, id ? id : "(any)");
        const char *name = chgi_structure_info(structure, "id");
        if (!id || (name && strcmp(name, id) == 0))
            break;
        chgi_structure_destroy(structure);
    }
    chgi_reader_destroy(reader);
}

/* A number from -1 to 1 that looks like chance and is the same everywhere. */
static double chance(uint64_t seed)
{
    seed = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    seed = (seed ^ (seed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    seed = (seed ^ (seed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((seed ^ (seed >> 31)) >> 11) * 0x1p-52 - 1;
}

static double length_of(const double *row)
{
    return sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2]);
}

/* Split n into three factors that make the box's longest edge as short as can be. */
static void roundest(const chgi_structure *cell, int64_t n, int64_t copies[3])
{
    double best = INFINITY;
    for (int64_t a = 1; a <= n; a++)
        for (int64_t b = 1; n % a == 0 && b <= n / a; b++) {
            if (n / a % b != 0)
                continue;
            int64_t c = n / a / b;
            double edge = fmax((double)a * length_of(cell->cell[0]),
                               fmax((double)b * length_of(cell->cell[1]), (double)c * length_of(cell->cell[2])));
            if (edge < best) {
                best = edge;
                memcpy(copies, (int64_t[]){a, b, c}, 3 * sizeof *copies);
            }
        }
}

void bench_repeat(chgnet_context *ctx, const chgi_structure *cell, int64_t n_copy, chgi_structure *structure)
{
    int64_t copies[3] = {1, 1, 1}, atom = 0;
    roundest(cell, n_copy, copies);
    bench_check(ctx, chgi_structure_create(ctx, n_copy * cell->n_atom, structure));
    for (int64_t k = 0; k < n_copy; k++) {
        int64_t place[3] = {k % copies[0], k / copies[0] % copies[1], k / copies[0] / copies[1]};
        for (int64_t i = 0; i < cell->n_atom; i++, atom++) {
            structure->numbers[atom] = cell->numbers[i];
            for (int c = 0; c < 3; c++) {
                double x = cell->positions[3 * i + c] + 0.05 * chance((uint64_t)(3 * atom + c));
                for (int axis = 0; axis < 3; axis++)
                    x += (double)place[axis] * cell->cell[axis][c];
                structure->positions[3 * atom + c] = x;
            }
        }
    }
    for (int axis = 0; axis < 3; axis++) {
        structure->pbc[axis] = cell->pbc[axis];
        for (int c = 0; c < 3; c++)
            structure->cell[axis][c] = (double)copies[axis] * cell->cell[axis][c];
    }
}

void bench_move(const chgi_structure *place, unsigned turn, chgi_structure *moved)
{
    for (int64_t k = 0; k < 3 * place->n_atom; k++)
        moved->positions[k] = place->positions[k] + 0.002 * chance(((uint64_t)turn << 32) + (uint64_t)k);
}

/* ---- the step --------------------------------------------------------------------------------- */

double bench_step(chgnet_calculator *calculator, const chgi_structure *structure)
{
    double start = bench_now();
    bench_check(calculator->ctx, chgi_calculator_set_structure(calculator, structure));
    bench_check(calculator->ctx, chgi_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
    return bench_now() - start;
}

static double flop(const chgi_graph *graph, double edge, double short_edge, double angle, double atom)
{
    return edge * (double)graph->n_edge + short_edge * (double)graph->n_short_edge + angle * (double)graph->n_angle +
           atom * (double)graph->n_atom;
}

double bench_flop_exact(const chgi_graph *graph)
{
    return flop(graph, 166.8e3, 204.8e3, 236.3e3, 0.475e6);
}

double bench_flop_tabulated(const chgi_graph *graph)
{
    return flop(graph, 98.3e3, 204.8e3, 196.6e3, 0.475e6);
}
