/* chgnet delta: finds the subcommand and runs it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/delta.h"

static const chgi_cli_command *const parts[] = {&chgi_cli_delta_fit, &chgi_cli_delta_eval, &chgi_cli_delta_select,
                                                &chgi_cli_delta_show, NULL};

static const char about[] =
    "Correct CHGNet by Gaussian process regression on its own embeddings: a few labelled structures\n"
    "(energies and forces of another method) put it right where its training data were thin.\n"
    "The corrected prediction is `chgnet predict -d D.h5`.\n";

static const char more[] =
    "From labels to a corrected potential\n"
    "  chgnet delta fit labels.extxyz -o D.h5                       REF_energy, REF_forces\n"
    "  chgnet delta fit labels.extxyz -o D.h5 --cross-validation 5  how good it is on labels kept aside\n"
    "  chgnet delta eval D.h5 test.extxyz --plot                    errors before and after\n"
    "  chgnet predict -d D.h5 POSCAR                                energy, forces, stress, deviation\n"
    "  chgnet delta select D.h5 pool.extxyz -n 10 -o next.extxyz    what to label next\n";

static int run(chgnet_context *ctx, int argc, char **argv)
{
    return chgi_cli_run_part(ctx, &chgi_cli_delta, argc, argv);
}

const chgi_cli_command chgi_cli_delta = {
    .name = "delta",
    .usage = "fit | eval | select | show [OPTION]... FILE...",
    .summary = "learn a correction from labels (Gaussian process), judge it, show it",
    .about = about,
    .more = more,
    .parts = parts,
    .run = run,
};
