/* Manners of a guest in the host's process: floating-point state, and work after a fork. */
#ifndef CHGI_API_GUEST_H
#define CHGI_API_GUEST_H

#include <fenv.h>

#include "base/context.h"

typedef struct chgi_guest {
    fenv_t state; /**< the host's flags, traps and rounding */
    int n_thread; /**< threads whose traps were taken off; 1: the caller's alone */
} chgi_guest;

/** Put the host's floating-point state aside.  Kernels compute with numbers that overflow or are none and drop them
 *  later, which a host that traps exceptions would die of.  Where it traps, threads of the pool do so too: those are
 *  asked one by one.
 *  \param[in] n_thread  threads that the work to come uses */
void chgi_guest_enter(chgi_guest *guest, int n_thread);

/** Give it back as it was, flags too.  \return `status` */
chgnet_status chgi_guest_leave(const chgi_guest *guest, chgnet_status status);

/** Work between both.  In a child that was forked after the library was loaded it runs in a thread of its own: the
 *  forking thread believes in a pool of threads that the child does not have, and would wait for it for ever.
 *  \return what `work` returns; CHGNET_ENOMEM where there is no thread to be had */
chgnet_status chgi_guest_run(chgnet_context *ctx, int n_thread, chgnet_status (*work)(void *), void *argument);

#endif
