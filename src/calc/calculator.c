#include "calc/calculator.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "calc/calculator_part.h"

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
    chgi_host_destroy(&calculator->host);
    chgi_part_destroy(&calculator->part);
    chgi_calculator_part_destroy(calculator);
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
    calculator->site_virials = chgi_arena_take(arena, n, 9 * sizeof(double));
    calculator->counted = chgi_arena_take(arena, n, sizeof(double));
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
    for (int64_t i = chgi_calculator_own(calculator); i-- > 0;)
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

/* The bonds by our own search, or by a host's list. */
static chgnet_status build_graph(chgnet_calculator *calculator)
{
    const chgi_hyper *hyper = &chgi_model_weights(calculator->model)->hyper;
    const chgi_host *host = &calculator->host;
    calculator->graph.skin = calculator->skin;
    if (calculator->is_part)
        return chgi_calculator_part_graph(calculator);
    if (!calculator->hosted)
        return chgi_graph_build(calculator->ctx, &calculator->structure, hyper->atom_cutoff, hyper->bond_cutoff,
                                &calculator->graph);
    CHGI_TRY(chgi_neighbour_measure(calculator->ctx, &calculator->structure, &host->candidates, hyper->atom_cutoff,
                                    &calculator->graph.pairs));
    return chgi_graph_lay(calculator->ctx, host->n_node, host->n_node, hyper->bond_cutoff, &calculator->graph);
}

/* The graph of the structure that is there, and room for its results. */
static chgnet_status prepare(chgnet_calculator *calculator)
{
    CHGI_TRY(build_graph(calculator));
    chgi_arena count = {0};
    layout_results(&count, calculator);
    CHGI_TRY(chgi_arena_reserve(calculator->ctx, &calculator->memory, count.used));
    layout_results(&calculator->memory, calculator);
    for (int64_t i = 0; i < calculator->graph.n_atom; i++)
        calculator->counted[i] = i < chgi_calculator_own(calculator);
    warn_isolated(calculator);
    return CHGNET_OK;
}

chgnet_status chgi_calculator_prepare(chgnet_calculator *calculator)
{
    chgnet_status status = prepare(calculator);
    calculator->has_graph = status == CHGNET_OK;
    if (status != CHGNET_OK)
        calculator->graph.n_atom = calculator->graph.n_own = 0;
    return status;
}

void chgi_calculator_forget(chgnet_calculator *calculator)
{
    calculator->computed = 0;
    calculator->has_graph = false;
    calculator->graph.n_atom = calculator->graph.n_own = 0;
}

static int n_element(const chgnet_calculator *calculator)
{
    return (int)chgi_model_weights(calculator->model)->hyper.n_element;
}

chgnet_status chgi_calculator_set_structure(chgnet_calculator *calculator, const chgi_structure *structure)
{
    chgi_calculator_forget(calculator);
    calculator->has_structure = false;
    calculator->hosted = calculator->is_part = false;
    CHGI_TRY(chgi_structure_check(calculator->ctx, structure, n_element(calculator)));
    CHGI_TRY(copy_structure(calculator, structure));
    calculator->has_structure = true;
    return chgi_calculator_prepare(calculator);
}

chgnet_status chgi_calculator_set_neighbours(chgnet_calculator *calculator, const chgnet_neighbours *list)
{
    chgi_host *host = &calculator->host;
    chgi_structure all = {.numbers = (int32_t *)(uintptr_t)list->numbers, /* only read */
                          .positions = (double *)(uintptr_t)list->positions};
    chgi_calculator_forget(calculator);
    calculator->has_structure = calculator->is_part = false;
    calculator->hosted = true;
    CHGI_TRY(chgi_host_check(calculator->ctx, list));
    all.n_atom = list->n_local + list->n_ghost;
    if (list->cell)
        memcpy(all.cell, list->cell, sizeof all.cell);
    for (int k = 0; list->pbc && k < 3; k++)
        all.pbc[k] = list->pbc[k] != 0;
    CHGI_TRY(chgi_structure_check(calculator->ctx, &all, n_element(calculator)));
    CHGI_TRY(chgi_host_read(calculator->ctx, list, &all, host));
    chgi_structure nodes = all;
    nodes.n_atom = host->n_node;
    nodes.numbers = host->numbers;
    nodes.positions = (double *)(uintptr_t)chgi_host_place(host, list->positions);
    CHGI_TRY(copy_structure(calculator, &nodes));
    calculator->has_structure = true;
    return chgi_calculator_prepare(calculator);
}

chgnet_status chgi_calculator_set_geometry(chgnet_calculator *calculator, const double *positions,
                                           const double (*cell)[3])
{
    chgi_structure moved = calculator->structure; /* only read */
    chgi_calculator_forget(calculator);
    if (!calculator->has_structure || calculator->is_part)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure to move; set one first");
    moved.positions = (double *)(uintptr_t)positions;
    if (cell)
        memcpy(moved.cell, cell, sizeof moved.cell);
    CHGI_TRY(chgi_structure_check(calculator->ctx, &moved, n_element(calculator)));
    memcpy(calculator->structure.positions, positions, 3 * (size_t)moved.n_atom * sizeof *positions);
    memcpy(calculator->structure.cell, moved.cell, sizeof moved.cell);
    return chgi_calculator_prepare(calculator);
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
    if (calculator->is_part)
        chgi_calculator_part_collect(calculator, 3, forces);
    memset(virial, 0, 9 * sizeof virial[0][0]);
    for (int64_t u = 0; u < g->n_bond; u++)
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                virial[a][b] += g->bond_vector[3 * u + a] * gradient[3 * u + b];
}

