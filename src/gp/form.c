#include "gp/form.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

chgnet_status chgi_form_create(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int n_element,
                               const int32_t *elements, chgi_form *form)
{
    bool by_element =
        choice->aggregation == CHGI_ATOMIC || (choice->aggregation == CHGI_SPECIES && choice->species_sum);
    bool concatenated = choice->aggregation == CHGI_SPECIES && !choice->species_sum;
    chgi_form made = {.aggregation = choice->aggregation,
                      .species_sum = choice->species_sum,
                      .mean_of_atoms = choice->aggregation == CHGI_GLOBAL && choice->mean,
                      .mix = choice->aggregation == CHGI_ATOMIC ? choice->mix : 0,
                      .n_feature = n_feature,
                      .n_element = n_element,
                      .n_group = by_element ? n_element : 1,
                      .width = concatenated ? n_element * n_feature : n_feature};
    size_t size = (size_t)made.n_group * (size_t)made.width;
    made.elements = chgi_memory_new((size_t)n_element, sizeof *made.elements);
    made.mean = chgi_memory_new(size, sizeof *made.mean);
    made.scale = chgi_memory_new(size, sizeof *made.scale);
    if (!made.elements || !made.mean || !made.scale) {
        chgi_form_destroy(&made);
        return chgi_context_nomem(ctx, size, sizeof *made.mean);
    }
    memcpy(made.elements, elements, (size_t)n_element * sizeof *elements);
    for (size_t k = 0; k < size; k++)
        made.scale[k] = 1;
    *form = made;
    return CHGNET_OK;
}

void chgi_form_destroy(chgi_form *form)
{
    chgi_memory_free(form->elements);
    chgi_memory_free(form->mean);
    chgi_memory_free(form->scale);
    *form = (chgi_form){0};
}

/* ---- which atom belongs to which point ----------------------------------------------------------------------------
 */

void chgi_map_take(chgi_arena *arena, int64_t n_atom, chgi_map *map)
{
    size_t n = (size_t)(n_atom > 1 ? n_atom : 1);
    map->n_atom = n_atom;
    map->place = chgi_arena_take(arena, n, sizeof *map->place);
    map->offset = chgi_arena_take(arena, n, sizeof *map->offset);
    map->element = chgi_arena_take(arena, n, sizeof *map->element);
    map->groups = chgi_arena_take(arena, n, sizeof *map->groups);
}

static chgnet_status find_elements(chgnet_context *ctx, const chgi_form *form, const int32_t *numbers, chgi_map *map)
{
    for (int64_t i = 0; i < map->n_atom; i++) {
        int32_t e = 0;
        while (e < form->n_element && form->elements[e] != numbers[i])
            e++;
        if (e == form->n_element)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "atom %lld has atomic number %d, which no label of the delta-model has; "
                                     "add labels with that element",
                                     (long long)i + 1, numbers[i]);
        map->element[i] = e;
    }
    return CHGNET_OK;
}

/* A point per atom, sorted by element; atoms of one element keep their order. */
static void place_atoms(const chgi_form *form, chgi_map *map)
{
    int32_t next = 0;
    for (int32_t e = 0; e < form->n_element; e++)
        for (int64_t i = 0; i < map->n_atom; i++)
            if (map->element[i] == e) {
                map->groups[next] = e;
                map->place[i] = next++;
            }
    map->n_point = next;
}

static void place_elements(const chgi_form *form, chgi_map *map)
{
    int32_t next = 0;
    for (int32_t e = 0; e < form->n_element; e++) {
        bool found = false;
        for (int64_t i = 0; i < map->n_atom; i++)
            if (map->element[i] == e) {
                map->place[i] = next;
                found = true;
            }
        if (found)
            map->groups[next++] = e;
    }
    map->n_point = next;
}

chgnet_status chgi_form_map(chgnet_context *ctx, const chgi_form *form, int64_t n_atom, const int32_t *numbers,
                            chgi_map *map)
{
    map->n_atom = n_atom;
    CHGI_TRY(find_elements(ctx, form, numbers, map));
    memset(map->offset, 0, (size_t)n_atom * sizeof *map->offset);
    memset(map->place, 0, (size_t)n_atom * sizeof *map->place);
    map->share = form->mean_of_atoms ? 1 / (double)n_atom : 1;
    if (form->aggregation == CHGI_ATOMIC)
        place_atoms(form, map);
    else if (form->aggregation == CHGI_SPECIES && form->species_sum)
        place_elements(form, map);
    else {
        map->n_point = 1;
        map->groups[0] = 0;
        for (int64_t i = 0; form->aggregation == CHGI_SPECIES && i < n_atom; i++)
            map->offset[i] = map->element[i] * form->n_feature;
    }
    return CHGNET_OK;
}

