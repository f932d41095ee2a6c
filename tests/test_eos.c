/* Birch-Murnaghan fits: exact curves are found again, and curves without a minimum are refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "calc/calculator.h"
#include "calc/lennard_jones.h"
#include "tap.h"
#include "task/eos.h"

enum { N = 9 };

static chgnet_context *ctx;

/* Birch, Phys. Rev. 71, 809 (1947). */
static double birch(double v, double v0, double e0, double b0, double slope)
{
    double x = pow(v0 / v, 2.0 / 3) - 1;
    return e0 + 9 * v0 * b0 / 16 * (x * x * x * slope + x * x * (6 - 4 * (x + 1)));
}

static void fill(chgi_eos_point points[N], double v0, double e0, double b0, double slope)
{
    for (int k = 0; k < N; k++) {
        points[k].volume = 0.97 * v0 * (1 + 0.02 * (k - 4)); /* not centered at the minimum */
        points[k].energy = birch(points[k].volume, v0, e0, b0 / CHGI_GPA, slope);
    }
}

static void test_exact(double v0, double e0, double b0, double slope)
{
    chgi_eos_point points[N];
    chgi_eos_fit fit;
    fill(points, v0, e0, b0, slope);
    if (!tap_ok(chgi_eos_fit_points(ctx, N, points, &fit) == CHGNET_OK, "a curve with B = %g GPa", b0))
        return;
    /* energies of 1e3 eV carry rounding of 1e-13 eV, of which the fit makes relative errors of 1e-9 at most */
    tap_near(fit.volume / v0, 1, 1e-9, "volume");
    tap_near(fit.energy, e0, 1e-11 * (1 + fabs(e0)), "energy");
    tap_near(fit.bulk_modulus / b0, 1, 1e-7, "bulk modulus");
    tap_near(fit.bulk_modulus_slope, slope, 1e-5, "its slope");
    tap_ok(fit.bulk_modulus_error < 1e-6 * b0 && fit.residual < 1e-11 * (1 + fabs(e0)), "no scatter");
}

/* Energies that are wrong by +-d: the error that is told is of the size of the error that is made. */
static void test_scatter(void)
{
    chgi_eos_point points[N];
    chgi_eos_fit fit;
    fill(points, 40, -20, 150, 4.5);
    for (int k = 0; k < N; k++)
        points[k].energy += k % 2 ? 1e-3 : -1e-3;
    tap_ok(chgi_eos_fit_points(ctx, N, points, &fit) == CHGNET_OK, "energies with scatter");
    double off = fabs(fit.bulk_modulus - 150);
    tap_ok(off < 3 * fit.bulk_modulus_error && fit.bulk_modulus_error < 10, "B = %.1f +- %.1f GPa, exactly 150",
           fit.bulk_modulus, fit.bulk_modulus_error);
}

static void test_wrong(void)
{
    chgi_eos_point points[N] = {{0}};
    chgi_eos_fit fit;
    for (int k = 0; k < N; k++) {
        points[k].volume = 40 + k;
        points[k].energy = -0.1 * k;
    }
    tap_is_int(chgi_eos_fit_points(ctx, N, points, &fit), CHGNET_ENUMERIC, "energies that only fall");
    fill(points, 40, -20, 150, 4.5);
    for (int k = 0; k < N; k++)
        points[k].energy = -points[k].energy;
    tap_is_int(chgi_eos_fit_points(ctx, N, points, &fit), CHGNET_ENUMERIC, "a maximum");
    tap_is_int(chgi_eos_fit_points(ctx, 4, points, &fit), CHGNET_ENUMERIC, "as many points as coefficients");
    for (int k = 0; k < N; k++)
        points[k].volume = 40;
    tap_is_int(chgi_eos_fit_points(ctx, N, points, &fit), CHGNET_ENUMERIC, "one volume");
    chgi_potential lj;
    chgi_structure cluster = {0};
    chgi_eos_choice choice = {.n_point = N, .range = 0.05};
    if (chgi_lennard_jones_create(ctx, &lj) != CHGNET_OK || chgi_structure_create(ctx, 2, &cluster) != CHGNET_OK)
        tap_bail("no memory");
    tap_is_int(chgi_eos_run(ctx, &lj, &cluster, &choice, points, &fit), CHGNET_EINPUT, "a cluster has no volume");
    lj.destroy(lj.self);
    chgi_structure_destroy(&cluster);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        tap_bail("no memory");
    test_exact(40, -20, 150, 4.5);
    test_exact(700, -900, 35, 3.2);
    test_exact(11, -4, 440, 6);
    test_scatter();
    test_wrong();
    chgnet_context_destroy(ctx);
    return tap_done();
}
