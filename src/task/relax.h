/* Relaxation: atoms, and the cell where it may change, to a minimum of the energy (under pressure, of the enthalpy). */
#ifndef CHGI_TASK_RELAX_H
#define CHGI_TASK_RELAX_H

#include "calc/potential.h"
#include "task/cell_filter.h"
#include "task/minimise.h"

typedef struct chgi_relax_options {
    chgi_minimiser_kind optimizer; /**< FIRE */
    double fmax;                   /**< eV/A; 0.05 */
    double smax;                   /**< GPa, limit to the stress as well; 0: none */
    int64_t steps;                 /**< at most; 500 */
    chgi_cell_freedom cell;        /**< none */
    double pressure;               /**< GPa; 0 */
    bool keep_symmetry;            /**< false */
    double symmetry_tolerance;     /**< A; 0.01 */
    double max_std;                /**< eV, of the energy's standard deviation; 0: no limit */
} chgi_relax_options;

/** Where a relaxation stands after a step (0: before the first). */
typedef struct chgi_relax_state {
    int64_t step;
    double energy; /**< eV, without the pressure's part */
    double fmax;   /**< eV/A: longest row of the forces on all coordinates, those of the cell included */
    double smax;   /**< GPa: largest element of stress plus pressure; NaN where not all axes are periodic */
    double volume; /**< A^3; NaN where not all axes are periodic */
    bool converged;
    const chgi_structure *structure;
    const chgi_outcome *outcome;
} chgi_relax_state;

/** Told after each step.  \return CHGNET_OK to go on; anything else ends the relaxation and is what it returns */
typedef chgnet_status (*chgi_relax_watcher)(void *user, const chgi_relax_state *state);

typedef struct chgi_relax_report {
    int64_t steps;
    double first_energy, energy; /**< eV, without the pressure's part */
    double fmax, smax;           /**< as in the last state */
    double first_volume, volume; /**< A^3 */
    bool converged;
} chgi_relax_report;

/** The defaults written beside the members. */
chgi_relax_options chgi_relax_options_default(void);

/** Relax a structure.  It has converged when the longest row of the forces is below fmax (ASE's rule) and, with smax,
 * no element of the stress is beyond that. \param[in,out] structure  with its move_mask; the last state, also without
 * convergence \param[in]     watcher    NULL: nobody wants to know \return CHGNET_OK; CHGNET_ECONVERGE; CHGNET_ENUMERIC
 * when the potential fails on the way, or the energy's standard deviation passes max_std; what the watcher says;
 * CHGNET_EINPUT, CHGNET_EUSAGE, CHGNET_ENOMEM */
chgnet_status chgi_relax(chgnet_context *ctx, const chgi_potential *potential, chgi_structure *structure,
                         const chgi_relax_options *options, chgi_relax_watcher watcher, void *user,
                         chgi_relax_report *report);

/** Energy, forces and virial of a structure after its atoms have relaxed.
 *  \param[in,out] structure  \param[in] options  NULL: as it is  \return as chgi_relax */
chgnet_status chgi_relax_measure(chgnet_context *ctx, const chgi_potential *potential, chgi_structure *structure,
                                 const chgi_relax_options *options, chgi_outcome *outcome);

#endif
