/* Reading a zip archive that lies in memory, by its central directory; nothing in it is trusted. */
#ifndef CHGI_STORE_ZIP_H
#define CHGI_STORE_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef struct chgi_zip_entry {
    char *name;
    size_t start; /**< of the local header in the archive */
    size_t data;  /**< of the (compressed) bytes in the archive */
    size_t compressed;
    size_t size; /**< when expanded */
    uint32_t crc;
    bool deflated; /**< else stored */
} chgi_zip_entry;

typedef struct chgi_zip {
    const uint8_t *bytes; /**< (length) of the caller; must outlive this */
    size_t length;
    chgi_zip_entry *entries; /**< (n_entry) in the order of names */
    size_t n_entry;
    size_t budget; /**< bytes that may still be expanded: bounds the work that a small archive can cause */
} chgi_zip;

/** Read and check the directory.  Refused: entries that overlap, share a name or reach beyond the archive, local
 * headers that disagree with the directory, encryption, several disks, zip64 sizes, methods other than stored and
 * deflated. \param[out] zip  zero on failure \return CHGNET_OK; CHGNET_EINPUT; CHGNET_ENOMEM */
chgnet_status chgi_zip_open(chgnet_context *ctx, const void *bytes, size_t length, chgi_zip *zip);
void chgi_zip_close(chgi_zip *zip);

/** An entry by name; NULL when there is none. */
const chgi_zip_entry *chgi_zip_find(const chgi_zip *zip, const char *name);

/** Expand an entry and check its CRC-32.
 *  \param[out] data  (entry->size) bytes, freed by chgi_memory_free
 *  \return CHGNET_OK; CHGNET_EINPUT when it is damaged or expands beyond the archive's budget; CHGNET_ENOMEM */
chgnet_status chgi_zip_read(chgnet_context *ctx, chgi_zip *zip, const chgi_zip_entry *entry, uint8_t **data);

#endif
