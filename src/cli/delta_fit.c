/* chgnet delta fit: labels in, a delta-model out.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/delta.h"
#include "cli/delta_fit.h"
#include "cli/plot.h"

enum {
    OPTION_AGGREGATION = CHGI_CLI_LONG_ONLY,
    OPTION_LAYER,
    OPTION_KERNEL,
    OPTION_NOISE_ENERGY,
    OPTION_NOISE_FORCE,
    OPTION_SPECIES_SUM,
    OPTION_MEAN,
    OPTION_MIX,
    OPTION_NO_OPTIMIZE,
    OPTION_OFFSETS,
    OPTION_INDUCING,
    OPTION_SELECT_INDUCING,
    OPTION_SEED,
    OPTION_STARTS,
    OPTION_VALIDATION,
    OPTION_CROSS_VALIDATION,
    OPTION_FIXED,
    OPTION_LEARNING_CURVE,
    OPTION_ADD,
    OPTION_JSON
};

static const chgi_cli_option known[] = {
    {'o', "output", "D.h5", "the delta-model"},
    {OPTION_AGGREGATION, "aggregation", "FORM", "global, species or atomic (default)"},
    {OPTION_LAYER, "layer", "LAYER", "atom_fea (default) or atom_fea_final"},
    {OPTION_KERNEL, "kernel", "TEXT", "such as \"constant(1)*rbf(length=16)\"; see the man page"},
    {OPTION_NOISE_ENERGY, "noise-energy", "EV", "noise of a labelled energy: eV, with bounds [low:high], ! fixes it"},
    {OPTION_NOISE_FORCE, "noise-force", "EV/A", "noise of a force component"},
    {OPTION_MIX, "mix", "SHARE", "atomic: share of the kernel that does not tell elements apart (0 to 1)"},
    {OPTION_SPECIES_SUM, "species-sum", NULL, "species: sum of one kernel per element"},
    {OPTION_MEAN, "mean", NULL, "global: mean, not sum, of the atoms' vectors"},
    {OPTION_NO_OPTIMIZE, "no-optimize", NULL, "keep the hyperparameters as they are given"},
    {OPTION_OFFSETS, "offsets", "FILE",
     "energy per element: lines \"Cu -3.7\" (eV); none: all zero\n(default: fitted)"},
    {OPTION_INDUCING, "inducing", "M", "atomic: at most M inducing atoms; 0: all, the dense form"},
    {OPTION_SELECT_INDUCING, "select-inducing", "HOW", "greedy, cur or kmeans"},
    {OPTION_SEED, "seed", "S", "of starts, folds and inducing atoms (default: 0)"},
    {OPTION_STARTS, "starts", "N", "starts of the optimiser"},
    {OPTION_VALIDATION, "validation", "FILE", "judge the fit by these labels, which it does not see"},
    {OPTION_CROSS_VALIDATION, "cross-validation", "K",
     "judge fits by labels kept aside: K folds, or loo (one label each);\nhyperparameters are optimised without them"},
    {OPTION_FIXED, "fixed-hyperparameters", NULL, "\nthere: those of the fit to all labels, in closed form"},
    {OPTION_LEARNING_CURVE, "learning-curve", NULL, "errors against the number of labels"},
    {OPTION_ADD, "add", "OLD.h5", "add the labels to this model, without a new fit of hyperparameters"},
    CHGI_CLI_LABEL_OPTIONS,
    {'m', "model", "MODEL", "0.3.0 (default), 0.2.0, r2scan, or a path ending in .h5"},
    {'t', "threads", "N", "default: OMP_NUM_THREADS, else the cores this process may use"},
    {OPTION_JSON, "json", NULL, "what is told, as one JSON object on standard output"},
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Fit a delta-model to labelled structures: extended XYZ with REF_energy (eV of the cell) and\n"
    "REF_forces (eV/A).  It learns from forces where there are some.  Without -o the errors are told\n"
    "and nothing is written.\n";

static const char more[] =
    "Examples\n"
    "  chgnet delta fit labels.extxyz -o D.h5\n"
    "  chgnet delta fit labels.extxyz --cross-validation loo\n"
    "  chgnet delta fit labels.extxyz -o D.h5 --aggregation global --energies-only\n"
    "  chgnet delta fit new.extxyz --add D.h5 -o D2.h5\n"
    "  chgnet delta fit labels.extxyz -o D.h5 --base-energy-key MACE_energy --base-forces-key MACE_forces\n";

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take_word(chgnet_context *ctx, const char *option, const char *value, const char *const *words,
                               int n, int *index)
{
    for (int i = 0; i < n; i++)
        if (strcmp(value, words[i]) == 0) {
            *index = i;
            return CHGNET_OK;
        }
    chgi_text list = {0};
    for (int i = 0; i < n; i++)
        chgi_text_print(&list, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", words[i]);
    chgi_context_fail(ctx, CHGNET_EUSAGE, "delta fit: %s '%s' is not known; give %s", option, value,
                      list.failed ? "" : list.data);
    chgi_text_destroy(&list);
    return CHGNET_EUSAGE;
}

static chgnet_status take_folds(chgnet_context *ctx, const char *value, int64_t *n)
{
    if (strcmp(value, "loo") == 0) {
        *n = CHGI_CLI_LOO;
        return CHGNET_OK;
    }
    int64_t got;
    if (!chgi_text_to_int(value, strlen(value), &got) || got < 2 || got > 1000000)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta fit: --cross-validation '%s' is wrong; give a number of folds from 2, or loo",
                                 value);
    *n = got;
    return CHGNET_OK;
}

static chgnet_status take_choice(chgnet_context *ctx, int letter, const char *value, chgi_cli_fit *o, bool *taken)
{
    static const char *const aggregations[] = {"global", "species", "atomic"};
    static const char *const layers[] = {"atom_fea", "atom_fea_final"};
    static const char *const selections[] = {"greedy", "cur", "kmeans"};
    int word = 0;
    *taken = true;
    switch (letter) {
    case OPTION_AGGREGATION:
        CHGI_TRY(take_word(ctx, "--aggregation", value, aggregations, 3, &word));
        o->aggregation = word;
        return CHGNET_OK;
    case OPTION_LAYER:
        CHGI_TRY(take_word(ctx, "--layer", value, layers, 2, &word));
        o->layer = word;
        return CHGNET_OK;
    case OPTION_SELECT_INDUCING:
        CHGI_TRY(take_word(ctx, "--select-inducing", value, selections, 3, &word));
        o->selection = word;
        return CHGNET_OK;
    case OPTION_KERNEL:
        o->kernel = value;
        return CHGNET_OK;
    case OPTION_NOISE_ENERGY:
        o->noise_energy = value;
        return CHGNET_OK;
    case OPTION_NOISE_FORCE:
        o->noise_force = value;
        return CHGNET_OK;
    case OPTION_MIX:
        o->has_mix = true;
        return chgi_cli_take_number(ctx, "delta fit", "--mix", value, 0, 1, &o->mix);
    case OPTION_SPECIES_SUM:
        o->species_sum = true;
        return CHGNET_OK;
    case OPTION_MEAN:
        o->mean = true;
        return CHGNET_OK;
    default:
        *taken = false;
        return CHGNET_OK;
    }
}

static chgnet_status take_work(chgnet_context *ctx, int letter, const char *value, chgi_cli_fit *o, bool *taken)
{
    int64_t n = 0;
    *taken = true;
    switch (letter) {
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case OPTION_NO_OPTIMIZE:
        o->no_optimize = true;
        return CHGNET_OK;
    case OPTION_OFFSETS:
        o->offsets = value;
        return CHGNET_OK;
    case OPTION_INDUCING:
        o->has_inducing = true;
        return chgi_cli_take_count(ctx, "delta fit", "--inducing", value, 0, 1000000, &o->n_inducing);
    case OPTION_SEED:
        CHGI_TRY(chgi_cli_take_count(ctx, "delta fit", "--seed", value, 0, INT64_MAX, &n));
        o->seed = (uint64_t)n;
        return CHGNET_OK;
    case OPTION_STARTS:
        CHGI_TRY(chgi_cli_take_count(ctx, "delta fit", "--starts", value, 1, 1000, &n));
        o->n_start = (int)n;
        return CHGNET_OK;
    case OPTION_VALIDATION:
        o->validation = value;
        return CHGNET_OK;
    case OPTION_CROSS_VALIDATION:
        return take_folds(ctx, value, &o->n_fold);
    case OPTION_FIXED:
        o->fixed = true;
        return CHGNET_OK;
    case OPTION_LEARNING_CURVE:
        o->curve = true;
        return CHGNET_OK;
    case OPTION_ADD:
        o->add = value;
        return CHGNET_OK;
    case OPTION_JSON:
        o->json = true;
        return CHGNET_OK;
    default:
        *taken = false;
        return CHGNET_OK;
    }
}

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, chgi_cli_fit *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "delta fit", letter, value, &o->common, &taken));
    if (taken || chgi_cli_take_labels(letter, value, &o->labels))
        return CHGNET_OK;
    CHGI_TRY(take_choice(ctx, letter, value, o, &taken));
    if (!taken)
        CHGI_TRY(take_work(ctx, letter, value, o, &taken));
    return taken ? CHGNET_OK : CHGNET_EUSAGE;
}

/* With --add the old model has made all choices. */
static chgnet_status check_add(chgnet_context *ctx, const chgi_cli_fit *o)
{
    const char *wrong = o->aggregation >= 0                       ? "--aggregation"
                        : o->layer >= 0                           ? "--layer"
                        : o->kernel                               ? "--kernel"
                        : o->noise_energy                         ? "--noise-energy"
                        : o->noise_force                          ? "--noise-force"
                        : o->offsets                              ? "--offsets"
                        : o->n_fold || o->curve                   ? "--cross-validation or --learning-curve"
                        : o->has_inducing || o->selection >= 0    ? "--inducing"
                        : o->has_mix || o->mean || o->species_sum ? "--mix, --mean or --species-sum"
                                                                  : NULL;
    if (!o->add || !wrong)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EUSAGE,
                             "delta fit: %s has no place beside --add, which keeps the choices of the old model; leave "
                             "out one of them",
                             wrong);
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_fit *o)
{
    const char *value;
    for (bool first = true;; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_delta_fit, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
        if (o->common.help)
            return CHGNET_OK;
    }
    o->files = argv + chgi_cli_first_argument();
    o->n_file = argc - chgi_cli_first_argument();
    if (o->n_file == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta fit: no file of labels; give extended XYZ with REF_energy and REF_forces");
    if (!o->output && !o->n_fold && !o->curve && !o->validation)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta fit: nothing would be left of the fit; give -o D.h5, --cross-validation, "
                                 "--validation or --learning-curve");
    if (o->fixed && !o->n_fold && !o->curve)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta fit: --fixed-hyperparameters is about cross-validation; give "
                                 "--cross-validation K or --learning-curve as well");
    return check_add(ctx, o);
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    chgi_cli_fit o = {.labels = chgi_cli_labels_default(), .aggregation = -1, .layer = -1, .selection = -1};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_delta_fit);
        return CHGNET_OK;
    }
    return chgi_cli_run_fit(ctx, &o);
}

const chgi_cli_command chgi_cli_delta_fit = {
    .name = "delta fit",
    .usage = "[OPTION]... LABELS...",
    .summary = "fit a delta-model to labelled structures",
    .about = about,
    .options = known,
    .more = more,
    .run = run,
};
