/* The delta-model inside the calculator: corrected forces and stress, and the gradient of the standard deviation,
 * against central differences in double, for each aggregation, layer and kernel; and that a step allocates nothing.
 *
 * What the network says of displaced structures does not depend on the delta-model: it is computed once, and every
 * delta-model corrects it.  The tolerance is 1e-6 of the largest component.  The step is smaller than in difference.h:
 * in the crystal pairs of bonds come so close to 180 degrees that 3e-5 A leaves 2e-6, a hundredth of that at 1e-5 A;
 * then rounding is what is left, 3e-8 of the energy's gradient and 1e-7 of the standard deviation's, a root of
 * differences. */
#include "allocations.h"
#include "calc/jacobian.h"
#include "difference.h"

static const double TOLERANCE = 1e-6, STEP = 1e-5;

enum {
    N_FEATURE = 64,
    MOST_ATOMS = 4,
    LABELS = 6,
    FORCE_LABELS = 2, /* so many of them have forces, too */
    SIDES = 4,
    STRAINS = 9,
    WANT_ALL = SAMPLE_GRADIENT | CHGNET_WANT_STD | CHGNET_WANT_STD_GRADIENT
};

static uint64_t state = 3;

static double *room(int64_t count)
{
    double *x = chgi_memory_new((size_t)count, sizeof *x);
    if (!x)
        tap_bail("no memory");
    return x;
}

/* A structure, labels to learn from, and what the network says when one coordinate or strain component is a step or two
 * to either side. */
typedef struct trial {
    const char *name;
    chgnet_calculator *calculator;
    chgi_structure structure;
    chgi_label labels[2][LABELS]; /* of either layer */
    struct {
        double energy, *fea[2];
    } moved[3 * MOST_ATOMS + STRAINS][SIDES];
} trial;

static int direction_count(const trial *t)
{
    return 3 * (int)t->structure.n_atom + STRAINS;
}

/* ---- making a trial ------------------------------------------------------------------------------- */

static double *copy_of(int64_t count, const double *from)
{
    double *copy = room(count);
    memcpy(copy, from, (size_t)count * sizeof *copy);
    return copy;
}

/* The structure rattled, with random labels of the size that corrections have. */
static void make_label(trial *t, int k)
{
    chgnet_calculator *c = t->calculator;
    chgi_structure s;
    int64_t n = t->structure.n_atom, n_force = k < FORCE_LABELS ? 3 * n - 2 : 0;
    static int32_t components[3 * MOST_ATOMS];
    double energy = sample_symmetric(&state, 0.3), *forces = room(n_force);
    for (int d = 0; d < 3 * MOST_ATOMS; d++)
        components[d] = d;
    sample_must(c->ctx, chgi_structure_copy(c->ctx, &t->structure, &s));
    sample_rattle(&s, &state, 0.15);
    sample_compute(c, &s, CHGNET_WANT_ENERGY);
    sample_fill(&state, 0.5, n_force, forces);
    for (int layer = 0; layer < 2; layer++) {
        double *jacobian = room(n_force * n * N_FEATURE);
        const double *fea = layer ? c->atom_fea_final : c->atom_fea;
        t->labels[layer][k] = (chgi_label){.n_atom = n,
                                           .numbers = t->structure.numbers,
                                           .fea = copy_of(n * N_FEATURE, fea),
                                           .has_energy = true,
                                           .energy = energy,
                                           .n_force = n_force,
                                           .component = components,
                                           .forces = copy_of(n_force, forces),
                                           .jacobian = jacobian};
        sample_must(c->ctx, chgi_calculator_jacobian(c, layer ? CHGI_ATOM_FEA_FINAL : CHGI_ATOM_FEA, n_force,
                                                     components, jacobian));
    }
    chgi_memory_free(forces);
    chgi_structure_destroy(&s);
}

static void displace(const trial *t, int direction, double step, chgi_structure *moved)
{
    int n = 3 * (int)t->structure.n_atom;
    double strain[3][3] = {{0}};
    sample_must(t->calculator->ctx, chgi_structure_copy(t->calculator->ctx, &t->structure, moved));
    if (direction < n)
        moved->positions[direction] += step;
    else
        strain[(direction - n) / 3][(direction - n) % 3] = step;
    sample_strain(moved, strain);
}

static const double side_steps[SIDES] = {1, -1, 2, -2};

