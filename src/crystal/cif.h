/* CIF 1.1: data blocks with cell, symmetry operations and atom sites. */
#ifndef CHGI_CRYSTAL_CIF_H
#define CHGI_CRYSTAL_CIF_H

#include "crystal/lines.h"
#include "crystal/structure.h"

/** Read the next data block that holds atoms, its symmetry operations applied.  After a failure `lines` stands at the
 *  next data block when the syntax of the bad one is right, else at the end of the file.
 *  \param[out] got    false when no further block holds atoms
 *  \param[out] start  line where the block begins
 *  \return CHGNET_OK; CHGNET_EINPUT with path and line; CHGNET_ENOMEM */
chgnet_status chgi_cif_read(chgi_lines *lines, chgi_structure *structure, bool *got, long *start);

/** True when the first word that is no comment begins a data block. */
bool chgi_cif_recognise(const chgi_lines *lines);

#endif
