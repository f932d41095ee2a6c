/* A plain, slow Gaussian process in long double, written from the formulas alone: kernels of two structures by loops
 * over their points, force rows by fourth-order differences along the Jacobians.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef PLAIN_GP_H
#define PLAIN_GP_H

#include <math.h>

#include "gp/delta.h"

enum { PLAIN_FEATURES = 5, PLAIN_ATOMS = 6, PLAIN_ELEMENTS = 3, PLAIN_FORCES = 4, PLAIN_ROWS = 200 };

/** A structure whose embeddings move linearly with `n_force` directions. */
typedef struct plain_structure {
    int n_atom, n_force;
    bool has_energy;
    int32_t numbers[PLAIN_ATOMS];
    double fea[PLAIN_ATOMS * PLAIN_FEATURES];
    double jacobian[PLAIN_FORCES * PLAIN_ATOMS * PLAIN_FEATURES];
    double energy, forces[PLAIN_FORCES];
    int32_t component[PLAIN_FORCES];
} plain_structure;

/** What the kernel of two structures depends on. */
typedef struct plain_model {
    chgi_delta_choice choice;
    int n_element;
    const int32_t *elements;
    const double *mean, *scale; /* (n_group,width), as the model's */
    double offset_spread;
} plain_model;

typedef struct plain_points {
    int n, width, group[PLAIN_ATOMS];
    long double x[PLAIN_ATOMS][PLAIN_ELEMENTS * PLAIN_FEATURES], count[PLAIN_ELEMENTS];
} plain_points;

static inline long double plain_factor(const chgi_factor *f, long double q, long double c)
{
    long double l = f->parameter[0].value, a = f->parameter[1].value, r;
    switch (f->kind) {
    case CHGI_CONSTANT:
        return l;
    case CHGI_RBF:
        return expl(-q / (2 * l * l));
    case CHGI_MATERN:
        r = sqrtl(5 * q) / l;
        return (1 + r + r * r / 3) * expl(-r);
    case CHGI_RQ:
        return powl(1 + q / (2 * a * l * l), -a);
    default:
        return powl(c, f->power);
    }
}

static inline long double plain_kappa(const chgi_covariance *covariance, int width, const long double *x,
                                      const long double *y)
{
    long double q = 0, xx = 0, yy = 0, xy = 0, sum = 0, product = 1;
    for (int k = 0; k < width; k++) {
        q += (x[k] - y[k]) * (x[k] - y[k]);
        xx += x[k] * x[k];
        yy += y[k] * y[k];
        xy += x[k] * y[k];
    }
    for (int f = 0; f < covariance->n_factor; f++) {
        product *= plain_factor(&covariance->factor[f], q, xy / sqrtl(xx * yy));
        if (f + 1 == covariance->n_factor || covariance->factor[f + 1].term != covariance->factor[f].term) {
            sum += product;
            product = 1;
        }
    }
    return sum;
}

/** Points of a structure moved by `step` along force direction `row` (-1: not moved). */
static inline void plain_fill(const plain_model *m, const plain_structure *s, int row, long double step,
                              plain_points *p)
{
    const chgi_delta_choice *c = &m->choice;
    bool concatenate = c->aggregation == CHGI_SPECIES && !c->species_sum;
    int of_element[PLAIN_ELEMENTS];
    *p = (plain_points){.width = concatenate ? m->n_element * PLAIN_FEATURES : PLAIN_FEATURES};
    for (int e = 0; e < m->n_element; e++)
        of_element[e] = -1;
    for (int i = 0; i < s->n_atom; i++) {
        int e = 0, place = 0, offset = 0;
        while (m->elements[e] != s->numbers[i])
            e++;
        p->count[e] += 1;
        if (c->aggregation == CHGI_ATOMIC || (c->aggregation == CHGI_SPECIES && c->species_sum && of_element[e] < 0)) {
            place = of_element[e] = p->n++;
            p->group[place] = e;
        } else if (c->aggregation == CHGI_SPECIES && c->species_sum)
            place = of_element[e];
        else
            p->n = 1;
        if (concatenate)
            offset = e * PLAIN_FEATURES;
        for (int k = 0; k < PLAIN_FEATURES; k++) {
            long double v = s->fea[i * PLAIN_FEATURES + k];
            if (row >= 0)
                v += step * s->jacobian[(row * s->n_atom + i) * PLAIN_FEATURES + k];
            p->x[place][offset + k] += c->aggregation == CHGI_GLOBAL && c->mean ? v / s->n_atom : v;
        }
    }
    for (int n = 0; n < p->n; n++)
        for (int k = 0; k < p->width; k++)
            p->x[n][k] = (p->x[n][k] - m->mean[p->group[n] * p->width + k]) / m->scale[p->group[n] * p->width + k];
}

