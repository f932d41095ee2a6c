#include <math.h>
#include <string.h>

#include "math/lattice.h"
#include "model/rows.h"
#include "nn/vecmath.h"

/* Keeps acos away from its ends; the model was trained with it. */
static const double COSINE_SHRINK = 1 - 1e-6;

static void embed_bond(const chgi_pass *pass, int64_t bond)
{
    const chgi_network *net = pass->net;
    const chgi_workspace *w = &pass->w;
    double r = pass->graph->bond_length[bond];
    chgi_place *place = &w->bond_place[bond];
    chgi_table_place(&net->radial, r, place);
    chgi_table_value(&net->radial, place, net->column_weight, net->width_atom, w->wa + bond * net->width_atom);
    if (pass->keep)
        chgi_table_slope(&net->radial, place, net->column_weight, net->width_atom,
                         w->wa_slope + bond * net->width_atom);
    if (bond >= pass->graph->n_short_bond)
        return;
    chgi_place near;
    int64_t at = bond * net->width_bond;
    chgi_table_place(&net->weight, r, &near);
    chgi_table_value(&net->radial, place, net->column_feature, net->width_bond, w->e + at);
    chgi_table_value(&net->weight, &near, 0, net->width_bond, w->wb + at);
    if (pass->gradient)
        chgi_table_slope(&net->weight, &near, 0, net->width_bond, w->wb_slope + at);
}

/* Unit vector along an edge, given by its rank among its atom's edges. */
static void direction(const chgi_graph *g, int64_t atom, int32_t rank, double unit[3])
{
    int64_t edge = g->edge_start[atom] + rank, bond = g->bond[edge];
    double scale = chgi_graph_sign(g, edge) / g->bond_length[bond];
    for (int c = 0; c < 3; c++)
        unit[c] = scale * g->bond_vector[3 * bond + c];
}

/* Cosine of a turn, kept away from the ends. */
static double cosine_of(const chgi_graph *g, int64_t atom, int64_t turn)
{
    double p[3], q[3];
    direction(g, atom, g->turn_first[turn], p);
    direction(g, atom, g->turn_second[turn], q);
    return COSINE_SHRINK * fmax(-1, fmin(1, chgi_dot(p, q)));
}

static void embed_turns(const chgi_pass *pass, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    int64_t end = g->turn_start[atom + 1];
    for (int64_t t = g->turn_start[atom]; t < end; t += CHGI_DOUBLE_LANES) {
        int count = end - t < CHGI_DOUBLE_LANES ? (int)(end - t) : CHGI_DOUBLE_LANES;
        chg_dvector angle = {0};
        for (int k = 0; k < count; k++)
            angle[k] = cosine_of(g, atom, t + k);
        angle = chgi_acos(angle);
        for (int k = 0; k < count; k++)
            chgi_table_place(&pass->net->turn, angle[k], &pass->w.turn_place[t + k]);
    }
}

void chgi_embed_forward(const chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    size_t row = (size_t)net->width_atom;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        memcpy(pass->w.v + (size_t)i * row, net->embedding + (size_t)(pass->numbers[i] - 1) * row,
               row * sizeof(chg_real));
#pragma omp for schedule(dynamic, 64)
    for (int64_t u = 0; u < pass->graph->n_bond; u++)
        embed_bond(pass, u);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        embed_turns(pass, i);
}

/* Back through the features that the first update started from. */
static void collect_features(const chgi_pass *pass, int64_t atom)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = net->width_angle;
    int64_t start = g->turn_start[atom];
    chg_real *slopes = chgi_pass_turns(pass, omp_get_thread_num(), true);
    if (!w->dangle)
        return;
    for (int64_t t = start; t < g->turn_start[atom + 1]; t++)
        chgi_table_slope(&net->turn, &w->turn_place[t], net->column_angle, n, slopes + (t - start) * n);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a++) {
        int64_t turn = g->angle_turn[a];
        w->dtheta[turn] += (double)chgi_row_dot(n, slopes + (turn - start) * n, w->dangle + a * n);
    }
}

/* Across the bond: a change of direction, dE/du, is a change of the vector divided by its length. */
static void project_across(const chgi_graph *g, int64_t atom, double *vectors)
{
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom];
    for (int32_t p = 0; p < shorts; p++) {
        double unit[3], *vector = vectors + 3 * p;
        direction(g, atom, p, unit);
        double along = chgi_dot(unit, vector), length = g->bond_length[chgi_graph_bond(g, atom, p)];
        for (int c = 0; c < 3; c++)
            vector[c] = (vector[c] - along * unit[c]) / length;
    }
}

/* dE/d(edge vector) through the angles for the short edges of one atom: dE/dtheta, dE/d(u_p . u_q), dE/du, dE/dvector.
 */
static void angle_vectors(const chgi_pass *pass, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    double *vectors = pass->w.dvector_short + 3 * g->short_start[atom];
    memset(vectors, 0, (size_t)(g->short_start[atom + 1] - g->short_start[atom]) * 3 * sizeof *vectors);
    collect_features(pass, atom);
    for (int64_t t = g->turn_start[atom]; t < g->turn_start[atom + 1]; t++) {
        double p[3], q[3], cosine = cosine_of(g, atom, t);
        double gradient = -pass->w.dtheta[t] * COSINE_SHRINK / sqrt(1 - cosine * cosine);
        direction(g, atom, g->turn_first[t], p);
        direction(g, atom, g->turn_second[t], q);
        for (int c = 0; c < 3; c++) {
            vectors[3 * g->turn_first[t] + c] += gradient * q[c];
            vectors[3 * g->turn_second[t] + c] += gradient * p[c];
        }
    }
    project_across(g, atom, vectors);
}

static void bond_gradient_of(const chgi_pass *pass, int64_t bond, double gradient[3])
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int64_t forth = g->bond_edge[bond], back = g->reverse[forth];
    double slope = w->dlength_edge[forth] + w->dlength_edge[back], across[3] = {0, 0, 0};
    if (bond < g->n_short_bond) {
        int64_t s = g->bond_short[bond], r = g->short_reverse[s];
        slope += w->dlength_short[s] + w->dlength_short[r];
        slope += (double)chgi_table_dot_slope(&net->radial, &w->bond_place[bond], net->column_feature, net->width_bond,
                                              w->de + bond * net->width_bond);
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
