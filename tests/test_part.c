/* Parts of a system that tell each other what they need give what the whole gives.  Each part is a thread with a
 * calculator of its own.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "parts.h"

enum { STEPS = 3, FEATURES = 64 };

static const double MARGIN = 0.5; /* A beyond the cutoff: atoms may move by half of it */

/* ---- results ---------------------------------------------------------------------------------- */

typedef struct results {
    double energy, virial[9], delta_energy, energy_std;
    double forces[3 * SAMPLE_MOST_ATOMS], site[SAMPLE_MOST_ATOMS], magmoms[SAMPLE_MOST_ATOMS];
    double fea[FEATURES * SAMPLE_MOST_ATOMS], fea_final[FEATURES * SAMPLE_MOST_ATOMS];
    double site_virials[9 * SAMPLE_MOST_ATOMS], corrections[SAMPLE_MOST_ATOMS], novelty[SAMPLE_MOST_ATOMS];
    double std_forces[3 * SAMPLE_MOST_ATOMS];
} results;

static void get_delta(chgnet_calculator *c, results *r)
{
    sample_must(c->ctx, chgnet_calculator_get_delta_energy(c, &r->delta_energy));
    sample_must(c->ctx, chgnet_calculator_get_energy_std(c, &r->energy_std));
    sample_must(c->ctx, chgnet_calculator_get_site_corrections(c, r->corrections));
    sample_must(c->ctx, chgnet_calculator_get_novelty(c, r->novelty));
    sample_must(c->ctx, chgnet_calculator_get_std_forces(c, r->std_forces));
}

static void get(chgnet_calculator *c, results *r)
{
    unsigned want = SAMPLE_GRADIENT | CHGNET_WANT_SITE_VIRIALS;
    if (c->delta)
        want |= CHGNET_WANT_STD_GRADIENT | CHGNET_WANT_NOVELTY;
    sample_must(c->ctx, chgnet_calculator_compute(c, want));
    sample_must(c->ctx, chgnet_calculator_get_energy(c, &r->energy));
    sample_must(c->ctx, chgnet_calculator_get_virial(c, r->virial));
    sample_must(c->ctx, chgnet_calculator_get_forces(c, r->forces));
    sample_must(c->ctx, chgnet_calculator_get_site_energies(c, r->site));
    sample_must(c->ctx, chgnet_calculator_get_magmoms(c, r->magmoms));
    sample_must(c->ctx, chgnet_calculator_get_atom_fea(c, r->fea));
    sample_must(c->ctx, chgnet_calculator_get_atom_fea_final(c, r->fea_final));
    sample_must(c->ctx, chgnet_calculator_get_site_virials(c, r->site_virials));
    if (c->delta)
        get_delta(c, r);
}

static void scatter(const part *p, int width, const double *from, double *to)
{
    for (int64_t k = 0; k < p->n_own; k++)
        memcpy(to + p->atom[k] * width, from + k * width, (size_t)width * sizeof *to);
}

/* Energies and virials are sums; arrays over own atoms go to their places; the deviation is everyone's. */
static void join(const part *p, const results *r, results *all)
{
    all->energy += r->energy;
    all->delta_energy += r->delta_energy;
    all->energy_std = r->energy_std;
    for (int k = 0; k < 9; k++)
        all->virial[k] += r->virial[k];
    scatter(p, 3, r->forces, all->forces);
    scatter(p, 1, r->site, all->site);
    scatter(p, 1, r->magmoms, all->magmoms);
    scatter(p, FEATURES, r->fea, all->fea);
    scatter(p, FEATURES, r->fea_final, all->fea_final);
    scatter(p, 9, r->site_virials, all->site_virials);
    scatter(p, 1, r->corrections, all->corrections);
    scatter(p, 1, r->novelty, all->novelty);
    scatter(p, 3, r->std_forces, all->std_forces);
}

/* ---- one system, whole and in parts ----------------------------------------------------------- */

