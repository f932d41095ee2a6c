/* Structures and numbers for the tests of the network: random numbers that are the same everywhere, a few small
 * structures of different kinds, and short ways to run a calculator on them.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator.h"
#include "tap.h"

enum { SAMPLE_MOST_ATOMS = 16, SAMPLE_GRADIENT = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT };

static const char *const sample_models[] = {"0.3.0", "0.2.0", "r2scan"};
enum { SAMPLE_MODELS = sizeof sample_models / sizeof *sample_models };

typedef struct sample {
    const char *name;
    double cell[3][3];
    bool pbc[3];
    int n_atom;
    struct {
        int number;
        double position[3];
    } atoms[SAMPLE_MOST_ATOMS];
} sample;

static const sample sample_list[] = {
    {"LiMnO2",
     {{2.868779, 0, 0}, {0, 4.634475, 0}, {0, 0, 5.832507}},
     {true, true, true},
     8,
     {{3, {1.4343895, 2.3172375, 2.21489745}},
      {3, {0, 0, 3.61760955}},
      {25, {1.4343895, 2.3172375, 5.03492625}},
      {25, {0, 0, 0.79758075}},
      {8, {1.4343895, 0, 2.10451142}},
      {8, {0, 2.3172375, 0.57458068}},
      {8, {1.4343895, 0, 5.25792632}},
      {8, {0, 2.3172375, 3.72799558}}}},
    {"slab of S on Cu(111), periodic in the plane, no third vector",
     {{2.5738686835, 0, 0}, {1.28693434175, 2.22903566593, 0}, {0, 0, 0}},
     {true, true, false},
     4,
     {{29, {0, 0, 0}},
      {29, {1.28693434175, 0.74301188864, 2.10155498}},
      {29, {2.5738686835, 1.48602377729, 4.20310996}},
      {16, {0.05, -0.03, 5.95}}}},
    {"MgO, triclinic strain",
     {{0.05, 2.15, 2.04}, {2.16, -0.04, 2.11}, {2.06, 2.13, 0.07}},
     {true, true, true},
     2,
     {{12, {0.02, 0.03, -0.01}}, {8, {2.11, 2.16, 2.05}}}},
    {"methanol, no periodicity, no cell",
     {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}},
     {false, false, false},
     6,
     {{6, {-0.0503, 0.6685, 0}},
      {8, {-0.0503, -0.7585, 0.02}},
      {1, {-1.0807, 1.0417, 0.01}},
      {1, {0.4650, 1.0417, 0.8924}},
      {1, {0.4650, 1.0417, -0.8924}},
      {1, {0.8544, -1.0417, -0.03}}}},
    {"one atom of Fe, strained bcc",
     {{-1.40, 1.43, 1.41}, {1.44, -1.38, 1.40}, {1.42, 1.39, -1.45}},
     {true, true, true},
     1,
     {{26, {0.3, 0.2, 0.1}}}},
    {"NaCl, left-handed, compressed along one axis",
     {{0, 3.95, 0.1}, {3.99, 0, 0.05}, {0.1, -0.05, 5.3}},
     {true, true, true},
     4,
     {{11, {0, 0, 0}}, {11, {2.0, 1.95, 2.70}}, {17, {0.05, 0.02, 2.64}}, {17, {1.98, 2.01, 0.06}}}},
};
enum { SAMPLE_COUNT = sizeof sample_list / sizeof *sample_list };

TAP_UNUSED static void sample_must(chgnet_context *ctx, chgnet_status status)
{
    if (status != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
}

TAP_UNUSED static chgnet_context *sample_context(void)
{
    chgnet_context *ctx;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    return ctx;
}

/** The next random number in [0,1); splitmix64 (Steele, Lea, Flood 2014). */
TAP_UNUSED static double sample_uniform(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/** A random number in [-size, size). */
TAP_UNUSED static double sample_symmetric(uint64_t *state, double size)
{
    return size * (2 * sample_uniform(state) - 1);
}

TAP_UNUSED static void sample_fill(uint64_t *state, double size, int64_t count, double *out)
{
    for (int64_t k = 0; k < count; k++)
        out[k] = sample_symmetric(state, size);
}

TAP_UNUSED static void sample_make(chgnet_context *ctx, const sample *from, chgi_structure *s)
{
    sample_must(ctx, chgi_structure_create(ctx, from->n_atom, s));
    memcpy(s->cell, from->cell, sizeof s->cell);
    memcpy(s->pbc, from->pbc, sizeof s->pbc);
    for (int i = 0; i < from->n_atom; i++) {
        s->numbers[i] = from->atoms[i].number;
        memcpy(s->positions + 3 * i, from->atoms[i].position, 3 * sizeof(double));
    }
}

/** Move every coordinate by up to `size`. */
TAP_UNUSED static void sample_rattle(chgi_structure *s, uint64_t *state, double size)
{
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->positions[k] += sample_symmetric(state, size);
}

/** Positions and cell vectors times 1 + strain: x_a += sum over b of x_b strain_ba. */
TAP_UNUSED static void sample_strain(chgi_structure *s, double strain[3][3])
{
    for (int64_t i = 0; i < s->n_atom + 3; i++) {
        double *x = i < 3 ? s->cell[i] : s->positions + 3 * (i - 3), old[3];
        memcpy(old, x, sizeof old);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                x[a] += old[b] * strain[b][a];
    }
}

/** Distance of the nearest pair length to either cutoff, A (at most 0.1). */
TAP_UNUSED static double sample_gap(chgnet_context *ctx, const chgi_structure *s, double atom_cutoff,
                                    double bond_cutoff)
{
    chgi_pair_list list = {0};
    double gap = 0.1;
    sample_must(ctx, chgi_neighbour_find(ctx, s, atom_cutoff + gap, &list));
    for (size_t p = 0; p < list.n_pair; p++) {
        gap = fmin(gap, fabs(list.pairs[p].length - atom_cutoff));
        gap = fmin(gap, fabs(list.pairs[p].length - bond_cutoff));
    }
    chgi_pair_list_destroy(&list);
    return gap;
}

TAP_UNUSED static chgnet_calculator *sample_calculator(chgnet_context *ctx, const chgnet_model *model, bool is_double,
                                                       int n_thread)
{
    chgnet_calculator *calculator;
    const char *isa = getenv("CHGNET_ISA");
    sample_must(ctx, chgi_calculator_create(ctx, model, is_double, n_thread, isa && *isa ? isa : NULL, &calculator));
    return calculator;
}

TAP_UNUSED static void sample_compute(chgnet_calculator *calculator, const chgi_structure *s, unsigned want)
{
    sample_must(calculator->ctx, chgi_calculator_set_structure(calculator, s));
    sample_must(calculator->ctx, chgi_calculator_compute(calculator, want));
}

/** Largest |a - b|; infinity where one of them is NaN. */
TAP_UNUSED static double sample_error(int64_t count, const double *a, const double *b)
{
    double error = 0;
    for (int64_t k = 0; k < count; k++) {
        double difference = fabs(a[k] - b[k]);
        error = difference >= 0 ? fmax(error, difference) : INFINITY;
    }
    return error;
}

TAP_UNUSED static double sample_largest(int64_t count, const double *a)
{
    double largest = 0;
    for (int64_t k = 0; k < count; k++)
        largest = fmax(largest, fabs(a[k]));
    return largest;
}

#endif
