/* Inside a run of molecular dynamics: what its parts share.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_TASK_MD_INSIDE_H
#define CHGI_TASK_MD_INSIDE_H

#include "task/md.h"

/** eV/K */
#define CHGI_MD_BOLTZMANN 8.617330337217213e-05
/** 1 eV/A^3 in GPa */
#define CHGI_MD_GPA 160.21766208

/** What random numbers are for. */
enum {
    CHGI_MD_STREAM_START = 1,
    CHGI_MD_STREAM_LANGEVIN,
    CHGI_MD_STREAM_BEFORE,
    CHGI_MD_STREAM_AFTER,
    CHGI_MD_STREAM_CELL
};

struct chgi_md {
    chgnet_context *ctx;
    const chgi_potential *potential;
    chgi_md_options options;
    chgi_md_state state;
    double *backup; /**< (n_double) the state before the step */
    int32_t *numbers;
    double *masses;            /**< (n_atom) atomic mass units */
    double *inertia;           /**< (n_atom) mass in eV fs^2/A^2 */
    double (*projector)[3][3]; /**< (n_atom) onto the directions in which the atom may move; NULL: all may */
    double total_inertia;
    bool conserved[3]; /**< the total momentum along this axis is, and is zero under a thermostat */
    bool periodic;     /**< along all three axes */
    int64_t n_freedom;
    double now;    /**< the step that is being made, for messages */
    double strain; /**< npt-scr: strain of the volume in this step */
    chgi_outcome outcome;
    bool has_outcome;
};

/** True where the ensemble has a thermostat (all but nve), or a barostat. */
static inline bool chgi_md_has_thermostat(const chgi_md *md)
{
    return md->options.ensemble != CHGI_MD_NVE;
}
static inline bool chgi_md_has_barostat(const chgi_md *md)
{
    return md->options.ensemble == CHGI_MD_NPT_SCR || md->options.ensemble == CHGI_MD_NPT_MTK;
}

/** k times the target temperature, eV. */
static inline double chgi_md_thermal(const chgi_md *md)
{
    return CHGI_MD_BOLTZMANN * md->state.numbers->temperature;
}

/* ---- md_start.c: what is set once -------------------------------------------------------------------- */

/** Masses from the structure's column or the element table. \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_md_set_masses(chgi_md *md, const chgi_structure *structure);
/** Projectors from the mask; degrees of freedom.  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_md_set_freedom(chgi_md *md, const chgi_structure *structure);
/** Velocities from the structure's columns, or drawn.  \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_md_set_velocities(chgi_md *md, const chgi_structure *structure);
/** Take out what the mask forbids.  \param[in,out] vectors (n_atom,3) */
void chgi_md_project(const chgi_md *md, double *vectors);
/** Take the total momentum out along the axes where it is conserved.  \param[in,out] velocities (n_atom,3) */
void chgi_md_remove_momentum(const chgi_md *md, double *velocities);

/* ---- md_move.c: the parts that integrators are made of ----------------------------------------------- */

/** Velocities by the forces, over a time (fs). */
void chgi_md_kick(chgi_md *md, double time);
/** Positions by the velocities, over a time (fs); the cell stays. */
void chgi_md_drift(chgi_md *md, double time);
/** Positions and cell rows times `factor`, velocities divided by it. */
void chgi_md_scale(chgi_md *md, double factor);
/** Move the potential to the state's positions and cell, compute, take and check the results.
 *  \return CHGNET_OK; CHGNET_ENUMERIC beyond the bounds; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_md_compute(chgi_md *md, unsigned want);
/** No atom is so fast that a step carries it too far.  \return CHGNET_OK; CHGNET_ENUMERIC */
chgnet_status chgi_md_check_speed(chgi_md *md);

/* ---- md_observe.c ------------------------------------------------------------------------------------ */

/** eV */
double chgi_md_kinetic(const chgi_md *md);
/** What thermostat and barostat hold besides the atoms' own energy, eV. */
double chgi_md_extended(const chgi_md *md);
/** |volume|, A^3. */
double chgi_md_volume(const chgi_md *md);
/** Sum over atoms of m v v, eV. */
void chgi_md_kinetic_tensor(const chgi_md *md, double tensor[3][3]);

/* ---- md_chain.c: Nose-Hoover chains ------------------------------------------------------------------ */

/** One chain over a time.
 *  \param[in,out] velocity   (n_link) 1/fs
 *  \param[in]     freedom    degrees of freedom it is coupled to
 *  \param[in]     thermal    k T, eV
 *  \param[in]     relaxation fs
 *  \param[in]     twice_kinetic eV, of what it is coupled to
 *  \param[in,out] exchanged  eV, less what the chain takes up besides its own kinetic energy
 *  \return the factor for the velocities of what it is coupled to */
double chgi_md_chain_move(double *velocity, int n_link, double freedom, double thermal, double relaxation,
                          double twice_kinetic, double time, double *exchanged);
/** Kinetic energy of a chain, eV. */
double chgi_md_chain_kinetic(const double *velocity, int n_link, double freedom, double thermal, double relaxation);
/** The atoms' chain over a time. */
void chgi_md_chain_atoms(chgi_md *md, double time);

/* ---- md_mtk.c: Martyna-Tobias-Klein ------------------------------------------------------------------ */

/** Mass of the cell's velocity, eV fs^2. */
double chgi_md_cell_inertia(const chgi_md *md);
/** Degrees of freedom of the cell: 1 or 6. */
double chgi_md_cell_freedom(const chgi_md *md);
chgnet_status chgi_md_step_mtk(chgi_md *md, unsigned want);

/* ---- md_stochastic.c --------------------------------------------------------------------------------- */

chgnet_status chgi_md_step_langevin(chgi_md *md, unsigned want);
chgnet_status chgi_md_step_bussi(chgi_md *md, unsigned want);
chgnet_status chgi_md_step_scr(chgi_md *md, unsigned want);

#endif
