#include "math/lbfgs.h"

#include <math.h>
#include <string.h>

enum { N = CHGI_LBFGS_MAX, MEMORY = 8, MAX_HALVING = 12 };

typedef struct search {
    int n, n_pair; /* pairs kept, the newest last */
    const double *low, *high;
    double s[MEMORY][N], y[MEMORY][N], rho[MEMORY];
    bool free[N]; /* not held at a bound */
} search;

static double dot(const search *q, const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < q->n; i++)
        sum += q->free[i] ? a[i] * b[i] : 0;
    return sum;
}

/* Variables at a bound that the slope pushes outwards stay there.  \return largest slope of the others */
static double find_free(search *q, const double *x, const double *gradient)
{
    double largest = 0;
    for (int i = 0; i < q->n; i++) {
        bool held = (x[i] <= q->low[i] && gradient[i] > 0) || (x[i] >= q->high[i] && gradient[i] < 0);
        q->free[i] = !held && q->high[i] > q->low[i];
        if (q->free[i] && fabs(gradient[i]) > largest)
            largest = fabs(gradient[i]);
    }
    return largest;
}

/* Two loops over the pairs, on the free variables; the steepest descent, at most one unit long, where that fails. */
static void find_direction(search *q, const double *gradient, double *d)
{
    double alpha[MEMORY] = {0};
    for (int i = 0; i < q->n; i++)
        d[i] = q->free[i] ? -gradient[i] : 0;
    for (int k = q->n_pair - 1; k >= 0; k--) {
        alpha[k] = q->rho[k] * dot(q, q->s[k], d);
        for (int i = 0; i < q->n; i++)
            d[i] -= q->free[i] ? alpha[k] * q->y[k][i] : 0;
    }
    double scale = 1;
    if (q->n_pair)
        scale = 1 / (q->rho[q->n_pair - 1] * dot(q, q->y[q->n_pair - 1], q->y[q->n_pair - 1]));
    for (int i = 0; i < q->n; i++)
        d[i] *= isfinite(scale) && scale > 0 ? scale : 1;
    for (int k = 0; k < q->n_pair; k++) {
        double beta = q->rho[k] * dot(q, q->y[k], d);
        for (int i = 0; i < q->n; i++)
            d[i] += q->free[i] ? (alpha[k] - beta) * q->s[k][i] : 0;
    }
    if (q->n_pair && dot(q, d, gradient) < 0)
        return;
    double length = sqrt(dot(q, gradient, gradient));
    q->n_pair = 0;
    for (int i = 0; i < q->n; i++)
        d[i] = q->free[i] ? -gradient[i] / (length > 1 ? length : 1) : 0;
}

static void remember(search *q, const double *step, const double *change)
{
    double product = 0, square = 0;
    for (int i = 0; i < q->n; i++) {
        product += step[i] * change[i];
        square += change[i] * change[i];
    }
    if (!(product > 1e-10 * square))
        return;
    if (q->n_pair == MEMORY) {
        memmove(q->s[0], q->s[1], sizeof q->s - sizeof q->s[0]);
        memmove(q->y[0], q->y[1], sizeof q->y - sizeof q->y[0]);
        memmove(q->rho, q->rho + 1, sizeof q->rho - sizeof q->rho[0]);
        q->n_pair--;
    }
    memcpy(q->s[q->n_pair], step, (size_t)q->n * sizeof *step);
    memcpy(q->y[q->n_pair], change, (size_t)q->n * sizeof *change);
    q->rho[q->n_pair++] = 1 / product;
}

/* \return slope along the projected step x_new - x */
static double project(const search *q, const double *x, const double *gradient, const double *d, double t,
                      double *x_new)
{
    double slope = 0;
    for (int i = 0; i < q->n; i++) {
        x_new[i] = fmin(fmax(x[i] + t * d[i], q->low[i]), q->high[i]);
        slope += gradient[i] * (x_new[i] - x[i]);
    }
    return slope;
}

/* Halve the step until the value falls enough.  \param[out] moved false where it never does */
static chgnet_status search_line(search *q, const double *d, double *x, double *value, double *gradient,
                                 chgi_objective objective, void *self, bool *moved)
{
    double x_new[N], g_new[N], new_value = 0, step[N], change[N], t = 1;
    *moved = false;
    for (int k = 0; k < MAX_HALVING; k++, t *= isfinite(new_value) ? 0.5 : 0.25) {
        double slope = project(q, x, gradient, d, t, x_new);
        if (!(slope < 0))
            break;
        CHGI_TRY(objective(self, x_new, &new_value, g_new));
        if (!(new_value <= *value + 1e-4 * slope))
            continue;
        for (int i = 0; i < q->n; i++) {
            step[i] = x_new[i] - x[i];
            change[i] = g_new[i] - gradient[i];
        }
        remember(q, step, change);
        memcpy(x, x_new, (size_t)q->n * sizeof *x);
        memcpy(gradient, g_new, (size_t)q->n * sizeof *gradient);
        *value = new_value;
        *moved = true;
        break;
    }
    return CHGNET_OK;
}

chgnet_status chgi_lbfgs_minimize(int n, const double *low, const double *high, double *x, int max_step,
                                  double tolerance, chgi_objective objective, void *self, double *value)
{
    search q = {.n = n, .low = low, .high = high};
    double gradient[N], d[N];
    bool moved = true;
    CHGI_TRY(objective(self, x, value, gradient));
    for (int step = 0; step < max_step && isfinite(*value) && moved; step++) {
        double old = *value;
        if (find_free(&q, x, gradient) < tolerance)
            break;
        find_direction(&q, gradient, d);
        CHGI_TRY(search_line(&q, d, x, value, gradient, objective, self, &moved));
        if (!moved && q.n_pair) { /* the pairs mislead: once more down the slope */
            q.n_pair = 0;
            moved = true;
        } else if (moved && old - *value < tolerance)
            break;
    }
    return CHGNET_OK;
}
