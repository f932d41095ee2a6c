/* Upstream's PyTorch checkpoints -> weights. */
#ifndef CHGI_MODEL_CHECKPOINT_H
#define CHGI_MODEL_CHECKPOINT_H

#include "model/weights.h"
#include "store/pickle.h"

/** Read a checkpoint as upstream's CHGNet.from_file does: a zip archive whose pickle holds model -> model_args and
 *  state_dict, as its Trainer or torch.save({"model": model.as_dict()}) writes them.  Nothing in it is executed.
 *  \param[out] weights  zero on failure; path is NULL
 *  \return CHGNET_OK; CHGNET_EINPUT names what is wrong or not supported; CHGNET_EIO; CHGNET_ENOMEM.
 *          The error text begins with the path. */
chgnet_status chgi_checkpoint_load(chgnet_context *ctx, const char *path, chgi_weights *weights);

/** The same from bytes in memory.  \param[in] path  for the error text and the name of the source */
chgnet_status chgi_checkpoint_read(chgnet_context *ctx, const char *path, const char *bytes, size_t length,
                                   chgi_weights *weights);

/** Hyperparameters from model_args; n_element and mlp_out_bias, which show only in the tensors, are left alone.
 *  Arguments that are absent have upstream's defaults.  Source: chgnet/model/model.py:CHGNet
 *  \param[out] has_composition  false where the model has no composition reference
 *  \return CHGNET_OK; CHGNET_EINPUT names an argument of the wrong type, or a variant that is not implemented */
chgnet_status chgi_checkpoint_hyper(chgnet_context *ctx, const chgi_pickle_value *model_args, chgi_hyper *hyper,
                                    bool *has_composition);

/** Copyright and licence of upstream's weights. */
extern const char chgi_upstream_license[];

#endif
