/* What the files of `chgnet elastic` share.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_ELASTIC_H
#define CHGI_CLI_ELASTIC_H

#include "cli/common.h"
#include "task/elastic.h"

typedef struct chgi_cli_elastic_run {
    chgi_cli_common common;
    chgi_elastic_choice choice;
    bool no_relax;
    const char *output, *file;
    /* What was made of it. */
    const chgnet_model *model;
    chgi_structure structure;   /**< whose constants these are */
    chgi_elastic_point *points; /**< (6 choice.n_point) */
    chgi_elastic result;
} chgi_cli_elastic_run;

/** Whether the name of an output ends in .json or .csv.
 *  \return CHGNET_OK; CHGNET_EUSAGE, CHGNET_EIO when it could not be written later */
chgnet_status chgi_cli_elastic_check_output(chgnet_context *ctx, const char *path);

/** The tables on standard output. */
void chgi_cli_elastic_print(const chgi_cli_elastic_run *e);
/** The output: everything as JSON, or strains and stresses as CSV.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_elastic_write(chgnet_context *ctx, const chgi_cli_elastic_run *e);
/** A picture of stresses by strain.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_elastic_plot(chgnet_context *ctx, const chgi_cli_elastic_run *e);

#endif
