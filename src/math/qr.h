/* Least squares by Householder reflections, blocked, parallel, with the same bits for any number of threads. */
#ifndef CHGI_MATH_QR_H
#define CHGI_MATH_QR_H

#include <stdint.h>

enum { CHGI_QR_PANEL = 32 };

/** Numbers of scratch that chgi_qr_update needs for m more rows of n columns. */
int64_t chgi_qr_scratch(int64_t m, int64_t n);

/** Bring rows below a triangle into it: R^T R + A^T A = R'^T R'.  Only the triangle is made; the last columns may be
 *  right sides.  Rows of R whose diagonal gets negative change sign.
 *  \param[in,out] r (n_pivot,n) upper triangle, row-major; zeros below the diagonal are not read
 *  \param[in,out] a (m,n) the rows; columns up to n_pivot are destroyed, the others hold what is left of them
 *  \param[in] n_pivot  columns that are eliminated, at most n */
void chgi_qr_update(int64_t n_pivot, int64_t n, double *r, int64_t ldr, int64_t m, double *a, int64_t lda,
                    double *scratch);

#endif
