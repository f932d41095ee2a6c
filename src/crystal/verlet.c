#include "crystal/verlet.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

/* How the lattice has been deformed since: x maps to x + x . change.  Directions across the lattice stay as they are.
 */
static void find_change(const chgi_verlet *verlet, const double cell[3][3], double change[3][3])
{
    memset(change, 0, 9 * sizeof(double));
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) {
            double grown = 0; /* the k-th short vector; none, and no change, across the lattice */
            for (int m = 0; m < 3; m++)
                grown += verlet->times[k][m] * (cell[m][c] - verlet->cell[m][c]);
            for (int a = 0; a < 3; a++)
                change[a][c] += verlet->inverse[a][k] * grown;
        }
}

/* The least factor by which x + x . change is longer than x: the root of the smallest eigenvalue of F F^T, which is
 * that of a symmetric 3x3 matrix, by the cosine formula (Smith 1961).  For F near 1 its rounding is far below 1e-6. */
static double least_stretch(double change[3][3])
{
    static const double third = 2.0943951023931957; /* of a turn */
    double a[3][3], mean = 0, spread = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) /* F F^T - 1 */
            a[i][j] = change[i][j] + change[j][i] + chgi_dot(change[i], change[j]);
    for (int i = 0; i < 3; i++)
        mean += a[i][i] / 3;
    for (int i = 0; i < 3; i++)
        a[i][i] -= mean;
    for (int i = 0; i < 3; i++)
        spread += chgi_dot(a[i], a[i]) / 6;
    spread = sqrt(spread);
    double cross[3], ratio = 0;
    chgi_cross(a[1], a[2], cross);
    if (spread > 0)
        ratio = fmin(fmax(chgi_dot(a[0], cross) / (2 * spread * spread * spread), -1), 1);
    double square = 1 + mean + 2 * spread * cos(acos(ratio) / 3 + third);
    return square > 0 ? sqrt(square) : 0;
}

/* In the deformed lattice a pair that is not listed is at least least_stretch (cutoff + skin) long; two atoms that each
 * are less than `limit` from where the deformation took them came closer by less than twice that. */
static bool atoms_near(const chgi_verlet *verlet, const double *positions, double change[3][3])
{
    double limit = verlet->skin / 2 - (1 - least_stretch(change)) * (verlet->cutoff + verlet->skin) / 2;
    if (!(limit > 0))
        return false;
    for (int64_t i = 0; i < verlet->n_atom; i++) {
        const double *x = positions + 3 * i, *from = verlet->positions + 3 * i;
        double moved[3];
        for (int c = 0; c < 3; c++)
            moved[c] = x[c] - from[c] - (from[0] * change[0][c] + from[1] * change[1][c] + from[2] * change[2][c]);
        if (!(chgi_dot(moved, moved) < limit * limit))
            return false;
    }
    return true;
}

static bool list_holds(const chgi_verlet *verlet, const chgi_structure *structure, double cutoff, double skin)
{
    double change[3][3];
    if (verlet->n_atom != structure->n_atom || verlet->cutoff != cutoff || verlet->skin != skin ||
        memcmp(verlet->pbc, structure->pbc, sizeof verlet->pbc) != 0)
        return false;
    find_change(verlet, structure->cell, change);
    return atoms_near(verlet, structure->positions, change);
}

static chgnet_status rebuild(chgnet_context *ctx, chgi_verlet *verlet, const chgi_structure *structure, double cutoff,
                             double skin)
{
    size_t count = 3 * (size_t)structure->n_atom;
    double basis[3][3];
    int n_periodic;
    verlet->n_atom = 0;
    CHGI_TRY(chgi_memory_grow(ctx, &verlet->positions, &verlet->capacity, count, sizeof *verlet->positions));
    CHGI_TRY(chgi_neighbour_candidates(ctx, structure, cutoff + skin, &verlet->candidates));
    chgi_lattice_reduce(structure->cell, structure->pbc, basis, verlet->inverse, verlet->times, &n_periodic);
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
