/* Elementary functions on vectors: exp, sigmoid, SiLU; sin, cos and acos in double.  Accurate to a few units in the
 * last place; NaN stays NaN, and sigmoid saturates at 0 and 1 for infinities. Polynomials: Taylor series on the reduced
 * range in double, the Cephes library's minimax ones in single and for sine and cosine (S. Moshier's and fdlibm's
 * published coefficients). */
#ifndef CHGI_NN_VECMATH_H
#define CHGI_NN_VECMATH_H

#include <math.h>

#include "nn/real.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* min and max keep a NaN that stands in x. */
static inline chg_vector chgi_clamp(chg_vector x, chg_real low, chg_real high)
{
    chg_vector lo = chgi_splat(low), hi = chgi_splat(high);
#if defined(__AVX512F__) && CHGI_DOUBLE
    return (chg_vector)_mm512_max_pd((__m512d)lo, _mm512_min_pd((__m512d)hi, (__m512d)x));
#elif defined(__AVX512F__)
    return (chg_vector)_mm512_max_ps((__m512)lo, _mm512_min_ps((__m512)hi, (__m512)x));
#elif defined(__AVX__) && CHGI_DOUBLE
    return (chg_vector)_mm256_max_pd((__m256d)lo, _mm256_min_pd((__m256d)hi, (__m256d)x));
#elif defined(__AVX__)
    return (chg_vector)_mm256_max_ps((__m256)lo, _mm256_min_ps((__m256)hi, (__m256)x));
#else
    chg_mask over = x > hi, under = x < lo;
    x = (chg_vector)((over & (chg_mask)hi) | (~over & (chg_mask)x));
    return (chg_vector)((under & (chg_mask)lo) | (~under & (chg_mask)x));
#endif
}

/** exp(x) for x that is clamped to the range of normal numbers. */
static inline chg_vector chgi_exp(chg_vector x)
{
#if CHGI_DOUBLE
    const chg_real magic = 0x1.8p52, ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    enum { MANTISSA = 52 };
    x = chgi_clamp(x, -708.0, 709.0);
#else
    const chg_real magic = 0x1.8p23F, ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    enum { MANTISSA = 23 };
    x = chgi_clamp(x, -87.0F, 88.0F);
#endif
    chg_vector t = x * (chg_real)1.44269504088896340736 + magic; /* the nearest integer lands in the low bits */
    chg_vector n = t - magic;
    chg_vector r = x - n * ln2_high - n * ln2_low;
#if CHGI_DOUBLE
    chg_vector p = chgi_splat(1.0 / 6227020800.0);
    const double c[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                        1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5};
    for (size_t k = 0; k < sizeof c / sizeof *c; k++)
        p = p * r + c[k];
#else
    chg_vector p = chgi_splat(1.9875691500e-4F);
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
#endif
    p = p * (r * r) + r + (chg_real)1;
    return (chg_vector)((chg_mask)p + ((chg_mask)t << MANTISSA));
}

#if defined(__AVX512F__) && !CHGI_DOUBLE
/* 1/(1 + 2^t) with t = -x log2(e): the instruction that scales by 2^floor(t) needs no bit tricks.  The polynomial is
 * the minimax one of degree 5 for 2^r on [0,1] that is right at both ends, relative error 9.3e-8.  Rounding t is as
 * good as rounding x. */
static inline chg_vector chgi_sigmoid(chg_vector x)
{
    __m512 t = _mm512_min_ps(_mm512_set1_ps(126), _mm512_mul_ps((__m512)x, _mm512_set1_ps(-1.44269502F))); /* or NaN */
    __m512 r = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 p = _mm512_set1_ps(1.879318617284298e-3F);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.990994654595852e-3F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.581867694854736e-2F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.240159273147583F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.6931517124176025F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return (chg_real)1 / (chg_vector)_mm512_add_ps(_mm512_set1_ps(1), _mm512_scalef_ps(p, t));
}
#else
static inline chg_vector chgi_sigmoid(chg_vector x)
{
    return (chg_real)1 / ((chg_real)1 + chgi_exp(-x));
}
#endif

/** Derivative of SiLU, x sigmoid(x), from x and s = sigmoid(x). */
static inline chg_vector chgi_silu_slope(chg_vector x, chg_vector s)
{
    return s + x * s * ((chg_real)1 - s);
}

/** Sum over the lanes of a vector. */
static inline chg_real chgi_sum(chg_vector v)
{
#if defined(__AVX512F__) && CHGI_DOUBLE
    return _mm512_reduce_add_pd((__m512d)v);
#elif defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)v);
#else
    chg_real part[CHGI_LANES];
    chgi_store(part, v);
    for (int width = CHGI_LANES / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++)
            part[k] += part[k + width];
    return part[0];
#endif
}

/** The sums over the lanes of each of CHGI_LANES vectors. */
static inline chg_vector chgi_sum_each(const chg_vector v[CHGI_LANES])
{
#if defined(__AVX512F__) && !CHGI_DOUBLE
    __m512 pair[8], four[4], eight[2];
    for (int k = 0; k < 8; k++) {
        __m512 a = (__m512)v[2 * k], b = (__m512)v[2 * k + 1];
        pair[k] = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
    for (int k = 0; k < 4; k++) {
        __m512d a = _mm512_castps_pd(pair[2 * k]), b = _mm512_castps_pd(pair[2 * k + 1]);
        four[k] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)), _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
    }
    for (int k = 0; k < 2; k++)
        eight[k] = _mm512_add_ps(_mm512_shuffle_f32x4(four[2 * k], four[2 * k + 1], 0x88),
                                 _mm512_shuffle_f32x4(four[2 * k], four[2 * k + 1], 0xdd));
    return (chg_vector)_mm512_add_ps(_mm512_shuffle_f32x4(eight[0], eight[1], 0x88),
                                     _mm512_shuffle_f32x4(eight[0], eight[1], 0xdd));
