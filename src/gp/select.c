/* Which structures to label next. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

/* Candidates as rows: one energy each. */
typedef struct selecting {
    const chgi_delta *delta;
    chgi_rows rows; /* of the candidates */
    chgi_team team;
    chgi_centres one; /* points of one candidate */
    int64_t n, n_pick, n_weight;
    double *left;      /* (n) variance, or distance */
    bool *taken;       /* (n) */
    double *columns;   /* (n_weight, most points) of one candidate */
    double *explained; /* (n,n_weight) L^-1 k of rows, or of inducing points */
    double *back;      /* (n,n_weight) sparse: what is given back */
    double *picked;    /* (n,n_pick) factor of the picks */
    double *nearest;   /* (n_point) squared distance to the nearest known point */
} selecting;

static chgnet_status make_rows(chgnet_context *ctx, const chgi_delta *delta, int64_t n, const chgi_label *candidates,
                               chgi_rows *rows)
{
    chgi_label *labels = chgi_memory_new((size_t)n, sizeof *labels);
    if (!labels)
        return chgi_context_nomem(ctx, (size_t)n, sizeof *labels);
    for (int64_t c = 0; c < n; c++)
        labels[c] = (chgi_label){.n_atom = candidates[c].n_atom,
                                 .numbers = candidates[c].numbers,
                                 .fea = candidates[c].fea,
                                 .has_energy = true};
    chgi_form form = delta->form; /* only read: nothing is learnt */
    chgnet_status status = chgi_rows_check(ctx, form.n_feature, n, labels);
    if (status == CHGNET_OK)
        status = chgi_rows_create(ctx, &form, false, false, n, labels, rows);
    chgi_memory_free(labels);
    return status;
}

static void take_one(const chgi_rows *rows, int64_t c, chgi_centres *one)
{
    int64_t from = rows->point_start[c];
    one->n = rows->point_start[c + 1] - from;
    memset(one->start, 0, ((size_t)one->n_group + 1) * sizeof *one->start);
    memcpy(one->x, rows->points + from * rows->width, (size_t)(one->n * rows->width) * sizeof *one->x);
    memcpy(one->square, rows->square + from, (size_t)one->n * sizeof *one->square);
    for (int64_t p = 0; p < one->n; p++)
        for (int g = rows->groups[from + p]; g < one->n_group; g++)
            one->start[g + 1]++;
}

/* ---- variance ------------------------------------------------------------------------------------------------------
 */

static double offsets_between(const selecting *s, const chgi_rows *a, int64_t i, const chgi_rows *b, int64_t j)
{
    double spread = chgi_delta_offset_spread(s->delta);
    return spread * spread * chgi_vector_dot(a->n_element, a->count + i * a->n_element, b->count + j * b->n_element);
}

/* Sum over the points of the one candidate. */
static void sum_columns(const selecting *s, int64_t n, double *k)
{
    for (int64_t r = 0; r < n; r++) {
        k[r] = 0;
        for (int64_t p = 0; p < s->one.n; p++)
            k[r] += s->columns[r * s->one.n + p];
    }
}

static void explain_dense(selecting *s, int64_t c)
{
    const chgi_delta *delta = s->delta;
    const chgi_rows *rows = &delta->rows;
    double *k = s->explained + c * s->n_weight;
    chgi_matrix_columns(&delta->form, &delta->choice.covariance, rows, &s->one, s->columns, s->one.n, &s->team);
    sum_columns(s, rows->n_row, k);
    for (int64_t a = 0; a < rows->n_label; a++)
        if (rows->has_energy[a])
            k[rows->row_start[a]] += offsets_between(s, rows, a, &s->rows, c);
    chgi_lower_solve(s->n_weight, delta->factor, s->n_weight, 1, k, 1);
    s->left[c] += offsets_between(s, &s->rows, c, &s->rows, c) - chgi_vector_dot(s->n_weight, k, k);
}

