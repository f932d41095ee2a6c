/* Random structures of every kind: each is refused in words or gives finite numbers, which do not depend on where it
 * lies, how it is turned and in which order its atoms stand; on a sample, forces are minus the gradient of the energy.
 * And walks through the cutoffs: energy and forces do not jump when an atom or an angle comes in.
 *
 *     test_numbers [STRUCTURES [SEED]]
 *
 * 150 structures by default, in seconds; `make check-hard` takes 1000, the full form 10000.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "sample.h"

/* Rounding in double is 1e-16 of sums whose terms are up to 1e3 eV where atoms are pressed together, through some
 * twenty layers: 1e-9 of the largest force or energy per atom covers it, a wrong neighbour does not pass it. */
static const double SAME = 1e-9;
/* The angle between opposite bonds is acos(-1 + rounding), known to 1e-8: forces, which divide by its sine, suffer. */
static const double SAME_FORCE = 1e-7;
/* Where atoms are pressed together the energy has folds as narrow as 1e-6 A (angles near 180 degrees), in other places
 * such a step drowns in rounding: one of the steps must agree. */
static const double GRADIENT = 2e-5, STEPS[] = {2e-4, 2e-5, 2e-6, 2e-7};

enum { MOST_ATOMS = 10, MODELS = SAMPLE_MODELS };

static chgnet_context *ctx;
static uint64_t state;

typedef struct tally {
    int64_t tried, refused, gradients, wrong;
    double worst_energy, worst_force, worst_gradient;
} tally;

/* ---- random structures ------------------------------------------------------------------------ */

static double between(double low, double high)
{
    return low + (high - low) * sample_uniform(&state);
}

/* Even in the logarithm. */
static double scaled(double low, double high)
{
    return exp(between(log(low), log(high)));
}

/* Lengths from those of needles and plates to cubes, angles from 25 to 155 degrees. */
static void random_cell(double volume, double cell[3][3])
{
    double lengths[3], product = 1;
    for (int a = 0; a < 3; a++) {
        lengths[a] = scaled(1, sample_uniform(&state) < 0.3 ? 12 : 2);
        product *= lengths[a];
    }
    memset(cell, 0, 9 * sizeof(double));
    bool skew = sample_uniform(&state) < 0.5;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b <= a; b++)
            cell[a][b] = a == b ? lengths[a] : skew ? between(-2, 2) * lengths[b] : 0;
    double scale = cbrt(volume / product);
    for (int k = 0; k < 9; k++)
        cell[k / 3][k % 3] *= scale;
}

static void random_structure(chgi_structure *s)
{
    int64_t n = 1 + (int64_t)(MOST_ATOMS * sample_uniform(&state) * sample_uniform(&state));
    double per_atom = sample_uniform(&state) < 0.2 ? scaled(100, 1e5) : scaled(4, 60);
    sample_must(ctx, chgi_structure_create(ctx, n, s));
    random_cell(per_atom * (double)n, s->cell);
    for (int a = 0; a < 3; a++)
        s->pbc[a] = sample_uniform(&state) < 0.75;
    for (int64_t i = 0; i < n; i++) {
        double x[3] = {sample_uniform(&state), sample_uniform(&state), sample_uniform(&state)};
        s->numbers[i] = 1 + (int32_t)(94 * sample_uniform(&state));
        for (int c = 0; c < 3; c++)
            s->positions[3 * i + c] = x[0] * s->cell[0][c] + x[1] * s->cell[1][c] + x[2] * s->cell[2][c];
    }
}

/* ---- the same structure told otherwise -------------------------------------------------------- */

