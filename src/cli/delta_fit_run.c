/* What `chgnet delta fit` does: labels, embeddings, the fit, its trials on labels kept aside, the file.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/delta_fit.h"
#include "cli/plot.h"
#include "task/judge_set.h"

enum { CURVE_FOLDS = 5 };

typedef struct run {
    chgnet_context *ctx;
    const chgi_cli_fit *options;
    chgnet_model *model;
    chgi_delta_choice choice;
    double offsets[CHGI_MAX_ELEMENT + 1];
    chgnet_delta *delta; /* the result; the old model at first with --add */
    chgi_label_set set;
    chgi_cli_talk talk;
    bool with_forces;
    chgi_text table, json;
} run;

static const char *base_name(const run *r)
{
    const char *key = r->options->labels.form.base_energy_key;
    return key ? key : "CHGNet";
}

static bool wants_progress(const run *r)
{
    return !r->options->common.quiet;
}

static void start_progress(run *r, const char *what)
{
    chgi_progress_hide(&r->talk.progress);
    if (r->options->common.verbose)
        fprintf(stderr, "chgnet: %s\n", what);
    chgi_progress_start(&r->talk.progress, wants_progress(r));
}

/* ---- labels ----------------------------------------------------------------------------------- */

static chgi_embed_choice embed_choice(run *r)
{
    const chgi_cli_fit *o = r->options;
    return (chgi_embed_choice){.model = r->model,
                               .layer = r->choice.layer,
                               .with_forces = r->with_forces,
                               .with_jacobians = r->with_forces,
                               .base_given = o->labels.form.base_energy_key != NULL,
                               .check = true,
                               .skip_bad = o->labels.form.skip_bad,
                               .n_thread = o->common.threads,
                               .progress = chgi_cli_talk_progress,
                               .user = &r->talk};
}

static chgnet_status read_labels(run *r)
{
    const chgi_cli_fit *o = r->options;
    int n_element = chgnet_model_get_info(r->model).n_element;
    CHGI_TRY(chgi_cli_read_labels(r->ctx, &o->labels, n_element, o->n_file, o->files, &r->set));
    start_progress(r, "embedding the labels");
    chgi_embed_choice choice = embed_choice(r);
    CHGI_TRY(chgi_embed_set(r->ctx, &choice, &r->set));
    chgi_progress_hide(&r->talk.progress);
    if (r->set.n_label == 0)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT, "%s: none of its labels can be used; see the warnings",
                                 o->files[0]);
    return CHGNET_OK;
}

/* ---- the fit ---------------------------------------------------------------------------------- */

static chgnet_status load_old(run *r)
{
    const chgi_cli_fit *o = r->options;
    chgnet_model_info info = chgnet_model_get_info(r->model);
    const char *key = o->labels.form.base_energy_key, *base = key ? key : "chgnet";
    CHGI_TRY(chgi_delta_file_load(r->ctx, o->add, &r->delta));
    CHGI_TRY(chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256));
    if (strcmp(r->delta->base, base) != 0)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                                 "%s: corrects the base '%s', not '%s'; name the same by --base-energy-key", o->add,
                                 r->delta->base, base);
    chgi_delta_summary s = chgi_delta_describe(r->delta->gp);
    r->choice = *s.choice;
    r->with_forces = r->with_forces && s.n_force > 0;
    return CHGNET_OK;
}

static chgnet_status fit(run *r)
{
    const chgi_cli_fit *o = r->options;
    chgi_delta *gp;
    if (o->add)
        return chgi_train_add(r->ctx, r->delta, r->with_forces, &r->set);
    if (r->set.n_label == 1)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                                 "%s: one label alone teaches only element offsets; two or more are needed",
                                 o->files[0]);
    start_progress(r, "fitting");
    CHGI_TRY(chgi_train_fit(r->ctx, &r->choice, &r->set, NULL, r->with_forces, &gp));
    /* the embeddings go with the set; cross-validation has to come before */
    return chgi_train_finish(r->ctx, r->model, o->labels.form.base_energy_key, &gp, &r->set, &r->delta);
}

/* ---- trials ----------------------------------------------------------------------------------- */

static chgi_fold_choice fold_choice(run *r, int64_t n_fold)
{
    int64_t n = n_fold == CHGI_CLI_LOO ? r->set.n_label : n_fold;
    return (chgi_fold_choice){.n_fold = n,
                              .with_forces = r->with_forces,
                              .fixed = r->options->fixed,
                              .seed = r->options->seed,
                              .progress = chgi_cli_talk_progress,
                              .user = &r->talk};
}

