/* The kernels' number type, vector type and naming.
 *
 * Every file that includes this one is compiled several times: for float and double (CHGI_DOUBLE) and for each
 * instruction set (CHGI_ISA).  CHGI_K(name) makes the symbol unique; src/calc/kernel.c chooses one set at run time. */
#ifndef CHGI_NN_REAL_H
#define CHGI_NN_REAL_H

#include <stddef.h>
#include <stdint.h>

#ifndef CHGI_DOUBLE
#define CHGI_DOUBLE 0
#endif
#ifndef CHGI_ISA
#define CHGI_ISA generic
#endif

#define CHGI_PASTE_(name, precision, isa) chgi_##name##_##precision##_##isa
#define CHGI_PASTE(name, precision, isa) CHGI_PASTE_(name, precision, isa)

#if CHGI_DOUBLE
typedef double chg_real;
typedef int64_t chg_bits;
#define CHGI_K(name) CHGI_PASTE(name, f64, CHGI_ISA)
#else
typedef float chg_real;
typedef int32_t chg_bits;
#define CHGI_K(name) CHGI_PASTE(name, f32, CHGI_ISA)
#endif

#if defined(__AVX512F__)
#define CHGI_VECTOR_BYTES 64
#elif defined(__AVX__)
#define CHGI_VECTOR_BYTES 32
#else
#define CHGI_VECTOR_BYTES 16
#endif

enum {
    CHGI_LANES = CHGI_VECTOR_BYTES / (int)sizeof(chg_real),
    CHGI_DOUBLE_LANES = CHGI_VECTOR_BYTES / (int)sizeof(double),
    CHGI_PAD = 16 /* widths of features are padded to a multiple: whole vectors of any set */
};

/* May sit at any address that suits one number, and may alias arrays of numbers. */
typedef chg_real chg_vector __attribute__((vector_size(CHGI_VECTOR_BYTES), aligned(sizeof(chg_real)), may_alias));
typedef chg_bits chg_mask __attribute__((vector_size(CHGI_VECTOR_BYTES)));
typedef double chg_dvector __attribute__((vector_size(CHGI_VECTOR_BYTES), aligned(sizeof(double)), may_alias));
typedef int64_t chg_dmask __attribute__((vector_size(CHGI_VECTOR_BYTES)));

static inline int chgi_pad(int width)
{
    return (width + CHGI_PAD - 1) / CHGI_PAD * CHGI_PAD;
}

static inline chg_vector chgi_load(const chg_real *p)
{
    return *(const chg_vector *)p;
}

static inline void chgi_store(chg_real *p, chg_vector v)
{
    *(chg_vector *)p = v;
}

/** Call rows in from memory before they are written (`write` 1) or read (0). */
#define chgi_prefetch(first, count, write)                                                       \
    do {                                                                                         \
        const char *chgi_line_ = (const char *)(first);                                          \
        for (size_t chgi_at_ = 0; chgi_at_ < (size_t)(count) * sizeof(chg_real); chgi_at_ += 64) \
            __builtin_prefetch(chgi_line_ + chgi_at_, write, 2);                                 \
    } while (0)

/** For functions that are called with constant widths, so that loops over a row unroll and rows stay in registers. */
#define CHGI_INLINE static inline __attribute__((always_inline))

static inline chg_vector chgi_splat(chg_real x)
{
    return (chg_vector){0} + x;
}

#endif
