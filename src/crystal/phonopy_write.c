/* SPDX-License-Identifier: BSD-3-Clause */
#include "crystal/phonopy.h"

static chgnet_status write_cell(chgnet_context *ctx, chgi_text *text, const char *name, const chgi_structure *s)
{
    double inverse[3][3];
    if (!chgi_structure_invert(s->cell, inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    chgi_text_print(text, "\n%s:\n  lattice:\n", name);
    for (int k = 0; k < 3; k++)
        chgi_text_print(text, "  - [ %21.15f, %21.15f, %21.15f ] # %c\n", s->cell[k][0], s->cell[k][1], s->cell[k][2],
                        "abc"[k]);
    chgi_text_print(text, "  points:\n");
    for (int64_t i = 0; i < s->n_atom; i++) {
        const double *x = s->positions + 3 * i;
        double at[3];
        for (int c = 0; c < 3; c++)
            at[c] = x[0] * inverse[0][c] + x[1] * inverse[1][c] + x[2] * inverse[2][c];
        chgi_text_print(text, "  - symbol: %s # %lld\n    coordinates: [ %18.15f, %18.15f, %18.15f ]\n",
                        chgi_element_symbol(s->numbers[i]), (long long)i + 1, at[0], at[1], at[2]);
    }
    return CHGNET_OK;
}

chgnet_status chgi_phonopy_write_cells(chgnet_context *ctx, chgi_text *text, const chgi_structure *unit,
                                       const int matrix[3][3], const chgi_displaced *cells)
{
    chgi_text_print(text, "# Displaced cells of chgnet %s, for phonopy\n\nphysical_unit:\n  length: \"angstrom\"\n\n",
                    chgnet_version());
    chgi_text_print(text, "supercell_matrix:\n");
    for (int i = 0; i < 3; i++)
        chgi_text_print(text, "- [ %3d, %3d, %3d ]\n", matrix[i][0], matrix[i][1], matrix[i][2]);
    CHGI_TRY(write_cell(ctx, text, "unit_cell", unit));
    CHGI_TRY(write_cell(ctx, text, "supercell", &cells->supercell));
    chgi_text_print(text, "\ndisplacements:\n");
    for (int64_t k = 0; k < cells->n_displacement; k++) {
        const chgi_displacement *d = &cells->displacements[k];
        chgi_text_print(text, "- atom: %4d\n  displacement:\n    [ %20.16f, %20.16f, %20.16f ]\n", d->atom + 1,
                        d->vector[0], d->vector[1], d->vector[2]);
    }
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}

chgnet_status chgi_phonopy_write_forces(chgnet_context *ctx, chgi_text *text, const chgi_displaced *cells,
                                        const double *forces)
{
    int64_t n = cells->supercell.n_atom;
    chgi_text_print(text, "%-5lld\n%-5lld\n", (long long)n, (long long)cells->n_displacement);
    for (int64_t k = 0; k < cells->n_displacement; k++) {
        const chgi_displacement *d = &cells->displacements[k];
        chgi_text_print(text, "\n%-5d\n%20.16f %20.16f %20.16f\n", d->atom + 1, d->vector[0], d->vector[1],
                        d->vector[2]);
        for (const double *f = forces + 3 * n * k; f < forces + 3 * n * (k + 1); f += 3)
            chgi_text_print(text, "%15.10f %15.10f %15.10f\n", f[0], f[1], f[2]);
    }
    return text->failed ? chgi_context_nomem(ctx, text->length, 2) : CHGNET_OK;
}
