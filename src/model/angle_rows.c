#include "model/angle_rows.h"

#include <string.h>

void chgi_angle_project(const chgi_angle_work *work, const chg_real *v, const chg_real *e)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    chgi_rows_project(&work->layer->first, g->n_short_bond, e, NULL, w->from_first);
    chgi_rows_project(&work->layer->second, g->n_short_bond, e, NULL, w->from_second);
    chgi_rows_project(&work->layer->center, g->n_atom, v, NULL, w->from_middle);
}

/* The first map's result, (rows,width). */
static void gather(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *x)
{
    const chgi_angle_layer *layer = work->layer;
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    int width = layer->center.n_out, n = layer->angle.n_in;
    const chg_real *center = w->from_middle + atom * width;
    for (int r = 0; r < rows; r++) {
        const chg_real *first = w->from_first + chgi_graph_bond(g, atom, g->angle_first[angle + r]) * width;
        const chg_real *second = w->from_second + chgi_graph_bond(g, atom, g->angle_second[angle + r]) * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + r * width + c, chgi_load(center + c) + chgi_load(first + c) + chgi_load(second + c));
        if (layer->column < 0) /* of the next tile, as in nn/gated.c */
            chgi_prefetch(work->angle + (angle + rows + r) * n, n, 0);
        else
            chgi_table_add(&work->pass->net->turn, &w->turn_place[g->angle_turn[angle + r]], layer->column, width,
                           x + r * width);
    }
    if (layer->column < 0)
        chgi_product(rows, width, n, work->angle + angle * n, n, layer->angle.forward, width, x, width, x, width);
}

/* Kept rows of an angle on, or the thread's tile. */
static chg_real *rows_of(const chgi_angle_work *work, chg_real *kept, int64_t angle, int width, int tile)
{
    return kept ? kept + angle * width : chgi_pass_tile(work->pass, omp_get_thread_num(), tile);
}

void chgi_angle_forward(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *value)
{
    const chgi_gated *gated = &work->layer->gated;
    chg_real *h = chgi_pass_tile(work->pass, omp_get_thread_num(), CHGI_TILE_H);
    chg_real *y = rows_of(work, work->y, angle, 2 * gated->n_out, CHGI_TILE_Y);
    chg_real *slope = rows_of(work, work->slope, angle, work->layer->center.n_out, CHGI_TILE_SLOPE);
    gather(work, atom, angle, rows, gated->n_hidden ? slope : y);
    if (gated->n_hidden)
        chgi_gated_activate(gated, rows, slope, h);
    chgi_gated_forward(gated, rows, h, y, value);
}

void chgi_angle_clear(const chgi_angle_work *work, int64_t atom)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    size_t width = (size_t)work->layer->center.n_out, first = (size_t)g->short_start[atom];
    size_t shorts = (size_t)g->short_start[atom + 1] - first;
    memset(w->dfirst + first * width, 0, shorts * width * sizeof(chg_real));
    memset(w->dsecond + first * width, 0, shorts * width * sizeof(chg_real));
    memset(w->dv_part + (size_t)atom * width, 0, width * sizeof(chg_real));
}

static void scatter(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, const chg_real *dx)
{
    static const chg_real zeros[CHGI_MOST_WIDTH];
    const chgi_angle_layer *layer = work->layer;
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    int width = layer->center.n_out, n = layer->angle.n_in;
    chg_real *dangle = layer->column < 0 ? w->dangle + angle * n : NULL;
    chg_real *first = w->dfirst + g->short_start[atom] * width, *second = w->dsecond + g->short_start[atom] * width;
    for (int r = 0; r < rows; r++) {
        chgi_row_add(width, dx + r * width, first + g->angle_first[angle + r] * width);
        chgi_row_add(width, dx + r * width, second + g->angle_second[angle + r] * width);
        chgi_row_add(width, dx + r * width, w->dv_part + atom * width);
        int64_t turn = g->angle_turn[angle + r];
        if (layer->column < 0)
            chgi_prefetch(dangle + (rows + r) * n, n, 1);
        else
            w->dtheta[turn] += (double)chgi_table_dot_slope(&work->pass->net->turn, &w->turn_place[turn], layer->column,
                                                            width, dx + r * width);
    }
    if (layer->column < 0)
        chgi_product(rows, n, width, dx, width, layer->angle.backward, n, work->first_gradient ? zeros : dangle,
                     work->first_gradient ? 0 : n, dangle, n);
}

void chgi_angle_backward(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, const chg_real *dvalue,
                         chg_real *value)
{
    const chgi_gated *gated = &work->layer->gated;
    int thread = omp_get_thread_num();
    chg_real *dy = chgi_pass_tile(work->pass, thread, CHGI_TILE_DY),
             *dx = chgi_pass_tile(work->pass, thread, CHGI_TILE_DX);
    chg_real *y = rows_of(work, work->y, angle, 2 * gated->n_out, CHGI_TILE_Y);
    chg_real *slope = rows_of(work, work->slope, angle, work->layer->center.n_out, CHGI_TILE_SLOPE);
    if (!work->y)
        chgi_angle_forward(work, atom, angle, rows, value);
    chgi_gated_backward(gated, rows, slope, y, dvalue, value, dy, dx);
    scatter(work, atom, angle, rows, dx);
}

void chgi_angle_spread(const chgi_angle_work *work)
{
    const chgi_pass *pass = work->pass;
    chgi_rows_spread(pass, &work->layer->first, pass->w.dfirst);
    chgi_rows_spread(pass, &work->layer->second, pass->w.dsecond);
    chgi_rows_project_back(&work->layer->center, pass->graph->n_atom, pass->w.dv_part, pass->w.dv, true);
}
