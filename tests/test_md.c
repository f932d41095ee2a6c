/* Dynamics on a crystal of springs: what each integrator must conserve, where it must stop, and that a stored state
 * goes on with the same bits.  Averages over long runs are the work of benchmarks/md_ensembles.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "allocations.h"
#include "base/context.h"
#include "base/memory.h"
#include "crystal/mass.h"
#include "springs.h"
#include "tap.h"
#include "task/md.h"

static const double BOLTZMANN = 8.617330337217213e-05; /* eV/K */

static chgnet_context *ctx;
static springs the_springs;
static chgi_potential potential;

/* Eight atoms in a cell of 4 x 4.4 x 5 A, sheared a little so that no axis is like another. */
static void make_structure(chgi_structure *structure)
{
    static const int32_t numbers[8] = {3, 8, 25, 8, 12, 8, 29, 16};
    static const double cell[3][3] = {{4, 0.2, -0.1}, {0.3, 4.4, 0.25}, {-0.2, 0.15, 5}};
    if (chgi_structure_create(ctx, 8, structure) != CHGNET_OK)
        tap_bail("no memory");
    memcpy(structure->cell, cell, sizeof cell);
    memcpy(structure->numbers, numbers, sizeof numbers);
    for (int i = 0; i < 8; i++) {
        double part[3] = {0.25 + 0.5 * (i & 1), 0.25 + 0.25 * (i & 2), 0.25 + 0.125 * (i & 4)};
        for (int c = 0; c < 3; c++) {
            structure->pbc[c] = true;
            structure->positions[3 * i + c] = part[0] * cell[0][c] + part[1] * cell[1][c] + part[2] * cell[2][c];
        }
    }
}

enum { BOUND, FLOATING }; /* atoms held at sites by springs; atoms that hold only one another */

static void make_springs(int kind)
{
    memset(&the_springs, 0, sizeof the_springs);
    the_springs.ctx = ctx;
    for (int i = 0; i < SPRINGS_MAX; i++)
        the_springs.stiffness[i] = kind == BOUND ? 3 + 0.5 * i : 0;
    the_springs.quartic = kind == BOUND ? 4 : 0;
    the_springs.pair = kind == BOUND ? 0.5 : 5;
    the_springs.bulk = 0.5;
    the_springs.volume0 = 88;
    potential = springs_potential(&the_springs);
}

static chgi_md_options options_of(chgi_md_ensemble ensemble, int kind)
{
    chgi_md_options o = chgi_md_options_default(ensemble);
    o.seed = 11;
    o.external = kind == BOUND;
    return o;
}

static void must(chgnet_status status, const char *what)
{
    if (status != CHGNET_OK) {
        tap_note("%s: %s", what, chgnet_context_error(ctx));
        tap_bail(what);
    }
}

/* A run at step 0. */
static chgi_md *begin(const chgi_structure *structure, const chgi_md_options *options)
{
    chgi_md *md;
    must(chgi_md_create(ctx, &potential, structure, options, &md), "chgi_md_create");
    must(chgi_md_start(md, 0), "chgi_md_start");
    return md;
}

static chgi_md *begin_simple(chgi_md_options options, int kind)
{
    chgi_structure structure;
    make_springs(kind);
    make_structure(&structure);
    chgi_md *md = begin(&structure, &options);
    chgi_structure_destroy(&structure);
    return md;
}

static void steps(chgi_md *md, int n)
{
    for (int i = 0; i < n; i++)
        must(chgi_md_step(md, 0), "chgi_md_step");
}

static chgi_md_observables look(const chgi_md *md)
{
    chgi_md_observables o;
    chgi_md_observe(md, &o);
    return o;
}

