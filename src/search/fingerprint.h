/* What two structures have in common whatever the order of their atoms, their place and their orientation: composition,
 * energy, and the atoms' descriptions, each component sorted among the atoms of an element. */
#ifndef CHGI_SEARCH_FINGERPRINT_H
#define CHGI_SEARCH_FINGERPRINT_H

#include "calc/potential.h"

typedef struct chgi_fingerprint {
    int64_t n_atom;
    int n_component;
    double energy;    /**< eV */
    int32_t *numbers; /**< (n_atom) ascending */
    double *values;   /**< (n_component,n_atom) ascending among the atoms of each element */
} chgi_fingerprint;

/** From a computed structure: embeddings where the potential has them; else each atom's share of the energy and its
 *  distances from the others, their mean and mean square.
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_fingerprint_make(chgnet_context *ctx, const chgi_structure *structure, const chgi_outcome *outcome,
                                    chgi_fingerprint *fingerprint);
void chgi_fingerprint_destroy(chgi_fingerprint *fingerprint);

/** Root mean square difference of the values; INFINITY for different compositions. */
double chgi_fingerprint_distance(const chgi_fingerprint *a, const chgi_fingerprint *b);

/** The same structure: composition, energies within `energy` (eV), values within `distance`. */
bool chgi_fingerprint_same(const chgi_fingerprint *a, const chgi_fingerprint *b, double energy, double distance);

#endif
