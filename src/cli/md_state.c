/* Checkpoints of `chgnet md`: the state of the run, and all that must be the same when it goes on.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/md.h"
#include "store/sha256.h"

enum { N_SUMS = sizeof(chgi_cli_md_sums) / sizeof(double), MAX_FACTS = 24 };

/* Something that must be as it was, and how the user calls it. */
typedef struct fact {
    const char *name;
    char value[128];
} fact;

typedef struct facts {
    int n;
    fact list[MAX_FACTS];
} facts;

/* ---- what must be the same -------------------------------------------------------------------- */

static void add_text(facts *f, const char *name, const char *value)
{
    f->list[f->n].name = name;
    snprintf(f->list[f->n++].value, sizeof f->list[0].value, "%s", value);
}

/* Two numbers that are mostly equal. */
static void add_ends(facts *f, const char *name, const double ends[2])
{
    chgi_text text = {0};
    chgi_text_number(&text, ends[0]);
    if (ends[1] != ends[0]) {
        chgi_text_append(&text, ":", 1);
        chgi_text_number(&text, ends[1]);
    }
    add_text(f, name, text.failed ? "" : text.data);
    chgi_text_destroy(&text);
}

static void add_number(facts *f, const char *name, double value)
{
    add_ends(f, name, (const double[2]){value, value});
}

/* A text that may be long: its checksum. */
static void add_long(facts *f, const char *name, const char *value)
{
    char sum[CHGI_SHA256_TEXT];
    chgi_sha256_of(value, strlen(value), sum);
    add_text(f, name, strlen(value) < sizeof f->list[0].value ? value : sum);
}

static void add_fix(facts *f, const chgi_cli_fix *fix)
{
    chgi_text text = {0};
    for (int k = 0; k < fix->n; k++)
        chgi_text_print(&text, "%s%s", k ? "; " : "", fix->text[k]);
    add_long(f, "--fix", text.failed || !text.data ? "" : text.data);
    chgi_text_destroy(&text);
}

/* Everything of the structure that the run depends on. */
static void add_structure(facts *f, const chgi_structure *s)
{
    static const char *const names[] = {"masses", "velocities", "momenta"};
    char sum[CHGI_SHA256_TEXT];
    chgi_sha256 sha;
    size_t n = (size_t)s->n_atom;
    chgi_sha256_start(&sha);
    chgi_sha256_add(&sha, s->numbers, n * sizeof *s->numbers);
    chgi_sha256_add(&sha, s->positions, 3 * n * sizeof *s->positions);
    chgi_sha256_add(&sha, s->cell, sizeof s->cell);
    chgi_sha256_add(&sha, s->pbc, sizeof s->pbc);
    if (s->move_mask) {
        chgi_sha256_add(&sha, s->move_mask, 3 * n * sizeof *s->move_mask);
        chgi_sha256_add(&sha, &s->mask_direct, sizeof s->mask_direct);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const chgi_column *column = chgi_structure_column(s, names[i]);
        if (!column)
            continue;
        chgi_sha256_add(&sha, names[i], strlen(names[i]));
        chgi_sha256_add(&sha, column->data, n * (size_t)column->width * sizeof *column->data);
    }
    chgi_sha256_finish(&sha, sum);
    add_text(f, "the structure", sum);
}

static void add_physics(facts *f, const chgi_md_options *o)
{
    bool ramp = o->temperature[0] != o->temperature[1] || o->pressure[0] != o->pressure[1];
    add_text(f, "--ensemble", chgi_md_ensemble_name(o->ensemble));
    add_ends(f, "--temperature", o->temperature);
    add_ends(f, "--pressure", o->pressure);
    if (ramp) /* its slope depends on the length of the run */
        add_number(f, "--steps", (double)o->n_step);
    add_number(f, "--timestep", o->timestep);
    add_number(f, "--friction", o->friction);
    add_number(f, "--tau-t", o->thermostat_time);
    add_number(f, "--tau-p", o->barostat_time);
    add_text(f, "--full-cell", o->full_cell ? "given" : "not given");
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
    add_text(f, "--seed", seed);
}

static void gather(const chgi_cli_md_run *run, facts *f)
{
    const chgi_cli_md_options *o = run->options;
    *f = (facts){0};
    add_physics(f, &o->md);
    add_number(f, "--every", (double)o->every);
    add_text(f, "--embeddings", o->embeddings ? "given" : "not given");
    add_fix(f, &o->fix);
    add_text(f, "--precision", o->common.is_double ? "double" : "single");
    add_text(f, "the model", chgnet_model_get_info(run->model).sha256);
    add_text(f, "the delta-model", run->delta_sha256);
    add_structure(f, &run->structure);
}

/* Checksums say nothing to people: those differ, and that is all. */
static chgnet_status fail_fact(chgnet_context *ctx, const fact *now, const char *then)
{
    if (strncmp(now->name, "the ", 4) == 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%s is not the one that the run began with; give the same, or start anew without "
                                 "--resume",
                                 now->name);
    return chgi_context_fail(ctx, CHGNET_EUSAGE,
                             "%s is '%s', but the run began with '%s'; give that, or start anew without --resume",
                             now->name, now->value, then);
}

