/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/config.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "crystal/build.h"
#include "crystal/reader.h"

/* Keys that become the space; the rest lies in chgi_search_config as it is. */
typedef struct raw {
    chgi_search_config config;
    const char *file, *element, *matrix, *box, *repeat, *atoms, *potentials, *zeros, *periodic;
    int surface, bulk;
    double a, c, vacuum;
    int64_t layers, fixed_layers;
    double below, above, bottom, top, radius;
} raw;

/* clang-format off */
#define C(section, key, type, member, least, most, words) {section, key, type, offsetof(raw, config.member), least, most, words}
#define R(section, key, type, member, least, most, words) {section, key, type, offsetof(raw, member), least, most, words}
static const chgi_ini_key known[] = {
    C("search", "sampler", CHGI_INI_CHOICE, sampler, 0, 0, CHGI_SAMPLER_NAMES),
    C("search", "budget", CHGI_INI_COUNT, budget, 1, 1e9, NULL),
    C("search", "walkers", CHGI_INI_COUNT, walkers, 1, 4096, NULL),
    C("search", "seed", CHGI_INI_COUNT, seed, 0, 9e15, NULL),
    C("search", "target", CHGI_INI_REAL, target, -1e9, 1e9, NULL),
    C("search", "same-energy", CHGI_INI_REAL, same_energy, 0, 1e3, NULL),
    C("search", "same-feature", CHGI_INI_REAL, same_feature, 0, 1e3, NULL),
    C("search", "folder", CHGI_INI_TEXT, folder, 0, 0, NULL),
    C("sampler", "temperature", CHGI_INI_REAL, temperature, 0, 1e3, NULL),
    C("sampler", "temperature-top", CHGI_INI_REAL, temperature_top, 0, 1e3, NULL),
    C("sampler", "swap-every", CHGI_INI_COUNT, swap_every, 1, 1e6, NULL),
    C("sampler", "rattle", CHGI_INI_REAL, rattle, 1e-3, 100, NULL),
    C("sampler", "acceptance", CHGI_INI_REAL, acceptance, 0.01, 0.99, NULL),
    C("sampler", "kappa", CHGI_INI_REAL, kappa, 0, 100, NULL),
    C("sampler", "candidates", CHGI_INI_COUNT, candidates, 1, 1e5, NULL),
    C("potential", "kind", CHGI_INI_CHOICE, potential, 0, 0, CHGI_SEARCH_POTENTIAL_NAMES),
    C("potential", "model", CHGI_INI_TEXT, model, 0, 0, NULL),
    C("potential", "delta", CHGI_INI_TEXT, delta, 0, 0, NULL),
    C("potential", "double", CHGI_INI_BOOL, is_double, 0, 0, NULL),
    C("relax", "optimizer", CHGI_INI_CHOICE, optimizer, 0, 0, "fire lbfgs bfgs"),
    C("relax", "fmax", CHGI_INI_REAL, fmax, 1e-9, 1e3, NULL),
    C("relax", "steps", CHGI_INI_COUNT, steps, 0, 1e6, NULL),
    C("label", "command", CHGI_INI_TEXT, label, 0, 0, NULL),
    C("label", "time-limit", CHGI_INI_REAL, time_limit, 1e-3, 1e8, NULL),
    C("label", "retries", CHGI_INI_COUNT, retries, 0, 100, NULL),
    C("label", "parallel", CHGI_INI_COUNT, parallel, 1, 1024, NULL),
    C("label", "every", CHGI_INI_COUNT, label_every, 1, 1e6, NULL),
    C("label", "batch", CHGI_INI_COUNT, label_batch, 1, 1e4, NULL),
    C("label", "most", CHGI_INI_COUNT, labels, 0, 1e6, NULL),
    R("template", "file", CHGI_INI_TEXT, file, 0, 0, NULL),
    R("template", "surface", CHGI_INI_CHOICE, surface, 0, 0, CHGI_SURFACE_NAMES),
    R("template", "bulk", CHGI_INI_CHOICE, bulk, 0, 0, CHGI_BULK_NAMES),
    R("template", "box", CHGI_INI_TEXT, box, 0, 0, NULL),
    R("template", "periodic", CHGI_INI_TEXT, periodic, 0, 0, NULL),
    R("template", "element", CHGI_INI_TEXT, element, 0, 0, NULL),
    R("template", "a", CHGI_INI_REAL, a, 0.1, 100, NULL),
    R("template", "c", CHGI_INI_REAL, c, 0.1, 100, NULL),
    R("template", "matrix", CHGI_INI_TEXT, matrix, 0, 0, NULL),
    R("template", "repeat", CHGI_INI_TEXT, repeat, 0, 0, NULL),
    R("template", "layers", CHGI_INI_COUNT, layers, 1, 100, NULL),
    R("template", "fixed-layers", CHGI_INI_COUNT, fixed_layers, 0, 100, NULL),
    R("template", "vacuum", CHGI_INI_REAL, vacuum, 0, 1e3, NULL),
    R("place", "atoms", CHGI_INI_TEXT, atoms, 0, 0, NULL),
    R("place", "chemical-potentials", CHGI_INI_TEXT, potentials, 0, 0, NULL),
    R("place", "zeros", CHGI_INI_TEXT, zeros, 0, 0, NULL),
    R("region", "below", CHGI_INI_REAL, below, -1e3, 1e3, NULL),
    R("region", "above", CHGI_INI_REAL, above, -1e3, 1e3, NULL),
    R("region", "bottom", CHGI_INI_REAL, bottom, -1e6, 1e6, NULL),
    R("region", "top", CHGI_INI_REAL, top, -1e6, 1e6, NULL),
    R("region", "radius", CHGI_INI_REAL, radius, 1e-3, 1e4, NULL),
    C("region", "closeness", CHGI_INI_REAL, space.closeness, 0, 2, NULL),
    C("region", "least-distance", CHGI_INI_REAL, space.least_distance, 0, 100, NULL),
    C("region", "isolation", CHGI_INI_REAL, space.isolation, 0, 100, NULL),
    C("region", "farthest", CHGI_INI_REAL, space.farthest, 0, 1e4, NULL),
    {0},
};
/* clang-format on */

