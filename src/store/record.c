#include "store/record.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

/* ---- files ------------------------------------------------------------------------------------ */

chgnet_status chgi_record_create(chgnet_context *ctx, chgi_record *record)
{
    *record = (chgi_record){.ctx = ctx, .writing = true};
    chgi_sha256_start(&record->sha);
    return chgi_h5_create(ctx, &record->file);
}

chgnet_status chgi_record_open(chgnet_context *ctx, const char *path, const char *what, chgi_record *record)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    char *data;
    size_t length;
    *record = (chgi_record){.ctx = ctx};
    chgi_sha256_start(&record->sha);
    CHGI_TRY(chgi_file_read(ctx, path, &data, &length));
    chgnet_status status;
    if (length < sizeof signature || memcmp(data, signature, sizeof signature) != 0)
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "this is not an HDF5 file; a %s is needed", what);
    else
        status = chgi_h5_open(ctx, data, length, &record->file);
    chgi_memory_free(data);
    if (status != CHGNET_OK)
        chgi_context_locate(ctx, path, 0);
    return status;
}

chgnet_status chgi_record_save(chgi_record *record, const char *path)
{
    char sum[CHGI_SHA256_TEXT], *data;
    size_t length;
    chgi_sha256_finish(&record->sha, sum);
    CHGI_TRY(chgi_h5_set_fixed_text(record->ctx, record->file, "", "content_sha256", sum));
    CHGI_TRY(chgi_h5_finish(record->ctx, record->file, &data, &length));
    chgnet_status status = chgi_file_write(record->ctx, path, data, length);
    chgi_memory_free(data);
    return status;
}

chgnet_status chgi_record_check(chgi_record *record)
{
    char sum[CHGI_SHA256_TEXT], *stored;
    chgi_sha256_finish(&record->sha, sum);
    CHGI_TRY(chgi_h5_get_text(record->ctx, record->file, "", "content_sha256", &stored));
    bool same = strcmp(sum, stored) == 0;
    chgi_memory_free(stored);
    if (same)
        return CHGNET_OK;
    return chgi_context_fail(record->ctx, CHGNET_EINPUT,
                             "the content does not have the sum that content_sha256 says; copy or make the file again");
}

void chgi_record_close(chgi_record *record)
{
    chgi_h5_destroy(record->file);
    record->file = NULL;
}

chgnet_status chgi_record_group(chgi_record *record, const char *group)
{
    if (record->writing)
        return chgi_h5_add_group(record->ctx, record->file, group);
    if (chgi_h5_has(record->file, "", group))
        return CHGNET_OK;
    return chgi_context_fail(record->ctx, CHGNET_EINPUT, "group '/%s' is missing; copy or make the file again", group);
}

/* ---- sums ------------------------------------------------------------------------------------- */

