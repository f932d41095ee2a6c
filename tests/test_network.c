/* The kernels against the plain forward pass (plain.c), for every precision and instruction set that this processor
 * runs: the released weights, and random weights of other sizes, as fine-tuned checkpoints may have.  For those the
 * reverse pass is checked against central differences, too; since some have one convolution, two, or three, a wrong
 * gradient shows in which layer it is.
 *
 * Tolerances, relative to the largest number of an array (at least 1): in double both sides round sums of up to some
 * 1000 terms in different order, 1e-13 or so; 1e-11 is allowed.  In single 1e-5 is allowed: some 50 roundings of 6e-8
 * in a row.  Gradients: 1e-6 of the largest component (difference.h). */
#include "difference.h"
#include "plain.h"

typedef struct bench {
    chgnet_context *ctx;
    const chgi_weights *weights;
    const chgi_kernel *kernel;
    void *network;
    chgi_graph graph;
    chgi_arena workspace;
    int64_t n_atom; /* of the arrays */
    double *site_energies, *magmoms, *atom_fea, *atom_fea_final, *bond_gradient;
    double *seed_site, *seed_atom_fea, *seed_final; /* NULL: none */
} bench;

static double *doubles(size_t count)
{
    double *x = chgi_memory_new(count, sizeof *x);
    if (!x)
        tap_bail("no memory");
    return x;
}

static void bench_start(bench *b, chgnet_context *ctx, const chgi_weights *weights, const chgi_kernel *kernel,
                        int64_t n)
{
    size_t values = (size_t)(n * weights->hyper.atom_fea_dim);
    *b = (bench){.ctx = ctx, .weights = weights, .kernel = kernel, .n_atom = n};
    sample_must(ctx, kernel->bind(ctx, weights, &b->network));
    b->site_energies = doubles((size_t)n);
    b->magmoms = doubles((size_t)n);
    b->atom_fea = doubles(values);
    b->atom_fea_final = doubles(values);
}

static void bench_end(bench *b)
{
    double *arrays[] = {b->site_energies, b->magmoms,       b->atom_fea,  b->atom_fea_final,
                        b->bond_gradient, b->seed_atom_fea, b->seed_site, b->seed_final};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    b->kernel->release(b->network);
    chgi_graph_destroy(&b->graph);
    chgi_arena_destroy(&b->workspace);
}

static void bench_run(bench *b, const chgi_structure *s, bool gradient)
{
    const chgi_hyper *h = &b->weights->hyper;
    sample_must(b->ctx, chgi_graph_build(b->ctx, s, h->atom_cutoff, h->bond_cutoff, &b->graph));
    chgi_run run = {.network = b->network,
                    .graph = &b->graph,
                    .numbers = s->numbers,
                    .n_thread = 1,
                    .gradient = gradient,
                    .workspace = &b->workspace,
                    .site_energies = b->site_energies,
                    .magmoms = b->magmoms,
                    .atom_fea = b->atom_fea,
                    .atom_fea_final = b->atom_fea_final,
                    .seed_site = b->seed_site,
                    .seed_atom_fea = b->seed_atom_fea,
                    .seed_final = b->seed_final};
    sample_must(b->ctx, b->kernel->forward(b->ctx, &run));
    if (!gradient)
        return;
    chgi_memory_free(b->bond_gradient);
    b->bond_gradient = run.bond_gradient = doubles((size_t)b->graph.n_bond * 3);
    b->kernel->backward(&run);
}

/* ---- against the plain pass -------------------------------------------------------------------- */

static double relative(int64_t count, const double *got, const double *want)
{
    return sample_error(count, got, want) / fmax(1, sample_largest(count, want));
}

static void compare(const bench *b, const plain_result *want, const char *label)
{
    int64_t n = b->n_atom, values = n * b->weights->hyper.atom_fea_dim;
    double allowed = b->kernel->is_double ? 1e-11 : 1e-5;
    double error[] = {relative(n, b->site_energies, want->site_energies), relative(n, b->magmoms, want->magmoms),
                      relative(values, b->atom_fea, want->atom_fea),
                      relative(values, b->atom_fea_final, want->atom_fea_final)};
    tap_ok(error[0] <= allowed && error[1] <= allowed && error[2] <= allowed && error[3] <= allowed,
           "%s, %s %s: errors %.1e (site energies) %.1e (magmoms) %.1e (atom_fea) %.1e (atom_fea_final)", label,
           b->kernel->is_double ? "double" : "single", b->kernel->name, error[0], error[1], error[2], error[3]);
}