static raw defaults(void)
{
    return (raw){.config = {.sampler = CHGI_BASIN,
                            .budget = 100,
                            .walkers = 4,
                            .target = -INFINITY,
                            .same_energy = 0.01,
                            .same_feature = 0.02,
                            .folder = "search",
                            .temperature = 0.1,
                            .temperature_top = 1,
                            .swap_every = 1,
                            .rattle = 1.5,
                            .acceptance = 0.3,
                            .kappa = 2,
                            .candidates = 16,
                            .optimizer = 1,
                            .fmax = 0.05,
                            .steps = 500,
                            .time_limit = 86400,
                            .retries = 1,
                            .parallel = 1,
                            .label_every = 1,
                            .label_batch = 1,
                            .labels = 1000,
                            .space = {.closeness = 0.7, .isolation = 1.6}},
                 .surface = -1,
                 .bulk = -1,
                 .layers = 3,
                 .vacuum = 6.5,
                 .below = 0,
                 .above = 3,
                 .bottom = NAN,
                 .top = NAN};
}

/* ---- lists of numbers and of elements ---------------------------------------------------------- */

/* The next word of a text that blanks separate; false at its end. */
static bool next_word(const char **text, const char **word, size_t *length)
{
    *text += strspn(*text, " \t,");
    *word = *text;
    *length = strcspn(*text, " \t,");
    *text += *length;
    return *length > 0;
}

static chgnet_status take_numbers(chgnet_context *ctx, const raw *r, const char *section, const char *key,
                                  const char *text, int n, double *numbers)
{
    const char *word, *rest = text;
    size_t length;
    int found = 0;
    while (next_word(&rest, &word, &length)) {
        double value;
        if (found == n || !chgi_text_to_double(word, length, &value) || !isfinite(value))
            break;
        numbers[found++] = value;
    }
    if (found < n || length > 0)
        return chgi_ini_fail(ctx, r->config.ini, section, key, "%s = %.60s is wrong; give %d numbers", key, text, n);
    return CHGNET_OK;
}

static chgnet_status take_whole_numbers(chgnet_context *ctx, const raw *r, const char *section, const char *key,
                                        const char *text, int n, int *numbers)
{
    double values[4];
    CHGI_TRY(take_numbers(ctx, r, section, key, text, n, values));
    for (int k = 0; k < n; k++) {
        if (values[k] != floor(values[k]) || fabs(values[k]) > 1000)
            return chgi_ini_fail(ctx, r->config.ini, section, key, "%s = %.60s is wrong; give %d whole numbers", key,
                                 text, n);
        numbers[k] = (int)values[k];
    }
    return CHGNET_OK;
}

