/* What the subcommands of `chgnet delta` share: how labels are read, how errors are shown.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_DELTA_H
#define CHGI_CLI_DELTA_H

#include "base/text.h"
#include "cli/common.h"
#include "cli/progress.h"
#include "gp/delta_file.h"
#include "task/embed.h"
#include "task/judge.h"
#include "task/label_file.h"
#include "task/train.h"

extern const chgi_cli_command chgi_cli_delta_fit, chgi_cli_delta_eval, chgi_cli_delta_select, chgi_cli_delta_show;

/* ---- labels ----------------------------------------------------------------------------------- */

/** Options that say how labels are read. */
typedef struct chgi_cli_labels {
    chgi_label_form form;
    bool energies_only;
} chgi_cli_labels;

enum {
    CHGI_CLI_ENERGY_KEY = CHGI_CLI_LONG_ONLY + 1100,
    CHGI_CLI_FORCES_KEY,
    CHGI_CLI_BASE_ENERGY_KEY,
    CHGI_CLI_BASE_FORCES_KEY,
    CHGI_CLI_MASK,
    CHGI_CLI_ENERGIES_ONLY,
    CHGI_CLI_SKIP_BAD
};

/* clang-format off */
#define CHGI_CLI_LABEL_OPTIONS                                                                       \
    {CHGI_CLI_ENERGY_KEY, "energy-key", "KEY", "energy of a frame, eV (default: REF_energy)"},       \
    {CHGI_CLI_FORCES_KEY, "forces-key", "KEY", "column of forces, eV/A (default: REF_forces)"},      \
    {CHGI_CLI_BASE_ENERGY_KEY, "base-energy-key", "KEY", "correct this prediction, not CHGNet's"},   \
    {CHGI_CLI_BASE_FORCES_KEY, "base-forces-key", "KEY", "its forces"},                              \
    {CHGI_CLI_MASK, "mask", "COLUMN", "forces count only where this column is true; move_mask:\n"    \
     "leave out fixed atoms"},                                                                       \
    {CHGI_CLI_ENERGIES_ONLY, "energies-only", NULL, "leave forces out of account"},                  \
    {CHGI_CLI_SKIP_BAD, "skip-bad", NULL, "leave out labels that cannot be used, with a warning"}
/* clang-format on */

chgi_cli_labels chgi_cli_labels_default(void);
/** Take an option if it is one of CHGI_CLI_LABEL_OPTIONS. */
bool chgi_cli_take_labels(int letter, const char *value, chgi_cli_labels *labels);
/** Read labels from files.  \return the first failure; good ones before it are in the set */
chgnet_status chgi_cli_read_labels(chgnet_context *ctx, const chgi_cli_labels *labels, int n_element, int n_file,
                                   char **files, chgi_label_set *set);

/* ---- talk ------------------------------------------------------------------------------------- */

/** Where warnings and progress of a run go. */
typedef struct chgi_cli_talk {
    chgi_progress progress;
    const char *file; /**< that warnings are about */
    bool quiet;
} chgi_cli_talk;

/** As chgnet_warning_function and chgi_progress_function; `user` is a chgi_cli_talk. */
void chgi_cli_talk_warning(const char *text, void *user);
void chgi_cli_talk_progress(void *user, double share, int64_t n_done);

/* ---- errors as tables and JSON ---------------------------------------------------------------- */

/** A table of errors before and after the correction. */
void chgi_cli_print_summary(chgi_text *text, const chgi_summary *summary, const char *base);
/** Members of a JSON object, without its braces. */
void chgi_cli_json_summary(chgi_text *text, const chgi_summary *summary);
/** A JSON list with one object per label. */
void chgi_cli_json_rows(chgi_text *text, const chgi_judgement *judgement, const chgi_label_set *set);
/** Append a text as a JSON string. */
void chgi_cli_json_string(chgi_text *text, const char *value);
/** Print what was gathered on standard output and clear it. */
chgnet_status chgi_cli_print_text(chgnet_context *ctx, chgi_text *text);

/** What a model is, in one page.  \param[in] all  hyperparameters, offsets and labels one by one too */
void chgi_cli_print_delta(chgi_text *text, const chgnet_delta *delta, bool all);
/** The same as a JSON object. */
void chgi_cli_json_delta(chgi_text *text, const chgnet_delta *delta);

/** A picture: predicted against labelled energies and forces, before and after, into PATH (.svg).
 *  Without gnuplot there is a warning and no picture.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_plot_parity(chgnet_context *ctx, const chgi_judgement *judgement, const char *path);

#endif
