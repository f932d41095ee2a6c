/* What must not depend on how a structure is described: translation, rotation, mirror, order of the atoms, wrapping,
 * supercells, choice of cell vectors and their handedness.  And equal bits for any number of threads, for any pass
 * before, and with or without a gradient.
 *
 * Two descriptions differ by rounding of the geometry (double always) and by the order of sums.  In double that made
 * 2e-13 of the largest number at most; 1e-11 is allowed.  In single the sums of some 100 terms round to 3e-6 of the
 * largest; 1e-5 is allowed.  No pair is so near a cutoff that rounding could add a bond. */
#include "sample.h"

enum { N_FEATURE = 64, MOST_ATOMS = 4 * SAMPLE_MOST_ATOMS };

typedef struct results {
    int64_t n_atom;
    double energy, site_energies[MOST_ATOMS], magmoms[MOST_ATOMS], forces[3 * MOST_ATOMS], stress[9];
    double atom_fea[N_FEATURE * MOST_ATOMS], atom_fea_final[N_FEATURE * MOST_ATOMS];
    bool has_stress;
} results;

static void run(chgnet_calculator *c, const chgi_structure *s, results *r)
{
    if (s->n_atom > MOST_ATOMS)
        tap_bail("too many atoms");
    memset(r, 0, sizeof *r);
    r->n_atom = s->n_atom;
    sample_compute(c, s, SAMPLE_GRADIENT);
    sample_must(c->ctx, chgnet_calculator_get_energy(c, &r->energy));
    sample_must(c->ctx, chgnet_calculator_get_site_energies(c, r->site_energies));
    sample_must(c->ctx, chgnet_calculator_get_magmoms(c, r->magmoms));
    sample_must(c->ctx, chgnet_calculator_get_forces(c, r->forces));
    sample_must(c->ctx, chgnet_calculator_get_atom_fea(c, r->atom_fea));
    sample_must(c->ctx, chgnet_calculator_get_atom_fea_final(c, r->atom_fea_final));
    r->has_stress = s->pbc[0] && s->pbc[1] && s->pbc[2];
    if (r->has_stress)
        sample_must(c->ctx, chgnet_calculator_get_stress(c, r->stress));
}

/* Another description of the same thing: atom i of it is atom of[i] of the original, turned by `turn`. */
typedef struct description {
    chgi_structure s;
    int of[MOST_ATOMS];
    double turn[3][3]; /* new vector = turn . old vector */
} description;

static void start(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    memset(d, 0, sizeof *d);
    sample_must(ctx, chgi_structure_copy(ctx, from, &d->s));
    for (int i = 0; i < from->n_atom; i++)
        d->of[i] = i;
    for (int k = 0; k < 3; k++)
        d->turn[k][k] = 1;
}

static void translate(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    const double shift[3] = {12.345, -0.678, 3.21};
    start(ctx, from, d);
    for (int64_t k = 0; k < 3 * from->n_atom; k++)
        d->s.positions[k] += shift[k % 3];
}

static void turn_by(description *d, double turn[3][3])
{
    memcpy(d->turn, turn, sizeof d->turn);
    for (int64_t i = 0; i < d->s.n_atom + 3; i++) {
        double *x = i < 3 ? d->s.cell[i] : d->s.positions + 3 * (i - 3), old[3];
        memcpy(old, x, sizeof old);
        for (int a = 0; a < 3; a++)
            x[a] = turn[a][0] * old[0] + turn[a][1] * old[1] + turn[a][2] * old[2];
    }
}

/* The rotation of the unit quaternion (a,b,c,d). */
static void rotate(chgnet_context *ctx, const chgi_structure *from, description *out)
{
    const double a = 0.1, b = 0.5, c = -0.7, d = sqrt(1 - 0.01 - 0.25 - 0.49);
    double turn[3][3] = {{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
                         {2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)},
                         {2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d}};
    start(ctx, from, out);
    turn_by(out, turn);
}

