/* A host's atoms and neighbour list, with ghosts, as the atoms and pairs of a graph.
 *
 * The atoms of the graph, its nodes, are the host's local atoms and those ghosts that are no image of another atom.
 * Every other ghost is its owner in another cell. */
#ifndef CHGI_CRYSTAL_HOST_H
#define CHGI_CRYSTAL_HOST_H

#include "crystal/neighbour.h"

typedef struct chgi_host {
    int64_t n_atom;  /**< of the host's arrays, local and ghost */
    int64_t n_local; /**< the first nodes: those whose energies count */
    int64_t n_node;
    int32_t *node;                  /**< (n_atom) of the atom, or of its owner */
    int32_t *atom;                  /**< (n_node) which of the host's atoms the node is */
    double *image;                  /**< (n_atom,3) whole numbers: the atom is its owner moved by image . cell */
    int32_t *numbers;               /**< (n_node) */
    double *positions;              /**< (n_node,3) A */
    chgi_candidate_list candidates; /**< pairs of nodes, in the order of chgi_neighbour_candidates */
    chgi_candidate_list spare;
    size_t capacity_atom;
} chgi_host;

/** The numbers of atoms and rows.  \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_host_check(chgnet_context *ctx, const chgnet_neighbours *list);

/** Take a list.  Pairs are kept whatever their length, so that they serve while the host keeps its list.
 *  \param[in] structure  the host's atoms, local and ghost, their cell and periodic axes, as chgi_structure_check wants
 *                        them
 *  \return CHGNET_OK; CHGNET_EINPUT names what is wrong; CHGNET_ENOMEM */
chgnet_status chgi_host_read(chgnet_context *ctx, const chgnet_neighbours *list, const chgi_structure *structure,
                             chgi_host *host);

/** The nodes' places.  \param[in] positions (n_atom,3) A  \return (n_node,3) A; the host's own array */
const double *chgi_host_place(const chgi_host *host, const double *positions);

/** A result by node, brought to the host's atoms: zero where an atom is an image of another.
 *  \param[in]  from (n_node,width)  \param[out] to (n_atom,width) */
void chgi_host_spread(const chgi_host *host, int width, const double *from, double *to);

void chgi_host_destroy(chgi_host *host);

#endif
