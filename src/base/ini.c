/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum { MOST_NAMES = 128, MOST_ENTRIES = 4096 };

typedef struct entry {
    const char *section, *key, *value;
    long line;
} entry;

struct chgi_ini {
    char *path;
    char *text; /* cut into the entries' texts */
    entry *entries;
    size_t n_entry, capacity;
};

static chgnet_status fail_at(chgnet_context *ctx, const chgi_ini *ini, long line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static chgnet_status fail_with(chgnet_context *ctx, const chgi_ini *ini, long line, const char *format, va_list list)
    __attribute__((format(printf, 4, 0)));

static chgnet_status fail_with(chgnet_context *ctx, const chgi_ini *ini, long line, const char *format, va_list list)
{
    char text[600];
    vsnprintf(text, sizeof text, format, list);
    chgi_context_fail(ctx, CHGNET_EINPUT, "%s", text);
    chgi_context_locate(ctx, ini->path, line);
    return CHGNET_EINPUT;
}

static chgnet_status fail_at(chgnet_context *ctx, const chgi_ini *ini, long line, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    chgnet_status status = fail_with(ctx, ini, line, format, list);
    va_end(list);
    return status;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *text)
{
    while (is_blank(*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1]))
        text[--length] = 0;
    return text;
}

static void cut_comment(char *line)
{
    for (char *c = line; *c; c++)
        if ((*c == '#' || *c == ';') && (c == line || is_blank(c[-1]))) {
            *c = 0;
            return;
        }
}

static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    return *text && text[strspn(text, letters)] == 0;
}

static const entry *find(const chgi_ini *ini, const char *section, const char *key)
{
    for (size_t i = 0; i < ini->n_entry; i++)
        if (strcmp(ini->entries[i].section, section) == 0 && strcmp(ini->entries[i].key, key) == 0)
            return &ini->entries[i];
    return NULL;
}

static chgnet_status take_section(chgnet_context *ctx, const chgi_ini *ini, char *text, long line, const char **section)
{
    char *end = strchr(text, ']');
    if (!end || end[1])
        return fail_at(ctx, ini, line, "a section is one name in brackets, such as [search]");
    *end = 0;
    *section = trim(text + 1);
    if (!is_name(*section))
        return fail_at(ctx, ini, line, "'%.60s' is no name of a section; use a-z, 0-9, - and _", *section);
    return CHGNET_OK;
}

static chgnet_status take_entry(chgnet_context *ctx, chgi_ini *ini, char *text, long line, const char *section)
{
    char *equals = strchr(text, '=');
    if (!equals)
        return fail_at(ctx, ini, line, "'%.60s' is neither [section] nor `key = value`", text);
    if (!section)
        return fail_at(ctx, ini, line, "a key before the first [section]");
    *equals = 0;
    entry e = {section, trim(text), trim(equals + 1), line};
    if (!is_name(e.key))
        return fail_at(ctx, ini, line, "'%.60s' is no key; use a-z, 0-9, - and _", e.key);
    if (!*e.value)
        return fail_at(ctx, ini, line, "%s has no value; give one or leave the line out", e.key);
    const entry *before = find(ini, section, e.key);
    if (before)
        return fail_at(ctx, ini, line, "%s stands twice in [%s], first in line %ld; keep one", e.key, section,
                       before->line);
    if (ini->n_entry == MOST_ENTRIES) /* each is compared with all before it */
        return fail_at(ctx, ini, line, "more than %d keys; this is no configuration", MOST_ENTRIES);
    CHGI_TRY(chgi_memory_grow(ctx, &ini->entries, &ini->capacity, ini->n_entry + 1, sizeof *ini->entries));
    ini->entries[ini->n_entry++] = e;
    return CHGNET_OK;
}

static chgnet_status cut(chgnet_context *ctx, chgi_ini *ini)
{
    const char *section = NULL;
    char *rest = ini->text;
    for (long line = 1; rest; line++) {
        char *end = strchr(rest, '\n'), *text = rest;
        rest = end ? end + 1 : NULL;
        if (end)
            *end = 0;
        cut_comment(text);
        text = trim(text);
        if (*text == '[')
            CHGI_TRY(take_section(ctx, ini, text, line, &section));
        else if (*text)
            CHGI_TRY(take_entry(ctx, ini, text, line, section));
    }
    return CHGNET_OK;
}

chgnet_status chgi_ini_read(chgnet_context *ctx, const char *path, chgi_ini **ini)
{
    size_t length;
    chgi_ini *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    made->path = chgi_memory_copy_text(path);
    chgnet_status status =
        made->path ? chgi_file_read(ctx, path, &made->text, &length) : chgi_context_nomem(ctx, strlen(path) + 1, 1);
    if (status == CHGNET_OK && strlen(made->text) != length)
        status = fail_at(ctx, made, 0, "this is no text: it holds a zero byte");
    if (status == CHGNET_OK)
        status = cut(ctx, made);
    if (status == CHGNET_OK)
        *ini = made;
    else
        chgi_ini_destroy(made);
    return status;
}

