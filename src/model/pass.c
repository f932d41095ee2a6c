#include "model/network.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

int chgi_network_widest(const chgi_network *net)
{
    int widest = 2 * larger(net->width_atom, larger(net->width_bond, net->width_angle));
    for (int t = 0; t < net->n_conv; t++)
        widest = larger(widest, chgi_gated_width(&net->atom_conv[t].gated));
    for (int t = 0; t + 1 < net->n_conv; t++)
        widest = larger(widest, chgi_gated_width(&net->bond_conv[t].gated));
    for (int t = 0; t + 2 < net->n_conv; t++)
        widest = larger(widest, chgi_gated_width(&net->angle_update[t].gated));
    for (int m = 0; m < net->n_mlp; m++)
        widest = larger(widest, net->mlp[m].n_out);
    return widest;
}

/* Widest row of projections for the layers over angles. */
static int angle_width(const chgi_network *net)
{
    int width = 0;
    for (int t = 0; t + 1 < net->n_conv; t++)
        width = larger(width, chgi_gated_width(&net->bond_conv[t].gated));
    for (int t = 0; t + 2 < net->n_conv; t++)
        width = larger(width, chgi_gated_width(&net->angle_update[t].gated));
    return width;
}

static chg_real *take(chgi_arena *arena, int64_t layers, int64_t rows, int64_t width)
{
    return chgi_arena_take(arena, (size_t)(layers * rows), (size_t)width * sizeof(chg_real));
}

/* Activations of angles and edges, layer by layer. */
static void layout_kept(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int width = angle_width(net), bonds = net->n_conv - 1, updates = net->n_conv > 2 ? net->n_conv - 2 : 0;
    bool hidden_angle = updates > 0 && net->angle_update[0].gated.n_hidden > 0;
    w->wa_slope = take(arena, 1, g->n_bond, net->width_atom);
    w->from_bond_slope =
        take(arena, net->n_conv, g->n_bond - g->n_short_bond, chgi_gated_width(&net->atom_conv[0].gated));
    w->y_atom = take(arena, net->n_conv, g->n_edge, 2 * net->width_atom);
    w->slope_bond = take(arena, bonds, g->n_angle, width);
    w->y_bond = take(arena, bonds, g->n_angle, 2 * net->width_bond);
    w->y_angle = take(arena, updates, g->n_angle, 2 * net->width_angle);
    w->slope_angle = take(arena, hidden_angle ? updates : 0, g->n_angle, width);
}

static void layout_backward(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int hidden = chgi_gated_width(&net->atom_conv[0].gated), width = angle_width(net);
    w->wb_slope = take(arena, 1, g->n_short_bond, net->width_bond);
    w->dv = take(arena, 1, g->n_atom, net->width_atom);
    w->dv_part = take(arena, 1, g->n_atom, larger(hidden, width));
    w->de = take(arena, 1, g->n_short_bond, net->width_bond);
    w->de_part = take(arena, 1, g->n_short_bond, net->width_bond);
    w->dfar = take(arena, 1, g->n_far, hidden);
    w->dfirst = take(arena, 1, g->n_short_edge, larger(hidden, width));
    w->dsecond = take(arena, 1, g->n_short_edge, width);
    w->dlength_edge = chgi_arena_take(arena, (size_t)g->n_edge, sizeof(double));
    w->dlength_short = chgi_arena_take(arena, (size_t)g->n_short_edge, sizeof(double));
    w->dtheta = chgi_arena_take(arena, (size_t)g->n_turn, sizeof(double));
    w->dvector_short = chgi_arena_take(arena, (size_t)g->n_short_edge, 3 * sizeof(double));
    if (pass->keep)
        layout_kept(arena, pass);
}

/* The features, and what they are projected to. */
static void layout_forward(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int width = angle_width(net), hidden = chgi_gated_width(&net->atom_conv[0].gated);
    int64_t slots = pass->gradient ? net->n_conv : 1, updates = net->n_conv > 2 ? net->n_conv - 2 : 0;
    w->v = take(arena, pass->gradient ? net->n_conv + 1 : 1, g->n_atom, net->width_atom);
    w->e = take(arena, g->has_angles ? slots : 1, g->n_short_bond, net->width_bond);
    int64_t angles = pass->gradient && !pass->keep ? updates : updates > 0;
    w->angle = take(arena, angles, g->n_angle, net->width_angle);
    w->dangle =
        pass->gradient && updates > 0 && w->angle ? w->angle + (angles - 1) * g->n_angle * net->width_angle : NULL;
    w->wa = take(arena, 1, g->n_bond, net->width_atom);
    w->wb = take(arena, 1, g->n_short_bond, net->width_bond);
    w->from_center = take(arena, slots, g->n_atom, hidden);
    w->from_neighbour = take(arena, slots, g->n_atom, hidden);
    w->from_bond = take(arena, pass->keep ? net->n_conv : 1, g->n_bond, hidden);
    w->from_first = take(arena, 1, g->n_short_bond, width);
    w->from_second = take(arena, 1, g->n_short_bond, width);
    w->from_middle = take(arena, 1, g->n_atom, width);
    w->sum = take(arena, 1, g->n_atom, net->width_atom);
    w->message = take(arena, 1, g->n_short_edge, net->width_bond);
    w->final = take(arena, 1, g->n_atom, net->width_atom);
    w->crossing = take(arena, 1, g->n_crossing, net->width_bond);
}

void chgi_pass_layout(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int64_t outputs = 0;
    for (int m = 0; m < net->n_mlp; m++)
        outputs += net->mlp[m].n_out;
    layout_forward(arena, pass);
    w->readout = take(arena, 1, g->n_atom, outputs);
    w->bond_place = chgi_arena_take(arena, (size_t)g->n_bond, sizeof *w->bond_place);
    w->turn_place = chgi_arena_take(arena, (size_t)g->n_turn, sizeof *w->turn_place);
    if (pass->gradient)
        layout_backward(arena, pass);
    w->scratch_size = (size_t)CHGI_TILES * CHGI_TILE * (size_t)chgi_network_widest(net);
    w->scratch = take(arena, pass->n_thread, 1, (int64_t)w->scratch_size);
    int64_t most_turns = (int64_t)g->most_short * (g->most_short - 1) / 2;
    w->turns_size = 2 * (size_t)most_turns * (size_t)larger(angle_width(net), net->width_angle);
    w->turns = take(arena, pass->n_thread, 1, (int64_t)w->turns_size);
}
