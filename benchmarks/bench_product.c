/* Rates of the product (rows x 64)(64 x 64) in single precision, one thread: our kernels and OpenBLAS in turn, and AMX
 * where the processor has it (32 rows at a time, also where fewer count).
 *
 *     bench_product [ROUNDS]
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amx.h"
#include "base/memory.h"
#include "bench.h"

enum { WIDTH = 64, MOST_ROWS = 1024, BUNCH = 1 << 14, MOST_WAYS = 5 };

/* As src/nn/linear.h declares it, for each way in which it is compiled. */
typedef void product(int64_t rows, int n, int k, const float *a, int64_t lda, const float *b, int64_t ldb,
                     const float *start, int64_t start_stride, float *out, int64_t ldo);
product chgi_product_f32_generic;
#ifdef CHGI_HAVE_X86_ISA
product chgi_product_f32_avx2, chgi_product_f32_avx512;
#endif

static void openblas(int64_t rows, int n, int k, const float *a, int64_t lda, const float *b, int64_t ldb,
                     const float *start, int64_t start_stride, float *out, int64_t ldo)
{
    (void)start, (void)start_stride;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, n, k, 1, a, (int)lda, b, (int)ldb, 0, out,
                (int)ldo);
}

typedef struct way {
    const char *name;
    product *run;
    double rate;
} way;

static int ways_here(way *ways)
{
    int n = 0;
    ways[n++] = (way){"OpenBLAS", openblas, 0};
    ways[n++] = (way){"generic", chgi_product_f32_generic, 0};
#ifdef CHGI_HAVE_X86_ISA
    if (chgi_kernel_choose(false, "avx2"))
        ways[n++] = (way){"avx2", chgi_product_f32_avx2, 0};
    if (chgi_kernel_choose(false, "avx512"))
        ways[n++] = (way){"avx512", chgi_product_f32_avx512, 0};
#endif
    return n;
}

typedef struct tile {
    float a[MOST_ROWS * WIDTH], b[WIDTH * WIDTH], zero[WIDTH], out[MOST_ROWS * WIDTH], right[MOST_ROWS * WIDTH];
} tile;

static void verify(tile *t, const way *w, int rows)
{
    openblas(rows, WIDTH, WIDTH, t->a, WIDTH, t->b, WIDTH, t->zero, 0, t->right, WIDTH);
    w->run(rows, WIDTH, WIDTH, t->a, WIDTH, t->b, WIDTH, t->zero, 0, t->out, WIDTH);
    for (int i = 0; i < rows * WIDTH; i++)
        if (!(fabsf(t->out[i] - t->right[i]) <= 1e-4F))
            bench_fail("%s gives a wrong product", w->name);
}

static void measure(tile *t, way *w, int rows)
{
    int count = BUNCH / rows;
    double start = bench_now();
    for (int i = 0; i < count; i++)
        w->run(rows, WIDTH, WIDTH, t->a, WIDTH, t->b, WIDTH, t->zero, 0, t->out, WIDTH);
    w->rate = fmax(w->rate, 2.0 * WIDTH * WIDTH * rows * count / (bench_now() - start));
}

int main(int argc, char **argv)
{
    way ways[MOST_WAYS];
    int rounds = argc > 1 ? (int)bench_number(argv[1], 1) : 50;
    tile *t = chgi_memory_new(1, sizeof *t);
    if (!t)
        bench_fail("not enough memory");
    for (int i = 0; i < MOST_ROWS * WIDTH; i++)
        t->a[i] = (float)(i % 17) * 0.1F - 0.8F;
    for (int i = 0; i < WIDTH * WIDTH; i++)
        t->b[i] = (float)(i % 13) * 0.1F - 0.6F;
    openblas_set_num_threads(1);
    int n = ways_here(ways);
    if (amx_start(t->b, WIDTH))
        ways[n++] = (way){"AMX", amx_product, 0};
    printf("# GFLOP/s, best of %d rounds\n# rows", rounds);
    for (int k = 0; k < n; k++)
        printf(" %9s", ways[k].name);
    for (int rows = 12; rows <= MOST_ROWS; rows = rows == 768 ? MOST_ROWS : 2 * rows) {
        printf("\n%6d", rows);
        for (int k = 0; k < n; k++) {
            ways[k].rate = 0;
            verify(t, &ways[k], rows);
        }
        for (int i = 0; i < n * rounds; i++)
            measure(t, &ways[i % n], rows);
        for (int k = 0; k < n; k++)
            printf(" %9.1f", 1e-9 * ways[k].rate);
    }
    puts("");
    chgi_memory_free(t);
    return EXIT_SUCCESS;
}
