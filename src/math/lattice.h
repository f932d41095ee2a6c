/* 3-vectors and lattices. */
#ifndef CHGI_MATH_LATTICE_H
#define CHGI_MATH_LATTICE_H

#include <stdbool.h>

static inline double chgi_dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline void chgi_cross(const double a[3], const double b[3], double c[3])
{
    c[0] = a[1] * b[2] - a[2] * b[1];
    c[1] = a[2] * b[0] - a[0] * b[2];
    c[2] = a[0] * b[1] - a[1] * b[0];
}

/** A basis for the neighbour search: short vectors spanning the same lattice along the periodic directions, unit
 *  vectors at right angles to them along the others.
 *  \param[in]  cell      (3,3) rows, A; rows of non-periodic axes are not read
 *  \param[in]  pbc       (3)
 *  \param[out] basis     (3,3) rows; the first n rows are the periodic ones
 *  \param[out] inverse   (3,3) fractional = cartesian . inverse
 *  \param[out] times     (3,3) whole numbers: basis = times . cell for the periodic rows, the others are zero
 *  \param[out] n         number of periodic directions
 *  \return false where the periodic rows do not span an n-dimensional lattice */
bool chgi_lattice_reduce(const double cell[3][3], const bool pbc[3], double basis[3][3], double inverse[3][3],
                         double times[3][3], int *n);

#endif
