#include "task/embed.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "calc/jacobian.h"

/* ---- one label -------------------------------------------------------------------------------- */

static chgnet_status copy_doubles(chgnet_context *ctx, const double *from, size_t n, double **to)
{
    if (!*to)
        *to = chgi_memory_new(n, sizeof **to);
    if (!*to)
        return chgi_context_nomem(ctx, n, sizeof **to);
    memcpy(*to, from, n * sizeof **to);
    return CHGNET_OK;
}

/* The components whose forces count, and what the base lacks there. */
static chgnet_status list_forces(chgnet_context *ctx, chgi_labelled *l)
{
    size_t n = 3 * (size_t)l->structure.n_atom;
    l->component = chgi_memory_new(n, sizeof *l->component);
    l->residual = chgi_memory_new(n, sizeof *l->residual);
    if (!l->component || !l->residual)
        return chgi_context_nomem(ctx, n, sizeof *l->component + sizeof *l->residual);
    l->n_force = 0;
    for (size_t k = 0; k < n; k++) {
        if (l->use && !l->use[k])
            continue;
        l->component[l->n_force] = (int32_t)k;
        l->residual[l->n_force++] = l->forces[k] - l->base_forces[k];
    }
    return CHGNET_OK;
}

static chgnet_status embed(chgnet_context *ctx, chgnet_calculator *calculator, chgi_labelled *l, int64_t index,
                           void *user)
{
    const chgi_embed_choice *choice = user;
    (void)index;
    size_t n = (size_t)l->structure.n_atom, n_feature = (size_t)calculator->n_feature;
    bool forces = choice->with_forces && l->forces, gradient = forces && !choice->base_given;
    CHGI_TRY(chgi_calculator_set_structure(calculator, &l->structure));
    CHGI_TRY(chgi_calculator_compute(calculator, CHGNET_WANT_ENERGY | (gradient ? CHGNET_WANT_GRADIENT : 0)));
    if (!choice->base_given)
        l->base_energy = calculator->energy;
    if (gradient)
        CHGI_TRY(copy_doubles(ctx, calculator->forces, 3 * n, &l->base_forces));
    bool last = choice->layer == CHGI_ATOM_FEA_FINAL;
    CHGI_TRY(copy_doubles(ctx, last ? calculator->atom_fea_final : calculator->atom_fea, n * n_feature, &l->fea));
    return forces ? list_forces(ctx, l) : CHGNET_OK;
}

static chgnet_status differentiate(chgnet_context *ctx, chgnet_calculator *calculator, chgi_labelled *l, int64_t index,
                                   void *user)
{
    const chgi_embed_choice *choice = user;
    (void)index;
    size_t n = (size_t)l->n_force * (size_t)l->structure.n_atom, n_feature = (size_t)calculator->n_feature;
    if (l->n_force == 0)
        return CHGNET_OK;
    l->jacobian = chgi_memory_new(n, n_feature * sizeof *l->jacobian);
    if (!l->jacobian)
        return chgi_context_nomem(ctx, n, n_feature * sizeof *l->jacobian);
    CHGI_TRY(chgi_calculator_set_structure(calculator, &l->structure));
    return chgi_calculator_jacobian(calculator, choice->layer, l->n_force, l->component, l->jacobian);
}

/* ---- all labels ------------------------------------------------------------------------------- */

/* One pass over a set: each thread has its own calculator and context. */
typedef struct pass {
    const chgi_embed_choice *choice;
    chgi_label_set *set;
    chgi_label_function function;
    void *user;
    chgnet_status *status; /* (n_label) */
    char (*error)[sizeof((chgnet_context *)0)->error];
    chgnet_status common; /* what kept a thread from starting */
    double from, share;   /* of the progress */
    int64_t n_done;
} pass;

static void run_one(pass *p, chgnet_calculator *calculator, int64_t i)
{
    chgnet_context *ctx = calculator->ctx;
    p->status[i] = p->function(ctx, calculator, &p->set->labels[i], i, p->user);
    if (p->status[i] != CHGNET_OK)
        memcpy(p->error[i], ctx->error, sizeof p->error[i]);
#pragma omp critical(chgi_embed_progress)
    {
        p->n_done++;
        if (p->choice->progress)
            p->choice->progress(p->choice->user, p->from + p->share * (double)p->n_done / (double)p->set->n_label,
                                p->n_done);
    }
}

static void run_thread(pass *p)
{
    chgnet_context *ctx = NULL;
    chgnet_calculator *calculator = NULL;
    chgnet_status status = chgnet_context_create(&ctx);
    if (status == CHGNET_OK)
        status = chgi_calculator_create(ctx, p->choice->model, true, 1, NULL, &calculator);
    if (status != CHGNET_OK) {
#pragma omp critical(chgi_embed_progress)
        p->common = status;
    }
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < p->set->n_label; i++)
        if (calculator)
            run_one(p, calculator, i);
    chgi_calculator_destroy(calculator);
    chgnet_context_destroy(ctx);
}

/* Whatever the threads did first, the first label that failed is told. */
static chgnet_status sum_up(chgnet_context *ctx, const pass *p)
{
    if (p->common != CHGNET_OK)
        return chgi_context_fail(ctx, p->common, "a calculator could not be made: %s", chgnet_status_text(p->common));
    for (int64_t i = 0; i < p->set->n_label; i++) {
        char place[512];
        if (p->status[i] == CHGNET_OK || (p->status[i] == CHGNET_EINPUT && p->choice->skip_bad))
            continue;
        chgi_label_set_place(p->set, i, place, sizeof place);
        return chgi_context_fail(ctx, p->status[i], "%s: %s", place, p->error[i]);
    }
    return CHGNET_OK;
}

