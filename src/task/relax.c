#include "task/relax.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "task/symmetry.h"

static const double GPA = 160.21766208; /* 1 eV/A^3 */

typedef struct relaxation {
    chgnet_context *ctx;
    const chgi_potential *potential;
    const chgi_relax_options *options;
    chgi_structure *structure;
    chgi_symmetry *symmetry;
    chgi_cell_filter filter;
    chgi_minimiser *minimiser;
    double *x, *forces, *step; /* (n_row,3) */
    chgi_outcome outcome;
} relaxation;

chgi_relax_options chgi_relax_options_default(void)
{
    return (chgi_relax_options){.optimizer = CHGI_FIRE, .fmax = 0.05, .steps = 500, .symmetry_tolerance = 0.01};
}

static double largest(const chgi_matrix3 *a)
{
    double most = 0;
    for (int k = 0; k < 9; k++) {
        double size = fabs(a->m[k / 3][k % 3]);
        most = size > most || isnan(size) ? size : most;
    }
    return most;
}

static chgnet_status check_std(const relaxation *r, int64_t step)
{
    double limit = r->options->max_std;
    if (limit > 0 && r->outcome.energy_std > limit)
        return chgi_context_fail(
            r->ctx, CHGNET_ENUMERIC,
            "step %lld: the standard deviation of the energy, %.4g eV, is beyond --max-std %g; give "
            "the delta-model labels like this structure",
            (long long)step, r->outcome.energy_std, limit);
    return CHGNET_OK;
}

/* Forces on all coordinates, and what they say. */
static chgnet_status observe(relaxation *r, int64_t step, chgi_relax_state *state)
{
    const chgi_relax_options *o = r->options;
    const chgi_structure *s = r->structure;
    const unsigned want = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | (o->max_std > 0 ? CHGNET_WANT_STD : 0);
    chgi_matrix3 residual;
    CHGI_TRY(r->potential->compute(r->potential->self, want, &r->outcome));
    CHGI_TRY(check_std(r, step));
    CHGI_TRY(chgi_cell_filter_forces(r->ctx, &r->filter, s, &r->outcome, r->forces, &residual));
    *state = (chgi_relax_state){.step = step, .energy = r->outcome.energy, .structure = s, .outcome = &r->outcome};
    state->fmax = chgi_longest_row(r->forces, r->filter.n_row);
    state->smax = largest(&residual) * GPA;
    state->volume = isnan(state->smax) ? NAN : fabs(chgi_structure_volume(s->cell));
    state->converged = state->fmax < o->fmax && (o->smax == 0 || state->smax < o->smax);
    return CHGNET_OK;
}

static chgnet_status move(relaxation *r)
{
    return r->potential->move(r->potential->self, r->structure->positions, (const double(*)[3])r->structure->cell);
}

/* Beyond these volumes no minimum lies, and a cell that goes on shrinking would fill the memory with neighbours. */
static chgnet_status check_volume(const relaxation *r)
{
    static const double LEAST = 0.7, MOST = 1e5; /* A^3 for each atom */
    double volume = fabs(chgi_structure_volume((const double(*)[3])r->structure->cell)) / (double)r->structure->n_atom;
    bool is_bulk = r->structure->pbc[0] && r->structure->pbc[1] && r->structure->pbc[2];
    if (!is_bulk || r->options->cell == CHGI_CELL_NONE || (volume > LEAST && volume < MOST))
        return CHGNET_OK;
    return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                             "the cell has %s to %.3g A^3 for each atom; check the structure and the pressure",
                             volume > LEAST ? "grown" : "shrunk", volume);
}

static chgnet_status take_step(relaxation *r)
{
    CHGI_TRY(chgi_cell_filter_pack(r->ctx, &r->filter, r->structure, r->x));
    CHGI_TRY(chgi_minimiser_step(r->minimiser, r->x, r->forces, r->step));
    for (int64_t k = 0; k < 3 * r->filter.n_row; k++)
        r->x[k] += r->step[k];
    CHGI_TRY(chgi_cell_filter_unpack(r->ctx, &r->filter, r->x, r->structure));
    CHGI_TRY(check_volume(r));
    return move(r);
}

