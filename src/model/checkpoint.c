#include "model/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/weights_layout.h"
#include "store/sha256.h"
#include "store/zip.h"

typedef chgi_pickle_value value;

/* An opened checkpoint. */
typedef struct checkpoint {
    chgi_zip zip;
    const char *prefix; /* of all names in the archive, up to the slash; inside the archive's names */
    size_t prefix_length;
    uint8_t *pickle_bytes;
    chgi_pickle pickle;
    const value *args, *state;
    bool has_composition;
} checkpoint;

static const char composition_name[] = "composition_model.fc.weight";

/* ---- the archive ------------------------------------------------------------------------------ */

/* PyTorch puts everything below one folder, whose name is that of the file when it was written. */
static chgnet_status find_prefix(chgnet_context *ctx, checkpoint *c)
{
    static const char ending[] = "/data.pkl";
    for (size_t i = 0; i < c->zip.n_entry; i++) {
        const char *name = c->zip.entries[i].name, *slash = strchr(name, '/');
        if (!slash || strcmp(slash, ending) != 0)
            continue;
        if (c->prefix)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "the archive holds two checkpoints; one is expected");
        c->prefix = name;
        c->prefix_length = (size_t)(slash - name);
    }
    if (!c->prefix)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the archive holds no data.pkl; a checkpoint written by torch.save is "
                                 "expected");
    return CHGNET_OK;
}

/* The entry "<prefix>/<rest>"; NULL when there is none. */
static chgnet_status find_entry(chgnet_context *ctx, const checkpoint *c, const char *folder, const char *rest,
                                size_t rest_length, const chgi_zip_entry **entry)
{
    chgi_text name = {0};
    chgi_text_append(&name, c->prefix, c->prefix_length);
    chgi_text_append(&name, folder, strlen(folder));
    chgi_text_append(&name, rest, rest_length);
    bool failed = name.failed;
    *entry = failed || memchr(rest, '\0', rest_length) ? NULL : chgi_zip_find(&c->zip, name.data);
    chgi_text_destroy(&name);
    return failed ? chgi_context_nomem(ctx, rest_length, 1) : CHGNET_OK;
}

static chgnet_status check_byte_order(chgnet_context *ctx, checkpoint *c)
{
    static const char name[] = "byteorder", little[] = "little";
    const chgi_zip_entry *entry;
    uint8_t *bytes;
    CHGI_TRY(find_entry(ctx, c, "/", name, strlen(name), &entry));
    if (!entry) /* older versions of PyTorch write none and always mean little-endian */
        return CHGNET_OK;
    CHGI_TRY(chgi_zip_read(ctx, &c->zip, entry, &bytes));
    bool good = entry->size == strlen(little) && memcmp(bytes, little, entry->size) == 0;
    chgi_memory_free(bytes);
    return good ? CHGNET_OK
                : chgi_context_fail(ctx, CHGNET_EINPUT,
                                    "the checkpoint was written on a big-endian machine; only "
                                    "little-endian ones are supported");
}

static chgnet_status read_pickle(chgnet_context *ctx, checkpoint *c)
{
    static const char name[] = "data.pkl";
    const chgi_zip_entry *entry;
    CHGI_TRY(find_entry(ctx, c, "/", name, strlen(name), &entry));
    if (entry->size > c->zip.length + (1 << 16)) /* reading it takes many times its size */
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "the checkpoint's pickle expands to more than the whole file; a checkpoint as PyTorch writes it is needed");
    CHGI_TRY(chgi_zip_read(ctx, &c->zip, entry, &c->pickle_bytes));
    CHGI_TRY(chgi_pickle_read(ctx, c->pickle_bytes, entry->size, &c->pickle));
    const value *model = chgi_pickle_get(c->pickle.root, "model");
    c->args = chgi_pickle_get(model, "model_args");
    c->state = chgi_pickle_get(model, "state_dict");
    bool good = c->args && c->state && c->args->kind == CHGI_PICKLE_DICT &&
                (c->state->kind == CHGI_PICKLE_DICT || c->state->kind == CHGI_PICKLE_ORDERED);
    return good ? CHGNET_OK
                : chgi_context_fail(ctx, CHGNET_EINPUT,
                                    "the checkpoint is not of CHGNet; 'model' with 'model_args' and "
                                    "'state_dict' is expected");
}

static chgnet_status open_checkpoint(chgnet_context *ctx, const char *bytes, size_t length, checkpoint *c)
{
    CHGI_TRY(chgi_zip_open(ctx, bytes, length, &c->zip));
    CHGI_TRY(find_prefix(ctx, c));
    CHGI_TRY(check_byte_order(ctx, c));
    return read_pickle(ctx, c);
}

static void close_checkpoint(checkpoint *c)
{
    chgi_pickle_destroy(&c->pickle);
    chgi_memory_free(c->pickle_bytes);
    chgi_zip_close(&c->zip);
}

/* ---- hyperparameters -------------------------------------------------------------------------- */

