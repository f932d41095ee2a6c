/* The tangent pass against the reverse pass, <u, J v> = <J^T u, v>, and against central differences; the calculator's
 * Jacobian against both.
 *
 * Two passes in double that differ by rounding alone agree to some 1e-13 of the sum; 1e-10 is allowed.  In single
 * rounding is 6e-8 of each term, and terms of both signs cancel: 1e-4 of the largest of the sums is allowed.  Central
 * differences: 1e-6 of the largest component, as difference.h tells.
 *
 * Compiled for double with the generic instruction set, for the single kernels and for networks cut short. */
#include "calc/jacobian.h"
#include "difference.h"
#include "model/network.h"
#include "nn/gated_tangent.h"

static const double DUAL_TOLERANCE = 1e-10, SINGLE_TOLERANCE = 1e-4, DIFFERENCE_TOLERANCE = 1e-6;

enum { N_FEATURE = 64, MOST = SAMPLE_MOST_ATOMS, DIRECTIONS = 3 };

/* Few or no neighbours; the other kinds are in sample.h. */
static const sample sparse_list[] = {
    {"isolated atom", {{0}}, {false, false, false}, 1, {{16, {0.3, 0, 0}}}},
    {"dimer without angles", {{0}}, {false, false, false}, 2, {{8, {0, 0, 0}}, {6, {0.7, 0.8, 0.5}}}},
    {"pair beyond the bond cutoff", {{0}}, {false, false, false}, 2, {{29, {0, 0, 0}}, {16, {2.5, 2.2, 1.9}}}},
    {"chain of its own images, periodic along one axis, and an atom far away",
     {{2.61, 0.1, 0}, {0, 0, 0}, {0, 0, 0}},
     {true, false, false},
     3,
     {{79, {0, 0, 0}}, {16, {1.2, 1.9, 0.2}}, {29, {0, 30, 3}}}},
};
enum { SPARSE_COUNT = sizeof sparse_list / sizeof *sparse_list };

static uint64_t state = 77;

static double *room(int64_t count)
{
    double *x = chgi_memory_new((size_t)count, sizeof *x);
    if (!x)
        tap_bail("no memory");
    return x;
}

/* Site energies, atom_fea, atom_fea_final: numbers per atom, and changes of one structure along DIRECTIONS. */
enum { KINDS = 3 };
static const char *const kind_names[KINDS] = {"site energies", "atom_fea", "atom_fea_final"};
static const int64_t kind_widths[KINDS] = {1, N_FEATURE, N_FEATURE};

typedef struct changes {
    double *of[KINDS]; /* (DIRECTIONS,n_atom,width) */
} changes;

static changes changes_new(int64_t n_atom)
{
    changes c;
    for (int k = 0; k < KINDS; k++)
        c.of[k] = room(DIRECTIONS * n_atom * kind_widths[k]);
    return c;
}

static void changes_free(changes *c)
{
    for (int k = 0; k < KINDS; k++)
        chgi_memory_free(c->of[k]);
}

static chgi_run run_of(chgnet_calculator *c)
{
    return (chgi_run){.network = c->network,
                      .graph = &c->graph,
                      .numbers = c->structure.numbers,
                      .n_thread = c->n_thread,
                      .gradient = true,
                      .keep_at_most = c->keep_at_most,
                      .workspace = &c->workspace,
                      .site_energies = c->site_energies,
                      .magmoms = c->magmoms,
                      .atom_fea = c->atom_fea,
                      .atom_fea_final = c->atom_fea_final,
                      .bond_gradient = c->bond_gradient};
}

static void tangents(chgnet_calculator *c, const chgi_run *run, const double *dvector, changes *out)
{
    sample_must(c->ctx, c->kernel->tangent(c->ctx, run, DIRECTIONS, dvector, out->of[0], out->of[1], out->of[2]));
}

/* ---- the two passes against each other ----------------------------------------------------------- */

