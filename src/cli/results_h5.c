/* Results as groups of HDF5.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"
#include "cli/output.h"

static chgnet_status set_root(chgnet_context *ctx, chgi_h5 *file, const chgi_provenance *provenance)
{
    CHGI_TRY(chgi_h5_set_text(ctx, file, "", "version", provenance->version));
    CHGI_TRY(chgi_h5_set_text(ctx, file, "", "model", provenance->model));
    CHGI_TRY(chgi_h5_set_text(ctx, file, "", "model_sha256", provenance->model_sha256));
    return chgi_h5_set_text(ctx, file, "", "precision", provenance->precision);
}

/* Named as in extended XYZ: along x, y, z or along the cell vectors. */
static chgnet_status add_mask(chgnet_context *ctx, chgi_h5 *file, const char *group, const chgi_structure *structure)
{
    size_t count = 3 * (size_t)structure->n_atom;
    int8_t *mask = chgi_memory_new(count, sizeof *mask);
    if (!mask)
        return chgi_context_nomem(ctx, count, sizeof *mask);
    for (size_t k = 0; k < count; k++)
        mask[k] = structure->move_mask[k];
    chgnet_status status = chgi_h5_add(ctx, file, group, structure->mask_direct ? "move_mask_direct" : "move_mask",
                                       CHGI_H5_BOOL, 2, (int64_t[]){structure->n_atom, 3}, mask);
    chgi_memory_free(mask);
    return status;
}

static chgnet_status add_structure(chgnet_context *ctx, chgi_h5 *file, const char *group,
                                   const chgi_structure *structure)
{
    const int64_t three = 3, n = structure->n_atom;
    const int8_t pbc[3] = {structure->pbc[0], structure->pbc[1], structure->pbc[2]};
    CHGI_TRY(chgi_h5_add(ctx, file, group, "numbers", CHGI_H5_INT32, 1, &n, structure->numbers));
    CHGI_TRY(chgi_h5_add(ctx, file, group, "positions", CHGI_H5_DOUBLE, 2, (int64_t[]){n, 3}, structure->positions));
    CHGI_TRY(chgi_h5_add(ctx, file, group, "cell", CHGI_H5_DOUBLE, 2, (int64_t[]){3, 3}, structure->cell));
    CHGI_TRY(chgi_h5_add(ctx, file, group, "pbc", CHGI_H5_BOOL, 1, &three, pbc));
    return structure->move_mask ? add_mask(ctx, file, group, structure) : CHGNET_OK;
}

chgnet_status chgi_results_h5_add(chgnet_context *ctx, chgi_h5 *file, const chgi_result *result, bool first)
{
    char group[32];
    if (first)
        CHGI_TRY(set_root(ctx, file, result->provenance));
    snprintf(group, sizeof group, "%" PRId64, result->number);
    CHGI_TRY(chgi_h5_add_group(ctx, file, group));
    CHGI_TRY(chgi_h5_set_text(ctx, file, group, "source", result->source));
    CHGI_TRY(chgi_h5_set_int(ctx, file, group, "source_frame", result->source_frame));
    CHGI_TRY(chgi_h5_set_int(ctx, file, group, "n_directed_bond", result->n_directed_bond));
    CHGI_TRY(chgi_h5_set_int(ctx, file, group, "n_angle", result->n_angle));
    CHGI_TRY(add_structure(ctx, file, group, &result->structure));
    for (int quantity = 0; quantity < CHGI_N_QUANTITY; quantity++) {
        int64_t shape[2];
        int rank = chgi_quantity_shape(result, quantity, shape);
        if (result->values[quantity])
            CHGI_TRY(chgi_h5_add(ctx, file, group, chgi_quantity_name(quantity), CHGI_H5_DOUBLE, rank, shape,
                                 result->values[quantity]));
    }
    return CHGNET_OK;
}
