/* chgnet eos: energy against volume, equilibrium volume and bulk modulus.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/common.h"
#include "cli/plot.h"
#include "gp/delta_file.h"
#include "task/eos.h"

static const double SKIN = 1; /* A: few lists of neighbours to a relaxation */

enum { OPTION_POINTS = CHGI_CLI_LONG_ONLY, OPTION_RANGE, OPTION_NO_RELAX, OPTION_FMAX };

static const chgi_cli_option known[] = {
    {OPTION_POINTS, "points", "N", "volumes (default: 11)"},
    {OPTION_RANGE, "range", "R", "from 1-R to 1+R times the volume (default: 0.06)"},
    {OPTION_NO_RELAX, "no-relax", NULL, "keep fractional positions and the cell as they are"},
    {OPTION_FMAX, "fmax", "F", "eV/A, to which atoms, and at first the cell, are relaxed (default: 0.01)"},
    {'o', "output", "FILE.csv", "write the table: volume, energy, pressure, fitted energy"},
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Equation of state: energies of a crystal at several volumes and the Birch-Murnaghan curve of third\n"
    "order through them, by least squares.  Cell and atoms are relaxed first, atoms at each volume.\n";

static const char more[] = "Examples\n"
                           "  chgnet eos MgO.cif\n"
                           "  chgnet eos --points 15 --range 0.1 -p double --plot -o MgO.csv MgO.cif\n";

typedef struct options {
    chgi_cli_common common;
    chgi_eos_choice eos;
    const char *output, *file;
} options;

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    chgnet_calculator *calculator;
    chgi_structure structure;
    chgi_eos_point *points;
    chgi_eos_fit fit;
} run;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "eos", letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case OPTION_POINTS:
        return chgi_cli_take_count(ctx, "eos", "--points", value, 5, 1001, &o->eos.n_point);
    case OPTION_RANGE:
        return chgi_cli_take_number(ctx, "eos", "--range", value, 1e-4, 0.5, &o->eos.range);
    case OPTION_NO_RELAX:
        o->eos.relax = false;
        return CHGNET_OK;
    case OPTION_FMAX:
        return chgi_cli_take_number(ctx, "eos", "--fmax", value, 1e-9, 10, &o->eos.relaxation.fmax);
    case 'o':
        o->output = value;
        return chgi_file_check_writable(ctx, value);
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->common.help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_eos, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
    }
    if (o->common.help)
        return CHGNET_OK;
    if (argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "eos: %d files given; give one crystal",
                                 argc - chgi_cli_first_argument());
    o->file = argv[chgi_cli_first_argument()];
    o->eos.relaxation.max_std = o->common.max_std;
    return CHGNET_OK;
}

/* ---- energies --------------------------------------------------------------------------------- */

/* The curve is taken around the minimum, in the shape that the cell has there. */
static chgnet_status compute(run *r)
{
    const options *o = r->options;
    chgi_potential potential = chgi_calculator_potential(r->calculator);
    chgi_relax_options first = o->eos.relaxation;
    chgi_relax_report report;
    first.cell = CHGI_CELL_FULL;
    if (o->eos.relax)
        CHGI_TRY(chgi_relax(r->ctx, &potential, &r->structure, &first, NULL, NULL, &report));
    r->points = chgi_memory_new((size_t)o->eos.n_point, sizeof *r->points);
    if (!r->points)
        return chgi_context_nomem(r->ctx, (size_t)o->eos.n_point, sizeof *r->points);
    return chgi_eos_run(r->ctx, &potential, &r->structure, &o->eos, r->points, &r->fit);
}

/* ---- results ---------------------------------------------------------------------------------- */

static void print(const run *r)
{
    const chgi_eos_fit *f = &r->fit;
    double n = (double)r->structure.n_atom;
    chgi_cli_print_model(&r->options->common, r->model);
    printf("%14s %12s %14s %12s %12s\n", "volume (A^3)", "A^3/atom", "energy (eV)", "fit (meV)", "p (GPa)");
    for (int64_t k = 0; k < r->options->eos.n_point; k++) {
        const chgi_eos_point *p = &r->points[k];
        printf("%14.4f %12.4f %14.6f %12.3f %12.3f\n", p->volume, p->volume / n, p->energy,
               1000 * (p->energy - p->fitted), p->pressure);
    }
    printf("\nvolume         %.4f A^3      %.4f A^3/atom\nenergy         %.6f eV      %.6f eV/atom\n", f->volume,
           f->volume / n, f->energy, f->energy / n);
    printf("bulk modulus   %.2f +- %.2f GPa\nits slope      %.2f\n", f->bulk_modulus, f->bulk_modulus_error,
           f->bulk_modulus_slope);
}

