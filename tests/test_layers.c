/* The kernels of src/nn in double against plain formulas, and their gradients against central differences.
 *
 * Compiled for double with the generic instruction set; other sets and whole layers are in test_network.c.
 * Values: sums of up to 128 terms round to 1e-14 of the largest; 1e-12 is allowed.  Gradients: differences with steps h
 * and 2h, extrapolated, h = 1e-3 for functions that change over lengths of 1: h^4 = 1e-12 is left, and rounding 1e-16 /
 * h. The steepest basis function is sin(31 pi r / 3): there h = 2e-5, which leaves (31 pi / 3)^5 h^4 = 6e-12 and 1e-16
 * / h. 1e-8 of the largest is allowed in both. */
#include "base/arena.h"
#include "base/memory.h"
#include "nn/basis.h"
#include "nn/gated.h"
#include "plain.h"
#include "sample.h"

enum { MOST_ROWS = 48, MOST_WIDTH = 160 };

static const double PI = 3.14159265358979323846, VALUE_TOLERANCE = 1e-12, SLOPE_TOLERANCE = 1e-8;

static uint64_t state = 9;

static double *doubles(int64_t count)
{
    double *x = chgi_memory_new((size_t)count, sizeof *x);
    if (!x)
        tap_bail("no memory");
    return x;
}

static float *random_floats(int64_t count, double size)
{
    float *x = chgi_memory_new((size_t)count, sizeof *x);
    if (!x)
        tap_bail("no memory");
    for (int64_t k = 0; k < count; k++)
        x[k] = (float)sample_symmetric(&state, size);
    return x;
}

static bool close_to(int64_t count, const double *got, const double *want, double tolerance)
{
    return sample_error(count, got, want) <= tolerance * fmax(1e-300, sample_largest(count, want));
}

/* ---- bases ------------------------------------------------------------------------------------ */

enum { MOST_FUNCTIONS = 40, ROOM = MOST_FUNCTIONS + 3 * CHGI_PAD };

/* A basis with its derivatives, and the plain one. */
typedef struct basis {
    const chgi_radial *radial; /* NULL: angular */
    const chgi_angular *angular;
    const double *omega;
} basis;

static int functions(const basis *b)
{
    return b->radial ? b->radial->n : b->angular->n;
}

static void evaluate(const basis *b, double x, double *value, double *slope, double *curvature)
{
    if (b->radial)
        chgi_radial_basis(b->radial, x, value, slope, curvature);
    else
        chgi_angular_basis(b->angular, x, value, slope, curvature);
}

static void evaluate_plain(const basis *b, double x, double *value)
{
    if (b->radial)
        plain_radial(b->radial->n, b->omega, b->radial->cutoff, b->radial->power, x, value);
    else
        plain_angular((b->angular->n - 1) / 2, b->omega, x, value);
}

/* Value against the plain one, slope against differences of the value, curvature against differences of the slope.  The
 * envelope has no third derivative at the cutoff, so that arguments keep two steps away from it.  Errors are relative
 * to what the largest frequency makes of the largest value, or of 0.1: near the cutoff terms of size 80 cancel. */
static void check_basis(const basis *b, double low, double high, const char *label)
{
    enum { ARGUMENTS = 200 };
    const double h = 2e-5;
    double error[3] = {0, 0, 0}, steep = b->omega[(functions(b) - 1) / (b->radial ? 1 : 2) - (b->radial ? 0 : 1)];
    steep = b->radial ? steep / b->radial->cutoff + 1 / low : steep;
    for (int trial = 0; trial < ARGUMENTS; trial++) {
        double x = low + (high - low) * sample_uniform(&state), want[ROOM], at[5][3][ROOM];
        int n = functions(b);
        for (int k = -2; k <= 2; k++)
            evaluate(b, x + k * h, at[k + 2][0], at[k + 2][1], at[k + 2][2]);
        evaluate_plain(b, x, want);
        double scale = fmax(0.1, sample_largest(n, want));
        error[0] = fmax(error[0], sample_error(n, at[2][0], want) / scale);
        for (int d = 1; d < 3; d++) {
            scale *= steep;
            for (int f = 0; f < n; f++) {
                double difference =
                    (8 * (at[3][d - 1][f] - at[1][d - 1][f]) - (at[4][d - 1][f] - at[0][d - 1][f])) / (12 * h);
                error[d] = fmax(error[d], fabs(at[2][d][f] - difference) / scale);
            }
        }
    }
    tap_ok(error[0] <= VALUE_TOLERANCE, "%s: values, error %.1e", label, error[0]);
    tap_ok(error[1] <= SLOPE_TOLERANCE, "%s: slopes, error %.1e", label, error[1]);
    tap_ok(error[2] <= SLOPE_TOLERANCE, "%s: curvatures, error %.1e", label, error[2]);
}

