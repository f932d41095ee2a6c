/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/cif_parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

typedef enum token_kind { TOKEN_END, TOKEN_DATA, TOKEN_LOOP, TOKEN_TAG, TOKEN_VALUE, TOKEN_RESERVED } token_kind;

typedef struct token {
    token_kind kind;
    chgi_cif_value value;
} token;

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static char here(const chgi_lines *at)
{
    return at->text[at->offset];
}

static bool done(const chgi_lines *at)
{
    return at->offset >= at->length;
}

static void step(chgi_lines *at)
{
    at->line += here(at) == '\n';
    at->offset++;
}

static void skip_blanks_and_comments(chgi_lines *at)
{
    while (!done(at)) {
        if (here(at) == '#')
            while (!done(at) && here(at) != '\n')
                step(at);
        else if (blank(here(at)))
            step(at);
        else
            return;
    }
}

/* Lines between two lines that begin with a semicolon. */
static chgnet_status take_text_field(chgi_lines *at, token *out)
{
    long opened = at->line + 1;
    size_t start = at->offset + 1;
    for (step(at); !done(at); step(at))
        if (here(at) == ';' && at->text[at->offset - 1] == '\n') {
            size_t end = at->offset - 1;
            if (end > start && at->text[end - 1] == '\r')
                end--;
            out->value.text = (chgi_span){at->text + start, end > start ? end - start : 0};
            step(at);
            return CHGNET_OK;
        }
    return chgi_lines_fail(at, opened,
                           "the text field that begins here is not closed; end it with a line that begins with ';'");
}

/* A quote ends only where a blank follows: 'a dog's life' is one value. */
static chgnet_status take_quoted(chgi_lines *at, token *out)
{
    char quote = here(at);
    size_t start = at->offset + 1;
    for (step(at); !done(at) && here(at) != '\n'; step(at))
        if (here(at) == quote && (at->offset + 1 == at->length || blank(at->text[at->offset + 1]))) {
            out->value.text = (chgi_span){at->text + start, at->offset - start};
            step(at);
            return CHGNET_OK;
        }
    return chgi_lines_fail(at, out->value.line,
                           "a quote is not closed on its line: %.*s; end it with the same mark and a blank",
                           CHGI_SPAN(((chgi_span){at->text + start - 1, at->offset - start + 1})));
}

static bool begins_with(chgi_span word, const char *start)
{
    size_t n = strlen(start);
    return word.length >= n && chgi_span_resembles((chgi_span){word.text, n}, start);
}

static token_kind kind_of(chgi_span word)
{
    if (word.text[0] == '_')
        return TOKEN_TAG;
    if (begins_with(word, "data_"))
        return TOKEN_DATA;
    if (chgi_span_resembles(word, "loop_"))
        return TOKEN_LOOP;
    if (begins_with(word, "save_") || chgi_span_resembles(word, "stop_") || chgi_span_resembles(word, "global_"))
        return TOKEN_RESERVED;
    return TOKEN_VALUE;
}

static chgnet_status take_token(chgi_lines *at, token *out)
{
    *out = (token){.kind = TOKEN_END};
    skip_blanks_and_comments(at);
    out->value.line = at->line + 1;
    if (done(at))
        return CHGNET_OK;
    size_t start = at->offset;
    bool at_line_start = start == 0 || at->text[start - 1] == '\n';
    bool text_field = here(at) == ';' && at_line_start;
    if (text_field || here(at) == '\'' || here(at) == '"') {
        out->kind = TOKEN_VALUE;
        out->value.quoted = true;
        return text_field ? take_text_field(at, out) : take_quoted(at, out);
    }
    while (!done(at) && !blank(here(at)))
        step(at);
    out->value.text = (chgi_span){at->text + start, at->offset - start};
    out->kind = kind_of(out->value.text);
    if (out->kind == TOKEN_RESERVED)
        return chgi_lines_fail(at, out->value.line,
                               "'%.*s' has no place in a CIF with structures; tags, loop_ and data_ have",
                               CHGI_SPAN(out->value.text));
    return CHGNET_OK;
}

static chgnet_status add_value(chgi_lines *at, chgi_cif_block *block, const chgi_cif_value *value)
{
    CHGI_TRY(chgi_memory_grow(at->ctx, &block->values, &block->value_capacity, (size_t)block->n_value + 1,
                              sizeof *block->values));
    block->values[block->n_value++] = *value;
    return CHGNET_OK;
}

static chgnet_status add_item(chgi_lines *at, chgi_cif_block *block, const chgi_cif_value *tag)
{
    CHGI_TRY(chgi_memory_grow(at->ctx, &block->items, &block->item_capacity, (size_t)block->n_item + 1,
                              sizeof *block->items));
    block->items[block->n_item++] =
        (chgi_cif_item){.tag = tag->text, .line = tag->line, .first = block->n_value, .stride = 1, .count = 1};
    return CHGNET_OK;
}

static chgnet_status take_item(chgi_lines *at, chgi_cif_block *block, const chgi_cif_value *tag)
{
    token value;
    CHGI_TRY(add_item(at, block, tag));
    CHGI_TRY(take_token(at, &value));
    if (value.kind != TOKEN_VALUE)
        return chgi_lines_fail(at, tag->line, "%.*s has no value; give one, or ? where it is unknown",
                               CHGI_SPAN(tag->text));
    return add_value(at, block, &value.value);
}

/* Look at the next token; what is wanted is taken, anything else is left where it is. */
static chgnet_status take_if(chgi_lines *at, token_kind wanted, token *out)
{
    chgi_lines before = *at;
    CHGI_TRY(take_token(at, out));
    if (out->kind != wanted)
        *at = before;
    return CHGNET_OK;
}

