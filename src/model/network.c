#include "model/network.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/kernel.h"
#include "model/pair_table.h"
#include "model/tangent.h"
#include "nn/flush.h"

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

static size_t count_bytes(chgi_pass *pass)
{
    chgi_arena count = {0};
    pass->w = (chgi_workspace){0};
    chgi_pass_layout(&count, pass);
    return count.used;
}

static chgi_pass pass_of(const chgi_run *run, size_t *bytes)
{
    chgi_pass pass = {.net = run->network,
                      .graph = run->graph,
                      .numbers = run->numbers,
                      .n_thread = run->n_thread,
                      .gradient = run->gradient,
                      .keep = run->gradient,
                      .profile = run->profile,
                      .exchange = run->exchange};
    if (chgi_pair_choose(&pass, run->pairs))
        pass.pairs = run->pairs;
    *bytes = count_bytes(&pass);
    if (pass.keep && *bytes > run->keep_at_most) {
        pass.keep = false;
        *bytes = count_bytes(&pass);
    }
    return pass;
}

_Static_assert((int)CHGI_PHASE_LAYERS >= (int)CHGI_MOST_LAYERS, "a profile has room for every layer");

static void start_clock(const chgi_pass *pass)
{
    if (pass->profile)
        pass->profile->mark = omp_get_wtime();
}

/* The time since the last lap goes to this part.  Layers end together in all threads: one clock tells for all. */
static void lap(const chgi_pass *pass, bool back, int phase, int layer)
{
    if (!pass->profile)
        return;
#pragma omp master
    {
        double now = omp_get_wtime();
        pass->profile->seconds[back][phase][layer] += now - pass->profile->mark;
        pass->profile->mark = now;
    }
}

static void copy_features(const chgi_pass *pass, const chg_real *from, double *to)
{
    int n = pass->net->n_feature, width = pass->net->width_atom;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        for (int c = 0; c < n; c++)
            to[i * n + c] = (double)from[i * width + c];
}

static void magmoms(const chgi_pass *pass, double *out)
{
    const chgi_linear *linear = &pass->net->magmom;
    const chg_real *v = chgi_pass_v(pass, pass->net->n_conv - 1);
    int n = linear->n_in;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_own; i++) /* row 0 of W itself */
        out[i] = fabs((double)(chgi_row_dot(n, v + i * n, linear->backward) + linear->bias[0]));
}

static void interact(const chgi_pass *pass, int layer)
{
    chgi_atom_conv_forward(pass, layer);
    lap(pass, false, CHGI_PHASE_ATOM_CONV, layer);
    if (!pass->graph->has_angles)
        return;
    chgi_bond_conv_forward(pass, layer);
    lap(pass, false, CHGI_PHASE_BOND_CONV, layer);
    if (layer + 2 < pass->net->n_conv)
        chgi_angle_update_forward(pass, layer);
    lap(pass, false, CHGI_PHASE_ANGLE_UPDATE, layer);
}

static chgnet_status forward(chgnet_context *ctx, const chgi_run *run)
{
    size_t bytes;
    chgi_pass pass = pass_of(run, &bytes);
    CHGI_TRY(chgi_arena_reserve(ctx, run->workspace, bytes));
    chgi_pass_layout(run->workspace, &pass);
    if (pass.pairs)
        CHGI_TRY(chgi_pair_fill(ctx, &pass, run->pairs));
    int last = pass.net->n_conv - 1;
    start_clock(&pass);
#pragma omp parallel num_threads(pass.n_thread)
    {
        uint64_t flush = chgi_flush_begin();
        chgi_embed_forward(&pass);
        lap(&pass, false, CHGI_PHASE_EMBED, 0);
        for (int t = 0; t < last; t++)
            interact(&pass, t);
        magmoms(&pass, run->magmoms);
        copy_features(&pass, chgi_pass_v(&pass, last), run->atom_fea);
        lap(&pass, false, CHGI_PHASE_OTHER, 0);
        chgi_atom_conv_forward(&pass, last);
        lap(&pass, false, CHGI_PHASE_ATOM_CONV, last);
        chgi_readout_forward(&pass, run->site_energies);
        lap(&pass, false, CHGI_PHASE_READOUT, 0);
        copy_features(&pass, pass.w.final, run->atom_fea_final);
        lap(&pass, false, CHGI_PHASE_OTHER, 0);
        chgi_flush_end(flush);
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
    clear_rows(g->n_short_bond, (size_t)pass->net->width_bond * sizeof(chg_real), pass->w.de);
    clear_rows(g->n_turn, sizeof(double), pass->w.dtheta);
    clear_rows(g->n_edge, sizeof(double), pass->w.dlength_edge);
    clear_rows(g->n_short_edge, sizeof(double), pass->w.dlength_short);
    size_t row = (size_t)pass->net->width_atom * sizeof(chg_real);
    clear_rows(g->n_atom - g->n_own, row, pass->w.dv + g->n_own * pass->net->width_atom);
}

static void interact_back(const chgi_pass *pass, int layer)
{
    if (pass->graph->has_angles) {
        if (layer + 2 < pass->net->n_conv)
            chgi_angle_update_backward(pass, layer);
        lap(pass, true, CHGI_PHASE_ANGLE_UPDATE, layer);
        chgi_bond_conv_backward(pass, layer);
        lap(pass, true, CHGI_PHASE_BOND_CONV, layer);
    }
    chgi_atom_conv_backward(pass, layer);
    lap(pass, true, CHGI_PHASE_ATOM_CONV, layer);
}

static void add_seed(const chgi_pass *pass, const double *seed)
{
    int n = pass->net->n_feature, width = pass->net->width_atom;
    if (!seed)
        return;
#pragma omp for
    for (int64_t i = 0; i < pass->graph->n_own; i++)
        for (int c = 0; c < n; c++)
            pass->w.dv[i * width + c] += (chg_real)seed[i * n + c];
}

static void backward(const chgi_run *run)
{
    size_t bytes;
    chgi_pass pass = pass_of(run, &bytes);
    run->workspace->used = 0;
    chgi_pass_layout(run->workspace, &pass);
    int last = pass.net->n_conv - 1;
    start_clock(&pass);
#pragma omp parallel num_threads(pass.n_thread)
    {
        uint64_t flush = chgi_flush_begin();
        clear(&pass);
        lap(&pass, true, CHGI_PHASE_OTHER, 0);
        chgi_readout_backward(&pass, run->seed_site, run->seed_final);
        lap(&pass, true, CHGI_PHASE_READOUT, 0);
        chgi_atom_conv_backward(&pass, last);
        lap(&pass, true, CHGI_PHASE_ATOM_CONV, last);
        add_seed(&pass, run->seed_atom_fea);
        for (int t = last - 1; t >= 0; t--)
            interact_back(&pass, t);
        chgi_embed_backward(&pass, run->bond_gradient);
        lap(&pass, true, CHGI_PHASE_EMBED, 0);
        chgi_flush_end(flush);
    }
}

extern const chgi_kernel chgi_kernel_set;
const chgi_kernel chgi_kernel_set = {CHGI_QUOTE(CHGI_ISA), CHGI_DOUBLE, bind, release, forward, backward,
                                     chgi_tangent_run};
