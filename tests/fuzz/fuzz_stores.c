/* Targets: archives, pickles, HDF5 files, checkpoints.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "base/memory.h"
#include "fuzz.h"
#include "gp/delta_file.h"
#include "model/checkpoint.h"
#include "model/weights.h"
#include "store/h5_large.h"
#include "store/sha256.h"
#include "store/zip.h"
#include "task/md.h"
#include "task/restart.h"
#include "../springs.h"

static void judge(chgnet_context *ctx, chgnet_status status)
{
    if (status != CHGNET_OK)
        fuzz_check_refusal(ctx, status);
}

/* ---- PyTorch ---------------------------------------------------------------------------------- */

void fuzz_zip(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_zip zip;
    chgnet_status status = chgi_zip_open(ctx, bytes, length, &zip);
    judge(ctx, status);
    for (size_t i = 0; status == CHGNET_OK && i < zip.n_entry; i++) {
        uint8_t *data;
        const chgi_zip_entry *entry = &zip.entries[i];
        if (chgi_zip_find(&zip, entry->name) != entry)
            fuzz_broken("an entry is found by its name");
        judge(ctx, chgi_zip_read(ctx, &zip, entry, &data));
        chgi_memory_free(data);
    }
    chgi_zip_close(&zip);
    chgnet_context_destroy(ctx);
}

/* Touch every value, as far as a bound allows: the tree may hold itself. */
static int64_t visit(const chgi_pickle_value *value, int64_t left)
{
    if (left <= 0)
        return 0;
    left--;
    for (uint32_t i = 0; value->kind >= CHGI_PICKLE_TUPLE && value->kind != CHGI_PICKLE_GLOBAL && i < value->count; i++)
        left = visit(value->items[i], left);
    return left;
}

void fuzz_pickle(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_pickle pickle;
    chgnet_status status = chgi_pickle_read(ctx, bytes, length, &pickle);
    judge(ctx, status);
    if (status == CHGNET_OK) {
        chgi_hyper hyper = {0};
        bool has_composition;
        const chgi_pickle_value *model = chgi_pickle_get(pickle.root, "model");
        (void)visit(pickle.root, 1000);
        (void)chgi_pickle_is_text(chgi_pickle_get(pickle.root, "format"), "tar");
        judge(ctx, chgi_checkpoint_hyper(ctx, pickle.root, &hyper, &has_composition));
        judge(ctx, chgi_checkpoint_hyper(ctx, chgi_pickle_get(model, "model_args"), &hyper, &has_composition));
    }
    chgi_pickle_destroy(&pickle);
    chgnet_context_destroy(ctx);
}

void fuzz_torch(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_weights weights;
    judge(ctx, chgi_checkpoint_read(ctx, "input.pth.tar", (const char *)bytes, length, &weights));
    chgi_weights_destroy(&weights);
    chgnet_context_destroy(ctx);
}

/* ---- HDF5 ------------------------------------------------------------------------------------- */

void fuzz_model(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_weights weights;
    judge(ctx, chgi_weights_load(ctx, fuzz_file(bytes, length), &weights));
    chgi_weights_destroy(&weights);
    chgnet_context_destroy(ctx);
}

/* A model that is taken must also predict, or say why not. */
static void predict(chgnet_context *ctx, const chgi_delta *delta)
{
    chgi_delta_summary summary = chgi_delta_describe(delta);
    chgi_delta_workspace workspace = {.n_thread = 1};
    int32_t numbers[2] = {summary.elements[0], summary.elements[summary.n_element - 1]};
    double *fea = chgi_memory_new(2 * (size_t)summary.n_feature, sizeof *fea);
    chgi_correction correction = {.want_std = true};
    if (!fea)
        fuzz_broken("no memory");
    chgnet_status status = chgi_delta_predict(ctx, delta, 2, numbers, fea, &workspace, &correction);
    if (status != CHGNET_ENUMERIC)
        judge(ctx, status);
    chgi_memory_free(fea);
    chgi_delta_workspace_destroy(&workspace);
}

void fuzz_delta(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgnet_delta *delta;
    chgnet_status status = chgi_delta_file_load(ctx, fuzz_file(bytes, length), &delta);
    judge(ctx, status);
    if (status == CHGNET_OK)
        predict(ctx, delta->gp);
    chgi_delta_file_destroy(delta);
    chgnet_context_destroy(ctx);
}

