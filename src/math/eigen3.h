/* Eigenvalues and eigenvectors of a symmetric 3x3 matrix.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_MATH_EIGEN3_H
#define CHGI_MATH_EIGEN3_H

/** By Jacobi's rotations, to rounding; the order of the values is not defined.
 *  \param[in]  matrix   (3,3) finite; the upper triangle is read
 *  \param[out] values   (3)
 *  \param[out] vectors  (3,3) rows are orthonormal: matrix = sum of values[k] vectors[k] vectors[k]^T */
void chgi_eigen3(const double matrix[3][3], double values[3], double vectors[3][3]);

#endif
