#include "gp/pair.h"

#include <string.h>

#include "math/blas.h"

void chgi_pair_take(chgi_arena *arena, int width, int64_t n_a, int64_t n_b, int64_t m_a, int64_t m_b,
                    chgi_pair_work *work)
{
    size_t pairs = (size_t)n_a * (size_t)n_b, size = sizeof(double), a = (size_t)m_a, b = (size_t)m_b;
    size_t most_n = (size_t)(n_a > n_b ? n_a : n_b), most_m = a > b ? a : b;
    size_t row = (size_t)width * (most_m ? most_m : 1);
    work->dots = chgi_arena_take(arena, pairs, size);
    for (int k = 0; k < CHGI_COEFFICIENTS; k++)
        work->coefficient[k] = chgi_arena_take(arena, pairs, size);
    for (int k = 0; k < CHGI_COEFFICIENTS; k++)
        work->adjoint[k] = chgi_arena_take(arena, pairs, size);
    work->own_a = chgi_arena_take(arena, (size_t)n_a * a, size);
    work->own_b = chgi_arena_take(arena, (size_t)n_b * b, size);
    work->u = chgi_arena_take(arena, a, pairs * size);
    work->v = chgi_arena_take(arena, b, pairs * size);
    work->l = chgi_arena_take(arena, most_m, pairs * size);
    work->w = chgi_arena_take(arena, most_n, row * size);
}

static void clear(double *to, int64_t n)
{
    memset(to, 0, (size_t)n * sizeof *to);
}

/* ---- what both ways need ------------------------------------------------------------------------------------------
 */

static void make_dots(int width, const chgi_side *a, const chgi_side *b, double *dots)
{
    clear(dots, a->n * b->n);
    chgi_gemm(false, true, a->n, b->n, width, 1, a->x, width, b->x, width, dots, b->n);
}

/* own[i,m] = J_i[m] . x_i */
static void make_own(int width, const chgi_side *a, double *own)
{
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t m = 0; m < a->m; m++)
            own[i * a->m + m] = chgi_vector_dot(width, a->jacobian + (i * a->m + m) * width, a->x + i * width);
}

/* u[i,j,m] = J_i[m] . y_j, for the Jacobians of a */
static void make_u(int width, const chgi_side *a, const chgi_side *b, double *u)
{
    clear(u, a->n * b->n * a->m);
    for (int64_t i = 0; i < a->n; i++)
        chgi_gemm(false, true, b->n, a->m, width, 1, b->x, width, a->jacobian + i * a->m * width, width,
                  u + i * b->n * a->m, a->m);
}

/* v[i,j,m] = J_j[m] . x_i, for the Jacobians of b */
static void make_v(int width, const chgi_side *a, const chgi_side *b, double *v)
{
    clear(v, a->n * b->n * b->m);
    chgi_gemm(false, true, a->n, b->n * b->m, width, 1, a->x, width, b->jacobian, width, v, b->n * b->m);
}

static int needed_order(const chgi_block *block)
{
    return block->ff ? 2 : block->ef || block->fe ? 1 : 0;
}

/* ---- forward ------------------------------------------------------------------------------------------------------
 */

static double total(int64_t n, const double *values)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* Energy of a with rows of b: ef[m] += sum_j J_j[m] . (sum_i s_ij x_i + qy_ij y_j). */
static void energy_force(int width, const chgi_side *a, const chgi_side *b, const chgi_pair_work *work, double *ef)
{
    double *t = work->w;
    clear(t, b->n * width);
    chgi_gemm(true, false, b->n, width, a->n, 1, work->coefficient[CHGI_K_S], b->n, a->x, width, t, width);
    for (int64_t j = 0; j < b->n; j++) {
        double sum = 0;
        for (int64_t i = 0; i < a->n; i++)
            sum += work->coefficient[CHGI_K_QY][i * b->n + j];
        chgi_vector_add(width, sum, b->x + j * width, t + j * width);
        for (int64_t m = 0; m < b->m; m++)
            ef[m] += chgi_vector_dot(width, b->jacobian + (j * b->m + m) * width, t + j * width);
    }
}

