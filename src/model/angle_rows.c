#include "model/angle_rows.h"

#include <string.h>

void chgi_angle_project(const chgi_pass *pass, const chgi_angle_layer *layer)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    chgi_rows_project(&layer->first, g->n_short_bond, w->e, w->from_first, false);
    chgi_rows_project(&layer->second, g->n_short_bond, w->e, w->from_second, false);
    chgi_rows_project(&layer->center, g->n_atom, w->v, w->from_middle, false);
}

void chgi_angle_gather(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom, int64_t angle, int rows,
                       chg_real *x)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int width = layer->center.n_out, n = layer->angle.n_in;
    const chg_real *center = w->from_middle + atom * width;
    for (int r = 0; r < rows; r++) {
        const chg_real *first = w->from_first + chgi_graph_bond(g, atom, g->angle_first[angle + r]) * width;
        const chg_real *second = w->from_second + chgi_graph_bond(g, atom, g->angle_second[angle + r]) * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            chgi_store(x + r * width + c, chgi_load(center + c) + chgi_load(first + c) + chgi_load(second + c));
    }
    chgi_product(rows, width, n, w->angle + angle * n, n, layer->angle.forward, width, x, width, x, width);
}

void chgi_angle_clear(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    size_t width = (size_t)layer->center.n_out, shorts = (size_t)(g->short_start[atom + 1] - g->short_start[atom]);
    size_t first = (size_t)g->short_start[atom];
    memset(pass->w.dfirst + first * width, 0, shorts * width * sizeof(chg_real));
    memset(pass->w.dsecond + first * width, 0, shorts * width * sizeof(chg_real));
    memset(pass->w.dv_part + (size_t)atom * width, 0, width * sizeof(chg_real));
}

void chgi_angle_scatter(const chgi_pass *pass, const chgi_angle_layer *layer, int64_t atom, int64_t angle, int rows,
                        const chg_real *dx)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int width = layer->center.n_out, n = layer->angle.n_in;
    chg_real *first = w->dfirst + g->short_start[atom] * width, *second = w->dsecond + g->short_start[atom] * width;
    for (int r = 0; r < rows; r++) {
        chgi_row_add(width, dx + r * width, first + g->angle_first[angle + r] * width);
        chgi_row_add(width, dx + r * width, second + g->angle_second[angle + r] * width);
        chgi_row_add(width, dx + r * width, w->dv_part + atom * width);
    }
    chg_real *dangle = w->dangle + angle * n;
    chgi_product(rows, n, width, dx, width, layer->angle.backward, n, dangle, n, dangle, n);
}

/* Both directed edges of a short bond carry to its features. */
static void spread_to_bonds(const chgi_pass *pass, const chgi_linear *linear, const chg_real *part)
{
    const chgi_graph *g = pass->graph;
    int width = linear->n_out, n = linear->n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_DX);
#pragma omp for schedule(dynamic)
    for (int64_t u = 0; u < g->n_short_bond; u += CHGI_TILE) {
        int rows = chgi_tile_rows(u, g->n_short_bond);
        for (int r = 0; r < rows; r++) {
            int64_t s = g->bond_short[u + r];
            const chg_real *forth = part + s * width, *back = part + (int64_t)g->short_reverse[s] * width;
            for (int c = 0; c < width; c += CHGI_LANES)
                chgi_store(tile + r * width + c, chgi_load(forth + c) + chgi_load(back + c));
        }
        chg_real *de = pass->w.de + u * n;
        chgi_product(rows, n, width, tile, width, linear->backward, n, de, n, de, n);
    }
}

void chgi_angle_spread(const chgi_pass *pass, const chgi_angle_layer *layer)
{
    spread_to_bonds(pass, &layer->first, pass->w.dfirst);
    spread_to_bonds(pass, &layer->second, pass->w.dsecond);
    chgi_rows_project_back(&layer->center, pass->graph->n_atom, pass->w.dv_part, pass->w.dv, true);
}
