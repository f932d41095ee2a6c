/* A loaded model: weights, and their copies in kernel order, made when first asked for.  Shared among threads. */
#ifndef CHGI_MODEL_MODEL_H
#define CHGI_MODEL_MODEL_H

#include "model/kernel.h"

/** Find, read and check weights.  \param[in] name as chgi_weights_load
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_model_load(chgnet_context *ctx, const char *name, chgnet_model **model);
void chgi_model_destroy(chgnet_model *model);
const chgi_weights *chgi_model_weights(const chgnet_model *model);

/** The weights bound to one set of kernels; belongs to the model.
 *  \return CHGNET_OK; CHGNET_EINPUT for sizes beyond the kernels' limits; CHGNET_ENOMEM */
chgnet_status chgi_model_network(chgnet_context *ctx, const chgnet_model *model, const chgi_kernel *kernel,
                                 const void **network);

#endif
