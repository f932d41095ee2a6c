#include "model/network.h"

static int larger(int a, int b)
{
    return a > b ? a : b;
}

int chgi_network_widest(const chgi_network *net)
{
    int widest = 2 * larger(net->width_atom, larger(net->width_bond, net->width_angle));
    widest = larger(widest, chgi_pad(larger(net->n_radial, net->n_angular)) + CHGI_PAD);
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

/* Kept per layer for the reverse pass, or one for all. */
static void layout_saved(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int hidden = chgi_gated_width(&net->atom_conv[0].gated), width = angle_width(net);
    int64_t slots = pass->gradient ? net->n_conv : 1, kept = pass->gradient ? net->n_conv : 0;
    w->from_center = take(arena, slots, g->n_atom, hidden);
    w->from_neighbour = take(arena, slots, g->n_atom, hidden);
    w->from_bond = take(arena, slots, g->n_bond, hidden);
    w->y_atom = take(arena, kept, g->n_edge, 2 * net->width_atom);
    kept = pass->gradient ? net->n_conv - 1 : 0;
    w->x_bond = take(arena, kept, g->n_angle, width);
    w->y_bond = take(arena, kept, g->n_angle, 2 * net->width_bond);
    kept = pass->gradient && net->n_conv > 2 ? net->n_conv - 2 : 0;
    w->x_angle = take(arena, kept, g->n_angle, width);
    w->y_angle = take(arena, net->n_conv > 2 && net->angle_update[0].gated.n_hidden ? kept : 0, g->n_angle,
                      2 * net->width_angle);
    int64_t outputs = 0;
    for (int m = 0; m < net->n_mlp; m++)
        outputs += net->mlp[m].n_out;
    w->readout = take(arena, 1, g->n_atom, outputs);
}

static void layout_backward(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int hidden = chgi_gated_width(&net->atom_conv[0].gated), width = angle_width(net);
    w->dv = take(arena, 1, g->n_atom, net->width_atom);
    w->dv_part = take(arena, 1, g->n_atom, larger(hidden, width));
    w->de = take(arena, 1, g->n_bond, net->width_bond);
    w->de_part = take(arena, 1, g->n_short_bond, net->width_bond);
    w->dx = take(arena, 1, g->n_edge, hidden);
    w->dfirst = take(arena, 1, g->n_short_edge, width);
    w->dsecond = take(arena, 1, g->n_short_edge, width);
    w->dangle = take(arena, 1, g->n_angle, net->width_angle);
    w->dlength_edge = chgi_arena_take(arena, (size_t)g->n_edge, sizeof(double));
    w->dlength_short = chgi_arena_take(arena, (size_t)g->n_short_edge, sizeof(double));
    w->dvector_short = chgi_arena_take(arena, (size_t)g->n_short_edge, 3 * sizeof(double));
}

void chgi_pass_layout(chgi_arena *arena, chgi_pass *pass)
{
    const chgi_network *net = pass->net;
    const chgi_graph *g = pass->graph;
    chgi_workspace *w = &pass->w;
    int width = angle_width(net), slopes = pass->gradient;
    w->v = take(arena, 1, g->n_atom, net->width_atom);
    w->sum = take(arena, 1, g->n_atom, net->width_atom);
    w->final = take(arena, 1, g->n_atom, net->width_atom);
    w->e = take(arena, 1, g->n_bond, net->width_bond);
    w->wa = take(arena, 1, g->n_bond, net->width_atom);
    w->wb = take(arena, 1, g->n_short_bond, net->width_bond);
    w->e_slope = take(arena, slopes, g->n_bond, net->width_bond);
    w->wa_slope = take(arena, slopes, g->n_bond, net->width_atom);
    w->wb_slope = take(arena, slopes, g->n_short_bond, net->width_bond);
    w->from_first = take(arena, 1, g->n_short_bond, width);
    w->from_second = take(arena, 1, g->n_short_bond, width);
    w->from_middle = take(arena, 1, g->n_atom, width);
    w->message = take(arena, 1, g->n_short_edge, net->width_bond);
    w->angle = take(arena, 1, g->n_angle, net->width_angle);
    w->basis_slope = take(arena, slopes, g->n_angle, chgi_pad(net->n_angular));
    w->cosine_slope = chgi_arena_take(arena, (size_t)g->n_angle, sizeof(double));
    layout_saved(arena, pass);
    if (pass->gradient)
        layout_backward(arena, pass);
    w->scratch_size = (size_t)CHGI_TILES * CHGI_TILE * (size_t)chgi_network_widest(net);
    w->scratch = take(arena, pass->n_thread, 1, (int64_t)w->scratch_size);
}
