#include "gp/centres.h"

#include <omp.h>
#include <string.h>

#include "math/blas.h"

enum { PAIRS = CHGI_POINT_TILE * CHGI_CENTRE_TILE };

void chgi_tile_take(chgi_arena *arena, chgi_tile_work *work)
{
    work->dots = chgi_arena_take(arena, PAIRS, sizeof(double));
    work->slopes = chgi_arena_take(arena, PAIRS, sizeof(double));
    for (int k = 0; k < CHGI_COEFFICIENTS; k++)
        work->coefficient[k] = chgi_arena_take(arena, PAIRS, sizeof(double));
}

/* One tile of pairs: points i..i+m of one group, centres j..j+n of one group. */
typedef struct tile {
    int64_t i, m, j, n;
    double weight;
    const chgi_centres *centres;
    const chgi_queries *queries;
    const chgi_tile_work *work;
} tile;

static void make_coefficients(const chgi_covariance *covariance, const tile *t, int order)
{
    int width = t->centres->width;
    const double *x = t->queries->x + t->i * width, *z = t->centres->x + t->j * width;
    memset(t->work->dots, 0, (size_t)(t->m * t->n) * sizeof(double));
    chgi_gemm(false, true, t->m, t->n, width, 1, x, width, z, width, t->work->dots, t->n);
    chgi_pair_coefficients(covariance, order, t->weight, t->m, t->n, t->queries->square + t->i,
                           t->centres->square + t->j, t->work->dots, t->work->coefficient);
}

/* End of the run of points of one group that begins at i, within a tile. */
static int64_t run_end(const chgi_queries *queries, int64_t i, int64_t end)
{
    int64_t j = i;
    while (j < end && queries->groups[j] == queries->groups[i])
        j++;
    return j;
}

/* ---- values and gradients ------------------------------------------------------------------------------------------
 */

typedef struct weights {
    const double *by_value, *by_slope, *slope_own;
} weights;

static void add_values(const tile *t, const weights *w, double *value)
{
    double *const *k = t->work->coefficient;
    for (int64_t i = 0; i < t->m; i++) {
        int64_t row = i * t->n;
        double sum = chgi_vector_dot(t->n, k[CHGI_K_F] + row, w->by_value + t->j);
        if (w->by_slope)
            sum += chgi_vector_dot(t->n, k[CHGI_K_S] + row, t->work->slopes + row) +
                   chgi_vector_dot(t->n, k[CHGI_K_QY] + row, w->slope_own + t->j);
        value[i] += sum;
    }
}

/* The gradient's shares along x_i (returned in own) and along the z_j (in place of px); along the c_j it is s. */
static void mix_shares(const tile *t, const weights *w, double own[CHGI_POINT_TILE])
{
    double *const *k = t->work->coefficient;
    for (int64_t i = 0; i < t->m; i++) {
        double sum = 0;
        for (int64_t j = 0, p = i * t->n; j < t->n; j++, p++) {
            double a = w->by_value[t->j + j], along_x = a * k[CHGI_K_PX][p], along_z = a * k[CHGI_K_S][p];
            if (w->by_slope) {
                double xc = t->work->slopes[p], zc = w->slope_own[t->j + j];
                along_x += k[CHGI_K_CXX][p] * xc + k[CHGI_K_CXY][p] * zc;
                along_z += k[CHGI_K_CYX][p] * xc + k[CHGI_K_CYY][p] * zc;
            }
            sum += along_x;
            k[CHGI_K_PX][p] = along_z;
        }
        own[i] = sum;
    }
}

static void add_gradients(const tile *t, const weights *w, double *gradient)
{
    int width = t->centres->width;
    double own[CHGI_POINT_TILE];
    mix_shares(t, w, own);
    for (int64_t i = 0; i < t->m; i++)
        chgi_vector_add(width, own[i], t->queries->x + (t->i + i) * width, gradient + i * width);
    chgi_gemm(false, false, t->m, width, t->n, 1, t->work->coefficient[CHGI_K_PX], t->n, t->centres->x + t->j * width,
              width, gradient, width);
    if (w->by_slope)
        chgi_gemm(false, false, t->m, width, t->n, 1, t->work->coefficient[CHGI_K_S], t->n, w->by_slope + t->j * width,
                  width, gradient, width);
}

