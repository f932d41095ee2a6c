/* Predictions for training labels that are left out, without new fits.
 *
 * Dense (Rasmussen and Williams, ch. 5.4.2, for blocks): with B the block of K^-1 that belongs to the rows left out,
 * the errors are B^-1 K^-1 y and their covariance, noise included, is B^-1. Sparse: least squares with the hat matrix H
 * = V^-1/2 Phi (Phi^T V^-1 Phi + P)^-1 Phi^T V^-1/2: the scaled errors are (1 - H)^-1 times the scaled residuals, their
 * covariance (1 - H)^-1; what the inducing points cannot hold of the kernel is added to the variance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

typedef struct leaving {
    const chgi_delta *delta;
    double *variance;   /* (n_row) of the noise */
    double *inverse;    /* dense: (n_row,n_row) */
    double *columns;    /* sparse: (n_row,n_weight), scaled by the noise */
    double *solved;     /* sparse: (n_weight,n_row) a triangle's solution of all columns */
    double *scaled;     /* sparse: (n_row) residuals, scaled */
    double *remainder;  /* sparse: (n_row) variance that the inducing points cannot hold */
    double *mean, *std; /* (n_row) results */
} leaving;

/* ---- sparse: what is made once -------------------------------------------------------------------------------------
 */

/* Columns into solved, transposed; then the triangle l of n is solved for all rows at once. */
static void solve_rows(const leaving *l, int64_t n, const double *triangle)
{
    int64_t n_row = l->delta->rows.n_row, n_weight = l->delta->inducing.n + l->delta->form.n_element;
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < n; j++)
        for (int64_t r = 0; r < n_row; r++)
            l->solved[j * n_row + r] = l->columns[r * n_weight + j];
    chgi_lower_solve(n, triangle, n, n_row, l->solved, n_row);
}

static void scale_rows(const leaving *l, const double *residual)
{
    const chgi_delta *delta = l->delta;
    int64_t n_weight = delta->inducing.n + delta->form.n_element;
    for (int64_t r = 0; r < delta->rows.n_row; r++) {
        double *row = l->columns + r * n_weight, scale = 1 / sqrt(l->variance[r]);
        l->scaled[r] = scale * (residual[r] - chgi_vector_dot(n_weight, row, delta->weights));
        for (int64_t j = 0; j < n_weight; j++)
            row[j] *= scale;
    }
}

/* Diagonal of K - Knm Kmm^-1 Kmn, before the columns are scaled. */
static chgnet_status find_remainder(chgnet_context *ctx, const leaving *l, chgi_team *team)
{
    const chgi_delta *delta = l->delta;
    const chgi_rows *rows = &delta->rows;
    int64_t n_point, n_force;
    chgi_rows_largest(rows, &n_point, &n_force);
    size_t most = (size_t)n_force + 1;
    double *own = chgi_memory_raw(most * most * sizeof *own);
    if (!own)
        return chgi_context_nomem(ctx, most, most * sizeof *own);
    solve_rows(l, delta->inducing.n, delta->inducing_factor);
    for (int64_t a = 0; a < rows->n_label; a++) {
        int64_t first = rows->row_start[a], m = rows->row_start[a + 1] - first;
        chgi_matrix_self(&delta->form, &delta->choice.covariance, rows, a, own, team);
        for (int64_t r = 0; r < m; r++)
            l->remainder[first + r] = own[r * m + r];
    }
    for (int64_t j = 0; j < delta->inducing.n; j++)
        for (int64_t r = 0; r < rows->n_row; r++)
            l->remainder[r] -= l->solved[j * rows->n_row + r] * l->solved[j * rows->n_row + r];
    chgi_memory_free(own);
    return CHGNET_OK;
}

static chgnet_status prepare_sparse(chgnet_context *ctx, leaving *l)
{
    const chgi_delta *delta = l->delta;
    chgi_team team = {0};
    double *residual = chgi_memory_new((size_t)delta->rows.n_row, sizeof *residual);
    chgnet_status status;
    CHGI_TRY_CLEANUP(residual ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)delta->rows.n_row, sizeof *residual));
    CHGI_TRY_CLEANUP(chgi_team_create(ctx, &delta->rows, &team));
    chgi_delta_residual(delta, &delta->rows, residual);
    chgi_sparse_columns(&delta->form, &delta->choice.covariance, chgi_delta_offset_spread(delta), &delta->rows,
                        &delta->inducing, &team, l->columns);
    CHGI_TRY_CLEANUP(find_remainder(ctx, l, &team));
    scale_rows(l, residual);
    solve_rows(l, delta->inducing.n + delta->form.n_element, delta->normal_factor);
