/* Tables of many functions of one variable: polynomials of degree five on equal intervals, with the right value, slope
 * and curvature at both ends of each.  The slope is the exact derivative of the value, so forces belong to the energy.
 */
#ifndef CHGI_NN_TABLE_H
#define CHGI_NN_TABLE_H

#include "nn/linear.h"

#define chgi_table_bind CHGI_K(table_bind)
#define chgi_table_fill CHGI_K(table_fill)
#define chgi_table_place CHGI_K(table_place)
#define chgi_table_value CHGI_K(table_value)
#define chgi_table_add CHGI_K(table_add)
#define chgi_table_both CHGI_K(table_both)
#define chgi_table_slope CHGI_K(table_slope)
#define chgi_table_dot_slope CHGI_K(table_dot_slope)

enum {
    CHGI_TERMS = 6,
    CHGI_GROUP = 64 /* columns that lie together: the terms of one interval are one stretch of memory */
};

typedef struct chgi_table {
    int n_interval;
    int width;       /**< number of functions, padded to whole groups */
    double step;     /**< the first interval begins at 0 */
    chg_real *terms; /**< (width/group,n_interval,CHGI_TERMS,CHGI_GROUP) coefficients of powers of the place in the
                        interval, 0 to 1 */
} chgi_table;

/** Where an argument lies: its interval, the powers that multiply the terms, and those of the derivative. */
typedef struct chgi_place {
    int32_t interval;
    chg_real value[CHGI_TERMS], slope[CHGI_TERMS];
} chgi_place;

/** Basis functions at x, with first and second derivatives, each (n_function). */
typedef void (*chgi_basis_function)(const void *basis, double x, double *value, double *slope, double *curvature);

/** Take the memory for functions of 0 <= x <= end; the step is at most `step`. */
void chgi_table_bind(chgi_arena *arena, double end, double step, int width, chgi_table *table);

/** Tabulate linear(basis(x)) for columns from `column` on. \param[in] n_function at most CHGI_MOST_FUNCTIONS */
enum { CHGI_MOST_FUNCTIONS = 512 };
void chgi_table_fill(chgi_table *table, int column, const chgi_linear *linear, int n_function,
                     chgi_basis_function function, const void *basis);

void chgi_table_place(const chgi_table *table, double x, chgi_place *place);

/** out = f(x) for `width` columns from `column` on. */
void chgi_table_value(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out);
/** out += f(x). */
void chgi_table_add(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out);
/** out = df/dx. */
void chgi_table_slope(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *out);
/** Both. */
void chgi_table_both(const chgi_table *table, const chgi_place *place, int column, int width, chg_real *value,
                     chg_real *slope);
/** Sum over columns of d df/dx. */
chg_real chgi_table_dot_slope(const chgi_table *table, const chgi_place *place, int column, int width,
                              const chg_real *d);

/** The terms of an interval for the columns from `column` to the end of its group. */
static inline chg_real *chgi_table_terms(const chgi_table *table, int64_t interval, int column)
{
    return table->terms + ((column / CHGI_GROUP) * (int64_t)table->n_interval + interval) * CHGI_TERMS * CHGI_GROUP +
           column % CHGI_GROUP;
}

/** Call in what chgi_table_value and its like will read. */
static inline void chgi_table_prefetch(const chgi_table *table, const chgi_place *place, int column, int width)
{
    for (int c = column; c < column + width; c += CHGI_GROUP)
        chgi_prefetch(chgi_table_terms(table, place->interval, c), CHGI_TERMS * CHGI_GROUP, 0);
}

/** f(x) for the vector of columns that begins at `column`. */
static inline chg_vector chgi_table_vector(const chgi_table *table, const chgi_place *place, int column)
{
    const chg_real *terms = chgi_table_terms(table, place->interval, column);
    chg_vector sum = chgi_load(terms);
#pragma GCC unroll 5
    for (int k = 1; k < CHGI_TERMS; k++)
        sum += place->value[k] * chgi_load(terms + k * CHGI_GROUP);
    return sum;
}

#endif