static void apply_tile(const chgi_covariance *covariance, tile *t, const weights *w, double *value, double *gradient)
{
    int width = t->centres->width, order = (w->by_slope != NULL) + (gradient != NULL);
    make_coefficients(covariance, t, order);
    if (w->by_slope) {
        memset(t->work->slopes, 0, (size_t)(t->m * t->n) * sizeof(double));
        chgi_gemm(false, true, t->m, t->n, width, 1, t->queries->x + t->i * width, width, w->by_slope + t->j * width,
                  width, t->work->slopes, t->n);
    }
    add_values(t, w, value + t->i);
    if (gradient)
        add_gradients(t, w, gradient + t->i * width);
}

static void apply_points(const chgi_form *form, const chgi_covariance *covariance, tile *t, const weights *w,
                         double *value, double *gradient)
{
    const chgi_centres *centres = t->centres;
    for (int32_t h = 0; h < centres->n_group; h++) {
        t->weight = chgi_form_weight(form, t->queries->groups[t->i], h);
        for (t->j = centres->start[h]; t->weight != 0 && t->j < centres->start[h + 1]; t->j += t->n) {
            int64_t left = centres->start[h + 1] - t->j;
            t->n = left < CHGI_CENTRE_TILE ? left : CHGI_CENTRE_TILE;
            apply_tile(covariance, t, w, value, gradient);
        }
    }
}

void chgi_centres_apply(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                        const double *by_value, const double *by_slope, const double *slope_own,
                        const chgi_queries *queries, int n_thread, const chgi_tile_work *work, double *value,
                        double *gradient)
{
    weights w = {by_value, by_slope, slope_own};
    int64_t n = queries->n;
    memset(value, 0, (size_t)n * sizeof *value);
    if (gradient)
        memset(gradient, 0, (size_t)(n * centres->width) * sizeof *gradient);
#pragma omp parallel for schedule(dynamic) num_threads(n_thread)
    for (int64_t at = 0; at < n; at += CHGI_POINT_TILE) {
        int64_t end = at + CHGI_POINT_TILE < n ? at + CHGI_POINT_TILE : n;
        tile t = {.i = at, .centres = centres, .queries = queries, .work = &work[omp_get_thread_num()]};
        for (; t.i < end; t.i += t.m) {
            t.m = run_end(queries, t.i, end) - t.i;
            apply_points(form, covariance, &t, &w, value, gradient);
        }
    }
}

/* ---- the other way round -------------------------------------------------------------------------------------------
 */

static void project_tile(const chgi_covariance *covariance, tile *t, double *value, double *slope)
{
    int width = t->centres->width;
    double *const *k = t->work->coefficient;
    make_coefficients(covariance, t, slope ? 1 : 0);
    for (int64_t i = 0; i < t->m; i++)
        chgi_vector_add(t->n, 1, k[CHGI_K_F] + i * t->n, value + t->j);
    if (!slope)
        return;
    chgi_gemm(true, false, t->n, width, t->m, 1, k[CHGI_K_S], t->n, t->queries->x + t->i * width, width,
              slope + t->j * width, width);
    for (int64_t j = 0; j < t->n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < t->m; i++)
            sum += k[CHGI_K_QY][i * t->n + j];
        chgi_vector_add(width, sum, t->centres->x + (t->j + j) * width, slope + (t->j + j) * width);
    }
}

static void project_centres(const chgi_form *form, const chgi_covariance *covariance, int32_t group, tile *t,
                            double *value, double *slope)
{
    for (t->i = 0; t->i < t->queries->n; t->i += t->m) {
        int64_t end = t->i + CHGI_POINT_TILE < t->queries->n ? t->i + CHGI_POINT_TILE : t->queries->n;
        t->m = run_end(t->queries, t->i, end) - t->i;
        t->weight = chgi_form_weight(form, t->queries->groups[t->i], group);
        if (t->weight != 0)
            project_tile(covariance, t, value, slope);
    }
}

void chgi_centres_project(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                          const chgi_queries *queries, int n_thread, const chgi_tile_work *work, double *value,
                          double *slope)
{
    memset(value, 0, (size_t)centres->n * sizeof *value);
    if (slope)
        memset(slope, 0, (size_t)(centres->n * centres->width) * sizeof *slope);
    for (int32_t h = 0; h < centres->n_group; h++) {
#pragma omp parallel for schedule(dynamic) num_threads(n_thread)
        for (int64_t j = centres->start[h]; j < centres->start[h + 1]; j += CHGI_CENTRE_TILE) {
            int64_t left = centres->start[h + 1] - j;
            tile t = {.j = j,
                      .n = left < CHGI_CENTRE_TILE ? left : CHGI_CENTRE_TILE,
                      .centres = centres,
                      .queries = queries,
                      .work = &work[omp_get_thread_num()]};
            project_centres(form, covariance, h, &t, value, slope);
        }
    }
}
