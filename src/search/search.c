/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/search.h"

#include <math.h>
#include <omp.h>
#include <time.h>

#include "base/memory.h"
#include "search/learn.h"

typedef struct search {
    chgnet_context *ctx;
    chgi_search_config *config;
    const chgnet_model *model;
    const chgi_search_watch *watch;
    chgi_search_state state;
    chgi_journal journal;
    chgi_worker *workers; /* (n_worker) */
    int n_worker;
    chgi_trial *trials;    /* (config->walkers) */
    chgnet_delta *learned; /* own; NULL: none yet */
    int64_t n_dropped;
    double begun, earlier; /* s */
} search;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool should_stop(const search *s)
{
    return s->watch->should_stop && s->watch->should_stop(s->watch->user);
}

/* An error that a worker's own context holds becomes the search's. */
static chgnet_status pass_on(const search *s, const chgi_worker *worker, chgnet_status status)
{
    if (status == CHGNET_OK)
        return status;
    return chgi_context_fail(s->ctx, status, "%s", chgnet_context_error(worker->ctx));
}

/* ---- workers ---------------------------------------------------------------------------------- */

static chgnet_status correct_workers(search *s, const chgi_delta *delta)
{
    for (int k = 0; k < s->n_worker; k++)
        if (s->workers[k].calculator)
            CHGI_TRY(pass_on(s, &s->workers[k], chgi_calculator_set_delta(s->workers[k].calculator, delta)));
    return CHGNET_OK;
}

static chgnet_status create_workers(search *s)
{
    int64_t n = s->watch->n_thread < s->config->walkers ? s->watch->n_thread : s->config->walkers;
    s->workers = chgi_memory_new((size_t)n, sizeof *s->workers);
    s->trials = chgi_memory_new((size_t)s->config->walkers, sizeof *s->trials);
    if (!s->workers || !s->trials)
        return chgi_context_nomem(s->ctx, (size_t)s->config->walkers, sizeof *s->trials);
    for (; s->n_worker < n; s->n_worker++)
        CHGI_TRY(chgi_worker_create(s->ctx, s->config, s->model, &s->workers[s->n_worker]));
    return CHGNET_OK;
}

/* Energies of all minima by the potential as it is now.  \param[in] anew  make fingerprints too */
static chgnet_status evaluate_pool(search *s, bool anew)
{
    chgnet_status first = CHGNET_OK;
#pragma omp parallel for num_threads(s->n_worker) schedule(dynamic)
    for (int64_t i = 0; i < s->state.pool.n_minimum; i++) {
        const chgi_worker *worker = &s->workers[omp_get_thread_num()];
        chgnet_status status = chgi_trial_evaluate(worker, s->config, anew, &s->state.pool.minima[i]);
#pragma omp critical(chgi_search)
        if (status != CHGNET_OK && first == CHGNET_OK)
            first = pass_on(s, worker, status);
    }
    return first;
}

/* ---- one iteration ---------------------------------------------------------------------------- */

static void run_trials(search *s, int64_t n)
{
#pragma omp parallel for num_threads(s->n_worker) schedule(dynamic)
    for (int64_t w = 0; w < n; w++)
        chgi_trial_run(&s->workers[omp_get_thread_num()], s->config, &s->state.pool, s->state.walkers, w,
                       s->state.iteration, &s->trials[w]);
}

/* The minimum of a trial in the pool: an old one, or a new one that is written down.  -1: it was dropped. */
static chgnet_status find_or_add(search *s, chgi_trial *trial, int64_t w, int64_t *minimum)
{
    chgi_pool *pool = &s->state.pool;
    *minimum = -1;
    if (trial->dropped)
        return CHGNET_OK;
    *minimum = chgi_pool_find(pool, s->config, &trial->minimum.fingerprint);
    if (*minimum < 0) {
        CHGI_TRY(chgi_pool_add(s->ctx, pool, &trial->minimum));
        *minimum = pool->n_minimum - 1;
        CHGI_TRY(chgi_journal_add_minimum(s->ctx, &s->journal, &s->state, trial, w));
    }
    pool->minima[*minimum].visits++;
    return CHGNET_OK;
}

