#define _POSIX_C_SOURCE 200809L
#include "task/restart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/sha256.h"

static const char magic[8] = "CHGNETCP";
static const uint64_t byte_order = 0x0102030405060708;
static const char kind_name[] = "kind";

enum { TYPE_DOUBLE = 1, TYPE_INT, TYPE_TEXT };
enum { HEADER = 24, SUM = CHGI_SHA256_TEXT - 1, OLD_PATH = 4096 };

/* What stands before the values of an entry; its name fills the rest with NULs. */
typedef struct entry_header {
    char name[32];
    uint64_t type, count;
} entry_header;

void chgi_restart_destroy(chgi_restart *checkpoint)
{
    chgi_text_destroy(&checkpoint->bytes);
}

/* ---- entries ---------------------------------------------------------------------------------- */

static size_t value_size(uint64_t type)
{
    return type == TYPE_TEXT ? 1 : 8;
}

static void put(chgi_restart *checkpoint, const char *name, uint64_t type, size_t count, const void *values)
{
    entry_header header = {.type = type, .count = count};
    memcpy(header.name, name, strlen(name));
    chgi_text_append(&checkpoint->bytes, (const char *)&header, sizeof header);
    chgi_text_append(&checkpoint->bytes, values, count * value_size(type));
}

void chgi_restart_start(chgi_restart *checkpoint, const char *kind)
{
    chgi_text_clear(&checkpoint->bytes);
    chgi_restart_put_text(checkpoint, kind_name, kind);
}

void chgi_restart_put_doubles(chgi_restart *checkpoint, const char *name, size_t count, const double *values)
{
    put(checkpoint, name, TYPE_DOUBLE, count, values);
}

void chgi_restart_put_int(chgi_restart *checkpoint, const char *name, int64_t value)
{
    put(checkpoint, name, TYPE_INT, 1, &value);
}

void chgi_restart_put_text(chgi_restart *checkpoint, const char *name, const char *text)
{
    put(checkpoint, name, TYPE_TEXT, strlen(text) + 1, text);
}

/* The entry at `*at`, and `*at` behind it.  \return its values; NULL at the end or where it does not fit */
static const char *next_entry(const chgi_restart *checkpoint, size_t *at, entry_header *header)
{
    const chgi_text *bytes = &checkpoint->bytes;
    size_t left = bytes->length - *at;
    if (left < sizeof *header)
        return NULL;
    memcpy(header, bytes->data + *at, sizeof *header);
    left -= sizeof *header;
    if (header->type < TYPE_DOUBLE || header->type > TYPE_TEXT || header->name[sizeof header->name - 1] ||
        header->count > left / value_size(header->type))
        return NULL;
    const char *values = bytes->data + *at + sizeof *header;
    *at += sizeof *header + (size_t)header->count * value_size(header->type);
    return values;
}

static chgnet_status find(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name, uint64_t type,
                          size_t *count, const void **values)
{
    entry_header header;
    const char *found;
    for (size_t at = 0; (found = next_entry(checkpoint, &at, &header));)
        if (header.type == type && strcmp(header.name, name) == 0) {
            *count = (size_t)header.count;
            *values = found;
            return CHGNET_OK;
        }
    return chgi_context_fail(ctx, CHGNET_EINPUT, "'%s' is missing; a checkpoint of the same version is needed", name);
}

chgnet_status chgi_restart_find_doubles(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                        size_t *count, const void **values)
{
    return find(ctx, checkpoint, name, TYPE_DOUBLE, count, values);
}

chgnet_status chgi_restart_get_doubles(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                       size_t count, double *values)
{
    size_t found;
    const void *data;
    CHGI_TRY(find(ctx, checkpoint, name, TYPE_DOUBLE, &found, &data));
    if (found != count)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "'%s' has %zu numbers; %zu are needed", name, found, count);
    memcpy(values, data, count * sizeof *values);
    return CHGNET_OK;
}

chgnet_status chgi_restart_get_int(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                   int64_t *value)
{
    size_t found;
    const void *data;
    CHGI_TRY(find(ctx, checkpoint, name, TYPE_INT, &found, &data));
    if (found != 1)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "'%s' has %zu numbers; 1 is needed", name, found);
    memcpy(value, data, sizeof *value);
    return CHGNET_OK;
}

chgnet_status chgi_restart_get_text(chgnet_context *ctx, const chgi_restart *checkpoint, const char *name,
                                    const char **text)
{
    size_t count;
    const void *data;
    CHGI_TRY(find(ctx, checkpoint, name, TYPE_TEXT, &count, &data));
    if (count == 0 || ((const char *)data)[count - 1])
        return chgi_context_fail(ctx, CHGNET_EINPUT, "'%s' has no end; a checkpoint of the same version is needed",
                                 name);
    *text = data;
    return CHGNET_OK;
}

/* ---- files ------------------------------------------------------------------------------------ */

static bool old_path(const char *path, char old[OLD_PATH])
{
    return snprintf(old, OLD_PATH, "%s.old", path) < OLD_PATH;
}

static void make_header(const chgi_restart *checkpoint, char header[HEADER])
{
    uint64_t length = checkpoint->bytes.length;
    memcpy(header, magic, sizeof magic);
    memcpy(header + 8, &byte_order, sizeof byte_order);
    memcpy(header + 16, &length, sizeof length);
}

