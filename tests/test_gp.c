/* The Gaussian process of the delta-model against a plain one in long double (plain_gp.h), brute force and itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "gp/delta.h"

#include <omp.h>

#include "base/memory.h"
#include "math/lbfgs.h"
#include "plain_gp.h"
#include "tap.h"

enum { N_LABEL = 8, N_NEW = 2, MAX_ROW = 64 };

static const int32_t known_numbers[PLAIN_ELEMENTS] = {16, 29, 79};

/* ---- made-up structures --------------------------------------------------------------------------------------- */

static uint64_t state = 1;

static double uniform(void)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (double)(state >> 11) * 0x1p-53 * 2 - 1;
}

static void make_structure(int number, bool forces, plain_structure *s)
{
    *s = (plain_structure){.n_atom = 3 + number % 4, .n_force = forces ? 1 + number % PLAIN_FORCES : 0};
    s->has_energy = !forces || number % 3 != 1;
    s->energy = uniform();
    for (int i = 0; i < s->n_atom; i++) {
        s->numbers[i] = known_numbers[i < 2 ? 1 : (number + i) % PLAIN_ELEMENTS];
        for (int k = 0; k < PLAIN_FEATURES; k++)
            s->fea[i * PLAIN_FEATURES + k] = 0.3 * k + uniform() + 0.1 * s->numbers[i];
    }
    for (int k = 0; k < PLAIN_FORCES * PLAIN_ATOMS * PLAIN_FEATURES; k++)
        s->jacobian[k] = uniform();
    for (int m = 0; m < s->n_force; m++) {
        s->forces[m] = uniform();
        s->component[m] = m;
    }
}

static void make_structures(int n, bool forces, plain_structure *s)
{
    state = 7;
    for (int k = 0; k < n; k++)
        make_structure(k, forces, &s[k]);
}

static void make_labels(int n, const plain_structure *s, chgi_label *labels)
{
    for (int k = 0; k < n; k++)
        labels[k] = (chgi_label){.n_atom = s[k].n_atom,
                                 .numbers = s[k].numbers,
                                 .fea = s[k].fea,
                                 .has_energy = s[k].has_energy,
                                 .energy = s[k].energy,
                                 .n_force = s[k].n_force,
                                 .component = s[k].component,
                                 .forces = s[k].forces,
                                 .jacobian = s[k].jacobian};
}

/* ---- forms and kernels ---------------------------------------------------------------------------------------- */

typedef struct shape {
    const char *name;
    chgi_aggregation aggregation;
    bool species_sum, mean, by_element;
    double mix;
} shape;

static const shape shapes[] = {{"global", CHGI_GLOBAL, false, false, false, 0},
                               {"global mean", CHGI_GLOBAL, false, true, false, 0},
                               {"species", CHGI_SPECIES, false, false, false, 0},
                               {"species sum", CHGI_SPECIES, true, false, false, 0},
                               {"atomic", CHGI_ATOMIC, false, false, false, 0},
                               {"atomic mixed", CHGI_ATOMIC, false, false, true, 0.3}};
enum { N_SHAPE = (int)(sizeof shapes / sizeof *shapes), ATOMIC = 4 };

static const char *const kernels[] = {"constant(0.8)*rbf(2.5)", "constant(0.7)*matern(3)", "rq(2,1.5)",
                                      "constant(0.5)*dot(2) + constant(0.1)*dot(1)*rbf(3) + constant(0.2)*rbf(1.5)"};
enum { N_KERNEL = (int)(sizeof kernels / sizeof *kernels) };

static chgi_delta_choice make_choice(const shape *s, const char *kernel)
{
    chgi_delta_choice choice = chgi_delta_choice_default();
    choice.aggregation = s->aggregation;
    choice.species_sum = s->species_sum;
    choice.mean = s->mean;
    choice.scale_by_element = s->by_element;
    choice.mix = s->mix;
    choice.optimize = choice.calibrate = false;
    choice.offset_spread = 0.5;
    choice.noise_energy.value = 0.1;
    choice.noise_force.value = 0.2;
    choice.noise_energy.fixed = choice.noise_force.fixed = false;
    if (chgi_covariance_parse(NULL, kernel, &choice.covariance) != CHGNET_OK)
        tap_bail(kernel);
    return choice;
}

static chgi_delta *fit(const chgi_delta_choice *choice, int n, const chgi_label *labels)
{
    chgi_delta *delta;
    chgnet_context *ctx;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no context");
    if (chgi_delta_fit(ctx, choice, PLAIN_FEATURES, n, labels, &delta) != CHGNET_OK)
        tap_note("%s", chgnet_context_error(ctx));
    chgnet_context_destroy(ctx);
    return delta;
}

static plain_model model_of(const chgi_delta *delta)
{
    chgi_delta_tensors t = chgi_delta_view(delta);
    return (plain_model){.choice = t.choice,
                         .n_element = t.n_element,
                         .elements = t.elements,
                         .mean = t.mean,
                         .scale = t.scale,
                         .offset_spread = t.choice.offsets ? 0 : t.choice.offset_spread};
}

