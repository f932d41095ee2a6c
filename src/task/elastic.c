/* SPDX-License-Identifier: BSD-3-Clause */
#include "task/elastic.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calc/calculator.h"

enum { TERMS = 3 };

/* ---- slopes ----------------------------------------------------------------------------------- */

/* One component i of the stress by one strain: y = c0 + c1 e + c2 e^2.  Odd powers of the strain sum to nothing. */
static void fit_curve(int64_t n, chgi_elastic_point *points, int i, double c[TERMS], double *error)
{
    double e2 = 0, e4 = 0, y = 0, ye = 0, ye2 = 0, squares = 0;
    for (int64_t k = 0; k < n; k++) {
        double e = points[k].strain, stress = points[k].stress[i];
        e2 += e * e;
        e4 += e * e * e * e;
        y += stress;
        ye += stress * e;
        ye2 += stress * e * e;
    }
    double determinant = (double)n * e4 - e2 * e2;
    c[0] = (y * e4 - ye2 * e2) / determinant;
    c[1] = ye / e2;
    c[2] = ((double)n * ye2 - y * e2) / determinant;
    for (int64_t k = 0; k < n; k++) {
        double e = points[k].strain;
        points[k].fitted[i] = c[0] + e * (c[1] + e * c[2]);
        squares += pow(points[k].stress[i] - points[k].fitted[i], 2);
    }
    *error = sqrt(squares / (double)(n - TERMS) / e2);
}

void chgi_elastic_fit(int64_t n_point, chgi_elastic_point *points, chgi_elastic *result)
{
    memset(result->stress, 0, sizeof result->stress);
    for (int j = 0; j < 6; j++)
        for (int i = 0; i < 6; i++) {
            double c[TERMS];
            fit_curve(n_point, points + j * n_point, i, c, &result->error[i][j]);
            result->stiffness[i][j] = c[1];
            result->stress[i] += c[0] / 6;
        }
}

/* Errors of sums of elements, each with its own. */
static void add_errors(chgi_elastic *result)
{
    double normal = 0, across = 0, shear = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double square = result->error[i][j] * result->error[i][j];
            if (i == j)
                *(i < 3 ? &normal : &shear) += square;
            else if (i < 3 && j < 3)
                across += square;
        }
    result->bulk_error = sqrt(normal + across) / 9;
    result->shear_error = sqrt(normal + across / 4 + 9 * shear) / 15;
}

/* ---- averages --------------------------------------------------------------------------------- */

/* The group is found for a copy, which is moved to where its operations hold exactly. */
static chgnet_status average(chgnet_context *ctx, const chgi_structure *structure, double tolerance,
                             chgi_elastic *result)
{
    chgi_structure copy = {0};
    chgi_symmetry *symmetry = NULL;
    CHGI_TRY(chgi_structure_copy(ctx, structure, &copy));
    chgnet_status status = chgi_symmetry_create(ctx, &copy, tolerance, &symmetry);
    if (status == CHGNET_OK) {
        result->off_group = chgi_stiffness_average(symmetry, copy.cell[0], result->stiffness);
        snprintf(result->group, sizeof result->group, "%s", chgi_symmetry_name(symmetry));
    }
    chgi_symmetry_destroy(symmetry);
    chgi_structure_destroy(&copy);
    return status;
}

/* ---- stresses --------------------------------------------------------------------------------- */

/* The structure with its cell and atoms deformed by 1 + e. */
static void strain_to(const chgi_structure *from, chgi_matrix3 e, chgi_structure *to)
{
    chgi_matrix3 deformation = chgi_matrix3_add(chgi_matrix3_diagonal(1), 1, e);
    chgi_matrix3_rows(from->cell[0], deformation, 3, to->cell[0]);
    chgi_matrix3_rows(from->positions, deformation, from->n_atom, to->positions);
}

static chgnet_status measure(chgnet_context *ctx, const chgi_potential *potential, const chgi_elastic_choice *choice,
                             chgi_structure *s, chgi_elastic_point *point)
{
    chgi_outcome outcome;
    CHGI_TRY(chgi_relax_measure(ctx, potential, s, choice->clamp ? NULL : &choice->relaxation, &outcome));
    double volume = fabs(chgi_structure_volume((const double(*)[3])s->cell));
    for (int i = 0; i < 6; i++)
        point->stress[i] = outcome.virial[chgi_voigt[i][0]][chgi_voigt[i][1]] / volume * CHGI_GPA;
    return CHGNET_OK;
}

static chgnet_status measure_all(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                                 const chgi_elastic_choice *choice, chgi_elastic_point *points)
{
    chgi_structure s = {0};
    CHGI_TRY(chgi_structure_copy(ctx, structure, &s));
    chgnet_status status = CHGNET_OK;
    for (int64_t k = 0; status == CHGNET_OK && k < 6 * choice->n_point; k++) {
        double share = 2 * (double)(k % choice->n_point) / (double)(choice->n_point - 1) - 1;
        points[k] = (chgi_elastic_point){.component = (int)(k / choice->n_point), .strain = share * choice->strain};
        strain_to(structure, chgi_voigt_strain(points[k].component, points[k].strain), &s);
        status = measure(ctx, potential, choice, &s, &points[k]);
    }
    chgi_structure_destroy(&s);
    return status;
}

chgnet_status chgi_elastic_run(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                               const chgi_elastic_choice *choice, chgi_elastic_point *points, chgi_elastic *result)
{
    *result = (chgi_elastic){.asymmetry = 0};
    if (!structure->pbc[0] || !structure->pbc[1] || !structure->pbc[2])
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "elastic constants need a structure that is periodic along all axes");
    CHGI_TRY(measure_all(ctx, potential, structure, choice, points));
    chgi_elastic_fit(choice->n_point, points, result);
    add_errors(result);
    result->asymmetry = chgi_stiffness_mirror(result->stiffness);
    if (choice->average && chgi_symmetry_available() && !structure->move_mask)
        CHGI_TRY(average(ctx, structure, choice->symmetry_tolerance, result));
    return chgi_stiffness_moduli(ctx, (const double(*)[6])result->stiffness, &result->moduli);
}
