/* chgnet search curve: how many of many equal searches have found what they look for, against the effort.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/plot.h"
#include "cli/search.h"

enum { OPTION_ENERGY = CHGI_CLI_LONG_ONLY, OPTION_WITHIN, OPTION_STRUCTURE, OPTION_AGAINST };

static const chgi_cli_option known[] = {
    {OPTION_ENERGY, "energy", "EV", "what counts as found: this energy or lower (default: the lowest of all runs)"},
    {OPTION_WITHIN, "within", "EV", "or above it by no more than this (default: 0.01)"},
    {OPTION_STRUCTURE, "structure", "FILE", "what counts as found: this structure, whatever its energy"},
    {OPTION_AGAINST, "against", "WHAT", "minimisations (default), labels or seconds"},
    {'o', "output", "FILE.csv", "write the curve"},
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Success curve of repeated searches: the share of runs (Kaplan-Meier: shorter runs count as long as\n"
    "they lasted) that have found the target, with Wilson's 95 % interval.  Where searches have labels,\n"
    "only labelled energies count.\n";

typedef enum axis { MINIMISATIONS, LABELS, SECONDS, N_AXIS } axis;
static const char *const axes[] = {"minimisations", "labels", "seconds"};

typedef struct options {
    double energy, within;
    axis against;
    const char *output, *structure;
    bool plot, help;
} options;

/** What is looked for. */
typedef struct target {
    bool labels;              /**< only labelled energies count */
    double energy;            /**< eV, where no structure is given */
    chgi_structure structure; /**< of options.structure */
} target;

/** One run: how long it lasted, and whether it ended by finding the target. */
typedef struct outcome {
    double effort;
    bool found;
} outcome;

typedef struct point {
    double effort, share, low, high;
} point;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    switch (letter) {
    case OPTION_ENERGY:
        return chgi_cli_take_number(ctx, "search curve", "--energy", value, -1e9, 1e9, &o->energy);
    case OPTION_WITHIN:
        return chgi_cli_take_number(ctx, "search curve", "--within", value, 0, 1e6, &o->within);
    case OPTION_STRUCTURE:
        o->structure = value;
        return CHGNET_OK;
    case OPTION_AGAINST:
        for (o->against = 0; o->against < N_AXIS; o->against++)
            if (strcmp(value, axes[o->against]) == 0)
                return CHGNET_OK;
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "search curve: --against '%s' is wrong; give minimisations, labels or seconds", value);
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case CHGI_CLI_PLOT:
        o->plot = true;
        return CHGNET_OK;
    case CHGI_CLI_HELP:
        o->help = true;
        return CHGNET_OK;
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_search_curve, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
    }
    if (!o->help && chgi_cli_first_argument() == argc)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "search curve: no folder; give the folders of repeated searches");
    return o->output ? chgi_file_check_writable(ctx, o->output) : CHGNET_OK;
}

/* ---- runs ------------------------------------------------------------------------------------- */

static bool has_labels(const chgi_cli_folder *folder)
{
    for (int64_t k = 0; k < folder->n_event; k++)
        if (strcmp(folder->events[k].result, "labelled") == 0)
            return true;
    return false;
}

/* Energies of candidates count, or, where there are labels, those alone. */
static bool counts(const chgi_cli_event *e, bool labels)
{
    return e->minimum >= 0 && !isnan(e->free_energy) &&
           (labels ? strcmp(e->result, "labelled") == 0 : strcmp(e->what, "label") != 0);
}

static double effort_of(const chgi_cli_event *e, axis against)
{
    return against == LABELS ? (double)e->labels : against == SECONDS ? e->seconds : (double)e->minimisation;
}

static double lowest_of(const chgi_cli_folder *folders, int n, bool labels)
{
    double lowest = INFINITY;
    for (int f = 0; f < n; f++)
        for (int64_t k = 0; k < folders[f].n_event; k++)
            if (counts(&folders[f].events[k], labels))
                lowest = fmin(lowest, folders[f].events[k].free_energy);
    return lowest;
}

