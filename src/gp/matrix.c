#include "gp/matrix.h"

#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "math/blas.h"

/* ---- memory ------------------------------------------------------------------------------------------------------ */

chgnet_status chgi_centres_create(chgnet_context *ctx, int64_t n, int n_group, int width, chgi_centres *centres)
{
    chgi_centres made = {.n = n, .n_group = n_group, .width = width};
    made.start = chgi_memory_new((size_t)n_group + 1, sizeof *made.start);
    made.x = chgi_memory_new((size_t)n * (size_t)width, sizeof *made.x);
    made.square = chgi_memory_new((size_t)n, sizeof *made.square);
    if (!made.start || !made.x || !made.square) {
        chgi_centres_destroy(&made);
        return chgi_context_nomem(ctx, (size_t)n * (size_t)width, sizeof *made.x);
    }
    *centres = made;
    return CHGNET_OK;
}

void chgi_centres_finish(chgi_centres *centres)
{
    for (int64_t j = 0; j < centres->n; j++) {
        const double *x = centres->x + j * centres->width;
        centres->square[j] = chgi_vector_dot(centres->width, x, x);
    }
}

void chgi_centres_destroy(chgi_centres *centres)
{
    chgi_memory_free(centres->start);
    chgi_memory_free(centres->x);
    chgi_memory_free(centres->square);
    *centres = (chgi_centres){0};
}

static void lay_out(int width, int64_t n_point, int64_t n_force, int64_t n_slot, int n_thread, chgi_arena *arena,
                    chgi_team *team)
{
    int64_t n = n_point > CHGI_COLUMN_TILE ? n_point : CHGI_COLUMN_TILE;
    team->work = chgi_arena_take(arena, (size_t)n_thread, sizeof *team->work);
    team->gradient = chgi_arena_take(arena, (size_t)n_slot, CHGI_MAX_PARAMETER * sizeof *team->gradient);
    for (int t = 0; t < n_thread; t++) {
        chgi_pair_work unused;
        chgi_pair_take(arena, width, n, n, n_force, n_force, arena->base ? &team->work[t] : &unused);
    }
}

chgnet_status chgi_team_for(chgnet_context *ctx, const chgi_rows *a, const chgi_rows *b, chgi_team *team)
{
    int64_t n_point, n_force, b_point, b_force;
    chgi_team made = {.n_thread = omp_get_max_threads()};
    chgi_rows_largest(a, &n_point, &n_force);
    chgi_rows_largest(b, &b_point, &b_force);
    n_point = n_point > b_point ? n_point : b_point;
    n_force = n_force > b_force ? n_force : b_force;
    made.n_slot = a->n_label + a->n_point / CHGI_COLUMN_TILE + 2;
    lay_out(a->width, n_point, n_force, made.n_slot, made.n_thread, &made.arena, &made);
    CHGI_TRY(chgi_arena_reserve(ctx, &made.arena, made.arena.used));
    lay_out(a->width, n_point, n_force, made.n_slot, made.n_thread, &made.arena, &made);
    *team = made;
    return CHGNET_OK;
}

chgnet_status chgi_team_create(chgnet_context *ctx, const chgi_rows *rows, chgi_team *team)
{
    return chgi_team_for(ctx, rows, rows, team);
}

size_t chgi_team_memory(int width, int64_t n_point, int64_t n_force)
{
    chgi_arena arena = {0};
    chgi_team team;
    lay_out(width, n_point, n_force, 1, omp_get_max_threads(), &arena, &team);
    return arena.used;
}

