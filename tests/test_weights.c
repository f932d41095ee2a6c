/* Files of weights: the three released ones, the search for them, and every file that must be refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "model/weights.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "tap.h"

/* HDF5 itself loses some memory when it meets a damaged record: not what these tests are about. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static chgnet_context *ctx;
static const char path[] = "./test_weights.tmp.h5";

/* ---- the released weights --------------------------------------------------------------------- */

static void check_release(const chgi_release *release, int64_t n_tensor, int64_t n_parameter, double cutoff)
{
    chgi_weights w;
    chgnet_status status = chgi_weights_load(ctx, release->name, &w);
    if (!tap_ok(status == CHGNET_OK, "weights %s load", release->name)) {
        tap_note("%s", chgnet_context_error(ctx));
        return;
    }
    tap_is_text(w.version, release->name, "version");
    tap_is_text(w.model_sha256, release->model_sha256, "model_sha256");
    tap_is_text(w.source_sha256, release->source_sha256, "source_sha256");
    tap_is_int(w.n_tensor, n_tensor, "number of tensors");
    tap_is_int(chgi_weights_count(&w), n_parameter, "number of parameters");
    tap_ok(w.hyper.atom_cutoff == cutoff && w.hyper.bond_cutoff == 3 && w.hyper.n_element == 94, "hyperparameters");
    tap_ok(strstr(w.license, "The Regents\nof the University of California") != NULL,
           "the licence travels in the file");
    const chgi_tensor *t = chgi_weights_find(&w, "bond_embedding.weight");
    tap_ok(t && t->rank == 2 && t->shape[0] == 64 && t->shape[1] == w.hyper.n_radial, "a tensor is found");
    t = chgi_weights_find(&w, "atom_conv_layers.3.mlp_out.layers.1.bias");
    tap_ok((t != NULL) == (w.hyper.mlp_out_bias == 1), "mlp_out has a bias where the hyperparameter says so");
    tap_ok(chgi_weights_find(&w, "bond_embedding") == NULL, "a name that only begins well is not found");
    chgi_weights_destroy(&w);
}

/* What upstream's package gives for the weights 0.3.0: a few values, bit for bit. */
static void check_values(void)
{
    static const struct {
        const char *name;
        int64_t place;
        float value;
    } known[] = {
        {"composition_model.fc.weight", 7, -0x1.0c5aee0000000p+3f},
        {"atom_embedding.embedding.weight", 6015, -0x1.8285320000000p+0f},
        {"angle_basis_expansion.fourier_expansion.frequencies", 14, 0x1.05fb6a0000000p+4f},
        {"bond_conv_layers.2.twoBody_bond.mlp_gate.layers.0.weight", 12345, -0x1.8d63160000000p+1f},
        {"mlp.layers.7.bias", 0, 0x1.fa614a0000000p-6f},
    };
    chgi_weights w;
    if (!tap_is_int(chgi_weights_load(ctx, "0.3.0", &w), CHGNET_OK, "weights 0.3.0 load"))
        return;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const chgi_tensor *t = chgi_weights_find(&w, known[i].name);
        tap_ok(t && known[i].place < chgi_tensor_count(t) && t->data[known[i].place] == known[i].value, "%s[%d]",
               known[i].name, (int)known[i].place);
    }
    chgi_weights_destroy(&w);
}

/* ---- the search ------------------------------------------------------------------------------- */

static void refused(const char *name, chgnet_status want, const char *word, const char *what)
{
    chgi_weights w;
    chgnet_status status = chgi_weights_load(ctx, name, &w);
    const char *error = chgnet_context_error(ctx);
    if (!tap_ok(status == want && strstr(error, word) && strstr(error, "; "), "refused: %s", what))
        tap_note("status %d: %s", status, chgnet_context_error(ctx));
    tap_ok(w.tensors == NULL && w.path == NULL, "nothing is left");
    chgi_weights_destroy(&w);
}

