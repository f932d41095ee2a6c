#include "gp/label_set.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

void chgi_labelled_destroy(chgi_labelled *labelled)
{
    chgi_structure_destroy(&labelled->structure);
    chgi_memory_free(labelled->place);
    chgi_memory_free(labelled->forces);
    chgi_memory_free(labelled->use);
    chgi_memory_free(labelled->base_forces);
    chgi_memory_free(labelled->fea);
    chgi_memory_free(labelled->component);
    chgi_memory_free(labelled->residual);
    chgi_memory_free(labelled->jacobian);
    *labelled = (chgi_labelled){0};
}

void chgi_label_set_destroy(chgi_label_set *set)
{
    for (int64_t i = 0; i < set->n_label; i++)
        chgi_labelled_destroy(&set->labels[i]);
    chgi_memory_free(set->labels);
    *set = (chgi_label_set){0};
}

chgnet_status chgi_label_set_add(chgnet_context *ctx, chgi_label_set *set, chgi_labelled *labelled)
{
    chgnet_status status =
        chgi_memory_grow(ctx, &set->labels, &set->capacity, (size_t)set->n_label + 1, sizeof *set->labels);
    if (status != CHGNET_OK) {
        chgi_labelled_destroy(labelled);
        return status;
    }
    set->labels[set->n_label++] = *labelled;
    *labelled = (chgi_labelled){0};
    return CHGNET_OK;
}

void chgi_label_set_place(const chgi_label_set *set, int64_t index, char *text, size_t size)
{
    const char *place = set->labels[index].place;
    if (place)
        snprintf(text, size, "%s", place);
    else
        snprintf(text, size, "label %" PRId64, index + 1);
}

chgi_label chgi_labelled_view(const chgi_labelled *labelled, bool with_forces)
{
    bool forces = with_forces && labelled->jacobian && labelled->n_force > 0;
    return (chgi_label){.n_atom = labelled->structure.n_atom,
                        .numbers = labelled->structure.numbers,
                        .fea = labelled->fea,
                        .has_energy = labelled->has_energy,
                        .energy = labelled->energy - labelled->base_energy,
                        .n_force = forces ? labelled->n_force : 0,
                        .component = forces ? labelled->component : NULL,
                        .forces = forces ? labelled->residual : NULL,
                        .jacobian = forces ? labelled->jacobian : NULL};
}

/* ---- repeats ---------------------------------------------------------------------------------- */

/* How far the same structure may differ after it went through a text file, A. */
#define SAME_LENGTH 1e-4
/* What two careful calculations of one structure may differ by. */
#define SAME_ENERGY 1e-3          /* eV */
#define SAME_ENERGY_PER_ATOM 1e-4 /* eV */
#define SAME_FORCE 2e-2           /* eV/A */

static bool same_frame(const chgi_structure *a, const chgi_structure *b)
{
    int64_t count[CHGI_MAX_ELEMENT + 1] = {0};
    if (a->n_atom != b->n_atom || memcmp(a->pbc, b->pbc, sizeof a->pbc) != 0)
        return false;
    for (int k = 0; k < 9; k++)
        if (!(fabs(a->cell[k / 3][k % 3] - b->cell[k / 3][k % 3]) < SAME_LENGTH))
            return false;
    for (int64_t i = 0; i < a->n_atom; i++) {
        count[a->numbers[i]]++;
        count[b->numbers[i]]--;
    }
    for (int z = 0; z <= CHGI_MAX_ELEMENT; z++)
        if (count[z] != 0)
            return false;
    return true;
}

/* Could it be the same structure?  Sums of embeddings over all atoms differ by less than what a shift of SAME_LENGTH
 * brings; they tell nearly all others apart at little cost. */
static bool same_embedding(const chgi_labelled *a, const chgi_labelled *b, int n_feature)
{
    int64_t n = a->structure.n_atom;
    for (int c = 0; a->fea && b->fea && c < n_feature; c++) {
        double difference = 0, size = 0;
        for (int64_t i = 0; i < n; i++) {
            difference += a->fea[i * n_feature + c] - b->fea[i * n_feature + c];
            size += fabs(a->fea[i * n_feature + c]);
        }
        if (!(fabs(difference) <= 1e-3 * (size + 1)))
            return false;
    }
    return true;
}

