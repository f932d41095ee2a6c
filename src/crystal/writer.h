/* Structures as text, appended to a growable text.  An allocation that failed shows in text->failed, and the writers
 * return CHGNET_ENOMEM for it.  POSCAR and CIF cannot tell which axes are periodic: read back, all three are. */
#ifndef CHGI_CRYSTAL_WRITER_H
#define CHGI_CRYSTAL_WRITER_H

#include "base/text.h"
#include "crystal/structure.h"

/** One frame of extended XYZ, as ASE writes it, numbers with all their digits: info keys and columns included.
 *  A mask along cell vectors (mask_direct) becomes the column move_mask_direct, which ASE keeps as an array. */
chgnet_status chgi_extxyz_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure);

/** A POSCAR (VASP 5, direct coordinates), atoms in the given order, selective dynamics when there is a mask.
 *  \return CHGNET_EINPUT when the cell has no volume, or a mask along x, y, z has no counterpart along the cell vectors
 */
chgnet_status chgi_poscar_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure);

/** A CIF data block without symmetry (P 1), named data_<formula>.
 *  \return CHGNET_EINPUT when the cell has no volume */
chgnet_status chgi_cif_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure);

#endif
