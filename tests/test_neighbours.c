/* A host's neighbour list with ghosts gives what our own search gives.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "allocations.h"
#include "sample.h"

enum { MOST_HOSTED = 4000, MOST_PAIRS = 400000 };

static const double CUTOFF = 6, MARGIN = 1; /* A */

/* What a host has: atoms, ghosts and a list.  One at a time. */
static struct {
    int32_t numbers[MOST_HOSTED], owner[MOST_HOSTED];
    double positions[3 * MOST_HOSTED];
    int64_t start[MOST_HOSTED + 1];
    int32_t neighbour[MOST_PAIRS];
    int pbc[3];
    double cell[9];
    chgnet_neighbours view;
} host;

static double distance2(int64_t i, int64_t j)
{
    double sum = 0;
    for (int c = 0; c < 3; c++)
        sum += (host.positions[3 * i + c] - host.positions[3 * j + c]) *
               (host.positions[3 * i + c] - host.positions[3 * j + c]);
    return sum;
}

static bool near_local(const double x[3], double reach)
{
    for (int64_t i = 0; i < host.view.n_local; i++) {
        double sum = 0;
        for (int c = 0; c < 3; c++)
            sum += (x[c] - host.positions[3 * i + c]) * (x[c] - host.positions[3 * i + c]);
        if (sum < reach * reach)
            return true;
    }
    return false;
}

static void add_ghost(const chgi_structure *s, int64_t of, const int image[3], int32_t owner, double reach)
{
    double x[3];
    for (int c = 0; c < 3; c++)
        x[c] =
            s->positions[3 * of + c] + image[0] * s->cell[0][c] + image[1] * s->cell[1][c] + image[2] * s->cell[2][c];
    if (!near_local(x, reach))
        return;
    int64_t n = host.view.n_local + host.view.n_ghost;
    if (n == MOST_HOSTED)
        tap_bail("too many ghosts");
    memcpy(host.positions + 3 * n, x, sizeof x);
    host.numbers[n] = s->numbers[of];
    host.owner[host.view.n_ghost++] = owner < 0 ? (int32_t)n : owner;
}

/* The first atoms of a structure as local ones, starting with `first`; everything else within reach as ghosts.
 * remote: atoms that are not local, and images of all, stand for themselves. */
static void make_host(const chgi_structure *s, int64_t first, int64_t n_local, double reach, bool remote)
{
    int most = 12;
    host.view = chgnet_neighbours_default();
    host.view.n_local = n_local;
    memcpy(host.cell, s->cell, sizeof host.cell);
    for (int k = 0; k < 3; k++)
        host.pbc[k] = s->pbc[k];
    for (int64_t i = 0; i < n_local; i++) {
        host.numbers[i] = s->numbers[first + i];
        memcpy(host.positions + 3 * i, s->positions + 3 * (first + i), 3 * sizeof(double));
    }
    for (int a = s->pbc[0] ? -most : 0; a <= (s->pbc[0] ? most : 0); a++)
        for (int b = s->pbc[1] ? -most : 0; b <= (s->pbc[1] ? most : 0); b++)
            for (int c = s->pbc[2] ? -most : 0; c <= (s->pbc[2] ? most : 0); c++)
                for (int64_t i = 0; i < s->n_atom; i++) {
                    bool local = i >= first && i < first + n_local, home = a == 0 && b == 0 && c == 0;
                    if (!(local && home))
                        add_ghost(s, i, (int[3]){a, b, c}, remote ? -1 : (int32_t)(i - first), reach);
                }
    host.view.numbers = host.numbers;
    host.view.positions = host.positions;
    host.view.owner = host.owner;
    host.view.cell = host.cell;
    host.view.pbc = host.pbc;
    host.view.start = host.start;
    host.view.neighbour = host.neighbour;
}

static void put_pair(int64_t *count, int64_t j)
{
    if (*count == MOST_PAIRS)
        tap_bail("too many pairs");
    host.neighbour[(*count)++] = (int32_t)j;
}

