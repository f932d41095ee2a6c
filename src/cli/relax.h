/* What the files of `chgnet relax` share.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_RELAX_H
#define CHGI_CLI_RELAX_H

#include <pthread.h>

#include "base/append.h"
#include "base/text.h"
#include "cli/common.h"
#include "cli/fix.h"
#include "cli/output.h"
#include "task/relax.h"

typedef struct chgi_cli_relax_options {
    chgi_cli_common common;
    chgi_relax_options relax;
    const char *output, *trajectory;
    chgi_format format; /**< of the output */
    chgi_cli_fix fix;
    int n_file;
    char **files;
} chgi_cli_relax_options;

/** Read the command line.  \return CHGNET_OK, also for --help; CHGNET_EUSAGE, CHGNET_ENOMEM */
chgnet_status chgi_cli_relax_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_relax_options *options);
void chgi_cli_relax_options_destroy(chgi_cli_relax_options *options);

/** Run the command. */
int chgi_cli_relax_main(chgnet_context *ctx, int argc, char **argv);

/** One structure on its way. */
typedef struct chgi_cli_relax_job {
    chgi_result result; /**< number, source and structure are set when it is read, the rest when it is done */
    long line;          /**< where it begins in its file */
    double share;       /**< of all files that was read with it */
    chgi_relax_report report;
    chgnet_status status;
    char error[1024];
    char warning[512]; /**< the first one; "": none */
    chgi_warning warning_kind;
    bool stopped;     /**< by a signal */
    chgi_text frames; /**< of the trajectory, not yet written */
    double *curve;    /**< (report.steps+1,2) energy and largest force, where a picture is wanted */
    size_t curve_capacity;
} chgi_cli_relax_job;

/** The frames of all structures in one file, in the order of the structures: those of the first that is not finished
 * are written at once, others wait in their jobs. */
typedef struct chgi_cli_relax_trajectory {
    chgi_append file;
    int64_t next; /**< number of the structure that is written at once */
    pthread_mutex_t mutex;
} chgi_cli_relax_trajectory;

chgnet_status chgi_cli_relax_trajectory_open(chgnet_context *ctx, const char *path,
                                             chgi_cli_relax_trajectory *trajectory);
/** Add a step, from any thread.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_relax_trajectory_add(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory,
                                            chgi_cli_relax_job *job, const chgi_relax_state *state);
/** A structure is finished: write what waits, and let the next one write. */
chgnet_status chgi_cli_relax_trajectory_finish(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory,
                                               chgi_cli_relax_job *job);
chgnet_status chgi_cli_relax_trajectory_close(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory);

/** The table, line by line. */
void chgi_cli_relax_print_header(chgi_text *text, const chgi_provenance *provenance, const chgi_relax_options *options,
                                 bool colour);
void chgi_cli_relax_print_row(chgi_text *text, const chgi_cli_relax_job *job);

/** Lines of a gnuplot script that hold a structure's curve. */
void chgi_cli_relax_plot_data(chgi_text *script, const chgi_cli_relax_job *job);
/** The picture of such curves.  \param[in] numbers (n) of their structures */
chgnet_status chgi_cli_relax_plot(chgnet_context *ctx, const chgi_text *data, const int64_t *numbers, int64_t n,
                                  const char *path);

#endif
