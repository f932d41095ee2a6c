#include "task/minimise.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "math/eigen.h"
#include "math/lattice.h"

static const double MAX_STEP = 0.2;    /* A */
static const double CURVATURE = 70;    /* eV/A^2, of the first Hessian */
static const double SAME_PLACE = 1e-7; /* A: the Hessian learns nothing from shorter steps */
enum { MEMORY = 100 };

struct chgi_minimiser {
    chgnet_context *ctx;
    chgi_minimiser_kind kind;
    int64_t n; /* coordinates */
    bool started;
    double *last_x, *last_forces; /* (n) of the step before */

    /* FIRE */
    double *velocity; /* (n) */
    double dt, mixing;
    int downhill; /* steps since the last uphill one */

    /* L-BFGS: the last steps and changes of the gradient, in a ring */
    double *steps, *changes; /* (MEMORY,n) */
    double weight[MEMORY];   /* 1 / (step . change) */
    int n_kept, first;

    /* BFGS */
    double *hessian, *vectors, *work; /* (n,n), (n,n) */
    double *values, *product;         /* (n) */
    int *int_work;
};

static const char *const names[CHGI_MINIMISER_COUNT] = {"fire", "lbfgs", "bfgs"};

const char *chgi_minimiser_name(chgi_minimiser_kind kind)
{
    return names[kind];
}

chgi_minimiser_kind chgi_minimiser_find(const char *name)
{
    int kind = 0;
    while (kind < CHGI_MINIMISER_COUNT && strcmp(names[kind], name) != 0)
        kind++;
    return (chgi_minimiser_kind)kind;
}

