#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/network.h"

/* Names of upstream's state dict: "<layer>.<part>". */
static const chgi_tensor *tensor(const chgi_weights *weights, const char *layer, const char *part)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return chgi_weights_find(weights, name);
}

static const float *values(const chgi_weights *weights, const char *layer, const char *part)
{
    const chgi_tensor *found = tensor(weights, layer, part);
    return found ? found->data : NULL;
}

static void pack_plain(const chgi_weights *weights, const char *layer, int64_t n_in, int64_t n_out, chgi_linear *linear)
{
    chgi_linear_pack(linear, values(weights, layer, "weight"), n_in, values(weights, layer, "bias"), (int)n_in,
                     (int)n_out, 0, 0);
}

/* One part (columns from `column` on) of the first map of a gated MLP, core and gate side by side. */
typedef struct first_map {
    const chgi_weights *weights;
    const char *mlp;
    int64_t columns;   /* of the whole map */
    int n_out;         /* of core, and of gate */
    int half;          /* place of gate */
    const char *place; /* "layers.0" before a hidden layer, "layers.1" alone */
} first_map;

static void pack_part(const first_map *map, int column, int n_in, bool bias, bool center, chgi_linear *linear)
{
    const char *branch[] = {"mlp_core", "mlp_gate"};
    for (int k = 0; k < 2; k++) {
        char layer[160];
        snprintf(layer, sizeof layer, "%s.%s.%s", map->mlp, branch[k], map->place);
        chgi_linear_pack(linear, values(map->weights, layer, "weight") + column, map->columns,
                         bias ? values(map->weights, layer, "bias") : NULL, n_in, map->n_out, 0, k * map->half);
        if (center)
            chgi_linear_center(linear, k * map->half, map->n_out);
    }
}

static void pack_gated(const chgi_weights *weights, const char *mlp, int64_t hidden, int64_t n_out, chgi_gated *gated)
{
    const char *branch[] = {"mlp_core.layers.3", "mlp_gate.layers.3"}, *norm[] = {"bn1", "bn2"};
    chgi_linear *second[] = {&gated->core, &gated->gate};
    for (int k = 0; k < 2; k++) {
        char layer[160];
        snprintf(layer, sizeof layer, "%s.%s", mlp, branch[k]);
        if (hidden)
            pack_plain(weights, layer, hidden, n_out, second[k]);
        if (hidden && gated->norm)
            chgi_linear_center(second[k], 0, (int)n_out);
        snprintf(layer, sizeof layer, "%s.%s", mlp, norm[k]);
        for (int64_t c = 0; c < n_out; c++) {
            gated->scale[k][c] = gated->norm ? values(weights, layer, "weight")[c] : 1;
            gated->shift[k][c] = gated->norm ? values(weights, layer, "bias")[c] : 0;
        }
    }
}

static void bind_gated(chgi_arena *arena, const chgi_hyper *hyper, int64_t hidden, int64_t n_out, chgi_gated *gated)
{
    gated->n_hidden = chgi_pad((int)hidden);
    gated->n_out = chgi_pad((int)n_out);
    gated->n_feature = (int)n_out;
    gated->norm = hyper->gmlp_norm;
    if (hidden) {
        chgi_linear_bind(arena, (int)hidden, (int)n_out, &gated->core);
        chgi_linear_bind(arena, (int)hidden, (int)n_out, &gated->gate);
    }
    for (int k = 0; k < 2; k++) {
        gated->scale[k] = chgi_arena_take(arena, (size_t)gated->n_out, sizeof(chg_real));
        gated->shift[k] = chgi_arena_take(arena, (size_t)gated->n_out, sizeof(chg_real));
    }
}

static void bind_angle_layer(chgi_arena *arena, const chgi_hyper *h, int64_t hidden, int64_t n_out, bool out,
                             chgi_angle_layer *layer)
{
    bind_gated(arena, h, hidden, n_out, &layer->gated);
    int width = chgi_gated_width(&layer->gated);
    chgi_linear_bind(arena, (int)h->bond_fea_dim, width, &layer->first);
    chgi_linear_bind(arena, (int)h->bond_fea_dim, width, &layer->second);
    chgi_linear_bind(arena, (int)h->angle_fea_dim, width, &layer->angle);
    chgi_linear_bind(arena, (int)h->atom_fea_dim, width, &layer->center);
    if (out)
        chgi_linear_bind(arena, (int)n_out, (int)n_out, &layer->out);
}

