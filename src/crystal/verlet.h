/* Verlet list: pairs a little beyond the cutoff are found once and serve until atoms or cell have moved so far that a
 * pair which is not listed might have come within the cutoff. */
#ifndef CHGI_CRYSTAL_VERLET_H
#define CHGI_CRYSTAL_VERLET_H

#include "crystal/neighbour.h"

typedef struct chgi_verlet {
    chgi_candidate_list candidates;
    double cutoff, skin; /**< A, what the list was made with */
    int64_t n_atom;      /**< 0: there is no list */
    double *positions;   /**< (n_atom,3) where the atoms were when the list was made, A */
    double cell[3][3];
    bool pbc[3];
    double times[3][3];   /* of the cell vectors in a short basis of the lattice at that time */
    double inverse[3][3]; /* of that basis */
    size_t capacity;      /* of positions */
    int64_t n_rebuild;    /**< lists made so far */
} chgi_verlet;

/** All pairs with r^2 < cutoff^2 + 1e-8: bit for bit what chgi_neighbour_find gives.
 *  The list serves while sigma (cutoff + skin) - 2 u > cutoff: F maps the cell at the time of the list to the cell of
 *  now (nothing changes across it), sigma is its smallest singular value, u the largest distance of an atom from where
 * F would have taken it (by its coordinates: wrapping it into the cell is a move).  In an unchanged cell this is: until
 * an atom has moved skin/2.  Other periodic axes, another number of atoms, cutoff or skin make a new list. \param[in]
 * skin       A; 0: a new list every time \param[in,out] pairs  grows as needed, old content is lost \return CHGNET_OK;
 * CHGNET_EINPUT, CHGNET_ENOMEM as chgi_neighbour_find */
chgnet_status chgi_verlet_find(chgnet_context *ctx, chgi_verlet *verlet, const chgi_structure *structure, double cutoff,
                               double skin, chgi_pair_list *pairs);

void chgi_verlet_destroy(chgi_verlet *verlet);

#endif
