/* Minimisers: FIRE, L-BFGS and BFGS, each by the definitions and with the constants of ASE 3.29, so that both take the
 * same steps.  They know vectors only: rows of three coordinates and the forces on them. */
#ifndef CHGI_TASK_MINIMISE_H
#define CHGI_TASK_MINIMISE_H

#include "base/context.h"

typedef enum chgi_minimiser_kind {
    CHGI_FIRE = 0, /**< Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); time step 0.1, at most 1 */
    CHGI_LBFGS,    /**< Nocedal, Math. Comp. 35, 773 (1980); memory 100, first curvature 70 eV/A^2, no line search */
    CHGI_BFGS,     /**< Hessian of first curvature 70 eV/A^2, sizes of its eigenvalues; n^2 memory, n^3 time */
    CHGI_MINIMISER_COUNT
} chgi_minimiser_kind;

typedef struct chgi_minimiser chgi_minimiser;

/** The name that `--optimizer` takes, and back (CHGI_MINIMISER_COUNT: unknown). */
const char *chgi_minimiser_name(chgi_minimiser_kind kind);
chgi_minimiser_kind chgi_minimiser_find(const char *name);

/** \param[in] n_row  rows of three numbers
 *  \return CHGNET_OK; CHGNET_ENOMEM, for BFGS before the work */
chgnet_status chgi_minimiser_create(chgnet_context *ctx, chgi_minimiser_kind kind, int64_t n_row,
                                    chgi_minimiser **minimiser);
void chgi_minimiser_destroy(chgi_minimiser *minimiser);

/** The next step; FIRE's is at most 0.2 long, the others' longest row is.
 *  \param[in]  x       (n_row,3) where the last step has led, constraints included
 *  \param[in]  forces  (n_row,3) minus the gradient there
 *  \param[out] step    (n_row,3)
 *  \return CHGNET_OK; CHGNET_ENUMERIC when the step is not finite; CHGNET_ENOMEM */
chgnet_status chgi_minimiser_step(chgi_minimiser *minimiser, const double *x, const double *forces, double *step);

/** Longest row of (n_row,3). */
double chgi_longest_row(const double *rows, int64_t n_row);

#endif