/* At the cutoff the envelope goes to zero as (1 - x)^3, and beyond it is zero. */
static void check_cutoff(const basis *b, const char *label)
{
    double value[ROOM], slope[ROOM], curvature[ROOM], c = b->radial->cutoff, power = b->radial->power;
    int n = functions(b);
    evaluate(b, c * (1 - 1e-4), value, slope, curvature);
    double near = sample_largest(n, value);
    /* f = p (p+1) (p+2) / 6 (1 - x)^3 to leading order, times at most sqrt(2/c)/c, with room for higher orders */
    double most = 1.1 * power * (power + 1) * (power + 2) / 6 * 1e-12 * sqrt(2 / c) / c;
    tap_ok(near <= most + 1e-15 && near > 0, "%s: %.1e at 1 - 1e-4 of the cutoff, at most %.1e", label, near, most);
    for (int k = 0; k < 2; k++) {
        evaluate(b, k ? c * (1 + 1e-9) : c, value, slope, curvature);
        tap_ok(sample_largest(n, value) == 0 && sample_largest(n, slope) == 0, "%s: zero %s the cutoff", label,
               k ? "beyond" : "at");
    }
}

static void check_bases(void)
{
    const double powers[] = {0, 1, 2, 5, 8};
    double omega[ROOM] = {0};
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++)
        for (int n = 7; n <= 31; n += 24) {
            char label[80];
            memset(omega, 0, sizeof omega);
            for (int k = 0; k < n; k++)
                omega[k] = PI * (k + 1) * (1 + sample_symmetric(&state, 0.02));
            chgi_radial radial = {.n = n, .cutoff = n == 7 ? 6 : 3, .power = powers[p], .omega = omega};
            basis b = {.radial = &radial, .omega = omega};
            snprintf(label, sizeof label, "radial basis, %d functions, power %g", n, powers[p]);
            check_basis(&b, 0.7, radial.cutoff - 1e-4, label);
            if (powers[p] > 0)
                check_cutoff(&b, label);
        }
    for (int n = 3; n <= 31; n += 14) {
        char label[80];
        memset(omega, 0, sizeof omega);
        for (int k = 0; k < (n - 1) / 2; k++)
            omega[k] = (k + 1) * (1 + sample_symmetric(&state, 0.02));
        chgi_angular angular = {.n = n, .omega = omega};
        basis b = {.angular = &angular, .omega = omega};
        snprintf(label, sizeof label, "angular basis, %d functions", n);
        check_basis(&b, 0, PI, label);
    }
}

/* ---- linear maps ------------------------------------------------------------------------------- */

static chgi_arena linear_new(chgnet_context *ctx, int n_in, int n_out, chgi_linear *linear)
{
    chgi_arena count = {0}, arena = {0};
    chgi_linear_bind(&count, n_in, n_out, linear);
    sample_must(ctx, chgi_arena_reserve_zeroed(ctx, &arena, count.used));
    chgi_linear_bind(&arena, n_in, n_out, linear);
    return arena;
}

