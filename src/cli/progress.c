/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1.0 /* seconds before the bar appears */
#define INTERVAL 0.1 /* seconds between two drawings */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void chgi_progress_start(chgi_progress *progress, bool wanted)
{
    *progress = (chgi_progress){.wanted = wanted && isatty(STDERR_FILENO), .start = now()};
}

bool chgi_progress_is_due(const chgi_progress *progress)
{
    return progress->wanted && chgi_progress_elapsed(progress) >= PATIENCE && now() - progress->last_drawn >= INTERVAL;
}

void chgi_progress_show_text(chgi_progress *progress, double share, const char *text)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################", empty[] = "..............................";
    if (!chgi_progress_is_due(progress) || !(share > 0) || share >= 1)
        return;
    int filled = (int)(share * WIDTH);
    long left = (long)(chgi_progress_elapsed(progress) / share * (1 - share) + 0.5);
    fprintf(stderr, "\r[%.*s%.*s] %3d %%  %s, %ld:%02ld:%02ld left \033[K", filled, full, WIDTH - filled, empty,
            (int)(100 * share), text, left / 3600, left / 60 % 60, left % 60);
    fflush(stderr);
    progress->last_drawn = now();
    progress->visible = true;
}

void chgi_progress_show(chgi_progress *progress, double share, int64_t n_frame)
{
    char text[40];
    snprintf(text, sizeof text, "%lld done", (long long)n_frame);
    chgi_progress_show_text(progress, share, text);
}

void chgi_progress_hide(chgi_progress *progress)
{
    if (!progress->visible)
        return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    progress->visible = false;
}

double chgi_progress_elapsed(const chgi_progress *progress)
{
    return now() - progress->start;
}
