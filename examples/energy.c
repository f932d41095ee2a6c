/* Energy and forces of a strained copper cell.  SPDX-License-Identifier: BSD-3-Clause */
#include <chgnet.h>
#include <stdio.h>

int main(void)
{
    const int32_t numbers[4] = {29, 29, 29, 29};
    const double positions[12] = {0, 0, 0, 0, 1.8, 1.8, 1.8, 0, 1.8, 1.9, 1.8, 0}; /* A */
    const double cell[9] = {3.6, 0, 0, 0, 3.6, 0, 0, 0, 3.6};                      /* rows, A */
    const int pbc[3] = {1, 1, 1};
    double energy, forces[12];
    chgnet_context *context = NULL;
    chgnet_model *model = NULL;
    chgnet_calculator *calculator = NULL;

    chgnet_status status = chgnet_context_create(&context);
    if (status == CHGNET_OK)
        status = chgnet_model_load(context, "0.3.0", &model);
    if (status == CHGNET_OK)
        status = chgnet_calculator_create(context, model, NULL, &calculator);
    if (status == CHGNET_OK)
        status = chgnet_calculator_set_structure(calculator, 4, numbers, positions, cell, pbc);
    if (status == CHGNET_OK)
        status = chgnet_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT);
    if (status == CHGNET_OK)
        status = chgnet_calculator_get_energy(calculator, &energy);
    if (status == CHGNET_OK)
        status = chgnet_calculator_get_forces(calculator, forces);
    if (status == CHGNET_OK)
        printf("energy %.4f eV, force on the moved atom %.4f eV/A\n", energy, forces[9]);
    else
        fprintf(stderr, "energy: %s\n", context ? chgnet_context_error(context) : chgnet_status_text(status));
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
    return (int)status;
}
