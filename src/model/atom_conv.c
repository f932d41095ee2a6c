#include "model/rows.h"

/* Projections, summed per edge: the first map's result for [v_i, e_ij, v_j]. */
static void gather(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, chg_real *x)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int width = chgi_gated_width(&pass->net->atom_conv[layer].gated);
    int64_t slot = chgi_pass_slot(pass, layer);
    const chg_real *center = w->from_center + (slot * g->n_atom + atom) * width;
    for (int r = 0; r < rows; r++, x += width) {
        const chg_real *bond = w->from_bond + (slot * g->n_bond + g->bond[edge + r]) * width;
        const chg_real *far = w->from_neighbour + (slot * g->n_atom + g->neighbour[edge + r]) * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + c, chgi_load(center + c) + chgi_load(bond + c) + chgi_load(far + c));
    }
}

static void sum_messages(const chgi_pass *pass, const chgi_atom_conv *conv, int layer, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = conv->gated.n_out, thread = omp_get_thread_num();
    chg_real *x = chgi_pass_tile(pass, thread, CHGI_TILE_X), *y = chgi_pass_tile(pass, thread, CHGI_TILE_Y);
    chg_real *message = chgi_pass_tile(pass, thread, CHGI_TILE_G), *sum = w->sum + atom * n;
    for (int c = 0; c < n; c++)
        sum[c] = 0;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e += CHGI_TILE) {
        int rows = chgi_tile_rows(e, g->edge_start[atom + 1]);
        if (pass->gradient)
            y = w->y_atom + (layer * g->n_edge + e) * 2 * n;
        gather(pass, layer, atom, e, rows, x);
        chgi_gated_forward(&conv->gated, rows, x, x, y, message);
        for (int r = 0; r < rows; r++)
            chgi_row_add_product(n, message + r * n, w->wa + (int64_t)g->bond[e + r] * n, sum);
    }
}

void chgi_atom_conv_forward(const chgi_pass *pass, int layer)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int64_t slot = chgi_pass_slot(pass, layer), width = chgi_gated_width(&conv->gated);
    chgi_rows_project(&conv->center, g->n_atom, w->v, w->from_center + slot * g->n_atom * width, false);
    chgi_rows_project(&conv->neighbour, g->n_atom, w->v, w->from_neighbour + slot * g->n_atom * width, false);
    chgi_rows_project(&conv->bond, g->n_bond, w->e, w->from_bond + slot * g->n_bond * width, false);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++)
        sum_messages(pass, conv, layer, i);
    chgi_rows_project(&conv->out, g->n_atom, w->sum, w->v, true);
}

/* dx of all edges out of one atom, their sum (the center's part), and dE/dr through the weights. */
static void spread_messages(const chgi_pass *pass, const chgi_atom_conv *conv, int layer, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = conv->gated.n_out, width = chgi_gated_width(&conv->gated), thread = omp_get_thread_num();
    chg_real *x = chgi_pass_tile(pass, thread, CHGI_TILE_X), *message = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    chg_real *dg = chgi_pass_tile(pass, thread, CHGI_TILE_DG), *dy = chgi_pass_tile(pass, thread, CHGI_TILE_DY);
    chg_real *center = w->dv_part + atom * width;
    const chg_real *dsum = w->sum + atom * n;
    for (int c = 0; c < width; c++)
        center[c] = 0;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e += CHGI_TILE) {
        int rows = chgi_tile_rows(e, g->edge_start[atom + 1]);
        gather(pass, layer, atom, e, rows, x);
        for (int r = 0; r < rows; r++) {
            const chg_real *weight = w->wa + (int64_t)g->bond[e + r] * n;
            for (int c = 0; c < n; c += CHGI_LANES)
                chgi_store(dg + r * n + c, chgi_load(dsum + c) * chgi_load(weight + c));
        }
        chgi_gated_backward(&conv->gated, rows, x, w->y_atom + (layer * g->n_edge + e) * 2 * n, dg, message, dy,
                            w->dx + e * width);
        for (int r = 0; r < rows; r++) {
            const chg_real *slope = w->wa_slope + (int64_t)g->bond[e + r] * n;
            chg_vector along = {0};
            for (int c = 0; c < n; c += CHGI_LANES)
                along += chgi_load(message + r * n + c) * chgi_load(dsum + c) * chgi_load(slope + c);
            w->dlength_edge[e + r] += chgi_sum(along);
            chgi_row_add(width, w->dx + (e + r) * width, center);
        }
    }
}

/* The neighbour's part of dv: edges that end at an atom are the reverses of those that begin there. */
static void collect_far(const chgi_pass *pass, int width, int64_t atom, chg_real *far)
{
    const chgi_graph *g = pass->graph;
    for (int c = 0; c < width; c++)
        far[c] = 0;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e++)
        chgi_row_add(width, pass->w.dx + (int64_t)g->reverse[e] * width, far);
}

/* dv and de from dx of all edges. */
static void spread_to_inputs(const chgi_pass *pass, const chgi_atom_conv *conv)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int width = chgi_gated_width(&conv->gated), n_bond_fea = conv->bond.n_in, n = conv->center.n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_DX);
    chgi_rows_project_back(&conv->center, g->n_atom, w->dv_part, w->dv, true);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i += CHGI_TILE) {
        int rows = chgi_tile_rows(i, g->n_atom);
        for (int r = 0; r < rows; r++)
            collect_far(pass, width, i + r, tile + r * width);
        chgi_product(rows, n, width, tile, width, conv->neighbour.backward, n, w->dv + i * n, n, w->dv + i * n, n);
    }
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_bond);
        for (int r = 0; r < rows; r++) {
            int64_t e = g->bond_edge[u + r];
            const chg_real *forth = w->dx + e * width, *back = w->dx + (int64_t)g->reverse[e] * width;
            for (int c = 0; c < width; c += CHGI_LANES)
                chgi_store(tile + r * width + c, chgi_load(forth + c) + chgi_load(back + c));
        }
        chg_real *de = w->de + u * n_bond_fea;
        chgi_product(rows, n_bond_fea, width, tile, width, conv->bond.backward, n_bond_fea, de, n_bond_fea, de, n_bond_fea);
    }
}

void chgi_atom_conv_backward(const chgi_pass *pass, int layer)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    chgi_rows_project_back(&conv->out, g->n_atom, pass->w.dv, pass->w.sum, false);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++)
        spread_messages(pass, conv, layer, i);
    spread_to_inputs(pass, conv);
}
