/* The vector functions of src/nn/vecmath.h against long double; compiled for each precision and instruction set.
 *
 * Errors are counted in units of the last place (ulp) of the exact value in the kernels' number type, or in that type's
 * epsilon where a function comes near zero.  The bounds:
 *   exp: 2 ulp.  Polynomial and reduction of the argument round once each, more or less (measured 1.0).
 *   sigmoid: 4 + 2 |x| ulp.  exp, 1 + exp and a division round; where the argument is scaled to powers of two its
 *       rounding counts up to 2 |x| times, but of a small number: also 2 epsilon, absolute (measured 1.2).
 *   slope of SiLU: 2 + |x| epsilon, which is x times the error of 1 - sigmoid.
 *   acos: 2 ulp (measured 1.2).
 *   sine, cosine: 1 epsilon for |x| up to 1e5 (measured 0.9); and for |x| up to 100 2 ulp (measured 1.5), also near
 *       their zeros: three constants make up pi/2. */
#include <float.h>

#include "model/kernel.h"
#include "nn/vecmath.h"
#include "tap.h"

#define QUOTE_(x) #x
#define QUOTE(x) QUOTE_(x)

#if CHGI_DOUBLE
static const double EPSILON = DBL_EPSILON, LOW = -708, HIGH = 709;
#else
static const double EPSILON = FLT_EPSILON, LOW = -87, HIGH = 88;
#endif

enum { SAMPLES = 400000 };

static uint64_t random_state = 1;

