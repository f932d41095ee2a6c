/* The choice of inducing points. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

enum { PIVOTS = 32, FEWEST_CANDIDATES = 4096, STREAM_INDUCING = 102 };

/* Candidates, and those chosen among them. */
typedef struct choosing {
    const chgi_form *form;
    const chgi_covariance *covariance;
    chgi_centres candidates; /* sorted by group */
    int64_t n_wanted, n_chosen;
    int64_t *chosen; /* (n_wanted) places among the candidates */
    bool *taken;     /* (candidates.n) */
    double *left;    /* (candidates.n) variance, distance or score that is left */
    chgi_rng rng;
} choosing;

static void take(choosing *c, int64_t place)
{
    c->taken[place] = true;
    c->chosen[c->n_chosen++] = place;
}

/* ---- largest remaining variance: pivoted Cholesky, a block of pivots at a time --------------------------------------
 */

typedef struct block {
    int64_t n;                 /* points looked at */
    int64_t place[PIVOTS];     /* ascending, so sorted by group */
    chgi_centres centres;      /* their vectors */
    double s[PIVOTS * PIVOTS]; /* what is left of their covariance */
    int64_t order[PIVOTS], n_good;
    double l[PIVOTS * PIVOTS]; /* factor of the good ones */
    double *rows;              /* (n,n_chosen) rows of the factor so far */
} block;

/* The points of largest variance left, none below a quarter of the very largest. */
static void find_pivots(const choosing *c, double smallest, int64_t most, block *b)
{
    double limit = smallest;
    for (b->n = 0; b->n < most; b->n++) {
        int64_t best = -1;
        for (int64_t p = 0; p < c->candidates.n; p++) {
            bool there = c->taken[p] || !(c->left[p] > limit) || (best >= 0 && c->left[p] <= c->left[best]);
            for (int64_t k = 0; k < b->n && !there; k++)
                there = b->place[k] == p;
            best = there ? best : p;
        }
        if (best < 0)
            break;
        if (!b->n)
            limit = fmax(smallest, c->left[best] / 4);
        b->place[b->n] = best;
    }
    for (int64_t i = 1; i < b->n; i++)
        for (int64_t j = i; j > 0 && b->place[j] < b->place[j - 1]; j--) {
            int64_t swap = b->place[j];
            b->place[j] = b->place[j - 1];
            b->place[j - 1] = swap;
        }
}

static void gather(const chgi_centres *from, int64_t n, const int64_t *place, chgi_centres *to)
{
    to->n = n;
    memset(to->start, 0, ((size_t)to->n_group + 1) * sizeof *to->start);
    for (int64_t k = 0; k < n; k++) {
        memcpy(to->x + k * to->width, from->x + place[k] * from->width, (size_t)to->width * sizeof *to->x);
        to->square[k] = from->square[place[k]];
        for (int g = 0; g < to->n_group; g++)
            to->start[g + 1] += place[k] < from->start[g + 1];
    }
}

/* Within the block: pivots one by one, while something is left. */
static void order_block(block *b, double limit)
{
    double left[PIVOTS], w[PIVOTS * PIVOTS]; /* w: rows of the growing factor for every point of the block */
    bool used[PIVOTS] = {false};
    for (int64_t i = 0; i < b->n; i++)
        left[i] = b->s[i * PIVOTS + i];
    for (b->n_good = 0; b->n_good < b->n; b->n_good++) {
        int64_t k = b->n_good, best = -1;
        for (int64_t i = 0; i < b->n; i++)
            if (!used[i] && left[i] > limit && (best < 0 || left[i] > left[best]))
                best = i;
        if (best < 0)
            break;
        used[best] = true;
        b->order[k] = best;
        double pivot = sqrt(left[best]);
        for (int64_t i = 0; i < b->n; i++) {
            w[i * PIVOTS + k] =
                (b->s[i * PIVOTS + best] - chgi_vector_dot(k, w + i * PIVOTS, w + best * PIVOTS)) / pivot;
            left[i] -= w[i * PIVOTS + k] * w[i * PIVOTS + k];
        }
        memcpy(b->l + k * PIVOTS, w + best * PIVOTS, (size_t)(k + 1) * sizeof *w);
    }
}

/* New columns of the factor for all candidates, from their covariance g with the block. */
static void extend(choosing *c, const block *b, const double *g, double *v, int64_t ld)
{
    int64_t k = c->n_chosen;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < c->candidates.n; p++)
        for (int64_t i = 0; i < b->n_good; i++) {
            double *row = v + p * ld + k;
            row[i] = (g[p * PIVOTS + b->order[i]] - chgi_vector_dot(i, row, b->l + i * PIVOTS)) / b->l[i * PIVOTS + i];
            c->left[p] -= row[i] * row[i];
        }
    for (int64_t i = 0; i < b->n_good; i++)
        take(c, b->place[b->order[i]]);
}