typedef struct trial {
    const char *name, *owners;
    chgi_structure at[STEPS]; /* the system as it moves */
    const chgnet_model *model;
    const chgnet_delta *delta;
    int n_part, n_thread; /* threads of each part */
    bool is_double;
} trial;

typedef struct worker {
    const trial *trial;
    int rank;
    results at[STEPS];
} worker;

static worker workers[MOST_PARTS];

static chgnet_calculator *calculator_of(const trial *t, chgnet_context *ctx)
{
    chgnet_options options = chgnet_options_default();
    chgnet_calculator *c;
    options.precision = t->is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    options.threads = t->n_thread;
    options.trajectory = 1;
    sample_must(ctx, chgnet_calculator_create(ctx, t->model, &options, &c));
    sample_must(ctx, chgnet_calculator_set_delta(c, t->delta));
    return c;
}

static chgnet_part part_of(const part *p, double reach)
{
    chgnet_part given = chgnet_part_default();
    given.n_own = p->n_own;
    given.n_remote = p->n_remote;
    given.numbers = p->numbers;
    given.n_site = p->n_site;
    given.positions = p->positions;
    given.site_atom = p->site_atom;
    given.reach = reach;
    return given;
}

static void *work(void *given)
{
    worker *w = given;
    part *p = &parts[w->rank];
    double stress[9], reach = chgnet_model_get_info(w->trial->model).atom_cutoff + MARGIN;
    chgnet_context *ctx = sample_context();
    chgnet_calculator *c = calculator_of(w->trial, ctx);
    chgnet_exchange exchange = exchange_of(p);
    chgnet_part described = part_of(p, reach);
    for (int step = 0; step < STEPS; step++) {
        place_sites(&w->trial->at[step], p);
        if (step == 0)
            sample_must(ctx, chgnet_calculator_set_part(c, &described, &exchange));
        else
            sample_must(ctx, chgnet_calculator_move_part(c, p->positions));
        get(c, &w->at[step]);
    }
    if (chgnet_calculator_get_stress(c, stress) != CHGNET_EUSAGE)
        tap_bail("a part has no stress of its own");
    chgnet_calculator_destroy(c);
    chgnet_context_destroy(ctx);
    return NULL;
}

static void run_parts(const trial *t)
{
    pthread_t threads[MOST_PARTS];
    memset(workers, 0, sizeof workers);
    if (pthread_barrier_init(&barrier, NULL, (unsigned)n_part) != 0)
        tap_bail("no barrier");
    for (int rank = 0; rank < n_part; rank++) {
        workers[rank].trial = t;
        workers[rank].rank = rank;
        if (pthread_create(&threads[rank], NULL, work, &workers[rank]) != 0)
            tap_bail("no thread");
    }
    for (int rank = 0; rank < n_part; rank++)
        pthread_join(threads[rank], NULL);
    pthread_barrier_destroy(&barrier);
}

