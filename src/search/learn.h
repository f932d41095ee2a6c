/* Learning on the fly: labels of a search become its delta-model. */
#ifndef CHGI_SEARCH_LEARN_H
#define CHGI_SEARCH_LEARN_H

#include "gp/delta_file.h"
#include "search/journal.h"

/** Ask for labels of some minima, append the answers to the journal, and note in the pool what was labelled or failed.
 *  Labels that the journal holds from an earlier run are taken from there.
 *  \param[in] ids (n) minima
 *  \return CHGNET_OK, also when labels failed; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_learn_ask(chgnet_context *ctx, const chgi_search_config *config, chgi_journal *journal,
                             chgi_search_state *state, int64_t n, const int64_t *ids, bool (*should_stop)(void *user),
                             void *user);

/** Fit a model to the labels of the pool's labelled minima and save it as delta-N.h5 of state->generation.
 *  \param[out] delta  freed by chgi_delta_file_destroy
 *  \return CHGNET_OK; as chgi_train_fit; CHGNET_EIO */
chgnet_status chgi_learn_fit(chgnet_context *ctx, const chgi_search_config *config, const chgnet_model *model,
                             chgi_journal *journal, const chgi_search_state *state, int n_thread, chgnet_delta **delta);

/** Path of the delta-model of a generation. */
void chgi_learn_path(const chgi_journal *journal, int64_t generation, char path[CHGI_JOURNAL_PATH]);

#endif
