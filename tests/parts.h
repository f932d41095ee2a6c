/* A system in parts, one for each thread, and the exchange between them by shared memory.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef TEST_PARTS_H
#define TEST_PARTS_H

#include <pthread.h>

#include "sample.h"

enum { MOST_PARTS = 4, MOST_SITES = 6000 };

/* ---- parts of a system ------------------------------------------------------------------------ */

typedef struct part {
    int64_t n_own, n_remote, n_site, n_crossing;
    int32_t atom[SAMPLE_MOST_ATOMS]; /* of the system: own ones, then remote ones */
    int32_t numbers[SAMPLE_MOST_ATOMS];
    int32_t site_atom[MOST_SITES];
    int image[MOST_SITES][3];
    double positions[3 * MOST_SITES];
    const chgnet_crossing *crossings;
    const void *shown; /* rows that the others read */
    char taken[1 << 16];
} part;

static part parts[MOST_PARTS];
static int n_part;
static int32_t owner_of[SAMPLE_MOST_ATOMS], place_of[SAMPLE_MOST_ATOMS]; /* part of an atom, and its number there */
static pthread_barrier_t barrier;

static void place_sites(const chgi_structure *s, part *p)
{
    for (int64_t i = 0; i < p->n_site; i++)
        for (int c = 0; c < 3; c++) {
            double *x = &p->positions[3 * i + c];
            *x = s->positions[3 * p->atom[p->site_atom[i]] + c];
            for (int k = 0; k < 3; k++)
                *x += p->image[i][k] * s->cell[k][c];
        }
}

static bool near_own(const chgi_structure *s, const part *p, int64_t atom, const int image[3], double reach)
{
    for (int64_t i = 0; i < p->n_own; i++) {
        double sum = 0;
        for (int c = 0; c < 3; c++) {
            double d = s->positions[3 * atom + c] - s->positions[3 * p->atom[i] + c];
            for (int k = 0; k < 3; k++)
                d += image[k] * s->cell[k][c];
            sum += d * d;
        }
        if (sum < reach * reach)
            return true;
    }
    return false;
}

/* The part's number of an atom; a remote one gets the next when it is met first. */
static int32_t number_in(part *p, int rank, int32_t atom)
{
    if (owner_of[atom] == rank)
        return place_of[atom];
    for (int64_t k = p->n_own; k < p->n_own + p->n_remote; k++)
        if (p->atom[k] == atom)
            return (int32_t)k;
    p->atom[p->n_own + p->n_remote] = atom;
    return (int32_t)(p->n_own + p->n_remote++);
}

static void add_site(part *p, int32_t atom, const int image[3])
{
    if (p->n_site == MOST_SITES)
        tap_bail("too many sites");
    memcpy(p->image[p->n_site], image, sizeof p->image[0]);
    p->site_atom[p->n_site++] = atom;
}

static void add_images(const chgi_structure *s, int rank, double reach)
{
    part *p = &parts[rank];
    int most[3];
    for (int k = 0; k < 3; k++)
        most[k] = s->pbc[k] ? 8 : 0;
    for (int a = -most[0]; a <= most[0]; a++)
        for (int b = -most[1]; b <= most[1]; b++)
            for (int c = -most[2]; c <= most[2]; c++)
                for (int32_t atom = 0; atom < s->n_atom; atom++) {
                    const int image[3] = {a, b, c};
                    bool is_own = owner_of[atom] == rank && a == 0 && b == 0 && c == 0;
                    if (!is_own && near_own(s, p, atom, image, reach))
                        add_site(p, number_in(p, rank, atom), image);
                }
}

/* Share the atoms out as `owners` says, a digit for each atom's part. */
static void divide(const chgi_structure *s, int count, const char *owners, double reach)
{
    n_part = count;
    for (int rank = 0; rank < n_part; rank++)
        parts[rank].n_own = parts[rank].n_remote = parts[rank].n_site = 0;
    for (int32_t atom = 0; atom < s->n_atom; atom++) {
        part *p = &parts[owner_of[atom] = owners[atom] - '0'];
        p->atom[p->n_own] = atom;
        place_of[atom] = (int32_t)p->n_own++;
        add_site(p, place_of[atom], (const int[3]){0, 0, 0});
    }
    for (int rank = 0; rank < n_part; rank++) {
        part *p = &parts[rank];
        add_images(s, rank, reach);
        for (int64_t k = 0; k < p->n_own + p->n_remote; k++)
            p->numbers[k] = s->numbers[p->atom[k]];
        place_sites(s, p);
    }
}

