/* Structure files of every known format, frame by frame. */
#ifndef CHGI_CRYSTAL_READER_H
#define CHGI_CRYSTAL_READER_H

#include "base/context.h"
#include "crystal/structure.h"

typedef struct chgi_reader chgi_reader;

/** Read a file into memory and recognise its format by content and name: POSCAR/CONTCAR, CIF, extended XYZ.
 *  \param[in]  ctx   must outlive the reader: later errors go there
 *  \param[in]  path  "-" reads extended XYZ from standard input
 *  \return CHGNET_OK; CHGNET_EINPUT (missing, a directory, empty, binary, no known format), CHGNET_EIO, CHGNET_ENOMEM;
 *          the error text begins with the path */
chgnet_status chgi_reader_open(chgnet_context *ctx, const char *path, chgi_reader **reader);

/** Read the next frame: of a CIF the next data block that holds atoms, of a POSCAR the only one.
 *  The caller destroys the structure.  After a failure the structure is empty, and the reader stands behind the bad
 *  frame where its end is known, else at the end of the file: ask chgi_reader_at_end and go on if there is more.
 *  \param[out] got  false when there was no further frame
 *  \return CHGNET_OK; CHGNET_EINPUT, the error text beginning with PATH:LINE:; CHGNET_ENOMEM */
chgnet_status chgi_reader_next(chgi_reader *reader, chgi_structure *structure, bool *got);

/** True when nothing is left to read.  (What is left may still turn out to hold no frame.) */
bool chgi_reader_at_end(const chgi_reader *reader);

/** Share of the file that is read, 0 to 1, for a progress bar. */
double chgi_reader_share(const chgi_reader *reader);

/** Line where the frame of the last chgi_reader_next begins, for errors that are found later; 0 before the first. */
long chgi_reader_line(const chgi_reader *reader);
const char *chgi_reader_path(const chgi_reader *reader);

void chgi_reader_destroy(chgi_reader *reader);

#endif
