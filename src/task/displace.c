#include "task/displace.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_SPGLIB
#include <spglib.h>
#endif

#include "base/memory.h"

enum { AXES = 3, DIRECTIONS = 13, MOST_PER_ATOM = 6 };

/* In vectors of the supercell; phonopy's order decides which one it finds first. */
static const int directions[DIRECTIONS][3] = {{1, 0, 0},  {0, 1, 0},  {0, 0, 1},  {1, 1, 0},  {1, 0, 1},
                                              {0, 1, 1},  {1, -1, 0}, {1, 0, -1}, {0, 1, -1}, {1, 1, 1},
                                              {1, 1, -1}, {1, -1, 1}, {-1, 1, 1}};

/* An atom and the rotations that leave its surroundings as they are. */
typedef struct site {
    int32_t atom;
    int n_rotation;
    int (*rotations)[3][3]; /* (n_rotation) of fractional coordinates, as columns */
} site;

typedef struct job {
    chgnet_context *ctx;
    const chgi_displace_choice *choice;
    chgi_displaced *cells;
    size_t capacity;
} job;

/* ---- directions of one atom -------------------------------------------------------------------- */

static void turn(int rotation[3][3], const int from[3], int to[3])
{
    for (int i = 0; i < 3; i++)
        to[i] = rotation[i][0] * from[0] + rotation[i][1] * from[1] + rotation[i][2] * from[2];
}

static bool independent(const int a[3], const int b[3], const int c[3])
{
    return a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
               a[2] * (b[0] * c[1] - b[1] * c[0]) !=
           0;
}

/* Whether two rotations bring a direction into three independent ones. */
static bool spans_alone(const site *s, const int direction[3])
{
    int first[3], second[3];
    for (int i = 0; i < s->n_rotation; i++)
        for (int j = i + 1; j < s->n_rotation; j++) {
            turn(s->rotations[i], direction, first);
            turn(s->rotations[j], direction, second);
            if (independent(direction, first, second))
                return true;
        }
    return false;
}

/* A second direction that spans space with a first one and one of its images; -1: none. */
static int find_partner(const site *s, const int direction[3])
{
    int image[3];
    for (int i = 0; i < s->n_rotation; i++) {
        turn(s->rotations[i], direction, image);
        for (int k = 0; k < DIRECTIONS; k++)
            if (independent(direction, image, directions[k]))
                return k;
    }
    return -1;
}

/* \return how many of `chosen` there are */
static int choose(const site *s, int chosen[AXES])
{
    for (int k = 0; k < DIRECTIONS; k++)
        if (spans_alone(s, directions[k])) {
            chosen[0] = k;
            return 1;
        }
    for (int k = 0; k < DIRECTIONS; k++) {
        chosen[0] = k;
        chosen[1] = find_partner(s, directions[k]);
        if (chosen[1] >= 0)
            return 2;
    }
    for (int k = 0; k < AXES; k++)
        chosen[k] = k;
    return AXES;
}

static bool is_reversed(const site *s, const int direction[3])
{
    int image[3];
    for (int i = 0; i < s->n_rotation; i++) {
        turn(s->rotations[i], direction, image);
        if (image[0] == -direction[0] && image[1] == -direction[1] && image[2] == -direction[2])
            return true;
    }
    return false;
}

static void add(job *j, int32_t atom, const int direction[3], double sign)
{
    chgi_displacement *d = &j->cells->displacements[j->cells->n_displacement++];
    const chgi_structure *s = &j->cells->supercell;
    double square = 0;
    d->atom = atom;
    for (int c = 0; c < 3; c++) {
        for (int k = 0; k < 3; k++)
            d->vector[c] += sign * direction[k] * s->cell[k][c];
        square += d->vector[c] * d->vector[c];
    }
    for (int c = 0; c < 3; c++)
        d->vector[c] *= j->choice->distance / sqrt(square);
}

static chgnet_status displace_site(job *j, const site *s)
{
    int chosen[AXES], n = choose(s, chosen);
    size_t need = (size_t)j->cells->n_displacement + MOST_PER_ATOM;
    CHGI_TRY(chgi_memory_grow(j->ctx, &j->cells->displacements, &j->capacity, need, sizeof *j->cells->displacements));
    for (int k = 0; k < n; k++) {
        add(j, s->atom, directions[chosen[k]], 1);
        if (j->choice->plus_minus || !is_reversed(s, directions[chosen[k]]))
            add(j, s->atom, directions[chosen[k]], -1);
    }
    return CHGNET_OK;
}

/* ---- atoms ------------------------------------------------------------------------------------- */

