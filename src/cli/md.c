/* chgnet md: molecular dynamics that survives whatever stops it.
 *
 * Order of things.  A step; at every --every-th its frame; now and then a checkpoint, which says how long the files
 * are. A new run first writes its checkpoint (step 0, no frames) and only then empties an old trajectory, so that at no
 * moment checkpoint and files belong to different runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/md.h"
#include "crystal/reader.h"
#include "store/sha256.h"

#define SKIN 1.0 /* A: neighbours beyond the cutoff that are listed too */

double chgi_cli_md_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int64_t step_of(const chgi_cli_md_run *run)
{
    return (int64_t)chgi_md_get_state(run->md)->numbers->step;
}

/* ---- preparation ------------------------------------------------------------------------------ */

/* The checkpoint knows the delta-model by the sum of its file. */
static chgnet_status note_delta(chgi_cli_md_run *run)
{
    char *data;
    size_t length;
    CHGI_TRY(chgi_file_read(run->ctx, run->options->common.delta, &data, &length));
    chgi_sha256_of(data, length, run->delta_sha256);
    chgi_memory_free(data);
    run->want = CHGNET_WANT_STD;
    return CHGNET_OK;
}

static chgnet_status load(chgi_cli_md_run *run)
{
    const chgi_cli_common *common = &run->options->common;
    chgnet_options chosen = chgnet_options_default();
    chosen.skin = SKIN;
    chosen.trajectory = 1;
    CHGI_TRY(chgi_cli_load(run->ctx, common, chosen, &run->model, &run->delta, &run->calculator));
    run->potential = chgi_calculator_potential(run->calculator);
    return run->delta ? note_delta(run) : CHGNET_OK;
}

/* The last frame of FILE. */
static chgnet_status read_frames(chgi_reader *reader, chgi_structure *structure)
{
    bool got = true;
    while (!chgi_reader_at_end(reader)) {
        chgi_structure next;
        CHGI_TRY(chgi_reader_next(reader, &next, &got));
        if (!got)
            break;
        chgi_structure_destroy(structure);
        *structure = next;
    }
    return CHGNET_OK;
}

static chgnet_status read_structure(chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    chgi_reader *reader;
    CHGI_TRY(chgi_reader_open(run->ctx, o->file, &reader));
    chgnet_status status = read_frames(reader, &run->structure);
    chgi_reader_destroy(reader);
    CHGI_TRY(status);
    if (run->structure.n_atom == 0)
        return chgi_context_fail(run->ctx, CHGNET_EINPUT, "%s: holds no structure; one is needed", o->file);
    status = chgi_cli_fix_apply(run->ctx, &o->fix, &run->structure);
    if (status == CHGNET_EINPUT)
        chgi_context_locate(run->ctx, o->file, 0);
    return status;
}

static chgnet_status make_run(chgi_cli_md_run *run)
{
    chgnet_status status = chgi_md_create(run->ctx, &run->potential, &run->structure, &run->options->md, &run->md);
    if (status == CHGNET_EINPUT)
        chgi_context_locate(run->ctx, run->options->file, 0);
    CHGI_TRY(status);
    chgi_cli_md_plan(run);
    return CHGNET_OK;
}

/* ---- beginning and going on ------------------------------------------------------------------- */

static bool has_content(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size > 0;
}

/* Without a checkpoint there is nothing to go on from.  A run that was stopped before its first one just begins; but a
 * trajectory that is there already must not be lost by a wrong name. */
static chgnet_status check_fresh(const chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    if (!o->resume)
        return CHGNET_OK;
    if (has_content(o->output))
        return chgi_context_fail(run->ctx, CHGNET_EINPUT,
                                 "%s: there is no such checkpoint, but %s is there; give the right --checkpoint, or "
                                 "leave out --resume to start anew",
                                 o->checkpoint, o->output);
    if (!o->common.quiet)
        chgi_cli_warn(o->checkpoint, "no checkpoint yet: the run begins");
    return CHGNET_OK;
}

