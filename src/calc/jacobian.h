/* How embeddings change with the atoms' positions: what a delta-model needs to learn from forces. */
#ifndef CHGI_CALC_JACOBIAN_H
#define CHGI_CALC_JACOBIAN_H

#include "calc/calculator.h"
#include "gp/delta.h"

/** Derivatives of the embeddings of the structure that is set.  Results of an earlier compute stay.
 *  \param[in]  components  (n_component) 3*atom + axis
 *  \param[out] jacobian    (n_component,n_atom,n_feature) d fea / d position component, 1/A
 *  \return CHGNET_OK; CHGNET_EUSAGE without a structure or for a component that it does not have; CHGNET_ENOMEM */
chgnet_status chgi_calculator_jacobian(chgnet_calculator *calculator, chgi_embedding_layer layer, int64_t n_component,
                                       const int32_t *components, double *jacobian);

#endif
