/* Parts of a system: what simulation codes that share atoms among processes call. */
#include "api/guest.h"
#include "calc/calculator.h"

chgnet_part chgnet_part_default(void)
{
    return (chgnet_part){.size = sizeof(chgnet_part)};
}

chgnet_exchange chgnet_exchange_default(void)
{
    return (chgnet_exchange){.size = sizeof(chgnet_exchange)};
}

chgnet_status chgnet_calculator_set_part(chgnet_calculator *calculator, const chgnet_part *part,
                                         const chgnet_exchange *exchange)
{
    if (part->size != sizeof *part || (exchange && exchange->size != sizeof *exchange))
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "a part or exchange of another version; start from chgnet_part_default() and "
                                 "chgnet_exchange_default()");
    if (exchange && !(exchange->spread && exchange->collect && exchange->cross && exchange->swap && exchange->sum &&
                      exchange->gather))
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "an exchange lacks a function; give all six");
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_calculator_set_part(calculator, part, exchange));
}

chgnet_status chgnet_calculator_move_part(chgnet_calculator *calculator, const double *positions)
{
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_calculator_move_part(calculator, positions));
}
