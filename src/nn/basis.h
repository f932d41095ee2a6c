/* Radial and angular basis functions with their derivatives.
 * Source: chgnet/model/basis.py:RadialBessel, CutoffPolynomial, Fourier */
#ifndef CHGI_NN_BASIS_H
#define CHGI_NN_BASIS_H

#include "nn/real.h"

#define chgi_radial_basis CHGI_K(radial_basis)
#define chgi_angular_basis CHGI_K(angular_basis)

/** Frequencies of a basis; padded with zeros. */
typedef struct chgi_frequencies {
    int n;         /**< number of functions (radial) or of sines (angular) */
    double *omega; /**< (padded n) */
} chgi_frequencies;

/** f(x) sqrt(2/c) sin(omega x) / r with x = r/c and the envelope f of power p; zero from c on.
 *  \param[in]  r      Angstrom
 *  \param[out] value  (pad n)
 *  \param[out] slope  (pad n)  d value / d r, 1/A */
void chgi_radial_basis(const chgi_frequencies *frequencies, double cutoff, double power, double r, chg_real *value,
                       chg_real *slope);

/** [1/sqrt 2, sin(omega t), cos(omega t)] / sqrt(pi).
 *  \param[in]  theta  radian
 *  \param[out] value  (pad(1 + 2n) + CHGI_PAD), the first 1 + 2n count
 *  \param[out] slope  likewise, d value / d theta */
void chgi_angular_basis(const chgi_frequencies *frequencies, double theta, chg_real *value, chg_real *slope);

#endif