typedef enum kind { FULL, HALF } kind;

/* full: rows of the first n_row atoms hold all their neighbours.  half: the pair of two atoms that both have rows is in
 * the row of one of them only, whose it is depends on the numbers; each row runs backwards. */
static void make_list(kind which, int64_t n_row, double reach)
{
    int64_t n = host.view.n_local + host.view.n_ghost, count = 0;
    for (int64_t i = 0; i < n_row; i++) {
        host.start[i] = count;
        for (int64_t j = n; j-- > 0;)
            if (j != i && distance2(i, j) < reach * reach &&
                (which == FULL || j >= n_row || ((i + j) % 2 ? i < j : i > j)))
                put_pair(&count, j);
    }
    host.start[n_row] = count;
    host.view.n_row = n_row;
}

typedef struct results {
    double energy, forces[3 * MOST_HOSTED], virial[9], site[SAMPLE_MOST_ATOMS], magmoms[SAMPLE_MOST_ATOMS];
    double fea[64 * SAMPLE_MOST_ATOMS], site_virials[9 * MOST_HOSTED];
} results;

static const unsigned ALL = SAMPLE_GRADIENT | CHGNET_WANT_SITE_VIRIALS;

static void get(chgnet_calculator *c, results *r)
{
    sample_must(c->ctx, chgnet_calculator_compute(c, ALL));
    sample_must(c->ctx, chgnet_calculator_get_energy(c, &r->energy));
    sample_must(c->ctx, chgnet_calculator_get_forces(c, r->forces));
    sample_must(c->ctx, chgnet_calculator_get_virial(c, r->virial));
    sample_must(c->ctx, chgnet_calculator_get_site_energies(c, r->site));
    sample_must(c->ctx, chgnet_calculator_get_magmoms(c, r->magmoms));
    sample_must(c->ctx, chgnet_calculator_get_atom_fea(c, r->fea));
    sample_must(c->ctx, chgnet_calculator_get_site_virials(c, r->site_virials));
}

static results want, got;

static bool same(int64_t n)
{
    size_t atoms = (size_t)n * sizeof(double);
    return memcmp(&want.energy, &got.energy, sizeof want.energy) == 0 &&
           memcmp(want.forces, got.forces, 3 * atoms) == 0 &&
           memcmp(want.virial, got.virial, sizeof want.virial) == 0 && memcmp(want.site, got.site, atoms) == 0 &&
           memcmp(want.magmoms, got.magmoms, atoms) == 0 && memcmp(want.fea, got.fea, 64 * atoms) == 0 &&
           memcmp(want.site_virials, got.site_virials, 9 * atoms) == 0;
}

static bool ghosts_are_zero(int64_t n_local, int64_t n_ghost)
{
    return sample_largest(3 * n_ghost, got.forces + 3 * n_local) == 0 &&
           sample_largest(9 * n_ghost, got.site_virials + 9 * n_local) == 0;
}

static void set(chgnet_calculator *c)
{
    sample_must(c->ctx, chgnet_calculator_set_neighbours(c, &host.view));
}

/* ---- one process ------------------------------------------------------------------------------- */

/* The virial is the sum of its shares; n d eV rounding each. */
static void check_shares(int64_t n, const char *name)
{
    double error = 0;
    for (int k = 0; k < 9; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += want.site_virials[9 * i + k];
        error = fmax(error, fabs(sum - (want.virial[k] + want.virial[3 * (k % 3) + k / 3]) / 2));
    }
    tap_ok(error < 1e-12 * (1 + sample_largest(9 * n, want.site_virials)) * (double)n,
           "%s: the virial is the sum of the atoms' shares", name);
}

