/* Random numbers without a state: known answers, moments, and that nothing is shared.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "base/rng.h"
#include "tap.h"

/* From the file kat_vectors of Random123 1.14. */
static void test_known_answers(void)
{
    static const struct {
        uint32_t counter[4], key[2], block[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t block[4];
        chgi_rng_philox(known[i].counter, known[i].key, block);
        tap_ok(memcmp(block, known[i].block, sizeof block) == 0, "Philox4x32-10, known answer %zu", i + 1);
    }
}

static double first(uint64_t seed, uint16_t stream, uint64_t step, uint32_t item)
{
    chgi_rng rng = chgi_rng_start(seed, stream, step, item);
    return chgi_rng_uniform(&rng);
}

static void test_keys(void)
{
    double base = first(1, 2, 3, 4);
    tap_ok(base == first(1, 2, 3, 4), "the same key gives the same number");
    tap_ok(base != first(2, 2, 3, 4) && base != first(1 | 1ull << 32, 2, 3, 4),
           "another seed gives another, in both words");
    tap_ok(base != first(1, 3, 3, 4), "another stream gives another");
    tap_ok(base != first(1, 2, 4, 4) && base != first(1, 2, 3 | 1ull << 32, 4), "another step, in both words");
    tap_ok(base != first(1, 2, 3, 5), "another item gives another");
    /* Two draws make one block; the 131073rd would begin the 65537th, which is the first again. */
    chgi_rng rng = chgi_rng_start(1, 2, 3, 4);
    double last = 0;
    for (int i = 0; i < 131073; i++)
        last = chgi_rng_uniform(&rng);
    tap_ok(last == base, "65536 blocks belong to an item, then they repeat and do not reach into another stream");
}

enum { SAMPLES = 400000 };

/* Means of x, x^2, x^3, x^4 over many items, one draw of each. */
static void moments(double (*draw)(chgi_rng *), double m[4])
{
    memset(m, 0, 4 * sizeof *m);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        chgi_rng rng = chgi_rng_start(7, 1, 0, i);
        double x = draw(&rng), power = x;
        for (int k = 0; k < 4; k++, power *= x)
            m[k] += power / SAMPLES;
    }
}

static double second_normal(chgi_rng *rng)
{
    chgi_rng_normal(rng);
    return chgi_rng_normal(rng);
}

static double gamma_half(chgi_rng *rng)
{
    return chgi_rng_gamma(rng, 0.5);
}

static double gamma_large(chgi_rng *rng)
{
    return chgi_rng_gamma(rng, 94.5);
}

/* Each tolerance is four standard errors of the mean of that power: 4 sqrt(variance of the power / samples). */
static void test_moments(void)
{
    double m[4], root = 4 / sqrt(SAMPLES);
    moments(chgi_rng_uniform, m);
    tap_near(m[0], 1.0 / 2, root * sqrt(1.0 / 12), "mean of a uniform");
    tap_near(m[1], 1.0 / 3, root * sqrt(4.0 / 45), "mean square of a uniform");
    moments(chgi_rng_normal, m);
    tap_near(m[0], 0, root, "mean of a normal");
    tap_near(m[1], 1, root * sqrt(2), "variance of a normal");
    tap_near(m[2], 0, root * sqrt(15), "third moment of a normal");
    tap_near(m[3], 3, root * sqrt(96), "fourth moment of a normal");
    moments(second_normal, m);
    tap_near(m[0], 0, root, "mean of the second normal of a pair");
    tap_near(m[1], 1, root * sqrt(2), "its variance");
    /* Gamma of shape a: mean a, E x^2 = a (a+1), var x = a, var x^2 = a (a+1) (4 a + 6). */
    moments(gamma_half, m);
    tap_near(m[0], 0.5, root * sqrt(0.5), "mean of a gamma, shape 1/2");
    tap_near(m[1], 0.75, root * sqrt(0.75 * 8), "its mean square");
    moments(gamma_large, m);
    tap_near(m[0], 94.5, root * sqrt(94.5), "mean of a gamma, shape 94.5");
    tap_near(m[1], 94.5 * 95.5, root * sqrt(94.5 * 95.5 * 384), "its mean square");
}

int main(void)
{
    test_known_answers();
    test_keys();
    test_moments();
    return tap_done();
}
