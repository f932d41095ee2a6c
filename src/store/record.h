/* Files whose reader and writer are one function: it names each value once, and a record either writes or reads it.
 *
 * Every value also goes into a SHA-256: name, a zero byte, the number of values as int64, and the values, all
 * little-endian.  The sum stands in the root attribute `content_sha256` and is compared when the file is read. */
#ifndef CHGI_STORE_RECORD_H
#define CHGI_STORE_RECORD_H

#include "store/h5.h"
#include "store/sha256.h"

typedef struct chgi_record {
    chgnet_context *ctx;
    chgi_h5 *file;
    bool writing;
    chgi_sha256 sha;
} chgi_record;

/** A record to be written. */
chgnet_status chgi_record_create(chgnet_context *ctx, chgi_record *record);
/** A record to be read from a file.  \param[in] what a file of this kind is called in errors, such as "delta-model"
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM; the text begins with the path */
chgnet_status chgi_record_open(chgnet_context *ctx, const char *path, const char *what, chgi_record *record);
/** Write the file: whole or not at all.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM, CHGNET_EINTERNAL */
chgnet_status chgi_record_save(chgi_record *record, const char *path);
/** Compare the sum after all was read.  \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_record_check(chgi_record *record);
void chgi_record_close(chgi_record *record);

/** A group of that name is there from now on (written), or must be there (read). */
chgnet_status chgi_record_group(chgi_record *record, const char *group);

/* Attributes of a group. */
chgnet_status chgi_record_int(chgi_record *record, const char *group, const char *name, int64_t least, int64_t most,
                              int64_t *value);
/** Must be finite. */
chgnet_status chgi_record_double(chgi_record *record, const char *group, const char *name, double *value);
/** Read: freed by chgi_memory_free.  Written: NULL stands for "". */
chgnet_status chgi_record_text(chgi_record *record, const char *group, const char *name, char **text);

/** An array.
 *  \param[in]     shape  (rank) as it must be
 *  \param[in,out] data   points to a pointer: the data to be written, or where the new array goes (chgi_memory_free)
 *  \return CHGNET_OK; CHGNET_EINPUT for another type or shape, or a number that is not finite */
chgnet_status chgi_record_array(chgi_record *record, const char *group, const char *name, chgi_h5_type type, int rank,
                                const int64_t *shape, void *data);

#endif
