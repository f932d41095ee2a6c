/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/search.h"
#include "crystal/extxyz.h"

enum { FIELDS = 14 };

/* ---- search.csv ------------------------------------------------------------------------------- */

static int64_t whole(chgi_span field)
{
    int64_t value;
    return chgi_text_to_int(field.text, field.length, &value) ? value : -1;
}

static double real(chgi_span field)
{
    double value;
    return chgi_text_to_double(field.text, field.length, &value) ? value : NAN;
}

static void copy(chgi_span field, char *text, size_t size)
{
    size_t n = field.length < size - 1 ? field.length : size - 1;
    memcpy(text, field.text, n);
    text[n] = 0;
}

/* The last field is quoted and may hold commas. */
static bool split(chgi_span line, chgi_span fields[FIELDS])
{
    for (int k = 0; k < FIELDS - 1; k++) {
        const char *comma = memchr(line.text, ',', line.length);
        if (!comma)
            return false;
        fields[k] = (chgi_span){line.text, (size_t)(comma - line.text)};
        line.length -= fields[k].length + 1;
        line.text = comma + 1;
    }
    fields[FIELDS - 1] = line;
    if (line.length < 2 || line.text[0] != '"' || line.text[line.length - 1] != '"')
        return false;
    fields[FIELDS - 1] = (chgi_span){line.text + 1, line.length - 2};
    return true;
}

static chgi_cli_event event_of(const chgi_span f[FIELDS])
{
    chgi_cli_event e = {.minimisation = whole(f[0]),
                        .iteration = whole(f[1]),
                        .walker = whole(f[2]),
                        .minimum = whole(f[4]),
                        .parent = whole(f[5]),
                        .energy = real(f[6]),
                        .free_energy = real(f[7]),
                        .std = real(f[8]),
                        .fmax = real(f[9]),
                        .steps = whole(f[10]),
                        .labels = whole(f[11]),
                        .seconds = real(f[12])};
    copy(f[3], e.what, sizeof e.what);
    copy(f[13], e.result, sizeof e.result);
    return e;
}

static chgnet_status take_events(chgnet_context *ctx, chgi_lines *lines, chgi_cli_folder *folder)
{
    chgi_span line, fields[FIELDS];
    chgi_lines_next(lines, &line); /* names of the columns */
    while (chgi_lines_next(lines, &line)) {
        if (!split(line, fields)) {
            if (chgi_lines_at_end(lines))
                break; /* being written */
            return chgi_lines_fail(lines, lines->line, "this is no line of a search's log");
        }
        CHGI_TRY(chgi_memory_grow(ctx, &folder->events, &folder->capacity_event, (size_t)folder->n_event + 1,
                                  sizeof *folder->events));
        folder->events[folder->n_event++] = event_of(fields);
    }
    return CHGNET_OK;
}

/* ---- candidates.extxyz ------------------------------------------------------------------------ */

static chgnet_status take_minima(chgnet_context *ctx, chgi_lines *lines, chgi_cli_folder *folder)
{
    for (bool got = true; got && !chgi_lines_at_end(lines);) {
        chgi_structure frame = {0};
        chgnet_status status = chgi_extxyz_read(lines, &frame, &got);
        if (status == CHGNET_EINPUT && chgi_lines_at_end(lines))
            return CHGNET_OK; /* being written */
        if (status == CHGNET_OK && got)
            status = chgi_memory_grow(ctx, &folder->minima, &folder->capacity_minimum, (size_t)folder->n_minimum + 1,
                                      sizeof *folder->minima);
        if (status != CHGNET_OK || !got) {
            chgi_structure_destroy(&frame);
            return status;
        }
        folder->minima[folder->n_minimum++] = frame;
    }
    return CHGNET_OK;
}

