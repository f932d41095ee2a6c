/* Delta-models by the public functions: fit, save, load, update, and what they refuse.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "api/chgnet.h"

#include <unistd.h>

#include "tap.h"

enum { N_STRUCTURE = 6, N_ATOM = 3, N = N_STRUCTURE * N_ATOM };

static chgnet_context *ctx;
static chgnet_model *model;
static chgnet_calculator *calculator;
static const char path[] = "./test_delta_api.tmp.h5";

/* Bent S-Cu-S molecules; the label is CHGNet's energy and forces, and a harmonic bond from the first atom to the
 * second, which CHGNet knows nothing of. */
static int64_t n_atom[N_STRUCTURE];
static int32_t numbers[N];
static double positions[3 * N], cells[9 * N_STRUCTURE], energies[N_STRUCTURE], forces[3 * N];
static int pbc[3 * N_STRUCTURE];

static void must(chgnet_status status, const char *what)
{
    if (status != CHGNET_OK) {
        tap_note("%s: %s", what, chgnet_context_error(ctx));
        tap_bail(what);
    }
}

static double add_bond(int i, double *force)
{
    static const double stiffness = 0.8, length = 2.1; /* eV/A^2, A */
    const double *a = positions + 9 * i, *b = a + 3;
    double d[3], r = 0;
    for (int c = 0; c < 3; c++) {
        d[c] = b[c] - a[c];
        r += d[c] * d[c];
    }
    r = sqrt(r);
    for (int c = 0; c < 3; c++) {
        double f = stiffness * (r - length) * d[c] / r;
        force[c] += f;
        force[3 + c] -= f;
    }
    return 0.5 * stiffness * (r - length) * (r - length);
}

static void compute(int i, double *energy, double *force)
{
    must(chgnet_calculator_set_structure(calculator, N_ATOM, numbers + 3 * i, positions + 9 * i, cells + 9 * i,
                                         pbc + 3 * i),
         "set_structure");
    must(chgnet_calculator_compute(calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT), "compute");
    must(chgnet_calculator_get_energy(calculator, energy), "get_energy");
    must(chgnet_calculator_get_forces(calculator, force), "get_forces");
}

static void make_labels(void)
{
    for (int i = 0; i < N_STRUCTURE; i++) {
        const double bond = 1.95 + 0.07 * i, other = 2.3 - 0.03 * i;
        const double x[9] = {0, 0, 0, bond, 0, 0, bond + 0.3 * other, 0.954 * other, 0.1 * i};
        n_atom[i] = N_ATOM;
        for (int k = 0; k < N_ATOM; k++)
            numbers[3 * i + k] = k == 1 ? 29 : 16;
        memcpy(positions + 9 * i, x, sizeof x);
        compute(i, &energies[i], forces + 9 * i);
        energies[i] += add_bond(i, forces + 9 * i);
    }
}

static chgnet_labels labels(int first, int n)
{
    chgnet_labels l = chgnet_labels_default();
    l.n_structure = n;
    l.n_atom = n_atom + first;
    l.numbers = numbers + 3 * first;
    l.positions = positions + 9 * first;
    l.cells = cells + 9 * first;
    l.pbc = pbc + 3 * first;
    l.energies = energies + first;
    l.forces = forces + 9 * first;
    return l;
}

/* Mean absolute error of all forces. */
static double force_error(const chgnet_delta *delta)
{
    double energy, force[9], sum = 0;
    must(chgnet_calculator_set_delta(calculator, delta), "set_delta");
    for (int i = 0; i < N_STRUCTURE; i++) {
        compute(i, &energy, force);
        for (int k = 0; k < 9; k++)
            sum += fabs(force[k] - forces[9 * i + k]);
    }
    must(chgnet_calculator_set_delta(calculator, NULL), "set_delta");
    return sum / (3 * N);
}