static void force_energy(int width, const chgi_side *a, const chgi_side *b, const chgi_pair_work *work, double *fe,
                         int64_t ld)
{
    double *t = work->w;
    clear(t, a->n * width);
    chgi_gemm(false, false, a->n, width, b->n, 1, work->coefficient[CHGI_K_S], b->n, b->x, width, t, width);
    for (int64_t i = 0; i < a->n; i++) {
        chgi_vector_add(width, total(b->n, work->coefficient[CHGI_K_PX] + i * b->n), a->x + i * width, t + i * width);
        for (int64_t m = 0; m < a->m; m++)
            fe[m * ld] += chgi_vector_dot(width, a->jacobian + (i * a->m + m) * width, t + i * width);
    }
}

/* ff += sum_ij s_ij J_i J_j^T */
static void identity_part(int width, const chgi_side *a, const chgi_side *b, const chgi_pair_work *work,
                          const chgi_block *block)
{
    int64_t row = a->m * width;
    clear(work->w, b->n * row);
    chgi_gemm(true, false, b->n, row, a->n, 1, work->coefficient[CHGI_K_S], b->n, a->jacobian, row, work->w, row);
    for (int64_t j = 0; j < b->n; j++)
        chgi_gemm(false, true, a->m, b->m, width, 1, work->w + j * row, width, b->jacobian + j * b->m * width, width,
                  block->ff, block->ld);
}

/* ff += sum_ij of the four products of J_i x_i, J_i y_j with J_j x_i, J_j y_j */
static void outer_part(int width, const chgi_side *a, const chgi_side *b, const chgi_pair_work *work,
                       const chgi_block *block)
{
    double *ly = work->w; /* (n_b,m_a) */
    make_own(width, a, work->own_a);
    make_own(width, b, work->own_b);
    make_u(width, a, b, work->u);
    make_v(width, a, b, work->v);
    clear(ly, b->n * a->m);
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t j = 0; j < b->n; j++) {
            int64_t p = i * b->n + j;
            const double *own = work->own_a + i * a->m, *u = work->u + p * a->m;
            double cxx = work->coefficient[CHGI_K_CXX][p], cxy = work->coefficient[CHGI_K_CXY][p];
            double cyx = work->coefficient[CHGI_K_CYX][p], cyy = work->coefficient[CHGI_K_CYY][p];
            for (int64_t m = 0; m < a->m; m++) {
                work->l[p * a->m + m] = cxx * own[m] + cyx * u[m];
                ly[j * a->m + m] += cxy * own[m] + cyy * u[m];
            }
        }
    chgi_gemm(true, false, a->m, b->m, a->n * b->n, 1, work->l, a->m, work->v, b->m, block->ff, block->ld);
    chgi_gemm(true, false, a->m, b->m, b->n, 1, ly, a->m, work->own_b, b->m, block->ff, block->ld);
}

void chgi_pair_forward(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *block)
{
    make_dots(width, a, b, work->dots);
    chgi_pair_coefficients(covariance, needed_order(block), weight, a->n, b->n, a->square, b->square, work->dots,
                           work->coefficient);
    if (block->ee)
        *block->ee += total(a->n * b->n, work->coefficient[CHGI_K_F]);
    if (block->ef)
        energy_force(width, a, b, work, block->ef);
    if (block->fe)
        force_energy(width, a, b, work, block->fe, block->ld);
    if (block->ff) {
        identity_part(width, a, b, work, block);
        outer_part(width, a, b, work, block);
    }
}

/* ---- reverse ------------------------------------------------------------------------------------------------------
 */

/* z_j = sum_m factor[m] J_j[m]; s_ij += z_j . x_i, own[i,j] += z_j . y_j: what ef and fe pass back. */
static void energy_force_reverse(int width, const chgi_side *a, const chgi_side *b, const double *ef,
                                 const chgi_pair_work *work)
{
    double *z = work->w, *qy = work->adjoint[CHGI_K_QY];
    clear(z, b->n * width);
    for (int64_t j = 0; j < b->n; j++) {
        for (int64_t m = 0; m < b->m; m++)
            chgi_vector_add(width, ef[m], b->jacobian + (j * b->m + m) * width, z + j * width);
        double own = chgi_vector_dot(width, z + j * width, b->x + j * width);
        for (int64_t i = 0; i < a->n; i++)
            qy[i * b->n + j] += own;
    }
    chgi_gemm(false, true, a->n, b->n, width, 1, a->x, width, z, width, work->adjoint[CHGI_K_S], b->n);
}

