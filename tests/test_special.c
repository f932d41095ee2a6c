/* Structures at the edge of what the network is made for, and wrong use of the public functions. */
#include <pthread.h>

#include "api/chgnet.h"
#include "sample.h"

enum { N_FEATURE = 64, MOST = 32 };

typedef struct bench {
    chgnet_context *ctx;
    chgnet_model *model;
    chgnet_calculator *c;
} bench;

/* A structure as the public function takes it. */
typedef struct input {
    int64_t n;
    int32_t numbers[MOST];
    double positions[3 * MOST], cell[9];
    int pbc[3];
} input;

static input box(double a, double b, double c, const char *pbc)
{
    input in = {.cell = {a, 0, 0, 0, b, 0, 0, 0, c}};
    for (int k = 0; k < 3; k++)
        in.pbc[k] = pbc[k] == 'T';
    return in;
}

static void put(input *in, int number, double x, double y, double z)
{
    in->numbers[in->n] = number;
    in->positions[3 * in->n] = x;
    in->positions[3 * in->n + 1] = y;
    in->positions[3 * in->n++ + 2] = z;
}

static chgnet_status set(bench *b, const input *in)
{
    return chgnet_calculator_set_structure(b->c, in->n, in->numbers, in->positions, in->cell, in->pbc);
}

static double energy_of(bench *b, const input *in)
{
    double energy;
    sample_must(b->ctx, set(b, in));
    sample_must(b->ctx, chgnet_calculator_compute(b->c, SAMPLE_GRADIENT));
    sample_must(b->ctx, chgnet_calculator_get_energy(b->c, &energy));
    return energy;
}

static double largest_force(bench *b, int64_t n)
{
    double forces[3 * MOST];
    sample_must(b->ctx, chgnet_calculator_get_forces(b->c, forces));
    return sample_error(3 * n, forces, (const double[3 * MOST]){0});
}

static bench start(bool is_double)
{
    bench b = {.ctx = sample_context()};
    chgnet_options options = chgnet_options_default();
    options.precision = is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    sample_must(b.ctx, chgnet_model_load(b.ctx, NULL, &b.model));
    sample_must(b.ctx, chgnet_calculator_create(b.ctx, b.model, &options, &b.c));
    return b;
}

static void end(bench *b)
{
    chgnet_calculator_destroy(b->c);
    chgnet_model_destroy(b->model);
    chgnet_context_destroy(b->ctx);
}

/* ---- few neighbours, or none ------------------------------------------------------------------- */

typedef struct heard {
    int count;
    char last[300];
} heard;

static void hear(const char *text, void *user)
{
    heard *h = user;
    h->count++;
    snprintf(h->last, sizeof h->last, "%s", text);
}

static void check_isolated(bool is_double)
{
    bench b = start(is_double);
    heard h = {0};
    double site[MOST], stress[9];
    input in = box(0, 0, 0, "FFF"), crystal = box(20, 20, 20, "TTT");
    int64_t bonds, angles;
    chgnet_context_on_warning(b.ctx, hear, &h);
    put(&in, 10, 1, 2, 3);
    double alone = energy_of(&b, &in);
    sample_must(b.ctx, chgnet_calculator_get_site_energies(b.c, site));
    tap_near(alone, site[0], 0, "one atom: its energy is its site energy");
    tap_ok(isfinite(alone) && alone != 0, "one atom: the energy is finite, %g eV", alone);
    tap_near(largest_force(&b, 1), 0, 0, "one atom: no force");
    sample_must(b.ctx, chgnet_calculator_get_counts(b.c, &bonds, &angles));
    tap_ok(bonds == 0 && angles == 0, "one atom: no bond, no angle");
    tap_ok(h.count == 1 && strstr(h.last, "Ne"), "one atom: one warning, %s", h.last);
    put(&crystal, 10, 0, 0, 0);
    put(&crystal, 10, 10, 10, 10);
    double two = energy_of(&b, &crystal);
    tap_near(two, 2 * alone, 1e-12 * fabs(two), "isolated atoms: energies add up");
    sample_must(b.ctx, chgnet_calculator_get_stress(b.c, stress));
    tap_near(sample_largest(9, stress), 0, 0, "isolated atoms: no stress");
    crystal.cell[0] = 25;
    tap_near(energy_of(&b, &crystal), two, 0, "isolated atoms: the cell does not matter");
    tap_is_int(h.count, 1, "isolated atoms: no second warning");
    end(&b);
}

