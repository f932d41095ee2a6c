/* SPDX-License-Identifier: BSD-3-Clause */
#include "task/eos.h"

#include <math.h>
#include <string.h>

#include "calc/calculator.h"
#include "math/cholesky.h"

enum { TERMS = 4 };

/* The polynomial's variable: V^(-2/3) in units of that of the middle volume, less 1, as a share of the largest. */
typedef struct scale {
    double middle, span;
} scale;

static double variable(const scale *s, double volume)
{
    return (pow(volume / s->middle, -2.0 / 3) - 1) / s->span;
}

static scale scale_of(int64_t n, const chgi_eos_point *points)
{
    scale s = {0, 1};
    double span = 0;
    for (int64_t k = 0; k < n; k++)
        s.middle += points[k].volume / (double)n;
    for (int64_t k = 0; k < n; k++)
        span = fmax(span, fabs(variable(&s, points[k].volume)));
    s.span = span > 0 ? span : 1;
    return s;
}

/* Coefficients c of E = sum c_j u^j less the mean energy, and the factor of the normal equations. */
static bool solve(int64_t n, const chgi_eos_point *points, const scale *s, double mean, double c[TERMS],
                  double normal[TERMS][TERMS])
{
    memset(c, 0, TERMS * sizeof *c);
    memset(normal, 0, TERMS * sizeof *normal);
    for (int64_t k = 0; k < n; k++) {
        double row[TERMS] = {1}, u = variable(s, points[k].volume);
        for (int j = 1; j < TERMS; j++)
            row[j] = row[j - 1] * u;
        for (int j = 0; j < TERMS; j++) {
            c[j] += row[j] * (points[k].energy - mean);
            for (int l = 0; l < TERMS; l++)
                normal[j][l] += row[j] * row[l];
        }
    }
    if (!chgi_cholesky_factor(TERMS, 0, normal[0], TERMS))
        return false;
    chgi_lower_solve(TERMS, normal[0], TERMS, 1, c, 1);
    chgi_lower_solve_transposed(TERMS, normal[0], TERMS, 1, c, 1);
    return true;
}

static double value(const double c[TERMS], double u)
{
    return c[0] + u * (c[1] + u * (c[2] + u * c[3]));
}

/* Volume and derivatives of the energy by volume at the minimum.  \return false when there is none */
static bool find_minimum(const scale *s, const double c[TERMS], chgi_eos_fit *fit)
{
    double root = c[2] * c[2] - 3 * c[1] * c[3];
    if (!(root >= 0))
        return false;
    double u = -c[1] / (c[2] + copysign(sqrt(root), c[2])); /* the root near 0, without a difference of equals */
    double second = 2 * c[2] + 6 * c[3] * u;
    double x = 1 + s->span * u; /* (V/middle)^(-2/3) */
    if (!(second > 0) || !(x > 0) || fabs(u) > 1.5)
        return false;
    double v = s->middle * pow(x, -1.5);
    double u1 = -2.0 / 3 * x / (v * s->span), u2 = 10.0 / 9 * x / (v * v * s->span); /* du/dV, d2u/dV2 */
    double e2 = second * u1 * u1, e3 = 6 * c[3] * u1 * u1 * u1 + 3 * second * u1 * u2;
    fit->volume = v;
    fit->energy = value(c, u);
    fit->bulk_modulus = v * e2 * CHGI_GPA;
    fit->bulk_modulus_slope = -1 - v * e3 / e2;
    return true;
}

