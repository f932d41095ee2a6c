/* Many pieces of work, one after the other for whoever gives and takes them, side by side in between.
 *
 * The caller's thread produces items and consumes the finished ones in the order in which they were produced; workers,
 * each a thread of its own, work on what lies between.  No more than a few items per worker are there at a time.  With
 * one worker there are no threads: the caller's does all. */
#ifndef CHGI_TASK_CROWD_H
#define CHGI_TASK_CROWD_H

#include "base/context.h"

typedef struct chgi_crowd {
    int n_worker; /**< at most so many */
    void *user;   /**< given to all functions */
    /** The next item; NULL when there is none.  Called by the caller's thread.
     *  \return CHGNET_OK; anything else ends the run as if there were no more items, and is what it returns */
    chgnet_status (*produce)(void *user, void **item);
    /** Called once, when the first items are there (up to n_worker, fewer where there are no more) and before any work.
     *  \param[in] n_worker  how many will work: 1 to the number of items.  So threads that have no item of their own
     * can help inside the others. */
    chgnet_status (*begin)(void *user, int n_worker);
    /** Work on an item.  Called by worker 0 to n_worker-1, at the same time as other workers and as produce and
     * consume. What went wrong is noted in the item. */
    void (*work)(void *user, int worker, void *item);
    /** Take an item back, in order.  Called by the caller's thread.
     *  \param[in] done  false when nobody worked on it, after a stop
     *  \return CHGNET_OK; anything else stops the run and is what it returns */
    chgnet_status (*consume)(void *user, void *item, bool done);
    /** True when the run is to stop: what is in work is finished, nothing else is begun.  NULL: never. */
    bool (*stop)(void *user);
} chgi_crowd;

/** Every item that was produced is consumed, also after a stop or a failure.
 *  \return CHGNET_OK, also after a stop; what produce, begin or consume said first; CHGNET_ENOMEM; CHGNET_EINTERNAL
 * when no thread can be made */
chgnet_status chgi_crowd_run(chgnet_context *ctx, const chgi_crowd *crowd);

#endif
