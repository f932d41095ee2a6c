/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/rng.h"

#include <math.h>
#include <string.h>

static const double TWO_PI = 6.283185307179586;

void chgi_rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4])
{
    uint32_t c[4], k0 = key[0], k1 = key[1];
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * c[0], b = (uint64_t)0xCD9E8D57 * c[2];
        uint32_t c0 = (uint32_t)(b >> 32) ^ c[1] ^ k0, c2 = (uint32_t)(a >> 32) ^ c[3] ^ k1;
        c[0] = c0;
        c[1] = (uint32_t)b;
        c[2] = c2;
        c[3] = (uint32_t)a;
        k0 += 0x9E3779B9; /* the golden ratio */
        k1 += 0xBB67AE85; /* sqrt(3) - 1 */
    }
    memcpy(block, c, sizeof c);
}

chgi_rng chgi_rng_start(uint64_t seed, uint16_t stream, uint64_t step, uint32_t item)
{
    chgi_rng rng = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                    .counter = {item, (uint32_t)stream << 16, (uint32_t)step, (uint32_t)(step >> 32)}};
    return rng;
}

static void next_block(chgi_rng *rng)
{
    chgi_rng_philox(rng->counter, rng->key, rng->block);
    rng->counter[1] = (rng->counter[1] & 0xFFFF0000u) | ((rng->counter[1] + 1) & 0xFFFFu);
    rng->left = 4;
}

double chgi_rng_uniform(chgi_rng *rng)
{
    if (rng->left < 2)
        next_block(rng);
    uint64_t high = rng->block[4 - rng->left], low = rng->block[5 - rng->left];
    rng->left -= 2;
    /* The middles of 2^52 equal pieces of (0,1): exact doubles, and neither end is among them. */
    return ((double)((high << 32 | low) >> 12) + 0.5) * 0x1p-52;
}

double chgi_rng_normal(chgi_rng *rng)
{
    if (rng->has_normal) {
        rng->has_normal = false;
        return rng->next_normal;
    }
    double radius = sqrt(-2 * log(chgi_rng_uniform(rng))), angle = TWO_PI * chgi_rng_uniform(rng);
    rng->has_normal = true;
    rng->next_normal = radius * sin(angle);
    return radius * cos(angle);
}

double chgi_rng_gamma(chgi_rng *rng, double shape)
{
    if (shape < 1) { /* a gamma of shape + 1 times a power of a uniform */
        double power = pow(chgi_rng_uniform(rng), 1 / shape);
        return power * chgi_rng_gamma(rng, shape + 1);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = chgi_rng_normal(rng), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(chgi_rng_uniform(rng)) < x * x / 2 + d - d * v + d * log(v))
            return d * v;
    }
}