static void mirror(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    double turn[3][3] = {{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    start(ctx, from, d);
    turn_by(d, turn);
}

static void permute(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    uint64_t state = 5;
    start(ctx, from, d);
    for (int i = (int)from->n_atom - 1; i > 0; i--) {
        int j = (int)(sample_uniform(&state) * (i + 1)), swap = d->of[i];
        d->of[i] = d->of[j];
        d->of[j] = swap;
    }
    for (int64_t i = 0; i < from->n_atom; i++) {
        d->s.numbers[i] = from->numbers[d->of[i]];
        memcpy(d->s.positions + 3 * i, from->positions + 3 * d->of[i], 3 * sizeof(double));
    }
}

/* Move each atom by some cell vectors. */
static void wrap(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    uint64_t state = 6;
    start(ctx, from, d);
    for (int64_t i = 0; i < from->n_atom; i++)
        for (int k = 0; k < 3; k++) {
            double times = floor(7 * sample_uniform(&state)) - 3;
            for (int c = 0; c < 3 && from->pbc[k]; c++)
                d->s.positions[3 * i + c] += times * from->cell[k][c];
        }
}

static void repeat(chgnet_context *ctx, const chgi_structure *from, int times_a, int times_b, description *d)
{
    int64_t n = from->n_atom, at = 0;
    memset(d, 0, sizeof *d);
    sample_must(ctx, chgi_structure_create(ctx, n * times_a * times_b, &d->s));
    for (int a = 0; a < times_a; a++)
        for (int b = 0; b < times_b; b++)
            for (int64_t i = 0; i < n; i++, at++) {
                d->of[at] = (int)i;
                d->s.numbers[at] = from->numbers[i];
                for (int c = 0; c < 3; c++)
                    d->s.positions[3 * at + c] =
                        from->positions[3 * i + c] + a * from->cell[0][c] + b * from->cell[1][c];
            }
    for (int c = 0; c < 3; c++) {
        d->s.cell[0][c] = times_a * from->cell[0][c];
        d->s.cell[1][c] = times_b * from->cell[1][c];
        d->s.cell[2][c] = from->cell[2][c];
        d->s.pbc[c] = from->pbc[c];
        d->turn[c][c] = 1;
    }
}

static void double_cell(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    repeat(ctx, from, 2, 1, d);
}

static void fourfold_cell(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    repeat(ctx, from, 2, 2, d);
}

/* The same lattice by other vectors: new row i = sum over k of by[i][k] row k, along periodic axes only. */
static void reshape(chgnet_context *ctx, const chgi_structure *from, const int by[3][3], description *d)
{
    start(ctx, from, d);
    for (int i = 0; i < 3; i++)
        for (int c = 0; c < 3 && from->pbc[i]; c++) {
            d->s.cell[i][c] = 0;
            for (int k = 0; k < 3; k++)
                if (from->pbc[k])
                    d->s.cell[i][c] += by[i][k] * from->cell[k][c];
        }
}

static void skew(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    const int by[3][3] = {{1, 0, 0}, {7, 1, 0}, {-50, 3, 1}};
    reshape(ctx, from, by, d);
}

static void swap_hands(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    const int by[3][3] = {{-1, 0, 0}, {0, -1, 0}, {0, 0, -1}};
    reshape(ctx, from, by, d);
}

/* Rows of the cell in another order, with their axes. */
static void swap_rows(chgnet_context *ctx, const chgi_structure *from, description *d)
{
    start(ctx, from, d);
    memcpy(d->s.cell[0], from->cell[1], sizeof d->s.cell[0]);
    memcpy(d->s.cell[1], from->cell[0], sizeof d->s.cell[1]);
    d->s.pbc[0] = from->pbc[1];
    d->s.pbc[1] = from->pbc[0];
}

typedef struct operation {
    const char *name;
    void (*apply)(chgnet_context *, const chgi_structure *, description *);
    bool periodic; /* makes sense only where the first two axes are periodic */
} operation;

static const operation operations[] = {
    {"translated", translate, false},
    {"rotated", rotate, false},
    {"mirrored", mirror, false},
    {"atoms in another order", permute, false},
    {"atoms in other cells", wrap, true},
    {"2x1x1 supercell", double_cell, true},
    {"2x2x1 supercell", fourfold_cell, true},
    {"skew cell vectors", skew, true},
    {"cell of the other hand", swap_hands, true},
    {"cell vectors swapped", swap_rows, true},
};

/* What the other description should give. */
static void expect(const results *base, const description *d, results *want)
{
    int64_t n = d->s.n_atom;
    memset(want, 0, sizeof *want);
    want->n_atom = n;
    want->energy = base->energy * (double)n / (double)base->n_atom;
    want->has_stress = base->has_stress;
    for (int64_t i = 0; i < n; i++) {
        int from = d->of[i];
        want->site_energies[i] = base->site_energies[from];
        want->magmoms[i] = base->magmoms[from];
        memcpy(want->atom_fea + N_FEATURE * i, base->atom_fea + N_FEATURE * from, N_FEATURE * sizeof(double));
        memcpy(want->atom_fea_final + N_FEATURE * i, base->atom_fea_final + N_FEATURE * from,
               N_FEATURE * sizeof(double));
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                want->forces[3 * i + a] += d->turn[a][b] * base->forces[3 * from + b];
    }
    for (int k = 0; k < 9; k++)
        for (int p = 0; p < 3; p++)
            for (int q = 0; q < 3; q++)
                want->stress[k] += d->turn[k / 3][p] * base->stress[3 * p + q] * d->turn[k % 3][q];
}

static void near(const char *label, const char *what, int64_t count, const double *got, const double *want,
                 double allowed)
{
    double error = sample_error(count, got, want) / fmax(1, sample_largest(count, want));
    tap_ok(error <= allowed, "%s: %s, error %.1e", label, what, error);
}

static void compare(const char *label, const results *got, const results *want, double allowed)
{
    int64_t n = want->n_atom;
    double per_atom[2] = {got->energy / (double)n, want->energy / (double)n};
    near(label, "energy per atom", 1, per_atom, per_atom + 1, allowed);
    near(label, "site energies", n, got->site_energies, want->site_energies, allowed);
    near(label, "magmoms", n, got->magmoms, want->magmoms, allowed);
    near(label, "forces", 3 * n, got->forces, want->forces, allowed);
    near(label, "atom_fea", N_FEATURE * n, got->atom_fea, want->atom_fea, allowed);
    near(label, "atom_fea_final", N_FEATURE * n, got->atom_fea_final, want->atom_fea_final, allowed);
    if (tap_ok(got->has_stress == want->has_stress, "%s: stress is defined or not", label) && got->has_stress)
        near(label, "stress", 9, got->stress, want->stress, allowed);
}

/* Rattled, so that nothing holds by symmetry, and with no pair near a cutoff. */
static void prepare(chgnet_context *ctx, const sample *from, uint64_t seed, chgi_structure *s)
{
    uint64_t state = seed;
    for (int trial = 0; trial < 100; trial++) {
        sample_make(ctx, from, s);
        sample_rattle(s, &state, 0.05);
        if (fmin(sample_gap(ctx, s, 6, 3), sample_gap(ctx, s, 5, 3)) > 1e-7)
            return;
        chgi_structure_destroy(s);
    }
    tap_bail("no random structure keeps its pairs away from the cutoffs");
}

static void check_structure(chgnet_calculator *c, const sample *from, const char *kind, double allowed)
{
    static results base, got, want;
    chgi_structure s;
    prepare(c->ctx, from, 77, &s);
    run(c, &s, &base);
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
        char label[240];
        description d;
        if (operations[k].periodic && !(s.pbc[0] && s.pbc[1]))
            continue;
        operations[k].apply(c->ctx, &s, &d);
        run(c, &d.s, &got);
        expect(&base, &d, &want);
        snprintf(label, sizeof label, "%s, %s, %s", kind, from->name, operations[k].name);
        compare(label, &got, &want, allowed);
        chgi_structure_destroy(&d.s);
    }
    chgi_structure_destroy(&s);
}

/* ---- equal bits ------------------------------------------------------------------------------- */

static bool same_bits(const results *a, const results *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void check_bits(chgnet_context *ctx, const chgnet_model *model, const sample *from, bool is_double)
{
    static results one, other;
    const char *kind = is_double ? "double" : "single";
    chgi_structure small;
    description large;
    double energy;
    prepare(ctx, from, 78, &small);
    repeat(ctx, &small, 2, 2, &large);
    uint64_t state = 79;
    sample_rattle(&large.s, &state, 0.02);
    chgnet_calculator *single = sample_calculator(ctx, model, is_double, 1);
    run(single, &large.s, &one);
    for (int threads = 2; threads <= 4; threads += 2) {
        chgnet_calculator *several = sample_calculator(ctx, model, is_double, threads);
        run(several, &large.s, &other);
        tap_ok(same_bits(&one, &other), "%s, %s: equal bits for 1 and %d threads", kind, from->name, threads);
        chgnet_calculator_destroy(several);
    }
    run(single, &large.s, &other);
    tap_ok(same_bits(&one, &other), "%s, %s: equal bits in a second run", kind, from->name);
    sample_compute(single, &large.s, CHGNET_WANT_ENERGY);
    sample_must(ctx, chgnet_calculator_get_energy(single, &energy));
    tap_ok(memcmp(&energy, &one.energy, sizeof energy) == 0, "%s, %s: equal energy without gradient", kind, from->name);
    tap_ok(memcmp(single->atom_fea, one.atom_fea, (size_t)large.s.n_atom * N_FEATURE * sizeof(double)) == 0,
           "%s, %s: equal embedding without gradient", kind, from->name);
    run(single, &small, &other); /* in a workspace that the larger structure has left */
    chgnet_calculator *fresh = sample_calculator(ctx, model, is_double, 1);
    run(fresh, &small, &one);
    tap_ok(same_bits(&one, &other), "%s, %s: equal bits after a larger structure", kind, from->name);
    chgnet_calculator_destroy(fresh);
    chgnet_calculator_destroy(single);
    chgi_structure_destroy(&large.s);
    chgi_structure_destroy(&small);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    for (int m = 0; m < 2; m++) { /* the third model has the architecture of the first */
        chgnet_model *model;
        sample_must(ctx, chgnet_model_load(ctx, sample_models[m], &model));
        for (int is_double = 0; is_double < 2; is_double++) {
            char kind[40];
            chgnet_calculator *c = sample_calculator(ctx, model, is_double, 1);
            snprintf(kind, sizeof kind, "%s %s", sample_models[m], is_double ? "double" : "single");
            for (int k = 0; k < SAMPLE_COUNT && (is_double || m == 0); k++)
                check_structure(c, &sample_list[k], kind, is_double ? 1e-11 : 1e-5);
            chgnet_calculator_destroy(c);
            check_bits(ctx, model, &sample_list[0], is_double);
            check_bits(ctx, model, &sample_list[1], is_double);
        }
        chgnet_model_destroy(model);
    }
    chgnet_context_destroy(ctx);
    return tap_done();
}
