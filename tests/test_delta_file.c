/* Files of delta-models: what is written is read again bit for bit, and whatever is not a sound file is refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "gp/delta_file.h"

#include <hdf5.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "tap.h"
#include "task/train.h"

/* HDF5 itself loses some memory when it meets a damaged record: not what these tests are about. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

enum { N_LABEL = 6, N_FEATURE = 5 };

static chgnet_context *ctx;
static chgnet_model *model;
static const char path[] = "./test_delta_file.tmp.h5", other[] = "./test_delta_file.other.tmp.h5";

static double draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0 - 0.5;
}

static double *draw_many(size_t n, uint64_t *state)
{
    double *x = chgi_memory_new(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = draw(state);
    return x;
}

/* Labels with random embeddings: a file does not care where they come from. */
static void make_set(chgi_label_set *set, bool forces)
{
    uint64_t state = 7;
    *set = (chgi_label_set){.n_feature = N_FEATURE};
    for (int i = 0; i < N_LABEL; i++) {
        int n = 2 + i % 3;
        chgi_labelled l = {.has_energy = true, .energy = draw(&state), .base_energy = 0.1};
        if (chgi_structure_create(ctx, n, &l.structure) != CHGNET_OK)
            tap_bail("no memory");
        for (int k = 0; k < n; k++)
            l.structure.numbers[k] = k ? 29 : 16;
        for (int k = 0; k < 3 * n; k++)
            l.structure.positions[k] = 5 * draw(&state);
        l.fea = draw_many((size_t)n * N_FEATURE, &state);
        if (i % 2)
            l.place = chgi_memory_copy_text(i < 4 ? "a file.extxyz:12" : "b.extxyz:3");
        if (forces) {
            l.forces = draw_many(3 * (size_t)n, &state);
            l.base_forces = draw_many(3 * (size_t)n, &state);
            l.use = chgi_memory_new(3 * (size_t)n, sizeof *l.use);
            l.component = chgi_memory_new(3 * (size_t)n, sizeof *l.component);
            l.residual = chgi_memory_new(3 * (size_t)n, sizeof *l.residual);
            for (int k = 3; k < 3 * n; k++) { /* the first atom is left out */
                l.use[k] = true;
                l.component[l.n_force] = k;
                l.residual[l.n_force++] = l.forces[k] - l.base_forces[k];
            }
            l.jacobian = draw_many((size_t)l.n_force * (size_t)n * N_FEATURE, &state);
        }
        if (chgi_label_set_add(ctx, set, &l) != CHGNET_OK)
            tap_bail("no memory");
    }
}

static chgnet_delta *make(chgi_aggregation aggregation, bool forces, int64_t n_inducing)
{
    chgi_label_set set;
    chgi_delta *gp;
    chgnet_delta *delta = NULL;
    chgi_delta_choice choice = chgi_delta_choice_default();
    choice.aggregation = aggregation;
    choice.n_inducing = n_inducing;
    choice.optimize = false;
    make_set(&set, forces);
    chgnet_status status = chgi_train_fit(ctx, &choice, &set, NULL, forces, &gp);
    if (status == CHGNET_OK)
        status = chgi_train_finish(ctx, model, NULL, &gp, &set, &delta);
    if (!tap_ok(status == CHGNET_OK, "a model is made"))
        tap_note("%s", chgnet_context_error(ctx));
    return delta;
}

static bool same_bytes(const char *a, const char *b)
{
    char *data[2];
    size_t length[2];
    if (chgi_file_read(ctx, a, &data[0], &length[0]) != CHGNET_OK)
        return false;
    bool same = chgi_file_read(ctx, b, &data[1], &length[1]) == CHGNET_OK && length[0] == length[1] &&
                memcmp(data[0], data[1], length[0]) == 0;
    chgi_memory_free(data[0]);
    chgi_memory_free(data[1]);
    return same;
}

/* ---- round trips ------------------------------------------------------------------------------ */