static void check_structure(chgnet_calculator *own, chgnet_calculator *hosted, const sample *from)
{
    chgi_structure s;
    sample_make(own->ctx, from, &s);
    sample_must(own->ctx, chgi_calculator_set_structure(own, &s));
    get(own, &want);
    check_shares(s.n_atom, from->name);
    make_host(&s, 0, s.n_atom, CUTOFF + MARGIN, false);
    for (int k = 0; k < 3; k++) {
        const char *const kinds[] = {"full list", "half list", "list with rows of ghosts"};
        int64_t n = s.n_atom + host.view.n_ghost;
        make_list(k == 0 ? FULL : HALF, k == 2 ? n : s.n_atom, CUTOFF + MARGIN);
        set(hosted);
        get(hosted, &got);
        tap_ok(same(s.n_atom) && ghosts_are_zero(s.n_atom, host.view.n_ghost),
               "%s: equal bits of all results from a %s, %lld ghosts, %lld pairs", from->name, kinds[k],
               (long long)host.view.n_ghost, (long long)host.start[host.view.n_row]);
    }
    chgi_structure_destroy(&s);
}

/* Atoms move by less than half the margin, and the cell by a little; the list stays. */
static void check_move(chgnet_calculator *own, chgnet_calculator *hosted, const sample *from)
{
    uint64_t state = 3;
    int64_t alike = 0;
    double strain[3][3];
    chgi_structure place, s;
    sample_make(own->ctx, from, &place);
    sample_make(own->ctx, from, &s);
    make_host(&s, 0, s.n_atom, CUTOFF + MARGIN, false);
    make_list(FULL, s.n_atom, CUTOFF + MARGIN);
    set(hosted);
    for (int step = 0; step < 12; step++) {
        memcpy(s.positions, place.positions, 3 * (size_t)s.n_atom * sizeof(double));
        memcpy(s.cell, place.cell, sizeof s.cell);
        sample_rattle(&s, &state, 0.15);
        sample_fill(&state, 5e-3, 9, strain[0]);
        sample_strain(&s, strain);
        sample_must(own->ctx, chgi_calculator_set_structure(own, &s));
        get(own, &want);
        memcpy(host.positions, s.positions, 3 * (size_t)s.n_atom * sizeof(double)); /* ghosts stay behind: not read */
        sample_must(own->ctx, chgnet_calculator_move_neighbours(hosted, host.positions, s.cell[0]));
        get(hosted, &got);
        alike += same(s.n_atom);
    }
    tap_is_int(alike, 12, "a moving structure in a moving cell: equal bits under one list");
    chgi_structure_destroy(&place);
    chgi_structure_destroy(&s);
}

static void check_steady(chgnet_calculator *hosted, const sample *from)
{
    chgi_structure s;
    sample_make(hosted->ctx, from, &s);
    make_host(&s, 0, s.n_atom, CUTOFF + MARGIN, false);
    make_list(FULL, s.n_atom, CUTOFF + MARGIN);
    for (int step = 0; step < 6; step++) {
        if (step == 3)
            allocations = 0;
        if (step % 3 == 0)
            set(hosted);
        sample_must(hosted->ctx, chgnet_calculator_move_neighbours(hosted, host.positions, NULL));
        sample_must(hosted->ctx, chgnet_calculator_compute(hosted, ALL));
    }
    tap_ok(allocations <= 2, "a repeated list allocates what sorting it takes, later steps nothing: %lld",
           (long long)allocations);
    allocations = 0;
    sample_must(hosted->ctx, chgnet_calculator_move_neighbours(hosted, host.positions, NULL));
    sample_must(hosted->ctx, chgnet_calculator_compute(hosted, ALL));
    tap_is_int(allocations, 0, "a step under a list that is set allocates nothing");
    chgi_structure_destroy(&s);
}

/* ---- several processes ------------------------------------------------------------------------- */

