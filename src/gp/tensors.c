/* Everything a model is made of, out and in. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"

chgi_delta_tensors chgi_delta_view(const chgi_delta *delta)
{
    const chgi_rows *rows = &delta->rows;
    return (chgi_delta_tensors){.choice = delta->choice,
                                .n_feature = delta->form.n_feature,
                                .n_element = delta->form.n_element,
                                .width = delta->form.width,
                                .n_group = delta->form.n_group,
                                .n_label = rows->n_label,
                                .n_point = rows->n_point,
                                .n_row = rows->n_row,
                                .n_jacobian = rows->n_jacobian,
                                .n_inducing = delta->inducing.n,
                                .n_evaluation = delta->n_evaluation,
                                .log_likelihood = delta->log_likelihood,
                                .log_prior = delta->log_prior,
                                .jitter = delta->jitter,
                                .std_scale = delta->std_scale,
                                .elements = delta->form.elements,
                                .offset_centre = delta->offset_centre,
                                .mean = delta->form.mean,
                                .scale = delta->form.scale,
                                .point_start = rows->point_start,
                                .row_start = rows->row_start,
                                .has_energy = rows->has_energy,
                                .count = rows->count,
                                .points = rows->points,
                                .groups = rows->groups,
                                .jacobian = rows->jacobian,
                                .targets = rows->targets,
                                .weights = delta->weights,
                                .factor = delta->factor,
                                .inducing = delta->inducing.x,
                                .inducing_group = delta->inducing_group,
                                .inducing_factor = delta->inducing_factor,
                                .normal_factor = delta->normal_factor,
                                .normal_target = delta->normal_target,
                                .normal_rest = delta->normal_rest};
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bool all_finite(const double *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static bool ascending(const int64_t *start, int64_t n, int64_t end)
{
    if (start[0] != 0 || start[n] != end)
        return false;
    for (int64_t i = 0; i < n; i++)
        if (start[i] > start[i + 1])
            return false;
    return true;
}

static bool groups_ascend(const chgi_delta_tensors *t, const int32_t *groups, int64_t from, int64_t end)
{
    for (int64_t p = from; p < end; p++)
        if (groups[p] < 0 || groups[p] >= t->n_group || (p > from && groups[p] < groups[p - 1]))
            return false;
    return true;
}

static bool groups_fit(const chgi_delta_tensors *t)
{
    for (int64_t k = 0; k < t->n_label; k++)
        if (!groups_ascend(t, t->groups, t->point_start[k], t->point_start[k + 1]))
            return false;
    return true;
}

/* Elements ascending; rows of each label fit its Jacobian. */
static bool lists_fit(const chgi_delta_tensors *t)
{
    int64_t jacobian = 0;
    for (int32_t e = 0; e < t->n_element; e++)
        if (t->elements[e] < 1 || t->elements[e] > CHGI_MAX_ELEMENT || (e && t->elements[e] <= t->elements[e - 1]))
            return false;
    for (int64_t k = 0; k < t->n_label; k++) {
        int64_t force = t->row_start[k + 1] - t->row_start[k] - t->has_energy[k];
        if (t->has_energy[k] < 0 || t->has_energy[k] > 1 || force < 0)
            return false;
        jacobian += (t->point_start[k + 1] - t->point_start[k]) * force * t->width;
    }
    return jacobian == t->n_jacobian;
}

static bool sizes_fit(const chgi_delta_tensors *t, const chgi_form *form)
{
    return t->n_label > 0 && t->n_row > 0 && t->n_point > 0 && t->n_inducing >= 0 && form->width == t->width &&
           form->n_group == t->n_group && ascending(t->point_start, t->n_label, t->n_point) &&
           ascending(t->row_start, t->n_label, t->n_row) && lists_fit(t) && groups_fit(t) &&
           groups_ascend(t, t->inducing_group, 0, t->n_inducing);
}

static bool positive(const double *values, int64_t n, int64_t stride)
{
    for (int64_t i = 0; i < n; i++)
        if (!(values[i * stride] > 0))
            return false;
    return true;
}

static bool training_fits(const chgi_delta_tensors *t)
{
    int64_t group = (int64_t)t->n_group * t->width;
    return t->std_scale > 0 && isfinite(t->std_scale) && positive(t->scale, group, 1) && all_finite(t->scale, group) &&
           all_finite(t->mean, group) && all_finite(t->offset_centre, t->n_element) &&
           all_finite(t->count, t->n_label * t->n_element) && all_finite(t->points, t->n_point * t->width) &&
           all_finite(t->jacobian, t->n_jacobian) && all_finite(t->targets, t->n_row) &&
           all_finite(t->inducing, t->n_inducing * t->width);
}

static bool triangle_fits(const double *l, int64_t n)
{
    return l && positive(l, n, n + 1) && all_finite(l, n * n);
}

static bool solution_fits(const chgi_delta_tensors *t)
{
    int64_t n = t->n_inducing, n_weight = n ? n + t->n_element : t->n_row;
    if (!all_finite(t->weights, n_weight) || !isfinite(t->normal_rest) || !(t->jitter >= 0))
        return false;
    if (!n)
        return triangle_fits(t->factor, n_weight);
    return triangle_fits(t->inducing_factor, n) && triangle_fits(t->normal_factor, n_weight) && t->normal_target &&
           all_finite(t->normal_target, n_weight);
}

/* ---- restoring -----------------------------------------------------------------------------------------------------
 */

