/* What a search starts from: its configuration, random structures and moves, and the recognition of duplicates.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <unistd.h>

#include "calc/lennard_jones.h"
#include "search/config.h"
#include "search/fingerprint.h"
#include "search/generate.h"
#include "tap.h"

static chgnet_context *ctx;

static const char slab[] =
    "[template]\nsurface = fcc111\nelement = Ag\na = 4.15\nmatrix = 2 0 0 2\nlayers = 3\n"
    "fixed-layers = 1\n[place]\natoms = S1-3 Ag0-2\nzeros = S -4.1 Ag -2.7\nchemical-potentials = S -0.4\n";

static chgnet_status read_config(const char *text, chgi_search_config *config)
{
    FILE *file = fopen("search.tmp", "wb");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        tap_bail("cannot write a temporary file");
    chgnet_status status = chgi_search_config_read(ctx, "search.tmp", config);
    unlink("search.tmp");
    return status;
}

static void is_refused(const char *text, const char *error)
{
    chgi_search_config config = {0};
    tap_is_int(read_config(text, &config), CHGNET_EINPUT, "refused");
    tap_is_text(chgnet_context_error(ctx), error, error);
}

static void test_config(void)
{
    chgi_search_config config;
    if (!tap_ok(read_config(slab, &config) == CHGNET_OK, "a slab is described"))
        tap_bail(chgnet_context_error(ctx));
    const chgi_space *p = &config.space;
    tap_is_int(p->scaffold.n_atom, 12, "three layers of four");
    tap_ok(!p->scaffold.move_mask[0] && !p->scaffold.move_mask[11] && p->scaffold.move_mask[12],
           "the bottom one fixed");
    tap_ok(p->n_place == 2 && p->places[0].least == 1 && p->places[0].most == 3 && p->places[1].least == 0,
           "what to place");
    tap_is_int(chgi_space_most_atoms(p), 17, "atoms at most");
    tap_near(p->potentials[16], -4.5, 1e-12, "a chemical potential counts from its zero");
    tap_near(p->potentials[47], -2.7, 1e-12, "and is zero where none is given");
    double top = 6.5 + 2 * 4.15 / sqrt(3);
    tap_near(p->origin[2], top, 1e-12, "the region begins at the top atom");
    tap_near(p->edges[2][2], 3, 1e-12, "and is 3 A high");
    chgi_search_config_destroy(&config);
}

static void test_wrong_config(void)
{
    is_refused("[place]\natoms = S\n",
               "search.tmp: [template] needs exactly one of file, surface, bulk and box; it has 0");
    is_refused("[template]\nbox = 9 9 9\n",
               "search.tmp: [place] atoms is missing; say what to place, such as atoms = S2 Cu0-1");
    is_refused("[template]\nbox = 9 9\n[place]\natoms = S\n", "search.tmp:2: box = 9 9 is wrong; give 3 numbers");
    is_refused(
        "[template]\nbox = 9 9 9\n[place]\natoms = Xx2\n",
        "search.tmp:4: 'Xx2' is wrong; give an element and how many, such as S2 or Cu0-2, for at most 8 elements");
    is_refused("[template]\nbox = 9 9 9\n[place]\natoms = S2 S1\n",
               "search.tmp:4: S stands twice; give one number or range");
    is_refused(
        "[template]\nbox = 9 9 9\n[place]\natoms = S3-2\n",
        "search.tmp:4: 'S3-2' is wrong; give an element and how many, such as S2 or Cu0-2, for at most 8 elements");
    is_refused("[template]\nsurface = fcc111\n[place]\natoms = S\n",
               "search.tmp:2: a built-in template needs element (a symbol) and a (A)");
    is_refused("[template]\nsurface = fcc111\nelement = Cu\na = 3.6\nmatrix = 0 1 1 0\n[place]\natoms = S\n",
               "search.tmp:5: the surface cell 0 1, 1 0 has determinant -1; it must be positive: exchange the rows or "
               "change a sign");
    is_refused("[template]\nbox = 9 9 9\n[place]\natoms = S\n[label]\ncommand = make\n",
               "search.tmp:6: the command lacks {in} or {out}, such as: python3 label.py {in} {out}");
    is_refused(
        "[template]\nbox = 9 9 9\n[place]\natoms = S1 Cu0-2\nchemical-potentials = S -4\n",
        "search.tmp:4: the number of Cu varies, so it needs a chemical potential, such as chemical-potentials = Cu "
        "-4.1");
    is_refused("[template]\nbox = 9 9 9\n[place]\natoms = S1\nzeros = Cu -4\n",
               "search.tmp:5: zeros: no Cu is placed; leave it out, or give it in atoms");
    is_refused("[serch]\nbudget = 3\n", "search.tmp:2: unknown section serch; did you mean search?");
}

/* Every random structure is whole and has an allowed composition; the same numbers give the same structure. */
static void test_random(const chgi_space *space)
{
    int whole = 0, allowed = 0, same = 0, fixed = 0;
    enum { N = 50 };
    for (uint64_t k = 0; k < N; k++) {
        chgi_structure s = {0}, again = {0};
        chgi_rng a = chgi_rng_start(7, 1, k, 0), b = a;
        if (chgi_generate_random(ctx, space, &a, &s) != CHGNET_OK ||
            chgi_generate_random(ctx, space, &b, &again) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
        int64_t n_s = chgi_space_count(space, &s, 16), n_ag = chgi_space_count(space, &s, 47);
        whole += chgi_space_judge(space, &s) == NULL;
        allowed += n_s >= 1 && n_s <= 3 && n_ag <= 2 && n_s + n_ag + 12 == s.n_atom;
        same += s.n_atom == again.n_atom &&
                memcmp(s.positions, again.positions, 3 * (size_t)s.n_atom * sizeof(double)) == 0;
        fixed += !s.move_mask[0] && s.move_mask[3 * s.n_atom - 1];
        chgi_structure_destroy(&s);
        chgi_structure_destroy(&again);
    }
    tap_is_int(whole, N, "random structures are whole");
    tap_is_int(allowed, N, "their compositions are allowed");
    tap_is_int(same, N, "the same random numbers give the same structure");
    tap_is_int(fixed, N, "fixed atoms stay fixed, placed ones are free");
}

/* Chains of moves never leave the allowed compositions, nor move a fixed atom, nor break a structure. */
static void test_moves(const chgi_space *space)
{
    int seen[CHGI_N_MOVE] = {0}, good = 0;
    enum { N = 300 };
    chgi_structure parent = {0};
    chgi_rng rng = chgi_rng_start(1, 1, 0, 0);
    if (chgi_generate_random(ctx, space, &rng, &parent) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    for (uint64_t k = 0; k < N; k++) {
        chgi_structure child = {0};
        rng = chgi_rng_start(1, 2, k, 0);
        chgi_move move = chgi_generate_draw(space, &parent, &rng);
        seen[move]++;
        if (chgi_generate_child(ctx, space, &parent, move, 1.0, &rng, &child) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
        int64_t n_s = chgi_space_count(space, &child, 16), n_ag = chgi_space_count(space, &child, 47);
        good += n_s >= 1 && n_s <= 3 && n_ag <= 2 && n_s + n_ag + 12 == child.n_atom &&
                !chgi_space_judge(space, &child) &&
                memcmp(child.positions, space->scaffold.positions, 12 * sizeof(double)) == 0;
        chgi_structure_destroy(&parent);
        parent = child;
    }
    chgi_structure_destroy(&parent);
    tap_is_int(good, N, "children are whole, with allowed compositions and unmoved fixed atoms");
    for (int m = 0; m < CHGI_N_MOVE; m++)
        tap_ok(seen[m] > 5, "%s was drawn %d times", chgi_move_name((chgi_move)m), seen[m]);
}

/* Sum of all distances between atoms. */
static double spread(const chgi_structure *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->n_atom; i++)
        for (int64_t j = i + 1; j < s->n_atom; j++) {
            const double *a = s->positions + 3 * i, *b = s->positions + 3 * j;
            sum += sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
        }
    return sum;
}

/* A cluster alone that turned as a whole would relax to the minimum that it came from. */
static void test_twist(void)
{
    enum { N = 20 };
    int changed = 0;
    chgi_search_config config;
    if (read_config("[template]\nbox = 30 30 30\n[place]\natoms = Ar13\n[region]\nradius = 6\n"
                    "least-distance = 1\ncloseness = 0\n[potential]\nkind = lennard-jones\n",
                    &config) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    for (uint64_t k = 0; k < N; k++) {
        chgi_structure parent = {0}, child = {0};
        chgi_rng rng = chgi_rng_start(3, 1, k, 0);
        if (chgi_generate_random(ctx, &config.space, &rng, &parent) != CHGNET_OK ||
            chgi_generate_child(ctx, &config.space, &parent, CHGI_MOVE_GROUP, 1, &rng, &child) != CHGNET_OK)
            tap_bail(chgnet_context_error(ctx));
        changed += fabs(spread(&child) - spread(&parent)) > 1e-6;
        chgi_structure_destroy(&parent);
        chgi_structure_destroy(&child);
    }
    tap_ok(changed == N, "half of a cluster turns against the other: %d of %d shapes changed", changed, N);
    chgi_search_config_destroy(&config);
}

static void test_impossible(void)
{
    chgi_search_config config;
    chgi_structure s = {0};
    chgi_rng rng = chgi_rng_start(1, 1, 0, 0);
    if (read_config("[template]\nbox = 3 3 3\nperiodic = xyz\n[place]\natoms = Ag40\n", &config) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    tap_is_int(chgi_generate_random(ctx, &config.space, &rng, &s), CHGNET_EINPUT, "too many atoms for a box");
    tap_ok(strstr(chgnet_context_error(ctx), "40 atoms found no place") != NULL, "says so");
    chgi_search_config_destroy(&config);
}

static void fingerprint_of(const chgi_potential *lj, const chgi_structure *s, chgi_fingerprint *f)
{
    chgi_outcome outcome;
    if (lj->set_structure(lj->self, s) != CHGNET_OK ||
        lj->compute(lj->self, CHGNET_WANT_ENERGY, &outcome) != CHGNET_OK ||
        chgi_fingerprint_make(ctx, s, &outcome, f) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
}

/* Turned, shifted and renumbered clusters are the same; a moved atom makes another one. */
static void test_fingerprint(void)
{
    chgi_search_config config;
    chgi_structure s = {0}, t = {0};
    chgi_fingerprint a, b, c;
    chgi_potential lj;
    chgi_rng rng = chgi_rng_start(3, 1, 0, 0);
    if (read_config("[template]\nbox = 9 9 9\n[place]\natoms = Ar7\n[region]\nradius = 2\ncloseness = 0\n"
                    "least-distance = 0.7\nisolation = 0\n",
                    &config) != CHGNET_OK ||
        chgi_lennard_jones_create(ctx, &lj) != CHGNET_OK ||
        chgi_generate_random(ctx, &config.space, &rng, &s) != CHGNET_OK ||
        chgi_structure_copy(ctx, &s, &t) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    for (int i = 0; i < 7; i++) { /* by 90 degrees about z, reversed */
        t.positions[3 * i] = 1 - s.positions[3 * (6 - i) + 1];
        t.positions[3 * i + 1] = s.positions[3 * (6 - i)] + 0.3;
        t.positions[3 * i + 2] = s.positions[3 * (6 - i) + 2];
    }
    fingerprint_of(&lj, &s, &a);
    fingerprint_of(&lj, &t, &b);
    t.positions[0] += 0.1;
    fingerprint_of(&lj, &t, &c);
    tap_ok(chgi_fingerprint_same(&a, &b, 1e-9, 1e-9), "turned, shifted, renumbered: distance %.1e",
           chgi_fingerprint_distance(&a, &b));
    tap_ok(!chgi_fingerprint_same(&a, &c, 1e9, 1e-3), "another structure: distance %.1e",
           chgi_fingerprint_distance(&a, &c));
    t.numbers[0] = 10;
    chgi_fingerprint_destroy(&c);
    fingerprint_of(&lj, &t, &c);
    tap_ok(isinf(chgi_fingerprint_distance(&a, &c)), "another composition");
    chgi_fingerprint_destroy(&a);
    chgi_fingerprint_destroy(&b);
    chgi_fingerprint_destroy(&c);
    lj.destroy(lj.self);
    chgi_structure_destroy(&s);
    chgi_structure_destroy(&t);
    chgi_search_config_destroy(&config);
}

int main(void)
{
    chgi_search_config config;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_config();
    test_wrong_config();
    if (read_config(slab, &config) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    test_random(&config.space);
    test_moves(&config.space);
    chgi_search_config_destroy(&config);
    test_twist();
    test_impossible();
    test_fingerprint();
    chgnet_context_destroy(ctx);
    return tap_done();
}
