/* All frames of all input files through CHGNet: several at one time, results in order.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_FRAMES_H
#define CHGI_CLI_FRAMES_H

#include "cli/result.h"

/** What to do, and who hears of it.  The functions are called by the caller's thread, in the order of the frames. */
typedef struct chgi_frames {
    const chgnet_model *model;
    const chgnet_delta *delta; /**< NULL: none */
    chgnet_precision precision;
    int n_thread;    /**< 0: OMP_NUM_THREADS, else the cores this process may use */
    bool one_by_one; /**< no two frames at one time: all threads work inside each */
    bool embeddings, novelty;
    const chgi_provenance *provenance;
    int n_file;
    char **files;
    void *user;
    /** A result.  \param[in] calculator  that computed it; until the next frame with one_by_one */
    void (*take)(void *user, chgnet_calculator *calculator, const chgi_result *result);
    /** A file or frame that failed; the text stands in the context. */
    void (*fail)(void *user, chgnet_status status);
    /** At most one warning of each kind in all. */
    void (*warn)(void *user, const char *file, const char *text);
    void (*progress)(void *user, double share, int64_t n_frame);
    bool (*should_stop)(void *user);
} chgi_frames;

/** \param[out] n_frame  frames and files that could not be read, done or not: numbers given
 *  \return CHGNET_OK, also when frames failed; CHGNET_ENOMEM, or what kept a calculator from being made */
chgnet_status chgi_frames_run(chgnet_context *ctx, const chgi_frames *frames, int64_t *n_frame);

#endif
