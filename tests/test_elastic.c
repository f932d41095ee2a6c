/* Elastic constants: a crystal whose stiffness and internal strains are given, a crystal of bonds whose constants are
 * known, averages over a group, moduli, and what is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "calc/calculator.h"
#include "sample.h"
#include "task/elastic.h"

static chgnet_context *ctx;

/* ---- a crystal of two atoms by its constants --------------------------------------------------- */

/* Strain e of the cell since the start, u the second atom's way off where the strain takes it against the first:
 * stress = C e + D u, pull on the second atom = -(K u + V0 D^T e).  So with the atom at rest
 * C_relaxed = C - V0 D D^T / K.  The stress is linear in e by definition: slopes are exact. */
typedef struct given {
    chgi_structure start;
    double stiffness[6][6], coupling[6][3], spring; /* GPa, GPa/A, eV/A^2 */
    double cell[3][3], positions[6], force[6];
    bool fails;
} given;

static chgnet_status given_move(void *self, const double *positions, const double (*cell)[3])
{
    given *g = self;
    memcpy(g->positions, positions, sizeof g->positions);
    if (cell)
        memcpy(g->cell, cell, sizeof g->cell);
    return CHGNET_OK;
}

static chgnet_status given_set(void *self, const chgi_structure *structure)
{
    return given_move(self, structure->positions, (const double(*)[3])structure->cell);
}

static void given_strain(const given *g, double e[6], double u[3])
{
    double inverse[3][3], f[3][3] = {{0}};
    chgi_structure_invert((const double(*)[3])g->start.cell, inverse);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            for (int k = 0; k < 3; k++)
                f[a][b] += inverse[a][k] * g->cell[k][b];
    for (int i = 0; i < 6; i++) {
        int a = chgi_voigt[i][0], b = chgi_voigt[i][1];
        e[i] = a == b ? f[a][a] - 1 : f[a][b] + f[b][a];
    }
    for (int b = 0; b < 3; b++) {
        u[b] = g->positions[3 + b] - g->positions[b];
        for (int a = 0; a < 3; a++)
            u[b] -= (g->start.positions[3 + a] - g->start.positions[a]) * f[a][b];
    }
}

static chgnet_status given_compute(void *self, unsigned want, chgi_outcome *outcome)
{
    given *g = self;
    double e[6], u[3], volume0 = fabs(chgi_structure_volume((const double(*)[3])g->start.cell)),
                       volume = fabs(chgi_structure_volume((const double(*)[3])g->cell));
    (void)want;
    if (g->fails)
        return chgi_context_fail(ctx, CHGNET_ENUMERIC, "told to fail");
    *outcome = (chgi_outcome){.forces = g->force};
    given_strain(g, e, u);
    for (int i = 0; i < 6; i++) {
        double stress = 0;
        for (int j = 0; j < 6; j++)
            stress += g->stiffness[i][j] * e[j];
        for (int c = 0; c < 3; c++)
            stress += g->coupling[i][c] * u[c];
        outcome->virial[chgi_voigt[i][0]][chgi_voigt[i][1]] = stress / CHGI_GPA * volume;
        outcome->virial[chgi_voigt[i][1]][chgi_voigt[i][0]] = stress / CHGI_GPA * volume;
    }
    for (int c = 0; c < 3; c++) {
        double pull = -g->spring * u[c];
        for (int i = 0; i < 6; i++)
            pull -= volume0 * g->coupling[i][c] / CHGI_GPA * e[i];
        g->force[3 + c] = pull;
        g->force[c] = -pull;
    }
    return CHGNET_OK;
}

static void nothing(void *self)
{
    (void)self;
}

static const double triclinic[6][6] = {{310, 120, 95, 11, -7, 3}, {120, 280, 101, -5, 9, 13}, {95, 101, 240, 6, -12, 8},
                                       {11, -5, 6, 90, 4, -6},    {-7, 9, -12, 4, 75, 5},     {3, 13, 8, -6, 5, 110}};

static chgi_potential given_create(given *g)
{
    static const double cell[3][3] = {{3.1, 0.2, -0.3}, {0.4, 3.6, 0.1}, {-0.2, 0.5, 4.2}};
    static const double coupling[6][3] = {{3, -8, 0}, {10, 2, 5}, {-4, 6, 1}, {25, 0, -3}, {2, 18, 4}, {-6, 1, 22}};
    *g = (given){.spring = 9};
    sample_must(ctx, chgi_structure_create(ctx, 2, &g->start));
    memcpy(g->start.cell, cell, sizeof cell);
    memcpy(g->stiffness, triclinic, sizeof triclinic);
    memcpy(g->coupling, coupling, sizeof coupling);
    for (int c = 0; c < 3; c++) {
        g->start.pbc[c] = true;
        g->start.positions[3 + c] = 0.9 + 0.4 * c;
    }
    g->start.numbers[0] = 12;
    g->start.numbers[1] = 8;
    return (chgi_potential){g, given_set, given_move, given_compute, nothing};
}