void chgi_ini_destroy(chgi_ini *ini)
{
    if (!ini)
        return;
    chgi_memory_free(ini->path);
    chgi_memory_free(ini->text);
    chgi_memory_free(ini->entries);
    chgi_memory_free(ini);
}

/* ---- values ----------------------------------------------------------------------------------- */

static chgnet_status refuse_unknown(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *known, const entry *e)
{
    const char *keys[MOST_NAMES], *sections[MOST_NAMES];
    int n_key = 0, n_section = 0;
    for (const chgi_ini_key *k = known; k->key && n_section < MOST_NAMES; k++) {
        sections[n_section++] = k->section;
        if (strcmp(k->section, e->section) == 0)
            keys[n_key++] = k->key;
    }
    const char *near =
        n_key ? chgi_text_nearest(e->key, keys, n_key) : chgi_text_nearest(e->section, sections, n_section);
    const char *kind = n_key ? "key" : "section", *name = n_key ? e->key : e->section;
    if (near)
        return fail_at(ctx, ini, e->line, "unknown %s %.60s; did you mean %s?", kind, name, near);
    return fail_at(ctx, ini, e->line, "unknown %s %.60s", kind, name);
}

/* The place of a word in a list that blanks separate; -1 when it is not there. */
static int word_place(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (int place = 0; *words; place++) {
        size_t n = strcspn(words, " ");
        if (n == length && memcmp(words, word, n) == 0)
            return place;
        words += n + strspn(words + n, " ");
    }
    return -1;
}

static chgnet_status take_real(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *k, const entry *e,
                               double *value)
{
    double got;
    if (!chgi_text_to_double(e->value, strlen(e->value), &got) || !(got >= k->least && got <= k->most))
        return fail_at(ctx, ini, e->line, "%s = %.60s is wrong; give a number from %g to %g", e->key, e->value,
                       k->least, k->most);
    *value = got;
    return CHGNET_OK;
}

static chgnet_status take_count(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *k, const entry *e,
                                int64_t *value)
{
    int64_t got;
    if (!chgi_text_to_int(e->value, strlen(e->value), &got) || (double)got < k->least || (double)got > k->most)
        return fail_at(ctx, ini, e->line, "%s = %.60s is wrong; give a whole number from %.0f to %.0f", e->key,
                       e->value, k->least, k->most);
    *value = got;
    return CHGNET_OK;
}

static chgnet_status take_word(chgnet_context *ctx, const chgi_ini *ini, const char *words, const entry *e, int *place)
{
    *place = word_place(words, e->value);
    if (*place < 0)
        return fail_at(ctx, ini, e->line, "%s = %.60s is wrong; give one of: %s", e->key, e->value, words);
    return CHGNET_OK;
}

static chgnet_status take_value(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *k, const entry *e,
                                unsigned char *place)
{
    int word;
    switch (k->type) {
    case CHGI_INI_TEXT:
        memcpy(place, &e->value, sizeof e->value);
        return CHGNET_OK;
    case CHGI_INI_REAL:
        return take_real(ctx, ini, k, e, (double *)(void *)place);
    case CHGI_INI_COUNT:
        return take_count(ctx, ini, k, e, (int64_t *)(void *)place);
    case CHGI_INI_BOOL:
        CHGI_TRY(take_word(ctx, ini, "no yes false true", e, &word));
        *(bool *)place = word % 2 == 1;
        return CHGNET_OK;
    case CHGI_INI_CHOICE:
        return take_word(ctx, ini, k->words, e, (int *)(void *)place);
    default:
        return CHGNET_EINTERNAL;
    }
}

chgnet_status chgi_ini_take(chgnet_context *ctx, const chgi_ini *ini, const chgi_ini_key *known, void *values)
{
    for (size_t i = 0; i < ini->n_entry; i++) {
        const entry *e = &ini->entries[i];
        const chgi_ini_key *k = known;
        while (k->key && (strcmp(k->section, e->section) != 0 || strcmp(k->key, e->key) != 0))
            k++;
        if (!k->key)
            return refuse_unknown(ctx, ini, known, e);
        CHGI_TRY(take_value(ctx, ini, k, e, (unsigned char *)values + k->offset));
    }
    return CHGNET_OK;
}

long chgi_ini_line(const chgi_ini *ini, const char *section, const char *key)
{
    const entry *e = find(ini, section, key);
    return e ? e->line : 0;
}

chgnet_status chgi_ini_fail(chgnet_context *ctx, const chgi_ini *ini, const char *section, const char *key,
                            const char *format, ...)
{
    va_list list;
    va_start(list, format);
    chgnet_status status = fail_with(ctx, ini, chgi_ini_line(ini, section, key), format, list);
    va_end(list);
    return status;
}