/* The springs' own virial against central differences: with a wrong one no pressure test means anything. */
static void test_springs(void)
{
    chgi_structure structure;
    chgi_outcome outcome;
    double worst = 0, step = 1e-5;
    make_springs(BOUND);
    make_structure(&structure);
    the_springs.shape = 0.7;
    springs_lower((const double(*)[3])structure.cell, the_springs.lower0);
    must(springs_set(&the_springs, &structure), "springs_set");
    for (int k = 0; k < 24; k++)
        structure.positions[k] += 0.1 * sin(3.1 * k);
    structure.cell[0][0] += 0.3, structure.cell[2][1] += 0.2;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double energy[2], virial = 0;
            for (int sign = 0; sign < 2; sign++) {
                double e = sign ? step : -step, moved[24], cell[3][3];
                memcpy(moved, structure.positions, sizeof moved);
                memcpy(cell, structure.cell, sizeof cell);
                for (int i = 0; i < 8; i++) { /* the symmetric strain e/2 at (a,b) and (b,a) */
                    moved[3 * i + b] += e / 2 * structure.positions[3 * i + a];
                    moved[3 * i + a] += e / 2 * structure.positions[3 * i + b];
                }
                for (int i = 0; i < 3; i++) {
                    cell[i][b] += e / 2 * structure.cell[i][a];
                    cell[i][a] += e / 2 * structure.cell[i][b];
                }
                must(springs_move(&the_springs, moved, (const double(*)[3])cell), "move");
                must(springs_compute(&the_springs, 3, &outcome), "compute");
                energy[sign] = outcome.energy;
            }
            must(springs_move(&the_springs, structure.positions, (const double(*)[3])structure.cell), "move");
            must(springs_compute(&the_springs, 3, &outcome), "compute");
            virial = (outcome.virial[a][b] + outcome.virial[b][a]) / 2;
            worst = fmax(worst, fabs((energy[1] - energy[0]) / (2 * step) - virial));
        }
    /* Energies of 10 eV rounded, over 2e-5: 1e-10; the third derivative times step^2: 1e-8 at most. */
    tap_near(worst, 0, 1e-7, "the springs' virial is the derivative of their energy");
    chgi_structure_destroy(&structure);
}

/* One atom on one spring swings as cos(w t), w^2 = k/m: with units written out from the SI's constants, as a check of
 * ours. Velocity Verlet is late by w t (w dt)^2/24 = 5e-6; the constants of 2014 and 2019 differ by 1e-8. */
static void test_oscillator(void)
{
    chgi_structure structure;
    make_springs(BOUND);
    make_structure(&structure);
    the_springs.quartic = the_springs.pair = 0;
    chgi_md_options o = options_of(CHGI_MD_NVE, BOUND);
    o.timestep = 0.1;
    o.temperature[0] = 0;
    chgi_md *md;
    must(chgi_md_create(ctx, &potential, &structure, &o, &md), "chgi_md_create");
    chgi_md_get_state(md)->positions[3] += 0.1;
    must(chgi_md_start(md, 0), "chgi_md_start");
    steps(md, 1000);
    double stiffness = 3.5 * 1.602176634e-19 / 1e-20, mass = 15.999 * 1.66053906660e-27; /* N/m, kg */
    double away = chgi_md_get_state(md)->positions[3] - structure.positions[3];
    tap_near(away, 0.1 * cos(sqrt(stiffness / mass) * 100e-15), 1e-6, "an oscillator after 100 fs");
    tap_near(look(md).time, 100, 1e-9, "which the clock says");
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
}

static double root_mean_square_of_total(double timestep, double time)
{
    chgi_md_options o = options_of(CHGI_MD_NVE, BOUND);
    o.timestep = timestep;
    chgi_md *md = begin_simple(o, BOUND);
    int n = (int)lround(time / timestep);
    double sum = 0, square = 0, start = look(md).total;
    for (int i = 0; i < n; i++) {
        steps(md, 1);
        double off = look(md).total - start;
        sum += off;
        square += off * off;
    }
    chgi_md_destroy(md);
    return sqrt(square / n - sum / n * sum / n);
}

static void test_order(void)
{
    double one = root_mean_square_of_total(1, 4000), two = root_mean_square_of_total(2, 4000);
    tap_near(two / one, 4, 0.4, "nve: fluctuations of the total energy go with the square of the time step");
    tap_note("RMS fluctuation %.3g eV at 1 fs, %.3g eV at 2 fs", one, two);
    tap_ok(one < 1e-3, "and are small");
}

/* Forward, all velocities turned round, and back again.  Chaos in a few hundred steps multiplies rounding, 1e-16, by
 * far less than a million. */
