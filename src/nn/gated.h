/* The gated MLP: g = silu(norm1(core(x))) * sigmoid(norm2(gate(x))).
 *
 * The first linear map is applied by the layers, which split it into parts that depend on one atom, bond or angle;
 * so these kernels begin with its result.  Core and gate stand side by side: columns [0,h) and [h,2h).
 * Where there is LayerNorm, the map before it must be centered (chgi_linear_center).
 * Source: chgnet/model/functions.py:GatedMLP */
#ifndef CHGI_NN_GATED_H
#define CHGI_NN_GATED_H

#include <stdbool.h>

#include "nn/linear.h"

#define chgi_gated_activate CHGI_K(gated_activate)
#define chgi_gated_forward CHGI_K(gated_forward)
#define chgi_gated_backward CHGI_K(gated_backward)

typedef struct chgi_gated {
    int n_hidden;           /**< padded width of the hidden layer; 0: there is none */
    int n_out;              /**< padded width of the result */
    int n_feature;          /**< width of the result without padding: LayerNorm's mean is over these */
    chgi_linear core, gate; /**< n_hidden -> n_out, where there is a hidden layer */
    bool norm;              /**< LayerNorm before the activations */
    chg_real *scale[2];     /**< (n_out) LayerNorm weight of core and gate, zero in the padding; 1 without LayerNorm */
    chg_real *shift[2];     /**< (n_out) LayerNorm bias; 0 without LayerNorm */
} chgi_gated;

/** Width of x: twice the hidden width, or twice the result's where there is no hidden layer. */
static inline int chgi_gated_width(const chgi_gated *gated)
{
    return 2 * (gated->n_hidden ? gated->n_hidden : gated->n_out);
}

/** With a hidden layer: its activation and the slope of that, which is what the reverse pass needs of x.
 *  \param[in,out] x  (rows,width)  result of the first linear map; becomes the slope
 *  \param[out]    h  (rows,width) */
void chgi_gated_activate(const chgi_gated *gated, int rows, chg_real *x, chg_real *h);

/** \param[in]     h  (rows,width)    hidden activation; unused where there is no hidden layer
 *  \param[in,out] y  (rows,2 n_out)  what enters the LayerNorms: made from h; without a hidden layer it is given
 *  \param[out]    g  (rows,n_out) */
void chgi_gated_forward(const chgi_gated *gated, int rows, const chg_real *h, chg_real *y, chg_real *g);

/** \param[in]  slope  (rows,width)    of the hidden activation; unused where there is no hidden layer
 *  \param[in]  y      (rows,2 n_out)  as chgi_gated_forward left it
 *  \param[in]  dg     (rows,n_out)
 *  \param[out] g      (rows,n_out)    the forward result once more
 *  \param[out] dy     (rows,2 n_out)  scratch; without a hidden layer unused
 *  \param[out] dx     (rows,width)    gradient of the first map's result */
void chgi_gated_backward(const chgi_gated *gated, int rows, const chg_real *slope, const chg_real *y,
                         const chg_real *dg, chg_real *g, chg_real *dy, chg_real *dx);

#endif
