/* Everything known about one computed frame.  Every form of output takes its names and shapes from here.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_RESULT_H
#define CHGI_CLI_RESULT_H

#include "base/context.h"
#include "crystal/structure.h"

typedef enum chgi_quantity {
    CHGI_ENERGY = 0,
    CHGI_FORCES,
    CHGI_STRESS,
    CHGI_MAGMOM,
    CHGI_SITE_ENERGIES,
    CHGI_CRYSTAL_FEA,
    CHGI_EMBEDDING,
    CHGI_EMBEDDING_FINAL,
    CHGI_ENERGY_STD,   /* with a delta-model */
    CHGI_DELTA_ENERGY, /* with a delta-model */
    CHGI_N_QUANTITY
} chgi_quantity;

/** Where a result comes from, the same for all frames of a run. */
typedef struct chgi_provenance {
    const char *version; /**< of this program */
    const char *model;   /**< "0.3.0" */
    const char *model_sha256;
    const char *precision; /**< "single" or "double" */
    int n_feature;         /**< length of an embedding */
    const char *delta;     /**< path of the delta-model; NULL: none */
} chgi_provenance;

typedef struct chgi_result {
    const chgi_provenance *provenance;
    int64_t number;       /**< of the frame, over all inputs and failed frames */
    const char *source;   /**< the input's path */
    int64_t source_frame; /**< number of the frame in its input, from 0 */
    chgi_structure structure;
    int64_t n_directed_bond;
    int64_t n_angle;
    double *values[CHGI_N_QUANTITY]; /**< NULL where not defined or not asked for */
} chgi_result;

/** Name of a quantity in HDF5 and JSON. */
const char *chgi_quantity_name(chgi_quantity quantity);
/** Name of the per-atom column in extended XYZ, as ASE calls it; NULL where there is none. */
const char *chgi_quantity_column(chgi_quantity quantity);
/** Shape in a result.  \return the rank, 0 to 2 */
int chgi_quantity_shape(const chgi_result *result, chgi_quantity quantity, int64_t shape[2]);

/** Compute energy, forces, stress, magmoms and embeddings of result->structure, and what a delta-model adds.
 *  \param[in]     embeddings  keep atom_fea and atom_fea_final
 *  \param[in]     novelty     compute that too where there is a delta-model; it stays in the calculator
 *  \param[in,out] result      provenance and structure are given; counts and values are set
 *  \return CHGNET_OK; what the calculator says; CHGNET_ENUMERIC when any value is not finite */
chgnet_status chgi_result_compute(chgnet_context *ctx, chgnet_calculator *calculator, bool embeddings, bool novelty,
                                  chgi_result *result);

/** Free the values and the structure. */
void chgi_result_destroy(chgi_result *result);

#endif
