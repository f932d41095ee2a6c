/* SPDX-License-Identifier: BSD-3-Clause */
#include "plain.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* Everything the layers read and change. */
typedef struct state {
    const chgi_weights *weights;
    const chgi_hyper *h;
    const chgi_graph *g;
    double *v;  /* (n_atom,atom_fea_dim) */
    double *e;  /* (n_bond,bond_fea_dim) */
    double *a;  /* (n_angle,angle_fea_dim) */
    double *wa; /* (n_bond,atom_fea_dim) */
    double *wb; /* (n_bond,bond_fea_dim), of short bonds */
} state;

static double *zeros(int64_t count)
{
    double *x = calloc((size_t)count + 1, sizeof *x);
    if (!x)
        abort();
    return x;
}

static void add(int64_t n, const double *x, double *sum)
{
    for (int64_t c = 0; c < n; c++)
        sum[c] += x[c];
}

/* A tensor by its name in the state dict; NULL where the model has none. */
__attribute__((format(printf, 2, 3))) static const float *tensor(const chgi_weights *weights, const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const chgi_tensor *found = chgi_weights_find(weights, name);
    return found ? found->data : NULL;
}

/* ---- functions -------------------------------------------------------------------------------- */

void plain_linear(const float *weight, const float *bias, int64_t n_in, int64_t n_out, const double *x, double *y)
{
    for (int64_t o = 0; o < n_out; o++) {
        double sum = bias ? (double)bias[o] : 0;
        for (int64_t i = 0; i < n_in; i++)
            sum += (double)weight[o * n_in + i] * x[i];
        y[o] = sum;
    }
}

void plain_norm(const float *weight, const float *bias, int64_t n, double *x)
{
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < n; c++)
        mean += x[c] / (double)n;
    for (int64_t c = 0; c < n; c++)
        variance += (x[c] - mean) * (x[c] - mean) / (double)n;
    for (int64_t c = 0; c < n; c++)
        x[c] = (x[c] - mean) / sqrt(variance + 1e-5) * (double)weight[c] + (double)bias[c];
}

double plain_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

double plain_silu(double x)
{
    return x * plain_sigmoid(x);
}

void plain_radial(int64_t n, const double *omega, double cutoff, double power, double r, double *out)
{
    double x = r / cutoff, p = power;
    double f = 1 - (p + 1) * (p + 2) / 2 * pow(x, p) + p * (p + 2) * pow(x, p + 1) - p * (p + 1) / 2 * pow(x, p + 2);
    if (p == 0)
        f = 1;
    else if (x >= 1)
        f = 0;
    for (int64_t k = 0; k < n; k++)
        out[k] = f * sqrt(2 / cutoff) * sin(omega[k] * x) / r;
}

void plain_angular(int64_t n, const double *omega, double theta, double *out)
{
    out[0] = 1 / sqrt(2.0) / sqrt(PI);
    for (int64_t k = 0; k < n; k++) {
        out[1 + k] = sin(omega[k] * theta) / sqrt(PI);
        out[1 + n + k] = cos(omega[k] * theta) / sqrt(PI);
    }
}

/* Core or gate of a gated MLP before its activation. */
static void branch(const state *s, const char *mlp, const char *name, const char *norm, int64_t n_in, int64_t hidden,
                   int64_t n_out, const double *x, double *y)
{
    const chgi_weights *w = s->weights;
    if (hidden) {
        double *middle = zeros(hidden);
        plain_linear(tensor(w, "%s.%s.layers.0.weight", mlp, name), tensor(w, "%s.%s.layers.0.bias", mlp, name), n_in,
                     hidden, x, middle);
        for (int64_t c = 0; c < hidden; c++)
            middle[c] = plain_silu(middle[c]);
        plain_linear(tensor(w, "%s.%s.layers.3.weight", mlp, name), tensor(w, "%s.%s.layers.3.bias", mlp, name), hidden,
                     n_out, middle, y);
        free(middle);
    } else {
        plain_linear(tensor(w, "%s.%s.layers.1.weight", mlp, name), tensor(w, "%s.%s.layers.1.bias", mlp, name), n_in,
                     n_out, x, y);
    }
    if (s->h->gmlp_norm)
        plain_norm(tensor(w, "%s.%s.weight", mlp, norm), tensor(w, "%s.%s.bias", mlp, norm), n_out, y);
}