static chgnet_status compare(chgi_cli_md_run *run)
{
    facts now;
    const char *then;
    gather(run, &now);
    for (int i = 0; i < now.n; i++) {
        if (chgi_restart_get_text(NULL, &run->checkpoint, now.list[i].name, &then) != CHGNET_OK)
            then = "";
        if (strcmp(now.list[i].value, then) != 0)
            return fail_fact(run->ctx, &now.list[i], then);
    }
    return CHGNET_OK;
}

/* ---- storing ---------------------------------------------------------------------------------- */

chgnet_status chgi_cli_md_store(chgi_cli_md_run *run, const chgi_trajectory_mark *mark, bool first)
{
    const chgi_md_state *state = chgi_md_get_state(run->md);
    const chgi_verlet *verlet = &run->calculator->graph.verlet;
    chgi_restart *c = &run->checkpoint;
    facts now;
    gather(run, &now);
    chgi_restart_start(c, "md");
    chgi_restart_put_text(c, "version", chgnet_version());
    for (int i = 0; i < now.n; i++)
        chgi_restart_put_text(c, now.list[i].name, now.list[i].value);
    chgi_restart_put_text(c, "kernels", run->calculator->kernel->name);
    chgi_restart_put_int(c, "frames", mark->n_frame);
    chgi_restart_put_int(c, "trajectory bytes", mark->length);
    chgi_restart_put_int(c, "table bytes", mark->log_length);
    chgi_restart_put_doubles(c, "state", state->n_double, (const double *)state->numbers);
    chgi_restart_put_doubles(c, "sums", N_SUMS, (const double *)&run->sums);
    if (verlet->n_atom == state->n_atom) {
        chgi_restart_put_doubles(c, "list positions", 3 * (size_t)verlet->n_atom, verlet->positions);
        chgi_restart_put_doubles(c, "list cell", 9, verlet->cell[0]);
    }
    const char *path = run->options->checkpoint;
    CHGI_TRY(first ? chgi_restart_write_first(run->ctx, path, c) : chgi_restart_write(run->ctx, path, c));
    run->last_checkpoint = chgi_cli_md_clock();
    run->checkpoint_step = (int64_t)state->numbers->step;
    return CHGNET_OK;
}

/* ---- restoring -------------------------------------------------------------------------------- */

static chgnet_status restore_state(chgi_cli_md_run *run)
{
    size_t count;
    const void *data;
    CHGI_TRY(chgi_restart_find_doubles(run->ctx, &run->checkpoint, "state", &count, &data));
    double *block = chgi_memory_new(count, sizeof *block);
    if (!block)
        return chgi_context_nomem(run->ctx, count, sizeof *block);
    memcpy(block, data, count * sizeof *block);
    chgnet_status status = chgi_md_restore(run->md, block, count);
    chgi_memory_free(block);
    return status;
}

/* The list of neighbours as it was, so that it is made anew when it would have been.  Results do not depend on it. */
static chgnet_status restore_list(chgi_cli_md_run *run)
{
    size_t n = 3 * (size_t)run->structure.n_atom;
    double cell[3][3], *positions = chgi_memory_new(n, sizeof *positions);
    if (!positions)
        return chgi_context_nomem(run->ctx, n, sizeof *positions);
    chgnet_status status = chgi_restart_get_doubles(NULL, &run->checkpoint, "list positions", n, positions);
    if (status == CHGNET_OK)
        status = chgi_restart_get_doubles(NULL, &run->checkpoint, "list cell", 9, cell[0]);
    if (status == CHGNET_OK)
        status = run->potential.move(run->potential.self, positions, (const double(*)[3])cell);
    else
        status = CHGNET_OK; /* there was no list */
    chgi_memory_free(positions);
    return status;
}

/* Another processor may round otherwise: the run goes on, but not with the very same bits. */
static void compare_kernels(chgi_cli_md_run *run)
{
    const char *then;
    if (chgi_restart_get_text(NULL, &run->checkpoint, "kernels", &then) == CHGNET_OK &&
        strcmp(then, run->calculator->kernel->name) != 0)
        chgi_context_warn(run->ctx, CHGI_WARN_FILE,
                          "the run began with kernels for %s, this processor has %s: last digits may differ", then,
                          run->calculator->kernel->name);
}

static chgnet_status restore(chgi_cli_md_run *run, chgi_trajectory_mark *mark)
{
    chgnet_context *ctx = run->ctx;
    chgi_restart *c = &run->checkpoint;
    CHGI_TRY(compare(run));
    CHGI_TRY(restore_state(run));
    CHGI_TRY(chgi_restart_get_int(ctx, c, "frames", &mark->n_frame));
    CHGI_TRY(chgi_restart_get_int(ctx, c, "trajectory bytes", &mark->length));
    CHGI_TRY(chgi_restart_get_int(ctx, c, "table bytes", &mark->log_length));
    CHGI_TRY(chgi_restart_get_doubles(ctx, c, "sums", N_SUMS, (double *)&run->sums));
    if (mark->n_frame < 0 || mark->length < 0 || mark->log_length < 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the lengths of the files are negative; a whole checkpoint is "
                                 "needed");
    compare_kernels(run);
    return restore_list(run);
}

chgnet_status chgi_cli_md_restore(chgi_cli_md_run *run, chgi_trajectory_mark *mark)
{
    CHGI_TRY(chgi_restart_read(run->ctx, run->options->checkpoint, "md", &run->checkpoint));
    chgnet_status status = restore(run, mark);
    if (status != CHGNET_OK)
        chgi_context_locate(run->ctx, run->options->checkpoint, 0);
    return status;
}
