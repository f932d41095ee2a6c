/* The Verlet list against a fresh search at every step, bit for bit; when it is made anew; and that a step which keeps
 * it allocates nothing. */
#include "allocations.h"
#include "crystal/verlet.h"
#include "sample.h"

/* ---- walks: the same pairs as a fresh search --------------------------------------------------- */

static bool same_pairs(const chgi_pair_list *a, const chgi_pair_list *b)
{
    return a->n_pair == b->n_pair && (a->n_pair == 0 || memcmp(a->pairs, b->pairs, a->n_pair * sizeof *a->pairs) == 0);
}

/* Ascending images of one atom: along upright cell vectors the components tell, the first that differs. */
static bool ascend(const double one[3], const double next[3])
{
    for (int c = 0; c < 3; c++)
        if (fabs(one[c] - next[c]) > 1e-6)
            return one[c] < next[c];
    return false;
}

/* By center, neighbour and image. */
static bool in_order(const chgi_pair_list *list, bool upright)
{
    for (size_t k = 0; k < list->n_pair; k++) {
        const chgi_pair *next = &list->pairs[k], *one = k > 0 ? next - 1 : NULL;
        if (next->center > next->neighbour || (one && one->center > next->center))
            return false;
        if (!one || one->center != next->center)
            continue;
        if (one->neighbour > next->neighbour)
            return false;
        if (one->neighbour == next->neighbour && upright && !ascend(one->vector, next->vector))
            return false;
    }
    return true;
}

static bool is_upright(const chgi_structure *s)
{
    for (int k = 0; k < 9; k++)
        if (k / 3 != k % 3 && s->cell[k / 3][k % 3] != 0)
            return false;
    return true;
}

/* Largest distance of an atom from its reference. */
static double farthest(const chgi_structure *s, const double *reference)
{
    double most = 0;
    for (int64_t i = 0; i < s->n_atom; i++) {
        const double *x = s->positions + 3 * i, *y = reference + 3 * i;
        most = fmax(most, sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) +
                               (x[2] - y[2]) * (x[2] - y[2])));
    }
    return most;
}

/* Each element of the cell's deformation by up to `size`; the atoms go along, except for what the next rattle does. */
static void strain(chgi_structure *s, uint64_t *state, double size)
{
    double map[3][3];
    for (int k = 0; k < 9; k++)
        map[k / 3][k % 3] = (k / 3 == k % 3) + sample_symmetric(state, size);
    for (int64_t row = 0; row < s->n_atom + 3; row++) {
        double *x = row < 3 ? s->cell[row] : s->positions + 3 * (row - 3), old[3];
        memcpy(old, x, sizeof old);
        for (int c = 0; c < 3; c++)
            x[c] = old[0] * map[0][c] + old[1] * map[1][c] + old[2] * map[2][c];
    }
}

typedef struct walk {
    int steps, wrong, disordered, unexpected; /* unexpected: made anew or not against the rule */
    int64_t rebuilds;
    size_t least, most; /* pairs */
} walk;

/* Each step moves every coordinate by up to `size`; an atom now and then goes to another cell. */
static walk take_walk(chgnet_context *ctx, chgi_structure *s, double skin, double size, int steps, uint64_t seed)
{
    static double reference[3 * SAMPLE_MOST_ATOMS];
    chgi_verlet verlet = {0};
    chgi_pair_list got = {0}, want = {0};
    walk w = {.steps = steps, .least = SIZE_MAX};
    for (int step = 0; step < steps; step++) {
        sample_rattle(s, &seed, size);
        for (int c = 0; c < 3 && step % 50 == 49 && s->pbc[0]; c++)
            s->positions[3 * (step % s->n_atom) + c] += (step / 50 - 3) * s->cell[0][c];
        bool moved = step == 0 || farthest(s, reference) >= skin / 2;
        int64_t before = verlet.n_rebuild;
        sample_must(ctx, chgi_verlet_find(ctx, &verlet, s, 6, skin, &got));
        sample_must(ctx, chgi_neighbour_find(ctx, s, 6, &want));
        w.wrong += !same_pairs(&got, &want);
        w.disordered += !in_order(&got, is_upright(s));
        w.unexpected += verlet.n_rebuild - before != moved;
        if (moved)
            memcpy(reference, s->positions, 3 * (size_t)s->n_atom * sizeof *reference);
        w.least = got.n_pair < w.least ? got.n_pair : w.least;
        w.most = got.n_pair > w.most ? got.n_pair : w.most;
    }
    w.rebuilds = verlet.n_rebuild;
    chgi_verlet_destroy(&verlet);
    chgi_pair_list_destroy(&got);
    chgi_pair_list_destroy(&want);
    return w;
}

