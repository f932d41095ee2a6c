#include <string.h>

#include "model/angle_rows.h"
#include "model/exchange.h"

static chgi_angle_work work_of(const chgi_pass *pass, int layer)
{
    const chgi_angle_layer *conv = &pass->net->bond_conv[layer];
    const chgi_workspace *w = &pass->w;
    int64_t kept = layer * pass->graph->n_angle, slot = pass->gradient && !pass->keep ? layer - 1 : 0;
    return (chgi_angle_work){
        .pass = pass,
        .layer = conv,
        .angle = layer > 0 ? w->angle + slot * pass->graph->n_angle * pass->net->width_angle : NULL,
        .slope = pass->keep ? w->slope_bond + kept * conv->center.n_out : NULL,
        .y = pass->keep ? w->y_bond + kept * 2 * conv->gated.n_out : NULL,
        .first_gradient = layer == pass->net->n_conv - 2,
    };
}

/* message_p += sum over q of value wb_q for some angles of one atom, whose first edges p ascend. */
CHGI_INLINE void weigh_as(int n, const chgi_pass *pass, int64_t atom, int64_t angle, int rows, const chg_real *value,
                          chg_real *message)
{
    const chgi_graph *g = pass->graph;
    const int32_t *p = g->angle_first + angle, *q = g->angle_second + angle;
    chg_vector sum[CHGI_ROW_VECTORS];
    chgi_row_zero(n, sum);
    for (int r = 0; r < rows; r++, value += n) {
        const chg_real *weight = pass->w.wb + chgi_graph_bond(g, atom, q[r]) * n;
#pragma GCC unroll 4
        for (int c = 0; c < n; c += CHGI_LANES)
            sum[c / CHGI_LANES] += chgi_load(value + c) * chgi_load(weight + c);
        if (r + 1 < rows && p[r + 1] == p[r])
            continue;
        chgi_row_flush(n, sum, message + p[r] * n);
        chgi_row_zero(n, sum);
    }
}

/* message_p = wb_p sum over q of gated() wb_q for the short edges p of one atom. */
static void sum_messages(const chgi_angle_work *work, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = work->layer->gated.n_out;
    chg_real *value = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G);
    chg_real *message = w->message + g->short_start[atom] * n;
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom];
    memset(message, 0, (size_t)(shorts * n) * sizeof *message);
    chgi_angle_begin(work, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chgi_angle_forward(work, atom, a, rows, value);
        if (n == 64)
            weigh_as(64, pass, atom, a, rows, value, message);
        else
            weigh_as(n, pass, atom, a, rows, value, message);
    }
    for (int32_t p = 0; p < shorts; p++) {
        const chg_real *weight = w->wb + chgi_graph_bond(g, atom, p) * n;
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(message + p * n + c, chgi_load(message + p * n + c) * chgi_load(weight + c));
    }
}

/* new e = e + out(both ends' messages).  Long bonds get the bias only: see chgi_atom_conv.long_bias. */
static void update_bonds(const chgi_pass *pass, const chgi_linear *out, const chg_real *old, chg_real *new)
{
    const chgi_graph *g = pass->graph;
    int n = out->n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_X);
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_short_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_short_bond);
        chgi_rows_pair(g, n, pass->w.message, u, rows, tile);
        for (int64_t k = 0; k < (int64_t)rows * n; k += CHGI_LANES)
            chgi_store(new + u *n + k, chgi_load(old + u * n + k) + chgi_load(out->bias + k % n));
        chgi_product(rows, n, n, tile, n, out->forward, n, new + u *n, n, new + u *n, n);
    }
}

void chgi_bond_conv_forward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    const chg_real *e = chgi_pass_e(pass, layer);
    chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), e);
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        sum_messages(&work, i);
    chgi_exchange_messages(pass, work.layer->out.n_in);
    update_bonds(pass, &work.layer->out, e, chgi_pass_e(pass, layer + 1));
}

/* dg = dmessage_p wb_p wb_q. */
CHGI_INLINE void seed_as(int n, const chgi_pass *pass, int64_t atom, int64_t angle, int rows, chg_real *dg)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    const int32_t *p = g->angle_first + angle, *q = g->angle_second + angle;
    chg_vector seed[CHGI_ROW_VECTORS];
    chgi_row_zero(n, seed);
    for (int r = 0; r < rows; r++, dg += n) {
        int64_t first = chgi_graph_bond(g, atom, p[r]) * n, second = chgi_graph_bond(g, atom, q[r]) * n;
        if (r == 0 || p[r] != p[r - 1])
#pragma GCC unroll 4
            for (int c = 0; c < n; c += CHGI_LANES)
                seed[c / CHGI_LANES] = chgi_load(w->de_part + first + c) * chgi_load(w->wb + first + c);
#pragma GCC unroll 4
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(dg + c, seed[c / CHGI_LANES] * chgi_load(w->wb + second + c));
    }
}

/* dE/dr through the weights of both bonds. */
CHGI_INLINE void length_as(int n, const chgi_pass *pass, int64_t atom, int64_t angle, int rows, const chg_real *value,
                           double *dlength)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    const int32_t *p = g->angle_first + angle, *q = g->angle_second + angle;
    for (int from = 0; from < rows; from += CHGI_LANES) {
        chg_vector by_first[CHGI_LANES] = {{0}}, by_second[CHGI_LANES] = {{0}};
        int count = rows - from < CHGI_LANES ? rows - from : CHGI_LANES;
        for (int r = 0; r < count; r++, value += n) {
            int64_t first = chgi_graph_bond(g, atom, p[from + r]) * n,
                    second = chgi_graph_bond(g, atom, q[from + r]) * n;
#pragma GCC unroll 4
            for (int c = 0; c < n; c += CHGI_LANES) {
                chg_vector seed = chgi_load(value + c) * chgi_load(w->de_part + first + c);
                by_first[r] += seed * chgi_load(w->wb_slope + first + c) * chgi_load(w->wb + second + c);
                by_second[r] += seed * chgi_load(w->wb + first + c) * chgi_load(w->wb_slope + second + c);
            }
        }
        chg_vector along_first = chgi_sum_each(by_first), along_second = chgi_sum_each(by_second);
        for (int r = 0; r < count; r++) {
            dlength[p[from + r]] += (double)along_first[r];
            dlength[q[from + r]] += (double)along_second[r];
        }
    }
}

static void spread_messages(const chgi_angle_work *work, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    int n = work->layer->gated.n_out, thread = omp_get_thread_num();
    chg_real *dg = chgi_pass_tile(pass, thread, CHGI_TILE_DG), *value = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    double *dlength = pass->w.dlength_short + g->short_start[atom];
    chgi_angle_begin_back(work, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        if (n == 64)
            seed_as(64, pass, atom, a, rows, dg);
        else
            seed_as(n, pass, atom, a, rows, dg);
        chgi_angle_backward(work, atom, a, rows, dg, value);
        if (n == 64)
            length_as(64, pass, atom, a, rows, value, dlength);
        else
            length_as(n, pass, atom, a, rows, value, dlength);
    }
}

void chgi_bond_conv_backward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    chgi_rows_project_back(&work.layer->out, pass->graph->n_short_bond, pass->w.de, pass->w.de_part, false);
    chgi_exchange_gradients(pass, work.layer->out.n_in);
    if (!pass->keep)
        chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), chgi_pass_e(pass, layer));
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        spread_messages(&work, i);
    chgi_angle_spread(&work);
}
