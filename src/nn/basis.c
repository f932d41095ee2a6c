#include "nn/basis.h"

#include <math.h>

#include "nn/vecmath.h"

static inline chg_dvector load_double(const double *p)
{
    return *(const chg_dvector *)p;
}

static inline void store_double(double *p, chg_dvector v)
{
    *(chg_dvector *)p = v;
}

/* A function of one variable with its first two derivatives. */
typedef struct jet {
    double value, slope, curvature;
} jet;

/* In x = r/c.  A power of zero switches the envelope off, as upstream's cutoff_coeff does. */
static jet envelope(double x, double p)
{
    if (p == 0)
        return (jet){1, 0, 0};
    if (x >= 1)
        return (jet){0, 0, 0};
    double power = pow(x, p), scale = p * (p + 1) * (p + 2) / 2, rest = 1 - x;
    return (jet){1 - (p + 1) * (p + 2) / 2 * power + p * (p + 2) * power * x - p * (p + 1) / 2 * power * x * x,
                 -scale * pow(x, p - 1) * rest * rest, -scale * pow(x, p - 2) * rest * ((p - 1) * rest - 2 * x)};
}

/* sin(k r)/r is smooth at zero, where its formula is not; so is the envelope for whole powers. */
static void basis_at_zero(const chgi_radial *radial, double *value, double *slope, double *curvature)
{
    double scale = sqrt(2 / radial->cutoff), c = radial->cutoff, p = radial->power;
    jet f = {1, p == 1 ? -3 / c : 0, p == 1 ? 6 / (c * c) : p == 2 ? -12 / (c * c) : 0};
    for (int n = 0; n < chgi_pad(radial->n); n++) {
        double k = radial->omega[n] / c;
        value[n] = scale * k;
        slope[n] = scale * k * f.slope;
        curvature[n] = scale * k * (f.curvature - k * k / 3);
    }
}

void chgi_radial_basis(const void *basis, double r, double *value, double *slope, double *curvature)
{
    const chgi_radial *radial = basis;
    if (r == 0) {
        basis_at_zero(radial, value, slope, curvature);
        return;
    }
    double c = radial->cutoff, x = r / c, scale = sqrt(2 / c) / r;
    jet f = envelope(x, radial->power);
    jet a = {scale * f.value, scale * (f.slope / c - f.value / r),
             scale * (f.curvature / (c * c) - 2 * f.slope / (c * r) + 2 * f.value / (r * r))};
    for (int n = 0; n < radial->n; n += CHGI_DOUBLE_LANES) {
        chg_dvector omega = load_double(radial->omega + n), k = omega / c, sine, cosine;
        chgi_sincos(omega * x, &sine, &cosine);
        store_double(value + n, a.value * sine);
        store_double(slope + n, a.slope * sine + a.value * k * cosine);
        store_double(curvature + n, (a.curvature - a.value * k * k) * sine + 2 * a.slope * k * cosine);
    }
}

void chgi_angular_basis(const void *basis, double theta, double *value, double *slope, double *curvature)
{
    const chgi_angular *angular = basis;
    const double scale = 0.56418958354775628695; /* 1/sqrt(pi) */
    int n = (angular->n - 1) / 2;
    value[0] = scale * 0.70710678118654752440;
    slope[0] = curvature[0] = 0;
    /* Sines first: the padded lanes run into the place of the cosines, which are written after them. */
    for (int cosines = 0; cosines < 2; cosines++)
        for (int k = 0; k < n; k += CHGI_DOUBLE_LANES) {
            chg_dvector omega = load_double(angular->omega + k), sine, cosine;
            chgi_sincos(omega * theta, &sine, &cosine);
            int at = 1 + cosines * n + k;
            store_double(value + at, scale * (cosines ? cosine : sine));
            store_double(slope + at, scale * omega * (cosines ? -sine : cosine));
            store_double(curvature + at, -scale * omega * omega * (cosines ? cosine : sine));
        }
}
