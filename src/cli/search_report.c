/* chgnet search report: one page that shows how a search went and what it found.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/search.h"
#include "cli/search_draw.h"

enum { PICTURES = 6 };

static const chgi_cli_option known[] = {
    {'o', "output", "FILE.html", "the page (default: FOLDER/report.html)"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Write a page that needs nothing else: energies and learning error by minimisation, acceptance,\n"
    "temperatures, and the lowest structures from above and from the side.\n";

typedef struct options {
    const char *output, *folder;
    bool help;
} options;

static const char head[] =
    "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>chgnet search</title><style>"
    "body{font:14px sans-serif;max-width:1180px;margin:24px auto;padding:0 16px;color:#222}"
    "h1{font-size:22px}h2{font-size:17px;margin-top:28px}text{font:11px sans-serif;fill:#444}"
    ".title{font-weight:bold;font-size:13px}.grid{stroke:#e4e4e4}svg.chart{background:#fff;border:1px solid "
    "#ddd;margin:4px}"
    "table{border-collapse:collapse}td,th{padding:3px 12px;text-align:right;border-bottom:1px solid #ddd}"
    ".card{display:inline-block;border:1px solid #ddd;margin:4px;padding:8px;text-align:center}"
    "</style></head><body>\n";

/* ---- numbers by minimisation ------------------------------------------------------------------ */

typedef struct columns {
    double *x, *energy, *lowest, *accepted; /* by minimisation */
    double *label_x, *error;                /* by label: predicted minus labelled, absolute */
    int64_t n, n_label;
} columns;

static chgnet_status make_columns(chgnet_context *ctx, int64_t n, columns *c)
{
    double **all[] = {&c->x, &c->energy, &c->lowest, &c->accepted, &c->label_x, &c->error};
    for (int k = 0; k < 6; k++)
        if (!(*all[k] = chgi_memory_new((size_t)n, sizeof(double))))
            return chgi_context_nomem(ctx, (size_t)n, sizeof(double));
    return CHGNET_OK;
}

static void destroy_columns(columns *c)
{
    double *all[] = {c->x, c->energy, c->lowest, c->accepted, c->label_x, c->error};
    for (int k = 0; k < 6; k++)
        chgi_memory_free(all[k]);
}

/* What the potential said last about a minimum before its label came; NaN where it had learnt nothing yet, for then the
 * teacher counts energies from another zero. */
static double predicted(const chgi_cli_folder *folder, int64_t event)
{
    for (int64_t k = event; k-- > 0;)
        if (folder->events[k].minimum == folder->events[event].minimum && strcmp(folder->events[k].what, "label") != 0)
            return folder->events[k].labels > 0 ? folder->events[k].free_energy : NAN;
    return NAN;
}

static bool has_labels(const chgi_cli_folder *folder)
{
    return folder->n_event > 0 && folder->events[folder->n_event - 1].labels > 0;
}

static void fill_columns(const chgi_cli_folder *folder, columns *c)
{
    bool learns = has_labels(folder);
    double lowest = NAN, accepted = 0;
    const double memory = 0.95; /* acceptance over the last twenty or so */
    for (int64_t k = 0; k < folder->n_event; k++) {
        const chgi_cli_event *e = &folder->events[k];
        if (strcmp(e->what, "label") == 0) {
            if (strcmp(e->result, "labelled") != 0)
                continue;
            c->label_x[c->n_label] = (double)e->labels;
            c->error[c->n_label++] = fabs(predicted(folder, k) - e->free_energy);
            continue;
        }
        double energy = learns && e->labels == 0 ? NAN : e->free_energy; /* see predicted() */
        lowest = isnan(lowest) || energy < lowest ? energy : lowest;
        accepted = memory * accepted + (1 - memory) * (strcmp(e->result, "accepted") == 0);
        c->x[c->n] = (double)e->minimisation;
        c->energy[c->n] = energy;
        c->lowest[c->n] = lowest;
        c->accepted[c->n] = accepted / (1 - pow(memory, (double)c->n + 1));
        c->n++;
    }
}

/* ---- parts of the page ------------------------------------------------------------------------ */

static void print_charts(chgi_text *html, const columns *c)
{
    const chgi_series energies[] = {{"each minimisation", "#7a9cc6", c->x, c->energy, c->n, false},
                                    {"lowest so far", "#c0392b", c->x, c->lowest, c->n, true}};
    const chgi_series acceptance[] = {{"accepted", "#27864b", c->x, c->accepted, c->n, true}};
    const chgi_series errors[] = {{"|predicted - labelled|", "#8e44ad", c->label_x, c->error, c->n_label, false}};
    chgi_draw_chart(html, "Energy", "minimisation", "eV", 2, energies);
    chgi_draw_chart(html, "Acceptance", "minimisation", "share of the last 20", 1, acceptance);
    if (c->n_label > 0)
        chgi_draw_chart(html, "Learning", "label", "eV", 1, errors);
}

