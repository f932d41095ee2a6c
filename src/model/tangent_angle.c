/* Bond convolution and angle update. */
#include <string.h>

#include "model/tangent.h"

static void project(const chgi_tangent *t, const chgi_angle_layer *layer)
{
    const chgi_graph *g = t->graph;
    chgi_tangent_project(t, &layer->first, g->n_short_bond, t->e, t->from_first, false);
    chgi_tangent_project(t, &layer->second, g->n_short_bond, t->e, t->from_second, false);
    chgi_tangent_project(t, &layer->center, g->n_atom, t->v, t->from_middle, false);
}

/* What a first feature adds to x: its value, or its slope in theta. */
static void tabulated(const chgi_tangent *t, const chgi_angle_layer *layer, int64_t angle, int rows, chg_real *value,
                      chg_real *slope)
{
    int width = layer->center.n_out;
    for (int r = 0; r < rows; r++) {
        const chgi_place *place = &t->turn_place[t->graph->angle_turn[angle + r]];
        chgi_table_add(&t->net->turn, place, layer->column, width, value + r * width);
        chgi_table_slope(&t->net->turn, place, layer->column, width, slope + r * width);
    }
}

/* The first map's result for [e_ij, e_ik, a_ijk, v_i] for some angles of one atom, or its change along a direction. */
static void gather(const chgi_tangent *t, const chgi_angle_layer *layer, int slot, int64_t atom, int64_t angle,
                   int rows, chg_real *x)
{
    const chgi_graph *g = t->graph;
    int width = layer->center.n_out, n = layer->angle.n_in;
    int64_t shorts = slot * g->n_short_bond;
    const chg_real *middle = t->from_middle + (slot * g->n_atom + atom) * width;
    for (int r = 0; r < rows; r++) {
        int64_t p = chgi_graph_bond(g, atom, g->angle_first[angle + r]);
        int64_t q = chgi_graph_bond(g, atom, g->angle_second[angle + r]);
        const chg_real *first = t->from_first + (shorts + p) * width, *second = t->from_second + (shorts + q) * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + r * width + c, chgi_load(middle + c) + chgi_load(first + c) + chgi_load(second + c));
    }
    chg_real *slope = chgi_tangent_tile(t, CHGI_TANGENT_SLOPE);
    if (layer->column < 0)
        chgi_product(rows, width, n, t->angle + (slot * g->n_angle + angle) * n, n, layer->angle.forward, width, x,
                     width, x, width);
    else if (slot == 0)
        tabulated(t, layer, angle, rows, x, slope);
    for (int r = 0; r < rows && layer->column >= 0 && slot > 0; r++) {
        chg_vector dtheta = chgi_splat(t->theta[(slot - 1) * g->n_turn + g->angle_turn[angle + r]]);
        for (int c = r * width; c < (r + 1) * width; c += CHGI_LANES)
            chgi_store(x + c, chgi_load(x + c) + dtheta * chgi_load(slope + c));
    }
}

/* What a layer makes of gated() of a tile of angles: slot 0 and g, or a direction with g and dg. */
typedef void (*consumer)(const chgi_tangent *t, int slot, int64_t atom, int64_t angle, int rows, const chg_real *g,
                         const chg_real *dg);

static void walk(const chgi_tangent *t, const chgi_angle_layer *layer, int64_t atom, consumer consume)
{
    const chgi_graph *g = t->graph;
    chgi_gated_point point = chgi_tangent_point(t);
    chg_real *dx = chgi_tangent_tile(t, CHGI_TANGENT_DX), *dy = chgi_tangent_tile(t, CHGI_TANGENT_DY);
    chg_real *dg = chgi_tangent_tile(t, CHGI_TANGENT_DG);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        gather(t, layer, 0, atom, a, rows, layer->gated.n_hidden ? point.x : point.y);
        chgi_gated_point_find(&layer->gated, rows, &point);
        consume(t, 0, atom, a, rows, point.g, NULL);
        for (int slot = 1; slot < t->n_slot; slot++) {
            gather(t, layer, slot, atom, a, rows, dx);
            chgi_gated_tangent(&layer->gated, rows, &point, dx, dy, dg);
            consume(t, slot, atom, a, rows, point.g, dg);
        }
    }
}

