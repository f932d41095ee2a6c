#include "crystal/neighbour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

static const double CUTOFF_SLACK = 1e-8;     /* A^2: an exact shell at the cutoff is inside, as upstream has it */
static const double CLOSEST = 1e-3;          /* A */
static const double MARGIN = 1e-6;           /* A: more than rounding or the slack can make of a distance */
static const double MOST_PAIRS = 1073741823; /* directed edges are numbered by int32_t */

/* Atoms sorted into bins along a reduced basis, each by its image in the cell at the origin. */
typedef struct bins {
    double basis[3][3], inverse[3][3];
    double times[3][3]; /* of the cell vectors in the basis */
    int n_periodic;
    double origin[3], width[3]; /* fractional: of the first bin, of one bin */
    int64_t count[3];
    int64_t range[3]; /* bins to look at on each side */
    int64_t *start;   /* (product of counts + 1) */
    int32_t *members; /* (n_atom) atoms by bin, ascending within a bin */
    int64_t *bin;     /* (n_atom) */
    double *cells;    /* (n_atom,3) which cell an atom lies in: whole numbers, 0 along non-periodic directions */
    double *home;     /* (n_atom,3) A, positions in the cell at the origin, in the order of members */
} bins;

static void bins_destroy(bins *b)
{
    chgi_memory_free(b->start);
    chgi_memory_free(b->members);
    chgi_memory_free(b->bin);
    chgi_memory_free(b->cells);
    chgi_memory_free(b->home);
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

/* The cell of each atom, and the extent along the non-periodic directions. */
static void find_cells(bins *b, const chgi_structure *structure)
{
    double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (int64_t i = 0; i < structure->n_atom; i++) {
        double s[3];
        fractional(b, structure->positions + 3 * i, s);
        for (int k = 0; k < 3; k++) {
            low[k] = fmin(low[k], s[k]);
            high[k] = fmax(high[k], s[k]);
            b->cells[3 * i + k] = k < b->n_periodic ? floor(s[k]) : 0;
        }
    }
    for (int k = 0; k < 3; k++) {
        bool periodic = k < b->n_periodic;
        b->origin[k] = periodic ? 0 : low[k];
        b->width[k] = periodic ? 1 : high[k] - low[k] + 1e-6;
    }
}

/* Bins about as wide as the reach, but never many more than atoms: a thin gas needs no empty bins. */
static void choose_counts(bins *b, int64_t n_atom, double reach)
{
    double limit = 8.0 * (double)n_atom + 64, product = 1;
    for (int k = 0; k < 3; k++) {
        b->count[k] = (int64_t)fmax(1, fmin(1e6, floor(b->width[k] * height(b, k) / reach)));
        product *= (double)b->count[k];
    }
    while (product > limit) {
        int k =
            b->count[0] >= b->count[1] ? (b->count[0] >= b->count[2] ? 0 : 2) : (b->count[1] >= b->count[2] ? 1 : 2);
        product /= (double)b->count[k];
        b->count[k] = (b->count[k] + 1) / 2;
        product *= (double)b->count[k];
    }
    for (int k = 0; k < 3; k++) {
        b->width[k] /= (double)b->count[k];
        b->range[k] = (int64_t)ceil((reach + MARGIN) / (b->width[k] * height(b, k)));
        if (k >= b->n_periodic && b->range[k] > b->count[k] - 1) /* nothing lies beyond the ends */
            b->range[k] = b->count[k] - 1;
    }
}

static int64_t bin_of(const bins *b, const double x[3], const double cell[3])
{
    double s[3];
    int64_t index = 0;
    fractional(b, x, s);
    for (int k = 0; k < 3; k++) {
        double place = floor((s[k] - cell[k] - b->origin[k]) / b->width[k]);
        index = index * b->count[k] + (int64_t)fmin(fmax(place, 0), (double)(b->count[k] - 1));
    }
    return index;
}

static void sort_atoms(bins *b, const chgi_structure *structure, int64_t n_bin)
{
    int64_t n_atom = structure->n_atom;
    for (int64_t i = 0; i < n_atom; i++) {
        b->bin[i] = bin_of(b, structure->positions + 3 * i, b->cells + 3 * i);
        b->start[b->bin[i] + 1]++;
    }
    for (int64_t k = 0; k < n_bin; k++)
        b->start[k + 1] += b->start[k];
    for (int64_t i = n_atom; i-- > 0;) /* from the back, so that start[] ends as the first place of each bin */
        b->members[--b->start[b->bin[i] + 1]] = (int32_t)i;
    memmove(b->start, b->start + 1, (size_t)n_bin * sizeof *b->start);
    b->start[n_bin] = n_atom;
}

/* Where an atom lies when it is moved by whole vectors of the basis. */
static void shifted(const bins *b, const double x[3], const double times[3], double place[3])
{
    for (int c = 0; c < 3; c++)
        place[c] = x[c] + times[0] * b->basis[0][c] + times[1] * b->basis[1][c] + times[2] * b->basis[2][c];
}

static void find_homes(bins *b, const chgi_structure *structure)
{
    for (int64_t m = 0; m < structure->n_atom; m++) {
        const double *cell = b->cells + 3 * (int64_t)b->members[m];
        shifted(b, structure->positions + 3 * (int64_t)b->members[m], (double[3]){-cell[0], -cell[1], -cell[2]},
                b->home + 3 * m);
    }
}

static chgnet_status bins_fill(chgnet_context *ctx, bins *b, const chgi_structure *structure, double reach)
{
    size_t n = (size_t)structure->n_atom;
    if (!chgi_lattice_reduce(structure->cell, structure->pbc, b->basis, b->inverse, b->times, &b->n_periodic))
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "the cell is flat: its periodic vectors are linearly dependent; give a cell with a volume");
    b->cells = chgi_memory_new(3 * n, sizeof *b->cells);
    b->members = chgi_memory_new(n, sizeof *b->members);
    b->bin = chgi_memory_new(n, sizeof *b->bin);
    b->home = chgi_memory_new(3 * n, sizeof *b->home);
    if (!b->cells || !b->members || !b->bin || !b->home)
        return chgi_context_nomem(ctx, 8 * n, sizeof(double));
    find_cells(b, structure);
    choose_counts(b, structure->n_atom, reach);
    int64_t n_bin = b->count[0] * b->count[1] * b->count[2];
    b->start = chgi_memory_new((size_t)n_bin + 1, sizeof *b->start);
    if (!b->start)
        return chgi_context_nomem(ctx, (size_t)n_bin + 1, sizeof *b->start);
    sort_atoms(b, structure, n_bin);
    find_homes(b, structure);
    return CHGNET_OK;
}

