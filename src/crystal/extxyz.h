/* Extended XYZ: frames of "count, key=value comment, one line per atom".
 * Format as ASE reads and writes it (ase/io/extxyz.py). */
#ifndef CHGI_CRYSTAL_EXTXYZ_H
#define CHGI_CRYSTAL_EXTXYZ_H

#include "base/text.h"
#include "crystal/lines.h"
#include "crystal/structure.h"

/** More keys than this in one comment line are refused. */
enum { CHGI_EXTXYZ_MAX_KEYS = 1024 };

/** Read the next frame.  After a failure `lines` stands at the next frame when the bad one holds as many lines as it
 *  promises, else at the end of the file.
 *  \param[out] got  false when only blank lines were left
 *  \return CHGNET_OK; CHGNET_EINPUT with path and line; CHGNET_ENOMEM */
chgnet_status chgi_extxyz_read(chgi_lines *lines, chgi_structure *structure, bool *got);

/** Split a comment line into `structure->info`, quotes removed.  A line without any '=' is one key, "comment".
 *  \return CHGNET_OK; CHGNET_EINPUT for an unclosed quote or a key given twice with different values; CHGNET_ENOMEM */
chgnet_status chgi_extxyz_read_comment(const chgi_lines *lines, chgi_span comment, chgi_structure *structure);

#endif