static void check_linear(chgnet_context *ctx, int rows, int n_in, int n_out)
{
    char label[80];
    chgi_linear linear;
    chgi_arena arena = linear_new(ctx, n_in, n_out, &linear);
    float *weight = random_floats(n_in * n_out, 1), *bias = random_floats(n_out, 1);
    double *x = doubles(rows * linear.n_in), *y = doubles(rows * linear.n_out), *want = doubles(n_out);
    double *back = doubles(rows * linear.n_in), *zero = doubles(linear.n_in), error = 0, padding = 0, difference = 0;
    chgi_linear_pack(&linear, weight, n_in, bias, n_in, n_out, 0, 0);
    for (int r = 0; r < rows; r++)
        sample_fill(&state, 1, n_in, x + r * linear.n_in);
    chgi_product(rows, linear.n_out, linear.n_in, x, linear.n_in, linear.forward, linear.n_out, linear.bias, 0, y,
                 linear.n_out);
    for (int r = 0; r < rows; r++) {
        plain_linear(weight, bias, n_in, n_out, x + r * linear.n_in, want);
        error = fmax(error, sample_error(n_out, y + r * linear.n_out, want) / n_in);
        padding = fmax(padding, sample_largest(linear.n_out - n_out, y + r * linear.n_out + n_out));
    }
    snprintf(label, sizeof label, "linear map of %d rows, %d to %d", rows, n_in, n_out);
    tap_ok(error <= VALUE_TOLERANCE && padding == 0, "%s: values, error %.1e, and zeros in the padding", label, error);
    /* The map is linear: its gradient is W^T dy, exactly; dy is y here. */
    chgi_product(rows, linear.n_in, linear.n_out, y, linear.n_out, linear.backward, linear.n_in, zero, 0, back,
                 linear.n_in);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < n_in; i++) {
            double sum = 0;
            for (int o = 0; o < n_out; o++)
                sum += (double)weight[o * n_in + i] * y[r * linear.n_out + o];
            difference = fmax(difference, fabs(sum - back[r * linear.n_in + i]) / n_in / n_out);
        }
    tap_ok(difference <= VALUE_TOLERANCE, "%s: gradient, error %.1e", label, difference);
    void *arrays[] = {weight, bias, x, y, want, back, zero};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    chgi_arena_destroy(&arena);
}

/* ---- gated MLP --------------------------------------------------------------------------------- */

/* The whole of it, with the first map in front. */
typedef struct mlp {
    int n_in, hidden, n_out, rows;
    bool norm;
    float *first[2], *first_bias[2], *second[2], *second_bias[2], *scale[2], *shift[2]; /* core, gate */
    chgi_linear map;
    chgi_gated gated;
    chgi_arena arenas[3], norm_arena;
    double *x, *y, *h, *g, *dy, *dx, *din, *zero;
} mlp;

static void mlp_weights(mlp *m)
{
    int middle = m->hidden ? m->hidden : m->n_out;
    for (int k = 0; k < 2; k++) {
        m->first[k] = random_floats(middle * m->n_in, 1 / sqrt(m->n_in));
        m->first_bias[k] = random_floats(middle, 0.5);
        m->second[k] = random_floats(m->n_out * middle, 1 / sqrt(middle));
        m->second_bias[k] = random_floats(m->n_out, 0.5);
        m->scale[k] = random_floats(m->n_out, 0.5);
        m->shift[k] = random_floats(m->n_out, 0.5);
        for (int c = 0; c < m->n_out; c++)
            m->scale[k][c] += 1;
    }
}

static void mlp_bind_norm(chgi_arena *arena, mlp *m)
{
    for (int k = 0; k < 2; k++) {
        m->gated.scale[k] = chgi_arena_take(arena, (size_t)m->gated.n_out, sizeof(chg_real));
        m->gated.shift[k] = chgi_arena_take(arena, (size_t)m->gated.n_out, sizeof(chg_real));
    }
}

