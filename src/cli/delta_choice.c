/* The choices of a fit that the options of `chgnet delta fit` make.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/delta_fit.h"
#include "crystal/lines.h"

static chgnet_status usage(chgnet_context *ctx, const char *option, chgnet_status status)
{
    if (status != CHGNET_EINPUT)
        return status;
    return chgi_context_fail(ctx, CHGNET_EUSAGE, "delta fit: %s: %.800s; chgnet-delta(1) tells the form", option,
                             chgnet_context_error(ctx));
}

/* One line of a file of offsets: an element and eV. */
static chgnet_status take_offset(const chgi_lines *lines, chgi_span line, double *offsets)
{
    chgi_span symbol, value, rest = line;
    double energy = 0;
    if (!chgi_span_field(&rest, &symbol) || symbol.text[0] == '#')
        return CHGNET_OK;
    int z = chgi_element_number(symbol.text, symbol.length);
    if (z == 0)
        return chgi_lines_fail(lines, lines->line, "'%.*s' is not an element; give lines such as \"Cu -3.7\"",
                               CHGI_SPAN(symbol));
    if (!chgi_span_field(&rest, &value) || !chgi_text_to_double(value.text, value.length, &energy) ||
        !isfinite(energy) || chgi_span_count_fields(rest) > 0)
        return chgi_lines_fail(lines, lines->line, "an element and one energy in eV are needed, such as \"Cu -3.7\"");
    offsets[z] = energy;
    return CHGNET_OK;
}

static chgnet_status read_offsets(chgnet_context *ctx, const char *path, double *offsets)
{
    chgi_lines lines = {.ctx = ctx, .path = path};
    chgnet_status status = CHGNET_OK;
    char *data;
    CHGI_TRY(chgi_file_read(ctx, path, &data, &lines.length));
    lines.text = data;
    for (chgi_span line; status == CHGNET_OK && chgi_lines_next(&lines, &line);)
        status = take_offset(&lines, line, offsets);
    chgi_memory_free(data);
    return status;
}

chgnet_status chgi_cli_fit_choice(chgnet_context *ctx, const chgi_cli_fit *o, double *offsets,
                                  chgi_delta_choice *choice)
{
    chgi_delta_choice c = chgi_delta_choice_default();
    if (o->aggregation >= 0)
        c.aggregation = (chgi_aggregation)o->aggregation;
    if (o->layer >= 0)
        c.layer = (chgi_embedding_layer)o->layer;
    if (o->kernel)
        CHGI_TRY(usage(ctx, "--kernel", chgi_covariance_parse(ctx, o->kernel, &c.covariance)));
    if (o->noise_energy)
        CHGI_TRY(usage(ctx, "--noise-energy", chgi_parameter_parse(ctx, o->noise_energy, &c.noise_energy)));
    if (o->noise_force)
        CHGI_TRY(usage(ctx, "--noise-force", chgi_parameter_parse(ctx, o->noise_force, &c.noise_force)));
    if (o->has_mix)
        c.mix = o->mix;
    if (o->has_inducing)
        c.n_inducing = o->n_inducing;
    if (o->selection >= 0)
        c.inducing = (chgi_inducing)o->selection;
    if (o->n_start > 0)
        c.n_start = o->n_start;
    c.species_sum = o->species_sum;
    c.mean = o->mean;
    c.optimize = !o->no_optimize;
    c.seed = o->seed;
    memset(offsets, 0, (CHGI_MAX_ELEMENT + 1) * sizeof *offsets);
    if (o->offsets) {
        if (strcmp(o->offsets, "none") != 0)
            CHGI_TRY(read_offsets(ctx, o->offsets, offsets));
        c.offsets = offsets;
    }
    *choice = c;
    return CHGNET_OK;
}
