#include "calc/calculator.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"

chgnet_status chgi_calculator_create(chgnet_context *ctx, const chgnet_model *model, bool is_double, int n_thread,
                                     const char *isa, chgnet_calculator **calculator)
{
    const chgi_kernel *kernel = chgi_kernel_choose(is_double, isa);
    if (!kernel)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "CHGNET_ISA=%s: this processor or build has no such kernels; generic always works",
                                 isa);
    chgnet_calculator *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    made->ctx = ctx;
    made->model = model;
    made->kernel = kernel;
    made->n_thread = n_thread > 0 ? n_thread : omp_get_max_threads();
    made->keep_at_most = chgi_memory_physical() / 4;
    made->n_feature = (int)chgi_model_weights(model)->hyper.atom_fea_dim;
    chgnet_status status = chgi_model_network(ctx, model, kernel, &made->network);
    if (status != CHGNET_OK)
        chgi_calculator_destroy(made);
    else
        *calculator = made;
    return status;
}

void chgi_calculator_destroy(chgnet_calculator *calculator)
{
    if (!calculator)
        return;
    chgi_structure_destroy(&calculator->structure);
    chgi_graph_destroy(&calculator->graph);
    chgi_arena_destroy(&calculator->workspace);
    chgi_arena_destroy(&calculator->memory);
    chgi_memory_free(calculator);
}

static chgnet_status copy_structure(chgnet_calculator *calculator, const chgi_structure *structure)
{
    chgi_structure *own = &calculator->structure;
    size_t n = (size_t)structure->n_atom;
    if (own->n_atom != structure->n_atom) {
        chgi_structure_destroy(own);
        CHGI_TRY(chgi_structure_create(calculator->ctx, structure->n_atom, own));
    }
    memcpy(own->numbers, structure->numbers, n * sizeof *own->numbers);
    memcpy(own->positions, structure->positions, 3 * n * sizeof *own->positions);
    memcpy(own->cell, structure->cell, sizeof own->cell);
    memcpy(own->pbc, structure->pbc, sizeof own->pbc);
    return CHGNET_OK;
}

static void layout_results(chgi_arena *arena, chgnet_calculator *calculator)
{
    size_t n = (size_t)calculator->structure.n_atom, n_fea = (size_t)calculator->n_feature;
    calculator->site_energies = chgi_arena_take(arena, n, sizeof(double));
    calculator->magmoms = chgi_arena_take(arena, n, sizeof(double));
    calculator->forces = chgi_arena_take(arena, n, 3 * sizeof(double));
    calculator->atom_fea = chgi_arena_take(arena, n, n_fea * sizeof(double));
    calculator->atom_fea_final = chgi_arena_take(arena, n, n_fea * sizeof(double));
    calculator->bond_gradient = chgi_arena_take(arena, (size_t)calculator->graph.n_bond, 3 * sizeof(double));
}

/* Atoms beyond everyone's reach are right as they are, but seldom meant. */
static void warn_isolated(const chgnet_calculator *calculator)
{
    const chgi_graph *g = &calculator->graph;
    int64_t count = 0, first = 0;
    for (int64_t i = g->n_atom; i-- > 0;)
        if (g->edge_start[i] == g->edge_start[i + 1]) {
            first = i;
            count++;
        }
    if (count > 0)
        chgi_context_warn(calculator->ctx, CHGI_WARN_ISOLATED,
                          "%lld atom%s without a neighbour within %g A, first atom %lld (%s): no force acts there",
                          (long long)count, count == 1 ? "" : "s",
                          chgi_model_weights(calculator->model)->hyper.atom_cutoff, (long long)first + 1,
                          chgi_element_symbol(calculator->structure.numbers[first]));
}

/* The graph of the structure that is there, and room for its results. */
static chgnet_status prepare(chgnet_calculator *calculator)
{
    const chgi_hyper *hyper = &chgi_model_weights(calculator->model)->hyper;
    calculator->graph.skin = calculator->skin;
    CHGI_TRY(chgi_graph_build(calculator->ctx, &calculator->structure, hyper->atom_cutoff, hyper->bond_cutoff,
                              &calculator->graph));
    chgi_arena count = {0};
    layout_results(&count, calculator);
    CHGI_TRY(chgi_arena_reserve(calculator->ctx, &calculator->memory, count.used));
    layout_results(&calculator->memory, calculator);
    warn_isolated(calculator);
    return CHGNET_OK;
}

