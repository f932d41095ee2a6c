#include "model/angle_rows.h"

#include <string.h>

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

/* An atom's first features from the turn table. */
static void first_features(const chgi_pass *pass, int64_t atom, chg_real *angles)
{
    const chgi_graph *g = pass->graph;
    int n = pass->net->width_angle;
    int64_t start = g->turn_start[atom];
    chg_real *rows = chgi_pass_turns(pass, omp_get_thread_num(), true);
    for (int64_t t = start; t < g->turn_start[atom + 1]; t++)
        chgi_table_value(&pass->net->turn, &pass->w.turn_place[t], pass->net->column_angle, n, rows + (t - start) * n);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a++)
        memcpy(angles + a * n, rows + (g->angle_turn[a] - start) * n, (size_t)n * sizeof *rows);
}

static void update_angles(const chgi_angle_work *work, chg_real *new, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    int n = work->layer->gated.n_out;
    const chg_real *old = work->angle ? work->angle : new;
    chg_real *value = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G);
    chgi_angle_begin(work, atom);
    if (!work->angle)
        first_features(pass, atom, new);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE) {
        int rows = chgi_tile_rows(a, g->angle_start[atom + 1]);
        chgi_angle_forward(work, atom, a, rows, value);
        for (int64_t k = 0; k < (int64_t)rows * n; k += CHGI_LANES)
            chgi_store(new + a *n + k, chgi_load(old + a * n + k) + chgi_load(value + k));
    }
}

void chgi_angle_update_forward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), chgi_pass_e(pass, layer + 1));
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        update_angles(&work, features(pass, layer + 1), i);
}

static void spread_angles(const chgi_angle_work *work, int64_t atom)
{
    const chgi_pass *pass = work->pass;
    const chgi_graph *g = pass->graph;
    chg_real *value = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G);
    chgi_angle_begin_back(work, atom);
    for (int64_t a = g->angle_start[atom]; a < g->angle_start[atom + 1]; a += CHGI_TILE)
        chgi_angle_backward(work, atom, a, chgi_tile_rows(a, g->angle_start[atom + 1]),
                            pass->w.dangle + a * pass->net->width_angle, value);
}

void chgi_angle_update_backward(const chgi_pass *pass, int layer)
{
    chgi_angle_work work = work_of(pass, layer);
    if (!pass->keep)
        chgi_angle_project(&work, chgi_pass_v(pass, layer + 1), chgi_pass_e(pass, layer + 1));
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        spread_angles(&work, i);
    chgi_angle_spread(&work);
}
