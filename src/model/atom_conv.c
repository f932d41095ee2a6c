#include <string.h>

#include "model/exchange.h"
#include "model/pair_table.h"
#include "model/rows.h"

/* What to make of the first map's result x. */
typedef enum take { TAKE_X, TAKE_ACTIVATION, TAKE_SLOPE } take;

static inline __attribute__((always_inline)) void put(take what, chg_vector x, chg_real *out)
{
    if (what != TAKE_X) {
        chg_vector s = chgi_sigmoid(x);
        if (what == TAKE_ACTIVATION)
            x *= s;
        else
            x = chgi_silu_slope(x, s);
    }
    chgi_store(out, x);
}

/* Bonds' parts of x in this layer. */
static chg_real *from_bond(const chgi_pass *pass, int layer)
{
    int64_t slot = pass->keep ? layer * pass->graph->n_bond : 0;
    return pass->w.from_bond + slot * pass->net->atom_conv[layer].center.n_out;
}

/* Rows and tables of bonds lie scattered: they are called in some edges before they are read. */
enum { AHEAD = 3 };

/* The first map's result for [v_i, e_ij, v_j] for some edges of one atom. */
static inline __attribute__((always_inline)) void gather_as(take what, const chgi_pass *pass, int layer, int64_t atom,
                                                            int64_t edge, int rows, chg_real *out)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int width = pass->net->atom_conv[layer].center.n_out;
    int64_t slot = chgi_pass_slot(pass, layer) * g->n_atom;
    const chg_real *center = w->from_center + (slot + atom) * width, *fars = w->from_neighbour + slot * width;
    const chg_real *bonds = from_bond(pass, layer);
    for (int r = 0; r < rows; r++, out += width) {
        if (r + AHEAD < rows)
            chgi_prefetch(bonds + (int64_t)g->bond[edge + r + AHEAD] * width, width, 0);
        const chg_real *bond = bonds + (int64_t)g->bond[edge + r] * width;
        const chg_real *far = fars + (int64_t)g->neighbour[edge + r] * width;
        for (int c = 0; c < width; c += CHGI_LANES)
            put(what, chgi_load(center + c) + chgi_load(bond + c) + chgi_load(far + c), out + c);
    }
}

static void gather_x(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, chg_real *out)
{
    gather_as(TAKE_X, pass, layer, atom, edge, rows, out);
}

static void gather_activation(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, chg_real *out)
{
    gather_as(TAKE_ACTIVATION, pass, layer, atom, edge, rows, out);
}

static void gather_slope(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, chg_real *out)
{
    gather_as(TAKE_SLOPE, pass, layer, atom, edge, rows, out);
}

/* Their slopes in r, of long bonds; NULL: not kept. */
static chg_real *from_bond_slope(const chgi_pass *pass, int layer)
{
    const chgi_graph *g = pass->graph;
    int64_t before = layer * (g->n_bond - g->n_short_bond) - g->n_short_bond; /* the first long bond is row 0 */
    return pass->keep ? pass->w.from_bond_slope + before * pass->net->atom_conv[layer].center.n_out : NULL;
}

static chg_real *kept_y(const chgi_pass *pass, int layer, int64_t edge)
{
    return pass->keep ? pass->w.y_atom + (layer * pass->graph->n_edge + edge) * 2 * pass->net->width_atom
                      : chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_Y);
}

/* gated() of some edges of one atom: y and its result. */
static void forward_tile(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, chg_real *y,
                         chg_real *message)
{
    const chgi_gated *gated = &pass->net->atom_conv[layer].gated;
    chg_real *h = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_H);
    if (gated->n_hidden)
        gather_activation(pass, layer, atom, edge, rows, h);
    else
        gather_x(pass, layer, atom, edge, rows, y);
    chgi_gated_forward(gated, rows, h, y, message);
}

/* sum += message * weight over some edges. */
CHGI_INLINE void weigh_as(int n, const chgi_pass *pass, int64_t edge, int rows, const chg_real *message, chg_real *sum)
{
    chg_vector v[CHGI_ROW_VECTORS];
    chgi_row_zero(n, v);
    for (int r = 0; r < rows; r++, message += n) {
        const chg_real *weight = pass->w.wa + (int64_t)pass->graph->bond[edge + r] * n;
#pragma GCC unroll 8
        for (int c = 0; c < n; c += CHGI_LANES)
            v[c / CHGI_LANES] += chgi_load(message + c) * chgi_load(weight + c);
    }
    chgi_row_flush(n, v, sum);
}

