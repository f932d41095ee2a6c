#include "crystal/graph.h"

#include <string.h>

#include "base/memory.h"

enum bond_class { STRICT_SHORT, EXACT_SHORT, LONG, CLASSES };

static enum bond_class class_of(double length, double bond_cutoff)
{
    return length < bond_cutoff ? STRICT_SHORT : length <= bond_cutoff ? EXACT_SHORT : LONG;
}

/* Make room in arrays that share one capacity; old content is not kept. */
typedef struct array {
    void *pointer; /* address of the array's pointer */
    size_t size;
} array;

static chgnet_status reserve(chgnet_context *ctx, const array *arrays, int n_array, size_t *capacity, int64_t need)
{
    if ((size_t)need <= *capacity)
        return CHGNET_OK;
    size_t wanted = (size_t)need + (size_t)need / 8;
    *capacity = 0;
    for (int k = 0; k < n_array; k++) {
        void *old, *new = chgi_memory_new(wanted, arrays[k].size);
        if (!new)
            return chgi_context_nomem(ctx, wanted, arrays[k].size);
        memcpy(&old, arrays[k].pointer, sizeof old);
        chgi_memory_free(old);
        memcpy(arrays[k].pointer, &new, sizeof new);
    }
    *capacity = wanted;
    return CHGNET_OK;
}

#define RESERVE(arrays, capacity, need) \
    CHGI_TRY(reserve(ctx, arrays, (int)(sizeof(arrays) / sizeof *(arrays)), &graph->capacity, need))
#define ARRAY(name)                       \
    {                                     \
        &graph->name, sizeof *graph->name \
    }

static chgnet_status reserve_edges(chgnet_context *ctx, chgi_graph *graph)
{
    const array atoms[] = {ARRAY(edge_start), ARRAY(short_start), ARRAY(angle_start), ARRAY(turn_start),
                           ARRAY(block_far),  ARRAY(atom_far),    ARRAY(newest_far)};
    const array edges[] = {ARRAY(neighbour), ARRAY(reverse), ARRAY(bond), ARRAY(edge_far)};
    const array bonds[] = {ARRAY(bond_edge),
                           ARRAY(pair_of_bond),
                           {&graph->bond_vector, 3 * sizeof(double)},
                           ARRAY(bond_length)};
    RESERVE(atoms, capacity_atom, graph->n_atom + 1);
    RESERVE(edges, capacity_edge, graph->n_edge);
    RESERVE(bonds, capacity_bond, graph->n_bond);
    return CHGNET_OK;
}

/* Number the bonds group by group, keeping the order of the search within each. */
static void number_bonds(chgi_graph *graph, double bond_cutoff)
{
    int64_t next[CLASSES] = {0};
    for (size_t p = 0; p < graph->pairs.n_pair; p++)
        next[class_of(graph->pairs.pairs[p].length, bond_cutoff)]++;
    graph->n_short_bond = next[STRICT_SHORT] + next[EXACT_SHORT];
    graph->n_short_edge = 2 * graph->n_short_bond;
    next[LONG] = graph->n_short_bond;
    next[EXACT_SHORT] = next[STRICT_SHORT];
    next[STRICT_SHORT] = 0;
    for (size_t p = 0; p < graph->pairs.n_pair; p++) {
        const chgi_pair *pair = &graph->pairs.pairs[p];
        int64_t u = next[class_of(pair->length, bond_cutoff)]++;
        graph->pair_of_bond[u] = (int32_t)p;
        memcpy(graph->bond_vector + 3 * u, pair->vector, sizeof pair->vector);
        graph->bond_length[u] = pair->length;
    }
}

/* Edges of each atom in the order of their bonds: so the short ones come first. */
static void lay_edges(chgi_graph *graph)
{
    int64_t n = graph->n_atom, *start = graph->edge_start;
    memset(start, 0, (size_t)(n + 1) * sizeof *start);
    for (size_t p = 0; p < graph->pairs.n_pair; p++) {
        start[graph->pairs.pairs[p].center]++;
        start[graph->pairs.pairs[p].neighbour]++;
    }
    for (int64_t i = 1; i <= n; i++)
        start[i] += start[i - 1]; /* now the end of atom i's edges: they are laid from the back */
    for (int64_t u = graph->n_bond; u-- > 0;) {
        const chgi_pair *pair = &graph->pairs.pairs[graph->pair_of_bond[u]];
        int32_t back = (int32_t)--start[pair->neighbour], forth = (int32_t)--start[pair->center];
        graph->neighbour[forth] = pair->neighbour;
        graph->neighbour[back] = pair->center;
        graph->reverse[forth] = back;
        graph->reverse[back] = forth;
        graph->bond[forth] = graph->bond[back] = (int32_t)u;
        graph->bond_edge[u] = forth;
    }
    start[n] = graph->n_edge;
}