/* ---- exchange by shared memory ---------------------------------------------------------------- */

static void meet(void)
{
    pthread_barrier_wait(&barrier);
}

static void show(part *p, const void *rows)
{
    p->shown = rows;
    meet();
}

static void spread(void *user, size_t row_size, void *rows)
{
    part *p = user;
    show(p, rows);
    for (int64_t k = p->n_own; k < p->n_own + p->n_remote; k++) {
        int32_t atom = p->atom[k];
        const char *from = parts[owner_of[atom]].shown;
        memcpy((char *)rows + (size_t)k * row_size, from + (size_t)place_of[atom] * row_size, row_size);
    }
    meet();
}

static void add(int width, int is_double, void *to, int64_t row, const void *from, int64_t from_row)
{
    for (int64_t c = 0; c < width; c++)
        if (is_double)
            ((double *)to)[row * width + c] += ((const double *)from)[from_row * width + c];
        else
            ((float *)to)[row * width + c] += ((const float *)from)[from_row * width + c];
}

static void collect(void *user, int width, int is_double, void *rows)
{
    part *p = user;
    show(p, rows);
    for (int rank = 0; rank < n_part; rank++) {
        const part *q = &parts[rank];
        for (int64_t k = q->n_own; k < q->n_own + q->n_remote; k++)
            if (&parts[owner_of[q->atom[k]]] == p)
                add(width, is_double, rows, place_of[q->atom[k]], q->shown, k);
    }
    meet();
}

static void cross(void *user, int64_t n_crossing, const chgnet_crossing *crossings)
{
    part *p = user;
    p->n_crossing = n_crossing;
    p->crossings = crossings;
}

/* What the other owner of a bond has there; NULL: nothing. */
static const char *other_row(const part *p, const chgnet_crossing *mine, size_t row_size)
{
    const part *q = &parts[owner_of[p->atom[mine->remote]]];
    for (int64_t k = 0; k < q->n_crossing; k++) {
        const chgnet_crossing *theirs = &q->crossings[k];
        double away = 0;
        for (int c = 0; c < 3; c++)
            away += fabs(mine->vector[c] + theirs->vector[c]);
        if (q->atom[theirs->own] == p->atom[mine->remote] && q->atom[theirs->remote] == p->atom[mine->own] &&
            away < 1e-6)
            return (const char *)q->shown + (size_t)k * row_size;
    }
    return NULL;
}

static void swap(void *user, size_t row_size, void *rows)
{
    part *p = user;
    if ((size_t)p->n_crossing * row_size > sizeof p->taken)
        tap_bail("too many bonds across the border");
    show(p, rows);
    for (int64_t k = 0; k < p->n_crossing; k++) {
        const char *from = other_row(p, &p->crossings[k], row_size);
        if (from)
            memcpy(p->taken + (size_t)k * row_size, from, row_size);
        else
            memset(p->taken + (size_t)k * row_size, 0, row_size);
    }
    meet();
    if (p->n_crossing > 0)
        memcpy(rows, p->taken, (size_t)p->n_crossing * row_size);
}

static void sum(void *user, int n, double *values)
{
    part *p = user;
    double total[8] = {0};
    show(p, values);
    for (int rank = 0; rank < n_part; rank++)
        for (int k = 0; k < n; k++)
            total[k] += ((const double *)parts[rank].shown)[k];
    meet();
    memcpy(values, total, (size_t)n * sizeof *values);
}

static const void *gather(void *user, size_t row_size, const void *rows, int64_t *n_all, int64_t *first)
{
    part *p = user;
    *n_all = 0;
    show(p, rows);
    for (int rank = 0; rank < n_part; rank++) {
        size_t size = (size_t)parts[rank].n_own * row_size;
        if (&parts[rank] == p)
            *first = *n_all;
        if (size > 0)
            memcpy(p->taken + (size_t)*n_all * row_size, parts[rank].shown, size);
        *n_all += parts[rank].n_own;
    }
    meet();
    return p->taken;
}

static chgnet_exchange exchange_of(part *p)
{
    chgnet_exchange e = chgnet_exchange_default();
    e.user = p;
    e.n_process = n_part;
    e.spread = spread;
    e.collect = collect;
    e.cross = cross;
    e.swap = swap;
    e.sum = sum;
    e.gather = gather;
    return e;
}

#endif
