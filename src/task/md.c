/* A run of molecular dynamics: making it, stepping it, storing and restoring its state.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "task/md.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "task/md_inside.h"

_Static_assert(sizeof(chgi_md_numbers) % sizeof(double) == 0, "the state is an array of doubles");

static const char *const names[CHGI_MD_ENSEMBLE_COUNT] = {"nve",       "nvt-langevin", "nvt-nose-hoover",
                                                          "nvt-bussi", "npt-scr",      "npt-mtk"};

const char *chgi_md_ensemble_name(chgi_md_ensemble ensemble)
{
    return ensemble < CHGI_MD_ENSEMBLE_COUNT ? names[ensemble] : "unknown";
}

chgi_md_ensemble chgi_md_ensemble_find(const char *name)
{
    int e = 0;
    while (e < CHGI_MD_ENSEMBLE_COUNT && strcmp(name, names[e]) != 0)
        e++;
    return (chgi_md_ensemble)e;
}

chgi_md_options chgi_md_options_default(chgi_md_ensemble ensemble)
{
    chgi_md_options o = {.ensemble = ensemble,
                         .timestep = 1,
                         .temperature = {300, 300},
                         .friction = 0.01,
                         .thermostat_time = 100,
                         .barostat_time = 1000,
                         .compressibility = 0.01,
                         .chain = 3,
                         .exact_temperature = true,
                         .max_displacement = 1,
                         .max_force = 1000};
    return o;
}

/* A number that must be above 0, or above or at it, and finite. */
static chgnet_status check_number(chgnet_context *ctx, const char *what, double value, bool may_be_zero)
{
    if (isfinite(value) && (may_be_zero ? value >= 0 : value > 0))
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EUSAGE, "the %s is %g; a finite number %s 0 would be right", what, value,
                             may_be_zero ? "not below" : "above");
}

static chgnet_status check_options(chgnet_context *ctx, const chgi_md_options *o)
{
    bool at_rest = o->ensemble == CHGI_MD_NVE; /* a thermostat divides by the temperature */
    if (o->ensemble >= CHGI_MD_ENSEMBLE_COUNT)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "there is no ensemble %d", (int)o->ensemble);
    CHGI_TRY(check_number(ctx, "time step", o->timestep, false));
    CHGI_TRY(check_number(ctx, "temperature", o->temperature[0], at_rest));
    CHGI_TRY(check_number(ctx, "last temperature", o->temperature[1], at_rest));
    for (int k = 0; k < 2; k++)
        if (!isfinite(o->pressure[k]))
            return chgi_context_fail(ctx, CHGNET_EUSAGE, "the pressure is %g; a finite number would be right",
                                     o->pressure[k]);
    CHGI_TRY(check_number(ctx, "friction", o->friction, true));
    CHGI_TRY(check_number(ctx, "time of the thermostat", o->thermostat_time, false));
    CHGI_TRY(check_number(ctx, "time of the barostat", o->barostat_time, false));
    CHGI_TRY(check_number(ctx, "compressibility", o->compressibility, false));
    CHGI_TRY(check_number(ctx, "highest temperature", o->max_temperature, true));
    CHGI_TRY(check_number(ctx, "longest displacement", o->max_displacement, false));
    CHGI_TRY(check_number(ctx, "largest force", o->max_force, false));
    CHGI_TRY(check_number(ctx, "highest standard deviation", o->max_std, true));
    if (o->n_step < 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "the number of steps is %lld; 0 or more would be right",
                                 (long long)o->n_step);
    if (o->chain < 1 || o->chain > CHGI_MD_MAX_CHAIN)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "a chain of %d links; 1 to %d would be right", o->chain,
                                 CHGI_MD_MAX_CHAIN);
    return CHGNET_OK;
}

