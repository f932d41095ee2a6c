/* Growable text, and numbers that are read and written alike in every locale. */
#ifndef CHGI_BASE_TEXT_H
#define CHGI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef struct chgi_text {
    char *data;    /**< always ends in NUL once something was added */
    size_t length; /**< without the NUL */
    size_t capacity;
    bool failed; /**< out of memory: later additions do nothing; check once at the end */
} chgi_text;

/** Append formatted text; the decimal sign is a point in every locale. */
void chgi_text_print(chgi_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void chgi_text_append(chgi_text *text, const char *bytes, size_t length);
/** Append a double with as few digits as read back the same; "nan", "inf" and "-inf" where it is not finite. */
void chgi_text_number(chgi_text *text, double value);
void chgi_text_clear(chgi_text *text);
void chgi_text_destroy(chgi_text *text);

/** Read a whole field as a finite or non-finite double.  \return false unless all of `field` (length bytes) is a number
 */
bool chgi_text_to_double(const char *field, size_t length, double *value);
/** Read a whole field as a decimal integer.  \return false unless all of `field` is one that fits */
bool chgi_text_to_int(const char *field, size_t length, int64_t *value);

/** The one of `names` (n) that is spelt most like `name`; NULL when none is near. */
const char *chgi_text_nearest(const char *name, const char *const *names, int n);

#endif
