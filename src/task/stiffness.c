/* SPDX-License-Identifier: BSD-3-Clause */
#include "task/stiffness.h"

#include <math.h>
#include <string.h>

#include "math/eigen.h"

enum { EIGEN_WORK = 109, EIGEN_INT_WORK = 33 }; /* chgi_eigen_work(6), chgi_eigen_int_work(6) */

const int chgi_voigt[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};

chgi_matrix3 chgi_voigt_strain(int component, double strain)
{
    chgi_matrix3 e = {{{0}}};
    int a = chgi_voigt[component][0], b = chgi_voigt[component][1];
    e.m[a][b] += strain / 2;
    e.m[b][a] += strain / 2;
    return e;
}

/* Times this, Voigt's elements are those of the tensor in an orthonormal basis of the symmetric matrices: there a turn
 * of the axes is an orthogonal matrix, and eigenvalues and inverse are the tensor's (Mandel's, or Kelvin's, notation).
 */
static double weight(int i, int j)
{
    return (i < 3 ? 1 : sqrt(2)) * (j < 3 ? 1 : sqrt(2));
}

double chgi_stiffness_mirror(double stiffness[6][6])
{
    double most = 0;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++) {
            most = fmax(most, fabs(stiffness[i][j] - stiffness[j][i]));
            stiffness[i][j] = stiffness[j][i] = (stiffness[i][j] + stiffness[j][i]) / 2;
        }
    return most;
}

/* The turn of rows x -> x . turn, as it acts on the basis. */
static void turn_of_basis(chgi_matrix3 turn, double q[6][6])
{
    for (int b = 0; b < 6; b++) {
        chgi_matrix3 base = chgi_voigt_strain(b, weight(b, 0)), turned;
        turned = chgi_matrix3_multiply(chgi_matrix3_multiply(chgi_matrix3_transpose(turn), base), turn);
        for (int a = 0; a < 6; a++)
            q[a][b] = turned.m[chgi_voigt[a][0]][chgi_voigt[a][1]] * weight(a, 0);
    }
}

/* sum += q c q^T */
static void add_turned(const double q[6][6], const double c[6][6], double sum[6][6])
{
    double half[6][6] = {{0}};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++)
                half[i][j] += q[i][k] * c[k][j];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++)
                sum[i][j] += half[i][k] * q[j][k];
}

double chgi_stiffness_average(const chgi_symmetry *symmetry, const double *cell, double stiffness[6][6])
{
    double c[6][6], sum[6][6] = {{0}}, most = 0;
    int n = chgi_symmetry_count(symmetry);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            c[i][j] = stiffness[i][j] * weight(i, j);
    for (int o = 0; o < n; o++) {
        double q[6][6];
        turn_of_basis(chgi_symmetry_turn(symmetry, cell, o), q);
        add_turned((const double(*)[6])q, (const double(*)[6])c, sum);
    }
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double mean = sum[i][j] / n / weight(i, j);
            most = fmax(most, fabs(mean - stiffness[i][j]));
            stiffness[i][j] = mean;
        }
    return most;
}

/* ---- moduli ----------------------------------------------------------------------------------- */

/* Sums over the blocks of a matrix that directions' averages know: the diagonals, and the upper left block's rest. */
typedef struct blocks {
    double normal, across, shear;
} blocks;

static blocks blocks_of(const double a[6][6])
{
    return (blocks){a[0][0] + a[1][1] + a[2][2], a[0][1] + a[0][2] + a[1][2], a[3][3] + a[4][4] + a[5][5]};
}

static void invert(const double vectors[6][6], const double values[6], double compliance[6][6])
{
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double sum = 0;
            for (int k = 0; k < 6; k++)
                sum += vectors[k][i] * vectors[k][j] / values[k];
            compliance[i][j] = values[0] > 0 ? sum * weight(i, j) : NAN;
        }
}

static void average_directions(const double stiffness[6][6], chgi_elastic_moduli *m)
{
    blocks c = blocks_of(stiffness), s = blocks_of((const double(*)[6])m->compliance);
    m->bulk_voigt = (c.normal + 2 * c.across) / 9;
    m->shear_voigt = (c.normal - c.across + 3 * c.shear) / 15;
    m->bulk_reuss = 1 / (s.normal + 2 * s.across);
    m->shear_reuss = 15 / (4 * (s.normal - s.across) + 3 * s.shear);
    m->bulk_hill = (m->bulk_voigt + m->bulk_reuss) / 2;
    m->shear_hill = (m->shear_voigt + m->shear_reuss) / 2;
    m->young = 9 * m->bulk_hill * m->shear_hill / (3 * m->bulk_hill + m->shear_hill);
    m->poisson = (3 * m->bulk_hill - 2 * m->shear_hill) / (6 * m->bulk_hill + 2 * m->shear_hill);
    m->anisotropy = 5 * m->shear_voigt / m->shear_reuss + m->bulk_voigt / m->bulk_reuss - 6;
}

chgnet_status chgi_stiffness_moduli(chgnet_context *ctx, const double stiffness[6][6], chgi_elastic_moduli *moduli)
{
    double vectors[6][6], work[EIGEN_WORK];
    int int_work[EIGEN_INT_WORK];
    *moduli = (chgi_elastic_moduli){.stable = false};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            vectors[i][j] = stiffness[i][j] * weight(i, j);
    for (int i = 0; i < 36; i++)
        if (!isfinite(vectors[i / 6][i % 6]))
            return chgi_context_fail(ctx, CHGNET_ENUMERIC, "an elastic constant is not finite; check the structure");
    if (!chgi_eigen_symmetric(6, vectors[0], moduli->eigenvalues, work, int_work))
        return chgi_context_fail(ctx, CHGNET_ENUMERIC,
                                 "the elastic constants have no eigenvalues; check the structure");
    moduli->stable = moduli->eigenvalues[0] > 0;
    invert((const double(*)[6])vectors, moduli->eigenvalues, moduli->compliance);
    average_directions(stiffness, moduli);
    return CHGNET_OK;
}