/* A LayerNorm behind a map wants it centered. */
static void mlp_bind(chgnet_context *ctx, mlp *m)
{
    chgi_gated *g = &m->gated;
    *g = (chgi_gated){.n_hidden = chgi_pad(m->hidden),
                      .n_out = chgi_pad(m->n_out),
                      .n_feature = m->n_out,
                      .norm = m->norm};
    int width = chgi_gated_width(g), middle = m->hidden ? m->hidden : m->n_out;
    m->arenas[0] = linear_new(ctx, m->n_in, width, &m->map);
    chgi_linear *second[] = {&g->core, &g->gate};
    for (int k = 0; k < 2; k++) {
        chgi_linear_pack(&m->map, m->first[k], m->n_in, m->first_bias[k], m->n_in, middle, 0, k * width / 2);
        if (m->hidden) {
            m->arenas[1 + k] = linear_new(ctx, m->hidden, m->n_out, second[k]);
            chgi_linear_pack(second[k], m->second[k], m->hidden, m->second_bias[k], m->hidden, m->n_out, 0, 0);
        }
        if (m->norm && m->hidden)
            chgi_linear_center(second[k], 0, m->n_out);
        else if (m->norm)
            chgi_linear_center(&m->map, k * width / 2, m->n_out);
    }
    chgi_arena count = {0};
    mlp_bind_norm(&count, m);
    sample_must(ctx, chgi_arena_reserve_zeroed(ctx, &m->norm_arena, count.used));
    mlp_bind_norm(&m->norm_arena, m);
    for (int k = 0; k < 2; k++)
        for (int c = 0; c < m->n_out; c++) {
            g->scale[k][c] = m->norm ? (double)m->scale[k][c] : 1;
            g->shift[k][c] = m->norm ? (double)m->shift[k][c] : 0;
        }
}

static void mlp_new(chgnet_context *ctx, mlp *m)
{
    mlp_weights(m);
    mlp_bind(ctx, m);
    int width = chgi_gated_width(&m->gated), n = m->gated.n_out;
    double **arrays[] = {&m->x, &m->h, &m->dx, &m->y, &m->dy, &m->g, &m->din, &m->zero};
    const int widths[] = {width, width, width, 2 * n, 2 * n, n, m->map.n_in, m->map.n_in};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        *arrays[k] = doubles(m->rows * widths[k]);
}

static void mlp_free(mlp *m)
{
    void *arrays[] = {m->x, m->h, m->dx, m->y, m->dy, m->g, m->din, m->zero};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    for (int k = 0; k < 2; k++) {
        void *weights[] = {m->first[k], m->first_bias[k], m->second[k], m->second_bias[k], m->scale[k], m->shift[k]};
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
            chgi_memory_free(weights[w]);
    }
    for (int k = 0; k < 3; k++)
        chgi_arena_destroy(&m->arenas[k]);
    chgi_arena_destroy(&m->norm_arena);
}

static void mlp_forward(mlp *m, const double *in)
{
    int width = chgi_gated_width(&m->gated);
    double *first = m->hidden ? m->x : m->y;
    chgi_product(m->rows, width, m->map.n_in, in, m->map.n_in, m->map.forward, width, m->map.bias, 0, first, width);
    if (m->hidden)
        chgi_gated_activate(&m->gated, m->rows, m->x, m->h);
    chgi_gated_forward(&m->gated, m->rows, m->h, m->y, m->g);
}

static void mlp_plain(const mlp *m, const double *in, double *out)
{
    double branch[2][MOST_WIDTH], middle[MOST_WIDTH];
    int first = m->hidden ? m->hidden : m->n_out;
    for (int k = 0; k < 2; k++) {
        plain_linear(m->first[k], m->first_bias[k], m->n_in, first, in, m->hidden ? middle : branch[k]);
        for (int c = 0; c < m->hidden; c++)
            middle[c] = plain_silu(middle[c]);
        if (m->hidden)
            plain_linear(m->second[k], m->second_bias[k], m->hidden, m->n_out, middle, branch[k]);
        if (m->norm)
            plain_norm(m->scale[k], m->shift[k], m->n_out, branch[k]);
    }
    for (int c = 0; c < m->n_out; c++)
        out[c] = plain_silu(branch[0][c]) * plain_sigmoid(branch[1][c]);
}

static double mlp_sum(mlp *m, const double *in, const double *seed)
{
    double sum = 0;
    mlp_forward(m, in);
    for (int64_t k = 0; k < (int64_t)m->rows * m->gated.n_out; k++)
        sum += seed[k] * m->g[k];
    return sum;
}