/* g = covariance of all candidates with the block, less what is explained. */
static void remaining(const choosing *c, const block *b, const double *v, int64_t ld, chgi_team *team, double *g)
{
    chgi_matrix_centres(c->form, c->covariance, &c->candidates, &b->centres, g, PIVOTS, team);
    for (int64_t i = 0; i < b->n; i++)
        memcpy(b->rows + i * c->n_chosen, v + b->place[i] * ld, (size_t)c->n_chosen * sizeof *v);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < c->candidates.n; p += 64) {
        int64_t n = p + 64 < c->candidates.n ? 64 : c->candidates.n - p;
        chgi_gemm(false, true, n, b->n, c->n_chosen, -1, v + p * ld, ld, b->rows, c->n_chosen, g + p * PIVOTS, PIVOTS);
    }
}

static chgnet_status choose_greedy(chgnet_context *ctx, choosing *c, chgi_team *team)
{
    int64_t n = c->candidates.n, ld = c->n_wanted;
    double *v = chgi_memory_raw((size_t)(n * ld) * sizeof *v), *g = chgi_memory_raw((size_t)(n * PIVOTS) * sizeof *g);
    double diagonal = chgi_covariance_diagonal(c->covariance), smallest = 1e-12 * diagonal;
    block *b = chgi_memory_new(1, sizeof *b);
    chgnet_status status = v && g && b ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)n, (size_t)ld * sizeof *v);
    if (status == CHGNET_OK) {
        b->rows = chgi_memory_raw((size_t)(PIVOTS * ld) * sizeof *b->rows);
        status = b->rows ? CHGNET_OK : chgi_context_nomem(ctx, PIVOTS, (size_t)ld * sizeof *v);
    }
    if (status == CHGNET_OK)
        status = chgi_centres_create(ctx, PIVOTS, c->candidates.n_group, c->candidates.width, &b->centres);
    for (int64_t p = 0; p < n; p++)
        c->left[p] = diagonal;
    while (status == CHGNET_OK && c->n_chosen < c->n_wanted) {
        int64_t most = c->n_wanted - c->n_chosen < PIVOTS ? c->n_wanted - c->n_chosen : PIVOTS;
        find_pivots(c, smallest, most, b);
        if (!b->n)
            break;
        gather(&c->candidates, b->n, b->place, &b->centres);
        remaining(c, b, v, ld, team, g);
        double largest = 0;
        for (int64_t i = 0; i < b->n; i++) {
            memcpy(b->s + i * PIVOTS, g + b->place[i] * PIVOTS, PIVOTS * sizeof *g);
            largest = fmax(largest, b->s[i * PIVOTS + i]);
        }
        order_block(b, fmax(smallest, largest / 4));
        if (!b->n_good)
            break;
        extend(c, b, g, v, ld);
    }
    if (b) {
        chgi_centres_destroy(&b->centres);
        chgi_memory_free(b->rows);
    }
    chgi_memory_free(b);
    chgi_memory_free(v);
    chgi_memory_free(g);
    return status;
}

/* ---- by distance, by leverage ---------------------------------------------------------------------------------------
 */

/* A place from..end drawn with probability in proportion to c->left; -1 where all is 0. */
static int64_t draw_place(choosing *c, int64_t from, int64_t end)
{
    double sum = 0, part = 0;
    for (int64_t p = from; p < end; p++)
        sum += c->taken[p] ? 0 : c->left[p];
    double target = chgi_rng_uniform(&c->rng) * sum;
    int64_t last = -1;
    for (int64_t p = from; p < end; p++) {
        if (c->taken[p] || !(c->left[p] > 0))
            continue;
        part += c->left[p];
        last = p;
        if (part > target)
            break;
    }
    return last;
}

/* k-means++ (D. Arthur and S. Vassilvitskii, SODA 2007): each next with probability in proportion to the squared
 * distance to the nearest one. */
static void choose_spread(choosing *c, int64_t from, int64_t end, int64_t quota)
{
    int width = c->candidates.width;
    const double *x = c->candidates.x, *square = c->candidates.square;
    for (int64_t p = from; p < end; p++)
        c->left[p] = 1;
    for (int64_t k = 0; k < quota; k++) {
        int64_t place = draw_place(c, from, end);
        if (place < 0)
            return;
        take(c, place);
        for (int64_t p = from; p < end; p++) {
            double d = square[p] + square[place] - 2 * chgi_vector_dot(width, x + p * width, x + place * width);
            c->left[p] = k && c->left[p] < d ? c->left[p] : d > 1e-12 * square[p] ? d : 0;
        }
    }
}

