#include "nn/linear.h"

/* A block of ROWS x (VECTORS whole vectors) of the result stays in registers while k runs. */
#if defined(__AVX512F__)
enum { ROWS = 6, VECTORS = 4 };
#else
enum { ROWS = 6, VECTORS = 2 };
#endif

static inline __attribute__((always_inline)) void block(int rows, int vectors, int k, const chg_real *a, int64_t lda,
                                                        const chg_real *b, int64_t ldb, const chg_real *start,
                                                        int64_t start_stride, chg_real *out, int64_t ldo)
{
    chg_vector sum[ROWS][VECTORS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            sum[r][v] = chgi_load(start + r * start_stride + v * CHGI_LANES);
    for (int i = 0; i < k; i++) {
        chg_vector column[VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            column[v] = chgi_load(b + i * ldb + v * CHGI_LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++)
                sum[r][v] += a[r * lda + i] * column[v];
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++)
            chgi_store(out + r * ldo + v * CHGI_LANES, sum[r][v]);
}

/* One panel of columns, all rows; the compiler makes one straight block for each number of rows left over. */
static inline __attribute__((always_inline)) void panel(int64_t rows, int vectors, int k, const chg_real *a,
                                                        int64_t lda, const chg_real *b, int64_t ldb,
                                                        const chg_real *start, int64_t start_stride, chg_real *out,
                                                        int64_t ldo)
{
    int64_t r = 0;
    for (; r + ROWS <= rows; r += ROWS)
        block(ROWS, vectors, k, a + r * lda, lda, b, ldb, start + r * start_stride, start_stride, out + r * ldo, ldo);
#define CHGI_LEFT(count)                                                                                          \
    case count:                                                                                                   \
        block(count, vectors, k, a + r * lda, lda, b, ldb, start + r * start_stride, start_stride, out + r * ldo, \
              ldo);                                                                                               \
        break;
    switch (rows - r) {
        CHGI_LEFT(1)
        CHGI_LEFT(2)
        CHGI_LEFT(3)
        CHGI_LEFT(4)
        CHGI_LEFT(5)
    default:
        break;
    }
#undef CHGI_LEFT
}

#define CHGI_PANEL(name, vectors)                                                                         \
    static void name(int64_t rows, int k, const chg_real *a, int64_t lda, const chg_real *b, int64_t ldb, \
                     const chg_real *start, int64_t start_stride, chg_real *out, int64_t ldo)             \
    {                                                                                                     \
        panel(rows, vectors, k, a, lda, b, ldb, start, start_stride, out, ldo);                           \
    }
CHGI_PANEL(wide_panel, VECTORS)
CHGI_PANEL(half_panel, VECTORS / 2)
CHGI_PANEL(narrow_panel, 1)

void chgi_product(int64_t rows, int n, int k, const chg_real *a, int64_t lda, const chg_real *b, int64_t ldb,
                  const chg_real *start, int64_t start_stride, chg_real *out, int64_t ldo)
{
    int column = 0, wide = VECTORS * CHGI_LANES, half = wide / 2;
    for (; column + wide <= n; column += wide)
        wide_panel(rows, k, a, lda, b + column, ldb, start + column, start_stride, out + column, ldo);
    for (; column + half <= n; column += half)
        half_panel(rows, k, a, lda, b + column, ldb, start + column, start_stride, out + column, ldo);
    for (; column < n; column += CHGI_LANES)
        narrow_panel(rows, k, a, lda, b + column, ldb, start + column, start_stride, out + column, ldo);
}

void chgi_linear_bind(chgi_arena *arena, int n_in, int n_out, chgi_linear *linear)
{
    linear->n_in = chgi_pad(n_in);
    linear->n_out = chgi_pad(n_out);
    size_t count = (size_t)linear->n_in * (size_t)linear->n_out;
    linear->forward = chgi_arena_take(arena, count, sizeof(chg_real));
    linear->backward = chgi_arena_take(arena, count, sizeof(chg_real));
    linear->bias = chgi_arena_take(arena, (size_t)linear->n_out, sizeof(chg_real));
}

void chgi_linear_pack(chgi_linear *linear, const float *weight, int64_t ld, const float *bias, int n_in, int n_out,
                      int in_at, int out_at)
{
    for (int o = 0; o < n_out; o++) {
        for (int i = 0; i < n_in; i++) {
            chg_real value = weight[o * ld + i];
            linear->forward[(int64_t)(in_at + i) * linear->n_out + out_at + o] = value;
            linear->backward[(int64_t)(out_at + o) * linear->n_in + in_at + i] = value;
        }
        if (bias)
            linear->bias[out_at + o] = bias[o];
    }
}

void chgi_linear_center(chgi_linear *linear, int out_at, int n_out)
{
    double bias = 0;
    for (int o = out_at; o < out_at + n_out; o++)
        bias += (double)linear->bias[o] / n_out;
    for (int o = out_at; o < out_at + n_out; o++)
        linear->bias[o] = (chg_real)((double)linear->bias[o] - bias);
    for (int i = 0; i < linear->n_in; i++) {
        chg_real *row = linear->forward + (int64_t)i * linear->n_out;
        double mean = 0;
        for (int o = out_at; o < out_at + n_out; o++)
            mean += (double)row[o] / n_out;
        for (int o = out_at; o < out_at + n_out; o++) {
            row[o] = (chg_real)((double)row[o] - mean);
            linear->backward[(int64_t)o * linear->n_in + i] = row[o];
        }
    }
}

void chgi_linear_fuse(chgi_linear *fused, const chgi_linear *first, const chgi_linear *second, int out_at)
{
    for (int i = 0; i < first->n_in; i++)
        for (int o = 0; o < second->n_out; o++) {
            double sum = 0;
            for (int k = 0; k < first->n_out; k++)
                sum += (double)first->forward[(int64_t)i * first->n_out + k] *
                       (double)second->forward[(int64_t)k * second->n_out + o];
            fused->forward[(int64_t)i * fused->n_out + out_at + o] = (chg_real)sum;
            fused->backward[(int64_t)(out_at + o) * fused->n_in + i] = (chg_real)sum;
        }
}
