#include "model/exchange.h"

#include <string.h>

#include "nn/real.h"

void chgi_exchange_spread(const chgi_pass *pass, int layer)
{
    if (!pass->exchange)
        return;
#pragma omp master
    pass->exchange->spread(pass->exchange->user, (size_t)pass->net->width_atom * sizeof(chg_real),
                           chgi_pass_v(pass, layer));
#pragma omp barrier
}

void chgi_exchange_collect(const chgi_pass *pass)
{
    const chgi_graph *g = pass->graph;
    int n = pass->net->width_atom;
    if (!pass->exchange)
        return;
#pragma omp master
    {
        pass->exchange->collect(pass->exchange->user, n, CHGI_DOUBLE, pass->w.dv);
        memset(pass->w.dv + g->n_own * n, 0, (size_t)((g->n_atom - g->n_own) * n) * sizeof(chg_real));
    }
#pragma omp barrier
}

static void swap(const chgi_pass *pass, int width)
{
    pass->exchange->swap(pass->exchange->user, (size_t)width * sizeof(chg_real), pass->w.crossing);
}

void chgi_exchange_messages(const chgi_pass *pass, int width)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    size_t row = (size_t)width * sizeof(chg_real);
    if (!pass->exchange)
        return;
#pragma omp master
    {
        for (int64_t k = 0; k < g->n_crossing; k++)
            memcpy(w->crossing + k * width, w->message + (int64_t)g->crossing[k] * width, row);
        swap(pass, width);
        for (int64_t k = 0; k < g->n_crossing; k++)
            memcpy(w->message + (int64_t)g->short_reverse[g->crossing[k]] * width, w->crossing + k * width, row);
    }
#pragma omp barrier
}

void chgi_exchange_gradients(const chgi_pass *pass, int width)
{
    const chgi_graph *g = pass->graph;
    const chgi_workspace *w = &pass->w;
    if (!pass->exchange)
        return;
#pragma omp master
    {
        for (int64_t k = 0; k < g->n_crossing; k++)
            memcpy(w->crossing + k * width, w->de_part + (int64_t)g->bond[g->short_edge[g->crossing[k]]] * width,
                   (size_t)width * sizeof(chg_real));
        swap(pass, width);
        for (int64_t k = 0; k < g->n_crossing; k++) {
            chg_real *to = w->de_part + (int64_t)g->bond[g->short_edge[g->crossing[k]]] * width;
            for (int c = 0; c < width; c++)
                to[c] += w->crossing[k * width + c];
        }
    }
#pragma omp barrier
}
