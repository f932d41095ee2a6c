/* Predictions: correction, its derivatives, standard deviation, novelty of atoms. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "gp/centres.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

/* Everything one prediction needs. */
typedef struct scratch {
    chgi_map map;
    double *points, *square;  /* (n_point,width), (n_point) */
    double *value, *gradient; /* (n_point), (n_point,width) */
    int64_t *start;           /* (n_group+1) of the structure's own points */
    double *ones;             /* (n_point) */
    int n_thread;
    chgi_tile_work *tiles; /* (n_thread) */
    /* standard deviation */
    double *project, *project_slope;         /* (n_centre), (n_centre,width) */
    double *covariance, *solved;             /* (n_weight) with rows, or with inducing points and offsets */
    double *by_value, *by_slope, *slope_own; /* as the model's, of `solved` */
    double *std_gradient;                    /* (n_point,width) */
    double *count;                           /* (n_element) */
    double *many;                            /* (n_weight,n_point), novelty */
} scratch;

static int64_t weight_count(const chgi_delta *delta)
{
    return delta->inducing.n ? delta->inducing.n + delta->form.n_element : delta->rows.n_row;
}

static void *numbers_of(chgi_arena *arena, int64_t a, int64_t b)
{
    size_t n = (size_t)a, m = (size_t)b;
    return chgi_arena_take(arena, n, m * sizeof(double));
}

static void lay_out(const chgi_delta *delta, int64_t n_atom, bool want_std, bool want_novelty, int n_thread,
                    chgi_arena *arena, scratch *s)
{
    int64_t width = delta->form.width, n_point = n_atom > delta->form.n_element ? n_atom : delta->form.n_element;
    int64_t n_centre = delta->centres.n, n_weight = weight_count(delta);
    chgi_tile_work unused;
    s->n_thread = n_thread;
    chgi_map_take(arena, n_point, &s->map);
    s->points = numbers_of(arena, n_point, width);
    s->square = numbers_of(arena, n_point, 1);
    s->value = numbers_of(arena, n_point, 1);
    s->gradient = numbers_of(arena, n_point, width);
    s->start = chgi_arena_take(arena, (size_t)delta->form.n_group + 1, sizeof *s->start);
    s->ones = numbers_of(arena, n_point, 1);
    s->count = numbers_of(arena, delta->form.n_element, 1);
    s->tiles = chgi_arena_take(arena, (size_t)n_thread, sizeof *s->tiles);
    for (int t = 0; t < n_thread; t++)
        chgi_tile_take(arena, arena->base ? &s->tiles[t] : &unused);
    if (want_std) {
        s->project = numbers_of(arena, n_centre, 1);
        s->covariance = numbers_of(arena, n_weight, 1);
        s->solved = numbers_of(arena, n_weight, 1);
        s->by_value = numbers_of(arena, n_centre, 1);
        s->slope_own = numbers_of(arena, n_centre, 1);
        s->std_gradient = numbers_of(arena, n_point, width);
        s->project_slope = delta->by_slope ? numbers_of(arena, n_centre, width) : NULL;
        s->by_slope = delta->by_slope ? numbers_of(arena, n_centre, width) : NULL;
    }
    s->many = want_novelty ? numbers_of(arena, n_weight, n_point) : NULL;
}

/* ---- mean ----------------------------------------------------------------------------------------------------------
 */

static chgnet_status prepare(chgnet_context *ctx, const chgi_delta *delta, int64_t n_atom, const int32_t *numbers,
                             const double *fea, scratch *s)
{
    const chgi_form *form = &delta->form;
    CHGI_TRY(chgi_form_map(ctx, form, n_atom, numbers, &s->map));
    chgi_form_sum(form, &s->map, fea, s->points);
    chgi_form_standardise(form, s->map.n_point, s->map.groups, s->points);
    memset(s->start, 0, ((size_t)form->n_group + 1) * sizeof *s->start);
    memset(s->count, 0, (size_t)form->n_element * sizeof *s->count);
    for (int64_t p = 0; p < s->map.n_point; p++) {
        const double *x = s->points + p * form->width;
        s->square[p] = chgi_vector_dot(form->width, x, x);
        s->ones[p] = 1;
        s->start[s->map.groups[p] + 1]++;
    }
    for (int g = 0; g < form->n_group; g++)
        s->start[g + 1] += s->start[g];
    for (int64_t i = 0; i < n_atom; i++)
        s->count[s->map.element[i]] += 1;
    return CHGNET_OK;
}