double chgi_longest_row(const double *rows, int64_t n_row)
{
    double most = 0;
    for (int64_t i = 0; i < n_row; i++)
        most = fmax(most, chgi_dot(rows + 3 * i, rows + 3 * i));
    return sqrt(most);
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

static void add(double *a, double factor, const double *b, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        a[k] += factor * b[k];
}

static void scale(double *a, double factor, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        a[k] *= factor;
}

/* ---- FIRE -------------------------------------------------------------------------------------- */

static void fire_step(chgi_minimiser *m, const double *forces, double *step)
{
    static const double DT_MOST = 1, GROW = 1.1, SHRINK = 0.5, MIXING = 0.1, LESS_MIXING = 0.99;
    enum { PATIENCE = 5 };
    double *v = m->velocity, power = m->started ? dot(forces, v, m->n) : 0;
    if (!m->started) {
        m->dt = 0.1;
        m->mixing = MIXING;
    } else if (power > 0) {
        double turn = m->mixing / sqrt(dot(forces, forces, m->n)) * sqrt(dot(v, v, m->n));
        scale(v, 1 - m->mixing, m->n);
        add(v, turn, forces, m->n);
        if (m->downhill > PATIENCE) {
            m->dt = fmin(m->dt * GROW, DT_MOST);
            m->mixing *= LESS_MIXING;
        }
        m->downhill++;
    } else {
        memset(v, 0, (size_t)m->n * sizeof *v);
        m->mixing = MIXING;
        m->dt *= SHRINK;
        m->downhill = 0;
    }
    add(v, m->dt, forces, m->n);
    memcpy(step, v, (size_t)m->n * sizeof *step);
    scale(step, m->dt, m->n);
    double length = sqrt(dot(step, step, m->n));
    if (length > MAX_STEP)
        scale(step, MAX_STEP / length, m->n);
}

/* ---- L-BFGS ------------------------------------------------------------------------------------ */

static double *ring(const chgi_minimiser *m, double *rows, int k)
{
    return rows + (m->first + k) % MEMORY * m->n;
}

static void lbfgs_learn(chgi_minimiser *m, const double *x, const double *forces)
{
    if (m->n_kept == MEMORY) {
        m->first = (m->first + 1) % MEMORY;
        m->n_kept--;
    }
    double *s = ring(m, m->steps, m->n_kept), *y = ring(m, m->changes, m->n_kept);
    for (int64_t k = 0; k < m->n; k++) {
        s[k] = x[k] - m->last_x[k];
        y[k] = m->last_forces[k] - forces[k];
    }
    double weight = 1 / dot(y, s, m->n);
    if (!isfinite(weight)) /* nothing has moved: nothing was learnt */
        return;
    m->weight[(m->first + m->n_kept) % MEMORY] = weight;
    m->n_kept++;
}

static void lbfgs_step(chgi_minimiser *m, const double *forces, double *step)
{
    double part[MEMORY];
    memcpy(step, forces, (size_t)m->n * sizeof *step);
    for (int k = m->n_kept; k-- > 0;) {
        part[k] = m->weight[(m->first + k) % MEMORY] * dot(ring(m, m->steps, k), step, m->n);
        add(step, -part[k], ring(m, m->changes, k), m->n);
    }
    scale(step, 1 / CURVATURE, m->n);
    for (int k = 0; k < m->n_kept; k++) {
        double back = m->weight[(m->first + k) % MEMORY] * dot(ring(m, m->changes, k), step, m->n);
        add(step, part[k] - back, ring(m, m->steps, k), m->n);
    }
}

/* ---- BFGS -------------------------------------------------------------------------------------- */

/* H += y y^T / (y . s) - H s s^T H / (s . H s) */
static void bfgs_learn(chgi_minimiser *m, const double *x, const double *forces)
{
    int64_t n = m->n;
    double *s = m->values, *y = m->vectors, *hs = m->product, most = 0; /* free until the next step */
    for (int64_t k = 0; k < n; k++) {
        s[k] = x[k] - m->last_x[k];
        y[k] = m->last_forces[k] - forces[k];
        most = fmax(most, fabs(s[k]));
    }
    for (int64_t k = 0; k < n; k++)
        hs[k] = dot(m->hessian + n * k, s, n);
    double a = 1 / dot(s, y, n), b = 1 / dot(s, hs, n);
    if (most < SAME_PLACE || !isfinite(a) || !isfinite(b))
        return;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            m->hessian[n * i + j] += y[i] * y[j] * a - hs[i] * hs[j] * b;
}

static chgnet_status bfgs_step(chgi_minimiser *m, const double *forces, double *step)
{
    int64_t n = m->n;
    memcpy(m->vectors, m->hessian, (size_t)n * (size_t)n * sizeof(double));
    if (!chgi_eigen_symmetric(n, m->vectors, m->values, m->work, m->int_work))
        return chgi_context_fail(m->ctx, CHGNET_ENUMERIC,
                                 "the Hessian of BFGS has no eigenvalues any more; try --optimizer fire");
    memset(step, 0, (size_t)n * sizeof *step);
    for (int64_t k = 0; k < n; k++) /* what goes uphill by the Hessian goes down here */
        add(step, dot(m->vectors + n * k, forces, n) / fabs(m->values[k]), m->vectors + n * k, n);
    return CHGNET_OK;
}

/* ---- all --------------------------------------------------------------------------------------- */

static chgnet_status quasi_newton_step(chgi_minimiser *m, const double *x, const double *forces, double *step)
{
    if (m->started)
        (m->kind == CHGI_BFGS ? bfgs_learn : lbfgs_learn)(m, x, forces);
    memcpy(m->last_x, x, (size_t)m->n * sizeof *x);
    memcpy(m->last_forces, forces, (size_t)m->n * sizeof *forces);
    if (m->kind == CHGI_BFGS)
        CHGI_TRY(bfgs_step(m, forces, step));
    else
        lbfgs_step(m, forces, step);
    double longest = chgi_longest_row(step, m->n / 3);
    if (longest >= MAX_STEP)
        scale(step, MAX_STEP / longest, m->n);
    return CHGNET_OK;
}

chgnet_status chgi_minimiser_step(chgi_minimiser *minimiser, const double *x, const double *forces, double *step)
{
    if (minimiser->kind == CHGI_FIRE)
        fire_step(minimiser, forces, step);
    else
        CHGI_TRY(quasi_newton_step(minimiser, x, forces, step));
    minimiser->started = true;
    if (!isfinite(dot(step, step, minimiser->n)))
        return chgi_context_fail(minimiser->ctx, CHGNET_ENUMERIC,
                                 "the minimiser's step is not finite; check the structure or try --optimizer fire");
    return CHGNET_OK;
}

static chgnet_status allocate(chgi_minimiser *m, double **array, int64_t rows)
{
    *array = chgi_memory_new((size_t)m->n, (size_t)rows * sizeof **array);
    return *array ? CHGNET_OK : chgi_context_nomem(m->ctx, (size_t)m->n, (size_t)rows * sizeof **array);
}

static chgnet_status allocate_bfgs(chgi_minimiser *m)
{
    size_t n_int_work = (size_t)chgi_eigen_int_work(m->n);
    if (m->n > CHGI_EIGEN_MOST)
        return chgi_context_fail(m->ctx, CHGNET_ENOMEM,
                                 "BFGS keeps a Hessian and its eigenvectors, here of %lld coordinates, and can have at "
                                 "most %d; take --optimizer lbfgs or fire",
                                 (long long)m->n, CHGI_EIGEN_MOST);
    CHGI_TRY(allocate(m, &m->hessian, m->n));
    CHGI_TRY(allocate(m, &m->vectors, m->n));
    CHGI_TRY(allocate(m, &m->work, chgi_eigen_work(m->n) / m->n + 1));
    CHGI_TRY(allocate(m, &m->values, 1));
    CHGI_TRY(allocate(m, &m->product, 1));
    m->int_work = chgi_memory_new(n_int_work, sizeof *m->int_work);
    if (!m->int_work)
        return chgi_context_nomem(m->ctx, n_int_work, sizeof *m->int_work);
    for (int64_t k = 0; k < m->n; k++)
        m->hessian[(m->n + 1) * k] = CURVATURE;
    return CHGNET_OK;
}

static chgnet_status allocate_all(chgi_minimiser *m)
{
    if (m->kind == CHGI_FIRE)
        return allocate(m, &m->velocity, 1);
    CHGI_TRY(allocate(m, &m->last_x, 1));
    CHGI_TRY(allocate(m, &m->last_forces, 1));
    if (m->kind == CHGI_BFGS)
        return allocate_bfgs(m);
    CHGI_TRY(allocate(m, &m->steps, MEMORY));
    return allocate(m, &m->changes, MEMORY);
}

chgnet_status chgi_minimiser_create(chgnet_context *ctx, chgi_minimiser_kind kind, int64_t n_row,
                                    chgi_minimiser **minimiser)
{
    *minimiser = NULL;
    chgi_minimiser *made = chgi_memory_new(1, sizeof *made);
    if (!made)
        return chgi_context_nomem(ctx, 1, sizeof *made);
    made->ctx = ctx;
    made->kind = kind;
    made->n = 3 * n_row;
    chgnet_status status = allocate_all(made);
    if (status != CHGNET_OK)
        chgi_minimiser_destroy(made);
    else
        *minimiser = made;
    return status;
}

void chgi_minimiser_destroy(chgi_minimiser *minimiser)
{
    if (!minimiser)
        return;
    void *arrays[] = {minimiser->last_x,  minimiser->last_forces, minimiser->velocity, minimiser->steps,
                      minimiser->changes, minimiser->hessian,     minimiser->vectors,  minimiser->work,
                      minimiser->values,  minimiser->product,     minimiser->int_work};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    chgi_memory_free(minimiser);
}