static void test_reversible(chgi_md_ensemble ensemble)
{
    chgi_md *md = begin_simple(options_of(ensemble, BOUND), BOUND);
    const chgi_md_state *s = chgi_md_get_state(md);
    double start[24], worst = 0, moved = 0;
    memcpy(start, s->positions, sizeof start);
    steps(md, 200);
    double *block = chgi_memory_new(s->n_double, sizeof *block);
    memcpy(block, s->numbers, s->n_double * sizeof *block);
    chgi_md_numbers *numbers = (chgi_md_numbers *)(void *)block;
    double *velocities = block + (s->velocities - (double *)s->numbers);
    for (int k = 0; k < 24; k++) {
        velocities[k] = -velocities[k];
        moved = fmax(moved, fabs(s->positions[k] - start[k]));
    }
    for (int k = 0; k < CHGI_MD_MAX_CHAIN; k++) {
        numbers->chain_velocity[k] = -numbers->chain_velocity[k];
        numbers->cell_chain_velocity[k] = -numbers->cell_chain_velocity[k];
    }
    for (int k = 0; k < 9; k++)
        numbers->cell_velocity[k / 3][k % 3] *= -1;
    must(chgi_md_restore(md, block, s->n_double), "chgi_md_restore");
    steps(md, 200);
    for (int k = 0; k < 24; k++)
        worst = fmax(worst, fabs(s->positions[k] - start[k]));
    tap_ok(moved > 0.02, "%s: 200 steps move atoms", chgi_md_ensemble_name(ensemble));
    tap_near(worst, 0, 1e-10, "and with velocities turned round lead back");
    chgi_memory_free(block);
    chgi_md_destroy(md);
}

/* RMS of (conserved - its start) over a run. */
static double wander(chgi_md_options o, int kind, int n, double *total)
{
    chgi_md *md = begin_simple(o, kind);
    double start = look(md).conserved, square = 0, low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        steps(md, 1);
        chgi_md_observables now = look(md);
        square += (now.conserved - start) * (now.conserved - start);
        low = fmin(low, now.total);
        high = fmax(high, now.total);
    }
    *total = high - low;
    chgi_md_destroy(md);
    return sqrt(square / n);
}

/* What an ensemble conserves wanders little while the total energy moves by much more, and at half the time step four
 * times less: it is the thermostat's account that is right, not chance.  Noise makes the ratio of the stochastic ones
 * no exact 4. */
static void test_conserved(const char *name, chgi_md_options o, int kind, bool exact)
{
    double total, unused;
    o.timestep = 1;
    double at_one = wander(o, kind, 4000, &total);
    o.timestep = 0.5;
    double at_half = wander(o, kind, 8000, &unused);
    tap_note("%s: conserved quantity wanders by %.3g eV at 1 fs, %.3g at 0.5 fs; total energy by %.3g", name, at_one,
             at_half, total);
    tap_ok(at_one < 0.02 * total, "%s: the conserved quantity is conserved while the total energy is not", name);
    if (exact)
        tap_near(at_one / at_half, 4, 0.6, "and better with the square of the time step");
}

static void test_all_conserved(void)
{
    for (int kind = BOUND; kind <= FLOATING; kind++) {
        chgi_md_options o = options_of(CHGI_MD_NVT_NOSE_HOOVER, kind);
        test_conserved(kind == BOUND ? "nvt-nose-hoover" : "nvt-nose-hoover, floating", o, kind, true);
        o = options_of(CHGI_MD_NPT_MTK, kind);
        o.barostat_time = 300;
        o.pressure[0] = o.pressure[1] = 2;
        test_conserved(kind == BOUND ? "npt-mtk" : "npt-mtk, floating", o, kind, true);
        o.full_cell = true;
        test_conserved(kind == BOUND ? "npt-mtk, full cell" : "npt-mtk, full cell, floating", o, kind, true);
    }
    test_conserved("nvt-langevin", options_of(CHGI_MD_NVT_LANGEVIN, BOUND), BOUND, false);
    test_conserved("nvt-bussi", options_of(CHGI_MD_NVT_BUSSI, BOUND), BOUND, false);
    test_conserved("npt-scr", options_of(CHGI_MD_NPT_SCR, BOUND), BOUND, false);
    chgi_md_options ramp = options_of(CHGI_MD_NPT_MTK, FLOATING);
    ramp.n_step = 4000;
    ramp.temperature[1] = 600;
    ramp.pressure[1] = 3;
    test_conserved("npt-mtk on ramps", ramp, FLOATING, false);
}

