/* Checkpoints -> weights, with small checkpoints made here: other sizes, every variant that is refused, damage
 * anywhere. SPDX-License-Identifier: BSD-3-Clause */
#include "model/checkpoint.h"

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "fake.h"
#include "tap.h"

static chgnet_context *ctx;
static const char input[] = "test_checkpoint.tmp.pth.tar", output[] = "test_checkpoint.tmp.h5";

/* What a test changes about a checkpoint. */
typedef struct recipe {
    const chgi_hyper *hyper; /* the tensors follow it, and the arguments unless `arguments` is set */
    void (*arguments)(fake_bytes *p, const chgi_hyper *hyper);
    const char *extra_key;          /* an argument more, with this value */
    const char *extra_value;        /* pickle operations */
    const char *skip, *add, *twice; /* a tensor left out, one with an unknown name, one that comes twice */
    const char *reshape;            /* a tensor with one column less */
    const char *transpose;          /* a tensor that is a transposed view with an offset */
    const char *short_storage;      /* a tensor whose entry lacks a value */
    const char *no_storage;         /* a tensor without an entry */
    const char *nan;                /* a tensor with NaN */
    const char *type;               /* type of all storages */
    const char *byte_order;         /* an entry "byteorder" */
    const char *top;                /* key of the model in the pickle; "model" */
    bool deflate, two, plain_state;
} recipe;

static const chgi_hyper small = {
    .atom_cutoff = 4.5,
    .bond_cutoff = 2.5,
    .cutoff_coeff = 6,
    .n_radial = 3,
    .n_angular = 5,
    .n_element = 4,
    .atom_fea_dim = 3,
    .bond_fea_dim = 2,
    .angle_fea_dim = 4,
    .atom_hidden = 5,
    .bond_hidden = 6,
    .angle_hidden = 0,
    .n_conv = 2,
    .gmlp_norm = 1,
    .mlp_out_bias = 0,
    .readout_norm = 1,
    .is_intensive = 1,
    .n_mlp_hidden = 2,
    .mlp_hidden = {4, 3},
};

static void add_argument(fake_bytes *p, const char *key, int64_t value)
{
    fake_key(p, key);
    fake_int(p, (int32_t)value);
}

static void add_norm(fake_bytes *p, const char *key, int64_t norm)
{
    fake_key(p, key);
    if (norm)
        fake_key(p, "layer");
    else
        fake_text(p, "N");
}

/* Arguments as upstream stores them. */
static void all_arguments(fake_bytes *p, const chgi_hyper *h)
{
    add_argument(p, "atom_fea_dim", h->atom_fea_dim);
    add_argument(p, "bond_fea_dim", h->bond_fea_dim);
    add_argument(p, "angle_fea_dim", h->angle_fea_dim);
    add_argument(p, "num_radial", h->n_radial);
    add_argument(p, "num_angular", h->n_angular);
    add_argument(p, "n_conv", h->n_conv);
    add_argument(p, "cutoff_coeff", h->cutoff_coeff);
    add_argument(p, "atom_conv_hidden_dim", h->atom_hidden);
    fake_key(p, "bond_conv_hidden_dim");
    fake_text(p, "]");
    fake_int(p, (int32_t)h->bond_hidden);
    fake_text(p, "a");
    add_argument(p, "angle_layer_hidden_dim", h->angle_hidden);
    fake_key(p, "mlp_hidden_dims");
    fake_text(p, "](");
    for (int64_t i = 0; i < h->n_mlp_hidden; i++)
        fake_int(p, (int32_t)h->mlp_hidden[i]);
    fake_text(p, "e");
    fake_key(p, "atom_graph_cutoff");
    fake_real(p, h->atom_cutoff);
    fake_key(p, "bond_graph_cutoff");
    fake_real(p, h->bond_cutoff);
    add_norm(p, "gMLP_norm", h->gmlp_norm);
    add_norm(p, "readout_norm", h->readout_norm);
    fake_key(p, "composition_model");
    fake_key(p, "MPtrj");
    fake_key(p, "version");
    fake_key(p, "0.3.0");
}

static bool is(const char *name, const chgi_tensor *tensor)
{
    return name && strcmp(name, tensor->name) == 0;
}

static float value_of(int64_t tensor, int64_t place)
{
    return (float)tensor + (float)place / 1024;
}

