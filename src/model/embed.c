#include <math.h>
#include <string.h>

#include "math/lattice.h"
#include "model/rows.h"

/* Keeps acos away from its ends; the model was trained with it. */
static const double COSINE_SHRINK = 1 - 1e-6;

static const chg_real zeros[2 * CHGI_MOST_WIDTH];

/* value = basis W^T and slope = (d basis / dr) W^T for a tile of bonds. */
static void embed_tile(const chgi_pass *pass, const chgi_linear *linear, int rows, const chg_real *basis,
                       const chg_real *slope, chg_real *out, chg_real *out_slope)
{
    int n = linear->n_out, ld = linear->n_in;
    chgi_product(rows, n, pass->net->n_radial, basis, ld, linear->forward, n, zeros, 0, out, n);
    if (pass->gradient)
        chgi_product(rows, n, pass->net->n_radial, slope, ld, linear->forward, n, zeros, 0, out_slope, n);
}

static void radial_tile(const chgi_pass *pass, const chgi_frequencies *frequencies, double cutoff, int64_t bond, int rows,
                        chg_real *basis, chg_real *slope)
{
    int width = chgi_pad(pass->net->n_radial);
    for (int r = 0; r < rows; r++)
        chgi_radial_basis(frequencies, cutoff, pass->net->power, pass->graph->bond_length[bond + r], basis + r * width,
                          slope + r * width);
}

static void embed_bonds(const chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int thread = omp_get_thread_num();
    chg_real *basis = chgi_pass_tile(pass, thread, CHGI_TILE_X), *slope = chgi_pass_tile(pass, thread, CHGI_TILE_DX);
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_bond);
        radial_tile(pass, &net->radial_atom, net->atom_cutoff, u, rows, basis, slope);
        embed_tile(pass, &net->bond_embedding, rows, basis, slope, w->e + u * net->width_bond,
                   w->e_slope + u * net->width_bond);
        embed_tile(pass, &net->atom_weight, rows, basis, slope, w->wa + u * net->width_atom,
                   w->wa_slope + u * net->width_atom);
    }
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_short_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_short_bond);
        radial_tile(pass, &net->radial_bond, net->bond_cutoff, u, rows, basis, slope);
        embed_tile(pass, &net->bond_weight, rows, basis, slope, w->wb + u * net->width_bond,
                   w->wb_slope + u * net->width_bond);
    }
}

/* Unit vector along an edge, given by its rank among its atom's edges. */
static void direction(const chgi_graph *g, int64_t atom, int32_t rank, double unit[3])
{
    int64_t edge = g->edge_start[atom] + rank, bond = g->bond[edge];
    double scale = chgi_graph_sign(g, edge) / g->bond_length[bond];
    for (int c = 0; c < 3; c++)
        unit[c] = scale * g->bond_vector[3 * bond + c];
}

static void embed_angles(const chgi_pass *pass, int64_t atom)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int thread = omp_get_thread_num(), kept = chgi_pad(net->n_angular), width = kept + CHGI_PAD, n = net->width_angle;
    chg_real *basis = chgi_pass_tile(pass, thread, CHGI_TILE_X), *slope = chgi_pass_tile(pass, thread, CHGI_TILE_DX);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        for (int r = 0; r < rows; r++) {
            double p[3], q[3];
            direction(g, atom, g->angle_first[a + r], p);
            direction(g, atom, g->angle_second[a + r], q);
            double cosine = COSINE_SHRINK * fmax(-1, fmin(1, chgi_dot(p, q)));
            w->cosine_slope[a + r] = -COSINE_SHRINK / sqrt(1 - cosine * cosine);
            chgi_angular_basis(&net->angular, acos(cosine), basis + r * width, slope + r * width);
            if (pass->gradient)
                memcpy(w->basis_slope + (a + r) * kept, slope + r * width, (size_t)net->n_angular * sizeof *slope);
        }
        chgi_product(rows, n, net->n_angular, basis, width, net->angle_embedding.forward, n, zeros, 0, w->angle + a * n, n);
    }
}

void chgi_embed_forward(const chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    size_t row = (size_t)net->width_atom;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        memcpy(pass->w.v + (size_t)i * row, net->embedding + (size_t)(pass->numbers[i] - 1) * row, row * sizeof(chg_real));
    embed_bonds(pass);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        embed_angles(pass, i);
}

/* dE/d(u_p . u_q) of a tile of angles. */
static void cosine_gradient(const chgi_pass *pass, int64_t angle, int rows, chg_real *tile, double *gradient)
{
    const chgi_network *net = pass->net;
    const chgi_workspace *w = &pass->w;
    int n = net->width_angle, width = net->angle_embedding.n_in;
    chgi_product(rows, width, n, w->dangle + angle * n, n, net->angle_embedding.backward, width, zeros, 0, tile, width);
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = 0; c < net->n_angular; c++)
            sum += (double)tile[r * width + c] * (double)w->basis_slope[(angle + r) * width + c];
        gradient[r] = sum * w->cosine_slope[angle + r];
    }
}

/* dE/d(edge vector) through the angles for the short edges of one atom: first dE/du, then across the length. */
static void angle_vectors(const chgi_pass *pass, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_X);
    double *vectors = pass->w.dvector_short + 3 * g->short_start[atom], gradient[CHGI_TILE];
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom];
    memset(vectors, 0, (size_t)shorts * 3 * sizeof *vectors);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        cosine_gradient(pass, a, rows, tile, gradient);
        for (int r = 0; r < rows; r++) {
            double p[3], q[3];
            direction(g, atom, g->angle_first[a + r], p);
            direction(g, atom, g->angle_second[a + r], q);
            for (int c = 0; c < 3; c++) {
                vectors[3 * g->angle_first[a + r] + c] += gradient[r] * q[c];
                vectors[3 * g->angle_second[a + r] + c] += gradient[r] * p[c];
            }
        }
    }
    for (int32_t p = 0; p < shorts; p++) {
        double unit[3], *vector = vectors + 3 * p;
        direction(g, atom, p, unit);
        double along = chgi_dot(unit, vector), length = g->bond_length[chgi_graph_bond(g, atom, p)];
        for (int c = 0; c < 3; c++)
            vector[c] = (vector[c] - along * unit[c]) / length;
    }
}

static void bond_gradient_of(const chgi_pass *pass, int64_t bond, double gradient[3])
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int64_t forth = g->bond_edge[bond], back = g->reverse[forth];
    double slope = chgi_row_dot(net->width_bond, w->de + bond * net->width_bond, w->e_slope + bond * net->width_bond);
    slope += w->dlength_edge[forth] + w->dlength_edge[back];
    double across[3] = {0, 0, 0};
    if (bond < g->n_short_bond) {
        int64_t s = g->bond_short[bond], r = g->short_reverse[s];
        slope += w->dlength_short[s] + w->dlength_short[r];
        for (int c = 0; c < 3; c++)
            across[c] = w->dvector_short[3 * s + c] - w->dvector_short[3 * r + c];
    }
    for (int c = 0; c < 3; c++)
        gradient[c] = slope * g->bond_vector[3 * bond + c] / g->bond_length[bond] + across[c];
}

void chgi_embed_backward(const chgi_pass *pass, double *bond_gradient)
{
    const chgi_graph *g = pass->graph;
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++)
        angle_vectors(pass, i);
#pragma omp for
    for (int64_t u = 0; u < g->n_bond; u++)
        bond_gradient_of(pass, u, bond_gradient + 3 * u);
}
