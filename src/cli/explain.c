/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/explain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "calc/calculator.h"
#include "cli/cli.h"
#include "cli/plot.h"
#include "crystal/reader.h"
#include "task/embed.h"

enum { MOST_ATOMS = 500 };

/* One atom of a reference structure. */
typedef struct environment {
    int32_t number;
    int64_t frame;
} environment;

struct chgi_explain {
    const chgnet_calculator *calculator; /* of the frame that is explained */
    const chgi_delta *delta; /* NULL: none, or no atomic one: distances are between embeddings as they are */
    chgi_embedding_layer layer;
    int n_feature;
    chgi_label_set set; /* the references, embedded */
    char **names;       /* (n_name) of their frames */
    size_t name_capacity;
    int64_t n_name;
    environment *environments;
    double *points; /* (n_environment,n_feature) */
    int64_t n_environment;
};

/* ---- references ------------------------------------------------------------------------------- */

static chgnet_status find_file(chgnet_context *ctx, const chgnet_model *model, chgi_text *path)
{
    static const char *const places[] = {"/references.extxyz", "/../examples/sulfur/references/references.extxyz"};
    const char *weights = chgnet_model_get_info(model).path, *slash = weights ? strrchr(weights, '/') : NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        chgi_text_clear(path);
        chgi_text_append(path, slash ? weights : ".", slash ? (size_t)(slash - weights) : 1);
        chgi_text_print(path, "%s", places[i]);
        if (path->failed)
            return chgi_context_nomem(ctx, 1, 4096);
        if (access(path->data, F_OK) == 0)
            return CHGNET_OK;
    }
    chgi_text_clear(path);
    return CHGNET_OK;
}

static char *name_of(const chgi_structure *s)
{
    static const char *const keys[] = {"environment", "name", "id", "label"};
    chgi_text text = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (chgi_structure_info(s, keys[i]))
            return chgi_memory_copy_text(chgi_structure_info(s, keys[i]));
    int64_t count[CHGI_MAX_ELEMENT + 1] = {0};
    for (int64_t i = 0; i < s->n_atom; i++)
        count[s->numbers[i]]++;
    for (int z = 1; z <= CHGI_MAX_ELEMENT; z++)
        if (count[z] > 0)
            chgi_text_print(&text, count[z] > 1 ? "%s%lld" : "%s", chgi_element_symbol(z), (long long)count[z]);
    return text.data;
}

static chgnet_status add_reference(chgnet_context *ctx, chgi_explain *e, const chgi_reader *reader,
                                   chgi_structure *structure)
{
    chgi_text place = {0};
    CHGI_TRY(chgi_memory_grow(ctx, &e->names, &e->name_capacity, (size_t)e->n_name + 1, sizeof *e->names));
    e->names[e->n_name] = name_of(structure);
    if (!e->names[e->n_name])
        return chgi_context_nomem(ctx, 1, 64);
    e->n_name++;
    chgi_text_print(&place, "%s:%ld", chgi_reader_path(reader), chgi_reader_line(reader));
    chgi_labelled l = {.structure = *structure, .place = place.data};
    *structure = (chgi_structure){0};
    return chgi_label_set_add(ctx, &e->set, &l);
}

static chgnet_status read_references(chgnet_context *ctx, chgi_explain *e, const char *path)
{
    chgi_reader *reader;
    chgnet_status status = CHGNET_OK;
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    while (status == CHGNET_OK && !chgi_reader_at_end(reader)) {
        chgi_structure structure;
        bool got;
        status = chgi_reader_next(reader, &structure, &got);
        if (status != CHGNET_OK || !got)
            break;
        status = add_reference(ctx, e, reader, &structure);
        chgi_structure_destroy(&structure);
    }
    chgi_reader_destroy(reader);
    return status;
}

static bool knows(const chgi_explain *e, int32_t number)
{
    chgi_delta_summary s = {0};
    if (!e->delta)
        return true;
    s = chgi_delta_describe(e->delta);
    for (int k = 0; k < s.n_element; k++)
        if (s.elements[k] == number)
            return true;
    return false;
}

/* Embeddings as distances are measured between them. */
static chgnet_status scale(chgnet_context *ctx, const chgi_explain *e, int64_t n, const int32_t *numbers,
                           const double *fea, double *points)
{
    if (e->delta)
        return chgi_delta_standardise(ctx, e->delta, n, numbers, fea, points);
    memcpy(points, fea, (size_t)n * (size_t)e->n_feature * sizeof *points);
    return CHGNET_OK;
}