/* Bonds beyond 3 A make no angle; then bond and angle features stay as embedded. */
static void check_dimer(void)
{
    bench b = start(true);
    input in = box(0, 0, 0, "FFF");
    int64_t bonds, angles;
    double forces[6];
    put(&in, 11, 0, 0, 0);
    put(&in, 17, 0, 0, 2.4);
    energy_of(&b, &in);
    sample_must(b.ctx, chgnet_calculator_get_counts(b.c, &bonds, &angles));
    sample_must(b.ctx, chgnet_calculator_get_forces(b.c, forces));
    tap_ok(bonds == 2 && angles == 0, "dimer: two directed bonds, no angle");
    tap_ok(fabs(forces[2]) > 1e-3, "dimer: a force acts, %g eV/A", forces[2]);
    tap_near(forces[2] + forces[5], 0, 1e-12, "dimer: opposite forces"); /* rounding of one sum */
    tap_ok(forces[0] == 0 && forces[1] == 0, "dimer: along the bond");
    put(&in, 11, 3.5, 0, 0);
    in.positions[5] = 3.4;
    energy_of(&b, &in);
    sample_must(b.ctx, chgnet_calculator_get_counts(b.c, &bonds, &angles));
    tap_ok(bonds == 6 && angles == 0, "bonds beyond 3 A only: no angle");
    tap_ok(isfinite(largest_force(&b, 3)) && largest_force(&b, 3) > 1e-3, "bonds beyond 3 A only: forces act");
    end(&b);
}

/* Shells of exactly 3 A, where counts are rounding noise: results are finite and do not depend on it, since the
 * envelope is zero there.  Rounding of positions of 1e3 A, 1e-13, times the slope of the steepest angle, 700: 1e-10. */
static void check_shells(void)
{
    bench b = start(true);
    input cubic = box(3, 3, 3, "TTT"), moved;
    put(&cubic, 29, 0, 0, 0);
    double at_origin = energy_of(&b, &cubic);
    tap_ok(isfinite(at_origin) && largest_force(&b, 1) < 1e-9, "shell of exactly 3 A: finite, no force");
    moved = cubic;
    for (int k = 0; k < 3; k++)
        moved.positions[k] = 1000.1 + k / 7.0;
    tap_near(energy_of(&b, &moved), at_origin, 1e-9, "shell of exactly 3 A: same after a translation");
    moved = box(6, 3, 3, "TTT");
    put(&moved, 29, 0.1, 0, 0);
    put(&moved, 29, 3.1, 0, 0);
    tap_near(energy_of(&b, &moved) / 2, at_origin, 1e-9, "shell of exactly 3 A: same in a supercell");
    end(&b);
}

/* From almost touching to the cutoff: no distance and no angle is so small or so near its end that single precision
 * loses the result.  Energies of both precisions agree to some 100 roundings of 6e-8.  Forces between atoms within each
 * other's core are differences of numbers that are some 1000 times larger. */
static void check_distances(void)
{
    bench single = start(false), exact = start(true);
    const double distances[] = {0.0011, 0.02, 0.1, 0.3, 0.6, 1, 1.7, 2.9999999, 3, 3.0000001, 4.5, 5.9999999, 6};
    double error = 0, force_error = 0;
    for (size_t k = 0; k < sizeof distances / sizeof *distances; k++)
        for (int bent = 0; bent < 2; bent++) {
            input in = box(0, 0, 0, "FFF");
            double forces[2][9], d = distances[k];
            put(&in, 8, 0, 0, 0);
            put(&in, 3, d, 0, 0);
            put(&in, 26, -1.8, bent ? 1e-4 : 0, 0); /* an angle of 180 degrees, or almost */
            double a = energy_of(&single, &in), b = energy_of(&exact, &in);
            sample_must(single.ctx, chgnet_calculator_get_forces(single.c, forces[0]));
            sample_must(exact.ctx, chgnet_calculator_get_forces(exact.c, forces[1]));
            double size = fmax(1, sample_largest(9, forces[1]));
            error = fmax(error, isfinite(a) && isfinite(b) ? fabs(a - b) / fmax(1, fabs(b)) : INFINITY);
            force_error = fmax(force_error, sample_error(9, forces[0], forces[1]) / size);
        }
    tap_ok(error <= 6e-6, "distances from 0.0011 to 6 A: energy in single as in double, error %.1e", error);
    tap_ok(force_error <= 1e-3, "distances from 0.0011 to 6 A: forces in single as in double, error %.1e", force_error);
    end(&single);
    end(&exact);
}