/* A text of 64 digits behind the bytes. */
static void make_sum(const char header[HEADER], const char *bytes, size_t length, char sum[CHGI_SHA256_TEXT])
{
    chgi_sha256 sha;
    chgi_sha256_start(&sha);
    chgi_sha256_add(&sha, header, HEADER);
    chgi_sha256_add(&sha, bytes, length);
    chgi_sha256_finish(&sha, sum);
}

static chgnet_status begin(chgnet_context *ctx, const char *path, const chgi_restart *checkpoint, chgi_file_part *part)
{
    const chgi_text *bytes = &checkpoint->bytes;
    char header[HEADER], sum[CHGI_SHA256_TEXT];
    if (bytes->failed)
        return chgi_context_nomem(ctx, bytes->length, 2);
    make_header(checkpoint, header);
    make_sum(header, bytes->data, bytes->length, sum);
    CHGI_TRY(chgi_file_begin(ctx, path, ".new", part));
    if (chgi_file_put(part->fd, header, HEADER) && chgi_file_put(part->fd, bytes->data, bytes->length) &&
        chgi_file_put(part->fd, sum, SUM) && fsync(part->fd) == 0)
        return CHGNET_OK;
    int error = errno;
    chgi_file_abandon(part);
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; make room or choose another place", path,
                             strerror(error));
}

chgnet_status chgi_restart_write(chgnet_context *ctx, const char *path, chgi_restart *checkpoint)
{
    char old[OLD_PATH];
    chgi_file_part part;
    CHGI_TRY(begin(ctx, path, checkpoint, &part));
    bool moved = old_path(path, old) && rename(path, old) == 0; /* a missing C has nothing to keep */
    chgnet_status status = chgi_file_commit(ctx, &part);
    if (status != CHGNET_OK && moved)
        (void)rename(old, path);
    return status;
}

chgnet_status chgi_restart_write_first(chgnet_context *ctx, const char *path, chgi_restart *checkpoint)
{
    char old[OLD_PATH];
    chgi_file_part part;
    CHGI_TRY(begin(ctx, path, checkpoint, &part));
    CHGI_TRY(chgi_file_commit(ctx, &part));
    if (old_path(path, old))
        (void)unlink(old);
    return CHGNET_OK;
}

bool chgi_restart_exists(const char *path)
{
    char old[OLD_PATH];
    return access(path, F_OK) == 0 || (old_path(path, old) && access(old, F_OK) == 0);
}

/* What is wrong with the bytes of a file, or NULL. */
static const char *examine(const char *data, size_t length)
{
    char sum[CHGI_SHA256_TEXT];
    uint64_t order, promised;
    if (length < HEADER + SUM || memcmp(data, magic, sizeof magic) != 0)
        return "is no checkpoint";
    memcpy(&order, data + 8, sizeof order);
    memcpy(&promised, data + 16, sizeof promised);
    if (order != byte_order)
        return "is from a machine with another byte order";
    if (promised != length - HEADER - SUM)
        return "is torn";
    make_sum(data, data + HEADER, (size_t)promised, sum);
    return memcmp(sum, data + HEADER + promised, SUM) == 0 ? NULL : "is damaged: its checksum does not agree";
}

static chgnet_status read_one(chgnet_context *ctx, const char *path, const char *kind, chgi_restart *checkpoint)
{
    char *data;
    size_t length;
    const char *found = "";
    CHGI_TRY(chgi_file_read(ctx, path, &data, &length));
    const char *problem = examine(data, length);
    if (!problem) {
        chgi_text_clear(&checkpoint->bytes);
        chgi_text_append(&checkpoint->bytes, data + HEADER, length - HEADER - SUM);
    }
    chgi_memory_free(data);
    if (problem)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: %s; a whole one is needed", path, problem);
    if (checkpoint->bytes.failed)
        return chgi_context_nomem(ctx, length, 1);
    chgnet_status status = chgi_restart_get_text(ctx, checkpoint, kind_name, &found);
    if (status == CHGNET_OK && strcmp(found, kind) != 0)
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "is the checkpoint of `%s`; one of `%s` is needed", found, kind);
    if (status != CHGNET_OK)
        chgi_context_locate(ctx, path, 0);
    return status;
}

chgnet_status chgi_restart_read(chgnet_context *ctx, const char *path, const char *kind, chgi_restart *checkpoint)
{
    char old[OLD_PATH];
    bool missing = access(path, F_OK) != 0 && errno == ENOENT;
    chgnet_status status = read_one(ctx, path, kind, checkpoint);
    if (status != CHGNET_EINPUT || !old_path(path, old) || access(old, F_OK) != 0)
        return status;
    chgnet_context *quiet;
    CHGI_TRY(chgnet_context_create(&quiet)); /* the first error stays unless the older file is whole */
    chgnet_status second = read_one(quiet, old, kind, checkpoint);
    chgnet_context_destroy(quiet);
    if (second != CHGNET_OK)
        return status;
    (void)rename(old, path); /* or else the next checkpoint would keep the damaged one and drop the whole one */
    chgi_context_warn(ctx, CHGI_WARN_CHECKPOINT, "the newest checkpoint %s; going on from the one before",
                      missing ? "is missing" : "is torn or damaged");
    return CHGNET_OK;
}
