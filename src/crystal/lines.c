/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/lines.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool chgi_lines_at_end(const chgi_lines *lines)
{
    return lines->offset >= lines->length;
}

bool chgi_lines_next(chgi_lines *lines, chgi_span *line)
{
    if (chgi_lines_at_end(lines))
        return false;
    const char *start = lines->text + lines->offset;
    size_t left = lines->length - lines->offset;
    const char *end = memchr(start, '\n', left);
    size_t length = end ? (size_t)(end - start) : left;
    lines->offset += length + (end ? 1 : 0);
    lines->line++;
    if (length > 0 && start[length - 1] == '\r')
        length--;
    *line = (chgi_span){start, length};
    return true;
}

chgnet_status chgi_lines_fail(const chgi_lines *lines, long line, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chgi_context_fail(lines->ctx, CHGNET_EINPUT, "%s", text);
    chgi_context_locate(lines->ctx, lines->path, line);
    return CHGNET_EINPUT;
}

chgnet_status chgi_lines_locate(const chgi_lines *lines, long line, chgnet_status status)
{
    chgi_context_locate(lines->ctx, lines->path, line);
    return status;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

bool chgi_span_field(chgi_span *rest, chgi_span *field)
{
    size_t start = 0;
    while (start < rest->length && is_blank(rest->text[start]))
        start++;
    size_t end = start;
    while (end < rest->length && !is_blank(rest->text[end]))
        end++;
    *field = (chgi_span){rest->text + start, end - start};
    *rest = (chgi_span){rest->text + end, rest->length - end};
    return field->length > 0;
}

int64_t chgi_span_count_fields(chgi_span line)
{
    int64_t n = 0;
    chgi_span field;
    while (chgi_span_field(&line, &field))
        n++;
    return n;
}

bool chgi_span_equals(chgi_span span, const char *text)
{
    return strlen(text) == span.length && memcmp(span.text, text, span.length) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool chgi_span_resembles(chgi_span span, const char *text)
{
    if (strlen(text) != span.length)
        return false;
    for (size_t i = 0; i < span.length; i++)
        if (lower(span.text[i]) != lower(text[i]))
            return false;
    return true;
}

chgnet_status chgi_lines_length(const chgi_lines *lines, long line, chgi_span field, const char *what, double *value)
{
    if (!chgi_text_to_double(field.text, field.length, value))
        return chgi_lines_fail(lines, line, "%s '%.*s' is not a number; give it as 1.234", what, CHGI_SPAN(field));
    if (!isfinite(*value))
        return chgi_lines_fail(lines, line, "%s '%.*s' is not finite; give a number in Angstrom", what,
                               CHGI_SPAN(field));
    if (fabs(*value) > CHGI_MAX_LENGTH)
        return chgi_lines_fail(lines, line, "%s '%.*s' is too large; at most 1e6 A is possible", what,
                               CHGI_SPAN(field));
    return CHGNET_OK;
}

bool chgi_span_to_bool(chgi_span field, bool *value)
{
    static const char *const yes[] = {"T", "True", "true", "TRUE", "1"};
    static const char *const no[] = {"F", "False", "false", "FALSE", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        *value = chgi_span_equals(field, yes[i]);
        if (*value || chgi_span_equals(field, no[i]))
            return true;
    }
    return false;
}
