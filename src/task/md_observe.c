/* What is measured of a state.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "task/md_inside.h"

double chgi_md_kinetic(const chgi_md *md)
{
    double twice = 0;
    for (int64_t i = 0; i < md->state.n_atom; i++) {
        const double *v = md->state.velocities + 3 * i;
        twice += md->inertia[i] * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    }
    return twice / 2;
}

void chgi_md_kinetic_tensor(const chgi_md *md, double tensor[3][3])
{
    memset(tensor, 0, 9 * sizeof(double));
    for (int64_t i = 0; i < md->state.n_atom; i++) {
        const double *v = md->state.velocities + 3 * i;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                tensor[a][b] += md->inertia[i] * v[a] * v[b];
    }
}

double chgi_md_volume(const chgi_md *md)
{
    return fabs(chgi_structure_volume((const double(*)[3])md->state.numbers->cell));
}

/* Work against the pressure.  Where the total momentum is conserved, the center of mass, which stands still here, would
 * roam the whole cell: its share of the partition function is one factor of the volume. */
static double volume_energy(const chgi_md *md)
{
    double volume = chgi_md_volume(md), energy = md->state.numbers->pressure / CHGI_MD_GPA * volume;
    return md->options.external ? energy : energy - chgi_md_thermal(md) * log(volume);
}

double chgi_md_extended(const chgi_md *md)
{
    const chgi_md_numbers *numbers = md->state.numbers;
    const chgi_md_options *o = &md->options;
    double energy = 0, square = 0;
    if (o->ensemble == CHGI_MD_NVT_NOSE_HOOVER || o->ensemble == CHGI_MD_NPT_MTK)
        energy += chgi_md_chain_kinetic(numbers->chain_velocity, o->chain, (double)md->n_freedom, chgi_md_thermal(md),
                                        o->thermostat_time);
    if (chgi_md_has_barostat(md))
        energy += volume_energy(md);
    if (o->ensemble == CHGI_MD_NPT_MTK) {
        for (int c = 0; c < 9; c++)
            square += numbers->cell_velocity[c / 3][c % 3] * numbers->cell_velocity[c / 3][c % 3];
        energy += chgi_md_cell_inertia(md) * square / 2;
        energy += chgi_md_chain_kinetic(numbers->cell_chain_velocity, o->chain, chgi_md_cell_freedom(md),
                                        chgi_md_thermal(md), o->barostat_time);
    }
    return energy;
}

static void observe_stress(const chgi_md *md, chgi_md_observables *o)
{
    double kinetic[3][3];
    o->volume = md->periodic ? chgi_md_volume(md) : NAN;
    chgi_md_kinetic_tensor(md, kinetic);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            o->stress[a][b] = (md->state.numbers->virial[a][b] - kinetic[a][b]) / o->volume * CHGI_MD_GPA;
    o->pressure = -(o->stress[0][0] + o->stress[1][1] + o->stress[2][2]) / 3;
}

void chgi_md_observe(const chgi_md *md, chgi_md_observables *observables)
{
    const chgi_md_numbers *numbers = md->state.numbers;
    chgi_md_observables o = {.step = (int64_t)numbers->step, .potential = numbers->energy};
    o.time = numbers->step * md->options.timestep;
    o.kinetic = chgi_md_kinetic(md);
    o.total = o.kinetic + o.potential;
    o.conserved = o.total + chgi_md_extended(md) - numbers->exchanged;
    if (md->n_freedom > 0)
        o.temperature = 2 * o.kinetic / ((double)md->n_freedom * CHGI_MD_BOLTZMANN);
    observe_stress(md, &o);
    memcpy(o.cell, numbers->cell, sizeof o.cell);
    o.target_temperature = chgi_md_has_thermostat(md) ? numbers->temperature : NAN;
    o.target_pressure = chgi_md_has_barostat(md) ? numbers->pressure : NAN;
    o.energy_std = numbers->energy_std;
    *observables = o;
}
