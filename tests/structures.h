/* What the tests of structure files share: write a text to a file, read its frames, compare errors.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef TEST_STRUCTURES_H
#define TEST_STRUCTURES_H

#include <unistd.h>

#include "crystal/reader.h"
#include "crystal/writer.h"
#include "tap.h"

static chgnet_context *ctx;

TAP_UNUSED static void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        tap_bail("cannot write a temporary file");
}

/* The first frame of a file. */
TAP_UNUSED static chgnet_status read_path(const char *path, chgi_structure *structure)
{
    chgi_reader *reader;
    bool got;
    *structure = (chgi_structure){0};
    chgnet_status status = chgi_reader_open(ctx, path, &reader);
    if (status != CHGNET_OK)
        return status;
    status = chgi_reader_next(reader, structure, &got);
    chgi_reader_destroy(reader);
    return status == CHGNET_OK && !got ? CHGNET_EINTERNAL : status;
}

/* The first frame of a text under a file name; the file is removed again. */
TAP_UNUSED static chgnet_status read_text(const char *name, const char *text, chgi_structure *structure)
{
    write_bytes(name, text, strlen(text));
    chgnet_status status = read_path(name, structure);
    unlink(name);
    return status;
}

TAP_UNUSED static bool is_read(const char *name, const char *text, chgi_structure *structure, const char *what)
{
    chgnet_status status = read_text(name, text, structure);
    bool ok = tap_ok(status == CHGNET_OK, "%s is read", what);
    if (!ok)
        tap_note("%s", chgnet_context_error(ctx));
    return ok;
}

/* The error must begin with "name:line: ", contain `words` and say what would be right; nothing may be given out. */
TAP_UNUSED static void is_refused(const char *name, const char *text, long line, const char *words)
{
    chgi_structure structure;
    char start[128];
    snprintf(start, sizeof start, "%s:%ld: ", name, line);
    chgnet_status status = read_text(name, text, &structure);
    const char *error = chgnet_context_error(ctx);
    bool ok = tap_ok(status == CHGNET_EINPUT && strncmp(error, start, strlen(start)) == 0 && strstr(error, words) &&
                         strstr(error, "; ") && structure.n_atom == 0 && structure.numbers == NULL,
                     "refused at line %ld: %s", line, words);
    if (!ok)
        tap_note("status %d, got: %s", (int)status, error);
    chgi_structure_destroy(&structure);
}

TAP_UNUSED static void same_positions(const chgi_structure *structure, const double *want, double tolerance,
                                      const char *name)
{
    double error = 0;
    for (int64_t i = 0; i < 3 * structure->n_atom; i++)
        error = fmax(error, fabs(structure->positions[i] - want[i]));
    tap_near(error, 0, tolerance, name);
}

/* Numbers, cell, pbc equal; positions within the tolerance. */
TAP_UNUSED static void same_structure(const chgi_structure *a, const chgi_structure *b, double tolerance,
                                      const char *name)
{
    if (!tap_ok(a->n_atom == b->n_atom && memcmp(a->numbers, b->numbers, (size_t)a->n_atom * 4) == 0 &&
                    memcmp(a->pbc, b->pbc, sizeof a->pbc) == 0,
                "%s: same atoms and pbc", name))
        return;
    double error = 0;
    for (int i = 0; i < 9; i++)
        error = fmax(error, fabs(a->cell[i / 3][i % 3] - b->cell[i / 3][i % 3]));
    tap_ok(error <= tolerance, "%s: same cell", name);
    same_positions(a, b->positions, tolerance, name);
}

/* "TTF" for each atom, in a row. */
TAP_UNUSED static void mask_is(const chgi_structure *structure, const char *want, const char *name)
{
    char got[64] = "";
    for (int64_t i = 0; structure->move_mask && i < 3 * structure->n_atom && i < 60; i++)
        got[i] = structure->move_mask[i] ? 'T' : 'F';
    tap_is_text(got, want, name);
}

#endif
