/* Walkers over the minima: where each stands, how far it steps, and whether it takes a step. */
#ifndef CHGI_SEARCH_WALKER_H
#define CHGI_SEARCH_WALKER_H

#include "base/rng.h"
#include "search/generate.h"
#include "search/pool.h"

/** What random numbers are for; each use has its own. */
enum { CHGI_STREAM_GENERATE = 1, CHGI_STREAM_ACCEPT, CHGI_STREAM_SWAP, CHGI_STREAM_PARENT };

typedef struct chgi_walker {
    int64_t minimum;    /**< where it stands, in the pool; -1: nowhere yet */
    double temperature; /**< eV */
    double amplitude;   /**< A, of its rattles */
    double n_tried, n_accepted;
} chgi_walker;

/** Temperatures: one and the same, or for replica exchange a geometric ladder from temperature to temperature-top. */
void chgi_walker_start(const chgi_search_config *config, int64_t n_walker, chgi_walker *walkers);

/** What walker `w` does in an iteration: a random structure where it stands nowhere, a move else.
 *  \param[out] move    CHGI_N_MOVE: a random structure
 *  \param[out] parent  the minimum it starts from; -1: none */
void chgi_walker_propose(const chgi_search_config *config, const chgi_pool *pool, const chgi_walker *walkers, int64_t w,
                         int64_t iteration, chgi_rng *rng, chgi_move *move, int64_t *parent);

/** Metropolis' rule for a step to `minimum`; -1: the candidate was dropped.  The amplitude follows the share of
 * accepted rattles.  \return whether the walker stands there now */
bool chgi_walker_take(const chgi_search_config *config, const chgi_pool *pool, chgi_walker *walkers, int64_t w,
                      int64_t iteration, chgi_move move, int64_t minimum);

/** Replica exchange: neighbours on the ladder swap places; the hottest walker begins anew from time to time. */
void chgi_walker_exchange(const chgi_search_config *config, const chgi_pool *pool, chgi_walker *walkers,
                          int64_t iteration);

#endif