/* ---- elements ---------------------------------------------------------------------------------- */

static void check_elements(void)
{
    bench b = start(false);
    int finite = 0;
    for (int z = 1; z <= 94; z++) {
        input in = box(12, 12, 12, "TTT");
        put(&in, z, 0, 0, 0);
        put(&in, z, 0, 0, 2.5);
        double energy = energy_of(&b, &in);
        finite += isfinite(energy) && isfinite(largest_force(&b, 2));
    }
    tap_is_int(finite, 94, "dimers of all 94 elements are finite");
    const struct {
        int number;
        const char *part;
    } unknown[] = {
        {95, "Am"}, {118, "Og"}, {0, "atomic number 0"}, {-1, "atomic number -1"}, {200, "atomic number 200"}};
    for (size_t k = 0; k < sizeof unknown / sizeof *unknown; k++) {
        input in = box(8, 8, 8, "TTT");
        put(&in, 8, 0, 0, 0);
        put(&in, unknown[k].number, 4, 4, 4);
        chgnet_status status = set(&b, &in);
        const char *text = chgnet_context_error(b.ctx);
        tap_ok(status == CHGNET_EINPUT && strstr(text, unknown[k].part) && strstr(text, "atom 2"), "refused: %s", text);
    }
    end(&b);
}

/* ---- geometry ---------------------------------------------------------------------------------- */

static void refuse(bench *b, const input *in, const char *part)
{
    double energy;
    chgnet_status status = set(b, in);
    const char *text = chgnet_context_error(b->ctx);
    tap_ok(status == CHGNET_EINPUT && strstr(text, part), "refused: %s", text);
    tap_ok(chgnet_calculator_compute(b->c, CHGNET_WANT_ENERGY) == CHGNET_EUSAGE &&
               chgnet_calculator_get_energy(b->c, &energy) == CHGNET_EUSAGE,
           "a refused structure cannot be computed, and earlier results are gone");
}

static void check_bad_geometry(void)
{
    bench b = start(false);
    input good = box(8, 8, 8, "TTT"), in;
    put(&good, 8, 0, 0, 0);
    put(&good, 3, 2, 0, 0);
    energy_of(&b, &good);
    in = good;
    put(&in, 3, 2, 0, 8); /* the second atom's image */
    refuse(&b, &in, "2 (Li)");
    in = good;
    in.positions[4] = NAN;
    refuse(&b, &in, "atom 2 (Li)");
    in = good;
    in.positions[0] = INFINITY;
    refuse(&b, &in, "atom 1 (O)");
    in = good;
    in.positions[0] = 1e7;
    refuse(&b, &in, "atom 1 (O)");
    in = good;
    in.cell[4] = 0;
    refuse(&b, &in, "cell vector 2");
    in = good;
    in.cell[3] = 8;
    in.cell[4] = 0;
    refuse(&b, &in, "cell");
    in = good;
    in.cell[8] = NAN;
    refuse(&b, &in, "cell vector 3");
    in = good;
    in.n = 0;
    refuse(&b, &in, "no atoms");
    tap_ok(isfinite(energy_of(&b, &good)), "after refusals a good structure is computed");
    end(&b);
}

