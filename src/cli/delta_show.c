/* chgnet delta show: everything about a delta-model on one page.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "cli/delta.h"

enum { OPTION_JSON = CHGI_CLI_LONG_ONLY, MOST_LABELS = 60 };

static const chgi_cli_option known[] = {
    {OPTION_JSON, "json", NULL, "one JSON object, with all labels"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Show what a delta-model is: its choices, hyperparameters, element offsets, and the labels it came\n"
    "from with their leave-one-out errors (hyperparameters kept).\n";

typedef struct options {
    const char *file;
    bool json, help;
} options;

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_delta_show, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        if (letter == CHGI_CLI_WRONG)
            return CHGNET_EUSAGE;
        o->json = o->json || letter == OPTION_JSON;
        o->help = letter == CHGI_CLI_HELP;
    }
    if (o->help)
        return CHGNET_OK;
    if (argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "delta show: %d files given; give one delta-model",
                                 argc - chgi_cli_first_argument());
    o->file = argv[chgi_cli_first_argument()];
    return CHGNET_OK;
}

static double force_error(const chgi_judged *row, int which)
{
    double sum = 0;
    for (int64_t k = 0; k < row->n_force; k++)
        sum += fabs(row->forces[which][k] - row->forces[0][k]);
    return row->n_force ? sum / (double)row->n_force : 0;
}

static void print_labels(chgi_text *text, const chgi_judgement *judgement, const chgi_label_set *set)
{
    int64_t n = judgement->n < MOST_LABELS ? judgement->n : MOST_LABELS;
    chgi_text_print(text,
                    "\nlabel  atoms       energy     left out: energy error (meV)     std   force error (meV/A)\n"
                    "                      eV        before        after       (meV)     before      after  source\n");
    for (int64_t i = 0; i < n; i++) {
        const chgi_judged *row = &judgement->rows[i];
        char place[200];
        chgi_label_set_place(set, i, place, sizeof place);
        chgi_text_print(text, "%5lld  %5lld %12.5f  %12.2f %12.2f  %10.2f  %9.2f  %9.2f  %s\n", (long long)i + 1,
                        (long long)row->n_atom, row->energy, 1e3 * (row->before - row->energy),
                        1e3 * (row->after - row->energy), 1e3 * row->std, 1e3 * force_error(row, 1),
                        1e3 * force_error(row, 2), place);
    }
    if (n < judgement->n)
        chgi_text_print(text, "  ... %lld more; --json has all\n", (long long)(judgement->n - n));
}

static chgnet_status show(chgnet_context *ctx, const options *o, const chgnet_delta *delta, chgi_text *text)
{
    chgi_judgement judgement = {0};
    if (delta->set.n_label > 1)
        CHGI_TRY(chgi_judge_left_out(ctx, delta->gp, &delta->set, NULL, &judgement));
    if (o->json) {
        chgi_text_print(text, "{\"model\": ");
        chgi_cli_json_delta(text, delta);
        chgi_text_print(text, ", \"labels\": ");
        chgi_cli_json_rows(text, &judgement, &delta->set);
        chgi_text_print(text, "}\n");
    } else {
        chgi_cli_print_delta(text, delta, true);
        print_labels(text, &judgement, &delta->set);
    }
    chgi_judgement_destroy(&judgement);
    return chgi_cli_print_text(ctx, text);
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_delta *delta = NULL;
    chgi_text text = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.help) {
        chgi_cli_print_help(&chgi_cli_delta_show);
        return CHGNET_OK;
    }
    if (status == CHGNET_OK)
        status = chgi_delta_file_load(ctx, o.file, &delta);
    if (status == CHGNET_OK)
        status = show(ctx, &o, delta, &text);
    chgi_text_destroy(&text);
    chgi_delta_file_destroy(delta);
    return status == CHGNET_OK ? CHGNET_OK : chgi_cli_report(ctx, status);
}

const chgi_cli_command chgi_cli_delta_show = {
    .name = "delta show",
    .usage = "[--json] D.h5",
    .summary = "what a delta-model is, and its leave-one-out errors",
    .about = about,
    .options = known,
    .run = run,
};
