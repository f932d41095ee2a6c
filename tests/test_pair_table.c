/* The first messages by pairs of elements, from tables, beside those made edge by edge: as near to double precision,
 * the same for any number of threads and whatever was computed before. */
#include "sample.h"

/* Rounding in single precision: what test_reference.c allows beside upstream's own error. */
static const double ROUNDING = 2e-6;
static const double PER_ATOM = 5e-7; /* eV: energies of some -7 eV, rounded in single */

/* Copies side by side along each cell vector. */
static void repeat(chgnet_context *ctx, const sample *from, const int times[3], chgi_structure *s)
{
    int copy = 0;
    sample_must(ctx, chgi_structure_create(ctx, (int64_t)from->n_atom * times[0] * times[1] * times[2], s));
    memcpy(s->pbc, from->pbc, sizeof s->pbc);
    for (int k = 0; k < 9; k++)
        s->cell[k / 3][k % 3] = from->cell[k / 3][k % 3] * times[k / 3];
    for (int i = 0; i < times[0]; i++)
        for (int j = 0; j < times[1]; j++)
            for (int k = 0; k < times[2]; k++, copy++)
                for (int a = 0; a < from->n_atom; a++) {
                    s->numbers[copy * from->n_atom + a] = from->atoms[a].number;
                    for (int c = 0; c < 3; c++)
                        s->positions[3 * (copy * from->n_atom + a) + c] = from->atoms[a].position[c] +
                                                                          i * from->cell[0][c] + j * from->cell[1][c] +
                                                                          k * from->cell[2][c];
                }
}

/* Rattled by so much, A; the cell and all in it stretched by so much. */
static void disturb(chgi_structure *s, double size, double stretch)
{
    uint64_t state = 7;
    double strain[3][3] = {{stretch, 0, 0}, {0, stretch, 0}, {0, 0, stretch}};
    sample_strain(s, strain);
    sample_rattle(s, &state, size);
}

static chgnet_calculator *calculator_of(chgnet_context *ctx, const chgnet_model *model, bool is_double, bool trajectory)
{
    chgnet_calculator *c = sample_calculator(ctx, model, is_double, 1);
    c->trajectory = trajectory;
    return c;
}

static void compare(chgnet_context *ctx, const chgnet_model *model, const char *name, const chgi_structure *s)
{
    chgnet_calculator *exact = calculator_of(ctx, model, true, true), *plain = calculator_of(ctx, model, false, false);
    chgnet_calculator *paired = calculator_of(ctx, model, false, true);
    int64_t n = s->n_atom;
    sample_compute(exact, s, SAMPLE_GRADIENT);
    sample_compute(plain, s, SAMPLE_GRADIENT);
    sample_compute(paired, s, SAMPLE_GRADIENT);
    tap_ok(paired->pairs.network && !plain->pairs.network && !exact->pairs.network, "%s: tables are used", name);
    double limit = ROUNDING * fmax(1, sample_largest(3 * n, exact->forces));
    double made = sample_error(3 * n, plain->forces, exact->forces);
    double read = sample_error(3 * n, paired->forces, exact->forces);
    tap_ok(read <= 2 * made + limit, "%s: forces %.1e off double, without tables %.1e", name, read, made);
    double energy = fabs(paired->energy - exact->energy) / (double)n;
    tap_ok(energy <= PER_ATOM, "%s: energy %.1e eV per atom off", name, energy);
    double virial = sample_error(9, paired->virial[0], exact->virial[0]);
    double virial_limit = ROUNDING * fmax(1, sample_largest(9, exact->virial[0]));
    double virial_made = sample_error(9, plain->virial[0], exact->virial[0]);
    tap_ok(virial <= 2 * virial_made + virial_limit, "%s: virial %.1e off, without tables %.1e", name, virial,
           virial_made);
    paired->keep_at_most = 0;
    sample_compute(paired, s, SAMPLE_GRADIENT);
    read = sample_error(3 * n, paired->forces, exact->forces);
    tap_ok(read <= 2 * made + limit, "%s: recomputing, forces %.1e off", name, read);
    chgi_calculator_destroy(exact);
    chgi_calculator_destroy(plain);
    chgi_calculator_destroy(paired);
}

static bool same_bits(const chgnet_calculator *a, const chgnet_calculator *b)
{
    return a->energy == b->energy && memcmp(a->forces, b->forces, 3 * (size_t)a->graph.n_atom * sizeof *a->forces) == 0;
}

/* One calculator goes from structure to structure, another begins with the last. */
static void history(chgnet_context *ctx, const chgnet_model *model, const chgi_structure *one,
                    const chgi_structure *other)
{
    chgnet_calculator *old = calculator_of(ctx, model, false, true), *new = calculator_of(ctx, model, false, true);
    sample_compute(old, one, SAMPLE_GRADIENT);
    sample_compute(old, other, SAMPLE_GRADIENT);
    sample_compute(old, one, SAMPLE_GRADIENT);
    sample_compute(new, one, SAMPLE_GRADIENT);
    tap_ok(same_bits(old, new), "the same bits after another structure's elements");
    chgi_calculator_destroy(new);
    new = sample_calculator(ctx, model, false, 2);
    new->trajectory = true;
    sample_compute(new, one, SAMPLE_GRADIENT);
    tap_ok(same_bits(old, new), "the same bits with two threads");
    chgi_calculator_destroy(old);
    chgi_calculator_destroy(new);
}

static void small(chgnet_context *ctx, const chgnet_model *model)
{
    chgi_structure s = {0};
    chgnet_calculator *c = calculator_of(ctx, model, false, true);
    sample_make(ctx, &sample_list[0], &s);
    sample_compute(c, &s, SAMPLE_GRADIENT);
    tap_ok(!c->pairs.network, "eight atoms of three elements are not worth tables");
    chgi_calculator_destroy(c);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    for (int m = 0; m < SAMPLE_MODELS; m++) {
        chgnet_model *model;
        char name[64];
        chgi_structure oxide = {0}, slab = {0};
        sample_must(ctx, chgnet_model_load(ctx, sample_models[m], &model));
        repeat(ctx, &sample_list[0], (int[3]){2, 2, 2}, &oxide);
        repeat(ctx, &sample_list[1], (int[3]){3, 3, 1}, &slab);
        disturb(&oxide, 0.1, 0);
        disturb(&slab, 0.1, -0.05);
        snprintf(name, sizeof name, "%s, LiMnO2", sample_models[m]);
        compare(ctx, model, name, &oxide);
        snprintf(name, sizeof name, "%s, S on Cu", sample_models[m]);
        compare(ctx, model, name, &slab);
        history(ctx, model, &oxide, &slab);
        disturb(&oxide, 0.3, -0.1);
        snprintf(name, sizeof name, "%s, LiMnO2 crowded", sample_models[m]);
        compare(ctx, model, name, &oxide);
        small(ctx, model);
        chgi_structure_destroy(&oxide);
        chgi_structure_destroy(&slab);
        chgnet_model_destroy(model);
    }
    chgnet_context_destroy(ctx);
    return tap_done();
}
