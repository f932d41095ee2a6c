#include "model/weights.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/checkpoint.h"
#include "model/weights_layout.h"
#include "store/h5.h"
#include "store/sha256.h"

static const char format_name[] = "chgnet-weights";
enum { FORMAT_VERSION = 1 };

void chgi_weights_destroy(chgi_weights *weights)
{
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        chgi_memory_free(weights->tensors[i].name);
        chgi_memory_free(weights->tensors[i].data);
    }
    chgi_memory_free(weights->tensors);
    chgi_memory_free(weights->version);
    chgi_memory_free(weights->license);
    chgi_memory_free(weights->source);
    chgi_memory_free(weights->path);
    *weights = (chgi_weights){0};
}

/* ---- the sum over the model ------------------------------------------------------------------- */

static void add_bits(chgi_sha256 *sha, uint64_t bits, int n_byte)
{
    uint8_t bytes[8];
    for (int i = 0; i < n_byte; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    chgi_sha256_add(sha, bytes, (size_t)n_byte);
}

static void add_double(chgi_sha256 *sha, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_bits(sha, bits, 8);
}

static void add_name(chgi_sha256 *sha, const char *name)
{
    chgi_sha256_add(sha, name, strlen(name) + 1);
}

/* In pieces, so that the bytes have the same order on every machine. */
static void add_floats(chgi_sha256 *sha, const float *values, int64_t count)
{
    enum { PIECE = 1024 };
    uint8_t bytes[4 * PIECE];
    for (int64_t done = 0; done < count; done += PIECE) {
        int64_t n = count - done < PIECE ? count - done : PIECE;
        for (int64_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &values[done + i], sizeof bits);
            for (int j = 0; j < 4; j++)
                bytes[4 * i + j] = (uint8_t)(bits >> (8 * j));
        }
        chgi_sha256_add(sha, bytes, (size_t)(4 * n));
    }
}

void chgi_weights_sum(const chgi_weights *weights, char sha256[65])
{
    chgi_sha256 sha;
    chgi_sha256_start(&sha);
    for (int i = 0; i < chgi_hyper_field_count(); i++) {
        const chgi_hyper_field *field = chgi_hyper_field_at(i);
        int64_t count = chgi_hyper_field_length(field, &weights->hyper);
        add_name(&sha, field->name);
        add_bits(&sha, (uint64_t)count, 8);
        for (int64_t j = 0; j < count; j++)
            add_double(&sha, chgi_hyper_field_value(field, &weights->hyper, j));
    }
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        const chgi_tensor *tensor = &weights->tensors[i];
        add_name(&sha, tensor->name);
        add_bits(&sha, (uint64_t)tensor->rank, 8);
        for (int j = 0; j < tensor->rank; j++)
            add_bits(&sha, (uint64_t)tensor->shape[j], 8);
        add_floats(&sha, tensor->data, chgi_tensor_count(tensor));
    }
    chgi_sha256_finish(&sha, sha256);
}

chgnet_status chgi_weights_check_finite(chgnet_context *ctx, const chgi_weights *weights)
{
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        const chgi_tensor *tensor = &weights->tensors[i];
        int64_t count = chgi_tensor_count(tensor);
        for (int64_t j = 0; j < count; j++)
            if (!isfinite(tensor->data[j]))
                return chgi_context_fail(ctx, CHGNET_EINPUT,
                                         "tensor '%s' holds NaN or infinity at place %lld; all weights must be finite",
                                         tensor->name, (long long)j);
    }
    return CHGNET_OK;
}

/* ---- searching -------------------------------------------------------------------------------- */

static int compare_tensor(const void *name, const void *tensor)
{
    return strcmp(name, ((const chgi_tensor *)tensor)->name);
}

const chgi_tensor *chgi_weights_find(const chgi_weights *weights, const char *name)
{
    if (weights->n_tensor == 0)
        return NULL;
    return bsearch(name, weights->tensors, (size_t)weights->n_tensor, sizeof *weights->tensors, compare_tensor);
}

/* ---- saving ----------------------------------------------------------------------------------- */

static chgnet_status save_hyper(chgnet_context *ctx, chgi_h5 *file, const chgi_hyper *hyper)
{
    for (int i = 0; i < chgi_hyper_field_count(); i++) {
        const chgi_hyper_field *field = chgi_hyper_field_at(i);
        if (field->kind == CHGI_HYPER_REAL)
            CHGI_TRY(chgi_h5_set_double(ctx, file, "", field->name, chgi_hyper_field_value(field, hyper, 0)));
        else if (field->kind == CHGI_HYPER_LIST)
            CHGI_TRY(chgi_h5_set_ints(ctx, file, "", field->name, hyper->n_mlp_hidden, hyper->mlp_hidden));
        else
            CHGI_TRY(chgi_h5_set_int(ctx, file, "", field->name, (int64_t)chgi_hyper_field_value(field, hyper, 0)));
    }
    return CHGNET_OK;
}

