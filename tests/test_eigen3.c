/* Eigenvalues of symmetric 3x3 matrices: the matrix comes back from them, also where they are equal, tiny or far apart.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "base/rng.h"
#include "math/eigen3.h"
#include "tap.h"

/* Largest error of vectors^T values vectors over the largest element, and of vectors vectors^T from 1. */
static double error_of(const double matrix[3][3])
{
    double values[3], v[3][3], worst = 0, size = 0;
    chgi_eigen3(matrix, values, v);
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++)
            size = fmax(size, fabs(matrix[a][b]));
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double back = 0, product = 0;
            for (int k = 0; k < 3; k++) {
                back += values[k] * v[k][a] * v[k][b];
                product += v[a][k] * v[b][k];
            }
            worst = fmax(worst, fabs(product - (a == b)));
            worst = fmax(worst, size > 0 ? fabs(back - matrix[a][b]) / size : fabs(back));
        }
    return worst;
}

int main(void)
{
    static const double special[][3][3] = {
        {{0}},
        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
        {{2, 1, 1}, {1, 2, 1}, {1, 1, 2}},
        {{0, 1, 0}, {1, 0, 0}, {0, 0, 0}},
        {{1, 1e-300, 0}, {1e-300, 1, 0}, {0, 0, 1}},
        {{1e8, 1, 1e-8}, {1, 1e-3, 1e-9}, {1e-8, 1e-9, 1e-12}},
    };
    double worst = 0;
    /* A few sweeps of a dozen operations each: some 1e-16 apiece. */
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        tap_near(error_of(special[i]), 0, 1e-14, "a special matrix comes back");
    for (uint32_t i = 0; i < 10000; i++) {
        chgi_rng rng = chgi_rng_start(3, 1, 0, i);
        double m[3][3], scale = exp(20 * chgi_rng_normal(&rng));
        for (int a = 0; a < 3; a++)
            for (int b = 0; b <= a; b++)
                m[a][b] = m[b][a] = scale * chgi_rng_normal(&rng);
        worst = fmax(worst, error_of((const double(*)[3])m));
    }
    tap_near(worst, 0, 1e-14, "ten thousand random ones come back");
    return tap_done();
}
