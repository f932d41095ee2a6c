#include "math/blas.h"

void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc);

/* OpenBLAS runs a product of up to 65536 * 4 = 64^3 multiplications in the calling thread. */
enum { SIDE = 64, MOST = SIDE * SIDE * SIDE, LONGEST = 4096 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Row-major c = a b is column-major c^T = b^T a^T. */
static void piece(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double *a, int64_t lda,
                  const double *b, int64_t ldb, double *c, int64_t ldc)
{
    const double one = 1;
    int mi = (int)m, ni = (int)n, ki = (int)k, la = (int)lda, lb = (int)ldb, lc = (int)ldc;
    dgemm_(tb ? "T" : "N", ta ? "T" : "N", &ni, &mi, &ki, &alpha, b, &lb, a, &la, &one, c, &lc);
}

void chgi_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double *a,
               int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc)
{
    for (int64_t i = 0; i < m; i += SIDE)
        for (int64_t j = 0; j < n; j += SIDE) {
            int64_t mi = smaller(SIDE, m - i), nj = smaller(SIDE, n - j), step = smaller(MOST / (mi * nj), LONGEST);
            for (int64_t l = 0; l < k; l += step)
                piece(transpose_a, transpose_b, mi, nj, smaller(step, k - l), alpha,
                      transpose_a ? a + l * lda + i : a + i * lda + l, lda,
                      transpose_b ? b + j * ldb + l : b + l * ldb + j, ldb, c + i * ldc + j, ldc);
        }
}

double chgi_vector_dot(int64_t n, const double *a, const double *b)
{
    double part[16] = {0}, sum = 0; /* sums that do not wait for each other */
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++)
            part[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (int k = 0; k < 8; k++)
        part[k] += part[k + 8];
    for (int k = 0; k < 4; k++)
        part[k] += part[k + 4];
    return sum + ((part[0] + part[2]) + (part[1] + part[3]));
}

void chgi_vector_add(int64_t n, double alpha, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += alpha * x[i];
}

void chgi_matrix_vector(int64_t m, int64_t n, double alpha, const double *a, int64_t lda, const double *x, double *y)
{
#pragma omp parallel for schedule(static) if (m * n > 100000)
    for (int64_t i = 0; i < m; i++)
        y[i] += alpha * chgi_vector_dot(n, a + i * lda, x);
}

/* Not in every BLAS. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));

void chgi_blas_serial(void)
{
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
}