cleanup:
    chgi_team_destroy(&team);
    chgi_memory_free(residual);
    return status;
}

/* ---- one fold ------------------------------------------------------------------------------------------------------
 */

typedef struct fold_work {
    int64_t n;                 /* rows of the fold */
    int64_t *rows;             /* (n) */
    double *b;                 /* (n,n) block, its factor */
    double *inverse, *scratch; /* (n,n), (64,n) */
    double *errors;            /* (n) */
    double *x;                 /* sparse: (n_weight,n) */
} fold_work;

static void fill_dense(const leaving *l, const fold_work *w)
{
    for (int64_t i = 0; i < w->n; i++) {
        w->errors[i] = l->delta->weights[w->rows[i]];
        for (int64_t j = 0; j < w->n; j++)
            w->b[i * w->n + j] = l->inverse[w->rows[i] * l->delta->rows.n_row + w->rows[j]];
    }
}

static void fill_sparse(const leaving *l, const fold_work *w)
{
    int64_t n_weight = l->delta->inducing.n + l->delta->form.n_element, n_row = l->delta->rows.n_row;
    for (int64_t i = 0; i < w->n; i++)
        w->errors[i] = l->scaled[w->rows[i]];
    for (int64_t j = 0; j < n_weight; j++)
        for (int64_t i = 0; i < w->n; i++)
            w->x[j * w->n + i] = l->solved[j * n_row + w->rows[i]];
    memset(w->b, 0, (size_t)(w->n * w->n) * sizeof *w->b);
    chgi_gemm(true, false, w->n, w->n, n_weight, -1, w->x, w->n, w->x, w->n, w->b, w->n);
    for (int64_t i = 0; i < w->n; i++)
        w->b[i * w->n + i] += 1;
}

static chgnet_status leave_rows(chgnet_context *ctx, const leaving *l, const fold_work *w)
{
    bool sparse = l->delta->inducing.n > 0;
    (sparse ? fill_sparse : fill_dense)(l, w);
    if (!chgi_cholesky_factor(w->n, 0, w->b, w->n))
        return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                 "the labels left out together have no regular covariance; more "
                                 "noise or smaller folds would help");
    chgi_lower_solve(w->n, w->b, w->n, 1, w->errors, 1);
    chgi_lower_solve_transposed(w->n, w->b, w->n, 1, w->errors, 1);
    chgi_cholesky_invert(w->n, w->b, w->n, w->inverse, w->n, w->scratch);
    for (int64_t i = 0; i < w->n; i++) {
        int64_t r = w->rows[i];
        double noise = l->variance[r], all = w->inverse[i * w->n + i];
        double error = sparse ? sqrt(noise) * w->errors[i] : w->errors[i];
        double variance = sparse ? noise * (all - 1) + l->remainder[r] : all - noise - l->delta->jitter;
        l->mean[r] = l->delta->rows.targets[r] - error;
        l->std[r] = l->delta->std_scale * sqrt(fmax(variance, 0));
    }
    return CHGNET_OK;
}

static chgnet_status leave_fold(chgnet_context *ctx, const leaving *l, int64_t n, int64_t *rows)
{
    chgi_arena arena = {0};
    fold_work w = {.n = n, .rows = rows};
    size_t size = (size_t)n, x = l->delta->inducing.n ? (size_t)(l->delta->inducing.n + l->delta->form.n_element) : 0;
    for (int pass = 0; pass < 2; pass++) {
        w.b = chgi_arena_take(&arena, size, size * sizeof *w.b);
        w.inverse = chgi_arena_take(&arena, size, size * sizeof *w.b);
        w.scratch = chgi_arena_take(&arena, size, 64 * sizeof *w.b);
        w.errors = chgi_arena_take(&arena, size, sizeof *w.b);
        w.x = chgi_arena_take(&arena, size, x * sizeof *w.b);
        if (!pass)
            CHGI_TRY(chgi_arena_reserve(ctx, &arena, arena.used));
    }
    chgnet_status status = leave_rows(ctx, l, &w);
    chgi_arena_destroy(&arena);
    return status;
}

