/* Molecular dynamics: the physics.  A run is a block of plain doubles that steps forward: whoever stores the block bit
 * for bit, and restores it, goes on as if the run had never stopped.  Files are for others to write.
 *
 * Units: eV, A, fs, K, GPa, atomic mass units; stress with ASE's sign.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_TASK_MD_H
#define CHGI_TASK_MD_H

#include "calc/potential.h"

typedef enum chgi_md_ensemble {
    CHGI_MD_NVE = 0,         /**< velocity Verlet */
    CHGI_MD_NVT_LANGEVIN,    /**< BAOAB; Leimkuhler, Matthews, Appl. Math. Res. Express 2013, 34 */
    CHGI_MD_NVT_NOSE_HOOVER, /**< chains; Martyna, Klein, Tuckerman, J. Chem. Phys. 97, 2635 (1992) */
    CHGI_MD_NVT_BUSSI, /**< stochastic velocity rescaling; Bussi, Donadio, Parrinello, J. Chem. Phys. 126, 014101 */
    CHGI_MD_NPT_SCR,   /**< stochastic cell rescaling, isotropic; Bernetti, Bussi, J. Chem. Phys. 153, 114107 */
    CHGI_MD_NPT_MTK,   /**< Martyna, Tobias, Klein, J. Chem. Phys. 101, 4177 (1994) */
    CHGI_MD_ENSEMBLE_COUNT
} chgi_md_ensemble;

enum { CHGI_MD_MAX_CHAIN = 8 };

typedef struct chgi_md_options {
    chgi_md_ensemble ensemble;
    double timestep;        /**< fs; 1 */
    int64_t n_step;         /**< length of the whole run, which ramps need; others may go on beyond it */
    double temperature[2];  /**< K at the first and the last step; 300, 300.  NVE: [0] starts the velocities */
    double pressure[2];     /**< GPa at the first and the last step; 0, 0 */
    uint64_t seed;          /**< of the random numbers; 0 */
    double friction;        /**< 1/fs, Langevin; 0.01 */
    double thermostat_time; /**< fs, Nose-Hoover, Bussi and both NPT; 100 */
    double barostat_time;   /**< fs; 1000 */
    double compressibility; /**< 1/GPa, npt-scr: with barostat_time it sets how fast the volume follows; 0.01 */
    int chain;              /**< links of each Nose-Hoover chain, 1..CHGI_MD_MAX_CHAIN; 3 */
    bool full_cell; /**< npt-mtk: all of the cell's shape may change, without turning it; false: its volume alone */
    bool draw;      /**< draw velocities even if the structure has the column `velocities` or `momenta`; false */
    bool exact_temperature;  /**< scale drawn velocities to just the temperature; false: right on average; true */
    bool external;           /**< the potential holds atoms in place, so that total momentum is not conserved; false */
    double max_temperature;  /**< K, beyond it the run stops; 0: 10000 K + 50 x the higher of both temperatures */
    double max_displacement; /**< A in one step; 1 */
    double max_force;        /**< eV/A; 1000 */
    double max_std;          /**< eV, of the energy's standard deviation; 0: no limit */
} chgi_md_options;

/** What the state block begins with.  All members are doubles, so that the block is an array of doubles. */
typedef struct chgi_md_numbers {
    double n_atom, ensemble;                       /**< what the block belongs to */
    double step;                                   /**< steps done */
    double cell[3][3];                             /**< A, rows are cell vectors */
    double cell_velocity[3][3];                    /**< 1/fs, symmetric: d(cell)/dt = cell . cell_velocity; npt-mtk */
    double chain_velocity[CHGI_MD_MAX_CHAIN];      /**< 1/fs, the atoms' Nose-Hoover chain */
    double cell_chain_velocity[CHGI_MD_MAX_CHAIN]; /**< 1/fs, the cell's */
    double exchanged;    /**< eV that thermostat, barostat and ramps have put in since the start */
    double temperature;  /**< K, the target of the last step */
    double pressure;     /**< GPa, the target of the last step */
    double energy;       /**< eV, potential */
    double virial[3][3]; /**< eV, dE/dstrain */
    double energy_std;   /**< eV; negative: none */
    double delta_energy; /**< eV */
} chgi_md_numbers;

/** The state; it belongs to the run and is changed by chgi_md_start, chgi_md_step and chgi_md_restore alone. */
typedef struct chgi_md_state {
    int64_t n_atom;
    chgi_md_numbers *numbers; /**< the beginning of the block */
    double *positions;        /**< (n_atom,3) A, never put back into the cell */
    double *velocities;       /**< (n_atom,3) A/fs */
    double *forces;           /**< (n_atom,3) eV/A, at these positions */
    size_t n_double;          /**< length of the block: numbers, positions, velocities, forces */
} chgi_md_state;

