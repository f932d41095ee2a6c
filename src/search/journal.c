/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/journal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "crystal/reader.h"
#include "crystal/writer.h"
#include "task/restart.h"
#include "task/label_file.h"

static const char columns[] = "minimisation,iteration,walker,what,minimum,parent,energy_eV,free_energy_eV,std_eV,"
                              "fmax_eV_A,steps,labels,seconds,result\n";

void chgi_journal_path(const chgi_journal *journal, const char *name, char path[CHGI_JOURNAL_PATH])
{
    snprintf(path, CHGI_JOURNAL_PATH, "%.4000s/%.90s", journal->folder, name);
}

/* ---- begin ------------------------------------------------------------------------------------ */

static chgnet_status make_folder(chgnet_context *ctx, const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EIO, "%.3000s: the folder cannot be made: %s", path, strerror(errno));
}

chgnet_status chgi_journal_open_files(chgnet_context *ctx, chgi_journal *journal,
                                      const int64_t keep[CHGI_JOURNAL_FILES])
{
    static const char *const names[] = {"candidates.extxyz", "labels.extxyz", "search.csv"};
    chgi_append *files[] = {&journal->candidates, &journal->labels, &journal->log};
    char path[CHGI_JOURNAL_PATH];
    for (int k = 0; k < CHGI_JOURNAL_FILES; k++) {
        chgi_journal_path(journal, names[k], path);
        CHGI_TRY(chgi_append_open(ctx, path, keep[k], files[k]));
    }
    return CHGNET_OK;
}

static chgnet_status copy_config(chgnet_context *ctx, const chgi_journal *journal, const char *from)
{
    char path[CHGI_JOURNAL_PATH], *data;
    size_t length;
    chgi_journal_path(journal, "search.ini", path);
    CHGI_TRY(chgi_file_read(ctx, from, &data, &length));
    chgnet_status status = chgi_file_write(ctx, path, data, length);
    chgi_memory_free(data);
    return status;
}

void chgi_journal_start(const chgi_search_config *config, chgi_journal *journal)
{
    *journal = (chgi_journal){.candidates.fd = -1, .labels.fd = -1, .log.fd = -1};
    snprintf(journal->folder, sizeof journal->folder, "%s", config->folder);
}

chgnet_status chgi_journal_create(chgnet_context *ctx, const chgi_search_config *config, const char *path,
                                  chgi_journal *journal)
{
    static const int64_t nothing[CHGI_JOURNAL_FILES] = {0};
    char checkpoint[CHGI_JOURNAL_PATH], work[CHGI_JOURNAL_PATH];
    chgi_journal_start(config, journal);
    chgi_journal_path(journal, "checkpoint", checkpoint);
    chgi_journal_path(journal, "work", work);
    if (chgi_restart_exists(checkpoint))
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "%.3000s: this folder holds a search already; `chgnet search resume` goes on with it, "
                                 "or give another folder",
                                 journal->folder);
    CHGI_TRY(make_folder(ctx, journal->folder));
    CHGI_TRY(make_folder(ctx, work));
    CHGI_TRY(copy_config(ctx, journal, path));
    CHGI_TRY(chgi_journal_open_files(ctx, journal, nothing));
    return chgi_append_write(ctx, &journal->log, columns, sizeof columns - 1);
}

void chgi_journal_close(chgi_journal *journal)
{
    chgi_append *files[] = {&journal->candidates, &journal->labels, &journal->log};
    for (int k = 0; k < CHGI_JOURNAL_FILES; k++)
        (void)!chgi_append_close(NULL, files[k]);
    chgi_label_set_destroy(&journal->taught);
    chgi_memory_free(journal->taught_id);
    *journal = (chgi_journal){.candidates.fd = -1, .labels.fd = -1, .log.fd = -1};
}

/* ---- append ----------------------------------------------------------------------------------- */

