#include "task/phonon.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "task/crowd.h"

typedef struct item {
    int64_t number; /* of its displacement; -1: the cell without one */
    chgnet_status status;
    char *error; /* NULL: none, or no memory for it */
} item;

typedef struct run {
    chgnet_context *ctx;
    const chgi_phonon_choice *choice;
    const chgi_displaced *cells;
    double *residual, *forces;
    item *items;        /* (n_displacement + 1) */
    double **positions; /* (n_worker) of (n_atom,3); NULL: this worker's potential knows no structure yet */
    int64_t n_produced, n_done;
} run;

double chgi_phonon_drift(int64_t n_atom, const double *forces)
{
    double sum[3] = {0};
    for (int64_t k = 0; k < 3 * n_atom; k++)
        sum[k % 3] += forces[k];
    return sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
}

/* ---- one cell: the workers' threads ------------------------------------------------------------ */

static chgnet_status set_up(const chgi_phonon_worker *w, const chgi_structure *s, double **positions)
{
    if (*positions)
        return CHGNET_OK;
    CHGI_TRY(w->potential.set_structure(w->potential.self, s));
    *positions = chgi_memory_new((size_t)s->n_atom, 3 * sizeof **positions);
    return *positions ? CHGNET_OK : chgi_context_nomem(w->ctx, (size_t)s->n_atom, 3 * sizeof **positions);
}

static void displace(const chgi_displaced *cells, int64_t number, double *positions)
{
    memcpy(positions, cells->supercell.positions, 3 * (size_t)cells->supercell.n_atom * sizeof *positions);
    for (int c = 0; number >= 0 && c < 3; c++)
        positions[3 * (int64_t)cells->displacements[number].atom + c] += cells->displacements[number].vector[c];
}

static chgnet_status check_std(const run *r, chgnet_context *ctx, double std)
{
    double limit = r->choice->max_std;
    if (limit > 0 && std > limit)
        return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                 "the standard deviation of the energy, %.4g eV, is beyond --max-std %g; give the "
                                 "delta-model labels like this structure",
                                 std, limit);
    return CHGNET_OK;
}

static chgnet_status compute(const run *r, const chgi_phonon_worker *w, double **positions, int64_t number)
{
    const chgi_potential *potential = &w->potential;
    size_t n = 3 * (size_t)r->cells->supercell.n_atom;
    unsigned want = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | (r->choice->max_std > 0 ? CHGNET_WANT_STD : 0);
    chgi_outcome outcome;
    CHGI_TRY(set_up(w, &r->cells->supercell, positions));
    displace(r->cells, number, *positions);
    CHGI_TRY(potential->move(potential->self, *positions, NULL));
    CHGI_TRY(potential->compute(potential->self, want, &outcome));
    CHGI_TRY(check_std(r, w->ctx, outcome.energy_std));
    memcpy(number < 0 ? r->residual : r->forces + (size_t)number * n, outcome.forces, n * sizeof *r->forces);
    return CHGNET_OK;
}

static void work(void *user, int worker, void *product)
{
    run *r = user;
    item *it = product;
    const chgi_phonon_worker *w = &r->choice->workers[worker];
    it->status = compute(r, w, &r->positions[worker], it->number);
    if (it->status == CHGNET_OK)
        return;
    if (it->number >= 0)
        chgi_context_fail(w->ctx, it->status, "displacement %lld: %s", (long long)it->number + 1, w->ctx->error);
    it->error = chgi_memory_copy_text(w->ctx->error);
}

/* ---- all: the caller's thread ------------------------------------------------------------------ */

static chgnet_status produce(void *user, void **product)
{
    run *r = user;
    *product = r->n_produced <= r->cells->n_displacement ? &r->items[r->n_produced] : NULL;
    if (*product)
        r->items[r->n_produced].number = r->n_produced - 1;
    r->n_produced += *product != NULL;
    return CHGNET_OK;
}

static chgnet_status begin(void *user, int n_worker)
{
    (void)user, (void)n_worker;
    return CHGNET_OK;
}

static chgnet_status consume(void *user, void *product, bool done)
{
    run *r = user;
    const item *it = product;
    if (!done)
        return CHGNET_OK;
    if (it->status != CHGNET_OK)
        return chgi_context_fail(r->ctx, it->status, "%s", it->error ? it->error : "not enough memory");
    r->n_done++;
    if (r->choice->progress)
        r->choice->progress(r->choice->user, r->n_done, r->cells->n_displacement + 1);
    return CHGNET_OK;
}

static bool stop(void *user)
{
    const run *r = user;
    return r->choice->stop && r->choice->stop(r->choice->user);
}

static void clean_up(run *r)
{
    for (int64_t k = 0; r->items && k <= r->cells->n_displacement; k++)
        chgi_memory_free(r->items[k].error);
    for (int k = 0; r->positions && k < r->choice->n_worker; k++)
        chgi_memory_free(r->positions[k]);
    chgi_memory_free(r->items);
    chgi_memory_free(r->positions);
}

chgnet_status chgi_phonon_forces(chgnet_context *ctx, const chgi_phonon_choice *choice, const chgi_displaced *cells,
                                 double *residual, double *forces, bool *complete)
{
    run r = {.ctx = ctx, .choice = choice, .cells = cells, .residual = residual, .forces = forces};
    const chgi_crowd crowd = {.n_worker = choice->n_worker,
                              .user = &r,
                              .produce = produce,
                              .begin = begin,
                              .work = work,
                              .consume = consume,
                              .stop = stop};
    size_t n = (size_t)cells->n_displacement + 1;
    r.items = chgi_memory_new(n, sizeof *r.items);
    r.positions = chgi_memory_new((size_t)choice->n_worker, sizeof *r.positions);
    chgnet_status status =
        r.items && r.positions ? chgi_crowd_run(ctx, &crowd) : chgi_context_nomem(ctx, n, sizeof(item));
    *complete = r.n_done == (int64_t)n;
    clean_up(&r);
    return status;
}