/* The total momentum over the momentum of all atoms taken as it comes. */
static double momentum_share(const chgi_md *md)
{
    const chgi_md_state *s = chgi_md_get_state(md);
    double sum[3] = {0}, all = 0;
    for (int64_t k = 0; k < 3 * s->n_atom; k++) {
        double momentum = chgi_md_masses(md)[k / 3] * s->velocities[k];
        sum[k % 3] += momentum;
        all += fabs(momentum);
    }
    return fmax(fabs(sum[0]), fmax(fabs(sum[1]), fabs(sum[2]))) / all;
}

static void test_momentum(void)
{
    for (int e = 0; e < CHGI_MD_ENSEMBLE_COUNT; e++) {
        const char *name = chgi_md_ensemble_name((chgi_md_ensemble)e);
        chgi_md *md = begin_simple(options_of((chgi_md_ensemble)e, FLOATING), FLOATING);
        tap_ok(chgi_md_freedom(md) == 21, "%s: eight free atoms at zero momentum have 21 degrees of freedom", name);
        tap_near(look(md).temperature, 300, 1e-9, "they start at the temperature");
        tap_near(momentum_share(md), 0, 1e-14, "with zero total momentum");
        steps(md, 300);
        tap_near(momentum_share(md), 0, 1e-12, "and keep it; rounding adds up to 1e-15 or so a step");
        chgi_md_destroy(md);
    }
}

static void test_start(void)
{
    chgi_md_options o = options_of(CHGI_MD_NVE, BOUND);
    o.exact_temperature = false;
    chgi_md *md = begin_simple(o, BOUND);
    double temperature = look(md).temperature;
    tap_ok(chgi_md_freedom(md) == 24, "with external forces all 24 degrees count");
    /* 2 K/(k T) has 24 degrees: relative width sqrt(2/24), of which four. */
    tap_ok(fabs(temperature - 300) < 300 * 4 * sqrt(2.0 / 24) && fabs(temperature - 300) > 0.1,
           "not scaled: near the temperature, not at it");
    chgi_md_destroy(md);
    double first[24];
    md = begin_simple(options_of(CHGI_MD_NVE, BOUND), BOUND);
    memcpy(first, chgi_md_get_state(md)->velocities, sizeof first);
    chgi_md_destroy(md);
    o = options_of(CHGI_MD_NVE, BOUND);
    o.seed = 12;
    md = begin_simple(o, BOUND);
    tap_ok(memcmp(first, chgi_md_get_state(md)->velocities, sizeof first) != 0, "another seed, other velocities");
    chgi_md_destroy(md);
    o.temperature[0] = 0;
    md = begin_simple(o, BOUND);
    tap_ok(look(md).kinetic == 0, "nve starts at rest at 0 K");
    chgi_md_destroy(md);
}

/* Velocities and masses of the file, in ASE's units: p = m v, velocity in A over A sqrt(amu/eV). */
static void test_columns(void)
{
    chgi_structure structure;
    double momenta[24], velocities[24], masses[8];
    make_springs(BOUND);
    make_structure(&structure);
    for (int k = 0; k < 24; k++) {
        momenta[k] = sin(k + 0.5);
        masses[k / 3] = 10 + k / 3;
        velocities[k] = momenta[k] / masses[k / 3];
    }
    must(chgi_structure_set_column(ctx, &structure, "masses", 1, masses), "set_column");
    must(chgi_structure_set_column(ctx, &structure, "velocities", 3, velocities), "set_column");
    chgi_md_options o = options_of(CHGI_MD_NVE, BOUND);
    chgi_md *md = begin(&structure, &o);
    const double *v = chgi_md_get_state(md)->velocities;
    double worst = 0, kinetic = 0;
    for (int k = 0; k < 24; k++) {
        worst = fmax(worst, fabs(v[k] - velocities[k] * CHGI_MD_FS));
        kinetic += momenta[k] * momenta[k] / masses[k / 3] / 2;
    }
    tap_near(worst, 0, 1e-17, "velocities are those of the file");
    tap_near(look(md).kinetic, kinetic, 1e-14 * kinetic, "the kinetic energy is sum p^2/2m with the file's masses");
    chgi_md_destroy(md);
    must(chgi_structure_set_column(ctx, &structure, "momenta", 3, momenta), "set_column");
    md = begin(&structure, &o);
    tap_near(look(md).kinetic, kinetic, 1e-14 * kinetic, "the same from momenta");
    chgi_md_destroy(md);
    o.draw = true;
    md = begin(&structure, &o);
    tap_near(look(md).temperature, 300, 1e-9, "drawn all the same if asked");
    chgi_md_destroy(md);
    masses[3] = -1;
    must(chgi_structure_set_column(ctx, &structure, "masses", 1, masses), "set_column");
    tap_ok(chgi_md_create(ctx, &potential, &structure, &o, &md) == CHGNET_EINPUT && !md, "a negative mass is refused");
    chgi_structure_destroy(&structure);
}

