#include "task/cell_filter.h"

#include <math.h>
#include <string.h>

#include "math/lattice.h"
#include "task/constraint.h"

static const char *const names[CHGI_CELL_COUNT] = {"none", "full", "shape", "hydrostatic", "inplane", "z-fixed"};

const char *chgi_cell_freedom_name(chgi_cell_freedom freedom)
{
    return names[freedom];
}

chgi_cell_freedom chgi_cell_freedom_find(const char *name)
{
    int freedom = 0;
    while (freedom < CHGI_CELL_COUNT && strcmp(names[freedom], name) != 0)
        freedom++;
    return (chgi_cell_freedom)freedom;
}

/* Whether an element of the strain may change. */
static bool is_free(chgi_cell_freedom freedom, int i, int j)
{
    if (freedom == CHGI_CELL_INPLANE)
        return i < 2 && j < 2;
    return freedom != CHGI_CELL_Z_FIXED || i < 2 || j < 2;
}

static chgi_matrix3 masked(chgi_cell_freedom freedom, chgi_matrix3 a)
{
    for (int k = 0; k < 9; k++)
        if (!is_free(freedom, k / 3, k % 3))
            a.m[k / 3][k % 3] = 0;
    return a;
}

static bool is_zero(const double vector[3])
{
    return vector[0] == 0 && vector[1] == 0 && vector[2] == 0;
}

static chgi_matrix3 cell_of(const chgi_structure *structure)
{
    chgi_matrix3 cell;
    memcpy(cell.m, structure->cell, sizeof cell.m);
    if (is_zero(cell.m[2]))
        cell.m[2][2] = 1;
    return cell;
}

static bool is_bulk(const chgi_structure *structure)
{
    return structure->pbc[0] && structure->pbc[1] && structure->pbc[2];
}

static chgnet_status check_axes(chgnet_context *ctx, const chgi_structure *s, chgi_cell_freedom freedom,
                                double pressure)
{
    bool flat = s->pbc[0] && s->pbc[1] && !s->pbc[2] && s->cell[0][2] == 0 && s->cell[1][2] == 0;
    if (is_bulk(s) || (freedom == CHGI_CELL_NONE && pressure == 0) ||
        (freedom == CHGI_CELL_INPLANE && flat && pressure == 0))
        return CHGNET_OK;
    if (pressure != 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "a pressure needs a cell with three periodic axes; leave out --pressure");
    return chgi_context_fail(
        ctx, CHGNET_EINPUT,
        "the cell has an axis that is not periodic; give --cell none, or --cell inplane where only "
        "the third is and the others lie in the xy plane");
}