static void begin_json(run *r, const char *name)
{
    chgi_text_print(&r->json, "%s\"%s\": ", r->json.length > 1 ? ", " : "", name);
}

static chgnet_status plot(run *r, const chgi_judgement *judgement, const char *suffix)
{
    char path[512];
    const char *name = r->options->output ? r->options->output : "delta";
    if (!r->options->common.plot)
        return CHGNET_OK;
    chgi_plot_name(name, suffix, path, sizeof path);
    return chgi_cli_plot_parity(r->ctx, judgement, path);
}

static chgnet_status tell_judgement(run *r, const char *name, const char *title, const chgi_judgement *judgement,
                                    const chgi_label_set *set)
{
    chgi_summary summary = chgi_judgement_sum(judgement);
    chgi_text_print(&r->table, "\n%s\n", title);
    chgi_cli_print_summary(&r->table, &summary, base_name(r));
    begin_json(r, name);
    chgi_text_print(&r->json, "{");
    chgi_cli_json_summary(&r->json, &summary);
    chgi_text_print(&r->json, ", \"labels\": ");
    chgi_cli_json_rows(&r->json, judgement, set);
    chgi_text_print(&r->json, "}");
    return CHGNET_OK;
}

static chgnet_status cross_validate(run *r)
{
    const chgi_cli_fit *o = r->options;
    chgi_judgement judgement;
    char title[160];
    if (!o->n_fold)
        return CHGNET_OK;
    chgi_fold_choice folds = fold_choice(r, o->n_fold);
    start_progress(r, "cross-validation");
    CHGI_TRY(chgi_train_cross_validate(r->ctx, &r->choice, &folds, &r->set, &judgement));
    chgi_progress_hide(&r->talk.progress);
    snprintf(title, sizeof title, "cross-validation: %lld folds%s; hyperparameters %s", (long long)folds.n_fold,
             folds.n_fold == r->set.n_label ? " (leave one out)" : "",
             o->fixed             ? "of the fit to all labels"
             : r->choice.optimize ? "optimised without the labels kept aside"
                                  : "as given");
    chgnet_status status = tell_judgement(r, "cross_validation", title, &judgement, &r->set);
    if (status == CHGNET_OK)
        status = plot(r, &judgement, "-parity.svg");
    chgi_judgement_destroy(&judgement);
    return status;
}

static void print_curve_point(run *r, const chgi_curve_point *point, bool first)
{
    const chgi_summary *s = &point->summary;
    chgi_text_print(&r->table, "%10lld  %9.2f %9.2f", (long long)point->n_train, 1e3 * s->energy[0].mae,
                    1e3 * s->energy[1].mae);
    if (s->forces[0].n)
        chgi_text_print(&r->table, "  %9.2f %9.2f", 1e3 * s->forces[0].mae, 1e3 * s->forces[1].mae);
    chgi_text_print(&r->table, "\n");
    chgi_text_print(&r->json, "%s{\"n_train\": %lld, ", first ? "" : ", ", (long long)point->n_train);
    chgi_cli_json_summary(&r->json, s);
    chgi_text_print(&r->json, "}");
}

