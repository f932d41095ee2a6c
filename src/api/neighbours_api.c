/* The entry for hosts that have their own neighbour list. */
#include <string.h>

#include "api/guest.h"
#include "calc/calculator.h"

chgnet_neighbours chgnet_neighbours_default(void)
{
    return (chgnet_neighbours){.size = sizeof(chgnet_neighbours)};
}

double chgnet_model_receptive_field(const chgnet_model *model)
{
    const chgi_hyper *hyper = &chgi_model_weights(model)->hyper;
    return (double)hyper->n_conv * hyper->atom_cutoff;
}

chgnet_status chgnet_calculator_set_neighbours(chgnet_calculator *calculator, const chgnet_neighbours *neighbours)
{
    if (neighbours->size != sizeof *neighbours)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "neighbours of another version; start from chgnet_neighbours_default()");
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_calculator_set_neighbours(calculator, neighbours));
}

chgnet_status chgnet_calculator_move_neighbours(chgnet_calculator *calculator, const double *positions,
                                                const double *cell)
{
    double rows[3][3];
    if (!calculator->hosted || !calculator->has_structure)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no list of neighbours; set one first");
    if (cell)
        memcpy(rows, cell, sizeof rows);
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest,
                            chgi_calculator_set_geometry(calculator, chgi_host_place(&calculator->host, positions),
                                                         cell ? (const double(*)[3])rows : NULL));
}