static chgnet_status copy_numbers(chgnet_context *ctx, const double *from, int64_t a, int64_t b, double **to)
{
    size_t n = (size_t)a, m = (size_t)b;
    *to = chgi_memory_new(n, m * sizeof **to);
    if (!*to)
        return chgi_context_nomem(ctx, n, m * sizeof **to);
    memcpy(*to, from, n * m * sizeof **to);
    return CHGNET_OK;
}

static chgnet_status restore_rows(chgnet_context *ctx, const chgi_delta_tensors *t, chgi_rows *rows)
{
    *rows = (chgi_rows){.width = t->width,
                        .n_element = t->n_element,
                        .n_label = t->n_label,
                        .n_point = t->n_point,
                        .n_row = t->n_row,
                        .n_jacobian = t->n_jacobian};
    CHGI_TRY(chgi_rows_allocate(ctx, rows));
    size_t label = (size_t)t->n_label;
    memcpy(rows->point_start, t->point_start, (label + 1) * sizeof *rows->point_start);
    memcpy(rows->row_start, t->row_start, (label + 1) * sizeof *rows->row_start);
    memcpy(rows->has_energy, t->has_energy, label * sizeof *rows->has_energy);
    memcpy(rows->count, t->count, label * (size_t)t->n_element * sizeof *rows->count);
    memcpy(rows->points, t->points, (size_t)(t->n_point * t->width) * sizeof *rows->points);
    memcpy(rows->groups, t->groups, (size_t)t->n_point * sizeof *rows->groups);
    memcpy(rows->targets, t->targets, (size_t)t->n_row * sizeof *rows->targets);
    if (t->n_jacobian)
        memcpy(rows->jacobian, t->jacobian, (size_t)t->n_jacobian * sizeof *rows->jacobian);
    chgi_rows_finish(rows);
    return CHGNET_OK;
}

static chgnet_status restore_inducing(chgnet_context *ctx, const chgi_delta_tensors *t, chgi_delta *delta)
{
    chgi_centres *to = &delta->inducing;
    CHGI_TRY(chgi_centres_create(ctx, t->n_inducing, t->n_group, t->width, to));
    for (int64_t j = 0; j < t->n_inducing; j++)
        to->start[t->inducing_group[j] + 1]++;
    for (int g = 0; g < t->n_group; g++)
        to->start[g + 1] += to->start[g];
    memcpy(to->x, t->inducing, (size_t)(t->n_inducing * t->width) * sizeof *to->x);
    chgi_centres_finish(to);
    return CHGNET_OK;
}

static chgnet_status restore_solution(chgnet_context *ctx, const chgi_delta_tensors *t, chgi_delta *delta)
{
    int64_t n = t->n_inducing, n_weight = n ? n + t->n_element : t->n_row;
    delta->log_likelihood = t->log_likelihood;
    delta->log_prior = t->log_prior;
    delta->jitter = t->jitter;
    CHGI_TRY(copy_numbers(ctx, t->weights, n_weight, 1, &delta->weights));
    if (n) {
        delta->normal_rest = t->normal_rest;
        CHGI_TRY(copy_numbers(ctx, t->inducing_factor, n, n, &delta->inducing_factor));
        CHGI_TRY(copy_numbers(ctx, t->normal_factor, n_weight, n_weight, &delta->normal_factor));
        CHGI_TRY(copy_numbers(ctx, t->normal_target, n_weight, 1, &delta->normal_target));
    } else
        CHGI_TRY(copy_numbers(ctx, t->factor, n_weight, n_weight, &delta->factor));
    return chgi_delta_collapse(ctx, delta);
}

static chgnet_status restore(chgnet_context *ctx, const chgi_delta_tensors *t, chgi_delta **delta)
{
    static const char advice[] = "the delta-model's parts do not fit each other; fit it again";
    CHGI_TRY(chgi_delta_check_choice(ctx, &t->choice));
    if (t->n_feature < 1 || t->n_element < 1 || t->n_element > CHGI_MAX_ELEMENT)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s", advice);
    CHGI_TRY(chgi_delta_create(ctx, &t->choice, delta));
    chgi_delta *made = *delta;
    CHGI_TRY(chgi_form_create(ctx, &t->choice, t->n_feature, t->n_element, t->elements, &made->form));
    if (!sizes_fit(t, &made->form) || !training_fits(t) || (t->weights && !solution_fits(t)))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s", advice);
    size_t group = (size_t)t->n_group * (size_t)t->width;
    memcpy(made->form.mean, t->mean, group * sizeof *t->mean);
    memcpy(made->form.scale, t->scale, group * sizeof *t->scale);
    CHGI_TRY(chgi_delta_allocate_offsets(ctx, made));
    memcpy(made->offset_centre, t->offset_centre, (size_t)t->n_element * sizeof *t->offset_centre);
    made->n_evaluation = (int)t->n_evaluation;
    made->std_scale = t->std_scale;
    CHGI_TRY(restore_rows(ctx, t, &made->rows));
    if (t->n_inducing)
        CHGI_TRY(restore_inducing(ctx, t, made));
    if (!t->weights)
        return chgi_delta_solve(ctx, made, false);
    return restore_solution(ctx, t, made);
}

chgnet_status chgi_delta_restore(chgnet_context *ctx, const chgi_delta_tensors *tensors, chgi_delta **delta)
{
    chgi_delta *made = NULL;
    chgnet_status status = restore(ctx, tensors, &made);
    *delta = status == CHGNET_OK ? made : NULL;
    if (status != CHGNET_OK)
        chgi_delta_destroy(made);
    return status;
}