/* "Cu2", "Cu0-2" or "Cu". */
static bool read_place(const char *word, size_t length, chgi_place *place)
{
    size_t letters = length > 1 && word[1] >= 'a' && word[1] <= 'z' ? 2 : 1;
    const char *counts = word + letters;
    size_t rest = length - letters;
    const char *dash = memchr(counts, '-', rest);
    place->element = chgi_element_number(word, letters);
    place->least = place->most = 1;
    if (rest == 0)
        return place->element > 0;
    size_t first = dash ? (size_t)(dash - counts) : rest;
    if (!chgi_text_to_int(counts, first, &place->least))
        return false;
    place->most = place->least;
    if (dash && !chgi_text_to_int(dash + 1, rest - first - 1, &place->most))
        return false;
    return place->element > 0 && place->least >= 0 && place->most >= place->least && place->most > 0 &&
           place->most <= 10000;
}

static chgnet_status take_atoms(chgnet_context *ctx, raw *r)
{
    chgi_space *space = &r->config.space;
    const char *word, *rest = r->atoms;
    size_t length;
    if (!rest)
        return chgi_ini_fail(ctx, r->config.ini, "place", "atoms",
                             "[place] atoms is missing; say what to place, such as atoms = S2 Cu0-1");
    while (next_word(&rest, &word, &length)) {
        if (space->n_place == CHGI_MAX_PLACE || !read_place(word, length, &space->places[space->n_place]))
            return chgi_ini_fail(ctx, r->config.ini, "place", "atoms",
                                 "'%.*s' is wrong; give an element and how many, such as S2 or Cu0-2, for at most %d "
                                 "elements",
                                 (int)(length > 60 ? 60 : length), word, CHGI_MAX_PLACE);
        for (int p = 0; p < space->n_place; p++)
            if (space->places[p].element == space->places[space->n_place].element)
                return chgi_ini_fail(ctx, r->config.ini, "place", "atoms", "%s stands twice; give one number or range",
                                     chgi_element_symbol(space->places[p].element));
        space->n_place++;
    }
    return CHGNET_OK;
}

/* The place of an element; -1: it is not placed. */
static int find_place(const chgi_space *space, int element)
{
    for (int p = 0; p < space->n_place; p++)
        if (space->places[p].element == element)
            return p;
    return -1;
}

/* "S -4.1 Cu -3.7", added to what stands in space->potentials.  \param[in,out] given  places that have a value */
static chgnet_status take_potentials(chgnet_context *ctx, raw *r, const char *key, const char *text,
                                     bool given[CHGI_MAX_PLACE])
{
    const char *word, *rest = text;
    size_t length;
    while (rest && next_word(&rest, &word, &length)) {
        int element = chgi_element_number(word, length), place = find_place(&r->config.space, element);
        double value;
        if (!element || !next_word(&rest, &word, &length) || !chgi_text_to_double(word, length, &value) ||
            !isfinite(value))
            return chgi_ini_fail(ctx, r->config.ini, "place", key,
                                 "%s = %.60s is wrong; give pairs such as S -4.1 Cu -3.7 (eV)", key, text);
        if (place < 0)
            return chgi_ini_fail(ctx, r->config.ini, "place", key,
                                 "%s: no %s is placed; leave it out, or give it in atoms", key,
                                 chgi_element_symbol(element));
        r->config.space.potentials[element] += value;
        given[place] = true;
    }
    return CHGNET_OK;
}

/* Compositions can only be compared when every element that varies has its price. */
static chgnet_status take_prices(chgnet_context *ctx, raw *r)
{
    bool given[CHGI_MAX_PLACE] = {false};
    const chgi_space *space = &r->config.space;
    CHGI_TRY(take_potentials(ctx, r, "zeros", r->zeros, given));
    CHGI_TRY(take_potentials(ctx, r, "chemical-potentials", r->potentials, given));
    for (int p = 0; p < space->n_place; p++)
        if (space->places[p].most > space->places[p].least && !given[p])
            return chgi_ini_fail(ctx, r->config.ini, "place", "atoms",
                                 "the number of %s varies, so it needs a chemical potential, such as "
                                 "chemical-potentials = %s -4.1",
                                 chgi_element_symbol(space->places[p].element),
                                 chgi_element_symbol(space->places[p].element));
    return CHGNET_OK;
}

/* ---- template --------------------------------------------------------------------------------- */

static chgnet_status take_element(chgnet_context *ctx, const raw *r, int *element)
{
    *element = r->element ? chgi_element_number(r->element, strlen(r->element)) : 0;
    if (*element && r->a > 0)
        return CHGNET_OK;
    return chgi_ini_fail(ctx, r->config.ini, "template", r->element ? "element" : "surface",
                         "a built-in template needs element (a symbol) and a (A)");
}