/* J^T u for a random u of one kind: u stays in `seed`, the result in the run's bond gradient. */
static void reverse(chgnet_calculator *c, chgi_run run, int kind, double *seed)
{
    int64_t n = c->graph.n_atom;
    double *zeros = room(n);
    sample_fill(&state, 1, n * kind_widths[kind], seed);
    run.seed_site = kind == 0 ? seed : zeros;
    run.seed_atom_fea = kind == 1 ? seed : NULL;
    run.seed_final = kind == 2 ? seed : NULL;
    sample_must(c->ctx, c->kernel->forward(c->ctx, &run));
    c->kernel->backward(&run);
    chgi_memory_free(zeros);
}

/* <u, J v> = <J^T u, v> for random changes v of the bond vectors, which no positions need to have. */
static void check_dual(chgnet_calculator *c, const chgi_run *run, double tolerance, const char *label)
{
    int64_t n = c->graph.n_atom, count = 3 * c->graph.n_bond;
    double *dvector = room(DIRECTIONS * count), *seed = room(n * N_FEATURE);
    changes out = changes_new(n);
    sample_fill(&state, 1, DIRECTIONS * count, dvector);
    tangents(c, run, dvector, &out);
    for (int kind = 0; kind < KINDS; kind++) {
        double error = 0, largest = 0;
        int64_t size = n * kind_widths[kind];
        reverse(c, *run, kind, seed);
        for (int d = 0; d < DIRECTIONS; d++) {
            double forth = difference_along(size, seed, out.of[kind] + d * size);
            double back = difference_along(count, c->bond_gradient, dvector + d * count);
            double scale = fmax(fabs(forth), fabs(back));
            largest = fmax(largest, scale);
            error = fmax(error, c->kernel->is_double ? fabs(forth - back) / fmax(scale, 1e-300) : fabs(forth - back));
        }
        if (!c->kernel->is_double)
            error /= fmax(largest, 1e-300);
        if (count == 0)
            tap_ok(sample_largest(DIRECTIONS * size, out.of[kind]) == 0, "%s, %s: no bond, no change", label,
                   kind_names[kind]);
        else
            tap_ok(error <= tolerance, "%s, %s: tangent and reverse pass, error %.1e of %.2g", label, kind_names[kind],
                   error, largest);
    }
    changes_free(&out);
    chgi_memory_free(dvector);
    chgi_memory_free(seed);
}

static void check_sample(chgnet_calculator *c, const sample *from, const char *model, bool few_bytes)
{
    char label[200];
    chgi_structure s;
    sample_make(c->ctx, from, &s);
    sample_rattle(&s, &state, 0.06);
    sample_must(c->ctx, chgi_calculator_set_structure(c, &s));
    snprintf(label, sizeof label, "%s, %s, %s %s", model, from->name, c->kernel->name,
             c->kernel->is_double ? "double" : "single");
    chgi_run run = run_of(c);
    if (few_bytes) /* what the reverse pass keeps must make no difference */
        run.keep_at_most = 0;
    check_dual(c, &run, c->kernel->is_double ? DUAL_TOLERANCE : SINGLE_TOLERANCE, label);
    chgi_structure_destroy(&s);
}

/* Every model on every structure. */
static void check_models(chgnet_context *ctx)
{
    for (int m = 0; m < SAMPLE_MODELS; m++) {
        chgnet_model *model;
        sample_must(ctx, chgnet_model_load(ctx, sample_models[m], &model));
        chgnet_calculator *c = sample_calculator(ctx, model, true, 1);
        for (int k = 0; k < SAMPLE_COUNT; k++)
            check_sample(c, &sample_list[k], sample_models[m], k % 2);
        for (int k = 0; k < SPARSE_COUNT; k++)
            check_sample(c, &sparse_list[k], sample_models[m], false);
        chgnet_calculator_destroy(c);
        chgnet_model_destroy(model);
    }
}

