/* predict --explain: which atoms CHGNet sees as what, and where the correction comes from.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_EXPLAIN_H
#define CHGI_CLI_EXPLAIN_H

#include "cli/result.h"
#include "gp/delta.h"

typedef struct chgi_explain chgi_explain;

/** Embed the reference structures.
 *  \param[in] delta  chooses the layer and the scale of distances; NULL: none
 *  \param[in] path  extended XYZ; a frame's key environment, name or id is what it is called.  NULL: references.extxyz
 *                   beside the weights, or examples/sulfur/references/ of the source tree; without it none are told
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_explain_create(chgnet_context *ctx, const chgnet_model *model, const chgi_delta *delta,
                                  const char *path, chgi_explain **explain);

/** Print the table of the frame that the calculator computed last, with novelty; with `plot` draw it too, into
 * SOURCE-explain.svg. \return CHGNET_OK; CHGNET_ENOMEM, CHGNET_EIO */
chgnet_status chgi_explain_frame(chgnet_context *ctx, chgi_explain *explain, const chgnet_calculator *calculator,
                                 const chgi_result *result, bool plot);

void chgi_explain_destroy(chgi_explain *explain);

#endif