static void check_walk(chgnet_context *ctx, chgi_structure *s, const char *name, double skin, uint64_t seed)
{
    enum { STEPS = 300 };
    walk w = take_walk(ctx, s, skin, 0.08, STEPS, seed);
    tap_ok(w.wrong == 0, "%s, skin %g: the pairs of a fresh search at %d steps, %d wrong; %zu to %zu pairs", name, skin,
           w.steps, w.wrong, w.least, w.most);
    tap_ok(w.disordered == 0, "%s, skin %g: pairs in order at all steps", name, skin);
    tap_ok(w.unexpected == 0, "%s, skin %g: %lld lists, each when half the skin was passed", name, skin,
           (long long)w.rebuilds);
    if (skin == 0)
        tap_is_int(w.rebuilds, STEPS, "without a skin every step makes a list");
    else
        tap_ok(w.rebuilds > 4 && w.rebuilds < STEPS / 4 && (w.most > w.least || s->n_atom == 1),
               "most steps keep the list, while pairs come and go");
}

/* The same lattice by long and slanting vectors. */
static void make_skew(chgi_structure *s)
{
    for (int c = 0; c < 3; c++) {
        s->cell[2][c] += 3 * s->cell[1][c] - 5 * s->cell[0][c];
        s->cell[1][c] += 7 * s->cell[0][c];
    }
}

static void check_walks(chgnet_context *ctx)
{
    static const double skins[] = {0, 0.6, 1.0};
    for (int k = 0; k < SAMPLE_COUNT; k++)
        for (size_t m = 0; m < sizeof skins / sizeof *skins; m++) {
            chgi_structure s;
            sample_make(ctx, &sample_list[k], &s);
            for (int64_t i = 0; i < 3 * s.n_atom && !s.pbc[0]; i++)
                s.positions[i] *= 3; /* a molecule as wide as the cutoff */
            check_walk(ctx, &s, sample_list[k].name, skins[m], 11 + (uint64_t)k);
            chgi_structure_destroy(&s);
        }
    chgi_structure s;
    sample_make(ctx, &sample_list[0], &s);
    make_skew(&s);
    check_walk(ctx, &s, "LiMnO2 in a skew cell", 1, 31);
    chgi_structure_destroy(&s);
}

/* Atoms and cell move at each step; now and then the cell also jumps or turns by much. */
static void check_breathing(chgnet_context *ctx, const sample *from, bool skew, double skin)
{
    enum { STEPS = 300 };
    chgi_structure s;
    chgi_verlet verlet = {0};
    chgi_pair_list got = {0}, want = {0};
    uint64_t state = 77;
    int wrong = 0;
    sample_make(ctx, from, &s);
    if (skew)
        make_skew(&s);
    for (int step = 0; step < STEPS; step++) {
        strain(&s, &state, step % 100 == 99 ? 0.05 : 3e-3);
        sample_rattle(&s, &state, 0.03);
        sample_must(ctx, chgi_verlet_find(ctx, &verlet, &s, 6, skin, &got));
        sample_must(ctx, chgi_neighbour_find(ctx, &s, 6, &want));
        wrong += !same_pairs(&got, &want);
    }
    tap_ok(wrong == 0, "%s%s, moving cell, skin %g: the pairs of a fresh search at %d steps, %d wrong", from->name,
           skew ? " by slanting vectors" : "", skin, STEPS, wrong);
    tap_ok(verlet.n_rebuild > 2 && verlet.n_rebuild < STEPS / 3, "most steps keep the list: %lld lists",
           (long long)verlet.n_rebuild);
    chgi_verlet_destroy(&verlet);
    chgi_pair_list_destroy(&got);
    chgi_pair_list_destroy(&want);
    chgi_structure_destroy(&s);
}

