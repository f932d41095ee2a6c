/* The parts that integrators are made of, and the bounds within which a run is sane.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "task/md_inside.h"

void chgi_md_kick(chgi_md *md, double time)
{
    chgi_md_state *s = &md->state;
    for (int64_t i = 0; i < s->n_atom; i++) {
        double factor = time / md->inertia[i];
        for (int c = 0; c < 3; c++)
            s->velocities[3 * i + c] += factor * s->forces[3 * i + c];
    }
    chgi_md_project(md, s->velocities);
}

void chgi_md_drift(chgi_md *md, double time)
{
    chgi_md_state *s = &md->state;
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->positions[k] += time * s->velocities[k];
}

void chgi_md_scale(chgi_md *md, double factor)
{
    chgi_md_state *s = &md->state;
    for (int64_t k = 0; k < 3 * s->n_atom; k++) {
        s->positions[k] *= factor;
        s->velocities[k] /= factor;
    }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            s->numbers->cell[a][b] *= factor;
}

/* The first atom whose vector is longer than `limit` or not finite; -1: none. */
static int64_t find_long(const double *vectors, int64_t n_atom, double limit)
{
    for (int64_t i = 0; i < n_atom; i++) {
        const double *v = vectors + 3 * i;
        if (!(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] <= limit * limit))
            return i;
    }
    return -1;
}

static double length(const double *v)
{
    return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

chgnet_status chgi_md_check_speed(chgi_md *md)
{
    const chgi_md_state *s = &md->state;
    double timestep = md->options.timestep, limit = md->options.max_displacement;
    int64_t i = find_long(s->velocities, s->n_atom, limit / timestep);
    if (i < 0)
        return CHGNET_OK;
    return chgi_context_fail(
        md->ctx, CHGNET_ENUMERIC,
        "step %.0f would carry atom %lld (%s) over %.3g A; at most %g A, so a shorter time step or a "
        "relaxed structure would be right",
        md->now, (long long)i + 1, chgi_element_symbol(md->numbers[i]), timestep * length(s->velocities + 3 * i),
        limit);
}

static chgnet_status check_results(chgi_md *md)
{
    const chgi_outcome *o = &md->outcome;
    const chgi_md_options *options = &md->options;
    if (!isfinite(o->energy))
        return chgi_context_fail(md->ctx, CHGNET_ENUMERIC,
                                 "step %.0f has the energy %g eV; a finite one, so a shorter time step or a relaxed "
                                 "structure would be right",
                                 md->now, o->energy);
    int64_t i = find_long(o->forces, md->state.n_atom, options->max_force);
    if (i >= 0)
        return chgi_context_fail(
            md->ctx, CHGNET_ENUMERIC,
            "step %.0f has the force %.3g eV/A on atom %lld (%s); at most %g eV/A, so a shorter time "
            "step or a relaxed structure would be right",
            md->now, length(o->forces + 3 * i), (long long)i + 1, chgi_element_symbol(md->numbers[i]),
            options->max_force);
    if (options->max_std > 0 && !(o->energy_std <= options->max_std))
        return chgi_context_fail(md->ctx, CHGNET_ENUMERIC,
                                 "step %.0f has an energy with the standard deviation %.4g eV; at most %g eV, so a "
                                 "delta-model trained on such structures would be right",
                                 md->now, o->energy_std, options->max_std);
    for (int c = 0; c < 9; c++)
        if (!isfinite(o->virial[c / 3][c % 3]))
            return chgi_context_fail(md->ctx, CHGNET_ENUMERIC,
                                     "step %.0f has no finite stress; a relaxed structure would be "
                                     "right",
                                     md->now);
    return CHGNET_OK;
}

chgnet_status chgi_md_compute(chgi_md *md, unsigned want)
{
    chgi_md_state *s = &md->state;
    chgi_md_numbers *numbers = s->numbers;
    const chgi_potential *p = md->potential;
    const double(*cell)[3] = chgi_md_has_barostat(md) ? (const double(*)[3])numbers->cell : NULL;
    md->has_outcome = false;
    CHGI_TRY(p->move(p->self, s->positions, cell));
    CHGI_TRY(p->compute(p->self, want | CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT, &md->outcome));
    CHGI_TRY(check_results(md));
    memcpy(s->forces, md->outcome.forces, (size_t)s->n_atom * 3 * sizeof *s->forces);
    memcpy(numbers->virial, md->outcome.virial, sizeof numbers->virial);
    numbers->energy = md->outcome.energy;
    numbers->energy_std = md->outcome.energy_std;
    numbers->delta_energy = md->outcome.delta_energy;
    md->has_outcome = true;
    return CHGNET_OK;
}
