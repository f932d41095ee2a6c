/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/walker.h"

#include <math.h>

/* The hottest walker begins anew after so many rounds of swaps. */
enum { ROUNDS_TO_REFRESH = 10 };

/** The amplitude changes by this much (in its logarithm) after each rattle, towards the wanted share of acceptance. */
#define GAIN 0.1
/** Limits of the amplitude, as multiples of the first one. */
#define LEAST_SHARE 0.05
#define MOST_SHARE 4.0

void chgi_walker_start(const chgi_search_config *config, int64_t n_walker, chgi_walker *walkers)
{
    for (int64_t w = 0; w < n_walker; w++) {
        walkers[w] = (chgi_walker){.minimum = -1, .temperature = config->temperature, .amplitude = config->rattle};
        if (config->sampler == CHGI_EXCHANGE && n_walker > 1 && config->temperature > 0)
            walkers[w].temperature *=
                pow(config->temperature_top / config->temperature, (double)w / (double)(n_walker - 1));
    }
}

static bool is_among(const int64_t *places, int64_t n, int64_t place)
{
    for (int64_t k = 0; k < n; k++)
        if (places[k] == place)
            return true;
    return false;
}

/* gofee: one of the lowest minima, or every third time a random structure. */
static int64_t draw_parent(const chgi_pool *pool, chgi_rng *rng)
{
    enum { PARENTS = 10 };
    int64_t lowest[PARENTS], n = 0;
    if (chgi_rng_uniform(rng) < 1 / 3.0)
        return -1;
    for (; n < PARENTS && n < pool->n_minimum; n++) {
        lowest[n] = -1;
        for (int64_t i = 0; i < pool->n_minimum; i++)
            if (!is_among(lowest, n, i) &&
                (lowest[n] < 0 || pool->minima[i].free_energy < pool->minima[lowest[n]].free_energy))
                lowest[n] = i;
    }
    return n > 0 ? lowest[(int64_t)(chgi_rng_uniform(rng) * (double)n)] : -1;
}

void chgi_walker_propose(const chgi_search_config *config, const chgi_pool *pool, const chgi_walker *walkers, int64_t w,
                         int64_t iteration, chgi_rng *rng, chgi_move *move, int64_t *parent)
{
    *rng = chgi_rng_start((uint64_t)config->seed, CHGI_STREAM_GENERATE, (uint64_t)iteration, (uint32_t)w);
    *parent = walkers[w].minimum;
    if (config->sampler == CHGI_RANDOM)
        *parent = -1;
    else if (config->sampler == CHGI_GOFEE)
        *parent = draw_parent(pool, rng);
    *move = *parent < 0 ? CHGI_N_MOVE : chgi_generate_draw(&config->space, &pool->minima[*parent].structure, rng);
}

static bool metropolis(const chgi_search_config *config, double rise, double temperature, uint16_t stream,
                       int64_t iteration, int64_t w)
{
    chgi_rng rng = chgi_rng_start((uint64_t)config->seed, stream, (uint64_t)iteration, (uint32_t)w);
    return rise <= 0 || (temperature > 0 && chgi_rng_uniform(&rng) < exp(-rise / temperature));
}

bool chgi_walker_take(const chgi_search_config *config, const chgi_pool *pool, chgi_walker *walkers, int64_t w,
                      int64_t iteration, chgi_move move, int64_t minimum)
{
    chgi_walker *walker = &walkers[w];
    bool accepted = minimum >= 0;
    if (accepted && walker->minimum >= 0 && config->sampler != CHGI_RANDOM)
        accepted = metropolis(config, pool->minima[minimum].free_energy - pool->minima[walker->minimum].free_energy,
                              walker->temperature, CHGI_STREAM_ACCEPT, iteration, w);
    if (move == CHGI_MOVE_RATTLE) {
        double wanted = accepted ? 1 - config->acceptance : -config->acceptance;
        double amplitude = walker->amplitude * exp(GAIN * wanted);
        walker->amplitude = fmin(fmax(amplitude, LEAST_SHARE * config->rattle), MOST_SHARE * config->rattle);
    }
    walker->n_tried += 1;
    walker->n_accepted += accepted;
    if (accepted)
        walker->minimum = minimum;
    return accepted;
}

void chgi_walker_exchange(const chgi_search_config *config, const chgi_pool *pool, chgi_walker *walkers,
                          int64_t iteration)
{
    int64_t n = config->walkers, round = iteration / config->swap_every;
    if (config->sampler != CHGI_EXCHANGE || n < 2 || iteration % config->swap_every != 0)
        return;
    for (int64_t w = round % 2; w + 1 < n; w += 2) { /* even pairs and odd pairs in turn */
        chgi_walker *cold = &walkers[w], *hot = &walkers[w + 1];
        if (cold->minimum < 0 || hot->minimum < 0 || cold->temperature <= 0)
            continue;
        double gap = pool->minima[hot->minimum].free_energy - pool->minima[cold->minimum].free_energy;
        if (!metropolis(config, gap * (1 / cold->temperature - 1 / hot->temperature), 1, CHGI_STREAM_SWAP, iteration,
                        w))
            continue;
        int64_t other = cold->minimum;
        cold->minimum = hot->minimum;
        hot->minimum = other;
    }
    if (round % ROUNDS_TO_REFRESH == ROUNDS_TO_REFRESH - 1)
        walkers[n - 1].minimum = -1;
}