/* Methanol molecules in a row: the halo of the receptive field stays small. */
static void make_chain(chgnet_context *ctx, chgi_structure *s)
{
    uint64_t state = 11;
    sample_make(ctx, &sample_list[3], s);
    sample_rattle(s, &state, 0.05);
    s->pbc[0] = true;
    s->cell[0][0] = 4.3;
    s->cell[0][1] = 0.2;
}

/* Forces of ghosts join those of the atoms they stand for, which are found by place. */
static void fold_forces(const chgi_structure *s, int64_t n, double *total)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t a = 0; a < s->n_atom; a++) {
            double d[3], away;
            for (int c = 0; c < 3; c++)
                d[c] = host.positions[3 * i + c] - s->positions[3 * a + c];
            away = round(d[0] / s->cell[0][0]);
            if (fabs(d[0] - away * s->cell[0][0]) + fabs(d[1] - away * s->cell[0][1]) + fabs(d[2]) < 1e-9)
                for (int c = 0; c < 3; c++)
                    total[3 * a + c] += got.forces[3 * i + c];
        }
}

static void check_parts(chgnet_calculator *own, chgnet_calculator *hosted, const char *name)
{
    chgi_structure s;
    double energy = 0, virial[9] = {0}, forces[3 * SAMPLE_MOST_ATOMS] = {0}, site[SAMPLE_MOST_ATOMS];
    double field = chgnet_model_receptive_field(own->model);
    make_chain(own->ctx, &s);
    sample_must(own->ctx, chgi_calculator_set_structure(own, &s));
    get(own, &want);
    for (int part = 0; part < 2; part++) {
        int64_t first = part ? 2 : 0, n_local = part ? 4 : 2;
        make_host(&s, first, n_local, field, true);
        make_list(FULL, n_local + host.view.n_ghost, CUTOFF);
        set(hosted);
        get(hosted, &got);
        energy += got.energy;
        for (int k = 0; k < 9; k++)
            virial[k] += got.virial[k];
        memcpy(site + first, got.site, (size_t)n_local * sizeof *site);
        fold_forces(&s, n_local + host.view.n_ghost, forces);
    }
    /* Sums of 6 and of some 100 terms in double, each rounded at 1e-16 of some eV; the tables' 1e-11. */
    tap_near(energy, want.energy, 1e-9, "energies of two parts add up");
    tap_ok(sample_error(s.n_atom, site, want.site) < 1e-9, "%s: site energies are those of the whole", name);
    tap_ok(sample_error(3 * s.n_atom, forces, want.forces) < 1e-9, "%s: forces add up, with those of ghosts", name);
    tap_ok(sample_error(9, virial, want.virial) < 1e-9, "%s: virials add up", name);
    chgi_structure_destroy(&s);
}

/* ---- refusals ---------------------------------------------------------------------------------- */

static void refused(chgnet_calculator *c, chgnet_status status, const char *part)
{
    chgnet_status is = chgnet_calculator_set_neighbours(c, &host.view);
    tap_ok(is == status && strstr(chgnet_context_error(c->ctx), part), "refused: %s", chgnet_context_error(c->ctx));
    tap_ok(chgnet_calculator_compute(c, CHGNET_WANT_ENERGY) == CHGNET_EUSAGE, "and there is nothing to compute");
}

#define REFUSED(place, value, part)         \
    do {                                    \
        int64_t kept_ = (place);            \
        (place) = (value);                  \
        refused(c, CHGNET_EINPUT, part);    \
        (place) = (__typeof__(place))kept_; \
    } while (0)

