/* The atom graph (bonds within the atom cutoff) and the bond graph (angles between short bonds).
 *
 * An undirected bond is two directed edges, one out of each end; the edges of an atom are contiguous, short ones first:
 * those with r < bond cutoff, then those of exactly that length, then the long ones.  Undirected bonds are numbered in
 * the same three groups, so that arrays over short bonds are the beginnings of arrays over all bonds.
 * An angle is an ordered pair of different short edges of one atom; the second has r < bond cutoff.
 *
 * Sums over the edges that end at an atom are taken in two steps, so that their order does not depend on threads: each
 * block of atoms adds up what its edges carry to each far atom, then each atom adds up its places in the blocks.
 * Source: chgnet/graph/converter.py, chgnet/graph/graph.py */
#ifndef CHGI_CRYSTAL_GRAPH_H
#define CHGI_CRYSTAL_GRAPH_H

#include "crystal/verlet.h"

typedef struct chgi_graph {
    double skin; /**< A, the owner's choice before a build: as for chgi_verlet_find */
    int64_t n_atom;
    int64_t n_own;        /**< the first atoms are this process's own; the others are remote, and other processes make
                               their features: they have edges as far ends only, and no angles.  Mostly n_atom */
    int64_t n_edge;       /**< directed edges */
    int64_t n_bond;       /**< undirected bonds, n_edge / 2 */
    int64_t n_short_bond; /**< undirected bonds with r <= bond cutoff */
    int64_t n_short_edge; /**< their directed edges */
    int64_t n_angle;
    int64_t n_crossing; /**< short bonds between an own atom and a remote one */
    bool has_angles;    /**< here, or in another process's part */
    int64_t n_turn;     /**< unordered pairs of edges: the angles (p,q) and (q,p) are one turn */
    int64_t block_size; /**< atoms of a block, fixed by the number of atoms alone */
    int64_t n_block;
    int64_t n_far;                  /**< over blocks, the atoms at the far end of their edges, each once per block */
    int32_t most_edges, most_short; /**< largest number of (short) edges of one atom */

    int64_t *edge_start;               /**< (n_atom+1) first edge of each atom */
    int64_t *short_start;              /**< (n_atom+1) first short edge of each atom, counting short edges only */
    int64_t *angle_start;              /**< (n_atom+1) */
    int64_t *turn_start;               /**< (n_atom+1) */
    int64_t *block_far;                /**< (n_block+1) first far atom of each block */
    int64_t *atom_far;                 /**< (n_atom+1) where each atom's places among the far atoms are listed */
    int32_t *far;                      /**< (n_far) the places of each atom, ascending */
    int32_t *edge_far;                 /**< (n_edge) place of the edge's neighbour among the far atoms */
    int32_t *neighbour;                /**< (n_edge) atom at the far end */
    int32_t *reverse;                  /**< (n_edge) the other edge of the same bond */
    int32_t *bond;                     /**< (n_edge) */
    int32_t *short_edge;               /**< (n_short_edge) edge number */
    int32_t *short_reverse;            /**< (n_short_edge) the other one of the same bond, counting short edges only */
    int32_t *bond_short;               /**< (n_short_bond) bond_edge, counting short edges only */
    int32_t *angle_first;              /**< (n_angle) rank of the first edge among its atom's edges */
    int32_t *angle_second;             /**< (n_angle) */
    int32_t *angle_turn;               /**< (n_angle) */
    int32_t *turn_first, *turn_second; /**< (n_turn) ranks, first < second */
    int32_t *crossing;                 /**< (n_crossing) the short edges of own atoms to remote ones */
    int32_t *bond_edge;                /**< (n_bond) the edge along which bond_vector points */
    double *bond_vector;               /**< (n_bond,3) neighbour minus center, A */
    double *bond_length;               /**< (n_bond) A */

    chgi_verlet verlet; /* what follows is the builder's own */
    chgi_pair_list pairs;
    int32_t *pair_of_bond, *newest_far, *far_atom;
    size_t capacity_atom, capacity_edge, capacity_short, capacity_angle, capacity_turn, capacity_bond, capacity_far;
} chgi_graph;

/** Build the graph of a structure; memory grows as needed and is kept for the next structure: a graph no larger than
 *  one before, from a Verlet list that holds, allocates nothing.  The order of bonds is that of
 * chgi_neighbour_candidates. \return CHGNET_OK; CHGNET_EINPUT, CHGNET_ENOMEM as chgi_neighbour_find */
chgnet_status chgi_graph_build(chgnet_context *ctx, const chgi_structure *structure, double atom_cutoff,
                               double bond_cutoff, chgi_graph *graph);

/** The same from bonds that are there: `graph->pairs` with r < atom cutoff, of which at least one end is an own atom.
 *  \param[in] n_own  the first atoms are own, the others remote
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_graph_lay(chgnet_context *ctx, int64_t n_own, int64_t n_atom, double bond_cutoff, chgi_graph *graph);

void chgi_graph_destroy(chgi_graph *graph);

/** Undirected bond of an edge, given by its rank among its atom's edges. */
static inline int64_t chgi_graph_bond(const chgi_graph *graph, int64_t atom, int32_t rank)
{
    return graph->bond[graph->edge_start[atom] + rank];
}

/** Sign with which an edge runs along its bond's vector: 1 or -1. */
static inline double chgi_graph_sign(const chgi_graph *graph, int64_t edge)
{
    return graph->bond_edge[graph->bond[edge]] == edge ? 1.0 : -1.0;
}

#endif