static void explain_sparse(selecting *s, int64_t c)
{
    const chgi_delta *delta = s->delta;
    int64_t n = delta->inducing.n;
    double *k = s->explained + c * s->n_weight, *back = s->back + c * s->n_weight;
    chgi_matrix_centres(&delta->form, &delta->choice.covariance, &delta->inducing, &s->one, s->columns, s->one.n,
                        &s->team);
    sum_columns(s, n, k);
    memcpy(back, k, (size_t)n * sizeof *k);
    for (int e = 0; e < s->rows.n_element; e++) {
        k[n + e] = 0;
        back[n + e] = chgi_delta_offset_spread(delta) * s->rows.count[c * s->rows.n_element + e];
    }
    chgi_lower_solve(n, delta->inducing_factor, n, 1, k, 1);
    chgi_lower_solve(s->n_weight, delta->normal_factor, s->n_weight, 1, back, 1);
    s->left[c] += chgi_vector_dot(s->n_weight, back, back) - chgi_vector_dot(n, k, k);
}

static void find_variances(selecting *s)
{
    for (int64_t c = 0; c < s->n; c++) {
        take_one(&s->rows, c, &s->one);
        chgi_matrix_self(&s->delta->form, &s->delta->choice.covariance, &s->rows, c, &s->left[c], &s->team);
        (s->delta->inducing.n ? explain_sparse : explain_dense)(s, c);
    }
}

/* The pick becomes known up to its noise: a step of pivoted Cholesky on the candidates' posterior covariance. */
static void learn_pick(selecting *s, int64_t pick, int64_t k, double *covariance)
{
    const chgi_delta *delta = s->delta;
    double noise = delta->choice.noise_energy.value * delta->choice.noise_energy.value;
    double pivot = sqrt(fmax(s->left[pick], 0) + noise);
    take_one(&s->rows, pick, &s->one);
    chgi_matrix_columns(&delta->form, &delta->choice.covariance, &s->rows, &s->one, covariance, s->one.n, &s->team);
    for (int64_t c = 0; c < s->n; c++) {
        double sum = 0, *row = s->picked + c * s->n_pick;
        for (int64_t p = 0; p < s->one.n; p++)
            sum += covariance[c * s->one.n + p];
        sum -= chgi_vector_dot(s->n_weight, s->explained + c * s->n_weight, s->explained + pick * s->n_weight);
        if (delta->inducing.n)
            sum += chgi_vector_dot(s->n_weight, s->back + c * s->n_weight, s->back + pick * s->n_weight);
        else
            sum += offsets_between(s, &s->rows, c, &s->rows, pick);
        row[k] = (sum - chgi_vector_dot(k, row, s->picked + pick * s->n_pick)) / pivot;
    }
    for (int64_t c = 0; c < s->n; c++)
        s->left[c] -= s->picked[c * s->n_pick + k] * s->picked[c * s->n_pick + k];
}

/* ---- distance ------------------------------------------------------------------------------------------------------
 */

/* Squared distance of each candidate's points to the nearest of some points. */
static void approach(selecting *s, const chgi_rows *known, int64_t from, int64_t end)
{
    int width = known->width;
#pragma omp parallel for schedule(dynamic, 16)
    for (int64_t p = 0; p < s->rows.n_point; p++)
        for (int64_t q = from; q < end; q++) {
            if (s->rows.groups[p] != known->groups[q])
                continue;
            double d = s->rows.square[p] + known->square[q] -
                       2 * chgi_vector_dot(width, s->rows.points + p * width, known->points + q * width);
            s->nearest[p] = fmin(s->nearest[p], fmax(d, 0));
        }
}

static void find_distances(selecting *s)
{
    for (int64_t c = 0; c < s->n; c++) {
        s->left[c] = 0;
        for (int64_t p = s->rows.point_start[c]; p < s->rows.point_start[c + 1]; p++)
            s->left[c] = fmax(s->left[c], s->nearest[p]);
    }
}

/* ---- picking -------------------------------------------------------------------------------------------------------
 */

