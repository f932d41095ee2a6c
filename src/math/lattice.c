#include "math/lattice.h"

#include <math.h>
#include <string.h>

static void subtract(double *a, double factor, const double *b)
{
    for (int k = 0; k < 3; k++)
        a[k] -= factor * b[k];
}

/* Short vectors, and of how many cell vectors each is the sum. */
typedef struct rows {
    double basis[3][3], times[3][3];
} rows;

/* Take whole multiples of row j off row i where that shortens it by more than rounding. */
static bool shorten(rows *r, int i, int j)
{
    double(*basis)[3] = r->basis;
    double square = chgi_dot(basis[j], basis[j]);
    double factor = square > 0 ? nearbyint(chgi_dot(basis[i], basis[j]) / square) : 0;
    if (factor == 0)
        return false;
    double trial[3];
    memcpy(trial, basis[i], sizeof trial);
    subtract(trial, factor, basis[j]);
    if (!(chgi_dot(trial, trial) < chgi_dot(basis[i], basis[i]) * (1 - 1e-12)))
        return false;
    memcpy(basis[i], trial, sizeof trial);
    subtract(r->times[i], factor, r->times[j]);
    return true;
}

/* Pairs alone do not suffice in three dimensions: a +- b +- c may be shorter than the longest of them. */
static bool shorten_by_both(rows *r, int i)
{
    int a = (i + 1) % 3, b = (i + 2) % 3;
    for (int sign = 0; sign < 4; sign++) {
        double trial[3], first = sign & 1 ? 1 : -1, second = sign & 2 ? 1 : -1;
        memcpy(trial, r->basis[i], sizeof trial);
        subtract(trial, first, r->basis[a]);
        subtract(trial, second, r->basis[b]);
        if (chgi_dot(trial, trial) < chgi_dot(r->basis[i], r->basis[i]) * (1 - 1e-12)) {
            memcpy(r->basis[i], trial, sizeof trial);
            subtract(r->times[i], first, r->times[a]);
            subtract(r->times[i], second, r->times[b]);
            return true;
        }
    }
    return false;
}

static void reduce(rows *r, int n)
{
    enum { MOST_ROUNDS = 1000 };
    bool changed = true;
    for (int round = 0; changed && round < MOST_ROUNDS; round++) {
        changed = false;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++)
                changed |= i != j && shorten(r, i, j);
            changed |= n == 3 && shorten_by_both(r, i);
        }
    }
}

/* Fill rows n..2 with unit vectors at right angles to all rows before them. */
static void complete(double basis[3][3], int n)
{
    for (; n < 3; n++) {
        double best = -1;
        for (int axis = 0; axis < 3; axis++) {
            double trial[3] = {axis == 0, axis == 1, axis == 2};
            double direct[3][3]; /* orthonormal copies of the rows so far */
            for (int i = 0; i < n; i++) {
                memcpy(direct[i], basis[i], sizeof direct[i]);
                for (int j = 0; j < i; j++)
                    subtract(direct[i], chgi_dot(direct[i], direct[j]), direct[j]);
                double length = sqrt(chgi_dot(direct[i], direct[i]));
                for (int k = 0; k < 3; k++)
                    direct[i][k] /= length;
            }
            for (int i = 0; i < n; i++)
                subtract(trial, chgi_dot(trial, direct[i]), direct[i]);
            double length = sqrt(chgi_dot(trial, trial));
            if (length > best) {
                best = length;
                for (int k = 0; k < 3; k++)
                    basis[n][k] = trial[k] / length;
            }
        }
    }
}

static bool invert(double a[3][3], double inverse[3][3])
{
    double volume = 0, scale = 1;
    for (int i = 0; i < 3; i++) {
        double c[3];
        chgi_cross(a[(i + 1) % 3], a[(i + 2) % 3], c);
        volume = chgi_dot(a[i], c);
        scale *= sqrt(chgi_dot(a[i], a[i]));
        for (int k = 0; k < 3; k++)
            inverse[k][i] = c[k];
    }
    if (!(fabs(volume) > 1e-10 * scale)) /* the basis is reduced: only a flat one comes near this */
        return false;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            inverse[i][k] /= volume;
    return true;
}

bool chgi_lattice_reduce(const double cell[3][3], const bool pbc[3], double basis[3][3], double inverse[3][3],
                         double times[3][3], int *n)
{
    rows r = {.basis = {{0}}};
    *n = 0;
    for (int axis = 0; axis < 3; axis++)
        if (pbc[axis]) {
            r.times[*n][axis] = 1;
            memcpy(r.basis[(*n)++], cell[axis], sizeof r.basis[0]);
        }
    reduce(&r, *n);
    for (int i = 0; i < *n; i++)
        if (!(chgi_dot(r.basis[i], r.basis[i]) > 0))
            return false;
    complete(r.basis, *n);
    memcpy(basis, r.basis, sizeof r.basis);
    memcpy(times, r.times, sizeof r.times);
    return invert(basis, inverse);
}
