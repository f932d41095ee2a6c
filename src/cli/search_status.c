/* chgnet search status: how far searches are.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/search.h"

enum { OPTION_EVERY = CHGI_CLI_LONG_ONLY };

static const chgi_cli_option known[] = {
    {OPTION_EVERY, "every", "S", "show the table again after so many seconds, until Ctrl-C"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] = "Show how far searches are, also while they run: a line for each folder.\n";

typedef struct summary {
    int64_t n_minimised, n_minimum, n_label, n_dropped, n_accepted, n_failed, best_at;
    double best, seconds;
} summary;

static summary summarise(const chgi_cli_folder *folder)
{
    summary s = {.best = NAN, .seconds = 0};
    bool by_label = false;
    for (int64_t k = 0; k < folder->n_event; k++) {
        const chgi_cli_event *e = &folder->events[k];
        bool labelled = strcmp(e->result, "labelled") == 0, is_label = strcmp(e->what, "label") == 0;
        s.n_minimised = e->minimisation;
        s.n_label += labelled;
        s.n_failed += is_label && !labelled;
        s.n_dropped += !is_label && e->minimum < 0;
        s.n_accepted += strcmp(e->result, "accepted") == 0;
        s.n_minimum = e->minimum >= s.n_minimum ? e->minimum + 1 : s.n_minimum;
        s.seconds = e->seconds;
        bool counts = e->minimum >= 0 && (labelled || (!is_label && !by_label));
        if (counts && (isnan(s.best) || e->free_energy < s.best || (labelled && !by_label))) {
            s.best = e->free_energy;
            s.best_at = e->minimisation;
        }
        by_label = by_label || labelled;
    }
    return s;
}

static void print_folder(const chgi_cli_folder *folder)
{
    summary s = summarise(folder);
    int64_t tried = s.n_minimised > 0 ? s.n_minimised : 1;
    printf("%-24s %8lld %7lld %6lld %6lld %7.0f%% %7lld %14.6f %8lld %9.0f\n", folder->path, (long long)s.n_minimised,
           (long long)s.n_minimum, (long long)s.n_label, (long long)s.n_failed,
           100 * (double)s.n_accepted / (double)tried, (long long)s.n_dropped, s.best, (long long)s.best_at, s.seconds);
}

/* One table.  \return CHGNET_OK, or the first folder's failure, which has been told */
static chgnet_status show(chgnet_context *ctx, int n, char **paths)
{
    chgnet_status first = CHGNET_OK;
    printf("%-24s %8s %7s %6s %6s %8s %7s %14s %8s %9s\n", "folder", "minimis.", "minima", "labels", "failed",
           "accepted", "dropped", "lowest (eV)", "found at", "time (s)");
    for (int k = 0; k < n; k++) {
        chgi_cli_folder folder;
        chgnet_status status = chgi_cli_folder_read(ctx, paths[k], false, &folder);
        if (status == CHGNET_OK)
            print_folder(&folder);
        else
            chgi_cli_report(ctx, status);
        first = first == CHGNET_OK ? status : first;
        chgi_cli_folder_destroy(&folder);
    }
    return first;
}

static void wait_for(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};
    nanosleep(&pause, NULL); /* a signal ends it */
}

/* The table again and again, on a terminal in the place of the one before, until a signal comes or something fails. */
static chgnet_status follow(chgnet_context *ctx, double every, int n, char **paths)
{
    bool in_place = isatty(STDOUT_FILENO);
    chgi_cli_catch_signals();
    for (;;) {
        CHGI_TRY(show(ctx, n, paths));
        CHGI_TRY(chgi_cli_flush(ctx));
        wait_for(every);
        if (chgi_cli_caught())
            return CHGNET_OK;
        if (in_place)
            printf("\x1b[%dA\x1b[J", n + 1);
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, double *every, bool *help)
{
    const char *value;
    for (bool first = true; !*help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_search_status, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        if (letter == CHGI_CLI_WRONG)
            return CHGNET_EUSAGE;
        *help = letter == CHGI_CLI_HELP;
        if (letter == OPTION_EVERY)
            CHGI_TRY(chgi_cli_take_number(ctx, "search status", "--every", value, 0.01, 1e6, every));
    }
    if (!*help && chgi_cli_first_argument() == argc)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "search status: no folder; give one or more");
    return CHGNET_OK;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    double every = 0;
    bool help = false;
    chgnet_status status = parse(ctx, argc, argv, &every, &help);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (help) {
        chgi_cli_print_help(&chgi_cli_search_status);
        return CHGNET_OK;
    }
    int first = chgi_cli_first_argument();
    status = every > 0 ? follow(ctx, every, argc - first, argv + first) : show(ctx, argc - first, argv + first);
    chgnet_status flushed = chgi_cli_flush(ctx);
    return flushed == CHGNET_OK ? (int)status : chgi_cli_report(ctx, flushed);
}

const chgi_cli_command chgi_cli_search_status = {
    .name = "search status",
    .usage = "[--every S] FOLDER...",
    .summary = "how far searches are",
    .about = about,
    .options = known,
    .run = run,
};