/* Every set of kernels, two threads. */
static void check_kernels(chgnet_context *ctx, const chgnet_model *model, const char *name)
{
    const char *const sets[] = {"generic", "avx2", "avx512"};
    for (int k = 0; k < 6; k++) {
        chgnet_calculator *c;
        if (!chgi_kernel_choose(k % 2, sets[k / 2])) {
            tap_skip("this processor or build has no such kernels");
            continue;
        }
        sample_must(ctx, chgi_calculator_create(ctx, model, k % 2, 2, sets[k / 2], &c));
        check_sample(c, &sample_list[0], name, false);
        check_sample(c, &sample_list[1], name, false);
        chgnet_calculator_destroy(c);
    }
}

/* ---- layer by layer ------------------------------------------------------------------------------ */

/* The network with its first convolutions alone: one has an atom convolution and the readout, two a bond convolution
 * as well, three an angle update as well. */
static void check_cut(chgnet_context *ctx, const chgnet_model *model, const char *name)
{
    chgnet_calculator *c;
    sample_must(ctx, chgi_calculator_create(ctx, model, true, 1, "generic", &c));
    chgi_network cut = *(const chgi_network *)c->network;
    for (int layers = 1; layers <= 3; layers++) {
        char label[200];
        chgi_structure s;
        sample_make(ctx, &sample_list[0], &s);
        sample_rattle(&s, &state, 0.06);
        sample_must(ctx, chgi_calculator_set_structure(c, &s));
        chgi_run run = run_of(c);
        cut.n_conv = layers;
        run.network = &cut;
        snprintf(label, sizeof label, "%s, the first %d convolutions", name, layers);
        check_dual(c, &run, DUAL_TOLERANCE, label);
        chgi_structure_destroy(&s);
    }
    chgnet_calculator_destroy(c);
}

/* One gated MLP of a model, on random rows. */
static void check_gated(const chgi_gated *gated, const char *label)
{
    enum { ROWS = 11 };
    int width = chgi_gated_width(gated), n = gated->n_out;
    const int widths[] = {width, width, 2 * n, n, 2 * n, 2, width, width, 2 * n, n, n, n, width, 2 * n};
    double *a[sizeof widths / sizeof *widths];
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        a[k] = room(ROWS * widths[k]);
    chgi_gated_point point = {a[0], a[1], a[2], a[3], a[4], a[5]};
    double *direction = a[6], *dx = a[7], *dy = a[8], *dg = a[9], *u = a[10], *g = a[11], *back = a[12];
    sample_fill(&state, 1, ROWS * width, gated->n_hidden ? point.x : point.y);
    sample_fill(&state, 1, ROWS * width, direction);
    sample_fill(&state, 1, ROWS * n, u);
    if (!gated->n_hidden) /* as a centered map gives them */
        for (int r = 0; r < 2 * ROWS; r++)
            for (int pass = 0; pass < 2; pass++) {
                double *row = (pass ? direction : point.y) + r * n, mean = 0;
                for (int k = 0; k < n; k++)
                    mean += row[k] / n;
                for (int k = 0; k < n; k++)
                    row[k] -= mean;
            }
    memcpy(dx, direction, (size_t)(ROWS * width) * sizeof *dx);
    chgi_gated_point_find(gated, ROWS, &point);
    chgi_gated_tangent(gated, ROWS, &point, dx, dy, dg);
    chgi_gated_backward(gated, ROWS, point.x, point.y, u, g, a[13], back);
    double forth = difference_along(ROWS * n, u, dg), reverse = difference_along(ROWS * width, back, direction);
    tap_ok(sample_error(ROWS * n, g, point.g) == 0 || sample_error(ROWS * n, g, point.g) < 1e-15, "%s: same value",
           label);
    tap_ok(fabs(forth - reverse) <= DUAL_TOLERANCE * fabs(reverse), "%s: gated MLP, error %.1e of %.2g", label,
           fabs(forth - reverse), reverse);
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        chgi_memory_free(a[k]);
}

static void check_gated_of(const chgnet_model *model, const char *name)
{
    const void *bound;
    char label[80];
    if (chgi_model_network(NULL, model, chgi_kernel_choose(true, "generic"), &bound) != CHGNET_OK)
        tap_bail("no network");
    const chgi_network *net = bound;
    const chgi_gated *list[] = {&net->atom_conv[1].gated, &net->bond_conv[1].gated, &net->angle_update[1].gated};
    const char *const what[] = {"atom convolution", "bond convolution", "angle update"};
    for (int k = 0; k < 3; k++) {
        snprintf(label, sizeof label, "%s, %s", name, what[k]);
        check_gated(list[k], label);
    }
}

