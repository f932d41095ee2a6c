/* chgnet search run and resume.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "cli/progress.h"
#include "cli/search.h"
#include "gp/delta_file.h"

enum { OPTION_SEED = CHGI_CLI_LONG_ONLY, OPTION_BUDGET };

static const chgi_cli_option known_run[] = {
    {'o', "output", "FOLDER", "folder of the search (default: the configuration's, else `search`)"},
    {OPTION_SEED, "seed", "S", "in place of the configuration's"},
    {OPTION_BUDGET, "budget", "N", "minimisations, in place of the configuration's"},
    {'t', "threads", "N", "walkers at one time; default: OMP_NUM_THREADS, else the cores this process may use"},
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const chgi_cli_option known_resume[] = {
    {OPTION_BUDGET, "budget", "N", "minimisations in all, in place of the configuration's"},
    {'t', "threads", "N", "walkers at one time; default: OMP_NUM_THREADS, else the cores this process may use"},
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about_run[] =
    "Begin a search that an INI file describes.  Candidates, labels and a log are appended to files in\n"
    "its folder; after each iteration there is a checkpoint.  SIGINT and SIGTERM end it cleanly.\n";
static const char about_resume[] = "Go on with the search of a folder from its last checkpoint.\n";

static const char more_run[] =
    "A configuration\n"
    "  [template]\n"
    "  surface = fcc111        ; or file = slab.vasp, bulk = fcc, box = 20 20 20\n"
    "  element = Cu\n"
    "  a = 3.64\n"
    "  matrix = 2 0 0 2\n"
    "  layers = 3\n"
    "  fixed-layers = 1\n"
    "  [place]\n"
    "  atoms = S2 Cu0-1        ; a range scans compositions: give chemical-potentials = S -4.1 Cu -3.7\n"
    "  [search]\n"
    "  sampler = basin         ; random, basin, exchange, gofee\n"
    "  budget = 200            ; minimisations\n"
    "  [label]\n"
    "  command = python3 label.py {in} {out}\n"
    "  The man page lists all keys.\n";

typedef struct options {
    chgi_cli_common common;
    const char *output, *argument;
    int64_t seed, budget; /* -1: as the configuration has them */
} options;

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgi_search_config config;
    chgnet_model *model;
    chgnet_delta *delta;
    chgi_progress progress;
    int64_t n_minimum, n_minimised, n_label;
    double best;
    bool told;
} run;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, const chgi_cli_command *command, int letter, const char *value,
                          options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, command->name, letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case OPTION_SEED:
        return chgi_cli_take_count(ctx, command->name, "--seed", value, 0, INT64_C(9000000000000000), &o->seed);
    case OPTION_BUDGET:
        return chgi_cli_take_count(ctx, command->name, "--budget", value, 1, 1000000000, &o->budget);
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, const chgi_cli_command *command, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->common.help; first = false) {
        int letter = chgi_cli_next(ctx, command, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, command, letter, value, o));
    }
    int n = argc - chgi_cli_first_argument();
    if (!o->common.help && n != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: %d arguments given; give one %s", command->name, n,
                                 command == &chgi_cli_search_run ? "configuration file" : "folder");
    o->argument = o->common.help ? NULL : argv[chgi_cli_first_argument()];
    return CHGNET_OK;
}

/* ---- talk ------------------------------------------------------------------------------------- */

static bool should_stop(void *user)
{
    (void)user;
    return chgi_cli_caught() != 0;
}

static void tell(void *user, const chgi_search_news *news)
{
    run *r = user;
    const chgi_search_state *s = news->state;
    char text[120];
    r->told = true;
    r->n_minimum = s->pool.n_minimum;
    r->n_minimised = s->n_minimised;
    r->n_label = s->n_label;
    if (news->best >= 0) {
        const chgi_minimum *m = &s->pool.minima[news->best];
        r->best = m->labelled ? m->label : m->free_energy;
    }
    if (!chgi_progress_is_due(&r->progress))
        return;
    snprintf(text, sizeof text, "%lld minimisations, %lld minima, %lld labels, best %.4f eV", (long long)s->n_minimised,
             (long long)s->pool.n_minimum, (long long)s->n_label, r->best);
    chgi_progress_show_text(&r->progress, (double)s->n_minimised / (double)news->config->budget, text);
}

