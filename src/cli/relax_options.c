/* Command line of `chgnet relax`.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "cli/relax.h"
#include "task/symmetry.h"

enum {
    OPTION_FMAX = CHGI_CLI_LONG_ONLY,
    OPTION_SMAX,
    OPTION_STEPS,
    OPTION_OPTIMIZER,
    OPTION_CELL,
    OPTION_PRESSURE,
    OPTION_FIX,
    OPTION_KEEP_SYMMETRY,
    OPTION_SYMMETRY_TOLERANCE,
    OPTION_TRAJECTORY
};

static const chgi_cli_option known[] = {
    {OPTION_FMAX, "fmax", "EV/A", "largest force at the end, cell included (default 0.05)"},
    {OPTION_SMAX, "smax", "GPA", "largest element of stress plus pressure at the end\n(default: no limit of its own)"},
    {OPTION_STEPS, "steps", "N", "at most so many (default 500)"},
    {OPTION_OPTIMIZER, "optimizer", "NAME", "fire (default), lbfgs or bfgs"},
    {OPTION_CELL, "cell", "WHICH",
     "strains that are free: none (default), full, shape (at\n"
     "constant volume), hydrostatic, inplane (xx, yy, xy),\n"
     "z-fixed (all but zz)"},
    {OPTION_PRESSURE, "pressure", "GPA", "relax the enthalpy at this pressure (default 0)"},
    {OPTION_FIX, "fix", "EXPR", "atoms that stay, beside those that the file fixes;\nmay be given several times"},
    {OPTION_KEEP_SYMMETRY, "keep-symmetry", NULL, "keep the space group (needs spglib)"},
    {OPTION_SYMMETRY_TOLERANCE, "symmetry-tolerance", "A", "of finding it (default 0.01)"},
    {'o', "output", "OUT",
     "final structures: .extxyz, .xyz, .h5, .json with results,\n"
     ".cif or .vasp (one structure) without"},
    {OPTION_TRAJECTORY, "trajectory", "T", "every step, in extended XYZ"},
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Relax structures with CHGNet: atoms, and with --cell the cell too, to a minimum of the energy or,\n"
    "under pressure, the enthalpy.  Minimisers, cell coordinates and the rule of convergence are those\n"
    "of ASE (FrechetCellFilter): the longest force on an atom or on the cell is below --fmax.  Several\n"
    "structures are relaxed side by side.  FILE: VASP POSCAR or CONTCAR, CIF, extended XYZ (all frames);\n"
    "`-` reads extended XYZ from standard input.  Atoms fixed by selective dynamics or move_mask stay\n"
    "fixed.\n";

static const char more[] =
    "Fixed atoms (--fix)\n"
    "  index 1-10,15        atoms by number, from 1\n"
    "  element Cu,Ag        by symbol\n"
    "  layer 1-2            layers along z, counted from the lowest (gaps of 0.5 A part them)\n"
    "  z < 5                also x, y, height (A); a, b, c (fractions of the cell); <, <=, >, >=\n"
    "  all, and, or, not, ( ) combine;  `... along z` fixes these components only\n"
    "\n"
    "Examples\n"
    "  chgnet relax --cell full POSCAR -o CONTCAR.vasp\n"
    "  chgnet relax --optimizer lbfgs --fix 'layer 1-2' slab.extxyz -o out.extxyz --trajectory t.extxyz\n"
    "  chgnet relax --cell full --pressure 10 --fmax 0.01 *.cif -o relaxed.h5\n";

static chgnet_status unknown(chgnet_context *ctx, const char *option, const char *value, const char *choices)
{
    return chgi_context_fail(ctx, CHGNET_EUSAGE, "relax: %s '%s' is unknown; give %s", option, value, choices);
}

static chgnet_status take_optimizer(chgnet_context *ctx, const char *value, chgi_relax_options *o)
{
    o->optimizer = chgi_minimiser_find(value);
    return o->optimizer < CHGI_MINIMISER_COUNT ? CHGNET_OK : unknown(ctx, "--optimizer", value, "fire, lbfgs or bfgs");
}

static chgnet_status take_cell(chgnet_context *ctx, const char *value, chgi_relax_options *o)
{
    o->cell = chgi_cell_freedom_find(value);
    return o->cell < CHGI_CELL_COUNT
               ? CHGNET_OK
               : unknown(ctx, "--cell", value, "none, full, shape, hydrostatic, inplane or z-fixed");
}

static chgnet_status take_own(chgnet_context *ctx, int letter, const char *value, chgi_cli_relax_options *o)
{
    switch (letter) {
    case OPTION_FMAX:
        return chgi_cli_take_number(ctx, "relax", "--fmax", value, 1e-10, 1e3, &o->relax.fmax);
    case OPTION_SMAX:
        return chgi_cli_take_number(ctx, "relax", "--smax", value, 1e-10, 1e4, &o->relax.smax);
    case OPTION_STEPS:
        return chgi_cli_take_count(ctx, "relax", "--steps", value, 0, 100000000, &o->relax.steps);
    case OPTION_OPTIMIZER:
        return take_optimizer(ctx, value, &o->relax);
    case OPTION_CELL:
        return take_cell(ctx, value, &o->relax);
    case OPTION_PRESSURE:
        return chgi_cli_take_number(ctx, "relax", "--pressure", value, -1e4, 1e4, &o->relax.pressure);
    case OPTION_FIX:
        return chgi_cli_fix_take(ctx, "relax", value, &o->fix);
    case OPTION_KEEP_SYMMETRY:
        o->relax.keep_symmetry = true;
        return CHGNET_OK;
    case OPTION_SYMMETRY_TOLERANCE:
        return chgi_cli_take_number(ctx, "relax", "--symmetry-tolerance", value, 1e-6, 1, &o->relax.symmetry_tolerance);
    case 'o':
        o->output = value;
        return chgi_output_structure_format(ctx, value, &o->format);
    case OPTION_TRAJECTORY:
        o->trajectory = value;
        return CHGNET_OK;
    default:
        return CHGNET_EUSAGE; /* told by chgi_cli_next */
    }
}