static chgi_queries queries_of(const scratch *s)
{
    return (chgi_queries){s->map.n_point, s->map.groups, s->points, s->square};
}

static void find_mean(const chgi_delta *delta, const scratch *s, chgi_correction *correction)
{
    const chgi_form *form = &delta->form;
    chgi_queries queries = queries_of(s);
    double sum = 0;
    chgi_centres_apply(form, &delta->choice.covariance, &delta->centres, delta->by_value, delta->by_slope,
                       delta->slope_own, &queries, s->n_thread, s->tiles, s->value,
                       correction->gradient ? s->gradient : NULL);
    for (int64_t p = 0; p < s->map.n_point; p++)
        sum += s->value[p];
    correction->energy = sum + chgi_vector_dot(form->n_element, s->count, delta->offsets);
    if (correction->gradient)
        chgi_form_back(form, &s->map, 1, s->gradient, correction->gradient);
    for (int64_t i = 0; correction->site && i < s->map.n_atom; i++) {
        double own = form->aggregation == CHGI_ATOMIC ? s->value[s->map.place[i]] : sum / (double)s->map.n_atom;
        correction->site[i] = own + delta->offsets[s->map.element[i]];
    }
}

/* ---- standard deviation --------------------------------------------------------------------------------------------
 */

/* Covariance of the structure's energy with each row of the training set. */
static void covariance_with_rows(const chgi_delta *delta, const scratch *s)
{
    const chgi_rows *rows = &delta->rows;
    int width = rows->width;
    double spread = chgi_delta_offset_spread(delta);
    memset(s->covariance, 0, (size_t)rows->n_row * sizeof *s->covariance);
    for (int64_t a = 0; a < rows->n_label; a++)
        if (rows->has_energy[a])
            s->covariance[rows->row_start[a]] =
                spread * spread * chgi_vector_dot(rows->n_element, s->count, rows->count + a * rows->n_element);
#pragma omp parallel for schedule(static) num_threads(s->n_thread)
    for (int64_t a = 0; a < rows->n_label; a++) {
        int64_t m = chgi_rows_forces(rows, a), row = rows->row_start[a];
        for (int64_t p = rows->point_start[a]; p < rows->point_start[a + 1]; p++) {
            const double *jacobian = rows->jacobian + rows->jacobian_start[a];
            int64_t centre = delta->origin[p];
            if (rows->has_energy[a])
                s->covariance[row] += s->project[centre];
            for (int64_t k = 0; k < m; k++)
                s->covariance[row + rows->has_energy[a] + k] +=
                    chgi_vector_dot(width, jacobian + ((p - rows->point_start[a]) * m + k) * width,
                                    s->project_slope + centre * width);
        }
    }
}

/* \return variance that the labels take away; s->solved becomes K^-1 k */
static double explained_dense(const chgi_delta *delta, const scratch *s)
{
    int64_t n = delta->rows.n_row;
    covariance_with_rows(delta, s);
    memcpy(s->solved, s->covariance, (size_t)n * sizeof *s->solved);
    chgi_lower_solve(n, delta->factor, n, 1, s->solved, 1);
    double explained = chgi_vector_dot(n, s->solved, s->solved);
    chgi_lower_solve_transposed(n, delta->factor, n, 1, s->solved, 1);
    chgi_delta_spread_weights(delta, s->solved, s->by_value, s->by_slope, s->slope_own);
    return explained;
}

