#include "crystal/neighbour.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

static const double CUTOFF_SLACK = 1e-8;  /* A^2: an exact shell at the cutoff is inside, as upstream has it */
static const double CLOSEST = 1e-3;       /* A */
static const double MOST_PAIRS = 1073741823; /* directed edges are numbered by int32_t */

/* Atoms sorted into bins along a reduced basis.  Positions are wrapped along the periodic directions. */
typedef struct bins {
    double basis[3][3], inverse[3][3];
    int n_periodic;
    double origin[3], width[3]; /* fractional: of the first bin, of one bin */
    int64_t count[3];
    int64_t range[3];  /* bins to look at on each side */
    int64_t *start;    /* (product of counts + 1) */
    int32_t *members;  /* (n_atom) atoms by bin, ascending within a bin */
    int64_t *bin;      /* (n_atom) */
    double *positions; /* (n_atom,3) wrapped */
} bins;

static void bins_destroy(bins *b)
{
    chgi_memory_free(b->start);
    chgi_memory_free(b->members);
    chgi_memory_free(b->bin);
    chgi_memory_free(b->positions);
}

/* Distance between the planes that bound the cell along axis k, per unit of the fractional coordinate. */
static double height(const bins *b, int k)
{
    double column[3] = {b->inverse[0][k], b->inverse[1][k], b->inverse[2][k]};
    return 1 / sqrt(chgi_dot(column, column));
}

static void fractional(const bins *b, const double x[3], double s[3])
{
    for (int k = 0; k < 3; k++)
        s[k] = x[0] * b->inverse[0][k] + x[1] * b->inverse[1][k] + x[2] * b->inverse[2][k];
}

/* Wrap positions; note the extent along the non-periodic directions. */
static void wrap(bins *b, const chgi_structure *structure)
{
    double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (int64_t i = 0; i < structure->n_atom; i++) {
        double s[3], *x = b->positions + 3 * i;
        memcpy(x, structure->positions + 3 * i, 3 * sizeof *x);
        fractional(b, x, s);
        for (int k = 0; k < 3; k++) {
            low[k] = fmin(low[k], s[k]);
            high[k] = fmax(high[k], s[k]);
            if (k < b->n_periodic)
                for (int c = 0; c < 3; c++)
                    x[c] -= floor(s[k]) * b->basis[k][c];
        }
    }
    for (int k = 0; k < 3; k++) {
        bool periodic = k < b->n_periodic;
        b->origin[k] = periodic ? 0 : low[k];
        b->width[k] = periodic ? 1 : high[k] - low[k] + 1e-6;
    }
}

/* Bins about as wide as the cutoff, but never many more than atoms: a thin gas needs no empty bins. */
static void choose_counts(bins *b, int64_t n_atom, double cutoff)
{
    double limit = 8.0 * (double)n_atom + 64, product = 1;
    for (int k = 0; k < 3; k++) {
        b->count[k] = (int64_t)fmax(1, fmin(1e6, floor(b->width[k] * height(b, k) / cutoff)));
        product *= (double)b->count[k];
    }
    while (product > limit) {
        int k = b->count[0] >= b->count[1] ? (b->count[0] >= b->count[2] ? 0 : 2) : (b->count[1] >= b->count[2] ? 1 : 2);
        product /= (double)b->count[k];
        b->count[k] = (b->count[k] + 1) / 2;
        product *= (double)b->count[k];
    }
    for (int k = 0; k < 3; k++) {
        b->width[k] /= (double)b->count[k];
        b->range[k] = (int64_t)ceil((cutoff + 1e-6) / (b->width[k] * height(b, k)));
        if (k >= b->n_periodic && b->range[k] > b->count[k] - 1) /* nothing lies beyond the ends */
            b->range[k] = b->count[k] - 1;
    }
}

static int64_t bin_of(const bins *b, const double x[3])
{
    double s[3];
    int64_t index = 0;
    fractional(b, x, s);
    for (int k = 0; k < 3; k++) {
        double place = floor((s[k] - b->origin[k]) / b->width[k]);
        index = index * b->count[k] + (int64_t)fmin(fmax(place, 0), (double)(b->count[k] - 1));
    }
    return index;
}