static void check_search(void)
{
    char *found = NULL;
    refused("0.9.0", CHGNET_EINPUT, "no weights named '0.9.0'", "an unknown name");
    refused("", CHGNET_EINPUT, "no weights named ''", "an empty name");
    refused("./absent.h5", CHGNET_EINPUT, "./absent.h5: cannot be opened", "an absent file");
    refused("absent.h5", CHGNET_EINPUT, "absent.h5: cannot be opened", "an absent file here");
    refused("./", CHGNET_EINPUT, "is a directory", "a directory");
    mkdir("test_weights.tmp", 0777);
    FILE *file = fopen("test_weights.tmp/chgnet-mine.h5", "wb");
    if (!file || fputs("no weights", file) < 0 || fclose(file) != 0)
        tap_bail("cannot write a file");
    setenv("CHGNET_WEIGHTS", "test_weights.tmp", 1);
    tap_is_int(chgi_weights_locate(ctx, "mine", &found), CHGNET_OK, "a name of the user's own");
    tap_is_text(found, "test_weights.tmp/chgnet-mine.h5", "lies in $CHGNET_WEIGHTS");
    refused("mine", CHGNET_EINPUT, "test_weights.tmp/chgnet-mine.h5: this is not an HDF5 file", "a text as weights");
    refused("0.9.0", CHGNET_EINPUT, "test_weights.tmp", "an unknown name: the folders are named");
    chgi_memory_free(found);
    unlink("test_weights.tmp/chgnet-mine.h5");
    rmdir("test_weights.tmp");
}

static void check_permission(void)
{
    if (geteuid() == 0) {
        tap_skip("root may read everything");
        return;
    }
    FILE *file = fopen(path, "wb");
    if (!file || fclose(file) != 0 || chmod(path, 0) != 0)
        tap_bail("cannot write a file");
    refused(path, CHGNET_EIO, "cannot be opened", "a file that may not be read");
    unlink(path);
}

/* ---- files that are not as they should be ----------------------------------------------------- */

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
    .n_conv = 2,
    .gmlp_norm = 1,
    .readout_norm = 1,
    .is_intensive = 1,
    .n_mlp_hidden = 1,
    .mlp_hidden = {4},
};

static void write_small(void)
{
    chgi_weights w = {.hyper = small};
    w.version = chgi_memory_copy_text("small");
    w.license = chgi_memory_copy_text("none");
    w.source = chgi_memory_copy_text("test_weights.c");
    memset(w.source_sha256, 'a', 64);
    if (chgi_weights_allocate(ctx, &w, 1 << 20) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    for (int64_t k = 0; k < w.n_tensor; k++)
        for (int64_t i = 0; i < chgi_tensor_count(&w.tensors[k]); i++)
            w.tensors[k].data[i] = (float)(k + 1) / (float)(i + 1);
    if (chgi_weights_save(ctx, &w, path) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    chgi_weights_destroy(&w);
}

/* The small file, opened for a change. */
static hid_t change(void)
{
    write_small();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (file < 0)
        tap_bail("cannot open the small file");
    return file;
}

static void set_int(hid_t file, const char *name, int64_t value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    H5Adelete(file, name);
    hid_t attribute = H5Acreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT64, &value);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Fclose(file);
}

static void set_text(hid_t file, const char *name, const char *text)
{
    hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text));
    H5Adelete(file, name);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, text);
    H5Aclose(attribute);
    H5Tclose(type);
    H5Sclose(space);
    H5Fclose(file);
}

/* One value of site_wise.weight. */
static void set_value(hid_t file, float value)
{
    float values[3] = {1, 2, value};
    hid_t array = H5Dopen2(file, "site_wise.weight", H5P_DEFAULT);
    H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(array);
    H5Fclose(file);
}

static void replace(hid_t file, const char *old, const char *name, hid_t type, hsize_t rows, hsize_t columns)
{
    const hsize_t shape[2] = {rows, columns};
    hid_t space = H5Screate_simple(2, shape, NULL);
    H5Ldelete(file, old, H5P_DEFAULT);
    if (name)
        H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
}

