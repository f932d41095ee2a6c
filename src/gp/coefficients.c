/* Coefficients of kappa's derivatives for tables of pairs, and their adjoints. */
#include <math.h>
#include <string.h>

#include "gp/pair.h"

enum { CHUNK = CHGI_COVARIANCE_CHUNK };

/* A run of pairs along one row: x is one vector, y are several. */
typedef struct run {
    int n;
    double q[CHUNK], c[CHUNK];            /* what kappa reads */
    double inverse[CHUNK];                /* 1/|x||y| */
    double inverse_xx, inverse_yy[CHUNK]; /* 1/|x|^2, 1/|y|^2 */
    double jet[CHGI_JET][CHUNK];
    double *jets[CHGI_JET];
} run;

/* Vectors without length have no angle to anything: cosine and its derivatives are 0 there. */
static double invert(double square)
{
    return square > 1e-200 ? 1 / square : 0;
}

static void fill_run(bool angular, int n, double xx, const double *yy, const double *dots, run *r)
{
    r->n = n;
    for (int j = 0; j < n; j++) {
        double q = xx + yy[j] - 2 * dots[j];
        r->q[j] = q > 0 ? q : 0;
    }
    if (!angular)
        return;
    r->inverse_xx = invert(xx);
    for (int j = 0; j < n; j++) {
        r->inverse_yy[j] = invert(yy[j]);
        r->inverse[j] = sqrt(r->inverse_xx * r->inverse_yy[j]);
        r->c[j] = dots[j] * r->inverse[j];
    }
}

static void init_run(run *r)
{
    for (int m = 0; m < CHGI_JET; m++)
        r->jets[m] = r->jet[m];
}

/* ---- forward ------------------------------------------------------------------------------------------------------
 */

static void radial_first(const run *r, double weight, double *const k[CHGI_COEFFICIENTS])
{
    for (int j = 0; j < r->n; j++) {
        double two = 2 * weight * r->jet[CHGI_F_Q][j];
        k[CHGI_K_S][j] = -two;
        k[CHGI_K_PX][j] = two;
        k[CHGI_K_QY][j] = two;
    }
}

static void radial_second(const run *r, double weight, double *const k[CHGI_COEFFICIENTS])
{
    for (int j = 0; j < r->n; j++) {
        double four = 4 * weight * r->jet[CHGI_F_QQ][j];
        k[CHGI_K_CXX][j] = -four;
        k[CHGI_K_CXY][j] = four;
        k[CHGI_K_CYX][j] = four;
        k[CHGI_K_CYY][j] = -four;
    }
}

static void angular_first(const run *r, double weight, double *const k[CHGI_COEFFICIENTS])
{
    for (int j = 0; j < r->n; j++) {
        double fc = weight * r->jet[CHGI_F_C][j];
        k[CHGI_K_S][j] += fc * r->inverse[j];
        k[CHGI_K_PX][j] -= fc * r->c[j] * r->inverse_xx;
        k[CHGI_K_QY][j] -= fc * r->c[j] * r->inverse_yy[j];
    }
}

static void angular_second(const run *r, double weight, double *const k[CHGI_COEFFICIENTS])
{
    double ixx = r->inverse_xx;
    for (int j = 0; j < r->n; j++) {
        double fc = weight * r->jet[CHGI_F_C][j], fqc = weight * r->jet[CHGI_F_QC][j];
        double fcc = weight * r->jet[CHGI_F_CC][j], c = r->c[j], n = r->inverse[j], iyy = r->inverse_yy[j];
        k[CHGI_K_CXX][j] += 2 * fqc * (n + c * ixx) - n * ixx * (fcc * c + fc);
        k[CHGI_K_CYY][j] += 2 * fqc * (n + c * iyy) - n * iyy * (fcc * c + fc);
        k[CHGI_K_CXY][j] += -2 * fqc * c * (ixx + iyy) + c * ixx * iyy * (fcc * c + fc);
        k[CHGI_K_CYX][j] += -4 * fqc * n + n * n * fcc;
    }
}

