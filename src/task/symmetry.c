#include "task/symmetry.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_SPGLIB
#include <spglib.h>
#endif

#include "base/memory.h"

struct chgi_symmetry {
    char name[16];
    int n_operation;
    int64_t n_atom;
    int (*rotations)[3][3];    /* (n_operation) of fractional coordinates, as columns */
    double (*translations)[3]; /* (n_operation) */
    int32_t *images;           /* (n_operation,n_atom) where each atom goes */
    double *sum;               /* (n_atom,3) */
};

void chgi_symmetry_destroy(chgi_symmetry *symmetry)
{
    if (!symmetry)
        return;
    chgi_memory_free(symmetry->rotations);
    chgi_memory_free(symmetry->translations);
    chgi_memory_free(symmetry->images);
    chgi_memory_free(symmetry->sum);
    chgi_memory_free(symmetry);
}

const char *chgi_symmetry_name(const chgi_symmetry *symmetry)
{
    return symmetry->name;
}

int chgi_symmetry_count(const chgi_symmetry *symmetry)
{
    return symmetry->n_operation;
}

/* ---- averages ---------------------------------------------------------------------------------- */

static chgi_matrix3 matrix_of(const double *rows)
{
    chgi_matrix3 a;
    memcpy(a.m, rows, sizeof a.m);
    return a;
}

/* An operation on Cartesian rows: s' = R s for fractional columns is x' = x h^-1 R^T h. */
static chgi_matrix3 cartesian(const chgi_symmetry *symmetry, int operation, chgi_matrix3 cell, chgi_matrix3 inverse)
{
    chgi_matrix3 turned;
    for (int k = 0; k < 9; k++)
        turned.m[k / 3][k % 3] = symmetry->rotations[operation][k % 3][k / 3];
    return chgi_matrix3_multiply(chgi_matrix3_multiply(inverse, turned), cell);
}

chgi_matrix3 chgi_symmetry_turn(const chgi_symmetry *symmetry, const double *cell, int operation)
{
    chgi_matrix3 h = matrix_of(cell), inverse = h;
    chgi_matrix3_invert(h, &inverse);
    return cartesian(symmetry, operation, h, inverse);
}

void chgi_symmetry_apply_vectors(chgi_symmetry *symmetry, const double *cell, double *rows)
{
    chgi_matrix3 h = matrix_of(cell), inverse = h;
    int64_t n = symmetry->n_atom;
    chgi_matrix3_invert(h, &inverse);
    memset(symmetry->sum, 0, 3 * (size_t)n * sizeof *symmetry->sum);
    for (int o = 0; o < symmetry->n_operation; o++) {
        chgi_matrix3 turn = cartesian(symmetry, o, h, inverse);
        for (int64_t i = 0; i < n; i++) {
            double turned[3], *to = symmetry->sum + 3 * (int64_t)symmetry->images[o * n + i];
            chgi_matrix3_rows(rows + 3 * i, turn, 1, turned);
            for (int c = 0; c < 3; c++)
                to[c] += turned[c];
        }
    }
    for (int64_t k = 0; k < 3 * n; k++)
        rows[k] = symmetry->sum[k] / symmetry->n_operation;
}

void chgi_symmetry_apply_tensor(const chgi_symmetry *symmetry, const double *cell, chgi_matrix3 *tensor)
{
    chgi_matrix3 h = matrix_of(cell), inverse = h, sum = {{{0}}};
    chgi_matrix3_invert(h, &inverse);
    for (int o = 0; o < symmetry->n_operation; o++) {
        chgi_matrix3 turn = cartesian(symmetry, o, h, inverse);
        chgi_matrix3 turned = chgi_matrix3_multiply(chgi_matrix3_transpose(turn), *tensor);
        sum = chgi_matrix3_add(sum, 1.0 / symmetry->n_operation, chgi_matrix3_multiply(turned, turn));
    }
    *tensor = sum;
}

/* ---- finding the group ------------------------------------------------------------------------- */

bool chgi_symmetry_available(void)
{
#ifdef HAVE_SPGLIB
    return true;
#else
    return false;
#endif
}

#ifdef HAVE_SPGLIB
/* Fractional coordinates of where an operation takes a point. */
static void send(const chgi_symmetry *symmetry, int o, const double from[3], double to[3])
{
    for (int c = 0; c < 3; c++)
        to[c] = symmetry->rotations[o][c][0] * from[0] + symmetry->rotations[o][c][1] * from[1] +
                symmetry->rotations[o][c][2] * from[2] + symmetry->translations[o][c];
}