static chgnet_status take_memory(chgi_md *md, int64_t n_atom)
{
    chgi_md_state *s = &md->state;
    size_t n = (size_t)n_atom, n_number = sizeof(chgi_md_numbers) / sizeof(double);
    if (n > (SIZE_MAX / sizeof(double) - n_number) / 9)
        return chgi_context_nomem(md->ctx, n, 9 * sizeof(double));
    s->n_atom = n_atom;
    s->n_double = n_number + 9 * n;
    double *block = chgi_memory_new(s->n_double, sizeof *block);
    s->numbers = (chgi_md_numbers *)(void *)block;
    if (!block)
        return chgi_context_nomem(md->ctx, s->n_double, sizeof *block);
    s->positions = block + n_number;
    s->velocities = s->positions + 3 * n;
    s->forces = s->velocities + 3 * n;
    md->backup = chgi_memory_new(s->n_double, sizeof *md->backup);
    md->numbers = chgi_memory_new(n, sizeof *md->numbers);
    md->masses = chgi_memory_new(n, sizeof *md->masses);
    md->inertia = chgi_memory_new(n, sizeof *md->inertia);
    if (!md->backup || !md->numbers || !md->masses || !md->inertia)
        return chgi_context_nomem(md->ctx, s->n_double, sizeof *block);
    return CHGNET_OK;
}

/* Linear in the step, taken at its middle; constant before the first and after the last step. */
static double on_ramp(const double ends[2], double step, int64_t n_step)
{
    double done = n_step > 0 ? step / (double)n_step : 0;
    return ends[0] + (ends[1] - ends[0]) * (done < 0 ? 0 : done > 1 ? 1 : done);
}

static void set_targets(chgi_md *md, double step)
{
    md->state.numbers->temperature = on_ramp(md->options.temperature, step, md->options.n_step);
    md->state.numbers->pressure = on_ramp(md->options.pressure, step, md->options.n_step);
}

static chgnet_status fill(chgi_md *md, const chgi_structure *structure)
{
    chgi_md_state *s = &md->state;
    size_t n = (size_t)structure->n_atom;
    memcpy(s->positions, structure->positions, 3 * n * sizeof *s->positions);
    memcpy(s->numbers->cell, structure->cell, sizeof s->numbers->cell);
    memcpy(md->numbers, structure->numbers, n * sizeof *md->numbers);
    s->numbers->n_atom = (double)structure->n_atom;
    s->numbers->ensemble = (double)md->options.ensemble;
    s->numbers->energy = NAN; /* nothing computed yet */
    md->periodic = structure->pbc[0] && structure->pbc[1] && structure->pbc[2];
    if (chgi_md_has_barostat(md) && !md->periodic)
        return chgi_context_fail(
            md->ctx, CHGNET_EINPUT,
            "%s where not all three axes are periodic; a crystal, or an nvt ensemble, would be right",
            chgi_md_ensemble_name(md->options.ensemble));
    set_targets(md, 0);
    CHGI_TRY(chgi_md_set_masses(md, structure));
    CHGI_TRY(chgi_md_set_freedom(md, structure));
    return chgi_md_set_velocities(md, structure);
}

chgnet_status chgi_md_create(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                             const chgi_md_options *options, chgi_md **md)
{
    chgnet_status status;
    *md = NULL;
    CHGI_TRY(check_options(ctx, options));
    CHGI_TRY(potential->set_structure(potential->self, structure));
    chgi_md *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    made->ctx = ctx;
    made->potential = potential;
    made->options = *options;
    if (options->max_temperature == 0)
        made->options.max_temperature = 10000 + 50 * fmax(options->temperature[0], options->temperature[1]);
    CHGI_TRY_CLEANUP(take_memory(made, structure->n_atom));
    CHGI_TRY_CLEANUP(fill(made, structure));
    *md = made;
    return CHGNET_OK;
cleanup:
    chgi_md_destroy(made);
    return status;
}

void chgi_md_destroy(chgi_md *md)
{
    if (!md)
        return;
    chgi_memory_free(md->state.numbers);
    chgi_memory_free(md->backup);
    chgi_memory_free(md->numbers);
    chgi_memory_free(md->masses);
    chgi_memory_free(md->inertia);
    chgi_memory_free(md->projector);
    chgi_memory_free(md);
}

