#include "task/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const double LAYER_GAP = 0.5; /* A */
enum { MOST_NODES = 1000, MOST_DEPTH = 100 };

typedef enum kind { ALL, INDEX, LAYER, ELEMENT, COORDINATE, NOT, AND, OR } kind;

typedef struct node {
    kind kind;
    int first, second; /* operands; of a list: its first item and the number of items */
    char axis;         /* x y z a b c */
    bool below, equal; /* < or <=, > or >= */
    double value;
} node;

typedef struct range {
    int64_t from, to; /* or an atomic number */
} range;

struct chgi_selection {
    node *nodes;
    int n_node, root;
    range *ranges;
    int n_range;
    size_t node_capacity, range_capacity;
    bool along[3];
};

/* ---- reading ----------------------------------------------------------------------------------- */

typedef struct parser {
    chgnet_context *ctx;
    const char *text, *at;
    int depth;
    chgi_selection *s;
} parser;

static void skip_blanks(parser *p)
{
    p->at += strspn(p->at, " \t");
}

static size_t word_length(const parser *p)
{
    return strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static size_t number_length(const parser *p)
{
    return strspn(p->at, "0123456789.+-eE");
}

static chgnet_status fail(parser *p, const char *wanted)
{
    skip_blanks(p);
    size_t length = word_length(p) ? word_length(p) : number_length(p) ? number_length(p) : 1;
    int column = (int)(p->at - p->text) + 1;
    if (!*p->at)
        return chgi_context_fail(p->ctx, CHGNET_EUSAGE, "'%s' ends at column %d; %s must follow", p->text, column,
                                 wanted);
    return chgi_context_fail(p->ctx, CHGNET_EUSAGE, "'%s', column %d: '%.*s' is not understood; give %s", p->text,
                             column, (int)length, p->at, wanted);
}

/* Take a word or a sign if it is next. */
static bool take(parser *p, const char *name)
{
    skip_blanks(p);
    size_t length = strlen(name);
    bool is_word = word_length(p) > 0;
    if (is_word ? word_length(p) != length || strncmp(p->at, name, length) != 0 : strncmp(p->at, name, length) != 0)
        return false;
    p->at += length;
    return true;
}

static chgnet_status add_node(parser *p, node made, int *index)
{
    chgi_selection *s = p->s;
    if (s->n_node == MOST_NODES)
        return chgi_context_fail(p->ctx, CHGNET_EUSAGE, "a selection of more than %d parts; give a shorter one",
                                 MOST_NODES);
    CHGI_TRY(chgi_memory_grow(p->ctx, &s->nodes, &s->node_capacity, (size_t)s->n_node + 1, sizeof *s->nodes));
    s->nodes[s->n_node] = made;
    *index = s->n_node++;
    return CHGNET_OK;
}

static chgnet_status add_range(parser *p, range made)
{
    chgi_selection *s = p->s;
    CHGI_TRY(chgi_memory_grow(p->ctx, &s->ranges, &s->range_capacity, (size_t)s->n_range + 1, sizeof *s->ranges));
    s->ranges[s->n_range++] = made;
    return CHGNET_OK;
}

static chgnet_status take_count(parser *p, int64_t *count)
{
    skip_blanks(p);
    size_t digits = strspn(p->at, "0123456789");
    if (!chgi_text_to_int(p->at, digits, count) || *count < 1)
        return fail(p, "a number from 1");
    p->at += digits;
    return CHGNET_OK;
}

static chgnet_status take_range(parser *p)
{
    range r;
    const char *start;
    skip_blanks(p);
    start = p->at;
    CHGI_TRY(take_count(p, &r.from));
    r.to = r.from;
    if (take(p, "-"))
        CHGI_TRY(take_count(p, &r.to));
    if (r.to < r.from) {
        p->at = start;
        return fail(p, "a range that goes upwards, such as 1-10");
    }
    return add_range(p, r);
}

static chgnet_status take_symbol(parser *p)
{
    skip_blanks(p);
    size_t length = word_length(p);
    int z = length > 0 ? chgi_element_number(p->at, length) : 0;
    if (z == 0)
        return fail(p, "the symbol of an element");
    p->at += length;
    return add_range(p, (range){z, z});
}

static chgnet_status take_list(parser *p, kind what, int *index)
{
    node made = {.kind = what, .first = p->s->n_range};
    do
        CHGI_TRY(what == ELEMENT ? take_symbol(p) : take_range(p));
    while (take(p, ","));
    made.second = p->s->n_range - made.first;
    return add_node(p, made, index);
}

static chgnet_status take_comparison(parser *p, char axis, int *index)
{
    node made = {.kind = COORDINATE, .axis = axis};
    if (take(p, "<"))
        made.below = true;
    else if (!take(p, ">"))
        return fail(p, "<, <=, > or >=");
    if (*p->at == '=') {
        made.equal = true;
        p->at++;
    }
    skip_blanks(p);
    size_t length = number_length(p);
    if (!chgi_text_to_double(p->at, length, &made.value) || !isfinite(made.value))
        return fail(p, "a number");
    p->at += length;
    return add_node(p, made, index);
}

static chgnet_status take_test(parser *p, int *index)
{
    static const char *const axes[] = {"x", "y", "z", "a", "b", "c"};
    if (take(p, "all"))
        return add_node(p, (node){.kind = ALL}, index);
    if (take(p, "index"))
        return take_list(p, INDEX, index);
    if (take(p, "layer"))
        return take_list(p, LAYER, index);
    if (take(p, "element"))
        return take_list(p, ELEMENT, index);
    if (take(p, "height"))
        return take_comparison(p, 'z', index);
    for (size_t k = 0; k < sizeof axes / sizeof *axes; k++)
        if (take(p, axes[k]))
            return take_comparison(p, *axes[k], index);
    return fail(p, "index, element, layer, height, x, y, z (A), a, b, c (fractions), all, not or (");
}

static chgnet_status take_choice(parser *p, int *index);

static chgnet_status take_single(parser *p, int *index)
{
    node made = {.kind = NOT};
    if (++p->depth > MOST_DEPTH)
        return chgi_context_fail(p->ctx, CHGNET_EUSAGE, "a selection nested more than %d deep; give a simpler one",
                                 MOST_DEPTH);
    if (take(p, "not") || take(p, "!")) {
        CHGI_TRY(take_single(p, &made.first));
        CHGI_TRY(add_node(p, made, index));
    } else if (take(p, "(")) {
        CHGI_TRY(take_choice(p, index));
        if (!take(p, ")"))
            return fail(p, "and, or, or a closing parenthesis");
    } else
        CHGI_TRY(take_test(p, index));
    p->depth--;
    return CHGNET_OK;
}

static chgnet_status take_both(parser *p, int *index)
{
    CHGI_TRY(take_single(p, index));
    while (take(p, "and") || take(p, "&")) {
        node made = {.kind = AND, .first = *index};
        CHGI_TRY(take_single(p, &made.second));
        CHGI_TRY(add_node(p, made, index));
    }
    return CHGNET_OK;
}

static chgnet_status take_choice(parser *p, int *index)
{
    CHGI_TRY(take_both(p, index));
    while (take(p, "or") || take(p, "|")) {
        node made = {.kind = OR, .first = *index};
        CHGI_TRY(take_both(p, &made.second));
        CHGI_TRY(add_node(p, made, index));
    }
    return CHGNET_OK;
}

static chgnet_status take_along(parser *p)
{
    bool *along = p->s->along;
    if (!take(p, "along")) {
        along[0] = along[1] = along[2] = true;
        return CHGNET_OK;
    }
    skip_blanks(p);
    if (word_length(p) == 0 || strspn(p->at, "xyz") != word_length(p))
        return fail(p, "letters of xyz");
    for (; *p->at >= 'x' && *p->at <= 'z'; p->at++)
        along[*p->at - 'x'] = true;
    return CHGNET_OK;
}

static chgnet_status parse(parser *p)
{
    CHGI_TRY(take_choice(p, &p->s->root));
    CHGI_TRY(take_along(p));
    skip_blanks(p);
    return *p->at ? fail(p, "and, or, along, or nothing more") : CHGNET_OK;
}

chgnet_status chgi_selection_parse(chgnet_context *ctx, const char *text, chgi_selection **selection)
{
    *selection = NULL;
    chgi_selection *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    parser p = {.ctx = ctx, .text = text, .at = text, .s = made};
    chgnet_status status = parse(&p);
    if (status != CHGNET_OK)
        chgi_selection_destroy(made);
    else
        *selection = made;
    return status;
}

void chgi_selection_destroy(chgi_selection *selection)
{
    if (!selection)
        return;
    chgi_memory_free(selection->nodes);
    chgi_memory_free(selection->ranges);
    chgi_memory_free(selection);
}

void chgi_selection_components(const chgi_selection *selection, bool components[3])
{
    memcpy(components, selection->along, sizeof selection->along);
}

/* ---- choosing ---------------------------------------------------------------------------------- */

typedef struct scenery {
    const chgi_selection *selection;
    const chgi_structure *structure;
    double inverse[3][3];
    int64_t *layers; /* (n_atom) from 1; NULL: nobody asks */
    int64_t n_layer;
} scenery;

static bool uses(const chgi_selection *s, kind what)
{
    for (int k = 0; k < s->n_node; k++)
        if (s->nodes[k].kind == what && (what != COORDINATE || s->nodes[k].axis < 'x'))
            return true;
    return false;
}

static int compare_heights(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static chgnet_status find_layers(chgnet_context *ctx, scenery *scene)
{
    const chgi_structure *s = scene->structure;
    size_t n = (size_t)s->n_atom;
    double *heights = chgi_memory_new(n, sizeof *heights);
    scene->layers = chgi_memory_new(n, sizeof *scene->layers);
    if (!heights || !scene->layers) {
        chgi_memory_free(heights);
        return chgi_context_nomem(ctx, n, 2 * sizeof *heights);
    }
    for (size_t i = 0; i < n; i++)
        heights[i] = s->positions[3 * i + 2];
    qsort(heights, n, sizeof *heights, compare_heights);
    size_t n_start = 0; /* of layers: kept at the front of the array */
    double last = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double height = heights[i];
        if (height - last > LAYER_GAP)
            heights[n_start++] = height;
        last = height;
    }
    scene->n_layer = (int64_t)n_start;
    for (size_t i = 0; i < n; i++)
        for (size_t low = 0, high = n_start; low < high;) { /* layers that begin at or below the atom */
            size_t middle = (low + high) / 2;
            if (heights[middle] <= s->positions[3 * i + 2])
                low = middle + 1;
            else
                high = middle;
            scene->layers[i] = (int64_t)low;
        }
    chgi_memory_free(heights);
    return CHGNET_OK;
}

static bool in_list(const scenery *scene, const node *n, int64_t number)
{
    const range *r = scene->selection->ranges + n->first;
    for (int k = 0; k < n->second; k++)
        if (number >= r[k].from && number <= r[k].to)
            return true;
    return false;
}

static bool compare_coordinate(const scenery *scene, const node *n, int64_t atom)
{
    const double *x = scene->structure->positions + 3 * atom;
    double value;
    if (n->axis >= 'x')
        value = x[n->axis - 'x'];
    else {
        int k = n->axis - 'a';
        value = x[0] * scene->inverse[0][k] + x[1] * scene->inverse[1][k] + x[2] * scene->inverse[2][k];
    }
    if (n->equal && value == n->value)
        return true;
    return n->below ? value < n->value : value > n->value;
}

static bool is_chosen(const scenery *scene, int index, int64_t atom)
{
    const node *n = &scene->selection->nodes[index];
    switch (n->kind) {
    case ALL:
        return true;
    case INDEX:
        return in_list(scene, n, atom + 1);
    case LAYER:
        return in_list(scene, n, scene->layers[atom]);
    case ELEMENT:
        return in_list(scene, n, scene->structure->numbers[atom]);
    case COORDINATE:
        return compare_coordinate(scene, n, atom);
    case NOT:
        return !is_chosen(scene, n->first, atom);
    case AND:
        return is_chosen(scene, n->first, atom) && is_chosen(scene, n->second, atom);
    default:
        return is_chosen(scene, n->first, atom) || is_chosen(scene, n->second, atom);
    }
}

/* Numbers beyond the structure are mistakes, not empty choices. */
static chgnet_status check_lists(chgnet_context *ctx, const scenery *scene)
{
    const chgi_selection *s = scene->selection;
    for (int k = 0; k < s->n_node; k++) {
        const node *n = &s->nodes[k];
        int64_t most = n->kind == INDEX ? scene->structure->n_atom : scene->n_layer;
        for (int m = 0; (n->kind == INDEX || n->kind == LAYER) && m < n->second; m++)
            if (s->ranges[n->first + m].to > most)
                return chgi_context_fail(ctx, CHGNET_EINPUT, "there is no %s %lld to fix; the structure has %lld",
                                         n->kind == INDEX ? "atom" : "layer", (long long)s->ranges[n->first + m].to,
                                         (long long)most);
    }
    return CHGNET_OK;
}

static chgnet_status prepare(chgnet_context *ctx, scenery *scene)
{
    if (uses(scene->selection, LAYER))
        CHGI_TRY(find_layers(ctx, scene));
    if (uses(scene->selection, COORDINATE) && !chgi_structure_invert(scene->structure->cell, scene->inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "fractions a, b, c need a cell with three vectors; choose by x, y, z");
    return check_lists(ctx, scene);
}

chgnet_status chgi_selection_apply(chgnet_context *ctx, const chgi_selection *selection,
                                   const chgi_structure *structure, bool *chosen)
{
    scenery scene = {.selection = selection, .structure = structure};
    chgnet_status status = prepare(ctx, &scene);
    for (int64_t i = 0; status == CHGNET_OK && i < structure->n_atom; i++)
        chosen[i] = is_chosen(&scene, selection->root, i);
    chgi_memory_free(scene.layers);
    return status;
}

/* ---- fixing ------------------------------------------------------------------------------------ */

static chgnet_status fix(chgnet_context *ctx, const chgi_selection *selection, const bool *chosen,
                         chgi_structure *structure)
{
    size_t count = 3 * (size_t)structure->n_atom;
    bool whole = selection->along[0] && selection->along[1] && selection->along[2];
    if (!whole && structure->mask_direct)
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "the structure fixes atoms along cell vectors, so `along` x, y, z cannot be added; fix "
            "whole atoms");
    if (!structure->move_mask) {
        structure->move_mask = chgi_memory_new(count, sizeof *structure->move_mask);
        if (!structure->move_mask)
            return chgi_context_nomem(ctx, count, sizeof *structure->move_mask);
        memset(structure->move_mask, true, count * sizeof *structure->move_mask);
    }
    for (size_t k = 0; k < count; k++)
        if (chosen[k / 3] && selection->along[k % 3])
            structure->move_mask[k] = false;
    return CHGNET_OK;
}

chgnet_status chgi_selection_fix(chgnet_context *ctx, const chgi_selection *selection, chgi_structure *structure)
{
    bool *chosen = chgi_memory_new((size_t)structure->n_atom, sizeof *chosen);
    if (!chosen)
        return chgi_context_nomem(ctx, (size_t)structure->n_atom, sizeof *chosen);
    chgnet_status status = chgi_selection_apply(ctx, selection, structure, chosen);
    if (status == CHGNET_OK)
        status = fix(ctx, selection, chosen, structure);
    chgi_memory_free(chosen);
    return status;
}