static chgnet_status fix_layers(chgnet_context *ctx, const raw *r, chgi_structure *slab)
{
    int64_t fixed = slab->n_atom / r->layers * r->fixed_layers;
    if (r->fixed_layers == 0)
        return CHGNET_OK;
    if (r->fixed_layers > r->layers)
        return chgi_ini_fail(ctx, r->config.ini, "template", "fixed-layers", "more fixed layers than layers");
    CHGI_TRY(chgi_structure_free_all(ctx, slab));
    memset(slab->move_mask, false, 3 * (size_t)fixed * sizeof *slab->move_mask); /* the bottom layers come first */
    return CHGNET_OK;
}

static chgnet_status build_surface(chgnet_context *ctx, raw *r)
{
    chgi_surface s = {.kind = r->surface, .a = r->a, .c = r->c, .layers = (int)r->layers, .vacuum = r->vacuum};
    int matrix[4] = {1, 0, 0, 1};
    CHGI_TRY(take_element(ctx, r, &s.element));
    if (s.kind == CHGI_HCP0001 && s.c == 0)
        return chgi_ini_fail(ctx, r->config.ini, "template", "surface", "hcp0001 needs c (A) too");
    if (r->matrix)
        CHGI_TRY(take_whole_numbers(ctx, r, "template", "matrix", r->matrix, 4, matrix));
    memcpy(s.matrix, matrix, sizeof matrix);
    if (chgi_build_surface(ctx, &s, &r->config.space.scaffold) != CHGNET_OK)
        return chgi_ini_fail(ctx, r->config.ini, "template", "matrix", "%s", chgnet_context_error(ctx));
    return fix_layers(ctx, r, &r->config.space.scaffold);
}

static chgnet_status build_bulk(chgnet_context *ctx, raw *r)
{
    int element, repeat[3] = {1, 1, 1};
    CHGI_TRY(take_element(ctx, r, &element));
    if (r->bulk == CHGI_HCP && r->c == 0)
        return chgi_ini_fail(ctx, r->config.ini, "template", "bulk", "hcp needs c (A) too");
    if (r->repeat)
        CHGI_TRY(take_whole_numbers(ctx, r, "template", "repeat", r->repeat, 3, repeat));
    for (int k = 0; k < 3; k++)
        if (repeat[k] < 1)
            return chgi_ini_fail(ctx, r->config.ini, "template", "repeat", "repeat is at least 1 along each axis");
    return chgi_build_bulk(ctx, r->bulk, element, r->a, r->c, repeat, &r->config.space.scaffold);
}

static chgnet_status build_box(chgnet_context *ctx, raw *r)
{
    double lengths[3];
    chgi_structure *box = &r->config.space.scaffold;
    CHGI_TRY(take_numbers(ctx, r, "template", "box", r->box, 3, lengths));
    for (int k = 0; k < 3; k++) {
        if (lengths[k] < 0.1)
            return chgi_ini_fail(ctx, r->config.ini, "template", "box", "the box's edges must be 0.1 A at least");
        box->cell[k][k] = lengths[k];
        box->pbc[k] = r->periodic && strchr(r->periodic, "xyz"[k]);
    }
    return CHGNET_OK;
}

static chgnet_status read_template(chgnet_context *ctx, raw *r)
{
    chgi_reader *reader;
    bool got = false;
    CHGI_TRY(chgi_reader_open(ctx, r->file, &reader));
    chgnet_status status = chgi_reader_next(reader, &r->config.space.scaffold, &got);
    chgi_reader_destroy(reader);
    if (status == CHGNET_OK && !got)
        return chgi_ini_fail(ctx, r->config.ini, "template", "file", "%s holds no structure", r->file);
    return status;
}

static chgnet_status take_template(chgnet_context *ctx, raw *r)
{
    int given = (r->file != NULL) + (r->surface >= 0) + (r->bulk >= 0) + (r->box != NULL);
    if (given != 1)
        return chgi_ini_fail(ctx, r->config.ini, "template", given ? "file" : "none",
                             "[template] needs exactly one of file, surface, bulk and box; it has %d", given);
    if (r->periodic && (!r->box || r->periodic[strspn(r->periodic, "xyz")]))
        return chgi_ini_fail(ctx, r->config.ini, "template", "periodic",
                             "periodic = %.20s is wrong; with box give some of x, y, z, such as xy", r->periodic);
    if (r->file)
        return read_template(ctx, r);
    if (r->surface >= 0)
        return build_surface(ctx, r);
    return r->bulk >= 0 ? build_bulk(ctx, r) : build_box(ctx, r);
}

