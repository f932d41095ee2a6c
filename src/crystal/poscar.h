/* VASP's POSCAR and CONTCAR, versions 4 and 5. */
#ifndef CHGI_CRYSTAL_POSCAR_H
#define CHGI_CRYSTAL_POSCAR_H

#include "crystal/lines.h"
#include "crystal/structure.h"

/** Read a POSCAR from the start of the file; velocities and what follows them are passed over.
 *  The comment line becomes the info key "comment" unless it is blank.
 *  Format: https://www.vasp.at/wiki/index.php/POSCAR
 *  \return CHGNET_OK; CHGNET_EINPUT with path and line; CHGNET_ENOMEM */
chgnet_status chgi_poscar_read(chgi_lines *lines, chgi_structure *structure);

/** True when lines 2 to 5 hold a scale and three vectors. */
bool chgi_poscar_recognise(const chgi_lines *lines);

#endif
