#include "math/cholesky.h"

#include <math.h>
#include <string.h>

#include "math/blas.h"

enum { TILE = 64 };

static int64_t tile_end(int64_t at, int64_t first, int64_t n)
{
    int64_t end = at + TILE, border = at < first ? first : n;
    return end < border ? end : border;
}

/* ---- small triangles ------------------------------------------------------------------------------------------- */

static bool factor_tile(int64_t n, double *a, int64_t ld)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = a[i * ld + j] - chgi_vector_dot(j, a + i * ld, a + j * ld);
            if (i == j && !(sum > 0 && sum < INFINITY))
                return false;
            a[i * ld + j] = i == j ? sqrt(sum) : sum / a[j * ld + j];
        }
    return true;
}

static void solve_tile(int64_t n, const double *l, int64_t ld, int64_t width, double *b, int64_t ldb)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++)
            chgi_vector_add(width, -l[i * ld + k], b + k * ldb, b + i * ldb);
        for (int64_t c = 0; c < width; c++)
            b[i * ldb + c] /= l[i * ld + i];
    }
}

static void solve_tile_transposed(int64_t n, const double *l, int64_t ld, int64_t width, double *b, int64_t ldb)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t c = 0; c < width; c++)
            b[i * ldb + c] /= l[i * ld + i];
        for (int64_t k = 0; k < i; k++)
            chgi_vector_add(width, -l[i * ld + k], b + i * ldb, b + k * ldb);
    }
}

/* a (m,n) <- a L^-T, by way of the transposed tile, whose rows are long. */
static void solve_tile_right(int64_t m, int64_t n, const double *l, double *a, int64_t ld)
{
    double t[TILE * TILE];
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            t[j * TILE + i] = a[i * ld + j];
    solve_tile(n, l, ld, m, t, TILE);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            a[i * ld + j] = t[j * TILE + i];
}

/* ---- factor ---------------------------------------------------------------------------------------------------- */

/* Rows i..i_end of the column of tiles k..k_end: take away what lies to the left. */
static void update_tile(int64_t i, int64_t i_end, int64_t k, int64_t k_end, double *a, int64_t ld)
{
    chgi_gemm(false, true, i_end - i, k_end - k, k, -1, a + i * ld, ld, a + k * ld, ld, a + i * ld + k, ld);
}

static void finish_column(int64_t n, int64_t k, int64_t k_end, int64_t from, double *a, int64_t ld)
{
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = from; i < n; i += TILE) {
        int64_t i_end = i + TILE < n ? i + TILE : n;
        update_tile(i, i_end, k, k_end, a, ld);
        solve_tile_right(i_end - i, k_end - k, a + k * ld + k, a + i * ld + k, ld);
    }
}

bool chgi_cholesky_factor(int64_t n, int64_t first, double *a, int64_t ld)
{
    for (int64_t k = 0, k_end; k < n; k = k_end) {
        k_end = tile_end(k, first, n);
        if (k >= first) {
            int64_t width = k_end - k;
            double upper[TILE * TILE]; /* the product fills a square: what is above the diagonal stays as it was */
            for (int64_t i = 0; i < width; i++)
                memcpy(upper + i * TILE, a + (k + i) * ld + k, (size_t)width * sizeof *a);
            update_tile(k, k_end, k, k_end, a, ld);
            for (int64_t i = 0; i < width; i++)
                memcpy(a + (k + i) * ld + k + i + 1, upper + i * TILE + i + 1, (size_t)(width - i - 1) * sizeof *a);
            if (!factor_tile(width, a + k * ld + k, ld))
                return false;
        }
        finish_column(n, k, k_end, k < first ? first : k_end, a, ld);
    }
    return true;
}

/* ---- systems --------------------------------------------------------------------------------------------------- */

static void solve_panel(int64_t n, const double *l, int64_t ld, int64_t width, double *b, int64_t ldb)
{
    for (int64_t k = 0; k < n; k += TILE) {
        int64_t size = k + TILE < n ? TILE : n - k;
        chgi_gemm(false, false, size, width, k, -1, l + k * ld, ld, b, ldb, b + k * ldb, ldb);
        solve_tile(size, l + k * ld + k, ld, width, b + k * ldb, ldb);
    }
}