static void check_breathings(chgnet_context *ctx)
{
    for (int k = 0; k < SAMPLE_COUNT; k++)
        if (sample_list[k].pbc[0])
            for (int m = 0; m < 2; m++)
                check_breathing(ctx, &sample_list[k], m == 1, m == 1 ? 1 : 0.6);
}

/* ---- when the list is made anew ---------------------------------------------------------------- */

static int64_t made(chgnet_context *ctx, chgi_verlet *verlet, const chgi_structure *s, double cutoff, double skin)
{
    chgi_pair_list got = {0}, want = {0};
    int64_t before = verlet->n_rebuild;
    sample_must(ctx, chgi_verlet_find(ctx, verlet, s, cutoff, skin, &got));
    sample_must(ctx, chgi_neighbour_find(ctx, s, cutoff, &want));
    if (!same_pairs(&got, &want))
        before = 100; /* which no check expects */
    chgi_pair_list_destroy(&got);
    chgi_pair_list_destroy(&want);
    return verlet->n_rebuild - before;
}

/* The cell alone: atoms that go along with a compression c leave (1 - c) (6 + 0.5) > 6 to the rule. */
static void check_squeeze(chgnet_context *ctx, chgi_verlet *verlet, chgi_structure *s)
{
    const double factors[] = {1 - 0.0768, 1 - 0.0003 / 0.9232, 1.3};
    const int64_t expected[] = {0, 1, 0};
    for (int step = 0; step < 3; step++) {
        for (int c = 0; c < 3; c++)
            s->cell[2][c] *= factors[step];
        for (int64_t i = 0; i < s->n_atom; i++)
            s->positions[3 * i + 2] *= factors[step];
        tap_is_int(made(ctx, verlet, s, 6, 0.5), expected[step],
                   step == 0   ? "a compression that eats less than the skin keeps it"
                   : step == 1 ? "a little more makes a new one"
                               : "an expansion keeps it");
    }
}

static void check_rule(chgnet_context *ctx)
{
    chgi_structure s, other;
    chgi_verlet verlet = {0};
    sample_make(ctx, &sample_list[0], &s);
    sample_make(ctx, &sample_list[2], &other);
    double *x = &s.positions[3]; /* of an atom at 0 */
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 1, "the first step makes a list");
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 0, "the same positions keep it");
    *x = 0.2499999999;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 0, "just less than half the skin keeps it");
    *x = -0.25;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 1, "just half the skin makes a new one");
    s.numbers[0] = 11;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 0, "another element keeps it");
    s.cell[1][1] *= 1 + 1e-4;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 0, "a small change of the cell keeps it");
    s.cell[1][1] *= 1.12;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 1, "a large one makes a new one: an atom stays behind by half the skin");
    check_squeeze(ctx, &verlet, &s);
    s.pbc[2] = false;
    tap_is_int(made(ctx, &verlet, &s, 6, 0.5), 1, "a change of the periodic axes makes a new one");
    tap_is_int(made(ctx, &verlet, &s, 5, 0.5), 1, "a change of the cutoff makes a new one");
    tap_is_int(made(ctx, &verlet, &s, 5, 0.4), 1, "a change of the skin makes a new one");
    tap_is_int(made(ctx, &verlet, &other, 5, 0.4), 1, "another number of atoms makes a new one");
    chgi_verlet_destroy(&verlet);
    chgi_structure_destroy(&s);
    chgi_structure_destroy(&other);
}

