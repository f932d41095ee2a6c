/* Ensembles made with random numbers: Langevin, Bussi's velocity rescaling, Bernetti and Bussi's cell rescaling.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "base/rng.h"
#include "task/md_inside.h"

static chgi_rng start_numbers(const chgi_md *md, uint16_t stream, int64_t item)
{
    return chgi_rng_start(md->options.seed, stream, (uint64_t)md->state.numbers->step, (uint32_t)item);
}

/* The exact solution of dv = -friction v dt + noise over a time.  Noise that would move the center of mass is left out
 * where the total momentum is conserved: what remains is canonical among the states of zero momentum. */
static void friction_and_noise(chgi_md *md, double time)
{
    chgi_md_state *s = &md->state;
    double kept = exp(-md->options.friction * time), before = chgi_md_kinetic(md);
    double *noise = s->forces; /* the forces of the old positions are not needed any more */
    for (int64_t i = 0; i < s->n_atom; i++) {
        chgi_rng rng = start_numbers(md, CHGI_MD_STREAM_LANGEVIN, i);
        double width = sqrt((1 - kept * kept) * chgi_md_thermal(md) / md->inertia[i]);
        for (int c = 0; c < 3; c++)
            noise[3 * i + c] = width * chgi_rng_normal(&rng);
    }
    chgi_md_project(md, noise);
    chgi_md_remove_momentum(md, noise);
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->velocities[k] = kept * s->velocities[k] + noise[k];
    s->numbers->exchanged += chgi_md_kinetic(md) - before;
}

chgnet_status chgi_md_step_langevin(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    chgi_md_kick(md, time / 2);
    CHGI_TRY(chgi_md_check_speed(md));
    chgi_md_drift(md, time / 2);
    friction_and_noise(md, time);
    CHGI_TRY(chgi_md_check_speed(md));
    chgi_md_drift(md, time / 2);
    CHGI_TRY(chgi_md_compute(md, want));
    chgi_md_kick(md, time / 2);
    return CHGNET_OK;
}

/* All velocities by one factor, so that the kinetic energy follows its own Langevin equation: Bussi, Donadio,
 * Parrinello, J. Chem. Phys. 126, 014101 (2007), equations A7 and A8. */
static void rescale_velocities(chgi_md *md, uint16_t stream, double time)
{
    chgi_md_state *s = &md->state;
    double kinetic = chgi_md_kinetic(md);
    if (kinetic <= 0) /* atoms at rest have no direction to be set off in */
        return;
    chgi_rng rng = start_numbers(md, stream, 0);
    double freedom = (double)md->n_freedom, kept = exp(-time / md->options.thermostat_time);
    double share = (1 - kept) * chgi_md_thermal(md) / (2 * kinetic);
    double normal = chgi_rng_normal(&rng), others = freedom > 1 ? 2 * chgi_rng_gamma(&rng, (freedom - 1) / 2) : 0;
    double along = sqrt(kept) + sqrt(share) * normal;
    double factor = copysign(sqrt(along * along + share * others), along);
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->velocities[k] *= factor;
    s->numbers->exchanged += (factor * factor - 1) * kinetic;
}

chgnet_status chgi_md_step_bussi(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    rescale_velocities(md, CHGI_MD_STREAM_BEFORE, time / 2);
    chgi_md_kick(md, time / 2);
    CHGI_TRY(chgi_md_check_speed(md));
    chgi_md_drift(md, time);
    CHGI_TRY(chgi_md_compute(md, want));
    chgi_md_kick(md, time / 2);
    rescale_velocities(md, CHGI_MD_STREAM_AFTER, time / 2);
    return CHGNET_OK;
}

/* Energy that the change of the cell takes from the potential: the virial times the strain, half of it by the virial
 * before the change and half by the one after it. */
static double strain_work(const chgi_md *md)
{
    const double(*virial)[3] = (const double(*)[3])md->state.numbers->virial;
    return (virial[0][0] + virial[1][1] + virial[2][2]) / 3 * md->strain / 2;
}

/* The square root of the volume has noise of constant width: Bernetti, Bussi, J. Chem. Phys. 153, 114107 (2020),
 * section II. Momenta scale against the positions, so that phase space keeps its volume. */
static chgnet_status rescale_cell(chgi_md *md, double time)
{
    chgi_md_numbers *n = md->state.numbers;
    chgi_rng rng = start_numbers(md, CHGI_MD_STREAM_CELL, 0);
    double thermal = chgi_md_thermal(md), volume = chgi_md_volume(md), kinetic = chgi_md_kinetic(md);
    double rate = md->options.compressibility * CHGI_MD_GPA / md->options.barostat_time; /* A^3/(eV fs) */
    double virial = n->virial[0][0] + n->virial[1][1] + n->virial[2][2];
    double excess = (2 * kinetic - virial) / (3 * volume) - n->pressure / CHGI_MD_GPA + thermal / (2 * volume);
    if (!md->options.external)
        excess += thermal / volume;
    double root =
        sqrt(volume) * (1 + rate / 2 * excess * time) + sqrt(rate * thermal / 2 * time) * chgi_rng_normal(&rng);
    md->strain = 2 * log(root / sqrt(volume));
    if (!(fabs(md->strain) < 0.1))
        return chgi_context_fail(
            md->ctx, CHGNET_ENUMERIC,
            "step %.0f would strain the volume by %.3g; less than 0.1, so a longer barostat time or a "
            "relaxed cell would be right",
            md->now, md->strain);
    double before = kinetic + chgi_md_extended(md);
    chgi_md_scale(md, exp(md->strain / 3));
    n->exchanged += chgi_md_kinetic(md) + chgi_md_extended(md) - before + strain_work(md);
    return CHGNET_OK;
}

chgnet_status chgi_md_step_scr(chgi_md *md, unsigned want)
{
    double time = md->options.timestep;
    rescale_velocities(md, CHGI_MD_STREAM_BEFORE, time / 2);
    chgi_md_kick(md, time / 2);
    CHGI_TRY(chgi_md_check_speed(md));
    chgi_md_drift(md, time / 2);
    CHGI_TRY(rescale_cell(md, time));
    chgi_md_drift(md, time / 2);
    CHGI_TRY(chgi_md_compute(md, want));
    md->state.numbers->exchanged += strain_work(md);
    chgi_md_kick(md, time / 2);
    rescale_velocities(md, CHGI_MD_STREAM_AFTER, time / 2);
    return CHGNET_OK;
}