/* The first event that counts and, by energy or by structure (`same`, of each minimum), is the target. */
static outcome outcome_of(const chgi_cli_folder *folder, const options *o, const target *t, const bool *same)
{
    outcome result = {0, false};
    for (int64_t k = 0; k < folder->n_event && !result.found; k++) {
        const chgi_cli_event *e = &folder->events[k];
        result.effort = effort_of(e, o->against);
        result.found = counts(e, t->labels) && (same ? e->minimum < folder->n_minimum && same[e->minimum]
                                                     : e->free_energy <= t->energy + o->within);
    }
    return result;
}

static chgnet_status judge(chgnet_context *ctx, const chgi_cli_folder *folder, const options *o, const target *t,
                           outcome *result)
{
    if (!o->structure) {
        *result = outcome_of(folder, o, t, NULL);
        return CHGNET_OK;
    }
    bool *same = chgi_memory_new((size_t)folder->n_minimum + 1, sizeof *same);
    if (!same)
        return chgi_context_nomem(ctx, (size_t)folder->n_minimum + 1, sizeof *same);
    chgnet_status status = chgi_cli_search_same(ctx, folder, &t->structure, same);
    if (status == CHGNET_OK)
        *result = outcome_of(folder, o, t, same);
    chgi_memory_free(same);
    return status;
}

/* ---- the curve -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const outcome *x = a, *y = b;
    if (x->effort != y->effort)
        return (x->effort > y->effort) - (x->effort < y->effort);
    return (int)y->found - (int)x->found; /* who finds it with its last effort has found it */
}

/* Wilson, J. Am. Stat. Assoc. 22, 209 (1927). */
static void wilson(double share, int n, double *low, double *high)
{
    const double z = 1.959963984540054, z2 = z * z / n;
    double middle = (share + z2 / 2) / (1 + z2);
    double half = z / (1 + z2) * sqrt(share * (1 - share) / n + z2 / (4 * n));
    *low = fmax(0, middle - half);
    *high = fmin(1, middle + half);
}

/* Kaplan and Meier, J. Am. Stat. Assoc. 53, 457 (1958). */
static int trace(outcome *outcomes, int n, point *points)
{
    double without = 1;
    int n_point = 0;
    qsort(outcomes, (size_t)n, sizeof *outcomes, compare);
    for (int k = 0; k < n; k++) {
        if (!outcomes[k].found)
            continue;
        without *= 1 - 1.0 / (n - k);
        if (n_point == 0 || points[n_point - 1].effort < outcomes[k].effort)
            n_point++;
        point *p = &points[n_point - 1];
        *p = (point){outcomes[k].effort, 1 - without, 0, 0};
        wilson(p->share, n, &p->low, &p->high);
    }
    return n_point;
}

/* The effort at which half of the runs have found it; NaN: fewer have. */
static double median(const point *points, int n)
{
    for (int k = 0; k < n; k++)
        if (points[k].share >= 0.5)
            return points[k].effort;
    return NAN;
}

/* ---- output ----------------------------------------------------------------------------------- */

static void print_points(chgi_text *text, const options *o, const point *points, int n)
{
    chgi_text_print(text, "%s,found,low,high\n", axes[o->against]);
    for (int k = 0; k < n; k++)
        chgi_text_print(text, "%.6g,%.4f,%.4f,%.4f\n", points[k].effort, points[k].share, points[k].low,
                        points[k].high);
}

static chgnet_status plot(chgnet_context *ctx, const options *o, const point *points, int n, double end)
{
    char path[CHGI_JOURNAL_PATH];
    chgi_text script = {0};
    chgi_plot_name(o->output ? o->output : "search", "-curve.svg", path, sizeof path);
    chgi_plot_begin(&script, 640, 400);
    chgi_text_print(&script,
                    "set xlabel '%s'\nset ylabel 'share of runs that found it'\nset yrange [0:1]\nset xrange [0:%g]\n"
                    "set key off\nset style fill transparent solid 0.2 noborder\n$points << EOD\n0 0 0 0\n",
                    axes[o->against], end);
    for (int k = 0; k < n; k++) /* steps: what held until here, then what holds from here */
        chgi_text_print(&script, "%g %g %g %g\n%g %g %g %g\n", points[k].effort, k ? points[k - 1].share : 0,
                        k ? points[k - 1].low : 0, k ? points[k - 1].high : 0, points[k].effort, points[k].share,
                        points[k].low, points[k].high);
    if (n > 0)
        chgi_text_print(&script, "%g %g %g %g\n", end, points[n - 1].share, points[n - 1].low, points[n - 1].high);
    chgi_text_print(&script,
                    "EOD\nplot $points using 1:3:4 with filledcurves lc 1, $points using 1:2 with lines lc 1 lw 2\n");
    chgnet_status status =
        script.failed ? chgi_context_nomem(ctx, script.length, 1) : chgi_plot_write(ctx, &script, path);
    chgi_text_destroy(&script);
    return status;
}

