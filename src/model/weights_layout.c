#include "model/weights_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- hyperparameters -------------------------------------------------------------------------- */

/* Far beyond any use; products of three sizes stay inside int64_t. */
enum { LARGEST_SIZE = 65536, MOST_CONV = 64, MOST_ELEMENT = 118, LARGEST_POWER = 100, LONGEST_CUTOFF = 100 };

#define INT_FIELD(name, member, least, most)                            \
    {                                                                   \
        name, CHGI_HYPER_INT, offsetof(chgi_hyper, member), least, most \
    }

/* In the order of names: the sum over a model depends on it. */
static const chgi_hyper_field fields[] = {
    INT_FIELD("angle_fea_dim", angle_fea_dim, 1, LARGEST_SIZE),
    INT_FIELD("angle_layer_hidden_dim", angle_hidden, 0, LARGEST_SIZE),
    INT_FIELD("atom_conv_hidden_dim", atom_hidden, 0, LARGEST_SIZE),
    INT_FIELD("atom_fea_dim", atom_fea_dim, 1, LARGEST_SIZE),
    {"atom_graph_cutoff", CHGI_HYPER_REAL, offsetof(chgi_hyper, atom_cutoff), 0, LONGEST_CUTOFF},
    INT_FIELD("bond_conv_hidden_dim", bond_hidden, 0, LARGEST_SIZE),
    INT_FIELD("bond_fea_dim", bond_fea_dim, 1, LARGEST_SIZE),
    {"bond_graph_cutoff", CHGI_HYPER_REAL, offsetof(chgi_hyper, bond_cutoff), 0, LONGEST_CUTOFF},
    INT_FIELD("cutoff_coeff", cutoff_coeff, 1, LARGEST_POWER),
    INT_FIELD("gMLP_norm", gmlp_norm, 0, 1),
    INT_FIELD("is_intensive", is_intensive, 0, 1),
    {"mlp_hidden_dims", CHGI_HYPER_LIST, offsetof(chgi_hyper, mlp_hidden), 1, LARGEST_SIZE},
    INT_FIELD("mlp_out_bias", mlp_out_bias, 0, 1),
    INT_FIELD("n_conv", n_conv, 1, MOST_CONV),
    INT_FIELD("n_element", n_element, 1, MOST_ELEMENT),
    INT_FIELD("num_angular", n_angular, 3, LARGEST_SIZE),
    INT_FIELD("num_radial", n_radial, 1, LARGEST_SIZE),
    INT_FIELD("readout_norm", readout_norm, 0, 1),
};

int chgi_hyper_field_count(void)
{
    return (int)(sizeof fields / sizeof fields[0]);
}

const chgi_hyper_field *chgi_hyper_field_at(int i)
{
    return &fields[i];
}

int64_t chgi_hyper_field_length(const chgi_hyper_field *field, const chgi_hyper *hyper)
{
    return field->kind == CHGI_HYPER_LIST ? hyper->n_mlp_hidden : 1;
}

double chgi_hyper_field_value(const chgi_hyper_field *field, const chgi_hyper *hyper, int64_t j)
{
    const char *place = (const char *)hyper + field->offset;
    if (field->kind == CHGI_HYPER_REAL) {
        double value;
        memcpy(&value, place, sizeof value);
        return value;
    }
    int64_t value;
    memcpy(&value, place + (size_t)j * sizeof value, sizeof value);
    return (double)value;
}

chgnet_status chgi_hyper_check(chgnet_context *ctx, const chgi_hyper *hyper)
{
    if (hyper->n_mlp_hidden < 0 || hyper->n_mlp_hidden > CHGI_HYPER_MAX_MLP)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "mlp_hidden_dims has %lld layers; at most %d are supported",
                                 (long long)hyper->n_mlp_hidden, CHGI_HYPER_MAX_MLP);
    for (int i = 0; i < chgi_hyper_field_count(); i++)
        for (int64_t j = 0; j < chgi_hyper_field_length(&fields[i], hyper); j++) {
            double value = chgi_hyper_field_value(&fields[i], hyper, j);
            bool positive = fields[i].kind != CHGI_HYPER_REAL || value > 0;
            if (!positive || !(value >= fields[i].least && value <= fields[i].most))
                return chgi_context_fail(ctx, CHGNET_EINPUT, "%s is %g; a number from %g to %g is expected",
                                         fields[i].name, value, fields[i].least, fields[i].most);
        }
    if (hyper->n_angular % 2 == 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "num_angular is %lld; an odd number is expected",
                                 (long long)hyper->n_angular);
    if (hyper->bond_cutoff > hyper->atom_cutoff)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "bond_graph_cutoff is %g and atom_graph_cutoff %g; the first may not "
                                 "be larger",
                                 hyper->bond_cutoff, hyper->atom_cutoff);
    return CHGNET_OK;
}

