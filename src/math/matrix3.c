#include "math/matrix3.h"

#include <math.h>

#include "math/lattice.h"

chgi_matrix3 chgi_matrix3_diagonal(double value)
{
    return (chgi_matrix3){{{value, 0, 0}, {0, value, 0}, {0, 0, value}}};
}

chgi_matrix3 chgi_matrix3_add(chgi_matrix3 a, double factor, chgi_matrix3 b)
{
    for (int k = 0; k < 9; k++)
        a.m[k / 3][k % 3] += factor * b.m[k / 3][k % 3];
    return a;
}

chgi_matrix3 chgi_matrix3_multiply(chgi_matrix3 a, chgi_matrix3 b)
{
    chgi_matrix3 c;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c.m[i][j] = a.m[i][0] * b.m[0][j] + a.m[i][1] * b.m[1][j] + a.m[i][2] * b.m[2][j];
    return c;
}

chgi_matrix3 chgi_matrix3_transpose(chgi_matrix3 a)
{
    chgi_matrix3 t;
    for (int k = 0; k < 9; k++)
        t.m[k / 3][k % 3] = a.m[k % 3][k / 3];
    return t;
}

double chgi_matrix3_determinant(chgi_matrix3 a)
{
    double cross[3];
    chgi_cross(a.m[1], a.m[2], cross);
    return chgi_dot(a.m[0], cross);
}

double chgi_matrix3_trace(chgi_matrix3 a)
{
    return a.m[0][0] + a.m[1][1] + a.m[2][2];
}

double chgi_matrix3_norm(chgi_matrix3 a)
{
    return sqrt(chgi_dot(a.m[0], a.m[0]) + chgi_dot(a.m[1], a.m[1]) + chgi_dot(a.m[2], a.m[2]));
}

bool chgi_matrix3_invert(chgi_matrix3 a, chgi_matrix3 *inverse)
{
    double factor = 1 / chgi_matrix3_determinant(a);
    chgi_matrix3 result;
    for (int k = 0; k < 3; k++) {
        double column[3];
        chgi_cross(a.m[(k + 1) % 3], a.m[(k + 2) % 3], column);
        for (int i = 0; i < 3; i++)
            result.m[i][k] = column[i] * factor;
    }
    if (!isfinite(chgi_matrix3_norm(result)))
        return false;
    *inverse = result;
    return true;
}

void chgi_matrix3_rows(const double *in, chgi_matrix3 a, long n, double *out)
{
    for (long i = 0; i < n; i++) {
        const double x[3] = {in[3 * i], in[3 * i + 1], in[3 * i + 2]};
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = x[0] * a.m[0][c] + x[1] * a.m[1][c] + x[2] * a.m[2][c];
    }
}

/* exp(u), and its derivative in a direction, by squaring those of a small part of u, for which the series is short. */
static void exp_and_derivative(chgi_matrix3 u, chgi_matrix3 direction, chgi_matrix3 *exponential,
                               chgi_matrix3 *derivative)
{
    enum { TERMS = 20 }; /* 0.5^20 / 20! is far below rounding */
    int squarings = 0;
    for (double size = chgi_matrix3_norm(u); size > 0.5 && squarings < 60; size /= 2)
        squarings++;
    double part = ldexp(1, -squarings);
    const chgi_matrix3 zero = {{{0}}}, x = chgi_matrix3_add(zero, part, u), d = chgi_matrix3_add(zero, part, direction);
    chgi_matrix3 power = chgi_matrix3_diagonal(1), change = zero; /* x^k / k! and its derivative */
    chgi_matrix3 e = power, l = zero;
    for (int k = 1; k <= TERMS; k++) {
        change = chgi_matrix3_add(chgi_matrix3_multiply(change, x), 1, chgi_matrix3_multiply(power, d));
        change = chgi_matrix3_add(zero, 1.0 / k, change);
        power = chgi_matrix3_add(zero, 1.0 / k, chgi_matrix3_multiply(power, x));
        e = chgi_matrix3_add(e, 1, power);
        l = chgi_matrix3_add(l, 1, change);
    }
    for (; squarings > 0; squarings--) {
        l = chgi_matrix3_add(chgi_matrix3_multiply(e, l), 1, chgi_matrix3_multiply(l, e));
        e = chgi_matrix3_multiply(e, e);
    }
    *exponential = e;
    *derivative = l;
}

chgi_matrix3 chgi_matrix3_exp(chgi_matrix3 a)
{
    const chgi_matrix3 zero = {{{0}}};
    chgi_matrix3 exponential, derivative;
    exp_and_derivative(a, zero, &exponential, &derivative);
    return exponential;
}

chgi_matrix3 chgi_matrix3_exp_gradient(chgi_matrix3 u, chgi_matrix3 g)
{
    chgi_matrix3 exponential, derivative;
    exp_and_derivative(chgi_matrix3_transpose(u), g, &exponential, &derivative);
    return derivative;
}

/* The principal square root, by the product form of Denman and Beavers' iteration (Higham 2008, 6.29). */
static bool square_root(chgi_matrix3 a, chgi_matrix3 *root)
{
    enum { MOST_ROUNDS = 60 };
    const chgi_matrix3 one = chgi_matrix3_diagonal(1);
    chgi_matrix3 m = a, x = a, inverse;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        if (chgi_matrix3_norm(chgi_matrix3_add(m, -1, one)) < 4e-16) {
            *root = x;
            return true;
        }
        if (!chgi_matrix3_invert(m, &inverse))
            return false;
        chgi_matrix3 half = chgi_matrix3_add(one, 1, inverse); /* (1 + m^-1) / 2 */
        half = chgi_matrix3_add(half, -0.5, half);
        x = chgi_matrix3_multiply(x, half);
        m = chgi_matrix3_add(chgi_matrix3_add(m, 1, inverse), 2, one);
        m = chgi_matrix3_add(m, -0.75, m);
    }
    *root = x; /* rounding keeps m from 1 exactly; a matrix without a root ends here too */
    return chgi_matrix3_norm(chgi_matrix3_add(m, -1, one)) < 1e-12;
}

bool chgi_matrix3_log(chgi_matrix3 a, chgi_matrix3 *log)
{
    enum { MOST_ROOTS = 60, TERMS = 12 };
    const chgi_matrix3 one = chgi_matrix3_diagonal(1);
    int roots = 0;
    for (; !(chgi_matrix3_norm(chgi_matrix3_add(a, -1, one)) < 0.25); roots++)
        if (roots == MOST_ROOTS || !square_root(a, &a))
            return false;
    chgi_matrix3 inverse, z, square, power, sum = {{{0}}};
    if (!chgi_matrix3_invert(chgi_matrix3_add(a, 1, one), &inverse))
        return false;
    z = chgi_matrix3_multiply(chgi_matrix3_add(a, -1, one), inverse); /* log a = 2 artanh z, |z| below 1/7 */
    square = chgi_matrix3_multiply(z, z);
    power = z;
    for (int k = 0; k < TERMS; k++) {
        sum = chgi_matrix3_add(sum, ldexp(2, roots) / (2 * k + 1), power);
        power = chgi_matrix3_multiply(power, square);
    }
    *log = sum;
    return true;
}
