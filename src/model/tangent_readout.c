#include <string.h>

#include "model/tangent.h"
#include "nn/norm.h"

/* atom_fea_final of one atom in every slot. */
static void normalise(const chgi_tangent *t, int64_t atom)
{
    const chgi_network *net = t->net;
    int n = net->width_atom;
    chg_real y[CHGI_MOST_WIDTH + CHGI_PAD], inverse = 1, share = 0;
    memcpy(y, t->v + atom * n, (size_t)n * sizeof *y);
    if (net->norm) {
        inverse = chgi_norm_center(y, n, net->n_feature);
        share = inverse * inverse / (chg_real)net->n_feature;
    }
    for (int c = 0; c < n; c++)
        t->final[atom * n + c] = y[c] * inverse * net->norm_scale[c] + net->norm_shift[c];
    for (int slot = 1; slot < t->n_slot; slot++) {
        chg_real *change = t->final + (slot * t->graph->n_atom + atom) * n;
        memcpy(change, t->v + (slot * t->graph->n_atom + atom) * n, (size_t)n * sizeof *y);
        if (net->norm)
            (void)chgi_norm_center(change, n, net->n_feature);
        chg_real along = chgi_row_dot(n, y, change) * share;
        for (int c = 0; c < n; c++)
            change[c] = inverse * net->norm_scale[c] * (change[c] - along * y[c]);
    }
}

/* Rows of a tile are the slots of one atom. */
_Static_assert((int)CHGI_MOST_DIRECTIONS < (int)CHGI_TILE, "a tile holds the values and every direction");

static void energies(const chgi_tangent *t, int64_t atom, double *d_site)
{
    static const chg_real zeros[CHGI_MOST_WIDTH + CHGI_PAD];
    const chgi_network *net = t->net;
    chg_real *tiles[] = {chgi_tangent_tile(t, CHGI_TANGENT_X), chgi_tangent_tile(t, CHGI_TANGENT_Y)};
    const chg_real *in = t->final + atom * net->width_atom;
    int64_t stride = t->graph->n_atom * net->width_atom;
    for (int m = 0; m < net->n_mlp; m++) {
        const chgi_linear *linear = &net->mlp[m];
        chg_real *out = tiles[m % 2];
        int n = linear->n_out;
        chgi_product(t->n_slot, n, linear->n_in, in, stride, linear->forward, n, zeros, 0, out, n);
        chgi_row_add(n, linear->bias, out);
        for (int c = 0; m + 1 < net->n_mlp && c < n; c += CHGI_LANES) {
            chg_vector z = chgi_load(out + c), s = chgi_sigmoid(z), slope = chgi_silu_slope(z, s);
            chgi_store(out + c, z * s);
            for (int slot = 1; slot < t->n_slot; slot++)
                chgi_store(out + slot * n + c, chgi_load(out + slot * n + c) * slope);
        }
        in = out;
        stride = n;
    }
    for (int slot = 1; slot < t->n_slot; slot++)
        d_site[(slot - 1) * t->graph->n_atom + atom] = (double)in[slot * stride];
}

void chgi_tangent_readout(const chgi_tangent *t, double *d_site)
{
#pragma omp for
    for (int64_t i = 0; i < t->graph->n_atom; i++) {
        normalise(t, i);
        if (d_site)
            energies(t, i, d_site);
    }
}
