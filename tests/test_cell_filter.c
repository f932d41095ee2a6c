/* The cell's coordinates: exponential and logarithm of matrices, that packing and unpacking are inverse, that the
 * forces are minus the derivatives of the enthalpy (central differences in double), constraints, and the space group.
 */
#include "sample.h"
#include "task/cell_filter.h"
#include "task/constraint.h"
#include "task/relax.h"

enum { MOST_ROWS = SAMPLE_MOST_ATOMS + 3 };

static double difference(chgi_matrix3 a, chgi_matrix3 b)
{
    return chgi_matrix3_norm(chgi_matrix3_add(a, -1, b));
}

static chgi_matrix3 random_matrix(uint64_t *state, double size)
{
    chgi_matrix3 a;
    sample_fill(state, size, 9, a.m[0]);
    return a;
}

/* ---- matrices ---------------------------------------------------------------------------------- */

/* Errors of exp are relative to its size; the logarithm's grow with the number of roots, here up to six. */
static void check_matrices(void)
{
    uint64_t state = 3;
    for (int k = 0; k < 6; k++) {
        double size = pow(10, k - 4);
        chgi_matrix3 u = random_matrix(&state, size > 1 ? 1 : size), e = chgi_matrix3_exp(u), back, inverse;
        chgi_matrix3 one = chgi_matrix3_diagonal(1), zero = {{{0}}};
        bool got = chgi_matrix3_log(e, &back);
        tap_ok(got && difference(u, back) < 1e-13, "log exp u is u, size %g: %.2g", size, difference(u, back));
        inverse = chgi_matrix3_exp(chgi_matrix3_add(zero, -1, u));
        tap_ok(difference(chgi_matrix3_multiply(e, inverse), one) < 1e-13, "exp u exp -u is 1");
        tap_near(log(chgi_matrix3_determinant(e)), chgi_matrix3_trace(u), 1e-13, "det exp u is exp tr u");
    }
    chgi_matrix3 turn = {{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}}, nothing;
    tap_ok(!chgi_matrix3_log(turn, &nothing), "a mirror has no logarithm");
    tap_ok(!chgi_matrix3_log((chgi_matrix3){{{1, 0, 0}, {0, 0, 0}, {0, 0, 1}}}, &nothing), "nor has a flat matrix");
}

static void check_exp_gradient(void)
{
    const double step = 1e-5;
    uint64_t state = 8;
    chgi_matrix3 u = random_matrix(&state, 0.8), g = random_matrix(&state, 1), d = chgi_matrix3_exp_gradient(u, g);
    double worst = 0;
    for (int k = 0; k < 9; k++) {
        chgi_matrix3 up = u, down = u;
        up.m[k / 3][k % 3] += step;
        down.m[k / 3][k % 3] -= step;
        chgi_matrix3 change = chgi_matrix3_add(chgi_matrix3_exp(up), -1, chgi_matrix3_exp(down));
        double slope = 0;
        for (int m = 0; m < 9; m++)
            slope += g.m[m / 3][m % 3] * change.m[m / 3][m % 3] / (2 * step);
        worst = fmax(worst, fabs(slope - d.m[k / 3][k % 3]));
    }
    tap_ok(worst < 1e-9, "gradient through exp: %.2g from differences (h^2 = 1e-10)", worst);
}

/* ---- forces ------------------------------------------------------------------------------------ */

static double enthalpy(chgnet_context *ctx, const chgi_potential *p, const chgi_cell_filter *f, const double *x,
                       chgi_structure *s)
{
    double copy[3 * MOST_ROWS];
    chgi_outcome outcome;
    memcpy(copy, x, 3 * (size_t)f->n_row * sizeof *x);
    sample_must(ctx, chgi_cell_filter_unpack(ctx, f, copy, s));
    sample_must(ctx, p->move(p->self, s->positions, (const double(*)[3])s->cell));
    sample_must(ctx, p->compute(p->self, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT, &outcome));
    return outcome.energy + f->pressure * fabs(chgi_structure_volume((const double(*)[3])s->cell));
}

/* A direction that the filter leaves free: any for the atoms, of the cell's those of its mode. */
static void choose_direction(const chgi_cell_filter *f, uint64_t *state, double *d)
{
    double *u = d + 3 * (f->n_row - 3), mean;
    sample_fill(state, 1, 3 * f->n_row, d);
    mean = (u[0] + u[4] + u[8]) / 3;
    for (int k = 0; k < 9; k++) {
        if (f->freedom == CHGI_CELL_INPLANE && (k / 3 == 2 || k % 3 == 2))
            u[k] = 0;
        if (f->freedom == CHGI_CELL_HYDROSTATIC)
            u[k] = k % 4 == 0 ? mean : 0;
        if (f->freedom == CHGI_CELL_SHAPE && k % 4 == 0)
            u[k] -= mean;
    }
}