/* silu(norm1(core(x))) * sigmoid(norm2(gate(x))) */
static void gated(const state *s, const char *mlp, int64_t n_in, int64_t hidden, int64_t n_out, const double *x,
                  double *out)
{
    double *gate = zeros(n_out);
    branch(s, mlp, "mlp_core", "bn1", n_in, hidden, n_out, x, out);
    branch(s, mlp, "mlp_gate", "bn2", n_in, hidden, n_out, x, gate);
    for (int64_t c = 0; c < n_out; c++)
        out[c] = plain_silu(out[c]) * plain_sigmoid(gate[c]);
    free(gate);
}

/* ---- embeddings ------------------------------------------------------------------------------- */

static double *frequencies(const chgi_weights *w, const char *layer, int64_t n)
{
    double *omega = zeros(n);
    for (int64_t k = 0; k < n; k++)
        omega[k] = (double)tensor(w, "%s.frequencies", layer)[k];
    return omega;
}

static void embed_bonds(state *s)
{
    const chgi_hyper *h = s->h;
    int64_t n = h->n_radial;
    double *basis = zeros(n);
    double *ag = frequencies(s->weights, "bond_basis_expansion.rbf_expansion_ag", n);
    double *bg = frequencies(s->weights, "bond_basis_expansion.rbf_expansion_bg", n);
    for (int64_t u = 0; u < s->g->n_bond; u++) {
        double r = s->g->bond_length[u];
        plain_radial(n, ag, h->atom_cutoff, (double)h->cutoff_coeff, r, basis);
        plain_linear(tensor(s->weights, "bond_embedding.weight"), NULL, n, h->bond_fea_dim, basis,
                     s->e + u * h->bond_fea_dim);
        plain_linear(tensor(s->weights, "bond_weights_ag.weight"), NULL, n, h->atom_fea_dim, basis,
                     s->wa + u * h->atom_fea_dim);
        plain_radial(n, bg, h->bond_cutoff, (double)h->cutoff_coeff, r, basis);
        plain_linear(tensor(s->weights, "bond_weights_bg.weight"), NULL, n, h->bond_fea_dim, basis,
                     s->wb + u * h->bond_fea_dim);
    }
    free(basis);
    free(ag);
    free(bg);
}

/* The two edges of an angle. */
typedef struct corner {
    int64_t first, second;
} corner;

static corner corner_of(const chgi_graph *g, int64_t atom, int64_t angle)
{
    return (corner){g->edge_start[atom] + g->angle_first[angle], g->edge_start[atom] + g->angle_second[angle]};
}

static void unit_vector(const chgi_graph *g, int64_t edge, double u[3])
{
    const double *d = g->bond_vector + 3 * (int64_t)g->bond[edge];
    double r = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), sign = g->bond_edge[g->bond[edge]] == edge ? 1 : -1;
    for (int c = 0; c < 3; c++)
        u[c] = sign * d[c] / r;
}

static void embed_angles(state *s)
{
    const chgi_hyper *h = s->h;
    int64_t n = (h->n_angular - 1) / 2;
    double *basis = zeros(h->n_angular), *omega = frequencies(s->weights, "angle_basis_expansion.fourier_expansion", n);
    for (int64_t i = 0; i < s->g->n_atom; i++)
        for (int64_t k = s->g->angle_start[i]; k < s->g->angle_start[i + 1]; k++) {
            corner at = corner_of(s->g, i, k);
            double p[3], q[3];
            unit_vector(s->g, at.first, p);
            unit_vector(s->g, at.second, q);
            plain_angular(n, omega, acos((p[0] * q[0] + p[1] * q[1] + p[2] * q[2]) * (1 - 1e-6)), basis);
            plain_linear(tensor(s->weights, "angle_embedding.weight"), NULL, h->n_angular, h->angle_fea_dim, basis,
                         s->a + k * h->angle_fea_dim);
        }
    free(basis);
    free(omega);
}

/* ---- layers ----------------------------------------------------------------------------------- */