/* A sheet in the plane of the first two axes: whatever stands along the third one does not matter. */
static void check_mixed(void)
{
    bench b = start(true);
    input in = box(2.46, 2.46, 0, "TTF");
    double stress[9], forces[6], tall[6];
    in.cell[3] = 1.23;
    in.cell[4] = 2.13;
    put(&in, 6, 0, 0, 0.1);
    put(&in, 6, 1.23, 0.71, 0);
    double flat = energy_of(&b, &in);
    sample_must(b.ctx, chgnet_calculator_get_forces(b.c, forces));
    tap_ok(isfinite(flat) && sample_largest(6, forces) > 1e-3, "sheet without a third vector: energy and forces");
    chgnet_status status = chgnet_calculator_get_stress(b.c, stress);
    tap_ok(status == CHGNET_EUSAGE, "sheet: no stress, %s", chgnet_context_error(b.ctx));
    double virial[9];
    sample_must(b.ctx, chgnet_calculator_get_virial(b.c, virial));
    in.cell[8] = 3;
    in.cell[6] = 1;
    tap_near(energy_of(&b, &in), flat, 0, "a vector along the axis that is not periodic does not matter");
    in.cell[6] = 0;
    in.cell[8] = 30;
    in.pbc[2] = 1;
    tap_near(energy_of(&b, &in), flat, 1e-11 * fabs(flat), "sheet: the same in a tall periodic cell");
    sample_must(b.ctx, chgnet_calculator_get_forces(b.c, tall));
    tap_ok(sample_error(6, forces, tall) < 1e-10, "sheet: the same forces in a tall periodic cell");
    status = chgnet_calculator_get_stress(b.c, stress);
    tap_ok(status == CHGNET_OK && isfinite(sample_largest(9, stress)), "tall periodic cell: stress is defined");
    for (int k = 0; k < 9; k++)
        stress[k] *= 2.46 * 2.13 * 30 / 160.21766208; /* volume, GPa */
    tap_ok(sample_largest(9, virial) > 1e-3 && sample_error(9, stress, virial) < 1e-9, "sheet: the same virial");
    end(&b);
}

/* ---- wrong use --------------------------------------------------------------------------------- */

/* Every getter.  \return how many answer CHGNET_EUSAGE */
static int refusals(const chgnet_calculator *c)
{
    chgnet_status (*const getters[])(const chgnet_calculator *, double *) = {
        chgnet_calculator_get_energy,         chgnet_calculator_get_forces,        chgnet_calculator_get_stress,
        chgnet_calculator_get_magmoms,        chgnet_calculator_get_site_energies, chgnet_calculator_get_atom_fea,
        chgnet_calculator_get_atom_fea_final, chgnet_calculator_get_crystal_fea,   chgnet_calculator_get_virial};
    double out[N_FEATURE * MOST];
    int count = 0;
    for (size_t k = 0; k < sizeof getters / sizeof *getters; k++)
        count += getters[k](c, out) == CHGNET_EUSAGE;
    return count;
}

static void check_options(bench *b)
{
    chgnet_calculator *none = NULL;
    chgnet_options options = chgnet_options_default();
    options.size = 3;
    tap_ok(chgnet_calculator_create(b->ctx, b->model, &options, &none) == CHGNET_EUSAGE && !none,
           "options of another size are refused: %s", chgnet_context_error(b->ctx));
    options = chgnet_options_default();
    options.threads = -1;
    tap_ok(chgnet_calculator_create(b->ctx, b->model, &options, &none) == CHGNET_EUSAGE && !none,
           "-1 threads are refused: %s", chgnet_context_error(b->ctx));
    options.threads = 1000000;
    tap_ok(chgnet_calculator_create(b->ctx, b->model, &options, &none) == CHGNET_EUSAGE && !none,
           "a million threads are refused: %s", chgnet_context_error(b->ctx));
    chgnet_model *model = NULL;
    tap_ok(chgnet_model_load(b->ctx, "9.9.9", &model) == CHGNET_EINPUT && !model, "an unknown model is refused: %s",
           chgnet_context_error(b->ctx));
}