static chgnet_status displace_unit_cell(job *j, int64_t n_cell)
{
    int none[1][3][3] = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    for (int64_t i = 0; i < j->cells->supercell.n_atom; i += n_cell)
        CHGI_TRY(displace_site(j, &(site){.atom = (int32_t)i, .n_rotation = 1, .rotations = none}));
    return CHGNET_OK;
}

#ifdef HAVE_SPGLIB
/* Whether an operation leaves an atom where it is, but for a lattice vector. */
static bool keeps(const chgi_structure *s, int rotation[3][3], const double translation[3], const double place[3],
                  double tolerance)
{
    double off[3], square = 0;
    for (int i = 0; i < 3; i++) {
        off[i] = translation[i] - place[i];
        for (int k = 0; k < 3; k++)
            off[i] += rotation[i][k] * place[k];
        off[i] -= round(off[i]);
    }
    for (int c = 0; c < 3; c++) {
        double x = off[0] * s->cell[0][c] + off[1] * s->cell[1][c] + off[2] * s->cell[2][c];
        square += x * x;
    }
    return square < tolerance * tolerance;
}

static chgnet_status displace_inequivalent(job *j, const SpglibDataset *group, const double (*places)[3], site *s)
{
    for (int32_t i = 0; i < (int32_t)j->cells->supercell.n_atom; i++) {
        if (group->equivalent_atoms[i] != i)
            continue;
        s->atom = i;
        s->n_rotation = 0;
        for (int o = 0; o < group->n_operations; o++)
            if (keeps(&j->cells->supercell, group->rotations[o], group->translations[o], places[i],
                      j->choice->tolerance))
                memcpy(s->rotations[s->n_rotation++], group->rotations[o], sizeof *s->rotations);
        CHGI_TRY(displace_site(j, s));
    }
    return CHGNET_OK;
}

static chgnet_status displace_by_group(job *j, double (*places)[3], char name[16])
{
    const chgi_structure *s = &j->cells->supercell;
    double lattice[3][3];
    for (int k = 0; k < 9; k++) /* its vectors are columns */
        lattice[k / 3][k % 3] = s->cell[k % 3][k / 3];
    SpglibDataset *group = spg_get_dataset(lattice, places, s->numbers, (int)s->n_atom, j->choice->tolerance);
    if (!group)
        return chgi_context_fail(j->ctx, CHGNET_EINPUT,
                                 "spglib finds no space group; give another --symmetry-tolerance or --no-symmetry");
    memcpy(name, group->international_symbol, sizeof group->international_symbol);
    size_t n = (size_t)group->n_operations;
    site work = {.rotations = chgi_memory_new(n, sizeof *work.rotations)};
    chgnet_status status = work.rotations ? displace_inequivalent(j, group, (const double(*)[3])places, &work)
                                          : chgi_context_nomem(j->ctx, n, sizeof *work.rotations);
    chgi_memory_free(work.rotations);
    spg_free_dataset(group);
    return status;
}

static chgnet_status displace_by_symmetry(job *j, char name[16])
{
    const chgi_structure *s = &j->cells->supercell;
    double inverse[3][3], (*places)[3];
    if (!chgi_structure_invert(s->cell, inverse))
        return chgi_context_fail(j->ctx, CHGNET_EINPUT, "the cell is flat; give one with a volume");
    places = chgi_memory_new((size_t)s->n_atom, sizeof *places);
    if (!places)
        return chgi_context_nomem(j->ctx, (size_t)s->n_atom, sizeof *places);
    for (int64_t k = 0; k < 9 * s->n_atom; k++)
        places[k / 9][k % 3] += s->positions[k / 9 * 3 + k / 3 % 3] * inverse[k / 3 % 3][k % 3];
    chgnet_status status = displace_by_group(j, places, name);
    chgi_memory_free(places);
    return status;
}
#else
static chgnet_status displace_by_symmetry(job *j, char name[16])
{
    (void)name;
    return chgi_context_fail(j->ctx, CHGNET_EUSAGE,
                             "this chgnet was built without spglib; give --no-symmetry, or install libsymspg-dev, run "
                             "configure and make again");
}
#endif

chgnet_status chgi_displace(chgnet_context *ctx, const chgi_displace_choice *choice, int64_t n_cell,
                            chgi_displaced *cells, char group[16])
{
    job j = {.ctx = ctx, .choice = choice, .cells = cells};
    memset(group, 0, 16);
    cells->n_displacement = 0;
    return choice->symmetry ? displace_by_symmetry(&j, group) : displace_unit_cell(&j, n_cell);
}
