/* The library in a host that traps floating-point exceptions, forks, and looks after its memory; chgnet.h alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _GNU_SOURCE /* feenableexcept, mallinfo2 */
#include <chgnet.h>
#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <malloc.h>
#include <omp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

enum { MOST = 40, THREADS = 2 };

static const unsigned WANT = CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT;

typedef struct crystal {
    int64_t n;
    int32_t numbers[MOST];
    double positions[3 * MOST], cell[9];
} crystal;

typedef struct results {
    double energy, forces[3 * MOST], stress[9], magmoms[MOST];
} results;

static const int everywhere[3] = {1, 1, 1};

/* Cells of rock salt along x, each atom off its place: NiO, whose magnetic moments are not zero. */
static void make_crystal(int cells, crystal *c)
{
    memset(c, 0, sizeof *c);
    for (int k = 0; k < cells; k++)
        for (int site = 0; site < 4; site++)
            for (int species = 0; species < 2; species++, c->n++) {
                double *x = c->positions + 3 * c->n;
                c->numbers[c->n] = species ? 8 : 28;
                x[0] = 4.2 * k + (site & 1 ? 2.1 : 0) + (species ? 2.1 : 0) + 0.03 * (double)(c->n % 5);
                x[1] = (site == 1 || site == 2 ? 2.1 : 0) + 0.02 * (double)(c->n % 3);
                x[2] = site & 2 ? 2.1 : 0;
            }
    c->cell[0] = 4.2 * cells;
    c->cell[4] = c->cell[8] = 4.2;
}

static void must(const chgnet_context *context, chgnet_status status)
{
    if (status != CHGNET_OK)
        tap_bail(chgnet_context_error(context));
}

static void compute(chgnet_context *context, chgnet_calculator *calculator, const crystal *c, results *r)
{
    memset(r, 0, sizeof *r);
    must(context, chgnet_calculator_set_structure(calculator, c->n, c->numbers, c->positions, c->cell, everywhere));
    must(context, chgnet_calculator_compute(calculator, WANT));
    must(context, chgnet_calculator_get_energy(calculator, &r->energy));
    must(context, chgnet_calculator_get_forces(calculator, r->forces));
    must(context, chgnet_calculator_get_stress(calculator, r->stress));
    must(context, chgnet_calculator_get_magmoms(calculator, r->magmoms));
}

static chgnet_calculator *new_calculator(chgnet_context *context, const chgnet_model *model, chgnet_precision precision,
                                         int threads)
{
    chgnet_calculator *calculator;
    chgnet_options options = chgnet_options_default();
    options.precision = precision;
    options.threads = threads;
    options.trajectory = 1;
    must(context, chgnet_calculator_create(context, model, &options, &calculator));
    return calculator;
}

