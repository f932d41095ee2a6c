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
    made->delta_workspace.n_thread = made->n_thread;
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
    chgi_arena_destroy(&calculator->pairs.memory);
    chgi_arena_destroy(&calculator->memory);
    chgi_delta_workspace_destroy(&calculator->delta_workspace);
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
    calculator->std_forces = chgi_arena_take(arena, n, 3 * sizeof(double));
    calculator->site_corrections = chgi_arena_take(arena, n, sizeof(double));
    calculator->novelty = chgi_arena_take(arena, n, sizeof(double));
    calculator->delta_gradient = chgi_arena_take(arena, n, n_fea * sizeof(double));
    calculator->std_gradient = chgi_arena_take(arena, n, n_fea * sizeof(double));
    calculator->spare_energies = chgi_arena_take(arena, n, sizeof(double));
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

chgnet_status chgi_calculator_set_geometry(chgnet_calculator *calculator, const double *positions,
                                           const double (*cell)[3])
{
    chgi_structure moved = calculator->structure; /* only read */
    forget(calculator);
    if (!calculator->has_structure)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure to move; set one first");
    moved.positions = (double *)(uintptr_t)positions;
    if (cell)
        memcpy(moved.cell, cell, sizeof moved.cell);
    CHGI_TRY(chgi_structure_check(calculator->ctx, &moved, n_element(calculator)));
    memcpy(calculator->structure.positions, positions, 3 * (size_t)moved.n_atom * sizeof *positions);
    memcpy(calculator->structure.cell, moved.cell, sizeof moved.cell);
    return prepare_or_clear(calculator);
}

chgnet_status chgi_calculator_set_positions(chgnet_calculator *calculator, const double *positions)
{
    return chgi_calculator_set_geometry(calculator, positions, NULL);
}

chgnet_status chgi_calculator_set_delta(chgnet_calculator *calculator, const chgi_delta *delta)
{
    int n_feature = delta ? chgi_delta_describe(delta).n_feature : calculator->n_feature;
    if (n_feature != calculator->n_feature)
        return chgi_context_fail(calculator->ctx, CHGNET_EINPUT,
                                 "a delta-model for embeddings of length %d, and a model whose embeddings have %d; "
                                 "fit one with this model",
                                 n_feature, calculator->n_feature);
    calculator->computed = 0;
    calculator->delta = delta;
    return CHGNET_OK;
}

/* Forces by atom, each from its own edges; the virial in the order of the bonds. */
static void gather_forces(const chgnet_calculator *calculator, double *forces, double virial[3][3])
{
    const chgi_graph *g = &calculator->graph;
    const double *gradient = calculator->bond_gradient;
#pragma omp parallel for num_threads(calculator->n_thread)
    for (int64_t i = 0; i < g->n_atom; i++) {
        double force[3] = {0, 0, 0};
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e++)
            for (int c = 0; c < 3; c++) /* the atom is the tail of its edges' vectors: dE/dx = -dE/dvector */
                force[c] += chgi_graph_sign(g, e) * gradient[3 * (int64_t)g->bond[e] + c];
        memcpy(forces + 3 * i, force, sizeof force);
    }
    memset(virial, 0, 9 * sizeof virial[0][0]);
    for (int64_t u = 0; u < g->n_bond; u++)
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                virial[a][b] += g->bond_vector[3 * u + a] * gradient[3 * u + b];
}

static chgnet_status check_forces(const chgnet_calculator *calculator, const double *forces)
{
    for (int64_t k = 0; k < 3 * calculator->graph.n_atom; k++)
        if (!isfinite(forces[k]))
            return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC,
                                     "the force on atom %lld is not finite; check the structure", (long long)k / 3 + 1);
    return CHGNET_OK;
}

static chgnet_status check_finite(const chgnet_calculator *calculator, unsigned want)
{
    if (!isfinite(calculator->energy))
        return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC, "the energy is not finite; check the structure");
    if (!isfinite(calculator->energy_std))
        return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC,
                                 "the energy's standard deviation is not finite; check the structure");
    if (want & CHGNET_WANT_GRADIENT)
        CHGI_TRY(check_forces(calculator, calculator->forces));
    return want & CHGNET_WANT_STD_GRADIENT ? check_forces(calculator, calculator->std_forces) : CHGNET_OK;
}