static void random_turn(double turn[3][3])
{
    double q[4], length = 0;
    for (int k = 0; k < 4; k++)
        q[k] = sample_symmetric(&state, 1);
    for (int k = 0; k < 4; k++)
        length += q[k] * q[k];
    for (int k = 0; k < 4; k++)
        q[k] /= sqrt(length);
    double w = q[0], x = q[1], y = q[2], z = q[3];
    double r[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
                      {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
                      {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}};
    memcpy(turn, r, sizeof r);
}

static void apply(const double turn[3][3], const double from[3], double to[3])
{
    for (int c = 0; c < 3; c++)
        to[c] = turn[c][0] * from[0] + turn[c][1] * from[1] + turn[c][2] * from[2];
}

/* Turned, moved, atoms in reverse order, each a few cells away along periodic axes. */
static void tell_otherwise(const chgi_structure *s, const double turn[3][3], chgi_structure *other)
{
    int64_t n = s->n_atom;
    double shift[3] = {between(-5, 5), between(-5, 5), between(-5, 5)};
    sample_must(ctx, chgi_structure_create(ctx, n, other));
    memcpy(other->pbc, s->pbc, sizeof s->pbc);
    for (int a = 0; a < 3; a++)
        apply(turn, s->cell[a], other->cell[a]);
    for (int64_t i = 0; i < n; i++) {
        double *to = other->positions + 3 * (n - 1 - i);
        other->numbers[n - 1 - i] = s->numbers[i];
        apply(turn, s->positions + 3 * i, to);
        for (int a = 0; a < 3; a++) {
            double times = s->pbc[a] ? floor(between(-2, 3)) : 0;
            for (int c = 0; c < 3; c++)
                to[c] += times * other->cell[a][c];
        }
        for (int c = 0; c < 3; c++)
            to[c] += shift[c];
    }
}

/* ---- checks ----------------------------------------------------------------------------------- */

static bool all_finite(int64_t count, const double *x)
{
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(x[k]))
            return false;
    return true;
}

static bool complain(tally *t, int64_t which, const char *what, double value)
{
    if (t->wrong++ < 10)
        tap_note("structure %" PRId64 ": %s (%g): %s", which, what, value, chgnet_context_error(ctx));
    return false;
}

/* Refused with a reason, or computed to finite numbers.  \return whether there are results */
static bool evaluate(chgnet_calculator *c, const chgi_structure *s, int64_t which, tally *t)
{
    (void)chgi_context_fail(ctx, CHGNET_OK, "%s", "");
    chgnet_status status = chgi_calculator_set_structure(c, s);
    if (status == CHGNET_OK)
        status = chgi_calculator_compute(c, SAMPLE_GRADIENT);
    if (status == CHGNET_EINPUT || status == CHGNET_ENUMERIC) {
        t->refused++;
        return chgnet_context_error(ctx)[0] ? false : complain(t, which, "refused without a word", (double)status);
    }
    if (status != CHGNET_OK)
        return complain(t, which, "another status", (double)status);
    if (!isfinite(c->energy) || !all_finite(3 * s->n_atom, c->forces) || !all_finite(s->n_atom, c->magmoms) ||
        !all_finite(s->n_atom, c->site_energies))
        return complain(t, which, "not finite", c->energy);
    return true;
}

static double scale_of(const chgnet_calculator *c, int64_t n)
{
    return 1 + fabs(c->energy) / (double)n + sample_largest(3 * n, c->forces);
}

static void check_invariance(chgnet_calculator *c, const chgi_structure *s, int64_t which, tally *t)
{
    int64_t n = s->n_atom;
    double turn[3][3], energy = c->energy, scale = scale_of(c, n), error = 0, forces[3 * MOST_ATOMS];
    chgi_structure other;
    memcpy(forces, c->forces, (size_t)(3 * n) * sizeof *forces);
    random_turn(turn);
    tell_otherwise(s, (const double(*)[3])turn, &other);
    if (evaluate(c, &other, which, t)) {
        for (int64_t i = 0; i < n; i++) {
            double turned[3];
            apply((const double(*)[3])turn, forces + 3 * i, turned);
            error = fmax(error, sample_error(3, turned, c->forces + 3 * (n - 1 - i)));
        }
        t->worst_energy = fmax(t->worst_energy, fabs(c->energy - energy) / (double)n / scale);
        t->worst_force = fmax(t->worst_force, error / scale);
        if (!(fabs(c->energy - energy) / (double)n <= SAME * scale && error <= SAME_FORCE * scale))
            complain(t, which, "depends on how it is told", fmax(error, fabs(c->energy - energy)) / scale);
    } else {
        complain(t, which, "refused when told otherwise", energy);
    }
    chgi_structure_destroy(&other);
}

