#include <string.h>

#include "model/rows.h"
#include "nn/norm.h"

/* Where layer m of the energy MLP keeps what enters its activation, (n_atom,n_out). */
static chg_real *kept(const chgi_pass *pass, int m)
{
    int64_t before = 0;
    for (int k = 0; k < m; k++)
        before += pass->net->mlp[k].n_out;
    return pass->w.readout + before * pass->graph->n_atom;
}

/* v without its mean, and 1/sigma; v itself without LayerNorm. */
static chg_real centered(const chgi_pass *pass, int64_t atom, chg_real *row)
{
    const chgi_network *net = pass->net;
    int n = net->width_atom;
    memcpy(row, chgi_pass_v(pass, net->n_conv) + atom * n, (size_t)n * sizeof *row);
    return net->norm ? chgi_norm_center(row, n, net->n_feature) : 1;
}

static void normalise(const chgi_pass *pass, int64_t atom)
{
    const chgi_network *net = pass->net;
    chg_real *final = pass->w.final + atom * net->width_atom, inverse = centered(pass, atom, final);
    for (int c = 0; c < net->width_atom; c++)
        final[c] = final[c] * inverse * net->norm_scale[c] + net->norm_shift[c];
}

static void energy_mlp(const chgi_pass *pass, int64_t atom, int rows, double *site_energies)
{
    const chgi_network *net = pass->net;
    chg_real *hidden = chgi_pass_tile(pass, omp_get_thread_num(), CHGI_TILE_H);
    const chg_real *in = pass->w.final + atom * net->width_atom;
    for (int m = 0; m < net->n_mlp; m++) {
        const chgi_linear *linear = &net->mlp[m];
        chg_real *out = kept(pass, m) + atom * linear->n_out;
        chgi_product(rows, linear->n_out, linear->n_in, in, linear->n_in, linear->forward, linear->n_out, linear->bias,
                     0, out, linear->n_out);
        for (int64_t k = 0; k < (int64_t)rows * linear->n_out; k += CHGI_LANES) {
            chg_vector z = chgi_load(out + k);
            chgi_store(hidden + k, z * chgi_sigmoid(z));
        }
        in = hidden;
    }
    const chgi_linear *last = &net->mlp[net->n_mlp - 1];
    for (int r = 0; r < rows; r++)
        site_energies[atom + r] =
            (double)kept(pass, net->n_mlp - 1)[(atom + r) * last->n_out] + net->reference[pass->numbers[atom + r] - 1];
}

void chgi_readout_forward(const chgi_pass *pass, double *site_energies)
{
    int64_t n = pass->graph->n_own;
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < n; i += CHGI_TILE) {
        int rows = chgi_tile_rows(i, n);
        for (int r = 0; r < rows; r++)
            normalise(pass, i + r);
        energy_mlp(pass, i, rows, site_energies);
    }
}

/* dE/d(final) of a tile of atoms, from the last Linear to the first. */
static chg_real *energy_mlp_back(const chgi_pass *pass, int64_t atom, int rows, const double *seed_site)
{
    static const chg_real zeros[CHGI_MOST_WIDTH + CHGI_PAD];
    const chgi_network *net = pass->net;
    int thread = omp_get_thread_num();
    chg_real *dout = chgi_pass_tile(pass, thread, CHGI_TILE_DY), *din = chgi_pass_tile(pass, thread, CHGI_TILE_DX);
    int last = net->n_mlp - 1, width = net->mlp[last].n_out;
    memset(dout, 0, (size_t)rows * (size_t)width * sizeof *dout);
    for (int r = 0; r < rows; r++)
        dout[r * width] = seed_site ? (chg_real)seed_site[atom + r] : 1;
    for (int m = last; m >= 0; m--) {
        const chgi_linear *linear = &net->mlp[m];
        const chg_real *z = kept(pass, m) + atom * linear->n_out;
        for (int64_t k = 0; m < last && k < (int64_t)rows * linear->n_out; k += CHGI_LANES)
            chgi_store(dout + k,
                       chgi_load(dout + k) * chgi_silu_slope(chgi_load(z + k), chgi_sigmoid(chgi_load(z + k))));
        chgi_product(rows, linear->n_in, linear->n_out, dout, linear->n_out, linear->backward, linear->n_in, zeros, 0,
                     din, linear->n_in);
        chg_real *swap = dout;
        dout = din;
        din = swap;
    }
    return dout;
}

static void normalise_back(const chgi_pass *pass, int64_t atom, const double *seed_final, chg_real *dfinal)
{
    const chgi_network *net = pass->net;
    int n = net->width_atom;
    chg_real row[CHGI_MOST_WIDTH], *dv = pass->w.dv + atom * n, inverse = centered(pass, atom, row);
    for (int c = 0; seed_final && c < net->n_feature; c++)
        dfinal[c] += (chg_real)seed_final[atom * net->n_feature + c];
    if (net->norm) {
        chgi_norm_backward(inverse, net->norm_scale, n, net->n_feature, row, dfinal);
        (void)chgi_norm_center(dfinal, n, net->n_feature); /* no centered map lies before this one */
    }
    memcpy(dv, dfinal, (size_t)n * sizeof *dv);
}

void chgi_readout_backward(const chgi_pass *pass, const double *seed_site, const double *seed_final)
{
    int64_t n = pass->graph->n_own;
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < n; i += CHGI_TILE) {
        int rows = chgi_tile_rows(i, n);
        chg_real *dfinal = energy_mlp_back(pass, i, rows, seed_site);
        for (int r = 0; r < rows; r++)
            normalise_back(pass, i + r, seed_final, dfinal + r * pass->net->width_atom);
    }
}