static void test_masses(void)
{
    tap_ok(chgi_element_mass(1) == 1.008 && chgi_element_mass(12) == 24.305 && chgi_element_mass(118) == 294.214,
           "masses of H, Mg, Og");
    tap_ok(chgi_element_mass(0) == 0 && chgi_element_mass(119) == 0, "and of nothing else");
    int64_t falling = 0; /* Ar-K, Co-Ni, Te-I and some of the heaviest */
    for (int z = 1; z < 92; z++)
        falling += chgi_element_mass(z + 1) <= chgi_element_mass(z);
    tap_is_int(falling, 4, "up to uranium weights fall at Ar-K, Co-Ni, Te-I and Th-Pa alone");
}

/* Atoms held whole, or in some components, stay where they are to the bit; their degrees of freedom do not count. */
static void test_fixed(chgi_md_ensemble ensemble)
{
    chgi_structure structure;
    make_springs(BOUND);
    make_structure(&structure);
    structure.move_mask = chgi_memory_new(24, sizeof(bool));
    for (int k = 0; k < 24; k++)
        structure.move_mask[k] = k >= 3 && k != 4 && k != 8;
    chgi_md_options o = options_of(ensemble, FLOATING);
    chgi_md *md = begin(&structure, &o);
    const chgi_md_state *s = chgi_md_get_state(md);
    const char *name = chgi_md_ensemble_name(ensemble);
    tap_ok(chgi_md_freedom(md) == 19, "%s: 24 - 5 degrees of freedom, and no momentum is conserved", name);
    tap_near(look(md).temperature, 300, 1e-9, "the temperature is over those");
    steps(md, 100);
    bool held = true, moved = true;
    for (int k = 0; k < 24; k++) {
        bool same = s->positions[k] == structure.positions[k] && s->velocities[k] == 0;
        held = held && (structure.move_mask[k] || same);
        moved = moved && (!structure.move_mask[k] || !same);
    }
    tap_ok(held && moved, "%s: what is fixed is where it was, what is free is not", name);
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
}

/* All atoms fixed along z alone: momentum along x and y is conserved still. */
static void test_fixed_axis(void)
{
    chgi_structure structure;
    make_springs(FLOATING);
    make_structure(&structure);
    structure.move_mask = chgi_memory_new(24, sizeof(bool));
    for (int k = 0; k < 24; k++)
        structure.move_mask[k] = k % 3 != 2;
    chgi_md_options o = options_of(CHGI_MD_NVT_LANGEVIN, FLOATING);
    chgi_md *md = begin(&structure, &o);
    tap_is_int(chgi_md_freedom(md), 14, "z fixed for all: 16 - 2 degrees of freedom");
    steps(md, 100);
    tap_near(momentum_share(md), 0, 1e-13, "and zero momentum");
    chgi_md_destroy(md);
    for (int k = 0; k < 24; k++)
        structure.move_mask[k] = false;
    tap_ok(chgi_md_create(ctx, &potential, &structure, &o, &md) == CHGNET_EINPUT, "nothing free: no thermostat");
    o.ensemble = CHGI_MD_NVE;
    md = begin(&structure, &o);
    steps(md, 3);
    tap_ok(look(md).temperature == 0 && memcmp(chgi_md_get_state(md)->positions, structure.positions, 24 * 8) == 0,
           "nve runs and nothing moves");
    chgi_md_destroy(md);
    structure.move_mask[0] = true;
    o.ensemble = CHGI_MD_NPT_SCR;
    tap_ok(chgi_md_create(ctx, &potential, &structure, &o, &md) == CHGNET_EINPUT, "npt with fixed atoms is refused");
    chgi_structure_destroy(&structure);
}