static void check_use(void)
{
    bench b = start(false);
    input in = box(4, 4, 4, "TTT");
    int64_t bonds, angles;
    put(&in, 11, 0, 0, 0);
    put(&in, 17, 2, 2, 2.1);
    tap_ok(chgnet_calculator_compute(b.c, CHGNET_WANT_ENERGY) == CHGNET_EUSAGE, "compute before a structure: %s",
           chgnet_context_error(b.ctx));
    tap_ok(chgnet_calculator_get_counts(b.c, &bonds, &angles) == CHGNET_EUSAGE, "counts before a structure");
    tap_is_int(refusals(b.c), 9, "no results before a structure");
    sample_must(b.ctx, set(&b, &in));
    tap_is_int(refusals(b.c), 9, "no results before compute");
    sample_must(b.ctx, chgnet_calculator_compute(b.c, CHGNET_WANT_ENERGY));
    tap_is_int(refusals(b.c), 3, "no forces, stress and virial after an energy alone");
    sample_must(b.ctx, chgnet_calculator_compute(b.c, SAMPLE_GRADIENT));
    tap_is_int(refusals(b.c), 0, "all results after a gradient");
    sample_must(b.ctx, set(&b, &in));
    tap_is_int(refusals(b.c), 9, "a new structure takes the results away");
    check_options(&b);
    chgnet_calculator_destroy(NULL);
    chgnet_model_destroy(NULL);
    chgnet_context_destroy(NULL);
    end(&b);
}

/* ---- several calculators ----------------------------------------------------------------------- */

typedef struct worker {
    const chgnet_model *model;
    input in;
    double energy, forces[3 * MOST];
    bool good;
} worker;

static void *work(void *user)
{
    worker *w = user;
    chgnet_context *ctx;
    chgnet_calculator *c = NULL;
    chgnet_options options = chgnet_options_default();
    options.threads = 1;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return NULL;
    w->good = chgnet_calculator_create(ctx, w->model, &options, &c) == CHGNET_OK;
    for (int k = 0; w->good && k < 5; k++)
        w->good = chgnet_calculator_set_structure(c, w->in.n, w->in.numbers, w->in.positions, w->in.cell, w->in.pbc) ==
                      CHGNET_OK &&
                  chgnet_calculator_compute(c, SAMPLE_GRADIENT) == CHGNET_OK &&
                  chgnet_calculator_get_energy(c, &w->energy) == CHGNET_OK &&
                  chgnet_calculator_get_forces(c, w->forces) == CHGNET_OK;
    chgnet_calculator_destroy(c);
    chgnet_context_destroy(ctx);
    return NULL;
}

/* The model is fresh: its weights are bound by whichever thread asks first. */
static void check_threads(void)
{
    bench b = start(true); /* its own calculator binds other kernels than the workers' */
    worker workers[2] = {{.model = b.model, .in = box(4, 4, 4.2, "TTT")}};
    pthread_t threads[2];
    put(&workers[0].in, 11, 0, 0, 0);
    put(&workers[0].in, 17, 2, 2, 2);
    put(&workers[0].in, 3, 2.1, 0, 0.3);
    workers[1] = workers[0];
    for (int k = 0; k < 2; k++)
        if (pthread_create(&threads[k], NULL, work, &workers[k]) != 0)
            tap_bail("no thread");
    for (int k = 0; k < 2; k++)
        pthread_join(threads[k], NULL);
    tap_ok(workers[0].good && workers[1].good, "two threads share one model");
    tap_ok(memcmp(&workers[0].energy, &workers[1].energy, sizeof(double)) == 0 &&
               memcmp(workers[0].forces, workers[1].forces, sizeof workers[0].forces) == 0,
           "and get equal bits");
    end(&b);
}

static void check_cycles(void)
{
    bench b = start(false);
    input in = box(4, 4, 4, "TTT");
    put(&in, 11, 0, 0, 0);
    put(&in, 17, 2, 2, 2.1);
    double first = energy_of(&b, &in);
    int equal = 0;
    for (int k = 0; k < 200; k++) {
        bench other = {.ctx = b.ctx, .model = b.model};
        sample_must(b.ctx, chgnet_calculator_create(b.ctx, b.model, NULL, &other.c));
        if (k % 20 == 0)
            equal += energy_of(&other, &in) == first;
        chgnet_calculator_destroy(other.c);
    }
    tap_is_int(equal, 10, "200 calculators come and go, all alike");
    end(&b);
}

int main(void)
{
    check_isolated(false);
    check_isolated(true);
    check_dimer();
    check_shells();
    check_distances();
    check_elements();
    check_bad_geometry();
    check_mixed();
    check_use();
    check_threads();
    check_cycles();
    return tap_done();
}
