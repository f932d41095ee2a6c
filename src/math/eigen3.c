/* SPDX-License-Identifier: BSD-3-Clause */
#include "math/eigen3.h"

#include <math.h>

/* Turn axes p and q so that a[p][q] vanishes: Golub, Van Loan, Matrix Computations, section 8.5. */
static void rotate(double a[3][3], double vectors[3][3], int p, int q)
{
    if (a[p][q] == 0)
        return;
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    int r = 3 - p - q;
    double turned = a[p][q], arp = a[r][p], arq = a[r][q];
    a[p][p] -= t * turned;
    a[q][q] += t * turned;
    a[p][q] = a[q][p] = 0;
    a[r][p] = a[p][r] = c * arp - s * arq;
    a[r][q] = a[q][r] = s * arp + c * arq;
    for (int k = 0; k < 3; k++) {
        double vp = vectors[p][k], vq = vectors[q][k];
        vectors[p][k] = c * vp - s * vq;
        vectors[q][k] = s * vp + c * vq;
    }
}

void chgi_eigen3(const double matrix[3][3], double values[3], double vectors[3][3])
{
    double a[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            a[i][j] = matrix[i < j ? i : j][i < j ? j : i];
            vectors[i][j] = i == j;
        }
    /* Convergence is quadratic: a handful of sweeps reach zero off the diagonal; the bound ends it in any case. */
    for (int sweep = 0; sweep < 30 && (a[0][1] != 0 || a[0][2] != 0 || a[1][2] != 0); sweep++) {
        rotate(a, vectors, 0, 1);
        rotate(a, vectors, 0, 2);
        rotate(a, vectors, 1, 2);
    }
    for (int k = 0; k < 3; k++)
        values[k] = a[k][k];
}