static chgnet_status save_texts(chgnet_context *ctx, chgi_h5 *file, const chgi_weights *weights)
{
    CHGI_TRY(chgi_h5_set_fixed_text(ctx, file, "", "format", format_name));
    CHGI_TRY(chgi_h5_set_int(ctx, file, "", "format_version", FORMAT_VERSION));
    CHGI_TRY(chgi_h5_set_fixed_text(ctx, file, "", "version", weights->version));
    CHGI_TRY(chgi_h5_set_fixed_text(ctx, file, "", "license", weights->license));
    CHGI_TRY(chgi_h5_set_fixed_text(ctx, file, "", "source", weights->source));
    CHGI_TRY(chgi_h5_set_fixed_text(ctx, file, "", "source_sha256", weights->source_sha256));
    return chgi_h5_set_fixed_text(ctx, file, "", "model_sha256", weights->model_sha256);
}

static chgnet_status save_all(chgnet_context *ctx, chgi_h5 *file, const chgi_weights *weights)
{
    CHGI_TRY(save_texts(ctx, file, weights));
    CHGI_TRY(save_hyper(ctx, file, &weights->hyper));
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        const chgi_tensor *tensor = &weights->tensors[i];
        CHGI_TRY(chgi_h5_add(ctx, file, "", tensor->name, CHGI_H5_FLOAT, tensor->rank, tensor->shape, tensor->data));
    }
    return CHGNET_OK;
}

chgnet_status chgi_weights_save(chgnet_context *ctx, chgi_weights *weights, const char *path)
{
    chgi_h5 *file = NULL;
    char *data = NULL;
    size_t length;
    chgnet_status status;
    chgi_weights_sum(weights, weights->model_sha256);
    CHGI_TRY_CLEANUP(chgi_h5_create(ctx, &file));
    CHGI_TRY_CLEANUP(save_all(ctx, file, weights));
    CHGI_TRY_CLEANUP(chgi_h5_finish(ctx, file, &data, &length));
    CHGI_TRY_CLEANUP(chgi_file_write(ctx, path, data, length));
cleanup:
    chgi_h5_destroy(file);
    chgi_memory_free(data);
    return status;
}

/* ---- loading ---------------------------------------------------------------------------------- */

static chgnet_status load_hyper(chgnet_context *ctx, chgi_h5 *file, chgi_hyper *hyper)
{
    for (int i = 0; i < chgi_hyper_field_count(); i++) {
        const chgi_hyper_field *field = chgi_hyper_field_at(i);
        char *place = (char *)hyper + field->offset;
        if (field->kind == CHGI_HYPER_REAL) {
            double value = 0;
            CHGI_TRY(chgi_h5_get_double(ctx, file, "", field->name, &value));
            memcpy(place, &value, sizeof value);
        } else if (field->kind == CHGI_HYPER_LIST) {
            CHGI_TRY(chgi_h5_get_ints(ctx, file, "", field->name, CHGI_HYPER_MAX_MLP, &hyper->n_mlp_hidden,
                                      hyper->mlp_hidden));
        } else {
            int64_t value = 0;
            CHGI_TRY(chgi_h5_get_int(ctx, file, "", field->name, &value));
            memcpy(place, &value, sizeof value);
        }
    }
    return CHGNET_OK;
}

static chgnet_status load_sum(chgnet_context *ctx, chgi_h5 *file, const char *name, char sum[65])
{
    char *text = NULL;
    CHGI_TRY(chgi_h5_get_text(ctx, file, "", name, &text));
    bool good = strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
    if (good)
        memcpy(sum, text, 65);
    chgi_memory_free(text);
    return good ? CHGNET_OK
                : chgi_context_fail(ctx, CHGNET_EINPUT,
                                    "attribute '%s' is no SHA-256; 64 lower-case hexadecimal digits "
                                    "are expected",
                                    name);
}

