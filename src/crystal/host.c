#include "crystal/host.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/lattice.h"

static const double LOOSE = 1e-3; /* A: how far from its owner's image a ghost may lie */

static chgnet_status reserve(chgnet_context *ctx, chgi_host *host)
{
    size_t wanted = (size_t)host->n_atom, capacity[5];
    for (int k = 0; k < 5; k++)
        capacity[k] = host->capacity_atom;
    host->capacity_atom = 0;
    CHGI_TRY(chgi_memory_grow(ctx, &host->node, &capacity[0], wanted, sizeof *host->node));
    CHGI_TRY(chgi_memory_grow(ctx, &host->atom, &capacity[1], wanted, sizeof *host->atom));
    CHGI_TRY(chgi_memory_grow(ctx, &host->image, &capacity[2], wanted, 3 * sizeof *host->image));
    CHGI_TRY(chgi_memory_grow(ctx, &host->numbers, &capacity[3], wanted, sizeof *host->numbers));
    CHGI_TRY(chgi_memory_grow(ctx, &host->positions, &capacity[4], wanted, 3 * sizeof *host->positions));
    host->capacity_atom = capacity[4];
    return CHGNET_OK;
}

/* The atom that atom i is an image of; a local atom is one of its own. */
static int64_t owner_of(const chgnet_neighbours *list, int64_t i)
{
    return i >= list->n_local ? list->owner[i - list->n_local] : i;
}

static chgnet_status check_owners(chgnet_context *ctx, const chgnet_neighbours *list, int64_t n_atom)
{
    if (list->n_ghost > 0 && !list->owner)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%lld ghosts without owners; give each the atom that it is an image of, or itself",
                                 (long long)list->n_ghost);
    for (int64_t i = list->n_local; i < n_atom; i++) {
        int64_t owner = owner_of(list, i);
        if (owner < 0 || owner >= n_atom)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "ghost %lld has the owner %lld; give 0 to %lld",
                                     (long long)i + 1, (long long)owner, (long long)n_atom - 1);
        if (owner_of(list, owner) != owner)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "ghost %lld has an owner that is an image itself; give the owner's owner",
                                     (long long)i + 1);
        if (list->numbers[i] != list->numbers[owner])
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "ghost %lld is %s, and its owner, atom %lld, is %s; give each ghost the atom that "
                                     "it is an image of",
                                     (long long)i + 1, chgi_element_symbol(list->numbers[i]), (long long)owner + 1,
                                     chgi_element_symbol(list->numbers[owner]));
    }
    return CHGNET_OK;
}

static void number_nodes(const chgnet_neighbours *list, chgi_host *host)
{
    host->n_node = 0;
    for (int64_t i = 0; i < host->n_atom; i++)
        if (owner_of(list, i) == i) {
            host->numbers[host->n_node] = list->numbers[i];
            host->atom[host->n_node] = (int32_t)i;
            host->node[i] = (int32_t)host->n_node++;
        }
    for (int64_t i = list->n_local; i < host->n_atom; i++)
        host->node[i] = host->node[owner_of(list, i)];
}

typedef struct lattice {
    double basis[3][3], inverse[3][3], times[3][3];
    int n_periodic;
} lattice;

/* How often each cell vector is added to get from an atom to its ghost; along a reduced basis the counts round well. */
static bool find_image(const lattice *l, const double from[3], const double to[3], double image[3])
{
    double count[3] = {0, 0, 0}, rest[3], d[3];
    for (int c = 0; c < 3; c++)
        rest[c] = d[c] = to[c] - from[c];
    for (int k = 0; k < l->n_periodic; k++)
        count[k] = round(d[0] * l->inverse[0][k] + d[1] * l->inverse[1][k] + d[2] * l->inverse[2][k]);
    for (int k = 0; k < 3; k++) {
        image[k] = count[0] * l->times[0][k] + count[1] * l->times[1][k] + count[2] * l->times[2][k];
        for (int c = 0; c < 3; c++)
            rest[c] -= count[k] * l->basis[k][c];
    }
    return chgi_dot(rest, rest) < LOOSE * LOOSE;
}

static chgnet_status find_images(chgnet_context *ctx, const chgnet_neighbours *list, const chgi_structure *structure,
                                 chgi_host *host)
{
    lattice l;
    memset(host->image, 0, 3 * (size_t)host->n_atom * sizeof *host->image);
    if (host->n_node == host->n_atom)
        return CHGNET_OK;
    if (!chgi_lattice_reduce(structure->cell, structure->pbc, l.basis, l.inverse, l.times, &l.n_periodic))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give a cell with a volume");
    for (int64_t i = list->n_local; i < host->n_atom; i++) {
        int64_t owner = owner_of(list, i);
        if (!find_image(&l, list->positions + 3 * owner, list->positions + 3 * i, host->image + 3 * i))
            return chgi_context_fail(
                ctx, CHGNET_EINPUT,
                "ghost %lld is no periodic image of atom %lld: whole cell vectors lead to no place within %g A of it; "
                "give positions, owners, cell and periodic axes of one moment",
                (long long)i + 1, (long long)owner + 1, LOOSE);
    }
    return CHGNET_OK;
}