static double energy_at(chgnet_calculator *c, chgi_structure *s, const double *start, const double *direction,
                        double step)
{
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->positions[k] = start[k] + step * direction[k];
    sample_compute(c, s, CHGNET_WANT_ENERGY);
    return c->energy;
}

static void check_gradient(chgnet_calculator *c, chgi_structure *s, int64_t which, tally *t)
{
    int64_t n = 3 * s->n_atom;
    double start[3 * MOST_ATOMS], direction[3 * MOST_ATOMS], slope = 0, length = 0;
    sample_compute(c, s, SAMPLE_GRADIENT);
    double scale = scale_of(c, s->n_atom);
    memcpy(start, s->positions, (size_t)n * sizeof *start);
    sample_fill(&state, 1, n, direction);
    for (int64_t k = 0; k < n; k++)
        length += direction[k] * direction[k];
    for (int64_t k = 0; k < n; k++) {
        direction[k] /= sqrt(length);
        slope -= c->forces[k] * direction[k];
    }
    double error = INFINITY;
    for (size_t k = 0; k < sizeof STEPS / sizeof *STEPS && error > GRADIENT; k++) {
        double h = STEPS[k];
        double one = energy_at(c, s, start, direction, h) - energy_at(c, s, start, direction, -h);
        double two = energy_at(c, s, start, direction, 2 * h) - energy_at(c, s, start, direction, -2 * h);
        error = fmin(error, fabs((8 * one - two) / (12 * h) - slope) / scale);
    }
    t->gradients++;
    t->worst_gradient = fmax(t->worst_gradient, error);
    if (!(error <= GRADIENT))
        complain(t, which, "forces are not minus the gradient", error);
}

static void run_structures(chgnet_calculator *c, int64_t count, const char *name)
{
    tally t = {0};
    for (int64_t k = 0; k < count; k++) {
        chgi_structure s;
        random_structure(&s);
        t.tried++;
        if (evaluate(c, &s, k, &t)) {
            check_invariance(c, &s, k, &t);
            if (k % 10 == 0)
                check_gradient(c, &s, k, &t);
        }
        chgi_structure_destroy(&s);
    }
    tap_note("%s: %" PRId64 " structures, %" PRId64 " refused; told otherwise they differ by %.1e (energies) and %.1e "
             "(forces) of the largest; %" PRId64 " gradients differ by %.1e",
             name, t.tried, t.refused, t.worst_energy, t.worst_force, t.gradients, t.worst_gradient);
    tap_ok(t.wrong == 0 && t.refused < t.tried / 2, "%s: %" PRId64 " random structures", name, t.tried);
}

/* ---- walks through the cutoffs ---------------------------------------------------------------- */

enum { WALKERS = 3, VALUES = 1 + 3 * WALKERS };

typedef struct jump {
    double energy, force;
} jump;

/* Which way to go: a walker beside another one, or away from it so that it makes the first angle of all. */
typedef struct path {
    const char *what;
    int64_t n;
    double
        side; /* where the second of three atoms is: +1: within the bond cutoff of the last one, too; -1: beyond it */
    bool to_bond_cutoff;
} path;

/* Energy and forces when the last atom is `r` away from the first. */
static void stand(chgnet_calculator *c, const int32_t numbers[WALKERS], const path *p, double r, double values[VALUES])
{
    chgi_structure s;
    sample_must(ctx, chgi_structure_create(ctx, p->n, &s));
    memcpy(s.numbers, numbers, (size_t)p->n * sizeof *numbers);
    if (p->n == WALKERS) {
        s.positions[3] = 1.6 * p->side;
        s.positions[4] = 1.2 * p->side;
    }
    s.positions[3 * (p->n - 1)] = 0.6 * r;
    s.positions[3 * (p->n - 1) + 2] = 0.8 * r;
    sample_compute(c, &s, SAMPLE_GRADIENT);
    values[0] = c->energy;
    memcpy(values + 1, c->forces, (size_t)(3 * p->n) * sizeof(double));
    chgi_structure_destroy(&s);
}

