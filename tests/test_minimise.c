/* The minimisers step by step against ASE's (tools/make_minimise_reference.py), and that each finds a minimum.
 *
 * Rounding differs: sums are taken in another order, and L-BFGS and BFGS divide by differences of gradients, so that an
 * error grows while the steps are long.  Allowed are 1e-9 A in the first 20 steps and 1e-6 A in all. */
#include "sample.h"
#include "task/minimise.h"

enum { N = 12, FEW = 20 };

static double valleys(const double *x, double *forces)
{
    double value = 0;
    memset(forces, 0, N * sizeof *forces);
    for (int k = 0; k < N - 1; k++) {
        double d = x[k + 1] - x[k] * x[k];
        value += (1 - x[k]) * (1 - x[k]) + 5 * d * d;
        forces[k] += 2 * (1 - x[k]) + 20 * d * x[k];
        forces[k + 1] -= 10 * d;
    }
    return value;
}

typedef struct descent {
    chgi_minimiser *minimiser;
    double x[N], forces[N], early, late;
    int64_t steps;
} descent;

static void begin(chgnet_context *ctx, chgi_minimiser_kind kind, descent *d)
{
    sample_must(ctx, chgi_minimiser_create(ctx, kind, N / 3, &d->minimiser));
    for (int k = 0; k < N; k++)
        d->x[k] = 0.3 * cos(k);
    valleys(d->x, d->forces);
}

static void advance(chgnet_context *ctx, descent *d)
{
    double step[N];
    sample_must(ctx, chgi_minimiser_step(d->minimiser, d->x, d->forces, step));
    for (int k = 0; k < N; k++)
        d->x[k] += step[k];
    valleys(d->x, d->forces);
    d->steps++;
}

static void compare(descent *d, const char *numbers)
{
    char *end;
    for (int k = 0; k < N; k++, numbers = end) {
        double error = fabs(strtod(numbers, &end) - d->x[k]);
        d->late = fmax(d->late, error);
        if (d->steps <= FEW)
            d->early = fmax(d->early, error);
    }
}

static void check_kind(chgnet_context *ctx, chgi_minimiser_kind kind, FILE *file)
{
    char line[4096], name[16];
    long long step;
    int used;
    descent d = {.steps = 0};
    begin(ctx, kind, &d);
    rewind(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%15s %lld%n", name, &step, &used) == 2 && strcmp(name, chgi_minimiser_name(kind)) == 0) {
            if (step > 0)
                advance(ctx, &d);
            compare(&d, line + used);
        }
    tap_ok(d.steps > FEW, "%s: %lld steps", chgi_minimiser_name(kind), (long long)d.steps);
    tap_ok(d.early < 1e-9, "the first %d are ASE's to %.2g A", FEW, d.early);
    tap_ok(d.late < 1e-6, "all are to %.2g A", d.late);
    for (int k = 0; k < 3000 && chgi_longest_row(d.forces, N / 3) > 1e-8; k++)
        advance(ctx, &d);
    tap_ok(chgi_longest_row(d.forces, N / 3) <= 1e-8, "and it comes to rest after %lld", (long long)d.steps);
    chgi_minimiser_destroy(d.minimiser);
}

static void check_names(void)
{
    for (int kind = 0; kind < CHGI_MINIMISER_COUNT; kind++)
        tap_is_int(chgi_minimiser_find(chgi_minimiser_name((chgi_minimiser_kind)kind)), kind, "found by its name");
    tap_is_int(chgi_minimiser_find("FIRE"), CHGI_MINIMISER_COUNT, "an unknown name");
}

static void check_failure(chgnet_context *ctx)
{
    chgi_minimiser *m;
    double x[3] = {0}, forces[3] = {NAN, 0, 0}, step[3];
    for (int kind = 0; kind < CHGI_MINIMISER_COUNT; kind++) {
        sample_must(ctx, chgi_minimiser_create(ctx, (chgi_minimiser_kind)kind, 1, &m));
        tap_is_int(chgi_minimiser_step(m, x, forces, step), CHGNET_ENUMERIC, "a force that is no number");
        chgi_minimiser_destroy(m);
    }
    tap_is_int(chgi_minimiser_create(ctx, CHGI_BFGS, 1000000, &m), CHGNET_ENOMEM, "a Hessian beyond all memory");
    tap_ok(strstr(chgnet_context_error(ctx), "lbfgs"), "%s", chgnet_context_error(ctx));
}

/* The same place twice, as after atoms that are all fixed: nothing is learnt and nothing breaks. */
static void check_standstill(chgnet_context *ctx)
{
    chgi_minimiser *m;
    double x[3] = {1, 2, 3}, forces[3] = {0.1, 0, 0}, step[3];
    for (int kind = 0; kind < CHGI_MINIMISER_COUNT; kind++) {
        sample_must(ctx, chgi_minimiser_create(ctx, (chgi_minimiser_kind)kind, 1, &m));
        for (int k = 0; k < 3; k++)
            sample_must(ctx, chgi_minimiser_step(m, x, forces, step));
        tap_ok(step[0] > 0 && step[1] == 0, "%s: the same place again", chgi_minimiser_name((chgi_minimiser_kind)kind));
        chgi_minimiser_destroy(m);
    }
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    FILE *file = fopen(tap_source("tests/ref/minimise.txt"), "r");
    if (!file)
        tap_bail("tests/ref/minimise.txt is missing");
    for (int kind = 0; kind < CHGI_MINIMISER_COUNT; kind++)
        check_kind(ctx, (chgi_minimiser_kind)kind, file);
    fclose(file);
    check_names();
    check_failure(ctx);
    check_standstill(ctx);
    chgnet_context_destroy(ctx);
    return tap_done();
}
