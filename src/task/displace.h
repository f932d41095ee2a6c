/* Which atoms of a supercell to displace, and along which directions, so that all force constants follow. */
#ifndef CHGI_TASK_DISPLACE_H
#define CHGI_TASK_DISPLACE_H

#include "crystal/phonopy.h"

typedef struct chgi_displace_choice {
    double distance;  /**< A */
    bool plus_minus;  /**< both ways along every direction, also where symmetry gives one from the other */
    bool symmetry;    /**< only what the space group does not give; needs spglib */
    double tolerance; /**< A, of the space group */
} chgi_displace_choice;

/** Fill the displacements of a supercell.  With symmetry they are those of phonopy: for each atom that the space group
 * does not give from an earlier one, the first of its thirteen directions along the cell vectors and their sums that
 * its site's rotations turn into three independent ones, else two such, else the three cell vectors; and the way back
 * where no rotation reverses the direction (Parlinski, Li and Kawazoe, Phys. Rev. Lett. 78, 4063 (1997)). Without
 * symmetry each atom of the unit cell goes both ways along the three cell vectors. \param[in]     n_cell  unit cells in
 * the supercell; its atoms are ordered as chgi_supercell_make does \param[in,out] cells   holds the supercell
 *  \param[out]    group   name of its space group, "" without symmetry
 *  \return CHGNET_OK; CHGNET_EINPUT when spglib finds no space group; CHGNET_EUSAGE without spglib; CHGNET_ENOMEM */
chgnet_status chgi_displace(chgnet_context *ctx, const chgi_displace_choice *choice, int64_t n_cell,
                            chgi_displaced *cells, char group[16]);

#endif
