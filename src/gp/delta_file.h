/* A delta-model with all that belongs to it, and the HDF5 file that holds it.
 *
 * The file: attributes of the root say what made it (format, format_version, version, model, model_sha256, base, layer,
 * aggregation) and `content_sha256` (see store/record.h); the group `gp` holds the choices, the hyperparameters and the
 * tensors of chgi_delta_tensors, `labels` the labelled structures that it came from.  Equal labels and choices give
 * equal tensors; there is no date in it. */
#ifndef CHGI_GP_DELTA_FILE_H
#define CHGI_GP_DELTA_FILE_H

#include "gp/label_set.h"

/** What the public chgnet_delta is. */
struct chgnet_delta {
    chgi_delta *gp;
    char *model;        /**< "0.3.0": the weights whose embeddings it takes */
    char *model_sha256; /**< 64 hexadecimal digits */
    char *base;         /**< "chgnet", or the key of the prediction that is corrected in its place */
    char *version;      /**< of the program that made it */
    chgi_label_set set; /**< the labels it came from: structures, energies, forces, base; no embeddings */
    double loo[4];      /**< mean absolute leave-one-out errors: energy before and after (eV), force component (eV/A) */
    double within[2];   /**< share of the left-out energies within 1 and 2 standard deviations */
    char *path;         /**< file it was read from; NULL: none */
};

enum { CHGI_DELTA_FILE_VERSION = 1 };

/** Write a model: whole or not at all.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM, CHGNET_EINTERNAL */
chgnet_status chgi_delta_file_save(chgnet_context *ctx, const chgnet_delta *delta, const char *path);

/** Read a model and check it.
 *  \return CHGNET_OK; CHGNET_EINPUT when there is no such file, or it is of another kind or version, damaged, or not
 *          consistent; CHGNET_EIO, CHGNET_ENOMEM; the text begins with the path */
chgnet_status chgi_delta_file_load(chgnet_context *ctx, const char *path, chgnet_delta **delta);
/** Whether a file calls itself a delta-model; false also where it cannot be read. */
bool chgi_delta_file_recognise(const char *path);
void chgi_delta_file_destroy(chgnet_delta *delta);

/** Refuse a model that was made with other weights.
 *  \param[in] version, sha256  of the weights in use
 *  \return CHGNET_OK; CHGNET_EINPUT, the text beginning with the path where there is one */
chgnet_status chgi_delta_file_check_model(chgnet_context *ctx, const chgnet_delta *delta, const char *version,
                                          const char *sha256);

/** Names of a file's and an option's values. */
const char *chgi_aggregation_name(chgi_aggregation aggregation);
const char *chgi_layer_name(chgi_embedding_layer layer);
const char *chgi_inducing_name(chgi_inducing inducing);

#endif