/* The same for inducing points: k^T Kmm^-1 k less what their weights' uncertainty gives back. */
static double explained_sparse(const chgi_delta *delta, const scratch *s)
{
    int64_t n = delta->inducing.n, n_weight = weight_count(delta);
    double spread = chgi_delta_offset_spread(delta);
    memcpy(s->covariance, s->project, (size_t)n * sizeof *s->covariance);
    for (int e = 0; e < delta->form.n_element; e++)
        s->covariance[n + e] = spread * s->count[e];
    memcpy(s->solved, s->covariance, (size_t)n_weight * sizeof *s->solved);
    chgi_lower_solve(n_weight, delta->normal_factor, n_weight, 1, s->solved, 1);
    double back = chgi_vector_dot(n_weight, s->solved, s->solved);
    chgi_lower_solve_transposed(n_weight, delta->normal_factor, n_weight, 1, s->solved, 1);
    chgi_lower_solve(n, delta->inducing_factor, n, 1, s->covariance, 1);
    double taken = chgi_vector_dot(n, s->covariance, s->covariance);
    chgi_lower_solve_transposed(n, delta->inducing_factor, n, 1, s->covariance, 1);
    for (int64_t j = 0; j < n; j++)
        s->by_value[j] = s->covariance[j] - s->solved[j];
    return taken - back + spread * spread * chgi_vector_dot(delta->form.n_element, s->count, s->count);
}

static void find_std(const chgi_delta *delta, const scratch *s, chgi_correction *correction)
{
    const chgi_form *form = &delta->form;
    const chgi_covariance *covariance = &delta->choice.covariance;
    chgi_queries queries = queries_of(s);
    chgi_centres self = {s->map.n_point, form->n_group, form->width, s->start, s->points, s->square};
    double spread = chgi_delta_offset_spread(delta);
    double variance = spread * spread * chgi_vector_dot(form->n_element, s->count, s->count);
    bool want = correction->std_gradient != NULL;
    int64_t size = s->map.n_point * form->width;
    chgi_centres_project(form, covariance, &delta->centres, &queries, s->n_thread, s->tiles, s->project,
                         s->project_slope);
    chgi_centres_apply(form, covariance, &self, s->ones, NULL, NULL, &queries, s->n_thread, s->tiles, s->value,
                       want ? s->std_gradient : NULL);
    for (int64_t p = 0; p < s->map.n_point; p++)
        variance += s->value[p];
    variance -= delta->inducing.n ? explained_sparse(delta, s) : explained_dense(delta, s);
    double plain = variance > 0 ? sqrt(variance) : 0;
    correction->std = delta->std_scale * plain;
    if (!want)
        return;
    chgi_centres_apply(form, covariance, &delta->centres, s->by_value, s->by_slope, s->slope_own, &queries, s->n_thread,
                       s->tiles, s->value, s->gradient);
    for (int64_t k = 0; k < size; k++) /* half the variance's gradient: each pair of own points counts twice */
        s->gradient[k] = s->std_gradient[k] - s->gradient[k];
    chgi_form_back(form, &s->map, plain > 0 ? delta->std_scale / plain : 0, s->gradient, correction->std_gradient);
}

/* ---- novelty -------------------------------------------------------------------------------------------------------
 */

static chgnet_status share_covariance(chgnet_context *ctx, const chgi_delta *delta, const scratch *s, bool rows)
{
    chgi_centres self = {s->map.n_point, delta->form.n_group, delta->form.width, s->start, s->points, s->square};
    chgi_team team;
    CHGI_TRY(chgi_team_create(ctx, &delta->rows, &team));
    if (rows)
        chgi_matrix_columns(&delta->form, &delta->choice.covariance, &delta->rows, &self, s->many, self.n, &team);
    else
        chgi_matrix_centres(&delta->form, &delta->choice.covariance, &delta->inducing, &self, s->many, self.n, &team);
    chgi_team_destroy(&team);
    return CHGNET_OK;
}

