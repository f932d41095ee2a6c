/* Labels: energies and forces from another program, a command run for each structure. */
#ifndef CHGI_SEARCH_LABEL_H
#define CHGI_SEARCH_LABEL_H

#include "crystal/structure.h"

/** One structure to be labelled. */
typedef struct chgi_label_job {
    int64_t id;                      /**< names its files: label-ID.in.extxyz, .out.extxyz, .log */
    const chgi_structure *structure; /**< what is asked about */
    bool done;
    char reason[256]; /**< why it failed; "" when it did not */
    double energy;    /**< eV */
    double *forces;   /**< (n_atom,3) eV/A, freed by chgi_label_job_destroy */
} chgi_label_job;

typedef struct chgi_label_command {
    const char *command;             /**< run by sh -c; {in} and {out} stand for the files, quoted */
    const char *folder;              /**< where the files are */
    double time_limit;               /**< s; then the command and its children are killed */
    int64_t retries;                 /**< further attempts after a failure */
    int64_t parallel;                /**< commands at one time */
    bool (*should_stop)(void *user); /**< asked many times a second; NULL: never */
    void *user;
} chgi_label_command;

/** Run the command for every job; a job that fails is told in its reason and does not stop the others.  The command
 *  reads an extended XYZ frame and writes one of the same atoms, at the same places, with energy (info `energy` or
 *  `REF_energy`) and forces (column `forces` or `REF_forces`).  Files of jobs that succeeded are removed.
 *  After should_stop the running commands are ended, and jobs that are not done stay so.
 *  \return CHGNET_OK; CHGNET_EIO when the folder cannot be written or no process started; CHGNET_ENOMEM */
chgnet_status chgi_label_run(chgnet_context *ctx, const chgi_label_command *command, int64_t n_job,
                             chgi_label_job *jobs);
void chgi_label_job_destroy(chgi_label_job *job);

#endif