static void bind_atom_conv(chgi_arena *arena, const chgi_hyper *h, chgi_atom_conv *layer)
{
    bind_gated(arena, h, h->atom_hidden, h->atom_fea_dim, &layer->gated);
    int width = chgi_gated_width(&layer->gated);
    chgi_linear_bind(arena, (int)h->atom_fea_dim, width, &layer->center);
    chgi_linear_bind(arena, (int)h->bond_fea_dim, width, &layer->bond);
    layer->long_bias = chgi_arena_take(arena, (size_t)width, sizeof(chg_real));
    chgi_linear_bind(arena, (int)h->atom_fea_dim, width, &layer->neighbour);
    chgi_linear_bind(arena, (int)h->atom_fea_dim, (int)h->atom_fea_dim, &layer->out);
}

static void bind_readout(chgi_arena *arena, const chgi_hyper *h, chgi_network *net)
{
    chgi_linear_bind(arena, (int)h->atom_fea_dim, 1, &net->magmom);
    net->norm_scale = chgi_arena_take(arena, (size_t)net->width_atom, sizeof(chg_real));
    net->norm_shift = chgi_arena_take(arena, (size_t)net->width_atom, sizeof(chg_real));
    int64_t n_in = h->atom_fea_dim;
    for (int m = 0; m < net->n_mlp; m++) {
        int64_t n_out = m + 1 < net->n_mlp ? h->mlp_hidden[m] : 1;
        chgi_linear_bind(arena, (int)n_in, (int)n_out, &net->mlp[m]);
        n_in = n_out;
    }
}

/* Steps of the tables: small enough that forces from them agree with the functions themselves to rounding. */
static const double STEP_RADIAL = CHGI_DOUBLE ? 0.003 : 0.02;  /* A; up to 31 half-waves in 6 A */
static const double STEP_WEIGHT = CHGI_DOUBLE ? 0.0015 : 0.01; /* A; up to 31 half-waves in 3 A */
static const double STEP_TURN = CHGI_DOUBLE ? 0.003 : 0.02;    /* radian; up to 15 waves in a full turn */

static void bind_tables(chgi_arena *arena, const chgi_hyper *h, chgi_network *net)
{
    int column = 0;
    for (int t = 0; t < net->n_conv; t++) {
        net->atom_conv[t].column = column;
        column += net->atom_conv[t].center.n_out;
    }
    net->column_weight = column;
    net->column_feature = column + net->width_atom;
    chgi_table_bind(arena, h->atom_cutoff, STEP_RADIAL, net->column_feature + net->width_bond, &net->radial);
    chgi_table_bind(arena, h->bond_cutoff, STEP_WEIGHT, net->width_bond, &net->weight);
    column = 0;
    for (int t = 0; t + 1 < net->n_conv; t++) {
        net->bond_conv[t].column = t == 0 ? column : -1;
        column += t == 0 ? net->bond_conv[t].center.n_out : 0;
    }
    for (int t = 0; t + 2 < net->n_conv; t++) {
        net->angle_update[t].column = t == 0 ? column : -1;
        column += t == 0 ? net->angle_update[t].center.n_out : 0;
    }
    net->column_angle = column;
    chgi_table_bind(arena, 3.14159265358979323846, STEP_TURN, column + net->width_angle, &net->turn);
}

static double *bind_frequencies(chgi_arena *arena, int64_t n)
{
    return chgi_arena_take(arena, (size_t)chgi_pad((int)n), sizeof(double));
}

/* Runs twice: counting, then binding. */
static void layout(chgi_arena *arena, const chgi_hyper *h, chgi_network *net)
{
    net->radial_atom = (chgi_radial){(int)h->n_radial, h->atom_cutoff, (double)h->cutoff_coeff, NULL};
    net->radial_bond = (chgi_radial){(int)h->n_radial, h->bond_cutoff, (double)h->cutoff_coeff, NULL};
    net->angular = (chgi_angular){(int)h->n_angular, NULL};
    net->radial_atom.omega = bind_frequencies(arena, h->n_radial);
    net->radial_bond.omega = bind_frequencies(arena, h->n_radial);
    net->angular.omega = bind_frequencies(arena, (h->n_angular - 1) / 2);
    net->embedding = chgi_arena_take(arena, (size_t)net->n_element * (size_t)net->width_atom, sizeof(chg_real));
    net->reference = chgi_arena_take(arena, (size_t)net->n_element, sizeof(double));
    for (int t = 0; t < net->n_conv; t++)
        bind_atom_conv(arena, h, &net->atom_conv[t]);
    chgi_linear_bind(arena, (int)h->n_radial, net->atom_conv[0].center.n_out, &net->pair_bond);
    chgi_linear_bind(arena, (int)h->n_radial, net->width_atom, &net->pair_weight);
    for (int t = 0; t + 1 < net->n_conv; t++)
        bind_angle_layer(arena, h, h->bond_hidden, h->bond_fea_dim, true, &net->bond_conv[t]);
    for (int t = 0; t + 2 < net->n_conv; t++)
        bind_angle_layer(arena, h, h->angle_hidden, h->angle_fea_dim, false, &net->angle_update[t]);
    bind_readout(arena, h, net);
    bind_tables(arena, h, net);
}

