/* Upstream's predictions in double precision (tests/ref, made by tools/make_reference.py): a set of 29 usual
 * structures, and structures_extra.extxyz, with mixed periodicity, skew and one-atom cells, odd elements, an alloy.
 *
 * In double: |x - ref| <= 1e-9 max(1, max|ref|) for each array; both sides differ by rounding only.
 * In single: error at most 3 err32 + 2e-6 max(1, max|ref|), where err32 is the error of upstream's own single
 * precision; and over all structures the median of error / max(err32, 1e-7) is at most 1: no worse than upstream. */
#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "calc/calculator.h"
#include "store/h5.h"
#include "tap.h"

enum { N_FEATURE = 64, MOST_RATIOS = 4096 };

typedef struct quantity {
    const char *name, *error; /* attribute with upstream's error in single precision; NULL: double only */
    int width;                /* numbers per atom; 0: the array does not grow with the atoms */
    int64_t size;
} quantity;

static const quantity QUANTITIES[] = {
    {"energy", "err32_energy_per_atom", 0, 1},
    {"forces", "err32_forces", 3, 0},
    {"stress", "err32_stress", 0, 9},
    {"magmom", "err32_magmom", 1, 0},
    {"site_energies", NULL, 1, 0},
    {"atom_fea", "err32_atom_fea", N_FEATURE, 0},
    {"atom_fea_final", NULL, N_FEATURE, 0},
    {"crystal_fea", NULL, 0, N_FEATURE},
};
enum { N_QUANTITY = sizeof QUANTITIES / sizeof *QUANTITIES };

typedef struct bench {
    chgnet_context *ctx;
    chgi_h5 *file;
    chgnet_calculator *calculator;
    double *ratios;
    int n_ratio;
    bool is_double;
} bench;

