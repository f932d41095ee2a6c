/* Results as frames of extended XYZ, named as ASE names them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "calc/calculator.h"
#include "cli/output.h"
#include "crystal/writer.h"

static chgnet_status set_numbers(chgnet_context *ctx, chgi_structure *frame, const char *key, const double *values,
                                 int n, double unit)
{
    chgi_text text = {0};
    for (int i = 0; i < n; i++) {
        if (i > 0)
            chgi_text_append(&text, " ", 1);
        chgi_text_number(&text, values[i] / unit);
    }
    chgnet_status status =
        text.failed ? chgi_context_nomem(ctx, (size_t)n, 32) : chgi_structure_set_info(ctx, frame, key, text.data);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status set_results(chgnet_context *ctx, chgi_structure *frame, const chgi_result *result)
{
    CHGI_TRY(set_numbers(ctx, frame, "energy", result->values[CHGI_ENERGY], 1, 1));
    if (result->values[CHGI_STRESS])
        CHGI_TRY(set_numbers(ctx, frame, "stress", result->values[CHGI_STRESS], 9, CHGI_GPA));
    else
        chgi_structure_drop_info(frame, "stress"); /* what the frame brought belongs to another energy */
    for (int quantity = CHGI_ENERGY_STD; quantity <= CHGI_DELTA_ENERGY; quantity++) {
        const char *name = chgi_quantity_name(quantity);
        if (result->values[quantity])
            CHGI_TRY(set_numbers(ctx, frame, name, result->values[quantity], 1, 1));
        else
            chgi_structure_drop_info(frame, name);
    }
    for (int quantity = 0; quantity < CHGI_N_QUANTITY; quantity++) {
        const char *column = chgi_quantity_column(quantity);
        int64_t shape[2];
        chgi_quantity_shape(result, quantity, shape);
        if (column && result->values[quantity])
            CHGI_TRY(chgi_structure_set_column(ctx, frame, column, (int)shape[1], result->values[quantity]));
    }
    return CHGNET_OK;
}

chgnet_status chgi_results_extxyz_print(chgnet_context *ctx, chgi_text *text, const chgi_result *result)
{
    chgi_structure frame;
    CHGI_TRY(chgi_structure_copy(ctx, &result->structure, &frame));
    chgnet_status status = set_results(ctx, &frame, result);
    if (status == CHGNET_OK)
        status = chgi_extxyz_write(ctx, text, &frame);
    chgi_structure_destroy(&frame);
    return status;
}