static double offsets_of(const chgi_delta *delta, const plain_structure *s)
{
    chgi_delta_tensors t = chgi_delta_view(delta);
    double sum = 0;
    for (int i = 0; i < s->n_atom; i++)
        for (int e = 0; e < t.n_element; e++)
            sum += t.elements[e] == s->numbers[i] ? t.offset_centre[e] : 0;
    return sum;
}

static chgi_delta_workspace workspace;

static chgi_correction predict(const chgi_delta *delta, const plain_structure *s, double *gradient,
                               double *std_gradient)
{
    chgi_correction correction = {.want_std = true, .gradient = gradient, .std_gradient = std_gradient};
    if (chgi_delta_predict(NULL, delta, s->n_atom, s->numbers, s->fea, &workspace, &correction) != CHGNET_OK)
        tap_bail("no prediction");
    return correction;
}

/* ---- against the plain process ---------------------------------------------------------------------------------- */

/* The plain process's differences leave about 1e-11 in force rows, which the inverse of the kernel matrix (condition
 * about 1e4 with the noise used here) makes larger. */
static const double plain_tolerance = 1e-8;

static void compare_plain(const shape *sh, const char *kernel, bool forces)
{
    static plain_structure s[N_LABEL + N_NEW];
    static plain_fit plain;
    chgi_label labels[N_LABEL + N_NEW];
    chgi_delta_choice choice = make_choice(sh, kernel);
    make_structures(N_LABEL + N_NEW, forces, s);
    make_labels(N_LABEL + N_NEW, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    if (!delta)
        tap_bail(kernel);
    plain_model m = model_of(delta);
    chgi_delta_tensors t = chgi_delta_view(delta);
    plain_make(&m, N_LABEL, s, t.offset_centre, -1, &plain);
    double error[4] = {fabs((double)plain.likelihood - t.log_likelihood) / fabs(t.log_likelihood)};
    for (int k = 0; k < N_LABEL + N_NEW; k++) {
        long double mean, variance;
        chgi_correction got = predict(delta, &s[k], NULL, NULL);
        plain_predict(&m, s, &plain, &s[k], -1, &mean, &variance);
        error[1] = fmax(error[1], fabs((double)mean + offsets_of(delta, &s[k]) - got.energy));
        error[2] = fmax(error[2], fabs((double)variance - got.std * got.std));
    }
    for (int i = 0; i < plain.n; i++)
        error[3] = fmax(error[3], fabs((double)plain.weight[i] - t.weights[i]) / (1 + fabs(t.weights[i])));
    bool ok = tap_ok(error[0] < plain_tolerance && error[1] < plain_tolerance && error[2] < plain_tolerance &&
                         error[3] < 100 * plain_tolerance,
                     "%s, %s, %s: likelihood, mean, variance and weights of a plain process", sh->name, kernel,
                     forces ? "energies and forces" : "energies");
    if (!ok)
        tap_note("%d rows; errors %.3g %.3g %.3g %.3g", plain.n, error[0], error[1], error[2], error[3]);
    chgi_delta_destroy(delta);
}

/* ---- derivatives of predictions ---------------------------------------------------------------------------------- */

/* Central differences with steps of 1e-5: rounding leaves 1e-10 of an energy, 1e-9 of a standard deviation. */
static void compare_gradients(const shape *sh, const char *kernel, bool forces, int64_t n_inducing)
{
    static plain_structure s[N_LABEL + 1];
    chgi_label labels[N_LABEL + 1];
    double g[PLAIN_ATOMS * PLAIN_FEATURES], sg[PLAIN_ATOMS * PLAIN_FEATURES], h = 1e-5, error = 0, std_error = 0;
    double largest = 0, std_largest = 0;
    chgi_delta_choice choice = make_choice(sh, kernel);
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL + 1, forces, s);
    make_labels(N_LABEL + 1, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    plain_structure *x = &s[N_LABEL];
    predict(delta, x, g, sg);
    for (int k = 0; k < x->n_atom * PLAIN_FEATURES; k++) {
        double old = x->fea[k];
        x->fea[k] = old + h;
        chgi_correction up = predict(delta, x, NULL, NULL);
        x->fea[k] = old - h;
        chgi_correction down = predict(delta, x, NULL, NULL);
        x->fea[k] = old;
        error = fmax(error, fabs(g[k] - (up.energy - down.energy) / (2 * h)));
        std_error = fmax(std_error, fabs(sg[k] - (up.std - down.std) / (2 * h)));
        largest = fmax(largest, fabs(g[k]));
        std_largest = fmax(std_largest, fabs(sg[k]));
    }
    bool ok = tap_ok(error < 1e-7 * largest && std_error < 1e-6 * std_largest,
                     "%s, %s, %s%s: gradients of energy and standard deviation by central differences", sh->name,
                     kernel, forces ? "energies and forces" : "energies", n_inducing ? ", sparse" : "");
    if (!ok)
        tap_note("errors %.3g of %.3g, %.3g of %.3g", error, largest, std_error, std_largest);
    chgi_delta_destroy(delta);
}

/* ---- gradient of the likelihood -----------------------------------------------------------------------------------
 */

static void compare_likelihood(const shape *sh, const char *kernel, bool forces, int64_t n_inducing)
{
    static plain_structure s[N_LABEL];
    chgi_label labels[N_LABEL];
    chgi_delta_choice choice = make_choice(sh, kernel);
    choice.n_inducing = n_inducing;
    choice.inducing = CHGI_INDUCING_KMEANS; /* does not depend on hyperparameters */
    make_structures(N_LABEL, forces, s);
    make_labels(N_LABEL, s, labels);
    int n = chgi_covariance_count(&choice.covariance) + 2;
    double value, gradient[CHGI_MAX_PARAMETER + 2], h = 1e-5, error = 0, up, down;
    if (chgi_delta_likelihood(NULL, &choice, PLAIN_FEATURES, N_LABEL, labels, &value, gradient) != CHGNET_OK)
        tap_bail("no likelihood");
    for (int k = 0; k < n; k++) {
        chgi_delta_choice moved = choice;
        chgi_parameter *p = k < n - 2   ? chgi_covariance_parameter(&moved.covariance, k)
                            : k < n - 1 ? &moved.noise_energy
                                        : &moved.noise_force;
        double old = p->value;
        p->value = old * exp(h);
        chgnet_status first = chgi_delta_likelihood(NULL, &moved, PLAIN_FEATURES, N_LABEL, labels, &up, NULL);
        p->value = old * exp(-h);
        chgnet_status second = chgi_delta_likelihood(NULL, &moved, PLAIN_FEATURES, N_LABEL, labels, &down, NULL);
        if (first != CHGNET_OK || second != CHGNET_OK)
            tap_bail("no likelihood");
        error = fmax(error, fabs(gradient[k] - (up - down) / (2 * h)) / (1 + fabs(gradient[k])));
    }
    /* Rounding of a likelihood near 100, 1e-13, over the step. */
    if (!tap_ok(error < 1e-7, "%s, %s, %s%s: gradient of the likelihood by central differences", sh->name, kernel,
                forces ? "energies and forces" : "energies", n_inducing ? ", sparse" : ""))
        tap_note("error %.3g", error);
}

/* ---- leave-one-out, folds ------------------------------------------------------------------------------------------
 */

/* The same model made again from all labels but those of one fold: rows are cut out of the tensors. */
static chgi_delta *without(const chgi_delta *delta, const int32_t *fold, int32_t left_out)
{
    static double points[N_LABEL * PLAIN_ATOMS * 16], jacobian[MAX_ROW * PLAIN_ATOMS * 16], targets[MAX_ROW];
    static double count[N_LABEL * PLAIN_ELEMENTS];
    static int64_t point_start[N_LABEL + 1], row_start[N_LABEL + 1];
    static int32_t groups[N_LABEL * PLAIN_ATOMS], has_energy[N_LABEL];
    chgi_delta_tensors t = chgi_delta_view(delta), u = t;
    int64_t from = 0;
    u.n_label = u.n_point = u.n_row = u.n_jacobian = 0;
    for (int64_t k = 0; k < t.n_label; k++) {
        int64_t n = t.point_start[k + 1] - t.point_start[k], m = t.row_start[k + 1] - t.row_start[k];
        int64_t size = n * (m - t.has_energy[k]) * t.width;
        if (fold[k] != left_out) {
            memcpy(points + u.n_point * t.width, t.points + t.point_start[k] * t.width, (size_t)(n * t.width) * 8);
            memcpy(groups + u.n_point, t.groups + t.point_start[k], (size_t)n * 4);
            memcpy(targets + u.n_row, t.targets + t.row_start[k], (size_t)m * 8);
            memcpy(jacobian + u.n_jacobian, t.jacobian + from, (size_t)size * 8);
            memcpy(count + u.n_label * t.n_element, t.count + k * t.n_element, (size_t)t.n_element * 8);
            has_energy[u.n_label] = t.has_energy[k];
            u.n_point += n;
            u.n_row += m;
            u.n_jacobian += size;
            point_start[++u.n_label] = u.n_point;
            row_start[u.n_label] = u.n_row;
        }
        from += size;
    }
    u.points = points;
    u.groups = groups;
    u.targets = targets;
    u.jacobian = jacobian;
    u.count = count;
    u.has_energy = has_energy;
    u.point_start = point_start;
    u.row_start = row_start;
    u.weights = NULL;
    chgi_delta *made;
    if (chgi_delta_restore(NULL, &u, &made) != CHGNET_OK)
        tap_bail("cannot make the model again");
    return made;
}

/* Forces of a prediction along the label's directions: - gradient . J. */
static double force_of(const plain_structure *s, int row, const double *gradient)
{
    double sum = 0;
    for (int k = 0; k < s->n_atom * PLAIN_FEATURES; k++)
        sum -= gradient[k] * s->jacobian[row * s->n_atom * PLAIN_FEATURES + k];
    return sum;
}

static void compare_leave_out(const shape *sh, const char *kernel, bool forces, bool folds, int64_t n_inducing)
{
    static plain_structure s[N_LABEL];
    static plain_fit plain;
    chgi_label labels[N_LABEL];
    int32_t fold[N_LABEL];
    double energy[N_LABEL], std[N_LABEL], force[MAX_ROW], force_std[MAX_ROW], error[4] = {0};
    double gradient[PLAIN_ATOMS * PLAIN_FEATURES];
    chgi_delta_choice choice = make_choice(sh, kernel);
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL, forces, s);
    make_labels(N_LABEL, s, labels);
    for (int k = 0; k < N_LABEL; k++)
        fold[k] = folds ? k % 3 : k;
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    plain_model m = model_of(delta);
    if (chgi_delta_leave_out(NULL, delta, folds ? fold : NULL, energy, std, force, force_std) != CHGNET_OK)
        tap_bail("no leave-one-out");
    for (int k = 0, next = 0; k < N_LABEL; next += s[k++].n_force) {
        chgi_delta *rest = without(delta, fold, fold[k]);
        chgi_correction got = predict(rest, &s[k], gradient, NULL);
        if (s[k].has_energy) {
            error[0] = fmax(error[0], fabs(got.energy - energy[k]));
            error[1] = fmax(error[1], fabs(got.std * got.std - std[k] * std[k]));
        } else
            error[0] += !isnan(energy[k]);
        for (int r = 0; r < s[k].n_force; r++)
            error[2] = fmax(error[2], fabs(force_of(&s[k], r, gradient) - force[next + r]));
        if (!folds && !n_inducing && forces) {
            long double mean, variance;
            plain_make(&m, N_LABEL, s, chgi_delta_view(delta).offset_centre, k, &plain);
            for (int r = 0; r < s[k].n_force; r++) {
                plain_predict(&m, s, &plain, &s[k], r, &mean, &variance);
                error[3] = fmax(error[3], fabs((double)variance - force_std[next + r] * force_std[next + r]));
            }
        }
        chgi_delta_destroy(rest);
    }
    /* Both ways solve systems of condition 1e4 or so in double; the plain one has its differences' errors. */
    if (!tap_ok(error[0] < 1e-10 && error[1] < 1e-10 && error[2] < 1e-10 && error[3] < plain_tolerance,
                "%s, %s, %s%s: %s as by fits without these labels", sh->name, kernel,
                forces ? "energies and forces" : "energies", n_inducing ? ", sparse" : "",
                folds ? "three folds" : "leave-one-out"))
        tap_note("errors %.3g %.3g %.3g %.3g", error[0], error[1], error[2], error[3]);
    chgi_delta_destroy(delta);
}

