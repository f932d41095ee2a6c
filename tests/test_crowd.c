/* The crowd: every item is worked on once and comes back in order, whatever the number of workers; stops and failures.
 */
#include "sample.h"
#include "task/crowd.h"

enum { MOST = 200 };

typedef struct item {
    int number, worked;
    double result;
} item;

typedef struct scene {
    item items[MOST];
    int n_item, produced, consumed, done, disordered, workers;
    int stop_after, fail_at; /* consumed items; 0: never */
    bool begin_fails, produce_fails;
} scene;

static chgnet_status produce(void *user, void **next)
{
    scene *s = user;
    if (s->produce_fails && s->produced == s->n_item)
        return CHGNET_EIO;
    *next = s->produced < s->n_item ? &s->items[s->produced] : NULL;
    if (*next)
        s->items[s->produced].number = s->produced;
    s->produced += *next != NULL;
    return CHGNET_OK;
}

static chgnet_status begin(void *user, int n_worker)
{
    scene *s = user;
    s->workers = n_worker;
    return s->begin_fails ? CHGNET_ENOMEM : CHGNET_OK;
}

/* Early items take longer than later ones, so that they finish out of order. */
static void work(void *user, int worker, void *next)
{
    item *i = next;
    (void)user, (void)worker;
    double x = i->number;
    for (int k = 0; k < (MOST - i->number) * 50; k++)
        x = cos(x);
    i->worked++;
    i->result = x;
}

static chgnet_status consume(void *user, void *next, bool done)
{
    scene *s = user;
    item *i = next;
    s->disordered += i->number != s->consumed;
    s->disordered += i->worked != done;
    s->consumed++;
    s->done += done;
    return s->fail_at && s->consumed == s->fail_at ? CHGNET_EIO : CHGNET_OK;
}

static bool stop(void *user)
{
    scene *s = user;
    return s->stop_after && s->consumed >= s->stop_after;
}

static chgnet_status run(chgnet_context *ctx, scene *s, int n_worker)
{
    const chgi_crowd crowd = {.n_worker = n_worker,
                              .user = s,
                              .produce = produce,
                              .begin = begin,
                              .work = work,
                              .consume = consume,
                              .stop = stop};
    return chgi_crowd_run(ctx, &crowd);
}

static void check(chgnet_context *ctx, int n_worker)
{
    static scene s;
    const int sizes[] = {0, 1, 2, 3, MOST};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        s = (scene){.n_item = sizes[k]};
        tap_is_int(run(ctx, &s, n_worker), CHGNET_OK, "a crowd runs");
        tap_ok(s.done == sizes[k] && s.disordered == 0 && s.workers == (sizes[k] < n_worker ? sizes[k] : n_worker),
               "%d items, at most %d workers: %d work, all comes back in order", sizes[k], n_worker, s.workers);
    }
    s = (scene){.n_item = MOST, .stop_after = 20};
    tap_is_int(run(ctx, &s, n_worker), CHGNET_OK, "a stop is no failure");
    tap_ok(s.consumed == s.produced && s.disordered == 0 && s.done >= 20 && s.done <= 20 + 5 * n_worker,
           "%d of %d were done, and all that were there came back", s.done, s.produced);
    s = (scene){.n_item = MOST, .fail_at = 20};
    tap_is_int(run(ctx, &s, n_worker), CHGNET_EIO, "who consumes fails");
    tap_ok(s.consumed == s.produced && s.disordered == 0 && s.produced < MOST, "%d came back", s.consumed);
    s = (scene){.n_item = 30, .produce_fails = true};
    tap_is_int(run(ctx, &s, n_worker), CHGNET_EIO, "who produces fails");
    tap_ok(s.consumed == 30 && s.disordered == 0, "what was there comes back");
    s = (scene){.n_item = 30, .begin_fails = true};
    tap_is_int(run(ctx, &s, n_worker), CHGNET_ENOMEM, "the beginning fails");
    tap_ok(s.consumed == s.produced && s.done == 0, "nothing was done");
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    check(ctx, 1);
    check(ctx, 2);
    check(ctx, 7);
    chgnet_context_destroy(ctx);
    return tap_done();
}
