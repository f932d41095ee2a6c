/* Reads any structure file and prints its frames in another format: for tools/check_structures.py, not a test itself.
 *
 *     convert_structure extxyz|poscar|cif FILE
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdio.h>
#include <string.h>

#include "crystal/reader.h"
#include "crystal/writer.h"

static chgnet_status write_as(chgnet_context *ctx, const char *format, chgi_text *text, const chgi_structure *structure)
{
    if (strcmp(format, "poscar") == 0)
        return chgi_poscar_write(ctx, text, structure);
    if (strcmp(format, "cif") == 0)
        return chgi_cif_write(ctx, text, structure);
    return chgi_extxyz_write(ctx, text, structure);
}

static chgnet_status convert(chgnet_context *ctx, const char *format, const char *path, chgi_text *text)
{
    chgi_reader *reader;
    chgnet_status first = chgi_reader_open(ctx, path, &reader);
    if (first != CHGNET_OK) {
        fprintf(stderr, "%s\n", chgnet_context_error(ctx));
        return first;
    }
    while (!chgi_reader_at_end(reader)) {
        chgi_structure structure;
        bool got;
        chgnet_status status = chgi_reader_next(reader, &structure, &got);
        if (status == CHGNET_OK && got)
            status = chgi_structure_check(ctx, &structure, CHGI_MAX_ELEMENT);
        if (status == CHGNET_OK && got)
            status = write_as(ctx, format, text, &structure);
        if (status != CHGNET_OK)
            fprintf(stderr, "%s\n", chgnet_context_error(ctx));
        if (first == CHGNET_OK)
            first = status;
        chgi_structure_destroy(&structure);
    }
    chgi_reader_destroy(reader);
    return first;
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    chgi_text text = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: convert_structure extxyz|poscar|cif FILE\n");
        return CHGNET_EUSAGE;
    }
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return CHGNET_ENOMEM;
    chgnet_status status = convert(ctx, argv[1], argv[2], &text);
    if (text.length > 0)
        fwrite(text.data, 1, text.length, stdout);
    chgi_text_destroy(&text);
    chgnet_context_destroy(ctx);
    return (int)status;
}
