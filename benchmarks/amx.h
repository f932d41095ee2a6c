/* The product of bench_product.c by AMX; see amx.c.  SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHGI_BENCH_AMX_H
#define CHGI_BENCH_AMX_H

#include <stdbool.h>
#include <stdint.h>

/** Ask the kernel for the tiles and take the weights, (64,64) rows of ldb.  \return false where there are no tiles */
bool amx_start(const float *b, int64_t ldb);

/** out = a b for rows of 64 numbers, 32 at a time: a and out have room for a multiple of 32.  b is what amx_start took.
 */
void amx_product(int64_t rows, int n, int k, const float *a, int64_t lda, const float *b, int64_t ldb,
                 const float *start, int64_t start_stride, float *out, int64_t ldo);

#endif