static chgnet_status take_loop(chgi_lines *at, chgi_cif_block *block, long line)
{
    token next;
    int64_t first_item = block->n_item, first_value = block->n_value;
    CHGI_TRY(take_if(at, TOKEN_TAG, &next));
    while (next.kind == TOKEN_TAG) {
        CHGI_TRY(add_item(at, block, &next.value));
        CHGI_TRY(take_if(at, TOKEN_TAG, &next));
    }
    CHGI_TRY(take_if(at, TOKEN_VALUE, &next));
    while (next.kind == TOKEN_VALUE) {
        CHGI_TRY(add_value(at, block, &next.value));
        CHGI_TRY(take_if(at, TOKEN_VALUE, &next));
    }
    int64_t n_tag = block->n_item - first_item, n_value = block->n_value - first_value;
    if (n_tag == 0)
        return chgi_lines_fail(at, line, "a loop without tags; names that begin with _ follow loop_");
    if (n_value == 0 || n_value % n_tag != 0)
        return chgi_lines_fail(
            at, line, "the loop that begins here has %lld tags but %lld values; give every row a value for each tag",
            (long long)n_tag, (long long)n_value);
    for (int64_t i = 0; i < n_tag; i++) {
        chgi_cif_item *item = &block->items[first_item + i];
        item->first = first_value + i;
        item->stride = n_tag;
        item->count = n_value / n_tag;
    }
    return CHGNET_OK;
}

static char plain(char c)
{
    return c == '.' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_tags(chgi_span a, chgi_span b)
{
    size_t n = a.length < b.length ? a.length : b.length;
    for (size_t i = 0; i < n; i++)
        if (plain(a.text[i]) != plain(b.text[i]))
            return plain(a.text[i]) < plain(b.text[i]) ? -1 : 1;
    return (a.length > b.length) - (a.length < b.length);
}

static int compare_items(const void *a, const void *b)
{
    const chgi_cif_item *x = a, *y = b;
    int order = compare_tags(x->tag, y->tag);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static chgnet_status sort_items(chgi_lines *at, chgi_cif_block *block)
{
    if (block->n_item > 1)
        qsort(block->items, (size_t)block->n_item, sizeof *block->items, compare_items);
    for (int64_t i = 1; i < block->n_item; i++)
        if (compare_tags(block->items[i - 1].tag, block->items[i].tag) == 0)
            return chgi_lines_fail(at, block->items[i].line, "%.*s is given twice in this data block; keep one",
                                   CHGI_SPAN(block->items[i].tag));
    return CHGNET_OK;
}

static chgnet_status take_block(chgi_lines *at, chgi_cif_block *block)
{
    for (;;) {
        token next;
        chgi_lines before = *at;
        CHGI_TRY(take_token(at, &next));
        switch (next.kind) {
        case TOKEN_TAG:
            CHGI_TRY(take_item(at, block, &next.value));
            break;
        case TOKEN_LOOP:
            CHGI_TRY(take_loop(at, block, next.value.line));
            break;
        case TOKEN_VALUE:
            return chgi_lines_fail(at, next.value.line, "'%.*s' has no tag; a tag, loop_ or data_ is expected here",
                                   CHGI_SPAN(next.value.text));
        default:
            *at = before;
            skip_blanks_and_comments(at);
            return sort_items(at, block);
        }
    }
}

chgnet_status chgi_cif_parse(chgi_lines *lines, chgi_cif_block *block, bool *got)
{
    token next;
    *block = (chgi_cif_block){0};
    *got = false;
    chgnet_status status = take_token(lines, &next);
    if (status == CHGNET_OK && next.kind == TOKEN_DATA) {
        block->name = (chgi_span){next.value.text.text + 5, next.value.text.length - 5};
        block->line = next.value.line;
        *got = true;
        status = take_block(lines, block);
    } else if (status == CHGNET_OK && next.kind != TOKEN_END)
        status =
            chgi_lines_fail(lines, next.value.line, "'%.*s' stands before any data block; a CIF begins with data_NAME",
                            CHGI_SPAN(next.value.text));
    if (status != CHGNET_OK)
        lines->offset = lines->length;
    return status;
}

void chgi_cif_block_destroy(chgi_cif_block *block)
{
    chgi_memory_free(block->values);
    chgi_memory_free(block->items);
    *block = (chgi_cif_block){0};
}

const chgi_cif_item *chgi_cif_find(const chgi_cif_block *block, const char *tag)
{
    chgi_span wanted = {tag, strlen(tag)};
    int64_t low = 0, high = block->n_item;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = compare_tags(block->items[middle].tag, wanted);
        if (order == 0)
            return &block->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const chgi_cif_value *chgi_cif_get(const chgi_cif_block *block, const chgi_cif_item *item, int64_t k)
{
    return &block->values[item->first + k * item->stride];
}

bool chgi_cif_is_unknown(const chgi_cif_value *value)
{
    return !value->quoted && (chgi_span_equals(value->text, "?") || chgi_span_equals(value->text, "."));
}

bool chgi_cif_to_number(const chgi_cif_value *value, double *number)
{
    chgi_span text = value->text;
    if (text.length > 2 && text.text[text.length - 1] == ')') {
        size_t i = text.length - 1;
        while (i > 0 && text.text[i - 1] >= '0' && text.text[i - 1] <= '9')
            i--;
        if (i == 0 || i == text.length - 1 || text.text[i - 1] != '(')
            return false;
        text.length = i - 1;
    }
    return chgi_text_to_double(text.text, text.length, number) && isfinite(*number);
}
