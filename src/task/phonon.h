/* Forces of displaced cells, many at a time. */
#ifndef CHGI_TASK_PHONON_H
#define CHGI_TASK_PHONON_H

#include "calc/potential.h"
#include "crystal/phonopy.h"

/** What one thread works with: a potential and the context that it was made with. */
typedef struct chgi_phonon_worker {
    chgnet_context *ctx;
    chgi_potential potential;
} chgi_phonon_worker;

typedef struct chgi_phonon_choice {
    int n_worker;
    const chgi_phonon_worker *workers; /**< (n_worker) */
    double max_std;                    /**< eV, limit to the standard deviation of the energy; 0: none */
    void *user;
    void (*progress)(void *user, int64_t n_done, int64_t n_all); /**< by the caller's thread; NULL: nobody asks */
    bool (*stop)(void *user);                                    /**< NULL: never */
} chgi_phonon_choice;

/** Forces of the supercell and of all displaced cells, as the potential gives them: no drift is taken away.
 *  \param[out] residual (n_atom,3) eV/A, of the supercell without displacement
 *  \param[out] forces   (n_displacement,n_atom,3) eV/A
 *  \param[out] complete false after a stop: the forces are not all there
 *  \return CHGNET_OK, also after a stop; CHGNET_EINPUT, CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_phonon_forces(chgnet_context *ctx, const chgi_phonon_choice *choice, const chgi_displaced *cells,
                                 double *residual, double *forces, bool *complete);

/** Length of the sum of all forces, eV/A; exact forces have none.  \param[in] forces (n_atom,3) */
double chgi_phonon_drift(int64_t n_atom, const double *forces);

#endif