/* Whether `mlp_out` has a bias shows in the tensors; an argument that says otherwise is an error. */
static chgnet_status read_bias(chgnet_context *ctx, const checkpoint *c, chgi_hyper *hyper)
{
    const value *said = chgi_pickle_get(c->args, "mlp_out_bias");
    bool found = chgi_pickle_get(c->state, "atom_conv_layers.0.mlp_out.layers.1.bias") != NULL;
    hyper->mlp_out_bias = found;
    if (said && (said->kind != CHGI_PICKLE_BOOL || (said->integer != 0) != found))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the model argument mlp_out_bias disagrees with the state dict; the "
                                 "latter has %s such bias",
                                 found ? "a" : "no");
    return CHGNET_OK;
}

static chgnet_status read_hyper(chgnet_context *ctx, checkpoint *c, chgi_hyper *hyper)
{
    CHGI_TRY(chgi_checkpoint_hyper(ctx, c->args, hyper, &c->has_composition));
    CHGI_TRY(read_bias(ctx, c, hyper));
    const value *embedding = chgi_pickle_get(c->state, "atom_embedding.embedding.weight");
    if (!embedding || embedding->kind != CHGI_PICKLE_TENSOR || embedding->items[2]->count != 2)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the state dict has no matrix 'atom_embedding.embedding.weight'; a "
                                 "checkpoint of CHGNet is expected");
    hyper->n_element = embedding->items[2]->items[0]->integer;
    return CHGNET_OK;
}

/* ---- tensors ---------------------------------------------------------------------------------- */

static chgnet_status check_shape(chgnet_context *ctx, const value *v, const chgi_tensor *tensor)
{
    const value *sizes = v->items[2];
    int64_t shape[CHGI_PICKLE_MAX_RANK];
    bool same = (int)sizes->count == tensor->rank;
    for (uint32_t i = 0; i < sizes->count; i++) {
        shape[i] = sizes->items[i]->integer;
        same = same && shape[i] == tensor->shape[i];
    }
    if (same)
        return CHGNET_OK;
    char found[CHGI_SHAPE_TEXT], wanted[CHGI_SHAPE_TEXT];
    chgi_shape_print((int)sizes->count, shape, found);
    chgi_shape_print(tensor->rank, tensor->shape, wanted);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "tensor '%s' has shape %s; the model arguments ask for %s",
                             tensor->name, found, wanted);
}

static float get_float(const uint8_t *bytes)
{
    uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A view that the pickle reader has checked against its storage; rank 1 or 2. */
static void copy_view(const value *v, const uint8_t *bytes, const chgi_tensor *tensor)
{
    value *const *strides = v->items[3]->items;
    int64_t offset = v->items[1]->integer, columns = tensor->shape[tensor->rank - 1];
    int64_t rows = tensor->rank == 2 ? tensor->shape[0] : 1;
    int64_t row_stride = tensor->rank == 2 ? strides[0]->integer : 0, stride = strides[tensor->rank - 1]->integer;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            tensor->data[i * columns + j] = get_float(bytes + 4 * (offset + i * row_stride + j * stride));
}

static chgnet_status load_tensor(chgnet_context *ctx, checkpoint *c, const value *v, const chgi_tensor *tensor)
{
    CHGI_TRY(check_shape(ctx, v, tensor));
    const value *storage = v->items[0], *key = storage->items[0];
    const chgi_zip_entry *entry;
    uint8_t *bytes;
    CHGI_TRY(find_entry(ctx, c, "/data/", key->text, key->count, &entry));
    if (!entry)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the storage of tensor '%s' is not in the archive; save the checkpoint again",
                                 tensor->name);
    if (entry->size % 4 != 0 || entry->size / 4 != (uint64_t)storage->items[1]->integer)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the storage of tensor '%s' has %zu bytes; %lld float32 numbers are "
                                 "expected",
                                 tensor->name, entry->size, (long long)storage->items[1]->integer);
    CHGI_TRY(chgi_zip_read(ctx, &c->zip, entry, &bytes));
    copy_view(v, bytes, tensor);
    chgi_memory_free(bytes);
    return CHGNET_OK;
}

/* A tensor of the layout by the name in the state dict; NULL when it has none. */
static const chgi_tensor *tensor_of(const chgi_weights *weights, const value *key)
{
    char name[128];
    if (key->kind != CHGI_PICKLE_TEXT || key->count >= sizeof name || memchr(key->text, '\0', key->count))
        return NULL;
    memcpy(name, key->text, key->count);
    name[key->count] = '\0';
    return chgi_weights_find(weights, name);
}

/* Each entry of the state dict has one place, and each place gets one entry. */
static chgnet_status load_state(chgnet_context *ctx, checkpoint *c, chgi_weights *weights, bool *filled)
{
    for (uint32_t i = 0; i + 1 < c->state->count; i += 2) {
        const value *key = c->state->items[i], *v = c->state->items[i + 1];
        const chgi_tensor *tensor = tensor_of(weights, key);
        bool text = key->kind == CHGI_PICKLE_TEXT;
        if (!tensor)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "the state dict has '%.*s'; the model arguments ask for no tensor of "
                                     "that name",
                                     text && key->count < 100 ? (int)key->count
                                     : text                   ? 100
                                                              : 1,
                                     text ? key->text : "?");
        if (v->kind != CHGI_PICKLE_TENSOR || filled[tensor - weights->tensors])
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "'%s' in the state dict is no tensor or is there twice; one tensor is expected",
                                     tensor->name);
        filled[tensor - weights->tensors] = true;
        CHGI_TRY(load_tensor(ctx, c, v, tensor));
    }
    return CHGNET_OK;
}

