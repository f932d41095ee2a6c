/* chgnet search status: how far searches are.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/search.h"

static const chgi_cli_option known[] = {CHGI_CLI_HELP_OPTION, {0}};

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

static int run(chgnet_context *ctx, int argc, char **argv)
{
    const char *value;
    int letter = 0, code = CHGNET_OK;
    for (bool first = true; letter != CHGI_CLI_END; first = false) {
        letter = chgi_cli_next(ctx, &chgi_cli_search_status, argc, argv, first, &value);
        if (letter == CHGI_CLI_WRONG)
            return chgi_cli_report(ctx, CHGNET_EUSAGE);
        if (letter == CHGI_CLI_HELP) {
            chgi_cli_print_help(&chgi_cli_search_status);
            return CHGNET_OK;
        }
    }
    int from = chgi_cli_first_argument();
    if (from == argc)
        return chgi_cli_report(ctx,
                               chgi_context_fail(ctx, CHGNET_EUSAGE, "search status: no folder; give one or more"));
    printf("%-24s %8s %7s %6s %6s %8s %7s %14s %8s %9s\n", "folder", "minimis.", "minima", "labels", "failed",
           "accepted", "dropped", "lowest (eV)", "found at", "time (s)");
    for (int k = from; k < argc; k++) {
        chgi_cli_folder folder;
        chgnet_status status = chgi_cli_folder_read(ctx, argv[k], false, &folder);
        if (status == CHGNET_OK)
            print_folder(&folder);
        else
            chgi_cli_report(ctx, status);
        code = code == CHGNET_OK ? (int)status : code;
        chgi_cli_folder_destroy(&folder);
    }
    chgnet_status flushed = chgi_cli_flush(ctx);
    return flushed == CHGNET_OK ? code : chgi_cli_report(ctx, flushed);
}

const chgi_cli_command chgi_cli_search_status = {
    .name = "search status",
    .usage = "FOLDER...",
    .summary = "how far searches are",
    .about = about,
    .options = known,
    .run = run,
};