static chgnet_status take_trial(search *s, int64_t w)
{
    chgi_trial *trial = &s->trials[w];
    int64_t minimum;
    if (trial->status != CHGNET_OK)
        return pass_on(s, trial->worker, trial->status);
    s->state.n_minimised++;
    CHGI_TRY(find_or_add(s, trial, w, &minimum));
    s->n_dropped += minimum < 0;
    bool accepted = s->config->sampler == CHGI_GOFEE ? minimum >= 0
                                                     : chgi_walker_take(s->config, &s->state.pool, s->state.walkers, w,
                                                                        s->state.iteration, trial->move, minimum);
    const chgi_minimum *m = minimum >= 0 ? &s->state.pool.minima[minimum] : NULL;
    const char *result = trial->dropped ? trial->dropped : accepted ? "accepted" : "rejected";
    chgi_event event = {trial->move == CHGI_N_MOVE ? "random" : chgi_move_name(trial->move),
                        w,
                        minimum,
                        trial->parent,
                        trial->steps,
                        m ? m->energy : NAN,
                        m ? m->free_energy : NAN,
                        m ? m->std : -1,
                        trial->fmax,
                        result};
    return chgi_journal_log(s->ctx, &s->journal, &s->state, &event);
}

static chgnet_status take_trials(search *s, int64_t n)
{
    chgnet_status status = CHGNET_OK;
    for (int64_t w = 0; w < n; w++) {
        if (status == CHGNET_OK)
            status = take_trial(s, w);
        chgi_minimum_destroy(&s->trials[w].minimum);
    }
    return status;
}

/* ---- learning --------------------------------------------------------------------------------- */

static chgnet_status choose_labels(search *s, int64_t *n, int64_t *ids)
{
    const chgi_pool *pool = &s->state.pool;
    bool *taken = chgi_memory_new((size_t)pool->n_minimum, sizeof *taken);
    int64_t most = s->config->labels - s->state.n_label;
    if (!taken)
        return chgi_context_nomem(s->ctx, (size_t)pool->n_minimum, sizeof *taken);
    most = most < s->config->label_batch ? most : s->config->label_batch;
    for (*n = 0; *n < most; (*n)++) {
        ids[*n] = chgi_pool_choose(pool, s->state.fresh, s->config->kappa, taken);
        if (ids[*n] < 0)
            break;
        taken[ids[*n]] = true;
    }
    chgi_memory_free(taken);
    return CHGNET_OK;
}

static chgnet_status teach(search *s)
{
    chgnet_delta *learned;
    s->state.generation++;
    CHGI_TRY(chgi_learn_fit(s->ctx, s->config, s->model, &s->journal, &s->state, s->watch->n_thread, &learned));
    chgnet_status status = correct_workers(s, learned->gp);
    chgi_delta_file_destroy(s->learned);
    s->learned = learned;
    CHGI_TRY(status);
    return evaluate_pool(s, false);
}

