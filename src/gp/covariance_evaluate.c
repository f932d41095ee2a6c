/* Values and derivatives of covariances on chunks of pairs. */
#include <math.h>
#include <string.h>

#include "gp/covariance.h"

#define CHGI_DOUBLE 1
#include "nn/vecmath.h"

enum { CHUNK = CHGI_COVARIANCE_CHUNK };

static const double sqrt5 = 2.23606797749978969641;

/* A factor's value, first and second derivative by its own variable (q, or c of a dot product). */
typedef struct jet {
    double value[CHUNK], first[CHUNK], second[CHUNK];
} jet;

/* out = exp(x); arrays of CHUNK, a whole number of vectors: the last one may reach beyond n. */
static void vector_exp(int n, double *x, double *out)
{
    for (int i = n; i % CHGI_LANES; i++)
        x[i] = 0;
    for (int i = 0; i < n; i += CHGI_LANES)
        chgi_store(out + i, chgi_exp(chgi_load(x + i)));
}

/* ---- shapes: g(z), z = q / length^2; depth > 0, 1, 2: also g', g'', z g''' ------------------------------------------
 */

static void rbf_shape(int depth, int n, const double *z, jet *g, double *third)
{
    double x[CHUNK];
    for (int i = 0; i < n; i++)
        x[i] = -0.5 * z[i];
    vector_exp(n, x, g->value);
    for (int i = 0; depth > 0 && i < n; i++)
        g->first[i] = -0.5 * g->value[i];
    for (int i = 0; depth > 1 && i < n; i++)
        g->second[i] = 0.25 * g->value[i];
    for (int i = 0; depth > 2 && i < n; i++)
        third[i] = -0.125 * z[i] * g->value[i];
}

static void matern_shape(int depth, int n, const double *z, jet *g, double *third)
{
    double x[CHUNK], e[CHUNK];
    for (int i = 0; i < n; i++)
        x[i] = -sqrt5 * sqrt(z[i]);
    vector_exp(n, x, e);
    for (int i = 0; i < n; i++)
        g->value[i] = (1 - x[i] + 5.0 / 3 * z[i]) * e[i];
    for (int i = 0; depth > 0 && i < n; i++)
        g->first[i] = -5.0 / 6 * (1 - x[i]) * e[i];
    for (int i = 0; depth > 1 && i < n; i++)
        g->second[i] = 25.0 / 12 * e[i];
    for (int i = 0; depth > 2 && i < n; i++)
        third[i] = 25.0 / 24 * x[i] * e[i];
}

static void rq_shape(double alpha, int depth, int n, const double *z, jet *g, double *third)
{
    double x[CHUNK], step[CHUNK];
    for (int i = 0; i < n; i++) {
        x[i] = -alpha * log1p(z[i] / (2 * alpha));
        step[i] = -0.5 / (1 + z[i] / (2 * alpha));
    }
    vector_exp(n, x, g->value);
    for (int i = 0; depth > 0 && i < n; i++)
        g->first[i] = g->value[i] * step[i];
    for (int i = 0; depth > 1 && i < n; i++)
        g->second[i] = g->first[i] * step[i] * (alpha + 1) / alpha;
    for (int i = 0; depth > 2 && i < n; i++)
        third[i] = g->second[i] * step[i] * (alpha + 2) / alpha * z[i];
}

/* Derivatives of the rational quadratic's shape by ln alpha. */
static void rq_by_alpha(double alpha, int order, int n, const double *z, const jet *g, jet *d)
{
    for (int i = 0; i < n; i++) {
        double u = z[i] / (2 * alpha), l = log1p(u), v = u / (alpha * (1 + u));
        d->value[i] = alpha * g->value[i] * (-l + alpha * v);
        if (order > 0)
            d->first[i] = alpha * g->first[i] * (-l + (alpha + 1) * v);
        if (order > 1)
            d->second[i] = alpha * g->second[i] * (-l + (alpha + 2) * v - 1 / (alpha * (alpha + 1)));
    }
}

/* ---- factors ---------------------------------------------------------------------------------------------------- */

/* Powers 0 stand for derivatives that vanish. */
static double power(double c, int n)
{
    double p = 1;
    for (int k = 0; k < n; k++)
        p *= c;
    return p;
}

