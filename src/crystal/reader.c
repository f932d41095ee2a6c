/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/reader.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "crystal/cif.h"
#include "crystal/extxyz.h"
#include "crystal/lines.h"
#include "crystal/poscar.h"

typedef enum format { FORMAT_UNKNOWN, FORMAT_EXTXYZ, FORMAT_POSCAR, FORMAT_CIF } format;

struct chgi_reader {
    char *path;
    char *data;
    chgi_lines lines;
    format format;
    long line;       /* where the last frame began */
    int64_t n_frame; /* that were found, good or bad */
};

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && chgi_span_resembles((chgi_span){name + n - m, m}, suffix);
}

static bool begins_with(const char *name, const char *prefix)
{
    size_t m = strlen(prefix);
    return strlen(name) >= m && chgi_span_resembles((chgi_span){name, m}, prefix);
}

static format format_by_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strcmp(path, "-") == 0 || ends_with(name, ".xyz") || ends_with(name, ".extxyz"))
        return FORMAT_EXTXYZ;
    if (ends_with(name, ".cif") || ends_with(name, ".mcif"))
        return FORMAT_CIF;
    if (begins_with(name, "POSCAR") || begins_with(name, "CONTCAR") || ends_with(name, ".vasp") ||
        ends_with(name, ".poscar") || ends_with(name, ".contcar"))
        return FORMAT_POSCAR;
    return FORMAT_UNKNOWN;
}

/* A lone number of atoms, and a third line that begins with a word or has a comment with keys before it. */
static bool looks_like_extxyz(const chgi_lines *lines)
{
    chgi_lines ahead = *lines;
    chgi_span line, field;
    if (!chgi_lines_next(&ahead, &line) || chgi_span_count_fields(line) != 1)
        return false;
    chgi_span_field(&line, &field);
    for (size_t i = 0; i < field.length; i++)
        if (!strchr("0123456789", field.text[i]))
            return false;
    if (!chgi_lines_next(&ahead, &line))
        return false;
    if (memchr(line.text, '=', line.length))
        return true;
    return chgi_lines_next(&ahead, &line) && chgi_span_field(&line, &field) && !strchr("+-.0123456789", field.text[0]);
}

static format format_by_content(const chgi_lines *lines)
{
    if (chgi_poscar_recognise(lines))
        return FORMAT_POSCAR;
    if (chgi_cif_recognise(lines))
        return FORMAT_CIF;
    return looks_like_extxyz(lines) ? FORMAT_EXTXYZ : FORMAT_UNKNOWN;
}

static long line_of(const char *data, const char *place)
{
    long line = 1;
    for (; data < place; data++)
        line += *data == '\n';
    return line;
}

static chgnet_status check_content(chgi_lines *lines)
{
    if (lines->length >= 3 && memcmp(lines->text, "\xef\xbb\xbf", 3) == 0)
        lines->offset = 3; /* byte order mark */
    const char *zero = memchr(lines->text, '\0', lines->length);
    if (zero)
        return chgi_lines_fail(lines, line_of(lines->text, zero),
                               "a binary file; a POSCAR, CIF or extended XYZ is text");
    for (size_t i = lines->offset; i < lines->length; i++)
        if (!strchr(" \t\r\n", lines->text[i]))
            return CHGNET_OK;
    return chgi_lines_fail(lines, 1, "the file is empty; a POSCAR, CIF or extended XYZ is needed");
}

static chgnet_status recognise(chgi_reader *reader)
{
    CHGI_TRY(check_content(&reader->lines));
    reader->format = FORMAT_EXTXYZ;
    if (strcmp(reader->path, "-") == 0)
        return CHGNET_OK;
    reader->format = format_by_content(&reader->lines);
    if (reader->format == FORMAT_UNKNOWN)
        reader->format = format_by_name(reader->path);
    if (reader->format == FORMAT_UNKNOWN)
        return chgi_lines_fail(&reader->lines, 1,
                               "not recognised by content or name; a POSCAR, CIF or extended XYZ is needed");
    return CHGNET_OK;
}

chgnet_status chgi_reader_open(chgnet_context *ctx, const char *path, chgi_reader **reader)
{
    chgnet_status status;
    size_t length;
    *reader = chgi_memory_new(1, sizeof **reader);
    if (!*reader)
        return chgi_context_nomem(ctx, 1, sizeof **reader);
    (*reader)->path = chgi_memory_copy_text(path);
    if (!(*reader)->path) {
        status = chgi_context_nomem(ctx, strlen(path) + 1, 1);
        goto cleanup;
    }
    CHGI_TRY_CLEANUP(chgi_file_read(ctx, path, &(*reader)->data, &length));
    (*reader)->lines = (chgi_lines){.ctx = ctx, .path = (*reader)->path, .text = (*reader)->data, .length = length};
    CHGI_TRY_CLEANUP(recognise(*reader));
    return CHGNET_OK;
cleanup:
    chgi_reader_destroy(*reader);
    *reader = NULL;
    return status;
}

static chgnet_status read_frame(chgi_reader *reader, chgi_structure *structure, bool *got)
{
    switch (reader->format) {
    case FORMAT_POSCAR:
        CHGI_TRY(chgi_poscar_read(&reader->lines, structure));
        *got = true;
        return CHGNET_OK;
    case FORMAT_CIF:
        return chgi_cif_read(&reader->lines, structure, got, &reader->line);
    default:
        return chgi_extxyz_read(&reader->lines, structure, got);
    }
}

chgnet_status chgi_reader_next(chgi_reader *reader, chgi_structure *structure, bool *got)
{
    *structure = (chgi_structure){0};
    *got = false;
    if (chgi_reader_at_end(reader))
        return CHGNET_OK;
    reader->line = reader->lines.line + 1;
    chgnet_status status = read_frame(reader, structure, got);
    if (status == CHGNET_OK && !*got && reader->n_frame == 0)
        status = chgi_lines_fail(&reader->lines, reader->lines.line,
                                 "no structure in this file; at least one with atoms is needed");
    if (*got || status != CHGNET_OK)
        reader->n_frame++;
    return status;
}

bool chgi_reader_at_end(const chgi_reader *reader)
{
    return chgi_lines_at_end(&reader->lines);
}

double chgi_reader_share(const chgi_reader *reader)
{
    return (double)reader->lines.offset / (double)reader->lines.length; /* an empty file was refused */
}

long chgi_reader_line(const chgi_reader *reader)
{
    return reader->line;
}

const char *chgi_reader_path(const chgi_reader *reader)
{
    return reader->path;
}

void chgi_reader_destroy(chgi_reader *reader)
{
    if (!reader)
        return;
    chgi_memory_free(reader->path);
    chgi_memory_free(reader->data);
    chgi_memory_free(reader);
}