static chgnet_status begin(chgi_cli_md_run *run)
{
    const chgi_trajectory_mark nothing = {0};
    CHGI_TRY(check_fresh(run));
    CHGI_TRY(chgi_md_start(run->md, run->want));
    CHGI_TRY(chgi_trajectory_open(run->ctx, &run->plan, NULL, &run->trajectory));
    CHGI_TRY(chgi_cli_md_store(run, &nothing, true));
    return chgi_trajectory_clear(run->ctx, run->trajectory);
}

static chgnet_status go_on(chgi_cli_md_run *run)
{
    chgi_trajectory_mark mark;
    CHGI_TRY(chgi_cli_md_restore(run, &mark));
    run->first_step = run->checkpoint_step = step_of(run);
    return chgi_trajectory_open(run->ctx, &run->plan, &mark, &run->trajectory);
}

static chgnet_status prepare(chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    CHGI_TRY(chgi_trajectory_check(run->ctx, o->output));
    CHGI_TRY(chgi_file_check_writable(run->ctx, o->log));
    CHGI_TRY(chgi_file_check_writable(run->ctx, o->checkpoint));
    CHGI_TRY(load(run));
    CHGI_TRY(read_structure(run));
    CHGI_TRY(make_run(run));
    run->last_checkpoint = chgi_cli_md_clock();
    return o->resume && chgi_restart_exists(o->checkpoint) ? go_on(run) : begin(run);
}

/* ---- the loop --------------------------------------------------------------------------------- */

static chgnet_status write_checkpoint(chgi_cli_md_run *run)
{
    chgi_trajectory_mark mark;
    CHGI_TRY(chgi_trajectory_sync(run->ctx, run->trajectory, &mark));
    return chgi_cli_md_store(run, &mark, false);
}

static bool is_checkpoint_due(const chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    return (o->checkpoint_steps > 0 && step_of(run) - run->checkpoint_step >= o->checkpoint_steps) ||
           chgi_cli_md_clock() - run->last_checkpoint >= o->checkpoint_time;
}

/* The frame of this step, if it has one that is not there yet. */
static chgnet_status write_due_frame(chgi_cli_md_run *run)
{
    int64_t step = step_of(run), every = run->options->every;
    if (step % every != 0 || chgi_trajectory_count(run->trajectory) != step / every)
        return CHGNET_OK;
    return chgi_cli_md_write_frame(run);
}

/* The next step may take as long as the longest so far. */
static bool is_time_up(const chgi_cli_md_run *run, double longest)
{
    double limit = run->options->walltime;
    return limit > 0 && chgi_cli_md_clock() - run->start + longest >= limit;
}

static chgnet_status step(chgi_cli_md_run *run)
{
    CHGI_TRY(chgi_md_step(run->md, run->want));
    chgi_cli_md_count(run);
    CHGI_TRY(write_due_frame(run));
    if (is_checkpoint_due(run)) {
        CHGI_TRY(write_checkpoint(run));
        CHGI_TRY(chgi_trajectory_publish(run->ctx, run->trajectory));
    }
    chgi_cli_md_show_progress(run);
    return CHGNET_OK;
}

static chgnet_status make_steps(chgi_cli_md_run *run)
{
    double longest = 0, before = chgi_cli_md_clock();
    CHGI_TRY(write_due_frame(run));
    CHGI_TRY(chgi_trajectory_publish(run->ctx, run->trajectory)); /* so that there is something to look at */
    while (step_of(run) < run->options->md.n_step && !chgi_cli_caught() && !is_time_up(run, longest)) {
        CHGI_TRY(step(run));
        double now = chgi_cli_md_clock();
        longest = fmax(longest, now - before);
        before = now;
    }
    return CHGNET_OK;
}

