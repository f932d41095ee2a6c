/* Random numbers without a state: each is a function of (seed, stream, step, item, draw), so a run gives the same
 * numbers for any number of threads, in any order, and after it is resumed.
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_BASE_RNG_H
#define CHGI_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

/** The numbers that belong to one item (an atom, say) at one step; kept on the stack while they are drawn. */
typedef struct chgi_rng {
    uint32_t key[2];
    uint32_t counter[4]; /**< item, stream and number of blocks drawn, step (two words) */
    uint32_t block[4];
    int left;           /**< words of `block` not yet used */
    bool has_normal;    /**< normals come in pairs */
    double next_normal; /**< the second of the pair */
} chgi_rng;

/** One block of Philox4x32-10: 128 random bits from a counter and a key. */
void chgi_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]);

/** Start the numbers of an item.  Up to 65536 blocks of 128 bits belong to it; further ones repeat.
 *  \param[in] stream  what the numbers are for, so that different uses never share them */
chgi_rng chgi_rng_start(uint64_t seed, uint16_t stream, uint64_t step, uint32_t item);

/** Uniform in (0,1), never 0 and never 1, with 52 random bits. */
double chgi_rng_uniform(chgi_rng *rng);

/** Normal with mean 0 and variance 1 (Box, Muller 1958). */
double chgi_rng_normal(chgi_rng *rng);

/** Gamma distributed with the given shape > 0 and scale 1: Marsaglia, Tsang, ACM Trans. Math. Softw. 26, 363 (2000). */
double chgi_rng_gamma(chgi_rng *rng, double shape);

#endif
