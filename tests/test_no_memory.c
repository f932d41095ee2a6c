/* Memory that runs out: the n-th allocation of the library fails, alone or with all that follow, on the roads from a
 * file to a result.  Each time: CHGNET_ENOMEM with a text (or success where it could do without), nothing leaked, and
 * the same call works and gives the same bits when memory is there again.
 *
 * Of long roads a sample of n is taken; CHGNET_TEST_ALL=1 takes every n (`make check-hard`).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <unistd.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "api/chgnet.h"
#include "base/context.h"
#include "calc/calculator.h"
#include "calc/lennard_jones.h"
#include "sample.h"
#include "search/search.h"
#include "task/md.h"
#include "task/relax.h"
#include "tap.h"

/* ---- the failing allocator: the linker sends the library's calls here (tests/hard.am, WRAP_MEMORY) --------------- */

static int64_t n_allocation, fails_at; /* 0: none fails */
static bool all_fail;                  /* also all that follow */
static int64_t n_held;                 /* blocks allocated here and not freed */

void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *pointer);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *pointer);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    int64_t n;
#pragma omp atomic capture
    n = ++n_allocation;
    if (fails_at > 0 && (n == fails_at || (all_fail && n > fails_at)))
        return NULL;
#pragma omp atomic
    n_held++;
    return __real_aligned_alloc(alignment, size);
}

/* What the library frees is what it allocated: base/memory.h is its only allocator (tests/test_includes.sh). */
void __wrap_free(void *pointer)
{
    if (pointer) {
#pragma omp atomic
        n_held--;
    }
    __real_free(pointer);
}

/* ---- roads: each leaves nothing behind, and a number that tells whether it did its work -------------------------- */

static chgnet_context *ctx;
static chgnet_model *model;
static chgnet_delta *shared_delta;

static const int32_t numbers[] = {12, 8};
static const double positions[] = {0.02, 0.03, -0.01, 2.11, 2.16, 2.05};
static const double cell[] = {0.05, 2.15, 2.04, 2.16, -0.04, 2.11, 2.06, 2.13, 0.07};
static const int pbc[] = {1, 1, 1};

static chgnet_status load(double *result)
{
    chgnet_model *made;
    CHGI_TRY(chgnet_model_load(ctx, "0.3.0", &made));
    *result = (double)chgnet_model_get_info(made).n_parameter;
    chgnet_model_destroy(made);
    return CHGNET_OK;
}

static chgnet_status compute(chgnet_calculator *c, unsigned want, double *result)
{
    double forces[6];
    if (want & CHGNET_WANT_STD)
        CHGI_TRY(chgnet_calculator_set_delta(c, shared_delta));
    CHGI_TRY(chgnet_calculator_set_structure(c, 2, numbers, positions, cell, pbc));
    CHGI_TRY(chgnet_calculator_compute(c, want));
    CHGI_TRY(chgnet_calculator_get_energy(c, result));
    CHGI_TRY(chgnet_calculator_get_forces(c, forces));
    *result += forces[3];
    return CHGNET_OK;
}

static chgnet_status calculate(unsigned want, double skin, double *result)
{
    chgnet_calculator *c;
    chgnet_options options = chgnet_options_default();
    options.threads = 1;
    options.skin = skin;
    CHGI_TRY(chgnet_calculator_create(ctx, model, &options, &c));
    chgnet_status status = compute(c, want, result);
    chgnet_calculator_destroy(c);
    return status;
}

static chgnet_status predict(double *result)
{
    return calculate(CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT, 1.0, result);
}

static chgnet_status predict_corrected(double *result)
{
    return calculate(SAMPLE_GRADIENT | CHGNET_WANT_STD | CHGNET_WANT_STD_GRADIENT | CHGNET_WANT_NOVELTY, 0, result);
}

static chgnet_status fit(double *result)
{
    static const int64_t n_atom[] = {2, 2};
    static const int32_t elements[] = {12, 8, 12, 8};
    static const double energies[] = {-11.9, -11.2}, forces[12] = {0.1, 0, 0, -0.1, 0, 0, 0, 0.2, 0, 0, -0.2, 0};
    double places[12], cells[18];
    int axes[6] = {1, 1, 1, 1, 1, 1};
    chgnet_delta *delta;
    chgnet_labels labels = chgnet_labels_default();
    chgnet_delta_options options = chgnet_delta_options_default();
    memcpy(places, positions, sizeof positions);
    memcpy(places + 6, positions, sizeof positions);
    places[6] += 0.1;
    memcpy(cells, cell, sizeof cell);
    memcpy(cells + 9, cell, sizeof cell);
    labels.n_structure = 2;
    labels.n_atom = n_atom;
    labels.numbers = elements;
    labels.positions = places;
    labels.cells = cells;
    labels.pbc = axes;
    labels.energies = energies;
    labels.forces = forces;
    options.threads = 1;
    CHGI_TRY(chgnet_delta_fit(ctx, model, &labels, &options, &delta));
    *result = chgnet_delta_get_info(delta).log_likelihood;
    if (!shared_delta) {
        shared_delta = delta;
        return CHGNET_OK;
    }
    chgnet_delta_destroy(delta);
    return CHGNET_OK;
}

