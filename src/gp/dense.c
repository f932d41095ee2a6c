/* The dense Gaussian process: likelihood, its gradient, factor and weights. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

static const double log_two_pi = 1.83787706640934548356;

void chgi_noise_fill(const chgi_delta_choice *choice, const chgi_rows *rows, double *variance)
{
    double energy = choice->noise_energy.value, force = choice->noise_force.value;
    for (int64_t a = 0; a < rows->n_label; a++)
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++) {
            bool is_energy = rows->has_energy[a] && r == rows->row_start[a];
            variance[r] = is_energy ? energy * energy : force * force;
        }
}

/* Offsets: spread^2 sum_s n_s(A) n_s(B) between energies. */
static void add_offsets(const chgi_rows *rows, double spread, int64_t first, double *k)
{
    for (int64_t a = first; a < rows->n_label; a++)
        for (int64_t b = 0; b <= a && rows->has_energy[a]; b++)
            if (rows->has_energy[b])
                k[rows->row_start[a] * rows->n_row + rows->row_start[b]] +=
                    spread * spread *
                    chgi_vector_dot(rows->n_element, rows->count + a * rows->n_element,
                                    rows->count + b * rows->n_element);
}

void chgi_dense_fill(const chgi_form *form, const chgi_delta_choice *choice, double offset_spread,
                     const chgi_rows *rows, int64_t first, chgi_team *team, double *k)
{
    double energy = choice->noise_energy.value, force = choice->noise_force.value;
    chgi_matrix_fill(form, &choice->covariance, rows, first, k, rows->n_row, team);
    if (offset_spread > 0)
        add_offsets(rows, offset_spread, first, k);
    for (int64_t a = first; a < rows->n_label; a++)
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++) {
            bool is_energy = rows->has_energy[a] && r == rows->row_start[a];
            k[r * rows->n_row + r] += is_energy ? energy * energy : force * force;
        }
}

/* ---- factor ------------------------------------------------------------------------------------------------------ */

/* Factor, with the smallest jitter of 0, 1e-12, 1e-11 .. 1e-6 times the mean of the diagonal that makes one exist. */
static chgnet_status factor(chgnet_context *ctx, chgi_problem *p, bool mend, bool *done)
{
    int64_t n = p->rows->n_row;
    double relative = 0, mean = 0;
    *done = false;
    for (p->jitter = 0;; relative = relative > 0 ? 10 * relative : 1e-12) {
        chgi_dense_fill(p->form, p->choice, p->offset_spread, p->rows, 0, &p->team, p->k);
        if (mean == 0)
            for (int64_t i = 0; i < n; i++)
                mean += p->k[i * n + i] / (double)n;
        p->jitter = relative * mean;
        for (int64_t i = 0; i < n; i++)
            p->k[i * n + i] += p->jitter;
        *done = chgi_cholesky_factor(n, 0, p->k, n);
        if (*done || !mend)
            return CHGNET_OK;
        if (relative > 0.5e-6 || !isfinite(mean))
            return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                     "the kernel matrix of %lld rows has no Cholesky factor even with 1e-6 of its "
                                     "diagonal added; more noise, or fewer labels alike, would help",
                                     (long long)n);
    }
}

/* ---- gradient ---------------------------------------------------------------------------------------------------- */

/* The inverse becomes (weights weights^T - K^-1)/2: the likelihood's derivative by the elements of K. */
static void make_adjoint(const chgi_problem *p)
{
    int64_t n = p->rows->n_row;
    chgi_cholesky_invert(n, p->k, n, p->inverse, n, p->scratch);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            p->inverse[i * n + j] = 0.5 * (p->weights[i] * p->weights[j] - p->inverse[i * n + j]);
}

static void find_gradient(chgi_problem *p, double *gradient)
{
    const chgi_rows *rows = p->rows;
    int n_covariance = chgi_covariance_count(&p->choice->covariance);
    double energy = p->choice->noise_energy.value, force = p->choice->noise_force.value;
    memset(gradient, 0, (size_t)(n_covariance + 2) * sizeof *gradient);
    make_adjoint(p);
    chgi_matrix_reverse(p->form, &p->choice->covariance, rows, p->inverse, rows->n_row, &p->team, gradient);
    for (int64_t a = 0; a < rows->n_label; a++)
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++) {
            bool is_energy = rows->has_energy[a] && r == rows->row_start[a];
            double noise = is_energy ? energy : force;
            gradient[n_covariance + !is_energy] += 2 * noise * noise * p->inverse[r * rows->n_row + r];
        }
}

chgnet_status chgi_dense_evaluate(chgnet_context *ctx, chgi_problem *p, bool mend, double *value, double *gradient)
{
    int64_t n = p->rows->n_row;
    bool done;
    *value = -INFINITY;
    CHGI_TRY(factor(ctx, p, mend, &done));
    if (!done)
        return CHGNET_OK;
    memcpy(p->weights, p->residual, (size_t)n * sizeof *p->weights);
    chgi_lower_solve(n, p->k, n, 1, p->weights, 1);
    double square = chgi_vector_dot(n, p->weights, p->weights);
    chgi_lower_solve_transposed(n, p->k, n, 1, p->weights, 1);
    *value = -0.5 * (square + chgi_cholesky_log_determinant(n, p->k, n) + (double)n * log_two_pi);
    if (gradient)
        find_gradient(p, gradient);
    return CHGNET_OK;
}