static fake_tensor describe(const recipe *r, const chgi_tensor *tensor, const char *key)
{
    int32_t rows = tensor->rank == 2 ? (int32_t)tensor->shape[0] : 0;
    fake_tensor t = fake_tensor_of(key, rows, (int32_t)tensor->shape[tensor->rank - 1]);
    if (r->type)
        t.type = r->type;
    if (is(r->transpose, tensor)) {
        t.row_stride = 1;
        t.stride = rows;
        t.offset = 2;
        t.values += 3;
    }
    if (is(r->reshape, tensor))
        t.columns--;
    return t;
}

/* Entry i holds tensor i, in an order that is not that of names. */
static void add_state(fake_bytes *p, const recipe *r, const chgi_weights *w)
{
    if (r->plain_state)
        fake_text(p, "}(");
    else {
        fake_global(p, "collections", "OrderedDict");
        fake_text(p, ")R(");
    }
    for (int64_t k = w->n_tensor - 1; k >= 0; k--) {
        const chgi_tensor *tensor = &w->tensors[k];
        char key[24];
        snprintf(key, sizeof key, "%d", (int)k);
        fake_tensor t = describe(r, tensor, key);
        for (int times = is(r->skip, tensor) ? 0 : is(r->twice, tensor) ? 2 : 1; times > 0; times--) {
            fake_key(p, tensor->name);
            fake_put_tensor(p, &t);
        }
        if (k == 0 && r->add) {
            fake_key(p, r->add);
            fake_put_tensor(p, &t);
        }
    }
    fake_text(p, "u");
    if (!r->plain_state) {
        fake_text(p, "}");
        fake_key(p, "_metadata");
        fake_text(p, "}sb");
    }
}

static fake_bytes make_pickle(const recipe *r, const chgi_weights *w)
{
    fake_bytes p = {0};
    fake_proto(&p);
    fake_text(&p, "}(");
    fake_key(&p, r->top ? r->top : "model");
    fake_text(&p, "}(");
    fake_key(&p, "state_dict");
    add_state(&p, r, w);
    fake_key(&p, "model_args");
    fake_text(&p, "}(");
    (r->arguments ? r->arguments : all_arguments)(&p, r->hyper);
    if (r->extra_key) {
        fake_key(&p, r->extra_key);
        fake_text(&p, r->extra_value);
    }
    fake_text(&p, "uu");
    fake_key(&p, "optimizer");
    fake_text(&p, "}");
    fake_text(&p, "u.");
    return p;
}

static fake_bytes make_storage(const recipe *r, const chgi_tensor *tensor, int64_t k)
{
    fake_bytes b = {0};
    int64_t rows = tensor->rank == 2 ? tensor->shape[0] : 1, columns = tensor->shape[tensor->rank - 1];
    bool turned = is(r->transpose, tensor);
    int64_t count = rows * columns;
    fake_number(&b, 0, turned ? 8 : 0);
    for (int64_t i = 0; i < count; i++) {
        float value = value_of(k, turned ? i % rows * columns + i / rows : i);
        uint32_t bits;
        if (is(r->nan, tensor) && i == count - 1)
            value = NAN;
        memcpy(&bits, &value, sizeof bits);
        fake_number(&b, bits, 4);
    }
    fake_number(&b, 0, turned ? 4 : 0);
    b.length -= is(r->short_storage, tensor) ? 4 : 0;
    return b;
}