static chgnet_status save_and_read(double *result)
{
    chgnet_delta *delta;
    CHGI_TRY(chgnet_delta_save(ctx, shared_delta, "no-memory.tmp.h5"));
    CHGI_TRY(chgnet_delta_load(ctx, "./no-memory.tmp.h5", &delta));
    *result = chgnet_delta_get_info(delta).log_likelihood;
    chgnet_delta_destroy(delta);
    return CHGNET_OK;
}

static chgnet_status make_cluster(int64_t n, chgi_structure *s)
{
    CHGI_TRY(chgi_structure_create(ctx, n, s));
    for (int64_t i = 0; i < n; i++) {
        s->numbers[i] = 18;
        s->positions[3 * i] = 1.2 * (double)(i % 2);
        s->positions[3 * i + 1] = 1.1 * (double)(i / 2 % 2);
        s->positions[3 * i + 2] = 1.15 * (double)(i / 4);
    }
    return CHGNET_OK;
}

static chgnet_status relax_with(chgi_minimiser_kind kind, double *result)
{
    chgi_structure s;
    chgi_potential potential;
    chgi_relax_report report;
    chgi_relax_options options = chgi_relax_options_default();
    options.optimizer = kind;
    CHGI_TRY(chgi_lennard_jones_create(ctx, &potential));
    chgnet_status status = make_cluster(6, &s);
    if (status == CHGNET_OK)
        status = chgi_relax(ctx, &potential, &s, &options, NULL, NULL, &report);
    *result = report.energy;
    chgi_structure_destroy(&s);
    potential.destroy(potential.self);
    return status;
}

static chgnet_status relax_fire(double *result)
{
    return relax_with(CHGI_FIRE, result);
}

static chgnet_status relax_lbfgs(double *result)
{
    return relax_with(CHGI_LBFGS, result);
}

static chgnet_status relax_cell(double *result)
{
    chgi_structure s = {0};
    chgi_relax_report report = {0};
    chgnet_calculator *c;
    chgi_relax_options options = chgi_relax_options_default();
    options.steps = 2;
    options.cell = CHGI_CELL_FULL;
#ifdef HAVE_SPGLIB
    options.keep_symmetry = true;
#endif
    CHGI_TRY(chgi_calculator_create(ctx, model, false, 1, NULL, &c));
    chgi_potential potential = chgi_calculator_potential(c);
    chgnet_status status = chgi_structure_create(ctx, 2, &s);
    if (status == CHGNET_OK) {
        memcpy(s.numbers, numbers, sizeof numbers);
        memcpy(s.positions, positions, sizeof positions);
        memcpy(s.cell, cell, sizeof cell);
        s.pbc[0] = s.pbc[1] = s.pbc[2] = true;
        status = chgi_relax(ctx, &potential, &s, &options, NULL, NULL, &report);
    }
    *result = report.energy;
    chgi_structure_destroy(&s);
    chgnet_calculator_destroy(c);
    return status == CHGNET_ECONVERGE ? CHGNET_OK : status;
}

