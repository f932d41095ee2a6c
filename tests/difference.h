/* Central differences of a number that depends on a structure.
 *
 * A central difference of step h is off by a term in h^2; from steps h and 2h that term cancels, which leaves h^4 times
 * the fifth derivative.  What bends most is the angle near 180 degrees, acos((1 - 1e-6) cos): over 1.4e-3 rad.  So the
 * error falls with h^4 (measured, of forces: 4e-6 at h = 2e-4 A, 1e-7 at 1e-4, 1e-9 at 3e-5) until the rounding of the
 * energies, 1e-14 of some 50 eV, over h takes over at 1e-5.  With h = 3e-5 A both stay below 1e-7 of the largest
 * component.  At a cutoff the number of bonds or angles changes, so no pair may come within a few steps of one.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef DIFFERENCE_H
#define DIFFERENCE_H

#include "sample.h"

static const double difference_step = 3e-5;

/** The number; `self` is whatever it needs. */
typedef double (*difference_function)(void *self, const chgi_structure *s);

static double difference_at(chgnet_context *ctx, difference_function f, void *self, const chgi_structure *s,
                            const double *shift, double (*strain)[3], double step)
{
    chgi_structure moved;
    sample_must(ctx, chgi_structure_copy(ctx, s, &moved));
    for (int64_t k = 0; shift && k < 3 * s->n_atom; k++)
        moved.positions[k] += step * shift[k];
    if (strain) {
        double scaled[3][3];
        for (int k = 0; k < 9; k++)
            scaled[k / 3][k % 3] = step * strain[k / 3][k % 3];
        sample_strain(&moved, scaled);
    }
    double result = f(self, &moved);
    chgi_structure_destroy(&moved);
    return result;
}

/** Derivative along a direction: `shift` (n_atom,3) of the atoms and `strain` (3,3); either may be NULL. */
TAP_UNUSED static double difference(chgnet_context *ctx, difference_function f, void *self, const chgi_structure *s,
                                    const double *shift, double (*strain)[3])
{
    double h = difference_step, side[2][2];
    for (int far = 0; far < 2; far++)
        for (int back = 0; back < 2; back++)
            side[far][back] = difference_at(ctx, f, self, s, shift, strain, (far ? 2 : 1) * (back ? -h : h));
    return (8 * (side[0][0] - side[0][1]) - (side[1][0] - side[1][1])) / (12 * h);
}

/** dL/dx (n_atom,3) and dL/dstrain from dL/d(bond vector). */
TAP_UNUSED static void difference_gather(const chgi_graph *g, const double *bond_gradient, double *dx,
                                         double virial[3][3])
{
    memset(dx, 0, (size_t)g->n_atom * 3 * sizeof *dx);
    memset(virial, 0, 9 * sizeof(double));
    for (int64_t u = 0; u < g->n_bond; u++) {
        int64_t e = g->bond_edge[u];
        int32_t to = g->neighbour[e], from = g->neighbour[g->reverse[e]];
        for (int a = 0; a < 3; a++) {
            dx[3 * to + a] += bond_gradient[3 * u + a];
            dx[3 * from + a] -= bond_gradient[3 * u + a];
            for (int b = 0; b < 3; b++)
                virial[a][b] += g->bond_vector[3 * u + a] * bond_gradient[3 * u + b];
        }
    }
}

/** Sum of products. */
TAP_UNUSED static double difference_along(int64_t count, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t k = 0; k < count; k++)
        sum += a[k] * b[k];
    return sum;
}

/** A sample, strained and rattled so that no pair lies within reach of a step of a cutoff.  Two steps of strain move a
 *  pair at a cutoff of 6 A by at most 2 h times 3 (nine components of 1) times 6 A. */
TAP_UNUSED static void difference_sample(chgnet_context *ctx, const sample *from, double atom_cutoff,
                                         double bond_cutoff, uint64_t *state, chgi_structure *s)
{
    for (int trial = 0; trial < 200; trial++) {
        double strain[3][3];
        sample_make(ctx, from, s);
        sample_rattle(s, state, 0.08);
        sample_fill(state, 0.01, 9, strain[0]);
        sample_strain(s, strain);
        if (sample_gap(ctx, s, atom_cutoff, bond_cutoff) > 2 * difference_step * 3 * 6)
            return;
        chgi_structure_destroy(s);
    }
    tap_bail("no random structure keeps its pairs away from the cutoffs");
}

#endif
