#include "nn/table.h"

#include <math.h>

#include "nn/vecmath.h"

static const chg_real zeros[2 * CHGI_MOST_FUNCTIONS + CHGI_PAD];

void chgi_table_bind(chgi_arena *arena, double end, double step, int width, chgi_table *table)
{
    table->n_interval = (int)ceil(end / step);
    table->step = end / table->n_interval;
    table->width = (width + CHGI_GROUP - 1) / CHGI_GROUP * CHGI_GROUP;
    table->terms =
        chgi_arena_take(arena, (size_t)table->n_interval * CHGI_TERMS * (size_t)table->width, sizeof(chg_real));
}

/* The polynomial of degree five through value f, slope d and curvature c (in units of the step) at both ends. */
static void hermite(const double f[2], const double d[2], const double c[2], double terms[CHGI_TERMS])
{
    double rise = f[1] - f[0] - d[0] - c[0] / 2, turn = d[1] - d[0] - c[0], bend = c[1] - c[0];
    terms[0] = f[0];
    terms[1] = d[0];
    terms[2] = c[0] / 2;
    terms[3] = 10 * rise - 4 * turn + bend / 2;
    terms[4] = -15 * rise + 7 * turn - bend;
    terms[5] = 6 * rise - 3 * turn + bend / 2;
}

void chgi_table_fill(chgi_table *table, int column, const chgi_linear *linear, int n_function,
                     chgi_basis_function function, const void *basis)
{
    double end[2][3][CHGI_MOST_FUNCTIONS + 2 * CHGI_PAD], terms[CHGI_TERMS], h = table->step;
    chg_real tile[CHGI_TERMS][CHGI_MOST_FUNCTIONS];
    function(basis, 0, end[0][0], end[0][1], end[0][2]);
    for (int interval = 0; interval < table->n_interval; interval++) {
        double(*left)[CHGI_MOST_FUNCTIONS + 2 * CHGI_PAD] = end[interval % 2];
        double(*right)[CHGI_MOST_FUNCTIONS + 2 * CHGI_PAD] = end[(interval + 1) % 2];
        function(basis, h * (interval + 1), right[0], right[1], right[2]);
        for (int f = 0; f < n_function; f++) {
            hermite((double[2]){left[0][f], right[0][f]}, (double[2]){h * left[1][f], h * right[1][f]},
                    (double[2]){h * h * left[2][f], h * h * right[2][f]}, terms);
            for (int k = 0; k < CHGI_TERMS; k++)
                tile[k][f] = (chg_real)terms[k];
        }
        for (int at = 0, count; at < linear->n_out; at += count) {
            count = CHGI_GROUP - (column + at) % CHGI_GROUP;
            count = count < linear->n_out - at ? count : linear->n_out - at;
            chgi_product(CHGI_TERMS, count, n_function, tile[0], CHGI_MOST_FUNCTIONS, linear->forward + at,
                         linear->n_out, zeros, 0, chgi_table_terms(table, interval, column + at), CHGI_GROUP);
        }
    }
}

void chgi_table_place(const chgi_table *table, double x, chgi_place *place)
{
    double t = x / table->step, interval = fmin(fmax(floor(t), 0), table->n_interval - 1), s = t - interval, power = 1;
    place->interval = (int32_t)interval;
    place->value[0] = 1;
    place->slope[0] = 0;
    for (int k = 1; k < CHGI_TERMS; k++) {
        place->slope[k] = (chg_real)(k * power / table->step);
        power *= s;
        place->value[k] = (chg_real)power;
    }
}

static inline chg_vector slope_vector(const chgi_table *table, const chgi_place *place, int column)
{
    const chg_real *terms = chgi_table_terms(table, place->interval, column);
    chg_vector sum = {0};
#pragma GCC unroll 5
    for (int k = 1; k < CHGI_TERMS; k++)
        sum += place->slope[k] * chgi_load(terms + k * CHGI_GROUP);
    return sum;
}

void chgi_table_value(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out)
{
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(out + c, chgi_table_vector(table, place, column + c));
}

void chgi_table_add(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out)
{
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(out + c, chgi_load(out + c) + chgi_table_vector(table, place, column + c));
}

void chgi_table_slope(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out)
{
    for (int c = 0; c < width; c += CHGI_LANES)
        chgi_store(out + c, slope_vector(table, place, column + c));
}

void chgi_table_both(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *value,
                     chg_real *slope)
{
    for (int c = 0; c < width; c += CHGI_LANES) {
        chgi_store(value + c, chgi_table_vector(table, place, column + c));
        chgi_store(slope + c, slope_vector(table, place, column + c));
    }
}

chg_real chgi_table_dot_slope(const chgi_table *table, const chgi_place *place, int column, int width,
                              const chg_real *d)
{
    chg_vector sum = {0};
    for (int c = 0; c < width; c += CHGI_LANES)
        sum += chgi_load(d + c) * slope_vector(table, place, column + c);
    return chgi_sum(sum);
}
