/* From weights of rows to weights of points: what a prediction reads. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

void chgi_delta_spread_weights(const chgi_delta *delta, const double *weights, double *by_value, double *by_slope,
                               double *slope_own)
{
    const chgi_rows *rows = &delta->rows;
    int width = rows->width;
    for (int64_t a = 0; a < rows->n_label; a++) {
        int64_t m = chgi_rows_forces(rows, a), row = rows->row_start[a];
        for (int64_t p = rows->point_start[a]; p < rows->point_start[a + 1]; p++) {
            int64_t centre = delta->origin[p];
            const double *jacobian = rows->jacobian + rows->jacobian_start[a] + (p - rows->point_start[a]) * m * width;
            by_value[centre] = rows->has_energy[a] ? weights[row] : 0;
            if (!by_slope)
                continue;
            double *slope = by_slope + centre * width;
            memset(slope, 0, (size_t)width * sizeof *slope);
            for (int64_t k = 0; k < m; k++)
                chgi_vector_add(width, weights[row + rows->has_energy[a] + k], jacobian + k * width, slope);
            slope_own[centre] = chgi_vector_dot(width, slope, rows->points + p * width);
        }
    }
}

/* All points of the training set, sorted by group; points of one group keep their order. */
static void sort_points(const chgi_rows *rows, chgi_centres *centres, int64_t *origin)
{
    for (int64_t p = 0; p < rows->n_point; p++)
        centres->start[rows->groups[p] + 1]++;
    for (int g = 0; g < centres->n_group; g++)
        centres->start[g + 1] += centres->start[g];
    for (int32_t g = 0; g < centres->n_group; g++) {
        int64_t next = centres->start[g];
        for (int64_t p = 0; p < rows->n_point; p++)
            if (rows->groups[p] == g) {
                origin[p] = next;
                centres->square[next] = rows->square[p];
                memcpy(centres->x + next * rows->width, rows->points + p * rows->width,
                       (size_t)rows->width * sizeof(double));
                next++;
            }
    }
}

static void copy_inducing(const chgi_centres *from, chgi_centres *to)
{
    memcpy(to->start, from->start, ((size_t)from->n_group + 1) * sizeof *to->start);
    memcpy(to->x, from->x, (size_t)(from->n * from->width) * sizeof *to->x);
    memcpy(to->square, from->square, (size_t)from->n * sizeof *to->square);
}

/* Posterior of the offsets from the rows' weights; their variance spread^2 - h^T K^-1 h, h = spread^2 n_s. */
static void dense_offsets(chgi_delta *delta, double *h)
{
    const chgi_rows *rows = &delta->rows;
    double spread = chgi_delta_offset_spread(delta), square = spread * spread;
    for (int e = 0; e < rows->n_element; e++) {
        double sum = 0;
        memset(h, 0, (size_t)rows->n_row * sizeof *h);
        for (int64_t a = 0; a < rows->n_label; a++)
            if (rows->has_energy[a]) {
                h[rows->row_start[a]] = square * rows->count[a * rows->n_element + e];
                sum += h[rows->row_start[a]] * delta->weights[rows->row_start[a]];
            }
        chgi_lower_solve(rows->n_row, delta->factor, rows->n_row, 1, h, 1);
        delta->offsets[e] = delta->offset_centre[e] + sum;
        delta->offset_std[e] = sqrt(fmax(square - chgi_vector_dot(rows->n_row, h, h), 0));
    }
}

static void sparse_offsets(chgi_delta *delta, double *h)
{
    int64_t n = delta->inducing.n, n_weight = n + delta->form.n_element;
    double spread = chgi_delta_offset_spread(delta);
    for (int e = 0; e < delta->form.n_element; e++) {
        memset(h, 0, (size_t)n_weight * sizeof *h);
        h[n + e] = spread;
        chgi_lower_solve(n_weight, delta->normal_factor, n_weight, 1, h, 1);
        delta->offsets[e] = delta->offset_centre[e] + spread * delta->weights[n + e];
        delta->offset_std[e] = sqrt(chgi_vector_dot(n_weight, h, h));
    }
}

static void drop_centres(chgi_delta *delta)
{
    chgi_centres_destroy(&delta->centres);
    chgi_memory_free(delta->origin);
    chgi_memory_free(delta->by_value);
    chgi_memory_free(delta->by_slope);
    chgi_memory_free(delta->slope_own);
    chgi_memory_free(delta->inducing_group);
    delta->origin = NULL;
    delta->inducing_group = NULL;
    delta->by_value = delta->by_slope = delta->slope_own = NULL;
}

static chgnet_status allocate_centres(chgnet_context *ctx, chgi_delta *delta, bool slopes)
{
    int64_t n = delta->inducing.n ? delta->inducing.n : delta->rows.n_point;
    size_t width = (size_t)delta->form.width, count = (size_t)n;
    CHGI_TRY(chgi_centres_create(ctx, n, delta->form.n_group, delta->form.width, &delta->centres));
    delta->origin = chgi_memory_new((size_t)delta->rows.n_point, sizeof *delta->origin);
    delta->by_value = chgi_memory_new(count, sizeof *delta->by_value);
    delta->slope_own = chgi_memory_new(count, sizeof *delta->slope_own);
    delta->by_slope = slopes ? chgi_memory_new(count * width, sizeof *delta->by_slope) : NULL;
    delta->inducing_group = chgi_memory_new((size_t)delta->inducing.n, sizeof *delta->inducing_group);
    for (int32_t g = 0; delta->inducing.n && delta->inducing_group && g < delta->form.n_group; g++)
        for (int64_t j = delta->inducing.start[g]; j < delta->inducing.start[g + 1]; j++)
            delta->inducing_group[j] = g;
    if (delta->inducing_group && delta->origin && delta->by_value && delta->slope_own && (delta->by_slope || !slopes))
        return CHGNET_OK;
    return chgi_context_nomem(ctx, count * width, sizeof *delta->by_slope);
}

chgnet_status chgi_delta_collapse(chgnet_context *ctx, chgi_delta *delta)
{
    int64_t n = delta->inducing.n, n_weight = n ? n + delta->form.n_element : delta->rows.n_row;
    double *h = chgi_memory_new((size_t)n_weight, sizeof *h);
    chgnet_status status;
    if (!h)
        return chgi_context_nomem(ctx, (size_t)n_weight, sizeof *h);
    drop_centres(delta);
    CHGI_TRY_CLEANUP(allocate_centres(ctx, delta, !n && delta->rows.n_row > delta->rows.n_energy));
    if (n) {
        copy_inducing(&delta->inducing, &delta->centres);
        memcpy(delta->by_value, delta->weights, (size_t)n * sizeof *delta->by_value);
        sparse_offsets(delta, h);
    } else {
        sort_points(&delta->rows, &delta->centres, delta->origin);
        chgi_delta_spread_weights(delta, delta->weights, delta->by_value, delta->by_slope, delta->slope_own);
        dense_offsets(delta, h);
    }
cleanup:
    chgi_memory_free(h);
    return status;
}
