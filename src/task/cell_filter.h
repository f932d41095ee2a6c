/* The cell among the coordinates of a minimisation, as ASE's FrechetCellFilter has it: n rows of positions as they were
 * in the undeformed cell, then three rows that hold the logarithm of the deformation times the number of atoms. */
#ifndef CHGI_TASK_CELL_FILTER_H
#define CHGI_TASK_CELL_FILTER_H

#include "calc/potential.h"
#include "math/matrix3.h"
#include "task/symmetry.h"

typedef enum chgi_cell_freedom {
    CHGI_CELL_NONE = 0,    /**< the cell stays as it is */
    CHGI_CELL_FULL,        /**< all six strains */
    CHGI_CELL_SHAPE,       /**< at constant volume */
    CHGI_CELL_HYDROSTATIC, /**< the volume alone */
    CHGI_CELL_INPLANE,     /**< strains xx, yy, xy */
    CHGI_CELL_Z_FIXED,     /**< all strains but zz */
    CHGI_CELL_COUNT
} chgi_cell_freedom;

typedef struct chgi_cell_filter {
    chgi_cell_freedom freedom;
    double pressure;            /**< eV/A^3 */
    int64_t n_row;              /**< rows of coordinates and forces */
    chgi_matrix3 first_inverse; /* of the cell at the start; a missing third vector counts as z */
    chgi_matrix3 first;
    chgi_symmetry *symmetry; /**< the owner's; NULL: none */
} chgi_cell_filter;

/** The name that `--cell` takes, and back (CHGI_CELL_COUNT: unknown). */
const char *chgi_cell_freedom_name(chgi_cell_freedom freedom);
chgi_cell_freedom chgi_cell_freedom_find(const char *name);

/** Begin with the cell of a structure.  \param[in] pressure  eV/A^3
 *  \return CHGNET_OK; CHGNET_EINPUT when the cell cannot be deformed so: a cell whose third axis is not periodic and
 * whose others lie in the xy plane can relax in that plane only, other cells must be periodic along all axes */
chgnet_status chgi_cell_filter_begin(chgnet_context *ctx, chgi_cell_filter *filter, const chgi_structure *structure,
                                     chgi_cell_freedom freedom, double pressure, chgi_symmetry *symmetry);

/** \param[out] x (n_row,3)  \return CHGNET_OK; CHGNET_ENUMERIC when the deformation has no logarithm */
chgnet_status chgi_cell_filter_pack(chgnet_context *ctx, const chgi_cell_filter *filter,
                                    const chgi_structure *structure, double *x);

/** Move the structure to new coordinates.  What its mask forbids stays where the deformation alone takes it.
 *  \param[in,out] x (n_row,3); overwritten */
chgnet_status chgi_cell_filter_unpack(chgnet_context *ctx, const chgi_cell_filter *filter, double *x,
                                      chgi_structure *structure);

/** The forces on the coordinates.
 *  \param[out] rows      (n_row,3) eV/A, what the mask forbids taken out
 *  \param[out] residual  (3,3) eV/A^3: stress plus pressure, of the strains that are free (of all where the cell
 * stays); NaN where not all axes are periodic */
chgnet_status chgi_cell_filter_forces(chgnet_context *ctx, const chgi_cell_filter *filter,
                                      const chgi_structure *structure, const chgi_outcome *outcome, double *rows,
                                      chgi_matrix3 *residual);

#endif
