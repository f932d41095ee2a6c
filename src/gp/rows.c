#include "gp/rows.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/blas.h"

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bool all_finite(int64_t n, const double *values)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static const char *fault(int n_feature, const chgi_label *label)
{
    if (label->n_atom < 1)
        return "has no atoms";
    if (label->n_force < 0)
        return "has a negative number of force components";
    if (!all_finite(label->n_atom * n_feature, label->fea))
        return "has an embedding that is not finite";
    if (label->has_energy && !isfinite(label->energy))
        return "has an energy that is not finite";
    if (!all_finite(label->n_force, label->forces))
        return "has a force that is not finite";
    if (!all_finite(label->n_force * label->n_atom * n_feature, label->jacobian))
        return "has a derivative of the embedding that is not finite";
    return NULL;
}

chgnet_status chgi_rows_check(chgnet_context *ctx, int n_feature, int64_t n_label, const chgi_label *labels)
{
    int64_t n_row = 0;
    for (int64_t k = 0; k < n_label; k++) {
        const char *what = fault(n_feature, &labels[k]);
        if (what)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "label %lld %s; finite numbers are needed", (long long)k + 1,
                                     what);
        n_row += labels[k].n_force + labels[k].has_energy;
    }
    if (!n_row)
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "there is nothing to learn from; at least one label with an energy or forces is needed");
    return CHGNET_OK;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

chgnet_status chgi_rows_allocate(chgnet_context *ctx, chgi_rows *rows)
{
    size_t label = (size_t)rows->n_label + 1, point = (size_t)rows->n_point;
    rows->point_start = chgi_memory_new(label, sizeof *rows->point_start);
    rows->row_start = chgi_memory_new(label, sizeof *rows->row_start);
    rows->jacobian_start = chgi_memory_new(label, sizeof *rows->jacobian_start);
    rows->has_energy = chgi_memory_new(label, sizeof *rows->has_energy);
    rows->count = chgi_memory_new(label * (size_t)rows->n_element, sizeof *rows->count);
    rows->points = chgi_memory_new(point * (size_t)rows->width, sizeof *rows->points);
    rows->square = chgi_memory_new(point, sizeof *rows->square);
    rows->groups = chgi_memory_new(point, sizeof *rows->groups);
    rows->jacobian = chgi_memory_new((size_t)rows->n_jacobian, sizeof *rows->jacobian);
    rows->targets = chgi_memory_new((size_t)rows->n_row, sizeof *rows->targets);
    if (rows->point_start && rows->row_start && rows->jacobian_start && rows->has_energy && rows->count &&
        rows->points && rows->square && rows->groups && rows->jacobian && rows->targets)
        return CHGNET_OK;
    chgi_rows_destroy(rows);
    return chgi_context_nomem(ctx, point * (size_t)rows->width + (size_t)rows->n_jacobian, sizeof(double));
}

void chgi_rows_destroy(chgi_rows *rows)
{
    chgi_memory_free(rows->point_start);
    chgi_memory_free(rows->row_start);
    chgi_memory_free(rows->jacobian_start);
    chgi_memory_free(rows->has_energy);
    chgi_memory_free(rows->count);
    chgi_memory_free(rows->points);
    chgi_memory_free(rows->square);
    chgi_memory_free(rows->groups);
    chgi_memory_free(rows->jacobian);
    chgi_memory_free(rows->targets);
    *rows = (chgi_rows){0};
}

void chgi_rows_finish(chgi_rows *rows)
{
    rows->n_energy = 0;
    for (int64_t k = 0; k < rows->n_label; k++) {
        int64_t n_point = rows->point_start[k + 1] - rows->point_start[k];
        rows->n_energy += rows->has_energy[k];
        rows->jacobian_start[k + 1] = rows->jacobian_start[k] + n_point * chgi_rows_forces(rows, k) * rows->width;
    }
    for (int64_t p = 0; p < rows->n_point; p++) {
        const double *x = rows->points + p * rows->width;
        rows->square[p] = chgi_vector_dot(rows->width, x, x);
    }
}

