/* Products of a tile of rows with a packed weight matrix. */
#ifndef CHGI_NN_LINEAR_H
#define CHGI_NN_LINEAR_H

#include "base/arena.h"
#include "nn/real.h"

#define chgi_product CHGI_K(product)
#define chgi_linear CHGI_K(linear)
#define chgi_linear_bind CHGI_K(linear_bind)
#define chgi_linear_pack CHGI_K(linear_pack)
#define chgi_linear_center CHGI_K(linear_center)
#define chgi_linear_fuse CHGI_K(linear_fuse)

/** A linear map y = W x + b.  Widths are padded to CHGI_PAD with zeros. */
typedef struct chgi_linear {
    int n_in, n_out;    /**< padded widths */
    chg_real *forward;  /**< (n_in,n_out)   transposed W: y = x forward */
    chg_real *backward; /**< (n_out,n_in)   W itself: dx = dy backward */
    chg_real *bias;     /**< (n_out) zeros where there is none */
} chgi_linear;

/** out = start + a b for a tile of rows.
 *  \param[in]  rows          number of rows of a, start and out
 *  \param[in]  a             (rows,lda), the first k columns are read
 *  \param[in]  b             (k,n)
 *  \param[in]  start         row r at start + r * start_stride; stride 0 for one row (a bias); may be out itself
 *  \param[out] out           (rows,ldo), the first n columns; n is a multiple of CHGI_PAD */
void chgi_product(int64_t rows, int n, int k, const chg_real *a, int64_t lda, const chg_real *b, int64_t ldb,
                  const chg_real *start, int64_t start_stride, chg_real *out, int64_t ldo);

/** Take the memory of a map of `n_in` to `n_out` (unpadded) from the arena. */
void chgi_linear_bind(chgi_arena *arena, int n_in, int n_out, chgi_linear *linear);

/** Fill rows [out_at, out_at + n_out) and columns [in_at, in_at + n_in) of a map.
 *  \param[in] weight  (n_out,ld) row-major, as PyTorch keeps it
 *  \param[in] bias    (n_out) or NULL */
void chgi_linear_pack(chgi_linear *linear, const float *weight, int64_t ld, const float *bias, int n_in, int n_out,
                      int in_at, int out_at);

/** Take the mean over the outputs [out_at, out_at + n_out) off weights and bias, so that the mean of those outputs is
 *  zero for every input: what a LayerNorm behind the map would do first. */
void chgi_linear_center(chgi_linear *linear, int out_at, int n_out);

/** Write the map second(first(x)), without biases, to the outputs of `fused` from `out_at` on. */
void chgi_linear_fuse(chgi_linear *fused, const chgi_linear *first, const chgi_linear *second, int out_at);

#endif