/* Two atoms as far apart as the slack of the cutoff, the skin and the rule together allow. */
static void check_edge(chgnet_context *ctx)
{
    chgi_structure s;
    chgi_verlet verlet = {0};
    chgi_pair_list pairs = {0};
    sample_must(ctx, chgi_structure_create(ctx, 2, &s));
    s.numbers[0] = s.numbers[1] = 8;
    s.positions[3] = 6.5 + 7.9e-10;
    sample_must(ctx, chgi_verlet_find(ctx, &verlet, &s, 6, 0.5, &pairs));
    tap_is_int((int64_t)pairs.n_pair, 0, "two atoms beyond the cutoff are no pair");
    s.positions[0] += 0.25 - 1e-13;
    s.positions[3] -= 0.25 - 1e-13;
    sample_must(ctx, chgi_verlet_find(ctx, &verlet, &s, 6, 0.5, &pairs));
    tap_is_int((int64_t)pairs.n_pair, 1, "each came nearer by almost half the skin: they are one");
    tap_is_int(verlet.n_rebuild, 1, "in the first list");
    chgi_verlet_destroy(&verlet);
    chgi_pair_list_destroy(&pairs);
    chgi_structure_destroy(&s);
}

/* ---- calculators ------------------------------------------------------------------------------- */

static chgnet_calculator *calculator_with(chgnet_context *ctx, const chgnet_model *model, double skin)
{
    chgnet_calculator *calculator;
    chgnet_options options = chgnet_options_default();
    options.threads = 1;
    options.skin = skin;
    sample_must(ctx, chgnet_calculator_create(ctx, model, &options, &calculator));
    return calculator;
}

static void move_to(chgnet_calculator *c, const chgi_structure *s)
{
    sample_must(c->ctx, chgnet_calculator_set_positions(c, s->positions));
}

/* A step whose results a test compares: equal bits of energy and forces. */
static bool same_results(chgnet_calculator *a, chgnet_calculator *b, const chgi_structure *s)
{
    double energy[2], forces[2][3 * SAMPLE_MOST_ATOMS];
    chgnet_calculator *both[2] = {a, b};
    for (int k = 0; k < 2; k++) {
        sample_must(a->ctx, chgnet_calculator_compute(both[k], SAMPLE_GRADIENT));
        sample_must(a->ctx, chgnet_calculator_get_energy(both[k], &energy[k]));
        sample_must(a->ctx, chgnet_calculator_get_forces(both[k], forces[k]));
    }
    return memcmp(energy, energy + 1, sizeof *energy) == 0 &&
           memcmp(forces[0], forces[1], 3 * (size_t)s->n_atom * sizeof(double)) == 0;
}

static void check_results(chgnet_context *ctx, const chgnet_model *model, const sample *from)
{
    enum { STEPS = 60, EVERY = 10 };
    chgnet_calculator *plain = calculator_with(ctx, model, 0), *skin = calculator_with(ctx, model, 1);
    chgi_structure s;
    uint64_t state = 7;
    int same = 0;
    sample_make(ctx, from, &s);
    sample_must(ctx, chgi_calculator_set_structure(skin, &s));
    for (int step = 1; step <= STEPS; step++) {
        sample_rattle(&s, &state, 0.08);
        move_to(skin, &s);
        if (step % EVERY)
            continue;
        sample_must(ctx, chgi_calculator_set_structure(plain, &s));
        same += same_results(plain, skin, &s);
    }
    tap_ok(same == STEPS / EVERY, "%s: equal bits of energy and forces with a skin, at %d of %d steps", from->name,
           same, STEPS / EVERY);
    tap_ok(skin->graph.verlet.n_rebuild > 1 && skin->graph.verlet.n_rebuild < STEPS / 2, "%s: %lld lists for %d steps",
           from->name, (long long)skin->graph.verlet.n_rebuild, STEPS);
    s.cell[0][0] *= 1.3;
    int64_t before = skin->graph.verlet.n_rebuild;
    sample_must(ctx, chgi_calculator_set_structure(plain, &s));
    sample_must(ctx, chgi_calculator_set_structure(skin, &s));
    if (s.pbc[0])
        tap_ok(skin->graph.verlet.n_rebuild == before + 1 && same_results(plain, skin, &s),
               "%s: another cell makes a new list and gives the right results", from->name);
    chgi_structure_destroy(&s);
    chgnet_calculator_destroy(plain);
    chgnet_calculator_destroy(skin);
}