static void dot_jet(int p, int order, int n, const double *c, jet *g)
{
    for (int i = 0; i < n; i++)
        g->value[i] = power(c[i], p);
    for (int i = 0; order > 0 && i < n; i++)
        g->first[i] = p * power(c[i], p - 1);
    for (int i = 0; order > 1 && i < n; i++)
        g->second[i] = p > 1 ? p * (p - 1) * power(c[i], p - 2) : 0;
}

static void constant_jet(double value, int order, int n, jet *g)
{
    for (int i = 0; i < n; i++)
        g->value[i] = value;
    if (order > 0)
        memset(g->first, 0, (size_t)n * sizeof(double));
    if (order > 1)
        memset(g->second, 0, (size_t)n * sizeof(double));
}

static void radial_shape(const chgi_factor *factor, int depth, int n, const double *z, jet *g, double *third)
{
    if (factor->kind == CHGI_RBF)
        rbf_shape(depth, n, z, g, third);
    else if (factor->kind == CHGI_MATERN)
        matern_shape(depth, n, z, g, third);
    else
        rq_shape(factor->parameter[1].value, depth, n, z, g, third);
}

/* From derivatives by z to derivatives by q. */
static void unscale(double inverse, int order, int n, jet *g)
{
    for (int i = 0; order > 0 && i < n; i++)
        g->first[i] *= inverse;
    for (int i = 0; order > 1 && i < n; i++)
        g->second[i] *= inverse * inverse;
}

/* Derivatives by ln length: dz / d ln length = -2 z. */
static void by_length(int order, int n, const double *z, const jet *g, const double *third, jet *d)
{
    for (int i = 0; i < n; i++)
        d->value[i] = -2 * z[i] * g->first[i];
    for (int i = 0; order > 0 && i < n; i++)
        d->first[i] = -2 * (z[i] * g->second[i] + g->first[i]);
    for (int i = 0; order > 1 && i < n; i++)
        d->second[i] = -2 * (third[i] + 2 * g->second[i]);
}

/* The factor's jet; by_parameter: its derivatives by the logarithms of its parameters, NULL: not wanted. */
static void factor_jet(const chgi_factor *factor, int order, int n, const double *q, const double *c, jet *g,
                       jet *by_parameter)
{
    if (factor->kind == CHGI_DOT) {
        dot_jet(factor->power, order, n, c, g);
        return;
    }
    double value = factor->parameter[0].value, inverse = 1 / (value * value), z[CHUNK], third[CHUNK];
    if (factor->kind == CHGI_CONSTANT) {
        constant_jet(value, order, n, g);
        if (by_parameter)
            constant_jet(value, order, n, by_parameter);
        return;
    }
    for (int i = 0; i < n; i++)
        z[i] = q[i] * inverse;
    radial_shape(factor, order + (by_parameter != NULL), n, z, g, third);
    if (by_parameter) {
        by_length(order, n, z, g, third, by_parameter);
        unscale(inverse, order, n, by_parameter);
    }
    if (by_parameter && factor->kind == CHGI_RQ) {
        rq_by_alpha(factor->parameter[1].value, order, n, z, g, by_parameter + 1);
        unscale(inverse, order, n, by_parameter + 1);
    }
    unscale(inverse, order, n, g);
}

/* ---- products and sums ------------------------------------------------------------------------------------------ */

/* product *= factor, as functions of one variable, to the given order. */
static void multiply(int order, int n, jet *product, const jet *factor)
{
    if (order > 1)
        for (int i = 0; i < n; i++)
            product->second[i] = product->second[i] * factor->value[i] + 2 * product->first[i] * factor->first[i] +
                                 product->value[i] * factor->second[i];
    if (order > 0)
        for (int i = 0; i < n; i++)
            product->first[i] = product->first[i] * factor->value[i] + product->value[i] * factor->first[i];
    for (int i = 0; i < n; i++)
        product->value[i] *= factor->value[i];
}

/* Product of the factors from..to-1 in two parts: those of q, and those of c.  `instead`, where not NULL, replaces
 * the factor `replaced`. */