/* Folds one after the other, in the order of their first labels. */
static chgnet_status leave_all(chgnet_context *ctx, const leaving *l, const int32_t *fold)
{
    const chgi_rows *rows = &l->delta->rows;
    int64_t *list = chgi_memory_new((size_t)rows->n_row, sizeof *list);
    bool *done = chgi_memory_new((size_t)rows->n_label, sizeof *done);
    chgnet_status status = list && done ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)rows->n_row, sizeof *list);
    for (int64_t a = 0; status == CHGNET_OK && a < rows->n_label; a++) {
        int64_t n = 0;
        for (int64_t b = a; b < rows->n_label && !done[a]; b++)
            if (b == a || (fold && fold[b] == fold[a])) {
                for (int64_t r = rows->row_start[b]; r < rows->row_start[b + 1]; r++)
                    list[n++] = r;
                if (b > a)
                    done[b] = true;
            }
        done[a] = true;
        if (n)
            status = leave_fold(ctx, l, n, list);
    }
    chgi_memory_free(list);
    chgi_memory_free(done);
    return status;
}

/* ---- results -------------------------------------------------------------------------------------------------------
 */

static void give(const leaving *l, double *energy, double *energy_std, double *force, double *force_std)
{
    const chgi_rows *rows = &l->delta->rows;
    int64_t next = 0;
    for (int64_t a = 0; a < rows->n_label; a++) {
        int64_t row = rows->row_start[a];
        energy[a] = rows->has_energy[a] ? l->mean[row] : NAN;
        energy_std[a] = rows->has_energy[a] ? l->std[row] : NAN;
        for (int64_t r = row + rows->has_energy[a]; r < rows->row_start[a + 1]; r++, next++) {
            if (force)
                force[next] = l->mean[r];
            if (force_std)
                force_std[next] = l->std[r];
        }
    }
}

static chgnet_status allocate(chgnet_context *ctx, chgi_arena *arena, leaving *l)
{
    size_t row = (size_t)l->delta->rows.n_row, n = (size_t)l->delta->inducing.n, size = sizeof(double);
    size_t weight = n + (size_t)l->delta->form.n_element;
    for (int pass = 0; pass < 2; pass++) {
        l->variance = chgi_arena_take(arena, row, size);
        l->mean = chgi_arena_take(arena, row, size);
        l->std = chgi_arena_take(arena, row, size);
        l->inverse = chgi_arena_take(arena, row, (n ? 0 : row + 64) * size);
        l->columns = chgi_arena_take(arena, row, (n ? weight : 0) * size);
        l->solved = chgi_arena_take(arena, row, (n ? weight : 0) * size);
        l->scaled = chgi_arena_take(arena, row, size);
        l->remainder = chgi_arena_take(arena, row, size);
        if (!pass)
            CHGI_TRY(chgi_arena_reserve(ctx, arena, arena->used));
    }
    return CHGNET_OK;
}

chgnet_status chgi_delta_leave_out(chgnet_context *ctx, const chgi_delta *delta, const int32_t *fold, double *energy,
                                   double *energy_std, double *force, double *force_std)
{
    leaving l = {.delta = delta};
    chgi_arena arena = {0};
    int64_t n = delta->rows.n_row;
    chgnet_status status;
    CHGI_TRY_CLEANUP(allocate(ctx, &arena, &l));
    chgi_noise_fill(&delta->choice, &delta->rows, l.variance);
    if (delta->inducing.n)
        CHGI_TRY_CLEANUP(prepare_sparse(ctx, &l));
    else
        chgi_cholesky_invert(n, delta->factor, n, l.inverse, n, l.inverse + n * n);
    CHGI_TRY_CLEANUP(leave_all(ctx, &l, fold));
    give(&l, energy, energy_std, force, force_std);
cleanup:
    chgi_arena_destroy(&arena);
    return status;
}