/* Atoms of elements that the delta-model does not know are left out. */
static chgnet_status list_environments(chgnet_context *ctx, chgi_explain *e)
{
    int64_t n = 0, width = e->n_feature;
    for (int64_t f = 0; f < e->set.n_label; f++)
        n += e->set.labels[f].structure.n_atom;
    e->environments = chgi_memory_new((size_t)n, sizeof *e->environments);
    e->points = chgi_memory_new((size_t)n, (size_t)width * sizeof *e->points);
    if (!e->environments || !e->points)
        return chgi_context_nomem(ctx, (size_t)n, (size_t)width * sizeof *e->points);
    for (int64_t f = 0; f < e->set.n_label; f++)
        for (int64_t i = 0; i < e->set.labels[f].structure.n_atom; i++) {
            const chgi_labelled *l = &e->set.labels[f];
            int32_t number = l->structure.numbers[i];
            if (!knows(e, number))
                continue;
            CHGI_TRY(scale(ctx, e, 1, &number, l->fea + i * width, e->points + e->n_environment * width));
            e->environments[e->n_environment++] = (environment){number, f};
        }
    return CHGNET_OK;
}

static chgnet_status prepare(chgnet_context *ctx, const chgnet_model *model, const char *path, chgi_explain *e)
{
    chgi_text found = {0};
    if (!path) {
        CHGI_TRY(find_file(ctx, model, &found));
        path = found.length > 0 ? found.data : NULL;
    }
    chgnet_status status = path ? read_references(ctx, e, path) : CHGNET_OK;
    chgi_text_destroy(&found);
    CHGI_TRY(status);
    if (e->set.n_label == 0)
        return CHGNET_OK;
    chgi_embed_choice choice = {
        .model = model,
        .layer = e->layer,
    };
    CHGI_TRY(chgi_embed_set(ctx, &choice, &e->set));
    return list_environments(ctx, e);
}

chgnet_status chgi_explain_create(chgnet_context *ctx, const chgnet_model *model, const chgi_delta *delta,
                                  const char *path, chgi_explain **explain)
{
    chgi_explain *e = chgi_memory_new(1, sizeof *e);
    if (!e)
        return chgi_context_nomem(ctx, 1, sizeof *e);
    e->n_feature = chgnet_model_get_info(model).n_feature;
    if (delta) {
        const chgi_delta_choice *choice = chgi_delta_describe(delta).choice;
        e->layer = choice->layer;
        e->delta = choice->aggregation == CHGI_ATOMIC ? delta : NULL;
    }
    chgnet_status status = prepare(ctx, model, path, e);
    if (status == CHGNET_OK)
        *explain = e;
    else
        chgi_explain_destroy(e);
    return status;
}

void chgi_explain_destroy(chgi_explain *explain)
{
    if (!explain)
        return;
    for (int64_t i = 0; i < explain->n_name; i++)
        chgi_memory_free(explain->names[i]);
    chgi_memory_free(explain->names);
    chgi_label_set_destroy(&explain->set);
    chgi_memory_free(explain->environments);
    chgi_memory_free(explain->points);
    chgi_memory_free(explain);
}

/* ---- a frame ---------------------------------------------------------------------------------- */

/* The environment of the same element that is nearest; -1: there is none. */
static int64_t nearest(const chgi_explain *e, int32_t number, const double *point, double *distance)
{
    int64_t best = -1;
    for (int64_t k = 0; k < e->n_environment; k++) {
        double sum = 0;
        if (e->environments[k].number != number)
            continue;
        for (int c = 0; c < e->n_feature; c++) {
            double d = point[c] - e->points[k * e->n_feature + c];
            sum += d * d;
        }
        if (best < 0 || sum < *distance) {
            best = k;
            *distance = sum;
        }
    }
    *distance = sqrt(*distance);
    return best;
}

static void print_atom(chgi_text *text, const chgi_explain *e, const chgi_result *result, int64_t i,
                       const double *point)
{
    const chgnet_calculator *c = e->calculator;
    double distance = 0, correction = c->delta ? c->site_corrections[i] : 0;
    int32_t number = result->structure.numbers[i];
    chgi_text_print(text, "%5lld %-2s  %12.5f", (long long)i + 1, chgi_element_symbol(number),
                    result->values[CHGI_SITE_ENERGIES][i] - correction);
    if (c->delta)
        chgi_text_print(text, "  %12.5f  %10.5f", correction, sqrt(fmax(c->novelty[i], 0)));
    int64_t k = nearest(e, number, point, &distance);
    if (k >= 0)
        chgi_text_print(text, "  %9.3f  %s", distance, e->names[e->environments[k].frame]);
    chgi_text_print(text, "\n");
}

