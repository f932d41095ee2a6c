/* The distinct minima that a search has found, each once, in the order in which they were found. */
#ifndef CHGI_SEARCH_POOL_H
#define CHGI_SEARCH_POOL_H

#include "search/config.h"
#include "search/fingerprint.h"

typedef struct chgi_minimum {
    chgi_structure structure;
    chgi_fingerprint fingerprint; /**< of the uncorrected potential's description; its energy is the newest one */
    double energy;                /**< eV, by the potential as it is now */
    double free_energy;           /**< eV, less chemical potentials */
    double std;                   /**< eV; negative: none */
    int64_t visits;
    bool labelled, refused; /**< has a label; its label failed and is not asked for again */
    double label;           /**< eV, free energy by the label */
} chgi_minimum;

typedef struct chgi_pool {
    chgi_minimum *minima;
    int64_t n_minimum;
    size_t capacity;
} chgi_pool;

void chgi_minimum_destroy(chgi_minimum *minimum);
void chgi_pool_destroy(chgi_pool *pool);

/** The minimum that a new one equals within the configuration's limits; -1: it is new. */
int64_t chgi_pool_find(const chgi_pool *pool, const chgi_search_config *config, const chgi_fingerprint *fingerprint);

/** Move a minimum to the end of the pool; `minimum` is empty then, also on failure.
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_pool_add(chgnet_context *ctx, chgi_pool *pool, chgi_minimum *minimum);

/** The minimum with the lowest free energy: by labels where there are any, else by the potential; -1: the pool is
 *  empty. */
int64_t chgi_pool_best(const chgi_pool *pool);

/** The most promising of the minima from `first` on that have no label: lowest free energy less kappa standard
 *  deviations.  \param[in] taken (n_minimum) true: not this one  \return its place; -1: there is none */
int64_t chgi_pool_choose(const chgi_pool *pool, int64_t first, double kappa, const bool *taken);

#endif
