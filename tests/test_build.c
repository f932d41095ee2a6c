/* Crystals and surfaces: every atom has the neighbours that its lattice gives it; the Lennard-Jones potential.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "calc/lennard_jones.h"
#include "crystal/build.h"
#include "crystal/neighbour.h"
#include "tap.h"

static chgnet_context *ctx;

/* Numbers of neighbours within `reach`: the smallest and the largest of all atoms. */
static void count_neighbours(const chgi_structure *s, double reach, int *least, int *most)
{
    chgi_pair_list pairs = {0};
    int counts[512] = {0};
    if (chgi_neighbour_find(ctx, s, reach, &pairs) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    for (size_t p = 0; p < pairs.n_pair; p++) {
        counts[pairs.pairs[p].center]++;
        counts[pairs.pairs[p].neighbour]++;
    }
    *least = *most = counts[0];
    for (int64_t i = 0; i < s->n_atom; i++) {
        *least = counts[i] < *least ? counts[i] : *least;
        *most = counts[i] > *most ? counts[i] : *most;
    }
    chgi_pair_list_destroy(&pairs);
}

static void is_surface(chgi_surface_kind kind, const char *name, int atoms, int least_expected, int most_expected)
{
    chgi_structure s = {0};
    int least, most;
    double a = 4, c = 4 / sqrt(2) * sqrt(8.0 / 3);
    chgi_surface surface = {kind, 29, kind == CHGI_HCP0001 ? a / sqrt(2) : a, c, {{3, 2}, {-1, 2}}, 5, 6.5};
    tap_ok(chgi_build_surface(ctx, &surface, &s) == CHGNET_OK, "%s is built", name);
    tap_ok(s.n_atom == atoms, "%s: atoms", name);
    bool bcc = kind == CHGI_BCC100 || kind == CHGI_BCC110;
    count_neighbours(&s, (bcc ? a * sqrt(3) / 2 : a / sqrt(2)) * 1.01, &least, &most);
    tap_ok(most == most_expected, "%s: neighbours inside", name);
    tap_ok(least == least_expected, "%s: neighbours at the surface", name);
    tap_ok(s.pbc[0] && s.pbc[1] && !s.pbc[2] && s.cell[0][1] == 0 && s.cell[1][1] > 0, "%s: axes", name);
    double top = 0;
    for (int64_t i = 0; i < s.n_atom; i++)
        top = fmax(top, s.positions[3 * i + 2]);
    tap_near(s.cell[2][2] - top, 6.5, 1e-12, "vacuum above");
    chgi_structure_destroy(&s);
}

static void is_bulk(chgi_bulk_kind kind, const char *name, int atoms, double reach, int neighbours)
{
    chgi_structure s = {0};
    int least, most;
    const int repeat[3] = {2, 1, 3};
    tap_ok(chgi_build_bulk(ctx, kind, 26, 3, 3 * sqrt(8.0 / 3), repeat, &s) == CHGNET_OK, "%s is built", name);
    tap_ok(s.n_atom == 6 * atoms, "%s: atoms", name);
    count_neighbours(&s, 3 * reach * 1.01, &least, &most);
    tap_ok(least == neighbours && most == neighbours, "%s: %d to %d neighbours, expected %d", name, least, most,
           neighbours);
    chgi_structure_destroy(&s);
}

/* Two atoms at the minimum 2^(1/6), then the slope against central differences. */
static void test_lennard_jones(void)
{
    chgi_potential lj;
    chgi_structure s = {0};
    chgi_outcome outcome;
    double positions[9] = {0, 0, 0, 1.1224620483093730, 0, 0, 0.4, 1.3, 0.2};
    if (chgi_lennard_jones_create(ctx, &lj) != CHGNET_OK || chgi_structure_create(ctx, 2, &s) != CHGNET_OK)
        tap_bail("no memory");
    memcpy(s.positions, positions, 6 * sizeof *positions);
    tap_ok(lj.set_structure(lj.self, &s) == CHGNET_OK &&
               lj.compute(lj.self, CHGNET_WANT_GRADIENT, &outcome) == CHGNET_OK,
           "a pair");
    tap_near(outcome.energy, -1, 1e-15, "energy at the minimum"); /* rounding of a few operations */
    tap_near(outcome.forces[0], 0, 1e-13, "no force there");      /* the two terms are 48 eV/A */
    chgi_structure_destroy(&s);
    if (chgi_structure_create(ctx, 3, &s) != CHGNET_OK || lj.set_structure(lj.self, &s) != CHGNET_OK)
        tap_bail("no memory");
    tap_is_int(lj.compute(lj.self, CHGNET_WANT_GRADIENT, &outcome), CHGNET_ENUMERIC, "atoms at one place");
    double worst = 0, h = 1e-5, forces[9];
    (void)!lj.move(lj.self, positions, NULL);
    (void)!lj.compute(lj.self, CHGNET_WANT_GRADIENT, &outcome);
    memcpy(forces, outcome.forces, sizeof forces);
    for (int k = 0; k < 9; k++) {
        double energy[2];
        for (int side = 0; side < 2; side++) {
            positions[k] += side ? -2 * h : h;
            (void)!lj.move(lj.self, positions, NULL);
            (void)!lj.compute(lj.self, CHGNET_WANT_ENERGY, &outcome);
            energy[side] = outcome.energy;
        }
        positions[k] += h;
        worst = fmax(worst, fabs(-(energy[0] - energy[1]) / (2 * h) - forces[k]));
    }
    tap_ok(worst < 1e-6, "forces are the slope, to %.1e eV/A", worst); /* h^2 times third derivatives of 1e3 */
    s.pbc[1] = true;
    tap_is_int(lj.set_structure(lj.self, &s), CHGNET_EINPUT, "periodic cells are refused");
    lj.destroy(lj.self);
    chgi_structure_destroy(&s);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    is_surface(CHGI_FCC111, "fcc111", 40, 9, 12);
    is_surface(CHGI_FCC100, "fcc100", 40, 8, 12);
    is_surface(CHGI_FCC110, "fcc110", 40, 7, 12);
    is_surface(CHGI_BCC100, "bcc100", 40, 4, 8);
    is_surface(CHGI_BCC110, "bcc110", 40, 6, 8);
    is_surface(CHGI_HCP0001, "hcp0001", 40, 9, 12);
    is_bulk(CHGI_FCC, "fcc", 4, sqrt(0.5), 12);
    is_bulk(CHGI_BCC, "bcc", 2, sqrt(0.75), 8);
    is_bulk(CHGI_HCP, "hcp", 2, 1, 12);
    is_bulk(CHGI_SC, "sc", 1, 1, 6);
    is_bulk(CHGI_DIAMOND, "diamond", 8, sqrt(3) / 4, 4);
    chgi_structure none = {0};
    chgi_surface wrong = {CHGI_FCC111, 29, 3.6, 0, {{0, 1}, {1, 0}}, 3, 6};
    tap_is_int(chgi_build_surface(ctx, &wrong, &none), CHGNET_EINPUT, "a left-handed surface cell is refused");
    test_lennard_jones();
    chgnet_context_destroy(ctx);
    return tap_done();
}