static void sum_messages(const chgi_pass *pass, int layer, int64_t atom)
{
    const chgi_graph *g = pass->graph;
    int n = pass->net->width_atom;
    chg_real *message = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_G), *sum = pass->w.sum + atom * n;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e += CHGI_TILE) {
        int rows = chgi_tile_rows(e, g->edge_start[atom + 1]);
        forward_tile(pass, layer, atom, e, rows, kept_y(pass, layer, e), message);
        if (n == 64)
            weigh_as(64, pass, e, rows, message, sum);
        else
            weigh_as(n, pass, e, rows, message, sum);
    }
}

/* The bond's part of x: short bonds by their features, long ones from the table. */
static void project_bonds(const chgi_pass *pass, int layer)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    int width = conv->center.n_out;
    chg_real *rows = from_bond(pass, layer), *slopes = from_bond_slope(pass, layer);
    chgi_rows_project(&conv->bond, g->n_short_bond, chgi_pass_e(pass, layer), NULL, rows);
#pragma omp for schedule(dynamic, CHGI_TILE)
    for (int64_t u = g->n_short_bond; u < g->n_bond; u++) {
        chg_real *row = rows + u * width;
        if (u + 1 < g->n_bond)
            chgi_table_prefetch(&pass->net->radial, &pass->w.bond_place[u + 1], conv->column, width);
        if (slopes)
            chgi_table_both(&pass->net->radial, &pass->w.bond_place[u], conv->column, width, row, slopes + u * width);
        else
            chgi_table_value(&pass->net->radial, &pass->w.bond_place[u], conv->column, width, row);
        if (g->has_angles && conv->has_long_bias) /* else no bond convolution ran, and none has added its bias */
            chgi_row_add(width, conv->long_bias, row);
    }
}

/* Sums of messages from the tables by pairs of elements. */
static void paired_forward(const chgi_pass *pass)
{
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        chgi_pair_sum(pass, i, pass->w.sum + i * pass->net->width_atom);
}

static void forward_layer(const chgi_pass *pass, int layer)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int64_t slot = chgi_pass_slot(pass, layer) * g->n_atom * conv->center.n_out;
    const chg_real *v = chgi_pass_v(pass, layer);
    chgi_rows_project(&conv->center, g->n_own, v, NULL, w->from_center + slot);
    chgi_rows_project(&conv->neighbour, g->n_atom, v, NULL, w->from_neighbour + slot);
    project_bonds(pass, layer);
#pragma omp for schedule(dynamic, chgi_rows_chunk(g->n_own))
    for (int64_t i = 0; i < g->n_own; i++)
        sum_messages(pass, layer, i);
}

void chgi_atom_conv_forward(const chgi_pass *pass, int layer)
{
    if (layer == 0 && pass->pairs)
        paired_forward(pass);
    else
        forward_layer(pass, layer);
    chgi_rows_project(&pass->net->atom_conv[layer].out, pass->graph->n_own, pass->w.sum, chgi_pass_v(pass, layer),
                      chgi_pass_v(pass, layer + 1));
    if (layer + 1 < pass->net->n_conv) /* the readout looks at own atoms */
        chgi_exchange_spread(pass, layer + 1);
}

/* What is kept: slopes of the message's weight, and of a long bond's part of x. */
static chg_real kept_slopes(const chgi_pass *pass, int layer, int64_t bond, const chg_real *message,
                            const chg_real *dsum, const chg_real *dx)
{
    int n = pass->net->width_atom, width = pass->net->atom_conv[layer].center.n_out;
    const chg_real *weight = pass->w.wa_slope + bond * n, *part = from_bond_slope(pass, layer) + bond * width;
    chg_vector sum = {0};
    for (int c = 0; c < n; c += CHGI_LANES)
        sum += chgi_load(message + c) * chgi_load(dsum + c) * chgi_load(weight + c);
    for (int c = 0; c < width && bond >= pass->graph->n_short_bond; c += CHGI_LANES)
        sum += chgi_load(dx + c) * chgi_load(part + c);
    return chgi_sum(sum);
}

