/* Cholesky factors and triangular systems, blocked, parallel, with the same bits for any number of threads.
 * Matrices are row-major with `ld` numbers between rows. */
#ifndef CHGI_MATH_CHOLESKY_H
#define CHGI_MATH_CHOLESKY_H

#include <stdbool.h>
#include <stdint.h>

/** Replace the lower triangle of a symmetric matrix by its Cholesky factor L, A = L L^T; what lies above the diagonal
 * is neither read nor written. \param[in] first  rows and columns below it hold a factor already: only the rows from
 * there on are made, as when the matrix has grown; 0: all \return false when a pivot is not positive (or is NaN); then
 * the content is undefined from row `first` on */
bool chgi_cholesky_factor(int64_t n, int64_t first, double *a, int64_t ld);

/** b <- L^-1 b, and b <- L^-T b.  \param[in,out] b (n,n_rhs) */
void chgi_lower_solve(int64_t n, const double *l, int64_t ld, int64_t n_rhs, double *b, int64_t ldb);
void chgi_lower_solve_transposed(int64_t n, const double *l, int64_t ld, int64_t n_rhs, double *b, int64_t ldb);

/** The symmetric inverse (L L^T)^-1, all of it.
 *  \param[out] inverse (n,n)  \param[out] scratch (64,n) */
void chgi_cholesky_invert(int64_t n, const double *l, int64_t ld, double *inverse, int64_t ldi, double *scratch);

/** 2 sum ln L_ii, the logarithm of the determinant of L L^T. */
double chgi_cholesky_log_determinant(int64_t n, const double *l, int64_t ld);

#endif