static chgnet_status prepare_or_clear(chgnet_calculator *calculator)
{
    chgnet_status status = prepare(calculator);
    if (status != CHGNET_OK)
        calculator->graph.n_atom = 0;
    return status;
}

static void forget(chgnet_calculator *calculator)
{
    calculator->computed = 0;
    calculator->graph.n_atom = 0;
}

static int n_element(const chgnet_calculator *calculator)
{
    return (int)chgi_model_weights(calculator->model)->hyper.n_element;
}

chgnet_status chgi_calculator_set_structure(chgnet_calculator *calculator, const chgi_structure *structure)
{
    forget(calculator);
    calculator->has_structure = false;
    CHGI_TRY(chgi_structure_check(calculator->ctx, structure, n_element(calculator)));
    CHGI_TRY(copy_structure(calculator, structure));
    calculator->has_structure = true;
    return prepare_or_clear(calculator);
}

chgnet_status chgi_calculator_set_positions(chgnet_calculator *calculator, const double *positions)
{
    chgi_structure moved = calculator->structure; /* only read */
    forget(calculator);
    if (!calculator->has_structure)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure to move; set one first");
    moved.positions = (double *)(uintptr_t)positions;
    CHGI_TRY(chgi_structure_check(calculator->ctx, &moved, n_element(calculator)));
    memcpy(calculator->structure.positions, positions, 3 * (size_t)moved.n_atom * sizeof *positions);
    return prepare_or_clear(calculator);
}

/* Forces by atom, each from its own edges; the virial in the order of the bonds. */
static void gather_forces(chgnet_calculator *calculator)
{
    const chgi_graph *g = &calculator->graph;
    const double *gradient = calculator->bond_gradient;
#pragma omp parallel for num_threads(calculator->n_thread)
    for (int64_t i = 0; i < g->n_atom; i++) {
        double force[3] = {0, 0, 0};
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e++)
            for (int c = 0; c < 3; c++) /* the atom is the tail of its edges' vectors: dE/dx = -dE/dvector */
                force[c] += chgi_graph_sign(g, e) * gradient[3 * (int64_t)g->bond[e] + c];
        memcpy(calculator->forces + 3 * i, force, sizeof force);
    }
    memset(calculator->virial, 0, sizeof calculator->virial);
    for (int64_t u = 0; u < g->n_bond; u++)
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                calculator->virial[a][b] += g->bond_vector[3 * u + a] * gradient[3 * u + b];
}

static chgnet_status check_finite(const chgnet_calculator *calculator, unsigned want)
{
    if (!isfinite(calculator->energy))
        return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC, "the energy is not finite; check the structure");
    for (int64_t k = 0; want & CHGNET_WANT_GRADIENT && k < 3 * calculator->graph.n_atom; k++)
        if (!isfinite(calculator->forces[k]))
            return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC,
                                     "the force on atom %lld is not finite; check the structure", (long long)k / 3 + 1);
    return CHGNET_OK;
}

chgnet_status chgi_calculator_compute(chgnet_calculator *calculator, unsigned want)
{
    if (calculator->graph.n_atom == 0)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure; set one first");
    chgi_run run = {.network = calculator->network,
                    .graph = &calculator->graph,
                    .numbers = calculator->structure.numbers,
                    .n_thread = calculator->n_thread,
                    .gradient = (want & CHGNET_WANT_GRADIENT) != 0,
                    .keep_at_most = calculator->keep_at_most,
                    .workspace = &calculator->workspace,
                    .site_energies = calculator->site_energies,
                    .magmoms = calculator->magmoms,
                    .atom_fea = calculator->atom_fea,
                    .atom_fea_final = calculator->atom_fea_final,
                    .bond_gradient = calculator->bond_gradient,
                    .profile = calculator->profile};
    calculator->computed = 0;
    CHGI_TRY(calculator->kernel->forward(calculator->ctx, &run));
    calculator->energy = 0;
    for (int64_t i = 0; i < calculator->graph.n_atom; i++)
        calculator->energy += calculator->site_energies[i];
    if (run.gradient) {
        calculator->kernel->backward(&run);
        gather_forces(calculator);
    }
    CHGI_TRY(check_finite(calculator, want));
    calculator->computed = want | CHGNET_WANT_ENERGY;
    return CHGNET_OK;
}
