/* chgnet phonon-forces: forces of displaced cells, for phonopy.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/phonon.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/progress.h"
#include "crystal/supercell.h"
#include "gp/delta_file.h"
#include "task/minimise.h"
#include "task/phonon.h"

/* A: one list of neighbours serves all displacements that are shorter than half of it. */
static const double SKIN = 0.2;
/* eV/A: larger forces on atoms at rest say that the crystal was not relaxed. */
static const double AT_REST = 0.01;

/* What a worker's context warned of; told when the work is done. */
typedef char warning[400];

typedef struct run {
    chgnet_context *ctx;
    const chgi_cli_phonon_options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    chgi_structure unit; /* empty when phonopy made the cells */
    chgi_displaced cells;
    char group[16];
    int n_worker;
    chgi_phonon_worker *workers; /* (n_worker) */
    warning *warnings;           /* (n_worker) */
    double *residual, *forces;   /* (n_atom,3); (n_displacement,n_atom,3) */
    bool complete;
    chgi_progress progress;
} run;

/* ---- cells ------------------------------------------------------------------------------------ */

static chgnet_status make_cells(run *r)
{
    const chgi_cli_phonon_options *o = r->options;
    int64_t n_cell = 0;
    CHGI_TRY(chgi_cli_read_first(r->ctx, o->file, &r->unit));
    chgnet_status status =
        chgi_supercell_make(r->ctx, &r->unit, (const int(*)[3])o->matrix, &n_cell, &r->cells.supercell);
    if (status == CHGNET_OK)
        status = chgi_displace(r->ctx, &o->displace, n_cell, &r->cells, r->group);
    if (status != CHGNET_OK)
        chgi_context_locate(r->ctx, o->file, 0);
    return status;
}

static chgnet_status read_yaml(run *r)
{
    char *data;
    size_t length;
    CHGI_TRY(chgi_file_read(r->ctx, r->options->file, &data, &length));
    chgi_lines lines = {.ctx = r->ctx, .path = r->options->file, .text = data, .length = length};
    chgnet_status status = CHGNET_OK;
    if (!chgi_phonopy_recognise(&lines))
        status = chgi_lines_fail(&lines, 0,
                                 "no displacements of phonopy; give phonopy_disp.yaml, or --supercell with a crystal");
    else
        status = chgi_phonopy_read(&lines, &r->cells);
    chgi_memory_free(data);
    return status;
}

static chgnet_status compare(run *r, int64_t k)
{
    const char *file = r->options->others[k];
    chgi_structure structure = {0};
    chgnet_status status = chgi_cli_read_first(r->ctx, file, &structure);
    if (status == CHGNET_OK) {
        status = chgi_displaced_compare(r->ctx, &r->cells, k, &structure);
        if (status != CHGNET_OK)
            chgi_context_locate(r->ctx, file, 0);
    }
    chgi_structure_destroy(&structure);
    return status;
}

static chgnet_status read_cells(run *r)
{
    CHGI_TRY(read_yaml(r));
    int64_t n = r->options->n_other;
    if (n > 0 && n != r->cells.n_displacement)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                                 "%s: %lld displacements but %lld displaced cells; give all or none", r->options->file,
                                 (long long)r->cells.n_displacement, (long long)n);
    for (int64_t k = 0; k < n; k++)
        CHGI_TRY(compare(r, k));
    return CHGNET_OK;
}

/* ---- forces ----------------------------------------------------------------------------------- */

static void on_warning(const char *text, void *user)
{
    run *r = user;
    if (r->options->common.quiet)
        return;
    chgi_progress_hide(&r->progress);
    chgi_cli_warn(r->options->file, text);
}

/* The workers see one structure, so the first warning of one is all there is to say. */
static void keep_warning(const char *text, void *user)
{
    char *kept = user;
    if (!kept[0])
        snprintf(kept, sizeof(warning), "%s", text);
}

static void pass_warning(run *r)
{
    for (int k = 0; k < r->n_worker; k++)
        if (r->warnings[k][0]) {
            on_warning(r->warnings[k], r);
            return;
        }
}