/* Half of each bond's share to each end. */
static void gather_site_virials(const chgnet_calculator *calculator)
{
    const chgi_graph *g = &calculator->graph;
#pragma omp parallel for num_threads(calculator->n_thread)
    for (int64_t i = 0; i < g->n_atom; i++) {
        double sum[3][3] = {{0}};
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e++) {
            const double *vector = g->bond_vector + 3 * (int64_t)g->bond[e];
            const double *gradient = calculator->bond_gradient + 3 * (int64_t)g->bond[e];
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++)
                    sum[a][b] += (vector[a] * gradient[b] + vector[b] * gradient[a]) / 4;
        }
        memcpy(calculator->site_virials + 9 * i, sum, sizeof sum);
    }
    if (calculator->is_part)
        chgi_calculator_part_collect(calculator, 9, calculator->site_virials);
}

static chgnet_status check_forces(const chgnet_calculator *calculator, const double *forces)
{
    for (int64_t k = 0; k < 3 * calculator->graph.n_own; k++)
        if (!isfinite(forces[k])) {
            int64_t atom = calculator->hosted ? calculator->host.atom[k / 3] : k / 3;
            return chgi_context_fail(calculator->ctx, CHGNET_ENUMERIC,
                                     "the force on atom %lld is not finite; check the structure", (long long)atom + 1);
        }
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
                      .seed_site = calculator->counted,
                      .magmoms = calculator->magmoms,
                      .atom_fea = calculator->atom_fea,
                      .atom_fea_final = calculator->atom_fea_final,
                      .bond_gradient = calculator->bond_gradient,
                      .profile = calculator->profile,
                      .exchange = calculator->is_part && calculator->exchange.spread ? &calculator->exchange : NULL};
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
    int64_t n = chgi_calculator_own(calculator), rest = calculator->graph.n_atom - n, n_fea = calculator->n_feature;
    chgi_correction correction = {.site = calculator->site_corrections,
                                  .gradient = want & CHGNET_WANT_GRADIENT ? calculator->delta_gradient : NULL,
                                  .novelty = want & CHGNET_WANT_NOVELTY ? calculator->novelty : NULL,
                                  .want_std = std,
                                  .std_gradient = want & CHGNET_WANT_STD_GRADIENT ? calculator->std_gradient : NULL};
    const double *fea = corrects_final(calculator) ? calculator->atom_fea_final : calculator->atom_fea;
    if (calculator->is_part)
        CHGI_TRY(chgi_calculator_part_correct(calculator, fea, &correction));
    else
        CHGI_TRY(chgi_delta_predict(calculator->ctx, calculator->delta, n, calculator->structure.numbers, fea,
                                    &calculator->delta_workspace, &correction));
    memset(calculator->delta_gradient + n * n_fea, 0, (size_t)(rest * n_fea) * sizeof *calculator->delta_gradient);
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
    if (want & CHGNET_WANT_SITE_VIRIALS)
        gather_site_virials(calculator);
    return want & CHGNET_WANT_STD_GRADIENT ? differentiate_std(calculator, want) : CHGNET_OK;
}

/* The network's energy is the sum of its sites'; the correction comes as a whole and in shares. */
static void sum_energy(chgnet_calculator *calculator)
{
    calculator->energy = 0;
    for (int64_t i = 0; i < chgi_calculator_own(calculator); i++) {
        calculator->energy += calculator->site_energies[i];
        if (calculator->delta)
            calculator->site_energies[i] += calculator->site_corrections[i];
    }
    calculator->energy += calculator->delta_energy;
}

/* A part of the atoms knows the correction of its atoms where that is a sum over atoms, but never its deviation. */
static chgnet_status check_part(const chgnet_calculator *calculator, unsigned want)
{
    if (!calculator->delta || calculator->is_part || chgi_calculator_own(calculator) == calculator->graph.n_atom)
        return CHGNET_OK;
    if (chgi_delta_describe(calculator->delta).choice->aggregation != CHGI_ATOMIC)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "this delta-model needs all atoms on one process; fit one with the atomic "
                                 "aggregation, or give every ghost its owner");
    if (want & CHGNET_WANT_STD)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "a standard deviation needs all atoms on one process; give every ghost its owner");
    return CHGNET_OK;
}

chgnet_status chgi_calculator_compute(chgnet_calculator *calculator, unsigned want)
{
    if (!calculator->has_graph)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no structure; set one first");
    if (want & CHGNET_WANT_STD_GRADIENT)
        want |= CHGNET_WANT_STD;
    if (want & CHGNET_WANT_SITE_VIRIALS)
        want |= CHGNET_WANT_GRADIENT;
    if (want & (CHGNET_WANT_STD | CHGNET_WANT_NOVELTY) && !calculator->delta)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "standard deviation and novelty come from a delta-model, and there is none; set one "
                                 "first");
    CHGI_TRY(check_part(calculator, want));
    calculator->computed = 0;
    CHGI_TRY(run_network(calculator, want));
    sum_energy(calculator);
    CHGI_TRY(check_finite(calculator, want));
    calculator->computed = want | CHGNET_WANT_ENERGY;
    return CHGNET_OK;
}
