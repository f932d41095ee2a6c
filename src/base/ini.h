/* Configuration files: sections, and `key = value` lines.
 *
 * A comment begins with # or ; at the start of a line or after a blank.  Keys and sections are lower case letters,
 * digits, - and _.  A key stands once in its section.  Errors name file and line. */
#ifndef CHGI_BASE_INI_H
#define CHGI_BASE_INI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

typedef struct chgi_ini chgi_ini;

typedef enum chgi_ini_type {
    CHGI_INI_TEXT,  /**< const char *; lives as long as the chgi_ini */
    CHGI_INI_REAL,  /**< double */
    CHGI_INI_COUNT, /**< int64_t */
    CHGI_INI_BOOL,  /**< bool: yes, no, true, false */
    CHGI_INI_CHOICE /**< int: place of the word in `words` */
} chgi_ini_type;

/** One key that a program knows; a list of them ends with one without a key. */
typedef struct chgi_ini_key {
    const char *section, *key;
    chgi_ini_type type;
    size_t offset;      /**< of the value in the structure that chgi_ini_take fills */
    double least, most; /**< limits of numbers */
    const char *words;  /**< of a choice, separated by blanks */
} chgi_ini_key;

/** Read a file.  \return CHGNET_OK; CHGNET_EINPUT with file and line; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_ini_read(chgnet_context *ctx, const char *path, chgi_ini **ini);
void chgi_ini_destroy(chgi_ini *ini);

/** Fill a structure with the values that are there; the others stay as they are.
 *  \return CHGNET_OK; CHGNET_EINPUT for unknown sections and keys (with the nearest known one) and wrong values */
chgnet_status chgi_ini_take(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *known, void *values);

/** Line of a key; 0 when it is not there. */
long chgi_ini_line(const chgi_ini *ini, const char *section, const char *key);
/** Fail with CHGNET_EINPUT at the line of a key. */
chgnet_status chgi_ini_fail(chgnet_context *ctx, const chgi_ini *ini, const char *section, const char *key,
                            const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
