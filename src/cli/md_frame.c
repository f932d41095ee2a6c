/* Frames of `chgnet md`: which numbers go into the table, and where they come from.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <string.h>

#include "calc/calculator.h"
#include "cli/md.h"

/* Columns and what they show. */
static const struct column {
    chgi_column_name name;
    size_t offset; /* of a double in chgi_md_observables */
    enum { ALWAYS, PERIODIC, THERMOSTAT, BAROSTAT, DELTA } when;
} known[] = {
    {{"potential_eV", "potential_energy", "eV"}, offsetof(chgi_md_observables, potential), ALWAYS},
    {{"kinetic_eV", "kinetic_energy", "eV"}, offsetof(chgi_md_observables, kinetic), ALWAYS},
    {{"total_eV", "total_energy", "eV"}, offsetof(chgi_md_observables, total), ALWAYS},
    {{"conserved_eV", "conserved_energy", "eV"}, offsetof(chgi_md_observables, conserved), ALWAYS},
    {{"temperature_K", "temperature", "K"}, offsetof(chgi_md_observables, temperature), ALWAYS},
    {{"pressure_GPa", "pressure", "GPa"}, offsetof(chgi_md_observables, pressure), PERIODIC},
    {{"volume_A3", "volume", "Angstrom3"}, offsetof(chgi_md_observables, volume), PERIODIC},
    {{"target_temperature_K", "target_temperature", "K"},
     offsetof(chgi_md_observables, target_temperature),
     THERMOSTAT},
    {{"target_pressure_GPa", "target_pressure", "GPa"}, offsetof(chgi_md_observables, target_pressure), BAROSTAT},
    {{"energy_std_eV", "energy_std", "eV"}, offsetof(chgi_md_observables, energy_std), DELTA},
};
enum { N_KNOWN = sizeof known / sizeof *known };

static bool is_shown(const chgi_cli_md_run *run, const struct column *column)
{
    const bool *pbc = run->structure.pbc;
    chgi_md_ensemble ensemble = run->options->md.ensemble;
    switch (column->when) {
    case PERIODIC:
        return pbc[0] && pbc[1] && pbc[2];
    case THERMOSTAT:
        return ensemble != CHGI_MD_NVE;
    case BAROSTAT:
        return ensemble == CHGI_MD_NPT_SCR || ensemble == CHGI_MD_NPT_MTK;
    case DELTA:
        return run->delta != NULL;
    default:
        return true;
    }
}

void chgi_cli_md_plan(chgi_cli_md_run *run)
{
    const chgi_cli_md_options *o = run->options;
    run->plan = (chgi_trajectory_plan){.path = o->output,
                                       .log = o->log,
                                       .structure = &run->structure,
                                       .masses = chgi_md_masses(run->md),
                                       .creator = chgnet_version(),
                                       .n_feature = o->embeddings ? run->calculator->n_feature : 0,
                                       .magmoms = true,
                                       .columns = run->columns};
    for (int i = 0; i < N_KNOWN; i++)
        if (is_shown(run, &known[i]))
            run->columns[run->plan.n_column++] = known[i].name;
}

static void fill_values(const chgi_cli_md_run *run, const chgi_md_observables *observables, double *values)
{
    for (int i = 0; i < N_KNOWN; i++)
        if (is_shown(run, &known[i]))
            memcpy(values++, (const char *)observables + known[i].offset, sizeof *values);
}

/* Magmoms and embeddings belong to the last pass.  A state that was restored has had none: make it, with the same bits.
 */
static chgnet_status find_outcome(chgi_cli_md_run *run, chgi_outcome *outcome)
{
    const chgi_outcome *last = chgi_md_outcome(run->md);
    const chgi_md_state *state = chgi_md_get_state(run->md);
    if (last) {
        *outcome = *last;
        return CHGNET_OK;
    }
    const chgi_potential *p = &run->potential;
    CHGI_TRY(p->move(p->self, state->positions, (const double(*)[3])state->numbers->cell));
    return p->compute(p->self, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | run->want, outcome);
}

chgnet_status chgi_cli_md_write_frame(chgi_cli_md_run *run)
{
    const chgi_md_state *state = chgi_md_get_state(run->md);
    double values[CHGI_TRAJECTORY_MAX_COLUMNS], volume;
    chgi_md_observables observables;
    chgi_outcome outcome;
    CHGI_TRY(find_outcome(run, &outcome));
    chgi_md_observe(run->md, &observables);
    fill_values(run, &observables, values);
    chgi_frame frame = {.step = observables.step,
                        .time = observables.time,
                        .energy = observables.potential,
                        .positions = state->positions,
                        .velocities = state->velocities,
                        .forces = state->forces,
                        .magmoms = outcome.magmoms,
                        .embeddings = outcome.atom_fea,
                        .values = values};
    memcpy(frame.cell, state->numbers->cell, sizeof frame.cell);
    volume = fabs(chgi_structure_volume((const double(*)[3])frame.cell));
    for (int k = 0; k < 9; k++)
        frame.stress[k / 3][k % 3] = state->numbers->virial[k / 3][k % 3] / volume * CHGI_GPA;
    return chgi_trajectory_add(run->ctx, run->trajectory, &frame);
}
