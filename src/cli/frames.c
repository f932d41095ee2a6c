/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/frames.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "cli/cli.h"
#include "crystal/reader.h"
#include "task/crowd.h"

/* A frame on its way, or a file or frame that could not be read. */
typedef struct item {
    chgi_result result;
    chgnet_status status;
    char error[1024];
    char *warnings[CHGI_WARN_COUNT]; /* NULL: none of this kind */
    long line;                       /* where the frame begins */
    double share;                    /* of all input that is read then */
    chgnet_calculator *calculator;   /* that computed it */
} item;

typedef struct worker {
    chgnet_context *ctx;
    chgnet_calculator *calculator;
    item *item; /* in work */
} worker;

typedef struct run {
    chgnet_context *ctx;
    const chgi_frames *frames;
    int n_thread, n_worker;
    worker *workers; /* (n_worker) */
    chgi_reader *reader;
    int file;      /* in work, or the next one */
    int64_t frame; /* of the file, next */
    int64_t number;
    bool warned[CHGI_WARN_COUNT];
} run;

/* ---- warnings --------------------------------------------------------------------------------- */

/* The kind is the one whose flag is new. */
static void keep_warning(item *it, const chgnet_context *ctx, const char *text)
{
    for (int kind = 0; kind < CHGI_WARN_COUNT; kind++)
        if (ctx->warned[kind] && !it->warnings[kind]) {
            it->warnings[kind] = chgi_memory_copy_text(text);
            return;
        }
}

static void on_worker_warning(const char *text, void *user)
{
    worker *w = user;
    if (w->item)
        keep_warning(w->item, w->ctx, text);
}

