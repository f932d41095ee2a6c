/* Files that grow at their end while a program runs: whatever happens, they hold whole pieces, save the last one after
 * a crash, and a length that was noted tells where to cut. */
#ifndef CHGI_BASE_APPEND_H
#define CHGI_BASE_APPEND_H

#include <stdint.h>

#include "base/context.h"

typedef struct chgi_append {
    char *path;
    int fd;         /**< -1: not open */
    int64_t length; /**< bytes in whole pieces */
} chgi_append;

/** Open a file to append to it, and take it for this process alone.
 *  \param[in] keep  its first bytes stay, the rest is cut off; 0: a new file, or an old one emptied; negative: a new
 *                   file, or an old one as it is, to be cut later
 *  \return CHGNET_OK; CHGNET_EIO, also when another process appends to it; CHGNET_EINPUT when it is missing or has
 *          fewer bytes than it should keep; CHGNET_ENOMEM */
chgnet_status chgi_append_open(chgnet_context *ctx, const char *path, int64_t keep, chgi_append *file);

/** Append a piece.  \return CHGNET_OK; CHGNET_EIO, and then the file is as it was before */
chgnet_status chgi_append_write(chgnet_context *ctx, chgi_append *file, const void *data, size_t length);

/** Cut the file back to `length` bytes.  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_append_cut(chgnet_context *ctx, chgi_append *file, int64_t length);

/** Wait until all is on the disk.  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_append_sync(chgnet_context *ctx, chgi_append *file);

/** Close and free; a file that is not open is allowed.  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_append_close(chgnet_context *ctx, chgi_append *file);

#endif