static chgi_elastic_choice choice_of(double strain, int64_t n_point, bool clamp)
{
    chgi_elastic_choice choice = {.strain = strain,
                                  .n_point = n_point,
                                  .clamp = clamp,
                                  .relaxation = chgi_relax_options_default()};
    choice.relaxation.optimizer = CHGI_BFGS;
    choice.relaxation.fmax = 1e-10;
    return choice;
}

enum { MOST_POINTS = 8 };

static void test_given(bool clamp, int64_t n_point)
{
    given g;
    chgi_potential potential = given_create(&g);
    chgi_elastic_choice choice = choice_of(0.004, n_point, clamp);
    chgi_elastic_point points[6 * MOST_POINTS];
    chgi_elastic result;
    double volume = fabs(chgi_structure_volume((const double(*)[3])g.start.cell)), most = 0, scatter = 0;
    sample_must(ctx, chgi_elastic_run(ctx, &potential, &g.start, &choice, points, &result));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double want = g.stiffness[i][j];
            for (int c = 0; c < 3 && !clamp; c++)
                want -= volume / CHGI_GPA * g.coupling[i][c] * g.coupling[j][c] / g.spring;
            most = fmax(most, fabs(result.stiffness[i][j] - want));
            scatter = fmax(scatter, result.error[i][j]);
        }
    const char *name = clamp ? "clamped" : "relaxed";
    /* forces of 1e-10 eV/A leave 1e-11 A, 2e-10 GPa of stress, 1e-7 GPa of its slope; clamped: rounding alone */
    tap_ok(most < (clamp ? 1e-10 : 1e-6), "%s, %d points: constants are %.1g GPa off those given", name, (int)n_point,
           most);
    tap_ok(scatter < 1e-6 && result.asymmetry < 1e-6, "%s: no scatter, no asymmetry", name);
    tap_ok(result.group[0] == '\0' && result.moduli.stable, "%s: no group was asked for; stable", name);
    chgi_structure_destroy(&g.start);
}

/* ---- a crystal of bonds ------------------------------------------------------------------------ */

enum { N_BOND = 6 };
static const double A = 3.6, K = 5; /* A, eV/A^2 */

/* Nearest neighbours of fcc in units of the primitive vectors, one of each pair. */
static const int bonds[N_BOND][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, -1, 0}, {1, 0, -1}, {0, 1, -1}};

static chgnet_status bonds_compute(void *self, unsigned want, chgi_outcome *outcome)
{
    static const double zero[3];
    given *g = self;
    (void)want;
    *outcome = (chgi_outcome){.forces = zero};
    for (int n = 0; n < N_BOND; n++) {
        double r[3] = {0}, square = 0;
        for (int c = 0; c < 3; c++) {
            for (int k = 0; k < 3; k++)
                r[c] += bonds[n][k] * g->cell[k][c];
            square += r[c] * r[c];
        }
        double length = sqrt(square), off = length - A / sqrt(2);
        outcome->energy += K / 2 * off * off;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                outcome->virial[a][b] += K * off * r[a] * r[b] / length;
    }
    return CHGNET_OK;
}

static chgnet_status bonds_move(void *self, const double *positions, const double (*cell)[3])
{
    given *g = self;
    (void)positions;
    if (cell)
        memcpy(g->cell, cell, sizeof g->cell);
    return CHGNET_OK;
}

static chgnet_status bonds_set(void *self, const chgi_structure *structure)
{
    return bonds_move(self, NULL, (const double(*)[3])structure->cell);
}

static chgi_potential bonds_create(given *g)
{
    *g = (given){.spring = 1};
    sample_must(ctx, chgi_structure_create(ctx, 1, &g->start));
    for (int k = 0; k < 9; k++)
        g->start.cell[k / 3][k % 3] = k / 3 == k % 3 ? 0 : A / 2;
    for (int c = 0; c < 3; c++)
        g->start.pbc[c] = true;
    g->start.numbers[0] = 29;
    return (chgi_potential){g, bonds_set, bonds_move, bonds_compute, nothing};
}

