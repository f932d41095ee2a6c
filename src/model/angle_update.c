#include "model/angle_rows.h"

/* Features that layer `layer` reads (layer > 0), and writes as layer + 1. */
static chg_real *features(const chgi_pass *pass, int layer)
{
    int64_t slot = pass->gradient && !pass->keep ? layer - 1 : 0;
    return pass->w.angle + slot * pass->graph->n_angle * pass->net->width_angle;
}

static chgi_angle_work work_of(const chgi_pass *pass, int layer)
{
    const chgi_angle_layer *update = &pass->net->angle_update[layer];
    const chgi_workspace *w = &pass->w;
    int64_t kept = layer * pass->graph->n_angle;
    return (chgi_angle_work){
        .pass = pass,
        .layer = update,
        .angle = layer > 0 ? features(pass, layer) : NULL,
        .slope = pass->keep && update->gated.n_hidden ? w->slope_angle + kept * update->center.n_out : NULL,
        .y = pass->keep ? w->y_angle + kept * 2 * update->gated.n_out : NULL,
    };
}

static void update_angles(const chgi_angle_work *work, chg_real *new, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    int n = work->layer->gated.n_out;
    chg_real *value = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chgi_angle_forward(work, atom, a, rows, value);
        for (int r = 0; r < rows && !work->angle; r++)
            chgi_table_value(&pass->net->turn, &pass->w.turn_place[g->angle_turn[a + r]], pass->net->column_angle, n,
                             new + (a + r) * n);
        const chg_real *old = work->angle ? work->angle + a * n : new + a *n;
        for (int64_t k = 0; k < (int64_t)rows * n; k += CHGI_LANES)
            chgi_store(new + a *n + k, chgi_load(old + k) + chgi_load(value + k));
    }
}

void chgi_angle_update_forward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), chgi_pass_e(pass, layer + 1));
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_atom))
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        update_angles(&work, features(pass, layer + 1), i);
}

static void spread_angles(const chgi_angle_work *work, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    chg_real *value = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G);
    chgi_angle_clear(work, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE)
        chgi_angle_backward(work, atom, a, chgi_tile_rows(a, g->angle_start[atom + 1]),
                            pass->w.dangle + a * pass->net->width_angle, value);
}

void chgi_angle_update_backward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    if (!pass->keep)
        chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), chgi_pass_e(pass, layer + 1));
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_atom))
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        spread_angles(&work, i);
    chgi_angle_spread(&work);
}