static void force_energy_reverse(int width, const chgi_side *a, const chgi_side *b, const double *fe, int64_t ld,
                                 const chgi_pair_work *work)
{
    double *z = work->w, *px = work->adjoint[CHGI_K_PX];
    clear(z, a->n * width);
    for (int64_t i = 0; i < a->n; i++) {
        for (int64_t m = 0; m < a->m; m++)
            chgi_vector_add(width, fe[m * ld], a->jacobian + (i * a->m + m) * width, z + i * width);
        double own = chgi_vector_dot(width, z + i * width, a->x + i * width);
        for (int64_t j = 0; j < b->n; j++)
            px[i * b->n + j] += own;
    }
    chgi_gemm(false, true, a->n, b->n, width, 1, z, width, b->x, width, work->adjoint[CHGI_K_S], b->n);
}

static void identity_reverse(int width, const chgi_side *a, const chgi_side *b, const chgi_block *adjoint,
                             const chgi_pair_work *work)
{
    int64_t row = a->m * width;
    clear(work->w, b->n * row);
    for (int64_t j = 0; j < b->n; j++)
        chgi_gemm(false, false, a->m, width, b->m, 1, adjoint->ff, adjoint->ld, b->jacobian + j * b->m * width, width,
                  work->w + j * row, width);
    chgi_gemm(false, true, a->n, b->n, row, 1, a->jacobian, row, work->w, row, work->adjoint[CHGI_K_S], b->n);
}

static void outer_reverse(int width, const chgi_side *a, const chgi_side *b, const chgi_block *adjoint,
                          const chgi_pair_work *work)
{
    double *ly = work->w;
    make_own(width, a, work->own_a);
    make_own(width, b, work->own_b);
    make_u(width, a, b, work->u);
    make_v(width, a, b, work->v);
    clear(work->l, a->n * b->n * a->m);
    clear(ly, b->n * a->m);
    chgi_gemm(false, true, a->n * b->n, a->m, b->m, 1, work->v, b->m, adjoint->ff, adjoint->ld, work->l, a->m);
    chgi_gemm(false, true, b->n, a->m, b->m, 1, work->own_b, b->m, adjoint->ff, adjoint->ld, ly, a->m);
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t j = 0; j < b->n; j++) {
            int64_t p = i * b->n + j;
            const double *own = work->own_a + i * a->m, *u = work->u + p * a->m;
            work->adjoint[CHGI_K_CXX][p] += chgi_vector_dot(a->m, own, work->l + p * a->m);
            work->adjoint[CHGI_K_CYX][p] += chgi_vector_dot(a->m, u, work->l + p * a->m);
            work->adjoint[CHGI_K_CXY][p] += chgi_vector_dot(a->m, own, ly + j * a->m);
            work->adjoint[CHGI_K_CYY][p] += chgi_vector_dot(a->m, u, ly + j * a->m);
        }
}

/* Those that `order` reads. */
static void clear_adjoints(int order, int64_t n, const chgi_pair_work *work)
{
    int end = order > 1 ? CHGI_COEFFICIENTS : order > 0 ? CHGI_K_QY + 1 : CHGI_K_F + 1;
    for (int k = 0; k < end; k++)
        clear(work->adjoint[k], n);
}

void chgi_pair_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *adjoint, double *gradient)
{
    int64_t n = a->n * b->n;
    make_dots(width, a, b, work->dots);
    clear_adjoints(needed_order(adjoint), n, work);
    for (int64_t p = 0; adjoint->ee && p < n; p++)
        work->adjoint[CHGI_K_F][p] = *adjoint->ee;
    if (adjoint->ef)
        energy_force_reverse(width, a, b, adjoint->ef, work);
    if (adjoint->fe)
        force_energy_reverse(width, a, b, adjoint->fe, adjoint->ld, work);
    if (adjoint->ff) {
        identity_reverse(width, a, b, adjoint, work);
        outer_reverse(width, a, b, adjoint, work);
    }
    chgi_pair_coefficients_reverse(covariance, needed_order(adjoint), weight, a->n, b->n, a->square, b->square,
                                   work->dots, work->adjoint, gradient);
}