static chgnet_status learn(search *s)
{
    if (!s->config->label || s->state.iteration % s->config->label_every != 0)
        return CHGNET_OK;
    int64_t n = 0, before = s->state.n_label;
    int64_t *ids = chgi_memory_new((size_t)s->config->label_batch, sizeof *ids);
    if (!ids)
        return chgi_context_nomem(s->ctx, (size_t)s->config->label_batch, sizeof *ids);
    chgnet_status status = choose_labels(s, &n, ids);
    if (status == CHGNET_OK && n > 0)
        status =
            chgi_learn_ask(s->ctx, s->config, &s->journal, &s->state, n, ids, s->watch->should_stop, s->watch->user);
    chgi_memory_free(ids);
    if (status == CHGNET_OK && s->state.n_label > before)
        status = teach(s);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void tell(const search *s)
{
    chgi_search_news news = {s->config, &s->state, chgi_pool_best(&s->state.pool), s->n_dropped};
    if (s->watch->tell)
        s->watch->tell(s->watch->user, &news);
}

static chgnet_status iterate(search *s)
{
    int64_t left = s->config->budget - s->state.n_minimised, n = left < s->config->walkers ? left : s->config->walkers;
    run_trials(s, n);
    s->state.seconds = s->earlier + now() - s->begun;
    CHGI_TRY(take_trials(s, n));
    chgi_walker_exchange(s->config, &s->state.pool, s->state.walkers, s->state.iteration);
    s->state.iteration++;
    CHGI_TRY(learn(s));
    s->state.seconds = s->earlier + now() - s->begun;
    if (should_stop(s) && s->config->label)
        return CHGNET_OK; /* labels may be missing: the iteration is done again, its labels are kept */
    tell(s);
    return chgi_journal_checkpoint(s->ctx, &s->journal, s->config, &s->state);
}

static bool has_reached_target(const search *s)
{
    int64_t best = chgi_pool_best(&s->state.pool);
    return best >= 0 && s->state.pool.minima[best].free_energy < s->config->target;
}

static chgnet_status go_on(search *s)
{
    while (s->state.n_minimised < s->config->budget && !should_stop(s) && !has_reached_target(s)) {
        if (s->config->label && s->config->sampler == CHGI_GOFEE && s->state.n_label >= s->config->labels)
            break;
        CHGI_TRY(iterate(s));
    }
    return CHGNET_OK;
}

/* The correction of the generation that the checkpoint knows, and the pool described by it. */
static chgnet_status restore(search *s)
{
    char path[CHGI_JOURNAL_PATH];
    CHGI_TRY(chgi_journal_open(s->ctx, s->config, &s->journal, &s->state));
    s->earlier = s->state.seconds;
    if (s->state.generation > 0) {
        chgi_learn_path(&s->journal, s->state.generation, path);
        CHGI_TRY(chgi_delta_file_load(s->ctx, path, &s->learned));
        CHGI_TRY(correct_workers(s, s->learned->gp));
    }
    return evaluate_pool(s, true);
}

static chgnet_status begin(search *s, const char *path)
{
    chgi_walker_start(s->config, s->config->walkers, s->state.walkers);
    CHGI_TRY(chgi_journal_create(s->ctx, s->config, path, &s->journal));
    return chgi_journal_checkpoint(s->ctx, &s->journal, s->config, &s->state);
}

chgnet_status chgi_search_run(chgnet_context *ctx, chgi_search_config *config, const char *path,
                              const chgnet_model *model, const chgnet_delta *delta, const chgi_search_watch *watch)
{
    search s = {.ctx = ctx, .config = config, .model = model, .watch = watch, .begun = now()};
    chgnet_status status;
    s.journal.candidates.fd = s.journal.labels.fd = s.journal.log.fd = -1;
    s.state.walkers = chgi_memory_new((size_t)config->walkers, sizeof *s.state.walkers);
    status = s.state.walkers ? create_workers(&s)
                             : chgi_context_nomem(ctx, (size_t)config->walkers, sizeof *s.state.walkers);
    if (status == CHGNET_OK && delta)
        status = correct_workers(&s, delta->gp);
    if (status == CHGNET_OK)
        status = path ? begin(&s, path) : restore(&s);
    if (status == CHGNET_OK)
        status = go_on(&s);
    for (int k = 0; k < s.n_worker; k++)
        chgi_worker_destroy(&s.workers[k]);
    chgi_journal_close(&s.journal);
    chgi_pool_destroy(&s.state.pool);
    chgi_delta_file_destroy(s.learned);
    chgi_memory_free(s.workers);
    chgi_memory_free(s.trials);
    chgi_memory_free(s.state.walkers);
    return status;
}
