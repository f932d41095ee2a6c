/* The sparse Gaussian process: the deterministic training conditional on M inducing points, as least squares.
 *
 * Weights w of the inducing points have the prior precision Kmm = L L^T, and those of the offsets' columns 1.  With
 * Phi = [Knm, spread H] and noise variances V the evidence is that of y ~ N(0, Phi P^-1 Phi^T + V), P = (Kmm, 1): the
 * kernel matrix's own remainder (the "trace term" of variational bounds) is left out.  The stacked system
 * [V^-1/2 Phi; P^1/2] is solved by QR.
 * Sources: J. Quinonero-Candela and C. E. Rasmussen, J. Mach. Learn. Res. 6, 1939 (2005); L. Foster et al.,
 * J. Mach. Learn. Res. 10, 857 (2009). */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"
#include "math/qr.h"

static const double log_two_pi = 1.83787706640934548356;
enum { BATCH = 2048 }; /* rows that enter the triangle at once */

void chgi_sparse_columns(const chgi_form *form, const chgi_covariance *covariance, double offset_spread,
                         const chgi_rows *rows, const chgi_centres *inducing, chgi_team *team, double *columns)
{
    int64_t n_weight = inducing->n + rows->n_element;
    chgi_matrix_columns(form, covariance, rows, inducing, columns, n_weight, team);
    for (int64_t a = 0; a < rows->n_label; a++)
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++)
            for (int e = 0; e < rows->n_element; e++) {
                bool is_energy = rows->has_energy[a] && r == rows->row_start[a];
                columns[r * n_weight + inducing->n + e] =
                    is_energy ? offset_spread * rows->count[a * rows->n_element + e] : 0;
            }
}

/* ---- normal equations ----------------------------------------------------------------------------------------------
 */

static void transpose(int64_t n, const double *from, int64_t ldf, double *to, int64_t ldt)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            to[i * ldt + j] = from[j * ldf + i];
}

/* One batch of rows, scaled by their noise, with the residual as last column. */
static void fill_batch(int64_t n_weight, int64_t from, int64_t count, const double *variance, const double *columns,
                       const double *residual, double *batch)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        double scale = 1 / sqrt(variance[from + i]);
        const double *row = columns + (from + i) * n_weight;
        for (int64_t j = 0; j < n_weight; j++)
            batch[i * (n_weight + 1) + j] = scale * row[j];
        batch[i * (n_weight + 1) + n_weight] = scale * residual[from + i];
    }
}

chgnet_status chgi_sparse_absorb(chgnet_context *ctx, int64_t n_weight, int64_t n_row, const double *variance,
                                 const double *columns, const double *residual, double *normal_factor,
                                 double *normal_target, double *normal_rest)
{
    int64_t ld = n_weight + 1, most = n_row < BATCH ? n_row : BATCH;
    double *triangle = chgi_memory_raw((size_t)(n_weight * ld) * sizeof *triangle);
    double *batch = chgi_memory_raw((size_t)(most * ld) * sizeof *batch);
    double *scratch = chgi_memory_raw((size_t)chgi_qr_scratch(most, ld) * sizeof *scratch);
    bool there = triangle && batch && scratch;
    if (there) {
        transpose(n_weight, normal_factor, n_weight, triangle, ld);
        for (int64_t i = 0; i < n_weight; i++)
            triangle[i * ld + n_weight] = normal_target[i];
        for (int64_t from = 0; from < n_row; from += BATCH) {
            int64_t count = from + BATCH < n_row ? BATCH : n_row - from;
            fill_batch(n_weight, from, count, variance, columns, residual, batch);
            chgi_qr_update(n_weight, ld, triangle, ld, count, batch, ld, scratch);
            for (int64_t i = 0; i < count; i++)
                *normal_rest += batch[i * ld + n_weight] * batch[i * ld + n_weight];
        }
        for (int64_t i = 0; i < n_weight; i++)
            normal_target[i] = triangle[i * ld + n_weight];
        transpose(n_weight, triangle, ld, normal_factor, n_weight);
        for (int64_t i = 0; i < n_weight; i++)
            memset(normal_factor + i * n_weight + i + 1, 0, (size_t)(n_weight - i - 1) * sizeof *normal_factor);
    }
    chgi_memory_free(triangle);
    chgi_memory_free(batch);
    chgi_memory_free(scratch);
    return there ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)(n_weight + most), (size_t)ld * sizeof(double));
}

