/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/trial.h"

#include "calc/lennard_jones.h"
#include "task/relax.h"

/** A beyond the cutoff, so that the list of neighbours serves many steps of a relaxation. */
#define SKIN 1.0

chgnet_status chgi_worker_create(chgnet_context *ctx, const chgi_search_config *config, const chgnet_model *model,
                                 chgi_worker *worker)
{
    bool is_chgnet = config->potential == CHGI_CHGNET;
    chgnet_status status;
    *worker = (chgi_worker){0};
    if (chgnet_context_create(&worker->ctx) != CHGNET_OK)
        return chgi_context_nomem(ctx, 1, sizeof *worker->ctx);
    if (is_chgnet)
        status = chgi_calculator_create(worker->ctx, model, config->is_double, 1, NULL, &worker->calculator);
    else
        status = chgi_lennard_jones_create(worker->ctx, &worker->potential);
    if (status != CHGNET_OK) {
        chgi_context_fail(ctx, status, "%s", chgnet_context_error(worker->ctx));
        chgi_worker_destroy(worker);
        return status;
    }
    if (!is_chgnet)
        return CHGNET_OK;
    worker->calculator->skin = SKIN;
    worker->calculator->trajectory = true;
    worker->potential = chgi_calculator_potential(worker->calculator);
    return CHGNET_OK;
}

void chgi_worker_destroy(chgi_worker *worker)
{
    if (worker->potential.destroy)
        worker->potential.destroy(worker->potential.self);
    chgnet_context_destroy(worker->ctx);
    *worker = (chgi_worker){0};
}

static bool has_delta(const chgi_worker *worker)
{
    return worker->calculator && worker->calculator->delta;
}

chgnet_status chgi_trial_evaluate(const chgi_worker *worker, const chgi_search_config *config, bool anew,
                                  chgi_minimum *minimum)
{
    const chgi_potential *p = &worker->potential;
    chgi_outcome outcome;
    unsigned want = CHGNET_WANT_ENERGY | (has_delta(worker) ? CHGNET_WANT_STD : 0);
    CHGI_TRY(p->set_structure(p->self, &minimum->structure));
    CHGI_TRY(p->compute(p->self, want, &outcome));
    minimum->energy = outcome.energy;
    minimum->free_energy = chgi_space_free_energy(&config->space, &minimum->structure, outcome.energy);
    minimum->std = has_delta(worker) ? outcome.energy_std : -1;
    if (anew)
        return chgi_fingerprint_make(worker->ctx, &minimum->structure, &outcome, &minimum->fingerprint);
    minimum->fingerprint.energy = outcome.energy;
    return CHGNET_OK;
}

static chgnet_status make_candidate(const chgi_worker *worker, const chgi_search_config *config, const chgi_pool *pool,
                                    const chgi_walker *walkers, int64_t w, int64_t iteration, chgi_trial *trial)
{
    chgi_rng rng;
    chgi_walker_propose(config, pool, walkers, w, iteration, &rng, &trial->move, &trial->parent);
    if (trial->parent < 0)
        return chgi_generate_random(worker->ctx, &config->space, &rng, &trial->minimum.structure);
    return chgi_generate_child(worker->ctx, &config->space, &pool->minima[trial->parent].structure, trial->move,
                               walkers[w].amplitude, &rng, &trial->minimum.structure);
}

/* A relaxation that ends early, or a potential that fails on a wild structure, is no failure of the search. */
static chgnet_status relax(const chgi_worker *worker, const chgi_search_config *config, chgi_trial *trial)
{
    chgi_relax_options options = chgi_relax_options_default();
    chgi_relax_report report = {0};
    options.optimizer = config->optimizer;
    options.fmax = config->fmax;
    options.steps = config->steps;
    chgnet_status status =
        chgi_relax(worker->ctx, &worker->potential, &trial->minimum.structure, &options, NULL, NULL, &report);
    trial->steps = report.steps;
    trial->fmax = report.fmax;
    if (status == CHGNET_ENUMERIC || status == CHGNET_EINPUT) {
        trial->dropped = "the potential failed";
        return CHGNET_OK;
    }
    return status == CHGNET_ECONVERGE ? CHGNET_OK : status;
}

void chgi_trial_run(const chgi_worker *worker, const chgi_search_config *config, const chgi_pool *pool,
                    const chgi_walker *walkers, int64_t w, int64_t iteration, chgi_trial *trial)
{
    *trial = (chgi_trial){.parent = -1, .worker = worker};
    trial->status = make_candidate(worker, config, pool, walkers, w, iteration, trial);
    if (trial->status == CHGNET_OK)
        trial->status = relax(worker, config, trial);
    if (trial->status != CHGNET_OK || trial->dropped)
        return;
    trial->dropped = chgi_space_judge(&config->space, &trial->minimum.structure);
    if (!trial->dropped)
        trial->status = chgi_trial_evaluate(worker, config, true, &trial->minimum);
}