/* What changes at the cutoff beyond the slopes on either side: both are carried on to the cutoff by straight lines. */
static jump cross(chgnet_calculator *c, const int32_t numbers[WALKERS], const path *p, double cutoff)
{
    static const double AWAY = 2e-6;
    double values[4][VALUES] = {{0}}, jumps[VALUES];
    for (int k = 0; k < 4; k++)
        stand(c, numbers, p, cutoff + AWAY * (k < 2 ? k - 2 : k - 1), values[k]);
    for (int k = 0; k < VALUES; k++)
        jumps[k] = (2 * values[2][k] - values[3][k]) - (2 * values[1][k] - values[0][k]);
    return (jump){fabs(jumps[0]), sample_largest(VALUES - 1, jumps + 1)};
}

/* The largest jumps among random elements. */
static jump walk(chgnet_calculator *c, int64_t count, const path *p, double cutoff)
{
    jump worst = {0, 0};
    for (int64_t k = 0; k < count; k++) {
        int32_t numbers[WALKERS];
        for (int i = 0; i < WALKERS; i++)
            numbers[i] = 1 + (int32_t)(94 * sample_uniform(&state));
        jump j = cross(c, numbers, p, cutoff);
        worst.energy = fmax(worst.energy, j.energy);
        worst.force = fmax(worst.force, j.force);
    }
    return worst;
}

/* Bounds: the second derivatives, up to 1e3 eV/A^2 where atoms are pressed together, leave 1e3 (2e-6 A)^2 of the
 * energy, and third ones as much of the forces.  In 0.2.0 the map behind a bond convolution has a bias, which all bonds
 * get with the first angle of a structure, as upstream computes it: a jump, which must be there. */
static void run_walks(chgnet_calculator *c, const char *name, int64_t count, double atom_cutoff, double bond_cutoff)
{
    static const jump bound = {1e-8, 1e-6}, known = {10, 100};
    static const path paths[] = {{"an atom comes in", 2, 1, false},
                                 {"an atom beside another comes in", 3, 1, false},
                                 {"an angle comes in", 3, 1, true},
                                 {"the first angle comes in", 3, -1, true}};
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
        const path *p = &paths[k];
        bool jumps = strcmp(name, "0.2.0") == 0 && p->side < 0;
        jump worst = walk(c, count, p, p->to_bond_cutoff ? bond_cutoff : atom_cutoff);
        tap_note("%s, %s: %.2e eV, %.2e eV/A", name, p->what, worst.energy, worst.force);
        if (jumps)
            tap_ok(worst.energy > bound.energy && worst.energy < known.energy && worst.force < known.force,
                   "%s: %s: the known jump", name, p->what);
        else
            tap_ok(worst.energy <= bound.energy && worst.force <= bound.force, "%s: %s", name, p->what);
    }
}

int main(int argc, char **argv)
{
    int64_t count = argc > 1 ? atoll(argv[1]) : 150;
    uint64_t seed = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
    state = seed;
    ctx = sample_context();
    for (int m = 0; m < MODELS; m++) {
        chgnet_model *model;
        sample_must(ctx, chgnet_model_load(ctx, sample_models[m], &model));
        chgnet_model_info info = chgnet_model_get_info(model);
        chgnet_calculator *c = sample_calculator(ctx, model, true, 1);
        run_structures(c, m == 0 ? count - 2 * (count / 3) : count / 3, sample_models[m]);
        run_walks(c, sample_models[m], 10 + count / 100, info.atom_cutoff, info.bond_cutoff);
        chgnet_calculator_destroy(c);
        chgnet_model_destroy(model);
    }
    chgnet_context_destroy(ctx);
    return tap_done();
}