/* CUR (M. Mahoney and P. Drineas, PNAS 106, 697 (2009)): drawn by the leverage x^T (X^T X + ridge)^-1 x. */
static chgnet_status choose_leverage(chgnet_context *ctx, choosing *c, int64_t from, int64_t end, int64_t quota)
{
    int64_t n = end - from, width = c->candidates.width;
    const double *x = c->candidates.x + from * width;
    double *gram = chgi_memory_new((size_t)(width * width), sizeof *gram), trace = 0;
    double *v = chgi_memory_new((size_t)width, sizeof *v);
    bool done = gram && v;
    if (done) {
        chgi_gemm(true, false, width, width, n, 1, x, width, x, width, gram, width);
        for (int64_t k = 0; k < width; k++)
            trace += gram[k * width + k];
        for (int64_t k = 0; k < width; k++)
            gram[k * width + k] += 1e-6 * trace / (double)width + 1e-300;
        chgi_cholesky_factor(width, 0, gram, width);
        for (int64_t p = 0; p < n; p++) {
            memcpy(v, x + p * width, (size_t)width * sizeof *v);
            chgi_lower_solve(width, gram, width, 1, v, 1);
            c->left[from + p] = chgi_vector_dot(width, v, v);
        }
        for (int64_t k = 0, place; k < quota && (place = draw_place(c, from, end)) >= 0; k++)
            take(c, place);
    }
    chgi_memory_free(gram);
    chgi_memory_free(v);
    return done ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)(width * width), sizeof(double));
}

/* Each group gets a share in proportion to its points, at least one. */
static chgnet_status choose_by_group(chgnet_context *ctx, choosing *c, chgi_inducing kind)
{
    for (int g = 0; g < c->candidates.n_group; g++) {
        int64_t from = c->candidates.start[g], end = c->candidates.start[g + 1], n = end - from;
        int64_t quota = n * c->n_wanted / c->candidates.n, room = c->n_wanted - c->n_chosen;
        quota = quota < 1 ? 1 : quota;
        quota = quota > n ? n : quota;
        quota = quota > room ? room : quota;
        if (kind == CHGI_INDUCING_CUR)
            CHGI_TRY(choose_leverage(ctx, c, from, end, quota));
        else
            choose_spread(c, from, end, quota);
    }
    return CHGNET_OK;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------
 */

/* Every stride-th point of each group, so that there are not many more than wanted. */
static chgnet_status gather_candidates(chgnet_context *ctx, const chgi_rows *rows, int n_group, int64_t n_wanted,
                                       chgi_centres *candidates)
{
    n_wanted = n_wanted < rows->n_point ? n_wanted : rows->n_point;
    int64_t most =
        CHGI_CANDIDATES_EACH * n_wanted > FEWEST_CANDIDATES ? CHGI_CANDIDATES_EACH * n_wanted : FEWEST_CANDIDATES;
    int64_t stride = (rows->n_point + most - 1) / most, next = 0;
    CHGI_TRY(chgi_centres_create(ctx, rows->n_point, n_group, rows->width, candidates));
    for (int32_t g = 0; g < n_group; g++) {
        int64_t seen = 0;
        for (int64_t p = 0; p < rows->n_point; p++)
            if (rows->groups[p] == g && seen++ % stride == 0) {
                memcpy(candidates->x + next * rows->width, rows->points + p * rows->width,
                       (size_t)rows->width * sizeof(double));
                candidates->square[next++] = rows->square[p];
            }
        candidates->start[g + 1] = next;
    }
    candidates->n = next;
    return CHGNET_OK;
}

static int compare_places(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

chgnet_status chgi_inducing_choose(chgnet_context *ctx, const chgi_form *form, const chgi_delta_choice *choice,
                                   const chgi_rows *rows, int64_t n_wanted, chgi_centres *inducing)
{
    choosing c = {.form = form,
                  .covariance = &choice->covariance,
                  .rng = chgi_rng_start(choice->seed, STREAM_INDUCING, 0, 0)};
    chgi_team team = {0};
    chgnet_status status;
    CHGI_TRY(gather_candidates(ctx, rows, form->n_group, n_wanted, &c.candidates));
    c.n_wanted = n_wanted < c.candidates.n ? n_wanted : c.candidates.n;
    c.chosen = chgi_memory_new((size_t)c.n_wanted, sizeof *c.chosen);
    c.taken = chgi_memory_new((size_t)c.candidates.n, sizeof *c.taken);
    c.left = chgi_memory_new((size_t)c.candidates.n, sizeof *c.left);
    if (!c.chosen || !c.taken || !c.left)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)c.candidates.n, sizeof *c.left));
    CHGI_TRY_CLEANUP(chgi_team_create(ctx, rows, &team));
    if (choice->inducing == CHGI_INDUCING_GREEDY)
        CHGI_TRY_CLEANUP(choose_greedy(ctx, &c, &team));
    else
        CHGI_TRY_CLEANUP(choose_by_group(ctx, &c, choice->inducing));
    qsort(c.chosen, (size_t)c.n_chosen, sizeof *c.chosen, compare_places);
    CHGI_TRY_CLEANUP(chgi_centres_create(ctx, c.n_chosen, form->n_group, rows->width, inducing));
    gather(&c.candidates, c.n_chosen, c.chosen, inducing);
cleanup:
    chgi_team_destroy(&team);
    chgi_centres_destroy(&c.candidates);
    chgi_memory_free(c.chosen);
    chgi_memory_free(c.taken);
    chgi_memory_free(c.left);
    return status;
}