static void check_forward(chgnet_context *ctx, const chgi_weights *weights, const chgi_structure *s, const char *label)
{
    const char *const sets[] = {"generic", "avx2", "avx512"};
    const chgi_hyper *h = &weights->hyper;
    chgi_graph graph = {0};
    plain_result want;
    sample_must(ctx, chgi_graph_build(ctx, s, h->atom_cutoff, h->bond_cutoff, &graph));
    plain_forward(weights, &graph, s->numbers, &want);
    for (int k = 0; k < 6; k++) {
        const chgi_kernel *kernel = chgi_kernel_choose(k % 2 == 0, sets[k / 2]);
        bench b;
        if (!kernel)
            continue;
        bench_start(&b, ctx, weights, kernel, s->n_atom);
        for (int gradient = 0; gradient < 2; gradient++) { /* the two passes keep different things */
            char text[240];
            snprintf(text, sizeof text, "%s%s", label, gradient ? ", with gradient" : "");
            bench_run(&b, s, gradient);
            compare(&b, &want, text);
        }
        bench_end(&b);
    }
    plain_result_free(&want);
    chgi_graph_destroy(&graph);
}

/* ---- gradients --------------------------------------------------------------------------------- */

static double seeded(void *self, const chgi_structure *s)
{
    bench *b = self;
    int64_t values = s->n_atom * b->weights->hyper.atom_fea_dim;
    bench_run(b, s, false);
    return difference_along(s->n_atom, b->seed_site, b->site_energies) +
           difference_along(values, b->seed_atom_fea, b->atom_fea) +
           difference_along(values, b->seed_final, b->atom_fea_final);
}

static void check_gradient(chgnet_context *ctx, const chgi_weights *weights, const chgi_structure *s, uint64_t *state,
                           const char *label)
{
    enum { DIRECTIONS = 2 };
    double dx[3 * SAMPLE_MOST_ATOMS], virial[3][3], shift[3 * SAMPLE_MOST_ATOMS], strain[3][3], error = 0;
    int64_t n = s->n_atom, values = n * weights->hyper.atom_fea_dim;
    bench b;
    bench_start(&b, ctx, weights, chgi_kernel_choose(true, NULL), n);
    b.seed_site = doubles((size_t)n);
    b.seed_atom_fea = doubles((size_t)values);
    b.seed_final = doubles((size_t)values);
    sample_fill(state, 1, n, b.seed_site);
    sample_fill(state, 1, values, b.seed_atom_fea);
    sample_fill(state, 1, values, b.seed_final);
    bench_run(&b, s, true);
    difference_gather(&b.graph, b.bond_gradient, dx, virial);
    double largest = fmax(sample_largest(3 * n, dx), sample_largest(9, virial[0]));
    for (int trial = 0; trial < DIRECTIONS; trial++) {
        sample_fill(state, 1, 3 * n, shift);
        sample_fill(state, 1, 9, strain[0]);
        double want = difference(ctx, seeded, &b, s, shift, strain);
        error =
            fmax(error, fabs(want - difference_along(3 * n, shift, dx) - difference_along(9, strain[0], virial[0])));
    }
    tap_ok(error <= 1e-6 * largest, "%s: gradient with seeds, error %.1e of %.3g", label, error, largest);
    bench_end(&b);
}

/* ---- weights of other sizes -------------------------------------------------------------------- */

typedef struct shape {
    const char *name;
    chgi_hyper hyper;
} shape;

static const shape shapes[] = {
    {"one convolution",
     {.atom_cutoff = 5,
      .bond_cutoff = 3,
      .cutoff_coeff = 5,
      .n_radial = 9,
      .n_angular = 9,
      .n_element = 94,
      .atom_fea_dim = 64,
      .bond_fea_dim = 64,
      .angle_fea_dim = 64,
      .atom_hidden = 64,
      .bond_hidden = 64,
      .angle_hidden = 0,
      .n_conv = 1,
      .gmlp_norm = 1,
      .mlp_out_bias = 0,
      .readout_norm = 0,
      .is_intensive = 1,
      .n_mlp_hidden = 2,
      .mlp_hidden = {30, 20}}},
    {"one convolution, no hidden layer anywhere",
     {.atom_cutoff = 4,
      .bond_cutoff = 2.5,
      .cutoff_coeff = 3,
      .n_radial = 5,
      .n_angular = 3,
      .n_element = 94,
      .atom_fea_dim = 10,
      .bond_fea_dim = 7,
      .angle_fea_dim = 5,
      .n_conv = 1,
      .gmlp_norm = 0,
      .mlp_out_bias = 1}},
    {"two convolutions, odd widths, norms",
     {.atom_cutoff = 5,
      .bond_cutoff = 3,
      .cutoff_coeff = 1,
      .n_radial = 20,
      .n_angular = 21,
      .n_element = 94,
      .atom_fea_dim = 16,
      .bond_fea_dim = 48,
      .angle_fea_dim = 64,
      .atom_hidden = 0,
      .bond_hidden = 33,
      .angle_hidden = 0,
      .n_conv = 2,
      .gmlp_norm = 1,
      .mlp_out_bias = 0,
      .readout_norm = 1,
      .is_intensive = 1,
      .n_mlp_hidden = 1,
      .mlp_hidden = {10}}},
    {"three convolutions, no norm, no readout layers",
     {.atom_cutoff = 4.5,
      .bond_cutoff = 2.5,
      .cutoff_coeff = 6,
      .n_radial = 7,
      .n_angular = 9,
      .n_element = 94,
      .atom_fea_dim = 20,
      .bond_fea_dim = 24,
      .angle_fea_dim = 12,
      .atom_hidden = 40,
      .bond_hidden = 0,
      .angle_hidden = 16,
      .n_conv = 3,
      .gmlp_norm = 0,
      .mlp_out_bias = 1,
      .readout_norm = 0,
      .is_intensive = 0,
      .n_mlp_hidden = 0}},
    {"four convolutions, equal cutoffs, norms and bias",
     {.atom_cutoff = 3.1,
      .bond_cutoff = 3.1,
      .cutoff_coeff = 8,
      .n_radial = 31,
      .n_angular = 31,
      .n_element = 94,
      .atom_fea_dim = 70,
      .bond_fea_dim = 30,
      .angle_fea_dim = 17,
      .atom_hidden = 50,
      .bond_hidden = 20,
      .angle_hidden = 90,
      .n_conv = 4,
      .gmlp_norm = 1,
      .mlp_out_bias = 1,
      .readout_norm = 1,
      .is_intensive = 1,
      .n_mlp_hidden = 3,
      .mlp_hidden = {100, 8, 24}}},
    {"wide layers, few elements",
     {.atom_cutoff = 4,
      .bond_cutoff = 2.2,
      .cutoff_coeff = 8,
      .n_radial = 40,
      .n_angular = 33,
      .n_element = 30,
      .atom_fea_dim = 130,
      .bond_fea_dim = 100,
      .angle_fea_dim = 140,
      .atom_hidden = 128,
      .bond_hidden = 150,
      .angle_hidden = 0,
      .n_conv = 3,
      .gmlp_norm = 1,
      .mlp_out_bias = 0,
      .readout_norm = 1,
      .is_intensive = 1,
      .n_mlp_hidden = 2,
      .mlp_hidden = {200, 64}}},
};

