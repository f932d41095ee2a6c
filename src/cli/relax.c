/* chgnet relax: structures in, relaxed structures out, several at a time.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/relax.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/plot.h"
#include "cli/progress.h"
#include "crystal/reader.h"
#include "gp/delta_file.h"
#include "task/crowd.h"

static const double SKIN = 0.6; /* A: several steps to a list of neighbours */
enum { MOST_CURVES = 12 };

/* What one thread works with. */
typedef struct worker {
    struct run *run;
    chgnet_context *ctx;
    chgi_potential potential;
    chgi_cli_relax_job *job; /* in work */
} worker;

typedef struct run {
    chgnet_context *ctx;
    const chgi_cli_relax_options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    chgi_provenance provenance;
    chgi_output *output;
    chgi_cli_relax_trajectory trajectory;
    bool has_trajectory;
    worker *workers;
    int n_worker;
    chgi_progress progress;

    chgi_reader *reader; /* of the file that is being read */
    int file;            /* its number */
    int64_t source_frame, number;

    const char *told; /* the file whose warning is being told */
    chgi_text table, curves;
    int64_t curve_numbers[MOST_CURVES], n_curve;
    int64_t n_done, n_converged;
    chgnet_status first; /* failure */
} run;

/* ---- telling ---------------------------------------------------------------------------------- */

static void note_failure(run *r, chgnet_status status)
{
    chgi_progress_hide(&r->progress);
    chgi_cli_report(r->ctx, status);
    if (r->first == CHGNET_OK)
        r->first = status;
}

static void on_warning(const char *text, void *user)
{
    run *r = user;
    if (r->options->common.quiet)
        return;
    chgi_progress_hide(&r->progress);
    chgi_cli_warn(r->told, text);
}

/* A worker's warning waits in its job; which kind it is shows in what the context has marked since. */
static void keep_warning(const char *text, void *user)
{
    worker *w = user;
    for (int kind = 0; kind < CHGI_WARN_COUNT; kind++)
        if (w->ctx->warned[kind] && !w->job->warning[0]) {
            w->job->warning_kind = (chgi_warning)kind;
            snprintf(w->job->warning, sizeof w->job->warning, "%s", text);
        }
}

/* ---- reading: the caller's thread -------------------------------------------------------------- */

static void keep_error(chgi_cli_relax_job *job, const chgnet_context *ctx, chgnet_status status)
{
    job->status = status;
    snprintf(job->error, sizeof job->error, "%s", ctx->error);
}

static void free_job(chgi_cli_relax_job *job)
{
    chgi_result_destroy(&job->result);
    chgi_text_destroy(&job->frames);
    chgi_memory_free(job->curve);
    chgi_memory_free(job);
}

static chgnet_status read_frame(run *r, chgi_cli_relax_job *job, bool *got)
{
    chgi_structure *s = &job->result.structure;
    CHGI_TRY(chgi_reader_next(r->reader, s, got));
    if (!*got)
        return CHGNET_OK;
    job->line = chgi_reader_line(r->reader);
    chgnet_status status = chgi_cli_fix_apply(r->ctx, &r->options->fix, s);
    if (status == CHGNET_OK && r->options->format == CHGI_FORMAT_VASP && r->number > 0)
        status = chgi_context_fail(r->ctx, CHGNET_EUSAGE,
                                   "a POSCAR holds one structure, and this is the second; end the name of the output "
                                   "in .extxyz, .h5, .json or .cif");
    if (status != CHGNET_OK)
        chgi_context_locate(r->ctx, chgi_reader_path(r->reader), job->line);
    return status;
}

static void close_file(run *r)
{
    chgi_reader_destroy(r->reader);
    r->reader = NULL;
    r->file++;
    r->source_frame = 0;
}

/* The next frame of the open file, or what is wrong with it.  \return false at its end */
static bool next_frame(run *r, chgi_cli_relax_job *job)
{
    bool got = true;
    if (!r->reader) {
        chgnet_status status = chgi_reader_open(r->ctx, r->options->files[r->file], &r->reader);
        if (status != CHGNET_OK) {
            keep_error(job, r->ctx, status);
            close_file(r);
            return true;
        }
    }
    if (chgi_reader_at_end(r->reader))
        return false;
    job->result.source_frame = r->source_frame++;
    chgnet_status status = read_frame(r, job, &got);
    if (status != CHGNET_OK)
        keep_error(job, r->ctx, status);
    job->share = (r->file + chgi_reader_share(r->reader)) / r->options->n_file;
    return got || status != CHGNET_OK;
}

