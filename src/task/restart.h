/* Checkpoints: named numbers and texts in a file with a checksum.  Two are kept: C and, one older, C.old; where C is
 * missing, torn or damaged, C.old is read.
 *
 * File: the magic "CHGNETCP", a number that tells the byte order, the length of what follows, the kind of run, entries,
 * and the SHA-256 of all before it.  An entry is its name, its type, its count, its values.  Integers have 8 bytes.
 */
#ifndef CHGI_TASK_RESTART_H
#define CHGI_TASK_RESTART_H

#include <stddef.h>
#include <stdint.h>

#include "base/context.h"
#include "base/text.h"

typedef struct chgi_restart {
    chgi_text bytes; /**< entries, as they lie in the file */
} chgi_restart;

void chgi_restart_destroy(chgi_restart *checkpoint);

/* ---- writing: an allocation that fails is told by chgi_restart_write ----------------------- */

/** Begin anew, for a kind of run such as "md"; memory is kept. */
void chgi_restart_start(chgi_restart *checkpoint, const char *kind);
void chgi_restart_put_doubles(chgi_restart *checkpoint, const char *name, size_t count, const double *values);
void chgi_restart_put_int(chgi_restart *checkpoint, const char *name, int64_t value);
void chgi_restart_put_text(chgi_restart *checkpoint, const char *name, const char *text);

/** Write C; the C that was there becomes C.old.  A crash at any moment leaves one of both whole.
 *  \return CHGNET_OK; CHGNET_EIO, and then C is as it was; CHGNET_ENOMEM */
chgnet_status chgi_restart_write(chgnet_context *ctx, const char *path, chgi_restart *checkpoint);
/** Write C and remove C.old: a run begins, and an older run's state must not be taken for its own. */
chgnet_status chgi_restart_write_first(chgnet_context *ctx, const char *path, chgi_restart *checkpoint);

/* ---- reading ---------------------------------------------------------------------------------- */

/** Whether there is a file C or C.old. */
bool chgi_restart_exists(const char *path);

/** Read C, or C.old with a warning, which then becomes C.
 *  \param[out] checkpoint  zeroed before
 *  \return CHGNET_OK; CHGNET_EINPUT when neither is there and whole, or it is of another kind; CHGNET_EIO,
 *          CHGNET_ENOMEM.  The error text begins with the path. */
chgnet_status chgi_restart_read(chgnet_context *ctx, const char *path, const char *kind, chgi_restart *checkpoint);

/* Values by name.  \return CHGNET_OK; CHGNET_EINPUT when there is none of this name and type */

/** \param[out] values  inside the checkpoint, unaligned: copy them */
chgnet_status chgi_restart_find_doubles(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                        size_t *count, const void **values);
chgnet_status chgi_restart_get_doubles(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                       size_t count, double *values);
chgnet_status chgi_restart_get_int(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                   int64_t *value);
/** \param[out] text  inside the checkpoint, ends in NUL */
chgnet_status chgi_restart_get_text(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                    const char **text);

#endif