/* Calibrated, left-out energies lie one standard deviation away in the root mean square; all deviations grow alike. */
static void test_calibration(int64_t n_inducing)
{
    static plain_structure s[N_LABEL];
    chgi_label labels[N_LABEL];
    double energy[N_LABEL], std[N_LABEL], g[PLAIN_ATOMS * PLAIN_FEATURES], sum = 0;
    double slope[2][PLAIN_ATOMS * PLAIN_FEATURES];
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[0]);
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL, false, s);
    make_labels(N_LABEL, s, labels);
    chgi_delta *plain = fit(&choice, N_LABEL, labels);
    choice.calibrate = true;
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    if (chgi_delta_leave_out(NULL, delta, NULL, energy, std, NULL, NULL) != CHGNET_OK)
        tap_bail("no leave-one-out");
    for (int k = 0; k < N_LABEL; k++)
        sum += (energy[k] - s[k].energy) * (energy[k] - s[k].energy) / (std[k] * std[k]) / N_LABEL;
    tap_near(sum, 1, 1e-12, "calibrated by left-out energies");
    double scale = chgi_delta_describe(delta).std_scale;
    chgi_correction a = predict(plain, &s[1], g, slope[0]), b = predict(delta, &s[1], g, slope[1]);
    tap_ok(scale != 1 && a.energy == b.energy, "which changes no energy");
    tap_near(b.std, scale * a.std, 1e-14, "and every standard deviation alike");
    tap_near(slope[1][3], scale * slope[0][3], 1e-12 * (1 + fabs(slope[0][3])), "with its gradient");
    chgi_delta_destroy(plain);
    chgi_delta_destroy(delta);
}