typedef struct chgi_md_observables {
    int64_t step;
    double time;        /**< fs */
    double kinetic;     /**< eV */
    double potential;   /**< eV */
    double total;       /**< eV, kinetic + potential */
    double conserved;   /**< eV, total and the accounts of thermostat and barostat: constant in exact dynamics */
    double temperature; /**< K, 2 kinetic / (n_freedom k); 0 where nothing moves */
    double pressure; /**< GPa, with the kinetic part; NaN where not all axes are periodic, as for stress and volume */
    double stress[3][3];       /**< GPa, ASE's sign, with the kinetic part */
    double volume;             /**< A^3 */
    double cell[3][3];         /**< A */
    double target_temperature; /**< K, of the last step; NaN in nve */
    double target_pressure;    /**< GPa, of the last step; NaN where the cell is fixed */
    double energy_std;         /**< eV; negative: none */
} chgi_md_observables;

typedef struct chgi_md chgi_md;

/** The name that `--ensemble` takes, and back (CHGI_MD_ENSEMBLE_COUNT: unknown). */
const char *chgi_md_ensemble_name(chgi_md_ensemble ensemble);
chgi_md_ensemble chgi_md_ensemble_find(const char *name);

/** The defaults written beside the members. */
chgi_md_options chgi_md_options_default(chgi_md_ensemble ensemble);

/** Prepare a run: the potential takes the structure; masses, degrees of freedom and the first velocities are set.
 *  Masses (atomic mass units) are those of the structure's column `masses`, else standard atomic weights.
 *  Velocities are those of its columns `momenta` (sqrt(amu eV)) or `velocities` (sqrt(eV/amu)), as ASE writes them,
 *  unless all are zero; else drawn at temperature[0] with zero total momentum.
 *  What move_mask fixes has no velocity, ever.  The total momentum along an axis is conserved, and one degree of
 *  freedom less is counted for it, where all atoms are free along that axis and `external` is false; thermostats then
 *  start and stay at zero momentum, nve keeps that of the file's velocities.
 *  \param[in] potential, ctx  must outlive the run; nobody else may use the potential meanwhile
 *  \return CHGNET_OK; CHGNET_EUSAGE for impossible options; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_md_create(chgnet_context *ctx, const chgi_potential *potential, const chgi_structure *structure,
                             const chgi_md_options *options, chgi_md **md);
void chgi_md_destroy(chgi_md *md);

/** Compute energy and forces of step 0.  A restored run does not need it.
 *  \param[in] want  CHGNET_WANT_ flags beyond energy and gradient
 *  \return CHGNET_OK; CHGNET_ENUMERIC beyond the bounds; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_md_start(chgi_md *md, unsigned want);

/** One step.  On failure the state is what it was before the step.  Allocates nothing itself.
 *  \param[in] want  CHGNET_WANT_ flags beyond energy and gradient, for chgi_md_outcome
 *  \return CHGNET_OK; CHGNET_ENUMERIC when energy, force, temperature, standard deviation, a displacement or the
 *          cell leaves its bounds; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_md_step(chgi_md *md, unsigned want);

/** Everything that changes while a run goes on. */
const chgi_md_state *chgi_md_get_state(const chgi_md *md);

/** Go on from a block that another run, made from the same structure and options, had at some step.  Computes nothing.
 *  \param[in] block (n_double) what chgi_md_get_state(...)->numbers points to
 *  \return CHGNET_OK; CHGNET_EINPUT when it is of another kind of run or holds what no run can; CHGNET_ENOMEM */
chgnet_status chgi_md_restore(chgi_md *md, const double *block, size_t n_double);

void chgi_md_observe(const chgi_md *md, chgi_md_observables *observables);

/** Results of the last chgi_md_start or chgi_md_step, with magmoms and embeddings where the potential has them; its
 *  arrays live until the next.  NULL when there is none: nothing computed yet, restored, or the last step failed. */
const chgi_outcome *chgi_md_outcome(const chgi_md *md);

/** (n_atom) atomic mass units. */
const double *chgi_md_masses(const chgi_md *md);
/** Degrees of freedom that the kinetic energy is shared by. */
int64_t chgi_md_freedom(const chgi_md *md);

/** 1 fs in ASE's unit of time, A sqrt(amu/eV); a velocity in A/fs over it is one in sqrt(eV/amu). */
#define CHGI_MD_FS 0.09822694788464063

#endif
