/* Relaxations against ASE 3.29 with upstream's calculator in float64 (tools/make_relax_reference.py).
 *
 * Wanted of every case: the final energy within 0.1 meV/atom, the cell within 1e-3, the number of steps within 10 % of
 * ASE's with the same minimiser and limit.  In double the first steps must also be those of ASE one by one: both see
 * the same energies to 1e-9 eV, and an error made in a step grows by less than ten in the next. */
#include "crystal/reader.h"
#include "sample.h"
#include "task/relax.h"

enum { MOST_STEPS = 512, SAME_STEPS = 5 };

typedef struct reference {
    chgi_structure start, end;
    chgi_relax_options options;
    int64_t steps;
    double energies[MOST_STEPS], forces[MOST_STEPS];
} reference;

static void next_frame(chgnet_context *ctx, chgi_reader *reader, chgi_structure *s)
{
    bool got = false;
    sample_must(ctx, chgi_reader_next(reader, s, &got));
    if (!got)
        tap_bail("the reference ends before its time");
}

static const char *info(const chgi_structure *s, const char *key)
{
    const char *value = chgi_structure_info(s, key);
    if (!value)
        tap_bail(key);
    return value;
}

static void take_numbers(const char *text, int64_t count, double *numbers)
{
    char *end;
    for (int64_t k = 0; k < count; k++, text = end) {
        numbers[k] = strtod(text, &end);
        if (end == text)
            tap_bail("too few numbers in the reference");
    }
}

static void take_reference(chgnet_context *ctx, chgi_reader *reader, reference *r)
{
    next_frame(ctx, reader, &r->start);
    next_frame(ctx, reader, &r->end);
    r->options = chgi_relax_options_default();
    r->options.optimizer = chgi_minimiser_find(info(&r->start, "optimizer"));
    r->options.cell = chgi_cell_freedom_find(info(&r->start, "cell"));
    take_numbers(info(&r->start, "fmax"), 1, &r->options.fmax);
    take_numbers(info(&r->start, "pressure"), 1, &r->options.pressure);
    r->steps = strtol(info(&r->end, "steps"), NULL, 10);
    if (r->steps < 1 || r->steps >= MOST_STEPS)
        tap_bail("the reference has too many steps");
    take_numbers(info(&r->end, "energies"), r->steps + 1, r->energies);
    take_numbers(info(&r->end, "forces_max"), r->steps + 1, r->forces);
}

/* ---- one relaxation ---------------------------------------------------------------------------- */

typedef struct comparison {
    const reference *reference;
    double first_energy;              /* upstream rounds the elements' energies to float32: differences count */
    double energy_error, force_error; /* of the first steps */
} comparison;

static chgnet_status compare(void *user, const chgi_relax_state *state)
{
    comparison *c = user;
    if (state->step > SAME_STEPS || state->step > c->reference->steps)
        return CHGNET_OK;
    c->first_energy = state->step == 0 ? state->energy : c->first_energy;
    double got = state->energy - c->first_energy,
           want = c->reference->energies[state->step] - c->reference->energies[0];
    c->energy_error = fmax(c->energy_error, fabs(got - want));
    c->force_error = fmax(c->force_error, fabs(state->fmax - c->reference->forces[state->step]));
    return CHGNET_OK;
}

/* Largest difference of two cells, relative to the longest vector. */
static double cell_error(const chgi_structure *a, const chgi_structure *b)
{
    double most = 0, longest = 0;
    for (int i = 0; i < 3; i++) {
        double square = 0;
        for (int c = 0; c < 3; c++) {
            most = fmax(most, fabs(a->cell[i][c] - b->cell[i][c]));
            square += b->cell[i][c] * b->cell[i][c];
        }
        longest = fmax(longest, sqrt(square));
    }
    return most / longest;
}

static int64_t fixed_moved(const chgi_structure *start, const chgi_structure *end)
{
    int64_t moved = 0;
    for (int64_t k = 0; start->move_mask && k < 3 * start->n_atom; k++)
        moved += !start->move_mask[k] && start->positions[k] != end->positions[k];
    return moved;
}

static void check_end(const reference *r, const chgi_structure *s, const chgi_relax_report *report, const char *name)
{
    double n = (double)s->n_atom, energy = (report->energy - r->energies[r->steps]) / n;
    double few = 0.9 * (double)r->steps, many = 1.1 * (double)r->steps;
    tap_ok(fabs(energy) < 1e-4, "%s: %.6f eV, %.2g meV/atom from the reference", name, report->energy, 1e3 * energy);
    tap_ok(cell_error(s, &r->end) < 1e-3, "%s: the cell differs by %.2g", name, cell_error(s, &r->end));
    tap_ok((double)report->steps >= few && (double)report->steps <= many, "%s: %lld steps, reference %lld", name,
           (long long)report->steps, (long long)r->steps);
    tap_ok(report->converged && report->fmax < r->options.fmax, "%s: largest force %.4f eV/A", name, report->fmax);
    if (r->start.move_mask)
        tap_is_int(fixed_moved(&r->start, s), 0, "what is fixed has not moved");
}

static void check(chgnet_context *ctx, chgnet_calculator *calculator, const reference *r, bool is_double)
{
    chgi_potential potential = chgi_calculator_potential(calculator);
    chgi_structure s;
    chgi_relax_report report;
    comparison c = {.reference = r};
    char name[128];
    snprintf(name, sizeof name, "%s in %s", info(&r->start, "case"), is_double ? "double" : "single");
    sample_must(ctx, chgi_structure_copy(ctx, &r->start, &s));
    sample_must(ctx, chgi_relax(ctx, &potential, &s, &r->options, compare, &c, &report));
    if (is_double)
        tap_ok(c.energy_error < 1e-6 && c.force_error < 1e-6, "%s: the first %d steps agree to %.1g eV, %.1g eV/A",
               name, SAME_STEPS, c.energy_error, c.force_error);
    check_end(r, &s, &report, name);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    chgnet_calculator *calculators[2];
    chgi_reader *reader;
    chgnet_options options = chgnet_options_default();
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    options.skin = 0.5;
    for (int k = 0; k < 2; k++) {
        options.precision = k == 1 ? CHGNET_DOUBLE : CHGNET_SINGLE;
        sample_must(ctx, chgnet_calculator_create(ctx, model, &options, &calculators[k]));
    }
    sample_must(ctx, chgi_reader_open(ctx, tap_source("tests/ref/relax.extxyz"), &reader));
    while (!chgi_reader_at_end(reader)) {
        static reference r;
        take_reference(ctx, reader, &r);
        for (int k = 0; k < 2; k++)
            if (r.start.n_atom < 32 || k == 0) /* the large one in single alone, for time */
                check(ctx, calculators[k], &r, k == 1);
        chgi_structure_destroy(&r.start);
        chgi_structure_destroy(&r.end);
    }
    chgi_reader_destroy(reader);
    for (int k = 0; k < 2; k++)
        chgnet_calculator_destroy(calculators[k]);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
