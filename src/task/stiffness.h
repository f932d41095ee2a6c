/* The elastic tensor of a crystal as a 6x6 matrix, and what follows from it.  Indices are Voigt's, 0 to 5 for
 * xx yy zz yz xz xy, with engineering shear strains (twice the element of the tensor). */
#ifndef CHGI_TASK_STIFFNESS_H
#define CHGI_TASK_STIFFNESS_H

#include "math/matrix3.h"
#include "task/symmetry.h"

/** Averages over the directions of a polycrystal.  Voigt's take the strain as the same everywhere, Reuss' the stress;
 * Hill's are the means of both.  Those of Reuss and Hill are NaN unless the crystal is stable.
 *  Source: Hill, Proc. Phys. Soc. A 65, 349 (1952); Ranganathan and Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504 */
typedef struct chgi_elastic_moduli {
    double bulk_voigt, bulk_reuss, bulk_hill;    /**< GPa */
    double shear_voigt, shear_reuss, shear_hill; /**< GPa */
    double young, poisson;                       /**< GPa; from Hill's */
    double anisotropy;                           /**< universal index, 0 where all directions are alike */
    double eigenvalues[6];   /**< GPa, ascending; of the tensor, so they do not turn with the axes */
    bool stable;             /**< all of them positive: every small strain costs energy */
    double compliance[6][6]; /**< 1/GPa; NaN unless stable */
} chgi_elastic_moduli;

/** The Voigt indices' pairs of directions. */
extern const int chgi_voigt[6][2];

/** The symmetric strain tensor of one Voigt component. */
chgi_matrix3 chgi_voigt_strain(int component, double strain);

/** Mean of a matrix and its transpose.  \return largest |C - C^T| */
double chgi_stiffness_mirror(double stiffness[6][6]);

/** Mean over the operations of a group.  \param[in] cell (3,3) A, of the structure that the group was found for
 *  \return largest change */
double chgi_stiffness_average(const chgi_symmetry *symmetry, const double *cell, double stiffness[6][6]);

/** \param[in] stiffness  GPa, symmetric
 *  \return CHGNET_OK; CHGNET_ENUMERIC when there are no eigenvalues */
chgnet_status chgi_stiffness_moduli(chgnet_context *ctx, const double stiffness[6][6], chgi_elastic_moduli *moduli);

#endif