static void must(chgnet_context *ctx, chgnet_status status)
{
    if (status != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
}

static double *read_doubles(bench *b, const char *group, const char *name, int64_t count)
{
    int64_t shape[CHGI_H5_MAX_RANK];
    int rank;
    double *data = chgi_memory_new((size_t)count, sizeof *data);
    must(b->ctx, chgi_h5_shape(b->ctx, b->file, group, name, CHGI_H5_DOUBLE, -1, shape, &rank));
    must(b->ctx, chgi_h5_read(b->ctx, b->file, group, name, CHGI_H5_DOUBLE, rank, shape, data));
    return data;
}

static bool read_structure(bench *b, const char *key, chgi_structure *s)
{
    int64_t shape[CHGI_H5_MAX_RANK], pbc[3], three = 3, cell_shape[2] = {3, 3};
    must(b->ctx, chgi_h5_shape(b->ctx, b->file, key, "numbers", CHGI_H5_INT64, 1, shape, NULL));
    must(b->ctx, chgi_structure_create(b->ctx, shape[0], s));
    int64_t *numbers = chgi_memory_new((size_t)shape[0], sizeof *numbers), positions[2] = {shape[0], 3};
    must(b->ctx, chgi_h5_read(b->ctx, b->file, key, "numbers", CHGI_H5_INT64, 1, shape, numbers));
    must(b->ctx, chgi_h5_read(b->ctx, b->file, key, "positions", CHGI_H5_DOUBLE, 2, positions, s->positions));
    must(b->ctx, chgi_h5_read(b->ctx, b->file, key, "cell", CHGI_H5_DOUBLE, 2, cell_shape, s->cell));
    must(b->ctx, chgi_h5_read(b->ctx, b->file, key, "pbc", CHGI_H5_INT64, 1, &three, pbc));
    for (int64_t i = 0; i < shape[0]; i++)
        s->numbers[i] = (int32_t)numbers[i];
    for (int k = 0; k < 3; k++)
        s->pbc[k] = pbc[k] != 0;
    chgi_memory_free(numbers);
    return true;
}

/* Our result under upstream's name; false where we rightly have none. */
static bool ours(bench *b, int which, double *out)
{
    chgnet_status (*const getters[N_QUANTITY])(const chgnet_calculator *, double *) = {
        chgnet_calculator_get_energy,         chgnet_calculator_get_forces,        chgnet_calculator_get_stress,
        chgnet_calculator_get_magmoms,        chgnet_calculator_get_site_energies, chgnet_calculator_get_atom_fea,
        chgnet_calculator_get_atom_fea_final, chgnet_calculator_get_crystal_fea};
    return getters[which](b->calculator, out) == CHGNET_OK;
}

/* Where upstream is not right: the stress of a left-handed cell has the wrong sign, and without full periodicity it is
 * divided by a volume that means nothing. */
static double upstream_sign(const chgi_structure *s, int which)
{
    return strcmp(QUANTITIES[which].name, "stress") == 0 && chgi_structure_volume(s->cell) < 0 ? -1 : 1;
}

static void check_quantity(bench *b, const char *group, const char *label, const chgi_structure *s, int which)
{
    const quantity *q = &QUANTITIES[which];
    int64_t count = q->width ? q->width * s->n_atom : q->size;
    double *want = read_doubles(b, group, q->name, count), *got = chgi_memory_new((size_t)count, sizeof *got);
    double largest = 0, error = 0, scale = which == 0 ? 1.0 / (double)s->n_atom : 1, sign = upstream_sign(s, which);
    if (!ours(b, which, got)) {
        tap_ok(strcmp(q->name, "stress") == 0 && !(s->pbc[0] && s->pbc[1] && s->pbc[2]), "%s: no %s", label, q->name);
    } else {
        for (int64_t k = 0; k < count; k++) {
            largest = fmax(largest, fabs(scale * want[k]));
            double difference = fabs(scale * (got[k] - sign * want[k]));
            error = difference <= error ? error : difference; /* keeps a NaN */
        }
        double err32 = 0, allowed = 1e-9 * fmax(1, largest);
        if (!b->is_double) {
            must(b->ctx, chgi_h5_get_double(b->ctx, b->file, group, q->error, &err32));
            allowed = 3 * err32 + 2e-6 * fmax(1, largest);
            b->ratios[b->n_ratio++] = error / fmax(err32, 1e-7);
        }
        tap_ok(error <= allowed, "%s: %s, error %.2g, allowed %.2g", label, q->name, error, allowed);
    }
    chgi_memory_free(want);
    chgi_memory_free(got);
}

static void check_structure(bench *b, const char *key, const char *model)
{
    char group[200], label[240];
    chgi_structure s = {0};
    int64_t bonds, angles, want;
    read_structure(b, key, &s);
    snprintf(group, sizeof group, "%s/%s", key, model);
    snprintf(label, sizeof label, "%s %s %s", key, model, b->is_double ? "double" : "single");
    must(b->ctx, chgi_calculator_set_structure(b->calculator, &s));
    must(b->ctx, chgi_calculator_compute(b->calculator, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT));
    must(b->ctx, chgnet_calculator_get_counts(b->calculator, &bonds, &angles));
    must(b->ctx, chgi_h5_get_int(b->ctx, b->file, group, "n_directed_bond", &want));
    tap_ok(bonds == want, "%s: %lld directed bonds", label, (long long)bonds);
    for (int which = 0; which < N_QUANTITY; which++)
        if (b->is_double || QUANTITIES[which].error)
            check_quantity(b, group, label, &s, which);
    chgi_structure_destroy(&s);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check_model(chgnet_context *ctx, chgi_h5 *file, const char *name, bool is_double)
{
    chgnet_model *model;
    char **keys;
    int64_t n_key;
    bench b = {.ctx = ctx, .file = file, .is_double = is_double};
    b.ratios = chgi_memory_new(MOST_RATIOS, sizeof *b.ratios);
    must(ctx, chgnet_model_load(ctx, name, &model));
    must(ctx, chgi_calculator_create(ctx, model, is_double, 1, getenv("CHGNET_ISA"), &b.calculator));
    must(ctx, chgi_h5_list(ctx, file, "", &keys, &n_key));
    for (int64_t k = 0; k < n_key; k++)
        check_structure(&b, keys[k], name);
    if (!is_double) {
        qsort(b.ratios, (size_t)b.n_ratio, sizeof *b.ratios, by_size);
        double median = b.ratios[b.n_ratio / 2];
        tap_ok(median <= 1, "%s single: median of error / upstream's single-precision error is %.2f", name, median);
    }
    chgi_h5_free_names(keys, n_key);
    chgnet_calculator_destroy(b.calculator);
    chgnet_model_destroy(model);
    chgi_memory_free(b.ratios);
}

static void check_file(chgnet_context *ctx, const char *path)
{
    const char *models[] = {"0.3.0", "0.2.0", "r2scan"};
    chgi_h5 *file;
    char *data;
    size_t length;
    tap_note("%s", path);
    must(ctx, chgi_file_read(ctx, path, &data, &length));
    must(ctx, chgi_h5_open(ctx, data, length, &file));
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        for (int is_double = 1; is_double >= 0; is_double--)
            check_model(ctx, file, models[m], is_double);
    chgi_h5_destroy(file);
    chgi_memory_free(data);
}

/* usage: test_reference [FILE.h5 ...] */
int main(int argc, char **argv)
{
    const char *const files[] = {"tests/ref/upstream.h5", "tests/ref/extra.h5"};
    chgnet_context *ctx;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    for (int k = 1; k < argc; k++)
        check_file(ctx, argv[k]);
    for (size_t k = 0; argc < 2 && k < sizeof files / sizeof *files; k++)
        check_file(ctx, tap_source(files[k]));
    chgnet_context_destroy(ctx);
    return tap_done();
}
