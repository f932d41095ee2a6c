/* What the benchmarks share: clock, memory, statistics, the sgemm rate, structures, one step.
 *
 * A benchmark checks its results, warms up, repeats, and prints minimum and median.  It ends with a line on standard
 * error when anything fails.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_BENCH_H
#define CHGI_BENCH_H

#include <stdbool.h>

#include "calc/calculator.h"

enum { BENCH_MOST_TIMES = 1000, BENCH_MOST_THREADS = 64 };

/** Times of the same work, s. */
typedef struct bench_times {
    double seconds[BENCH_MOST_TIMES];
    int count;
} bench_times;

double bench_now(void);
void bench_add(bench_times *times, double seconds);
double bench_minimum(const bench_times *times);
double bench_median(const bench_times *times);

/** Largest resident memory of this process so far, bytes. */
double bench_peak_memory(void);

/** Single-precision rate of OpenBLAS for (rows x 64)(64 x 64) in `threads` independent loops, FLOP/s, all together.
 *  \param[in] seconds  about how long to measure */
double bench_sgemm_rate(int rows, int threads, double seconds);
/** The rows among 64 to 1024 with the greatest rate in one loop. */
int bench_sgemm_best_rows(double seconds);

/** End the program when a call failed. */
void bench_check(const chgnet_context *ctx, chgnet_status status);
/** End the program: a text for people. */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A number of at least `least` from the command line, or the end of the program. */
long bench_number(const char *text, long least);
/** Numbers separated by commas.  \return how many */
int bench_numbers(const char *text, long least, int most, long *numbers);

/** Frame `id` of an extended XYZ file; NULL: the first.  The caller destroys it. */
void bench_read(chgnet_context *ctx, const char *path, const char *id, chgi_structure *structure);
/** Put copies of a cell side by side, n_copy in all, in the roundest box that n_copy divides into, every atom moved by
 *  up to 0.05 A. */
void bench_repeat(chgnet_context *ctx, const chgi_structure *cell, int64_t n_copy, chgi_structure *structure);
/** Move every atom up to 0.002 A from its place, another way for every `turn`. */
void bench_move(const chgi_structure *place, unsigned turn, chgi_structure *moved);

/** Neighbours, graph, energy, forces, stress, magmoms.  \return seconds */
double bench_step(chgnet_calculator *calculator, const chgi_structure *structure);

/** FLOP of one step by the formulas of matrix products alone, everything kept; benchmarks/README.md explains them. */
double bench_flop_exact(const chgi_graph *graph);
double bench_flop_tabulated(const chgi_graph *graph);

#endif
