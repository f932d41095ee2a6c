/* chgnet elastic: elastic constants from the stresses of strained cells.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/elastic.h"

#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "gp/delta_file.h"

static const double SKIN = 1; /* A: few lists of neighbours to a relaxation */

enum {
    OPTION_STRAIN = CHGI_CLI_LONG_ONLY,
    OPTION_POINTS,
    OPTION_CLAMP,
    OPTION_NO_RELAX,
    OPTION_FMAX,
    OPTION_STEPS,
    OPTION_NO_SYMMETRY,
    OPTION_SYMMETRY_TOLERANCE
};

static const chgi_cli_option known[] = {
    {OPTION_STRAIN, "strain", "E", "largest strain (default: 0.001)"},
    {OPTION_POINTS, "points", "N", "strains of each of the six components, from -E to E (default: 4)"},
    {OPTION_CLAMP, "clamp", NULL, "atoms follow the strained cell and do not relax in it"},
    {OPTION_NO_RELAX, "no-relax", NULL, "strain the crystal as it is: do not relax it first"},
    {OPTION_FMAX, "fmax", "F", "eV/A, to which atoms, and at first the cell, are relaxed (default: 1e-4)"},
    {OPTION_STEPS, "steps", "N", "at most, of a relaxation (default: 1000)"},
    {OPTION_NO_SYMMETRY, "no-symmetry", NULL, "no average over the point group"},
    {OPTION_SYMMETRY_TOLERANCE, "symmetry-tolerance", "A", "of the group (default: 0.01)"},
    {'o', "output", "FILE", "write everything (.json), or strains and stresses (.csv)"},
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Elastic constants: stresses of strained cells, whose slopes by the strain are the 6x6 stiffness.\n"
    "Cell and atoms are relaxed first, atoms in each strained cell.  C and its transpose are averaged,\n"
    "and, with spglib, the point group's operations.  Bulk, shear and Young's moduli follow from it.\n"
    "Axes are those of the file's cell; the order is xx yy zz yz xz xy, shear strains are twice e_ij.\n";

static const char more[] = "Examples\n"
                           "  chgnet elastic -p double MgO.cif\n"
                           "  chgnet elastic --strain 0.01 --points 6 --plot -o MgO.json MgO.cif\n"
                           "In Python: pymatgen.analysis.elasticity.ElasticTensor.from_voigt(\n"
                           "  json.load(open(\"MgO.json\"))[\"elastic_tensor\"])\n";

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, chgi_cli_elastic_run *e)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "elastic", letter, value, &e->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case OPTION_STRAIN:
        return chgi_cli_take_number(ctx, "elastic", "--strain", value, 1e-6, 0.2, &e->choice.strain);
    case OPTION_POINTS:
        return chgi_cli_take_count(ctx, "elastic", "--points", value, 4, 1001, &e->choice.n_point);
    case OPTION_CLAMP:
        e->choice.clamp = true;
        return CHGNET_OK;
    case OPTION_NO_RELAX:
        e->no_relax = true;
        return CHGNET_OK;
    case OPTION_FMAX:
        return chgi_cli_take_number(ctx, "elastic", "--fmax", value, 1e-9, 10, &e->choice.relaxation.fmax);
    case OPTION_STEPS:
        return chgi_cli_take_count(ctx, "elastic", "--steps", value, 1, INT64_MAX / 2, &e->choice.relaxation.steps);
    case OPTION_NO_SYMMETRY:
        e->choice.average = false;
        return CHGNET_OK;
    case OPTION_SYMMETRY_TOLERANCE:
        return chgi_cli_take_number(ctx, "elastic", "--symmetry-tolerance", value, 1e-9, 1,
                                    &e->choice.symmetry_tolerance);
    case 'o':
        e->output = value;
        return chgi_cli_elastic_check_output(ctx, value);
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_elastic_run *e)
{
    const char *value;
    for (bool first = true; !e->common.help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_elastic, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, e));
    }
    if (e->common.help)
        return CHGNET_OK;
    if (argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "elastic: %d files given; give one crystal",
                                 argc - chgi_cli_first_argument());
    e->file = argv[chgi_cli_first_argument()];
    e->choice.relaxation.max_std = e->common.max_std;
    return CHGNET_OK;
}