static chgnet_status load_tensors(chgnet_context *ctx, checkpoint *c, chgi_weights *weights)
{
    bool *filled = chgi_memory_new((size_t)weights->n_tensor, sizeof *filled);
    if (!filled)
        return chgi_context_nomem(ctx, (size_t)weights->n_tensor, sizeof *filled);
    chgnet_status status = load_state(ctx, c, weights, filled);
    for (int64_t i = 0; status == CHGNET_OK && i < weights->n_tensor; i++) {
        bool optional = !c->has_composition && strcmp(weights->tensors[i].name, composition_name) == 0;
        if (filled[i] == optional) /* without a composition model the reference energies are zero */
            status = chgi_context_fail(ctx, CHGNET_EINPUT,
                                       "the state dict has %s tensor '%s'; the model arguments ask for "
                                       "%s",
                                       filled[i] ? "a" : "no", weights->tensors[i].name, filled[i] ? "none" : "it");
    }
    chgi_memory_free(filled);
    return status;
}

/* ---- texts ------------------------------------------------------------------------------------ */

/* A released set is known by its sum.  Others may still carry the version of the set they were trained from. */
static chgnet_status set_version(chgnet_context *ctx, const checkpoint *c, chgi_weights *weights, bool *released)
{
    const value *version = chgi_pickle_get(c->args, "version");
    char text[96] = "custom";
    *released = false;
    if (version && version->kind == CHGI_PICKLE_TEXT && version->count > 0)
        snprintf(text, sizeof text, "custom (from %.*s)", version->count < 64 ? (int)version->count : 64,
                 version->text);
    for (int i = 0; chgi_weights_release(i); i++)
        if (strcmp(chgi_weights_release(i)->model_sha256, weights->model_sha256) == 0) {
            snprintf(text, sizeof text, "%s", chgi_weights_release(i)->name);
            *released = true;
        }
    weights->version = chgi_memory_copy_text(text);
    return weights->version ? CHGNET_OK : chgi_context_nomem(ctx, sizeof text, 1);
}

static chgnet_status set_texts(chgnet_context *ctx, const checkpoint *c, const char *path, chgi_weights *weights)
{
    static const char unknown[] =
        "The checkpoint does not state its licence.  Where it was trained from the weights of "
        "CHGNet, these terms hold for that part:\n\n";
    bool released;
    CHGI_TRY(set_version(ctx, c, weights, &released));
    const char *slash = strrchr(path, '/');
    chgi_text license = {0};
    if (!released)
        chgi_text_append(&license, unknown, strlen(unknown));
    chgi_text_append(&license, chgi_upstream_license, strlen(chgi_upstream_license));
    weights->license = license.data;
    weights->source = chgi_memory_copy_text(slash ? slash + 1 : path);
    bool failed = license.failed || !weights->source;
    return failed ? chgi_context_nomem(ctx, license.length + 1, 1) : CHGNET_OK;
}

/* ---- all of it -------------------------------------------------------------------------------- */

static chgnet_status load_all(chgnet_context *ctx, checkpoint *c, const char *path, const char *bytes, size_t length,
                              chgi_weights *weights)
{
    CHGI_TRY(open_checkpoint(ctx, bytes, length, c));
    CHGI_TRY(read_hyper(ctx, c, &weights->hyper));
    CHGI_TRY(chgi_weights_allocate(ctx, weights, c->zip.budget));
    CHGI_TRY(load_tensors(ctx, c, weights));
    CHGI_TRY(chgi_weights_check_finite(ctx, weights));
    chgi_weights_sum(weights, weights->model_sha256);
    chgi_sha256_of(bytes, length, weights->source_sha256);
    return set_texts(ctx, c, path, weights);
}

chgnet_status chgi_checkpoint_read(chgnet_context *ctx, const char *path, const char *bytes, size_t length,
                                   chgi_weights *weights)
{
    checkpoint c = {0};
    *weights = (chgi_weights){0};
    chgnet_status status = load_all(ctx, &c, path, bytes, length, weights);
    if (status != CHGNET_OK) {
        chgi_context_locate(ctx, path, 0);
        chgi_weights_destroy(weights);
    }
    close_checkpoint(&c);
    return status;
}

chgnet_status chgi_checkpoint_load(chgnet_context *ctx, const char *path, chgi_weights *weights)
{
    char *bytes;
    size_t length;
    *weights = (chgi_weights){0};
    CHGI_TRY(chgi_file_read(ctx, path, &bytes, &length));
    chgnet_status status = chgi_checkpoint_read(ctx, path, bytes, length, weights);
    chgi_memory_free(bytes);
    return status;
}