/* A load, a pass in each precision, a pass of a single atom (no neighbours, no angles), a delta-model. */
static void use_everything(results *single, results *wide, double *corrected)
{
    enum { LABELS = 3 };
    static const double energies[LABELS] = {-40, -40.3, -39.8};
    static const int pbc[3 * LABELS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    chgnet_context *context;
    chgnet_model *model;
    chgnet_delta *delta;
    crystal c, alone = {.n = 1, .numbers = {2}, .cell = {30, 0, 0, 0, 30, 0, 0, 0, 30}};
    results unused;
    if (chgnet_context_create(&context) != CHGNET_OK)
        tap_bail("no memory");
    must(context, chgnet_model_load(context, NULL, &model));
    make_crystal(2, &c);
    chgnet_calculator *calculator = new_calculator(context, model, CHGNET_DOUBLE, THREADS);
    compute(context, calculator, &c, wide);
    chgnet_calculator_destroy(calculator);
    calculator = new_calculator(context, model, CHGNET_SINGLE, THREADS);
    compute(context, calculator, &alone, &unused);
    compute(context, calculator, &c, single);

    static double positions[LABELS * 3 * MOST], cells[9 * LABELS];
    static int32_t numbers[LABELS * MOST];
    int64_t n_atom[LABELS];
    for (int64_t k = 0, at = 0; k < LABELS; k++, at += c.n) {
        n_atom[k] = c.n;
        memcpy(numbers + at, c.numbers, (size_t)c.n * sizeof *numbers);
        memcpy(positions + 3 * at, c.positions, 3 * (size_t)c.n * sizeof *positions);
        memcpy(cells + 9 * k, c.cell, sizeof c.cell);
        positions[3 * at] += 0.05 * (double)k;
    }
    chgnet_labels labels = chgnet_labels_default();
    labels.n_structure = LABELS;
    labels.n_atom = n_atom;
    labels.numbers = numbers;
    labels.positions = positions;
    labels.cells = cells;
    labels.pbc = pbc;
    labels.energies = energies;
    chgnet_delta_options options = chgnet_delta_options_default();
    options.threads = THREADS;
    must(context, chgnet_delta_fit(context, model, &labels, &options, &delta));
    must(context, chgnet_calculator_set_delta(calculator, delta));
    must(context, chgnet_calculator_compute(calculator, WANT | CHGNET_WANT_STD));
    must(context, chgnet_calculator_get_energy(calculator, corrected));
    if (chgnet_model_load(context, "nosuch", &model) == CHGNET_OK) /* an error's text is no output either */
        tap_bail("a model that is not there was loaded");
    chgnet_calculator_destroy(calculator);
    chgnet_delta_destroy(delta);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
}

/* ---- floating-point exceptions, signals, locale, output -------------------------------------------------------------
 */

#ifdef __GLIBC__
static int traps_of_workers(void)
{
    int traps[THREADS] = {0};
#pragma omp parallel num_threads(THREADS)
    traps[omp_get_thread_num()] = fegetexcept();
    return traps[0] & traps[THREADS - 1];
}
#endif

static void check_traps(void)
{
#ifdef __GLIBC__
    static results single[2], wide[2];
    double corrected[2];
    const int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
    use_everything(&single[0], &wide[0], &corrected[0]);
    feclearexcept(FE_ALL_EXCEPT);
#pragma omp parallel num_threads(THREADS)
    feenableexcept(traps);
    use_everything(&single[1], &wide[1], &corrected[1]);
    int left = fegetexcept(), workers = traps_of_workers(), raised = fetestexcept(traps);
#pragma omp parallel num_threads(THREADS)
    fedisableexcept(FE_ALL_EXCEPT);
    tap_ok(memcmp(&single[0], &single[1], sizeof *single) == 0 && memcmp(&wide[0], &wide[1], sizeof *wide) == 0 &&
               corrected[0] == corrected[1],
           "a host that traps exceptions, in all its threads, gets the same bits");
    tap_ok(left == traps && workers == traps, "and keeps its traps");
    tap_is_int(raised, 0, "no flag was raised");
#else
    tap_ok(true, "traps of floating-point exceptions # SKIP not the GNU C library");
#endif
}

/* Threads in which half of the smallest normal number is not zero. */
static int keep_denormals(void)
{
    static volatile float smallest = FLT_MIN;
    int count = 0;
#pragma omp parallel num_threads(THREADS) reduction(+ : count)
    {
        volatile float half = smallest / 2;
        count += half > 0;
    }
    return count;
}

static void check_flags(void)
{
    results single, wide;
    double corrected;
    feclearexcept(FE_ALL_EXCEPT);
    feraiseexcept(FE_DIVBYZERO);
    fesetround(FE_TONEAREST);
    use_everything(&single, &wide, &corrected);
    tap_is_int(fetestexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW), FE_DIVBYZERO,
               "the host's floating-point flags are as they were");
    tap_is_int(fegetround(), FE_TONEAREST, "so is its rounding");
    tap_is_int(keep_denormals(), THREADS, "and its denormal numbers, in all threads");
    feclearexcept(FE_ALL_EXCEPT);
}

static bool same_handlers(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags;
}

static void check_silence(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGFPE, SIGSEGV, SIGABRT, SIGPIPE, SIGCHLD, SIGUSR1};
    enum { SIGNALS = sizeof signals / sizeof *signals };
    struct sigaction before[SIGNALS], after[SIGNALS];
    results single, wide;
    double corrected;
    struct stat size = {.st_size = -1};
    int saved[2] = {dup(1), dup(2)};
    FILE *file = tmpfile();
    if (!file)
        tap_bail("no temporary file");
    for (int k = 0; k < SIGNALS; k++)
        sigaction(signals[k], NULL, &before[k]);
    fflush(stdout);
    for (int k = 0; k < 2; k++)
        dup2(fileno(file), k + 1);
    use_everything(&single, &wide, &corrected);
    fflush(NULL);
    fstat(fileno(file), &size);
    for (int k = 0; k < 2; k++) {
        dup2(saved[k], k + 1);
        close(saved[k]);
    }
    fclose(file);
    bool same = true;
    for (int k = 0; k < SIGNALS; k++) {
        sigaction(signals[k], NULL, &after[k]);
        same = same && same_handlers(&before[k], &after[k]);
    }
    tap_is_int((int64_t)size.st_size, 0, "nothing is printed, errors included");
    tap_ok(same, "signal handlers are as they were");
    tap_ok(strcmp(setlocale(LC_ALL, NULL), "C") == 0, "so is the locale");
}

