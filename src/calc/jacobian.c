#include "calc/jacobian.h"

#include "base/memory.h"

/* Directions that share a forward pass: enough to make it cheap, few enough to stay near the caches. */
enum { BLOCK = 16 };
_Static_assert((int)BLOCK <= (int)CHGI_MOST_DIRECTIONS, "a block is one tangent pass");

/* The atom's bonds change by one along the axis where they end at it, by minus one where they begin; the bond to its
 * own image, which is two of its edges, does not change. */
static void mark(const chgi_graph *g, int32_t component, double change, double *dvector)
{
    int64_t atom = component / 3;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e++)
        dvector[3 * (int64_t)g->bond[e] + component % 3] -= change * chgi_graph_sign(g, e);
}

static chgnet_status block(chgnet_calculator *calculator, chgi_embedding_layer layer, int count,
                           const int32_t *components, double *dvector, double *jacobian)
{
    const chgi_graph *g = &calculator->graph;
    chgi_run run = {.network = calculator->network,
                    .graph = g,
                    .numbers = calculator->structure.numbers,
                    .n_thread = calculator->n_thread,
                    .workspace = &calculator->workspace};
    for (int k = 0; k < count; k++)
        mark(g, components[k], 1, dvector + k * 3 * g->n_bond);
    chgnet_status status = calculator->kernel->tangent(calculator->ctx, &run, count, dvector, NULL,
                                                       layer == CHGI_ATOM_FEA ? jacobian : NULL,
                                                       layer == CHGI_ATOM_FEA_FINAL ? jacobian : NULL);
    for (int k = 0; k < count; k++) /* back to zeros */
        mark(g, components[k], -1, dvector + k * 3 * g->n_bond);
    return status;
}

static chgnet_status check(const chgnet_calculator *calculator, int64_t n_component, const int32_t *components)
{
    int64_t most = 3 * calculator->graph.n_atom;
    if (most == 0)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure; set one first");
    for (int64_t k = 0; k < n_component; k++)
        if (components[k] < 0 || components[k] >= most)
            return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                     "component %ld of the positions; this structure has 0 to %lld",
                                     (long)components[k], (long long)most - 1);
    return CHGNET_OK;
}

chgnet_status chgi_calculator_jacobian(chgnet_calculator *calculator, chgi_embedding_layer layer, int64_t n_component,
                                       const int32_t *components, double *jacobian)
{
    CHGI_TRY(check(calculator, n_component, components));
    chgnet_status status = CHGNET_OK;
    int64_t size = calculator->graph.n_atom * calculator->n_feature;
    double *dvector = chgi_memory_new((size_t)calculator->graph.n_bond, BLOCK * 3 * sizeof *dvector);
    if (!dvector)
        return chgi_context_nomem(calculator->ctx, (size_t)calculator->graph.n_bond, BLOCK * 3 * sizeof *dvector);
    for (int64_t k = 0; k < n_component && status == CHGNET_OK; k += BLOCK) {
        int count = n_component - k < BLOCK ? (int)(n_component - k) : BLOCK;
        status = block(calculator, layer, count, components + k, dvector, jacobian + k * size);
    }
    chgi_memory_free(dvector);
    return status;
}
