#include "task/judge_set.h"

#include "base/memory.h"
#include "calc/calculator.h"

typedef struct job {
    const chgi_embed_choice *choice;
    const chgi_delta *delta;
    chgi_judgement *judgement;
} job;

/* Forces of CHGNet alone, where another prediction is the base: the correction is the difference to them. */
static chgnet_status plain_forces(chgnet_context *ctx, chgnet_calculator *calculator, const chgi_labelled *l,
                                  double **plain)
{
    size_t n = 3 * (size_t)l->structure.n_atom;
    *plain = chgi_memory_new(n, sizeof **plain);
    if (!*plain)
        return chgi_context_nomem(ctx, n, sizeof **plain);
    CHGI_TRY(chgi_calculator_set_delta(calculator, NULL));
    CHGI_TRY(chgi_calculator_set_structure(calculator, &l->structure));
    CHGI_TRY(chgi_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
    for (size_t k = 0; k < n; k++)
        (*plain)[k] = calculator->forces[k];
    return CHGNET_OK;
}

static chgnet_status judge_forces(chgnet_context *ctx, const chgnet_calculator *calculator, const chgi_labelled *l,
                                  const double *plain, chgi_judged *row)
{
    CHGI_TRY(chgi_judged_allocate(ctx, l->n_force, row));
    for (int64_t k = 0; k < l->n_force; k++) {
        int32_t c = l->component[k];
        row->forces[0][k] = l->forces[c];
        row->forces[1][k] = l->base_forces[c];
        row->forces[2][k] = l->base_forces[c] + calculator->forces[c] - plain[c];
    }
    return CHGNET_OK;
}

static chgnet_status judge_corrected(chgnet_context *ctx, chgnet_calculator *calculator, const job *j,
                                     const chgi_labelled *l, const double *plain, chgi_judged *row)
{
    bool forces = l->n_force > 0;
    CHGI_TRY(chgi_calculator_set_delta(calculator, j->delta));
    CHGI_TRY(chgi_calculator_set_structure(calculator, &l->structure));
    CHGI_TRY(chgi_calculator_compute(calculator,
                                     CHGNET_WANT_ENERGY | CHGNET_WANT_STD | (forces ? CHGNET_WANT_GRADIENT : 0)));
    chgi_judged_begin(j->delta, l, row);
    row->after = l->base_energy + calculator->delta_energy;
    row->std = calculator->energy_std;
    return forces ? judge_forces(ctx, calculator, l, plain, row) : CHGNET_OK;
}

static chgnet_status judge(chgnet_context *ctx, chgnet_calculator *calculator, chgi_labelled *l, int64_t index,
                           void *user)
{
    const job *j = user;
    double *plain = NULL;
    bool given = j->choice->base_given && l->n_force > 0;
    chgnet_status status = given ? plain_forces(ctx, calculator, l, &plain) : CHGNET_OK;
    if (status == CHGNET_OK)
        status = judge_corrected(ctx, calculator, j, l, given ? plain : l->base_forces, &j->judgement->rows[index]);
    chgi_memory_free(plain);
    return status;
}

chgnet_status chgi_judge_set(chgnet_context *ctx, const chgi_embed_choice *choice, const chgi_delta *delta,
                             chgi_label_set *set, chgi_judgement *judgement)
{
    chgi_embed_choice own = *choice;
    own.with_jacobians = false;
    CHGI_TRY(chgi_embed_set(ctx, &own, set));
    job j = {.choice = &own, .delta = delta, .judgement = judgement};
    CHGI_TRY(chgi_judgement_create(ctx, set->n_label, judgement));
    own.skip_bad = false; /* rows belong to labels: none may go now */
    chgnet_status status = chgi_embed_each(ctx, &own, 0, 1, judge, &j, set);
    if (status != CHGNET_OK)
        chgi_judgement_destroy(judgement);
    return status;
}
