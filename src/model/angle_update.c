#include "model/angle_rows.h"

static chg_real *kept_x(const chgi_pass *pass, int layer, int64_t angle)
{
    int width = pass->net->angle_update[layer].center.n_out;
    return pass->gradient ? pass->w.x_angle + (layer * pass->graph->n_angle + angle) * width
                          : chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_X);
}

static chg_real *kept_y(const chgi_pass *pass, int layer, int64_t angle)
{
    const chgi_gated *gated = &pass->net->angle_update[layer].gated;
    return pass->gradient && gated->n_hidden
               ? pass->w.y_angle + (layer * pass->graph->n_angle + angle) * 2 * gated->n_out
               : chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_Y);
}

static void update_angles(const chgi_pass *pass, int layer, int64_t atom)
{
    const chgi_angle_layer *update = &pass->net->angle_update[layer];
    const chgi_graph *g = pass->graph;
    int n = update->gated.n_out, thread = omp_get_thread_num();
    chg_real *h = chgi_pass_tile(pass, thread, CHGI_TILE_H), *value = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chg_real *x = kept_x(pass, layer, a);
        chgi_angle_gather(pass, update, atom, a, rows, x);
        chgi_gated_forward(&update->gated, rows, x, h, kept_y(pass, layer, a), value);
        for (int r = 0; r < rows; r++)
            chgi_row_add(n, value + r * n, pass->w.angle + (a + r) * n);
    }
}

void chgi_angle_update_forward(const chgi_pass *pass, int layer)
{
    chgi_angle_project(pass, &pass->net->angle_update[layer]);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        update_angles(pass, layer, i);
}

static void spread_angles(const chgi_pass *pass, int layer, int64_t atom)
{
    const chgi_angle_layer *update = &pass->net->angle_update[layer];
    const chgi_graph *g = pass->graph;
    int n = update->gated.n_out, thread = omp_get_thread_num();
    chg_real *dy = chgi_pass_tile(pass, thread, CHGI_TILE_DY), *dx = chgi_pass_tile(pass, thread, CHGI_TILE_DX);
    chg_real *value = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    chgi_angle_clear(pass, update, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chgi_gated_backward(&update->gated, rows, kept_x(pass, layer, a), kept_y(pass, layer, a),
                            pass->w.dangle + a * n, value, dy, dx);
        chgi_angle_scatter(pass, update, atom, a, rows, dx);
    }
}

void chgi_angle_update_backward(const chgi_pass *pass, int layer)
{
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        spread_angles(pass, layer, i);
    chgi_angle_spread(pass, &pass->net->angle_update[layer]);
}