chgnet_status chgi_cell_filter_begin(chgnet_context *ctx, chgi_cell_filter *filter, const chgi_structure *structure,
                                     chgi_cell_freedom freedom, double pressure, chgi_symmetry *symmetry)
{
    CHGI_TRY(check_axes(ctx, structure, freedom, pressure));
    *filter = (chgi_cell_filter){.freedom = freedom, .pressure = pressure, .symmetry = symmetry};
    filter->n_row = structure->n_atom + (freedom == CHGI_CELL_NONE ? 0 : 3);
    filter->first = cell_of(structure);
    if (freedom != CHGI_CELL_NONE && !chgi_matrix3_invert(filter->first, &filter->first_inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    return CHGNET_OK;
}

/* F with cell = first . F^T */
static chgi_matrix3 deformation(const chgi_cell_filter *filter, const chgi_structure *structure)
{
    return chgi_matrix3_transpose(chgi_matrix3_multiply(filter->first_inverse, cell_of(structure)));
}

static chgnet_status no_logarithm(chgnet_context *ctx)
{
    return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                             "the cell has been deformed beyond sense; check the structure and the pressure");
}

chgnet_status chgi_cell_filter_pack(chgnet_context *ctx, const chgi_cell_filter *filter,
                                    const chgi_structure *structure, double *x)
{
    int64_t n = structure->n_atom;
    if (filter->freedom == CHGI_CELL_NONE) {
        memcpy(x, structure->positions, 3 * (size_t)n * sizeof *x);
        return CHGNET_OK;
    }
    chgi_matrix3 f = deformation(filter, structure), back, log;
    if (!chgi_matrix3_invert(chgi_matrix3_transpose(f), &back) || !chgi_matrix3_log(f, &log))
        return no_logarithm(ctx);
    chgi_matrix3_rows(structure->positions, back, n, x);
    for (int k = 0; k < 9; k++)
        x[3 * n + k] = log.m[k / 3][k % 3] * (double)n;
    return CHGNET_OK;
}

/* Take the atoms along with the cell, and the cell to where the symmetry lets it go. */
static chgnet_status deform(chgnet_context *ctx, const chgi_cell_filter *filter, chgi_matrix3 cell,
                            chgi_structure *structure)
{
    const chgi_matrix3 one = chgi_matrix3_diagonal(1);
    chgi_matrix3 inverse, change;
    if (!chgi_matrix3_invert(cell_of(structure), &inverse))
        return no_logarithm(ctx);
    change =
        chgi_matrix3_add(chgi_matrix3_multiply(inverse, cell), -1, one); /* small: so are the errors of the group */
    if (filter->symmetry)
        chgi_symmetry_apply_tensor(filter->symmetry, structure->cell[0], &change);
    change = chgi_matrix3_add(change, 1, one);
    chgi_matrix3_rows(structure->cell[0], change, 3, structure->cell[0]);
    chgi_matrix3_rows(structure->positions, change, structure->n_atom, structure->positions);
    return CHGNET_OK;
}

/* x: (n_atom,3), becomes the steps that are allowed */
static void move_atoms(const chgi_cell_filter *filter, double *x, chgi_structure *structure)
{
    int64_t n = structure->n_atom;
    for (int64_t k = 0; k < 3 * n; k++)
        x[k] -= structure->positions[k];
    chgi_constraint_project(structure, x);
    if (filter->symmetry)
        chgi_symmetry_apply_vectors(filter->symmetry, structure->cell[0], x);
    for (int64_t k = 0; k < 3 * n; k++)
        structure->positions[k] += x[k];
}

chgnet_status chgi_cell_filter_unpack(chgnet_context *ctx, const chgi_cell_filter *filter, double *x,
                                      chgi_structure *structure)
{
    int64_t n = structure->n_atom;
    if (filter->freedom != CHGI_CELL_NONE) {
        chgi_matrix3 log, one = chgi_matrix3_diagonal(1), f;
        for (int k = 0; k < 9; k++)
            log.m[k / 3][k % 3] = x[3 * n + k] / (double)n;
        f = chgi_matrix3_add(chgi_matrix3_exp(log), -1, one);
        f = chgi_matrix3_transpose(chgi_matrix3_add(one, 1, masked(filter->freedom, f)));
        CHGI_TRY(deform(ctx, filter, chgi_matrix3_multiply(filter->first, f), structure));
        chgi_matrix3_rows(x, f, n, x);
    }
    move_atoms(filter, x, structure);
    return CHGNET_OK;
}

/* Minus dE/dstrain, with the pressure's part, of the strains that are free. */
static chgi_matrix3 driving_virial(const chgi_cell_filter *filter, const chgi_structure *structure,
                                   const chgi_outcome *outcome, double volume)
{
    chgi_matrix3 virial, zero = {{{0}}};
    memcpy(virial.m, outcome->virial, sizeof virial.m);
    if (filter->symmetry)
        chgi_symmetry_apply_tensor(filter->symmetry, structure->cell[0], &virial);
    virial = chgi_matrix3_add(zero, -1, virial);
    virial = chgi_matrix3_add(virial, -filter->pressure * volume, chgi_matrix3_diagonal(1));
    if (filter->freedom == CHGI_CELL_HYDROSTATIC)
        virial = chgi_matrix3_diagonal(chgi_matrix3_trace(virial) / 3);
    return masked(filter->freedom, virial);
}

static chgi_matrix3 without_trace(chgi_matrix3 a)
{
    return chgi_matrix3_add(a, -chgi_matrix3_trace(a) / 3, chgi_matrix3_diagonal(1));
}

chgnet_status chgi_cell_filter_forces(chgnet_context *ctx, const chgi_cell_filter *filter,
                                      const chgi_structure *structure, const chgi_outcome *outcome, double *rows,
                                      chgi_matrix3 *residual)
{
    int64_t n = structure->n_atom;
    double volume = fabs(chgi_matrix3_determinant(cell_of(structure)));
    chgi_matrix3 virial = driving_virial(filter, structure, outcome, volume), zero = {{{0}}}, f, inverse, log, gradient;
    memcpy(rows, outcome->forces, 3 * (size_t)n * sizeof *rows);
    chgi_constraint_project(structure, rows);
    if (filter->symmetry)
        chgi_symmetry_apply_vectors(filter->symmetry, structure->cell[0], rows);
    *residual = chgi_matrix3_add(zero, is_bulk(structure) ? -1 / volume : NAN, virial);
    if (filter->freedom == CHGI_CELL_SHAPE)
        *residual = without_trace(*residual);
    if (filter->freedom == CHGI_CELL_NONE)
        return CHGNET_OK;
    f = deformation(filter, structure);
    if (!chgi_matrix3_log(f, &log) || !chgi_matrix3_invert(chgi_matrix3_transpose(f), &inverse))
        return no_logarithm(ctx);
    gradient = chgi_matrix3_exp_gradient(log, chgi_matrix3_multiply(virial, inverse));
    if (filter->freedom == CHGI_CELL_SHAPE)
        gradient = without_trace(gradient);
    chgi_matrix3_rows(rows, f, n, rows);
    for (int k = 0; k < 9; k++)
        rows[3 * n + k] = gradient.m[k / 3][k % 3] / (double)n;
    return CHGNET_OK;
}
