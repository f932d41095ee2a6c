#include "model/tangent.h"

#include "nn/flush.h"

static const chg_real zeros[2 * CHGI_MOST_WIDTH + CHGI_PAD];

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int angle_width(const chgi_network *net)
{
    int width = 0;
    for (int k = 0; k + 1 < net->n_conv; k++)
        width = larger(width, chgi_gated_width(&net->bond_conv[k].gated));
    for (int k = 0; k + 2 < net->n_conv; k++)
        width = larger(width, chgi_gated_width(&net->angle_update[k].gated));
    return width;
}

static chg_real *take(chgi_arena *arena, int slots, int64_t rows, int width)
{
    return chgi_arena_take(arena, (size_t)slots * (size_t)rows, (size_t)width * sizeof(chg_real));
}

static void layout(chgi_arena *arena, chgi_tangent *t)
{
    const chgi_network *net = t->net;
    const chgi_graph *g = t->graph;
    int hidden = chgi_gated_width(&net->atom_conv[0].gated), width = angle_width(net), slots = t->n_slot;
    int64_t n_long = g->n_bond - g->n_short_bond;
    t->v = take(arena, slots, g->n_atom, net->width_atom);
    t->e = take(arena, slots, g->n_short_bond, net->width_bond);
    t->angle = take(arena, net->n_conv > 2 ? slots : 0, g->n_angle, net->width_angle);
    t->length = take(arena, slots - 1, g->n_bond, 1);
    t->theta = take(arena, slots - 1, g->n_turn, 1);
    t->bond_place = chgi_arena_take(arena, (size_t)g->n_bond, sizeof *t->bond_place);
    t->turn_place = chgi_arena_take(arena, (size_t)g->n_turn, sizeof *t->turn_place);
    t->wa = take(arena, 1, g->n_bond, net->width_atom);
    t->wa_slope = take(arena, 1, g->n_bond, net->width_atom);
    t->wb = take(arena, 1, g->n_short_bond, net->width_bond);
    t->wb_slope = take(arena, 1, g->n_short_bond, net->width_bond);
    t->from_center = take(arena, slots, g->n_atom, hidden);
    t->from_neighbour = take(arena, slots, g->n_atom, hidden);
    t->from_short = take(arena, slots, g->n_short_bond, hidden);
    t->from_long = take(arena, 1, n_long, hidden);
    t->from_long_slope = take(arena, 1, n_long, hidden);
    t->from_first = take(arena, slots, g->n_short_bond, width);
    t->from_second = take(arena, slots, g->n_short_bond, width);
    t->from_middle = take(arena, slots, g->n_atom, width);
    t->sum = take(arena, slots, g->n_atom, net->width_atom);
    t->message = take(arena, slots, g->n_short_edge, net->width_bond);
    t->final = take(arena, slots, g->n_atom, net->width_atom);
    t->scratch_size = (size_t)CHGI_TANGENT_TILES * CHGI_TILE * (size_t)chgi_network_widest(net);
    t->scratch = take(arena, t->n_thread, (int64_t)t->scratch_size, 1);
}

chgi_gated_point chgi_tangent_point(const chgi_tangent *t)
{
    return (chgi_gated_point){.x = chgi_tangent_tile(t, CHGI_TANGENT_X),
                              .h = chgi_tangent_tile(t, CHGI_TANGENT_H),
                              .y = chgi_tangent_tile(t, CHGI_TANGENT_Y),
                              .g = chgi_tangent_tile(t, CHGI_TANGENT_G),
                              .factor = chgi_tangent_tile(t, CHGI_TANGENT_FACTOR),
                              .share = chgi_tangent_tile(t, CHGI_TANGENT_SHARE)};
}

void chgi_tangent_project(const chgi_tangent *t, const chgi_linear *linear, int64_t rows, const chg_real *x,
                          chg_real *out, bool add)
{
    int n_in = linear->n_in, n_out = linear->n_out;
    int64_t tiles = (rows + CHGI_TILE - 1) / CHGI_TILE;
#pragma omp for schedule(dynamic)
    for (int64_t k = 0; k < tiles * t->n_slot; k++) {
        int64_t slot = k / tiles, row = k % tiles * CHGI_TILE, at = slot * rows + row;
        int count = chgi_tile_rows(row, rows);
        const chg_real *bias = slot == 0 ? linear->bias : zeros;
        chg_real *tile = out + at * n_out;
        for (int r = 0; add && slot == 0 && r < count; r++)
            chgi_row_add(n_out, bias, tile + r * n_out);
        chgi_product(count, n_out, n_in, x + at * n_in, n_in, linear->forward, n_out, add ? tile : bias,
                     add ? n_out : 0, tile, n_out);
    }
}

/* The directions' slots, without padding. */
static void copy_out(const chgi_tangent *t, const chg_real *from, double *to)
{
    int n = t->net->n_feature, width = t->net->width_atom;
    int64_t rows = t->graph->n_atom;
    if (!to)
        return;
#pragma omp for
    for (int64_t k = 0; k < (t->n_slot - 1) * rows; k++)
        for (int c = 0; c < n; c++)
            to[k * n + c] = (double)from[(rows + k) * width + c];
}

static void interact(const chgi_tangent *t, int layer)
{
    chgi_tangent_atom_conv(t, layer);
    if (t->graph->n_angle == 0)
        return;
    chgi_tangent_bond_conv(t, layer);
    if (layer + 2 < t->net->n_conv)
        chgi_tangent_angle_update(t, layer);
}

chgnet_status chgi_tangent_run(chgnet_context *ctx, const chgi_run *run, int n_direction, const double *dvector,
                               double *d_site, double *d_fea, double *d_final)
{
    chgi_tangent t = {.net = run->network,
                      .graph = run->graph,
                      .numbers = run->numbers,
                      .n_thread = run->n_thread,
                      .n_slot = 1 + n_direction};
    chgi_arena count = {0};
    layout(&count, &t);
    CHGI_TRY(chgi_arena_reserve(ctx, run->workspace, count.used));
    layout(run->workspace, &t);
    int last = t.net->n_conv - 1;
#pragma omp parallel num_threads(t.n_thread)
    {
        uint64_t flush = chgi_flush_begin();
        chgi_tangent_embed(&t, dvector);
        for (int layer = 0; layer < last; layer++)
            interact(&t, layer);
        copy_out(&t, t.v, d_fea);
        if (d_site || d_final) {
            chgi_tangent_atom_conv(&t, last);
            chgi_tangent_readout(&t, d_site);
            copy_out(&t, t.final, d_final);
        }
        chgi_flush_end(flush);
    }
    return CHGNET_OK;
}