/* message_p += g wb_q, or dg wb_q + g dwb_q */
static void add_messages(const chgi_tangent *t, int slot, int64_t atom, int64_t angle, int rows, const chg_real *g,
                         const chg_real *dg)
{
    const chgi_graph *graph = t->graph;
    int n = t->net->width_bond;
    chg_real *messages = t->message + (slot * graph->n_short_edge + graph->short_start[atom]) * n;
    for (int r = 0; r < rows; r++) {
        int64_t q = chgi_graph_bond(graph, atom, graph->angle_second[angle + r]);
        chg_real *message = messages + graph->angle_first[angle + r] * n;
        if (slot == 0) {
            chgi_row_add_product(n, g + r * n, t->wb + q * n, message);
            continue;
        }
        chg_vector dr = chgi_splat(t->length[(slot - 1) * graph->n_bond + q]);
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(message + c, chgi_load(message + c) + chgi_load(dg + r * n + c) * chgi_load(t->wb + q * n + c) +
                                        dr * chgi_load(g + r * n + c) * chgi_load(t->wb_slope + q * n + c));
    }
}

/* message_p *= wb_p; the directions come first, for they need the old message: d(wb_p m) = wb_p dm + m dwb_p */
static void weigh_messages(const chgi_tangent *t, int64_t atom)
{
    const chgi_graph *g = t->graph;
    int n = t->net->width_bond;
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom];
    for (int slot = t->n_slot; slot-- > 0;)
        for (int32_t p = 0; p < shorts; p++) {
            int64_t u = chgi_graph_bond(g, atom, p), at = (g->short_start[atom] + p) * n;
            chg_real *message = t->message + slot * g->n_short_edge * n + at;
            chg_vector dr = chgi_splat(slot ? t->length[(slot - 1) * g->n_bond + u] : 0);
            for (int c = 0; c < n; c += CHGI_LANES)
                chgi_store(message + c, chgi_load(message + c) * chgi_load(t->wb + u * n + c) +
                                            dr * chgi_load(t->message + at + c) * chgi_load(t->wb_slope + u * n + c));
        }
}

static void sum_messages(const chgi_tangent *t, const chgi_angle_layer *layer, int64_t atom)
{
    const chgi_graph *g = t->graph;
    size_t row = (size_t)t->net->width_bond, first = (size_t)g->short_start[atom];
    size_t shorts = (size_t)g->short_start[atom + 1] - first;
    for (int slot = 0; slot < t->n_slot; slot++)
        memset(t->message + ((size_t)(slot * g->n_short_edge) + first) * row, 0, shorts * row * sizeof *t->message);
    walk(t, layer, atom, add_messages);
    weigh_messages(t, atom);
}

void chgi_tangent_bond_conv(const chgi_tangent *t, int layer)
{
    const chgi_angle_layer *conv = &t->net->bond_conv[layer];
    const chgi_graph *g = t->graph;
    project(t, conv);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i++)
        sum_messages(t, conv, i);
    /* Both ends' messages, in the place of a projection that is no longer needed. */
    int width = t->net->width_bond;
#pragma omp for
    for (int64_t slot = 0; slot < t->n_slot; slot++)
        for (int64_t u = 0; u < g->n_short_bond; u++)
            chgi_rows_pair(g, width, t->message + slot * g->n_short_edge * width, u, 1,
                           t->from_first + (slot * g->n_short_bond + u) * width);
    chgi_tangent_project(t, &conv->out, g->n_short_bond, t->from_first, t->e, true);
}

static void add_features(const chgi_tangent *t, int slot, int64_t atom, int64_t angle, int rows, const chg_real *g,
                         const chg_real *dg)
{
    int n = t->net->width_angle;
    (void)atom;
    chgi_row_add(rows * n, slot ? dg : g, t->angle + (slot * t->graph->n_angle + angle) * n);
}

void chgi_tangent_angle_update(const chgi_tangent *t, int layer)
{
    const chgi_angle_layer *update = &t->net->angle_update[layer];
    project(t, update);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < t->graph->n_atom; i++)
        walk(t, update, i, add_features);
}