/* Whatever happened, what can be kept is kept; an error that came first is the one to tell.
 * After a numerical failure the last good state is shown as a frame too, behind the checkpoint's end of the files. */
static chgnet_status end(chgi_cli_md_run *run, chgnet_status status)
{
    chgnet_context *ctx = run->ctx, *quiet = NULL;
    if (status != CHGNET_OK && chgnet_context_create(&quiet) == CHGNET_OK)
        run->ctx = quiet;
    chgnet_status kept = write_checkpoint(run);
    int64_t step = step_of(run), every = run->options->every;
    if (status == CHGNET_ENUMERIC && chgi_trajectory_count(run->trajectory) < step / every + 1 + (step % every > 0))
        (void)chgi_cli_md_write_frame(run);
    chgnet_status finished = chgi_trajectory_finish(run->ctx, run->trajectory);
    run->ctx = ctx;
    chgnet_context_destroy(quiet);
    if (status != CHGNET_OK)
        return status;
    return kept != CHGNET_OK ? kept : finished;
}

/* ---- the command ------------------------------------------------------------------------------ */

static void on_warning(const char *text, void *user)
{
    chgi_cli_md_run *run = user;
    if (run->options->common.quiet)
        return;
    chgi_progress_hide(&run->progress);
    chgi_cli_warn(run->options->file, text);
}

static void say_verbosely(const chgi_cli_md_run *run)
{
    if (run->options->common.verbose)
        fprintf(stderr, "chgnet: %s precision; %lld atoms, %lld degrees of freedom; from step %lld\n",
                run->options->common.is_double ? "double" : "single", (long long)run->structure.n_atom,
                (long long)chgi_md_freedom(run->md), (long long)run->first_step);
}

/* \return the first failure; all are told */
static chgnet_status run_all(chgi_cli_md_run *run)
{
    chgnet_status status = prepare(run);
    if (status != CHGNET_OK)
        return chgi_cli_report(run->ctx, status);
    say_verbosely(run);
    chgi_progress_start(&run->progress, !run->options->common.quiet);
    status = end(run, make_steps(run));
    chgi_progress_hide(&run->progress);
    if (status != CHGNET_OK)
        chgi_cli_report(run->ctx, status);
    if (status != CHGNET_OK && status != CHGNET_ENUMERIC)
        return status;
    chgi_cli_md_report(run);
    if (!run->options->common.plot || chgi_trajectory_count(run->trajectory) < 2)
        return status;
    chgnet_status plotted = chgi_cli_md_plot(run);
    if (plotted != CHGNET_OK)
        chgi_cli_report(run->ctx, plotted);
    return status != CHGNET_OK ? status : plotted;
}

static void destroy(chgi_cli_md_run *run)
{
    chgi_trajectory_destroy(run->trajectory);
    chgi_md_destroy(run->md);
    chgi_restart_destroy(&run->checkpoint);
    chgi_structure_destroy(&run->structure);
    chgnet_calculator_destroy(run->calculator);
    chgi_delta_file_destroy(run->delta);
    chgnet_model_destroy(run->model);
}

int chgi_cli_md_main(chgnet_context *ctx, int argc, char **argv)
{
    chgi_cli_md_options options;
    chgi_cli_md_run run = {.ctx = ctx, .options = &options, .start = chgi_cli_md_clock()};
    chgnet_status status = chgi_cli_md_parse(ctx, argc, argv, &options);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    else if (options.common.help)
        chgi_cli_print_help(&chgi_cli_md);
    else {
        chgi_cli_catch_signals();
        (void)signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is a full disk */
        chgnet_context_on_warning(ctx, on_warning, &run);
        status = run_all(&run);
        chgnet_context_on_warning(ctx, NULL, NULL);
    }
    destroy(&run);
    chgi_cli_fix_destroy(&options.fix);
    chgi_memory_free(options.log);
    chgi_memory_free(options.checkpoint);
    return status == CHGNET_OK && chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)status;
}
