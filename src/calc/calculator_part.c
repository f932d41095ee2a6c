#include "calc/calculator_part.h"

#include <string.h>

#include "base/memory.h"

/* ---- structure -------------------------------------------------------------------------------- */

static chgnet_status copy_numbers(chgnet_calculator *calculator, const chgnet_part *part)
{
    chgi_structure *own = &calculator->structure;
    int64_t n = part->n_own + part->n_remote;
    if (own->n_atom != n || !own->numbers) {
        chgi_structure_destroy(own);
        CHGI_TRY(chgi_structure_create(calculator->ctx, n, own));
    }
    memcpy(own->numbers, part->numbers, (size_t)n * sizeof *own->numbers);
    memset(own->cell, 0, sizeof own->cell);
    memset(own->pbc, 0, sizeof own->pbc);
    return CHGNET_OK;
}

static chgnet_status check_sites(const chgnet_calculator *calculator, const chgi_structure *sites)
{
    return sites->n_atom == 0 ? CHGNET_OK
                              : chgi_structure_check(calculator->ctx, sites,
                                                     (int)chgi_model_weights(calculator->model)->hyper.n_element);
}

static chgnet_status check_reach(const chgnet_calculator *calculator, const chgnet_part *part,
                                 const chgnet_exchange *exchange)
{
    double cutoff = chgi_model_weights(calculator->model)->hyper.atom_cutoff;
    if (!(part->reach >= cutoff && part->reach <= CHGI_MAX_LENGTH))
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "a part's reach of %g A; it is at least the atom cutoff, %g A", part->reach, cutoff);
    if (part->n_remote > 0 && !exchange)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE,
                                 "%lld remote atoms, and no exchange with the processes that own them; give one",
                                 (long long)part->n_remote);
    return CHGNET_OK;
}

chgnet_status chgi_calculator_set_part(chgnet_calculator *calculator, const chgnet_part *part,
                                       const chgnet_exchange *exchange)
{
    chgi_calculator_forget(calculator);
    calculator->has_structure = false;
    CHGI_TRY(check_reach(calculator, part, exchange));
    CHGI_TRY(chgi_part_set(calculator->ctx, part, &calculator->part));
    CHGI_TRY(check_sites(calculator, &calculator->part.sites));
    CHGI_TRY(copy_numbers(calculator, part));
    calculator->exchange = exchange ? *exchange : (chgnet_exchange){0};
    if (exchange && exchange->n_process > 1)
        calculator->keep_at_most = chgi_memory_physical() / 4 / (size_t)exchange->n_process;
    calculator->has_structure = calculator->is_part = true;
    return chgi_calculator_move_part(calculator, part->positions);
}

chgnet_status chgi_calculator_move_part(chgnet_calculator *calculator, const double *positions)
{
    chgi_calculator_forget(calculator);
    if (!calculator->has_structure || !calculator->is_part)
        return chgi_context_fail(calculator->ctx, CHGNET_EUSAGE, "there is no part to move; set one first");
    chgi_structure *sites = &calculator->part.sites;
    memmove(sites->positions, positions, 3 * (size_t)sites->n_atom * sizeof *positions);
    CHGI_TRY(check_sites(calculator, sites));
    return chgi_calculator_prepare(calculator);
}

/* ---- graph ------------------------------------------------------------------------------------ */

static chgnet_status tell_crossings(chgnet_calculator *calculator)
{
    chgi_graph *g = &calculator->graph;
    double angles = g->n_angle > 0;
    CHGI_TRY(chgi_memory_grow(calculator->ctx, &calculator->crossings, &calculator->capacity_crossing,
                              (size_t)g->n_crossing, sizeof *calculator->crossings));
    for (int64_t k = 0; k < g->n_crossing; k++) {
        chgnet_crossing *crossing = &calculator->crossings[k];
        int64_t edge = g->short_edge[g->crossing[k]], back = g->reverse[edge];
        double sign = chgi_graph_sign(g, edge);
        crossing->own = g->neighbour[back];
        crossing->remote = g->neighbour[edge];
        for (int c = 0; c < 3; c++)
            crossing->vector[c] = sign * g->bond_vector[3 * (int64_t)g->bond[edge] + c];
    }
    calculator->exchange.cross(calculator->exchange.user, g->n_crossing, calculator->crossings);
    calculator->exchange.sum(calculator->exchange.user, 1, &angles);
    g->has_angles = angles > 0;
    return CHGNET_OK;
}

chgnet_status chgi_calculator_part_graph(chgnet_calculator *calculator)
{
    const chgi_hyper *hyper = &chgi_model_weights(calculator->model)->hyper;
    chgi_part *part = &calculator->part;
    chgi_graph *g = &calculator->graph;
    CHGI_TRY(chgi_part_measure(calculator->ctx, part, hyper->atom_cutoff, &g->pairs));
    CHGI_TRY(chgi_graph_lay(calculator->ctx, part->n_own, part->n_atom, hyper->bond_cutoff, g));
    return calculator->exchange.spread ? tell_crossings(calculator) : CHGNET_OK;
}