static void print_header(chgi_text *text, const chgi_explain *e, const chgi_result *result)
{
    const chgnet_calculator *c = e->calculator;
    const char *source = strcmp(result->source, "-") == 0 ? "standard input" : result->source;
    chgi_text_print(text, "\natoms of %s frame %lld\n", source, (long long)result->source_frame);
    chgi_text_print(text, "    atom   site energy%s%s\n", c->delta ? "    correction     novelty" : "",
                    e->n_environment ? "   distance  nearest reference of this element" : "");
    chgi_text_print(text, "                   eV%s\n", c->delta ? "            eV          eV" : "");
}

static void print_notes(chgi_text *text, const chgi_explain *e)
{
    chgi_text_print(text, "site energy: CHGNet's own%s.",
                    e->calculator->delta
                        ? "; correction: offset and share of the delta-model; novelty: its standard deviation"
                        : "");
    if (e->n_environment)
        chgi_text_print(text, "  Distance: between embeddings%s.",
                        e->delta ? ", in standard deviations of the training set" : "");
    else
        chgi_text_print(text, "  No reference structures: give some by --references.");
    chgi_text_print(text, "\n");
}

/* Bars of corrections with their standard deviation, below each the nearest reference. */
static chgnet_status draw(chgnet_context *ctx, const chgi_explain *e, const chgi_result *result, const double *points)
{
    const chgnet_calculator *c = e->calculator;
    chgi_text script = {0};
    char path[512], suffix[64];
    int64_t n = result->structure.n_atom < MOST_ATOMS ? result->structure.n_atom : MOST_ATOMS;
    chgi_plot_begin(&script, (int)(200 + 28 * n), 520);
    chgi_text_print(&script, "$atoms << END\n");
    for (int64_t i = 0; i < n; i++) {
        double distance = 0;
        int64_t k = nearest(e, result->structure.numbers[i], points + i * e->n_feature, &distance);
        chgi_text_print(&script, "%lld %.6f %.6f %.6f \"%s%lld %.40s\"\n", (long long)i,
                        c->delta ? c->site_corrections[i] : result->values[CHGI_SITE_ENERGIES][i],
                        c->delta ? sqrt(fmax(c->novelty[i], 0)) : 0, distance,
                        chgi_element_symbol(result->structure.numbers[i]), (long long)i + 1,
                        k >= 0 ? e->names[e->environments[k].frame] : "");
    }
    chgi_text_print(&script,
                    "END\nset xtics rotate by -60\nset style fill solid 0.7\nset boxwidth 0.7\nset ylabel '%s'\n"
                    "set y2label 'distance to the nearest reference'\nset y2tics\nset key outside top\n"
                    "plot $atoms using 1:2:xtic(5) with boxes lc rgb '#0060ad' title '%s', "
                    "'' using 1:2:3 with yerrorbars lc rgb '#202020' pt 0 notitle, "
                    "'' using 1:4 axes x1y2 pt 7 ps 0.6 lc rgb '#c03030' title 'distance'\n",
                    c->delta ? "correction and its standard deviation (eV)" : "site energy (eV)",
                    c->delta ? "correction" : "site energy");
    snprintf(suffix, sizeof suffix, result->source_frame ? "-%lld-explain.svg" : "-explain.svg",
             (long long)result->source_frame);
    chgi_plot_name(strcmp(result->source, "-") == 0 ? "stdin" : result->source, suffix, path, sizeof path);
    chgnet_status status = chgi_plot_write(ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}

chgnet_status chgi_explain_frame(chgnet_context *ctx, chgi_explain *e, const chgnet_calculator *c,
                                 const chgi_result *result, bool plot)
{
    e->calculator = c;
    const chgi_structure *s = &result->structure;
    const double *fea = e->layer == CHGI_ATOM_FEA_FINAL ? c->atom_fea_final : c->atom_fea;
    double *points = chgi_memory_new((size_t)s->n_atom, (size_t)e->n_feature * sizeof *points);
    chgi_text text = {0};
    if (!points)
        return chgi_context_nomem(ctx, (size_t)s->n_atom, (size_t)e->n_feature * sizeof *points);
    chgnet_status status = scale(ctx, e, s->n_atom, s->numbers, fea, points);
    if (status == CHGNET_OK) {
        print_header(&text, e, result);
        for (int64_t i = 0; i < s->n_atom && i < MOST_ATOMS; i++)
            print_atom(&text, e, result, i, points + i * e->n_feature);
        print_notes(&text, e);
        if (text.failed)
            status = chgi_context_nomem(ctx, text.length, 2);
        else
            fwrite(text.data, 1, text.length, stdout);
    }
    if (status == CHGNET_OK)
        status = chgi_cli_flush(ctx);
    if (status == CHGNET_OK && plot)
        status = draw(ctx, e, result, points);
    chgi_memory_free(points);
    chgi_text_destroy(&text);
    return status;
}