static void pass_warnings(run *r, const item *it)
{
    for (int kind = 0; kind < CHGI_WARN_COUNT; kind++) {
        if (!it->warnings[kind] || r->warned[kind])
            continue;
        r->warned[kind] = true;
        r->frames->warn(r->frames->user, it->result.source, it->warnings[kind]);
    }
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void note_error(item *it, const chgnet_context *ctx, chgnet_status status)
{
    it->status = status;
    strncpy(it->error, chgnet_context_error(ctx), sizeof it->error - 1);
}

static void free_item(item *it)
{
    for (int kind = 0; kind < CHGI_WARN_COUNT; kind++)
        chgi_memory_free(it->warnings[kind]);
    chgi_result_destroy(&it->result);
    chgi_memory_free(it);
}

/* The reader's warnings come by the caller's context while an item is read. */
static void on_reader_warning(const char *text, void *user)
{
    worker *reading = user;
    keep_warning(reading->item, reading->ctx, text);
}

static void close_file(run *r)
{
    chgi_reader_destroy(r->reader);
    r->reader = NULL;
    r->file++;
}

/* The next frame of the file that is open.  \return whether there was one, or an error that takes its number */
static bool read_frame(run *r, item *it)
{
    bool got;
    if (chgi_reader_at_end(r->reader))
        return false;
    chgnet_status status = chgi_reader_next(r->reader, &it->result.structure, &got);
    if (status == CHGNET_OK && !got)
        return false;
    it->result.source_frame = r->frame++;
    it->line = chgi_reader_line(r->reader);
    it->share = (r->file + chgi_reader_share(r->reader)) / r->frames->n_file;
    if (status != CHGNET_OK)
        note_error(it, r->ctx, status);
    return true;
}

/* The next frame of all files; false when none is left. */
static bool read_next(run *r, item *it)
{
    while (r->file < r->frames->n_file && !r->frames->should_stop(r->frames->user)) {
        it->result.source = r->frames->files[r->file];
        if (r->reader && read_frame(r, it))
            return true;
        if (r->reader) {
            close_file(r);
            continue;
        }
        r->frame = 0;
        chgnet_status status = chgi_reader_open(r->ctx, it->result.source, &r->reader);
        if (status == CHGNET_OK)
            continue;
        note_error(it, r->ctx, status);
        it->share = (r->file + 1.0) / r->frames->n_file;
        r->file++;
        return !r->frames->should_stop(r->frames->user); /* what was read of standard input may be a part */
    }
    return false;
}

static chgnet_status produce(void *user, void **product)
{
    run *r = user;
    item *it = chgi_memory_new(1, sizeof *it);
    *product = NULL;
    if (!it)
        return chgi_context_nomem(r->ctx, 1, sizeof *it);
    worker reading = {.ctx = r->ctx, .item = it};
    chgnet_warning_function before = r->ctx->warning;
    void *user_before = r->ctx->warning_user;
    chgnet_context_on_warning(r->ctx, on_reader_warning, &reading);
    it->result.provenance = r->frames->provenance;
    bool got = read_next(r, it);
    chgnet_context_on_warning(r->ctx, before, user_before);
    if (got) {
        it->result.number = r->number++;
        *product = it;
    } else
        free_item(it);
    return CHGNET_OK;
}

/* ---- computing -------------------------------------------------------------------------------- */

static chgnet_status make_calculator(const run *r, worker *w)
{
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = r->frames->precision;
    chosen.threads = r->n_thread / r->n_worker > 0 ? r->n_thread / r->n_worker : 1;
    CHGI_TRY(chgnet_calculator_create(w->ctx, r->frames->model, &chosen, &w->calculator));
    w->calculator->keep_at_most /= (size_t)r->n_worker;
    return r->frames->delta ? chgnet_calculator_set_delta(w->calculator, r->frames->delta) : CHGNET_OK;
}

static chgnet_status begin(void *user, int n_worker)
{
    run *r = user;
    r->workers = chgi_memory_new((size_t)n_worker, sizeof *r->workers);
    if (!r->workers)
        return chgi_context_nomem(r->ctx, (size_t)n_worker, sizeof *r->workers);
    r->n_worker = n_worker;
    for (int k = 0; k < n_worker; k++) {
        worker *w = &r->workers[k];
        CHGI_TRY(chgnet_context_create(&w->ctx));
        chgnet_context_on_warning(w->ctx, on_worker_warning, w);
        chgnet_status status = make_calculator(r, w);
        if (status != CHGNET_OK)
            return chgi_context_fail(r->ctx, status, "%s", chgnet_context_error(w->ctx));
    }
    return CHGNET_OK;
}

static void work(void *user, int number, void *product)
{
    const run *r = user;
    worker *w = &r->workers[number];
    item *it = product;
    if (it->status != CHGNET_OK)
        return;
    memset(w->ctx->warned, 0, sizeof w->ctx->warned); /* the run knows what was told already */
    w->item = it;
    chgnet_status status =
        chgi_result_compute(w->ctx, w->calculator, r->frames->embeddings, r->frames->novelty, &it->result);
    w->item = NULL;
    it->calculator = w->calculator;
    if (status == CHGNET_OK)
        return;
    chgi_context_locate(w->ctx, it->result.source, it->line);
    note_error(it, w->ctx, status);
}

static chgnet_status consume(void *user, void *product, bool done)
{
    run *r = user;
    item *it = product;
    const chgi_frames *f = r->frames;
    if (done) {
        pass_warnings(r, it);
        if (it->status == CHGNET_OK)
            f->take(f->user, it->calculator, &it->result);
        else
            f->fail(f->user, chgi_context_fail(r->ctx, it->status, "%s", it->error));
        f->progress(f->user, it->share, it->result.number + 1);
    }
    free_item(it);
    return CHGNET_OK;
}

static bool stop(void *user)
{
    const run *r = user;
    return r->frames->should_stop(r->frames->user);
}

chgnet_status chgi_frames_run(chgnet_context *ctx, const chgi_frames *frames, int64_t *n_frame)
{
    run r = {.ctx = ctx, .frames = frames, .n_thread = frames->n_thread > 0 ? frames->n_thread : omp_get_max_threads()};
    const chgi_crowd crowd = {.n_worker = frames->one_by_one ? 1 : r.n_thread,
                              .user = &r,
                              .produce = produce,
                              .begin = begin,
                              .work = work,
                              .consume = consume,
                              .stop = stop};
    chgnet_status status = chgi_crowd_run(ctx, &crowd);
    chgi_reader_destroy(r.reader);
    for (int k = 0; k < r.n_worker; k++) {
        chgnet_calculator_destroy(r.workers[k].calculator);
        chgnet_context_destroy(r.workers[k].ctx);
    }
    chgi_memory_free(r.workers);
    *n_frame = r.number;
    return status;
}
