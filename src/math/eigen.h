/* Eigenvalues and eigenvectors of symmetric matrices, by LAPACK.  Its threads are the host's: for large matrices the
 * last bits may depend on their number. */
#ifndef CHGI_MATH_EIGEN_H
#define CHGI_MATH_EIGEN_H

#include <stdbool.h>
#include <stdint.h>

/** No larger order: LAPACK counts its workspace, 2 n^2 numbers, by 32-bit integers. */
enum { CHGI_EIGEN_MOST = 32000 };

/** Numbers of the workspace for order n, and of its integers. */
int64_t chgi_eigen_work(int64_t n);
int64_t chgi_eigen_int_work(int64_t n);

/** \param[in,out] matrix   (n,n) symmetric; becomes the eigenvectors, one a row
 *  \param[out]    values   (n) ascending
 *  \return false when there is none, as with numbers that are not finite */
bool chgi_eigen_symmetric(int64_t n, double *matrix, double *values, double *work, int *int_work);

#endif
