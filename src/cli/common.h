/* Options that the commands which run a potential have in common.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_COMMON_H
#define CHGI_CLI_COMMON_H

#include "cli/cli.h"
#include "crystal/structure.h"

typedef struct chgi_cli_common {
    const char *model; /**< NULL: the default, 0.3.0 */
    bool is_double;
    int threads;       /**< 0: OMP_NUM_THREADS, else the cores this process may use */
    const char *delta; /**< file of a delta-model; NULL: none */
    double max_std;    /**< eV; 0: no limit */
    bool plot, quiet, verbose, help;
} chgi_cli_common;

enum { CHGI_CLI_MAX_STD = CHGI_CLI_LONG_ONLY + 1000, CHGI_CLI_PLOT };

/* Their lines in a command's list of options; a command takes those that it honours. */
/* clang-format off */
#define CHGI_CLI_MODEL_OPTIONS                                                                      \
    {'m', "model", "MODEL", "0.3.0 (default), 0.2.0, r2scan, or a path ending in .h5"},             \
    {'p', "precision", "WHICH", "single (default) or double"},                                      \
    {'t', "threads", "N", "default: OMP_NUM_THREADS, else the cores this process may use"}
#define CHGI_CLI_DELTA_OPTIONS                                                                      \
    {'d', "delta", "DELTA.h5", "correct the model by this delta-model (chgnet delta fit)"},         \
    {CHGI_CLI_MAX_STD, "max-std", "EV", "limit to the standard deviation of the corrected energy"}
#define CHGI_CLI_PLOT_OPTION {CHGI_CLI_PLOT, "plot", NULL, "make pictures too, with gnuplot"}
#define CHGI_CLI_TALK_OPTIONS                                                                       \
    {'q', "quiet", NULL, "no progress, no warnings"},                                               \
    {'v', "verbose", NULL, "tell what is done"},                                                    \
    CHGI_CLI_HELP_OPTION
/* clang-format on */

/** Take an option if it is a common one.
 *  \param[in]  command  its name, for the error text
 *  \param[out] taken    whether it was
 *  \return CHGNET_OK; CHGNET_EUSAGE when the value is wrong */
chgnet_status chgi_cli_take_common(chgnet_context *ctx, const char *command, int letter, const char *value,
                                   chgi_cli_common *common, bool *taken);

/** A finite number within limits.  \param[in] option as the user writes it, such as "--fmax"
 *  \return CHGNET_OK; CHGNET_EUSAGE */
chgnet_status chgi_cli_take_number(chgnet_context *ctx, const char *command, const char *option, const char *value,
                                   double least, double most, double *number);
/** A whole number within limits.  \return CHGNET_OK; CHGNET_EUSAGE */
chgnet_status chgi_cli_take_count(chgnet_context *ctx, const char *command, const char *option, const char *value,
                                  int64_t least, int64_t most, int64_t *count);

/** The first structure of a file.  \return CHGNET_OK; what the reader says */
chgnet_status chgi_cli_read_first(chgnet_context *ctx, const char *path, chgi_structure *structure);

/** What one calculator needs, as the common options say.  The caller frees what is there, also after an error.
 *  \param[in]  chosen  the rest of what the calculator shall be
 *  \param[out] model, delta, calculator  NULL where there is none
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_load(chgnet_context *ctx, const chgi_cli_common *common, chgnet_options chosen,
                            chgnet_model **model, chgnet_delta **delta, chgnet_calculator **calculator);

/** Print the line that tells what computed a result, and an empty one. */
void chgi_cli_print_model(const chgi_cli_common *common, const chgnet_model *model);

#endif
