#include "task/trajectory.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/append.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "task/trajectory_extxyz.h"
#include "task/trajectory_h5.h"

struct chgi_trajectory {
    chgi_trajectory_plan plan;
    int64_t n_frame;
    chgi_h5md *h5; /* or */
    chgi_append file;
    chgi_frame_writer writer;
    chgi_append log;
    chgi_text text; /* one frame, one line */
};

static bool has_suffix(const char *path, const char *suffix)
{
    size_t length = strlen(path), n = strlen(suffix);
    return length > n && strcasecmp(path + length - n, suffix) == 0;
}

static bool is_h5(const char *path)
{
    return has_suffix(path, ".h5") || has_suffix(path, ".h5md");
}

chgnet_status chgi_trajectory_check(chgnet_context *ctx, const char *path)
{
    if (!is_h5(path) && !has_suffix(path, ".extxyz") && !has_suffix(path, ".xyz"))
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "%s: no trajectory has this suffix; end the name in .extxyz, .xyz or .h5", path);
    return chgi_file_check_writable(ctx, path);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static chgnet_status open_files(chgnet_context *ctx, const chgi_trajectory_mark *mark, chgi_trajectory *t)
{
    const chgi_trajectory_plan *plan = &t->plan;
    t->n_frame = mark ? mark->n_frame : 0;
    if (is_h5(plan->path))
        CHGI_TRY(chgi_h5md_open(ctx, plan, mark ? mark->n_frame : -1, &t->h5));
    else {
        CHGI_TRY(chgi_append_open(ctx, plan->path, mark ? mark->length : -1, &t->file));
        CHGI_TRY(chgi_frame_writer_create(ctx, plan, &t->writer));
    }
    return plan->log ? chgi_append_open(ctx, plan->log, mark ? mark->log_length : -1, &t->log) : CHGNET_OK;
}

chgnet_status chgi_trajectory_open(chgnet_context *ctx, const chgi_trajectory_plan *plan,
                                   const chgi_trajectory_mark *mark, chgi_trajectory **trajectory)
{
    *trajectory = NULL;
    chgi_trajectory *t = chgi_memory_new(1, sizeof *t);
    if (!t)
        return chgi_context_nomem(ctx, 1, sizeof *t);
    t->plan = *plan;
    t->file.fd = t->log.fd = -1;
    chgnet_status status = open_files(ctx, mark, t);
    if (status == CHGNET_OK)
        *trajectory = t;
    else
        chgi_trajectory_destroy(t);
    return status;
}

chgnet_status chgi_trajectory_clear(chgnet_context *ctx, chgi_trajectory *t)
{
    t->n_frame = 0;
    CHGI_TRY(t->h5 ? chgi_h5md_clear(ctx, t->h5) : chgi_append_cut(ctx, &t->file, 0));
    return t->plan.log ? chgi_append_cut(ctx, &t->log, 0) : CHGNET_OK;
}

int64_t chgi_trajectory_count(const chgi_trajectory *t)
{
    return t->n_frame;
}

/* A file that was made and got nothing is taken away. */
static void close_file(chgi_append *file)
{
    if (file->fd >= 0 && file->length == 0)
        (void)unlink(file->path);
    (void)chgi_append_close(NULL, file);
}

void chgi_trajectory_destroy(chgi_trajectory *t)
{
    if (!t)
        return;
    chgi_h5md_destroy(t->h5);
    close_file(&t->file);
    close_file(&t->log);
    chgi_frame_writer_destroy(&t->writer);
    chgi_text_destroy(&t->text);
    chgi_memory_free(t);
}

/* ---- frames ----------------------------------------------------------------------------------- */

static void print_head(const chgi_trajectory_plan *plan, chgi_text *text)
{
    chgi_text_print(text, "step,time_fs");
    for (int i = 0; i < plan->n_column; i++)
        chgi_text_print(text, ",%s", plan->columns[i].column);
    chgi_text_append(text, "\n", 1);
}

static void print_line(const chgi_trajectory_plan *plan, chgi_text *text, const chgi_frame *frame)
{
    chgi_text_print(text, "%lld,", (long long)frame->step);
    chgi_text_number(text, frame->time);
    for (int i = 0; i < plan->n_column; i++) {
        chgi_text_append(text, ",", 1);
        if (isfinite(frame->values[i]))
            chgi_text_number(text, frame->values[i]);
    }
    chgi_text_append(text, "\n", 1);
}

static chgnet_status write_text(chgnet_context *ctx, chgi_trajectory *t, chgi_append *file)
{
    if (t->text.failed)
        return chgi_context_nomem(ctx, t->text.length, 2);
    return chgi_append_write(ctx, file, t->text.data, t->text.length);
}

static chgnet_status add_frame(chgnet_context *ctx, chgi_trajectory *t, const chgi_frame *frame)
{
    if (t->h5)
        return chgi_h5md_add(ctx, t->h5, frame);
    chgi_text_clear(&t->text);
    CHGI_TRY(chgi_frame_writer_print(ctx, &t->writer, frame, &t->text));
    return write_text(ctx, t, &t->file);
}

static chgnet_status add_line(chgnet_context *ctx, chgi_trajectory *t, const chgi_frame *frame)
{
    if (!t->plan.log)
        return CHGNET_OK;
    chgi_text_clear(&t->text);
    if (t->log.length == 0)
        print_head(&t->plan, &t->text);
    print_line(&t->plan, &t->text, frame);
    return write_text(ctx, t, &t->log);
}

chgnet_status chgi_trajectory_add(chgnet_context *ctx, chgi_trajectory *t, const chgi_frame *frame)
{
    int64_t length = t->file.length;
    CHGI_TRY(add_frame(ctx, t, frame));
    chgnet_status status = add_line(ctx, t, frame);
    if (status == CHGNET_OK)
        t->n_frame++;
    else if (t->h5)
        (void)chgi_h5md_take_back(NULL, t->h5);
    else
        (void)chgi_append_cut(NULL, &t->file, length);
    return status;
}

/* ---- marks ------------------------------------------------------------------------------------ */

chgnet_status chgi_trajectory_sync(chgnet_context *ctx, chgi_trajectory *t, chgi_trajectory_mark *mark)
{
    CHGI_TRY(t->h5 ? chgi_h5md_sync(ctx, t->h5) : chgi_append_sync(ctx, &t->file));
    if (t->plan.log)
        CHGI_TRY(chgi_append_sync(ctx, &t->log));
    *mark = (chgi_trajectory_mark){.n_frame = t->n_frame,
                                   .length = t->h5 ? 0 : t->file.length,
                                   .log_length = t->plan.log ? t->log.length : 0};
    return CHGNET_OK;
}

chgnet_status chgi_trajectory_publish(chgnet_context *ctx, chgi_trajectory *t)
{
    return t->h5 ? chgi_h5md_publish(ctx, t->h5) : CHGNET_OK;
}

chgnet_status chgi_trajectory_finish(chgnet_context *ctx, chgi_trajectory *t)
{
    return t->h5 ? chgi_h5md_finish(ctx, t->h5) : CHGNET_OK;
}
