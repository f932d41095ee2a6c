#include "task/crowd.h"

#include <pthread.h>
#include <stdint.h>

#include "base/memory.h"

enum { ITEMS_PER_WORKER = 4 };

typedef enum progress { WAITING, IN_WORK, DONE } progress;

typedef struct slot {
    void *item;
    progress progress;
} slot;

/* Items first..end-1 are there, in a ring of slots; next is the first that nobody has begun. */
typedef struct run {
    const chgi_crowd *crowd;
    slot *slots;
    int64_t n_slot, first, next, end;
    bool ended;    /* no more items will be produced */
    bool stopping; /* no more items will be begun */
    chgnet_status status;
    pthread_mutex_t mutex;
    pthread_cond_t work_there, work_done;
} run;

typedef struct worker {
    run *run;
    int number;
    pthread_t thread;
} worker;

static slot *slot_of(run *r, int64_t number)
{
    return &r->slots[number % r->n_slot];
}

static void note(run *r, chgnet_status status)
{
    if (r->status == CHGNET_OK)
        r->status = status;
    if (status != CHGNET_OK)
        r->ended = true;
}

/* ---- the caller's side; the mutex is not held -------------------------------------------------- */

static void *produce(run *r)
{
    void *item = NULL;
    if (!r->ended)
        note(r, r->crowd->produce(r->crowd->user, &item));
    if (!item)
        r->ended = true;
    return item;
}

static void add(run *r, void *item)
{
    *slot_of(r, r->end) = (slot){.item = item, .progress = WAITING};
    r->end++;
}

static bool wants_stop(run *r)
{
    return r->status != CHGNET_OK || (r->crowd->stop && r->crowd->stop(r->crowd->user));
}

/* ---- one worker -------------------------------------------------------------------------------- */

static void run_alone(run *r)
{
    for (;;) {
        r->ended = r->ended || wants_stop(r);
        void *item = r->first < r->end ? slot_of(r, r->first++)->item : produce(r);
        if (!item)
            return;
        bool done = !wants_stop(r);
        if (done)
            r->crowd->work(r->crowd->user, 0, item);
        note(r, r->crowd->consume(r->crowd->user, item, done));
    }
}

/* ---- several workers --------------------------------------------------------------------------- */

static void *work(void *argument)
{
    worker *w = argument;
    run *r = w->run;
    pthread_mutex_lock(&r->mutex);
    for (;;) {
        while (r->next == r->end && !r->ended && !r->stopping)
            pthread_cond_wait(&r->work_there, &r->mutex);
        if (r->next == r->end || r->stopping)
            break;
        slot *mine = slot_of(r, r->next++);
        mine->progress = IN_WORK;
        pthread_mutex_unlock(&r->mutex);
        r->crowd->work(r->crowd->user, w->number, mine->item);
        pthread_mutex_lock(&r->mutex);
        mine->progress = DONE;
        pthread_cond_signal(&r->work_done);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* Take back the first item; the mutex is held on entry and on return. */
static void take_back(run *r)
{
    slot *oldest = slot_of(r, r->first);
    void *item = oldest->item;
    bool done = oldest->progress == DONE;
    r->first++;
    r->next = r->next > r->first ? r->next : r->first;
    pthread_mutex_unlock(&r->mutex);
    chgnet_status status = r->crowd->consume(r->crowd->user, item, done);
    pthread_mutex_lock(&r->mutex);
    note(r, status);
}

static void bring(run *r)
{
    pthread_mutex_unlock(&r->mutex);
    void *item = NULL;
    chgnet_status status = r->crowd->produce(r->crowd->user, &item);
    pthread_mutex_lock(&r->mutex);
    note(r, status);
    if (item)
        add(r, item);
    else
        r->ended = true;
    pthread_cond_broadcast(&r->work_there);
}

static void run_together(run *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->first < r->end || !r->ended) {
        if (!r->stopping && wants_stop(r)) {
            r->stopping = r->ended = true;
            pthread_cond_broadcast(&r->work_there);
        }
        progress oldest = r->first < r->end ? slot_of(r, r->first)->progress : WAITING;
        bool is_there = r->first < r->end;
        if (is_there && (oldest == DONE || (r->stopping && oldest == WAITING)))
            take_back(r);
        else if (!r->ended && r->end - r->first < r->n_slot)
            bring(r);
        else
            pthread_cond_wait(&r->work_done, &r->mutex);
    }
    r->stopping = true;
    pthread_cond_broadcast(&r->work_there);
    pthread_mutex_unlock(&r->mutex);
}

/* As many workers as threads can be made for; the items wait for whoever is there. */
static chgnet_status employ(chgnet_context *ctx, run *r, worker *workers, int n_worker)
{
    int made = 0;
    while (made < n_worker) {
        workers[made] = (worker){.run = r, .number = made};
        if (pthread_create(&workers[made].thread, NULL, work, &workers[made]) != 0)
            break;
        made++;
    }
    if (made > 0)
        run_together(r);
    for (int k = 0; k < made; k++)
        pthread_join(workers[k].thread, NULL);
    return made > 0 ? r->status
                    : chgi_context_fail(ctx, CHGNET_EINTERNAL, "no thread can be made; allow more, or give -t 1");
}

/* ---- the run ----------------------------------------------------------------------------------- */

static void drop_all(run *r)
{
    for (; r->first < r->end; r->first++)
        note(r, r->crowd->consume(r->crowd->user, slot_of(r, r->first)->item, false));
}

static chgnet_status run_all(chgnet_context *ctx, run *r)
{
    const chgi_crowd *crowd = r->crowd;
    while (r->end < crowd->n_worker && !r->ended && !wants_stop(r)) {
        void *item = produce(r);
        if (item)
            add(r, item);
    }
    int n_worker = (int)r->end;
    if (n_worker == 0)
        return r->status;
    note(r, crowd->begin(crowd->user, n_worker));
    if (r->status != CHGNET_OK) {
        drop_all(r);
        return r->status;
    }
    if (n_worker == 1) {
        run_alone(r);
        return r->status;
    }
    worker *workers = chgi_memory_new((size_t)n_worker, sizeof *workers);
    if (!workers) {
        drop_all(r);
        return chgi_context_nomem(ctx, (size_t)n_worker, sizeof *workers);
    }
    chgnet_status status = employ(ctx, r, workers, n_worker);
    drop_all(r);
    chgi_memory_free(workers);
    return status;
}

chgnet_status chgi_crowd_run(chgnet_context *ctx, const chgi_crowd *crowd)
{
    run r = {.crowd = crowd, .n_slot = (int64_t)crowd->n_worker * ITEMS_PER_WORKER};
    r.slots = chgi_memory_new((size_t)r.n_slot, sizeof *r.slots);
    if (!r.slots)
        return chgi_context_nomem(ctx, (size_t)r.n_slot, sizeof *r.slots);
    pthread_mutex_init(&r.mutex, NULL);
    pthread_cond_init(&r.work_there, NULL);
    pthread_cond_init(&r.work_done, NULL);
    chgnet_status status = run_all(ctx, &r);
    pthread_cond_destroy(&r.work_done);
    pthread_cond_destroy(&r.work_there);
    pthread_mutex_destroy(&r.mutex);
    chgi_memory_free(r.slots);
    return status;
}