/* What a step has made of a good structure is no bad input. */
static chgnet_status lost(chgnet_context *ctx, int64_t step, chgnet_status status)
{
    if (status != CHGNET_EINPUT)
        return status;
    return chgi_context_fail(ctx, CHGNET_ENUMERIC, "step %lld: %s", (long long)step, ctx->error);
}

static chgnet_status prepare(relaxation *r)
{
    const chgi_relax_options *o = r->options;
    chgi_structure *s = r->structure;
    if (o->smax > 0 && !(s->pbc[0] && s->pbc[1] && s->pbc[2]))
        return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                                 "a stress needs a cell with three periodic axes; leave out --smax");
    CHGI_TRY(r->potential->set_structure(r->potential->self, s)); /* checks it */
    if (o->keep_symmetry) {
        CHGI_TRY(chgi_symmetry_create(r->ctx, s, o->symmetry_tolerance, &r->symmetry));
        CHGI_TRY(move(r));
    }
    CHGI_TRY(chgi_cell_filter_begin(r->ctx, &r->filter, s, o->cell, o->pressure / GPA, r->symmetry));
    CHGI_TRY(chgi_minimiser_create(r->ctx, o->optimizer, r->filter.n_row, &r->minimiser));
    size_t count = 3 * (size_t)r->filter.n_row;
    r->x = chgi_memory_new(count, sizeof *r->x);
    r->forces = chgi_memory_new(count, sizeof *r->forces);
    r->step = chgi_memory_new(count, sizeof *r->step);
    return r->x && r->forces && r->step ? CHGNET_OK : chgi_context_nomem(r->ctx, 3 * count, sizeof *r->x);
}

static void note(const chgi_relax_state *state, chgi_relax_report *report)
{
    if (state->step == 0) {
        report->first_energy = state->energy;
        report->first_volume = state->volume;
    }
    report->steps = state->step;
    report->energy = state->energy;
    report->fmax = state->fmax;
    report->smax = state->smax;
    report->volume = state->volume;
    report->converged = state->converged;
}

static chgnet_status iterate(relaxation *r, chgi_relax_watcher watcher, void *user, chgi_relax_report *report)
{
    for (int64_t step = 0;; step++) {
        chgi_relax_state state;
        if (step > 0)
            CHGI_TRY(lost(r->ctx, step, take_step(r)));
        CHGI_TRY(observe(r, step, &state));
        note(&state, report);
        if (watcher)
            CHGI_TRY(watcher(user, &state));
        if (state.converged)
            return CHGNET_OK;
        if (step == r->options->steps)
            return chgi_context_fail(
                r->ctx, CHGNET_ECONVERGE,
                "not converged in %lld steps: the largest force is %.4g eV/A; give more --steps, or "
                "another --optimizer",
                (long long)step, state.fmax);
    }
}

chgnet_status chgi_relax(chgnet_context *ctx, const chgi_potential *potential, chgi_structure *structure,
                         const chgi_relax_options *options, chgi_relax_watcher watcher, void *user,
                         chgi_relax_report *report)
{
    relaxation r = {.ctx = ctx, .potential = potential, .options = options, .structure = structure};
    *report = (chgi_relax_report){.steps = 0};
    chgnet_status status = prepare(&r);
    if (status == CHGNET_OK)
        status = iterate(&r, watcher, user, report);
    chgi_minimiser_destroy(r.minimiser);
    chgi_symmetry_destroy(r.symmetry);
    chgi_memory_free(r.x);
    chgi_memory_free(r.forces);
    chgi_memory_free(r.step);
    return status;
}

chgnet_status chgi_relax_measure(chgnet_context *ctx, const chgi_potential *potential, chgi_structure *structure,
                                 const chgi_relax_options *options, chgi_outcome *outcome)
{
    chgi_relax_report report;
    if (options)
        CHGI_TRY(chgi_relax(ctx, potential, structure, options, NULL, NULL, &report));
    CHGI_TRY(potential->set_structure(potential->self, structure));
    return potential->compute(potential->self, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT, outcome);
}
