/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "base/memory.h"
#include "crystal/phonopy.h"

/* A, as phonopy compares positions of its files. */
static const double SAME_PLACE = 1e-5;

void chgi_displaced_destroy(chgi_displaced *cells)
{
    chgi_structure_destroy(&cells->supercell);
    chgi_memory_free(cells->displacements);
    *cells = (chgi_displaced){0};
}

/* How far two points are apart, by the nearest image for points that are close. */
static double distance(const double cell[3][3], const double inverse[3][3], const double a[3], const double b[3])
{
    double way[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, share[3], square = 0;
    for (int c = 0; c < 3; c++) {
        share[c] = way[0] * inverse[0][c] + way[1] * inverse[1][c] + way[2] * inverse[2][c];
        share[c] -= round(share[c]);
    }
    for (int c = 0; c < 3; c++) {
        double x = share[0] * cell[0][c] + share[1] * cell[1][c] + share[2] * cell[2][c];
        square += x * x;
    }
    return sqrt(square);
}

static bool has_atom(const chgi_structure *s, const double inverse[3][3], int32_t number, const double x[3])
{
    for (int64_t j = 0; j < s->n_atom; j++)
        if (s->numbers[j] == number && distance(s->cell, inverse, s->positions + 3 * j, x) < SAME_PLACE)
            return true;
    return false;
}

chgnet_status chgi_displaced_compare(chgnet_context *ctx, const chgi_displaced *cells, int64_t k,
                                     const chgi_structure *other)
{
    const chgi_structure *s = &cells->supercell;
    const chgi_displacement *d = &cells->displacements[k];
    double inverse[3][3];
    if (other->n_atom != s->n_atom)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%lld atoms where displacement %lld has %lld; give the cells in order",
                                 (long long)other->n_atom, (long long)k + 1, (long long)s->n_atom);
    for (int c = 0; c < 9; c++)
        if (!(fabs(other->cell[c / 3][c % 3] - s->cell[c / 3][c % 3]) < SAME_PLACE))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "another cell than that of displacement %lld; give the cells of "
                                     "one run of phonopy, in order",
                                     (long long)k + 1);
    if (!chgi_structure_invert(other->cell, inverse))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    for (int64_t i = 0; i < s->n_atom; i++) {
        double x[3];
        for (int c = 0; c < 3; c++)
            x[c] = s->positions[3 * i + c] + (i == d->atom ? d->vector[c] : 0);
        if (!has_atom(other, (const double(*)[3])inverse, s->numbers[i], x))
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "atom %lld is not where displacement %lld puts it; give the cells of one run of "
                                     "phonopy, in order",
                                     (long long)i + 1, (long long)k + 1);
    }
    return CHGNET_OK;
}