static double uniform(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Half of them anywhere, the others near zero on a logarithmic scale. */
static chg_real argument(int k, double low, double high)
{
    if (k % 2)
        return (chg_real)(low + (high - low) * uniform());
    double size = exp(-40 * uniform());
    return (chg_real)(size * (k % 4 ? low : high));
}

static double ulp(long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    return ldexp(EPSILON, exponent - 1);
}

/* The error in ulp; a NaN is infinitely wrong. */
static double error_in(double unit, double got, long double exact)
{
    double error = (double)fabsl((long double)got - exact) / unit;
    return error >= 0 ? error : INFINITY;
}

static chg_real one_exp(chg_real x)
{
    return chgi_exp(chgi_splat(x))[CHGI_LANES - 1];
}

static chg_real one_sigmoid(chg_real x)
{
    return chgi_sigmoid(chgi_splat(x))[0];
}

static void check_exp(void)
{
    double worst = 0, worst_sigmoid = 0, absolute = 0, worst_slope = 0;
    for (int k = 0; k < SAMPLES; k++) {
        chg_real x = argument(k, LOW, HIGH);
        long double exact = expl((long double)x);
        worst = fmax(worst, error_in(ulp(exact), (double)one_exp(x), exact));
        long double s = x > 0 ? 1 / (1 + expl(-(long double)x)) : exact / (1 + exact);
        worst_sigmoid = fmax(worst_sigmoid, error_in(ulp(s), (double)one_sigmoid(x), s) / (4 + 2 * fabs((double)x)));
        absolute = fmax(absolute, error_in(EPSILON, (double)one_sigmoid(x), s));
        long double slope = s + (long double)x * s * (1 - s);
        chg_vector v = chgi_splat(x);
        double got = (double)chgi_silu_slope(v, chgi_sigmoid(v))[0];
        worst_slope = fmax(worst_slope, error_in(EPSILON, got, slope) / (2 + fabs((double)x)));
    }
    tap_ok(worst <= 2, "exp: %.2f ulp at most", worst);
    tap_ok(worst_sigmoid <= 1, "sigmoid: %.2f times 4 + 2 |x| ulp at most", worst_sigmoid);
    tap_ok(absolute <= 2, "sigmoid: %.2f epsilon at most", absolute);
    tap_ok(worst_slope <= 1, "slope of SiLU: %.2f times 2 + |x| epsilon at most", worst_slope);
}

/* Lanes do not look at each other. */
static void check_lanes(void)
{
    chg_vector x = {0};
    int same = 0;
    for (int k = 0; k < CHGI_LANES; k++)
        x[k] = (chg_real)(LOW + (HIGH - LOW) * (k + 0.5) / CHGI_LANES);
    chg_vector e = chgi_exp(x), s = chgi_sigmoid(x);
    chg_real sum = 0;
    for (int k = 0; k < CHGI_LANES; k++) {
        same += e[k] == one_exp(x[k]) && s[k] == one_sigmoid(x[k]);
        sum += x[k];
    }
    tap_is_int(same, CHGI_LANES, "each lane by itself");
    tap_near((double)chgi_sum(x), (double)sum, 1000 * EPSILON * CHGI_LANES, "sum over the lanes");
}

static void check_ends(void)
{
    const chg_real infinite = (chg_real)INFINITY, tiny = CHGI_DOUBLE ? (chg_real)5e-324 : (chg_real)1e-45;
    const chg_real huge = CHGI_DOUBLE ? (chg_real)1e308 : (chg_real)1e38,
                   smallest = CHGI_DOUBLE ? (chg_real)DBL_MIN : FLT_MIN;
    tap_ok(isnan(one_exp((chg_real)NAN)) && isnan(one_sigmoid((chg_real)NAN)), "NaN stays NaN");
    tap_ok(one_exp(infinite) == one_exp((chg_real)HIGH) && one_exp(huge) == one_exp((chg_real)HIGH),
           "exp stops growing at its largest argument, %g", (double)one_exp(infinite));
    tap_ok(one_exp(-infinite) == one_exp((chg_real)LOW) && one_exp(-huge) == one_exp((chg_real)LOW),
           "exp stops falling at its smallest argument, %g", (double)one_exp(-infinite));
    tap_ok(one_exp(-infinite) >= smallest && isfinite(one_exp(infinite)), "both are normal numbers");
    tap_ok(one_sigmoid(infinite) == 1 && one_sigmoid(huge) == 1, "sigmoid is 1 at the upper end");
    tap_ok(one_sigmoid(-infinite) <= 1e-37 && one_sigmoid(-infinite) >= 0 && one_sigmoid(-huge) <= 1e-37,
           "sigmoid is as good as 0 at the lower end");
    tap_ok(one_exp(0) == 1 && one_exp(tiny) == 1 && one_exp(-tiny) == 1, "exp is 1 at 0 and for denormal arguments");
    tap_ok(one_sigmoid(0) == (chg_real)0.5 && one_sigmoid(tiny) == (chg_real)0.5, "sigmoid is 1/2 there");
    tap_ok(chgi_silu_slope(chgi_splat(0), chgi_splat((chg_real)0.5))[0] == (chg_real)0.5, "slope of SiLU is 1/2 at 0");
}

static void one_sincos(double x, double *sine, double *cosine)
{
    chg_dvector s, c;
    chgi_sincos((chg_dvector){0} + x, &s, &c);
    *sine = s[CHGI_DOUBLE_LANES - 1];
    *cosine = c[0];
}

static double double_ulp(long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    return ldexp(DBL_EPSILON, exponent - 1);
}

static void check_sincos(void)
{
    double worst = 0, relative = 0, sine, cosine;
    for (int k = 0; k < SAMPLES; k++) {
        double x = 1e5 * (2 * uniform() - 1), near = 100 * (2 * uniform() - 1);
        if (k % 8 == 0) /* zeros of sine and cosine */
            near = 1.57079632679489661923 * floor(60 * (2 * uniform() - 1));
        one_sincos(x, &sine, &cosine);
        worst = fmax(worst, error_in(DBL_EPSILON, sine, sinl((long double)x)));
        worst = fmax(worst, error_in(DBL_EPSILON, cosine, cosl((long double)x)));
        one_sincos(near, &sine, &cosine);
        long double s = sinl((long double)near), c = cosl((long double)near);
        if (s != 0)
            relative = fmax(relative, error_in(double_ulp(s), sine, s));
        relative = fmax(relative, error_in(double_ulp(c), cosine, c));
    }
    tap_ok(worst <= 1, "sine and cosine: %.2f epsilon at most for |x| < 1e5", worst);
    tap_ok(relative <= 2, "sine and cosine: %.2f ulp at most for |x| < 100", relative);
    one_sincos(0, &sine, &cosine);
    tap_ok(sine == 0 && cosine == 1, "sine and cosine of 0");
    one_sincos(5e-324, &sine, &cosine);
    tap_ok(sine >= 0 && sine <= 5e-324 && cosine == 1, "sine and cosine of a denormal number");
    one_sincos(NAN, &sine, &cosine);
    tap_ok(isnan(sine) && isnan(cosine), "sine and cosine of NaN");
}

static double one_acos(double x)
{
    return chgi_acos((chg_dvector){0} + x)[CHGI_DOUBLE_LANES - 1];
}

static void check_acos(void)
{
    static const double ends[][2] = {{1, 0}, {-1, 3.14159265358979323846}, {0, 1.57079632679489661923}};
    double worst = 0;
    for (int k = 0; k < SAMPLES; k++) {
        double x = 2 * uniform() - 1, near = exp(-40 * uniform());
        x = k % 4 == 1 ? near : k % 4 == 2 ? 1 - near : k % 4 == 3 ? near - 1 : x;
        long double exact = acosl((long double)x);
        worst = fmax(worst, error_in(double_ulp(exact), one_acos(x), exact));
    }
    tap_ok(worst <= 2, "acos: %.2f ulp at most", worst);
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
        tap_ok(one_acos(ends[k][0]) == ends[k][1], "acos of %g is %.17g", ends[k][0], ends[k][1]);
    tap_ok(one_acos(5e-324) == one_acos(0), "acos of a denormal number");
    tap_ok(isnan(one_acos(NAN)) && isnan(one_acos(1.0000000000000002)) && isnan(one_acos(-INFINITY)),
           "acos beyond -1 and 1, and of NaN, is NaN");
}

/* Not inlined: main itself must run on any processor. */
__attribute__((noinline)) static void check_all(void)
{
    check_exp();
    check_lanes();
    check_ends();
    check_sincos();
    check_acos();
}

int main(void)
{
    if (chgi_kernel_choose(CHGI_DOUBLE, QUOTE(CHGI_ISA)))
        check_all();
    else
        tap_skip("this processor does not run " QUOTE(CHGI_ISA));
    return tap_done();
}
