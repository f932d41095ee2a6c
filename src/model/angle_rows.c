#include "model/angle_rows.h"

#include <string.h>

void chgi_angle_project(const chgi_angle_work *work, const chg_real *v, const chg_real *e)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    chgi_rows_project(&work->layer->first, g->n_short_bond, e, NULL, w->from_first);
    chgi_rows_project(&work->layer->second, g->n_short_bond, e, NULL, w->from_second);
    chgi_rows_project(&work->layer->center, g->n_own, v, NULL, w->from_middle);
}

static void read_turns(const chgi_angle_work *work, int64_t atom, bool slopes)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    int width = work->layer->center.n_out, column = work->layer->column;
    chg_real *row = chgi_pass_turns(pass, omp_get_thread_num(), slopes);
    for (int64_t t = g->turn_start[atom]; t < g->turn_start[atom + 1]; t++, row += width)
        if (slopes)
            chgi_table_slope(&pass->net->turn, &pass->w.turn_place[t], column, width, row);
        else
            chgi_table_value(&pass->net->turn, &pass->w.turn_place[t], column, width, row);
}

void chgi_angle_begin(const chgi_angle_work *work, int64_t atom)
{
    if (work->layer->column >= 0)
        read_turns(work, atom, false);
}

/* The first map's result without the angle's part, (rows,width).  Angles of one first edge follow each other. */
CHGI_INLINE void gather_as(int width, const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *x)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    const chg_real *center = w->from_middle + atom * width;
    int n = work->layer->angle.n_in;
    int32_t p = -1;
    chg_vector base[CHGI_ROW_VECTORS];
    chgi_row_zero(width, base);
    for (int r = 0; r < rows; r++, x += width) {
        if (work->layer->column < 0) /* features of the next tile, as in nn/gated.c */
            chgi_prefetch(work->angle + (angle + rows + r) * n, n, 0);
        const chg_real *first = w->from_first + chgi_graph_bond(g, atom, g->angle_first[angle + r]) * width;
        const chg_real *second = w->from_second + chgi_graph_bond(g, atom, g->angle_second[angle + r]) * width;
        if (p != g->angle_first[angle + r])
#pragma GCC unroll 8
            for (int c = 0; c < width; c += CHGI_LANES)
                base[c / CHGI_LANES] = chgi_load(center + c) + chgi_load(first + c);
        p = g->angle_first[angle + r];
#pragma GCC unroll 8
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + c, base[c / CHGI_LANES] + chgi_load(second + c));
    }
}

/* The angle's part: from the table of turns, or by its features. */
static void add_angles(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *x)
{
    const chgi_angle_layer *layer = work->layer;
    const chgi_graph *g = work->pass->graph;
    int width = layer->center.n_out, n = layer->angle.n_in;
    const chg_real *features = work->angle + angle * n;
    if (layer->column < 0) {
        chgi_product(rows, width, n, features, n, layer->angle.forward, width, x, width, x, width);
        return;
    }
    const chg_real *turns = chgi_pass_turns(work->pass, omp_get_thread_num(), false);
    for (int r = 0; r < rows; r++)
        chgi_row_add(width, turns + (g->angle_turn[angle + r] - g->turn_start[atom]) * width, x + r * width);
}

static void gather(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, chg_real *x)
{
    int width = work->layer->center.n_out;
    if (width == 128)
        gather_as(128, work, atom, angle, rows, x);
    else
        gather_as(width, work, atom, angle, rows, x);
    add_angles(work, atom, angle, rows, x);
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

void chgi_angle_begin_back(const chgi_angle_work *work, int64_t atom)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    size_t width = (size_t)work->layer->center.n_out, first = (size_t)g->short_start[atom];
    size_t shorts = (size_t)g->short_start[atom + 1] - first;
    memset(w->dfirst + first * width, 0, shorts * width * sizeof(chg_real));
    memset(w->dsecond + first * width, 0, shorts * width * sizeof(chg_real));
    memset(w->dv_part + (size_t)atom * width, 0, width * sizeof(chg_real));
    if (work->layer->column >= 0)
        read_turns(work, atom, true);
    if (!work->y) /* chgi_angle_forward will run once more */
        chgi_angle_begin(work, atom);
}

/* dx to the sums of the atom and of its short edges. */
CHGI_INLINE void scatter_as(int width, const chgi_angle_work *work, int64_t atom, int64_t angle, int rows,
                            const chg_real *dx)
{
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    const int32_t *p = g->angle_first + angle, *q = g->angle_second + angle;
    chg_real *first = w->dfirst + g->short_start[atom] * width, *second = w->dsecond + g->short_start[atom] * width;
    chg_real *center = w->dv_part + atom * width;
    int n = work->layer->angle.n_in;
    chg_vector sum[CHGI_ROW_VECTORS];
    chgi_row_zero(width, sum);
    for (int r = 0; r < rows; r++, dx += width) {
        if (work->layer->column < 0)
            chgi_prefetch(w->dangle + (angle + rows + r) * n, n, 1);
        chg_real *to = second + q[r] * width;
#pragma GCC unroll 8
        for (int c = 0; c < width; c += CHGI_LANES) {
            sum[c / CHGI_LANES] += chgi_load(dx + c);
            chgi_store(to + c, chgi_load(to + c) + chgi_load(dx + c));
        }
        if (r + 1 < rows && p[r + 1] == p[r])
            continue;
        chgi_row_flush(width, sum, first + p[r] * width);
        chgi_row_flush(width, sum, center);
        chgi_row_zero(width, sum);
    }
}

/* dx to the angles: to dE/dtheta through the table, or to their features. */
static void spread_angles(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, const chg_real *dx)
{
    static const chg_real zeros[CHGI_MOST_WIDTH];
    const chgi_angle_layer *layer = work->layer;
    const chgi_graph *g = work->pass->graph;
    const chgi_workspace *w = &work->pass->w;
    int width = layer->center.n_out, n = layer->angle.n_in;
    if (layer->column < 0) {
        chg_real *dangle = w->dangle + angle * n;
        chgi_product(rows, n, width, dx, width, layer->angle.backward, n, work->first_gradient ? zeros : dangle,
                     work->first_gradient ? 0 : n, dangle, n);
        return;
    }
    const chg_real *turns = chgi_pass_turns(work->pass, omp_get_thread_num(), true);
    for (int r = 0; r < rows; r++) {
        int64_t turn = g->angle_turn[angle + r];
        w->dtheta[turn] += (double)chgi_row_dot(width, turns + (turn - g->turn_start[atom]) * width, dx + r * width);
    }
}

static void scatter(const chgi_angle_work *work, int64_t atom, int64_t angle, int rows, const chg_real *dx)
{
    int width = work->layer->center.n_out;
    if (width == 128)
        scatter_as(128, work, atom, angle, rows, dx);
    else
        scatter_as(width, work, atom, angle, rows, dx);
    spread_angles(work, atom, angle, rows, dx);
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
    chgi_rows_project_back(&work->layer->center, pass->graph->n_own, pass->w.dv_part, pass->w.dv, true);
}