static chgnet_status set_number(chgnet_context *ctx, chgi_structure *s, const char *key, double value)
{
    chgi_text text = {0};
    chgi_text_number(&text, value);
    chgnet_status status =
        text.failed ? chgi_context_nomem(ctx, 1, 32) : chgi_structure_set_info(ctx, s, key, text.data);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status append_frame(chgnet_context *ctx, chgi_append *file, const chgi_structure *frame)
{
    chgi_text text = {0};
    chgnet_status status = chgi_extxyz_write(ctx, &text, frame);
    if (status == CHGNET_OK)
        status = chgi_append_write(ctx, file, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status describe_minimum(chgnet_context *ctx, const chgi_search_state *state, const chgi_trial *trial,
                                      int64_t walker, chgi_structure *frame)
{
    int64_t id = state->pool.n_minimum - 1;
    const chgi_minimum *m = &state->pool.minima[id];
    CHGI_TRY(set_number(ctx, frame, "minimum", (double)id));
    CHGI_TRY(set_number(ctx, frame, "energy", m->energy));
    CHGI_TRY(set_number(ctx, frame, "free_energy", m->free_energy));
    if (m->std >= 0)
        CHGI_TRY(set_number(ctx, frame, "energy_std", m->std));
    CHGI_TRY(set_number(ctx, frame, "iteration", (double)state->iteration));
    CHGI_TRY(set_number(ctx, frame, "walker", (double)walker));
    CHGI_TRY(set_number(ctx, frame, "parent", (double)trial->parent));
    CHGI_TRY(set_number(ctx, frame, "generation", (double)state->generation));
    CHGI_TRY(set_number(ctx, frame, "steps", (double)trial->steps));
    CHGI_TRY(set_number(ctx, frame, "fmax", trial->fmax));
    return chgi_structure_set_info(ctx, frame, "move",
                                   trial->move == CHGI_N_MOVE ? "random" : chgi_move_name(trial->move));
}

chgnet_status chgi_journal_add_minimum(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                                       const chgi_trial *trial, int64_t walker)
{
    chgi_structure frame = {0};
    chgnet_status status = chgi_structure_copy(ctx, &state->pool.minima[state->pool.n_minimum - 1].structure, &frame);
    if (status == CHGNET_OK)
        status = describe_minimum(ctx, state, trial, walker, &frame);
    if (status == CHGNET_OK)
        status = append_frame(ctx, &journal->candidates, &frame);
    chgi_structure_destroy(&frame);
    return status;
}

chgnet_status chgi_journal_keep_label(chgnet_context *ctx, chgi_journal *journal, int64_t id, chgi_structure *frame)
{
    chgi_labelled labelled = {0};
    chgi_label_form form = chgi_label_form_default();
    CHGI_TRY(chgi_labelled_take(ctx, &form, CHGI_MAX_ELEMENT, frame, &labelled));
    size_t n = (size_t)journal->taught.n_label;
    chgnet_status status =
        chgi_memory_grow(ctx, &journal->taught_id, &journal->capacity, n + 1, sizeof *journal->taught_id);
    if (status != CHGNET_OK) {
        chgi_labelled_destroy(&labelled);
        return status;
    }
    journal->taught_id[n] = id;
    return chgi_label_set_add(ctx, &journal->taught, &labelled);
}

chgnet_status chgi_journal_add_label(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                                     const chgi_search_config *config, int64_t id, double energy, const double *forces)
{
    chgi_structure frame = {0};
    chgnet_status status;
    CHGI_TRY_CLEANUP(chgi_structure_copy(ctx, &state->pool.minima[id].structure, &frame));
    CHGI_TRY_CLEANUP(set_number(ctx, &frame, "REF_energy", energy));
    CHGI_TRY_CLEANUP(set_number(ctx, &frame, "minimum", (double)id));
    CHGI_TRY_CLEANUP(set_number(ctx, &frame, "iteration", (double)state->iteration));
    CHGI_TRY_CLEANUP(set_number(ctx, &frame, "predicted_energy", state->pool.minima[id].energy));
    CHGI_TRY_CLEANUP(chgi_structure_set_info(ctx, &frame, "label_command", config->label));
    CHGI_TRY_CLEANUP(chgi_structure_set_column(ctx, &frame, "REF_forces", 3, forces));
    CHGI_TRY_CLEANUP(append_frame(ctx, &journal->labels, &frame));
    CHGI_TRY_CLEANUP(chgi_append_sync(ctx, &journal->labels));
    CHGI_TRY_CLEANUP(chgi_journal_keep_label(ctx, journal, id, &frame));
cleanup:
    chgi_structure_destroy(&frame);
    return status;
}

static bool is_same_place(const chgi_structure *a, const chgi_structure *b)
{
    return a->n_atom == b->n_atom &&
           memcmp(a->positions, b->positions, 3 * (size_t)a->n_atom * sizeof *a->positions) == 0 &&
           memcmp(a->numbers, b->numbers, (size_t)a->n_atom * sizeof *a->numbers) == 0;
}

const chgi_labelled *chgi_journal_find_label(const chgi_journal *journal, const chgi_search_state *state, int64_t id)
{
    for (int64_t k = 0; k < journal->taught.n_label; k++)
        if (journal->taught_id[k] == id &&
            is_same_place(&journal->taught.labels[k].structure, &state->pool.minima[id].structure))
            return &journal->taught.labels[k];
    return NULL;
}

static void add_number(chgi_text *text, double value)
{
    if (isfinite(value))
        chgi_text_number(text, value);
    chgi_text_append(text, ",", 1);
}

chgnet_status chgi_journal_log(chgnet_context *ctx, chgi_journal *journal, const chgi_search_state *state,
                               const chgi_event *event)
{
    chgi_text text = {0};
    chgi_text_print(&text, "%lld,%lld,%lld,%s,", (long long)state->n_minimised, (long long)state->iteration,
                    (long long)event->walker, event->what);
    chgi_text_print(&text, event->minimum < 0 ? "," : "%lld,", (long long)event->minimum);
    chgi_text_print(&text, event->parent < 0 ? "," : "%lld,", (long long)event->parent);
    add_number(&text, event->energy);
    add_number(&text, event->free_energy);
    add_number(&text, event->std < 0 ? NAN : event->std);
    add_number(&text, event->fmax);
    chgi_text_print(&text, "%lld,%lld,%.3f,\"", (long long)event->steps, (long long)state->n_label, state->seconds);
    for (const char *c = event->result; *c; c++)
        chgi_text_append(&text, *c == '"' || *c == '\n' ? "'" : c, 1);
    chgi_text_append(&text, "\"\n", 2);
    chgnet_status status = text.failed ? chgi_context_nomem(ctx, text.length, 1)
                                       : chgi_append_write(ctx, &journal->log, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}
