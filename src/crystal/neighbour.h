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

/** An undirected pair without its distance: the vector is x_neighbour - x_center + image . cell, also after the atoms
 *  and the cell have moved.  The image belongs to the positions as they are, in the cell or not. */
typedef struct chgi_candidate {
    double image[3]; /**< whole numbers, how often each cell vector is added; 0 along non-periodic axes */
    int32_t center, neighbour;
} chgi_candidate;

typedef struct chgi_candidate_list {
    chgi_candidate *candidates;
    size_t n_candidate, capacity;
} chgi_candidate_list;

/** Find all pairs closer than reach + 1e-6 A in time proportional to the number of atoms.  Any cell shape and any mix
 *  of periodic axes; atoms may lie outside the cell; an atom pairs with its own images.
 *  Pairs come by center, then by neighbour (no smaller than the center), then by image.  This order depends on neither
 *  the reach nor the shape of the cell: another one gives the same list with pairs left out or added.
 *  \param[in,out] list  grows as needed, old content is lost
 *  \return CHGNET_OK; CHGNET_EINPUT for two atoms within 1e-3 A (named) or a flat cell; CHGNET_ENOMEM */
chgnet_status chgi_neighbour_candidates(chgnet_context *ctx, const chgi_structure *structure, double reach,
                                        chgi_candidate_list *list);

/** Those of the candidates that now have r^2 < cutoff^2 + 1e-8, in their order.  Allocates only where there are more
 *  candidates than ever before.
 *  \param[in] structure  with the number of atoms and the periodic axes that the candidates were found with
 *  \param[in,out] list   grows as needed, old content is lost
 *  \return CHGNET_OK; CHGNET_EINPUT for two atoms within 1e-3 A (named); CHGNET_ENOMEM */
chgnet_status chgi_neighbour_measure(chgnet_context *ctx, const chgi_structure *structure,
                                     const chgi_candidate_list *candidates, double cutoff, chgi_pair_list *list);

/** Add a pair, in whatever order.  \return CHGNET_OK; CHGNET_ENOMEM, also for more than bonds can be numbered */
chgnet_status chgi_neighbour_add(chgnet_context *ctx, chgi_candidate_list *list, const chgi_candidate *pair);

/** Bring pairs found elsewhere, in any order and sense and perhaps more than once, into the order above, each once.
 *  \param[in]     n_atom  centers and neighbours are below; no atom pairs with itself in image 0
 *  \param[in,out] spare   grows as needed; what it holds is lost
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_neighbour_sort(chgnet_context *ctx, int64_t n_atom, chgi_candidate_list *list,
                                  chgi_candidate_list *spare);

/** Both in one: all pairs with r^2 < cutoff^2 + 1e-8, in that order. */
chgnet_status chgi_neighbour_find(chgnet_context *ctx, const chgi_structure *structure, double cutoff,
                                  chgi_pair_list *list);

void chgi_candidate_list_destroy(chgi_candidate_list *list);
void chgi_pair_list_destroy(chgi_pair_list *list);

#endif