static void trial_new(chgnet_context *ctx, const chgnet_model *model, const sample *from, trial *t)
{
    const chgi_hyper *h = &chgi_model_weights(model)->hyper;
    t->name = from->name;
    t->calculator = sample_calculator(ctx, model, true, 1);
    difference_sample(ctx, from, h->atom_cutoff, h->bond_cutoff, &state, &t->structure);
    int64_t count = t->structure.n_atom * N_FEATURE;
    for (int k = 0; k < LABELS; k++)
        make_label(t, k);
    for (int d = 0; d < direction_count(t); d++)
        for (int side = 0; side < SIDES; side++) {
            chgi_structure moved;
            displace(t, d, side_steps[side] * STEP, &moved);
            sample_compute(t->calculator, &moved, CHGNET_WANT_ENERGY);
            t->moved[d][side].energy = t->calculator->energy;
            t->moved[d][side].fea[CHGI_ATOM_FEA] = copy_of(count, t->calculator->atom_fea);
            t->moved[d][side].fea[CHGI_ATOM_FEA_FINAL] = copy_of(count, t->calculator->atom_fea_final);
            chgi_structure_destroy(&moved);
        }
}

static void trial_free(trial *t)
{
    for (int layer = 0; layer < 2; layer++) {
        for (int k = 0; k < LABELS; k++) {
            chgi_memory_free((void *)(uintptr_t)t->labels[layer][k].fea);
            chgi_memory_free((void *)(uintptr_t)t->labels[layer][k].forces);
            chgi_memory_free((void *)(uintptr_t)t->labels[layer][k].jacobian);
        }
        for (int d = 0; d < direction_count(t); d++)
            for (int side = 0; side < SIDES; side++)
                chgi_memory_free(t->moved[d][side].fea[layer]);
    }
    chgi_structure_destroy(&t->structure);
    chgnet_calculator_destroy(t->calculator);
}

/* ---- differences --------------------------------------------------------------------------------- */

/* Corrected energy and standard deviation along every direction: [0] and [1]. */
static void differences(trial *t, const chgi_delta *delta, chgi_embedding_layer layer, double *slope[2])
{
    chgnet_context *ctx = t->calculator->ctx;
    chgi_delta_workspace workspace = {0};
    for (int d = 0; d < direction_count(t); d++) {
        double value[2][SIDES];
        for (int side = 0; side < SIDES; side++) {
            chgi_correction correction = {.want_std = true};
            sample_must(ctx, chgi_delta_predict(ctx, delta, t->structure.n_atom, t->structure.numbers,
                                                t->moved[d][side].fea[layer], &workspace, &correction));
            value[0][side] = t->moved[d][side].energy + correction.energy;
            value[1][side] = correction.std;
        }
        for (int k = 0; k < 2; k++)
            slope[k][d] = (8 * (value[k][0] - value[k][1]) - (value[k][2] - value[k][3])) / (12 * STEP);
    }
    chgi_delta_workspace_destroy(&workspace);
}

static void compare(int64_t n, const double *forces, double virial[3][3], const double *slope, const char *label,
                    const char *what)
{
    double dx[3 * MOST_ATOMS];
    for (int64_t k = 0; k < n; k++)
        dx[k] = -forces[k];
    double error = sample_error(n, dx, slope), largest = sample_largest(n, slope);
    tap_ok(error <= TOLERANCE * largest, "%s: forces of the %s, error %.1e of %.2g", label, what, error, largest);
    error = sample_error(STRAINS, virial[0], slope + n);
    largest = sample_largest(STRAINS, slope + n);
    tap_ok(error <= TOLERANCE * largest, "%s: virial of the %s, error %.1e of %.2g", label, what, error, largest);
}

/* Parts against the whole. */
static void check_shares(const chgnet_calculator *c, double plain, const char *label)
{
    double site = 0, share = 0;
    for (int64_t i = 0; i < c->graph.n_atom; i++) {
        site += c->site_energies[i];
        share += c->site_corrections[i];
    }
    /* Sums of a few numbers below 100 in double. */
    tap_ok(fabs(site - c->energy) < 1e-11 && fabs(share - c->delta_energy) < 1e-11 &&
               fabs(plain + c->delta_energy - c->energy) < 1e-11 && c->delta_energy != 0,
           "%s: energy is CHGNet's plus the correction, and the sum of the sites'", label);
}

