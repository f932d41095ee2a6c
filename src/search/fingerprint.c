/* SPDX-License-Identifier: BSD-3-Clause */
#include "search/fingerprint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { OWN_COMPONENTS = 3 };

static int compare_numbers(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int compare_values(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A component of one atom's description. */
static double describe(const chgi_structure *s, const chgi_outcome *o, int64_t i, int component)
{
    if (o->atom_fea)
        return o->atom_fea[i * o->n_feature + component];
    if (component == 0)
        return o->site_energies ? o->site_energies[i] : 0;
    double sum = 0;
    for (int64_t j = 0; j < s->n_atom; j++) {
        double r2 = 0;
        for (int k = 0; k < 3; k++)
            r2 += pow(s->positions[3 * i + k] - s->positions[3 * j + k], 2);
        sum += component == 1 ? sqrt(r2) : r2;
    }
    return component == 1 ? sum / (double)s->n_atom : sqrt(sum / (double)s->n_atom);
}

/* Values of one component, element by element, each part sorted. */
static void fill_component(const chgi_structure *s, const chgi_outcome *o, int component, const int32_t *numbers,
                           double *values)
{
    for (int64_t first = 0, next; first < s->n_atom; first = next) {
        next = first;
        for (int64_t i = 0; i < s->n_atom; i++)
            if (s->numbers[i] == numbers[first])
                values[next++] = describe(s, o, i, component);
        qsort(values + first, (size_t)(next - first), sizeof *values, compare_values);
    }
}

chgnet_status chgi_fingerprint_make(chgnet_context *ctx, const chgi_structure *structure, const chgi_outcome *outcome,
                                    chgi_fingerprint *fingerprint)
{
    size_t n = (size_t)structure->n_atom;
    int n_component = outcome->atom_fea ? outcome->n_feature : OWN_COMPONENTS;
    chgi_fingerprint made = {structure->n_atom, n_component, outcome->energy, chgi_memory_new(n, sizeof(int32_t)),
                             chgi_memory_new(n, (size_t)n_component * sizeof(double))};
    if (!made.numbers || !made.values) {
        chgi_fingerprint_destroy(&made);
        return chgi_context_nomem(ctx, n, (size_t)n_component * sizeof(double));
    }
    memcpy(made.numbers, structure->numbers, n * sizeof *made.numbers);
    qsort(made.numbers, n, sizeof *made.numbers, compare_numbers);
    for (int c = 0; c < n_component; c++)
        fill_component(structure, outcome, c, made.numbers, made.values + (size_t)c * n);
    *fingerprint = made;
    return CHGNET_OK;
}

void chgi_fingerprint_destroy(chgi_fingerprint *fingerprint)
{
    chgi_memory_free(fingerprint->numbers);
    chgi_memory_free(fingerprint->values);
    *fingerprint = (chgi_fingerprint){0};
}

double chgi_fingerprint_distance(const chgi_fingerprint *a, const chgi_fingerprint *b)
{
    size_t n = (size_t)a->n_atom;
    if (a->n_atom != b->n_atom || a->n_component != b->n_component ||
        memcmp(a->numbers, b->numbers, n * sizeof *a->numbers) != 0)
        return INFINITY;
    double sum = 0;
    n *= (size_t)a->n_component;
    for (size_t k = 0; k < n; k++)
        sum += (a->values[k] - b->values[k]) * (a->values[k] - b->values[k]);
    return n > 0 ? sqrt(sum / (double)n) : 0;
}

bool chgi_fingerprint_same(const chgi_fingerprint *a, const chgi_fingerprint *b, double energy, double distance)
{
    return fabs(a->energy - b->energy) <= energy && chgi_fingerprint_distance(a, b) <= distance;
}
