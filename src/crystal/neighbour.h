/* Neighbour search: all pairs of atoms within a cutoff, images included, each undirected pair once. */
#ifndef CHGI_CRYSTAL_NEIGHBOUR_H
#define CHGI_CRYSTAL_NEIGHBOUR_H

#include "crystal/structure.h"

/** An undirected pair; `vector` points from `center` to (the image of) `neighbour`. */
typedef struct chgi_pair {
    double vector[3]; /**< A */
    double length;    /**< A */
    int32_t center, neighbour;
} chgi_pair;

typedef struct chgi_pair_list {
    chgi_pair *pairs;
    size_t n_pair, capacity;
} chgi_pair_list;

/** Find all pairs with r^2 < cutoff^2 + 1e-8 in time proportional to the number of atoms.  Any cell shape and any mix of
 *  periodic axes; atoms may lie outside the cell; an atom pairs with its own images.  Pairs come sorted by center.
 *  \param[in,out] list  grows as needed, old content is lost
 *  \return CHGNET_OK; CHGNET_EINPUT for two atoms within 1e-3 A (named) or a flat cell; CHGNET_ENOMEM */
chgnet_status chgi_neighbour_find(chgnet_context *ctx, const chgi_structure *structure, double cutoff,
                                  chgi_pair_list *list);

void chgi_pair_list_destroy(chgi_pair_list *list);

#endif