/* ---- tensors ---------------------------------------------------------------------------------- */

/* A list of tensors that grows; after the first failure additions do nothing. */
typedef struct layout {
    chgnet_context *ctx;
    chgi_weights *weights;
    size_t capacity;
    double bytes; /* of all tensors; a double cannot overflow here */
    chgnet_status status;
} layout;

static void add(layout *list, const char *prefix, const char *suffix, int64_t rows, int64_t columns)
{
    char name[128];
    chgi_weights *weights = list->weights;
    size_t n = (size_t)weights->n_tensor;
    if (list->status == CHGNET_OK)
        list->status = chgi_memory_grow(list->ctx, &weights->tensors, &list->capacity, n + 1, sizeof(chgi_tensor));
    if (list->status != CHGNET_OK)
        return;
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    char *copy = chgi_memory_copy_text(name);
    if (!copy) {
        list->status = chgi_context_nomem(list->ctx, sizeof name, 1);
        return;
    }
    weights->tensors[n] = (chgi_tensor){.name = copy, .rank = rows ? 2 : 1, .shape = {rows ? rows : columns, 1, 1, 1}};
    if (rows)
        weights->tensors[n].shape[1] = columns;
    weights->n_tensor++;
    list->bytes += (double)(rows ? rows : 1) * (double)columns * sizeof(float);
}

static void add_vector(layout *list, const char *prefix, const char *suffix, int64_t size)
{
    add(list, prefix, suffix, 0, size);
}

static void add_linear(layout *list, const char *prefix, int place, int64_t out, int64_t in)
{
    char suffix[64];
    snprintf(suffix, sizeof suffix, ".layers.%d.weight", place);
    add(list, prefix, suffix, out, in);
    snprintf(suffix, sizeof suffix, ".layers.%d.bias", place);
    add_vector(list, prefix, suffix, out);
}

static void add_norm(layout *list, const char *prefix, const char *name, int64_t size)
{
    char suffix[64];
    snprintf(suffix, sizeof suffix, "%s.weight", name);
    add_vector(list, prefix, suffix, size);
    snprintf(suffix, sizeof suffix, "%s.bias", name);
    add_vector(list, prefix, suffix, size);
}

/* Upstream numbers the places of Linear, activation and dropout alike: 0 and 3 with a hidden layer, 1 without. */
static void add_gated(layout *list, const char *prefix, int64_t in, int64_t hidden, int64_t out)
{
    static const char *const halves[] = {".mlp_core", ".mlp_gate"};
    for (int i = 0; i < 2; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, halves[i]);
        if (hidden > 0) {
            add_linear(list, name, 0, hidden, in);
            add_linear(list, name, 3, out, hidden);
        } else {
            add_linear(list, name, 1, out, in);
        }
    }
    if (list->weights->hyper.gmlp_norm) {
        add_norm(list, prefix, ".bn1", out);
        add_norm(list, prefix, ".bn2", out);
    }
}

static void add_out(layout *list, const char *prefix, int64_t size)
{
    add(list, prefix, ".mlp_out.layers.1.weight", size, size);
    if (list->weights->hyper.mlp_out_bias)
        add_vector(list, prefix, ".mlp_out.layers.1.bias", size);
}

static void add_convolution(layout *list, int t)
{
    const chgi_hyper *hyper = &list->weights->hyper;
    int64_t a = hyper->atom_fea_dim, b = hyper->bond_fea_dim, g = hyper->angle_fea_dim;
    char layer[64], gated[96];
    snprintf(layer, sizeof layer, "atom_conv_layers.%d", t);
    snprintf(gated, sizeof gated, "%s.twoBody_atom", layer);
    add_gated(list, gated, 2 * a + b, hyper->atom_hidden, a);
    add_out(list, layer, a);
    if (t == hyper->n_conv - 1) /* the last one has no bonds or angles to update */
        return;
    snprintf(layer, sizeof layer, "bond_conv_layers.%d", t);
    snprintf(gated, sizeof gated, "%s.twoBody_bond", layer);
    add_gated(list, gated, a + 2 * b + g, hyper->bond_hidden, b);
    add_out(list, layer, b);
    snprintf(gated, sizeof gated, "angle_layers.%d.twoBody_bond", t);
    add_gated(list, gated, a + 2 * b + g, hyper->angle_hidden, g);
}