static chgnet_status check_trajectory(chgnet_context *ctx, const chgi_cli_relax_options *o)
{
    chgi_format format = CHGI_FORMAT_EXTXYZ;
    if (!o->trajectory)
        return CHGNET_OK;
    CHGI_TRY(chgi_output_format(ctx, o->trajectory, &format));
    if (format != CHGI_FORMAT_EXTXYZ)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "relax: %s: a trajectory of steps is extended XYZ; end its name in .extxyz or .xyz",
                                 o->trajectory);
    if (strcmp(o->trajectory, o->output) == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "relax: output and trajectory have one name; give each its own");
    return CHGNET_OK;
}

static chgnet_status check(chgnet_context *ctx, const chgi_cli_relax_options *o)
{
    if (o->n_file == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "relax: no structure file; give a POSCAR, CIF or extended XYZ, or - for standard "
                                 "input");
    if (!o->output)
        return chgi_context_fail(
            ctx, CHGNET_EUSAGE, "relax: no output; give -o and a name that ends in .extxyz, .h5, .json, .cif or .vasp");
    if (o->common.max_std > 0 && !o->common.delta)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "relax: --max-std without a delta-model; give one by -d");
    if (o->relax.keep_symmetry && !chgi_symmetry_available())
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "relax: --keep-symmetry: this chgnet was built without spglib; install libsymspg-dev, "
                                 "run configure and make again");
    if (o->relax.keep_symmetry && o->fix.n > 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "relax: --fix and --keep-symmetry exclude each other; give one");
    return check_trajectory(ctx, o);
}

chgnet_status chgi_cli_relax_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_relax_options *options)
{
    const char *value;
    *options = (chgi_cli_relax_options){.relax = chgi_relax_options_default()};
    for (bool first = true;; first = false) {
        bool taken;
        int letter = chgi_cli_next(ctx, &chgi_cli_relax, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(chgi_cli_take_common(ctx, "relax", letter, value, &options->common, &taken));
        if (!taken)
            CHGI_TRY(take_own(ctx, letter, value, options));
        if (options->common.help)
            return CHGNET_OK;
    }
    options->files = argv + chgi_cli_first_argument();
    options->n_file = argc - chgi_cli_first_argument();
    options->relax.max_std = options->common.max_std;
    return check(ctx, options);
}

void chgi_cli_relax_options_destroy(chgi_cli_relax_options *options)
{
    chgi_cli_fix_destroy(&options->fix);
}

const chgi_cli_command chgi_cli_relax = {
    .name = "relax",
    .usage = "[OPTION]... -o OUT FILE...",
    .summary = "relax atoms and cell",
    .about = about,
    .options = known,
    .more = more,
    .run = chgi_cli_relax_main,
};