static chgnet_status write_csv(const run *r)
{
    chgi_text text = {0};
    chgi_text_print(&text, "volume_A3,energy_eV,fitted_eV,pressure_GPa\n");
    for (int64_t k = 0; k < r->options->eos.n_point; k++) {
        const double values[4] = {r->points[k].volume, r->points[k].energy, r->points[k].fitted, r->points[k].pressure};
        for (int j = 0; j < 4; j++) {
            chgi_text_number(&text, values[j]);
            chgi_text_append(&text, j < 3 ? "," : "\n", 1);
        }
    }
    chgnet_status status = text.failed ? chgi_context_nomem(r->ctx, text.length, 1)
                                       : chgi_file_write(r->ctx, r->options->output, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status plot(const run *r)
{
    char path[4096];
    chgi_text script = {0};
    double n = (double)r->structure.n_atom;
    chgi_plot_name(r->options->output ? r->options->output : r->options->file, "-eos.svg", path, sizeof path);
    chgi_plot_begin(&script, 560, 400);
    chgi_text_print(&script,
                    "set xlabel 'volume (A^3/atom)'\nset ylabel 'energy (meV/atom)'\n"
                    "set title 'B = %.1f GPa, V = %.3f A^3/atom'\nset key top center\n$points << EOD\n",
                    r->fit.bulk_modulus, r->fit.volume / n);
    for (int64_t k = 0; k < r->options->eos.n_point; k++)
        chgi_text_print(&script, "%.8f %.6f %.6f\n", r->points[k].volume / n,
                        1000 * (r->points[k].energy - r->fit.energy) / n,
                        1000 * (r->points[k].fitted - r->fit.energy) / n);
    chgi_text_print(&script, "EOD\nplot $points using 1:3 smooth csplines with lines lw 2 title 'Birch-Murnaghan', "
                             "$points using 1:2 with points pt 7 title 'CHGNet'\n");
    chgnet_status status =
        script.failed ? chgi_context_nomem(r->ctx, script.length, 1) : chgi_plot_write(r->ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------ */

static void on_warning(const char *text, void *user)
{
    const run *r = user;
    if (!r->options->common.quiet)
        chgi_cli_warn(r->options->file, text);
}

static chgnet_status do_all(run *r)
{
    const options *o = r->options;
    CHGI_TRY(chgi_cli_read_first(r->ctx, o->file, &r->structure));
    chgnet_options chosen = chgnet_options_default();
    chosen.skin = SKIN;
    chosen.trajectory = 1;
    CHGI_TRY(chgi_cli_load(r->ctx, &o->common, chosen, &r->model, &r->delta, &r->calculator));
    chgnet_status status = compute(r);
    if (status != CHGNET_OK) {
        chgi_context_locate(r->ctx, o->file, 0);
        return status;
    }
    print(r);
    if (o->output)
        CHGI_TRY(write_csv(r));
    if (o->common.plot)
        CHGI_TRY(plot(r));
    return chgi_cli_flush(r->ctx);
}

static int eos(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.eos = {.n_point = 11, .range = 0.06, .relax = true, .relaxation = chgi_relax_options_default()}};
    o.eos.relaxation.fmax = 0.01;
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.common.help) {
        chgi_cli_print_help(&chgi_cli_eos);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o};
    chgnet_context_on_warning(ctx, on_warning, &r);
    if (status == CHGNET_OK)
        status = do_all(&r);
    chgnet_context_on_warning(ctx, NULL, NULL);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgi_memory_free(r.points);
    chgi_structure_destroy(&r.structure);
    chgnet_calculator_destroy(r.calculator);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return (int)status;
}

const chgi_cli_command chgi_cli_eos = {
    .name = "eos",
    .usage = "[OPTION]... FILE",
    .summary = "energy against volume; equilibrium volume and bulk modulus",
    .about = about,
    .options = known,
    .more = more,
    .run = eos,
};
