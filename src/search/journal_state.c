/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "crystal/extxyz.h"
#include "crystal/reader.h"
#include "search/journal.h"
#include "task/restart.h"

static const char kind[] = "search";

/* Numbers of the state, of a walker and of a minimum as the checkpoint holds them. */
enum { STATE_NUMBERS = 6, WALKER_NUMBERS = 5, MINIMUM_NUMBERS = 7 };

/* ---- writing ---------------------------------------------------------------------------------- */

static void put_state(chgi_restart *c, const chgi_search_state *s)
{
    const double numbers[STATE_NUMBERS] = {(double)s->iteration,  (double)s->n_minimised, (double)s->n_label,
                                           (double)s->generation, (double)s->fresh,       s->seconds};
    chgi_restart_put_doubles(c, "state", STATE_NUMBERS, numbers);
}

static void fill_tables(const chgi_search_config *config, const chgi_search_state *s, double *walkers, double *minima)
{
    for (int64_t w = 0; w < config->walkers; w++) {
        const chgi_walker *k = &s->walkers[w];
        const double row[WALKER_NUMBERS] = {(double)k->minimum, k->temperature, k->amplitude, k->n_tried,
                                            k->n_accepted};
        memcpy(walkers + w * WALKER_NUMBERS, row, sizeof row);
    }
    for (int64_t i = 0; i < s->pool.n_minimum; i++) {
        const chgi_minimum *m = &s->pool.minima[i];
        const double row[MINIMUM_NUMBERS] = {m->energy,           m->free_energy,     m->std,  (double)m->visits,
                                             (double)m->labelled, (double)m->refused, m->label};
        memcpy(minima + i * MINIMUM_NUMBERS, row, sizeof row);
    }
}

static chgnet_status put_tables(chgnet_context *ctx, chgi_restart *c, const chgi_search_config *config,
                                const chgi_search_state *s)
{
    size_t n_walker = (size_t)config->walkers * WALKER_NUMBERS;
    size_t n_minimum = (size_t)s->pool.n_minimum * MINIMUM_NUMBERS;
    double *numbers = chgi_memory_new(n_walker + n_minimum, sizeof *numbers);
    if (!numbers)
        return chgi_context_nomem(ctx, n_walker + n_minimum, sizeof *numbers);
    fill_tables(config, s, numbers, numbers + n_walker);
    chgi_restart_put_doubles(c, "walkers", n_walker, numbers);
    chgi_restart_put_doubles(c, "minima", n_minimum, numbers + n_walker);
    chgi_memory_free(numbers);
    return CHGNET_OK;
}

chgnet_status chgi_journal_checkpoint(chgnet_context *ctx, chgi_journal *journal, const chgi_search_config *config,
                                      const chgi_search_state *state)
{
    char path[CHGI_JOURNAL_PATH];
    chgi_restart c = {0};
    CHGI_TRY(chgi_append_sync(ctx, &journal->candidates));
    CHGI_TRY(chgi_append_sync(ctx, &journal->log));
    chgi_journal_path(journal, "checkpoint", path);
    chgi_restart_start(&c, kind);
    chgi_restart_put_int(&c, "seed", config->seed);
    chgi_restart_put_int(&c, "candidates", journal->candidates.length);
    chgi_restart_put_int(&c, "log", journal->log.length);
    put_state(&c, state);
    chgnet_status status = put_tables(ctx, &c, config, state);
    if (status == CHGNET_OK)
        status = chgi_restart_write(ctx, path, &c);
    chgi_restart_destroy(&c);
    return status;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static chgnet_status get_walkers(chgnet_context *ctx, const chgi_restart *c, const chgi_search_config *config,
                                 chgi_search_state *s)
{
    size_t n = (size_t)config->walkers * WALKER_NUMBERS;
    double *rows = chgi_memory_new(n, sizeof *rows);
    if (!rows)
        return chgi_context_nomem(ctx, n, sizeof *rows);
    chgnet_status status = chgi_restart_get_doubles(ctx, c, "walkers", n, rows);
    for (int64_t w = 0; status == CHGNET_OK && w < config->walkers; w++) {
        const double *row = rows + w * WALKER_NUMBERS;
        s->walkers[w] = (chgi_walker){(int64_t)row[0], row[1], row[2], row[3], row[4]};
    }
    chgi_memory_free(rows);
    return status;
}

static chgnet_status get_state(chgnet_context *ctx, const chgi_restart *c, chgi_search_config *config,
                               chgi_search_state *s)
{
    double n[STATE_NUMBERS];
    CHGI_TRY(chgi_restart_get_int(ctx, c, "seed", &config->seed));
    CHGI_TRY(chgi_restart_get_doubles(ctx, c, "state", STATE_NUMBERS, n));
    s->iteration = (int64_t)n[0];
    s->n_minimised = (int64_t)n[1];
    s->n_label = (int64_t)n[2];
    s->generation = (int64_t)n[3];
    s->fresh = (int64_t)n[4];
    s->seconds = n[5];
    return get_walkers(ctx, c, config, s);
}

/* What the file tells of a minimum beside its atoms: one that was found in this run has none of it either. */
static void forget_info(chgi_structure *structure)
{
    while (structure->n_info > 0)
        chgi_structure_drop_info(structure, structure->info[structure->n_info - 1].key);
}

/* Structures from candidates.extxyz, the rest from the checkpoint. */
static chgnet_status get_minima(chgnet_context *ctx, const chgi_restart *c, chgi_reader *reader, chgi_pool *pool)
{
    size_t count;
    const void *bytes;
    CHGI_TRY(chgi_restart_find_doubles(ctx, c, "minima", &count, &bytes));
    for (size_t i = 0; i < count / MINIMUM_NUMBERS; i++) {
        double row[MINIMUM_NUMBERS];
        bool got = false;
        chgi_minimum m = {0};
        memcpy(row, (const unsigned char *)bytes + i * sizeof row, sizeof row);
        CHGI_TRY(chgi_reader_next(reader, &m.structure, &got));
        if (!got)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "the checkpoint knows %zu minima, candidates.extxyz holds %zu; both must be of "
                                     "one search",
                                     count / MINIMUM_NUMBERS, i);
        forget_info(&m.structure);
        m.energy = row[0];
        m.free_energy = row[1];
        m.std = row[2];
        m.visits = (int64_t)row[3];
        m.labelled = row[4] != 0;
        m.refused = row[5] != 0;
        m.label = row[6];
        CHGI_TRY(chgi_pool_add(ctx, pool, &m));
    }
    return CHGNET_OK;
}

