/* Supercells with their atoms in the order of phonopy. */
#ifndef CHGI_CRYSTAL_SUPERCELL_H
#define CHGI_CRYSTAL_SUPERCELL_H

#include "crystal/structure.h"

/** No element of the matrix is larger, and no supercell has more cells. */
enum { CHGI_SUPERCELL_ELEMENT = 50, CHGI_SUPERCELL_CELLS = 10000 };

/** Repeat a unit cell.  Vector j of the supercell is sum_i matrix[i][j] a_i, as phonopy's --dim says it.  The copies of
 * an atom follow each other, in the order in which phonopy takes them: those of atom i begin with n_cell i. \param[out]
 * n_cell  unit cells in the supercell: the matrix's determinant \return CHGNET_OK; CHGNET_EINPUT when an axis of the
 * unit cell is not periodic, it has no volume, or the supercell would be too large; CHGNET_EUSAGE when the matrix has
 * no positive determinant; CHGNET_ENOMEM */
chgnet_status chgi_supercell_make(chgnet_context *ctx, const chgi_structure *unit, const int matrix[3][3],
                                  int64_t *n_cell, chgi_structure *supercell);

#endif
