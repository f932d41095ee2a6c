/* Weights of a CHGNet model in memory, and the HDF5 file that holds them.
 *
 * The file: every tensor is a float32 array of the root group, named as in upstream's state dict; every
 * hyperparameter is an attribute of the root group (int64, float64 for the cutoffs, a list for mlp_hidden_dims), and so
 * are the texts `format`, `version`, `license`, `source`, `source_sha256`, `model_sha256` and the int64
 * `format_version`.
 *
 * model_sha256 is the SHA-256 of: for each hyperparameter in the order of names, the name, a zero byte, the number of
 * values as int64 and the values as float64; then for each tensor in the order of names, the name, a zero byte, the
 * rank and the shape as int64 and the values as float32.  Numbers are little-endian; names are ordered by their bytes.
 */
#ifndef CHGI_MODEL_WEIGHTS_H
#define CHGI_MODEL_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

enum { CHGI_TENSOR_MAX_RANK = 4, CHGI_HYPER_MAX_MLP = 8 };

typedef struct chgi_tensor {
    char *name; /**< as in upstream's state dict, such as "atom_conv_layers.0.mlp_out.layers.1.weight" */
    int rank;
    int64_t shape[CHGI_TENSOR_MAX_RANK]; /**< places beyond the rank are 1 */
    float *data;                         /**< row-major, 64-byte aligned */
} chgi_tensor;

/** What the architecture leaves open.  Flags are 0 or 1. */
typedef struct chgi_hyper {
    double atom_cutoff;   /**< Angstrom; atom graph */
    double bond_cutoff;   /**< Angstrom; bond graph, at most atom_cutoff */
    int64_t cutoff_coeff; /**< power p of the envelope, at least 1 */
    int64_t n_radial;
    int64_t n_angular; /**< odd, at least 3: 1 + 2 n_frequency */
    int64_t n_element; /**< atomic numbers 1..n_element are known */
    int64_t atom_fea_dim;
    int64_t bond_fea_dim;
    int64_t angle_fea_dim;
    int64_t atom_hidden; /**< hidden size of the gated MLP; 0: one Linear ("layers.1") */
    int64_t bond_hidden;
    int64_t angle_hidden;
    int64_t n_conv;       /**< atom convolutions; bond convolutions and angle updates are one fewer */
    int64_t gmlp_norm;    /**< 1: LayerNorm bn1 (core) and bn2 (gate) in every gated MLP */
    int64_t mlp_out_bias; /**< 1: mlp_out.layers.1.bias exists */
    int64_t readout_norm; /**< 1: LayerNorm readout_norm before the energy MLP */
    int64_t is_intensive; /**< trained on energies per atom; the sum over atoms is the same either way */
    int64_t n_mlp_hidden; /**< hidden layers of the energy MLP; 0: one Linear ("mlp.layers.1") */
    int64_t mlp_hidden[CHGI_HYPER_MAX_MLP];
} chgi_hyper;

typedef struct chgi_weights {
    chgi_hyper hyper;
    int64_t n_tensor;
    chgi_tensor *tensors; /**< (n_tensor) in the order of strcmp; exactly those that `hyper` asks for */
    char *version;        /**< "0.3.0", "0.2.0", "r2scan", or what the file says */
    char *license;
    char *source; /**< name of the file it was converted from */
    char source_sha256[65];
    char model_sha256[65];
    char *path; /**< file it was read from; NULL when it was converted in memory */
} chgi_weights;

/** Find, read and check a file of weights: HDF5, or a checkpoint of upstream's (a zip archive), whatever its name.
 *  \param[in]  name     a path when it holds a '/' or ends in ".h5"; else chgnet-NAME.h5 is looked for in
 * $CHGNET_WEIGHTS, the installed data folder, ../share/chgnet beside the running program's folder, and weights/ of the
 * folders above it (the source tree, for a program that was built but not installed) \param[out] weights  zero on
 * failure \return CHGNET_OK; CHGNET_EINPUT when there is no such file or it is damaged, incomplete, not finite, or its
 *          model_sha256 differs; CHGNET_EIO; CHGNET_ENOMEM */
chgnet_status chgi_weights_load(chgnet_context *ctx, const char *name, chgi_weights *weights);

/** The path that chgi_weights_load would read, freed by chgi_memory_free. */
chgnet_status chgi_weights_locate(chgnet_context *ctx, const char *name, char **path);

/** Write weights; model_sha256 is taken anew. */
chgnet_status chgi_weights_save(chgnet_context *ctx, chgi_weights *weights, const char *path);

void chgi_weights_destroy(chgi_weights *weights);

/** A tensor by name; NULL when the architecture of these weights has none of that name. */
const chgi_tensor *chgi_weights_find(const chgi_weights *weights, const char *name);

/** Allocate the zeroed tensors that weights->hyper asks for, in the order of names.
 *  \param[in] most  bytes that are believable; more is refused before it is allocated
 *  \return CHGNET_OK; CHGNET_EINPUT when a hyperparameter is out of its range; CHGNET_ENOMEM */
chgnet_status chgi_weights_allocate(chgnet_context *ctx, chgi_weights *weights, size_t most);

/** Refuse tensors with a value that is not finite. */
chgnet_status chgi_weights_check_finite(chgnet_context *ctx, const chgi_weights *weights);

/** Take the sum over hyperparameters and tensors. */
void chgi_weights_sum(const chgi_weights *weights, char sha256[65]);

/** Number of parameters. */
int64_t chgi_weights_count(const chgi_weights *weights);

/** Number of values in a tensor. */
int64_t chgi_tensor_count(const chgi_tensor *tensor);

/** A set of weights that upstream released. */
typedef struct chgi_release {
    const char *name; /**< "0.3.0" */
    const char *model_sha256;
    const char *source_sha256; /**< of upstream's checkpoint */
} chgi_release;

/** The i-th release, newest first; NULL beyond the last. */
const chgi_release *chgi_weights_release(int i);

#endif