static void check_delta(trial *t, const chgi_delta *delta, chgi_embedding_layer layer, const char *label)
{
    chgnet_calculator *c = t->calculator;
    int64_t n = 3 * t->structure.n_atom;
    double room_for[2][3 * MOST_ATOMS + STRAINS], *slope[2] = {room_for[0], room_for[1]};
    differences(t, delta, layer, slope);
    sample_must(c->ctx, chgi_calculator_set_delta(c, NULL));
    sample_compute(c, &t->structure, CHGNET_WANT_ENERGY);
    double plain = c->energy;
    sample_must(c->ctx, chgi_calculator_set_delta(c, delta));
    sample_must(c->ctx, chgi_calculator_compute(c, WANT_ALL));
    compare(n, c->forces, c->virial, slope[0], label, "energy");
    compare(n, c->std_forces, c->std_virial, slope[1], label, "standard deviation");
    check_shares(c, plain, label);
    sample_must(c->ctx, chgi_calculator_set_delta(c, NULL));
}

/* ---- delta-models ---------------------------------------------------------------------------------- */

/* Lengths in units of the features' standard deviation; energies in eV. */
static const char *const kernels[] = {
    "constant(1)*rbf(16)",          "constant(0.5)*matern(12)",
    "constant(0.7)*rq(14,1.5)",     "constant(0.4)*dot(2)",
    "constant(0.3)*dot(3)*rbf(20)", "constant(0.3)*rbf(8) + constant(0.2)*matern(25) + constant(0.05)",
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

/* Forms of the correction; `forces`: some labels have forces as well. */
typedef struct form {
    const char *name;
    chgi_aggregation aggregation;
    bool species_sum, mean, scale_by_element, forces;
    double mix;
    int64_t n_inducing;
} form;

static const form forms[] = {
    {"global", CHGI_GLOBAL, false, false, false, false, 0, 0},
    {"global, mean, forces", CHGI_GLOBAL, false, true, false, true, 0, 0},
    {"species", CHGI_SPECIES, false, false, false, false, 0, 0},
    {"species, sum of kernels, forces", CHGI_SPECIES, true, false, false, true, 0, 0},
    {"atomic", CHGI_ATOMIC, false, false, false, false, 0, 0},
    {"atomic, mixed, by element, forces", CHGI_ATOMIC, false, false, true, true, 0.3, 0},
    {"atomic, sparse, forces", CHGI_ATOMIC, false, false, false, true, 0, 10},
};
enum { FORMS = sizeof forms / sizeof *forms };

static chgi_delta *fit(trial *t, const form *f, chgi_embedding_layer layer, const char *kernel)
{
    chgnet_context *ctx = t->calculator->ctx;
    chgi_delta *delta;
    chgi_delta_choice choice = chgi_delta_choice_default();
    chgi_label labels[LABELS];
    memcpy(labels, t->labels[layer], sizeof labels);
    for (int k = 0; k < LABELS && !f->forces; k++)
        labels[k].n_force = 0;
    choice.aggregation = f->aggregation;
    choice.layer = layer;
    choice.species_sum = f->species_sum;
    choice.mean = f->mean;
    choice.scale_by_element = f->scale_by_element;
    choice.mix = f->mix;
    choice.n_inducing = f->n_inducing;
    choice.optimize = false;
    sample_must(ctx, chgi_covariance_parse(ctx, kernel, &choice.covariance));
    sample_must(ctx, chgi_delta_fit(ctx, &choice, N_FEATURE, LABELS, labels, &delta));
    return delta;
}

static void check_forms(trial *t)
{
    static const char *const layers[] = {"atom_fea", "atom_fea_final"};
    for (int f = 0; f < FORMS; f++)
        for (int layer = 0; layer < 2; layer++)
            for (int k = 0; k < KERNELS; k++) {
                char label[300];
                chgi_embedding_layer which = layer ? CHGI_ATOM_FEA_FINAL : CHGI_ATOM_FEA;
                chgi_delta *delta = fit(t, &forms[f], which, kernels[k]);
                snprintf(label, sizeof label, "%s, %s, %s, %s", t->name, forms[f].name, layers[layer], kernels[k]);
                check_delta(t, delta, which, label);
                chgi_delta_destroy(delta);
            }
}

/* ---- a steady step --------------------------------------------------------------------------------- */

static void check_steady(trial *t, const form *f, unsigned want, const char *what)
{
    chgnet_calculator *c = t->calculator;
    chgi_structure s;
    chgi_delta *delta = fit(t, f, CHGI_ATOM_FEA, kernels[KERNELS - 1]);
    sample_must(c->ctx, chgi_structure_copy(c->ctx, &t->structure, &s));
    sample_must(c->ctx, chgi_calculator_set_delta(c, delta));
    c->skin = 1;
    int64_t before = 0;
    for (int step = 0; step < 4; step++) {
        s.positions[0] += 1e-4;
        if (step == 2) /* the first two have let the workspaces grow */
            before = allocations;
        if (step == 0)
            sample_must(c->ctx, chgi_calculator_set_structure(c, &s));
        else
            sample_must(c->ctx, chgi_calculator_set_positions(c, s.positions));
        sample_must(c->ctx, chgi_calculator_compute(c, want));
    }
    tap_ok(before > 0 && allocations == before, "%s: a step with %s allocates nothing", f->name, what);
    c->skin = 0;
    sample_must(c->ctx, chgi_calculator_set_delta(c, NULL));
    chgi_delta_destroy(delta);
    chgi_structure_destroy(&s);
}

static void check_refusals(trial *t)
{
    chgnet_calculator *c = t->calculator;
    chgi_delta *delta = fit(t, &forms[0], CHGI_ATOM_FEA, kernels[0]);
    sample_must(c->ctx, chgi_calculator_set_structure(c, &t->structure));
    tap_ok(chgi_calculator_compute(c, CHGNET_WANT_STD) == CHGNET_EUSAGE, "no standard deviation without a delta-model");
    tap_ok(chgi_calculator_compute(c, CHGNET_WANT_NOVELTY) == CHGNET_EUSAGE, "no novelty without a delta-model");
    sample_must(c->ctx, chgi_calculator_set_delta(c, delta));
    sample_must(c->ctx, chgi_calculator_compute(c, CHGNET_WANT_ENERGY));
    double std, forces[3 * MOST_ATOMS];
    tap_ok(chgnet_calculator_get_energy_std(c, &std) == CHGNET_EUSAGE &&
               chgnet_calculator_get_std_forces(c, forces) == CHGNET_EUSAGE,
           "no standard deviation where it was not asked for");
    sample_must(c->ctx, chgi_calculator_compute(c, CHGNET_WANT_STD_GRADIENT));
    sample_must(c->ctx, chgnet_calculator_get_energy_std(c, &std));
    sample_must(c->ctx, chgnet_calculator_get_std_forces(c, forces));
    tap_ok(std > 0 && std == c->energy_std && memcmp(forces, c->std_forces, sizeof forces[0]) == 0,
           "the gradient of the standard deviation brings the standard deviation");
    double novelty[MOST_ATOMS], corrections[MOST_ATOMS], delta_energy;
    tap_ok(chgnet_calculator_get_novelty(c, novelty) == CHGNET_EUSAGE, "no novelty where it was not asked for");
    sample_must(c->ctx, chgi_calculator_compute(c, CHGNET_WANT_NOVELTY));
    sample_must(c->ctx, chgnet_calculator_get_novelty(c, novelty));
    sample_must(c->ctx, chgnet_calculator_get_site_corrections(c, corrections));
    sample_must(c->ctx, chgnet_calculator_get_delta_energy(c, &delta_energy));
    tap_ok(sample_error(t->structure.n_atom, novelty, c->novelty) == 0 && delta_energy == c->delta_energy &&
               sample_error(t->structure.n_atom, corrections, c->site_corrections) == 0,
           "the public functions give what the calculator holds");
    chgi_structure other;
    sample_must(c->ctx, chgi_structure_copy(c->ctx, &t->structure, &other));
    other.numbers[0] = 3;
    sample_must(c->ctx, chgi_calculator_set_structure(c, &other));
    tap_ok(chgi_calculator_compute(c, CHGNET_WANT_ENERGY) == CHGNET_EINPUT, "an element without label is refused");
    sample_must(c->ctx, chgi_calculator_set_delta(c, NULL));
    chgi_structure_destroy(&other);
    chgi_delta_destroy(delta);
}

int main(void)
{
    static trial slab, crystal;
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    sample_must(ctx, chgnet_model_load(ctx, NULL, &model));
    trial_new(ctx, model, &sample_list[1], &slab);
    trial_new(ctx, model, &sample_list[2], &crystal);
    check_forms(&slab);
    check_forms(&crystal);
    check_refusals(&slab);
    for (int f = 0; f < FORMS; f++) {
        check_steady(&slab, &forms[f], SAMPLE_GRADIENT, "forces");
        check_steady(&slab, &forms[f], WANT_ALL, "the standard deviation and its gradient");
    }
    trial_free(&slab);
    trial_free(&crystal);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