static void check_forces(chgnet_context *ctx, const chgi_potential *p, const sample *from, chgi_cell_freedom freedom,
                         double pressure)
{
    const double step = 3e-5;
    double x[3 * MOST_ROWS], d[3 * MOST_ROWS], forces[3 * MOST_ROWS], moved[3 * MOST_ROWS], worst = 0, again = 0;
    uint64_t state = 21;
    chgi_structure s;
    chgi_cell_filter f;
    chgi_outcome outcome;
    chgi_matrix3 residual;
    sample_make(ctx, from, &s);
    sample_must(ctx, p->set_structure(p->self, &s));
    sample_must(ctx, chgi_cell_filter_begin(ctx, &f, &s, freedom, pressure, NULL));
    sample_must(ctx, chgi_cell_filter_pack(ctx, &f, &s, x));
    choose_direction(&f, &state, d);
    for (int64_t k = 0; k < 3 * f.n_row; k++)
        x[k] += (k < 3 * s.n_atom ? 0.05 : 0.2) * d[k];
    enthalpy(ctx, p, &f, x, &s);
    sample_must(ctx, chgi_cell_filter_pack(ctx, &f, &s, moved));
    for (int64_t k = 0; k < 3 * f.n_row; k++)
        again = fmax(again, fabs(moved[k] - x[k]));
    tap_ok(again < 1e-12, "%s, %s: unpacked and packed again, %.2g", from->name, chgi_cell_freedom_name(freedom),
           again);
    sample_must(ctx, p->compute(p->self, CHGNET_WANT_ENERGY | CHGNET_WANT_GRADIENT, &outcome));
    sample_must(ctx, chgi_cell_filter_forces(ctx, &f, &s, &outcome, forces, &residual));
    for (int turn = 0; turn < 4; turn++) {
        double slope = 0, change = 0;
        choose_direction(&f, &state, d);
        for (int sign = -1; sign <= 1; sign += 2) {
            for (int64_t k = 0; k < 3 * f.n_row; k++)
                moved[k] = x[k] + sign * step * d[k];
            change += sign * enthalpy(ctx, p, &f, moved, &s) / (2 * step);
        }
        for (int64_t k = 0; k < 3 * f.n_row; k++)
            slope -= forces[k] * d[k];
        worst = fmax(worst, fabs(slope - change));
    }
    /* central differences: h^2 f''' / 6 with f''' up to some 5e3 eV/A^3 along a direction of all atoms, and 1e-11 / h
     */
    tap_ok(worst < 2e-6, "%s, %s, %g eV/A^3: forces differ from differences by %.2g", from->name,
           chgi_cell_freedom_name(freedom), pressure, worst);
    chgi_structure_destroy(&s);
}

static void check_refusals(chgnet_context *ctx)
{
    chgi_structure slab;
    chgi_cell_filter f;
    sample_make(ctx, &sample_list[1], &slab);
    tap_is_int(chgi_cell_filter_begin(ctx, &f, &slab, CHGI_CELL_FULL, 0, NULL), CHGNET_EINPUT,
               "no full cell of a slab");
    tap_is_int(chgi_cell_filter_begin(ctx, &f, &slab, CHGI_CELL_NONE, 1, NULL), CHGNET_EINPUT, "no pressure on a slab");
    tap_is_int(chgi_cell_filter_begin(ctx, &f, &slab, CHGI_CELL_INPLANE, 0, NULL), CHGNET_OK, "but its plane relaxes");
    slab.cell[1][2] = 0.1;
    tap_is_int(chgi_cell_filter_begin(ctx, &f, &slab, CHGI_CELL_INPLANE, 0, NULL), CHGNET_EINPUT,
               "unless it leaves the xy plane");
    chgi_structure_destroy(&slab);
}

/* ---- constraints ------------------------------------------------------------------------------- */

static void check_constraints(chgnet_context *ctx)
{
    chgi_structure s;
    double rows[12] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3};
    bool mask[12] = {true, true, true, false, false, false, true, false, true, true, true, false};
    sample_make(ctx, &sample_list[5], &s);
    chgi_constraint_project(&s, rows);
    tap_ok(rows[0] == 1 && rows[11] == 3 && !chgi_constraint_fixes_all(&s), "without a mask all may move");
    s.move_mask = mask;
    chgi_constraint_project(&s, rows);
    tap_ok(rows[2] == 3 && rows[3] == 0 && rows[5] == 0 && rows[6] == 1 && rows[7] == 0 && rows[8] == 3 &&
               rows[11] == 0,
           "fixed atoms and components stand still");
    s.mask_direct = true;
    memcpy(rows + 9, (double[]){1, 2, 3}, 3 * sizeof *rows);
    chgi_constraint_project(&s, rows);
    double normal[3] = {s.cell[0][1] * s.cell[1][2] - s.cell[0][2] * s.cell[1][1],
                        s.cell[0][2] * s.cell[1][0] - s.cell[0][0] * s.cell[1][2],
                        s.cell[0][0] * s.cell[1][1] - s.cell[0][1] * s.cell[1][0]};
    double across = rows[9] * normal[0] + rows[10] * normal[1] + rows[11] * normal[2];
    tap_ok(fabs(across) < 1e-12 && fabs(rows[9]) > 0.5, "an atom free along a and b stays in their plane");
    double once[3] = {rows[9], rows[10], rows[11]};
    chgi_constraint_project(&s, rows);
    tap_ok(fabs(rows[9] - once[0]) + fabs(rows[10] - once[1]) + fabs(rows[11] - once[2]) < 1e-14, "once is enough");
    memset(mask, false, sizeof mask);
    tap_ok(chgi_constraint_fixes_all(&s), "all are fixed");
    s.move_mask = NULL;
    chgi_structure_destroy(&s);
}

