/* chgnet search: finds the subcommand and runs it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/search.h"

static const chgi_cli_command *const parts[] = {&chgi_cli_search_run,
                                                &chgi_cli_search_resume,
                                                &chgi_cli_search_status,
                                                &chgi_cli_search_best,
                                                &chgi_cli_search_curve,
                                                &chgi_cli_search_report,
                                                NULL};

static const char about[] =
    "Find the most stable structure of a film, overlayer, cluster or crystal: random search, basin\n"
    "hopping, replica exchange, or learning on the fly from labels that a command of yours makes.\n";

static const char more[] = "A search from beginning to end\n"
                           "  chgnet search run search.ini           writes into the folder that the file names\n"
                           "  chgnet search status FOLDER            how far it is\n"
                           "  chgnet search resume FOLDER            go on after a stop or a crash\n"
                           "  chgnet search best FOLDER -n 10 -o best.extxyz\n"
                           "  chgnet search report FOLDER -o report.html\n"
                           "Independent runs need nothing but their own seeds and folders; best and curve take many.\n";

static int run(chgnet_context *ctx, int argc, char **argv)
{
    return chgi_cli_run_part(ctx, &chgi_cli_search, argc, argv);
}

const chgi_cli_command chgi_cli_search = {
    .name = "search",
    .usage = "run | resume | status | best | curve | report [OPTION]... FILE|FOLDER...",
    .summary = "global structure search, with learning on the fly",
    .about = about,
    .more = more,
    .parts = parts,
    .run = run,
};