/* From a to b by the shortest way, in fractions of the cell. */
static void way(const double a[3], const double b[3], double d[3])
{
    for (int c = 0; c < 3; c++) {
        d[c] = b[c] - a[c];
        d[c] -= round(d[c]);
    }
}

static bool find_image(const chgi_symmetry *symmetry, const chgi_structure *s, const double *places, int o, int64_t i,
                       double tolerance, int32_t *image)
{
    double to[3], best = INFINITY;
    send(symmetry, o, places + 3 * i, to);
    for (int64_t j = 0; j < s->n_atom; j++) {
        double d[3], x[3];
        if (s->numbers[j] != s->numbers[i])
            continue;
        way(places + 3 * j, to, d);
        chgi_matrix3_rows(d, matrix_of(s->cell[0]), 1, x);
        double square = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
        if (square < best) {
            best = square;
            *image = (int32_t)j;
        }
    }
    return best < 4 * tolerance * tolerance; /* spglib's tolerance is for distances in a cell of its own */
}

static chgnet_status find_images(chgnet_context *ctx, chgi_symmetry *symmetry, const chgi_structure *s,
                                 const double *places, double tolerance)
{
    for (int o = 0; o < symmetry->n_operation; o++)
        for (int64_t i = 0; i < s->n_atom; i++)
            if (!find_image(symmetry, s, places, o, i, tolerance, &symmetry->images[o * s->n_atom + i]))
                return chgi_context_fail(ctx, CHGNET_EINPUT,
                                         "the space group %s does not bring atom %lld onto another one; give another "
                                         "--symmetry-tolerance",
                                         symmetry->name, (long long)i + 1);
    return CHGNET_OK;
}

/* The metric averaged over the group, reached from the present cell without a turn. */
static void straighten_cell(const chgi_symmetry *symmetry, chgi_structure *s)
{
    chgi_matrix3 h = matrix_of(s->cell[0]), sum = {{{0}}}, inverse = h, stretch;
    chgi_matrix3 metric = chgi_matrix3_multiply(h, chgi_matrix3_transpose(h));
    for (int o = 0; o < symmetry->n_operation; o++) {
        chgi_matrix3 r, turned;
        for (int k = 0; k < 9; k++)
            r.m[k / 3][k % 3] = symmetry->rotations[o][k / 3][k % 3];
        turned = chgi_matrix3_multiply(chgi_matrix3_multiply(chgi_matrix3_transpose(r), metric), r);
        sum = chgi_matrix3_add(sum, 1.0 / symmetry->n_operation, turned);
    }
    chgi_matrix3_invert(h, &inverse);
    stretch = chgi_matrix3_multiply(chgi_matrix3_multiply(inverse, sum), chgi_matrix3_transpose(inverse));
    const chgi_matrix3 zero = {{{0}}};
    if (!chgi_matrix3_log(stretch, &stretch))
        return;
    stretch = chgi_matrix3_exp(chgi_matrix3_add(zero, 0.5, stretch));
    chgi_matrix3_rows(s->cell[0], stretch, 3, s->cell[0]);
    chgi_matrix3_rows(s->positions, stretch, s->n_atom, s->positions);
}

/* Each atom to the middle of where the operations bring its equivalents. */
static void straighten_atoms(const chgi_symmetry *symmetry, const double *places, chgi_structure *s)
{
    memset(symmetry->sum, 0, 3 * (size_t)s->n_atom * sizeof *symmetry->sum);
    for (int o = 0; o < symmetry->n_operation; o++)
        for (int64_t i = 0; i < s->n_atom; i++) {
            int32_t image = symmetry->images[o * s->n_atom + i];
            double to[3], d[3];
            send(symmetry, o, places + 3 * i, to);
            way(places + 3 * (int64_t)image, to, d);
            for (int c = 0; c < 3; c++)
                symmetry->sum[3 * image + c] += d[c] / symmetry->n_operation;
        }
    chgi_matrix3_rows(symmetry->sum, matrix_of(s->cell[0]), s->n_atom, symmetry->sum);
    for (int64_t k = 0; k < 3 * s->n_atom; k++)
        s->positions[k] += symmetry->sum[k];
}