/* factor * squared lengths of the columns of `many` after a triangle was solved. */
static void add_squares(const scratch *s, int64_t n_weight, double factor, double *sum)
{
    int64_t n = s->map.n_point;
    for (int64_t r = 0; r < n_weight; r++)
        for (int64_t p = 0; p < n; p++)
            sum[p] += factor * s->many[r * n + p] * s->many[r * n + p];
}

static chgnet_status find_novelty(chgnet_context *ctx, const chgi_delta *delta, const scratch *s, double *novelty)
{
    int64_t n = s->map.n_point, n_weight = weight_count(delta);
    memset(novelty, 0, (size_t)s->map.n_atom * sizeof *novelty);
    if (delta->form.aggregation != CHGI_ATOMIC)
        return CHGNET_OK;
    for (int64_t p = 0; p < n; p++)
        s->value[p] = chgi_covariance_diagonal(&delta->choice.covariance);
    CHGI_TRY(share_covariance(ctx, delta, s, !delta->inducing.n));
    if (delta->inducing.n) {
        chgi_lower_solve(delta->inducing.n, delta->inducing_factor, delta->inducing.n, n, s->many, n);
        add_squares(s, delta->inducing.n, -1, s->value);
        CHGI_TRY(share_covariance(ctx, delta, s, false));
        memset(s->many + delta->inducing.n * n, 0, (size_t)(delta->form.n_element * n) * sizeof *s->many);
        chgi_lower_solve(n_weight, delta->normal_factor, n_weight, n, s->many, n);
        add_squares(s, n_weight, 1, s->value);
    } else {
        chgi_lower_solve(n_weight, delta->factor, n_weight, n, s->many, n);
        add_squares(s, n_weight, -1, s->value);
    }
    for (int64_t i = 0; i < s->map.n_atom; i++)
        novelty[i] = delta->std_scale * delta->std_scale * fmax(s->value[s->map.place[i]], 0);
    return CHGNET_OK;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------
 */

chgnet_status chgi_delta_predict(chgnet_context *ctx, const chgi_delta *delta, int64_t n_atom, const int32_t *numbers,
                                 const double *fea, chgi_delta_workspace *workspace, chgi_correction *correction)
{
    scratch s = {0};
    chgi_arena count = {0};
    bool want_std = correction->want_std, want_novelty = correction->novelty != NULL;
    int n_thread = workspace->n_thread > 0 ? workspace->n_thread : omp_get_max_threads();
    lay_out(delta, n_atom, want_std, want_novelty, n_thread, &count, &s);
    CHGI_TRY(chgi_arena_reserve(ctx, &workspace->arena, count.used));
    lay_out(delta, n_atom, want_std, want_novelty, n_thread, &workspace->arena, &s);
    CHGI_TRY(prepare(ctx, delta, n_atom, numbers, fea, &s));
    find_mean(delta, &s, correction);
    if (want_std)
        find_std(delta, &s, correction);
    if (want_novelty)
        CHGI_TRY(find_novelty(ctx, delta, &s, correction->novelty));
    return CHGNET_OK;
}

void chgi_delta_workspace_destroy(chgi_delta_workspace *workspace)
{
    chgi_arena_destroy(&workspace->arena);
}

chgnet_status chgi_delta_standardise(chgnet_context *ctx, const chgi_delta *delta, int64_t n_atom,
                                     const int32_t *numbers, const double *fea, double *points)
{
    const chgi_form *form = &delta->form;
    if (form->aggregation != CHGI_ATOMIC)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "this delta-model compares whole structures; points of atoms need the atomic form");
    for (int64_t i = 0; i < n_atom; i++) {
        int32_t e = 0;
        while (e < form->n_element && form->elements[e] != numbers[i])
            e++;
        if (e == form->n_element)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "no label of the delta-model has atomic number %d",
                                     numbers[i]);
        memcpy(points + i * form->width, fea + i * form->width, (size_t)form->width * sizeof *points);
        chgi_form_standardise(form, 1, &e, points + i * form->width);
    }
    return CHGNET_OK;
}