static void count_short(const chgi_graph *graph, int64_t atom, double bond_cutoff, int64_t *first, int64_t *second)
{
    *first = *second = 0;
    for (int64_t e = graph->edge_start[atom]; e < graph->edge_start[atom + 1]; e++) {
        enum bond_class class = class_of(graph->bond_length[graph->bond[e]], bond_cutoff);
        if (class == LONG)
            break;
        ++*first;
        *second += class == STRICT_SHORT;
    }
}

static void lay_starts(chgi_graph *graph, double bond_cutoff)
{
    graph->most_edges = graph->most_short = 0;
    graph->short_start[0] = graph->angle_start[0] = graph->turn_start[0] = 0;
    for (int64_t i = 0; i < graph->n_atom; i++) {
        int64_t first, second, edges = graph->edge_start[i + 1] - graph->edge_start[i];
        count_short(graph, i, bond_cutoff, &first, &second);
        graph->short_start[i + 1] = graph->short_start[i] + first;
        if (i >= graph->n_own)
            second = 0;
        graph->angle_start[i + 1] = graph->angle_start[i] + first * second - second;
        graph->turn_start[i + 1] = graph->turn_start[i] + second * first - second * (second + 1) / 2;
        graph->most_edges = edges > graph->most_edges ? (int32_t)edges : graph->most_edges;
        graph->most_short = first > graph->most_short ? (int32_t)first : graph->most_short;
    }
    graph->n_angle = graph->angle_start[graph->n_atom];
    graph->n_turn = graph->turn_start[graph->n_atom];
}

static void lay_short_edge(chgi_graph *graph, int64_t atom, int64_t rank)
{
    int64_t e = graph->edge_start[atom] + rank, back = graph->reverse[e];
    int64_t other = graph->neighbour[e], s = graph->short_start[atom] + rank;
    graph->short_edge[s] = (int32_t)e;
    if (graph->bond_edge[graph->bond[e]] == e)
        graph->bond_short[graph->bond[e]] = (int32_t)s;
    graph->short_reverse[s] = (int32_t)(graph->short_start[other] + back - graph->edge_start[other]);
}

/* Turns of one atom run over p < q with p strictly short; this is the number of (p,q) among them. */
static int64_t turn_of(int64_t first, int64_t p, int64_t q)
{
    return p < q ? p * first - p * (p + 1) / 2 + q - p - 1 : turn_of(first, q, p);
}

static void lay_angles(chgi_graph *graph, int64_t atom, double bond_cutoff)
{
    int64_t first, second, a = graph->angle_start[atom], t = graph->turn_start[atom];
    count_short(graph, atom, bond_cutoff, &first, &second);
    if (atom >= graph->n_own)
        second = 0;
    for (int64_t p = 0; p < second; p++)
        for (int64_t q = p + 1; q < first; q++, t++) {
            graph->turn_first[t] = (int32_t)p;
            graph->turn_second[t] = (int32_t)q;
        }
    for (int64_t p = 0; p < first; p++) {
        lay_short_edge(graph, atom, p);
        for (int64_t q = 0; q < second; q++) {
            if (q == p)
                continue;
            graph->angle_first[a] = (int32_t)p;
            graph->angle_second[a] = (int32_t)q;
            graph->angle_turn[a++] = (int32_t)(graph->turn_start[atom] + turn_of(first, p, q));
        }
    }
}

/* Small systems have as many blocks as threads may want; large ones have blocks whose far atoms fit a cache. */
static void choose_blocks(chgi_graph *graph)
{
    int64_t size = graph->n_own / 16;
    graph->block_size = size < 1 ? 1 : size > 32 ? 32 : size;
    graph->n_block = (graph->n_own + graph->block_size - 1) / graph->block_size;
}

/* Number the far atoms block by block; newest_far holds an atom's newest place, which tells whether this block has met
 * it. */
static void lay_far(chgi_graph *graph)
{
    for (int64_t i = 0; i < graph->n_atom; i++)
        graph->newest_far[i] = -1;
    graph->n_far = 0;
    for (int64_t b = 0; b < graph->n_block; b++) {
        int64_t first = b * graph->block_size, end = first + graph->block_size;
        end = end < graph->n_own ? end : graph->n_own;
        graph->block_far[b] = graph->n_far;
        for (int64_t e = graph->edge_start[first]; e < graph->edge_start[end]; e++) {
            int32_t j = graph->neighbour[e];
            if (graph->newest_far[j] < graph->block_far[b])
                graph->newest_far[j] = (int32_t)graph->n_far++;
            graph->edge_far[e] = graph->newest_far[j];
        }
    }
    graph->block_far[graph->n_block] = graph->n_far;
}

