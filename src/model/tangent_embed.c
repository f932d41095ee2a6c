#include <math.h>
#include <string.h>

#include "math/lattice.h"
#include "model/tangent.h"

static const double COSINE_SHRINK = 1 - 1e-6; /* as in embed.c */

static void embed_bond(const chgi_tangent *t, int64_t bond, const double *dvector)
{
    const chgi_network *net = t->net;
    const chgi_graph *g = t->graph;
    double r = g->bond_length[bond];
    chgi_place *place = &t->bond_place[bond], near;
    int64_t atom = bond * net->width_atom, at = bond * net->width_bond;
    chgi_table_place(&net->radial, r, place);
    chgi_table_value(&net->radial, place, net->column_weight, net->width_atom, t->wa + atom);
    chgi_table_slope(&net->radial, place, net->column_weight, net->width_atom, t->wa_slope + atom);
    for (int d = 0; d + 1 < t->n_slot; d++)
        t->length[d * g->n_bond + bond] =
            (chg_real)(chgi_dot(g->bond_vector + 3 * bond, dvector + 3 * (d * g->n_bond + bond)) / r);
    if (bond >= g->n_short_bond)
        return;
    chgi_table_place(&net->weight, r, &near);
    chgi_table_value(&net->weight, &near, 0, net->width_bond, t->wb + at);
    chgi_table_slope(&net->weight, &near, 0, net->width_bond, t->wb_slope + at);
    chgi_table_value(&net->radial, place, net->column_feature, net->width_bond, t->e + at);
    for (int slot = 1; slot < t->n_slot; slot++) {
        chg_real *de = t->e + slot * g->n_short_bond * net->width_bond + at;
        chg_real dr = t->length[(slot - 1) * g->n_bond + bond];
        chgi_table_slope(&net->radial, place, net->column_feature, net->width_bond, de);
        for (int c = 0; c < net->width_bond; c++)
            de[c] *= dr;
    }
}

/* An edge, given by its rank among its atom's edges: unit vector along it; with dvector (n_bond,3), the change of that.
 */
static void direction(const chgi_graph *g, int64_t atom, int32_t rank, const double *dvector, double unit[3],
                      double change[3])
{
    int64_t edge = g->edge_start[atom] + rank, bond = g->bond[edge];
    double scale = chgi_graph_sign(g, edge) / g->bond_length[bond];
    for (int c = 0; c < 3; c++)
        unit[c] = scale * g->bond_vector[3 * bond + c];
    if (!dvector)
        return;
    for (int c = 0; c < 3; c++)
        change[c] = scale * dvector[3 * bond + c];
    double along = chgi_dot(unit, change);
    for (int c = 0; c < 3; c++)
        change[c] -= along * unit[c];
}

static void embed_turn(const chgi_tangent *t, int64_t atom, int64_t turn, const double *dvector)
{
    const chgi_graph *g = t->graph;
    double p[3], q[3], dp[3], dq[3];
    direction(g, atom, g->turn_first[turn], NULL, p, dp);
    direction(g, atom, g->turn_second[turn], NULL, q, dq);
    double cosine = COSINE_SHRINK * fmax(-1, fmin(1, chgi_dot(p, q)));
    double slope = -COSINE_SHRINK / sqrt(1 - cosine * cosine);
    chgi_table_place(&t->net->turn, acos(cosine), &t->turn_place[turn]);
    for (int d = 0; d + 1 < t->n_slot; d++, dvector += 3 * g->n_bond) {
        direction(g, atom, g->turn_first[turn], dvector, p, dp);
        direction(g, atom, g->turn_second[turn], dvector, q, dq);
        t->theta[d * g->n_turn + turn] = (chg_real)(slope * (chgi_dot(dp, q) + chgi_dot(p, dq)));
    }
}

/* The features that the first update starts from. */
static void embed_angle(const chgi_tangent *t, int64_t angle)
{
    const chgi_graph *g = t->graph;
    int n = t->net->width_angle;
    int64_t turn = g->angle_turn[angle];
    const chgi_place *place = &t->turn_place[turn];
    chg_real slope[CHGI_MOST_WIDTH + CHGI_PAD];
    chgi_table_value(&t->net->turn, place, t->net->column_angle, n, t->angle + angle * n);
    chgi_table_slope(&t->net->turn, place, t->net->column_angle, n, slope);
    for (int slot = 1; slot < t->n_slot; slot++) {
        chg_real *change = t->angle + (slot * g->n_angle + angle) * n;
        chg_vector dtheta = chgi_splat(t->theta[(slot - 1) * g->n_turn + turn]);
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(change + c, dtheta * chgi_load(slope + c));
    }
}

void chgi_tangent_embed(const chgi_tangent *t, const double *dvector)
{
    const chgi_network *net = t->net;
    const chgi_graph *g = t->graph;
    size_t row = (size_t)net->width_atom;
#pragma omp for
    for (int64_t k = 0; k < t->n_slot * g->n_atom; k++) {
        if (k < g->n_atom)
            memcpy(t->v + (size_t)k * row, net->embedding + (size_t)(t->numbers[k] - 1) * row, row * sizeof(chg_real));
        else
            memset(t->v + (size_t)k * row, 0, row * sizeof(chg_real));
    }
#pragma omp for schedule(dynamic, 64)
    for (int64_t u = 0; u < g->n_bond; u++)
        embed_bond(t, u, dvector);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++) {
        for (int64_t k = g->turn_start[i]; k < g->turn_start[i + 1]; k++)
            embed_turn(t, i, k, dvector);
        for (int64_t a = g->angle_start[i]; net->n_conv > 2 && a < g->angle_start[i + 1]; a++)
            embed_angle(t, a);
    }
}