void chgi_calculator_part_collect(const chgnet_calculator *calculator, int width, double *rows)
{
    if (calculator->exchange.spread)
        calculator->exchange.collect(calculator->exchange.user, width, 1, rows);
}

/* ---- delta-model ------------------------------------------------------------------------------ */

struct chgi_part_correction {
    int32_t *numbers; /* of all processes' atoms */
    size_t capacity_numbers;
    chgi_arena memory;
    double *site, *gradient, *novelty, *std_gradient;
};

static void layout(chgi_arena *arena, size_t n, size_t n_fea, chgi_part_correction *all)
{
    all->site = chgi_arena_take(arena, n, sizeof(double));
    all->novelty = chgi_arena_take(arena, n, sizeof(double));
    all->gradient = chgi_arena_take(arena, n, n_fea * sizeof(double));
    all->std_gradient = chgi_arena_take(arena, n, n_fea * sizeof(double));
}

/* The elements of all atoms, in the order in which `gather` gives their rows. */
static chgnet_status gather_numbers(chgnet_calculator *calculator, chgi_part_correction *all, int64_t *n,
                                    int64_t *first)
{
    const chgnet_exchange *exchange = &calculator->exchange;
    const void *numbers =
        exchange->gather(exchange->user, sizeof *all->numbers, calculator->structure.numbers, n, first);
    if (!numbers)
        return chgi_context_nomem(calculator->ctx, (size_t)calculator->graph.n_own, sizeof *all->numbers);
    CHGI_TRY(
        chgi_memory_grow(calculator->ctx, &all->numbers, &all->capacity_numbers, (size_t)*n, sizeof *all->numbers));
    memcpy(all->numbers, numbers, (size_t)*n * sizeof *all->numbers);
    return CHGNET_OK;
}

static void copy_own(double *to, const double *from, int64_t first, int64_t n, int width)
{
    if (to)
        memcpy(to, from + first * width, (size_t)n * (size_t)width * sizeof *to);
}

static double sum_of(const double *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static chgnet_status correct_all(chgnet_calculator *calculator, const double *fea, chgi_correction *correction)
{
    const chgnet_exchange *exchange = &calculator->exchange;
    chgi_part_correction *all = calculator->shared;
    int n_fea = calculator->n_feature;
    int64_t n, first, n_own = calculator->graph.n_own;
    CHGI_TRY(gather_numbers(calculator, all, &n, &first));
    const double *rows = exchange->gather(exchange->user, (size_t)n_fea * sizeof *fea, fea, &n, &first);
    if (!rows)
        return chgi_context_nomem(calculator->ctx, (size_t)n, (size_t)n_fea * sizeof *fea);
    chgi_arena count = {0};
    layout(&count, (size_t)n, (size_t)n_fea, all);
    CHGI_TRY(chgi_arena_reserve(calculator->ctx, &all->memory, count.used));
    layout(&all->memory, (size_t)n, (size_t)n_fea, all);
    chgi_correction whole = {.site = all->site,
                             .gradient = correction->gradient ? all->gradient : NULL,
                             .novelty = correction->novelty ? all->novelty : NULL,
                             .want_std = correction->want_std,
                             .std_gradient = correction->std_gradient ? all->std_gradient : NULL};
    CHGI_TRY(chgi_delta_predict(calculator->ctx, calculator->delta, n, all->numbers, rows, &calculator->delta_workspace,
                                &whole));
    copy_own(correction->site, all->site, first, n_own, 1);
    copy_own(correction->gradient, all->gradient, first, n_own, n_fea);
    copy_own(correction->novelty, all->novelty, first, n_own, 1);
    copy_own(correction->std_gradient, all->std_gradient, first, n_own, n_fea);
    correction->std = whole.std;
    correction->energy = sum_of(correction->site, n_own);
    return CHGNET_OK;
}

chgnet_status chgi_calculator_part_correct(chgnet_calculator *calculator, const double *fea,
                                           chgi_correction *correction)
{
    bool atomic = chgi_delta_describe(calculator->delta).choice->aggregation == CHGI_ATOMIC;
    int64_t n_own = calculator->graph.n_own;
    if (calculator->exchange.spread && !(atomic && !correction->want_std)) {
        if (!calculator->shared)
            calculator->shared = chgi_memory_new(1, sizeof *calculator->shared);
        return calculator->shared ? correct_all(calculator, fea, correction)
                                  : chgi_context_nomem(calculator->ctx, 1, sizeof *calculator->shared);
    }
    if (n_own == 0)
        return CHGNET_OK;
    return chgi_delta_predict(calculator->ctx, calculator->delta, n_own, calculator->structure.numbers, fea,
                              &calculator->delta_workspace, correction);
}

void chgi_calculator_part_destroy(chgnet_calculator *calculator)
{
    chgi_memory_free(calculator->crossings);
    if (calculator->shared) {
        chgi_memory_free(calculator->shared->numbers);
        chgi_arena_destroy(&calculator->shared->memory);
    }
    chgi_memory_free(calculator->shared);
}
