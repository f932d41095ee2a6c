/* Equation of state: energies at several volumes, and the Birch-Murnaghan curve through them. */
#ifndef CHGI_TASK_EOS_H
#define CHGI_TASK_EOS_H

#include "task/relax.h"

typedef struct chgi_eos_choice {
    int64_t n_point;               /**< volumes, at least 5 */
    double range;                  /**< from (1 - range) V to (1 + range) V */
    bool relax;                    /**< atoms move at each volume; else fractional positions stay */
    chgi_relax_options relaxation; /**< its cell is CHGI_CELL_NONE */
} chgi_eos_choice;

typedef struct chgi_eos_point {
    double volume;   /**< A^3 */
    double energy;   /**< eV */
    double pressure; /**< GPa, from the stress */
    double fitted;   /**< eV, of the curve */
} chgi_eos_point;

typedef struct chgi_eos_fit {
    double volume;             /**< A^3, of the minimum */
    double energy;             /**< eV there */
    double bulk_modulus;       /**< GPa */
    double bulk_modulus_error; /**< GPa, standard error from the scatter of the energies */
    double bulk_modulus_slope; /**< dB/dp */
    double residual;           /**< eV, root mean square */
} chgi_eos_fit;

/** Fit Birch-Murnaghan's curve of third order: a cubic polynomial in V^(-2/3), by linear least squares, which is the
 * same curve as a fit of its four physical parameters.  \param[in,out] points (n) `fitted` is set \return CHGNET_OK;
 * CHGNET_ENUMERIC when the curve has no minimum within the volumes Source: Birch, Phys. Rev. 71, 809 (1947) */
chgnet_status chgi_eos_fit_points(chgnet_context *ctx, int64_t n, chgi_eos_point *points, chgi_eos_fit *fit);

/** Energies at the volumes around a structure's, then the fit.  Symmetric in linear strain steps of the volume.
 *  \param[out] points (choice->n_point)
 *  \return CHGNET_OK; CHGNET_EINPUT unless all axes are periodic; CHGNET_ECONVERGE when atoms did not relax;
 *          CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_eos_run(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                           const chgi_eos_choice *choice, chgi_eos_point *points, chgi_eos_fit *fit);

#endif
