#include "crystal/verlet.h"

#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

/* Two atoms that each moved less than half the skin came closer by less than the skin: no pair is missing. */
static bool atoms_near(const chgi_verlet *verlet, const double *positions)
{
    double limit = verlet->skin / 2 * (verlet->skin / 2);
    for (int64_t i = 0; i < verlet->n_atom; i++) {
        double moved[3];
        for (int c = 0; c < 3; c++)
            moved[c] = positions[3 * i + c] - verlet->positions[3 * i + c];
        if (!(chgi_dot(moved, moved) < limit))
            return false;
    }
    return true;
}

static bool list_holds(const chgi_verlet *verlet, const chgi_structure *structure, double cutoff, double skin)
{
    return verlet->n_atom == structure->n_atom && verlet->cutoff == cutoff && verlet->skin == skin &&
           memcmp(verlet->cell, structure->cell, sizeof verlet->cell) == 0 &&
           memcmp(verlet->pbc, structure->pbc, sizeof verlet->pbc) == 0 && atoms_near(verlet, structure->positions);
}

static chgnet_status rebuild(chgnet_context *ctx, chgi_verlet *verlet, const chgi_structure *structure, double cutoff,
                             double skin)
{
    size_t count = 3 * (size_t)structure->n_atom;
    verlet->n_atom = 0;
    CHGI_TRY(chgi_memory_grow(ctx, &verlet->positions, &verlet->capacity, count, sizeof *verlet->positions));
    CHGI_TRY(chgi_neighbour_candidates(ctx, structure, cutoff + skin, &verlet->candidates));
    memcpy(verlet->positions, structure->positions, count * sizeof *verlet->positions);
    memcpy(verlet->cell, structure->cell, sizeof verlet->cell);
    memcpy(verlet->pbc, structure->pbc, sizeof verlet->pbc);
    verlet->cutoff = cutoff;
    verlet->skin = skin;
    verlet->n_atom = structure->n_atom;
    verlet->n_rebuild++;
    return CHGNET_OK;
}

chgnet_status chgi_verlet_find(chgnet_context *ctx, chgi_verlet *verlet, const chgi_structure *structure, double cutoff,
                               double skin, chgi_pair_list *pairs)
{
    pairs->n_pair = 0;
    if (!list_holds(verlet, structure, cutoff, skin))
        CHGI_TRY(rebuild(ctx, verlet, structure, cutoff, skin));
    return chgi_neighbour_measure(ctx, structure, &verlet->candidates, cutoff, pairs);
}

void chgi_verlet_destroy(chgi_verlet *verlet)
{
    chgi_candidate_list_destroy(&verlet->candidates);
    chgi_memory_free(verlet->positions);
    *verlet = (chgi_verlet){0};
}