/* ---- values and derivatives -------------------------------------------------------------------------------------- */

void chgi_form_sum(const chgi_form *form, const chgi_map *map, const double *fea, double *points)
{
    memset(points, 0, (size_t)map->n_point * (size_t)form->width * sizeof *points);
    for (int64_t i = 0; i < map->n_atom; i++) {
        double *to = points + (int64_t)map->place[i] * form->width + map->offset[i];
        for (int k = 0; k < form->n_feature; k++)
            to[k] += map->share * fea[i * form->n_feature + k];
    }
}

void chgi_form_standardise(const chgi_form *form, int64_t n_point, const int32_t *groups, double *points)
{
    for (int64_t p = 0; p < n_point; p++) {
        const double *mean = form->mean + (int64_t)groups[p] * form->width;
        const double *scale = form->scale + (int64_t)groups[p] * form->width;
        for (int k = 0; k < form->width; k++)
            points[p * form->width + k] = (points[p * form->width + k] - mean[k]) / scale[k];
    }
}

void chgi_form_jacobian(const chgi_form *form, const chgi_map *map, int64_t n_row, const double *jacobian, double *out)
{
    memset(out, 0, (size_t)(map->n_point * n_row * form->width) * sizeof *out);
    for (int64_t m = 0; m < n_row; m++)
        for (int64_t i = 0; i < map->n_atom; i++) {
            const double *from = jacobian + (m * map->n_atom + i) * form->n_feature;
            double *to = out + (map->place[i] * n_row + m) * form->width + map->offset[i];
            const double *scale = form->scale + (int64_t)map->groups[map->place[i]] * form->width + map->offset[i];
            for (int k = 0; k < form->n_feature; k++)
                to[k] -= map->share * from[k] / scale[k];
        }
}

void chgi_form_back(const chgi_form *form, const chgi_map *map, double factor, const double *by_point, double *gradient)
{
    for (int64_t i = 0; i < map->n_atom; i++) {
        int64_t at = (int64_t)map->place[i] * form->width + map->offset[i];
        const double *scale = form->scale + (int64_t)map->groups[map->place[i]] * form->width + map->offset[i];
        for (int k = 0; k < form->n_feature; k++)
            gradient[i * form->n_feature + k] = factor * map->share * by_point[at + k] / scale[k];
    }
}

/* ---- standardisation --------------------------------------------------------------------------------------------- */

/* Mean and standard deviation of the points of one group; group -1: of all.  A feature that does not vary beyond
 * rounding keeps its unit. */
static void learn_group(chgi_form *form, int32_t group, int64_t n_point, const int32_t *groups, const double *points,
                        double *mean, double *scale)
{
    int64_t count = 0;
    for (int64_t p = 0; p < n_point; p++)
        count += group < 0 || groups[p] == group;
    for (int k = 0; k < form->width; k++) {
        double sum = 0, square = 0;
        for (int64_t p = 0; p < n_point; p++)
            sum += group < 0 || groups[p] == group ? points[p * form->width + k] : 0;
        mean[k] = count ? sum / (double)count : 0;
        for (int64_t p = 0; p < n_point; p++) {
            double d = points[p * form->width + k] - mean[k];
            square += group < 0 || groups[p] == group ? d * d : 0;
        }
        double deviation = count ? sqrt(square / (double)count) : 0;
        scale[k] = deviation > 1e-9 * fabs(mean[k]) && deviation > 1e-12 ? deviation : 1;
    }
}

void chgi_form_learn(chgi_form *form, bool by_group, int64_t n_point, const int32_t *groups, const double *points)
{
    for (int32_t g = 0; g < form->n_group; g++) {
        double *mean = form->mean + (int64_t)g * form->width, *scale = form->scale + (int64_t)g * form->width;
        if (by_group || !g)
            learn_group(form, by_group ? g : -1, n_point, groups, points, mean, scale);
        else {
            memcpy(mean, form->mean, (size_t)form->width * sizeof *mean);
            memcpy(scale, form->scale, (size_t)form->width * sizeof *scale);
        }
    }
}
