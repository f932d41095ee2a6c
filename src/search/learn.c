/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/learn.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "search/label.h"
#include "task/embed.h"
#include "task/train.h"

/* ---- asking ----------------------------------------------------------------------------------- */

static chgnet_status note_label(chgnet_context *ctx, const chgi_search_config *config, chgi_journal *journal,
                                chgi_search_state *state, int64_t id, double energy)
{
    chgi_minimum *m = &state->pool.minima[id];
    chgi_event event = {"label", -1, id, -1, 0, energy, 0, m->std, NAN, "labelled"};
    m->labelled = true;
    m->label = chgi_space_free_energy(&config->space, &m->structure, energy);
    event.free_energy = m->label;
    state->n_label++;
    return chgi_journal_log(ctx, journal, state, &event);
}

static chgnet_status take_answer(chgnet_context *ctx, const chgi_search_config *config, chgi_journal *journal,
                                 chgi_search_state *state, const chgi_label_job *job)
{
    if (!job->done)
        return CHGNET_OK;
    if (!job->reason[0]) {
        CHGI_TRY(chgi_journal_add_label(ctx, journal, state, config, job->id, job->energy, job->forces));
        return note_label(ctx, config, journal, state, job->id, job->energy);
    }
    chgi_minimum *m = &state->pool.minima[job->id];
    chgi_event event = {"label", -1, job->id, -1, 0, m->energy, m->free_energy, m->std, NAN, job->reason};
    m->refused = true;
    return chgi_journal_log(ctx, journal, state, &event);
}

static chgnet_status run_jobs(chgnet_context *ctx, const chgi_search_config *config, chgi_journal *journal,
                              chgi_search_state *state, int64_t n, chgi_label_job *jobs,
                              bool (*should_stop)(void *user), void *user)
{
    char work[CHGI_JOURNAL_PATH];
    chgi_journal_path(journal, "work", work);
    chgi_label_command command = {config->label, work, config->time_limit, config->retries, config->parallel,
                                  should_stop,   user};
    chgnet_status status = chgi_label_run(ctx, &command, n, jobs);
    for (int64_t k = 0; k < n; k++) { /* answers that came before a failure are kept */
        chgnet_status took = take_answer(ctx, config, journal, state, &jobs[k]);
        status = status == CHGNET_OK ? took : status;
    }
    return status;
}

chgnet_status chgi_learn_ask(chgnet_context *ctx, const chgi_search_config *config, chgi_journal *journal,
                             chgi_search_state *state, int64_t n, const int64_t *ids, bool (*should_stop)(void *user),
                             void *user)
{
    chgi_label_job *jobs = chgi_memory_new((size_t)n, sizeof *jobs);
    int64_t n_job = 0;
    chgnet_status status = jobs ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)n, sizeof *jobs);
    for (int64_t k = 0; status == CHGNET_OK && k < n; k++) {
        const chgi_labelled *known = chgi_journal_find_label(journal, state, ids[k]);
        if (known)
            status = note_label(ctx, config, journal, state, ids[k], known->energy);
        else
            jobs[n_job++] = (chgi_label_job){.id = ids[k], .structure = &state->pool.minima[ids[k]].structure};
    }
    if (status == CHGNET_OK && n_job > 0)
        status = run_jobs(ctx, config, journal, state, n_job, jobs, should_stop, user);
    for (int64_t k = 0; k < n_job; k++)
        chgi_label_job_destroy(&jobs[k]);
    chgi_memory_free(jobs);
    return status;
}

/* ---- fitting ---------------------------------------------------------------------------------- */

void chgi_learn_path(const chgi_journal *journal, int64_t generation, char path[CHGI_JOURNAL_PATH])
{
    char name[64];
    snprintf(name, sizeof name, "delta-%lld.h5", (long long)generation);
    chgi_journal_path(journal, name, path);
}

/* Embeddings of the labels that have none yet. */
static chgnet_status embed_new(chgnet_context *ctx, const chgnet_model *model, const chgi_delta_choice *choice,
                               int n_thread, chgi_label_set *set)
{
    int64_t first = 0;
    while (first < set->n_label && set->labels[first].fea)
        first++;
    if (first == set->n_label)
        return CHGNET_OK;
    chgi_label_set fresh = {.labels = set->labels + first, .n_label = set->n_label - first};
    chgi_embed_choice embed = {.model = model, .layer = choice->layer, .with_forces = true, .n_thread = n_thread};
    chgnet_status status = chgi_embed_set(ctx, &embed, &fresh);
    set->n_feature = fresh.n_feature;
    return status;
}

static chgnet_status save(chgnet_context *ctx, const chgnet_model *model, const chgi_journal *journal,
                          const chgi_search_state *state, chgnet_delta *delta)
{
    char path[CHGI_JOURNAL_PATH];
    const chgi_weights *weights = chgi_model_weights(model);
    delta->model = chgi_memory_copy_text(weights->version);
    delta->model_sha256 = chgi_memory_copy_text(weights->model_sha256);
    delta->base = chgi_memory_copy_text("chgnet");
    delta->version = chgi_memory_copy_text(chgnet_version());
    if (!delta->model || !delta->model_sha256 || !delta->base || !delta->version)
        return chgi_context_nomem(ctx, 1, 128);
    chgi_learn_path(journal, state->generation, path);
    delta->set = journal->taught; /* lent for the writing */
    chgnet_status status = chgi_delta_file_save(ctx, delta, path);
    delta->set = (chgi_label_set){0};
    return status;
}

/* After a crash the file may hold labels that come later in the search: their turn is not yet. */
static bool is_asked(const chgi_search_state *state, int64_t id)
{
    return id < state->pool.n_minimum && state->pool.minima[id].labelled;
}

chgnet_status chgi_learn_fit(chgnet_context *ctx, const chgi_search_config *config, const chgnet_model *model,
                             chgi_journal *journal, const chgi_search_state *state, int n_thread, chgnet_delta **delta)
{
    chgi_delta_choice choice = chgi_delta_choice_default();
    choice.seed = (uint64_t)config->seed;
    CHGI_TRY(embed_new(ctx, model, &choice, n_thread, &journal->taught));
    chgnet_delta *made = chgi_memory_new(1, sizeof *made);
    bool *out = chgi_memory_new((size_t)journal->taught.n_label, sizeof *out);
    chgnet_status status = made && out ? CHGNET_OK : chgi_context_nomem(ctx, 1, sizeof *made);
    for (int64_t k = 0; status == CHGNET_OK && k < journal->taught.n_label; k++)
        out[k] = !is_asked(state, journal->taught_id[k]);
    if (status == CHGNET_OK)
        status = chgi_train_fit(ctx, &choice, &journal->taught, out, true, &made->gp);
    chgi_memory_free(out);
    if (status == CHGNET_OK)
        status = save(ctx, model, journal, state, made);
    if (status == CHGNET_OK)
        *delta = made;
    else
        chgi_delta_file_destroy(made);
    return status;
}
