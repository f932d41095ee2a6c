/* CHGNet's forward pass once more, as plainly as it can be written: one loop per formula, inputs put end to end as the
 * formulas have them, everything in double, no tiles, no padding, nothing shared with src/nn.  It is the reference for
 * the kernels of src/model.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef PLAIN_H
#define PLAIN_H

#include "crystal/graph.h"
#include "model/weights.h"

typedef struct plain_result {
    double *site_energies;  /**< (n_atom) eV */
    double *magmoms;        /**< (n_atom) */
    double *atom_fea;       /**< (n_atom,n_feature) */
    double *atom_fea_final; /**< (n_atom,n_feature) */
} plain_result;

/** Run the network.  The arrays of `result` are made here. */
void plain_forward(const chgi_weights *weights, const chgi_graph *graph, const int32_t *numbers, plain_result *result);
void plain_result_free(plain_result *result);

/* ---- single functions, used by plain_forward and by the tests of single kernels ---------------------------- */

/** y = W x + b.  \param[in] weight (n_out,n_in)  \param[in] bias (n_out) or NULL */
void plain_linear(const float *weight, const float *bias, int64_t n_in, int64_t n_out, const double *x, double *y);
/** In place: (x - mean) / sqrt(variance + 1e-5) * weight + bias. */
void plain_norm(const float *weight, const float *bias, int64_t n, double *x);
double plain_sigmoid(double x);
double plain_silu(double x);
/** f(x) sqrt(2/c) sin(omega x) / r, x = r/c; f is the polynomial of power p, 1 where p is 0.
 *  \param[out] out (n) */
void plain_radial(int64_t n, const double *omega, double cutoff, double power, double r, double *out);
/** [1/sqrt 2, sin(omega t), cos(omega t)] / sqrt(pi).  \param[out] out (1 + 2n) */
void plain_angular(int64_t n, const double *omega, double theta, double *out);

#endif