static chgnet_status read_minima(chgnet_context *ctx, const chgi_restart *c, const chgi_journal *journal,
                                 chgi_pool *pool)
{
    char path[CHGI_JOURNAL_PATH];
    chgi_reader *reader;
    if (journal->candidates.length == 0)
        return CHGNET_OK;
    chgi_journal_path(journal, "candidates.extxyz", path);
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    chgnet_status status = get_minima(ctx, c, reader, pool);
    chgi_reader_destroy(reader);
    return status;
}

static chgnet_status check_walkers(chgnet_context *ctx, const chgi_search_config *config, const chgi_search_state *s)
{
    for (int64_t w = 0; w < config->walkers; w++)
        if (s->walkers[w].minimum < -1 || s->walkers[w].minimum >= s->pool.n_minimum)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "walker %lld stands at no minimum; the checkpoint is damaged",
                                     (long long)w);
    return CHGNET_OK;
}

/* The frames of labels.extxyz.  \param[out] whole  bytes of whole frames: a crash may have torn the last one */
static chgnet_status take_labels(chgnet_context *ctx, chgi_journal *journal, chgi_lines *lines, int64_t *whole)
{
    for (bool got = true; !chgi_lines_at_end(lines); *whole = (int64_t)lines->offset) {
        chgi_structure frame = {0};
        int64_t id;
        chgnet_status status = chgi_extxyz_read(lines, &frame, &got);
        bool torn = chgi_lines_at_end(lines) && (status != CHGNET_OK || lines->text[lines->length - 1] != '\n');
        const char *text = status == CHGNET_OK && got ? chgi_structure_info(&frame, "minimum") : NULL;
        if (status == CHGNET_OK && !torn && got && !(text && chgi_text_to_int(text, strlen(text), &id)))
            status = chgi_lines_fail(lines, lines->line, "the label lacks `minimum`; only a search writes this file");
        if (status == CHGNET_OK && !torn && got)
            status = chgi_journal_keep_label(ctx, journal, id, &frame);
        chgi_structure_destroy(&frame);
        if (torn && status != CHGNET_ENOMEM)
            return CHGNET_OK;
        CHGI_TRY(status);
    }
    return CHGNET_OK;
}

static chgnet_status read_labels(chgnet_context *ctx, chgi_journal *journal, int64_t *whole)
{
    char path[CHGI_JOURNAL_PATH], *data;
    size_t length;
    *whole = 0;
    chgi_journal_path(journal, "labels.extxyz", path);
    CHGI_TRY(chgi_file_read(ctx, path, &data, &length));
    chgi_lines lines = {.ctx = ctx, .path = path, .text = data, .length = length};
    chgnet_status status = take_labels(ctx, journal, &lines, whole);
    chgi_memory_free(data);
    return status;
}

static chgnet_status read_back(chgnet_context *ctx, chgi_search_config *config, const chgi_restart *c,
                               chgi_journal *journal, chgi_search_state *state)
{
    int64_t keep[CHGI_JOURNAL_FILES];
    CHGI_TRY(get_state(ctx, c, config, state));
    CHGI_TRY(chgi_restart_get_int(ctx, c, "candidates", &keep[0]));
    CHGI_TRY(read_labels(ctx, journal, &keep[1]));
    CHGI_TRY(chgi_restart_get_int(ctx, c, "log", &keep[2]));
    CHGI_TRY(chgi_journal_open_files(ctx, journal, keep));
    CHGI_TRY(read_minima(ctx, c, journal, &state->pool));
    return check_walkers(ctx, config, state);
}

chgnet_status chgi_journal_open(chgnet_context *ctx, chgi_search_config *config, chgi_journal *journal,
                                chgi_search_state *state)
{
    char path[CHGI_JOURNAL_PATH];
    chgi_restart c = {0};
    chgi_journal_start(config, journal);
    chgi_journal_path(journal, "checkpoint", path);
    if (!chgi_restart_exists(path))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%.3000s: there is no search in this folder; `chgnet search run` "
                                 "begins one",
                                 journal->folder);
    CHGI_TRY(chgi_restart_read(ctx, path, kind, &c));
    chgnet_status status = read_back(ctx, config, &c, journal, state);
    chgi_restart_destroy(&c);
    return status;
}