static chgnet_status tell(chgnet_context *ctx, const options *o, outcome *outcomes, int n, const target *t)
{
    chgi_text text = {0};
    double end = 0;
    int n_found = 0;
    point *points = chgi_memory_new((size_t)n, sizeof *points);
    if (!points)
        return chgi_context_nomem(ctx, (size_t)n, sizeof *points);
    int n_point = trace(outcomes, n, points);
    for (int k = 0; k < n; k++) {
        n_found += outcomes[k].found;
        end = fmax(end, outcomes[k].effort);
    }
    print_points(&text, o, points, n_point);
    chgnet_status status = text.failed ? chgi_context_nomem(ctx, text.length, 1) : CHGNET_OK;
    if (status == CHGNET_OK && o->output)
        status = chgi_file_write(ctx, o->output, text.data, text.length);
    else if (status == CHGNET_OK)
        fwrite(text.data, 1, text.length, stdout);
    printf("runs %d, found %d, target ", n, n_found);
    if (o->structure)
        printf("%s", o->structure);
    else
        printf("%.6f eV", t->energy);
    printf(", half of them after %g %s\n", median(points, n_point), axes[o->against]);
    if (status == CHGNET_OK && o->plot)
        status = plot(ctx, o, points, n_point, end);
    chgi_text_destroy(&text);
    chgi_memory_free(points);
    return status;
}

static chgnet_status show(chgnet_context *ctx, const options *o, int n, char **paths)
{
    chgnet_status status = CHGNET_OK;
    int n_read = 0;
    target t = {0};
    chgi_cli_folder *folders = chgi_memory_new((size_t)n, sizeof *folders);
    outcome *outcomes = chgi_memory_new((size_t)n, sizeof *outcomes);
    if (!folders || !outcomes)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)n, sizeof *folders));
    if (o->structure)
        CHGI_TRY_CLEANUP(chgi_cli_read_first(ctx, o->structure, &t.structure));
    for (; n_read < n; n_read++) {
        CHGI_TRY_CLEANUP(chgi_cli_folder_read(ctx, paths[n_read], o->structure != NULL, &folders[n_read]));
        t.labels = t.labels || has_labels(&folders[n_read]);
    }
    t.energy = isnan(o->energy) ? lowest_of(folders, n, t.labels) : o->energy;
    for (int f = 0; f < n; f++)
        CHGI_TRY_CLEANUP(judge(ctx, &folders[f], o, &t, &outcomes[f]));
    CHGI_TRY_CLEANUP(tell(ctx, o, outcomes, n, &t));
    CHGI_TRY_CLEANUP(chgi_cli_flush(ctx));
cleanup:
    for (int f = 0; f < n_read; f++)
        chgi_cli_folder_destroy(&folders[f]);
    chgi_structure_destroy(&t.structure);
    chgi_memory_free(folders);
    chgi_memory_free(outcomes);
    return status;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.energy = NAN, .within = 0.01};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.help)
        chgi_cli_print_help(&chgi_cli_search_curve);
    else if (status == CHGNET_OK)
        status = show(ctx, &o, argc - chgi_cli_first_argument(), argv + chgi_cli_first_argument());
    return status == CHGNET_OK ? CHGNET_OK : chgi_cli_report(ctx, status);
}

const chgi_cli_command chgi_cli_search_curve = {
    .name = "search curve",
    .usage = "[OPTION]... FOLDER...",
    .summary = "success curve of repeated searches",
    .about = about,
    .options = known,
    .run = run,
};