void chgi_team_destroy(chgi_team *team)
{
    chgi_arena_destroy(&team->arena);
    *team = (chgi_team){0};
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

/* Points of `label` from *at on that are of one group; *at moves behind them.  false at the end. */
static bool next_side(const chgi_rows *rows, int64_t label, int64_t *at, chgi_side *side, int32_t *group)
{
    int64_t start = rows->point_start[label], end = rows->point_start[label + 1], from = *at;
    if (from >= end)
        return false;
    *group = rows->groups[from];
    while (*at < end && rows->groups[*at] == *group)
        ++*at;
    *side = (chgi_side){.n = *at - from,
                        .m = chgi_rows_forces(rows, label),
                        .x = rows->points + from * rows->width,
                        .square = rows->square + from};
    side->jacobian = rows->jacobian + rows->jacobian_start[label] + (from - start) * side->m * rows->width;
    return true;
}

/* The block of two labels within a matrix; NULL where a label has no such rows. */
static chgi_block block_of(const chgi_rows *rows, int64_t a, int64_t b, double *k, int64_t ld)
{
    bool ea = rows->has_energy[a], eb = rows->has_energy[b], fa = chgi_rows_forces(rows, a) > 0;
    bool fb = chgi_rows_forces(rows, b) > 0;
    double *corner = k + rows->row_start[a] * ld + rows->row_start[b];
    return (chgi_block){.ee = ea && eb ? corner : NULL,
                        .ef = ea && fb ? corner + eb : NULL,
                        .fe = fa && eb ? corner + ea * ld : NULL,
                        .ff = fa && fb ? corner + ea * ld + eb : NULL,
                        .ld = ld};
}

static void sum_slots(const chgi_team *team, int64_t n_slot, int n_parameter, double *gradient)
{
    for (int64_t s = 0; s < n_slot; s++)
        for (int k = 0; k < n_parameter; k++)
            gradient[k] += team->gradient[s * CHGI_MAX_PARAMETER + k];
}

static double *clear_slot(const chgi_team *team, int64_t slot)
{
    double *gradient = team->gradient + slot * CHGI_MAX_PARAMETER;
    memset(gradient, 0, CHGI_MAX_PARAMETER * sizeof *gradient);
    return gradient;
}

/* ---- labels against labels ----------------------------------------------------------------------------------------
 */

/* All pairs of ranges of two labels: forward where gradient is NULL, else reverse. */
static void visit_pair(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t a,
                       int64_t b, const chgi_pair_work *work, const chgi_block *block, double *gradient)
{
    chgi_side sa, sb;
    int32_t g, h;
    for (int64_t at = rows->point_start[a]; next_side(rows, a, &at, &sa, &g);)
        for (int64_t bt = rows->point_start[b]; next_side(rows, b, &bt, &sb, &h);) {
            double weight = chgi_form_weight(form, g, h);
            if (weight == 0)
                continue;
            if (gradient)
                chgi_pair_reverse(covariance, weight, rows->width, &sa, &sb, work, block, gradient);
            else
                chgi_pair_forward(covariance, weight, rows->width, &sa, &sb, work, block);
        }
}

/* Energies of one point each, all of one group: the matrix is that of the points. */
static bool plain_points(const chgi_rows *rows, int n_group)
{
    return n_group == 1 && rows->n_point == rows->n_label && rows->n_row == rows->n_label &&
           rows->n_energy == rows->n_label;
}

static chgi_centres centres_of(const chgi_rows *rows, int64_t from, int64_t start[2])
{
    start[0] = 0;
    start[1] = rows->n_point - from;
    return (chgi_centres){.n = start[1],
                          .n_group = 1,
                          .width = rows->width,
                          .start = start,
                          .x = rows->points + from * rows->width,
                          .square = rows->square + from};
}

void chgi_matrix_fill(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t first,
                      double *k, int64_t ld, chgi_team *team)
{
    if (plain_points(rows, form->n_group)) {
        int64_t start[2], all[2];
        chgi_centres fresh = centres_of(rows, first, start), every = centres_of(rows, 0, all);
        chgi_matrix_centres(form, covariance, &fresh, &every, k + first * ld, ld, team);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t i = first; i < rows->n_label; i++) {
        int64_t a = rows->n_label - 1 - (i - first); /* long rows first */
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++)
            memset(k + r * ld, 0, (size_t)rows->row_start[a + 1] * sizeof *k);
        for (int64_t b = 0; b <= a; b++) {
            chgi_block block = block_of(rows, a, b, k, ld);
            visit_pair(form, covariance, rows, a, b, &team->work[omp_get_thread_num()], &block, NULL);
        }
    }
}

