/* 3x3 matrices by value, their exponential and logarithm. */
#ifndef CHGI_MATH_MATRIX3_H
#define CHGI_MATH_MATRIX3_H

#include <stdbool.h>

typedef struct chgi_matrix3 {
    double m[3][3];
} chgi_matrix3;

chgi_matrix3 chgi_matrix3_diagonal(double value);
chgi_matrix3 chgi_matrix3_add(chgi_matrix3 a, double factor, chgi_matrix3 b); /**< a + factor b */
chgi_matrix3 chgi_matrix3_multiply(chgi_matrix3 a, chgi_matrix3 b);
chgi_matrix3 chgi_matrix3_transpose(chgi_matrix3 a);
double chgi_matrix3_determinant(chgi_matrix3 a);
double chgi_matrix3_trace(chgi_matrix3 a);
/** Square root of the sum of squares. */
double chgi_matrix3_norm(chgi_matrix3 a);

/** \return false when the matrix is singular or not finite */
bool chgi_matrix3_invert(chgi_matrix3 a, chgi_matrix3 *inverse);

/** out[i] = in[i] . a for rows; `in` and `out` may be the same. */
void chgi_matrix3_rows(const double *in, chgi_matrix3 a, long n, double *out);

chgi_matrix3 chgi_matrix3_exp(chgi_matrix3 a);

/** Principal logarithm.  \return false when there is none: an eigenvalue is zero or negative */
bool chgi_matrix3_log(chgi_matrix3 a, chgi_matrix3 *log);

/** With f = sum(g * exp(u)), elementwise: df/du.
 *  Source: the derivative of exp at u in direction e is the upper right block of exp of [[u, e], [0, u]], and its
 * adjoint is the derivative at the transpose of u (Higham, Functions of Matrices, 2008, 3.2 and 10.6). */
chgi_matrix3 chgi_matrix3_exp_gradient(chgi_matrix3 u, chgi_matrix3 g);

#endif