/* ---- central differences ------------------------------------------------------------------------- */

static void values_at(chgnet_calculator *c, const chgi_structure *s, const double *shift, double strain[3][3],
                      double step, double *out)
{
    chgi_structure moved;
    double scaled[3][3];
    int64_t n = s->n_atom;
    sample_must(c->ctx, chgi_structure_copy(c->ctx, s, &moved));
    for (int64_t k = 0; k < 3 * n; k++)
        moved.positions[k] += step * shift[k];
    for (int k = 0; k < 9; k++)
        scaled[k / 3][k % 3] = step * strain[k / 3][k % 3];
    sample_strain(&moved, scaled);
    sample_compute(c, &moved, CHGNET_WANT_ENERGY);
    memcpy(out, c->site_energies, (size_t)n * sizeof *out);
    memcpy(out + n, c->atom_fea, (size_t)(n * N_FEATURE) * sizeof *out);
    memcpy(out + n * (1 + N_FEATURE), c->atom_fea_final, (size_t)(n * N_FEATURE) * sizeof *out);
    chgi_structure_destroy(&moved);
}

/* Change of the bond vectors when the atoms move by `shift` and everything is strained. */
static void bond_changes(const chgi_graph *g, const double *shift, double strain[3][3], double *dvector)
{
    for (int64_t u = 0; u < g->n_bond; u++) {
        int64_t e = g->bond_edge[u];
        const double *to = shift + 3 * g->neighbour[e], *from = shift + 3 * g->neighbour[g->reverse[e]];
        for (int a = 0; a < 3; a++) {
            dvector[3 * u + a] = to[a] - from[a];
            for (int b = 0; b < 3; b++)
                dvector[3 * u + a] += g->bond_vector[3 * u + b] * strain[b][a];
        }
    }
}

static void check_difference(chgnet_calculator *c, const chgi_structure *s, const char *label)
{
    int64_t n = s->n_atom, total = n * (1 + 2 * N_FEATURE);
    double shift[3 * MOST], strain[3][3], *side[4], h = difference_step;
    changes out = changes_new(n);
    sample_fill(&state, 1, 3 * n, shift);
    sample_fill(&state, 1, 9, strain[0]);
    for (int k = 0; k < 4; k++) {
        side[k] = room(total);
        values_at(c, s, shift, strain, (k < 2 ? h : 2 * h) * (k % 2 ? -1 : 1), side[k]);
    }
    for (int64_t k = 0; k < total; k++)
        side[0][k] = (8 * (side[0][k] - side[1][k]) - (side[2][k] - side[3][k])) / (12 * h);
    sample_must(c->ctx, chgi_calculator_set_structure(c, s));
    double *dvector = room(DIRECTIONS * 3 * c->graph.n_bond);
    for (int d = 0; d < DIRECTIONS; d++)
        bond_changes(&c->graph, shift, strain, dvector + d * 3 * c->graph.n_bond);
    chgi_run run = run_of(c);
    tangents(c, &run, dvector, &out);
    const double *want = side[0];
    for (int kind = 0; kind < KINDS; want += n * kind_widths[kind++]) {
        int64_t size = n * kind_widths[kind];
        double largest = sample_largest(size, want), error = 0;
        for (int d = 0; d < DIRECTIONS; d++) /* a direction does not depend on its place */
            error = fmax(error, sample_error(size, out.of[kind] + d * size, want));
        tap_ok(error <= DIFFERENCE_TOLERANCE * largest, "%s, %s: differences, error %.1e of %.3g", label,
               kind_names[kind], error, largest);
    }
    for (int k = 0; k < 4; k++)
        chgi_memory_free(side[k]);
    chgi_memory_free(dvector);
    changes_free(&out);
}