/* ---- labels added --------------------------------------------------------------------------------------------------
 */

static double distance(const chgi_delta *a, const chgi_delta *b, const plain_structure *s)
{
    double ga[PLAIN_ATOMS * PLAIN_FEATURES], gb[PLAIN_ATOMS * PLAIN_FEATURES], sa[PLAIN_ATOMS * PLAIN_FEATURES];
    double sb[PLAIN_ATOMS * PLAIN_FEATURES];
    chgi_correction x = predict(a, s, ga, sa), y = predict(b, s, gb, sb);
    double worst = fmax(fabs(x.energy - y.energy), fabs(x.std - y.std));
    for (int k = 0; k < s->n_atom * PLAIN_FEATURES; k++)
        worst = fmax(worst, fmax(fabs(ga[k] - gb[k]), fabs(sa[k] - sb[k])));
    return worst;
}

static void compare_added(const shape *sh, bool forces, int64_t n_inducing)
{
    static plain_structure s[N_LABEL + 1];
    chgi_label labels[N_LABEL + 1];
    int32_t nothing[N_LABEL] = {0};
    chgi_delta_choice choice = make_choice(sh, kernels[3]);
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL + 1, forces, s);
    make_labels(N_LABEL + 1, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL - 3, labels);
    if (chgi_delta_add(NULL, delta, 1, labels + N_LABEL - 3) != CHGNET_OK ||
        chgi_delta_add(NULL, delta, 2, labels + N_LABEL - 2) != CHGNET_OK)
        tap_bail("labels cannot be added");
    chgi_delta *again = without(delta, nothing, 1);
    double error = distance(delta, again, &s[N_LABEL]);
    chgi_delta_summary x = chgi_delta_describe(delta), y = chgi_delta_describe(again);
    error = fmax(error, fabs(x.log_likelihood - y.log_likelihood) / 100);
    /* The same systems factored in another order, of condition 1e4. */
    if (!tap_ok(error < 1e-11 && x.n_label == N_LABEL, "%s%s, %s: adding labels is as fitting to all of them", sh->name,
                n_inducing ? ", sparse" : "", forces ? "energies and forces" : "energies"))
        tap_note("error %.3g", error);
    chgi_delta_destroy(delta);
    chgi_delta_destroy(again);
}