static void sum_bytes(chgi_record *record, const char *name, int64_t count, const void *data, size_t size)
{
    uint8_t bytes[8];
    chgi_sha256_add(&record->sha, name, strlen(name) + 1);
    for (int k = 0; k < 8; k++)
        bytes[k] = (uint8_t)((uint64_t)count >> (8 * k));
    chgi_sha256_add(&record->sha, bytes, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    chgi_sha256_add(&record->sha, data, (size_t)count * size);
#else
    const uint8_t *from = data;
    for (size_t i = 0; i < (size_t)count * size; i += size)
        for (size_t k = size; k-- > 0;)
            chgi_sha256_add(&record->sha, from + i + k, 1);
#endif
}

/* ---- attributes ------------------------------------------------------------------------------- */

chgnet_status chgi_record_int(chgi_record *record, const char *group, const char *name, int64_t least, int64_t most,
                              int64_t *value)
{
    if (record->writing)
        CHGI_TRY(chgi_h5_set_int(record->ctx, record->file, group, name, *value));
    else
        CHGI_TRY(chgi_h5_get_int(record->ctx, record->file, group, name, value));
    if (*value < least || *value > most)
        return chgi_context_fail(record->ctx, CHGNET_EINPUT, "%s is %" PRId64 "; %" PRId64 " to %" PRId64 " can be",
                                 name, *value, least, most);
    sum_bytes(record, name, 1, value, sizeof *value);
    return CHGNET_OK;
}

chgnet_status chgi_record_double(chgi_record *record, const char *group, const char *name, double *value)
{
    if (record->writing)
        CHGI_TRY(chgi_h5_set_double(record->ctx, record->file, group, name, *value));
    else
        CHGI_TRY(chgi_h5_get_double(record->ctx, record->file, group, name, value));
    if (!isfinite(*value))
        return chgi_context_fail(record->ctx, CHGNET_EINPUT, "%s is not finite; make the file again", name);
    sum_bytes(record, name, 1, value, sizeof *value);
    return CHGNET_OK;
}

chgnet_status chgi_record_text(chgi_record *record, const char *group, const char *name, char **text)
{
    if (record->writing) {
        const char *value = *text ? *text : "";
        CHGI_TRY(chgi_h5_set_fixed_text(record->ctx, record->file, group, name, value));
        sum_bytes(record, name, (int64_t)strlen(value), value, 1);
        return CHGNET_OK;
    }
    CHGI_TRY(chgi_h5_get_text(record->ctx, record->file, group, name, text));
    sum_bytes(record, name, (int64_t)strlen(*text), *text, 1);
    return CHGNET_OK;
}

/* ---- arrays ----------------------------------------------------------------------------------- */

static size_t size_of(chgi_h5_type type)
{
    static const size_t sizes[] = {sizeof(float), sizeof(double), sizeof(int32_t), sizeof(int64_t), sizeof(int8_t)};
    return sizes[type];
}

static chgnet_status check_values(chgi_record *record, const char *name, chgi_h5_type type, int64_t count,
                                  const void *data)
{
    const double *real = data;
    for (int64_t i = 0; type == CHGI_H5_DOUBLE && i < count; i++)
        if (!isfinite(real[i]))
            return chgi_context_fail(record->ctx, CHGNET_EINPUT,
                                     "'%s' holds a number that is not finite; make the file again", name);
    return CHGNET_OK;
}

static int64_t count_of(int rank, const int64_t *shape)
{
    int64_t count = 1;
    for (int k = 0; k < rank; k++)
        count *= shape[k];
    return count;
}

static chgnet_status read_array(chgi_record *record, const char *group, const char *name, chgi_h5_type type, int rank,
                                const int64_t *shape, void **made)
{
    int64_t found[CHGI_H5_MAX_RANK];
    CHGI_TRY(chgi_h5_shape(record->ctx, record->file, group, name, type, rank, found, NULL));
    for (int k = 0; k < rank; k++)
        if (found[k] != shape[k])
            return chgi_context_fail(record->ctx, CHGNET_EINPUT,
                                     "'%s/%s' has length %" PRId64 " along axis %d; %" PRId64 " is needed", group, name,
                                     found[k], k, shape[k]);
    int64_t count = count_of(rank, found); /* no more than the file can hold */
    void *data = chgi_memory_new((size_t)count, size_of(type));
    if (!data)
        return chgi_context_nomem(record->ctx, (size_t)count, size_of(type));
    chgnet_status status = chgi_h5_read(record->ctx, record->file, group, name, type, rank, shape, data);
    if (status == CHGNET_OK)
        status = check_values(record, name, type, count, data);
    if (status == CHGNET_OK)
        *made = data;
    else
        chgi_memory_free(data);
    return status;
}

chgnet_status chgi_record_array(chgi_record *record, const char *group, const char *name, chgi_h5_type type, int rank,
                                const int64_t *shape, void *data)
{
    void *values = NULL;
    if (record->writing) {
        memcpy(&values, data, sizeof values); /* the caller's pointer, whatever it points to */
        CHGI_TRY(chgi_h5_add(record->ctx, record->file, group, name, type, rank, shape, values));
    } else {
        CHGI_TRY(read_array(record, group, name, type, rank, shape, &values));
        memcpy(data, &values, sizeof values);
    }
    sum_bytes(record, name, count_of(rank, shape), values, size_of(type));
    return CHGNET_OK;
}