/* Standard error of B: its slope by the coefficients, numerically, through the covariance of the least squares. */
static double error_of_modulus(const scale *s, const double c[TERMS], const double normal[TERMS][TERMS],
                               double variance)
{
    double slope[TERMS], size = 0, sum = 0;
    for (int j = 0; j < TERMS; j++)
        size = fmax(size, fabs(c[j]));
    for (int j = 0; j < TERMS; j++) {
        double moved[TERMS], step = 1e-6 * size;
        chgi_eos_fit up = {0}, down = {0};
        memcpy(moved, c, sizeof moved);
        moved[j] = c[j] + step;
        find_minimum(s, moved, &up);
        moved[j] = c[j] - step;
        find_minimum(s, moved, &down);
        slope[j] = (up.bulk_modulus - down.bulk_modulus) / (2 * step);
    }
    chgi_lower_solve(TERMS, normal[0], TERMS, 1, slope, 1); /* slope^T (L L^T)^-1 slope = |L^-1 slope|^2 */
    for (int j = 0; j < TERMS; j++)
        sum += slope[j] * slope[j];
    return sqrt(variance * sum);
}

chgnet_status chgi_eos_fit_points(chgnet_context *ctx, int64_t n, chgi_eos_point *points, chgi_eos_fit *fit)
{
    double c[TERMS], normal[TERMS][TERMS], mean = 0, squares = 0;
    scale s = scale_of(n, points);
    *fit = (chgi_eos_fit){0};
    for (int64_t k = 0; k < n; k++)
        mean += points[k].energy / (double)n;
    if (n <= TERMS || !solve(n, points, &s, mean, c, normal) || !find_minimum(&s, c, fit))
        return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                 "the energies have no minimum among these volumes; relax the cell first, or give a "
                                 "larger --range");
    for (int64_t k = 0; k < n; k++) {
        points[k].fitted = mean + value(c, variable(&s, points[k].volume));
        squares += pow(points[k].energy - points[k].fitted, 2);
    }
    fit->energy += mean;
    fit->residual = sqrt(squares / (double)n);
    fit->bulk_modulus_error = error_of_modulus(&s, c, (const double(*)[TERMS])normal, squares / (double)(n - TERMS));
    return CHGNET_OK;
}

/* ---- energies --------------------------------------------------------------------------------- */

static void scale_to(const chgi_structure *from, double factor, chgi_structure *to)
{
    double length = cbrt(factor);
    for (int a = 0; a < 3; a++)
        for (int k = 0; k < 3; k++)
            to->cell[a][k] = from->cell[a][k] * length;
    for (int64_t k = 0; k < 3 * from->n_atom; k++)
        to->positions[k] = from->positions[k] * length;
}

static chgnet_status measure(chgnet_context *ctx, const chgi_potential *potential, const chgi_eos_choice *choice,
                             chgi_structure *s, chgi_eos_point *point)
{
    chgi_outcome outcome;
    CHGI_TRY(chgi_relax_measure(ctx, potential, s, choice->relax ? &choice->relaxation : NULL, &outcome));
    point->volume = fabs(chgi_structure_volume((const double(*)[3])s->cell));
    point->energy = outcome.energy;
    point->pressure =
        -(outcome.virial[0][0] + outcome.virial[1][1] + outcome.virial[2][2]) / 3 / point->volume * CHGI_GPA;
    return CHGNET_OK;
}

chgnet_status chgi_eos_run(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                           const chgi_eos_choice *choice, chgi_eos_point *points, chgi_eos_fit *fit)
{
    chgi_structure s = {0};
    if (!structure->pbc[0] || !structure->pbc[1] || !structure->pbc[2])
        return chgi_context_fail(ctx, CHGNET_EINPUT, "a volume needs a structure that is periodic along all axes");
    CHGI_TRY(chgi_structure_copy(ctx, structure, &s));
    chgnet_status status = CHGNET_OK;
    for (int64_t k = 0; status == CHGNET_OK && k < choice->n_point; k++) {
        double share = 2 * (double)k / (double)(choice->n_point - 1) - 1;
        scale_to(structure, 1 + choice->range * share, &s);
        status = measure(ctx, potential, choice, &s, &points[k]);
    }
    chgi_structure_destroy(&s);
    return status == CHGNET_OK ? chgi_eos_fit_points(ctx, choice->n_point, points, fit) : status;
}
