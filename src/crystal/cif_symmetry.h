/* Symmetry operations written as x,y,z, and the atoms they make. */
#ifndef CHGI_CRYSTAL_CIF_SYMMETRY_H
#define CHGI_CRYSTAL_CIF_SYMMETRY_H

#include "crystal/lines.h"

/** No space group in a conventional cell has more operations. */
enum { CHGI_MAX_OPERATION = 192 };

typedef struct chgi_operation {
    int turn[3][3];  /**< x'_i = sum_k turn[i][k] x_k + shift[i], fractional */
    double shift[3]; /**< in [0,1) */
} chgi_operation;

/** Read such as "-x+1/2, x-y, z+0.25".
 *  \return false unless it is three comma-separated sums of x, y, z (each at most once) and fractions or decimals,
 * whose matrix has determinant 1 or -1 */
bool chgi_operation_read(chgi_span text, chgi_operation *operation);
bool chgi_operation_is_identity(const chgi_operation *operation);

/** Images of one site, those that coincide merged into their mean (which lies exactly on the special position).
 *  \param[in]  x          (3) fractional
 *  \param[in]  tolerance  (3) fractional: images closer than this in all three components are one
 *  \param[out] images     (n_operation,3) fractional, in [0,1)
 *  \return number of different images; 0 when they do not merge evenly, so that it is unclear which are one */
int chgi_operation_orbit(const chgi_operation *operations, int n_operation, const double x[3],
                         const double tolerance[3], double *images);

/** Difference of two fractional coordinates, taken to the nearest image: in [-1/2,1/2]. */
double chgi_operation_difference(double a, double b);

/** Find two atoms on one place, in time proportional to the number of atoms.
 *  \param[in]  x          (n_atom,3) fractional
 *  \param[in]  tolerance  (3) in [1e-7,1e-2], as for chgi_operation_orbit
 *  \param[out] pair       the atoms; pair[1] is -1 when there are none
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_operation_find_overlap(chgnet_context *ctx, int64_t n_atom, const double *x,
                                          const double tolerance[3], int64_t pair[2]);

#endif
