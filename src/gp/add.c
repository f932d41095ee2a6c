/* New labels without a new fit. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

static const double log_two_pi = 1.83787706640934548356;

/* ---- dense ---------------------------------------------------------------------------------------------------------
 */

static chgnet_status solve_again(chgi_problem *p, double *value)
{
    int64_t n = p->rows->n_row;
    memcpy(p->weights, p->residual, (size_t)n * sizeof *p->weights);
    chgi_lower_solve(n, p->k, n, 1, p->weights, 1);
    double square = chgi_vector_dot(n, p->weights, p->weights);
    chgi_lower_solve_transposed(n, p->k, n, 1, p->weights, 1);
    *value = -0.5 * (square + chgi_cholesky_log_determinant(n, p->k, n) + (double)n * log_two_pi);
    return CHGNET_OK;
}

/* The old factor is the new one's beginning; new rows follow.  Where that fails the whole matrix is factored anew, with
 * the jitter that it needs. */
static chgnet_status grow_dense(chgnet_context *ctx, const chgi_delta *delta, chgi_problem *p, double *value)
{
    int64_t old = delta->rows.n_row, n = p->rows->n_row;
    CHGI_TRY(chgi_problem_allocate(ctx, p, false));
    for (int64_t i = 0; i < old; i++)
        memcpy(p->k + i * n, delta->factor + i * old, (size_t)(i + 1) * sizeof *p->k);
    chgi_dense_fill(p->form, p->choice, p->offset_spread, p->rows, delta->rows.n_label, &p->team, p->k);
    p->jitter = delta->jitter;
    for (int64_t i = old; i < n; i++)
        p->k[i * n + i] += p->jitter;
    if (chgi_cholesky_factor(n, old, p->k, n))
        return solve_again(p, value);
    return chgi_problem_evaluate(ctx, p, true, value, NULL);
}

/* ---- sparse --------------------------------------------------------------------------------------------------------
 */

static double *copy_of(const double *from, int64_t a, int64_t b)
{
    size_t bytes = (size_t)a * (size_t)b * sizeof *from;
    double *copy = chgi_memory_raw(bytes);
    return copy ? memcpy(copy, from, bytes) : NULL;
}

/* Only the new rows enter; `fresh` are those alone, with their residuals and variances. */
static chgnet_status grow_sparse(chgnet_context *ctx, const chgi_delta *delta, const chgi_rows *fresh, chgi_problem *p,
                                 double *value)
{
    int64_t n = delta->inducing.n, n_weight = n + fresh->n_element, first = delta->rows.n_row, all = p->rows->n_row;
    double *variance = chgi_memory_new((size_t)all, sizeof *variance), noise = 0;
    chgnet_status status = CHGNET_OK;
    p->inducing_factor = copy_of(delta->inducing_factor, n, n);
    p->normal_factor = copy_of(delta->normal_factor, n_weight, n_weight);
    p->normal_target = copy_of(delta->normal_target, n_weight, 1);
    p->weights = chgi_memory_new((size_t)n_weight, sizeof *p->weights);
    p->columns = chgi_memory_new((size_t)fresh->n_row, (size_t)n_weight * sizeof *p->columns);
    p->normal_rest = delta->normal_rest;
    p->jitter = delta->jitter;
    if (!variance || !p->inducing_factor || !p->normal_factor || !p->normal_target || !p->weights || !p->columns)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)n_weight, (size_t)(3 * n_weight) * sizeof(double)));
    CHGI_TRY_CLEANUP(chgi_team_create(ctx, fresh, &p->team));
    chgi_sparse_columns(&delta->form, &delta->choice.covariance, p->offset_spread, fresh, &delta->inducing, &p->team,
                        p->columns);
    chgi_noise_fill(p->choice, p->rows, variance);
    CHGI_TRY_CLEANUP(chgi_sparse_absorb(ctx, n_weight, fresh->n_row, variance + first, p->columns, p->residual + first,
                                        p->normal_factor, p->normal_target, &p->normal_rest));
    memcpy(p->weights, p->normal_target, (size_t)n_weight * sizeof *p->weights);
    chgi_lower_solve_transposed(n_weight, p->normal_factor, n_weight, 1, p->weights, 1);
    for (int64_t r = 0; r < all; r++)
        noise += log(variance[r]);
    *value = -0.5 * (p->normal_rest + noise + chgi_cholesky_log_determinant(n_weight, p->normal_factor, n_weight) -
                     chgi_cholesky_log_determinant(n, p->inducing_factor, n) + (double)all * log_two_pi);