static void check_differences(chgnet_context *ctx, const chgnet_model *model, const char *name)
{
    const chgi_hyper *h = &chgi_model_weights(model)->hyper;
    chgnet_calculator *c = sample_calculator(ctx, model, true, 1);
    for (int k = 0; k < SAMPLE_COUNT; k++) {
        char label[200];
        chgi_structure s;
        snprintf(label, sizeof label, "%s, %s", name, sample_list[k].name);
        difference_sample(ctx, &sample_list[k], h->atom_cutoff, h->bond_cutoff, &state, &s);
        check_difference(c, &s, label);
        chgi_structure_destroy(&s);
    }
    chgnet_calculator_destroy(c);
}

/* ---- the calculator's Jacobian ------------------------------------------------------------------- */

/* <u, J v> of all position components against the forces of the seeded energy, and rows asked for in any order. */
static void check_jacobian(chgnet_context *ctx, const chgnet_model *model, const sample *from, bool is_double)
{
    chgi_structure s;
    chgnet_calculator *c = sample_calculator(ctx, model, is_double, 1);
    sample_make(ctx, from, &s);
    sample_rattle(&s, &state, 0.06);
    sample_must(ctx, chgi_calculator_set_structure(c, &s));
    int64_t n = s.n_atom, size = n * N_FEATURE, count = 3 * n;
    double *all = room(count * size), *some = room(2 * size), *seed = room(size), dx[3 * MOST], virial[3][3];
    int32_t components[3 * MOST], picked[2] = {(int32_t)(count - 1), 1};
    for (int k = 0; k < count; k++)
        components[k] = k;
    for (int layer = 0; layer < 2; layer++) {
        chgi_embedding_layer which = layer ? CHGI_ATOM_FEA_FINAL : CHGI_ATOM_FEA;
        double error = 0;
        sample_must(ctx, chgi_calculator_jacobian(c, which, count, components, all));
        sample_must(ctx, chgi_calculator_jacobian(c, which, 2, picked, some));
        tap_ok(memcmp(some, all + picked[0] * size, (size_t)size * sizeof *all) == 0 &&
                   memcmp(some + size, all + picked[1] * size, (size_t)size * sizeof *all) == 0,
               "%s, %s: components in any order", from->name, kind_names[1 + layer]);
        reverse(c, run_of(c), 1 + layer, seed);
        difference_gather(&c->graph, c->bond_gradient, dx, virial);
        for (int64_t k = 0; k < count; k++)
            error = fmax(error, fabs(difference_along(size, seed, all + k * size) - dx[k]));
        double largest = sample_largest(count, dx);
        tap_ok(error <= (is_double ? DUAL_TOLERANCE : SINGLE_TOLERANCE) * largest,
               "%s, %s: Jacobian in %s, error %.1e of %.2g", from->name, kind_names[1 + layer],
               is_double ? "double" : "single", error, largest);
    }
    int32_t beyond = (int32_t)count;
    tap_ok(chgi_calculator_jacobian(c, CHGI_ATOM_FEA, 1, &beyond, all) == CHGNET_EUSAGE,
           "%s: a component beyond the last is refused", from->name);
    chgi_memory_free(all);
    chgi_memory_free(some);
    chgi_memory_free(seed);
    chgnet_calculator_destroy(c);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    check_models(ctx);
    for (int m = 0; m < SAMPLE_MODELS; m++) {
        chgnet_model *model;
        sample_must(ctx, chgnet_model_load(ctx, sample_models[m], &model));
        check_gated_of(model, sample_models[m]);
        check_cut(ctx, model, sample_models[m]);
        check_differences(ctx, model, sample_models[m]);
        if (m == 0) {
            check_kernels(ctx, model, sample_models[m]);
            check_jacobian(ctx, model, &sample_list[0], true);
            check_jacobian(ctx, model, &sample_list[1], true);
            check_jacobian(ctx, model, &sample_list[1], false);
        }
        chgnet_model_destroy(model);
    }
    chgnet_context_destroy(ctx);
    return tap_done();
}
