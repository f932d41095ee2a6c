/* A part of a system: own atoms, and sites near them where images and other processes' atoms stand. */
#ifndef CHGI_CRYSTAL_PART_H
#define CHGI_CRYSTAL_PART_H

#include "crystal/neighbour.h"

typedef struct chgi_part {
    int64_t n_own, n_atom; /**< own atoms; with remote ones */
    int32_t *site_atom;    /**< (sites.n_atom) */
    chgi_structure sites;  /**< in empty space: what looks like an image is a site of its own */
    chgi_candidate_list candidates;
} chgi_part;

/** Copy a part and list the pairs within its reach that have an own atom, each once: a bond between an own atom and an
 *  own atom's image shows twice among the sites.
 *  \return CHGNET_OK; CHGNET_EUSAGE for numbers that do not fit together; CHGNET_EINPUT, CHGNET_ENOMEM as
 *          chgi_neighbour_candidates */
chgnet_status chgi_part_set(chgnet_context *ctx, const chgnet_part *from, chgi_part *part);

/** The pairs within the cutoff where the sites are now; `neighbour` is an atom, not a site.
 *  \return as chgi_neighbour_measure */
chgnet_status chgi_part_measure(chgnet_context *ctx, chgi_part *part, double cutoff, chgi_pair_list *pairs);

void chgi_part_destroy(chgi_part *part);

#endif
