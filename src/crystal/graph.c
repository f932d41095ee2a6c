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
#define ARRAY(name) {&graph->name, sizeof *graph->name}

static chgnet_status reserve_edges(chgnet_context *ctx, chgi_graph *graph)
{
    const array atoms[] = {ARRAY(edge_start), ARRAY(short_start), ARRAY(angle_start)};
    const array edges[] = {ARRAY(neighbour), ARRAY(reverse), ARRAY(bond)};
    const array bonds[] = {ARRAY(bond_edge), ARRAY(pair_of_bond), {&graph->bond_vector, 3 * sizeof(double)},
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
    graph->short_start[0] = graph->angle_start[0] = 0;
    for (int64_t i = 0; i < graph->n_atom; i++) {
        int64_t first, second, edges = graph->edge_start[i + 1] - graph->edge_start[i];
        count_short(graph, i, bond_cutoff, &first, &second);
        graph->short_start[i + 1] = graph->short_start[i] + first;
        graph->angle_start[i + 1] = graph->angle_start[i] + first * second - second;
        graph->most_edges = edges > graph->most_edges ? (int32_t)edges : graph->most_edges;
        graph->most_short = first > graph->most_short ? (int32_t)first : graph->most_short;
    }
    graph->n_angle = graph->angle_start[graph->n_atom];
}

static void lay_angles(chgi_graph *graph, double bond_cutoff)
{
    for (int64_t i = 0; i < graph->n_atom; i++) {
        int64_t first, second, a = graph->angle_start[i];
        count_short(graph, i, bond_cutoff, &first, &second);
        for (int64_t p = 0; p < first; p++) {
            int64_t e = graph->edge_start[i] + p, back = graph->reverse[e];
            int64_t other = graph->neighbour[e], s = graph->short_start[i] + p;
            graph->short_edge[s] = (int32_t)e;
            if (graph->bond_edge[graph->bond[e]] == e)
                graph->bond_short[graph->bond[e]] = (int32_t)s;
            graph->short_reverse[s] = (int32_t)(graph->short_start[other] + back - graph->edge_start[other]);
            for (int64_t q = 0; q < second; q++) {
                if (q == p)
                    continue;
                graph->angle_first[a] = (int32_t)p;
                graph->angle_second[a++] = (int32_t)q;
            }
        }
    }
}

chgnet_status chgi_graph_build(chgnet_context *ctx, const chgi_structure *structure, double atom_cutoff,
                               double bond_cutoff, chgi_graph *graph)
{
    CHGI_TRY(chgi_neighbour_find(ctx, structure, atom_cutoff, &graph->pairs));
    graph->n_atom = structure->n_atom;
    graph->n_bond = (int64_t)graph->pairs.n_pair;
    graph->n_edge = 2 * graph->n_bond;
    CHGI_TRY(reserve_edges(ctx, graph));
    number_bonds(graph, bond_cutoff);
    lay_edges(graph);
    lay_starts(graph, bond_cutoff);
    const array shorts[] = {ARRAY(short_edge), ARRAY(short_reverse), ARRAY(bond_short)};
    const array angles[] = {ARRAY(angle_first), ARRAY(angle_second)};
    RESERVE(shorts, capacity_short, graph->n_short_edge);
    RESERVE(angles, capacity_angle, graph->n_angle);
    lay_angles(graph, bond_cutoff);
    return CHGNET_OK;
}

void chgi_graph_destroy(chgi_graph *graph)
{
    void *arrays[] = {graph->edge_start, graph->short_start,   graph->angle_start,  graph->neighbour,
                      graph->reverse,    graph->bond,          graph->short_edge,   graph->short_reverse,
                      graph->angle_first, graph->angle_second, graph->bond_edge,    graph->bond_vector,
                      graph->bond_length, graph->pair_of_bond, graph->bond_short};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    chgi_pair_list_destroy(&graph->pairs);
    *graph = (chgi_graph){0};
}