/* As check_results, with a cell that moves too. */
static void check_moving_cell(chgnet_context *ctx, const chgnet_model *model, const sample *from)
{
    enum { STEPS = 40, EVERY = 10 };
    chgnet_calculator *plain = calculator_with(ctx, model, 0), *skin = calculator_with(ctx, model, 1);
    chgi_structure s;
    uint64_t state = 5;
    int same = 0;
    sample_make(ctx, from, &s);
    sample_must(ctx, chgi_calculator_set_structure(skin, &s));
    for (int step = 1; step <= STEPS; step++) {
        strain(&s, &state, 1e-2);
        sample_rattle(&s, &state, 0.08);
        sample_must(ctx, chgi_calculator_set_geometry(skin, s.positions, (const double(*)[3])s.cell));
        if (step % EVERY)
            continue;
        sample_must(ctx, chgi_calculator_set_structure(plain, &s));
        same += same_results(plain, skin, &s) && memcmp(plain->virial, skin->virial, sizeof plain->virial) == 0;
    }
    int64_t lists = skin->graph.verlet.n_rebuild;
    tap_ok(same == STEPS / EVERY && lists > 1 && lists < STEPS / 3,
           "%s: equal bits of energy, forces and virial in a moving cell, at %d of %d steps, %lld lists", from->name,
           same, STEPS / EVERY, (long long)lists);
    chgi_structure_destroy(&s);
    chgnet_calculator_destroy(plain);
    chgnet_calculator_destroy(skin);
}

/* Atoms swing about their places, as in a crystal: bonds and angles come and go, the list stays. */
static void check_allocations(chgnet_context *ctx, const chgnet_model *model, const sample *from)
{
    enum { WARM = 15, STEADY = 25 };
    chgnet_calculator *c = calculator_with(ctx, model, 1);
    chgi_structure place, s;
    uint64_t state = 9;
    int64_t angles = 0, changes = 0;
    sample_make(ctx, from, &place);
    sample_make(ctx, from, &s);
    allocations = 0;
    sample_must(ctx, chgi_calculator_set_structure(c, &s));
    tap_ok(allocations > 0, "%s: the first step allocates, %lld times", from->name, (long long)allocations);
    for (int step = 0; step < WARM + STEADY; step++) {
        if (step == WARM)
            allocations = 0;
        memcpy(s.positions, place.positions, 3 * (size_t)s.n_atom * sizeof(double));
        memcpy(s.cell, place.cell, sizeof s.cell);
        strain(&s, &state, s.pbc[0] ? 2e-3 : 0);
        sample_rattle(&s, &state, 0.12);
        sample_must(ctx, chgi_calculator_set_geometry(c, s.positions, (const double(*)[3])s.cell));
        sample_must(ctx, chgnet_calculator_compute(c, SAMPLE_GRADIENT));
        changes += c->graph.n_edge + c->graph.n_angle != angles;
        angles = c->graph.n_edge + c->graph.n_angle;
    }
    tap_is_int(c->graph.verlet.n_rebuild, 1, "all steps keep the first list");
    tap_ok(changes > 1, "%s: bonds or angles changed in %lld steps", from->name, (long long)changes);
    tap_is_int(allocations, 0, "later steps allocate nothing");
    chgi_structure_destroy(&place);
    chgi_structure_destroy(&s);
    chgnet_calculator_destroy(c);
}

