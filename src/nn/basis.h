/* Radial and angular basis functions with first and second derivatives, in double.
 * Source: chgnet/model/basis.py:RadialBessel, CutoffPolynomial, Fourier */
#ifndef CHGI_NN_BASIS_H
#define CHGI_NN_BASIS_H

#include "nn/real.h"

#define chgi_radial_basis CHGI_K(radial_basis)
#define chgi_angular_basis CHGI_K(angular_basis)

typedef struct chgi_radial {
    int n;         /**< number of functions */
    double cutoff; /**< c, Angstrom */
    double power;  /**< p of the envelope; 0: no envelope */
    double *omega; /**< (n) frequencies, rounded up with zeros to CHGI_PAD */
} chgi_radial;

typedef struct chgi_angular {
    int n;         /**< number of functions, 1 + 2 n_frequency */
    double *omega; /**< (n_frequency) rounded up with zeros to CHGI_PAD */
} chgi_angular;

/** f(x) sqrt(2/c) sin(omega x) / r with x = r/c and the envelope f of power p; zero from c on.
 *  \param[in]  radial     chgi_radial
 *  \param[in]  r          Angstrom
 *  \param[out] value, slope, curvature  (pad n) in r */
void chgi_radial_basis(const void *radial, double r, double *value, double *slope, double *curvature);

/** [1/sqrt 2, sin(omega t), cos(omega t)] / sqrt(pi).
 *  \param[in]  angular    chgi_angular
 *  \param[in]  theta      radian
 *  \param[out] value, slope, curvature  (pad n + CHGI_PAD), the first n count; in theta */
void chgi_angular_basis(const void *angular, double theta, double *value, double *slope, double *curvature);

#endif
