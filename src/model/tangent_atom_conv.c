#include <string.h>

#include "model/tangent.h"

/* The first map's result for [v_i, e_ij, v_j] for some edges of one atom, or its change along a direction. */
static void gather(const chgi_tangent *t, const chgi_atom_conv *conv, int slot, int64_t atom, int64_t edge, int rows,
                   chg_real *x)
{
    const chgi_graph *g = t->graph;
    int width = conv->center.n_out;
    const chg_real *center = t->from_center + (slot * g->n_atom + atom) * width;
    const chg_real *fars = t->from_neighbour + slot * g->n_atom * width;
    for (int r = 0; r < rows; r++, x += width) {
        int64_t u = g->bond[edge + r];
        bool is_short = u < g->n_short_bond;
        const chg_real *far = fars + (int64_t)g->neighbour[edge + r] * width;
        const chg_real *bond = is_short ? t->from_short + (slot * g->n_short_bond + u) * width
                                        : (slot ? t->from_long_slope : t->from_long) + (u - g->n_short_bond) * width;
        chg_vector factor = chgi_splat(is_short || slot == 0 ? 1 : t->length[(slot - 1) * g->n_bond + u]);
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + c, chgi_load(center + c) + chgi_load(far + c) + factor * chgi_load(bond + c));
    }
}

/* d(g wa) = dg wa + g dwa/dr dr, summed over some edges. */
static void add_messages(const chgi_tangent *t, int slot, int64_t edge, int rows, const chg_real *g, const chg_real *dg,
                         chg_real *sum)
{
    int n = t->net->width_atom;
    for (int r = 0; r < rows; r++, g += n, dg += n) {
        int64_t u = t->graph->bond[edge + r];
        const chg_real *weight = t->wa + u * n, *slope = t->wa_slope + u * n;
        chg_vector dr = chgi_splat(t->length[(slot - 1) * t->graph->n_bond + u]);
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(sum + c, chgi_load(sum + c) + chgi_load(dg + c) * chgi_load(weight + c) +
                                    dr * chgi_load(g + c) * chgi_load(slope + c));
    }
}

static void sum_messages(const chgi_tangent *t, const chgi_atom_conv *conv, int64_t atom)
{
    const chgi_graph *g = t->graph;
    int n = t->net->width_atom;
    chgi_gated_point point = chgi_tangent_point(t);
    chg_real *dx = chgi_tangent_tile(t, CHGI_TANGENT_DX), *dy = chgi_tangent_tile(t, CHGI_TANGENT_DY);
    chg_real *dg = chgi_tangent_tile(t, CHGI_TANGENT_DG);
    for (int slot = 0; slot < t->n_slot; slot++)
        memset(t->sum + (slot * g->n_atom + atom) * n, 0, (size_t)n * sizeof *t->sum);
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e += CHGI_TILE) {
        int rows = chgi_tile_rows(e, g->edge_start[atom + 1]);
        gather(t, conv, 0, atom, e, rows, conv->gated.n_hidden ? point.x : point.y);
        chgi_gated_point_find(&conv->gated, rows, &point);
        for (int r = 0; r < rows; r++)
            chgi_row_add_product(n, point.g + r * n, t->wa + (int64_t)g->bond[e + r] * n, t->sum + atom * n);
        for (int slot = 1; slot < t->n_slot; slot++) {
            gather(t, conv, slot, atom, e, rows, dx);
            chgi_gated_tangent(&conv->gated, rows, &point, dx, dy, dg);
            add_messages(t, slot, e, rows, point.g, dg, t->sum + (slot * g->n_atom + atom) * n);
        }
    }
}

/* Long bonds keep their first features, and each bond convolution before this layer has added its bias. */
static void project_long(const chgi_tangent *t, const chgi_atom_conv *conv)
{
    const chgi_graph *g = t->graph;
    int width = conv->center.n_out;
#pragma omp for schedule(dynamic, CHGI_TILE)
    for (int64_t u = g->n_short_bond; u < g->n_bond; u++) {
        int64_t at = (u - g->n_short_bond) * width;
        chgi_table_value(&t->net->radial, &t->bond_place[u], conv->column, width, t->from_long + at);
        chgi_table_slope(&t->net->radial, &t->bond_place[u], conv->column, width, t->from_long_slope + at);
        if (g->n_angle > 0)
            chgi_row_add(width, conv->long_bias, t->from_long + at);
    }
}

void chgi_tangent_atom_conv(const chgi_tangent *t, int layer)
{
    const chgi_atom_conv *conv = &t->net->atom_conv[layer];
    const chgi_graph *g = t->graph;
    chgi_tangent_project(t, &conv->center, g->n_atom, t->v, t->from_center, false);
    chgi_tangent_project(t, &conv->neighbour, g->n_atom, t->v, t->from_neighbour, false);
    chgi_tangent_project(t, &conv->bond, g->n_short_bond, t->e, t->from_short, false);
    project_long(t, conv);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++)
        sum_messages(t, conv, i);
    chgi_tangent_project(t, &conv->out, g->n_atom, t->sum, t->v, true);
}