/* ---- wrong positions --------------------------------------------------------------------------- */

static void refused(chgnet_calculator *c, const chgi_structure *s, chgnet_status want, const char *part,
                    const char *name)
{
    chgnet_status status = chgnet_calculator_set_positions(c, s->positions);
    const char *text = chgnet_context_error(c->ctx);
    tap_ok(status == want && strstr(text, part), "%s: %s", name, text);
    tap_ok(chgnet_calculator_compute(c, CHGNET_WANT_ENERGY) == CHGNET_EUSAGE, "%s: there is nothing to compute", name);
}

static void check_refusals(chgnet_context *ctx, const chgnet_model *model)
{
    chgnet_calculator *c = calculator_with(ctx, model, 1), *fresh = calculator_with(ctx, model, 0);
    chgi_structure s;
    sample_make(ctx, &sample_list[0], &s);
    refused(c, &s, CHGNET_EUSAGE, "set one first", "positions before a structure");
    sample_must(ctx, chgi_calculator_set_structure(c, &s));
    s.positions[4] = NAN;
    refused(c, &s, CHGNET_EINPUT, "atom 2 (Li)", "a position that is not finite");
    chgi_structure_destroy(&s);
    sample_make(ctx, &sample_list[3], &s);
    for (int k = 0; k < 3; k++) /* O next to C in two steps: the second keeps the list */
        s.positions[3 + k] = s.positions[k] + (k == 0 ? 0.3 : 0);
    sample_must(ctx, chgi_calculator_set_structure(c, &s));
    int64_t before = c->graph.verlet.n_rebuild;
    s.positions[3] = s.positions[0] + 5e-4;
    refused(c, &s, CHGNET_EINPUT, "atoms 1 (C) and 2 (O)", "two atoms at one place");
    tap_is_int(c->graph.verlet.n_rebuild, before, "seen in the list that was there");
    s.positions[3] = s.positions[0] + 1.2;
    move_to(c, &s);
    sample_must(ctx, chgi_calculator_set_structure(fresh, &s));
    tap_ok(same_results(c, fresh, &s), "other positions are taken after that");
    s.numbers[0] = 0;
    tap_ok(chgi_calculator_set_structure(c, &s) == CHGNET_EINPUT, "a wrong structure is refused");
    refused(c, &s, CHGNET_EUSAGE, "set one first", "positions after a wrong structure");
    chgi_structure_destroy(&s);
    chgnet_calculator_destroy(c);
    chgnet_calculator_destroy(fresh);
}

static void check_options(chgnet_context *ctx, const chgnet_model *model)
{
    const double wrong[] = {-0.1, 10.1, INFINITY, NAN};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        chgnet_calculator *none = NULL;
        chgnet_options options = chgnet_options_default();
        options.skin = wrong[k];
        tap_ok(chgnet_calculator_create(ctx, model, &options, &none) == CHGNET_EUSAGE && !none, "refused: %s",
               chgnet_context_error(ctx));
    }
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    check_walks(ctx);
    check_breathings(ctx);
    check_rule(ctx);
    check_edge(ctx);
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    check_results(ctx, model, &sample_list[0]);
    check_results(ctx, model, &sample_list[1]);
    check_results(ctx, model, &sample_list[3]);
    check_moving_cell(ctx, model, &sample_list[0]);
    check_moving_cell(ctx, model, &sample_list[1]);
    check_moving_cell(ctx, model, &sample_list[5]);
    check_allocations(ctx, model, &sample_list[0]);
    check_allocations(ctx, model, &sample_list[1]);
    check_refusals(ctx, model);
    check_options(ctx, model);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