/* The walkers as the search began with them: their temperatures are of basin hopping and replica exchange.
 * \param[out] n  0 where the search has none */
static chgnet_status read_walkers(chgnet_context *ctx, const char *folder, chgi_walker **walkers, int64_t *n)
{
    char path[CHGI_JOURNAL_PATH];
    chgi_search_config config;
    *n = 0;
    if (snprintf(path, sizeof path, "%s/search.ini", folder) >= (int)sizeof path)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: the name is too long; move the folder", folder);
    chgnet_status status = chgi_search_config_read(ctx, path, &config);
    if (status != CHGNET_OK && status != CHGNET_ENOMEM) { /* such as a template's file that is elsewhere now */
        chgi_cli_warn(folder, "the page has no temperatures, for its search.ini cannot be read");
        return CHGNET_OK;
    }
    CHGI_TRY(status);
    if (config.sampler == CHGI_BASIN || config.sampler == CHGI_EXCHANGE) {
        *walkers = chgi_memory_new((size_t)config.walkers, sizeof **walkers);
        if (*walkers) {
            *n = config.walkers;
            chgi_walker_start(&config, *n, *walkers);
        } else
            status = chgi_context_nomem(ctx, (size_t)config.walkers, sizeof **walkers);
    }
    chgi_search_config_destroy(&config);
    return status;
}

/* Energies at which a walker has stood, one after the other. */
static int64_t fill_walk(const chgi_cli_folder *folder, int64_t w, double *x, double *y)
{
    int64_t n = 0;
    for (int64_t k = 0; k < folder->n_event; k++) {
        const chgi_cli_event *e = &folder->events[k];
        if (e->walker != w || strcmp(e->result, "accepted") != 0 || (has_labels(folder) && e->labels == 0))
            continue;
        x[n] = (double)e->minimisation;
        y[n++] = e->free_energy;
    }
    return n;
}

/* A line for each walker, for some of them evenly over the ladder where there are many; the colder, the bluer. */
static chgnet_status print_walks(chgnet_context *ctx, chgi_text *html, const chgi_cli_folder *folder,
                                 const chgi_walker *walkers, int64_t n_walker)
{
    enum { LINES = 6 };
    static const char *const colours[LINES] = {"#2c5f9e", "#3a9ea5", "#5aa646", "#c9a227", "#d97a2b", "#c0392b"};
    chgi_series series[LINES];
    char names[LINES][40];
    int n_line = n_walker < LINES ? (int)n_walker : LINES;
    size_t n = (size_t)folder->n_event;
    double *x = chgi_memory_new(n * (size_t)n_line, sizeof *x), *y = chgi_memory_new(n * (size_t)n_line, sizeof *y);
    for (int k = 0; x && y && k < n_line; k++) {
        int64_t w = n_line > 1 ? k * (n_walker - 1) / (n_line - 1) : 0;
        double *from = x + (size_t)k * n, *to = y + (size_t)k * n;
        snprintf(names[k], sizeof names[k], "walker %lld, %.3g eV", (long long)w, walkers[w].temperature);
        series[k] = (chgi_series){names[k],
                                  colours[n_line > 1 ? k * (LINES - 1) / (n_line - 1) : 0],
                                  from,
                                  to,
                                  fill_walk(folder, w, from, to),
                                  true};
    }
    bool complete = x && y;
    if (complete)
        chgi_draw_chart(html, "Accepted, by temperature", "minimisation", "eV", n_line, series);
    chgi_memory_free(x);
    chgi_memory_free(y);
    return complete ? CHGNET_OK : chgi_context_nomem(ctx, n, sizeof *x);
}

static int64_t count_walkers(const chgi_cli_folder *folder)
{
    int64_t n = 0;
    for (int64_t k = 0; k < folder->n_event; k++)
        n = folder->events[k].walker >= n ? folder->events[k].walker + 1 : n;
    return n;
}

static void print_walker(chgi_text *html, const chgi_cli_folder *folder, int64_t w)
{
    int64_t n = 0, accepted = 0, dropped = 0, steps = 0;
    for (int64_t k = 0; k < folder->n_event; k++) {
        const chgi_cli_event *e = &folder->events[k];
        if (e->walker != w)
            continue;
        n++;
        accepted += strcmp(e->result, "accepted") == 0;
        dropped += e->minimum < 0;
        steps += e->steps;
    }
    chgi_text_print(html, "<td>%lld</td><td>%lld</td><td>%lld</td><td>%.0f</td></tr>\n", (long long)n,
                    (long long)accepted, (long long)dropped, n ? (double)steps / (double)n : 0);
}

