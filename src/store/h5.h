/* HDF5 files held in memory: small named arrays and attributes, every shape and type checked.
 *
 * A file is made in memory and handed out as bytes (write them with chgi_file_write: whole or not at all), and opened
 * from bytes (read them with chgi_file_read): HDF5 itself never touches the disk, takes no locks and follows no link.
 * Calls from several threads take turns; HDF5's own messages are kept silent during a call and only then.
 *
 * `group` is "" for the root or the path of a group such as "0".  Numbers are stored little-endian.
 * Errors: CHGNET_EINPUT when an opened file is not as expected, CHGNET_EINTERNAL when a file could not be made,
 * CHGNET_ENOMEM.  The text does not hold the file's path: add it by chgi_context_locate.
 */
#ifndef CHGI_STORE_H5_H
#define CHGI_STORE_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef struct chgi_h5 chgi_h5;

/** What an array holds in memory.  In the file: float32, float64, int32, int64, and h5py's boolean. */
typedef enum chgi_h5_type {
    CHGI_H5_FLOAT = 0, /**< float */
    CHGI_H5_DOUBLE,    /**< double */
    CHGI_H5_INT32,     /**< int32_t */
    CHGI_H5_INT64,     /**< int64_t */
    CHGI_H5_BOOL       /**< int8_t, 0 or 1 */
} chgi_h5_type;

enum { CHGI_H5_MAX_RANK = 4 };

/* ---- writing ---------------------------------------------------------------------------------- */

/** An empty file that can be written. */
chgnet_status chgi_h5_create(chgnet_context *ctx, chgi_h5 **file);
/** Free a created or opened file; NULL is allowed. */
void chgi_h5_destroy(chgi_h5 *file);
/** The bytes of a created file, freed by chgi_memory_free. */
chgnet_status chgi_h5_finish(chgnet_context *ctx, chgi_h5 *file, char **data, size_t *length);

chgnet_status chgi_h5_add_group(chgnet_context *ctx, chgi_h5 *file, const char *group);
/** Add an array.
 *  \param[in] rank   0 (a scalar; `shape` may be NULL) to CHGI_H5_MAX_RANK
 *  \param[in] data   row-major, of the C type that `type` names */
chgnet_status chgi_h5_add(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                          int rank, const int64_t *shape, const void *data);
/** Add attributes to a group.  A text has variable length, which h5py reads as `str`; for files that will be opened
 * again by chgi_h5_open see chgi_h5_set_fixed_text. */
chgnet_status chgi_h5_set_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                               const char *text);
/** The same with fixed length, which h5py reads as `bytes`.  Texts of variable length lie in heaps that have no
 * checksum, and a damaged heap crashes HDF5; so chgi_h5_get_text reads only these. */
chgnet_status chgi_h5_set_fixed_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                     const char *text);
chgnet_status chgi_h5_set_int(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t value);
chgnet_status chgi_h5_set_double(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, double value);
/** A list of integers as an attribute of rank 1. */
chgnet_status chgi_h5_set_ints(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t count,
                               const int64_t *values);

/* ---- reading ---------------------------------------------------------------------------------- */

/** Open a file that lies in memory; the bytes are copied.
 *  \return CHGNET_OK; CHGNET_EINPUT when they are no HDF5 file, or a damaged one */
chgnet_status chgi_h5_open(chgnet_context *ctx, const void *data, size_t length, chgi_h5 **file);

/** Names of the members of a group, in the order of their bytes.  Free with chgi_h5_free_names.
 *  \return CHGNET_OK; CHGNET_EINPUT when one is a soft or external link */
chgnet_status chgi_h5_list(chgnet_context *ctx, chgi_h5 *file, const char *group, char ***names, int64_t *count);
void chgi_h5_free_names(char **names, int64_t count);
/** Whether a group has a member of that name. */
bool chgi_h5_has(chgi_h5 *file, const char *group, const char *name);

/** Shape of an array, after its type, rank (-1: any up to CHGI_H5_MAX_RANK), layout and filters were checked.
 *  Sizes beyond what a file of this length can hold are refused.
 *  \param[out] shape  (CHGI_H5_MAX_RANK); places beyond the rank are 1
 *  \param[out] rank_found  may be NULL */
chgnet_status chgi_h5_shape(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                            int rank, int64_t *shape, int *rank_found);
/** Read an array of exactly that type, rank and shape into `data`. */
chgnet_status chgi_h5_read(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                           int rank, const int64_t *shape, void *data);

/** Attributes of a group.  A text has fixed length and is freed by chgi_memory_free. */
chgnet_status chgi_h5_get_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, char **text);
chgnet_status chgi_h5_get_int(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t *value);
chgnet_status chgi_h5_get_double(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                 double *value);
/** A list of at most `most` integers. */
chgnet_status chgi_h5_get_ints(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t most,
                               int64_t *count, int64_t *values);

#endif