/* What is compared, and by how much whole and parts may differ: in double or single, or that for each atom. */
static const struct {
    const char *name;
    size_t place; /* in results */
    int fixed, per_atom;
    bool is_sum, of_delta;
} kinds[] = {
    {"energies add up", offsetof(results, energy), 1, 0, true, false},
    {"virials add up", offsetof(results, virial), 9, 0, true, false},
    {"forces", offsetof(results, forces), 0, 3, false, false},
    {"site energies", offsetof(results, site), 0, 1, false, false},
    {"magmoms", offsetof(results, magmoms), 0, 1, false, false},
    {"embeddings", offsetof(results, fea), 0, FEATURES, false, false},
    {"last embeddings", offsetof(results, fea_final), 0, FEATURES, false, false},
    {"shares of the virial", offsetof(results, site_virials), 0, 9, false, false},
    {"corrections add up", offsetof(results, delta_energy), 1, 0, true, true},
    {"standard deviation", offsetof(results, energy_std), 1, 0, false, true},
    {"corrections", offsetof(results, corrections), 0, 1, false, true},
    {"novelty", offsetof(results, novelty), 0, 1, false, true},
    {"forces of the deviation", offsetof(results, std_forces), 0, 3, false, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void widen(const results *got, const results *want, int64_t n, double errors[KINDS])
{
    for (int k = 0; k < KINDS; k++) {
        const double *a = (const double *)(const void *)((const char *)got + kinds[k].place);
        const double *b = (const double *)(const void *)((const char *)want + kinds[k].place);
        errors[k] = fmax(errors[k], sample_error(kinds[k].fixed + kinds[k].per_atom * n, a, b));
    }
}

/* In double: sums of some hundred terms of up to 100 eV, rounded at 1e-16 each, in another order.  In single the same
 * at 6e-8 of embeddings and messages whose sizes are some units. */
static void report(const trial *t, const double errors[KINDS])
{
    const double tolerance = t->is_double ? 1e-11 : 1e-5;
    for (int k = 0; k < KINDS; k++) {
        double allowed = kinds[k].is_sum ? tolerance * (double)t->at[0].n_atom : tolerance;
        if (t->delta || !kinds[k].of_delta)
            tap_ok(errors[k] <= allowed, "%s, %s: %s, %.1e of %.1e", t->name, t->is_double ? "double" : "single",
                   kinds[k].name, errors[k], allowed);
    }
}

static void run(chgnet_context *ctx, const trial *t)
{
    static results whole, joined;
    double errors[KINDS] = {0};
    chgnet_calculator *c = calculator_of(t, ctx);
    divide(&t->at[0], t->n_part, t->owners, chgnet_model_get_info(t->model).atom_cutoff + MARGIN);
    run_parts(t);
    for (int step = 0; step < STEPS; step++) {
        memset(&whole, 0, sizeof whole);
        memset(&joined, 0, sizeof joined);
        sample_must(ctx, chgi_calculator_set_structure(c, &t->at[step]));
        get(c, &whole);
        for (int rank = 0; rank < n_part; rank++)
            join(&parts[rank], &workers[rank].at[step], &joined);
        widen(&joined, &whole, t->at[0].n_atom, errors);
    }
    report(t, errors);
    chgnet_calculator_destroy(c);
}

/* The steps of a system: within what the margin allows. */
static void set_steps(chgnet_context *ctx, const chgi_structure *s, trial *t)
{
    uint64_t state = 7;
    for (int step = 0; step < STEPS; step++) {
        sample_must(ctx, chgi_structure_copy(ctx, s, &t->at[step]));
        sample_rattle(&t->at[step], &state, step == 0 ? 0 : MARGIN / 4.5);
    }
}

static void try(chgnet_context *ctx, const chgi_structure *s, int count, const char *owners, trial t)
{
    t.n_part = count;
    t.owners = owners;
    set_steps(ctx, s, &t);
    for (int precise = 1; precise >= 0; precise--) {
        t.is_double = precise;
        run(ctx, &t);
    }
    for (int step = 0; step < STEPS; step++)
        chgi_structure_destroy(&t.at[step]);
}

static void make_rattled(chgnet_context *ctx, int which, chgi_structure *s)
{
    uint64_t state = 3;
    sample_make(ctx, &sample_list[which], s);
    sample_rattle(s, &state, 0.05);
}

static void check_samples(chgnet_context *ctx, const chgnet_model *model)
{
    static const struct {
        int which, n_part, n_thread;
        const char *owners, *name;
    } cases[] = {
        {0, 2, 1, "01010101", "crystal in two parts"},
        {0, 3, 2, "01120120", "crystal in three parts of two threads"},
        {0, 4, 1, "03210321", "crystal in four parts"},
        {1, 2, 1, "0110", "slab in two parts"},
        {1, 4, 1, "3012", "slab, an atom each"},
        {2, 2, 1, "01", "triclinic cell, an atom each"},
        {2, 4, 1, "31", "triclinic cell, two parts without atoms"},
        {3, 3, 1, "012012", "molecule in three parts"},
        {4, 2, 1, "1", "one atom and its images, a part without atoms"},
        {5, 3, 1, "0120", "left-handed cell in three parts"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        chgi_structure s;
        make_rattled(ctx, cases[k].which, &s);
        try(ctx, &s, cases[k].n_part, cases[k].owners,
            (trial){.name = cases[k].name, .model = model, .n_thread = cases[k].n_thread});
        chgi_structure_destroy(&s);
    }
}

/* ---- parts without angles --------------------------------------------------------------------- */

/* A molecule, and beside it atoms whose bonds are all longer than those that make angles; without the molecule no part
 * has an angle, and the network leaves out what angles change. */
static void make_lonely(chgnet_context *ctx, bool molecule, chgi_structure *s)
{
    static const double lonely[2][3] = {{4.6, 0.3, 0.1}, {4.9, 4.0, 0.2}};
    int n = molecule ? sample_list[3].n_atom : 0;
    sample_must(ctx, chgi_structure_create(ctx, n + 2, s));
    for (int i = 0; i < n; i++) {
        s->numbers[i] = sample_list[3].atoms[i].number;
        memcpy(s->positions + 3 * i, sample_list[3].atoms[i].position, sizeof lonely[0]);
    }
    for (int i = 0; i < 2; i++) {
        s->numbers[n + i] = 29 - 13 * i;
        memcpy(s->positions + 3 * (n + i), lonely[i], sizeof lonely[i]);
    }
}

static void check_angles(chgnet_context *ctx, const chgnet_model *model)
{
    static const char *const owners[] = {"01", "00000011"}, *const names[] = {"no angles", "no angles in one part"};
    for (int molecule = 0; molecule < 2; molecule++) {
        chgi_structure s;
        make_lonely(ctx, molecule, &s);
        try(ctx, &s, 2, owners[molecule], (trial){.name = names[molecule], .model = model, .n_thread = 1});
        chgi_structure_destroy(&s);
    }
}

/* ---- delta-models ----------------------------------------------------------------------------- */

enum { N_LABEL = 4 };

/* One crystal, rattled; labels by other weights. */
static struct {
    int64_t n_atom[N_LABEL];
    int32_t numbers[N_LABEL * SAMPLE_MOST_ATOMS];
    int pbc[3 * N_LABEL];
    double positions[3 * N_LABEL * SAMPLE_MOST_ATOMS], cells[9 * N_LABEL], energies[N_LABEL];
    double forces[3 * N_LABEL * SAMPLE_MOST_ATOMS];
} labelled;

static void label(chgnet_context *ctx, const chgnet_model *teacher)
{
    uint64_t state = 5;
    chgnet_calculator *c;
    sample_must(ctx, chgnet_calculator_create(ctx, teacher, NULL, &c));
    for (int k = 0; k < N_LABEL; k++) {
        chgi_structure s;
        sample_make(ctx, &sample_list[0], &s);
        sample_rattle(&s, &state, 0.1);
        sample_compute(c, &s, SAMPLE_GRADIENT);
        int64_t n = labelled.n_atom[k] = s.n_atom;
        memcpy(labelled.numbers + n * k, s.numbers, (size_t)n * sizeof *s.numbers);
        memcpy(labelled.positions + 3 * n * k, s.positions, 3 * (size_t)n * sizeof *s.positions);
        memcpy(labelled.cells + 9 * k, s.cell, sizeof s.cell);
        for (int axis = 0; axis < 3; axis++)
            labelled.pbc[3 * k + axis] = 1;
        sample_must(ctx, chgnet_calculator_get_energy(c, &labelled.energies[k]));
        sample_must(ctx, chgnet_calculator_get_forces(c, labelled.forces + 3 * n * k));
        chgi_structure_destroy(&s);
    }
    chgnet_calculator_destroy(c);
}

static chgnet_delta *fit(chgnet_context *ctx, const chgnet_model *model, const char *aggregation, const char *layer)
{
    chgnet_delta *delta;
    chgnet_labels labels = chgnet_labels_default();
    chgnet_delta_options options = chgnet_delta_options_default();
    labels.n_structure = N_LABEL;
    labels.n_atom = labelled.n_atom;
    labels.numbers = labelled.numbers;
    labels.positions = labelled.positions;
    labels.cells = labelled.cells;
    labels.pbc = labelled.pbc;
    labels.energies = labelled.energies;
    labels.forces = labelled.forces;
    options.aggregation = aggregation;
    options.layer = layer;
    options.optimize = 0;
    sample_must(ctx, chgnet_delta_fit(ctx, model, &labels, &options, &delta));
    return delta;
}

static void check_delta(chgnet_context *ctx, const chgnet_model *model)
{
    static const char *const models[][3] = {{"atomic", "atom_fea", "atomic delta-model"},
                                            {"global", "atom_fea", "global delta-model"},
                                            {"species", "atom_fea_final", "delta-model by species, last embeddings"}};
    chgnet_model *teacher;
    chgi_structure s;
    sample_must(ctx, chgnet_model_load(ctx, "r2scan", &teacher));
    label(ctx, teacher);
    chgnet_model_destroy(teacher);
    make_rattled(ctx, 0, &s);
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        chgnet_delta *delta = fit(ctx, model, models[k][0], models[k][1]);
        try(ctx, &s, 4, "01120020", (trial){.name = models[k][2], .model = model, .delta = delta, .n_thread = 1});
        chgnet_delta_destroy(delta);
    }
    chgi_structure_destroy(&s);
}

/* ---- refusals --------------------------------------------------------------------------------- */

static void refused(chgnet_calculator *c, const chgnet_part *given, const chgnet_exchange *exchange, const char *words)
{
    chgnet_status status = chgnet_calculator_set_part(c, given, exchange);
    tap_ok(status == CHGNET_EUSAGE && strstr(chgnet_context_error(c->ctx), words), "refused: %s",
           chgnet_context_error(c->ctx));
    tap_ok(chgnet_calculator_compute(c, CHGNET_WANT_ENERGY) == CHGNET_EUSAGE, "and there is nothing to compute");
}

#define REFUSED(place, value, words)          \
    do {                                      \
        __typeof__(place) kept_ = (place);    \
        (place) = (value);                    \
        refused(c, &given, &exchange, words); \
        (place) = kept_;                      \
    } while (0)

static void check_refusals(chgnet_context *ctx, const chgnet_model *model)
{
    chgi_structure s;
    chgnet_calculator *c;
    double reach = chgnet_model_get_info(model).atom_cutoff + MARGIN;
    make_rattled(ctx, 2, &s);
    divide(&s, 2, "01", reach);
    sample_must(ctx, chgnet_calculator_create(ctx, model, NULL, &c));
    chgnet_part given = part_of(&parts[0], reach);
    chgnet_exchange exchange = exchange_of(&parts[0]);
    int32_t *last = &parts[0].site_atom[given.n_site - 1];
    tap_ok(chgnet_calculator_move_part(c, parts[0].positions) == CHGNET_EUSAGE, "nothing to move: %s",
           chgnet_context_error(ctx));
    refused(c, &given, NULL, "no exchange");
    REFUSED(given.size, given.size - 1, "of another version");
    REFUSED(exchange.size, exchange.size + 1, "of another version");
    REFUSED(exchange.swap, NULL, "lacks a function");
    REFUSED(given.reach, 5.9, "reach of 5.9 A");
    REFUSED(given.reach, NAN, "reach of nan A");
    REFUSED(given.n_own, -1, "a part of -1 own");
    REFUSED(given.n_remote, -1, "-1 remote atoms");
    REFUSED(given.n_site, 1, "every atom needs a site");
    REFUSED(*last, 2, "holds atom 2");
    REFUSED(*last, -1, "holds atom -1");
    REFUSED(parts[0].site_atom[0], 1, "site 0 of a part holds atom 1");
    chgnet_calculator_destroy(c);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    check_samples(ctx, model);
    check_angles(ctx, model);
    check_delta(ctx, model);
    check_refusals(ctx, model);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
