#define _POSIX_C_SOURCE 200809L
#include "task/trajectory_h5.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/append.h"
#include "base/memory.h"
#include "store/h5_large.h"
#include "task/h5md_layout.h"

/* T.h5.part: a header, then a record for each frame from number `first` on.  The last word of either is the CRC-32 of
 * the words before it. */
typedef struct spool_header {
    char magic[8];
    uint64_t byte_order;
    int64_t first;  /* number of the first frame */
    int64_t n_word; /* of a record, with its CRC */
    int64_t n_atom;
    uint64_t crc;
} spool_header;

static const char spool_magic[8] = "CHGNETSP";
static const uint64_t byte_order = 0x0102030405060708;
enum { WORD = 8, BLOCK_BYTES = 1 << 22 };

struct chgi_h5md {
    chgi_h5md_layout layout;
    char *path, *spool_path;
    chgi_append spool;
    int64_t n_word;    /* of a record, with its CRC */
    int64_t first;     /* number of the spool's first frame */
    int64_t n_frame;   /* all */
    int64_t published; /* frames in T.h5 */
    int64_t block;     /* frames that are copied at once */
    uint64_t *record;  /* (n_word) */
    uint64_t *records; /* (block,n_word) */
    double *columns;   /* (block,n_word) field by field */
};

static uint64_t sum(const void *data, size_t bytes)
{
    return crc32_z(0, data, bytes);
}

/* ---- the spool -------------------------------------------------------------------------------- */

static int64_t record_bytes(const chgi_h5md *h)
{
    return h->n_word * WORD;
}

static int64_t place_of(const chgi_h5md *h, int64_t frame)
{
    return (int64_t)sizeof(spool_header) + (frame - h->first) * record_bytes(h);
}

/* Empty the spool; its next frame has number n_frame. */
static chgnet_status restart_spool(chgnet_context *ctx, chgi_h5md *h)
{
    spool_header header = {.byte_order = byte_order,
                           .first = h->n_frame,
                           .n_word = h->n_word,
                           .n_atom = h->layout.n_atom};
    memcpy(header.magic, spool_magic, sizeof spool_magic);
    header.crc = sum(&header, sizeof header - sizeof header.crc);
    CHGI_TRY(chgi_append_cut(ctx, &h->spool, 0));
    CHGI_TRY(chgi_append_write(ctx, &h->spool, &header, sizeof header));
    h->first = h->n_frame;
    return CHGNET_OK;
}

static chgnet_status bad_spool(chgnet_context *ctx, const chgi_h5md *h, const char *problem)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: %s; put the file of this run back, or start anew", h->spool_path,
                             problem);
}

static chgnet_status read_all(chgnet_context *ctx, const chgi_h5md *h, int64_t at, void *data, size_t bytes)
{
    char *to = data;
    while (bytes > 0) {
        ssize_t got = pread(h->spool.fd, to, bytes, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be read: %s; a file that can be read is needed",
                                     h->spool_path, strerror(errno));
        if (got == 0)
            return bad_spool(ctx, h, "ends too early");
        to += got;
        at += got;
        bytes -= (size_t)got;
    }
    return CHGNET_OK;
}