static chgnet_status plot_curve(run *r, const chgi_curve_point *points, int n)
{
    char path[512];
    chgi_text script = {0};
    bool forces = points[0].summary.forces[0].n > 0;
    if (!r->options->common.plot || n == 0)
        return CHGNET_OK;
    chgi_plot_begin(&script, 640, 480);
    chgi_text_print(&script, "$curve << END\n");
    for (int i = 0; i < n; i++)
        chgi_text_print(&script, "%lld %.6f %.6f\n", (long long)points[i].n_train,
                        1e3 * points[i].summary.energy[1].mae, 1e3 * points[i].summary.forces[1].mae);
    chgi_text_print(&script,
                    "END\nset logscale xy\nset key top right\nset xlabel 'labels'\n"
                    "set ylabel 'mean absolute error'\n"
                    "plot $curve using 1:2 with linespoints pt 7 lc rgb '#0060ad' title 'energy (meV/cell)'%s\n",
                    forces ? ", '' using 1:3 with linespoints pt 5 lc rgb '#c03030' title 'forces (meV/A)'" : "");
    chgi_plot_name(r->options->output ? r->options->output : "delta", "-curve.svg", path, sizeof path);
    chgnet_status status = chgi_plot_write(r->ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}

static chgnet_status learning_curve(run *r)
{
    chgi_curve_point points[CHGI_CURVE_POINTS];
    int n = 0;
    if (!r->options->curve)
        return CHGNET_OK;
    int64_t n_fold = r->options->n_fold ? r->options->n_fold : CURVE_FOLDS;
    chgi_fold_choice folds = fold_choice(r, n_fold);
    start_progress(r, "learning curve");
    CHGI_TRY(chgi_train_learning_curve(r->ctx, &r->choice, &folds, &r->set, points, &n));
    chgi_progress_hide(&r->talk.progress);
    chgi_text_print(&r->table,
                    "\nlearning curve: mean absolute errors on %lld folds kept aside\n"
                    "    labels  energy (meV/cell)      forces (meV/A)\n"
                    "               before     after     before     after\n",
                    (long long)folds.n_fold);
    begin_json(r, "learning_curve");
    chgi_text_print(&r->json, "[");
    for (int i = 0; i < n; i++)
        print_curve_point(r, &points[i], i == 0);
    chgi_text_print(&r->json, "]");
    return plot_curve(r, points, n);
}

static chgnet_status validate(run *r)
{
    const chgi_cli_fit *o = r->options;
    chgi_label_set set = {0};
    chgi_judgement judgement = {0};
    char *files[] = {NULL};
    if (!o->validation)
        return CHGNET_OK;
    memcpy(&files[0], &o->validation, sizeof files[0]);
    chgi_embed_choice choice = embed_choice(r);
    choice.check = false;
    int n_element = chgnet_model_get_info(r->model).n_element;
    chgnet_status status = chgi_cli_read_labels(r->ctx, &o->labels, n_element, 1, files, &set);
    if (status == CHGNET_OK)
        status = chgi_judge_set(r->ctx, &choice, r->delta->gp, &set, &judgement);
    chgi_progress_hide(&r->talk.progress);
    if (status == CHGNET_OK) {
        char title[600];
        snprintf(title, sizeof title, "validation by %s", o->validation);
        status = tell_judgement(r, "validation", title, &judgement, &set);
    }
    if (status == CHGNET_OK)
        status = plot(r, &judgement, "-validation.svg");
    chgi_judgement_destroy(&judgement);
    chgi_label_set_destroy(&set);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static chgnet_status prepare(run *r)
{
    const chgi_cli_fit *o = r->options;
    r->with_forces = !o->labels.energies_only;
    if (o->output)
        CHGI_TRY(chgi_file_check_writable(r->ctx, o->output));
    CHGI_TRY(chgi_cli_fit_choice(r->ctx, o, r->offsets, &r->choice));
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    if (o->add)
        CHGI_TRY(load_old(r));
    return read_labels(r);
}

static chgnet_status save(run *r)
{
    if (!r->options->output)
        return CHGNET_OK;
    chgi_cli_catch_signals(); /* a file that is being written is finished */
    return chgi_delta_file_save(r->ctx, r->delta, r->options->output);
}

static chgnet_status work(run *r)
{
    const chgi_cli_fit *o = r->options;
    CHGI_TRY(prepare(r));
    chgi_text_print(&r->json, "{");
    chgi_text trials = {0};
    CHGI_TRY(cross_validate(r));
    CHGI_TRY(learning_curve(r));
    trials = r->table; /* shown below the fit */
    r->table = (chgi_text){0};
    chgnet_status status = o->output || o->validation ? fit(r) : CHGNET_OK;
    chgi_progress_hide(&r->talk.progress);
    if (status == CHGNET_OK && r->delta) {
        chgi_cli_print_delta(&r->table, r->delta, false);
        begin_json(r, "model");
        chgi_cli_json_delta(&r->json, r->delta);
    }
    if (status == CHGNET_OK)
        status = validate(r);
    if (trials.length > 0)
        chgi_text_append(&r->table, trials.data + (r->delta ? 0 : 1), trials.length - (r->delta ? 0 : 1));
    r->table.failed = r->table.failed || trials.failed;
    chgi_text_destroy(&trials);
    CHGI_TRY(status);
    CHGI_TRY(save(r));
    chgi_text_print(&r->json, "}\n");
    return chgi_cli_print_text(r->ctx, o->json ? &r->json : &r->table);
}

int chgi_cli_run_fit(chgnet_context *ctx, const chgi_cli_fit *options)
{
    run r = {.ctx = ctx, .options = options, .talk = {.file = options->files[0], .quiet = options->common.quiet}};
    chgnet_context_on_warning(ctx, chgi_cli_talk_warning, &r.talk);
    chgnet_status status = work(&r);
    chgi_progress_hide(&r.talk.progress);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgnet_context_on_warning(ctx, NULL, NULL);
    chgi_text_destroy(&r.table);
    chgi_text_destroy(&r.json);
    chgi_label_set_destroy(&r.set);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return status;
}