static void pack_frequencies(const chgi_weights *weights, const char *layer, int64_t n, double *omega)
{
    for (int64_t k = 0; k < n; k++)
        omega[k] = values(weights, layer, "frequencies")[k];
}

static void pack_embedding(const chgi_weights *weights, chgi_network *net)
{
    const chgi_hyper *h = &weights->hyper;
    const float *rows = values(weights, "atom_embedding.embedding", "weight");
    for (int z = 0; z < net->n_element; z++) {
        for (int64_t c = 0; c < h->atom_fea_dim; c++)
            net->embedding[z * net->width_atom + c] = rows[z * h->atom_fea_dim + c];
        net->reference[z] = values(weights, "composition_model.fc", "weight")[z];
    }
    pack_frequencies(weights, "bond_basis_expansion.rbf_expansion_ag", h->n_radial, net->radial_atom.omega);
    pack_frequencies(weights, "bond_basis_expansion.rbf_expansion_bg", h->n_radial, net->radial_bond.omega);
    pack_frequencies(weights, "angle_basis_expansion.fourier_expansion", (h->n_angular - 1) / 2, net->angular.omega);
}

static void pack_atom_conv(const chgi_weights *weights, int t, chgi_atom_conv *layer)
{
    const chgi_hyper *h = &weights->hyper;
    char mlp[80], out[80];
    snprintf(mlp, sizeof mlp, "atom_conv_layers.%d.twoBody_atom", t);
    snprintf(out, sizeof out, "atom_conv_layers.%d.mlp_out.layers.1", t);
    int64_t n_out = h->atom_hidden ? h->atom_hidden : h->atom_fea_dim;
    int a = (int)h->atom_fea_dim, b = (int)h->bond_fea_dim;
    first_map map = {weights,
                     mlp,
                     2 * a + b,
                     (int)n_out,
                     chgi_gated_width(&layer->gated) / 2,
                     h->atom_hidden ? "layers.0" : "layers.1"};
    bool center = layer->gated.norm && !h->atom_hidden;
    pack_part(&map, 0, a, true, center, &layer->center);
    pack_part(&map, a, b, false, center, &layer->bond);
    pack_part(&map, a + b, a, false, center, &layer->neighbour);
    pack_gated(weights, mlp, h->atom_hidden, h->atom_fea_dim, &layer->gated);
    pack_plain(weights, out, a, a, &layer->out);
}

static void pack_angle_layer(const chgi_weights *weights, const char *mlp, int64_t hidden, int64_t n_out,
                             chgi_angle_layer *layer)
{
    const chgi_hyper *h = &weights->hyper;
    int a = (int)h->atom_fea_dim, b = (int)h->bond_fea_dim, c = (int)h->angle_fea_dim;
    first_map map = {weights,
                     mlp,
                     2 * b + c + a,
                     (int)(hidden ? hidden : n_out),
                     chgi_gated_width(&layer->gated) / 2,
                     hidden ? "layers.0" : "layers.1"};
    bool center = layer->gated.norm && !hidden;
    pack_part(&map, 0, b, false, center, &layer->first);
    pack_part(&map, b, b, false, center, &layer->second);
    pack_part(&map, 2 * b, c, false, center, &layer->angle);
    pack_part(&map, 2 * b + c, a, true, center, &layer->center);
    pack_gated(weights, mlp, hidden, n_out, &layer->gated);
}