static void solve_panel_transposed(int64_t n, const double *l, int64_t ld, int64_t width, double *b, int64_t ldb)
{
    for (int64_t k = (n - 1) / TILE * TILE; k >= 0; k -= TILE) {
        int64_t end = k + TILE < n ? k + TILE : n;
        chgi_gemm(true, false, end - k, width, n - end, -1, l + end * ld + k, ld, b + end * ldb, ldb, b + k * ldb, ldb);
        solve_tile_transposed(end - k, l + k * ld + k, ld, width, b + k * ldb, ldb);
    }
}

static void solve_vector(int64_t n, const double *l, int64_t ld, double *b, int64_t ldb)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = ldb == 1 ? chgi_vector_dot(i, l + i * ld, b) : 0;
        for (int64_t k = 0; ldb != 1 && k < i; k++)
            sum += l[i * ld + k] * b[k * ldb];
        b[i * ldb] = (b[i * ldb] - sum) / l[i * ld + i];
    }
}

static void solve_vector_transposed(int64_t n, const double *l, int64_t ld, double *b, int64_t ldb)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        b[i * ldb] /= l[i * ld + i];
        if (ldb == 1)
            chgi_vector_add(i, -b[i], l + i * ld, b);
        for (int64_t k = 0; ldb != 1 && k < i; k++)
            b[k * ldb] -= b[i * ldb] * l[i * ld + k];
    }
}

void chgi_lower_solve(int64_t n, const double *l, int64_t ld, int64_t n_rhs, double *b, int64_t ldb)
{
    if (n_rhs == 1) {
        solve_vector(n, l, ld, b, ldb);
        return;
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t c = 0; c < n_rhs; c += TILE)
        solve_panel(n, l, ld, c + TILE < n_rhs ? TILE : n_rhs - c, b + c, ldb);
}

void chgi_lower_solve_transposed(int64_t n, const double *l, int64_t ld, int64_t n_rhs, double *b, int64_t ldb)
{
    if (n_rhs == 1) {
        solve_vector_transposed(n, l, ld, b, ldb);
        return;
    }
#pragma omp parallel for schedule(dynamic)
    for (int64_t c = 0; c < n_rhs; c += TILE)
        solve_panel_transposed(n, l, ld, c + TILE < n_rhs ? TILE : n_rhs - c, b + c, ldb);
}

/* ---- inverse --------------------------------------------------------------------------------------------------- */

/* L^-1 by columns of tiles: the identity's column from the diagonal on. */
static void invert_column(int64_t n, int64_t c, const double *l, int64_t ld, double *inverse, int64_t ldi)
{
    int64_t width = c + TILE < n ? TILE : n - c;
    for (int64_t i = 0; i < n; i++)
        memset(inverse + i * ldi + c, 0, (size_t)width * sizeof *inverse);
    for (int64_t i = 0; i < width; i++)
        inverse[(c + i) * ldi + c + i] = 1;
    solve_panel(n - c, l + c * ld + c, ld, width, inverse + c * ldi + c, ldi);
}

/* Tiles i of L^-T L^-1, all j up to i, into scratch. */
static void square_row(int64_t n, int64_t i, const double *inverse, int64_t ldi, double *scratch)
{
    int64_t height = i + TILE < n ? TILE : n - i;
#pragma omp parallel for schedule(dynamic)
    for (int64_t j = 0; j <= i; j += TILE) {
        int64_t width = j + TILE < n ? TILE : n - j;
        for (int64_t r = 0; r < height; r++)
            memset(scratch + r * n + j, 0, (size_t)width * sizeof *scratch);
        chgi_gemm(true, false, height, width, n - i, 1, inverse + i * ldi + i, ldi, inverse + i * ldi + j, ldi,
                  scratch + j, n);
    }
}

void chgi_cholesky_invert(int64_t n, const double *l, int64_t ld, double *inverse, int64_t ldi, double *scratch)
{
#pragma omp parallel for schedule(dynamic)
    for (int64_t c = 0; c < n; c += TILE)
        invert_column(n, c, l, ld, inverse, ldi);
    for (int64_t i = 0; i < n; i += TILE) { /* row i of the product needs rows from i on: it may take their place */
        square_row(n, i, inverse, ldi, scratch);
        for (int64_t r = 0; r < TILE && i + r < n; r++)
            memcpy(inverse + (i + r) * ldi, scratch + r * n, (size_t)(i + r + 1) * sizeof *inverse);
    }
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++)
            inverse[i * ldi + j] = inverse[j * ldi + i];
}

double chgi_cholesky_log_determinant(int64_t n, const double *l, int64_t ld)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += log(l[i * ld + i]);
    return 2 * sum;
}
