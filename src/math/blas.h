/* Products of matrices by BLAS, with the same bits for any number of threads.
 *
 * Every call goes to dgemm in pieces so small that OpenBLAS does not split them among threads of its own; so they may
 * run inside parallel regions, and the host's BLAS threads stay as they are.  All matrices are row-major; `ld` is the
 * distance between rows. */
#ifndef CHGI_MATH_BLAS_H
#define CHGI_MATH_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/** c += alpha op(a) op(b), op transposes where the flag is set.
 *  \param[in] a  op(a) is (m,k)  \param[in] b  op(b) is (k,n)  \param[in,out] c (m,n) */
void chgi_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
               int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc);

/** a . b of n numbers, summed in a fixed order. */
double chgi_vector_dot(int64_t n, const double *a, const double *b);

/** y += alpha x, n numbers. */
void chgi_vector_add(int64_t n, double alpha, const double *x, double *y);

/** y[i] += alpha a[i,:] . x for a of (m,n). */
void chgi_matrix_vector(int64_t m, int64_t n, double alpha, const double *a, int64_t lda, const double *x, double *y);

/** Let OpenBLAS work in the calling thread only, in this process from now on: its threads wait busily, and take the
 *  processor from ours.  For a process that is ours alone; a host's BLAS is left as it is. */
void chgi_blas_serial(void);

#endif