/* v_i += out(sum over edges of gated([v_i, e_ij, v_j]) wa_ij) */
static void atom_convolution(state *s, int t)
{
    const chgi_graph *g = s->g;
    int64_t na = s->h->atom_fea_dim, nb = s->h->bond_fea_dim;
    double *x = zeros(2 * na + nb), *message = zeros(na), *sum = zeros(na), *update = zeros(g->n_atom * na);
    char mlp[80];
    snprintf(mlp, sizeof mlp, "atom_conv_layers.%d.twoBody_atom", t);
    for (int64_t i = 0; i < g->n_atom; i++) {
        memset(sum, 0, (size_t)na * sizeof *sum);
        for (int64_t edge = g->edge_start[i]; edge < g->edge_start[i + 1]; edge++) {
            int64_t u = g->bond[edge];
            memcpy(x, s->v + i * na, (size_t)na * sizeof *x);
            memcpy(x + na, s->e + u * nb, (size_t)nb * sizeof *x);
            memcpy(x + na + nb, s->v + g->neighbour[edge] * na, (size_t)na * sizeof *x);
            gated(s, mlp, 2 * na + nb, s->h->atom_hidden, na, x, message);
            for (int64_t c = 0; c < na; c++)
                sum[c] += message[c] * s->wa[u * na + c];
        }
        plain_linear(tensor(s->weights, "atom_conv_layers.%d.mlp_out.layers.1.weight", t),
                     tensor(s->weights, "atom_conv_layers.%d.mlp_out.layers.1.bias", t), na, na, sum, update + i * na);
    }
    add(g->n_atom * na, update, s->v);
    free(x);
    free(message);
    free(sum);
    free(update);
}

/* [e_ij, e_ik, a_ijk, v_i] */
static void angle_input(const state *s, int64_t atom, int64_t angle, double *x)
{
    int64_t na = s->h->atom_fea_dim, nb = s->h->bond_fea_dim, nc = s->h->angle_fea_dim;
    corner at = corner_of(s->g, atom, angle);
    memcpy(x, s->e + s->g->bond[at.first] * nb, (size_t)nb * sizeof *x);
    memcpy(x + nb, s->e + s->g->bond[at.second] * nb, (size_t)nb * sizeof *x);
    memcpy(x + 2 * nb, s->a + angle * nc, (size_t)nc * sizeof *x);
    memcpy(x + 2 * nb + nc, s->v + atom * na, (size_t)na * sizeof *x);
}

/* e_ij += out(sum over angles of gated([e_ij, e_ik, a_ijk, v_i]) wb_ij wb_ik), angles at either end */
static void bond_convolution(state *s, int t)
{
    const chgi_graph *g = s->g;
    int64_t nb = s->h->bond_fea_dim, n_in = s->h->atom_fea_dim + 2 * nb + s->h->angle_fea_dim;
    double *x = zeros(n_in), *message = zeros(nb), *sums = zeros(g->n_bond * nb);
    char mlp[80];
    snprintf(mlp, sizeof mlp, "bond_conv_layers.%d.twoBody_bond", t);
    for (int64_t i = 0; i < g->n_atom; i++)
        for (int64_t k = g->angle_start[i]; k < g->angle_start[i + 1]; k++) {
            corner at = corner_of(g, i, k);
            int64_t u = g->bond[at.first], other = g->bond[at.second];
            angle_input(s, i, k, x);
            gated(s, mlp, n_in, s->h->bond_hidden, nb, x, message);
            for (int64_t c = 0; c < nb; c++)
                sums[u * nb + c] += message[c] * s->wb[u * nb + c] * s->wb[other * nb + c];
        }
    for (int64_t u = 0; u < g->n_bond; u++) {
        plain_linear(tensor(s->weights, "bond_conv_layers.%d.mlp_out.layers.1.weight", t),
                     tensor(s->weights, "bond_conv_layers.%d.mlp_out.layers.1.bias", t), nb, nb, sums + u * nb,
                     message);
        add(nb, message, s->e + u * nb);
    }
    free(x);
    free(message);
    free(sums);
}

/* a_ijk += gated([e_ij, e_ik, a_ijk, v_i]) */
static void angle_update(state *s, int t)
{
    const chgi_graph *g = s->g;
    int64_t nc = s->h->angle_fea_dim, n_in = s->h->atom_fea_dim + 2 * s->h->bond_fea_dim + nc;
    double *x = zeros(n_in), *update = zeros(nc);
    char mlp[80];
    snprintf(mlp, sizeof mlp, "angle_layers.%d.twoBody_bond", t);
    for (int64_t i = 0; i < g->n_atom; i++)
        for (int64_t k = g->angle_start[i]; k < g->angle_start[i + 1]; k++) {
            angle_input(s, i, k, x);
            gated(s, mlp, n_in, s->h->angle_hidden, nc, x, update);
            add(nc, update, s->a + k * nc);
        }
    free(x);
    free(update);
}