static void compare_predictions(const chgnet_delta *a, const chgnet_delta *b)
{
    static const int32_t numbers[] = {16, 29, 29};
    uint64_t state = 99;
    double *fea = draw_many(3 * N_FEATURE, &state), gradient[2][3 * N_FEATURE];
    chgi_delta_workspace workspace = {0};
    chgi_correction c[2] = {{.gradient = gradient[0], .want_std = true}, {.gradient = gradient[1], .want_std = true}};
    bool good = chgi_delta_predict(ctx, a->gp, 3, numbers, fea, &workspace, &c[0]) == CHGNET_OK &&
                chgi_delta_predict(ctx, b->gp, 3, numbers, fea, &workspace, &c[1]) == CHGNET_OK;
    tap_ok(good && isfinite(c[0].energy) && c[0].std > 0, "both predict");
    tap_ok(c[0].energy == c[1].energy && c[0].std == c[1].std &&
               memcmp(gradient[0], gradient[1], sizeof *gradient) == 0,
           "the same energy, deviation and gradient, bit for bit");
    chgi_memory_free(fea);
    chgi_delta_workspace_destroy(&workspace);
}

static void compare_labels(const chgi_label_set *a, const chgi_label_set *b)
{
    bool same = a->n_label == b->n_label, forces = same;
    char place[2][200];
    for (int64_t i = 0; same && i < a->n_label; i++) {
        const chgi_labelled *x = &a->labels[i], *y = &b->labels[i];
        size_t n = (size_t)x->structure.n_atom;
        chgi_label_set_place(a, i, place[0], sizeof place[0]);
        chgi_label_set_place(b, i, place[1], sizeof place[1]);
        same = x->structure.n_atom == y->structure.n_atom && x->energy == y->energy &&
               x->base_energy == y->base_energy && strcmp(place[0], place[1]) == 0 &&
               memcmp(x->structure.numbers, y->structure.numbers, n * sizeof(int32_t)) == 0 &&
               memcmp(x->structure.positions, y->structure.positions, 3 * n * sizeof(double)) == 0;
        forces = forces && !x->forces == !y->forces;
        if (x->forces && y->forces)
            forces = forces && memcmp(x->forces, y->forces, 3 * n * sizeof(double)) == 0 &&
                     memcmp(x->base_forces, y->base_forces, 3 * n * sizeof(double)) == 0 &&
                     memcmp(x->use, y->use, 3 * n * sizeof(bool)) == 0;
    }
    tap_ok(same, "structures, energies and places come back");
    tap_ok(forces, "forces, the base's and the mask come back");
}

static void round_trip(chgi_aggregation aggregation, bool forces, int64_t n_inducing)
{
    chgnet_delta *made = make(aggregation, forces, n_inducing), *read = NULL;
    tap_note("%s, %s, %d inducing", chgi_aggregation_name(aggregation), forces ? "forces" : "energies",
             (int)n_inducing);
    if (!made)
        return;
    tap_ok(chgi_delta_file_save(ctx, made, path) == CHGNET_OK, "saved");
    if (tap_ok(chgi_delta_file_load(ctx, path, &read) == CHGNET_OK, "loaded")) {
        compare_predictions(made, read);
        compare_labels(&made->set, &read->set);
        tap_is_text(read->model_sha256, made->model_sha256, "model_sha256");
        tap_ok(memcmp(made->loo, read->loo, sizeof made->loo) == 0, "leave-one-out errors");
        tap_ok(chgi_delta_file_save(ctx, read, other) == CHGNET_OK && same_bytes(path, other),
               "saved again: the same bytes");
    } else
        tap_note("%s", chgnet_context_error(ctx));
    chgi_delta_file_destroy(read);
    chgi_delta_file_destroy(made);
}

/* ---- files that are not sound ----------------------------------------------------------------- */

static void refused(const char *name, const char *says)
{
    chgnet_delta *delta = NULL;
    chgnet_status status = chgi_delta_file_load(ctx, path, &delta);
    tap_ok(status == CHGNET_EINPUT && !delta, "%s: refused", name);
    if (!tap_ok(strstr(chgnet_context_error(ctx), says) && strstr(chgnet_context_error(ctx), path), "%s: says why",
                name))
        tap_note("%s", chgnet_context_error(ctx));
    chgi_delta_file_destroy(delta);
}