static chgi_run run_of(chgnet_calculator *calculator, unsigned want)
{
    return (chgi_run){.network = calculator->network,
                      .graph = &calculator->graph,
                      .numbers = calculator->structure.numbers,
                      .n_thread = calculator->n_thread,
                      .gradient = (want & (CHGNET_WANT_GRADIENT | CHGNET_WANT_STD_GRADIENT)) != 0,
                      .keep_at_most = calculator->keep_at_most,
                      .workspace = &calculator->workspace,
                      .pairs = calculator->trajectory ? &calculator->pairs : NULL,
                      .site_energies = calculator->site_energies,
                      .magmoms = calculator->magmoms,
                      .atom_fea = calculator->atom_fea,
                      .atom_fea_final = calculator->atom_fea_final,
                      .bond_gradient = calculator->bond_gradient,
                      .profile = calculator->profile};
}

static bool corrects_final(const chgnet_calculator *calculator)
{
    return chgi_delta_describe(calculator->delta).choice->layer == CHGI_ATOM_FEA_FINAL;
}

/* A gradient by the embeddings of the delta-model's layer joins CHGNet's own reverse pass. */
static void add_seed(const chgnet_calculator *calculator, const double *gradient, chgi_run *run)
{
    if (corrects_final(calculator))
        run->seed_final = gradient;
    else
        run->seed_atom_fea = gradient;
}

static chgnet_status predict_correction(chgnet_calculator *calculator, unsigned want)
{
    bool std = (want & CHGNET_WANT_STD) != 0;
    chgi_correction correction = {.site = calculator->site_corrections,
                                  .gradient = want & CHGNET_WANT_GRADIENT ? calculator->delta_gradient : NULL,
                                  .novelty = want & CHGNET_WANT_NOVELTY ? calculator->novelty : NULL,
                                  .want_std = std,
                                  .std_gradient = want & CHGNET_WANT_STD_GRADIENT ? calculator->std_gradient : NULL};
    CHGI_TRY(chgi_delta_predict(calculator->ctx, calculator->delta, calculator->graph.n_atom,
                                calculator->structure.numbers,
                                corrects_final(calculator) ? calculator->atom_fea_final : calculator->atom_fea,
                                &calculator->delta_workspace, &correction));
    calculator->delta_energy = correction.energy;
    if (std)
        calculator->energy_std = correction.std;
    return CHGNET_OK;
}

/* A second reverse pass, seeded with the standard deviation alone.  The first has used up the activations. */
static chgnet_status differentiate_std(chgnet_calculator *calculator, unsigned want)
{
    chgi_run run = run_of(calculator, want);
    run.site_energies = calculator->spare_energies;
    CHGI_TRY(calculator->kernel->forward(calculator->ctx, &run));
    memset(calculator->spare_energies, 0, (size_t)calculator->graph.n_atom * sizeof *calculator->spare_energies);
    run.seed_site = calculator->spare_energies;
    add_seed(calculator, calculator->std_gradient, &run);
    calculator->kernel->backward(&run);
    gather_forces(calculator, calculator->std_forces, calculator->std_virial);
    return CHGNET_OK;
}

static chgnet_status run_network(chgnet_calculator *calculator, unsigned want)
{
    chgi_run run = run_of(calculator, want);
    CHGI_TRY(calculator->kernel->forward(calculator->ctx, &run));
    calculator->delta_energy = 0;
    calculator->energy_std = -1;
    if (calculator->delta) {
        CHGI_TRY(predict_correction(calculator, want));
        add_seed(calculator, calculator->delta_gradient, &run);
    }
    if (want & CHGNET_WANT_GRADIENT) {
        calculator->kernel->backward(&run);
        gather_forces(calculator, calculator->forces, calculator->virial);
    }
    return want & CHGNET_WANT_STD_GRADIENT ? differentiate_std(calculator, want) : CHGNET_OK;
}

/* The network's energy is the sum of its sites'; the correction comes as a whole and in shares. */
static void sum_energy(chgnet_calculator *calculator)
{
    calculator->energy = 0;
    for (int64_t i = 0; i < calculator->graph.n_atom; i++) {
        calculator->energy += calculator->site_energies[i];
        if (calculator->delta)
            calculator->site_energies[i] += calculator->site_corrections[i];
    }
    calculator->energy += calculator->delta_energy;
}

chgnet_status chgi_calculator_compute(chgnet_calculator *calculator, unsigned want)
{
    if (calculator->graph.n_atom == 0)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure; set one first");
    if (want & CHGNET_WANT_STD_GRADIENT)
        want |= CHGNET_WANT_STD;
    if (want & (CHGNET_WANT_STD | CHGNET_WANT_NOVELTY) && !calculator->delta)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "standard deviation and novelty come from a delta-model, and there is none; set one "
                                 "first");
    calculator->computed = 0;
    CHGI_TRY(run_network(calculator, want));
    sum_energy(calculator);
    CHGI_TRY(check_finite(calculator, want));
    calculator->computed = want | CHGNET_WANT_ENERGY;
    return CHGNET_OK;
}