static chgnet_status load_texts(chgnet_context *ctx, chgi_h5 *file, chgi_weights *weights)
{
    char *format = NULL;
    int64_t number = 0;
    chgnet_status status = chgi_h5_get_text(ctx, file, "", "format", &format);
    bool known = status == CHGNET_OK && strcmp(format, format_name) == 0;
    chgi_memory_free(format);
    if (status == CHGNET_ENOMEM)
        return status;
    if (!known)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "this HDF5 file holds no CHGNet weights; convert a checkpoint by "
                                 "`chgnet convert`");
    CHGI_TRY(chgi_h5_get_int(ctx, file, "", "format_version", &number));
    if (number != FORMAT_VERSION)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the weights have format version %lld; this program reads version %d",
                                 (long long)number, FORMAT_VERSION);
    CHGI_TRY(chgi_h5_get_text(ctx, file, "", "version", &weights->version));
    CHGI_TRY(chgi_h5_get_text(ctx, file, "", "license", &weights->license));
    CHGI_TRY(chgi_h5_get_text(ctx, file, "", "source", &weights->source));
    CHGI_TRY(load_sum(ctx, file, "source_sha256", weights->source_sha256));
    return load_sum(ctx, file, "model_sha256", weights->model_sha256);
}

/* Exactly the tensors that the hyperparameters ask for. */
static chgnet_status check_names(chgnet_context *ctx, chgi_h5 *file, const chgi_weights *weights)
{
    char **names;
    int64_t count, i;
    CHGI_TRY(chgi_h5_list(ctx, file, "", &names, &count));
    chgnet_status status = CHGNET_OK;
    for (i = 0; i < count && i < weights->n_tensor && strcmp(names[i], weights->tensors[i].name) == 0; i++)
        continue;
    bool missing = i < weights->n_tensor && (i == count || strcmp(names[i], weights->tensors[i].name) > 0);
    if (missing)
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "tensor '%s' is missing; the hyperparameters ask for it",
                                   weights->tensors[i].name);
    else if (i < count)
        status = chgi_context_fail(ctx, CHGNET_EINPUT,
                                   "tensor '%s' has no place in this model; the hyperparameters ask "
                                   "for none of that name",
                                   names[i]);
    chgi_h5_free_names(names, count);
    return status;
}

static chgnet_status load_all(chgnet_context *ctx, chgi_h5 *file, size_t length, chgi_weights *weights)
{
    char sum[65];
    CHGI_TRY(load_texts(ctx, file, weights));
    CHGI_TRY(load_hyper(ctx, file, &weights->hyper));
    CHGI_TRY(chgi_weights_allocate(ctx, weights, 64 * length));
    CHGI_TRY(check_names(ctx, file, weights));
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        chgi_tensor *tensor = &weights->tensors[i];
        CHGI_TRY(chgi_h5_read(ctx, file, "", tensor->name, CHGI_H5_FLOAT, tensor->rank, tensor->shape, tensor->data));
    }
    CHGI_TRY(chgi_weights_check_finite(ctx, weights));
    chgi_weights_sum(weights, sum);
    if (strcmp(sum, weights->model_sha256) != 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the weights were changed after they were written: their SHA-256 is "
                                 "%.12s...; %.12s... is expected",
                                 sum, weights->model_sha256);
    return CHGNET_OK;
}

static bool is_checkpoint(const char *data, size_t length)
{
    static const char zip[4] = {'P', 'K', 3, 4};
    return length >= sizeof zip && memcmp(data, zip, sizeof zip) == 0;
}

/* Reading a checkpoint begins anew and names the file itself. */
static chgnet_status load_checkpoint(chgnet_context *ctx, const char *data, size_t length, chgi_weights *weights)
{
    char *path = weights->path;
    chgnet_status status = chgi_checkpoint_read(ctx, path, data, length, weights);
    if (status == CHGNET_OK)
        weights->path = path;
    else
        chgi_memory_free(path);
    return status;
}

chgnet_status chgi_weights_load(chgnet_context *ctx, const char *name, chgi_weights *weights)
{
    chgi_h5 *file = NULL;
    char *data = NULL;
    size_t length = 0;
    chgnet_status status;
    bool read = false;
    *weights = (chgi_weights){0};
    CHGI_TRY_CLEANUP(chgi_weights_locate(ctx, name, &weights->path));
    CHGI_TRY_CLEANUP(chgi_file_read(ctx, weights->path, &data, &length));
    if (is_checkpoint(data, length)) {
        status = load_checkpoint(ctx, data, length, weights);
        goto cleanup;
    }
    read = true; /* later errors do not name the file yet */
    CHGI_TRY_CLEANUP(chgi_h5_open(ctx, data, length, &file));
    CHGI_TRY_CLEANUP(load_all(ctx, file, length, weights));
cleanup:
    if (status != CHGNET_OK && read)
        chgi_context_locate(ctx, weights->path, 0);
    chgi_h5_destroy(file);
    chgi_memory_free(data);
    if (status != CHGNET_OK)
        chgi_weights_destroy(weights);
    return status;
}
