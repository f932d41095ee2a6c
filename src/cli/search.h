/* What the subcommands of `chgnet search` share: reading a search's folder.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_SEARCH_H
#define CHGI_CLI_SEARCH_H

#include "cli/common.h"
#include "search/search.h"

extern const chgi_cli_command chgi_cli_search_run, chgi_cli_search_resume, chgi_cli_search_status, chgi_cli_search_best,
    chgi_cli_search_curve, chgi_cli_search_report;

/** A line of search.csv. */
typedef struct chgi_cli_event {
    int64_t minimisation, iteration, walker, minimum, parent, steps, labels; /**< -1 where there is none */
    double energy, free_energy, std, fmax, seconds;                          /**< NaN where there is none */
    char what[16], result[80];
} chgi_cli_event;

/** What a search's folder holds. */
typedef struct chgi_cli_folder {
    const char *path;
    chgi_cli_event *events;
    int64_t n_event;
    size_t capacity_event;
    chgi_structure *minima; /**< (n_minimum), as they stand in candidates.extxyz */
    int64_t n_minimum;
    size_t capacity_minimum;
} chgi_cli_folder;

/** Read a folder, also while its search is running: a last line or frame that is not whole is left out.
 *  \param[in] with_minima  read the structures too
 *  \return CHGNET_OK; CHGNET_EINPUT when it holds no search; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_folder_read(chgnet_context *ctx, const char *path, bool with_minima, chgi_cli_folder *folder);
void chgi_cli_folder_destroy(chgi_cli_folder *folder);

/** Newest free energy of each minimum that the log knows, labels before predictions; NaN for the others.
 *  \param[out] energies (n_minimum)  \param[out] labelled (n_minimum) */
void chgi_cli_folder_energies(const chgi_cli_folder *folder, double *energies, bool *labelled);
/** Places of the `n` lowest minima, lowest first.  \return how many there are */
int64_t chgi_cli_folder_lowest(chgnet_context *ctx, const chgi_cli_folder *folder, int64_t n, int64_t *places,
                               double *energies);

/** Which minima of a folder are a given structure: the same composition and description, by the search's own potential
 * and its same-feature, whatever the order of the atoms, shifts and turns. \param[in]  folder  read with its minima
 * \param[out] same (n_minimum) \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_cli_search_same(chgnet_context *ctx, const chgi_cli_folder *folder, const chgi_structure *structure,
                                   bool *same);

#endif