static chgnet_status allocate(chgnet_context *ctx, chgi_symmetry *symmetry, int n_operation, int64_t n_atom)
{
    size_t n = (size_t)n_operation, atoms = (size_t)n_atom;
    symmetry->n_operation = n_operation;
    symmetry->n_atom = n_atom;
    symmetry->rotations = chgi_memory_new(n, sizeof *symmetry->rotations);
    symmetry->translations = chgi_memory_new(n, sizeof *symmetry->translations);
    symmetry->images = chgi_memory_new(n, atoms * sizeof *symmetry->images);
    symmetry->sum = chgi_memory_new(3 * atoms, sizeof *symmetry->sum);
    return symmetry->rotations && symmetry->translations && symmetry->images && symmetry->sum
               ? CHGNET_OK
               : chgi_context_nomem(ctx, n, atoms * sizeof *symmetry->images);
}

/* spglib keeps its last error to each thread, and nothing else between calls. */
static SpglibDataset *dataset_of(const chgi_structure *s, double *places, double tolerance)
{
    double lattice[3][3];
    for (int k = 0; k < 9; k++) /* its vectors are columns */
        lattice[k / 3][k % 3] = s->cell[k % 3][k / 3];
    return spg_get_dataset(lattice, (double(*)[3])(void *)places, s->numbers, (int)s->n_atom, tolerance);
}

static chgnet_status take_group(chgnet_context *ctx, chgi_structure *s, double *places, double tolerance,
                                chgi_symmetry *symmetry)
{
    SpglibDataset *group = dataset_of(s, places, tolerance);
    if (!group)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "spglib finds no space group; give another --symmetry-tolerance");
    chgnet_status status = allocate(ctx, symmetry, group->n_operations, s->n_atom);
    if (status == CHGNET_OK) {
        memcpy(symmetry->rotations, group->rotations, (size_t)group->n_operations * sizeof *symmetry->rotations);
        memcpy(symmetry->translations, group->translations,
               (size_t)group->n_operations * sizeof *symmetry->translations);
        memcpy(symmetry->name, group->international_symbol, sizeof group->international_symbol);
    }
    spg_free_dataset(group);
    CHGI_TRY(status);
    CHGI_TRY(find_images(ctx, symmetry, s, places, tolerance));
    straighten_cell(symmetry, s);
    straighten_atoms(symmetry, places, s);
    return CHGNET_OK;
}

static chgnet_status find_group(chgnet_context *ctx, chgi_structure *s, double tolerance, chgi_symmetry *symmetry)
{
    chgi_matrix3 inverse;
    double *places = chgi_memory_new(3 * (size_t)s->n_atom, sizeof *places);
    if (!places)
        return chgi_context_nomem(ctx, 3 * (size_t)s->n_atom, sizeof *places);
    chgnet_status status = CHGNET_OK;
    if (!chgi_matrix3_invert(matrix_of(s->cell[0]), &inverse))
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    else {
        chgi_matrix3_rows(s->positions, inverse, s->n_atom, places);
        status = take_group(ctx, s, places, tolerance, symmetry);
    }
    chgi_memory_free(places);
    return status;
}
#else
static chgnet_status find_group(chgnet_context *ctx, chgi_structure *s, double tolerance, chgi_symmetry *symmetry)
{
    (void)s, (void)tolerance, (void)symmetry;
    return chgi_context_fail(
        ctx, CHGNET_EUSAGE,
        "--keep-symmetry: this chgnet was built without spglib; install libsymspg-dev, run configure "
        "and make again");
}
#endif

static bool is_free(const chgi_structure *s)
{
    for (int64_t k = 0; s->move_mask && k < 3 * s->n_atom; k++)
        if (!s->move_mask[k])
            return false;
    return true;
}

chgnet_status chgi_symmetry_create(chgnet_context *ctx, chgi_structure *structure, double tolerance,
                                   chgi_symmetry **symmetry)
{
    *symmetry = NULL;
    if (!structure->pbc[0] || !structure->pbc[1] || !structure->pbc[2])
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "a space group needs three periodic axes; leave out --keep-symmetry");
    if (!is_free(structure))
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "fixed atoms and a space group cannot both be kept; leave out --keep-symmetry or free "
                                 "the atoms");
    chgi_symmetry *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    chgnet_status status = find_group(ctx, structure, tolerance, made);
    if (status != CHGNET_OK)
        chgi_symmetry_destroy(made);
    else
        *symmetry = made;
    return status;
}