/* C_abcd = 1/(2V) sum over 12 bonds of K r_a r_b r_c r_d / r^2, with V = A^3/4: C11 = 2K/A, C12 = C44 = K/A. */
static void test_bonds(void)
{
    given g;
    chgi_potential potential = bonds_create(&g);
    chgi_elastic_choice choice = choice_of(1e-4, 4, false);
    chgi_elastic_point points[6 * MOST_POINTS];
    chgi_elastic result;
    double unit = K / A * CHGI_GPA, most = 0;
    choice.average = true;
    choice.symmetry_tolerance = 1e-5;
    sample_must(ctx, chgi_elastic_run(ctx, &potential, &g.start, &choice, points, &result));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double want = i == j ? (i < 3 ? 2 : 1) : i < 3 && j < 3 ? 1 : 0;
            most = fmax(most, fabs(result.stiffness[i][j] / unit - want));
        }
    /* what a parabola leaves of a curve is third order: the square of the strain, 1e-8, times numbers of order 10 */
    tap_ok(most < 1e-6, "bonds of fcc: C11 = 2K/a, C12 = C44 = K/a to %.1g", most);
    tap_near(result.moduli.bulk_hill, 4 * unit / 3, 1e-6 * unit, "their bulk modulus");
    if (chgi_symmetry_available()) {
        tap_is_text(result.group, "Fm-3m", "their group");
        tap_ok(result.off_group < 1e-5, "to which the slopes are true: %.1g GPa", result.off_group);
    } else
        tap_skip("built without spglib");
    tap_ok(fabs(result.stress[0]) < 1e-5, "no stress without strain");
    chgi_structure_destroy(&g.start);
}

/* ---- scatter ----------------------------------------------------------------------------------- */

/* Stresses that are wrong by up to d: the slope is off by about as much as is told. */
static void test_scatter(void)
{
    chgi_elastic_point points[6 * MOST_POINTS];
    chgi_elastic result;
    uint64_t state = 5;
    double told = 0, made = 0;
    for (int k = 0; k < 6 * MOST_POINTS; k++) {
        points[k].component = k / MOST_POINTS;
        points[k].strain = 0.01 * (2.0 * (k % MOST_POINTS) / (MOST_POINTS - 1) - 1);
        for (int i = 0; i < 6; i++) {
            double e = points[k].strain;
            points[k].stress[i] = 2 + triclinic[i][points[k].component] * e - 900 * e * e;
            points[k].stress[i] += sample_symmetric(&state, 0.1);
        }
    }
    chgi_elastic_fit(MOST_POINTS, points, &result);
    for (int k = 0; k < 36; k++) {
        told += pow(result.error[k / 6][k % 6], 2) / 36;
        made += pow(result.stiffness[k / 6][k % 6] - triclinic[k / 6][k % 6], 2) / 36;
    }
    /* 36 slopes: each root mean square has a relative standard error of 1/sqrt(72) and, from 5 degrees of freedom, the
     * told one of 1/sqrt(360); three of them together are 0.4 */
    tap_ok(fabs(sqrt(made / told) - 1) < 0.4, "errors of %.2f GPa, %.2f told", sqrt(made), sqrt(told));
    tap_near(result.stress[3], 2, 0.1, "the stress without strain");
}

/* ---- averages and moduli ----------------------------------------------------------------------- */

static void test_average(void)
{
    chgi_structure s;
    chgi_symmetry *symmetry;
    double c[6][6], normal = (310 + 280 + 240) / 3.0, across = (120 + 95 + 101) / 3.0, shear = (90 + 75 + 110) / 3.0;
    if (!chgi_symmetry_available()) {
        tap_skip("built without spglib");
        return;
    }
    sample_must(ctx, chgi_structure_create(ctx, 1, &s));
    for (int k = 0; k < 3; k++) {
        s.cell[k][k] = 3;
        s.pbc[k] = true;
    }
    s.numbers[0] = 84;
    sample_must(ctx, chgi_symmetry_create(ctx, &s, 1e-5, &symmetry));
    memcpy(c, triclinic, sizeof c);
    double change = chgi_stiffness_average(symmetry, s.cell[0], c), most = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double want = i != j ? (i < 3 && j < 3 ? across : 0) : i < 3 ? normal : shear;
            most = fmax(most, fabs(c[i][j] - want));
        }
    tap_ok(most < 1e-12 * normal * 10, "a cubic group leaves the means of C11, C12, C44"); /* 48 sums of rounding */
    tap_near(change, normal - 240, 1e-9, "and tells how much it changed");
    tap_ok(chgi_stiffness_average(symmetry, s.cell[0], c) < 1e-10, "nothing, the second time");
    chgi_symmetry_destroy(symmetry);
    chgi_structure_destroy(&s);
}