static chgnet_status print_walkers(chgnet_context *ctx, chgi_text *html, const chgi_cli_folder *folder)
{
    chgi_walker *walkers = NULL;
    int64_t n_hot, n_walker = count_walkers(folder);
    CHGI_TRY(read_walkers(ctx, folder->path, &walkers, &n_hot));
    chgnet_status status = n_hot > 0 ? print_walks(ctx, html, folder, walkers, n_hot) : CHGNET_OK;
    chgi_text_print(html,
                    "<h2>Walkers</h2><table><tr><th>walker</th>%s<th>minimisations</th><th>accepted</th>"
                    "<th>dropped</th><th>mean steps</th></tr>\n",
                    n_hot > 0 ? "<th>temperature, eV</th>" : "");
    for (int64_t w = 0; w < n_walker; w++) {
        chgi_text_print(html, "<tr><td>%lld</td>", (long long)w);
        if (w < n_hot)
            chgi_text_print(html, "<td>%.4g</td>", walkers[w].temperature);
        print_walker(html, folder, w);
    }
    chgi_text_print(html, "</table>\n");
    chgi_memory_free(walkers);
    return status;
}

static void print_best(chgnet_context *ctx, chgi_text *html, const chgi_cli_folder *folder)
{
    int64_t places[PICTURES];
    double energies[PICTURES];
    int64_t n = chgi_cli_folder_lowest(ctx, folder, PICTURES, places, energies);
    chgi_text_print(html, "<h2>Lowest structures</h2>\n");
    for (int64_t k = 0; k < n; k++) {
        const chgi_structure *s = &folder->minima[places[k]];
        chgi_text_print(html, "<div class='card'>");
        chgi_draw_structure(html, s, false);
        chgi_draw_structure(html, s, true);
        chgi_text_print(html, "<br>%lld. &nbsp;%.4f eV &nbsp;(+%.4f), minimum %lld, %lld atoms</div>\n",
                        (long long)k + 1, energies[k], energies[k] - energies[0], (long long)places[k],
                        (long long)s->n_atom);
    }
}

static void print_name(chgi_text *html, const char *name)
{
    for (; *name; name++)
        if (*name == '<' || *name == '&' || *name == '>')
            chgi_text_print(html, "&#%d;", *name);
        else
            chgi_text_append(html, name, 1);
}

static chgnet_status print_page(chgnet_context *ctx, chgi_text *html, const chgi_cli_folder *folder)
{
    columns c = {0};
    chgnet_status status = make_columns(ctx, folder->n_event, &c);
    if (status == CHGNET_OK) {
        fill_columns(folder, &c);
        chgi_text_append(html, head, sizeof head - 1);
        chgi_text_print(html, "<h1>Search ");
        print_name(html, folder->path);
        chgi_text_print(html, "</h1><p>%lld minimisations, %lld distinct minima, %lld labels</p>\n", (long long)c.n,
                        (long long)folder->n_minimum, (long long)c.n_label);
        print_best(ctx, html, folder);
        chgi_text_print(html, "<h2>Course</h2>\n");
        print_charts(html, &c);
        status = print_walkers(ctx, html, folder);
        chgi_text_print(html, "</body></html>\n");
    }
    destroy_columns(&c);
    if (status == CHGNET_OK && html->failed)
        return chgi_context_nomem(ctx, html->length, 1);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------ */

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_search_report, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        if (letter == CHGI_CLI_WRONG)
            return CHGNET_EUSAGE;
        if (letter == 'o')
            o->output = value;
        o->help = letter == CHGI_CLI_HELP;
    }
    if (!o->help && argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "search report: %d folders given; give one",
                                 argc - chgi_cli_first_argument());
    o->folder = o->help ? NULL : argv[chgi_cli_first_argument()];
    return CHGNET_OK;
}

static chgnet_status report(chgnet_context *ctx, const options *o)
{
    chgi_cli_folder folder;
    chgi_text html = {0}, path = {0};
    chgi_text_print(&path, "%s/report.html", o->folder);
    if (path.failed)
        return chgi_context_nomem(ctx, strlen(o->folder), 1);
    const char *output = o->output ? o->output : path.data;
    chgnet_status status = chgi_cli_folder_read(ctx, o->folder, true, &folder);
    if (status == CHGNET_OK)
        status = print_page(ctx, &html, &folder);
    if (status == CHGNET_OK)
        status = chgi_file_write(ctx, output, html.data, html.length);
    chgi_cli_folder_destroy(&folder);
    chgi_text_destroy(&html);
    chgi_text_destroy(&path);
    return status;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.help)
        chgi_cli_print_help(&chgi_cli_search_report);
    else if (status == CHGNET_OK)
        status = report(ctx, &o);
    return status == CHGNET_OK ? CHGNET_OK : chgi_cli_report(ctx, status);
}

const chgi_cli_command chgi_cli_search_report = {
    .name = "search report",
    .usage = "[-o FILE.html] FOLDER",
    .summary = "one page with charts and pictures",
    .about = about,
    .options = known,
    .run = run,
};
