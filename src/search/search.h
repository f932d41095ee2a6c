/* A search: walkers make candidates, the pool keeps what is new, labels teach the potential, the journal remembers. */
#ifndef CHGI_SEARCH_SEARCH_H
#define CHGI_SEARCH_SEARCH_H

#include "search/journal.h"

/** What a search tells while it goes on, after each iteration. */
typedef struct chgi_search_news {
    const chgi_search_config *config;
    const chgi_search_state *state;
    int64_t best;      /**< minimum with the lowest free energy; -1: none yet */
    int64_t n_dropped; /**< candidates of this run that were no candidates */
} chgi_search_news;

typedef struct chgi_search_watch {
    int n_thread;                    /**< walkers at one time */
    bool (*should_stop)(void *user); /**< asked between iterations and while labels are made */
    void (*tell)(void *user, const chgi_search_news *news);
    void *user;
} chgi_search_watch;

/** Run a search to its end or until it is stopped; it can be resumed either way, with a larger budget too.
 *  \param[in] path   of the configuration: begin; NULL: go on in the configuration's folder
 *  \param[in] model  may be NULL with the Lennard-Jones potential
 *  \param[in] delta  where it begins, of the configuration's potential; NULL: plain CHGNet
 *  \return CHGNET_OK; CHGNET_EUSAGE, CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_search_run(chgnet_context *ctx, chgi_search_config *config, const char *path,
                              const chgnet_model *model, const chgnet_delta *delta, const chgi_search_watch *watch);

#endif