/* ---- sparse is dense ------------------------------------------------------------------------------------------------
 */

static void compare_sparse(const char *kernel)
{
    static plain_structure s[N_LABEL + 1];
    chgi_label labels[N_LABEL + 1];
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernel), sparse = choice;
    static const chgi_inducing kinds[] = {CHGI_INDUCING_GREEDY, CHGI_INDUCING_CUR, CHGI_INDUCING_KMEANS};
    make_structures(N_LABEL + 1, false, s);
    make_labels(N_LABEL + 1, s, labels);
    chgi_delta *dense = fit(&choice, N_LABEL, labels);
    for (int k = 0; k < 3; k++) {
        sparse.n_inducing = N_LABEL * PLAIN_ATOMS;
        sparse.inducing = kinds[k];
        chgi_delta *all = fit(&sparse, N_LABEL, labels);
        chgi_delta_summary x = chgi_delta_describe(dense), y = chgi_delta_describe(all);
        double error = distance(dense, all, &s[N_LABEL]);
        double likelihood = fabs(x.log_likelihood - y.log_likelihood);
        /* The inducing points' matrix has a condition of up to 1e7 here. */
        if (!tap_ok(error < 1e-9 && likelihood < 1e-9 && y.n_inducing > 0,
                    "%s: sparse with every atom is dense (choice %d, %lld of %lld points)", kernel, (int)kinds[k],
                    (long long)y.n_inducing, (long long)y.n_point))
            tap_note("error %.3g, likelihood %.3g", error, likelihood);
        chgi_delta_destroy(all);
    }
    chgi_delta_destroy(dense);
}

/* ---- shares of atoms ------------------------------------------------------------------------------------------------
 */

static void test_sites(int64_t n_inducing)
{
    static plain_structure s[N_LABEL + 1];
    chgi_label labels[N_LABEL + 1];
    double site[PLAIN_ATOMS], novelty[PLAIN_ATOMS], sum = 0;
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[0]);
    static const double zero[119];
    choice.offsets = zero;
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL + 1, true, s);
    make_labels(N_LABEL + 1, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    chgi_correction correction = {.site = site, .novelty = novelty, .want_std = true};
    if (chgi_delta_predict(NULL, delta, s[0].n_atom, s[0].numbers, s[0].fea, &workspace, &correction) != CHGNET_OK)
        tap_bail("no prediction");
    for (int i = 0; i < s[0].n_atom; i++)
        sum += site[i];
    tap_near(sum, correction.energy, 1e-12, "the atoms' shares add up");
    /* Alone in its structure an atom's share is the energy, and its novelty the variance. */
    double lone, lone_novelty;
    chgi_correction one = {.site = &lone, .novelty = &lone_novelty, .want_std = true};
    if (chgi_delta_predict(NULL, delta, 1, s[N_LABEL].numbers, s[N_LABEL].fea, &workspace, &one) != CHGNET_OK)
        tap_bail("no prediction");
    tap_near(lone, one.energy, 1e-12, "a lone atom's share");
    tap_near(lone_novelty, one.std * one.std, 1e-11,
             n_inducing ? "a lone atom's novelty, sparse" : "a lone atom's novelty");
    chgi_delta_destroy(delta);
}

/* ---- what a model is made of ----------------------------------------------------------------------------------------
 */

