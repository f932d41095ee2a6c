/* A bar on standard error, for people who wait: only on a terminal, and only when the work takes longer than a moment.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_PROGRESS_H
#define CHGI_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct chgi_progress {
    bool wanted;
    bool visible;
    double start; /* seconds */
    double last_drawn;
} chgi_progress;

/** \param[in] wanted  false: never show anything */
void chgi_progress_start(chgi_progress *progress, bool wanted);
/** \param[in] share    of the work that is done, 0 to 1
 *  \param[in] n_frame  frames done */
void chgi_progress_show(chgi_progress *progress, double share, int64_t n_frame);
/** Whether it is time to draw again: what costs something to say is asked for then only. */
bool chgi_progress_is_due(const chgi_progress *progress);
/** The same bar with a text of the caller's in place of the number of frames. */
void chgi_progress_show_text(chgi_progress *progress, double share, const char *text);
/** Take the bar away before something else is printed; the next show draws it again. */
void chgi_progress_hide(chgi_progress *progress);
/** Seconds since the start. */
double chgi_progress_elapsed(const chgi_progress *progress);

#endif