static chgnet_status produce(void *user, void **item)
{
    run *r = user;
    *item = NULL;
    chgi_cli_relax_job *job = chgi_memory_new(1, sizeof *job);
    if (!job)
        return chgi_context_nomem(r->ctx, 1, sizeof *job);
    while (r->file < r->options->n_file) {
        r->told = r->options->files[r->file];
        job->result = (chgi_result){.provenance = &r->provenance, .source = r->told};
        bool got = next_frame(r, job);
        if (chgi_cli_caught()) /* what was read of standard input may be a part */
            break;
        if (got) {
            job->result.number = r->number++;
            *item = job;
            return CHGNET_OK;
        }
        close_file(r);
    }
    free_job(job);
    return CHGNET_OK;
}

/* ---- relaxing: the workers' threads ------------------------------------------------------------ */

static void show_step(const run *r, chgi_progress *progress, const chgi_relax_state *state)
{
    char text[96];
    if (r->n_worker > 1 || !chgi_progress_is_due(progress))
        return;
    snprintf(text, sizeof text, "step %lld, largest force %.4f eV/A, structure %lld", (long long)state->step,
             state->fmax, (long long)r->n_done);
    chgi_progress_show_text(progress, (double)state->step / (double)(r->options->relax.steps + 1), text);
}

static chgnet_status watch(void *user, const chgi_relax_state *state)
{
    worker *w = user;
    run *r = w->run;
    if (r->options->common.plot) {
        size_t count = 2 * ((size_t)state->step + 1);
        CHGI_TRY(chgi_memory_grow(w->ctx, &w->job->curve, &w->job->curve_capacity, count, sizeof *w->job->curve));
        w->job->curve[count - 2] = state->energy;
        w->job->curve[count - 1] = state->fmax;
    }
    if (r->has_trajectory)
        CHGI_TRY(chgi_cli_relax_trajectory_add(w->ctx, &r->trajectory, w->job, state));
    show_step(r, &r->progress, state);
    w->job->stopped = chgi_cli_caught() && !state->converged;
    return w->job->stopped ? CHGNET_ECONVERGE : CHGNET_OK;
}

static chgnet_status finish(worker *w, chgnet_status status)
{
    chgi_cli_relax_job *job = w->job;
    chgi_structure *s = &job->result.structure;
    char text[32];
    if (job->stopped || (status != CHGNET_OK && status != CHGNET_ECONVERGE))
        return status;
    snprintf(text, sizeof text, "%lld", (long long)job->report.steps);
    CHGI_TRY(chgi_structure_set_info(w->ctx, s, "relax_steps", text));
    CHGI_TRY(chgi_structure_set_info(w->ctx, s, "relax_converged", status == CHGNET_OK ? "T" : "F"));
    char error[sizeof w->ctx->error];
    memcpy(error, w->ctx->error, sizeof error);
    CHGI_TRY(chgi_result_compute(w->ctx, w->potential.self, false, false, &job->result));
    return chgi_context_fail(w->ctx, status, "%s", error);
}

static void work(void *user, int number, void *item)
{
    run *r = user;
    worker *w = &r->workers[number];
    chgi_cli_relax_job *job = w->job = item;
    if (job->status != CHGNET_OK)
        return;
    memset(w->ctx->warned, 0, sizeof w->ctx->warned);
    chgnet_status status =
        chgi_relax(w->ctx, &w->potential, &job->result.structure, &r->options->relax, watch, w, &job->report);
    status = finish(w, status);
    if (status == CHGNET_OK)
        return;
    chgi_context_locate(w->ctx, job->result.source, job->line);
    keep_error(job, w->ctx, status);
}

/* ---- taking back: the caller's thread ---------------------------------------------------------- */