/* The file of a run that is resumed: the members that such a file has, whatever their sizes. */
void fuzz_trajectory(const uint8_t *bytes, size_t length)
{
    static const char *const members[] = {"step", "time", "value"};
    static const char *const groups[] = {"", "particles", "particles/all", "particles/all/position", "observables"};
    chgnet_context *ctx = fuzz_context();
    chgi_h5 *file;
    judge(ctx, chgi_h5_open_large(ctx, fuzz_file(bytes, length), &file));
    for (size_t i = 0; file && i < sizeof groups / sizeof *groups; i++)
        for (size_t k = 0; k < sizeof members / sizeof *members; k++) {
            int64_t shape[CHGI_H5_MAX_RANK], row = 1;
            int rank;
            chgnet_status status = chgi_h5_shape(ctx, file, groups[i], members[k], CHGI_H5_DOUBLE, -1, shape, &rank);
            judge(ctx, status);
            if (status != CHGNET_OK || rank < 1 || shape[0] < 1)
                continue;
            for (int d = 1; d < rank; d++)
                row *= shape[d];
            double *values = chgi_memory_new((size_t)row, sizeof *values);
            if (values)
                judge(ctx,
                      chgi_h5_read_rows(ctx, file, groups[i], members[k], CHGI_H5_DOUBLE, shape[0] - 1, 1, values));
            chgi_memory_free(values);
        }
    chgi_h5_destroy(file);
    chgnet_context_destroy(ctx);
}

/* ---- checkpoints ------------------------------------------------------------------------------ */

/* Entries as they come, in a file whose length and sum are right; a whole file is taken as it is. */
static const char *checkpoint_file(const uint8_t *bytes, size_t length)
{
    static const char magic[8] = "CHGNETCP";
    static const uint64_t order = 0x0102030405060708;
    char sum[CHGI_SHA256_TEXT];
    uint64_t promised = length;
    chgi_sha256 sha;
    if (length >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0)
        return fuzz_file(bytes, length);
    uint8_t *file = chgi_memory_raw(length + 24 + 64);
    if (!file)
        fuzz_broken("no memory");
    memcpy(file, magic, 8);
    memcpy(file + 8, &order, 8);
    memcpy(file + 16, &promised, 8);
    memcpy(file + 24, bytes, length);
    chgi_sha256_start(&sha);
    chgi_sha256_add(&sha, file, length + 24);
    chgi_sha256_finish(&sha, sum);
    memcpy(file + 24 + length, sum, 64);
    const char *name = fuzz_file(file, length + 24 + 64);
    chgi_memory_free(file);
    return name;
}

/* Go on from a state as it stands there, for a few steps. */
static void resume(chgnet_context *ctx, const void *data, size_t count)
{
    springs potential_of = {.ctx = ctx, .stiffness = {1, 2}, .factor = 1, .std = -1};
    chgi_potential potential = springs_potential(&potential_of);
    chgi_structure s;
    chgi_md *md;
    double *block = chgi_memory_new(count, sizeof *block);
    if (!block || chgi_structure_create(ctx, 2, &s) != CHGNET_OK)
        fuzz_broken("no memory");
    memcpy(block, data, count * sizeof *block);
    for (int k = 0; k < 3; k++) {
        s.cell[k][k] = 4;
        s.pbc[k] = true;
        s.positions[3 + k] = 2;
    }
    s.numbers[0] = 12;
    s.numbers[1] = 8;
    for (int ensemble = 0; ensemble < CHGI_MD_ENSEMBLE_COUNT; ensemble++) {
        chgi_md_options options = chgi_md_options_default((chgi_md_ensemble)ensemble);
        if (chgi_md_create(ctx, &potential, &s, &options, &md) != CHGNET_OK)
            fuzz_broken("a run can be made");
        chgnet_status status = chgi_md_restore(md, block, count);
        for (int step = 0; status == CHGNET_OK && step < 3; step++)
            status = chgi_md_step(md, 0);
        if (status != CHGNET_ENUMERIC)
            judge(ctx, status);
        chgi_md_destroy(md);
    }
    chgi_structure_destroy(&s);
    chgi_memory_free(block);
}

void fuzz_checkpoint(const uint8_t *bytes, size_t length)
{
    chgnet_context *ctx = fuzz_context();
    chgi_restart c = {0};
    const void *data;
    const char *text;
    size_t count;
    int64_t number;
    double sums[4];
    chgnet_status status = chgi_restart_read(ctx, checkpoint_file(bytes, length), "md", &c);
    judge(ctx, status);
    if (status == CHGNET_OK) {
        judge(ctx, chgi_restart_get_text(ctx, &c, "version", &text));
        judge(ctx, chgi_restart_get_int(ctx, &c, "frames", &number));
        judge(ctx, chgi_restart_get_doubles(ctx, &c, "sums", 4, sums));
        status = chgi_restart_find_doubles(ctx, &c, "state", &count, &data);
        judge(ctx, status);
        if (status == CHGNET_OK)
            resume(ctx, data, count);
    }
    chgi_restart_destroy(&c);
    chgnet_context_destroy(ctx);
}