/* A crowd of atoms is refused before the search, not after it has filled the memory. */
static chgnet_status check_density(chgnet_context *ctx, const bins *b, int64_t n_atom, double reach)
{
    double measure = 1, ball[4] = {1, 2 * reach, 3.14159 * reach * reach, 4.18879 * reach * reach * reach};
    for (int k = 0; k < b->n_periodic; k++) {
        double direct[3];
        memcpy(direct, b->basis[k], sizeof direct);
        measure *= sqrt(chgi_dot(direct, direct));
    }
    double images = b->n_periodic ? ball[b->n_periodic] / measure : 0;
    if (0.5 * (double)n_atom * images > MOST_PAIRS) /* each atom meets at least its own images */
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the cell is so small that each atom has %.0f images within %g A; give a larger cell",
                                 images, reach);
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

/* From the center of a pair to its neighbour.  \return the square of the distance */
static double vector_of(const chgi_structure *structure, const chgi_candidate *pair, double d[3])
{
    const double *x = structure->positions + 3 * (int64_t)pair->center;
    const double *y = structure->positions + 3 * (int64_t)pair->neighbour;
    const double *n = pair->image;
    for (int c = 0; c < 3; c++) {
        double offset = n[0] * structure->cell[0][c] + n[1] * structure->cell[1][c] + n[2] * structure->cell[2][c];
        d[c] = y[c] - x[c] + offset;
    }
    return chgi_dot(d, d);
}

static chgnet_status too_many(chgnet_context *ctx)
{
    return chgi_context_fail(ctx, CHGNET_ENOMEM, "more than %.0f bonds; the structure is too large or too dense",
                             MOST_PAIRS);
}