/* ---- after a fork ------------------------------------------------------------------------------------------------ */

/* The child's status: 0 where each of its passes has the parent's bits. */
static int child(chgnet_calculator *old, chgnet_context *context, const chgnet_model *model, const crystal *c,
                 const results *want)
{
    results got;
    alarm(60); /* a wait for threads that are not there would last for ever */
    compute(context, old, c, &got);
    if (memcmp(&got, want, sizeof got) != 0)
        return 1;
    chgnet_calculator *new = new_calculator(context, model, CHGNET_SINGLE, THREADS);
    compute(context, new, c, &got);
    chgnet_calculator_destroy(new);
    return memcmp(&got, want, sizeof got) == 0 ? 0 : 2;
}

static void check_fork(void)
{
    chgnet_context *context;
    chgnet_model *model;
    static crystal c;
    static results want, again;
    int status = -1;
    make_crystal(5, &c);
    if (chgnet_context_create(&context) != CHGNET_OK)
        tap_bail("no memory");
    must(context, chgnet_model_load(context, NULL, &model));
    chgnet_calculator *calculator = new_calculator(context, model, CHGNET_SINGLE, THREADS);
    compute(context, calculator, &c, &want);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(calculator, context, model, &c, &want));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        tap_bail("no child process");
    tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
           "a forked child computes with two threads, by the parent's calculator and its own: status %d", status);
    compute(context, calculator, &c, &again);
    tap_ok(memcmp(&want, &again, sizeof want) == 0, "and the parent goes on");
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
}

/* ---- memory --------------------------------------------------------------------------------------------------------
 */

/* The C library keeps small pieces that were freed for the next one who asks, and counts them as used: not here, so
 * that equal use is an equal number. */
static void count_exactly(char **argv)
{
    mallopt(M_MXFAST, 0);
    if (getenv("GLIBC_TUNABLES"))
        return;
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
    execv("/proc/self/exe", argv);
}

/* Bytes in use; 0 where the C library does not tell, or a memory checker stands in its place. */
static int64_t in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
#else
    return 0;
#endif
}

static void come_and_go(const crystal *c)
{
    chgnet_context *context;
    chgnet_model *model;
    results r;
    if (chgnet_context_create(&context) != CHGNET_OK)
        tap_bail("no memory");
    must(context, chgnet_model_load(context, NULL, &model));
    chgnet_calculator *calculator = new_calculator(context, model, CHGNET_SINGLE, 1);
    compute(context, calculator, c, &r);
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
}

static void check_cycles(int cycles)
{
    static crystal c;
    int64_t first = 0;
    make_crystal(1, &c);
    for (int k = 0; k < cycles; k++) {
        come_and_go(&c);
        if (k == cycles / 2)
            first = in_use();
    }
    tap_ok(in_use() == first, "%d models and calculators came and went: %lld bytes in use halfway, %lld at the end",
           cycles, (long long)first, (long long)in_use());
}

/* From the largest structure down and back, in leaps of eight: what grows once stays. */
static void check_sizes(int structures)
{
    chgnet_context *context;
    chgnet_model *model;
    static crystal c;
    static results r;
    int64_t first = 0;
    if (chgnet_context_create(&context) != CHGNET_OK)
        tap_bail("no memory");
    must(context, chgnet_model_load(context, NULL, &model));
    chgnet_calculator *calculator = new_calculator(context, model, CHGNET_SINGLE, 1);
    for (int k = 0; k < structures; k++) {
        make_crystal(k < 3 ? 5 : 1 + k * 7 % 2, &c);
        c.n -= k < 3 ? 0 : k % 8;
        compute(context, calculator, &c, &r);
        if (k == structures - 1 - structures / 16 * 8) /* the same structure as the last */
            first = in_use();
    }
    tap_ok(in_use() == first, "%d structures of changing size: %lld bytes in use halfway, %lld at the end", structures,
           (long long)first, (long long)in_use());
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(context);
}

/* \param argv  numbers of cycles and of structures: these alone, for a memory checker, which knows no traps or flags */
int main(int argc, char **argv)
{
    int cycles = argc > 1 ? atoi(argv[1]) : 200, structures = argc > 2 ? atoi(argv[2]) : 1000;
    count_exactly(argv);
    if (argc == 1) {
        check_flags();
        check_traps();
        check_silence();
        check_fork();
    }
    check_cycles(cycles);
    check_sizes(structures);
    return tap_done();
}
