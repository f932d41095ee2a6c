/* Targets: files of structures.  What is read must be finite, and must come back when it is written and read again.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "crystal/cif.h"
#include "crystal/extxyz.h"
#include "crystal/poscar.h"
#include "crystal/writer.h"
#include "fuzz.h"
#include "task/label_file.h"

static void check(const chgi_structure *s)
{
    if (s->n_atom < 1)
        fuzz_broken("a structure has atoms");
    for (int64_t i = 0; i < s->n_atom; i++)
        if (s->numbers[i] < 1 || s->numbers[i] > CHGI_MAX_ELEMENT)
            fuzz_broken("atoms have elements");
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        if (!(fabs(s->positions[k]) <= 1e12)) /* a direct coordinate may be many cells away */
            fuzz_broken("positions are finite");
    for (int k = 0; k < 9; k++)
        if (!(fabs(s->cell[k / 3][k % 3]) <= CHGI_MAX_LENGTH))
            fuzz_broken("cells are finite");
}

/* Extended XYZ holds everything of a structure. */
static void write_and_read(chgnet_context *ctx, const chgi_structure *s)
{
    chgi_text text = {0};
    chgi_structure again = {0};
    bool got = false;
    if (chgi_extxyz_write(ctx, &text, s) != CHGNET_OK)
        fuzz_broken("what was read can be written");
    chgi_lines lines = {.ctx = ctx, .path = "again", .text = text.data, .length = text.length};
    if (chgi_extxyz_read(&lines, &again, &got) != CHGNET_OK || !got)
        fuzz_broken("what was written can be read");
    if (again.n_atom != s->n_atom || memcmp(again.numbers, s->numbers, (size_t)s->n_atom * sizeof *s->numbers) != 0 ||
        memcmp(again.pbc, s->pbc, sizeof s->pbc) != 0)
        fuzz_broken("what was written is read as it was");
    chgi_structure_destroy(&again);
    chgi_text_destroy(&text);
}

static void try_writers(chgnet_context *ctx, const chgi_structure *s)
{
    chgi_text text = {0};
    (void)chgi_poscar_write(ctx, &text, s); /* refused without a cell */
    chgi_text_clear(&text);
    (void)chgi_cif_write(ctx, &text, s);
    chgi_text_destroy(&text);
}

/* A label taken from the frame, which is moved into it. */
static void take_label(chgnet_context *ctx, chgi_structure *s)
{
    chgi_labelled labelled = {0};
    chgi_label_form form = chgi_label_form_default();
    form.mask = "mask";
    chgnet_status status = chgi_labelled_take(ctx, &form, CHGI_MAX_ELEMENT, s, &labelled);
    if (status != CHGNET_OK)
        fuzz_check_refusal(ctx, status);
    chgi_labelled_destroy(&labelled);
}

typedef enum format { POSCAR, CIF, EXTXYZ } format;

static chgnet_status read_next(format kind, chgi_lines *lines, chgi_structure *s, bool *got)
{
    long start;
    *got = false;
    if (kind == EXTXYZ)
        return chgi_extxyz_read(lines, s, got);
    if (kind == CIF)
        return chgi_cif_read(lines, s, got, &start);
    if (lines->offset > 0)
        return CHGNET_OK;
    *got = true;
    return chgi_poscar_read(lines, s);
}

/* As crystal/reader.c: frame by frame, also behind a bad one. */
static void read_all(format kind, const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    char *text = chgi_memory_raw(length + 1); /* readers are given a NUL behind the end */
    if (!text)
        fuzz_broken("no memory");
    memcpy(text, bytes, length);
    text[length] = '\0';
    chgi_lines lines = {.ctx = ctx, .path = "input", .text = text, .length = length};
    (void)chgi_poscar_recognise(&lines);
    (void)chgi_cif_recognise(&lines);
    for (bool got = true; got && !chgi_lines_at_end(&lines) && !memchr(text, '\0', length);) {
        chgi_structure s = {0};
        size_t before = lines.offset;
        chgnet_status status = read_next(kind, &lines, &s, &got);
        if (status != CHGNET_OK) {
            fuzz_check_refusal(ctx, status);
            if (s.n_atom != 0 || s.numbers)
                fuzz_broken("nothing is given out of a bad frame");
            got = lines.offset > before;
        } else if (got) {
            check(&s);
            write_and_read(ctx, &s);
            try_writers(ctx, &s);
            take_label(ctx, &s);
        }
        chgi_structure_destroy(&s);
    }
    chgi_memory_free(text);
    chgnet_context_destroy(ctx);
}

void fuzz_poscar(const uint8_t *bytes, size_t length)
{
    read_all(POSCAR, bytes, length);
}

void fuzz_cif(const uint8_t *bytes, size_t length)
{
    read_all(CIF, bytes, length);
}

void fuzz_extxyz(const uint8_t *bytes, size_t length)
{
    read_all(EXTXYZ, bytes, length);
}