chgnet_status chgi_neighbour_add(chgnet_context *ctx, chgi_candidate_list *list, const chgi_candidate *pair)
{
    if ((double)list->n_candidate >= MOST_PAIRS)
        return too_many(ctx);
    CHGI_TRY(chgi_memory_grow(ctx, &list->candidates, &list->capacity, list->n_candidate + 1, sizeof *pair));
    list->candidates[list->n_candidate++] = *pair;
    return CHGNET_OK;
}

typedef struct search {
    chgnet_context *ctx;
    const chgi_structure *structure;
    const bins *b;
    chgi_candidate_list *list;
    double limit;   /* A^2 */
    double rough;   /* A^2: well beyond the limit */
    int64_t *count; /* where pairs are only counted */
} search;

static int compare_images(const double one[3], const double other[3])
{
    for (int k = 0; k < 3; k++)
        if (one[k] != other[k])
            return one[k] < other[k] ? -1 : 1;
    return 0;
}

static chgnet_status take_pair(const search *s, const chgi_candidate *pair)
{
    if (!s->count)
        return chgi_neighbour_add(s->ctx, s->list, pair);
    if ((double)++*s->count >= MOST_PAIRS)
        return too_many(s->ctx);
    return CHGNET_OK;
}

/* Pairs of atom j, as the neighbour, with the centers in one bin.  With both atoms where the bins have them, j lies
 * `away` vectors of the basis away from the center. */