static void test_restore(int64_t n_inducing)
{
    static plain_structure s[N_LABEL + 1];
    chgi_label labels[N_LABEL + 1];
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[3]);
    choice.n_inducing = n_inducing;
    choice.calibrate = true;
    make_structures(N_LABEL + 1, true, s);
    make_labels(N_LABEL + 1, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels), *same = NULL, *bad = NULL;
    chgi_delta_tensors t = chgi_delta_view(delta);
    tap_is_int(chgi_delta_restore(NULL, &t, &same), CHGNET_OK, "a model from its tensors");
    tap_ok(distance(delta, same, &s[N_LABEL]) == 0, "predicts with the same bits");
    tap_ok(chgi_delta_add(NULL, delta, 1, labels + N_LABEL) == CHGNET_OK &&
               chgi_delta_add(NULL, same, 1, labels + N_LABEL) == CHGNET_OK && distance(delta, same, &s[0]) == 0,
           "and learns with the same bits");
    chgi_delta_tensors broken = chgi_delta_view(same);
    broken.n_point--;
    tap_is_int(chgi_delta_restore(NULL, &broken, &bad), CHGNET_EINPUT, "sizes that do not fit are refused");
    broken = chgi_delta_view(same);
    double scale[PLAIN_ELEMENTS * PLAIN_FEATURES] = {0};
    broken.scale = scale;
    tap_is_int(chgi_delta_restore(NULL, &broken, &bad), CHGNET_EINPUT, "a scale of zero is refused");
    chgi_delta_destroy(delta);
    chgi_delta_destroy(same);
}

/* ---- optimiser, threads
 * ---------------------------------------------------------------------------------------------- */

static chgnet_status valley(void *self, const double *x, double *value, double *gradient)
{
    (void)self; /* Rosenbrock's */
    double a = 1 - x[0], b = x[1] - x[0] * x[0];
    *value = a * a + 100 * b * b;
    gradient[0] = -2 * a - 400 * x[0] * b;
    gradient[1] = 200 * b;
    return CHGNET_OK;
}

static void test_lbfgs(void)
{
    double low[] = {-2, -2}, high[] = {2, 2}, x[] = {-1.2, 1}, value;
    tap_is_int(chgi_lbfgs_minimize(2, low, high, x, 200, 1e-12, valley, NULL, &value), CHGNET_OK, "a valley");
    tap_ok(fabs(x[0] - 1) < 1e-5 && fabs(x[1] - 1) < 1e-5, "its minimum within the box");
    double high_cut[] = {0.5, 2}, y[] = {-1.2, 1};
    tap_is_int(chgi_lbfgs_minimize(2, low, high_cut, y, 200, 1e-12, valley, NULL, &value), CHGNET_OK, "a wall in it");
    tap_ok(y[0] == 0.5 && fabs(y[1] - 0.25) < 1e-6, "its minimum at the wall");
}

static void test_optimise(bool forces, int64_t n_inducing)
{
    static plain_structure s[N_LABEL];
    chgi_label labels[N_LABEL];
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], "constant(1[0.01:100]~1:2)*rbf(4[0.5:50]~4:1)");
    choice.n_inducing = n_inducing;
    make_structures(N_LABEL, forces, s);
    make_labels(N_LABEL, s, labels);
    chgi_delta *fixed = fit(&choice, N_LABEL, labels);
    choice.optimize = true;
    int old = omp_get_max_threads();
    omp_set_num_threads(1);
    chgi_delta *one = fit(&choice, N_LABEL, labels);
    omp_set_num_threads(3);
    chgi_delta *three = fit(&choice, N_LABEL, labels);
    chgi_delta_summary x = chgi_delta_describe(one), y = chgi_delta_describe(fixed);
    tap_ok(x.log_likelihood + x.log_prior > y.log_likelihood + y.log_prior,
           "optimised hyperparameters are likelier%s%s", forces ? ", forces" : "", n_inducing ? ", sparse" : "");
    chgi_delta_tensors a = chgi_delta_view(one), b = chgi_delta_view(three);
    int64_t n = n_inducing ? a.n_inducing + a.n_element : a.n_row;
    tap_ok(a.log_likelihood == b.log_likelihood && memcmp(a.weights, b.weights, (size_t)n * sizeof *a.weights) == 0,
           "one thread and three give the same bits");
    double before = predict(one, &s[0], NULL, NULL).std;
    omp_set_num_threads(1);
    tap_ok(before == predict(one, &s[0], NULL, NULL).std, "also of predictions");
    omp_set_num_threads(old);
    chgi_delta_destroy(fixed);
    chgi_delta_destroy(one);
    chgi_delta_destroy(three);
}

/* ---- selection
 * ------------------------------------------------------------------------------------------------------- */

enum { ALL = 16, PICKS = 4 };