/* For each atom the list of its places. */
static void list_far(chgi_graph *graph)
{
    int64_t n = graph->n_atom, *start = graph->atom_far;
    for (int64_t e = 0; e < graph->edge_start[graph->n_own]; e++)
        graph->far_atom[graph->edge_far[e]] = graph->neighbour[e];
    memset(start, 0, (size_t)(n + 1) * sizeof *start);
    for (int64_t f = 0; f < graph->n_far; f++)
        start[graph->far_atom[f]]++;
    for (int64_t i = 1; i <= n; i++)
        start[i] += start[i - 1];
    for (int64_t f = graph->n_far; f-- > 0;)
        graph->far[--start[graph->far_atom[f]]] = (int32_t)f;
    start[n] = graph->n_far;
}

/* Short edges of own atoms whose far end is remote. */
static void list_crossing(chgi_graph *graph)
{
    graph->n_crossing = 0;
    for (int64_t s = 0; graph->n_own < graph->n_atom && s < graph->short_start[graph->n_own]; s++)
        if (graph->neighbour[graph->short_edge[s]] >= graph->n_own)
            graph->crossing[graph->n_crossing++] = (int32_t)s;
}

chgnet_status chgi_graph_build(chgnet_context *ctx, const chgi_structure *structure, double atom_cutoff,
                               double bond_cutoff, chgi_graph *graph)
{
    CHGI_TRY(chgi_verlet_find(ctx, &graph->verlet, structure, atom_cutoff, graph->skin, &graph->pairs));
    return chgi_graph_lay(ctx, structure->n_atom, structure->n_atom, bond_cutoff, graph);
}

chgnet_status chgi_graph_lay(chgnet_context *ctx, int64_t n_own, int64_t n_atom, double bond_cutoff, chgi_graph *graph)
{
    graph->n_own = n_own;
    graph->n_atom = n_atom;
    graph->n_bond = (int64_t)graph->pairs.n_pair;
    graph->n_edge = 2 * graph->n_bond;
    CHGI_TRY(reserve_edges(ctx, graph));
    number_bonds(graph, bond_cutoff);
    lay_edges(graph);
    choose_blocks(graph);
    lay_far(graph);
    const array fars[] = {ARRAY(far), ARRAY(far_atom)};
    RESERVE(fars, capacity_far, graph->n_far);
    list_far(graph);
    lay_starts(graph, bond_cutoff);
    if (graph->n_angle > INT32_MAX)
        return chgi_context_fail(ctx, CHGNET_ENOMEM, "%lld angles; the structure is too large or too dense",
                                 (long long)graph->n_angle);
    const array shorts[] = {ARRAY(short_edge), ARRAY(short_reverse), ARRAY(bond_short), ARRAY(crossing)};
    const array angles[] = {ARRAY(angle_first), ARRAY(angle_second), ARRAY(angle_turn)};
    const array turns[] = {ARRAY(turn_first), ARRAY(turn_second)};
    RESERVE(shorts, capacity_short, graph->n_short_edge);
    RESERVE(angles, capacity_angle, graph->n_angle);
    RESERVE(turns, capacity_turn, graph->n_turn);
    for (int64_t i = 0; i < graph->n_atom; i++)
        lay_angles(graph, i, bond_cutoff);
    list_crossing(graph);
    graph->has_angles = graph->n_angle > 0;
    return CHGNET_OK;
}

void chgi_graph_destroy(chgi_graph *graph)
{
    void *arrays[] = {graph->edge_start,  graph->short_start,  graph->angle_start, graph->neighbour,
                      graph->reverse,     graph->bond,         graph->short_edge,  graph->short_reverse,
                      graph->angle_first, graph->angle_second, graph->bond_edge,   graph->bond_vector,
                      graph->bond_length, graph->pair_of_bond, graph->bond_short,  graph->turn_start,
                      graph->angle_turn,  graph->turn_first,   graph->turn_second, graph->block_far,
                      graph->atom_far,    graph->newest_far,   graph->edge_far,    graph->far,
                      graph->far_atom,    graph->crossing};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    chgi_verlet_destroy(&graph->verlet);
    chgi_pair_list_destroy(&graph->pairs);
    *graph = (chgi_graph){0};
}
