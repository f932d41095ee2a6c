/* Structure in, energy, forces, stress, magmoms and embeddings out; owns the graph and the workspace. */
#ifndef CHGI_CALC_CALCULATOR_H
#define CHGI_CALC_CALCULATOR_H

#include "calc/potential.h"
#include "crystal/host.h"
#include "crystal/part.h"
#include "gp/delta.h"
#include "model/model.h"

/** 1 eV/A^3 in GPa. */
#define CHGI_GPA 160.21766208

typedef struct chgi_part_correction chgi_part_correction; /* calc/calculator_part.c */

struct chgnet_calculator {
    chgnet_context *ctx;
    const chgnet_model *model;
    const chgi_kernel *kernel;
    const void *network;
    int n_thread;
    size_t keep_at_most; /**< bytes of workspace up to which activations are kept: a quarter of the machine's memory */
    double skin;         /**< A: the list of pairs serves until an atom has moved half of it; 0: new each time */
    bool trajectory;     /**< many steps with the same elements: worth the tables by pairs of elements */
    int n_feature;
    const chgi_delta *delta; /**< the correction, not owned; NULL: none */
    chgi_delta_workspace delta_workspace;

    chgi_structure structure;
    bool has_structure; /**< numbers, cell and periodic axes are those of an accepted structure */
    chgi_graph graph;   /**< n_atom 0: none, as after an error */
    bool has_graph;     /**< also that of an empty part */
    bool is_part;       /**< the structure is a part's atoms, own and remote, in no cell */
    chgi_part part;
    chgnet_exchange exchange; /**< spread NULL: there are no other processes */
    chgnet_crossing *crossings;
    chgi_part_correction *shared; /**< the delta-model's numbers for the atoms of all processes; NULL: not needed yet */
    size_t capacity_crossing;
    bool hosted; /**< bonds come from a host's list, and results go to its atoms */
    chgi_host host;
    chgi_arena workspace;
    chgi_pair_tables pairs;
    chgi_arena memory; /* of the result arrays */
    unsigned computed; /**< CHGNET_WANT_ flags of the last pass; 0 after a new structure */

    double energy;          /**< eV, corrected where there is a delta-model, as all that follows */
    double virial[3][3];    /**< dE/dstrain, eV */
    double *site_energies;  /**< (n_atom) eV */
    double *magmoms;        /**< (n_atom) mu_B */
    double *forces;         /**< (n_atom,3) eV/A */
    double *site_virials;   /**< (n_atom,3,3) eV, symmetric, half of each bond to each end */
    double *counted;        /**< (n_atom) 1, or 0 for an atom whose energy another process counts */
    double *atom_fea;       /**< (n_atom,n_feature) */
    double *atom_fea_final; /**< (n_atom,n_feature) */
    double *bond_gradient;  /**< (n_bond,3) dE/d(bond vector), eV/A; scratch with CHGNET_WANT_STD_GRADIENT */

    double delta_energy;      /**< eV, corrected minus CHGNet; 0 without a delta-model */
    double energy_std;        /**< eV; negative: not computed */
    double std_virial[3][3];  /**< d std/dstrain, eV */
    double *std_forces;       /**< (n_atom,3) -d std/dx, eV/A */
    double *site_corrections; /**< (n_atom) eV */
    double *novelty;          /**< (n_atom) eV^2 */
    double *delta_gradient;   /**< (n_atom,n_feature) d delta_energy / d fea of the delta-model's layer */
    double *std_gradient;     /**< (n_atom,n_feature) d std / d fea */
    double *spare_energies;   /**< (n_atom) where a repeated forward pass leaves its energies; then zeros */

    chgi_profile *profile; /**< the owner's, to be filled; NULL: no times are taken */
};

/** \param[in] isa  "generic", "avx2", "avx512", or NULL for the fastest this processor runs
 *  \param[in] n_thread  0: OMP_NUM_THREADS, else the cores this process may use
 *  \return CHGNET_OK; CHGNET_EUSAGE when this processor has no such kernels; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_calculator_create(chgnet_context *ctx, const chgnet_model *model, bool is_double, int n_thread,
                                     const char *isa, chgnet_calculator **calculator);
void chgi_calculator_destroy(chgnet_calculator *calculator);

/** Check a structure, copy it, build its graph.  Results are gone, also on failure.
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_calculator_set_structure(chgnet_calculator *calculator, const chgi_structure *structure);

/** The same with a host's neighbour list instead of a search of our own.
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_calculator_set_neighbours(chgnet_calculator *calculator, const chgnet_neighbours *list);

/** Number of atoms with results of their own: those of the graph, without ghosts of other processes. */
static inline int64_t chgi_calculator_own(const chgnet_calculator *calculator)
{
    return calculator->hosted ? calculator->host.n_local : calculator->graph.n_own;
}

/** Move the atoms of the structure that is set, and its cell.  Results are gone, also on failure; others may follow
 * then. A step that needs no new list of pairs and has no larger graph than one before allocates nothing, nor does the
 *  chgi_calculator_compute after it.
 *  \param[in] positions (n_atom,3) A
 *  \param[in] cell      (3,3) A, rows are cell vectors; NULL: as it is
 *  \return CHGNET_OK; CHGNET_EUSAGE without a structure; CHGNET_EINPUT, CHGNET_ENOMEM */
chgnet_status chgi_calculator_set_geometry(chgnet_calculator *calculator, const double *positions,
                                           const double (*cell)[3]);

/** The same within the cell that is set. */
chgnet_status chgi_calculator_set_positions(chgnet_calculator *calculator, const double *positions);

/** A part of a system in place of a structure: chgnet_calculator_set_part. */
chgnet_status chgi_calculator_set_part(chgnet_calculator *calculator, const chgnet_part *part,
                                       const chgnet_exchange *exchange);
chgnet_status chgi_calculator_move_part(chgnet_calculator *calculator, const double *positions);

/** Correct what is computed from now on.  Results are gone.
 *  \param[in] delta  must outlive its use; NULL: none
 *  \return CHGNET_OK; CHGNET_EINPUT when it was made for embeddings of another length */
chgnet_status chgi_calculator_set_delta(chgnet_calculator *calculator, const chgi_delta *delta);

/** \param[in] want CHGNET_WANT_ flags
 *  \return CHGNET_OK; CHGNET_EUSAGE without a structure, for a standard deviation without a delta-model, or for parts
 *          of a delta-model that cannot be told from a part of the atoms;
 *          CHGNET_EINPUT for an element that the delta-model does not know; CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_calculator_compute(chgnet_calculator *calculator, unsigned want);

/** The calculator as tasks see it.  The potential's destroy destroys the calculator: whoever keeps that calls only one.
 */
chgi_potential chgi_calculator_potential(chgnet_calculator *calculator);

#endif