static void term_jets(const chgi_covariance *covariance, int from, int to, int order, int n, const double *q,
                      const double *c, int replaced, const jet *instead, jet *radial, jet *angular)
{
    constant_jet(1, order, n, radial);
    constant_jet(1, order, n, angular);
    for (int f = from; f < to; f++) {
        jet g;
        const jet *use = instead;
        if (f != replaced) {
            factor_jet(&covariance->factor[f], order, n, q, c, &g, NULL);
            use = &g;
        }
        multiply(order, n, covariance->factor[f].kind == CHGI_DOT ? angular : radial, use);
    }
}

static int term_end(const chgi_covariance *covariance, int from)
{
    int to = from;
    while (to < covariance->n_factor && covariance->factor[to].term == covariance->factor[from].term)
        to++;
    return to;
}

static void add_product(int n, const double *a, const double *b, double *sum)
{
    for (int i = 0; i < n; i++)
        sum[i] += a[i] * b[i];
}

void chgi_covariance_evaluate(const chgi_covariance *covariance, int order, int n, const double *q, const double *c,
                              double *const out[CHGI_JET])
{
    static const int order_of[CHGI_JET] = {0, 1, 1, 2, 2, 2};
    static const bool angular_of[CHGI_JET] = {false, false, true, false, true, true};
    bool angular = chgi_covariance_angular(covariance);
    jet r, a;
    for (int m = 0; m < CHGI_JET; m++)
        if (order_of[m] <= order && (angular || !angular_of[m]))
            memset(out[m], 0, (size_t)n * sizeof(double));
    for (int from = 0, to; from < covariance->n_factor; from = to) {
        to = term_end(covariance, from);
        term_jets(covariance, from, to, order, n, q, c, -1, NULL, &r, &a);
        add_product(n, r.value, a.value, out[CHGI_F]);
        if (order > 0)
            add_product(n, r.first, a.value, out[CHGI_F_Q]);
        if (order > 1)
            add_product(n, r.second, a.value, out[CHGI_F_QQ]);
        if (angular && order > 0)
            add_product(n, r.value, a.first, out[CHGI_F_C]);
        if (angular && order > 1) {
            add_product(n, r.first, a.first, out[CHGI_F_QC]);
            add_product(n, r.value, a.second, out[CHGI_F_CC]);
        }
    }
}

static double weighted(int n, const double *adjoint, const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += adjoint[i] * a[i] * b[i];
    return sum;
}

static double contract(int order, bool angular, int n, const double *const adjoint[CHGI_JET], const jet *r,
                       const jet *a)
{
    double sum = weighted(n, adjoint[CHGI_F], r->value, a->value);
    if (order > 0)
        sum += weighted(n, adjoint[CHGI_F_Q], r->first, a->value);
    if (order > 1)
        sum += weighted(n, adjoint[CHGI_F_QQ], r->second, a->value);
    if (angular && order > 0)
        sum += weighted(n, adjoint[CHGI_F_C], r->value, a->first);
    if (angular && order > 1)
        sum +=
            weighted(n, adjoint[CHGI_F_QC], r->first, a->first) + weighted(n, adjoint[CHGI_F_CC], r->value, a->second);
    return sum;
}

void chgi_covariance_reverse(const chgi_covariance *covariance, int order, int n, const double *q, const double *c,
                             const double *const adjoint[CHGI_JET], double *gradient)
{
    bool angular = chgi_covariance_angular(covariance);
    jet g, by[CHGI_FACTOR_PARAMETERS], r, a;
    int k = 0;
    for (int from = 0, to; from < covariance->n_factor; from = to) {
        to = term_end(covariance, from);
        for (int f = from; f < to; f++) {
            const chgi_factor *factor = &covariance->factor[f];
            int n_parameter = factor->kind == CHGI_DOT ? 0 : factor->kind == CHGI_RQ ? 2 : 1;
            if (n_parameter)
                factor_jet(factor, order, n, q, c, &g, by);
            for (int p = 0; p < n_parameter; p++) {
                term_jets(covariance, from, to, order, n, q, c, f, &by[p], &r, &a);
                gradient[k++] += contract(order, angular, n, adjoint, &r, &a);
            }
        }
    }
}
