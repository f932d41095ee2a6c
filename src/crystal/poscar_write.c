/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "crystal/writer.h"

/* Atoms i..end-1 are of one element. */
static int64_t end_of_run(const chgi_structure *structure, int64_t i)
{
    int64_t end = i + 1;
    while (end < structure->n_atom && structure->numbers[end] == structure->numbers[i])
        end++;
    return end;
}

/* The comment line holds the symbols too: readers of version 4 look for them there. */
static void print_head(chgi_text *text, const chgi_structure *structure)
{
    const int64_t n = structure->n_atom;
    for (int64_t i = 0; i < n; i = end_of_run(structure, i))
        chgi_text_print(text, "%s%s", i > 0 ? " " : "", chgi_element_symbol(structure->numbers[i]));
    chgi_text_print(text, "\n1.0\n");
    for (int i = 0; i < 9; i++) {
        chgi_text_append(text, " ", 1);
        chgi_text_number(text, structure->cell[i / 3][i % 3]);
        chgi_text_append(text, "\n", i % 3 == 2 ? 1 : 0);
    }
    for (int64_t i = 0; i < n; i = end_of_run(structure, i))
        chgi_text_print(text, " %s", chgi_element_symbol(structure->numbers[i]));
    chgi_text_append(text, "\n", 1);
    for (int64_t i = 0; i < n; i = end_of_run(structure, i))
        chgi_text_print(text, " %lld", (long long)(end_of_run(structure, i) - i));
    chgi_text_append(text, "\n", 1);
}

/* Flags for x, y, z mean the same for the cell vectors where the free vectors span just the free axes. */
static chgnet_status check_mask(chgnet_context *ctx, const chgi_structure *structure)
{
    for (int64_t atom = 0; structure->move_mask && !structure->mask_direct && atom < structure->n_atom; atom++)
        for (int i = 0; i < 9; i++) {
            const bool *free = &structure->move_mask[3 * atom];
            double along = structure->cell[i / 3][i % 3], length = structure->cell[i / 3][i / 3];
            if (free[i / 3] && !free[i % 3] && fabs(along) > 1e-9 * fabs(length))
                return chgi_context_fail(ctx, CHGNET_EINPUT,
                                         "atom %lld is fixed along x, y or z, but a POSCAR can fix along cell vectors "
                                         "only; write extended XYZ",
                                         (long long)atom + 1);
        }
    return CHGNET_OK;
}

static void print_atom(chgi_text *text, const chgi_structure *structure, double inverse[3][3], int64_t atom)
{
    const double *x = &structure->positions[3 * atom];
    for (int k = 0; k < 3; k++) {
        chgi_text_append(text, " ", 1);
        chgi_text_number(text, x[0] * inverse[0][k] + x[1] * inverse[1][k] + x[2] * inverse[2][k]);
    }
    for (int k = 0; k < 3 && structure->move_mask; k++)
        chgi_text_append(text, structure->move_mask[3 * atom + k] ? " T" : " F", 2);
    chgi_text_append(text, "\n", 1);
}

chgnet_status chgi_poscar_write(chgnet_context *ctx, chgi_text *text, const chgi_structure *structure)
{
    double inverse[3][3];
    if (!chgi_structure_invert(structure->cell, inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "a POSCAR needs a cell with three independent vectors; write extended XYZ");
    CHGI_TRY(check_mask(ctx, structure));
    print_head(text, structure);
    chgi_text_print(text, "%sDirect\n", structure->move_mask ? "Selective dynamics\n" : "");
    for (int64_t atom = 0; atom < structure->n_atom; atom++)
        print_atom(text, structure, inverse, atom);
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}