/* The prior's triangle: L of the inducing points, 1 for the offsets. */
static void start_normal(chgi_problem *p)
{
    int64_t n = p->inducing->n, n_weight = n + p->rows->n_element;
    memset(p->normal_factor, 0, (size_t)(n_weight * n_weight) * sizeof *p->normal_factor);
    memset(p->normal_target, 0, (size_t)n_weight * sizeof *p->normal_target);
    for (int64_t i = 0; i < n; i++)
        memcpy(p->normal_factor + i * n_weight, p->inducing_factor + i * n, (size_t)(i + 1) * sizeof *p->normal_factor);
    for (int64_t i = n; i < n_weight; i++)
        p->normal_factor[i * n_weight + i] = 1;
    p->normal_rest = 0;
}

/* Inducing points are alike to rounding more often than rows are, and no noise keeps them apart: so a jitter of up to
 * 1e-6 is nothing to warn of below 1e-9 of the diagonal. */
static chgnet_status factor_inducing(chgnet_context *ctx, chgi_problem *p, bool mend, bool *done)
{
    int64_t n = p->inducing->n;
    double relative = 0, diagonal = chgi_covariance_diagonal(&p->choice->covariance);
    for (*done = false;; relative = relative > 0 ? 10 * relative : 1e-13) {
        chgi_matrix_centres(p->form, &p->choice->covariance, p->inducing, p->inducing, p->inducing_factor, n, &p->team);
        for (int64_t i = 0; i < n; i++)
            p->inducing_factor[i * n + i] += relative * diagonal;
        *done = chgi_cholesky_factor(n, 0, p->inducing_factor, n);
        p->jitter = relative > 1e-9 ? relative * diagonal : 0;
        if (*done)
            break;
        if (relative > 0.5e-6 && !mend)
            return CHGNET_OK;
        if (relative > 0.5e-6)
            return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                     "the matrix of %lld inducing points has no Cholesky factor even with 1e-6 of its "
                                     "diagonal added; fewer points would help",
                                     (long long)n);
    }
    for (int64_t i = 0; i < n; i++)
        memset(p->inducing_factor + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *p->inducing_factor);
    return CHGNET_OK;
}

/* ---- gradient ------------------------------------------------------------------------------------------------------
 */

typedef struct slopes {
    double *variance; /* (n_row) */
    double *by_row;   /* (n_row) V^-1 (y - Phi w): the dense form's K^-1 y */
    double *x;        /* (n_weight,n_row) */
    double *columns;  /* (n_row,n_inducing) derivative by Knm */
    double *inducing; /* (n_inducing,n_inducing) derivative by Kmm */
    double *inverse;  /* (n_weight,n_weight) */
    double *scratch;  /* (64,n_weight) */
} slopes;

static void noise_gradient(const chgi_problem *p, const slopes *s, double *gradient)
{
    const chgi_rows *rows = p->rows;
    int64_t n_weight = p->inducing->n + rows->n_element;
    for (int64_t a = 0; a < rows->n_label; a++)
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++) {
            double v = s->variance[r], hat = 0;
            for (int64_t j = 0; j < n_weight; j++) /* phi . Sigma phi; the solved columns are divided by v later */
                hat += p->columns[r * n_weight + j] * s->x[j * rows->n_row + r];
            bool is_energy = rows->has_energy[a] && r == rows->row_start[a];
            gradient[!is_energy] += s->by_row[r] * s->by_row[r] * v - (1 - hat / v);
        }
}

/* Derivative by Knm: by_row w^T - V^-1 Phi Sigma; by Kmm: -(w w^T - Kmm^-1 + Sigma)/2. */
static void fill_adjoints(const chgi_problem *p, const slopes *s)
{
    int64_t n = p->inducing->n, n_row = p->rows->n_row, n_weight = n + p->rows->n_element;
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < n_row; r++)
        for (int64_t j = 0; j < n; j++)
            s->columns[r * n + j] = s->by_row[r] * p->weights[j] - s->x[j * n_row + r] / s->variance[r];
    chgi_cholesky_invert(n, p->inducing_factor, n, s->inducing, n, s->scratch);
    chgi_cholesky_invert(n_weight, p->normal_factor, n_weight, s->inverse, n_weight, s->scratch);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            s->inducing[i * n + j] =
                -0.5 * (p->weights[i] * p->weights[j] - s->inducing[i * n + j] + s->inverse[i * n_weight + j]);
}