static void sort_atoms(bins *b, int64_t n_atom, int64_t n_bin)
{
    for (int64_t i = 0; i < n_atom; i++) {
        b->bin[i] = bin_of(b, b->positions + 3 * i);
        b->start[b->bin[i] + 1]++;
    }
    for (int64_t k = 0; k < n_bin; k++)
        b->start[k + 1] += b->start[k];
    for (int64_t i = n_atom; i-- > 0;) /* from the back, so that start[] ends as the first place of each bin */
        b->members[--b->start[b->bin[i] + 1]] = (int32_t)i;
    memmove(b->start, b->start + 1, (size_t)n_bin * sizeof *b->start);
    b->start[n_bin] = n_atom;
}

static chgnet_status bins_fill(chgnet_context *ctx, bins *b, const chgi_structure *structure, double cutoff)
{
    size_t n = (size_t)structure->n_atom;
    if (!chgi_lattice_reduce(structure->cell, structure->pbc, b->basis, b->inverse, &b->n_periodic))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the cell is flat: its periodic vectors are linearly dependent; give a cell with a volume");
    b->positions = chgi_memory_new(3 * n, sizeof *b->positions);
    b->members = chgi_memory_new(n, sizeof *b->members);
    b->bin = chgi_memory_new(n, sizeof *b->bin);
    if (!b->positions || !b->members || !b->bin)
        return chgi_context_nomem(ctx, 5 * n, sizeof(double));
    wrap(b, structure);
    choose_counts(b, structure->n_atom, cutoff);
    int64_t n_bin = b->count[0] * b->count[1] * b->count[2];
    b->start = chgi_memory_new((size_t)n_bin + 1, sizeof *b->start);
    if (!b->start)
        return chgi_context_nomem(ctx, (size_t)n_bin + 1, sizeof *b->start);
    sort_atoms(b, structure->n_atom, n_bin);
    return CHGNET_OK;
}

/* A crowd of atoms is refused before the search, not after it has filled the memory. */
static chgnet_status check_density(chgnet_context *ctx, const bins *b, int64_t n_atom, double cutoff)
{
    double measure = 1, reach[4] = {1, 2 * cutoff, 3.14159 * cutoff * cutoff, 4.18879 * cutoff * cutoff * cutoff};
    for (int k = 0; k < b->n_periodic; k++) {
        double direct[3];
        memcpy(direct, b->basis[k], sizeof direct);
        measure *= sqrt(chgi_dot(direct, direct));
    }
    double images = b->n_periodic ? reach[b->n_periodic] / measure : 0;
    if (0.5 * (double)n_atom * images > MOST_PAIRS) /* each atom meets at least its own images */
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the cell is so small that each atom has %.0f images within %g A; give a larger cell",
                                 images, cutoff);
    return CHGNET_OK;
}

static chgnet_status too_close(chgnet_context *ctx, const chgi_structure *structure, int64_t i, int64_t j, double r)
{
    const char *a = chgi_element_symbol(structure->numbers[i]), *b = chgi_element_symbol(structure->numbers[j]);
    if (i == j)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "atom %lld (%s) is %.2g A from its own image; give a larger cell",
                                 (long long)i + 1, a, r);
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "atoms %lld (%s) and %lld (%s) are %.2g A apart; atoms must be at least 1e-3 A apart",
                             (long long)i + 1, a, (long long)j + 1, b, r);
}

static chgnet_status add_pair(chgnet_context *ctx, chgi_pair_list *list, int64_t i, int64_t j, const double d[3], double r2)
{
    if ((double)list->n_pair >= MOST_PAIRS)
        return chgi_context_fail(ctx, CHGNET_ENOMEM, "more than %.0f bonds; the structure is too large or too dense",
                                 MOST_PAIRS);
    CHGI_TRY(chgi_memory_grow(ctx, &list->pairs, &list->capacity, list->n_pair + 1, sizeof *list->pairs));
    list->pairs[list->n_pair++] = (chgi_pair){{d[0], d[1], d[2]}, sqrt(r2), (int32_t)i, (int32_t)j};
    return CHGNET_OK;
}