#else
    chg_vector sum = {0};
    for (int k = 0; k < CHGI_LANES; k++)
        sum[k] = chgi_sum(v[k]);
    return sum;
#endif
}

static inline chg_dvector chgi_select(chg_dmask mask, chg_dvector yes, chg_dvector no)
{
    return (chg_dvector)((mask & (chg_dmask)yes) | (~mask & (chg_dmask)no));
}

/** 1/(1 + exp(-x)) in double, relative error below 1e-10: for tables. */
static inline chg_dvector chgi_sigmoid_double(chg_dvector x)
{
    const double magic = 0x1.8p52;
    const chg_dvector zero = {0}, high = zero + 60.0, low = zero - 60.0;
    chg_dvector t = x * -1.44269504088896340736;
    t = chgi_select(t > high, high, chgi_select(t < low, low, t));
    chg_dvector shifted = t + magic, r = (t - (shifted - magic)) * 0.69314718055994530942, p = zero + 1.0 / 362880;
    for (int k = 8; k > 0; k--)
        p = p * r + (double[]){1, 1, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320}[k];
    p = p * r + 1.0;
    return 1.0 / (1.0 + (chg_dvector)((chg_dmask)p + ((chg_dmask)shifted << 52)));
}

/** sin(x) and cos(x) for |x| below about 1e5, in double. */
static inline void chgi_sincos(chg_dvector x, chg_dvector *sine, chg_dvector *cosine)
{
    const double magic = 0x1.8p52;
    chg_dvector t = x * 0.63661977236758134308 + magic; /* quarter turns */
    chg_dvector n = t - magic;
    chg_dvector r =
        x - n * 1.57079632673412561417e+00 - n * 6.07710050630396597660e-11 - n * 2.02226624879595063154e-21;
    chg_dvector z = r * r, s = {0}, c = {0};
    s = s + 1.58969099521155010221e-10;
    s = s * z - 2.50507602534068634195e-08;
    s = s * z + 2.75573137070700676789e-06;
    s = s * z - 1.98412698298579493134e-04;
    s = s * z + 8.33333333332248946124e-03;
    s = s * z - 1.66666666666666324348e-01;
    s = r + r * z * s;
    c = c - 1.13596475577881948265e-11;
    c = c * z + 2.08757232129817482790e-09;
    c = c * z - 2.75573143513906633035e-07;
    c = c * z + 2.48015872894767294178e-05;
    c = c * z - 1.38888888888741095749e-03;
    c = c * z + 4.16666666666666019037e-02;
    c = 1.0 - 0.5 * z + z * z * c;
    chg_dmask quarter = (chg_dmask)t;
    chg_dmask odd = -(quarter & 1), sine_minus = (quarter & 2) << 62, cosine_minus = ((quarter + 1) & 2) << 62;
    *sine = (chg_dvector)((chg_dmask)chgi_select(odd, c, s) ^ sine_minus);
    *cosine = (chg_dvector)((chg_dmask)chgi_select(odd, s, c) ^ cosine_minus);
}

/** acos(x), in double; NaN beyond -1 and 1.  Below 1/2 from asin(x) = x + x R(x^2), above through half the angle:
 *  acos(x) = 2 asin(sqrt((1 - x)/2)). */
static inline chg_dvector chgi_acos(chg_dvector x)
{
    static const double top[] = {3.47933107596021167570e-05, 7.91534994289814532176e-04,  -4.00555345006794114027e-02,
                                 2.01212532134862925881e-01, -3.25565818622400915405e-01, 1.66666666666666657415e-01};
    static const double under[] = {7.70381505559019352791e-02, -6.88283971605453293030e-01, 2.02094576023350569471e+00,
                                   -2.40339491173441421878e+00, 1};
    const double half_high = 1.57079632679489655800e+00, half_low = 6.12323399573676603587e-17; /* of pi */
    const chg_dvector zero = {0};
    chg_dmask negative = x < 0.0;
    chg_dvector size = chgi_select(negative, -x, x), p = zero, q = zero, root = zero;
    chg_dmask inner = size < 0.5;
    chg_dvector z = chgi_select(inner, x * x, 0.5 * (1.0 - size));
    for (size_t k = 0; k < sizeof top / sizeof *top; k++)
        p = p * z + top[k];
    for (size_t k = 0; k < sizeof under / sizeof *under; k++)
        q = q * z + under[k];
    for (int k = 0; k < CHGI_DOUBLE_LANES; k++)
        root[k] = sqrt(z[k]);
    chg_dvector share = z * p / q, twice = 2.0 * (root + root * share);
    chg_dvector outer = chgi_select(negative, 2.0 * half_high - (twice - 2.0 * half_low), twice);
    return chgi_select(inner, half_high - (x - (half_low - x * share)), outer);
}

#endif