void chgi_rows_largest(const chgi_rows *rows, int64_t *n_point, int64_t *n_force)
{
    *n_point = *n_force = 0;
    for (int64_t k = 0; k < rows->n_label; k++) {
        int64_t points = rows->point_start[k + 1] - rows->point_start[k], forces = chgi_rows_forces(rows, k);
        *n_point = points > *n_point ? points : *n_point;
        *n_force = forces > *n_force ? forces : *n_force;
    }
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static void count_elements(const chgi_map *map, double *count)
{
    for (int64_t i = 0; i < map->n_atom; i++)
        count[map->element[i]] += 1;
}

static void fill_targets(const chgi_label *label, double *targets)
{
    if (label->has_energy)
        *targets++ = label->energy;
    if (label->n_force)
        memcpy(targets, label->forces, (size_t)label->n_force * sizeof *targets);
}

/* Points of all labels, raw; sizes of everything. */
static chgnet_status fill_points(chgnet_context *ctx, const chgi_form *form, int64_t n_label, const chgi_label *labels,
                                 chgi_map *map, chgi_rows *rows)
{
    for (int64_t k = 0; k < n_label; k++) {
        int64_t start = rows->point_start[k], row = rows->row_start[k];
        CHGI_TRY(chgi_form_map(ctx, form, labels[k].n_atom, labels[k].numbers, map));
        chgi_form_sum(form, map, labels[k].fea, rows->points + start * form->width);
        memcpy(rows->groups + start, map->groups, (size_t)map->n_point * sizeof *map->groups);
        count_elements(map, rows->count + k * form->n_element);
        fill_targets(&labels[k], rows->targets + row);
        rows->has_energy[k] = labels[k].has_energy;
        rows->point_start[k + 1] = start + map->n_point;
        rows->row_start[k + 1] = row + labels[k].has_energy + labels[k].n_force;
    }
    return CHGNET_OK;
}

static chgnet_status fill_jacobians(chgnet_context *ctx, const chgi_form *form, const chgi_label *labels, chgi_map *map,
                                    chgi_rows *rows)
{
    for (int64_t k = 0; k < rows->n_label; k++)
        if (labels[k].n_force) {
            CHGI_TRY(chgi_form_map(ctx, form, labels[k].n_atom, labels[k].numbers, map));
            chgi_form_jacobian(form, map, labels[k].n_force, labels[k].jacobian,
                               rows->jacobian + rows->jacobian_start[k]);
        }
    return CHGNET_OK;
}

/* Sizes from the labels; a map large enough for each. */
static chgnet_status measure(chgnet_context *ctx, const chgi_form *form, int64_t n_label, const chgi_label *labels,
                             chgi_arena *arena, chgi_map *map, chgi_rows *rows)
{
    int64_t most = 1;
    for (int64_t k = 0; k < n_label; k++)
        most = labels[k].n_atom > most ? labels[k].n_atom : most;
    chgi_map_take(arena, most, map);
    CHGI_TRY(chgi_arena_reserve_zeroed(ctx, arena, arena->used));
    chgi_map_take(arena, most, map);
    for (int64_t k = 0; k < n_label; k++) {
        CHGI_TRY(chgi_form_map(ctx, form, labels[k].n_atom, labels[k].numbers, map));
        rows->n_point += map->n_point;
        rows->n_row += labels[k].n_force + labels[k].has_energy;
        rows->n_jacobian += map->n_point * labels[k].n_force * form->width;
    }
    return CHGNET_OK;
}

chgnet_status chgi_rows_create(chgnet_context *ctx, chgi_form *form, bool learn, bool by_group, int64_t n_label,
                               const chgi_label *labels, chgi_rows *rows)
{
    chgi_rows made = {.width = form->width, .n_element = form->n_element, .n_label = n_label};
    chgi_arena arena = {0};
    chgi_map map;
    chgnet_status status;
    CHGI_TRY_CLEANUP(measure(ctx, form, n_label, labels, &arena, &map, &made));
    CHGI_TRY_CLEANUP(chgi_rows_allocate(ctx, &made));
    CHGI_TRY_CLEANUP(fill_points(ctx, form, n_label, labels, &map, &made));
    if (learn)
        chgi_form_learn(form, by_group, made.n_point, made.groups, made.points);
    chgi_form_standardise(form, made.n_point, made.groups, made.points);
    chgi_rows_finish(&made);
    CHGI_TRY_CLEANUP(fill_jacobians(ctx, form, labels, &map, &made));
    *rows = made;
    made = (chgi_rows){0};
cleanup:
    chgi_rows_destroy(&made);
    chgi_arena_destroy(&arena);
    return status;
}

static void append(void *to, const void *a, int64_t n_a, const void *b, int64_t n_b, size_t size)
{
    memcpy(to, a, (size_t)n_a * size);
    memcpy((char *)to + (size_t)n_a * size, b, (size_t)n_b * size);
}

static void append_starts(int64_t *to, const int64_t *a, int64_t n_a, const int64_t *b, int64_t n_b)
{
    memcpy(to, a, (size_t)(n_a + 1) * sizeof *to);
    for (int64_t k = 1; k <= n_b; k++)
        to[n_a + k] = a[n_a] + b[k];
}

chgnet_status chgi_rows_join(chgnet_context *ctx, const chgi_rows *a, const chgi_rows *b, chgi_rows *joined)
{
    chgi_rows made = {.width = a->width,
                      .n_element = a->n_element,
                      .n_label = a->n_label + b->n_label,
                      .n_point = a->n_point + b->n_point,
                      .n_row = a->n_row + b->n_row,
                      .n_jacobian = a->n_jacobian + b->n_jacobian};
    CHGI_TRY(chgi_rows_allocate(ctx, &made));
    append_starts(made.point_start, a->point_start, a->n_label, b->point_start, b->n_label);
    append_starts(made.row_start, a->row_start, a->n_label, b->row_start, b->n_label);
    append(made.has_energy, a->has_energy, a->n_label, b->has_energy, b->n_label, sizeof *made.has_energy);
    append(made.count, a->count, a->n_label * a->n_element, b->count, b->n_label * b->n_element, sizeof(double));
    append(made.points, a->points, a->n_point * a->width, b->points, b->n_point * b->width, sizeof(double));
    append(made.groups, a->groups, a->n_point, b->groups, b->n_point, sizeof *made.groups);
    append(made.jacobian, a->jacobian, a->n_jacobian, b->jacobian, b->n_jacobian, sizeof(double));
    append(made.targets, a->targets, a->n_row, b->targets, b->n_row, sizeof(double));
    chgi_rows_finish(&made);
    *joined = made;
    return CHGNET_OK;
}