static chgnet_status dynamics(double *result)
{
    chgi_structure s = {0};
    chgi_potential potential;
    chgi_md *md = NULL;
    chgi_md_options options = chgi_md_options_default(CHGI_MD_NVT_LANGEVIN);
    chgi_md_observables seen;
    CHGI_TRY(chgi_lennard_jones_create(ctx, &potential));
    chgnet_status status = make_cluster(6, &s);
    if (status == CHGNET_OK)
        status = chgi_md_create(ctx, &potential, &s, &options, &md);
    if (status == CHGNET_OK)
        status = chgi_md_start(md, 0);
    for (int step = 0; status == CHGNET_OK && step < 3; step++)
        status = chgi_md_step(md, 0);
    if (status == CHGNET_OK) {
        chgi_md_observe(md, &seen);
        *result = seen.total;
    }
    chgi_md_destroy(md);
    chgi_structure_destroy(&s);
    potential.destroy(potential.self);
    return status;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static void take_news(void *user, const chgi_search_news *news)
{
    double *result = user;
    *result = news->best >= 0 ? news->state->pool.minima[news->best].free_energy : 0;
}

static chgnet_status search(double *result)
{
    static const char config_name[] = "no-memory.tmp.ini", folder[] = "no-memory.tmp.search";
    chgi_search_config config;
    chgi_search_watch watch = {1, NULL, take_news, result};
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    CHGI_TRY(chgi_search_config_read(ctx, config_name, &config));
    chgnet_status status = chgi_search_run(ctx, &config, config_name, NULL, NULL, &watch);
    chgi_search_config_destroy(&config);
    return status;
}

static void write_config(void)
{
    FILE *file = fopen("no-memory.tmp.ini", "w");
    if (!file ||
        fputs("[template]\nbox = 9 9 9\n[place]\natoms = Ar4\n[region]\nradius = 1.5\ncloseness = 0\n"
              "least-distance = 0.6\nisolation = 0\nfarthest = 1.8\n[potential]\nkind = lennard-jones\n"
              "[relax]\nsteps = 50\n[search]\nsampler = basin\nbudget = 4\nwalkers = 1\nseed = 3\n"
              "folder = no-memory.tmp.search\n",
              file) < 0 ||
        fclose(file) != 0)
        tap_bail("cannot write a temporary file");
}

/* ---- the campaign ----------------------------------------------------------------------------- */

typedef struct road {
    const char *name;
    chgnet_status (*walk)(double *result);
    int sample; /* n that are tried of each kind, in the short form */
} road;

static const road roads[] = {
    {"loading weights", load, 12},
    {"a prediction", predict, 40},
    {"a fit", fit, 30},
    {"a corrected prediction", predict_corrected, 40},
    {"saving and reading a delta-model", save_and_read, 40},
    {"relaxing by FIRE", relax_fire, 40},
    {"relaxing by L-BFGS", relax_lbfgs, 40},
    {"relaxing a cell with its symmetry", relax_cell, 30},
    {"dynamics", dynamics, 40},
    {"a search", search, 40},
};

static bool is_right(const road *r, int64_t n, chgnet_status status, int64_t held_before)
{
    const char *text = chgnet_context_error(ctx);
    if (status != CHGNET_OK && (status != CHGNET_ENOMEM || !text[0]))
        tap_note("%s, allocation %" PRId64 "%s: status %d: %s", r->name, n, all_fail ? " and later" : "", (int)status,
                 text);
    else if (n_held != held_before)
        tap_note("%s, allocation %" PRId64 "%s: %" PRId64 " blocks leaked", r->name, n, all_fail ? " and later" : "",
                 n_held - held_before);
    else
        return true;
    return false;
}

/* One failure; and once more without. */
static bool try_one(const road *r, int64_t n, double wanted)
{
    double result = NAN;
    int64_t held = n_held;
    n_allocation = 0;
    (void)chgi_context_fail(ctx, CHGNET_OK, "%s", ""); /* what is told from here on is new */
    fails_at = n;
    chgnet_status status = r->walk(&result);
    fails_at = 0;
    return is_right(r, n, status, held) && (status != CHGNET_OK || result == wanted);
}

static void campaign(const road *r)
{
    double wanted = NAN, again = NAN;
    if (r->walk(&wanted) != CHGNET_OK) /* once before, so that what stays for good is there */
        tap_bail(chgnet_context_error(ctx));
    n_allocation = 0;
    if (r->walk(&wanted) != CHGNET_OK)
        tap_bail(chgnet_context_error(ctx));
    int64_t total = n_allocation, tried = 0, wrong = 0;
    bool all = getenv("CHGNET_TEST_ALL") != NULL;
    for (int kind = 0; kind < 2; kind++) {
        all_fail = kind == 1;
        int64_t step = all || total < r->sample ? 1 : total / r->sample + 1;
        for (int64_t n = 1; n <= total && wrong < 10; n += step + (kind && step > 1), tried++)
            wrong += !try_one(r, n, wanted);
    }
    all_fail = false;
    chgnet_status status = r->walk(&again);
    tap_ok(wrong == 0 && tried > 0, "%s: %" PRId64 " allocations, %" PRId64 " failures tried", r->name, total, tried);
    tap_ok(status == CHGNET_OK && again == wanted, "%s afterwards: the same bits", r->name);
}

int main(void)
{
    ctx = sample_context();
    write_config();
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    for (size_t i = 0; i < sizeof roads / sizeof *roads; i++)
        campaign(&roads[i]);
    chgnet_delta_destroy(shared_delta);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    unlink("no-memory.tmp.ini");
    unlink("no-memory.tmp.h5");
    (void)nftw("no-memory.tmp.search", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return tap_done();
}