static void pack_angle_layers(const chgi_weights *weights, chgi_network *net)
{
    const chgi_hyper *h = &weights->hyper;
    char name[80];
    for (int t = 0; t + 1 < net->n_conv; t++) {
        snprintf(name, sizeof name, "bond_conv_layers.%d.twoBody_bond", t);
        pack_angle_layer(weights, name, h->bond_hidden, h->bond_fea_dim, &net->bond_conv[t]);
        snprintf(name, sizeof name, "bond_conv_layers.%d.mlp_out.layers.1", t);
        pack_plain(weights, name, h->bond_fea_dim, h->bond_fea_dim, &net->bond_conv[t].out);
    }
    for (int t = 0; t + 2 < net->n_conv; t++) {
        snprintf(name, sizeof name, "angle_layers.%d.twoBody_bond", t);
        pack_angle_layer(weights, name, h->angle_hidden, h->angle_fea_dim, &net->angle_update[t]);
    }
}

/* Biases that the bond convolutions before layer t have added to every bond, seen through the layer's map. */
static void sum_long_bias(chgi_network *net, int t)
{
    chgi_atom_conv *conv = &net->atom_conv[t];
    for (int before = 0; before < t; before++)
        for (int i = 0; i < conv->bond.n_in; i++)
            for (int o = 0; o < conv->bond.n_out; o++)
                conv->long_bias[o] +=
                    net->bond_conv[before].out.bias[i] * conv->bond.forward[(int64_t)i * conv->bond.n_out + o];
    for (int o = 0; o < conv->bond.n_out; o++)
        conv->has_long_bias |= conv->long_bias[o] != 0;
}

/* Maps that are needed only while the tables are filled. */
typedef struct basis_maps {
    chgi_linear bond, atom_weight, bond_weight, angle, fused;
} basis_maps;

static void layout_maps(chgi_arena *arena, const chgi_hyper *h, const chgi_network *net, basis_maps *maps)
{
    int n_most = (int)(h->n_radial > h->n_angular ? h->n_radial : h->n_angular);
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->bond_fea_dim, &maps->bond);
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->atom_fea_dim, &maps->atom_weight);
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->bond_fea_dim, &maps->bond_weight);
    chgi_linear_bind(arena, (int)h->n_angular, (int)h->angle_fea_dim, &maps->angle);
    chgi_linear_bind(arena, n_most, net->column_feature + net->column_angle, &maps->fused);
}

/* One part of a table: basis, embedding, and the first map of the layer that reads it. */
static void tabulate(chgi_table *table, int column, const chgi_linear *embedding, const chgi_linear *layer,
                     const chgi_linear *room, int n_function, chgi_basis_function function, const void *basis)
{
    chgi_linear fused = *room;
    fused.n_in = embedding->n_in;
    fused.n_out = layer->n_out;
    chgi_linear_fuse(&fused, embedding, layer, 0);
    chgi_table_fill(table, column, &fused, n_function, function, basis);
}

static void fill_tables(const chgi_hyper *h, const basis_maps *maps, chgi_network *net)
{
    int n_radial = (int)h->n_radial, n_angular = (int)h->n_angular;
    for (int t = 0; t < net->n_conv; t++)
        tabulate(&net->radial, net->atom_conv[t].column, &maps->bond, &net->atom_conv[t].bond, &maps->fused, n_radial,
                 chgi_radial_basis, &net->radial_atom);
    chgi_linear_fuse(&net->pair_bond, &maps->bond, &net->atom_conv[0].bond, 0);
    chgi_table_fill(&net->radial, net->column_weight, &maps->atom_weight, n_radial, chgi_radial_basis,
                    &net->radial_atom);
    chgi_table_fill(&net->radial, net->column_feature, &maps->bond, n_radial, chgi_radial_basis, &net->radial_atom);
    chgi_table_fill(&net->weight, 0, &maps->bond_weight, n_radial, chgi_radial_basis, &net->radial_bond);
    if (net->n_conv > 1)
        tabulate(&net->turn, net->bond_conv[0].column, &maps->angle, &net->bond_conv[0].angle, &maps->fused, n_angular,
                 chgi_angular_basis, &net->angular);
    if (net->n_conv > 2)
        tabulate(&net->turn, net->angle_update[0].column, &maps->angle, &net->angle_update[0].angle, &maps->fused,
                 n_angular, chgi_angular_basis, &net->angular);
    chgi_table_fill(&net->turn, net->column_angle, &maps->angle, n_angular, chgi_angular_basis, &net->angular);
}

