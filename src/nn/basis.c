#include "nn/basis.h"

#include <math.h>

#include "nn/vecmath.h"

static inline chg_dvector load_double(const double *p)
{
    return *(const chg_dvector *)p;
}

static inline void store_rounded(chg_real *out, chg_dvector v)
{
    for (int k = 0; k < CHGI_DOUBLE_LANES; k++)
        out[k] = (chg_real)v[k];
}

typedef struct envelope {
    double value, slope; /* in x = r/c */
} envelope;

/* A power of zero switches the envelope off, as upstream's cutoff_coeff does. */
static envelope cutoff_envelope(double x, double p)
{
    if (p == 0)
        return (envelope){1, 0};
    if (x >= 1)
        return (envelope){0, 0};
    double power = pow(x, p);
    double value = 1 - (p + 1) * (p + 2) / 2 * power + p * (p + 2) * power * x - p * (p + 1) / 2 * power * x * x;
    double slope = -p * (p + 1) * (p + 2) / 2 * (power / x) * (1 - x) * (1 - x);
    return (envelope){value, slope};
}

void chgi_radial_basis(const chgi_frequencies *frequencies, double cutoff, double power, double r, chg_real *value,
                       chg_real *slope)
{
    double x = r / cutoff, scale = sqrt(2 / cutoff) / r;
    envelope f = cutoff_envelope(x, power);
    double a = scale * f.value, da = scale * (f.slope / cutoff - f.value / r), turn = a / cutoff;
    for (int k = 0; k < frequencies->n; k += CHGI_DOUBLE_LANES) {
        chg_dvector omega = load_double(frequencies->omega + k), sine, cosine;
        chgi_sincos(omega * x, &sine, &cosine);
        store_rounded(value + k, a * sine);
        store_rounded(slope + k, da * sine + turn * omega * cosine);
    }
}

void chgi_angular_basis(const chgi_frequencies *frequencies, double theta, chg_real *value, chg_real *slope)
{
    const double scale = 0.56418958354775628695; /* 1/sqrt(pi) */
    int n = frequencies->n;
    value[0] = (chg_real)(scale * 0.70710678118654752440);
    slope[0] = 0;
    /* Sines first: the padded lanes run into the place of the cosines, which are written after them. */
    for (int k = 0; k < n; k += CHGI_DOUBLE_LANES) {
        chg_dvector omega = load_double(frequencies->omega + k), sine, cosine;
        chgi_sincos(omega * theta, &sine, &cosine);
        store_rounded(value + 1 + k, scale * sine);
        store_rounded(slope + 1 + k, scale * omega * cosine);
    }
    for (int k = 0; k < n; k += CHGI_DOUBLE_LANES) {
        chg_dvector omega = load_double(frequencies->omega + k), sine, cosine;
        chgi_sincos(omega * theta, &sine, &cosine);
        store_rounded(value + 1 + n + k, scale * cosine);
        store_rounded(slope + 1 + n + k, -scale * omega * sine);
    }
}
