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
    int64_t columns; /* of the whole map */
    int n_out;       /* of core, and of gate */
    int half;        /* place of gate */
    const char *place; /* "layers.0" before a hidden layer, "layers.1" alone */
} first_map;

static void pack_part(const first_map *map, int column, int n_in, bool bias, chgi_linear *linear)
{
    const char *branch[] = {"mlp_core", "mlp_gate"};
    for (int k = 0; k < 2; k++) {
        char layer[160];
        snprintf(layer, sizeof layer, "%s.%s.%s", map->mlp, branch[k], map->place);
        chgi_linear_pack(linear, values(map->weights, layer, "weight") + column, map->columns,
                         bias ? values(map->weights, layer, "bias") : NULL, n_in, map->n_out, 0, k * map->half);
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

static void bind_frequencies(chgi_arena *arena, int64_t n, chgi_frequencies *frequencies)
{
    frequencies->n = (int)n;
    frequencies->omega = chgi_arena_take(arena, (size_t)chgi_pad((int)n), sizeof(double));
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

/* Runs twice: counting, then binding. */
static void layout(chgi_arena *arena, const chgi_hyper *h, chgi_network *net)
{
    bind_frequencies(arena, h->n_radial, &net->radial_atom);
    bind_frequencies(arena, h->n_radial, &net->radial_bond);
    bind_frequencies(arena, (h->n_angular - 1) / 2, &net->angular);
    net->embedding = chgi_arena_take(arena, (size_t)net->n_element * (size_t)net->width_atom, sizeof(chg_real));
    net->reference = chgi_arena_take(arena, (size_t)net->n_element, sizeof(double));
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->bond_fea_dim, &net->bond_embedding);
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->atom_fea_dim, &net->atom_weight);
    chgi_linear_bind(arena, (int)h->n_radial, (int)h->bond_fea_dim, &net->bond_weight);
    chgi_linear_bind(arena, (int)h->n_angular, (int)h->angle_fea_dim, &net->angle_embedding);
    for (int t = 0; t < net->n_conv; t++)
        bind_atom_conv(arena, h, &net->atom_conv[t]);
    for (int t = 0; t + 1 < net->n_conv; t++)
        bind_angle_layer(arena, h, h->bond_hidden, h->bond_fea_dim, true, &net->bond_conv[t]);
    for (int t = 0; t + 2 < net->n_conv; t++)
        bind_angle_layer(arena, h, h->angle_hidden, h->angle_fea_dim, false, &net->angle_update[t]);
    bind_readout(arena, h, net);
}

static void pack_frequencies(const chgi_weights *weights, const char *layer, chgi_frequencies *frequencies)
{
    for (int k = 0; k < frequencies->n; k++)
        frequencies->omega[k] = values(weights, layer, "frequencies")[k];
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
    pack_frequencies(weights, "bond_basis_expansion.rbf_expansion_ag", &net->radial_atom);
    pack_frequencies(weights, "bond_basis_expansion.rbf_expansion_bg", &net->radial_bond);
    pack_frequencies(weights, "angle_basis_expansion.fourier_expansion", &net->angular);
    pack_plain(weights, "bond_embedding", h->n_radial, h->bond_fea_dim, &net->bond_embedding);
    pack_plain(weights, "bond_weights_ag", h->n_radial, h->atom_fea_dim, &net->atom_weight);
    pack_plain(weights, "bond_weights_bg", h->n_radial, h->bond_fea_dim, &net->bond_weight);
    pack_plain(weights, "angle_embedding", h->n_angular, h->angle_fea_dim, &net->angle_embedding);
}

static void pack_atom_conv(const chgi_weights *weights, int t, chgi_atom_conv *layer)
{
    const chgi_hyper *h = &weights->hyper;
    char mlp[80], out[80];
    snprintf(mlp, sizeof mlp, "atom_conv_layers.%d.twoBody_atom", t);
    snprintf(out, sizeof out, "atom_conv_layers.%d.mlp_out.layers.1", t);
    int64_t n_out = h->atom_hidden ? h->atom_hidden : h->atom_fea_dim;
    int a = (int)h->atom_fea_dim, b = (int)h->bond_fea_dim;
    first_map map = {weights, mlp, 2 * a + b, (int)n_out, chgi_gated_width(&layer->gated) / 2,
                     h->atom_hidden ? "layers.0" : "layers.1"};
    pack_part(&map, 0, a, true, &layer->center);
    pack_part(&map, a, b, false, &layer->bond);
    pack_part(&map, a + b, a, false, &layer->neighbour);
    pack_gated(weights, mlp, h->atom_hidden, h->atom_fea_dim, &layer->gated);
    pack_plain(weights, out, a, a, &layer->out);
}

static void pack_angle_layer(const chgi_weights *weights, const char *mlp, int64_t hidden, int64_t n_out,
                             chgi_angle_layer *layer)
{
    const chgi_hyper *h = &weights->hyper;
    int a = (int)h->atom_fea_dim, b = (int)h->bond_fea_dim, c = (int)h->angle_fea_dim;
    first_map map = {weights, mlp, 2 * b + c + a, (int)(hidden ? hidden : n_out), chgi_gated_width(&layer->gated) / 2,
                     hidden ? "layers.0" : "layers.1"};
    pack_part(&map, 0, b, false, &layer->first);
    pack_part(&map, b, b, false, &layer->second);
    pack_part(&map, 2 * b, c, false, &layer->angle);
    pack_part(&map, 2 * b + c, a, true, &layer->center);
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
                          .n_radial = (int)h->n_radial,
                          .n_angular = (int)h->n_angular,
                          .n_conv = (int)h->n_conv,
                          .n_mlp = (int)h->n_mlp_hidden + 1,
                          .n_element = (int)h->n_element,
                          .atom_cutoff = h->atom_cutoff,
                          .bond_cutoff = h->bond_cutoff,
                          .power = (double)h->cutoff_coeff,
                          .norm = h->readout_norm};
    chgi_arena count = {0};
    layout(&count, h, net);
    CHGI_TRY(chgi_arena_reserve(ctx, &net->arena, count.used));
    layout(&net->arena, h, net);
    pack_embedding(weights, net);
    for (int t = 0; t < net->n_conv; t++)
        pack_atom_conv(weights, t, &net->atom_conv[t]);
    pack_angle_layers(weights, net);
    pack_readout(weights, net);
    return CHGNET_OK;
}

void chgi_network_release(chgi_network *net)
{
    chgi_arena_destroy(&net->arena);
}
