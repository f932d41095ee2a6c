/* A product in single precision by AMX, which multiplies tiles of bfloat16: each number is cut into three parts of
 * eight bits, and the six products of parts that matter are added up.  Only tried here, see README.md.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _GNU_SOURCE /* syscall */
#include "amx.h"

#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 11 && defined(__linux__)

#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WIDTH = 64, ROWS = 32, PARTS = 3, HALVES = 2, BLOCKS = 4, TILE = 16 * 32 };
#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw")))

typedef struct configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} configuration;

/* Of the weights: pairs of rows side by side, as the instruction wants them. */
static uint16_t packed[PARTS][HALVES][BLOCKS][TILE] __attribute__((aligned(64)));
static uint16_t parts[PARTS][ROWS * WIDTH] __attribute__((aligned(64)));

static uint16_t cut(float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    uint32_t high = bits & 0xffff0000U;
    float part;
    memcpy(&part, &high, sizeof part);
    *x -= part;
    return (uint16_t)(high >> 16);
}

static void pack(const float *b, int64_t ldb)
{
    for (int k = 0; k < WIDTH; k++)
        for (int n = 0; n < WIDTH; n++) {
            float x = b[k * ldb + n];
            for (int s = 0; s < PARTS; s++)
                packed[s][k / 32][n / 16][k % 32 / 2 * 32 + n % 16 * 2 + k % 2] = cut(&x);
        }
}

AMX bool amx_start(const float *b, int64_t ldb)
{
    enum { ASK_FOR_STATE = 0x1023, TILE_DATA = 18 };
    if (!__builtin_cpu_supports("avx512bw") || syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) != 0)
        return false;
    configuration c = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        c.bytes[t] = 64;
        c.rows[t] = 16;
    }
    _tile_loadconfig(&c);
    pack(b, ldb);
    return true;
}

AMX static void split(const float *a, int64_t lda)
{
    uint16_t odd[32]; /* the upper halves of two vectors of float */
    for (int k = 0; k < 32; k++)
        odd[k] = (uint16_t)(2 * k + 1);
    const __m512i order = _mm512_loadu_si512(odd), mask = _mm512_set1_epi32((int)0xffff0000U);
    for (int r = 0; r < ROWS; r++)
        for (int half = 0; half < HALVES; half++) {
            __m512 x[2] = {_mm512_loadu_ps(a + r * lda + half * 32), _mm512_loadu_ps(a + r * lda + half * 32 + 16)};
            for (int s = 0; s < PARTS; s++) {
                _mm512_store_si512(parts[s] + r * WIDTH + half * 32,
                                   _mm512_permutex2var_epi16(_mm512_castps_si512(x[0]), order,
                                                             _mm512_castps_si512(x[1])));
                for (int v = 0; v < 2; v++)
                    x[v] = _mm512_sub_ps(x[v], _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x[v]), mask)));
            }
        }
}

/* Tiles 0 to 3 are 32 x 32 of the result, 4 and 5 of a's parts, 6 and 7 of the weights'. */
#define ROWS_OF(s)                                                        \
    _tile_loadd(4, parts[s] + half * 32, (long)sizeof(uint16_t) * WIDTH); \
    _tile_loadd(5, parts[s] + 16 * WIDTH + half * 32, (long)sizeof(uint16_t) * WIDTH)
#define COLUMNS_OF(s)                             \
    _tile_loadd(6, packed[s][half][column], 64L); \
    _tile_loadd(7, packed[s][half][column + 1], 64L)
#define MULTIPLY             \
    _tile_dpbf16ps(0, 4, 6); \
    _tile_dpbf16ps(1, 4, 7); \
    _tile_dpbf16ps(2, 5, 6); \
    _tile_dpbf16ps(3, 5, 7)

AMX static void block(const float *a, int64_t lda, float *out, int64_t ldo)
{
    long stride = (long)(sizeof *out) * ldo;
    split(a, lda);
    for (int column = 0; column < BLOCKS; column += 2) {
        float *to = out + (long)16 * column;
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int half = 0; half < HALVES; half++) { /* small products first */
            ROWS_OF(0);
            COLUMNS_OF(2);
            MULTIPLY;
            COLUMNS_OF(1);
            MULTIPLY;
            ROWS_OF(1);
            MULTIPLY;
            COLUMNS_OF(0);
            MULTIPLY;
            ROWS_OF(2);
            MULTIPLY;
            ROWS_OF(0);
            MULTIPLY;
        }
        _tile_stored(0, to, stride);
        _tile_stored(1, to + 16, stride);
        _tile_stored(2, to + 16 * ldo, stride);
        _tile_stored(3, to + 16 * ldo + 16, stride);
    }
}

AMX void amx_product(int64_t rows, int n, int k, const float *a, int64_t lda, const float *b, int64_t ldb,
                     const float *start, int64_t start_stride, float *out, int64_t ldo)
{
    (void)n, (void)k, (void)b, (void)ldb, (void)start, (void)start_stride;
    for (int64_t r = 0; r < rows; r += ROWS)
        block(a + r * lda, lda, out + r * ldo, ldo);
}

#else

bool amx_start(const float *b, int64_t ldb)
{
    (void)b, (void)ldb;
    return false;
}

void amx_product(int64_t rows, int n, int k, const float *a, int64_t lda, const float *b, int64_t ldb,
                 const float *start, int64_t start_stride, float *out, int64_t ldo)
{
    (void)rows, (void)n, (void)k, (void)a, (void)lda, (void)b, (void)ldb, (void)start, (void)start_stride, (void)out;
    (void)ldo;
}

#endif