/* A whole checkpoint. */
static fake_bytes make(const recipe *r)
{
    chgi_weights w = {.hyper = *r->hyper};
    if (chgi_weights_allocate(ctx, &w, 1 << 30) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    size_t most = (size_t)w.n_tensor + 3, count = 0;
    fake_entry *entries = calloc(most, sizeof *entries);
    fake_bytes *storages = calloc(most, sizeof *storages), *packed = calloc(most, sizeof *packed);
    char(*names)[64] = calloc(most, sizeof *names);
    if (!entries || !storages || !packed || !names)
        abort();
    storages[most - 1] = make_pickle(r, &w);
    entries[count++] = fake_entry_of("any name/data.pkl", storages[most - 1].data, storages[most - 1].length);
    if (r->two)
        entries[count++] = fake_entry_of("other/data.pkl", storages[most - 1].data, storages[most - 1].length);
    if (r->byte_order)
        entries[count++] = fake_entry_of("any name/byteorder", r->byte_order, strlen(r->byte_order));
    for (int64_t k = 0; k < w.n_tensor; k++) {
        if (is(r->no_storage, &w.tensors[k]))
            continue;
        snprintf(names[k], sizeof names[k], "any name/data/%d", (int)k);
        storages[k] = make_storage(r, &w.tensors[k], k);
        entries[count++] = fake_entry_of(names[k], storages[k].data, storages[k].length);
    }
    for (size_t i = 0; r->deflate && i < count; i++) {
        packed[i] = fake_deflate(entries[i].data, entries[i].length);
        fake_set_deflated(&entries[i], &packed[i]);
    }
    fake_bytes archive = fake_zip(entries, (uint32_t)count);
    for (size_t i = 0; i < most; i++) {
        fake_free(&storages[i]);
        fake_free(&packed[i]);
    }
    free(entries);
    free(storages);
    free(packed);
    free(names);
    chgi_weights_destroy(&w);
    return archive;
}

/* From a copy, so that a sanitizer sees every read behind its end. */
static chgnet_status load_bytes(const fake_bytes *archive, size_t length, chgi_weights *w)
{
    char *copy = malloc(length ? length : 1);
    if (!copy)
        abort();
    if (length)
        memcpy(copy, archive->data, length);
    chgnet_status status = chgi_checkpoint_read(ctx, input, copy, length, w);
    free(copy);
    return status;
}

/* By way of a file. */
static chgnet_status load(const recipe *r, chgi_weights *w)
{
    fake_bytes archive = make(r);
    FILE *file = fopen(input, "wb");
    if (!file || fwrite(archive.data, 1, archive.length, file) != archive.length || fclose(file) != 0)
        tap_bail("cannot write a file");
    fake_free(&archive);
    return chgi_checkpoint_load(ctx, input, w);
}

static void refused(const recipe *r, const char *word, const char *name)
{
    chgi_weights w;
    chgnet_status status = load(r, &w);
    const char *error = chgnet_context_error(ctx);
    bool named = strncmp(error, input, strlen(input)) == 0;
    if (!tap_ok(status == CHGNET_EINPUT && named && strstr(error, word) && strstr(error, "; "), "refused: %s", name))
        tap_note("status %d: %s", status, error);
    chgi_weights_destroy(&w);
}

/* ---- what must be read ------------------------------------------------------------------------ */

static bool same_hyper(const chgi_hyper *a, const chgi_hyper *b)
{
    bool same = a->n_mlp_hidden == b->n_mlp_hidden;
    for (int64_t i = 0; same && i < a->n_mlp_hidden; i++)
        same = a->mlp_hidden[i] == b->mlp_hidden[i];
    return same && a->atom_cutoff == b->atom_cutoff && a->bond_cutoff == b->bond_cutoff &&
           a->cutoff_coeff == b->cutoff_coeff && a->n_radial == b->n_radial && a->n_angular == b->n_angular &&
           a->n_element == b->n_element && a->atom_fea_dim == b->atom_fea_dim && a->bond_fea_dim == b->bond_fea_dim &&
           a->angle_fea_dim == b->angle_fea_dim && a->atom_hidden == b->atom_hidden &&
           a->bond_hidden == b->bond_hidden && a->angle_hidden == b->angle_hidden && a->n_conv == b->n_conv &&
           a->gmlp_norm == b->gmlp_norm && a->mlp_out_bias == b->mlp_out_bias && a->readout_norm == b->readout_norm &&
           a->is_intensive == b->is_intensive;
}

static int64_t wrong_values(const chgi_weights *w)
{
    int64_t wrong = 0;
    for (int64_t k = 0; k < w->n_tensor; k++)
        for (int64_t i = 0; i < chgi_tensor_count(&w->tensors[k]); i++)
            wrong += w->tensors[k].data[i] != value_of(k, i);
    return wrong;
}

/* Convert, write, load again: the same hyperparameters, values and sum. */
static void accepted(const recipe *r, const char *name)
{
    chgi_weights w, again = {0};
    chgnet_status status = load(r, &w);
    bool good = status == CHGNET_OK && same_hyper(&w.hyper, r->hyper) && wrong_values(&w) == 0;
    if (good) { /* where weights are asked for, a checkpoint serves too */
        status = chgi_weights_load(ctx, "./test_checkpoint.tmp.pth.tar", &again);
        good = status == CHGNET_OK && strcmp(w.model_sha256, again.model_sha256) == 0;
        chgi_weights_destroy(&again);
    }
    if (good) {
        status = chgi_weights_save(ctx, &w, output);
        if (status == CHGNET_OK)
            status = chgi_weights_load(ctx, output, &again);
        good = status == CHGNET_OK && same_hyper(&again.hyper, r->hyper) && wrong_values(&again) == 0 &&
               strcmp(w.model_sha256, again.model_sha256) == 0 && strcmp(w.source_sha256, again.source_sha256) == 0 &&
               strcmp(again.source, input) == 0 && strcmp(again.version, "custom (from 0.3.0)") == 0;
    }
    if (!tap_ok(good, "accepted: %s", name))
        tap_note("status %d: %s", status, chgnet_context_error(ctx));
    chgi_weights_destroy(&w);
    chgi_weights_destroy(&again);
}

static void check_good(void)
{
    chgi_hyper h = small;
    accepted(&(recipe){.hyper = &small}, "other sizes everywhere");
    accepted(&(recipe){.hyper = &small, .deflate = true, .byte_order = "little"}, "deflated entries");
    accepted(&(recipe){.hyper = &small, .plain_state = true}, "a plain dictionary as state dict");
    accepted(&(recipe){.hyper = &small, .transpose = "mlp.layers.0.weight"}, "a view with strides and offset");
    accepted(&(recipe){.hyper = &small, .extra_key = "learnable_rbf", .extra_value = "\x89"}, "fixed frequencies");
    accepted(&(recipe){.hyper = &small, .extra_key = "some later argument", .extra_value = "N"}, "an unknown argument");
    h.gmlp_norm = h.readout_norm = 0, h.mlp_out_bias = 1;
    accepted(&(recipe){.hyper = &h}, "no norms, mlp_out with bias");
    h = small, h.n_conv = 1, h.n_mlp_hidden = 1;
    accepted(&(recipe){.hyper = &h}, "one convolution, one hidden layer");
    h = small, h.angle_hidden = 7, h.atom_hidden = 0;
    accepted(&(recipe){.hyper = &h}, "a hidden layer in the angle update, none in the atom convolution");
}

/* Absent arguments have upstream's defaults. */
static void no_arguments(fake_bytes *p, const chgi_hyper *h)
{
    (void)h;
    fake_key(p, "version");
    fake_key(p, "0.3.0");
}

static void check_defaults(void)
{
    static const chgi_hyper defaults = {
        .atom_cutoff = 6,
        .bond_cutoff = 3,
        .cutoff_coeff = 8,
        .n_radial = 31,
        .n_angular = 31,
        .n_element = 94,
        .atom_fea_dim = 64,
        .bond_fea_dim = 64,
        .angle_fea_dim = 64,
        .atom_hidden = 64,
        .bond_hidden = 64,
        .n_conv = 4,
        .gmlp_norm = 1,
        .readout_norm = 1,
        .is_intensive = 1,
        .n_mlp_hidden = 3,
        .mlp_hidden = {64, 64, 64},
    };
    accepted(&(recipe){.hyper = &defaults, .arguments = no_arguments}, "no argument at all");
}

/* Without a composition model its reference energies are zero. */
static void check_no_composition(void)
{
    static const char name[] = "composition_model.fc.weight";
    recipe r = {.hyper = &small, .skip = name, .extra_key = "composition_model", .extra_value = "N"};
    chgi_weights w;
    if (tap_is_int(load(&r, &w), CHGNET_OK, "no composition model")) {
        const chgi_tensor *tensor = chgi_weights_find(&w, name);
        tap_ok(tensor && tensor->data[0] == 0 && tensor->data[3] == 0, "its reference energies are zero");
    }
    chgi_weights_destroy(&w);
    r.skip = NULL;
    refused(&r, "ask for none", "reference energies without a composition model");
}

/* ---- what must be refused --------------------------------------------------------------------- */

static void refused_argument(const char *key, const char *value, const char *word)
{
    char name[128];
    snprintf(name, sizeof name, "argument %s", key);
    refused(&(recipe){.hyper = &small, .extra_key = key, .extra_value = value}, word, name);
}

static void check_variants(void)
{
    refused_argument("update_bond", "\x89", "update_bond is False; only True");
    refused_argument("update_angle", "\x89", "update_angle is False; only True");
    refused_argument("mlp_first", "\x89", "mlp_first is False; only True");
    refused_argument("mlp_first", "N", "True or False is expected");
    refused_argument("non_linearity", "K\1", "only 'silu'");
    refused_argument("conv_norm", "K\1", "only None");
    refused_argument("final_mlp", "N", "only 'MLP'");
    refused_argument("gMLP_norm", "K\1", "only 'layer'");
    refused_argument("readout_norm", "]", "only 'layer'");
    refused_argument("composition_model", "}", "composition_model is a dictionary");
    refused_argument("is_intensive", "\x89", "the two must agree");
    refused_argument("mlp_out_bias", "\x88", "disagrees with the state dict");
    refused_argument("atom_fea_dim", "N", "atom_fea_dim is None; an integer");
    refused_argument("atom_fea_dim", "\x88", "an integer");
    refused_argument("atom_graph_cutoff", "N", "a number");
    refused_argument("atom_conv_hidden_dim", "](K\5K\5e", "has 2 sizes");
    refused_argument("mlp_hidden_dims", "]", "has 0 sizes");
    refused_argument("mlp_hidden_dims", "](NNe", "a list of integers");
    refused_argument("mlp_hidden_dims", "\x88", "a number or a list");
}

static void check_ranges(void)
{
    refused_argument("n_conv", "J\xff\xff\xff\x7f", "n_conv is 2.14748e+09; a number from 1 to 64");
    refused_argument("num_angular", "K\4", "odd number");
    refused_argument("num_radial", "J\xff\xff\xff\xff", "num_radial is -1");
    refused_argument("atom_graph_cutoff", "K\2", "may not be larger");
    refused_argument("bond_graph_cutoff", "J\xff\xff\xff\xff", "bond_graph_cutoff is -1");
    refused_argument("atom_fea_dim", "M\xff\xff", "too short to hold");
    refused_argument("num_radial", "K\2", "the model arguments ask for");
    refused_argument("n_conv", "K\3", "ask for it");
    refused_argument("n_conv", "K\1", "ask for no tensor");
}

static void check_tensors(void)
{
    static const char name[] = "site_wise.weight";
    refused(&(recipe){.hyper = &small, .skip = name}, "no tensor 'site_wise.weight'", "a missing tensor");
    refused(&(recipe){.hyper = &small, .add = "site_wise.extra"}, "site_wise.extra", "a tensor too many");
    refused(&(recipe){.hyper = &small, .twice = name}, "twice", "a tensor that comes twice");
    refused(&(recipe){.hyper = &small, .reshape = name}, "shape (1, 2); the model arguments ask for (1, 3)",
            "a tensor of the wrong shape");
    refused(&(recipe){.hyper = &small, .short_storage = name}, "has 8 bytes", "a storage that is too short");
    refused(&(recipe){.hyper = &small, .no_storage = name}, "not in the archive", "a storage that is not there");
    refused(&(recipe){.hyper = &small, .nan = name}, "NaN", "a value that is not a number");
    refused(&(recipe){.hyper = &small, .type = "DoubleStorage"}, "'torch.DoubleStorage'", "float64 weights");
    refused(&(recipe){.hyper = &small, .skip = "atom_embedding.embedding.weight"}, "embedding", "no atom embedding");
}

static void check_files(void)
{
    chgi_weights w;
    refused(&(recipe){.hyper = &small, .byte_order = "big"}, "big-endian", "a big-endian checkpoint");
    refused(&(recipe){.hyper = &small, .top = "net"}, "not of CHGNet", "a pickle without 'model'");
    refused(&(recipe){.hyper = &small, .two = true}, "two checkpoints", "two pickles");
    tap_is_int(chgi_checkpoint_load(ctx, "test_checkpoint.absent", &w), CHGNET_EINPUT, "an absent file");
    tap_is_int(chgi_checkpoint_load(ctx, ".", &w), CHGNET_EINPUT, "a directory");
    fake_entry e = fake_entry_of("readme", "text", 4);
    fake_bytes archive = fake_zip(&e, 1);
    tap_is_int(load_bytes(&archive, archive.length, &w), CHGNET_EINPUT, "an archive of something else");
    fake_free(&archive);
}

/* No truncation loads, and no change of a byte loads wrong values: each is refused, or changes nothing that counts. */
static void check_damage(void)
{
    recipe r = {.hyper = &small};
    fake_bytes archive = make(&r);
    chgi_weights w;
    int loaded = 0, wrong = 0;
    for (size_t length = 0; length < archive.length; length++) {
        loaded += load_bytes(&archive, length, &w) != CHGNET_EINPUT;
        chgi_weights_destroy(&w);
    }
    tap_is_int(loaded, 0, "checkpoints truncated anywhere that load");
    for (size_t i = 0; i < archive.length; i++) {
        archive.data[i] ^= (uint8_t)(1u << i % 8);
        chgnet_status status = load_bytes(&archive, archive.length, &w);
        wrong += status != CHGNET_EINPUT && (status != CHGNET_OK || wrong_values(&w) > 0);
        chgi_weights_destroy(&w);
        archive.data[i] ^= (uint8_t)(1u << i % 8);
    }
    tap_is_int(wrong, 0, "checkpoints with a flipped bit that load wrong values");
    fake_free(&archive);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return 1;
    check_good();
    check_defaults();
    check_no_composition();
    check_variants();
    check_ranges();
    check_tensors();
    check_files();
    check_damage();
    unlink(input);
    unlink(output);
    chgnet_context_destroy(ctx);
    return tap_done();
}
