/* Prints what files of results hold, one quantity per line, so that shell tests can compare them; not a test itself.
 *
 *     print_results h5 FILE GROUP        the arrays of a group: NAME NUMBER...
 *     print_results extxyz FILE FRAME    energy, stress and the columns of a frame (0, 1, ...): NAME NUMBER...
 *     print_results structure FILE GROUP the structure of a group as extended XYZ
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "crystal/reader.h"
#include "crystal/writer.h"
#include "store/h5.h"

static chgnet_status print_array(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                 chgi_text *text)
{
    int64_t shape[CHGI_H5_MAX_RANK], count = 1;
    int rank;
    if (chgi_h5_shape(ctx, file, group, name, CHGI_H5_DOUBLE, -1, shape, &rank) != CHGNET_OK)
        return CHGNET_OK; /* numbers, pbc, or a group */
    for (int k = 0; k < rank; k++)
        count *= shape[k];
    double *values = chgi_memory_new((size_t)count, sizeof *values);
    chgnet_status status = chgi_h5_read(ctx, file, group, name, CHGI_H5_DOUBLE, rank, shape, values);
    chgi_text_print(text, "%s", name);
    for (int64_t i = 0; status == CHGNET_OK && i < count; i++) {
        chgi_text_append(text, " ", 1);
        chgi_text_number(text, values[i]);
    }
    chgi_text_append(text, "\n", 1);
    chgi_memory_free(values);
    return status;
}

static chgnet_status print_group(chgnet_context *ctx, chgi_h5 *file, const char *group, chgi_text *text)
{
    char **names;
    int64_t n;
    CHGI_TRY(chgi_h5_list(ctx, file, group, &names, &n));
    chgnet_status status = CHGNET_OK;
    for (int64_t i = 0; i < n && status == CHGNET_OK; i++)
        status = print_array(ctx, file, group, names[i], text);
    chgi_h5_free_names(names, n);
    return status;
}

static chgnet_status read_numbers(chgnet_context *ctx, chgi_h5 *file, const char *group, int64_t n, int32_t *numbers)
{
    int64_t *wide = chgi_memory_new((size_t)n, sizeof *wide);
    chgnet_status status = chgi_h5_read(ctx, file, group, "numbers", CHGI_H5_INT64, 1, &n, wide);
    for (int64_t i = 0; i < n; i++)
        numbers[i] = (int32_t)wide[i];
    chgi_memory_free(wide);
    return status;
}

static chgnet_status print_structure(chgnet_context *ctx, chgi_h5 *file, const char *group, chgi_text *text)
{
    int64_t shape[CHGI_H5_MAX_RANK], pbc[3];
    chgi_structure s;
    CHGI_TRY(chgi_h5_shape(ctx, file, group, "positions", CHGI_H5_DOUBLE, 2, shape, NULL));
    CHGI_TRY(chgi_structure_create(ctx, shape[0], &s));
    chgnet_status status = read_numbers(ctx, file, group, s.n_atom, s.numbers);
    if (status == CHGNET_OK)
        status = chgi_h5_read(ctx, file, group, "positions", CHGI_H5_DOUBLE, 2, shape, s.positions);
    if (status == CHGNET_OK)
        status = chgi_h5_read(ctx, file, group, "cell", CHGI_H5_DOUBLE, 2, (int64_t[]){3, 3}, s.cell);
    if (status == CHGNET_OK)
        status = chgi_h5_read(ctx, file, group, "pbc", CHGI_H5_INT64, 1, (int64_t[]){3}, pbc);
    for (int k = 0; k < 3 && status == CHGNET_OK; k++)
        s.pbc[k] = pbc[k] != 0;
    if (status == CHGNET_OK)
        status = chgi_extxyz_write(ctx, text, &s);
    chgi_structure_destroy(&s);
    return status;
}

static chgnet_status print_h5(chgnet_context *ctx, const char *path, const char *group, bool structure, chgi_text *text)
{
    char *data;
    size_t length;
    chgi_h5 *file;
    CHGI_TRY(chgi_file_read(ctx, path, &data, &length));
    chgnet_status status = chgi_h5_open(ctx, data, length, &file);
    chgi_memory_free(data);
    CHGI_TRY(status);
    status = structure ? print_structure(ctx, file, group, text) : print_group(ctx, file, group, text);
    chgi_h5_destroy(file);
    return status;
}

static void print_frame(const chgi_structure *s, chgi_text *text)
{
    static const char *const keys[] = {"energy", "stress"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (chgi_structure_info(s, keys[i]))
            chgi_text_print(text, "%s %s\n", keys[i], chgi_structure_info(s, keys[i]));
    for (int i = 0; i < s->n_column; i++) {
        chgi_text_print(text, "%s", s->columns[i].name);
        for (int64_t k = 0; k < s->n_atom * s->columns[i].width; k++) {
            chgi_text_append(text, " ", 1);
            chgi_text_number(text, s->columns[i].data[k]);
        }
        chgi_text_append(text, "\n", 1);
    }
}

static chgnet_status print_extxyz(chgnet_context *ctx, const char *path, long wanted, chgi_text *text)
{
    chgi_reader *reader;
    chgnet_status status = chgi_reader_open(ctx, path, &reader);
    for (long frame = 0; status == CHGNET_OK && frame <= wanted; frame++) {
        chgi_structure s;
        bool got;
        status = chgi_reader_next(reader, &s, &got);
        if (status == CHGNET_OK && !got)
            status = chgi_context_fail(ctx, CHGNET_EINPUT, "no such frame");
        if (status == CHGNET_OK && frame == wanted)
            print_frame(&s, text);
        chgi_structure_destroy(&s);
    }
    chgi_reader_destroy(reader);
    return status;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgi_text text = {0};
    if (argc != 4 || chgnet_context_create(&ctx) != CHGNET_OK)
        return CHGNET_EUSAGE;
    chgnet_status status = strcmp(argv[1], "extxyz") == 0
                               ? print_extxyz(ctx, argv[2], strtol(argv[3], NULL, 10), &text)
                               : print_h5(ctx, argv[2], argv[3], strcmp(argv[1], "structure") == 0, &text);
    if (status != CHGNET_OK)
        fprintf(stderr, "print_results: %s\n", chgnet_context_error(ctx));
    if (text.length > 0)
        fwrite(text.data, 1, text.length, stdout);
    chgi_text_destroy(&text);
    chgnet_context_destroy(ctx);
    return (int)status;
}
