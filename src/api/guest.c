#define _GNU_SOURCE /* fegetexcept */
#include "api/guest.h"

#include <omp.h>
#include <pthread.h>
#include <unistd.h>

/* Set once, before anything else of the library runs. */
static pid_t loaded_by;

__attribute__((constructor)) static void remember_process(void)
{
    loaded_by = getpid();
}

static bool is_trapping(void)
{
#ifdef __GLIBC__
    return fegetexcept() > 0;
#else
    return false; /* no way to ask; the calling thread's traps are taken off all the same */
#endif
}

void chgi_guest_enter(chgi_guest *guest, int n_thread)
{
    guest->n_thread = is_trapping() && n_thread > 1 ? n_thread : 1;
    feholdexcept(&guest->state);
    if (guest->n_thread == 1)
        return;
#pragma omp parallel num_threads(guest->n_thread)
    {
        fenv_t workers;
        feholdexcept(&workers);
    }
}

chgnet_status chgi_guest_leave(const chgi_guest *guest, chgnet_status status)
{
    if (guest->n_thread > 1) {
#pragma omp parallel num_threads(guest->n_thread)
        fesetenv(&guest->state);
    }
    fesetenv(&guest->state);
    return status;
}

typedef struct job {
    chgnet_status (*work)(void *);
    void *argument;
    chgnet_status status;
} job;

static void *do_job(void *given)
{
    job *one = given;
    one->status = one->work(one->argument);
    return NULL;
}

chgnet_status chgi_guest_run(chgnet_context *ctx, int n_thread, chgnet_status (*work)(void *), void *argument)
{
    chgi_guest guest;
    pthread_t thread;
    job one = {work, argument, CHGNET_OK};
    if (getpid() == loaded_by) {
        chgi_guest_enter(&guest, n_thread);
        return chgi_guest_leave(&guest, work(argument));
    }
    chgi_guest_enter(&guest, 1); /* the new thread, and its pool, inherit that */
    if (pthread_create(&thread, NULL, do_job, &one) != 0)
        one.status = chgi_context_fail(ctx, CHGNET_ENOMEM, "no thread to compute in; allow this process more threads");
    else
        pthread_join(thread, NULL);
    return chgi_guest_leave(&guest, one.status);
}
