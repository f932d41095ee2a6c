/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/output.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "crystal/writer.h"

struct chgi_output {
    chgi_format format;
    const char *path; /* NULL: standard output */
    int64_t n_frame;
    chgi_h5 *h5;
    chgi_text text;   /* what is not yet written */
    chgi_text single; /* a table of one row is shown in another form, so the first row waits here for a second */
    bool colour;
};

/* ---- formats ---------------------------------------------------------------------------------- */

/* The format of a path's suffix; CHGI_FORMAT_TABLE when it has none that is known. */
static chgi_format format_of(const char *path)
{
    static const struct {
        const char *suffix;
        chgi_format format;
    } known[] = {{".h5", CHGI_FORMAT_H5},     {".extxyz", CHGI_FORMAT_EXTXYZ}, {".xyz", CHGI_FORMAT_EXTXYZ},
                 {".json", CHGI_FORMAT_JSON}, {".cif", CHGI_FORMAT_CIF},       {".vasp", CHGI_FORMAT_VASP}};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *suffix = strrchr(name, '.');
    for (size_t i = 0; suffix && i < sizeof known / sizeof *known; i++)
        if (strcasecmp(suffix, known[i].suffix) == 0)
            return known[i].format;
    return CHGI_FORMAT_TABLE;
}

chgnet_status chgi_output_format(chgnet_context *ctx, const char *path, chgi_format *format)
{
    *format = format_of(path);
    if (*format == CHGI_FORMAT_VASP || *format == CHGI_FORMAT_CIF)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "%s: a file of this kind cannot hold results; end its name in "
                                 ".h5, .extxyz, .xyz or .json",
                                 path);
    if (*format == CHGI_FORMAT_TABLE)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "%s: no format has this suffix; end the name in .h5, .extxyz, .xyz or "
                                 ".json",
                                 path);
    return CHGNET_OK;
}

chgnet_status chgi_output_structure_format(chgnet_context *ctx, const char *path, chgi_format *format)
{
    *format = format_of(path);
    if (*format != CHGI_FORMAT_TABLE)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EUSAGE,
                             "%s: no format has this suffix; end the name in .extxyz, .xyz, .h5, .json, .cif or .vasp",
                             path);
}

chgnet_status chgi_output_create(chgnet_context *ctx, chgi_format format, const char *path, chgi_output **output)
{
    *output = NULL;
    if (path)
        CHGI_TRY(chgi_file_check_writable(ctx, path));
    chgi_output *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    made->format = format;
    made->path = path;
    made->colour = !path && chgi_cli_has_colour(stdout);
    chgnet_status status = format == CHGI_FORMAT_H5 ? chgi_h5_create(ctx, &made->h5) : CHGNET_OK;
    if (status != CHGNET_OK)
        chgi_output_destroy(made);
    else
        *output = made;
    return status;
}

bool chgi_output_on_terminal(const chgi_output *output)
{
    return !output->path && isatty(STDOUT_FILENO);
}

/* ---- frames ----------------------------------------------------------------------------------- */

static chgnet_status write_out(chgnet_context *ctx, chgi_output *output)
{
    if (output->text.failed)
        return chgi_context_nomem(ctx, output->text.length, 2);
    if (output->text.length > 0)
        fwrite(output->text.data, 1, output->text.length, stdout);
    chgi_text_clear(&output->text);
    return chgi_cli_flush(ctx);
}

static chgnet_status add_to_table(chgnet_context *ctx, chgi_output *output, const chgi_result *result)
{
    if (output->n_frame == 0) {
        chgi_table_print_single(&output->single, result, output->colour);
        chgi_table_print_header(&output->text, result->provenance, output->colour);
        chgi_table_print_row(&output->text, result);
        return CHGNET_OK;
    }
    chgi_table_print_row(&output->text, result);
    return write_out(ctx, output);
}

static chgnet_status add(chgnet_context *ctx, chgi_output *output, const chgi_result *result)
{
    switch (output->format) {
    case CHGI_FORMAT_H5:
        return chgi_results_h5_add(ctx, output->h5, result, output->n_frame == 0);
    case CHGI_FORMAT_EXTXYZ:
        return chgi_results_extxyz_print(ctx, &output->text, result);
    case CHGI_FORMAT_CIF:
        return chgi_cif_write(ctx, &output->text, &result->structure);
    case CHGI_FORMAT_VASP:
        return chgi_poscar_write(ctx, &output->text, &result->structure);
    case CHGI_FORMAT_JSON:
        CHGI_TRY(chgi_json_print(ctx, &output->text, result));
        return output->path ? CHGNET_OK : write_out(ctx, output);
    default:
        return add_to_table(ctx, output, result);
    }
}

chgnet_status chgi_output_add(chgnet_context *ctx, chgi_output *output, const chgi_result *result)
{
    CHGI_TRY(add(ctx, output, result));
    output->n_frame++;
    return CHGNET_OK;
}

static chgnet_status finish_h5(chgnet_context *ctx, chgi_output *output)
{
    char *data;
    size_t length;
    CHGI_TRY(chgi_h5_finish(ctx, output->h5, &data, &length));
    chgnet_status status = chgi_file_write(ctx, output->path, data, length);
    chgi_memory_free(data);
    return status;
}

static chgnet_status finish_table(chgnet_context *ctx, chgi_output *output)
{
    if (output->n_frame == 1) {
        chgi_text row = output->text;
        output->text = output->single;
        output->single = row;
    }
    return write_out(ctx, output);
}

chgnet_status chgi_output_finish(chgnet_context *ctx, chgi_output *output)
{
    if (output->n_frame == 0)
        return CHGNET_OK;
    if (output->format == CHGI_FORMAT_H5)
        return finish_h5(ctx, output);
    if (output->format == CHGI_FORMAT_TABLE)
        return finish_table(ctx, output);
    if (output->path)
        return chgi_file_write(ctx, output->path, output->text.data, output->text.length);
    return CHGNET_OK;
}

void chgi_output_destroy(chgi_output *output)
{
    if (!output)
        return;
    chgi_h5_destroy(output->h5);
    chgi_text_destroy(&output->text);
    chgi_text_destroy(&output->single);
    chgi_memory_free(output);
}
