/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "crystal/extxyz.h"

typedef struct cursor {
    const chgi_lines *lines;
    chgi_span rest;
    chgi_text key, value;
} cursor;

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void advance(cursor *at, size_t n)
{
    at->rest.text += n;
    at->rest.length -= n;
}

static void skip_blanks(cursor *at)
{
    while (at->rest.length > 0 && blank(at->rest.text[0]))
        advance(at, 1);
}

static char closing(char open)
{
    switch (open) {
    case '"':
    case '\'':
        return open;
    case '{':
        return '}';
    case '[':
        return ']';
    default:
        return '\0';
    }
}

/* Inside a pair of quotes or brackets; brackets of the same kind may be nested and are then kept. */
static chgnet_status take_quoted(cursor *at, chgi_text *out)
{
    char open = at->rest.text[0], close = closing(open);
    chgi_span start = at->rest;
    int64_t depth = 1;
    advance(at, 1);
    while (at->rest.length > 0) {
        char c = at->rest.text[0];
        if (c == '\\' && at->rest.length > 1) {
            chgi_text_append(out, at->rest.text + 1, 1);
            advance(at, 2);
            continue;
        }
        if (c == close)
            depth--;
        else if (c == open)
            depth++;
        advance(at, 1);
        if (depth == 0)
            return CHGNET_OK;
        chgi_text_append(out, &c, 1);
    }
    return chgi_lines_fail(at->lines, at->lines->line, "%c is not closed in the comment line: %.*s; add %c", open,
                           CHGI_SPAN(start), close);
}

/* One word: bare characters and quoted parts, up to a blank (or an equals sign, in keys). */
static chgnet_status take_word(cursor *at, bool is_key, chgi_text *out)
{
    chgi_text_clear(out);
    while (at->rest.length > 0 && !blank(at->rest.text[0])) {
        char c = at->rest.text[0];
        if (is_key && c == '=')
            break;
        if (closing(c) != '\0') {
            CHGI_TRY(take_quoted(at, out));
            continue;
        }
        size_t skip = c == '\\' && at->rest.length > 1 ? 1 : 0;
        chgi_text_append(out, at->rest.text + skip, 1);
        advance(at, skip + 1);
    }
    chgi_text_append(out, "", 0);
    return out->failed ? chgi_context_nomem(at->lines->ctx, at->rest.length, 1) : CHGNET_OK;
}

static chgnet_status take_value(cursor *at)
{
    if (at->rest.length == 0 || at->rest.text[0] != '=') {
        chgi_text_clear(&at->value);
        chgi_text_append(&at->value, "T", 1);
        return at->value.failed ? chgi_context_nomem(at->lines->ctx, 1, 1) : CHGNET_OK;
    }
    advance(at, 1);
    size_t before = at->rest.length;
    skip_blanks(at);
    chgi_span start = at->rest;
    if (start.length == 0)
        return chgi_lines_fail(at->lines, at->lines->line, "key '%.60s' has no value after its '='; give one, or \"\"",
                               at->key.data);
    CHGI_TRY(take_word(at, false, &at->value));
    size_t used = start.length - at->rest.length;
    /* `a= b=c`: the value of a was forgotten, and b would be swallowed */
    if (before != start.length && closing(start.text[0]) == '\0' && memchr(start.text, '=', used))
        return chgi_lines_fail(at->lines, at->lines->line, "key '%.60s' has no value after its '='; give one, or \"\"",
                               at->key.data);
    return CHGNET_OK;
}

static chgnet_status store(cursor *at, chgi_structure *structure)
{
    const char *old = chgi_structure_info(structure, at->key.data);
    if (old && strcmp(old, at->value.data) != 0)
        return chgi_lines_fail(at->lines, at->lines->line, "key '%.60s' is given twice with different values; keep one",
                               at->key.data);
    if (old)
        return CHGNET_OK;
    if (structure->n_info >= CHGI_EXTXYZ_MAX_KEYS)
        return chgi_lines_fail(at->lines, at->lines->line, "more than %d keys in the comment line; leave out some",
                               CHGI_EXTXYZ_MAX_KEYS);
    return chgi_structure_set_info(at->lines->ctx, structure, at->key.data, at->value.data);
}

static chgnet_status take_pairs(cursor *at, chgi_structure *structure)
{
    for (skip_blanks(at); at->rest.length > 0; skip_blanks(at)) {
        CHGI_TRY(take_word(at, true, &at->key));
        if (at->key.length == 0)
            return chgi_lines_fail(at->lines, at->lines->line,
                                   "a key is missing in the comment line before %.*s; give key=value",
                                   CHGI_SPAN(at->rest));
        skip_blanks(at);
        CHGI_TRY(take_value(at));
        CHGI_TRY(store(at, structure));
    }
    return CHGNET_OK;
}

/* A plain XYZ file holds any text here, apostrophes included. */
static chgnet_status store_free_text(cursor *at, chgi_structure *structure)
{
    skip_blanks(at);
    while (at->rest.length > 0 && blank(at->rest.text[at->rest.length - 1]))
        at->rest.length--;
    if (at->rest.length == 0)
        return CHGNET_OK;
    chgi_text_append(&at->value, at->rest.text, at->rest.length);
    if (at->value.failed)
        return chgi_context_nomem(at->lines->ctx, at->rest.length, 1);
    return chgi_structure_set_info(at->lines->ctx, structure, "comment", at->value.data);
}

chgnet_status chgi_extxyz_read_comment(const chgi_lines *lines, chgi_span comment, chgi_structure *structure)
{
    cursor at = {.lines = lines, .rest = comment};
    chgnet_status status =
        memchr(comment.text, '=', comment.length) ? take_pairs(&at, structure) : store_free_text(&at, structure);
    chgi_text_destroy(&at.key);
    chgi_text_destroy(&at.value);
    return status;
}