/* Values of a size that keeps activations near 1: weights fall with the number of inputs, LayerNorms stay near 1, and
 * frequencies are those of untrained models, a little off. */
static float random_weight(const chgi_tensor *tensor, int64_t k, uint64_t *state)
{
    double u = sample_symmetric(state, 1);
    bool norm = strstr(tensor->name, ".bn") || strncmp(tensor->name, "readout_norm", 12) == 0;
    if (strstr(tensor->name, "rbf_expansion"))
        return (float)(3.14159265 * (double)(k + 1) * (1 + 0.02 * u));
    if (strstr(tensor->name, "fourier_expansion"))
        return (float)((double)(k + 1) * (1 + 0.02 * u));
    if (norm && strstr(tensor->name, ".weight"))
        return (float)(1 + 0.3 * u);
    if (tensor->rank == 1)
        return (float)(0.3 * u);
    return (float)(u * sqrt(3.0 / (double)tensor->shape[1]));
}

static void random_weights(chgnet_context *ctx, const chgi_hyper *hyper, uint64_t *state, chgi_weights *weights)
{
    *weights = (chgi_weights){.hyper = *hyper};
    sample_must(ctx, chgi_weights_allocate(ctx, weights, (size_t)1 << 30));
    for (int64_t i = 0; i < weights->n_tensor; i++)
        for (int64_t k = 0; k < chgi_tensor_count(&weights->tensors[i]); k++)
            weights->tensors[i].data[k] = random_weight(&weights->tensors[i], k, state);
}

static void check_shape(chgnet_context *ctx, const shape *tried, uint64_t seed)
{
    uint64_t state = seed;
    chgi_weights weights;
    random_weights(ctx, &tried->hyper, &state, &weights);
    for (int k = 0; k < SAMPLE_COUNT; k++) {
        char label[200];
        chgi_structure s;
        if (k != 0 && k != 1 + (int)(seed % (SAMPLE_COUNT - 1))) /* LiMnO2 and another one */
            continue;
        difference_sample(ctx, &sample_list[k], tried->hyper.atom_cutoff, tried->hyper.bond_cutoff, &state, &s);
        snprintf(label, sizeof label, "%s, %s", tried->name, sample_list[k].name);
        check_forward(ctx, &weights, &s, label);
        check_gradient(ctx, &weights, &s, &state, label);
        chgi_structure_destroy(&s);
    }
    chgi_weights_destroy(&weights);
}

static void check_released(chgnet_context *ctx, const char *name, int step)
{
    chgi_weights weights;
    uint64_t state = 31;
    sample_must(ctx, chgi_weights_load(ctx, name, &weights));
    for (int k = 0; k < SAMPLE_COUNT; k += step) {
        char label[200];
        chgi_structure s;
        sample_make(ctx, &sample_list[k], &s);
        sample_rattle(&s, &state, 0.05);
        snprintf(label, sizeof label, "%s, %s", name, sample_list[k].name);
        check_forward(ctx, &weights, &s, label);
        chgi_structure_destroy(&s);
    }
    chgi_weights_destroy(&weights);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    check_released(ctx, "0.3.0", 2);
    check_released(ctx, "0.2.0", 3);
    check_released(ctx, "r2scan", 5);
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        check_shape(ctx, &shapes[k], 100 + k);
    chgnet_context_destroy(ctx);
    return tap_done();
}