/* A mask along the cell vectors: one atom keeps to the line of a vector, another to the plane of two. */
static void test_fixed_direct(void)
{
    chgi_structure structure;
    make_springs(BOUND);
    make_structure(&structure);
    structure.move_mask = chgi_memory_new(24, sizeof(bool));
    structure.mask_direct = true;
    for (int k = 0; k < 24; k++)
        structure.move_mask[k] = k > 5 || k == 1 || k == 3 || k == 5;
    chgi_md_options o = options_of(CHGI_MD_NVT_LANGEVIN, BOUND);
    chgi_md *md = begin(&structure, &o);
    tap_is_int(chgi_md_freedom(md), 21, "one direction and two of three: 24 - 3");
    steps(md, 100);
    double inverse[3][3], moved[6] = {0};
    if (!chgi_structure_invert((const double(*)[3])structure.cell, inverse))
        tap_bail("no inverse");
    for (int k = 0; k < 6; k++) {
        const double *now = chgi_md_get_state(md)->positions + k / 3 * 3, *then = structure.positions + k / 3 * 3;
        for (int d = 0; d < 3; d++)
            moved[k] += (now[d] - then[d]) * inverse[d][k % 3];
    }
    /* A hundred steps of rounding of positions of 5 A in cells of 4 A: 1e-14 or so. */
    tap_ok(fabs(moved[0]) < 1e-13 && fabs(moved[2]) < 1e-13 && fabs(moved[1]) > 1e-4,
           "the first atom keeps to its line");
    tap_ok(fabs(moved[4]) < 1e-13 && fabs(moved[3]) > 1e-4 && fabs(moved[5]) > 1e-4, "the second to its plane");
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
}

/* A run that is stopped, stored, made anew and restored has the same bits as one that goes on. */
static void test_resume(chgi_md_ensemble ensemble, bool full_cell)
{
    chgi_structure structure;
    chgi_md_options o = options_of(ensemble, FLOATING);
    o.full_cell = full_cell;
    o.n_step = 60;
    o.temperature[1] = 400;
    make_springs(FLOATING);
    make_structure(&structure);
    chgi_md *md = begin(&structure, &o), *other;
    const chgi_md_state *s = chgi_md_get_state(md);
    steps(md, 30);
    double *block = chgi_memory_new(s->n_double, sizeof *block);
    memcpy(block, s->numbers, s->n_double * sizeof *block);
    steps(md, 30);
    must(chgi_md_create(ctx, &potential, &structure, &o, &other), "chgi_md_create");
    tap_ok(chgi_md_step(other, 0) == CHGNET_EUSAGE, "no step before the start");
    int64_t calls = the_springs.calls;
    must(chgi_md_restore(other, block, s->n_double), "chgi_md_restore");
    tap_ok(the_springs.calls == calls, "restoring computes nothing");
    steps(other, 30);
    tap_ok(memcmp(chgi_md_get_state(other)->numbers, s->numbers, s->n_double * sizeof(double)) == 0,
           "%s%s: 30 steps, stored, restored, 30 more: the bits of 60 steps", chgi_md_ensemble_name(ensemble),
           full_cell ? ", full cell" : "");
    tap_ok(look(other).step == 60 && look(other).time == 60, "at step 60");
    block[0] = 7;
    tap_ok(chgi_md_restore(other, block, s->n_double) == CHGNET_EINPUT, "a block of other atoms is refused");
    block[0] = 8, block[40] = NAN;
    tap_ok(chgi_md_restore(other, block, s->n_double) == CHGNET_EINPUT, "and one with no numbers");
    tap_ok(chgi_md_restore(other, block, s->n_double - 1) == CHGNET_EINPUT, "and one of another length");
    chgi_md_destroy(other);
    chgi_md_destroy(md);
    chgi_memory_free(block);
    chgi_structure_destroy(&structure);
}