static void check_tensors(void)
{
    static const char name[] = "site_wise.weight";
    const chgnet_status bad = CHGNET_EINPUT;
    replace(change(), name, NULL, H5T_IEEE_F32LE, 1, 3);
    refused(path, bad, "tensor 'site_wise.weight' is missing", "a missing tensor");
    replace(change(), name, "site_wise.weigth", H5T_IEEE_F32LE, 1, 3);
    refused(path, bad, "tensor 'site_wise.weight' is missing", "a misspelt tensor");
    replace(change(), "no such name", "zzz", H5T_IEEE_F32LE, 1, 3);
    refused(path, bad, "'zzz' has no place", "a tensor too many at the end");
    replace(change(), "no such name", "aaa", H5T_IEEE_F32LE, 1, 3);
    refused(path, bad, "'aaa' has no place", "a tensor too many at the beginning");
    replace(change(), name, name, H5T_IEEE_F32LE, 3, 1);
    refused(path, bad, "has shape (3, 1); (1, 3) is expected", "a transposed tensor");
    replace(change(), name, name, H5T_IEEE_F64LE, 1, 3);
    refused(path, bad, "wrong type", "a tensor of float64");
    replace(change(), name, name, H5T_IEEE_F32BE, 1, 3);
    refused(path, bad, "wrong type", "a big-endian tensor");
    set_value(change(), NAN);
    refused(path, bad, "site_wise.weight' holds NaN or infinity at place 2", "NaN");
    set_value(change(), -INFINITY);
    refused(path, bad, "NaN or infinity", "infinity");
    set_value(change(), 3);
    refused(path, bad, "were changed", "one other value");
    hid_t file = change();
    H5Ldelete(file, name, H5P_DEFAULT);
    H5Lcreate_soft("/site_wise.bias", file, name, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refused(path, bad, "link", "a link in the place of a tensor");
}

static void check_attributes(void)
{
    const chgnet_status bad = CHGNET_EINPUT;
    set_int(change(), "num_radial", 4);
    refused(path, bad, "(3); (4) is expected", "another number of radial functions");
    set_int(change(), "atom_fea_dim", 65536);
    refused(path, bad, "too short", "sizes beyond the file");
    set_int(change(), "n_conv", INT64_MAX);
    refused(path, bad, "n_conv is 9.22337e+18", "a number of convolutions that overflows");
    set_int(change(), "n_conv", 3);
    refused(path, bad, "is missing", "a convolution without tensors");
    set_int(change(), "cutoff_coeff", 5);
    refused(path, bad, "were changed", "another power of the envelope");
    set_int(change(), "bond_graph_cutoff", 3);
    refused(path, bad, "bond_graph_cutoff", "an integer as cutoff");
    set_int(change(), "format_version", 2);
    refused(path, bad, "format version 2", "a later format");
    set_text(change(), "format", "other-weights");
    refused(path, bad, "holds no CHGNet weights", "weights of something else");
    set_text(change(), "model_sha256", "0123");
    refused(path, bad, "is no SHA-256", "a sum that is too short");
    set_text(change(), "model_sha256", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    refused(path, bad, "were changed", "another sum");
    hid_t file = change();
    H5Adelete(file, "n_element");
    H5Fclose(file);
    refused(path, bad, "attribute 'n_element'", "a missing hyperparameter");
}

static void overwrite(const char *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        tap_bail("cannot write a file");
}

/* Truncated or changed anywhere: refused, or what was changed is no weight. */
static void check_damage(void)
{
    char *data = NULL, sum[65];
    size_t length = 0;
    chgi_weights w;
    int opened = 0, wrong = 0;
    write_small();
    if (chgi_weights_load(ctx, path, &w) != CHGNET_OK || chgi_file_read(ctx, path, &data, &length) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    memcpy(sum, w.model_sha256, sizeof sum);
    chgi_weights_destroy(&w);
    for (size_t i = 0; i < length; i += 1 + length / 150) {
        overwrite(data, i);
        opened += chgi_weights_load(ctx, path, &w) != CHGNET_EINPUT;
        chgi_weights_destroy(&w);
    }
    tap_is_int(opened, 0, "truncated files that load");
    for (size_t i = 0; i < length; i += 1 + length / 300) {
        data[i] = (char)(data[i] ^ 1 << i % 8);
        overwrite(data, length);
        data[i] = (char)(data[i] ^ 1 << i % 8);
        chgnet_status status = chgi_weights_load(ctx, path, &w);
        wrong += status != CHGNET_EINPUT && (status != CHGNET_OK || strcmp(sum, w.model_sha256) != 0);
        chgi_weights_destroy(&w);
    }
    tap_is_int(wrong, 0, "files with a flipped bit that load as other weights");
    chgi_memory_free(data);
}

static void check_save(void)
{
    chgi_weights w;
    write_small();
    if (chgi_weights_load(ctx, path, &w) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_is_int(chgi_weights_save(ctx, &w, "./no such folder/x.h5"), CHGNET_EIO, "no folder to write to");
    tap_ok(access("./no such folder", F_OK) != 0, "and none was made");
    chgi_weights_destroy(&w);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return 1;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    check_release(chgi_weights_release(0), 136, 412525, 6);
    check_release(chgi_weights_release(1), 99, 400438, 5);
    check_release(chgi_weights_release(2), 136, 412525, 6);
    tap_ok(chgi_weights_release(3) == NULL && chgi_weights_release(-1) == NULL, "three releases");
    check_values();
    check_tensors();
    check_attributes();
    check_damage();
    check_save();
    check_permission();
    check_search(); /* last: it changes the environment */
    unlink(path);
    chgnet_context_destroy(ctx);
    return tap_done();
}