static void keep_curve(run *r, const chgi_cli_relax_job *job)
{
    if (!r->options->common.plot || r->n_curve == MOST_CURVES)
        return;
    chgi_cli_relax_plot_data(&r->curves, job);
    r->curve_numbers[r->n_curve++] = job->result.number;
}

static chgnet_status take(run *r, chgi_cli_relax_job *job)
{
    r->told = job->result.source;
    if (job->warning[0])
        chgi_context_warn(r->ctx, job->warning_kind, "%s", job->warning);
    if (job->status != CHGNET_OK) {
        chgi_context_fail(r->ctx, job->status, "%s", job->error);
        note_failure(r, job->status);
    }
    chgi_cli_relax_print_row(&r->table, job);
    r->n_done++;
    chgi_progress_show(&r->progress, job->share, r->n_done);
    if (job->status != CHGNET_OK && job->status != CHGNET_ECONVERGE)
        return CHGNET_OK;
    r->n_converged += job->status == CHGNET_OK;
    keep_curve(r, job);
    return chgi_output_add(r->ctx, r->output, &job->result);
}

static chgnet_status consume(void *user, void *item, bool done)
{
    run *r = user;
    chgi_cli_relax_job *job = item;
    chgnet_status status = CHGNET_OK;
    if (done && r->has_trajectory)
        status = chgi_cli_relax_trajectory_finish(r->ctx, &r->trajectory, job);
    if (status == CHGNET_OK && done && !job->stopped)
        status = take(r, job);
    if (status != CHGNET_OK)
        note_failure(r, status);
    free_job(job);
    return status;
}

static bool stop(void *user)
{
    (void)user;
    return chgi_cli_caught() != 0;
}

/* ---- the run ---------------------------------------------------------------------------------- */

static chgnet_status make_worker(run *r, worker *w, int threads)
{
    chgnet_calculator *calculator;
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = r->options->common.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = threads;
    chosen.skin = SKIN;
    chosen.trajectory = 1;
    w->run = r;
    if (chgnet_context_create(&w->ctx) != CHGNET_OK)
        return chgi_context_nomem(r->ctx, 1, sizeof *w->ctx);
    chgnet_context_on_warning(w->ctx, keep_warning, w);
    chgnet_status status = chgnet_calculator_create(w->ctx, r->model, &chosen, &calculator);
    if (status == CHGNET_OK) {
        w->potential = chgi_calculator_potential(calculator);
        if (r->delta)
            status = chgnet_calculator_set_delta(calculator, r->delta);
    }
    return status == CHGNET_OK ? CHGNET_OK : chgi_context_fail(r->ctx, status, "%s", w->ctx->error);
}

static int thread_count(const run *r)
{
    return r->options->common.threads > 0 ? r->options->common.threads : omp_get_max_threads();
}

static chgnet_status begin(void *user, int n_worker)
{
    run *r = user;
    int threads = thread_count(r);
    r->workers = chgi_memory_new((size_t)n_worker, sizeof *r->workers);
    if (!r->workers)
        return chgi_context_nomem(r->ctx, (size_t)n_worker, sizeof *r->workers);
    r->n_worker = n_worker;
    for (int k = 0; k < n_worker; k++)
        CHGI_TRY(make_worker(r, &r->workers[k], threads / n_worker + (k < threads % n_worker)));
    if (r->options->common.verbose)
        fprintf(stderr, "chgnet: %d thread%s, %d structure%s at a time\n", threads, threads == 1 ? "" : "s", n_worker,
                n_worker == 1 ? "" : "s");
    return CHGNET_OK;
}

static chgnet_status prepare(run *r)
{
    const chgi_cli_relax_options *o = r->options;
    CHGI_TRY(chgi_output_create(r->ctx, o->format, o->output, &r->output));
    if (o->trajectory) {
        CHGI_TRY(chgi_cli_relax_trajectory_open(r->ctx, o->trajectory, &r->trajectory));
        r->has_trajectory = true;
    }
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    r->provenance =
        (chgi_provenance){chgnet_version(), info.version,   info.sha256, o->common.is_double ? "double" : "single",
                          info.n_feature,   o->common.delta};
    if (o->common.delta) {
        CHGI_TRY(chgi_delta_file_load(r->ctx, o->common.delta, &r->delta));
        CHGI_TRY(chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256));
    }
    if (o->common.verbose)
        fprintf(stderr, "chgnet: model %s from %s, %lld parameters, %s precision\n", info.version, info.path,
                (long long)info.n_parameter, r->provenance.precision);
    chgi_cli_relax_print_header(&r->table, &r->provenance, &o->relax, chgi_cli_has_colour(stdout));
    return CHGNET_OK;
}