static chgnet_status pack_tables(chgnet_context *ctx, const chgi_weights *weights, chgi_network *net)
{
    const chgi_hyper *h = &weights->hyper;
    basis_maps maps;
    chgi_arena count = {0}, arena = {0};
    layout_maps(&count, h, net, &maps);
    CHGI_TRY(chgi_arena_reserve_zeroed(ctx, &arena, count.used));
    layout_maps(&arena, h, net, &maps);
    pack_plain(weights, "bond_embedding", h->n_radial, h->bond_fea_dim, &maps.bond);
    pack_plain(weights, "bond_weights_ag", h->n_radial, h->atom_fea_dim, &maps.atom_weight);
    pack_plain(weights, "bond_weights_ag", h->n_radial, h->atom_fea_dim, &net->pair_weight);
    pack_plain(weights, "bond_weights_bg", h->n_radial, h->bond_fea_dim, &maps.bond_weight);
    pack_plain(weights, "angle_embedding", h->n_angular, h->angle_fea_dim, &maps.angle);
    fill_tables(h, &maps, net);
    chgi_arena_destroy(&arena);
    return CHGNET_OK;
}

static void pack_readout(const chgi_weights *weights, chgi_network *net)
{
    const chgi_hyper *h = &weights->hyper;
    pack_plain(weights, "site_wise", h->atom_fea_dim, 1, &net->magmom);
    for (int64_t c = 0; c < h->atom_fea_dim; c++) {
        net->norm_scale[c] = net->norm ? values(weights, "readout_norm", "weight")[c] : 1;
        net->norm_shift[c] = net->norm ? values(weights, "readout_norm", "bias")[c] : 0;
    }
    int64_t n_in = h->atom_fea_dim;
    for (int m = 0; m < net->n_mlp; m++) {
        char name[80];
        bool last = m + 1 == net->n_mlp;
        int64_t n_out = last ? 1 : h->mlp_hidden[m];
        /* Linear and activation alternate; a dropout stands before the last Linear. */
        snprintf(name, sizeof name, "mlp.layers.%d", 2 * m + (last ? 1 : 0));
        pack_plain(weights, name, n_in, n_out, &net->mlp[m]);
        n_in = n_out;
    }
}

static chgnet_status check_sizes(chgnet_context *ctx, const chgi_hyper *h)
{
    int64_t sizes[7 + CHGI_HYPER_MAX_MLP] = {h->atom_fea_dim, h->bond_fea_dim, h->angle_fea_dim, h->atom_hidden,
                                             h->bond_hidden,  h->angle_hidden, h->n_angular};
    memcpy(sizes + 7, h->mlp_hidden, sizeof h->mlp_hidden);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (sizes[k] > CHGI_MOST_WIDTH)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "a feature width of %lld; at most %d are possible",
                                     (long long)sizes[k], CHGI_MOST_WIDTH);
    if (h->n_conv > CHGI_MOST_LAYERS || h->n_mlp_hidden + 1 > CHGI_MOST_LAYERS || h->n_radial > CHGI_MOST_WIDTH)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%lld convolutions; at most %d are possible", (long long)h->n_conv,
                                 CHGI_MOST_LAYERS);
    return CHGNET_OK;
}

chgnet_status chgi_network_bind(chgnet_context *ctx, const chgi_weights *weights, chgi_network *net)
{
    const chgi_hyper *h = &weights->hyper;
    CHGI_TRY(check_sizes(ctx, h));
    *net = (chgi_network){.n_feature = (int)h->atom_fea_dim,
                          .width_atom = chgi_pad((int)h->atom_fea_dim),
                          .width_bond = chgi_pad((int)h->bond_fea_dim),
                          .width_angle = chgi_pad((int)h->angle_fea_dim),
                          .n_conv = (int)h->n_conv,
                          .n_mlp = (int)h->n_mlp_hidden + 1,
                          .n_element = (int)h->n_element,
                          .atom_cutoff = h->atom_cutoff,
                          .bond_cutoff = h->bond_cutoff,
                          .norm = h->readout_norm};
    chgi_arena count = {0};
    layout(&count, h, net);
    CHGI_TRY(chgi_arena_reserve_zeroed(ctx, &net->arena, count.used)); /* padding is zero */
    layout(&net->arena, h, net);
    pack_embedding(weights, net);
    for (int t = 0; t < net->n_conv; t++)
        pack_atom_conv(weights, t, &net->atom_conv[t]);
    pack_angle_layers(weights, net);
    pack_readout(weights, net);
    for (int t = 0; t < net->n_conv; t++)
        sum_long_bias(net, t);
    chgnet_status status = pack_tables(ctx, weights, net);
    if (status != CHGNET_OK)
        chgi_network_release(net);
    return status;
}

void chgi_network_release(chgi_network *net)
{
    chgi_arena_destroy(&net->arena);
}
