#include "math/qr.h"

#include <math.h>
#include <string.h>

#include "math/blas.h"

enum { PANEL = CHGI_QR_PANEL, STRIP = 64 };

/* A reflection of column j is I - tau v v^T with v = (e_j in the triangle, V[:,j] in the rows below): one panel's
 * product is I - V T V^T (R. Schreiber and C. van Loan, SIAM J. Sci. Stat. Comput. 10, 53 (1989)). */
typedef struct panel {
    int64_t m, width;
    double *v;                      /* (m,PANEL) columns of the panel, then the reflections */
    double t[PANEL * PANEL];        /* upper triangle */
    double triangle[PANEL * PANEL]; /* the panel's part of R */
} panel;

int64_t chgi_qr_scratch(int64_t m, int64_t n)
{
    return m * PANEL + n * PANEL;
}

/* Length that column j must get, and its reflection.  \return tau */
static double reflect(panel *p, int64_t j)
{
    double below = 0, *pivot = &p->triangle[j * PANEL + j];
    for (int64_t i = 0; i < p->m; i++)
        below += p->v[i * PANEL + j] * p->v[i * PANEL + j];
    if (below == 0)
        return 0;
    double length = sqrt(*pivot * *pivot + below), beta = *pivot > 0 ? -length : length;
    double scale = 1 / (*pivot - beta), tau = (beta - *pivot) / beta;
    for (int64_t i = 0; i < p->m; i++)
        p->v[i * PANEL + j] *= scale;
    *pivot = beta;
    return tau;
}

/* Apply reflection j to the panel's columns to the right of it. */
static void apply(panel *p, int64_t j, double tau)
{
    double w[PANEL] = {0};
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t c = j + 1; c < p->width; c++)
            w[c] += p->v[i * PANEL + j] * p->v[i * PANEL + c];
    for (int64_t c = j + 1; c < p->width; c++) {
        w[c] = tau * (w[c] + p->triangle[j * PANEL + c]);
        p->triangle[j * PANEL + c] -= w[c];
    }
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t c = j + 1; c < p->width; c++)
            p->v[i * PANEL + c] -= p->v[i * PANEL + j] * w[c];
}

/* T from V^T V and the taus on its diagonal. */
static void make_t(panel *p)
{
    double gram[PANEL * PANEL] = {0};
    chgi_gemm(true, false, p->width, p->width, p->m, 1, p->v, PANEL, p->v, PANEL, gram, PANEL);
    for (int64_t j = 1; j < p->width; j++)
        for (int64_t i = 0; i < j; i++) {
            double sum = 0;
            for (int64_t k = i; k < j; k++)
                sum += p->t[i * PANEL + k] * gram[k * PANEL + j];
            p->t[i * PANEL + j] = -p->t[j * PANEL + j] * sum;
        }
}

static void factor_panel(panel *p, const double *r, int64_t ldr, const double *a, int64_t lda)
{
    memset(p->t, 0, sizeof p->t);
    for (int64_t i = 0; i < p->m; i++)
        memcpy(p->v + i * PANEL, a + i * lda, (size_t)p->width * sizeof *a);
    for (int64_t i = 0; i < p->width; i++)
        memcpy(p->triangle + i * PANEL, r + i * ldr, (size_t)p->width * sizeof *r);
    for (int64_t j = 0; j < p->width; j++) {
        double tau = reflect(p, j);
        p->t[j * PANEL + j] = tau;
        apply(p, j, tau);
    }
    make_t(p);
}

/* One strip of the columns to the right: W = T^T (R + V^T A), R -= W, A -= V W. */
static void update_strip(const panel *p, int64_t width, double *r, int64_t ldr, double *a, int64_t lda)
{
    double w[PANEL * STRIP], tw[PANEL * STRIP] = {0};
    for (int64_t i = 0; i < p->width; i++)
        memcpy(w + i * STRIP, r + i * ldr, (size_t)width * sizeof *r);
    chgi_gemm(true, false, p->width, width, p->m, 1, p->v, PANEL, a, lda, w, STRIP);
    chgi_gemm(true, false, p->width, width, p->width, 1, p->t, PANEL, w, STRIP, tw, STRIP);
    for (int64_t i = 0; i < p->width; i++)
        chgi_vector_add(width, -1, tw + i * STRIP, r + i * ldr);
    chgi_gemm(false, false, p->m, width, p->width, -1, p->v, PANEL, tw, STRIP, a, lda);
}

static void make_positive(int64_t n_pivot, int64_t n, double *r, int64_t ldr)
{
    for (int64_t i = 0; i < n_pivot; i++)
        if (r[i * ldr + i] < 0)
            for (int64_t j = i; j < n; j++)
                r[i * ldr + j] = -r[i * ldr + j];
}

void chgi_qr_update(int64_t n_pivot, int64_t n, double *r, int64_t ldr, int64_t m, double *a, int64_t lda,
                    double *scratch)
{
    panel p = {.m = m, .v = scratch};
    for (int64_t k = 0; k < n_pivot; k += PANEL) {
        p.width = k + PANEL < n_pivot ? PANEL : n_pivot - k;
        factor_panel(&p, r + k * ldr + k, ldr, a + k, lda);
        for (int64_t i = 0; i < p.width; i++)
            memcpy(r + (k + i) * ldr + k + i, p.triangle + i * PANEL + i, (size_t)(p.width - i) * sizeof *r);
#pragma omp parallel for schedule(dynamic)
        for (int64_t c = k + p.width; c < n; c += STRIP)
            update_strip(&p, c + STRIP < n ? STRIP : n - c, r + k * ldr + c, ldr, a + c, lda);
    }
    make_positive(n_pivot, n, r, ldr);
}