typedef struct search {
    chgnet_context *ctx;
    const chgi_structure *structure;
    const bins *b;
    chgi_pair_list *list;
    double limit; /* A^2 */
} search;

/* Pairs of atom i with the members of one bin, whose image lies `offset` away.  `forward` tells which of an atom's own
 * images counts: of (image, -image) only the first. */
static chgnet_status search_bin(const search *s, int64_t i, int64_t bin, const double offset[3], bool forward)
{
    const double *positions = s->b->positions, *x = positions + 3 * i;
    for (int64_t m = s->b->start[bin]; m < s->b->start[bin + 1]; m++) {
        int64_t j = s->b->members[m];
        if (j < i || (j == i && !forward))
            continue;
        double d[3];
        for (int c = 0; c < 3; c++)
            d[c] = positions[3 * j + c] + offset[c] - x[c];
        double r2 = chgi_dot(d, d);
        if (!(r2 < s->limit))
            continue;
        if (r2 < CLOSEST * CLOSEST)
            return too_close(s->ctx, s->structure, i, j, sqrt(r2));
        CHGI_TRY(add_pair(s->ctx, s->list, i, j, d, r2));
    }
    return CHGNET_OK;
}

/* Bin number along one axis, and how many periods away it lies; false beyond the end of a non-periodic axis. */
static bool fold(const bins *b, int axis, int64_t place, int64_t *bin, int64_t *image)
{
    int64_t count = b->count[axis];
    *image = place >= 0 ? place / count : -((count - 1 - place) / count);
    *bin = place - *image * count;
    return axis < b->n_periodic || *image == 0;
}

static chgnet_status search_atom(const search *s, int64_t i)
{
    const bins *b = s->b;
    int64_t home[3] = {b->bin[i] / b->count[2] / b->count[1], b->bin[i] / b->count[2] % b->count[1], b->bin[i] % b->count[2]};
    int64_t step[3], bin[3], image[3];
    for (step[0] = -b->range[0]; step[0] <= b->range[0]; step[0]++) {
        if (!fold(b, 0, home[0] + step[0], &bin[0], &image[0]))
            continue;
        for (step[1] = -b->range[1]; step[1] <= b->range[1]; step[1]++) {
            if (!fold(b, 1, home[1] + step[1], &bin[1], &image[1]))
                continue;
            for (step[2] = -b->range[2]; step[2] <= b->range[2]; step[2]++) {
                if (!fold(b, 2, home[2] + step[2], &bin[2], &image[2]))
                    continue;
                double offset[3];
                for (int c = 0; c < 3; c++)
                    offset[c] = (double)image[0] * b->basis[0][c] + (double)image[1] * b->basis[1][c] +
                                (double)image[2] * b->basis[2][c];
                bool forward = image[0] > 0 || (image[0] == 0 && (image[1] > 0 || (image[1] == 0 && image[2] > 0)));
                CHGI_TRY(search_bin(s, i, (bin[0] * b->count[1] + bin[1]) * b->count[2] + bin[2], offset, forward));
            }
        }
    }
    return CHGNET_OK;
}

chgnet_status chgi_neighbour_find(chgnet_context *ctx, const chgi_structure *structure, double cutoff,
                                  chgi_pair_list *list)
{
    bins b = {.n_periodic = 0};
    search s = {ctx, structure, &b, list, cutoff * cutoff + CUTOFF_SLACK};
    list->n_pair = 0;
    chgnet_status status = bins_fill(ctx, &b, structure, cutoff);
    if (status == CHGNET_OK)
        status = check_density(ctx, &b, structure->n_atom, cutoff);
    for (int64_t i = 0; i < structure->n_atom && status == CHGNET_OK; i++)
        status = search_atom(&s, i);
    bins_destroy(&b);
    return status;
}

void chgi_pair_list_destroy(chgi_pair_list *list)
{
    chgi_memory_free(list->pairs);
    *list = (chgi_pair_list){0};
}