/* Largest variance by hand: each pick is added as a label with any energy, which does not matter for variances. */
static void test_select(const shape *sh)
{
    static plain_structure s[ALL];
    chgi_label labels[ALL];
    int64_t picks[PICKS], sparse_picks[PICKS];
    double score[PICKS], sparse_score[PICKS], error = 0;
    bool taken[ALL] = {false}, same = true;
    chgi_delta_choice choice = make_choice(sh, kernels[0]), sparse = choice;
    sparse.n_inducing = N_LABEL * PLAIN_ATOMS;
    make_structures(ALL, false, s);
    make_labels(ALL, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels), *all = fit(&sparse, N_LABEL, labels);
    if (chgi_delta_select(NULL, delta, ALL - N_LABEL, labels + N_LABEL, CHGI_LARGEST_VARIANCE, PICKS, picks, score) ||
        chgi_delta_select(NULL, all, ALL - N_LABEL, labels + N_LABEL, CHGI_LARGEST_VARIANCE, PICKS, sparse_picks,
                          sparse_score))
        tap_bail("no selection");
    for (int k = 0; k < PICKS; k++) {
        int best = -1;
        double most = 0;
        for (int c = N_LABEL; c < ALL; c++) {
            double std = predict(delta, &s[c], NULL, NULL).std;
            if (!taken[c] && (best < 0 || std > most)) {
                best = c;
                most = std;
            }
        }
        taken[best] = true;
        same = same && picks[k] == best - N_LABEL && picks[k] == sparse_picks[k];
        error = fmax(error, fmax(fabs(score[k] - most), fabs(sparse_score[k] - most)));
        if (chgi_delta_add(NULL, delta, 1, &labels[best]) != CHGNET_OK)
            tap_bail("labels cannot be added");
    }
    /* As where sparse is compared with dense. */
    if (!tap_ok(same && error < 1e-9,
                "%s: picks by largest variance, dense and sparse, are those of adding one after the other", sh->name))
        tap_note("error %.3g", error);
    chgi_delta_destroy(delta);
    chgi_delta_destroy(all);
}

static void test_farthest(const shape *sh)
{
    static plain_structure s[ALL];
    chgi_label labels[ALL];
    int64_t picks[PICKS];
    double score[PICKS];
    chgi_delta_choice choice = make_choice(sh, kernels[0]);
    make_structures(ALL, false, s);
    s[N_LABEL + 1] = s[0];           /* known */
    s[N_LABEL + 3] = s[N_LABEL + 2]; /* twice the same */
    for (int k = 0; k < PLAIN_FEATURES; k++)
        s[N_LABEL + 2].fea[k] = s[N_LABEL + 3].fea[k] += 30;
    make_labels(ALL, s, labels);
    chgi_delta *delta = fit(&choice, N_LABEL, labels);
    if (chgi_delta_select(NULL, delta, 4, labels + N_LABEL, CHGI_FARTHEST, PICKS, picks, score))
        tap_bail("no selection");
    tap_ok(picks[0] == 2 && score[0] > score[1] && picks[1] == 0, "%s: the farthest first", sh->name);
    /* Squared distances near 0 keep the rounding of |x|^2, 1e-16 of up to 1e3. */
    tap_ok(score[2] < 1e-5 && score[3] < 1e-5, "%s: what is known, or picked already, comes last", sh->name);
    tap_is_int(chgi_delta_select(NULL, delta, 3, labels, CHGI_FARTHEST, 4, picks, score), CHGNET_EINPUT,
               "more picks than candidates are refused");
    chgi_delta_destroy(delta);
}

/* ---- bad and strange input
 * -------------------------------------------------------------------------------------------- */

static int warnings;

static void count_warning(const char *text, void *user)
{
    (void)text;
    (void)user;
    warnings++;
}

static void test_duplicates(void)
{
    static plain_structure s[4];
    chgi_label labels[4];
    chgnet_context *ctx;
    chgi_delta *delta;
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[0]);
    choice.noise_energy.value = choice.noise_energy.low = 1e-12;
    choice.noise_force.value = choice.noise_force.low = 1e-12;
    make_structures(4, true, s);
    s[2] = s[3] = s[0];
    make_labels(4, s, labels);
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no context");
    chgnet_context_on_warning(ctx, count_warning, NULL);
    tap_is_int(chgi_delta_fit(ctx, &choice, PLAIN_FEATURES, 4, labels, &delta), CHGNET_OK,
               "equal labels without noise: a fit with jitter");
    chgi_delta_summary summary = chgi_delta_describe(delta);
    tap_ok(summary.jitter > 0 && warnings == 1, "which is told");
    chgi_correction got = predict(delta, &s[0], NULL, NULL);
    tap_ok(isfinite(got.energy) && isfinite(got.std), "finite results");
    tap_near(got.energy, s[0].energy, 1e-4, "that still pass through the labels"); /* the jitter is up to 1e-6 */
    chgi_delta_destroy(delta);
    chgnet_context_destroy(ctx);
}

