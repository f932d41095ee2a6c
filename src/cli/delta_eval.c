/* chgnet delta eval: how well a delta-model predicts labels.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "cli/delta.h"
#include "cli/plot.h"
#include "task/judge_set.h"

enum { OPTION_JSON = CHGI_CLI_LONG_ONLY };

static const chgi_cli_option known[] = {
    CHGI_CLI_LABEL_OPTIONS,
    {'m', "model", "MODEL", "0.3.0 (default), 0.2.0, r2scan, or a path ending in .h5"},
    {'t', "threads", "N", "default: OMP_NUM_THREADS, else the cores this process may use"},
    {OPTION_JSON, "json", NULL, "one JSON object on standard output, label by label too"},
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Judge a delta-model by labels: mean absolute error, root mean square error and maximum of\n"
    "energies and forces before (CHGNet with element offsets) and after the correction, and how many\n"
    "energies lie within 1 and 2 standard deviations.  With --plot: D-parity.svg.\n";

static const char more[] = "Examples\n"
                           "  chgnet delta eval D.h5 test.extxyz\n"
                           "  chgnet delta eval D.h5 test.extxyz --json | jq .energy.after.mae\n";

typedef struct options {
    chgi_cli_common common;
    chgi_cli_labels labels;
    bool json;
    const char *delta;
    int n_file;
    char **files;
} options;

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "delta eval", letter, value, &o->common, &taken));
    if (taken || chgi_cli_take_labels(letter, value, &o->labels))
        return CHGNET_OK;
    o->json = letter == OPTION_JSON;
    return o->json ? CHGNET_OK : CHGNET_EUSAGE;
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true;; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_delta_eval, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
        if (o->common.help)
            return CHGNET_OK;
    }
    int argument = chgi_cli_first_argument();
    if (argc - argument < 2)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta eval: a delta-model and labels are needed; give D.h5 LABELS");
    o->delta = argv[argument];
    o->files = argv + argument + 1;
    o->n_file = argc - argument - 1;
    return CHGNET_OK;
}

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    chgi_label_set set;
    chgi_judgement judgement;
    chgi_cli_talk talk;
    chgi_text text;
} run;

/* The labels must bring the base that the model corrects. */
static chgnet_status check_base(const run *r)
{
    const char *key = r->options->labels.form.base_energy_key, *base = r->delta->base;
    if (strcmp(base, key ? key : "chgnet") == 0)
        return CHGNET_OK;
    if (strcmp(base, "chgnet") == 0)
        return chgi_context_fail(r->ctx, CHGNET_EUSAGE, "delta eval: %s corrects CHGNet; leave out --base-energy-key",
                                 r->options->delta);
    return chgi_context_fail(
        r->ctx, CHGNET_EUSAGE,
        "delta eval: %s corrects the predictions '%s' of the labels; give --base-energy-key %s (and "
        "--base-forces-key)",
        r->options->delta, base, base);
}

static chgnet_status judge(run *r)
{
    const options *o = r->options;
    CHGI_TRY(chgi_delta_file_load(r->ctx, o->delta, &r->delta));
    CHGI_TRY(check_base(r));
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    CHGI_TRY(chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256));
    CHGI_TRY(chgi_cli_read_labels(r->ctx, &o->labels, info.n_element, o->n_file, o->files, &r->set));
    chgi_embed_choice choice = {.model = r->model,
                                .layer = chgi_delta_describe(r->delta->gp).choice->layer,
                                .with_forces = !o->labels.energies_only,
                                .base_given = o->labels.form.base_energy_key != NULL,
                                .skip_bad = o->labels.form.skip_bad,
                                .n_thread = o->common.threads,
                                .progress = chgi_cli_talk_progress,
                                .user = &r->talk};
    chgi_progress_start(&r->talk.progress, !o->common.quiet);
    CHGI_TRY(chgi_judge_set(r->ctx, &choice, r->delta->gp, &r->set, &r->judgement));
    chgi_progress_hide(&r->talk.progress);
    return CHGNET_OK;
}

static void print_json(run *r, const chgi_summary *summary)
{
    chgi_text_print(&r->text, "{\"delta\": ");
    chgi_cli_json_string(&r->text, r->options->delta);
    chgi_text_print(&r->text, ", \"n_label\": %lld, ", (long long)r->judgement.n);
    chgi_cli_json_summary(&r->text, summary);
    chgi_text_print(&r->text, ", \"labels\": ");
    chgi_cli_json_rows(&r->text, &r->judgement, &r->set);
    chgi_text_print(&r->text, "}\n");
}

static chgnet_status eval(run *r)
{
    CHGI_TRY(judge(r));
    chgi_summary summary = chgi_judgement_sum(&r->judgement);
    if (r->options->json)
        print_json(r, &summary);
    else
        chgi_cli_print_summary(&r->text, &summary, strcmp(r->delta->base, "chgnet") ? r->delta->base : "CHGNet");
    CHGI_TRY(chgi_cli_print_text(r->ctx, &r->text));
    if (!r->options->common.plot)
        return CHGNET_OK;
    char path[512];
    chgi_plot_name(r->options->delta, "-parity.svg", path, sizeof path);
    return chgi_cli_plot_parity(r->ctx, &r->judgement, path);
}

static int run_eval(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.labels = chgi_cli_labels_default()};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_delta_eval);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o, .talk = {.file = o.files[0], .quiet = o.common.quiet}};
    chgnet_context_on_warning(ctx, chgi_cli_talk_warning, &r.talk);
    status = eval(&r);
    chgi_progress_hide(&r.talk.progress);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgnet_context_on_warning(ctx, NULL, NULL);
    chgi_text_destroy(&r.text);
    chgi_judgement_destroy(&r.judgement);
    chgi_label_set_destroy(&r.set);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return status;
}

const chgi_cli_command chgi_cli_delta_eval = {
    .name = "delta eval",
    .usage = "[OPTION]... D.h5 LABELS...",
    .summary = "errors on labels, before and after the correction",
    .about = about,
    .options = known,
    .more = more,
    .run = run_eval,
};