static void find_gradient(chgi_problem *p, const slopes *s, double *gradient)
{
    const chgi_covariance *covariance = &p->choice->covariance;
    int64_t n = p->inducing->n, n_row = p->rows->n_row, n_weight = n + p->rows->n_element;
    int n_covariance = chgi_covariance_count(covariance);
    memset(gradient, 0, (size_t)(n_covariance + 2) * sizeof *gradient);
    for (int64_t r = 0; r < n_row; r++) {
        double model = chgi_vector_dot(n_weight, p->columns + r * n_weight, p->weights);
        s->by_row[r] = (p->residual[r] - model) / s->variance[r];
        for (int64_t j = 0; j < n_weight; j++)
            s->x[j * n_row + r] = p->columns[r * n_weight + j];
    }
    chgi_lower_solve(n_weight, p->normal_factor, n_weight, n_row, s->x, n_row);
    chgi_lower_solve_transposed(n_weight, p->normal_factor, n_weight, n_row, s->x, n_row);
    noise_gradient(p, s, gradient + n_covariance);
    fill_adjoints(p, s);
    chgi_matrix_columns_reverse(p->form, covariance, p->rows, p->inducing, s->columns, n, &p->team, gradient);
    chgi_matrix_centres_reverse(p->form, covariance, p->inducing, s->inducing, n, &p->team, gradient);
}

static bool take_slopes(const chgi_problem *p, chgi_arena *arena, slopes *s)
{
    size_t n = (size_t)p->inducing->n, row = (size_t)p->rows->n_row, weight = n + (size_t)p->rows->n_element;
    size_t size = sizeof(double);
    s->variance = chgi_arena_take(arena, row, size);
    s->by_row = chgi_arena_take(arena, row, size);
    s->x = chgi_arena_take(arena, row, weight * size);
    s->columns = chgi_arena_take(arena, row, n * size);
    s->inducing = chgi_arena_take(arena, n, n * size);
    s->inverse = chgi_arena_take(arena, weight, weight * size);
    s->scratch = chgi_arena_take(arena, weight, 64 * size);
    return arena->base != NULL;
}

/* ---- likelihood ----------------------------------------------------------------------------------------------------
 */

static chgnet_status solve(chgnet_context *ctx, chgi_problem *p, const double *variance, double *value)
{
    int64_t n = p->inducing->n, n_row = p->rows->n_row, n_weight = n + p->rows->n_element;
    double noise = 0;
    chgi_sparse_columns(p->form, &p->choice->covariance, p->offset_spread, p->rows, p->inducing, &p->team, p->columns);
    start_normal(p);
    CHGI_TRY(chgi_sparse_absorb(ctx, n_weight, n_row, variance, p->columns, p->residual, p->normal_factor,
                                p->normal_target, &p->normal_rest));
    memcpy(p->weights, p->normal_target, (size_t)n_weight * sizeof *p->weights);
    chgi_lower_solve_transposed(n_weight, p->normal_factor, n_weight, 1, p->weights, 1);
    for (int64_t r = 0; r < n_row; r++)
        noise += log(variance[r]);
    *value = -0.5 * (p->normal_rest + noise + chgi_cholesky_log_determinant(n_weight, p->normal_factor, n_weight) -
                     chgi_cholesky_log_determinant(n, p->inducing_factor, n) + (double)n_row * log_two_pi);
    return CHGNET_OK;
}

chgnet_status chgi_sparse_evaluate(chgnet_context *ctx, chgi_problem *p, bool mend, double *value, double *gradient)
{
    chgi_arena arena = {0};
    slopes s;
    bool done;
    chgnet_status status;
    *value = -INFINITY;
    take_slopes(p, &arena, &s);
    if (!gradient) { /* only the variances are used */
        arena.used = 0;
        chgi_arena_take(&arena, (size_t)p->rows->n_row, sizeof(double));
    }
    CHGI_TRY_CLEANUP(chgi_arena_reserve(ctx, &arena, arena.used));
    if (gradient)
        take_slopes(p, &arena, &s);
    else
        s.variance = chgi_arena_take(&arena, (size_t)p->rows->n_row, sizeof(double));
    CHGI_TRY_CLEANUP(factor_inducing(ctx, p, mend, &done));
    if (!done)
        goto cleanup;
    chgi_noise_fill(p->choice, p->rows, s.variance);
    CHGI_TRY_CLEANUP(solve(ctx, p, s.variance, value));
    if (gradient)
        find_gradient(p, &s, gradient);
cleanup:
    chgi_arena_destroy(&arena);
    return status;
}
