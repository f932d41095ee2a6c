/* The gated MLP: g = silu(norm1(core(x))) * sigmoid(norm2(gate(x))).
 *
 * The first linear map is applied by the layers, which split it into parts that depend on one atom, bond or angle;
 * so these kernels begin with its result.  Core and gate stand side by side: columns [0,h) and [h,2h).
 * Source: chgnet/model/functions.py:GatedMLP */
#ifndef CHGI_NN_GATED_H
#define CHGI_NN_GATED_H

#include <stdbool.h>

#include "nn/linear.h"

#define chgi_gated CHGI_K(gated)
#define chgi_gated_forward CHGI_K(gated_forward)
#define chgi_gated_backward CHGI_K(gated_backward)

typedef struct chgi_gated {
    int n_hidden;           /**< padded width of the hidden layer; 0: there is none */
    int n_out;              /**< padded width of the result */
    int n_feature;          /**< width of the result without padding: LayerNorm's mean is over these */
    chgi_linear core, gate; /**< n_hidden -> n_out, where there is a hidden layer */
    bool norm;              /**< LayerNorm before the activations */
    chg_real *scale[2];     /**< (n_out) LayerNorm weight of core and gate, zero in the padding */
    chg_real *shift[2];     /**< (n_out) LayerNorm bias */
} chgi_gated;

/** Width of x: twice the hidden width, or twice the result's where there is no hidden layer. */
static inline int chgi_gated_width(const chgi_gated *gated)
{
    return 2 * (gated->n_hidden ? gated->n_hidden : gated->n_out);
}

/** \param[in]  x  (rows,width)    result of the first linear map
 *  \param[out] h  (rows,width)    scratch, not read where there is no hidden layer
 *  \param[out] y  (rows,2 n_out)  what enters the LayerNorms; without a hidden layer x is that, and y is not used
 *  \param[out] g  (rows,n_out) */
void chgi_gated_forward(const chgi_gated *gated, int rows, const chg_real *x, chg_real *h, chg_real *y, chg_real *g);

/** \param[in]  x,y  as chgi_gated_forward left them (y is x where there is no hidden layer)
 *  \param[in]  dg   (rows,n_out)
 *  \param[out] g    (rows,n_out)    the forward result once more
 *  \param[out] dy   (rows,2 n_out)  scratch; without a hidden layer unused
 *  \param[out] dx   (rows,width) */
void chgi_gated_backward(const chgi_gated *gated, int rows, const chg_real *x, const chg_real *y, const chg_real *dg,
                         chg_real *g, chg_real *dy, chg_real *dx);

#endif
