/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/pool.h"

#include "base/memory.h"

void chgi_minimum_destroy(chgi_minimum *minimum)
{
    chgi_structure_destroy(&minimum->structure);
    chgi_fingerprint_destroy(&minimum->fingerprint);
    *minimum = (chgi_minimum){0};
}

void chgi_pool_destroy(chgi_pool *pool)
{
    for (int64_t i = 0; i < pool->n_minimum; i++)
        chgi_minimum_destroy(&pool->minima[i]);
    chgi_memory_free(pool->minima);
    *pool = (chgi_pool){0};
}

int64_t chgi_pool_find(const chgi_pool *pool, const chgi_search_config *config, const chgi_fingerprint *fingerprint)
{
    for (int64_t i = 0; i < pool->n_minimum; i++)
        if (chgi_fingerprint_same(&pool->minima[i].fingerprint, fingerprint, config->same_energy, config->same_feature))
            return i;
    return -1;
}

chgnet_status chgi_pool_add(chgnet_context *ctx, chgi_pool *pool, chgi_minimum *minimum)
{
    chgnet_status status =
        chgi_memory_grow(ctx, &pool->minima, &pool->capacity, (size_t)pool->n_minimum + 1, sizeof *pool->minima);
    if (status == CHGNET_OK)
        pool->minima[pool->n_minimum++] = *minimum;
    else
        chgi_minimum_destroy(minimum);
    *minimum = (chgi_minimum){0};
    return status;
}

/* Labels come before predictions, then what is lower. */
static bool is_better(const chgi_minimum *a, const chgi_minimum *b)
{
    if (a->labelled != b->labelled)
        return a->labelled;
    return a->labelled ? a->label < b->label : a->free_energy < b->free_energy;
}

int64_t chgi_pool_best(const chgi_pool *pool)
{
    int64_t best = -1;
    for (int64_t i = 0; i < pool->n_minimum; i++)
        if (best < 0 || is_better(&pool->minima[i], &pool->minima[best]))
            best = i;
    return best;
}

static double promise(const chgi_minimum *m, double kappa)
{
    return m->free_energy - (m->std > 0 ? kappa * m->std : 0);
}

int64_t chgi_pool_choose(const chgi_pool *pool, int64_t first, double kappa, const bool *taken)
{
    int64_t best = -1;
    for (int64_t i = first; i < pool->n_minimum; i++) {
        const chgi_minimum *m = &pool->minima[i];
        if (m->labelled || m->refused || taken[i])
            continue;
        if (best < 0 || promise(m, kappa) < promise(&pool->minima[best], kappa))
            best = i;
    }
    return best;
}