static void test_ramp(void)
{
    chgi_md_options o = options_of(CHGI_MD_NPT_MTK, BOUND);
    o.n_step = 10;
    o.temperature[1] = 400;
    o.pressure[1] = -2;
    chgi_md *md = begin_simple(o, BOUND);
    tap_ok(look(md).target_temperature == 300 && look(md).target_pressure == 0, "a ramp begins at its beginning");
    steps(md, 5);
    /* The fifth step of ten has its middle at 45 %. */
    tap_near(look(md).target_temperature, 345, 1e-10, "the temperature is linear in the step");
    tap_near(look(md).target_pressure, -0.9, 1e-14, "and so is the pressure");
    steps(md, 6);
    tap_ok(look(md).target_temperature == 400 && look(md).target_pressure == -2, "beyond the end it stays");
    chgi_md_destroy(md);
    o = options_of(CHGI_MD_NVT_BUSSI, BOUND);
    o.n_step = 4000;
    o.thermostat_time = 20;
    o.temperature[1] = 1200;
    md = begin_simple(o, BOUND);
    double end = 0;
    for (int i = 0; i < 4000; i++) {
        steps(md, 1);
        end += i < 3000 ? 0 : look(md).temperature / 1000;
    }
    /* The last quarter has targets of 975 to 1200 K.  24 degrees give 29 % around it; a thousand steps of 20 fs memory
     * hold fifty independent looks or a dozen: 8 % is one standard error. */
    tap_near(end, 1087.5, 4 * 0.08 * 1087.5, "the thermostat follows the ramp");
    chgi_md_destroy(md);
    o = options_of(CHGI_MD_NVE, BOUND);
    md = begin_simple(o, BOUND);
    tap_ok(isnan(look(md).target_temperature) && isnan(look(md).target_pressure), "nve has no targets");
    chgi_md_destroy(md);
}

/* One step must fail with the exit code of a numerical failure, say `word`, and leave the state. */
static void test_stops(chgi_md *md, const char *word, const char *name)
{
    const chgi_md_state *s = chgi_md_get_state(md);
    double *block = chgi_memory_new(s->n_double, sizeof *block);
    memcpy(block, s->numbers, s->n_double * sizeof *block);
    chgnet_status status = chgi_md_step(md, 0);
    tap_ok(status == CHGNET_ENUMERIC && strstr(chgnet_context_error(ctx), word), "%s stops the run", name);
    if (status != CHGNET_OK)
        tap_note("%s", chgnet_context_error(ctx));
    tap_ok(memcmp(block, s->numbers, s->n_double * sizeof *block) == 0 && !chgi_md_outcome(md),
           "and the state is that before the step");
    chgi_memory_free(block);
    chgi_md_destroy(md);
}

static void test_bounds(chgi_md_ensemble ensemble)
{
    chgi_md_options o = options_of(ensemble, BOUND);
    chgi_md *md = begin_simple(o, BOUND);
    tap_note("%s", chgi_md_ensemble_name(ensemble));
    steps(md, 2);
    tap_ok(chgi_md_outcome(md) && chgi_md_outcome(md)->forces, "a step has an outcome");
    the_springs.factor = NAN;
    test_stops(md, "energy", "an energy that is no number");
    md = begin_simple(o, BOUND);
    the_springs.factor = 0;
    test_stops(md, "told to fail", "a failure of the potential");
    md = begin_simple(o, BOUND);
    the_springs.stiffness[2] = 1e7;
    test_stops(md, "force", "a huge force");
    o.timestep = 1;
    o.max_displacement = 1e-4;
    test_stops(begin_simple(o, BOUND), "carry atom", "a long way");
    o.max_displacement = 1;
    o.max_temperature = 301;
    md = begin_simple(o, BOUND);
    the_springs.factor = 1;
    for (int i = 0; i < 8; i++)
        the_springs.stiffness[i] = -2000;
    o.max_force = 1e9;
    must(chgi_md_step(md, 0) == CHGNET_ENUMERIC ? CHGNET_OK : CHGNET_EINTERNAL, "a step that must heat");
    tap_ok(strstr(chgnet_context_error(ctx), "temperature") != NULL, "too high a temperature stops the run");
    chgi_md_destroy(md);
    o = options_of(ensemble, BOUND);
    o.max_std = 0.1;
    md = begin_simple(o, BOUND);
    the_springs.std = 0.2;
    test_stops(md, "standard deviation", "too large a standard deviation");
}

static void test_allocations(void)
{
    for (int e = 0; e < CHGI_MD_ENSEMBLE_COUNT; e++) {
        chgi_md_options o = options_of((chgi_md_ensemble)e, FLOATING);
        o.full_cell = true;
        chgi_md *md = begin_simple(o, FLOATING);
        int64_t before = allocations;
        steps(md, 10);
        look(md);
        tap_is_int(allocations - before, 0, "steps allocate nothing");
        tap_ok(before > 0, "%s: but making the run did", chgi_md_ensemble_name((chgi_md_ensemble)e));
        chgi_md_destroy(md);
    }
}

