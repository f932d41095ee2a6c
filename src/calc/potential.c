/* The calculator as a potential. */
#include "calc/potential.h"

#include "calc/calculator.h"

static chgnet_status set_structure(void *self, const chgi_structure *structure)
{
    return chgi_calculator_set_structure(self, structure);
}

static chgnet_status move(void *self, const double *positions, const double (*cell)[3])
{
    return chgi_calculator_set_geometry(self, positions, cell);
}

static chgnet_status compute(void *self, unsigned want, chgi_outcome *outcome)
{
    chgnet_calculator *calculator = self;
    CHGI_TRY(chgi_calculator_compute(calculator, want));
    *outcome = (chgi_outcome){.energy = calculator->energy,
                              .site_energies = calculator->site_energies,
                              .magmoms = calculator->magmoms,
                              .atom_fea = calculator->atom_fea,
                              .n_feature = calculator->n_feature,
                              .energy_std = calculator->energy_std,
                              .delta_energy = calculator->delta_energy};
    if (!(want & CHGNET_WANT_GRADIENT))
        return CHGNET_OK;
    outcome->forces = calculator->forces;
    for (int a = 0; a < 3; a++) /* symmetric but for rounding, as the energy does not change with a rotation */
        for (int b = 0; b < 3; b++)
            outcome->virial[a][b] = (calculator->virial[a][b] + calculator->virial[b][a]) / 2;
    return CHGNET_OK;
}

static void destroy(void *self)
{
    chgi_calculator_destroy(self);
}

chgi_potential chgi_calculator_potential(chgnet_calculator *calculator)
{
    return (chgi_potential){
        .self = calculator, .set_structure = set_structure, .move = move, .compute = compute, .destroy = destroy};
}