static void on_warning(const char *text, void *user)
{
    run *r = user;
    if (r->options->common.quiet)
        return;
    chgi_progress_hide(&r->progress);
    chgi_cli_warn(r->config.folder, text);
}

/* ---- the run ---------------------------------------------------------------------------------- */

static chgnet_status load_delta(run *r)
{
    chgnet_model_info info = chgnet_model_get_info(r->model);
    if (!r->config.delta)
        return CHGNET_OK;
    CHGI_TRY(chgi_delta_file_load(r->ctx, r->config.delta, &r->delta));
    return chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256);
}

static chgnet_status search(run *r, const char *config_path)
{
    const options *o = r->options;
    int n_thread = o->common.threads > 0 ? o->common.threads : omp_get_max_threads();
    chgi_search_watch watch = {n_thread, should_stop, tell, r};
    CHGI_TRY(chgi_search_config_read(r->ctx, config_path, &r->config));
    r->config.folder = o->output ? o->output : r->config.folder;
    r->config.seed = o->seed >= 0 ? o->seed : r->config.seed;
    r->config.budget = o->budget > 0 ? o->budget : r->config.budget;
    if (r->config.potential == CHGI_CHGNET) {
        CHGI_TRY(chgnet_model_load(r->ctx, r->config.model, &r->model));
        CHGI_TRY(load_delta(r));
    }
    chgi_cli_catch_signals();
    chgi_progress_start(&r->progress, !o->common.quiet);
    const char *begin = o->argument == config_path ? config_path : NULL;
    chgnet_status status = chgi_search_run(r->ctx, &r->config, begin, r->model, r->delta, &watch);
    chgi_progress_hide(&r->progress);
    return status;
}

static void print_end(const run *r)
{
    if (r->options->common.quiet || !r->told)
        return;
    printf("minimisations  %lld\nminima         %lld\n", (long long)r->n_minimised, (long long)r->n_minimum);
    if (r->n_label > 0)
        printf("labels         %lld\n", (long long)r->n_label);
    printf("lowest         %.6f eV\nfolder         %s\n", r->best, r->config.folder);
}

static int run_search(chgnet_context *ctx, const options *o, const char *config_path)
{
    run r = {.ctx = ctx, .options = o};
    chgnet_context_on_warning(ctx, on_warning, &r);
    chgnet_status status = search(&r, config_path);
    chgnet_context_on_warning(ctx, NULL, NULL);
    print_end(&r);
    if (status == CHGNET_OK)
        status = chgi_cli_flush(ctx);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    chgi_search_config_destroy(&r.config);
    return status == CHGNET_OK && chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)status;
}

static int run_begin(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.seed = -1, .budget = -1};
    chgnet_status status = parse(ctx, &chgi_cli_search_run, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_search_run);
        return CHGNET_OK;
    }
    return run_search(ctx, &o, o.argument);
}

static int run_resume(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.seed = -1, .budget = -1};
    char path[CHGI_JOURNAL_PATH];
    chgnet_status status = parse(ctx, &chgi_cli_search_resume, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_search_resume);
        return CHGNET_OK;
    }
    o.output = o.argument;
    snprintf(path, sizeof path, "%.4000s/search.ini", o.argument);
    return run_search(ctx, &o, path);
}

const chgi_cli_command chgi_cli_search_run = {
    .name = "search run",
    .usage = "[OPTION]... CONFIG.ini",
    .summary = "begin a search",
    .about = about_run,
    .options = known_run,
    .more = more_run,
    .run = run_begin,
};

const chgi_cli_command chgi_cli_search_resume = {
    .name = "search resume",
    .usage = "[OPTION]... FOLDER",
    .summary = "go on with one",
    .about = about_resume,
    .options = known_resume,
    .run = run_resume,
};
