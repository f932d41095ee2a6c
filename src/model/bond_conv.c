#include <string.h>

#include "model/angle_rows.h"

/* Where the layer's x and y of an angle are kept for the reverse pass, or the thread's tile. */
static chg_real *kept_x(const chgi_pass *pass, int layer, int64_t angle)
{
    int width = pass->net->bond_conv[layer].center.n_out;
    return pass->gradient ? pass->w.x_bond + (layer * pass->graph->n_angle + angle) * width
                          : chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_X);
}

static chg_real *kept_y(const chgi_pass *pass, int layer, int64_t angle)
{
    int width = 2 * pass->net->bond_conv[layer].gated.n_out;
    return pass->gradient ? pass->w.y_bond + (layer * pass->graph->n_angle + angle) * width
                          : chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_Y);
}

/* message_p = wb_p sum over q of gated(x_pq) wb_q for the short edges p of one atom. */
static void sum_messages(const chgi_pass *pass, int layer, int64_t atom)
{
    const chgi_angle_layer *conv = &pass->net->bond_conv[layer];
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = conv->gated.n_out, thread = omp_get_thread_num();
    chg_real *h = chgi_pass_tile(pass, thread, CHGI_TILE_H), *value = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    chg_real *message = w->message + g->short_start[atom] * n;
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom];
    memset(message, 0, (size_t)(shorts * n) * sizeof *message);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chg_real *x = kept_x(pass, layer, a);
        chgi_angle_gather(pass, conv, atom, a, rows, x);
        chgi_gated_forward(&conv->gated, rows, x, h, kept_y(pass, layer, a), value);
        for (int r = 0; r < rows; r++)
            chgi_row_add_product(n, value + r * n, w->wb + chgi_graph_bond(g, atom, g->angle_second[a + r]) * n,
                                 message + g->angle_first[a + r] * n);
    }
    for (int32_t p = 0; p < shorts; p++) {
        const chg_real *weight = w->wb + chgi_graph_bond(g, atom, p) * n;
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(message + p * n + c, chgi_load(message + p * n + c) * chgi_load(weight + c));
    }
}

/* e += out(both ends' messages); long bonds have no message but, where there is one, get the bias. */
static void update_bonds(const chgi_pass *pass, const chgi_linear *out)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = out->n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_X);
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_bond), shorts = 0;
        for (int r = 0; r < rows; r++)
            chgi_row_add(n, out->bias, w->e + (u + r) * n);
        for (; shorts < rows && u + shorts < g->n_short_bond; shorts++) {
            int64_t s = g->bond_short[u + shorts];
            const chg_real *forth = w->message + s * n, *back = w->message + (int64_t)g->short_reverse[s] * n;
            for (int c = 0; c < n; c += CHGI_LANES)
                chgi_store(tile + shorts * n + c, chgi_load(forth + c) + chgi_load(back + c));
        }
        chgi_product(shorts, n, n, tile, n, out->forward, n, w->e + u * n, n, w->e + u * n, n);
    }
}

void chgi_bond_conv_forward(const chgi_pass *pass, int layer)
{
    const chgi_angle_layer *conv = &pass->net->bond_conv[layer];
    chgi_angle_project(pass, conv);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        sum_messages(pass, layer, i);
    update_bonds(pass, &conv->out);
}

/* dg of one angle, and dE/dr through the weights of its two bonds. */
static void seed_row(const chgi_pass *pass, int64_t first, int64_t second, chg_real *dg)
{
    const chgi_workspace *w = &pass->w;
    int n = pass->net->width_bond;
    const chg_real *dmessage = w->de_part + first * n, *p = w->wb + first * n, *q = w->wb + second * n;
    for (int c = 0; c < n; c += CHGI_LANES)
        chgi_store(dg + c, chgi_load(dmessage + c) * chgi_load(p + c) * chgi_load(q + c));
}

static void weight_row(const chgi_pass *pass, int64_t first, int64_t second, const chg_real *value, double *dfirst,
                       double *dsecond)
{
    const chgi_workspace *w = &pass->w;
    int n = pass->net->width_bond;
    const chg_real *dmessage = w->de_part + first * n;
    chg_vector by_first = {0}, by_second = {0};
    for (int c = 0; c < n; c += CHGI_LANES) {
        chg_vector seed = chgi_load(value + c) * chgi_load(dmessage + c);
        by_first += seed * chgi_load(w->wb_slope + first * n + c) * chgi_load(w->wb + second * n + c);
        by_second += seed * chgi_load(w->wb + first * n + c) * chgi_load(w->wb_slope + second * n + c);
    }
    *dfirst += chgi_sum(by_first);
    *dsecond += chgi_sum(by_second);
}

static void spread_messages(const chgi_pass *pass, int layer, int64_t atom)
{
    const chgi_angle_layer *conv = &pass->net->bond_conv[layer];
    const chgi_graph *g = pass->graph;
    int n = conv->gated.n_out, thread = omp_get_thread_num();
    chg_real *dg = chgi_pass_tile(pass, thread, CHGI_TILE_DG), *dy = chgi_pass_tile(pass, thread, CHGI_TILE_DY);
    chg_real *value = chgi_pass_tile(pass, thread, CHGI_TILE_G), *dx = chgi_pass_tile(pass, thread, CHGI_TILE_DX);
    double *dlength = pass->w.dlength_short + g->short_start[atom];
    chgi_angle_clear(pass, conv, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        const int32_t *p = g->angle_first + a, *q = g->angle_second + a;
        for (int r = 0; r < rows; r++)
            seed_row(pass, chgi_graph_bond(g, atom, p[r]), chgi_graph_bond(g, atom, q[r]), dg + r * n);
        chgi_gated_backward(&conv->gated, rows, kept_x(pass, layer, a), kept_y(pass, layer, a), dg, value, dy, dx);
        for (int r = 0; r < rows; r++)
            weight_row(pass, chgi_graph_bond(g, atom, p[r]), chgi_graph_bond(g, atom, q[r]), value + r * n,
                       &dlength[p[r]], &dlength[q[r]]);
        chgi_angle_scatter(pass, conv, atom, a, rows, dx);
    }
}

void chgi_bond_conv_backward(const chgi_pass *pass, int layer)
{
    const chgi_angle_layer *conv = &pass->net->bond_conv[layer];
    chgi_rows_project_back(&conv->out, pass->graph->n_short_bond, pass->w.de, pass->w.de_part, false);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        spread_messages(pass, layer, i);
    chgi_angle_spread(pass, conv);
}