void chgi_pair_coefficients(const chgi_covariance *covariance, int order, double weight, int64_t n_a, int64_t n_b,
                            const double *square_a, const double *square_b, const double *dots,
                            double *const coefficient[CHGI_COEFFICIENTS])
{
    bool angular = chgi_covariance_angular(covariance);
    run r;
    init_run(&r);
    for (int64_t i = 0; i < n_a; i++)
        for (int64_t j = 0; j < n_b; j += CHUNK) {
            int n = (int)(j + CHUNK < n_b ? CHUNK : n_b - j);
            double *k[CHGI_COEFFICIENTS] = {0};
            for (int m = 0; m < CHGI_COEFFICIENTS; m++)
                if (m == CHGI_K_F || (m <= CHGI_K_QY ? order > 0 : order > 1))
                    k[m] = coefficient[m] + i * n_b + j;
            fill_run(angular, n, square_a[i], square_b + j, dots + i * n_b + j, &r);
            chgi_covariance_evaluate(covariance, order, n, r.q, r.c, r.jets);
            for (int p = 0; p < n; p++)
                k[CHGI_K_F][p] = weight * r.jet[CHGI_F][p];
            if (order > 0)
                radial_first(&r, weight, k);
            if (order > 0 && angular)
                angular_first(&r, weight, k);
            if (order > 1)
                radial_second(&r, weight, k);
            if (order > 1 && angular)
                angular_second(&r, weight, k);
        }
}

/* ---- reverse: the transposes of the above --------------------------------------------------------------------------
 */

static void radial_reverse(int order, double weight, double *const k[CHGI_COEFFICIENTS], run *r)
{
    for (int j = 0; j < r->n; j++)
        r->jet[CHGI_F][j] = weight * k[CHGI_K_F][j];
    for (int j = 0; order > 0 && j < r->n; j++)
        r->jet[CHGI_F_Q][j] = 2 * weight * (k[CHGI_K_PX][j] - k[CHGI_K_S][j] + k[CHGI_K_QY][j]);
    for (int j = 0; order > 1 && j < r->n; j++)
        r->jet[CHGI_F_QQ][j] = 4 * weight * (k[CHGI_K_CXY][j] + k[CHGI_K_CYX][j] - k[CHGI_K_CXX][j] - k[CHGI_K_CYY][j]);
}

static void angular_reverse(int order, double weight, double *const k[CHGI_COEFFICIENTS], run *r)
{
    double ixx = r->inverse_xx;
    for (int j = 0; order > 0 && j < r->n; j++) {
        double c = r->c[j], n = r->inverse[j], iyy = r->inverse_yy[j];
        double fc = k[CHGI_K_S][j] * n - c * (k[CHGI_K_PX][j] * ixx + k[CHGI_K_QY][j] * iyy);
        if (order > 1) {
            double xx = k[CHGI_K_CXX][j], yy = k[CHGI_K_CYY][j], xy = k[CHGI_K_CXY][j], yx = k[CHGI_K_CYX][j];
            double both = c * ixx * iyy * xy - n * (ixx * xx + iyy * yy); /* of fcc c + fc */
            fc += both;
            r->jet[CHGI_F_CC][j] = weight * (c * both + n * n * yx);
            r->jet[CHGI_F_QC][j] =
                weight * (2 * (n + c * ixx) * xx + 2 * (n + c * iyy) * yy - 2 * c * (ixx + iyy) * xy - 4 * n * yx);
        }
        r->jet[CHGI_F_C][j] = weight * fc;
    }
}

void chgi_pair_coefficients_reverse(const chgi_covariance *covariance, int order, double weight, int64_t n_a,
                                    int64_t n_b, const double *square_a, const double *square_b, const double *dots,
                                    double *const adjoint[CHGI_COEFFICIENTS], double *gradient)
{
    bool angular = chgi_covariance_angular(covariance);
    run r;
    init_run(&r);
    for (int64_t i = 0; i < n_a; i++)
        for (int64_t j = 0; j < n_b; j += CHUNK) {
            int n = (int)(j + CHUNK < n_b ? CHUNK : n_b - j);
            double *k[CHGI_COEFFICIENTS];
            for (int m = 0; m < CHGI_COEFFICIENTS; m++)
                k[m] = adjoint[m] + i * n_b + j;
            fill_run(angular, n, square_a[i], square_b + j, dots + i * n_b + j, &r);
            radial_reverse(order, weight, k, &r);
            if (angular)
                angular_reverse(order, weight, k, &r);
            chgi_covariance_reverse(covariance, order, n, r.q, r.c, (const double *const *)r.jets, gradient);
        }
}