/* ---- the command ------------------------------------------------------------------------------ */

static chgnet_status compute(chgnet_context *ctx, chgi_cli_elastic_run *e, chgnet_calculator *calculator)
{
    chgi_potential potential = chgi_calculator_potential(calculator);
    chgi_relax_options first = e->choice.relaxation;
    chgi_relax_report report;
    first.cell = CHGI_CELL_FULL;
    if (!e->no_relax)
        CHGI_TRY(chgi_relax(ctx, &potential, &e->structure, &first, NULL, NULL, &report));
    size_t n = 6 * (size_t)e->choice.n_point;
    e->points = chgi_memory_new(n, sizeof *e->points);
    if (!e->points)
        return chgi_context_nomem(ctx, n, sizeof *e->points);
    return chgi_elastic_run(ctx, &potential, &e->structure, &e->choice, e->points, &e->result);
}

static chgnet_status compute_and_tell(chgnet_context *ctx, chgi_cli_elastic_run *e, chgnet_calculator *calculator)
{
    chgnet_status status = compute(ctx, e, calculator);
    if (status != CHGNET_OK) {
        chgi_context_locate(ctx, e->file, 0);
        return status;
    }
    chgi_cli_elastic_print(e);
    if (e->output)
        CHGI_TRY(chgi_cli_elastic_write(ctx, e));
    if (e->common.plot)
        CHGI_TRY(chgi_cli_elastic_plot(ctx, e));
    return chgi_cli_flush(ctx);
}

static chgnet_status do_all(chgnet_context *ctx, chgi_cli_elastic_run *e)
{
    chgnet_model *model = NULL;
    chgnet_delta *delta = NULL;
    chgnet_calculator *calculator = NULL;
    chgnet_options chosen = chgnet_options_default();
    chosen.skin = SKIN;
    chosen.trajectory = 1;
    chgnet_status status = chgi_cli_read_first(ctx, e->file, &e->structure);
    if (status == CHGNET_OK)
        status = chgi_cli_load(ctx, &e->common, chosen, &model, &delta, &calculator);
    e->model = model;
    if (status == CHGNET_OK)
        status = compute_and_tell(ctx, e, calculator);
    chgnet_calculator_destroy(calculator);
    chgi_delta_file_destroy(delta);
    chgnet_model_destroy(model);
    return status;
}

static void on_warning(const char *text, void *user)
{
    const chgi_cli_elastic_run *e = user;
    if (!e->common.quiet)
        chgi_cli_warn(e->file, text);
}

static int elastic(chgnet_context *ctx, int argc, char **argv)
{
    chgi_cli_elastic_run e = {.choice = {.strain = 0.001, .n_point = 4, .average = true, .symmetry_tolerance = 0.01}};
    e.choice.relaxation = chgi_relax_options_default();
    e.choice.relaxation.optimizer = CHGI_LBFGS;
    e.choice.relaxation.fmax = 1e-4;
    e.choice.relaxation.steps = 1000;
    chgnet_status status = parse(ctx, argc, argv, &e);
    if (status == CHGNET_OK && e.common.help) {
        chgi_cli_print_help(&chgi_cli_elastic);
        return CHGNET_OK;
    }
    chgnet_context_on_warning(ctx, on_warning, &e);
    if (status == CHGNET_OK)
        status = do_all(ctx, &e);
    chgnet_context_on_warning(ctx, NULL, NULL);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgi_memory_free(e.points);
    chgi_structure_destroy(&e.structure);
    return (int)status;
}

const chgi_cli_command chgi_cli_elastic = {
    .name = "elastic",
    .usage = "[OPTION]... FILE",
    .summary = "elastic constants; bulk, shear and Young's moduli",
    .about = about,
    .options = known,
    .more = more,
    .run = elastic,
};
