/* The folder of a search: what was found and labelled, and where the search stands.
 *
 *     search.ini         the configuration, copied
 *     candidates.extxyz  each distinct minimum once, appended
 *     labels.extxyz      each label, appended; never cut, so that no label is paid for twice
 *     search.csv         a line for each minimisation and each label, appended
 *     checkpoint         where to go on; written after each iteration; cuts candidates and search.csv back
 *     delta-N.h5         the delta-model of generation N
 *     work/              files of label commands */
#ifndef CHGI_SEARCH_JOURNAL_H
#define CHGI_SEARCH_JOURNAL_H

#include "base/append.h"
#include "gp/label_set.h"
#include "search/trial.h"

enum { CHGI_JOURNAL_PATH = 4096, CHGI_JOURNAL_FILES = 3 };

/** Where a search stands. */
typedef struct chgi_search_state {
    int64_t iteration;    /**< done */
    int64_t n_minimised;  /**< minimisations done */
    int64_t n_label;      /**< label commands that answered */
    int64_t generation;   /**< of the delta-model; 0: none yet */
    int64_t fresh;        /**< minima from here on are candidates for the next labels */
    double seconds;       /**< of work, over all runs */
    chgi_walker *walkers; /**< (config->walkers) */
    chgi_pool pool;
} chgi_search_state;

typedef struct chgi_journal {
    char folder[CHGI_JOURNAL_PATH];
    chgi_append candidates, labels, log;
    chgi_label_set taught; /**< all labels of the file, in its order */
    int64_t *taught_id;    /**< (taught.n_label) the minima they belong to */
    size_t capacity;
} chgi_journal;

/** Begin a folder.  \param[in] path of the configuration
 *  \return CHGNET_OK; CHGNET_EUSAGE when it holds a search already; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_journal_create(chgnet_context *ctx, const chgi_search_config *config, const char *path,
                                  chgi_journal *journal);
/** Open a folder to go on, and read back the state; torn ends and what came after the checkpoint are cut off.  Minima
 *  have structures and energies, but no fingerprints yet.
 *  \param[in,out] config  its seed becomes that of the search
 *  \return CHGNET_OK; CHGNET_EINPUT when there is no search in it, or it does not fit the configuration; CHGNET_EIO */
chgnet_status chgi_journal_open(chgnet_context *ctx, chgi_search_config *config, chgi_journal *journal,
                                chgi_search_state *state);
void chgi_journal_close(chgi_journal *journal);

/** Append a new minimum, the last of the pool. */
chgnet_status chgi_journal_add_minimum(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                                       const chgi_trial *trial, int64_t walker);
/** Append a label of minimum `id`. \param[in] forces (n_atom,3) eV/A */
chgnet_status chgi_journal_add_label(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                                     const chgi_search_config *config, int64_t id, double energy, const double *forces);
/** The label of a minimum among those of earlier runs; NULL: none. */
const chgi_labelled *chgi_journal_find_label(const chgi_journal *journal, const chgi_search_state *state, int64_t id);

/** What a line of search.csv says. */
typedef struct chgi_event {
    const char *what; /**< a move, "random", or "label" */
    int64_t walker, minimum, parent, steps;
    double energy, free_energy, std, fmax;
    const char *result; /**< accepted, rejected, or why it was dropped or failed */
} chgi_event;
chgnet_status chgi_journal_log(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                               const chgi_event *event);

/** Make all durable, then write the checkpoint. */
chgnet_status chgi_journal_checkpoint(chgnet_context *ctx, chgi_journal *journal, const chgi_search_config *config,
                                      const chgi_search_state *state);

/* ---- the journal's own, shared by its two sources --------------------------------------------- */

void chgi_journal_start(const chgi_search_config *config, chgi_journal *journal);
/** \param[in] keep  bytes of candidates.extxyz, labels.extxyz and search.csv that stay */
chgnet_status chgi_journal_open_files(chgnet_context *ctx, chgi_journal *journal,
                                      const int64_t keep[CHGI_JOURNAL_FILES]);
/** Keep a label in memory, as a fit wants it; `frame` is empty then. */
chgnet_status chgi_journal_keep_label(chgnet_context *ctx, chgi_journal *journal, int64_t id, chgi_structure *frame);

/** Path of a file of the folder. */
void chgi_journal_path(const chgi_journal *journal, const char *name, char path[CHGI_JOURNAL_PATH]);

#endif