/* The lattice of a structure. */
typedef struct lattice {
    double basis[3][3], inverse[3][3];
    int n; /* periodic directions: the first rows of the basis */
} lattice;

static bool make_lattice(const chgi_structure *s, lattice *l)
{
    double times[3][3];
    return chgi_lattice_reduce(s->cell, s->pbc, l->basis, l->inverse, times, &l->n);
}

/* Are two points the same but for vectors of the lattice? */
static bool same_point(const lattice *l, const double a[3], const double b[3])
{
    double d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]}, whole[3] = {0, 0, 0};
    for (int k = 0; k < l->n; k++)
        whole[k] = nearbyint(d[0] * l->inverse[0][k] + d[1] * l->inverse[1][k] + d[2] * l->inverse[2][k]);
    for (int c = 0; c < 3; c++) {
        d[c] -= whole[0] * l->basis[0][c] + whole[1] * l->basis[1][c] + whole[2] * l->basis[2][c];
        if (!(fabs(d[c]) < SAME_LENGTH))
            return false;
    }
    return true;
}

/* Does b moved by `shift` fall onto a?  The partner of each atom is written to `partner`. */
static bool falls_onto(const chgi_structure *a, const chgi_structure *b, const lattice *l, const double shift[3],
                       int64_t *partner, bool *taken)
{
    memset(taken, 0, (size_t)a->n_atom * sizeof *taken);
    for (int64_t i = 0; i < b->n_atom; i++) {
        const double *x = b->positions + 3 * i, moved[3] = {x[0] + shift[0], x[1] + shift[1], x[2] + shift[2]};
        int64_t found = -1;
        for (int64_t k = 0; k < a->n_atom && found < 0; k++) {
            int64_t j = i + k < a->n_atom ? i + k : i + k - a->n_atom; /* most often the order is the same */
            if (!taken[j] && a->numbers[j] == b->numbers[i] && same_point(l, a->positions + 3 * j, moved))
                found = j;
        }
        if (found < 0)
            return false;
        taken[found] = true;
        partner[i] = found;
    }
    return true;
}

/* The first atom of b may lie on any atom of its element in a. */
static bool same_structure(const chgi_structure *a, const chgi_structure *b, int64_t *partner, bool *taken)
{
    lattice l;
    if (!make_lattice(a, &l))
        return false;
    for (int64_t j = 0; j < a->n_atom; j++) {
        double shift[3];
        if (a->numbers[j] != b->numbers[0])
            continue;
        for (int c = 0; c < 3; c++)
            shift[c] = a->positions[3 * j + c] - b->positions[c];
        if (falls_onto(a, b, &l, shift, partner, taken))
            return true;
    }
    return false;
}

static bool same_label(const chgi_labelled *a, const chgi_labelled *b, const int64_t *partner)
{
    int64_t n = a->structure.n_atom;
    double allowed = fmax(SAME_ENERGY, SAME_ENERGY_PER_ATOM * (double)n);
    if (a->has_energy && b->has_energy && !(fabs(a->energy - b->energy) <= allowed))
        return false;
    for (int64_t i = 0; a->forces && b->forces && i < 3 * n; i++)
        if (!(fabs(a->forces[3 * partner[i / 3] + i % 3] - b->forces[i]) <= SAME_FORCE))
            return false;
    return true;
}

chgi_repeat chgi_label_set_find_repeat(const chgi_label_set *set, int64_t index, int64_t *other)
{
    const chgi_labelled *b = &set->labels[index];
    size_t n = (size_t)b->structure.n_atom;
    int64_t *partner = chgi_memory_new(n, sizeof *partner);
    bool *taken = chgi_memory_new(n, sizeof *taken);
    chgi_repeat repeat = CHGI_REPEAT_NONE;
    for (int64_t i = 0; partner && taken && repeat == CHGI_REPEAT_NONE && i < index; i++) {
        const chgi_labelled *a = &set->labels[i];
        if (!same_frame(&a->structure, &b->structure) || !same_embedding(a, b, set->n_feature) ||
            !same_structure(&a->structure, &b->structure, partner, taken))
            continue;
        *other = i;
        repeat = same_label(a, b, partner) ? CHGI_REPEAT_SAME : CHGI_REPEAT_CONTRADICTION;
    }
    chgi_memory_free(partner);
    chgi_memory_free(taken);
    return repeat;
}