static chgnet_status load(run *r)
{
    const chgi_cli_common *common = &r->options->common;
    CHGI_TRY(chgnet_model_load(r->ctx, common->model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    if (common->verbose)
        fprintf(stderr, "chgnet: model %s from %s\n", info.version, info.path);
    if (!common->delta)
        return CHGNET_OK;
    CHGI_TRY(chgi_delta_file_load(r->ctx, common->delta, &r->delta));
    return chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256);
}

static chgnet_status make_worker(run *r, int number, int threads)
{
    chgi_phonon_worker *w = &r->workers[number];
    chgnet_calculator *calculator;
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = r->options->common.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = threads;
    chosen.skin = SKIN;
    CHGI_TRY(chgnet_context_create(&w->ctx));
    chgnet_context_on_warning(w->ctx, keep_warning, r->warnings[number]);
    chgnet_status status = chgnet_calculator_create(w->ctx, r->model, &chosen, &calculator);
    if (status == CHGNET_OK) {
        w->potential = chgi_calculator_potential(calculator);
        calculator->keep_at_most /= (size_t)r->n_worker;
        if (r->delta)
            status = chgnet_calculator_set_delta(calculator, r->delta);
    }
    return status == CHGNET_OK ? CHGNET_OK : chgi_context_fail(r->ctx, status, "%s", w->ctx->error);
}

/* As many workers as there are threads for, no more than cells. */
static chgnet_status make_workers(run *r)
{
    int threads = r->options->common.threads > 0 ? r->options->common.threads : omp_get_max_threads();
    r->n_worker = threads <= r->cells.n_displacement ? threads : (int)r->cells.n_displacement + 1;
    size_t n = (size_t)r->n_worker, rows = (size_t)r->cells.supercell.n_atom;
    r->workers = chgi_memory_new(n, sizeof *r->workers);
    r->residual = chgi_memory_new(rows, 3 * sizeof *r->residual);
    r->forces = chgi_memory_new((size_t)r->cells.n_displacement, 3 * rows * sizeof *r->forces);
    r->warnings = chgi_memory_new(n, sizeof *r->warnings);
    if (!r->workers || !r->warnings || !r->residual || !r->forces)
        return chgi_context_nomem(r->ctx, (size_t)r->cells.n_displacement, 3 * rows * sizeof *r->forces);
    for (int k = 0; k < r->n_worker; k++)
        CHGI_TRY(make_worker(r, k, threads / r->n_worker + (k < threads % r->n_worker)));
    if (r->options->common.verbose)
        fprintf(stderr, "chgnet: %d thread%s, %d cell%s at a time\n", threads, threads == 1 ? "" : "s", r->n_worker,
                r->n_worker == 1 ? "" : "s");
    return CHGNET_OK;
}

static void show_progress(void *user, int64_t n_done, int64_t n_all)
{
    run *r = user;
    chgi_progress_show(&r->progress, (double)n_done / (double)n_all, n_done);
}

static bool should_stop(void *user)
{
    (void)user;
    return chgi_cli_caught() != 0;
}

static chgnet_status compute(run *r)
{
    CHGI_TRY(make_workers(r));
    const chgi_phonon_choice choice = {.n_worker = r->n_worker,
                                       .workers = r->workers,
                                       .max_std = r->options->common.max_std,
                                       .user = r,
                                       .progress = show_progress,
                                       .stop = should_stop};
    chgi_progress_start(&r->progress, !r->options->common.quiet);
    chgnet_status status = chgi_phonon_forces(r->ctx, &choice, &r->cells, r->residual, r->forces, &r->complete);
    chgi_progress_hide(&r->progress);
    pass_warning(r);
    if (status != CHGNET_OK)
        chgi_context_locate(r->ctx, r->options->file, 0);
    return status;
}

/* ---- results ---------------------------------------------------------------------------------- */

/* No "-0.000000". */
static double shown(double value)
{
    return fabs(value) < 5e-7 ? 0 : value;
}

static void print(const run *r)
{
    const chgi_displaced *cells = &r->cells;
    int64_t n = cells->supercell.n_atom;
    chgi_cli_print_model(&r->options->common, r->model);
    printf("%5s %8s %30s %12s %12s\n", "cell", "atom", "displacement (A)", "max force", "drift (eV/A)");
    printf("%5d %8s %30s %12.6f %12.1e\n", 0, "", "none   ", chgi_longest_row(r->residual, n),
           chgi_phonon_drift(n, r->residual));
    for (int64_t k = 0; k < cells->n_displacement; k++) {
        const chgi_displacement *d = &cells->displacements[k];
        char atom[24];
        snprintf(atom, sizeof atom, "%s%d", chgi_element_symbol(cells->supercell.numbers[d->atom]), d->atom + 1);
        printf("%5lld %8s %10.6f%10.6f%10.6f %12.6f %12.1e\n", (long long)k + 1, atom, shown(d->vector[0]),
               shown(d->vector[1]), shown(d->vector[2]), chgi_longest_row(r->forces + 3 * n * k, n),
               chgi_phonon_drift(n, r->forces + 3 * n * k));
    }
    if (r->group[0])
        printf("\nspace group   %s", r->group);
    printf("\nsupercell     %lld atoms\nforces        %s%s\n", (long long)n, r->options->output,
           r->options->subtract_residual ? ", less those of cell 0" : "");
    if (r->options->has_supercell)
        printf("cells         %s\n", r->options->cells);
}

static void subtract_residual(run *r)
{
    int64_t n = 3 * r->cells.supercell.n_atom;
    for (int64_t k = 0; k < n * r->cells.n_displacement; k++)
        r->forces[k] -= r->residual[k % n];
}

static chgnet_status write_text(run *r, const char *path, chgi_text *text, chgnet_status status)
{
    if (status == CHGNET_OK)
        status = chgi_file_write(r->ctx, path, text->data, text->length);
    chgi_text_destroy(text);
    return status;
}

static chgnet_status write_files(run *r)
{
    const chgi_cli_phonon_options *o = r->options;
    chgi_text text = {0};
    if (o->has_supercell)
        CHGI_TRY(write_text(r, o->cells, &text,
                            chgi_phonopy_write_cells(r->ctx, &text, &r->unit, (const int(*)[3])o->matrix, &r->cells)));
    return write_text(r, o->output, &text, chgi_phonopy_write_forces(r->ctx, &text, &r->cells, r->forces));
}

static void warn_at_rest(const run *r)
{
    double most = chgi_longest_row(r->residual, r->cells.supercell.n_atom);
    char text[160];
    if (r->options->common.quiet || r->options->subtract_residual || most < AT_REST)
        return;
    snprintf(text, sizeof text,
             "forces without displacement reach %.3f eV/A; relax the crystal first, or give --subtract-residual", most);
    chgi_cli_warn(r->options->file, text);
}

/* ---- the command ------------------------------------------------------------------------------ */

static chgnet_status do_all(run *r)
{
    CHGI_TRY(r->options->has_supercell ? make_cells(r) : read_cells(r));
    CHGI_TRY(load(r));
    chgi_cli_catch_signals();
    CHGI_TRY(compute(r));
    if (!r->complete)
        return CHGNET_OK;
    warn_at_rest(r);
    print(r);
    if (r->options->subtract_residual)
        subtract_residual(r);
    CHGI_TRY(write_files(r));
    return chgi_cli_flush(r->ctx);
}

static void clean_up(run *r)
{
    for (int k = 0; r->workers && k < r->n_worker; k++) {
        if (r->workers[k].potential.destroy)
            r->workers[k].potential.destroy(r->workers[k].potential.self);
        chgnet_context_destroy(r->workers[k].ctx);
    }
    chgi_memory_free(r->workers);
    chgi_memory_free(r->warnings);
    chgi_memory_free(r->residual);
    chgi_memory_free(r->forces);
    chgi_displaced_destroy(&r->cells);
    chgi_structure_destroy(&r->unit);
    chgi_delta_file_destroy(r->delta);
    chgnet_model_destroy(r->model);
}

int chgi_cli_phonon_main(chgnet_context *ctx, int argc, char **argv)
{
    chgi_cli_phonon_options o;
    chgnet_status status = chgi_cli_phonon_parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.common.help) {
        chgi_cli_print_help(&chgi_cli_phonon_forces);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o};
    chgnet_context_on_warning(ctx, on_warning, &r);
    if (status == CHGNET_OK)
        status = do_all(&r);
    chgnet_context_on_warning(ctx, NULL, NULL);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    clean_up(&r);
    return chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)status;
}