static inline long double plain_kernel(const plain_model *m, const plain_structure *a, int row_a, long double step_a,
                                       const plain_structure *b, int row_b, long double step_b)
{
    static plain_points p, q;
    long double sum = 0;
    plain_fill(m, a, row_a, step_a, &p);
    plain_fill(m, b, row_b, step_b, &q);
    for (int i = 0; i < p.n; i++)
        for (int j = 0; j < q.n; j++) {
            long double w = p.group[i] == q.group[j] ? 1 : m->choice.aggregation == CHGI_ATOMIC ? m->choice.mix : 0;
            sum += w == 0 ? 0 : w * plain_kappa(&m->choice.covariance, p.width, p.x[i], q.x[j]);
        }
    for (int e = 0; e < m->n_element && row_a < 0 && row_b < 0; e++)
        sum += (long double)m->offset_spread * m->offset_spread * p.count[e] * q.count[e];
    return sum;
}

/** Covariance of two rows; row -1 is the energy, others are forces: minus the derivative along the direction. */
static inline long double plain_element(const plain_model *m, const plain_structure *a, int row_a,
                                        const plain_structure *b, int row_b)
{
    static const long double at[4] = {-2, -1, 1, 2}, weight[4] = {1.0L / 12, -8.0L / 12, 8.0L / 12, -1.0L / 12};
    const long double h = 1e-3L; /* fourth order: errors near h^4 = 1e-12 of a unit, rounding below that */
    long double sum = 0;
    for (int i = 0; i < (row_a < 0 ? 1 : 4); i++)
        for (int j = 0; j < (row_b < 0 ? 1 : 4); j++) {
            long double w = (row_a < 0 ? 1 : -weight[i] / h) * (row_b < 0 ? 1 : -weight[j] / h);
            sum += w * plain_kernel(m, a, row_a, at[i] * h, b, row_b, at[j] * h);
        }
    return sum;
}

/** Rows of a training set, its factored kernel matrix and weights. */
typedef struct plain_fit {
    int n;
    int label[PLAIN_ROWS], row[PLAIN_ROWS];
    long double l[PLAIN_ROWS][PLAIN_ROWS], target[PLAIN_ROWS], weight[PLAIN_ROWS], likelihood;
} plain_fit;

/** Solve with the factor: b <- K^-1 b. */
static inline void plain_solve(const plain_fit *f, long double *b)
{
    for (int i = 0; i < f->n; i++) {
        for (int j = 0; j < i; j++)
            b[i] -= f->l[i][j] * b[j];
        b[i] /= f->l[i][i];
    }
    for (int i = f->n - 1; i >= 0; i--) {
        for (int j = i + 1; j < f->n; j++)
            b[i] -= f->l[j][i] * b[j];
        b[i] /= f->l[i][i];
    }
}

/** \param[in] centre (n_element) the offsets' prior mean  \param[in] skip  label to leave out; -1: none */
static inline void plain_make(const plain_model *m, int n_label, const plain_structure *s, const double *centre,
                              int skip, plain_fit *f)
{
    f->n = 0;
    for (int a = 0; a < n_label; a++)
        for (int r = -1; r < s[a].n_force && a != skip; r++) {
            if (r < 0 && !s[a].has_energy)
                continue;
            f->label[f->n] = a;
            f->row[f->n] = r;
            f->target[f->n] = r < 0 ? s[a].energy : s[a].forces[r];
            for (int i = 0; i < s[a].n_atom && r < 0; i++) {
                int e = 0;
                while (m->elements[e] != s[a].numbers[i])
                    e++;
                f->target[f->n] -= centre[e];
            }
            f->n++;
        }
    f->likelihood = 0;
    for (int i = 0; i < f->n; i++)
        for (int j = 0; j <= i; j++) {
            long double noise = f->row[i] < 0 ? m->choice.noise_energy.value : m->choice.noise_force.value;
            long double k = plain_element(m, &s[f->label[i]], f->row[i], &s[f->label[j]], f->row[j]);
            k += i == j ? noise * noise : 0;
            for (int p = 0; p < j; p++)
                k -= f->l[i][p] * f->l[j][p];
            f->l[i][j] = i == j ? sqrtl(k) : k / f->l[j][j];
        }
    for (int i = 0; i < f->n; i++) {
        f->weight[i] = f->target[i];
        f->likelihood -= logl(f->l[i][i]) + 0.5L * logl(2 * acosl(-1.0L));
    }
    plain_solve(f, f->weight);
    for (int i = 0; i < f->n; i++)
        f->likelihood -= 0.5L * f->weight[i] * f->target[i];
}

/** Prediction of one row of a structure: mean without the offsets' centre, and variance without noise. */
static inline void plain_predict(const plain_model *m, const plain_structure *s, const plain_fit *f,
                                 const plain_structure *x, int row, long double *mean, long double *variance)
{
    static long double k[PLAIN_ROWS], b[PLAIN_ROWS];
    *mean = 0;
    *variance = plain_element(m, x, row, x, row);
    for (int i = 0; i < f->n; i++) {
        b[i] = k[i] = plain_element(m, x, row, &s[f->label[i]], f->row[i]);
        *mean += k[i] * f->weight[i];
    }
    plain_solve(f, b);
    for (int i = 0; i < f->n; i++)
        *variance -= k[i] * b[i];
}

#endif