static void pick_all(selecting *s, bool variance, double *covariance, int64_t *picks, double *score)
{
    for (int64_t k = 0; k < s->n_pick; k++) {
        int64_t best = -1;
        for (int64_t c = 0; c < s->n; c++)
            if (!s->taken[c] && (best < 0 || s->left[c] > s->left[best]))
                best = c;
        picks[k] = best;
        s->taken[best] = true;
        if (score)
            score[k] = (variance ? s->delta->std_scale : 1) * sqrt(fmax(s->left[best], 0));
        if (variance)
            learn_pick(s, best, k, covariance);
        else {
            approach(s, &s->rows, s->rows.point_start[best], s->rows.point_start[best + 1]);
            find_distances(s);
        }
    }
}

static chgnet_status allocate(chgnet_context *ctx, selecting *s, bool variance, chgi_arena *arena, double **covariance)
{
    const chgi_delta *delta = s->delta;
    int64_t n_point, n_force;
    size_t size = sizeof(double), n = (size_t)s->n, weight = variance ? (size_t)s->n_weight : 0;
    chgi_rows_largest(&s->rows, &n_point, &n_force);
    size_t most = (size_t)n_point, all = delta->inducing.n ? (size_t)delta->inducing.n : (size_t)delta->rows.n_row;
    for (int pass = 0; pass < 2; pass++) {
        s->left = chgi_arena_take(arena, n, size);
        s->taken = chgi_arena_take(arena, n, sizeof *s->taken);
        s->columns = chgi_arena_take(arena, all, (variance ? most : 0) * size);
        s->explained = chgi_arena_take(arena, n, weight * size);
        s->back = chgi_arena_take(arena, n, (delta->inducing.n ? weight : 0) * size);
        s->picked = chgi_arena_take(arena, n, (variance ? (size_t)s->n_pick : 0) * size);
        *covariance = chgi_arena_take(arena, n, most * size);
        s->nearest = chgi_arena_take(arena, (size_t)s->rows.n_point, size);
        if (!pass)
            CHGI_TRY(chgi_arena_reserve_zeroed(ctx, arena, arena->used));
    }
    for (int64_t p = 0; p < s->rows.n_point; p++)
        s->nearest[p] = INFINITY;
    return chgi_centres_create(ctx, n_point, delta->form.n_group, delta->form.width, &s->one);
}

chgnet_status chgi_delta_select(chgnet_context *ctx, const chgi_delta *delta, int64_t n_candidate,
                                const chgi_label *candidates, chgi_criterion criterion, int64_t n_pick, int64_t *picks,
                                double *score)
{
    bool variance = criterion == CHGI_LARGEST_VARIANCE;
    selecting s = {.delta = delta, .n = n_candidate, .n_pick = n_pick};
    chgi_arena arena = {0};
    double *covariance;
    chgnet_status status;
    if (n_pick < 1 || n_pick > n_candidate)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%lld of %lld candidates cannot be picked; 1 to %lld can",
                                 (long long)n_pick, (long long)n_candidate, (long long)n_candidate);
    s.n_weight = delta->inducing.n ? delta->inducing.n + delta->form.n_element : delta->rows.n_row;
    CHGI_TRY_CLEANUP(make_rows(ctx, delta, n_candidate, candidates, &s.rows));
    CHGI_TRY_CLEANUP(allocate(ctx, &s, variance, &arena, &covariance));
    if (variance) {
        CHGI_TRY_CLEANUP(chgi_team_for(ctx, &delta->rows, &s.rows, &s.team));
        find_variances(&s);
    } else {
        approach(&s, &delta->rows, 0, delta->rows.n_point);
        find_distances(&s);
    }
    pick_all(&s, variance, covariance, picks, score);
cleanup:
    chgi_team_destroy(&s.team);
    chgi_centres_destroy(&s.one);
    chgi_rows_destroy(&s.rows);
    chgi_arena_destroy(&arena);
    return status;
}