/* Leave out labels, keeping the order of the others. */
static void remove_labels(chgi_label_set *set, const bool *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < set->n_label; i++) {
        if (out[i])
            chgi_labelled_destroy(&set->labels[i]);
        else {
            chgi_labelled kept = set->labels[i];
            set->labels[i] = (chgi_labelled){0};
            set->labels[n++] = kept;
        }
    }
    set->n_label = n;
}

static chgnet_status leave_out_failed(chgnet_context *ctx, const pass *p)
{
    bool *out = chgi_memory_new((size_t)p->set->n_label, sizeof *out);
    if (!out)
        return chgi_context_nomem(ctx, (size_t)p->set->n_label, sizeof *out);
    for (int64_t i = 0; i < p->set->n_label; i++) {
        char place[512];
        out[i] = p->status[i] != CHGNET_OK;
        if (!out[i])
            continue;
        chgi_label_set_place(p->set, i, place, sizeof place);
        chgi_context_warn(ctx, CHGI_WARN_LABEL, "a label is left out: %s: %s", place, p->error[i]);
        p->set->n_skipped++;
    }
    remove_labels(p->set, out);
    chgi_memory_free(out);
    return CHGNET_OK;
}

static chgnet_status run_pass(chgnet_context *ctx, pass *p)
{
    size_t n = (size_t)p->set->n_label;
    int n_thread = p->choice->n_thread > 0 ? p->choice->n_thread : omp_get_max_threads();
    p->status = chgi_memory_new(n, sizeof *p->status);
    p->error = chgi_memory_new(n, sizeof *p->error);
    chgnet_status status = p->status && p->error ? CHGNET_OK : chgi_context_nomem(ctx, n, sizeof *p->error);
    if (status == CHGNET_OK) {
#pragma omp parallel num_threads(n_thread)
        run_thread(p);
        status = sum_up(ctx, p);
    }
    if (status == CHGNET_OK)
        status = leave_out_failed(ctx, p);
    chgi_memory_free(p->status);
    chgi_memory_free(p->error);
    return status;
}

/* ---- repeats ---------------------------------------------------------------------------------- */

static chgnet_status judge_repeat(chgnet_context *ctx, const chgi_embed_choice *choice, chgi_label_set *set, int64_t i,
                                  bool *out)
{
    int64_t other = 0;
    char here[400], there[400];
    chgi_repeat repeat = chgi_label_set_find_repeat(set, i, &other);
    if (repeat == CHGI_REPEAT_NONE)
        return CHGNET_OK;
    chgi_label_set_place(set, i, here, sizeof here);
    chgi_label_set_place(set, other, there, sizeof there);
    if (repeat == CHGI_REPEAT_SAME) {
        chgi_context_warn(ctx, CHGI_WARN_REPEAT, "%s repeats the label of %s: only the first is taken", here, there);
        set->n_duplicate++;
    } else {
        if (!choice->skip_bad)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "%s: contradicts %s: the same structure with energies %.6f and %.6f eV, or other "
                                     "forces; keep the right one, or leave such labels out by --skip-bad",
                                     here, there, set->labels[i].energy, set->labels[other].energy);
        chgi_context_warn(ctx, CHGI_WARN_CONTRADICTION, "a label is left out: %s contradicts %s", here, there);
        set->n_skipped++;
    }
    out[i] = true;
    return CHGNET_OK;
}

static chgnet_status check_repeats(chgnet_context *ctx, const chgi_embed_choice *choice, chgi_label_set *set)
{
    chgnet_status status = CHGNET_OK;
    bool *out = chgi_memory_new((size_t)set->n_label, sizeof *out);
    if (!out)
        return chgi_context_nomem(ctx, (size_t)set->n_label, sizeof *out);
    for (int64_t i = 0; status == CHGNET_OK && i < set->n_label; i++)
        status = judge_repeat(ctx, choice, set, i, out);
    if (status == CHGNET_OK)
        remove_labels(set, out);
    chgi_memory_free(out);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------- */

double chgi_embed_bytes(const chgi_label_set *set, int n_feature)
{
    double bytes = 0;
    for (int64_t i = 0; i < set->n_label; i++)
        bytes += 8.0 * (double)set->labels[i].n_force * (double)set->labels[i].structure.n_atom * n_feature;
    return bytes;
}

static chgnet_status check_memory(chgnet_context *ctx, const chgi_label_set *set)
{
    double bytes = chgi_embed_bytes(set, set->n_feature);
    if (bytes < 0.9 * (double)chgi_memory_physical())
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_ENOMEM,
                             "forces of %lld labels need %.1f GB for derivatives of the embeddings; take fewer labels, "
                             "a mask, or energies only",
                             (long long)set->n_label, bytes / 1e9);
}

chgnet_status chgi_embed_each(chgnet_context *ctx, const chgi_embed_choice *choice, double from, double share,
                              chgi_label_function function, void *user, chgi_label_set *set)
{
    pass p = {.choice = choice, .set = set, .function = function, .user = user, .from = from, .share = share};
    return run_pass(ctx, &p);
}

chgnet_status chgi_embed_set(chgnet_context *ctx, const chgi_embed_choice *choice, chgi_label_set *set)
{
    chgi_embed_choice own = *choice;
    double first = choice->with_jacobians ? 0.2 : 1;
    set->n_feature = chgnet_model_get_info(choice->model).n_feature;
    CHGI_TRY(chgi_embed_each(ctx, choice, 0, first, embed, &own, set));
    if (choice->check)
        CHGI_TRY(check_repeats(ctx, choice, set));
    if (!choice->with_jacobians)
        return CHGNET_OK;
    CHGI_TRY(check_memory(ctx, set));
    return chgi_embed_each(ctx, choice, first, 1 - first, differentiate, &own, set);
}