static chgnet_status write_output(run *r)
{
    return chgi_output_finish(r->ctx, r->output);
}

static chgnet_status plot(run *r)
{
    char path[4096];
    if (!r->options->common.plot || r->n_curve == 0)
        return CHGNET_OK;
    chgi_plot_name(r->options->output, "-relax.svg", path, sizeof path);
    return chgi_cli_relax_plot(r->ctx, &r->curves, r->curve_numbers, r->n_curve, path);
}

static chgnet_status print_table(run *r)
{
    if (r->table.failed)
        return chgi_context_nomem(r->ctx, r->table.length, 2);
    chgi_text_print(&r->table, "\n%lld of %lld structure%s converged\n", (long long)r->n_converged,
                    (long long)r->n_done, r->n_done == 1 ? "" : "s");
    fwrite(r->table.data, 1, r->table.length, stdout);
    return chgi_cli_flush(r->ctx);
}

static void relax_all(run *r)
{
    const chgi_crowd crowd = {.n_worker = thread_count(r),
                              .user = r,
                              .produce = produce,
                              .begin = begin,
                              .work = work,
                              .consume = consume,
                              .stop = stop};
    chgi_cli_catch_signals();
    chgi_progress_start(&r->progress, !r->options->common.quiet);
    chgnet_status status = chgi_crowd_run(r->ctx, &crowd);
    chgi_progress_hide(&r->progress);
    if (status != CHGNET_OK && r->first == CHGNET_OK) /* otherwise it has been told */
        note_failure(r, status);
    r->told = r->options->output;
    chgnet_status (*const last[])(run *) = {write_output, print_table, plot};
    for (size_t k = 0; k < sizeof last / sizeof *last; k++) {
        status = last[k](r);
        if (status != CHGNET_OK)
            note_failure(r, status);
    }
    if (r->options->common.verbose)
        fprintf(stderr, "chgnet: %lld structures in %.2f s\n", (long long)r->n_done,
                chgi_progress_elapsed(&r->progress));
}

static void clean_up(run *r)
{
    if (r->has_trajectory) {
        chgnet_status status = chgi_cli_relax_trajectory_close(r->ctx, &r->trajectory);
        if (status != CHGNET_OK)
            note_failure(r, status);
    }
    chgnet_context_on_warning(r->ctx, NULL, NULL);
    for (int k = 0; k < r->n_worker; k++) {
        if (r->workers[k].potential.destroy)
            r->workers[k].potential.destroy(r->workers[k].potential.self);
        chgnet_context_destroy(r->workers[k].ctx);
    }
    chgi_memory_free(r->workers);
    chgi_reader_destroy(r->reader);
    chgi_output_destroy(r->output);
    chgi_delta_file_destroy(r->delta);
    chgnet_model_destroy(r->model);
    chgi_text_destroy(&r->table);
    chgi_text_destroy(&r->curves);
}

int chgi_cli_relax_main(chgnet_context *ctx, int argc, char **argv)
{
    chgi_cli_relax_options o;
    chgnet_status status = chgi_cli_relax_parse(ctx, argc, argv, &o);
    run r = {.ctx = ctx, .options = &o};
    if (status != CHGNET_OK)
        r.first = (chgnet_status)chgi_cli_report(ctx, status);
    else if (o.common.help)
        chgi_cli_print_help(&chgi_cli_relax);
    else {
        chgnet_context_on_warning(ctx, on_warning, &r);
        status = prepare(&r);
        if (status == CHGNET_OK)
            relax_all(&r);
        else
            note_failure(&r, status);
        clean_up(&r);
    }
    chgi_cli_relax_options_destroy(&o);
    return chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)r.first;
}
