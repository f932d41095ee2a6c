/* Minimum of a smooth function of a few variables within a box: L-BFGS with projection on the box and Armijo's
 * condition (J. Nocedal and S. J. Wright, Numerical Optimization, 2006, ch. 7; D. P. Bertsekas, SIAM J. Control Optim.
 * 20, 221 (1982)). */
#ifndef CHGI_MATH_LBFGS_H
#define CHGI_MATH_LBFGS_H

#include "base/context.h"

enum { CHGI_LBFGS_MAX = 64 }; /**< most variables */

/** Value and gradient at x.  A value of infinity marks a point that must not be taken; any status but CHGNET_OK ends
 *  the search. */
typedef chgnet_status (*chgi_objective)(void *self, const double *x, double *value, double *gradient);

/** \param[in]     low, high (n) bounds, equal ones keep a variable where it is
 *  \param[in,out] x (n) start, then the best point found
 *  \param[in]     max_step   most steps
 *  \param[in]     tolerance  stop when a step lowers the value by less, or every free slope is below it
 *  \param[out]    value      at x; infinity when the start must not be taken
 *  \return CHGNET_OK, whether converged or not; what the objective returned */
chgnet_status chgi_lbfgs_minimize(int n, const double *low, const double *high, double *x, int max_step,
                                  double tolerance, chgi_objective objective, void *self, double *value);

#endif