/* Records frame, frame+1, ... (n of them) into h->records. */
static chgnet_status read_records(chgnet_context *ctx, const chgi_h5md *h, int64_t frame, int64_t n)
{
    size_t bytes = (size_t)record_bytes(h);
    CHGI_TRY(read_all(ctx, h, place_of(h, frame), h->records, bytes * (size_t)n));
    for (int64_t i = 0; i < n; i++) {
        const uint64_t *record = h->records + i * h->n_word;
        if (sum(record, bytes - WORD) != record[h->n_word - 1])
            return bad_spool(ctx, h, "is damaged: a frame's checksum does not agree");
    }
    return CHGNET_OK;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The spool must hold all frames from `published` to `n_frame`, whole. */
static chgnet_status check_spool(chgnet_context *ctx, chgi_h5md *h)
{
    spool_header header;
    CHGI_TRY(read_all(ctx, h, 0, &header, sizeof header));
    if (memcmp(header.magic, spool_magic, sizeof spool_magic) != 0 || header.byte_order != byte_order ||
        header.crc != sum(&header, sizeof header - sizeof header.crc) || header.n_word != h->n_word ||
        header.n_atom != h->layout.n_atom || header.first < 0 || header.first > h->published)
        return bad_spool(ctx, h, "is damaged or of another run");
    h->first = header.first;
    if (h->n_frame - h->first > (h->spool.length - (int64_t)sizeof header) / record_bytes(h))
        return bad_spool(ctx, h, "lacks frames");
    for (int64_t frame = h->published; frame < h->n_frame; frame += h->block)
        CHGI_TRY(read_records(ctx, h, frame, smaller(h->block, h->n_frame - frame)));
    return chgi_append_cut(ctx, &h->spool, place_of(h, h->n_frame));
}

/* ---- T.h5 ------------------------------------------------------------------------------------- */

/* Copy frames of the old T.h5. */
static chgnet_status copy_old(chgnet_context *ctx, chgi_h5md *h, chgi_h5 *old, chgi_h5 *new, int64_t n_frame)
{
    for (int64_t frame = 0; frame < n_frame; frame += h->block) {
        int64_t n = smaller(h->block, n_frame - frame);
        CHGI_TRY(chgi_h5md_layout_read(ctx, &h->layout, old, frame, n, h->columns));
        CHGI_TRY(chgi_h5md_layout_write(ctx, &h->layout, new, frame, n, h->columns));
    }
    return CHGNET_OK;
}

static chgnet_status copy_spool(chgnet_context *ctx, chgi_h5md *h, chgi_h5 *new, int64_t first, int64_t n_frame)
{
    for (int64_t frame = first; frame < n_frame; frame += h->block) {
        int64_t n = smaller(h->block, n_frame - frame);
        CHGI_TRY(read_records(ctx, h, frame, n));
        chgi_h5md_layout_sort(&h->layout, n, h->n_word, h->records, h->columns);
        CHGI_TRY(chgi_h5md_layout_write(ctx, &h->layout, new, frame, n, h->columns));
    }
    return CHGNET_OK;
}

static chgnet_status fill(chgnet_context *ctx, chgi_h5md *h, chgi_h5 *new, int64_t n_frame)
{
    int64_t n_old = smaller(h->published, n_frame);
    CHGI_TRY(chgi_h5md_layout_declare(ctx, &h->layout, new, n_frame));
    if (n_old > 0) {
        chgi_h5 *old;
        CHGI_TRY(chgi_h5_open_large(ctx, h->path, &old));
        chgnet_status status = copy_old(ctx, h, old, new, n_old);
        chgi_h5_destroy(old);
        CHGI_TRY(status);
    }
    return copy_spool(ctx, h, new, n_old, n_frame);
}

/* Make T.h5 with all frames: from T.h5 and the spool. */
static chgnet_status make_file(chgnet_context *ctx, chgi_h5md *h)
{
    chgi_h5_large new;
    if (h->n_frame == 0) {
        (void)unlink(h->path);
        h->published = 0;
        return CHGNET_OK;
    }
    CHGI_TRY(chgi_h5_large_create(ctx, h->path, h->n_frame * record_bytes(h) + 2 * WORD * h->layout.n_atom, &new));
    chgnet_status status = fill(ctx, h, new.file, h->n_frame);
    if (status == CHGNET_OK)
        status = chgi_h5_large_finish(ctx, &new);
    else
        chgi_h5_large_abandon(&new);
    if (status == CHGNET_OK)
        h->published = h->n_frame;
    return status;
}

static chgnet_status count_published(chgnet_context *ctx, chgi_h5md *h)
{
    chgi_h5 *old;
    h->published = 0;
    if (access(h->path, F_OK) != 0 && errno == ENOENT)
        return CHGNET_OK;
    CHGI_TRY(chgi_h5_open_large(ctx, h->path, &old));
    chgnet_status status = chgi_h5md_layout_count(ctx, &h->layout, old, &h->published);
    chgi_h5_destroy(old);
    if (status != CHGNET_OK)
        chgi_context_locate(ctx, h->path, 0);
    return status;
}

/* ---- the run's side --------------------------------------------------------------------------- */

static chgnet_status resume(chgnet_context *ctx, chgi_h5md *h)
{
    CHGI_TRY(count_published(ctx, h));
    if (h->published < h->n_frame)
        return check_spool(ctx, h);
    if (h->published > h->n_frame) /* T.h5 is newer than the checkpoint */
        CHGI_TRY(make_file(ctx, h));
    return restart_spool(ctx, h);
}

static chgnet_status prepare(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5md *h)
{
    size_t length = strlen(plan->path) + sizeof ".part";
    CHGI_TRY(chgi_h5md_layout_make(ctx, plan, &h->layout));
    h->n_word = h->layout.n_word + 1;
    h->block = BLOCK_BYTES / record_bytes(h) + 1;
    h->path = chgi_memory_copy_text(plan->path);
    h->spool_path = chgi_memory_new(length, 1);
    h->record = chgi_memory_new((size_t)h->n_word, WORD);
    h->records = chgi_memory_new((size_t)(h->n_word * h->block), WORD);
    h->columns = chgi_memory_new((size_t)(h->n_word * h->block), WORD);
    if (!h->path || !h->spool_path || !h->record || !h->records || !h->columns)
        return chgi_context_nomem(ctx, (size_t)(2 * h->n_word * h->block), WORD);
    snprintf(h->spool_path, length, "%s.part", plan->path);
    return CHGNET_OK;
}

static chgnet_status open_files(chgnet_context *ctx, const chgi_trajectory_plan *plan, int64_t n_frame, chgi_h5md *h)
{
    CHGI_TRY(prepare(ctx, plan, h));
    CHGI_TRY(chgi_append_open(ctx, h->spool_path, -1, &h->spool));
    h->n_frame = n_frame < 0 ? 0 : n_frame;
    return n_frame < 0 ? CHGNET_OK : resume(ctx, h);
}

chgnet_status chgi_h5md_open(chgnet_context *ctx, const chgi_trajectory_plan *plan, int64_t n_frame, chgi_h5md **file)
{
    *file = NULL;
    chgi_h5md *h = chgi_memory_new(1, sizeof *h);
    if (!h)
        return chgi_context_nomem(ctx, 1, sizeof *h);
    h->spool.fd = -1;
    chgnet_status status = open_files(ctx, plan, n_frame, h);
    if (status == CHGNET_OK)
        *file = h;
    else
        chgi_h5md_destroy(h);
    return status;
}

chgnet_status chgi_h5md_clear(chgnet_context *ctx, chgi_h5md *h)
{
    h->n_frame = 0;
    CHGI_TRY(make_file(ctx, h));
    return restart_spool(ctx, h);
}

chgnet_status chgi_h5md_add(chgnet_context *ctx, chgi_h5md *h, const chgi_frame *frame)
{
    chgi_h5md_layout_pack(&h->layout, frame, h->record);
    h->record[h->n_word - 1] = sum(h->record, (size_t)record_bytes(h) - WORD);
    CHGI_TRY(chgi_append_write(ctx, &h->spool, h->record, (size_t)record_bytes(h)));
    h->n_frame++;
    return CHGNET_OK;
}

chgnet_status chgi_h5md_take_back(chgnet_context *ctx, chgi_h5md *h)
{
    h->n_frame--;
    return chgi_append_cut(ctx, &h->spool, h->spool.length - record_bytes(h));
}

chgnet_status chgi_h5md_sync(chgnet_context *ctx, chgi_h5md *h)
{
    return chgi_append_sync(ctx, &h->spool);
}

chgnet_status chgi_h5md_publish(chgnet_context *ctx, chgi_h5md *h)
{
    if (h->n_frame - h->published < h->published || h->n_frame == h->published)
        return CHGNET_OK;
    CHGI_TRY(make_file(ctx, h));
    return restart_spool(ctx, h);
}

chgnet_status chgi_h5md_finish(chgnet_context *ctx, chgi_h5md *h)
{
    if (h->published < h->n_frame)
        CHGI_TRY(make_file(ctx, h));
    (void)unlink(h->spool_path);
    return CHGNET_OK;
}

void chgi_h5md_destroy(chgi_h5md *h)
{
    if (!h)
        return;
    if (h->spool.fd >= 0 && h->spool.length <= (int64_t)sizeof(spool_header)) /* it holds no frame */
        (void)unlink(h->spool_path);
    (void)chgi_append_close(NULL, &h->spool);
    chgi_memory_free(h->path);
    chgi_memory_free(h->spool_path);
    chgi_memory_free(h->record);
    chgi_memory_free(h->records);
    chgi_memory_free(h->columns);
    chgi_memory_free(h);
}