/* Twice the kinetic energy over the degrees of freedom is within bounds. */
static chgnet_status check_temperature(chgi_md *md)
{
    double limit = md->options.max_temperature, freedom = md->n_freedom > 0 ? (double)md->n_freedom : 1;
    double temperature = 2 * chgi_md_kinetic(md) / (freedom * CHGI_MD_BOLTZMANN);
    if (temperature <= limit)
        return CHGNET_OK;
    return chgi_context_fail(md->ctx, CHGNET_ENUMERIC,
                             "step %.0f has the temperature %.4g K; at most %g K, so a shorter time step or a relaxed "
                             "structure would be right",
                             md->now, temperature, limit);
}

chgnet_status chgi_md_start(chgi_md *md, unsigned want)
{
    md->now = 0;
    CHGI_TRY(chgi_md_compute(md, want));
    return check_temperature(md);
}

static chgnet_status step_nve(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    chgi_md_kick(md, time / 2);
    CHGI_TRY(chgi_md_check_speed(md));
    chgi_md_drift(md, time);
    CHGI_TRY(chgi_md_compute(md, want));
    chgi_md_kick(md, time / 2);
    return CHGNET_OK;
}

static chgnet_status step_nose_hoover(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    chgi_md_chain_atoms(md, time / 2);
    CHGI_TRY(step_nve(md, want));
    chgi_md_chain_atoms(md, time / 2);
    return CHGNET_OK;
}

static chgnet_status try_step(chgi_md *md, unsigned want)
{
    static chgnet_status (*const steps[CHGI_MD_ENSEMBLE_COUNT])(chgi_md *,
                                                                unsigned) = {step_nve,         chgi_md_step_langevin,
                                                                             step_nose_hoover, chgi_md_step_bussi,
                                                                             chgi_md_step_scr, chgi_md_step_mtk};
    chgi_md_numbers *numbers = md->state.numbers;
    double before = chgi_md_extended(md);
    md->now = numbers->step + 1;
    set_targets(md, numbers->step + 0.5);
    numbers->exchanged += chgi_md_extended(md) - before; /* the work of a ramp */
    CHGI_TRY(steps[md->options.ensemble](md, want));
    return check_temperature(md);
}

chgnet_status chgi_md_step(chgi_md *md, unsigned want)
{
    chgi_md_state *s = &md->state;
    if (!isfinite(s->numbers->energy))
        return chgi_context_fail(md->ctx, CHGNET_EUSAGE, "a step before chgi_md_start or chgi_md_restore");
    memcpy(md->backup, s->numbers, s->n_double * sizeof(double));
    chgnet_status status = try_step(md, want);
    if (status == CHGNET_OK) {
        s->numbers->step += 1;
        return CHGNET_OK;
    }
    memcpy(s->numbers, md->backup, s->n_double * sizeof(double));
    md->has_outcome = false;
    return status;
}

const chgi_md_state *chgi_md_get_state(const chgi_md *md)
{
    return &md->state;
}

chgnet_status chgi_md_restore(chgi_md *md, const double *block, size_t n_double)
{
    chgi_md_state *s = &md->state;
    chgi_md_numbers *numbers = s->numbers;
    double n_atom = numbers->n_atom, ensemble = numbers->ensemble;
    bool fits = n_double == s->n_double && block[0] == n_atom && block[1] == ensemble;
    if (fits && !chgi_md_has_barostat(md))
        fits = memcmp(((const chgi_md_numbers *)(const void *)block)->cell, numbers->cell, sizeof numbers->cell) == 0;
    for (size_t k = 0; fits && k < n_double; k++)
        fits = isfinite(block[k]);
    if (!fits)
        return chgi_context_fail(
            md->ctx, CHGNET_EINPUT,
            "the stored state is not one of %s with %.0f atoms; the same structure and options as in the "
            "run that stored it would be right",
            chgi_md_ensemble_name(md->options.ensemble), n_atom);
    memcpy(numbers, block, n_double * sizeof(double));
    md->has_outcome = false;
    const double(*cell)[3] = chgi_md_has_barostat(md) ? (const double(*)[3])numbers->cell : NULL;
    return md->potential->move(md->potential->self, s->positions, cell);
}

const chgi_outcome *chgi_md_outcome(const chgi_md *md)
{
    return md->has_outcome ? &md->outcome : NULL;
}

const double *chgi_md_masses(const chgi_md *md)
{
    return md->masses;
}

int64_t chgi_md_freedom(const chgi_md *md)
{
    return md->n_freedom;
}