static void check_fit(void)
{
    chgnet_delta *delta = NULL, *read = NULL;
    chgnet_labels all = labels(0, N_STRUCTURE);
    chgnet_delta_options options = chgnet_delta_options_default();
    options.optimize = 0;
    options.noise_energy = 1e-3;
    options.noise_force = 1e-3;
    must(chgnet_delta_fit(ctx, model, &all, &options, &delta), "chgnet_delta_fit");
    chgnet_delta_info info = chgnet_delta_get_info(delta);
    tap_is_text(info.model, "0.3.0", "info: model");
    tap_is_text(info.base, "chgnet", "info: base");
    tap_is_int(info.n_label, N_STRUCTURE, "info: labels");
    tap_is_int(info.n_force, 3 * N, "info: force components");
    tap_ok(info.noise_energy == 1e-3 && info.noise_force == 1e-3, "info: noise as given");
    double before = force_error(NULL), after = force_error(delta);
    /* six bends of one molecule and a term of one distance: a fit with little noise follows it closely */
    tap_ok(after < 0.1 * before, "forces of the labels: %.4f eV/A before, %.4f after", before, after);
    must(chgnet_delta_save(ctx, delta, path), "chgnet_delta_save");
    must(chgnet_delta_load(ctx, path, &read), "chgnet_delta_load");
    tap_ok(force_error(read) == after, "a model that was saved and loaded: the same");
    chgnet_delta_destroy(read);
    chgnet_delta_destroy(delta);
    chgnet_delta_destroy(NULL);
}

static void check_update(void)
{
    chgnet_delta *delta = NULL, *whole = NULL;
    chgnet_labels some = labels(0, 3), rest = labels(3, 3), all = labels(0, N_STRUCTURE);
    chgnet_delta_options options = chgnet_delta_options_default();
    options.optimize = 0;
    must(chgnet_delta_fit(ctx, model, &some, &options, &delta), "fit to three");
    double before = force_error(delta);
    must(chgnet_delta_update(ctx, delta, model, &rest, 1), "chgnet_delta_update");
    tap_is_int(chgnet_delta_get_info(delta).n_label, N_STRUCTURE, "update: all labels are there");
    double after = force_error(delta);
    tap_ok(after < before, "update: forces %.4f eV/A before, %.4f after", before, after);
    must(chgnet_delta_save(ctx, delta, path), "save the updated model");
    chgnet_delta *read = NULL;
    must(chgnet_delta_load(ctx, path, &read), "load the updated model");
    tap_ok(force_error(read) == after, "an updated model is saved as it is");
    must(chgnet_delta_fit(ctx, model, &all, &options, &whole), "fit to all");
    tap_ok(fabs(force_error(whole) - after) < 0.5 * before, "a fit to all labels is not far from it");
    chgnet_delta_destroy(read);
    chgnet_delta_destroy(whole);
    chgnet_delta_destroy(delta);
}

static void check_mask(void)
{
    double kept[3 * N];
    chgnet_delta *delta = NULL;
    chgnet_labels all = labels(0, N_STRUCTURE);
    chgnet_delta_options options = chgnet_delta_options_default();
    options.optimize = 0;
    memcpy(kept, forces, sizeof kept);
    for (int i = 0; i < N_STRUCTURE; i++)
        for (int c = 0; c < 3; c++)
            forces[9 * i + c] = NAN;
    must(chgnet_delta_fit(ctx, model, &all, &options, &delta), "fit with NaN forces");
    tap_is_int(chgnet_delta_get_info(delta).n_force, 3 * N - 3 * N_STRUCTURE, "forces that are NaN are left out");
    chgnet_delta_destroy(delta);
    all.forces = NULL;
    must(chgnet_delta_fit(ctx, model, &all, NULL, &delta), "fit to energies");
    tap_is_int(chgnet_delta_get_info(delta).n_force, 0, "energies alone");
    chgnet_delta_destroy(delta);
    memcpy(forces, kept, sizeof kept);
}

static void refused(const char *name, const chgnet_labels *l, const chgnet_delta_options *options, chgnet_status want,
                    const char *says)
{
    chgnet_delta *delta = NULL;
    chgnet_status status = chgnet_delta_fit(ctx, model, l, options, &delta);
    tap_ok(status == want && !delta, "%s: refused", name);
    if (!tap_ok(strstr(chgnet_context_error(ctx), says) != NULL, "%s: says why", name))
        tap_note("%s", chgnet_context_error(ctx));
    chgnet_delta_destroy(delta);
}