/* ---- space group ------------------------------------------------------------------------------- */

/* Distorted LiMnO2 comes back to its group, and a relaxation keeps it to rounding. */
static void check_symmetry(chgnet_context *ctx, const chgi_potential *p)
{
    chgi_structure s;
    chgi_symmetry *symmetry, *after;
    chgi_relax_report report;
    uint64_t state = 4;
    double noise[3 * SAMPLE_MOST_ATOMS], least = 0, most = 0;
    sample_make(ctx, &sample_list[0], &s);
    sample_rattle(&s, &state, 0.002);
    s.cell[0][1] += 0.002;
    if (!chgi_symmetry_available()) {
        tap_is_int(chgi_symmetry_create(ctx, &s, 0.02, &symmetry), CHGNET_EUSAGE, "built without spglib");
        chgi_structure_destroy(&s);
        return;
    }
    sample_must(ctx, chgi_symmetry_create(ctx, &s, 0.02, &symmetry));
    tap_ok(strcmp(chgi_symmetry_name(symmetry), "Pmmn") == 0 && chgi_symmetry_count(symmetry) == 8, "%s, %d operations",
           chgi_symmetry_name(symmetry), chgi_symmetry_count(symmetry));
    sample_must(ctx, chgi_symmetry_create(ctx, &s, 1e-5, &after));
    tap_is_text(chgi_symmetry_name(after), "Pmmn", "the straightened structure has it exactly");
    chgi_symmetry_destroy(after);
    sample_fill(&state, 1, 3 * s.n_atom, noise);
    chgi_symmetry_apply_vectors(symmetry, s.cell[0], noise);
    for (int64_t i = 0; i < s.n_atom; i++) { /* all atoms lie on mirrors across x and y */
        most = fmax(most, fmax(fabs(noise[3 * i]), fabs(noise[3 * i + 1])));
        least = fmax(least, fabs(noise[3 * i + 2]));
    }
    tap_ok(most < 1e-12 && least > 0.01, "noise keeps its z alone: %.2g across, %.2g along", most, least);
    chgi_symmetry_destroy(symmetry);
    chgi_relax_options options = chgi_relax_options_default();
    options.keep_symmetry = true;
    options.cell = CHGI_CELL_FULL;
    options.pressure = 20;
    options.fmax = 1e-3;
    sample_must(ctx, chgi_relax(ctx, p, &s, &options, NULL, NULL, &report));
    sample_must(ctx, chgi_symmetry_create(ctx, &s, 1e-7, &after));
    tap_ok(strcmp(chgi_symmetry_name(after), "Pmmn") == 0 && report.steps > 5, "after %lld steps at 20 GPa: %s",
           (long long)report.steps, chgi_symmetry_name(after));
    chgi_symmetry_destroy(after);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    chgnet_model *model;
    chgnet_calculator *calculator;
    chgnet_options options = chgnet_options_default();
    options.precision = CHGNET_DOUBLE;
    options.threads = 1;
    options.skin = 0.5;
    sample_must(ctx, chgnet_model_load(ctx, "0.3.0", &model));
    sample_must(ctx, chgnet_calculator_create(ctx, model, &options, &calculator));
    chgi_potential potential = chgi_calculator_potential(calculator);
    check_matrices();
    check_exp_gradient();
    check_forces(ctx, &potential, &sample_list[0], CHGI_CELL_FULL, 0);
    check_forces(ctx, &potential, &sample_list[0], CHGI_CELL_HYDROSTATIC, 0.1);
    check_forces(ctx, &potential, &sample_list[0], CHGI_CELL_SHAPE, 0);
    check_forces(ctx, &potential, &sample_list[1], CHGI_CELL_INPLANE, 0);
    check_forces(ctx, &potential, &sample_list[2], CHGI_CELL_FULL, 0.1);
    check_forces(ctx, &potential, &sample_list[5], CHGI_CELL_FULL, -0.1);
    check_refusals(ctx);
    check_constraints(ctx);
    check_symmetry(ctx, &potential);
    chgnet_calculator_destroy(calculator);
    chgnet_model_destroy(model);
    chgnet_context_destroy(ctx);
    return tap_done();
}