/* ---- region ----------------------------------------------------------------------------------- */

static double top_of(const chgi_structure *s)
{
    double top = -INFINITY;
    for (int64_t i = 0; i < s->n_atom; i++)
        top = fmax(top, s->positions[3 * i + 2]);
    return top;
}

static void set_sphere(chgi_space *space, double radius)
{
    space->is_sphere = true;
    space->radius = radius;
    for (int k = 0; k < 3; k++)
        for (int axis = 0; axis < 3; axis++)
            space->center[k] += 0.5 * space->scaffold.cell[axis][k];
}

/* The whole cell, or a part of its height: above the template's top atom, or between two heights. */
static chgnet_status take_region(chgnet_context *ctx, raw *r)
{
    chgi_space *space = &r->config.space;
    const chgi_structure *s = &space->scaffold;
    if (r->radius > 0) {
        set_sphere(space, r->radius);
        return CHGNET_OK;
    }
    memcpy(space->edges, s->cell, sizeof s->cell);
    bool is_slab = s->n_atom > 0 && s->pbc[0] && s->pbc[1] && !s->pbc[2];
    double low = is_slab ? top_of(s) + r->below : r->bottom, high = is_slab ? top_of(s) + r->above : r->top;
    low = isnan(r->bottom) ? low : r->bottom;
    high = isnan(r->top) ? high : r->top;
    if (isnan(low) && isnan(high))
        return CHGNET_OK;
    if (!(high > low))
        return chgi_ini_fail(ctx, r->config.ini, "region",
                             chgi_ini_line(r->config.ini, "region", "top") ? "top" : "above",
                             "the region has no height: it reaches from %g to %g A", low, high);
    double height = space->edges[2][2];
    if (!(fabs(height) > 0))
        return chgi_ini_fail(ctx, r->config.ini, "region", "top", "the template's third cell vector has no height");
    for (int k = 0; k < 3; k++) {
        space->origin[k] = space->edges[2][k] * low / height;
        space->edges[2][k] *= (high - low) / height;
    }
    return CHGNET_OK;
}

/* ---- whole ------------------------------------------------------------------------------------ */

static chgnet_status check_potential(chgnet_context *ctx, const raw *r)
{
    const chgi_search_config *c = &r->config;
    if (c->potential == CHGI_LENNARD_JONES && (c->model || c->delta))
        return chgi_ini_fail(ctx, c->ini, "potential", c->model ? "model" : "delta",
                             "the Lennard-Jones potential takes neither model nor delta");
    if (c->label && (!strstr(c->label, "{in}") || !strstr(c->label, "{out}")))
        return chgi_ini_fail(ctx, c->ini, "label", "command",
                             "the command lacks {in} or {out}, such as: python3 label.py {in} {out}");
    if (c->label && c->potential == CHGI_LENNARD_JONES)
        return chgi_ini_fail(ctx, c->ini, "label", "command", "only CHGNet learns from labels; leave the command out");
    if (c->sampler == CHGI_GOFEE && !c->label)
        return chgi_ini_fail(ctx, c->ini, "search", "sampler", "gofee learns from labels; give [label] command");
    if (c->temperature_top < c->temperature && c->sampler == CHGI_EXCHANGE)
        return chgi_ini_fail(ctx, c->ini, "sampler", "temperature-top", "temperature-top is below temperature");
    return CHGNET_OK;
}

chgnet_status chgi_search_config_read(chgnet_context *ctx, const char *path, chgi_search_config *config)
{
    raw r = defaults();
    chgnet_status status;
    CHGI_TRY(chgi_ini_read(ctx, path, &r.config.ini));
    CHGI_TRY_CLEANUP(chgi_ini_take(ctx, r.config.ini, known, &r));
    CHGI_TRY_CLEANUP(check_potential(ctx, &r));
    CHGI_TRY_CLEANUP(take_atoms(ctx, &r));
    CHGI_TRY_CLEANUP(take_prices(ctx, &r));
    CHGI_TRY_CLEANUP(take_template(ctx, &r));
    CHGI_TRY_CLEANUP(take_region(ctx, &r));
    if (r.config.sampler == CHGI_GOFEE)
        r.config.walkers = r.config.candidates; /* one candidate each, all of the same parents */
    *config = r.config;
    return CHGNET_OK;
cleanup:
    chgi_search_config_destroy(&r.config);
    return status;
}

void chgi_search_config_destroy(chgi_search_config *config)
{
    chgi_space_destroy(&config->space);
    chgi_ini_destroy(config->ini);
    *config = (chgi_search_config){0};
}