static void cubic(double c11, double c12, double c44, double c[6][6])
{
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            c[i][j] = i == j ? (i < 3 ? c11 : c44) : i < 3 && j < 3 ? c12 : 0;
}

static void test_moduli(void)
{
    chgi_elastic_moduli m;
    double c[6][6];
    cubic(300, 100, 100, c); /* isotropic: C11 - C12 = 2 C44 */
    sample_must(ctx, chgi_stiffness_moduli(ctx, (const double(*)[6])c, &m));
    tap_near(m.bulk_hill, 500.0 / 3, 1e-10, "isotropic: bulk modulus");
    tap_ok(fabs(m.shear_voigt - 100) < 1e-10 && fabs(m.shear_reuss - 100) < 1e-10, "shear modulus by both averages");
    tap_near(m.young, 250, 1e-10, "Young's modulus");
    tap_near(m.poisson, 0.25, 1e-12, "Poisson's ratio");
    tap_near(m.anisotropy, 0, 1e-12, "no anisotropy");
    cubic(170, 122, 75, c); /* about copper */
    sample_must(ctx, chgi_stiffness_moduli(ctx, (const double(*)[6])c, &m));
    tap_near(m.shear_voigt, (48 + 3 * 75) / 5.0, 1e-10, "cubic: shear modulus by Voigt");
    tap_near(m.shear_reuss, 5 * 48 * 75 / (4 * 75.0 + 3 * 48), 1e-10, "by Reuss");
    static const double want[6] = {48, 48, 150, 150, 150, 414}; /* C11-C12, 2 C44, C11+2 C12 */
    tap_ok(sample_error(6, m.eigenvalues, want) < 1e-10, "eigenvalues are those of the tensor");
    sample_must(ctx, chgi_stiffness_moduli(ctx, triclinic, &m));
    double most = 0;
    for (int k = 0; k < 36; k++) {
        double sum = 0;
        for (int l = 0; l < 6; l++)
            sum += triclinic[k / 6][l] * m.compliance[l][k % 6];
        most = fmax(most, fabs(sum - (k / 6 == k % 6)));
    }
    tap_ok(most < 1e-12, "triclinic: stiffness times compliance is one");
    tap_ok(m.bulk_reuss < m.bulk_voigt && m.shear_reuss < m.shear_voigt && m.anisotropy > 0, "Reuss is below Voigt");
    cubic(170, 122, -5, c);
    sample_must(ctx, chgi_stiffness_moduli(ctx, (const double(*)[6])c, &m));
    tap_ok(!m.stable && isnan(m.shear_hill) && isnan(m.compliance[0][0]), "C44 < 0: unstable, Reuss is not defined");
    tap_near(m.bulk_voigt, 138, 1e-10, "Voigt is");
    c[2][1] = NAN;
    tap_is_int(chgi_stiffness_moduli(ctx, (const double(*)[6])c, &m), CHGNET_ENUMERIC, "no number");
}

/* ---- what goes wrong --------------------------------------------------------------------------- */

static void test_wrong(void)
{
    given g;
    chgi_potential potential = given_create(&g);
    chgi_elastic_choice choice = choice_of(0.01, 4, false);
    chgi_elastic_point points[6 * MOST_POINTS];
    chgi_elastic result;
    choice.relaxation.steps = 1;
    tap_is_int(chgi_elastic_run(ctx, &potential, &g.start, &choice, points, &result), CHGNET_ECONVERGE,
               "atoms that do not come to rest");
    g.fails = true;
    tap_is_int(chgi_elastic_run(ctx, &potential, &g.start, &choice, points, &result), CHGNET_ENUMERIC,
               "a potential that fails");
    g.start.pbc[1] = false;
    tap_is_int(chgi_elastic_run(ctx, &potential, &g.start, &choice, points, &result), CHGNET_EINPUT,
               "an axis that is not periodic");
    chgi_structure_destroy(&g.start);
}

int main(void)
{
    ctx = sample_context();
    test_given(true, 4);
    test_given(false, 4);
    test_given(false, 7);
    test_bonds();
    test_scatter();
    test_average();
    test_moduli();
    test_wrong();
    chgnet_context_destroy(ctx);
    return tap_done();
}