static void write_bytes(const char *data, size_t length)
{
    if (chgi_file_write(ctx, path, data, length) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
}

/* Change one number of a dataset, or one attribute, with HDF5's own functions. */
static void change_double(const char *dataset, double value)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(file, dataset, H5P_DEFAULT);
    hid_t space = H5Dget_space(set), one = H5Screate(H5S_SCALAR);
    hsize_t place[4] = {0, 0, 0, 0};
    H5Sselect_elements(space, H5S_SELECT_SET, 1, place);
    if (H5Dwrite(set, H5T_NATIVE_DOUBLE, one, space, H5P_DEFAULT, &value) < 0)
        tap_bail("H5Dwrite");
    H5Sclose(one);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
}

static void change_int(const char *attribute, int64_t value)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), id = H5Aopen(file, attribute, H5P_DEFAULT);
    if (H5Awrite(id, H5T_NATIVE_INT64, &value) < 0)
        tap_bail("H5Awrite");
    H5Aclose(id);
    H5Fclose(file);
}

static void remove_member(const char *member)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    if (H5Ldelete(file, member, H5P_DEFAULT) < 0)
        tap_bail("H5Ldelete");
    H5Fclose(file);
}

static void check_damage(void)
{
    char *data;
    size_t length;
    chgnet_delta *made = make(CHGI_ATOMIC, true, 0);
    if (!made || chgi_delta_file_save(ctx, made, path) != CHGNET_OK ||
        chgi_file_read(ctx, path, &data, &length) != CHGNET_OK)
        tap_bail("no file to damage");
    int loaded = 0;
    for (size_t cut = 0; cut < 40; cut++) { /* all sorts of ends, the last one short of a byte */
        chgnet_delta *delta = NULL;
        write_bytes(data, cut == 39 ? length - 1 : length * cut / 40);
        loaded += chgi_delta_file_load(ctx, path, &delta) != CHGNET_EINPUT || delta;
        chgi_delta_file_destroy(delta);
    }
    tap_is_int(loaded, 0, "no truncated file is taken");
    write_bytes(data, length);
    change_double("gp/targets", 3.5);
    refused("a changed number", "content_sha256");
    write_bytes(data, length);
    change_double("gp/weights", NAN);
    refused("a number that is none", "not finite");
    write_bytes(data, length);
    change_int("format_version", 2);
    refused("another version", "version 2");
    write_bytes(data, length);
    remove_member("gp/points");
    refused("a missing array", "points");
    write_bytes(data, length);
    remove_member("labels");
    refused("missing labels", "labels");
    write_bytes("nothing", 7);
    refused("no HDF5", "not an HDF5 file");
    chgi_memory_free(data);
    chgi_delta_file_destroy(made);
}

static void check_weights(void)
{
    chgnet_delta *made = make(CHGI_GLOBAL, false, 0);
    chgnet_model_info info = chgnet_model_get_info(model);
    tap_ok(chgi_delta_file_check_model(ctx, made, info.version, info.sha256) == CHGNET_OK, "its own weights are taken");
    tap_ok(chgi_delta_file_check_model(ctx, made, "0.2.0", "46e0126cac89") == CHGNET_EINPUT &&
               strstr(chgnet_context_error(ctx), "0.3.0") && strstr(chgnet_context_error(ctx), "0.2.0"),
           "other weights are refused, both are named");
    tap_ok(chgi_delta_file_save(ctx, made, "./nowhere/D.h5") == CHGNET_EIO, "a folder that is not there");
    chgi_delta_file_destroy(made);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK || chgnet_model_load(ctx, "0.3.0", &model) != CHGNET_OK)
        tap_bail("no weights");
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    for (int aggregation = CHGI_GLOBAL; aggregation <= CHGI_ATOMIC; aggregation++) {
        round_trip((chgi_aggregation)aggregation, false, 0);
        round_trip((chgi_aggregation)aggregation, true, 0);
    }
    round_trip(CHGI_ATOMIC, false, 6);
    round_trip(CHGI_ATOMIC, true, 6);
    check_damage();
    check_weights();
    unlink(path);
    unlink(other);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