static chgnet_status read_part(chgnet_context *ctx, const char *folder_path, const char *name, chgi_cli_folder *folder,
                               chgnet_status (*take)(chgnet_context *, chgi_lines *, chgi_cli_folder *))
{
    char path[CHGI_JOURNAL_PATH], *data;
    size_t length;
    chgi_text text = {0};
    chgi_text_print(&text, "%s/%s", folder_path, name);
    if (text.failed || text.length >= sizeof path) {
        chgi_text_destroy(&text);
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the folder's name is too long");
    }
    memcpy(path, text.data, text.length + 1);
    chgi_text_destroy(&text);
    CHGI_TRY(chgi_file_read(ctx, path, &data, &length));
    chgi_lines lines = {.ctx = ctx, .path = path, .text = data, .length = length};
    chgnet_status status = take(ctx, &lines, folder);
    chgi_memory_free(data);
    return status;
}

chgnet_status chgi_cli_folder_read(chgnet_context *ctx, const char *path, bool with_minima, chgi_cli_folder *folder)
{
    *folder = (chgi_cli_folder){.path = path};
    chgnet_status status = read_part(ctx, path, "search.csv", folder, take_events);
    if (status == CHGNET_OK && with_minima)
        status = read_part(ctx, path, "candidates.extxyz", folder, take_minima);
    if (status != CHGNET_OK)
        chgi_cli_folder_destroy(folder);
    return status;
}

void chgi_cli_folder_destroy(chgi_cli_folder *folder)
{
    for (int64_t i = 0; i < folder->n_minimum; i++)
        chgi_structure_destroy(&folder->minima[i]);
    chgi_memory_free(folder->minima);
    chgi_memory_free(folder->events);
    *folder = (chgi_cli_folder){0};
}

/* ---- energies --------------------------------------------------------------------------------- */

void chgi_cli_folder_energies(const chgi_cli_folder *folder, double *energies, bool *labelled)
{
    for (int64_t i = 0; i < folder->n_minimum; i++) {
        energies[i] = NAN;
        labelled[i] = false;
    }
    for (int64_t k = 0; k < folder->n_event; k++) {
        const chgi_cli_event *e = &folder->events[k];
        bool is_label = strcmp(e->result, "labelled") == 0;
        if (e->minimum < 0 || e->minimum >= folder->n_minimum || (labelled[e->minimum] && !is_label))
            continue;
        if (strcmp(e->what, "label") == 0 && !is_label)
            continue;
        energies[e->minimum] = e->free_energy;
        labelled[e->minimum] = is_label;
    }
}

/* Labelled minima come first, where there are any. */
static bool is_before(const double *energies, const bool *labelled, int64_t a, int64_t b)
{
    if (labelled[a] != labelled[b])
        return labelled[a];
    return energies[a] < energies[b];
}

static int64_t pick(const chgi_cli_folder *folder, const double *energies, const bool *labelled, int64_t n_found,
                    const int64_t *places)
{
    int64_t best = -1;
    for (int64_t i = 0; i < folder->n_minimum; i++) {
        bool taken = isnan(energies[i]);
        for (int64_t k = 0; k < n_found && !taken; k++)
            taken = places[k] == i;
        if (!taken && (best < 0 || is_before(energies, labelled, i, best)))
            best = i;
    }
    return best;
}

int64_t chgi_cli_folder_lowest(chgnet_context *ctx, const chgi_cli_folder *folder, int64_t n, int64_t *places,
                               double *energies)
{
    size_t most = (size_t)folder->n_minimum;
    double *all = chgi_memory_new(most, sizeof *all);
    bool *labelled = chgi_memory_new(most, sizeof *labelled);
    int64_t found = 0;
    if (all && labelled) {
        chgi_cli_folder_energies(folder, all, labelled);
        for (; found < n; found++) {
            places[found] = pick(folder, all, labelled, found, places);
            if (places[found] < 0)
                break;
            energies[found] = all[places[found]];
        }
    } else
        chgi_context_nomem(ctx, most, sizeof *all);
    chgi_memory_free(all);
    chgi_memory_free(labelled);
    return found;
}
