/* Whole files: read at once, written so that they appear whole or not at all. */
#ifndef CHGI_BASE_FILE_H
#define CHGI_BASE_FILE_H

#include <stddef.h>

#include "base/context.h"

/** Read a file (or standard input for "-") into memory, with a NUL after the last byte.
 *  \return CHGNET_OK; CHGNET_EINPUT when missing or a directory; CHGNET_EIO when it may not be read; CHGNET_ENOMEM.
 *          The error text begins with the path. */
chgnet_status chgi_file_read(chgnet_context *ctx, const char *path, char **data, size_t *length);

/** Find out before long work whether chgi_file_write has a chance: the folder is there, and may be written.
 *  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_file_check_writable(chgnet_context *ctx, const char *path);

/** Write through a temporary file beside `path`, fsync, rename.
 *  \return CHGNET_OK; CHGNET_EIO, and then an old file is untouched and nothing new is left */
chgnet_status chgi_file_write(chgnet_context *ctx, const char *path, const void *data, size_t length);

/** A file that is written piece by piece and then appears whole or not at all. */
typedef struct chgi_file_part {
    int fd;           /**< the owner writes here */
    const char *path; /**< where it will be; the owner's */
    char name[4096];  /**< where it is until then, in the same folder */
} chgi_file_part;

/** \param[in] suffix  its name is `path` with this behind it until then, so that what a crash leaves is overwritten
 * next time, and two at once must be ruled out; NULL: a name of its own \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_file_begin(chgnet_context *ctx, const char *path, const char *suffix, chgi_file_part *part);
/** Write all of `data` at the end of what is there.  \return false with errno */
bool chgi_file_put(int fd, const void *data, size_t length);
/** fsync, then put it into its place.
 *  \return CHGNET_OK; CHGNET_EIO, and then an old file is untouched and nothing new is left */
chgnet_status chgi_file_commit(chgnet_context *ctx, chgi_file_part *part);
/** Remove what was begun. */
void chgi_file_abandon(chgi_file_part *part);

#endif
