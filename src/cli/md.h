/* What the files of `chgnet md` share.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_MD_H
#define CHGI_CLI_MD_H

#include "api/chgnet.h"
#include "base/text.h"
#include "cli/common.h"
#include "cli/fix.h"
#include "cli/progress.h"
#include "gp/delta_file.h"
#include "task/restart.h"
#include "task/md.h"
#include "task/trajectory.h"

/* ---- options ---------------------------------------------------------------------------------- */

typedef struct chgi_cli_md_options {
    chgi_cli_common common;
    chgi_md_options md;
    bool has_ensemble, has_temperature, has_pressure;
    int64_t every;            /**< steps from one frame to the next */
    int64_t checkpoint_steps; /**< from one checkpoint to the next; 0: by time alone */
    double checkpoint_time;   /**< s */
    double walltime;          /**< s from the start of the command; 0: no limit */
    bool resume, embeddings;
    chgi_cli_fix fix;
    const char *output; /**< TRAJ */
    const char *file;
    char *log, *checkpoint; /**< copies, to be freed */
} chgi_cli_md_options;

/** \return CHGNET_OK, with common.help when it was asked for; CHGNET_EUSAGE, CHGNET_ENOMEM */
chgnet_status chgi_cli_md_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_md_options *options);

/** What the command runs. */
int chgi_cli_md_main(chgnet_context *ctx, int argc, char **argv);

/* ---- the run ---------------------------------------------------------------------------------- */

/** Sums over the steps, for the table at the end; all doubles, as the checkpoint keeps them. */
typedef struct chgi_cli_md_sums {
    double n;                     /**< steps */
    double temperature, square;   /**< K, K^2 */
    double pressure, pressure_2;  /**< GPa, GPa^2 */
    double potential, volume;     /**< eV, A^3 */
    double first;                 /**< eV, conserved energy of the first step */
    double time, time_2;          /**< fs, fs^2 */
    double conserved, time_times; /**< eV above the first one; eV fs */
} chgi_cli_md_sums;

typedef struct chgi_cli_md_run {
    chgnet_context *ctx;
    const chgi_cli_md_options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    char delta_sha256[65];
    chgnet_calculator *calculator;
    chgi_potential potential;
    unsigned want; /* beyond energy and forces */
    chgi_structure structure;
    chgi_md *md;
    chgi_trajectory_plan plan;
    chgi_trajectory *trajectory;
    chgi_restart checkpoint;
    chgi_column_name columns[CHGI_TRAJECTORY_MAX_COLUMNS];
    chgi_cli_md_sums sums;
    chgi_progress progress;
    double start;           /* s, of the command */
    double last_checkpoint; /* s */
    int64_t first_step;     /* of this part of the run */
    int64_t checkpoint_step;
} chgi_cli_md_run;

/** Seconds of a clock that only runs forward. */
double chgi_cli_md_clock(void);

/* ---- state: checkpoints ----------------------------------------------------------------------- */

/** Write a checkpoint that goes with a mark.  \param[in] first  the run begins: no older one may stay */
chgnet_status chgi_cli_md_store(chgi_cli_md_run *run, const chgi_trajectory_mark *mark, bool first);
/** Read the checkpoint, compare what must be as it was, restore the state.
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_cli_md_restore(chgi_cli_md_run *run, chgi_trajectory_mark *mark);

/* ---- frames ----------------------------------------------------------------------------------- */

/** Choose the columns of the table: run->plan.  The structure, the run and the calculator are there. */
void chgi_cli_md_plan(chgi_cli_md_run *run);
/** Append the frame of the state that is there. */
chgnet_status chgi_cli_md_write_frame(chgi_cli_md_run *run);

/* ---- report ----------------------------------------------------------------------------------- */

/** Take the step that was just made into the sums. */
void chgi_cli_md_count(chgi_cli_md_run *run);
void chgi_cli_md_show_progress(chgi_cli_md_run *run);
/** The table at the end, on standard output. */
void chgi_cli_md_report(chgi_cli_md_run *run);
/** A picture beside the trajectory: temperature and energies by time, from the table. */
chgnet_status chgi_cli_md_plot(chgi_cli_md_run *run);

#endif