static void test_cell_bounds(void)
{
    chgi_md_options o = options_of(CHGI_MD_NPT_SCR, BOUND);
    o.compressibility = 100;
    test_stops(begin_simple(o, BOUND), "strain", "npt-scr: a volume that jumps");
    o = options_of(CHGI_MD_NPT_MTK, BOUND);
    o.barostat_time = 0.1;
    o.pressure[0] = o.pressure[1] = 1000;
    test_stops(begin_simple(o, BOUND), "strain", "npt-mtk: a cell that jumps");
}

static void test_options(void)
{
    chgi_structure structure;
    chgi_md *md;
    make_springs(BOUND);
    make_structure(&structure);
    chgi_md_options good = options_of(CHGI_MD_NVT_BUSSI, BOUND), bad[9];
    for (int i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].timestep = 0;
    bad[1].temperature[0] = 0; /* no thermostat at 0 K */
    bad[2].temperature[1] = -1;
    bad[3].pressure[0] = INFINITY;
    bad[4].thermostat_time = NAN;
    bad[5].chain = 0;
    bad[6].chain = CHGI_MD_MAX_CHAIN + 1;
    bad[7].n_step = -1;
    bad[8].max_std = -1;
    int refused = 0;
    for (int i = 0; i < 9; i++)
        refused += chgi_md_create(ctx, &potential, &structure, &bad[i], &md) == CHGNET_EUSAGE && !md;
    tap_is_int(refused, 9, "options that make no sense are refused");
    structure.pbc[2] = false;
    good.ensemble = CHGI_MD_NPT_MTK;
    tap_ok(chgi_md_create(ctx, &potential, &structure, &good, &md) == CHGNET_EINPUT,
           "npt without a crystal is refused");
    good.ensemble = CHGI_MD_NVE;
    md = begin(&structure, &good);
    tap_ok(isnan(look(md).pressure) && isnan(look(md).stress[0][0]) && isnan(look(md).volume),
           "no crystal, no pressure, stress and volume");
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
    for (int e = 0; e < CHGI_MD_ENSEMBLE_COUNT; e++)
        if ((int)chgi_md_ensemble_find(chgi_md_ensemble_name((chgi_md_ensemble)e)) != e)
            tap_ok(false, "the name of ensemble %d leads back to it", e);
    tap_ok(chgi_md_ensemble_find("nvt") == CHGI_MD_ENSEMBLE_COUNT, "an unknown name is none");
}

/* Atoms without forces in a cell without energy: P V = 2K/3, where the kinetic part of the stress is all there is. */
static void test_ideal_pressure(void)
{
    chgi_md_options o = options_of(CHGI_MD_NVE, FLOATING);
    chgi_structure structure;
    make_springs(FLOATING);
    make_structure(&structure);
    the_springs.pair = the_springs.bulk = 0;
    chgi_md *md = begin(&structure, &o);
    chgi_md_observables now = look(md);
    double volume = fabs(chgi_structure_volume((const double(*)[3])structure.cell));
    tap_near(now.pressure, 21 * BOLTZMANN * 300 / (3 * volume) * 160.21766208, 1e-13, "ideal gas: P V = N_f k T/3");
    tap_near(now.volume, volume, 1e-12, "in its volume");
    tap_near(now.stress[0][1], now.stress[1][0], 0, "with a symmetric stress");
    chgi_md_destroy(md);
    chgi_structure_destroy(&structure);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_springs();
    test_oscillator();
    test_order();
    test_reversible(CHGI_MD_NVE);
    test_reversible(CHGI_MD_NVT_NOSE_HOOVER);
    test_reversible(CHGI_MD_NPT_MTK);
    test_all_conserved();
    test_momentum();
    test_start();
    test_columns();
    test_masses();
    test_fixed(CHGI_MD_NVE);
    test_fixed(CHGI_MD_NVT_LANGEVIN);
    test_fixed(CHGI_MD_NVT_NOSE_HOOVER);
    test_fixed(CHGI_MD_NVT_BUSSI);
    test_fixed_axis();
    test_fixed_direct();
    for (int e = 0; e < CHGI_MD_ENSEMBLE_COUNT; e++)
        test_resume((chgi_md_ensemble)e, false);
    test_resume(CHGI_MD_NPT_MTK, true);
    test_ramp();
    for (int e = 0; e < CHGI_MD_ENSEMBLE_COUNT; e++)
        test_bounds((chgi_md_ensemble)e);
    test_allocations();
    test_cell_bounds();
    test_options();
    test_ideal_pressure();
    chgnet_context_destroy(ctx);
    return tap_done();
}