static chgnet_status search_bin(const search *s, int64_t j, int64_t bin, const int64_t away[3])
{
    static const double origin[3];
    const bins *b = s->b;
    double place[3], move[3];
    for (int k = 0; k < 3; k++)
        move[k] = (double)away[k] - b->cells[3 * j + k];
    shifted(b, s->structure->positions + 3 * j, move, place);
    for (int64_t m = b->start[bin]; m < b->start[bin + 1]; m++) {
        int64_t i = b->members[m];
        double x = place[0] - b->home[3 * m], y = place[1] - b->home[3 * m + 1], z = place[2] - b->home[3 * m + 2];
        if (i > j || x * x + y * y + z * z > s->rough)
            continue;
        chgi_candidate pair = {.center = (int32_t)i, .neighbour = (int32_t)j};
        double count[3], d[3];
        for (int k = 0; k < 3; k++)
            count[k] = (double)away[k] + (b->cells[3 * i + k] - b->cells[3 * j + k]);
        for (int k = 0; k < 3; k++)
            pair.image[k] = count[0] * b->times[0][k] + count[1] * b->times[1][k] + count[2] * b->times[2][k];
        if (i == j && compare_images(pair.image, origin) <= 0) /* of (image, -image) only one counts */
            continue;
        double r2 = vector_of(s->structure, &pair, d);
        if (!(r2 < s->limit))
            continue;
        if (r2 < CLOSEST * CLOSEST) /* here already: a crowd must not fill the memory first */
            return too_close(s->ctx, s->structure, i, j, sqrt(r2));
        CHGI_TRY(take_pair(s, &pair));
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

/* Pairs with atom j as the neighbour. */
static chgnet_status search_atom(const search *s, int64_t j)
{
    const bins *b = s->b;
    int64_t home[3] = {b->bin[j] / b->count[2] / b->count[1], b->bin[j] / b->count[2] % b->count[1],
                       b->bin[j] % b->count[2]};
    int64_t step[3], bin[3], away[3];
    for (step[0] = -b->range[0]; step[0] <= b->range[0]; step[0]++) {
        if (!fold(b, 0, home[0] - step[0], &bin[0], &away[0]))
            continue;
        for (step[1] = -b->range[1]; step[1] <= b->range[1]; step[1]++) {
            if (!fold(b, 1, home[1] - step[1], &bin[1], &away[1]))
                continue;
            for (step[2] = -b->range[2]; step[2] <= b->range[2]; step[2]++) {
                if (!fold(b, 2, home[2] - step[2], &bin[2], &away[2]))
                    continue;
                const int64_t back[3] = {-away[0], -away[1], -away[2]};
                CHGI_TRY(search_bin(s, j, (bin[0] * b->count[1] + bin[1]) * b->count[2] + bin[2], back));
            }
        }
    }
    return CHGNET_OK;
}

static int compare_candidates(const void *one, const void *other)
{
    const chgi_candidate *a = one, *b = other;
    return compare_images(a->image, b->image);
}

/* Along the vectors of an upright cell the search goes by ascending image already; elsewhere the images of each pair of
 * atoms are sorted here. */
static void sort_images(chgi_candidate_list *list)
{
    chgi_candidate *c = list->candidates;
    for (size_t first = 0, end; first < list->n_candidate; first = end) {
        bool sorted = true;
        for (end = first + 1;
             end < list->n_candidate && c[end].center == c[first].center && c[end].neighbour == c[first].neighbour;
             end++)
            sorted = sorted && compare_images(c[end - 1].image, c[end].image) < 0;
        if (!sorted)
            qsort(c + first, end - first, sizeof *c, compare_candidates);
    }
}

typedef enum end { CENTER, NEIGHBOUR } end;

static int32_t atom_at(const chgi_candidate *candidate, end which)
{
    return which == CENTER ? candidate->center : candidate->neighbour;
}

/* By the atom at one end; the order among those of one atom stays. */
static chgnet_status sort_by(chgnet_context *ctx, end which, int64_t n_atom, const chgi_candidate_list *found,
                             chgi_candidate_list *list)
{
    CHGI_TRY(chgi_memory_grow(ctx, &list->candidates, &list->capacity, found->n_candidate, sizeof *list->candidates));
    int64_t *next = chgi_memory_new((size_t)n_atom + 1, sizeof *next);
    if (!next)
        return chgi_context_nomem(ctx, (size_t)n_atom + 1, sizeof *next);
    for (size_t k = 0; k < found->n_candidate; k++)
        next[atom_at(&found->candidates[k], which) + 1]++;
    for (int64_t i = 0; i < n_atom; i++)
        next[i + 1] += next[i];
    for (size_t k = 0; k < found->n_candidate; k++)
        list->candidates[next[atom_at(&found->candidates[k], which)]++] = found->candidates[k];
    list->n_candidate = found->n_candidate;
    chgi_memory_free(next);
    return CHGNET_OK;
}

/* From the order of the search (by neighbour) to that of the list (by center, neighbour, image). */
static chgnet_status sort_found(chgnet_context *ctx, int64_t n_atom, const chgi_candidate_list *found,
                                chgi_candidate_list *list)
{
    CHGI_TRY(sort_by(ctx, CENTER, n_atom, found, list));
    sort_images(list);
    return CHGNET_OK;
}

/* Once for each pair, so that the list is what a search would have given. */
static void drop_repeats(chgi_candidate_list *list)
{
    size_t kept = 0;
    for (size_t k = 0; k < list->n_candidate; k++) {
        const chgi_candidate *last = kept > 0 ? &list->candidates[kept - 1] : NULL, *this = &list->candidates[k];
        if (!last || last->center != this->center || last->neighbour != this->neighbour ||
            compare_candidates(last, this) != 0)
            list->candidates[kept++] = *this;
    }
    list->n_candidate = kept;
}

chgnet_status chgi_neighbour_sort(chgnet_context *ctx, int64_t n_atom, chgi_candidate_list *list,
                                  chgi_candidate_list *spare)
{
    static const double origin[3];
    for (size_t k = 0; k < list->n_candidate; k++) {
        chgi_candidate *c = &list->candidates[k];
        if (c->center < c->neighbour || (c->center == c->neighbour && compare_images(c->image, origin) > 0))
            continue;
        int32_t center = c->center;
        c->center = c->neighbour;
        c->neighbour = center;
        for (int a = 0; a < 3; a++)
            c->image[a] = c->image[a] == 0 ? 0 : -c->image[a]; /* no negative zero */
    }
    CHGI_TRY(sort_by(ctx, NEIGHBOUR, n_atom, list, spare));
    CHGI_TRY(sort_found(ctx, n_atom, spare, list));
    drop_repeats(list);
    return CHGNET_OK;
}

static chgnet_status search_all(const search *s)
{
    for (int64_t j = 0; j < s->structure->n_atom; j++)
        CHGI_TRY(search_atom(s, j));
    return CHGNET_OK;
}

/* Where pairs might fill a good part of the memory they are counted first: what does not fit is refused before. */
static chgnet_status check_memory(search s)
{
    enum { EACH = 2 * sizeof(chgi_candidate) + sizeof(chgi_pair) };
    const bins *b = s.b;
    int64_t n_bin = b->count[0] * b->count[1] * b->count[2], fullest = 0, count = 0;
    double physical = (double)chgi_memory_physical(), around = 1;
    for (int64_t k = 0; k < n_bin; k++)
        fullest = b->start[k + 1] - b->start[k] > fullest ? b->start[k + 1] - b->start[k] : fullest;
    for (int k = 0; k < 3; k++)
        around *= 2 * (double)b->range[k] + 1;
    if (0.5 * (double)s.structure->n_atom * (double)fullest * around * EACH < 0.25 * physical)
        return CHGNET_OK;
    s.count = &count;
    CHGI_TRY(search_all(&s));
    return (double)count * EACH > physical ? chgi_context_nomem(s.ctx, (size_t)count, EACH) : CHGNET_OK;
}

chgnet_status chgi_neighbour_candidates(chgnet_context *ctx, const chgi_structure *structure, double reach,
                                        chgi_candidate_list *list)
{
    bins b = {.n_periodic = 0};
    chgi_candidate_list found = {0};
    search s = {ctx, structure, &b, &found, (reach + MARGIN) * (reach + MARGIN), 1.01 * reach * reach + 1e-3, NULL};
    list->n_candidate = 0;
    chgnet_status status = bins_fill(ctx, &b, structure, reach);
    if (status == CHGNET_OK)
        status = check_density(ctx, &b, structure->n_atom, reach);
    if (status == CHGNET_OK)
        status = check_memory(s);
    if (status == CHGNET_OK)
        status = search_all(&s);
    bins_destroy(&b);
    if (status == CHGNET_OK)
        status = sort_found(ctx, structure->n_atom, &found, list);
    chgi_candidate_list_destroy(&found);
    return status;
}

chgnet_status chgi_neighbour_measure(chgnet_context *ctx, const chgi_structure *structure,
                                     const chgi_candidate_list *candidates, double cutoff, chgi_pair_list *list)
{
    double limit = cutoff * cutoff + CUTOFF_SLACK;
    list->n_pair = 0;
    CHGI_TRY(chgi_memory_grow(ctx, &list->pairs, &list->capacity, candidates->n_candidate, sizeof *list->pairs));
    for (size_t k = 0; k < candidates->n_candidate; k++) {
        const chgi_candidate *candidate = &candidates->candidates[k];
        chgi_pair *pair = &list->pairs[list->n_pair];
        double r2 = vector_of(structure, candidate, pair->vector);
        if (!(r2 < limit))
            continue;
        if (r2 < CLOSEST * CLOSEST)
            return too_close(ctx, structure, candidate->center, candidate->neighbour, sqrt(r2));
        pair->length = sqrt(r2);
        pair->center = candidate->center;
        pair->neighbour = candidate->neighbour;
        list->n_pair++;
    }
    return CHGNET_OK;
}

chgnet_status chgi_neighbour_find(chgnet_context *ctx, const chgi_structure *structure, double cutoff,
                                  chgi_pair_list *list)
{
    chgi_candidate_list candidates = {0};
    list->n_pair = 0;
    chgnet_status status = chgi_neighbour_candidates(ctx, structure, cutoff, &candidates);
    if (status == CHGNET_OK)
        status = chgi_neighbour_measure(ctx, structure, &candidates, cutoff, list);
    chgi_candidate_list_destroy(&candidates);
    return status;
}

void chgi_candidate_list_destroy(chgi_candidate_list *list)
{
    chgi_memory_free(list->candidates);
    *list = (chgi_candidate_list){0};
}

void chgi_pair_list_destroy(chgi_pair_list *list)
{
    chgi_memory_free(list->pairs);
    *list = (chgi_pair_list){0};
}
