/* The Lennard-Jones potential of a free cluster, without a cutoff: the test potential of searches, whose minima are
 * known (Wales and Doye, J. Phys. Chem. A 101, 5111 (1997)).  epsilon = 1 eV, sigma = 1 A for every element. */
#ifndef CHGI_CALC_LENNARD_JONES_H
#define CHGI_CALC_LENNARD_JONES_H

#include "calc/potential.h"

/** \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_lennard_jones_create(chgnet_context *ctx, chgi_potential *potential);

#endif