static chgnet_status add_row(chgnet_context *ctx, const chgnet_neighbours *list, int64_t i, chgi_host *host)
{
    for (int64_t k = list->start[i]; k < list->start[i + 1]; k++) {
        int64_t j = list->neighbour[k];
        if (j < 0 || j >= host->n_atom)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "atom %lld has the neighbour %lld; give 0 to %lld",
                                     (long long)i + 1, (long long)j, (long long)host->n_atom - 1);
        if (i == j)
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "atom %lld is its own neighbour; only an image of it can be one",
                                     (long long)i + 1);
        chgi_candidate pair = {.center = host->node[i], .neighbour = host->node[j]};
        for (int a = 0; a < 3; a++)
            pair.image[a] = host->image[3 * j + a] - host->image[3 * i + a];
        if (pair.center == pair.neighbour && pair.image[0] == 0 && pair.image[1] == 0 && pair.image[2] == 0)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "atoms %lld and %lld are one image of one atom; give it once",
                                     (long long)i + 1, (long long)j + 1);
        CHGI_TRY(chgi_neighbour_add(ctx, &host->candidates, &pair));
    }
    return CHGNET_OK;
}

static chgnet_status add_rows(chgnet_context *ctx, const chgnet_neighbours *list, chgi_host *host)
{
    host->candidates.n_candidate = 0;
    for (int64_t i = 0; i < list->n_row; i++) {
        if (list->start[i] < 0 || list->start[i + 1] < list->start[i])
            return chgi_context_fail(ctx, CHGNET_EINPUT,
                                     "the list's row %lld ends before it starts; give starts that "
                                     "ascend from 0",
                                     (long long)i + 1);
        CHGI_TRY(add_row(ctx, list, i, host));
    }
    return CHGNET_OK;
}

chgnet_status chgi_host_check(chgnet_context *ctx, const chgnet_neighbours *n)
{
    if (n->n_local < 0 || n->n_ghost < 0 || n->n_local > INT32_MAX || n->n_ghost > INT32_MAX - n->n_local)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%lld local atoms and %lld ghosts; give 0 to %d in all",
                                 (long long)n->n_local, (long long)n->n_ghost, INT32_MAX);
    if (n->n_row < 0 || n->n_row > n->n_local + n->n_ghost)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "a list of %lld rows; give at most one for each of the %lld atoms",
                                 (long long)n->n_row, (long long)(n->n_local + n->n_ghost));
    return CHGNET_OK;
}

chgnet_status chgi_host_read(chgnet_context *ctx, const chgnet_neighbours *list, const chgi_structure *structure,
                             chgi_host *host)
{
    host->n_atom = structure->n_atom;
    host->n_local = list->n_local;
    host->n_node = 0;
    CHGI_TRY(reserve(ctx, host));
    CHGI_TRY(check_owners(ctx, list, host->n_atom));
    number_nodes(list, host);
    CHGI_TRY(find_images(ctx, list, structure, host));
    CHGI_TRY(add_rows(ctx, list, host));
    return chgi_neighbour_sort(ctx, host->n_node, &host->candidates, &host->spare);
}

const double *chgi_host_place(const chgi_host *host, const double *positions)
{
    for (int64_t k = 0; k < host->n_node; k++)
        memcpy(host->positions + 3 * k, positions + 3 * (int64_t)host->atom[k], 3 * sizeof *positions);
    return host->positions;
}

void chgi_host_spread(const chgi_host *host, int width, const double *from, double *to)
{
    size_t row = (size_t)width * sizeof *to;
    memset(to, 0, (size_t)host->n_atom * row);
    for (int64_t k = 0; k < host->n_node; k++)
        memcpy(to + (int64_t)host->atom[k] * width, from + k * width, row);
}

void chgi_host_destroy(chgi_host *host)
{
    chgi_memory_free(host->node);
    chgi_memory_free(host->atom);
    chgi_memory_free(host->image);
    chgi_memory_free(host->numbers);
    chgi_memory_free(host->positions);
    chgi_candidate_list_destroy(&host->candidates);
    chgi_candidate_list_destroy(&host->spare);
    *host = (chgi_host){0};
}