/* Hidden layers at the places 0, 2, 4...; a dropout before the last Linear takes one place. */
static void add_readout(layout *list)
{
    const chgi_hyper *hyper = &list->weights->hyper;
    int64_t in = hyper->atom_fea_dim;
    int n = (int)hyper->n_mlp_hidden;
    add(list, "site_wise", ".weight", 1, in);
    add_vector(list, "site_wise", ".bias", 1);
    if (hyper->readout_norm)
        add_norm(list, "", "readout_norm", in);
    for (int i = 0; i < n; i++) {
        add_linear(list, "mlp", 2 * i, hyper->mlp_hidden[i], in);
        in = hyper->mlp_hidden[i];
    }
    add_linear(list, "mlp", 2 * n + 1, 1, in);
}

static void add_embeddings(layout *list)
{
    const chgi_hyper *hyper = &list->weights->hyper;
    add(list, "composition_model.fc", ".weight", 1, hyper->n_element);
    add(list, "atom_embedding.embedding", ".weight", hyper->n_element, hyper->atom_fea_dim);
    add_vector(list, "bond_basis_expansion.rbf_expansion_ag", ".frequencies", hyper->n_radial);
    add_vector(list, "bond_basis_expansion.rbf_expansion_bg", ".frequencies", hyper->n_radial);
    add_vector(list, "angle_basis_expansion.fourier_expansion", ".frequencies", (hyper->n_angular - 1) / 2);
    add(list, "bond_embedding", ".weight", hyper->bond_fea_dim, hyper->n_radial);
    add(list, "bond_weights_ag", ".weight", hyper->atom_fea_dim, hyper->n_radial);
    add(list, "bond_weights_bg", ".weight", hyper->bond_fea_dim, hyper->n_radial);
    add(list, "angle_embedding", ".weight", hyper->angle_fea_dim, hyper->n_angular);
}

static int compare_tensors(const void *a, const void *b)
{
    const chgi_tensor *first = a, *second = b;
    return strcmp(first->name, second->name);
}

int64_t chgi_tensor_count(const chgi_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

int64_t chgi_weights_count(const chgi_weights *weights)
{
    int64_t count = 0;
    for (int64_t i = 0; i < weights->n_tensor; i++)
        count += chgi_tensor_count(&weights->tensors[i]);
    return count;
}

chgnet_status chgi_weights_allocate(chgnet_context *ctx, chgi_weights *weights, size_t most)
{
    CHGI_TRY(chgi_hyper_check(ctx, &weights->hyper));
    layout list = {.ctx = ctx, .weights = weights, .status = CHGNET_OK};
    add_embeddings(&list);
    for (int t = 0; t < weights->hyper.n_conv; t++)
        add_convolution(&list, t);
    add_readout(&list);
    CHGI_TRY(list.status);
    if (list.bytes > (double)most)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the hyperparameters ask for %.1f MB of tensors; the file is too short "
                                 "to hold them",
                                 list.bytes / 1e6);
    qsort(weights->tensors, (size_t)weights->n_tensor, sizeof *weights->tensors, compare_tensors);
    for (int64_t i = 0; i < weights->n_tensor; i++) {
        chgi_tensor *tensor = &weights->tensors[i];
        size_t count = (size_t)chgi_tensor_count(tensor);
        tensor->data = chgi_memory_new(count, sizeof(float));
        if (!tensor->data)
            return chgi_context_nomem(ctx, count, sizeof(float));
    }
    return CHGNET_OK;
}

void chgi_shape_print(int rank, const int64_t *shape, char text[CHGI_SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(text, CHGI_SHAPE_TEXT, "(");
    for (int i = 0; i < rank && used < CHGI_SHAPE_TEXT; i++)
        used += (size_t)snprintf(text + used, CHGI_SHAPE_TEXT - used, i ? ", %lld" : "%lld", (long long)shape[i]);
    if (used < CHGI_SHAPE_TEXT)
        snprintf(text + used, CHGI_SHAPE_TEXT - used, ")");
}