/* ---- each point of b a column --------------------------------------------------------------------------------------
 */

void chgi_pair_columns(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *block)
{
    make_dots(width, a, b, work->dots);
    chgi_pair_coefficients(covariance, block->ff ? 1 : 0, weight, a->n, b->n, a->square, b->square, work->dots,
                           work->coefficient);
    for (int64_t i = 0; block->ee && i < a->n; i++)
        chgi_vector_add(b->n, 1, work->coefficient[CHGI_K_F] + i * b->n, block->ee);
    if (!block->ff)
        return;
    make_own(width, a, work->own_a);
    clear(work->u, a->n * a->m * b->n); /* here u[i,m,j] */
    chgi_gemm(false, true, a->n * a->m, b->n, width, 1, a->jacobian, width, b->x, width, work->u, b->n);
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t m = 0; m < a->m; m++) {
            const double *s = work->coefficient[CHGI_K_S] + i * b->n, *px = work->coefficient[CHGI_K_PX] + i * b->n;
            const double *u = work->u + (i * a->m + m) * b->n, own = work->own_a[i * a->m + m];
            for (int64_t j = 0; j < b->n; j++)
                block->ff[m * block->ld + j] += s[j] * u[j] + px[j] * own;
        }
}

void chgi_pair_columns_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                               const chgi_side *b, const chgi_pair_work *work, const chgi_block *adjoint,
                               double *gradient)
{
    make_dots(width, a, b, work->dots);
    clear_adjoints(adjoint->ff ? 1 : 0, a->n * b->n, work);
    for (int64_t i = 0; adjoint->ee && i < a->n; i++)
        memcpy(work->adjoint[CHGI_K_F] + i * b->n, adjoint->ee, (size_t)b->n * sizeof(double));
    if (adjoint->ff) {
        make_own(width, a, work->own_a);
        clear(work->u, a->n * a->m * b->n);
        chgi_gemm(false, true, a->n * a->m, b->n, width, 1, a->jacobian, width, b->x, width, work->u, b->n);
        for (int64_t i = 0; i < a->n; i++)
            for (int64_t m = 0; m < a->m; m++) {
                double *s = work->adjoint[CHGI_K_S] + i * b->n, *px = work->adjoint[CHGI_K_PX] + i * b->n;
                const double *u = work->u + (i * a->m + m) * b->n, *factor = adjoint->ff + m * adjoint->ld;
                for (int64_t j = 0; j < b->n; j++) {
                    s[j] += factor[j] * u[j];
                    px[j] += factor[j] * work->own_a[i * a->m + m];
                }
            }
    }
    chgi_pair_coefficients_reverse(covariance, adjoint->ff ? 1 : 0, weight, a->n, b->n, a->square, b->square,
                                   work->dots, work->adjoint, gradient);
}

/* ---- each point of a a row, each point of b a column
 * ----------------------------------------------------------------- */

void chgi_pair_each(const chgi_covariance *covariance, double weight, int width, const chgi_side *a, const chgi_side *b,
                    const chgi_pair_work *work, double *k, int64_t ld)
{
    make_dots(width, a, b, work->dots);
    chgi_pair_coefficients(covariance, 0, weight, a->n, b->n, a->square, b->square, work->dots, work->coefficient);
    for (int64_t i = 0; i < a->n; i++)
        chgi_vector_add(b->n, 1, work->coefficient[CHGI_K_F] + i * b->n, k + i * ld);
}

void chgi_pair_each_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                            const chgi_side *b, const chgi_pair_work *work, const double *adjoint, int64_t ld,
                            double *gradient)
{
    make_dots(width, a, b, work->dots);
    for (int64_t i = 0; i < a->n; i++)
        memcpy(work->adjoint[CHGI_K_F] + i * b->n, adjoint + i * ld, (size_t)b->n * sizeof(double));
    chgi_pair_coefficients_reverse(covariance, 0, weight, a->n, b->n, a->square, b->square, work->dots, work->adjoint,
                                   gradient);
}
