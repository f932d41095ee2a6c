/* The two halves of `chgnet delta fit`: what is asked, and what is done.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_DELTA_FIT_H
#define CHGI_CLI_DELTA_FIT_H

#include "cli/delta.h"

enum { CHGI_CLI_LOO = -1 /* as many folds as labels */ };

typedef struct chgi_cli_fit {
    chgi_cli_common common;
    chgi_cli_labels labels;
    const char *output, *add, *validation, *kernel, *noise_energy, *noise_force, *offsets; /* NULL: not given */
    int aggregation, layer, selection;                                                     /* -1: not given */
    bool species_sum, mean, has_mix, has_inducing, no_optimize, fixed, curve, json;
    double mix;
    int64_t n_inducing, n_fold; /* folds: 0: no cross-validation */
    uint64_t seed;
    int n_start; /* 0: not given */
    int n_file;
    char **files;
} chgi_cli_fit;

/** Do it.  \return the exit code; every error has been told by then */
int chgi_cli_run_fit(chgnet_context *ctx, const chgi_cli_fit *options);

/** The choices of a fit that the options make.
 *  \param[out] offsets  (CHGI_MAX_ELEMENT+1) given offsets, to which choice->offsets points then
 *  \return CHGNET_OK; CHGNET_EUSAGE; CHGNET_EINPUT for a file of offsets that is wrong */
chgnet_status chgi_cli_fit_choice(chgnet_context *ctx, const chgi_cli_fit *options, double *offsets,
                                  chgi_delta_choice *choice);

#endif