void chgi_matrix_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                         const double *factor, int64_t ld, chgi_team *team, double *gradient)
{
    int n_parameter = chgi_covariance_count(covariance);
    if (plain_points(rows, form->n_group)) {
        int64_t all[2];
        chgi_centres every = centres_of(rows, 0, all);
        chgi_matrix_centres_reverse(form, covariance, &every, factor, ld, team, gradient);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t i = 0; i < rows->n_label; i++) {
        int64_t a = rows->n_label - 1 - i;
        const chgi_pair_work *work = &team->work[omp_get_thread_num()];
        double *slot = clear_slot(team, a), diagonal[CHGI_MAX_PARAMETER] = {0};
        for (int64_t b = 0; b <= a; b++) {
            chgi_block block = block_of(rows, a, b, (double *)factor, ld); /* only read */
            visit_pair(form, covariance, rows, a, b, work, &block, b < a ? slot : diagonal);
        }
        for (int k = 0; k < n_parameter; k++)
            slot[k] = 2 * slot[k] + diagonal[k];
    }
    sum_slots(team, rows->n_label, n_parameter, gradient);
}

void chgi_matrix_self(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t label,
                      double *k, chgi_team *team)
{
    int64_t n = rows->row_start[label + 1] - rows->row_start[label];
    bool energy = rows->has_energy[label], force = chgi_rows_forces(rows, label) > 0;
    chgi_block block = {.ee = energy ? k : NULL,
                        .ef = energy && force ? k + 1 : NULL,
                        .fe = energy && force ? k + n : NULL,
                        .ff = force ? k + energy * n + energy : NULL,
                        .ld = n};
    memset(k, 0, (size_t)(n * n) * sizeof *k);
    visit_pair(form, covariance, rows, label, label, &team->work[0], &block, NULL);
}

/* ---- labels against centres ----------------------------------------------------------------------------------------
 */

static chgi_side centre_side(const chgi_centres *centres, int64_t from, int64_t end)
{
    return (chgi_side){.n = end - from, .x = centres->x + from * centres->width, .square = centres->square + from};
}

static void visit_columns(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t a,
                          const chgi_centres *centres, const chgi_pair_work *work, double *k, int64_t ld,
                          double *gradient)
{
    chgi_side side;
    int32_t g;
    double *row = k + rows->row_start[a] * ld;
    bool energy = rows->has_energy[a], force = chgi_rows_forces(rows, a) > 0;
    for (int64_t at = rows->point_start[a]; next_side(rows, a, &at, &side, &g);)
        for (int32_t h = 0; h < centres->n_group; h++)
            for (int64_t c = centres->start[h]; c < centres->start[h + 1]; c += CHGI_COLUMN_TILE) {
                int64_t end =
                    c + CHGI_COLUMN_TILE < centres->start[h + 1] ? c + CHGI_COLUMN_TILE : centres->start[h + 1];
                double weight = chgi_form_weight(form, g, h);
                chgi_side columns = centre_side(centres, c, end);
                chgi_block block = {.ee = energy ? row + c : NULL,
                                    .ff = force ? row + energy * ld + c : NULL,
                                    .ld = ld};
                if (weight == 0)
                    continue;
                if (gradient)
                    chgi_pair_columns_reverse(covariance, weight, rows->width, &side, &columns, work, &block, gradient);
                else
                    chgi_pair_columns(covariance, weight, rows->width, &side, &columns, work, &block);
            }
}