/* The energy MLP: SiLU after each hidden Linear. */
static double energy(const state *s, const double *v)
{
    const chgi_hyper *h = s->h;
    int n = (int)h->n_mlp_hidden;
    int64_t n_in = h->atom_fea_dim;
    double *x = zeros(n_in), result;
    memcpy(x, v, (size_t)n_in * sizeof *x);
    for (int m = 0; m < n; m++) {
        double *y = zeros(h->mlp_hidden[m]);
        plain_linear(tensor(s->weights, "mlp.layers.%d.weight", 2 * m), tensor(s->weights, "mlp.layers.%d.bias", 2 * m),
                     n_in, h->mlp_hidden[m], x, y);
        n_in = h->mlp_hidden[m];
        for (int64_t c = 0; c < n_in; c++)
            y[c] = plain_silu(y[c]);
        free(x);
        x = y;
    }
    plain_linear(tensor(s->weights, "mlp.layers.%d.weight", 2 * n + 1),
                 tensor(s->weights, "mlp.layers.%d.bias", 2 * n + 1), n_in, 1, x, &result);
    free(x);
    return result;
}

static void read_out(state *s, const int32_t *numbers, plain_result *r)
{
    const chgi_weights *w = s->weights;
    int64_t n = s->h->atom_fea_dim;
    memcpy(r->atom_fea_final, s->v, (size_t)(s->g->n_atom * n) * sizeof *s->v);
    for (int64_t i = 0; i < s->g->n_atom; i++) {
        double *v = r->atom_fea_final + i * n;
        if (s->h->readout_norm)
            plain_norm(tensor(w, "readout_norm.weight"), tensor(w, "readout_norm.bias"), n, v);
        r->site_energies[i] = energy(s, v) + (double)tensor(w, "composition_model.fc.weight")[numbers[i] - 1];
    }
}

static void magmoms(const state *s, plain_result *r)
{
    int64_t n = s->h->atom_fea_dim;
    memcpy(r->atom_fea, s->v, (size_t)(s->g->n_atom * n) * sizeof *s->v);
    for (int64_t i = 0; i < s->g->n_atom; i++) {
        plain_linear(tensor(s->weights, "site_wise.weight"), tensor(s->weights, "site_wise.bias"), n, 1, s->v + i * n,
                     r->magmoms + i);
        r->magmoms[i] = fabs(r->magmoms[i]);
    }
}

void plain_forward(const chgi_weights *weights, const chgi_graph *graph, const int32_t *numbers, plain_result *result)
{
    const chgi_hyper *h = &weights->hyper;
    int64_t n = graph->n_atom, na = h->atom_fea_dim, nb = h->bond_fea_dim;
    state s = {weights,
               h,
               graph,
               zeros(n * na),
               zeros(graph->n_bond * nb),
               zeros(graph->n_angle * h->angle_fea_dim),
               zeros(graph->n_bond * na),
               zeros(graph->n_bond * nb)};
    *result = (plain_result){zeros(n), zeros(n), zeros(n * na), zeros(n * na)};
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < na; c++)
            s.v[i * na + c] = (double)tensor(weights, "atom_embedding.embedding.weight")[(numbers[i] - 1) * na + c];
    embed_bonds(&s);
    embed_angles(&s);
    for (int t = 0; t + 1 < h->n_conv; t++) {
        atom_convolution(&s, t);
        if (graph->n_angle == 0)
            continue;
        bond_convolution(&s, t);
        angle_update(&s, t);
    }
    magmoms(&s, result);
    atom_convolution(&s, (int)h->n_conv - 1);
    read_out(&s, numbers, result);
    free(s.v);
    free(s.e);
    free(s.a);
    free(s.wa);
    free(s.wb);
}

void plain_result_free(plain_result *result)
{
    free(result->site_energies);
    free(result->magmoms);
    free(result->atom_fea);
    free(result->atom_fea_final);
}
