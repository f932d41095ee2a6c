/* HDF5 files that may be larger than the memory: arrays of rows, written and read some rows at a time.
 *
 * A file is made under another name beside its place, closed, and put into its place: it appears whole or not at all,
 * and a crash leaves what was there before.  Room on the disk is taken before HDF5 writes: a full disk is told then,
 * and HDF5 never meets it.  Arrays are contiguous, so that equal content makes equal bytes. Groups, attributes and
 * small arrays are added and read by the functions of store/h5.h.
 */
#ifndef CHGI_STORE_H5_LARGE_H
#define CHGI_STORE_H5_LARGE_H

#include "base/file.h"
#include "store/h5.h"

typedef struct chgi_h5_large {
    chgi_h5 *file;
    chgi_file_part part;
} chgi_h5_large;

/** Begin a file.
 *  \param[in] path  must outlive it
 *  \param[in] room  bytes that all arrays will take
 *  \return CHGNET_OK; CHGNET_EIO, CHGNET_EINTERNAL, CHGNET_ENOMEM */
chgnet_status chgi_h5_large_create(chgnet_context *ctx, const char *path, int64_t room, chgi_h5_large *large);
/** Close it and put it into its place.  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_h5_large_finish(chgnet_context *ctx, chgi_h5_large *large);
/** Drop what was not finished. */
void chgi_h5_large_abandon(chgi_h5_large *large);

/** Add an array whose rows follow by chgi_h5_write_rows.  As chgi_h5_add, rank at least 1. */
chgnet_status chgi_h5_declare(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                              chgi_h5_type type, int rank, const int64_t *shape);
/** Write rows first, first+1, ... of an array.
 *  \param[in] data (n_row, the array's other sizes) of the C type that `type` names */
chgnet_status chgi_h5_write_rows(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                 chgi_h5_type type, int64_t first, int64_t n_row, const void *data);
/** A second name for a member of the file: `group`/`name` is what `old` (a path from the root) is. */
chgnet_status chgi_h5_link(chgnet_context *ctx, chgi_h5 *file, const char *old, const char *group, const char *name);
/** Attributes of an array: a text, and a list of texts for a group. */
chgnet_status chgi_h5_set_array_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                     const char *attribute, const char *text);
chgnet_status chgi_h5_set_texts(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t count,
                                const char *const *texts);

/** Open a file on the disk for reading; the owner destroys it by chgi_h5_destroy.
 *  \return CHGNET_OK; CHGNET_EINPUT when it is no HDF5 file or a damaged one; CHGNET_EIO; CHGNET_ENOMEM */
chgnet_status chgi_h5_open_large(chgnet_context *ctx, const char *path, chgi_h5 **file);
/** Read rows of an array whose shape was checked by chgi_h5_shape. */
chgnet_status chgi_h5_read_rows(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                chgi_h5_type type, int64_t first, int64_t n_row, void *data);

#endif
