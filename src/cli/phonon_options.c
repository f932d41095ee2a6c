/* chgnet phonon-forces: options.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "base/file.h"
#include "cli/phonon.h"
#include "crystal/supercell.h"
#include "task/symmetry.h"

enum {
    OPTION_SUPERCELL = CHGI_CLI_LONG_ONLY,
    OPTION_DISTANCE,
    OPTION_PLUS_MINUS,
    OPTION_NO_SYMMETRY,
    OPTION_SYMMETRY_TOLERANCE,
    OPTION_SUBTRACT_RESIDUAL,
    OPTION_CELLS
};

static const chgi_cli_option known[] = {
    {OPTION_SUPERCELL, "supercell", "MATRIX",
     "make the displaced cells of the crystal FILE: '2 2 2', or nine\n"
     "whole numbers by rows, as phonopy's --dim"},
    {OPTION_DISTANCE, "distance", "D", "A, length of a displacement (default: 0.01)"},
    {OPTION_PLUS_MINUS, "plus-minus", NULL, "displace both ways, also where symmetry gives one from the other"},
    {OPTION_NO_SYMMETRY, "no-symmetry", NULL, "displace each atom of FILE both ways along each cell vector"},
    {OPTION_SYMMETRY_TOLERANCE, "symmetry-tolerance", "A", "of the space group (default: 1e-5)"},
    {OPTION_SUBTRACT_RESIDUAL, "subtract-residual", NULL, "take away the forces of the cell without displacement"},
    {OPTION_CELLS, "cells", "FILE.yaml", "where made cells go (default: phonopy_disp.yaml)"},
    {'o', "output", "FILE", "where the forces go (default: FORCE_SETS)"},
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Forces of displaced cells, written as FORCE_SETS, which phonopy reads.  FILE is phonopy's\n"
    "phonopy_disp.yaml; POSCAR-001 and so on may follow and are compared with it.  Or FILE is a relaxed\n"
    "crystal, and --supercell makes the displaced cells here and writes them as phonopy_disp.yaml.\n";

static const char more[] = "Double precision is worth its time here: displacements are small.\n"
                           "\n"
                           "Examples\n"
                           "  phonopy-init -d --dim 2 2 2 -c POSCAR         phonopy makes phonopy_disp.yaml\n"
                           "  chgnet phonon-forces -p double phonopy_disp.yaml\n"
                           "  chgnet phonon-forces -p double --supercell '2 2 2' POSCAR\n"
                           "  phonopy-load phonopy_disp.yaml --band auto -p\n";

/* Three or nine whole numbers between blanks. */
static chgnet_status take_matrix(chgnet_context *ctx, const char *value, chgi_cli_phonon_options *o)
{
    chgi_span rest = {value, strlen(value)}, field;
    int64_t n = chgi_span_count_fields(rest), numbers[9] = {0};
    bool good = n == 3 || n == 9;
    for (int64_t k = 0; good && k < n; k++)
        good = chgi_span_field(&rest, &field) && chgi_text_to_int(field.text, field.length, &numbers[k]) &&
               numbers[k] <= CHGI_SUPERCELL_ELEMENT && numbers[k] >= -CHGI_SUPERCELL_ELEMENT;
    if (!good)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "phonon-forces: --supercell '%s' is wrong; give three or nine whole numbers from -%d "
                                 "to %d, such as '2 2 2'",
                                 value, CHGI_SUPERCELL_ELEMENT, CHGI_SUPERCELL_ELEMENT);
    for (int k = 0; k < 9; k++)
        o->matrix[k / 3][k % 3] = n == 9 ? (int)numbers[k] : k % 4 == 0 ? (int)numbers[k / 4] : 0;
    o->has_supercell = true;
    return CHGNET_OK;
}

static chgnet_status take_for_cells(chgnet_context *ctx, int letter, const char *value, chgi_cli_phonon_options *o)
{
    o->for_cells = true;
    switch (letter) {
    case OPTION_SUPERCELL:
        return take_matrix(ctx, value, o);
    case OPTION_DISTANCE:
        return chgi_cli_take_number(ctx, "phonon-forces", "--distance", value, 1e-6, 1, &o->displace.distance);
    case OPTION_PLUS_MINUS:
        o->displace.plus_minus = true;
        return CHGNET_OK;
    case OPTION_NO_SYMMETRY:
        o->displace.symmetry = false;
        return CHGNET_OK;
    case OPTION_SYMMETRY_TOLERANCE:
        return chgi_cli_take_number(ctx, "phonon-forces", "--symmetry-tolerance", value, 1e-9, 1,
                                    &o->displace.tolerance);
    case OPTION_CELLS:
        o->cells = value;
        return chgi_file_check_writable(ctx, value);
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, chgi_cli_phonon_options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "phonon-forces", letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    if (letter == OPTION_SUBTRACT_RESIDUAL)
        o->subtract_residual = true;
    else if (letter == 'o')
        o->output = value;
    else
        return take_for_cells(ctx, letter, value, o);
    return CHGNET_OK;
}

static chgnet_status check(chgnet_context *ctx, const chgi_cli_phonon_options *o)
{
    if (o->common.max_std > 0 && !o->common.delta)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "phonon-forces: --max-std without a delta-model; give one by -d");
    if (o->for_cells && !o->has_supercell)
        return chgi_context_fail(
            ctx, CHGNET_EUSAGE,
            "phonon-forces: options for making cells without --supercell; give it, such as '2 2 2'");
    if (o->has_supercell && o->n_other > 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "phonon-forces: %d files given; give one crystal", o->n_other + 1);
    if (o->has_supercell && strcmp(o->cells, o->output) == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "phonon-forces: cells and forces go to one name; give each its own");
    if (o->has_supercell)
        CHGI_TRY(chgi_file_check_writable(ctx, o->cells));
    return chgi_file_check_writable(ctx, o->output);
}

chgnet_status chgi_cli_phonon_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_phonon_options *o)
{
    const char *value;
    *o = (chgi_cli_phonon_options){.displace = {.distance = 0.01,
                                                .symmetry = chgi_symmetry_available(),
                                                .tolerance = 1e-5},
                                   .cells = "phonopy_disp.yaml",
                                   .output = "FORCE_SETS"};
    for (bool first = true; !o->common.help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_phonon_forces, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
    }
    int first_file = chgi_cli_first_argument();
    if (o->common.help)
        return CHGNET_OK;
    if (first_file >= argc)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "phonon-forces: no file; give phonopy_disp.yaml, or a crystal and --supercell");
    o->file = argv[first_file];
    o->others = argv + first_file + 1;
    o->n_other = argc - first_file - 1;
    return check(ctx, o);
}

const chgi_cli_command chgi_cli_phonon_forces = {
    .name = "phonon-forces",
    .usage = "[OPTION]... FILE [POSCAR]...",
    .summary = "forces of displaced cells, for phonopy",
    .about = about,
    .options = known,
    .more = more,
    .run = chgi_cli_phonon_main,
};
