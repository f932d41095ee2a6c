/* chgnet phonon-forces: its options, shared by the file that reads them and the one that heeds them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_PHONON_H
#define CHGI_CLI_PHONON_H

#include "cli/common.h"
#include "task/displace.h"

typedef struct chgi_cli_phonon_options {
    chgi_cli_common common;
    chgi_displace_choice displace;
    bool has_supercell; /**< the cells are made here */
    bool for_cells;     /**< an option was given that has a meaning only then */
    int matrix[3][3];
    bool subtract_residual;
    const char *cells, *output;
    const char *file; /**< phonopy_disp.yaml or a crystal */
    char **others;    /**< (n_other) displaced cells, to be compared */
    int n_other;
} chgi_cli_phonon_options;

/** \return CHGNET_OK, also when help is wanted; CHGNET_EUSAGE, CHGNET_EIO */
chgnet_status chgi_cli_phonon_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_phonon_options *options);

/** The command.  \return the exit code */
int chgi_cli_phonon_main(chgnet_context *ctx, int argc, char **argv);

#endif