static void check_refusals(void)
{
    chgnet_labels all = labels(0, N_STRUCTURE), l = all;
    chgnet_delta_options o = chgnet_delta_options_default();
    chgnet_delta *delta = NULL;
    double energy = energies[1];
    energies[1] = NAN;
    refused("an energy that is NaN", &all, NULL, CHGNET_EINPUT, "label 2");
    energies[1] = energy;
    int32_t z = numbers[4];
    numbers[4] = 118;
    refused("an element beyond the model", &all, NULL, CHGNET_EINPUT, "label 2");
    numbers[4] = z;
    l.n_structure = 1;
    refused("one label", &l, NULL, CHGNET_EINPUT, "two or more");
    l = all;
    l.size = 1;
    refused("labels of another version", &l, NULL, CHGNET_EUSAGE, "chgnet_labels_default");
    l = all;
    l.energies = NULL;
    refused("no energies", &l, NULL, CHGNET_EUSAGE, "energies");
    double kept[9];
    memcpy(kept, positions + 9, sizeof kept);
    memcpy(positions + 9, positions, sizeof kept); /* two structures alike, with other energies */
    refused("a contradiction", &all, NULL, CHGNET_EINPUT, "label 2: contradicts label 1");
    memcpy(positions + 9, kept, sizeof kept);
    o.aggregation = "all";
    refused("an unknown aggregation", &all, &o, CHGNET_EUSAGE, "global, species or atomic");
    o = chgnet_delta_options_default();
    o.layer = "first";
    refused("an unknown layer", &all, &o, CHGNET_EUSAGE, "atom_fea_final");
    o = chgnet_delta_options_default();
    o.kernel = "gauss(2)";
    refused("an unknown kernel", &all, &o, CHGNET_EUSAGE, "gauss");
    o = chgnet_delta_options_default();
    o.noise_force = -1;
    refused("negative noise", &all, &o, CHGNET_EUSAGE, "noise_force");
    tap_ok(chgnet_delta_load(ctx, "./nowhere.h5", &delta) == CHGNET_EINPUT && !delta, "no such file");
    unlink(path);
}

/* A model that knows no silver, and one for other weights. */
static void check_strangers(void)
{
    chgnet_delta *delta = NULL;
    chgnet_model *another = NULL;
    chgnet_calculator *stranger = NULL;
    chgnet_labels all = labels(0, N_STRUCTURE), silver = labels(0, 1);
    chgnet_delta_options options = chgnet_delta_options_default();
    options.optimize = 0;
    must(chgnet_delta_fit(ctx, model, &all, &options, &delta), "fit");
    double before = force_error(delta);
    numbers[1] = 47;
    tap_ok(chgnet_delta_update(ctx, delta, model, &silver, 1) == CHGNET_EINPUT,
           "update by an unknown element: refused");
    numbers[1] = 29;
    tap_ok(force_error(delta) == before, "a failed update leaves the model as it was");
    must(chgnet_model_load(ctx, "0.2.0", &another), "other weights");
    must(chgnet_calculator_create(ctx, another, NULL, &stranger), "their calculator");
    tap_ok(chgnet_calculator_set_delta(stranger, delta) == CHGNET_EINPUT, "a calculator of other weights: refused");
    chgnet_calculator_destroy(stranger);
    chgnet_model_destroy(another);
    chgnet_delta_destroy(delta);
}

int main(void)
{
    chgnet_options options = chgnet_options_default();
    options.precision = CHGNET_DOUBLE;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    must(chgnet_model_load(ctx, NULL, &model), "chgnet_model_load");
    must(chgnet_calculator_create(ctx, model, &options, &calculator), "chgnet_calculator_create");
    make_labels();
    check_fit();
    check_update();
    check_mask();
    check_refusals();
    check_strangers();
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
