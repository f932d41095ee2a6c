/* SPDX-License-Identifier: BSD-3-Clause */
#include "calc/lennard_jones.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

typedef struct cluster {
    chgnet_context *ctx;
    int64_t n_atom;
    double *positions, *forces, *site_energies; /* (n_atom,3), (n_atom,3), (n_atom) */
    size_t capacity_positions, capacity_forces, capacity_energies;
} cluster;

static chgnet_status move(void *self, const double *positions, const double (*cell)[3])
{
    cluster *c = self;
    (void)cell;
    for (int64_t k = 0; k < 3 * c->n_atom; k++) {
        if (!isfinite(positions[k]))
            return chgi_context_fail(c->ctx, CHGNET_EINPUT, "the position of atom %lld is not finite",
                                     (long long)k / 3 + 1);
        c->positions[k] = positions[k];
    }
    return CHGNET_OK;
}

static chgnet_status set_structure(void *self, const chgi_structure *structure)
{
    cluster *c = self;
    size_t n = (size_t)structure->n_atom;
    c->n_atom = 0;
    if (structure->pbc[0] || structure->pbc[1] || structure->pbc[2])
        return chgi_context_fail(c->ctx, CHGNET_EINPUT,
                                 "the Lennard-Jones potential is for free clusters; leave all axes non-periodic");
    CHGI_TRY(chgi_memory_grow(c->ctx, &c->positions, &c->capacity_positions, 3 * n, sizeof(double)));
    CHGI_TRY(chgi_memory_grow(c->ctx, &c->forces, &c->capacity_forces, 3 * n, sizeof(double)));
    CHGI_TRY(chgi_memory_grow(c->ctx, &c->site_energies, &c->capacity_energies, n, sizeof(double)));
    c->n_atom = structure->n_atom;
    return move(self, structure->positions, NULL);
}

/* Energy of a pair; its force on the first atom is `slope` times the vector from the second. */
static double pair(double r2, double *slope)
{
    double s6 = 1 / (r2 * r2 * r2);
    *slope = 24 * s6 * (2 * s6 - 1) / r2;
    return 4 * s6 * (s6 - 1);
}

static void add_pair(cluster *c, int64_t i, int64_t j, chgi_outcome *outcome)
{
    double d[3], slope;
    for (int k = 0; k < 3; k++)
        d[k] = c->positions[3 * i + k] - c->positions[3 * j + k];
    double energy = pair(d[0] * d[0] + d[1] * d[1] + d[2] * d[2], &slope);
    c->site_energies[i] += 0.5 * energy;
    c->site_energies[j] += 0.5 * energy;
    outcome->energy += energy;
    for (int k = 0; k < 3; k++) {
        c->forces[3 * i + k] += slope * d[k];
        c->forces[3 * j + k] -= slope * d[k];
        for (int l = 0; l < 3; l++)
            outcome->virial[k][l] -= slope * d[k] * d[l];
    }
}

static chgnet_status compute(void *self, unsigned want, chgi_outcome *outcome)
{
    cluster *c = self;
    (void)want;
    memset(c->forces, 0, 3 * (size_t)c->n_atom * sizeof *c->forces);
    memset(c->site_energies, 0, (size_t)c->n_atom * sizeof *c->site_energies);
    *outcome = (chgi_outcome){.forces = c->forces, .site_energies = c->site_energies, .energy_std = -1};
    for (int64_t i = 0; i < c->n_atom; i++)
        for (int64_t j = 0; j < i; j++)
            add_pair(c, i, j, outcome);
    if (!isfinite(outcome->energy))
        return chgi_context_fail(c->ctx, CHGNET_ENUMERIC, "the energy is not finite: two atoms are at one place");
    return CHGNET_OK;
}

static void destroy(void *self)
{
    cluster *c = self;
    chgi_memory_free(c->positions);
    chgi_memory_free(c->forces);
    chgi_memory_free(c->site_energies);
    chgi_memory_free(c);
}

chgnet_status chgi_lennard_jones_create(chgnet_context *ctx, chgi_potential *potential)
{
    cluster *c = chgi_memory_new(1, sizeof *c);
    if (!c)
        return chgi_context_nomem(ctx, 1, sizeof *c);
    c->ctx = ctx;
    *potential = (chgi_potential){c, set_structure, move, compute, destroy};
    return CHGNET_OK;
}