/* The same from the tables. */
static chg_real table_slopes(const chgi_pass *pass, int layer, int64_t bond, const chg_real *message,
                             const chg_real *dsum, const chg_real *dx)
{
    const chgi_network *net = pass->net;
    const chgi_atom_conv *conv = &net->atom_conv[layer];
    const chgi_place *place = &pass->w.bond_place[bond];
    int n = net->width_atom;
    chg_real product[CHGI_MOST_WIDTH], sum = 0;
    for (int c = 0; c < n; c += CHGI_LANES)
        chgi_store(product + c, chgi_load(message + c) * chgi_load(dsum + c));
    if (bond >= pass->graph->n_short_bond)
        sum = chgi_table_dot_slope(&net->radial, place, conv->column, conv->center.n_out, dx);
    return sum + chgi_table_dot_slope(&net->radial, place, net->column_weight, n, product);
}

/* dE/dr of some edges through the weights of their messages, and of long ones through the bond's part of x. */
static void length_tile(const chgi_pass *pass, int layer, const chg_real *dsum, int64_t edge, int rows,
                        const chg_real *message, const chg_real *dx)
{
    int n = pass->net->width_atom, width = pass->net->atom_conv[layer].center.n_out;
    for (int r = 0; r < rows; r++, message += n, dx += width) {
        int64_t u = pass->graph->bond[edge + r];
        pass->w.dlength_edge[edge + r] += (double)(pass->keep ? kept_slopes(pass, layer, u, message, dsum, dx)
                                                              : table_slopes(pass, layer, u, message, dsum, dx));
    }
}

/* dx of some edges of one atom to the atom itself and to the far ends. */
CHGI_INLINE void spread_as(int width, const chgi_pass *pass, int64_t atom, int64_t edge, int rows, const chg_real *dx)
{
    chg_vector sum[CHGI_ROW_VECTORS];
    chgi_row_zero(width, sum);
    for (int r = 0; r < rows; r++, dx += width) {
        chg_real *far = pass->w.dfar + (int64_t)pass->graph->edge_far[edge + r] * width;
#pragma GCC unroll 8
        for (int c = 0; c < width; c += CHGI_LANES) {
            sum[c / CHGI_LANES] += chgi_load(dx + c);
            chgi_store(far + c, chgi_load(far + c) + chgi_load(dx + c));
        }
    }
    chgi_row_flush(width, sum, pass->w.dv_part + atom * width);
}

/* The same, and to short bonds. */
static void spread_tile(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows, const chg_real *dx)
{
    int width = pass->net->atom_conv[layer].center.n_out;
    const chgi_graph *g = pass->graph;
    int64_t shorts = g->short_start[atom + 1] - g->short_start[atom], rank = edge - g->edge_start[atom];
    if (layer > 0 && width == 128) /* in the first nobody asks for the gradient of the embedding */
        spread_as(128, pass, atom, edge, rows, dx);
    else if (layer > 0)
        spread_as(width, pass, atom, edge, rows, dx);
    if (rank < shorts)
        memcpy(pass->w.dfirst + (g->short_start[atom] + rank) * width, dx,
               (size_t)(rank + rows < shorts ? rows : shorts - rank) * (size_t)width * sizeof *dx);
}

