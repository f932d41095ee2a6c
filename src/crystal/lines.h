/* A text file line by line and field by field, with errors that name the place. */
#ifndef CHGI_CRYSTAL_LINES_H
#define CHGI_CRYSTAL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/context.h"
#include "crystal/structure.h"

/** A piece of the file; it does not end in NUL. */
typedef struct chgi_span {
    const char *text;
    size_t length;
} chgi_span;

/** A position in a text that is wholly in memory; copy it to remember a place. */
typedef struct chgi_lines {
    chgnet_context *ctx;
    const char *path; /**< for messages */
    const char *text;
    size_t length;
    size_t offset; /**< of the next line */
    long line;     /**< number of the line that was read last; 0 before the first */
} chgi_lines;

/** Step to the next line; `line` is without its end (LF or CR LF).  \return false at the end of the file */
bool chgi_lines_next(chgi_lines *lines, chgi_span *line);
bool chgi_lines_at_end(const chgi_lines *lines);

/** Fail with CHGNET_EINPUT and "PATH:LINE: text" in the context. */
chgnet_status chgi_lines_fail(const chgi_lines *lines, long line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Put "PATH:LINE: " before an error that is already in the context, and pass its status on. */
chgnet_status chgi_lines_locate(const chgi_lines *lines, long line, chgnet_status status);

/** Take the next field (separated by blanks and tabs) off the front of `rest`.  \return false when none is left */
bool chgi_span_field(chgi_span *rest, chgi_span *field);
int64_t chgi_span_count_fields(chgi_span line);
bool chgi_span_equals(chgi_span span, const char *text);
/** As chgi_span_equals, letters of either case alike. */
bool chgi_span_resembles(chgi_span span, const char *text);

/** Read a length or a coordinate: finite and at most CHGI_MAX_LENGTH; `what` names it in the error. */
chgnet_status chgi_lines_length(const chgi_lines *lines, long line, chgi_span field, const char *what, double *value);

/** T, F, True, False, 1, 0 in the usual spellings. */
bool chgi_span_to_bool(chgi_span field, bool *value);

/** The end of a printf argument list for "%.*s": long fields are cut. */
#define CHGI_SPAN(span) (int)((span).length > 60 ? 60 : (span).length), (span).text

#endif
