/* One minimisation of a search: a candidate is made, relaxed, and described. */
#ifndef CHGI_SEARCH_TRIAL_H
#define CHGI_SEARCH_TRIAL_H

#include "calc/calculator.h"
#include "search/walker.h"

/** What one thread works with.  Errors of trials stay in its own context. */
typedef struct chgi_worker {
    chgnet_context *ctx;
    chgnet_calculator *calculator; /**< NULL with the Lennard-Jones potential */
    chgi_potential potential;
} chgi_worker;

/** \param[in] model  may be NULL with the Lennard-Jones potential
 *  \return CHGNET_OK; CHGNET_ENOMEM, CHGNET_EINPUT */
chgnet_status chgi_worker_create(chgnet_context *ctx, const chgi_search_config *config, const chgnet_model *model,
                                 chgi_worker *worker);
void chgi_worker_destroy(chgi_worker *worker);

typedef struct chgi_trial {
    chgi_move move;            /**< CHGI_N_MOVE: a random structure */
    int64_t parent;            /**< minimum it came from; -1: none */
    int64_t steps;             /**< of the relaxation */
    double fmax;               /**< eV/A, at its end */
    const char *dropped;       /**< why it is no candidate; NULL: it is one */
    chgi_minimum minimum;      /**< structure, fingerprint, energies; moved out or destroyed by the owner */
    const chgi_worker *worker; /**< who did it, and holds the error text */
    chgnet_status status;      /**< failure that ends the search: no memory, an impossible problem */
} chgi_trial;

/** Make and relax the candidate of walker `w`.  Does not touch pool and walkers; the same arguments give the same
 *  trial, whichever worker does it. */
void chgi_trial_run(const chgi_worker *worker, const chgi_search_config *config, const chgi_pool *pool,
                    const chgi_walker *walkers, int64_t w, int64_t iteration, chgi_trial *trial);

/** Energy, standard deviation and fingerprint of a minimum by the worker's potential as it is now.
 *  \param[in] anew  make the fingerprint; else only its energy is set
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_trial_evaluate(const chgi_worker *worker, const chgi_search_config *config, bool anew,
                                  chgi_minimum *minimum);

#endif
