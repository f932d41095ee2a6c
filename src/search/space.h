/* What a search looks for: a template that is there, atoms to place, where they may be, and when a structure is whole.
 */
#ifndef CHGI_SEARCH_SPACE_H
#define CHGI_SEARCH_SPACE_H

#include "crystal/structure.h"

enum { CHGI_MAX_PLACE = 8 };

/** How many atoms of an element are placed; a scan over compositions has least < most. */
typedef struct chgi_place {
    int element;
    int64_t least, most;
} chgi_place;

typedef struct chgi_space {
    chgi_structure scaffold; /**< the template's atoms; move_mask false where one is fixed */
    chgi_place places[CHGI_MAX_PLACE];
    int n_place;
    double potentials[CHGI_MAX_ELEMENT + 1]; /**< eV, chemical potential of each placed element; 0: not used */
    bool is_sphere;
    double center[3], radius; /**< A, of the sphere */
    double origin[3];         /**< A, else a corner of the region and its edges (rows) */
    double edges[3][3];
    double closeness;      /**< two atoms are never closer than this share of the sum of their covalent radii */
    double least_distance; /**< A, nor than this */
    double isolation; /**< an atom whose every neighbour is farther than this multiple of that sum has flown off; 0: any
                         distance is allowed */
    double farthest;  /**< A, the same as a distance; 0: not used */
} chgi_space;

void chgi_space_destroy(chgi_space *space);

/** Largest number of atoms that a candidate may have. */
int64_t chgi_space_most_atoms(const chgi_space *space);

/** Smallest distance of two atoms, of the images along periodic axes the nearest; an atom's own images count. */
double chgi_space_distance(const chgi_structure *structure, int64_t i, int64_t j);

/** Whether atom `i` keeps its distance from the atoms before it in the list (`against` of them, itself left out). */
bool chgi_space_has_room(const chgi_space *space, const chgi_structure *structure, int64_t i, int64_t against);
/** Whether atom `i` is bound to one of the first `against` atoms, itself left out. */
bool chgi_space_is_bound(const chgi_space *space, const chgi_structure *structure, int64_t i, int64_t against);

/** Why a structure is no candidate: "two atoms too close", "an atom flew off"; NULL when it is one.  Judged on placed
 *  atoms: the scaffold may be what it likes. */
const char *chgi_space_judge(const chgi_space *space, const chgi_structure *structure);

/** Number of atoms of an element beyond the scaffold's. */
int64_t chgi_space_count(const chgi_space *space, const chgi_structure *structure, int element);
/** Energy less chemical potentials of the placed atoms, eV: what a scan over compositions compares. */
double chgi_space_free_energy(const chgi_space *space, const chgi_structure *structure, double energy);

#endif