/* Derivative of the seeded sum along `direction`. */
static double mlp_difference(mlp *m, const double *in, const double *seed, const double *direction)
{
    const double h = 1e-3;
    double side[5] = {0}, moved[MOST_ROWS * MOST_WIDTH];
    for (int k = -2; k <= 2; k++) {
        for (int i = 0; i < m->rows * m->map.n_in; i++)
            moved[i] = in[i] + k * h * direction[i];
        side[k + 2] = mlp_sum(m, moved, seed);
    }
    return (8 * (side[3] - side[1]) - (side[4] - side[0])) / (12 * h);
}

static void mlp_gradient(mlp *m, const double *in, const double *seed, double *din)
{
    int width = chgi_gated_width(&m->gated), n = m->map.n_in;
    mlp_forward(m, in);
    double *again = doubles(m->rows * m->gated.n_out);
    chgi_gated_backward(&m->gated, m->rows, m->x, m->y, seed, again, m->dy, m->dx);
    bool same = close_to(m->rows * m->gated.n_out, again, m->g, VALUE_TOLERANCE);
    chgi_memory_free(again);
    if (!same)
        tap_ok(false, "the reverse pass gives the forward result once more");
    chgi_product(m->rows, n, width, m->dx, width, m->map.backward, n, m->zero, 0, din, n);
}

static void check_mlp(chgnet_context *ctx, int rows, int n_in, int hidden, int n_out, bool norm)
{
    enum { DIRECTIONS = 3 };
    char label[120];
    mlp m = {.rows = rows, .n_in = n_in, .hidden = hidden, .n_out = n_out, .norm = norm};
    mlp_new(ctx, &m);
    int width = m.map.n_in, n = m.gated.n_out;
    double *in = doubles(rows * width), *direction = doubles(rows * width), *seed = doubles(rows * n);
    double want[MOST_WIDTH], error = 0, gradient = 0, largest = 0, padding = 0;
    for (int r = 0; r < rows; r++) {
        sample_fill(&state, 2, n_in, in + r * width);
        sample_fill(&state, 1, n_out, seed + r * n);
    }
    mlp_forward(&m, in);
    for (int r = 0; r < rows; r++) {
        mlp_plain(&m, in + r * width, want);
        error = fmax(error, sample_error(n_out, m.g + r * n, want));
        padding = fmax(padding, sample_largest(n - n_out, m.g + r * n + n_out));
    }
    snprintf(label, sizeof label, "gated MLP of %d rows, %d to %d to %d%s", rows, n_in, hidden, n_out,
             norm ? ", LayerNorm" : "");
    tap_ok(error <= VALUE_TOLERANCE && padding == 0, "%s: values, error %.1e, and zeros in the padding", label, error);
    mlp_gradient(&m, in, seed, m.din);
    largest = sample_largest(rows * width, m.din);
    for (int trial = 0; trial < DIRECTIONS; trial++) {
        double along = 0;
        for (int r = 0; r < rows; r++)
            sample_fill(&state, 1, n_in, direction + r * width);
        for (int k = 0; k < rows * width; k++)
            along += direction[k] * m.din[k];
        gradient = fmax(gradient, fabs(along - mlp_difference(&m, in, seed, direction)));
    }
    tap_ok(gradient <= SLOPE_TOLERANCE * largest, "%s: gradient, error %.1e of %.2g", label, gradient, largest);
    chgi_memory_free(in);
    chgi_memory_free(direction);
    chgi_memory_free(seed);
    mlp_free(&m);
}

int main(void)
{
    const int sizes[][4] = {{1, 20, 0, 20},   {7, 20, 0, 64},  {48, 64, 0, 64},   {9, 12, 40, 5},
                            {13, 24, 33, 20}, {8, 64, 64, 64}, {48, 10, 128, 64}, {3, 16, 16, 70}};
    chgnet_context *ctx = sample_context();
    check_bases();
    for (int rows = 1; rows <= 48; rows = rows * 2 + 1)
        check_linear(ctx, rows, 20 + rows, 70 - rows);
    check_linear(ctx, 48, 64, 128);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int norm = 0; norm < 2; norm++)
            check_mlp(ctx, sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3], norm);
    chgnet_context_destroy(ctx);
    return tap_done();
}
