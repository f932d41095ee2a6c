/* Whatever gives energy and forces of atoms, as tasks see it: CHGNet, CHGNet corrected, or a potential made for tests.
 */
#ifndef CHGI_CALC_POTENTIAL_H
#define CHGI_CALC_POTENTIAL_H

#include "crystal/structure.h"

/** Results of the last compute; the arrays belong to the potential and live until its next call. */
typedef struct chgi_outcome {
    double energy;               /**< eV */
    const double *forces;        /**< (n_atom,3) eV/A; NULL unless CHGNET_WANT_GRADIENT was asked */
    double virial[3][3];         /**< dE/dstrain, eV, symmetric; stress = virial / |V| where all axes are periodic */
    const double *site_energies; /**< (n_atom) eV; NULL: none */
    const double *magmoms;       /**< (n_atom) mu_B; NULL: none */
    const double *atom_fea;      /**< (n_atom,n_feature) before the last convolution; NULL: none */
    int n_feature;
    double energy_std;   /**< eV, standard deviation of the energy; negative: none */
    double delta_energy; /**< eV, corrected minus CHGNet; 0 without a delta-model */
} chgi_outcome;

/** One potential belongs to one thread; errors go to the context it was made with. */
typedef struct chgi_potential {
    void *self;
    /** Take a structure: its atoms, cell and periodic axes.
     *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM */
    chgnet_status (*set_structure)(void *self, const chgi_structure *structure);
    /** The same atoms and axes elsewhere.
     *  \param[in] positions (n_atom,3) A  \param[in] cell (3,3) A, rows are cell vectors; NULL: as it is
     *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM */
    chgnet_status (*move)(void *self, const double *positions, const double (*cell)[3]);
    /** \param[in] want CHGNET_WANT_ flags
     *  \return CHGNET_OK; CHGNET_ENUMERIC, CHGNET_ENOMEM */
    chgnet_status (*compute)(void *self, unsigned want, chgi_outcome *outcome);
    void (*destroy)(void *self);
} chgi_potential;

#endif