static void backward_tile(const chgi_pass *pass, int layer, int64_t atom, int64_t edge, int rows)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    int n = pass->net->width_atom, width = conv->center.n_out, thread = omp_get_thread_num();
    chg_real *slope = chgi_pass_tile(pass, thread, CHGI_TILE_SLOPE),
             *message = chgi_pass_tile(pass, thread, CHGI_TILE_G);
    chg_real *dg = chgi_pass_tile(pass, thread, CHGI_TILE_DG), *dy = chgi_pass_tile(pass, thread, CHGI_TILE_DY);
    chg_real *dx = chgi_pass_tile(pass, thread, CHGI_TILE_X), *y = kept_y(pass, layer, edge);
    const chg_real *dsum = w->sum + atom * n;
    if (!pass->keep)
        forward_tile(pass, layer, atom, edge, rows, y, message);
    for (int r = 0; r < rows; r++) {
        chgi_prefetch(w->wa + (int64_t)g->bond[edge + r] * n, n, 0);
        if (pass->keep)
            chgi_prefetch(w->wa_slope + (int64_t)g->bond[edge + r] * n, n, 0);
        if (pass->keep && g->bond[edge + r] >= g->n_short_bond)
            chgi_prefetch(from_bond_slope(pass, layer) + (int64_t)g->bond[edge + r] * width, width, 0);
    }
    if (conv->gated.n_hidden)
        gather_slope(pass, layer, atom, edge, rows, slope);
    for (int r = 0; r < rows; r++) {
        const chg_real *weight = w->wa + (int64_t)g->bond[edge + r] * n;
        for (int c = 0; c < n; c += CHGI_LANES)
            chgi_store(dg + r * n + c, chgi_load(dsum + c) * chgi_load(weight + c));
    }
    chgi_gated_backward(&conv->gated, rows, slope, y, dg, message, dy, dx);
    length_tile(pass, layer, dsum, edge, rows, message, dx);
    spread_tile(pass, layer, atom, edge, rows, dx);
}

static void backward_block(const chgi_pass *pass, int layer, int64_t block)
{
    const chgi_graph *g = pass->graph;
    size_t width = (size_t)pass->net->atom_conv[layer].center.n_out;
    int64_t first = block * g->block_size, end = first + g->block_size, far = g->block_far[block];
    end = end < g->n_own ? end : g->n_own;
    memset(pass->w.dfar + (size_t)far * width, 0, (size_t)(g->block_far[block + 1] - far) * width * sizeof(chg_real));
    memset(pass->w.dv_part + (size_t)first * width, 0, (size_t)(end - first) * width * sizeof(chg_real));
    for (int64_t i = first; i < end; i++)
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e += CHGI_TILE)
            backward_tile(pass, layer, i, e, chgi_tile_rows(e, g->edge_start[i + 1]));
}

/* The neighbour's part of dv: each atom adds up what the blocks have for it. */
static void collect_far(const chgi_pass *pass, const chgi_linear *neighbour)
{
    const chgi_graph *g = pass->graph;
    int width = neighbour->n_out, n = neighbour->n_in;
    chg_real *tile = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_DX);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < g->n_atom; i += CHGI_TILE) {
        int rows = chgi_tile_rows(i, g->n_atom);
        memset(tile, 0, (size_t)(rows * width) * sizeof *tile);
        for (int r = 0; r < rows; r++)
            for (int64_t k = g->atom_far[i + r]; k < g->atom_far[i + r + 1]; k++)
                chgi_row_add(width, pass->w.dfar + (int64_t)g->far[k] * width, tile + r * width);
        chg_real *dv = pass->w.dv + i * n;
        chgi_product(rows, n, width, tile, width, neighbour->backward, n, dv, n, dv, n);
    }
}

static void paired_backward(const chgi_pass *pass)
{
#pragma omp for schedule(dynamic, chgi_rows_chunk(pass->graph->n_own))
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        chgi_pair_slopes(pass, i, pass->w.sum + i * pass->net->width_atom);
}

void chgi_atom_conv_backward(const chgi_pass *pass, int layer)
{
    const chgi_atom_conv *conv = &pass->net->atom_conv[layer];
    const chgi_graph *g = pass->graph;
    chgi_rows_project_back(&conv->out, g->n_own, pass->w.dv, pass->w.sum, false);
    if (layer == 0 && pass->pairs) {
        paired_backward(pass);
        return;
    }
    if (!pass->keep)
        project_bonds(pass, layer);
#pragma omp for schedule(dynamic)
    for (int64_t b = 0; b < g->n_block; b++)
        backward_block(pass, layer, b);
    if (layer > 0) {
        chgi_rows_project_back(&conv->center, g->n_own, pass->w.dv_part, pass->w.dv, true);
        collect_far(pass, &conv->neighbour);
        chgi_exchange_collect(pass);
    }
    chgi_rows_spread(pass, &conv->bond, pass->w.dfirst);
}