static void test_strange(void)
{
    static plain_structure s[3];
    chgi_label labels[3];
    chgi_delta *delta;
    make_structures(3, true, s);
    make_labels(3, s, labels);
    for (int k = 0; k < N_SHAPE; k++) {
        chgi_delta_choice choice = make_choice(&shapes[k], kernels[0]);
        choice.optimize = true;
        delta = fit(&choice, 1, labels);
        tap_ok(delta && isfinite(predict(delta, &s[0], NULL, NULL).energy), "%s: one label", shapes[k].name);
        chgi_delta_destroy(delta);
    }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < s[k].n_atom; i++)
            s[k].fea[i * PLAIN_FEATURES + 2] = 0.1; /* a feature without variance */
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[0]);
    delta = fit(&choice, 3, labels);
    tap_near(chgi_delta_view(delta).scale[2], 1, 0, "a feature without variance keeps its unit");
    tap_ok(isfinite(predict(delta, &s[0], NULL, NULL).energy), "and spoils nothing");
    int32_t unknown = 3;
    double fea[PLAIN_FEATURES] = {0};
    chgi_correction correction = {0};
    tap_is_int(chgi_delta_predict(NULL, delta, 1, &unknown, fea, &workspace, &correction), CHGNET_EINPUT,
               "an element that no label had");
    chgi_label strange = {.n_atom = 1, .numbers = &unknown, .fea = fea, .has_energy = true};
    tap_is_int(chgi_delta_add(NULL, delta, 1, &strange), CHGNET_EINPUT, "also in a label that is added");
    strange.numbers = s[0].numbers;
    strange.energy = NAN;
    tap_is_int(chgi_delta_add(NULL, delta, 1, &strange), CHGNET_EINPUT, "an energy that is not a number");
    chgi_delta_destroy(delta);
}

static void test_refusals(void)
{
    static plain_structure s[2];
    chgi_label labels[2];
    chgi_delta *delta;
    chgi_delta_choice choice = make_choice(&shapes[ATOMIC], kernels[0]), bad = choice;
    make_structures(2, false, s);
    make_labels(2, s, labels);
    tap_is_int(chgi_delta_fit(NULL, &choice, PLAIN_FEATURES, 0, labels, &delta), CHGNET_EINPUT, "no labels");
    labels[0].has_energy = labels[1].has_energy = false;
    tap_is_int(chgi_delta_fit(NULL, &choice, PLAIN_FEATURES, 2, labels, &delta), CHGNET_EINPUT,
               "labels without values");
    labels[0].has_energy = true;
    bad.mix = 2;
    tap_is_int(chgi_delta_fit(NULL, &bad, PLAIN_FEATURES, 2, labels, &delta), CHGNET_EINPUT, "a share beyond 1");
    bad = choice;
    bad.noise_energy.value = 0;
    tap_is_int(chgi_delta_fit(NULL, &bad, PLAIN_FEATURES, 2, labels, &delta), CHGNET_EINPUT, "noise of zero");
    bad = choice;
    bad.covariance.n_factor = 0;
    tap_is_int(chgi_delta_fit(NULL, &bad, PLAIN_FEATURES, 2, labels, &delta), CHGNET_EINPUT, "no kernel");
    bad = choice;
    bad.n_inducing = (int64_t)1 << 30;
    tap_is_int(chgi_delta_fit(NULL, &bad, PLAIN_FEATURES, 2, labels, &delta), CHGNET_OK,
               "more inducing points than there are points");
    chgi_delta_destroy(delta);
}

int main(void)
{
    for (int forces = 0; forces < 2; forces++)
        for (int sh = 0; sh < N_SHAPE; sh++)
            for (int k = 0; k < N_KERNEL; k++) {
                compare_gradients(&shapes[sh], kernels[k], forces, 0);
                compare_likelihood(&shapes[sh], kernels[k], forces, 0);
                if (k == 0 || k == 3)
                    compare_plain(&shapes[sh], kernels[k], forces);
            }
    for (int forces = 0; forces < 2; forces++) {
        for (int sh = 0; sh < N_SHAPE; sh++) {
            compare_leave_out(&shapes[sh], kernels[0], forces, false, 0);
            compare_leave_out(&shapes[sh], kernels[1], forces, true, 0);
            compare_added(&shapes[sh], forces, 0);
        }
        compare_gradients(&shapes[ATOMIC], kernels[3], forces, 12);
        compare_likelihood(&shapes[ATOMIC], kernels[3], forces, 12);
        compare_likelihood(&shapes[ATOMIC + 1], kernels[2], forces, 12);
        compare_leave_out(&shapes[ATOMIC], kernels[1], forces, false, 12);
        compare_leave_out(&shapes[ATOMIC], kernels[1], forces, true, 12);
        compare_added(&shapes[ATOMIC], forces, 12);
        test_optimise(forces, 0);
        test_optimise(forces, 12);
    }
    for (int k = 0; k < N_KERNEL; k++)
        compare_sparse(kernels[k]);
    test_calibration(0);
    test_calibration(12);
    test_sites(0);
    test_sites(12);
    test_restore(0);
    test_restore(12);
    test_lbfgs();
    test_select(&shapes[ATOMIC]);
    test_select(&shapes[2]);
    test_farthest(&shapes[ATOMIC]);
    test_farthest(&shapes[0]);
    test_duplicates();
    test_strange();
    test_refusals();
    chgi_delta_workspace_destroy(&workspace);
    return tap_done();
}