void chgi_matrix_columns(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                         const chgi_centres *centres, double *k, int64_t ld, chgi_team *team)
{
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t a = 0; a < rows->n_label; a++) {
        for (int64_t r = rows->row_start[a]; r < rows->row_start[a + 1]; r++)
            memset(k + r * ld, 0, (size_t)centres->n * sizeof *k);
        visit_columns(form, covariance, rows, a, centres, &team->work[omp_get_thread_num()], k, ld, NULL);
    }
}

void chgi_matrix_columns_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                                 const chgi_centres *centres, const double *factor, int64_t ld, chgi_team *team,
                                 double *gradient)
{
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t a = 0; a < rows->n_label; a++)
        visit_columns(form, covariance, rows, a, centres, &team->work[omp_get_thread_num()], (double *)factor, ld,
                      clear_slot(team, a));
    sum_slots(team, rows->n_label, chgi_covariance_count(covariance), gradient);
}

/* ---- centres against centres ----------------------------------------------------------------------------------------
 */

static int32_t group_at(const chgi_centres *centres, int64_t at)
{
    int32_t g = 0;
    while (at >= centres->start[g + 1])
        g++;
    return g;
}

/* End of the tile that begins at `at`: within one group. */
static int64_t tile_end(const chgi_centres *centres, int64_t at)
{
    int64_t end = at / CHGI_COLUMN_TILE * CHGI_COLUMN_TILE + CHGI_COLUMN_TILE;
    int64_t border = centres->start[group_at(centres, at) + 1];
    return end < border ? end : border;
}

/* Tiles of rows at..end against all of b. */
static void visit_centres(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *a,
                          const chgi_centres *b, int64_t from, int64_t to, const chgi_pair_work *work, double *k,
                          int64_t ld, double *gradient)
{
    for (int64_t at = from, end; at < to; at = end) {
        end = tile_end(a, at);
        chgi_side row = centre_side(a, at, end);
        for (int64_t c = 0, c_end; c < b->n; c = c_end) {
            c_end = tile_end(b, c);
            chgi_side column = centre_side(b, c, c_end);
            double weight = chgi_form_weight(form, group_at(a, at), group_at(b, c));
            if (weight == 0)
                continue;
            if (gradient)
                chgi_pair_each_reverse(covariance, weight, a->width, &row, &column, work, k + at * ld + c, ld,
                                       gradient);
            else
                chgi_pair_each(covariance, weight, a->width, &row, &column, work, k + at * ld + c, ld);
        }
    }
}

void chgi_matrix_centres(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *a,
                         const chgi_centres *b, double *k, int64_t ld, chgi_team *team)
{
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t at = 0; at < a->n; at += CHGI_COLUMN_TILE) {
        int64_t end = at + CHGI_COLUMN_TILE < a->n ? at + CHGI_COLUMN_TILE : a->n;
        for (int64_t r = at; r < end; r++)
            memset(k + r * ld, 0, (size_t)b->n * sizeof *k);
        visit_centres(form, covariance, a, b, at, end, &team->work[omp_get_thread_num()], k, ld, NULL);
    }
}

void chgi_matrix_centres_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                                 const double *factor, int64_t ld, chgi_team *team, double *gradient)
{
    int64_t n_tile = (centres->n + CHGI_COLUMN_TILE - 1) / CHGI_COLUMN_TILE;
#pragma omp parallel for schedule(dynamic) num_threads(team->n_thread)
    for (int64_t t = 0; t < n_tile; t++) {
        int64_t at = t * CHGI_COLUMN_TILE,
                end = at + CHGI_COLUMN_TILE < centres->n ? at + CHGI_COLUMN_TILE : centres->n;
        visit_centres(form, covariance, centres, centres, at, end, &team->work[omp_get_thread_num()], (double *)factor,
                      ld, clear_slot(team, t));
    }
    sum_slots(team, n_tile, chgi_covariance_count(covariance), gradient);
}
