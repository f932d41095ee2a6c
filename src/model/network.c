#include "model/network.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/kernel.h"
#include "model/rows.h"

#define chgi_kernel_set CHGI_K(kernel_set)

#define CHGI_QUOTE_(x) #x
#define CHGI_QUOTE(x) CHGI_QUOTE_(x)

static chgnet_status bind(chgnet_context *ctx, const chgi_weights *weights, void **network)
{
    chgi_network *net = chgi_memory_new(1, sizeof *net);
    if (!net)
        return chgi_context_nomem(ctx, 1, sizeof *net);
    chgnet_status status = chgi_network_bind(ctx, weights, net);
    if (status != CHGNET_OK) {
        chgi_memory_free(net);
        return status;
    }
    *network = net;
    return CHGNET_OK;
}

static void release(void *network)
{
    if (network)
        chgi_network_release(network);
    chgi_memory_free(network);
}

static chgi_pass pass_of(const chgi_run *run)
{
    return (chgi_pass){.net = run->network,
                       .graph = run->graph,
                       .numbers = run->numbers,
                       .n_thread = run->n_thread,
                       .gradient = run->gradient};
}

static void copy_features(const chgi_pass *pass, const chg_real *from, double *to)
{
    int n = pass->net->n_feature, width = pass->net->width_atom;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        for (int c = 0; c < n; c++)
            to[i * n + c] = (double)from[i * width + c];
}

static void magmoms(const chgi_pass *pass, double *out)
{
    const chgi_linear *linear = &pass->net->magmom;
    int n = linear->n_in;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_atom; i++) /* row 0 of W itself */
        out[i] = fabs((double)(chgi_row_dot(n, pass->w.v + i * n, linear->backward) + linear->bias[0]));
}

static void interact(const chgi_pass *pass, int layer)
{
    chgi_atom_conv_forward(pass, layer);
    if (pass->graph->n_angle == 0)
        return;
    chgi_bond_conv_forward(pass, layer);
    if (layer + 2 < pass->net->n_conv)
        chgi_angle_update_forward(pass, layer);
}

static chgnet_status forward(chgnet_context *ctx, const chgi_run *run)
{
    chgi_pass pass = pass_of(run);
    chgi_arena count = {0};
    chgi_pass_layout(&count, &pass);
    if (count.used == SIZE_MAX)
        return chgi_context_fail(ctx, CHGNET_ENOMEM, "not enough memory: the structure is too large to address");
    CHGI_TRY(chgi_arena_reserve(ctx, run->workspace, count.used));
    chgi_pass_layout(run->workspace, &pass);
    int last = pass.net->n_conv - 1;
#pragma omp parallel num_threads(pass.n_thread)
    {
        chgi_embed_forward(&pass);
        for (int t = 0; t < last; t++)
            interact(&pass, t);
        magmoms(&pass, run->magmoms);
        copy_features(&pass, pass.w.v, run->atom_fea);
        chgi_atom_conv_forward(&pass, last);
        chgi_readout_forward(&pass, run->site_energies);
        copy_features(&pass, pass.w.final, run->atom_fea_final);
    }
    return CHGNET_OK;
}

static void clear_rows(int64_t rows, size_t size, void *array)
{
#pragma omp for
    for (int64_t i = 0; i < rows; i++)
        memset((char *)array + (size_t)i * size, 0, size);
}

static void clear(const chgi_pass *pass)
{
    const chgi_graph *g = pass->graph;
    clear_rows(g->n_bond, (size_t)pass->net->width_bond * sizeof(chg_real), pass->w.de);
    clear_rows(g->n_angle, (size_t)pass->net->width_angle * sizeof(chg_real), pass->w.dangle);
    clear_rows(g->n_edge, sizeof(double), pass->w.dlength_edge);
    clear_rows(g->n_short_edge, sizeof(double), pass->w.dlength_short);
}

static void interact_back(const chgi_pass *pass, int layer)
{
    if (pass->graph->n_angle > 0) {
        if (layer + 2 < pass->net->n_conv)
            chgi_angle_update_backward(pass, layer);
        chgi_bond_conv_backward(pass, layer);
    }
    chgi_atom_conv_backward(pass, layer);
}

static void add_seed(const chgi_pass *pass, const double *seed)
{
    int n = pass->net->n_feature, width = pass->net->width_atom;
    if (!seed)
        return;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        for (int c = 0; c < n; c++)
            pass->w.dv[i * width + c] += (chg_real)seed[i * n + c];
}

static void backward(const chgi_run *run)
{
    chgi_pass pass = pass_of(run);
    run->workspace->used = 0;
    chgi_pass_layout(run->workspace, &pass);
    int last = pass.net->n_conv - 1;
#pragma omp parallel num_threads(pass.n_thread)
    {
        clear(&pass);
        chgi_readout_backward(&pass, run->seed_site, run->seed_final);
        chgi_atom_conv_backward(&pass, last);
        add_seed(&pass, run->seed_atom_fea);
        for (int t = last - 1; t >= 0; t--)
            interact_back(&pass, t);
        chgi_embed_backward(&pass, run->bond_gradient);
    }
}

extern const chgi_kernel chgi_kernel_set;
const chgi_kernel chgi_kernel_set = {CHGI_QUOTE(CHGI_ISA), CHGI_DOUBLE, bind, release, forward, backward};
