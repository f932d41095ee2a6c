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

#endif
