/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/result.h"

#include <math.h>

#include "base/memory.h"
#include "calc/calculator.h"

/* Shapes: (rows, columns); one of each stands for a scalar's or a vector's missing axis. */
enum { ONE = 0, PER_ATOM = -1, FEATURE = -2 };

typedef chgnet_status (*getter)(const chgnet_calculator *, double *);

typedef enum when { ALWAYS, IF_EMBEDDINGS, IF_DELTA } when;

static const struct quantity {
    const char *name, *column;
    int rank, rows, columns;
    getter get;
    when when;
} quantities[CHGI_N_QUANTITY] = {
    [CHGI_ENERGY] = {"energy", NULL, 0, ONE, ONE, chgnet_calculator_get_energy, ALWAYS},
    [CHGI_FORCES] = {"forces", "forces", 2, PER_ATOM, 3, chgnet_calculator_get_forces, ALWAYS},
    [CHGI_STRESS] = {"stress", NULL, 2, 3, 3, chgnet_calculator_get_stress, ALWAYS},
    [CHGI_MAGMOM] = {"magmom", "magmoms", 1, PER_ATOM, ONE, chgnet_calculator_get_magmoms, ALWAYS},
    [CHGI_SITE_ENERGIES] = {"site_energies", "energies", 1, PER_ATOM, ONE, chgnet_calculator_get_site_energies, ALWAYS},
    [CHGI_CRYSTAL_FEA] = {"crystal_fea", NULL, 1, FEATURE, ONE, chgnet_calculator_get_crystal_fea, ALWAYS},
    [CHGI_EMBEDDING] = {"atom_fea", "atom_fea", 2, PER_ATOM, FEATURE, chgnet_calculator_get_atom_fea, IF_EMBEDDINGS},
    [CHGI_EMBEDDING_FINAL] = {"atom_fea_final", "atom_fea_final", 2, PER_ATOM, FEATURE,
                              chgnet_calculator_get_atom_fea_final, IF_EMBEDDINGS},
    [CHGI_ENERGY_STD] = {"energy_std", NULL, 0, ONE, ONE, chgnet_calculator_get_energy_std, IF_DELTA},
    [CHGI_DELTA_ENERGY] = {"delta_energy", NULL, 0, ONE, ONE, chgnet_calculator_get_delta_energy, IF_DELTA},
};

const char *chgi_quantity_name(chgi_quantity quantity)
{
    return quantities[quantity].name;
}

const char *chgi_quantity_column(chgi_quantity quantity)
{
    return quantities[quantity].column;
}

static int64_t length_of(const chgi_result *result, int axis)
{
    if (axis == PER_ATOM)
        return result->structure.n_atom;
    if (axis == FEATURE)
        return result->provenance->n_feature;
    return axis == ONE ? 1 : axis;
}

int chgi_quantity_shape(const chgi_result *result, chgi_quantity quantity, int64_t shape[2])
{
    shape[0] = length_of(result, quantities[quantity].rows);
    shape[1] = length_of(result, quantities[quantity].columns);
    return quantities[quantity].rank;
}

static bool is_wanted(const chgi_result *result, chgi_quantity quantity, bool embeddings, bool delta)
{
    const bool *pbc = result->structure.pbc;
    if (quantity == CHGI_STRESS)
        return pbc[0] && pbc[1] && pbc[2];
    return quantities[quantity].when == ALWAYS || (quantities[quantity].when == IF_DELTA ? delta : embeddings);
}

static chgnet_status take(chgnet_context *ctx, const chgnet_calculator *calculator, chgi_result *result,
                          chgi_quantity quantity)
{
    int64_t shape[2];
    chgi_quantity_shape(result, quantity, shape);
    size_t rows = (size_t)shape[0], columns = (size_t)shape[1];
    double *values = chgi_memory_new(rows, columns * sizeof *values);
    if (!values)
        return chgi_context_nomem(ctx, rows, columns * sizeof *values);
    result->values[quantity] = values;
    CHGI_TRY(quantities[quantity].get(calculator, values));
    for (size_t i = 0; i < rows * columns; i++)
        if (!isfinite(values[i]))
            return chgi_context_fail(ctx, CHGNET_ENUMERIC, "%s is not finite; check the structure",
                                     quantities[quantity].name);
    return CHGNET_OK;
}

chgnet_status chgi_result_compute(chgnet_context *ctx, chgnet_calculator *calculator, bool embeddings, bool novelty,
                                  chgi_result *result)
{
    const chgi_structure *s = &result->structure;
    const int pbc[3] = {s->pbc[0], s->pbc[1], s->pbc[2]};
    CHGI_TRY(chgnet_calculator_set_structure(calculator, s->n_atom, s->numbers, s->positions, s->cell[0], pbc));
    bool delta = calculator->delta != NULL;
    unsigned want = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT | (delta ? CHGNET_WANT_STD : 0);
    CHGI_TRY(chgnet_calculator_compute(calculator, want | (delta && novelty ? CHGNET_WANT_NOVELTY : 0)));
    CHGI_TRY(chgnet_calculator_get_counts(calculator, &result->n_directed_bond, &result->n_angle));
    for (int quantity = 0; quantity < CHGI_N_QUANTITY; quantity++)
        if (is_wanted(result, quantity, embeddings, delta))
            CHGI_TRY(take(ctx, calculator, result, quantity));
    return CHGNET_OK;
}

void chgi_result_destroy(chgi_result *result)
{
    for (int quantity = 0; quantity < CHGI_N_QUANTITY; quantity++) {
        chgi_memory_free(result->values[quantity]);
        result->values[quantity] = NULL;
    }
    chgi_structure_destroy(&result->structure);
}
