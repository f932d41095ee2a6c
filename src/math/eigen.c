#include "math/eigen.h"

#include <stddef.h>

/* LAPACK, as Fortran has it: columns first, everything by address, lengths of text at the end. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);

int64_t chgi_eigen_work(int64_t n)
{
    return 1 + 6 * n + 2 * n * n;
}

int64_t chgi_eigen_int_work(int64_t n)
{
    return 3 + 5 * n;
}

bool chgi_eigen_symmetric(int64_t n, double *matrix, double *values, double *work, int *int_work)
{
    const int order = (int)n, n_work = (int)chgi_eigen_work(n), n_int_work = (int)chgi_eigen_int_work(n);
    int info = 0;
    dsyevd_("V", "L", &order, matrix, &order, values, work, &n_work, int_work, &n_int_work, &info, 1, 1);
    return info == 0;
}