static void check_refusals(chgnet_calculator *c)
{
    chgi_structure s;
    double x = 0, cell[9];
    sample_make(c->ctx, &sample_list[0], &s);
    make_host(&s, 0, s.n_atom, CUTOFF, false);
    make_list(FULL, s.n_atom, CUTOFF);
    int32_t n = (int32_t)(s.n_atom + host.view.n_ghost);
    REFUSED(host.view.n_local, -1, "local atoms");
    REFUSED(host.view.n_ghost, INT64_MAX, "ghosts; give 0 to");
    REFUSED(host.view.n_row, n + 1, "a list of");
    REFUSED(host.view.n_row, -1, "a list of -1 rows");
    REFUSED(host.owner[0], n, "has the owner");
    REFUSED(host.owner[0], -1, "has the owner -1");
    REFUSED(host.owner[0], (int32_t)s.n_atom + 1, "an image itself");
    REFUSED(host.owner[0], host.numbers[0] == host.numbers[s.n_atom] ? 2 : 0, "and its owner");
    REFUSED(host.neighbour[3], n, "has the neighbour");
    REFUSED(host.neighbour[3], -1, "has the neighbour -1");
    REFUSED(host.neighbour[0], 0, "its own neighbour");
    REFUSED(host.start[1], host.start[0] - 1, "ends before it starts");
    REFUSED(host.start[0], -1, "ends before it starts");
    REFUSED(host.numbers[1], 0, "atomic number 0");
    x = host.positions[3 * s.n_atom];
    host.positions[3 * s.n_atom] += 2e-3;
    refused(c, CHGNET_EINPUT, "is no periodic image");
    host.positions[3 * s.n_atom] = NAN;
    refused(c, CHGNET_EINPUT, "not finite");
    host.positions[3 * s.n_atom] = x;
    host.view.owner = NULL;
    refused(c, CHGNET_EINPUT, "without owners");
    host.view.owner = host.owner;
    memcpy(cell, host.cell, sizeof cell);
    memset(host.cell + 3, 0, 3 * sizeof(double));
    refused(c, CHGNET_EINPUT, "cell vector 2");
    memcpy(host.cell, cell, sizeof cell);
    host.view.size--;
    refused(c, CHGNET_EUSAGE, "of another version");
    tap_ok(chgnet_calculator_move_neighbours(c, host.positions, NULL) == CHGNET_EUSAGE, "no list to move under: %s",
           chgnet_context_error(c->ctx));
    host.view.size++;
    set(c);
    tap_ok(chgnet_calculator_set_positions(c, s.positions) == CHGNET_EUSAGE, "%s", chgnet_context_error(c->ctx));
    sample_must(c->ctx, chgi_calculator_set_structure(c, &s));
    tap_ok(chgnet_calculator_move_neighbours(c, host.positions, NULL) == CHGNET_EUSAGE, "%s",
           chgnet_context_error(c->ctx));
    chgi_structure_destroy(&s);
}

/* Two ghosts at one place name one atom twice. */
static void check_twice(chgnet_calculator *c)
{
    chgi_structure s;
    sample_make(c->ctx, &sample_list[0], &s);
    make_host(&s, 0, s.n_atom, CUTOFF, false);
    int64_t n = s.n_atom + host.view.n_ghost;
    host.numbers[n] = host.numbers[s.n_atom];
    host.owner[host.view.n_ghost++] = host.owner[0];
    memcpy(host.positions + 3 * n, host.positions + 3 * s.n_atom, 3 * sizeof(double));
    make_list(FULL, n, CUTOFF);
    refused(c, CHGNET_EINPUT, "one image of one atom");
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    for (int is_double = 0; is_double < 2; is_double++) {
        chgnet_calculator *own = sample_calculator(ctx, model, is_double, 1);
        chgnet_calculator *hosted = sample_calculator(ctx, model, is_double, 1);
        for (int k = 0; k < SAMPLE_COUNT; k++)
            check_structure(own, hosted, &sample_list[k]);
        if (is_double)
            check_parts(own, hosted, "a chain in two parts");
        else {
            check_move(own, hosted, &sample_list[0]);
            check_steady(hosted, &sample_list[0]);
            check_refusals(hosted);
            check_twice(hosted);
        }
        chgnet_calculator_destroy(own);
        chgnet_calculator_destroy(hosted);
    }
    tap_near(chgnet_model_receptive_field(model), 24, 0, "four convolutions reach 24 A");
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
