/* Denormal numbers count as zero while a pass runs.
 *
 * Trained networks have dead channels, whose weights and gradients are denormal, and many processors take a hundred
 * times as long over those: on an Intel Xeon a step took six times as long.  What is lost is below 1e-37. */
#ifndef CHGI_NN_FLUSH_H
#define CHGI_NN_FLUSH_H

#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/** This thread flushes denormal numbers from now on.  \return for chgi_flush_end */
static inline uint64_t chgi_flush_begin(void)
{
#if defined(__SSE2__)
    enum { TO_ZERO = 0x8000, ARE_ZERO = 0x40 };
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | TO_ZERO | ARE_ZERO);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (uint64_t)1 << 24) : "memory");
    return before;
#else
    return 0;
#endif
}

/** The thread computes as before. */
static inline void chgi_flush_end(uint64_t before)
{
#if defined(__SSE2__)
    enum { BOTH = 0x8040 };
    _mm_setcsr((_mm_getcsr() & ~(unsigned)BOTH) | ((unsigned)before & BOTH));
#elif defined(__aarch64__)
    uint64_t now;
    __asm__ volatile("mrs %0, fpcr" : "=r"(now));
    __asm__ volatile("msr fpcr, %0" : : "r"((now & ~((uint64_t)1 << 24)) | (before & (uint64_t)1 << 24)) : "memory");
#else
    (void)before;
#endif
}

#endif