cleanup:
    chgi_memory_free(variance);
    return status;
}

/* ---- both ----------------------------------------------------------------------------------------------------------
 */

/* A copy of the model without its solution and rows: what is made there replaces the model only when all went well. */
static chgnet_status start_copy(chgnet_context *ctx, const chgi_delta *delta, chgi_delta **copy)
{
    const chgi_form *form = &delta->form;
    size_t group = (size_t)form->n_group * (size_t)form->width;
    CHGI_TRY(chgi_delta_create(ctx, &delta->choice, copy));
    chgi_delta *made = *copy;
    CHGI_TRY(chgi_form_create(ctx, &delta->choice, form->n_feature, form->n_element, form->elements, &made->form));
    memcpy(made->form.mean, form->mean, group * sizeof *form->mean);
    memcpy(made->form.scale, form->scale, group * sizeof *form->scale);
    CHGI_TRY(chgi_delta_allocate_offsets(ctx, made));
    memcpy(made->offset_centre, delta->offset_centre, (size_t)form->n_element * sizeof(double));
    made->log_prior = delta->log_prior;
    made->std_scale = delta->std_scale;
    made->n_evaluation = delta->n_evaluation;
    if (!delta->inducing.n)
        return CHGNET_OK;
    CHGI_TRY(chgi_centres_create(ctx, delta->inducing.n, form->n_group, form->width, &made->inducing));
    memcpy(made->inducing.start, delta->inducing.start, ((size_t)form->n_group + 1) * sizeof(int64_t));
    memcpy(made->inducing.x, delta->inducing.x, (size_t)(delta->inducing.n * form->width) * sizeof(double));
    chgi_centres_finish(&made->inducing);
    return CHGNET_OK;
}

static chgnet_status check_memory(chgnet_context *ctx, const chgi_delta *delta, const chgi_rows *fresh)
{
    double n = (double)(delta->rows.n_row + fresh->n_row), needed = delta->inducing.n ? 0 : 2 * n * n * sizeof(double);
    double there = (double)chgi_memory_physical();
    if (needed <= there)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_ENOMEM,
                             "adding to the delta-model needs %.1f GB and this machine has %.1f; a "
                             "sparse model would fit",
                             needed / 1e9, there / 1e9);
}

chgnet_status chgi_delta_add(chgnet_context *ctx, chgi_delta *delta, int64_t n_label, const chgi_label *labels)
{
    chgi_delta *made = NULL;
    chgi_rows fresh = {0};
    chgi_problem problem = {0};
    double *residual = NULL;
    chgnet_status status;
    CHGI_TRY(chgi_rows_check(ctx, delta->form.n_feature, n_label, labels));
    CHGI_TRY_CLEANUP(chgi_rows_create(ctx, &delta->form, false, false, n_label, labels, &fresh));
    CHGI_TRY_CLEANUP(check_memory(ctx, delta, &fresh));
    CHGI_TRY_CLEANUP(start_copy(ctx, delta, &made));
    CHGI_TRY_CLEANUP(chgi_rows_join(ctx, &delta->rows, &fresh, &made->rows));
    residual = chgi_memory_new((size_t)made->rows.n_row, sizeof *residual);
    if (!residual)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)made->rows.n_row, sizeof *residual));
    chgi_delta_residual(made, &made->rows, residual);
    problem = chgi_delta_problem(made, residual);
    CHGI_TRY_CLEANUP(delta->inducing.n ? grow_sparse(ctx, delta, &fresh, &problem, &made->log_likelihood)
                                       : grow_dense(ctx, delta, &problem, &made->log_likelihood));
    chgi_delta_take_solution(made, &problem);
    CHGI_TRY_CLEANUP(chgi_delta_collapse(ctx, made));
    chgi_delta old = *delta; /* the two change places */
    *delta = *made;
    *made = old;
    if (delta->choice.offsets)
        delta->choice.offsets = delta->given;
cleanup:
    chgi_problem_destroy(&problem);
    chgi_rows_destroy(&fresh);
    chgi_memory_free(residual);
    chgi_delta_destroy(made);
    return status;
}
