/* Neighbour search and graph against brute force, which goes through every image in a box that is large enough.
 *
 * Both compute the same vectors from positions that differ by whole cell vectors, so they differ by rounding: 1e-16 of
 * the largest coordinate that enters, here taken as 1e-12 of it.  Pairs within that of the cutoff would be decided by
 * rounding; the random cells are checked to have none. */
#include <math.h>

#include "crystal/graph.h"
#include "sample.h"

static const double SLACK = 1e-8; /* A^2: r^2 < cutoff^2 + SLACK */

typedef struct edge {
    int i, j;
    double length, d[3];
} edge;

typedef struct edge_list {
    edge *edges;
    size_t n, capacity;
} edge_list;

static void push(chgnet_context *ctx, edge_list *list, edge e)
{
    sample_must(ctx, chgi_memory_grow(ctx, &list->edges, &list->capacity, list->n + 1, sizeof e));
    list->edges[list->n++] = e;
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void take_off(double x[3], const double from[3])
{
    double share = dot(x, from) / dot(from, from);
    for (int c = 0; c < 3; c++)
        x[c] -= share * from[c];
}

/* Cell vector k without its parts along the other periodic vectors: images along axis k are its length apart in its
 * direction, whatever the other axes do. */
static void height(const chgi_structure *s, int k, double x[3])
{
    double basis[2][3];
    int n = 0;
    memcpy(x, s->cell[k], 3 * sizeof *x);
    for (int other = 0; other < 3; other++) {
        if (other == k || !s->pbc[other])
            continue;
        memcpy(basis[n], s->cell[other], sizeof basis[n]);
        for (int again = 0; n > 0 && again < 2; again++) /* Gram-Schmidt, twice for the very skew */
            take_off(basis[n], basis[0]);
        n++;
    }
    for (int again = 0; again < 2; again++)
        for (int m = 0; m < n; m++)
            take_off(x, basis[m]);
}

/* Images to look at on each side: enough for the cutoff after the distance between any two atoms as they are. */
static void image_range(const chgi_structure *s, double cutoff, int range[3])
{
    for (int k = 0; k < 3; k++) {
        double x[3], low = INFINITY, high = -INFINITY, spacing;
        range[k] = 0;
        if (!s->pbc[k])
            continue;
        height(s, k, x);
        spacing = sqrt(dot(x, x));
        for (int64_t i = 0; i < s->n_atom; i++) {
            low = fmin(low, dot(s->positions + 3 * i, x) / spacing);
            high = fmax(high, dot(s->positions + 3 * i, x) / spacing);
        }
        range[k] = (int)ceil((cutoff + high - low + 0.01) / spacing);
    }
}

/* All directed edges.  \return how near the nearest pair comes to the cutoff */
static double brute_force(chgnet_context *ctx, const chgi_structure *s, double cutoff, edge_list *list)
{
    int range[3], m[3];
    double limit = cutoff * cutoff + SLACK, near = 1;
    image_range(s, cutoff, range);
    for (m[0] = -range[0]; m[0] <= range[0]; m[0]++)
        for (m[1] = -range[1]; m[1] <= range[1]; m[1]++)
            for (m[2] = -range[2]; m[2] <= range[2]; m[2]++)
                for (int i = 0; i < s->n_atom; i++)
                    for (int j = 0; j < s->n_atom; j++) {
                        edge e = {.i = i, .j = j};
                        if (i == j && m[0] == 0 && m[1] == 0 && m[2] == 0)
                            continue;
                        for (int c = 0; c < 3; c++)
                            e.d[c] = s->positions[3 * j + c] - s->positions[3 * i + c] + m[0] * s->cell[0][c] +
                                     m[1] * s->cell[1][c] + m[2] * s->cell[2][c];
                        double r2 = dot(e.d, e.d);
                        near = fmin(near, fabs(r2 - limit));
                        e.length = sqrt(r2);
                        if (r2 < limit)
                            push(ctx, list, e);
                    }
    return near;
}

/* Order by atoms, length and vector; numbers within `tolerance` count as equal. */
static double tolerance;

static int compare(const void *pa, const void *pb)
{
    const edge *a = pa, *b = pb;
    if (a->i != b->i)
        return a->i < b->i ? -1 : 1;
    if (a->j != b->j)
        return a->j < b->j ? -1 : 1;
    if (fabs(a->length - b->length) > tolerance)
        return a->length < b->length ? -1 : 1;
    for (int c = 0; c < 3; c++)
        if (fabs(a->d[c] - b->d[c]) > tolerance)
            return a->d[c] < b->d[c] ? -1 : 1;
    return 0;
}

static void sort(edge_list *list)
{
    if (list->n > 0)
        qsort(list->edges, list->n, sizeof *list->edges, compare);
}

static void edges_of_graph(chgnet_context *ctx, const chgi_graph *g, edge_list *list)
{
    for (int i = 0; i < g->n_atom; i++)
        for (int64_t at = g->edge_start[i]; at < g->edge_start[i + 1]; at++) {
            int64_t bond = g->bond[at];
            edge e = {.i = i, .j = g->neighbour[at], .length = g->bond_length[bond]};
            for (int c = 0; c < 3; c++)
                e.d[c] = chgi_graph_sign(g, at) * g->bond_vector[3 * bond + c];
            push(ctx, list, e);
        }
}

static bool same_edges(const edge_list *a, const edge_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t k = 0; k < a->n; k++)
        if (compare(&a->edges[k], &b->edges[k]) != 0)
            return false;
    return true;
}

/* ---- what holds for every graph ---------------------------------------------------------------- */

static const char *wrong_edges(const chgi_graph *g, double bond_cutoff)
{
    for (int64_t i = 0; i < g->n_atom; i++)
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e++) {
            int64_t back = g->reverse[e], u = g->bond[e], j = g->neighbour[e];
            double r = g->bond_length[u];
            if (back == e || g->reverse[back] != e || g->neighbour[back] != i || g->bond[back] != u)
                return "reverse";
            if (back < g->edge_start[j] || back >= g->edge_start[j + 1])
                return "place of the reverse";
            if (g->bond_edge[u] != e && g->bond_edge[u] != back)
                return "bond_edge";
            if ((r > bond_cutoff) != (u >= g->n_short_bond))
                return "numbers of short bonds";
            if (e > g->edge_start[i] && r <= bond_cutoff && g->bond_length[g->bond[e - 1]] > bond_cutoff)
                return "short edges first";
            if (fabs(r - sqrt(dot(g->bond_vector + 3 * u, g->bond_vector + 3 * u))) > 1e-14 * r)
                return "length";
        }
    return NULL;
}

static const char *wrong_shorts(const chgi_graph *g, double bond_cutoff)
{
    int64_t most_edges = 0, most_short = 0;
    for (int64_t i = 0; i < g->n_atom; i++) {
        int64_t count = g->short_start[i + 1] - g->short_start[i], edges = g->edge_start[i + 1] - g->edge_start[i];
        int64_t found = 0;
        for (int64_t e = g->edge_start[i]; e < g->edge_start[i + 1]; e++)
            found += g->bond_length[g->bond[e]] <= bond_cutoff;
        if (found != count)
            return "short_start";
        for (int64_t p = 0; p < count; p++) {
            int64_t s = g->short_start[i] + p, e = g->short_edge[s];
            if (e != g->edge_start[i] + p)
                return "short_edge";
            if (g->short_edge[g->short_reverse[s]] != g->reverse[e])
                return "short_reverse";
            if (g->short_edge[g->bond_short[g->bond[e]]] != g->bond_edge[g->bond[e]])
                return "bond_short";
        }
        most_edges = edges > most_edges ? edges : most_edges;
        most_short = count > most_short ? count : most_short;
    }
    if (most_edges != g->most_edges || most_short != g->most_short)
        return "most_edges, most_short";
    return g->short_start[g->n_atom] == g->n_short_edge ? NULL : "n_short_edge";
}

static int64_t expected_angles(const chgi_graph *g, int64_t atom, double bond_cutoff)
{
    int64_t first = 0, second = 0;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e++) {
        first += g->bond_length[g->bond[e]] <= bond_cutoff;
        second += g->bond_length[g->bond[e]] < bond_cutoff;
    }
    return first * second - second; /* a bond makes no angle with itself */
}

static const char *wrong_angles(const chgi_graph *g, double bond_cutoff)
{
    for (int64_t i = 0; i < g->n_atom; i++) {
        if (g->angle_start[i + 1] - g->angle_start[i] != expected_angles(g, i, bond_cutoff))
            return "number of angles";
        for (int64_t a = g->angle_start[i]; a < g->angle_start[i + 1]; a++) {
            int32_t p = g->angle_first[a], q = g->angle_second[a], before = a > g->angle_start[i];
            int64_t shorts = g->short_start[i + 1] - g->short_start[i];
            if (p == q || p < 0 || q < 0 || p >= shorts || q >= shorts)
                return "pair of an angle";
            if (!(g->bond_length[chgi_graph_bond(g, i, q)] < bond_cutoff))
                return "second bond of an angle";
            if (before && !(p > g->angle_first[a - 1] || (p == g->angle_first[a - 1] && q > g->angle_second[a - 1])))
                return "order of angles: one may stand twice";
        }
    }
    return g->angle_start[g->n_atom] == g->n_angle ? NULL : "n_angle";
}

static const char *wrong_graph(const chgi_graph *g, double bond_cutoff)
{
    const char *wrong = wrong_edges(g, bond_cutoff);
    if (!wrong)
        wrong = wrong_shorts(g, bond_cutoff);
    if (!wrong)
        wrong = wrong_angles(g, bond_cutoff);
    if (!wrong && (g->n_edge != 2 * g->n_bond || g->n_short_edge != 2 * g->n_short_bond || g->edge_start[0] != 0))
        wrong = "counts";
    return wrong;
}

/* ---- random cells ------------------------------------------------------------------------------ */

typedef struct kind {
    const char *name;
    void (*cell)(uint64_t *state, double cell[3][3]);
    int n_atom, trials;
    double outside; /* cells by which atoms may lie outside */
} kind;

static void usual_cell(uint64_t *state, double cell[3][3])
{
    for (int k = 0; k < 9; k++)
        cell[k / 3][k % 3] = (k % 4 == 0) * (4 + 4 * sample_uniform(state)) + sample_symmetric(state, 1.5);
}

static void skew_cell(uint64_t *state, double cell[3][3])
{
    usual_cell(state, cell);
    for (int c = 0; c < 3; c++) {
        cell[2][c] += 50 * cell[0][c];
        cell[1][c] -= 17 * cell[0][c];
    }
}

static void thin_cell(uint64_t *state, double cell[3][3])
{
    const double length[3] = {0.9, 30, 5};
    for (int k = 0; k < 9; k++)
        cell[k / 3][k % 3] =
            (k % 4 == 0) * length[k / 3] * (1 + 0.1 * sample_uniform(state)) + sample_symmetric(state, 0.2);
}

static void left_cell(uint64_t *state, double cell[3][3])
{
    usual_cell(state, cell);
    for (int c = 0; c < 3; c++)
        cell[1][c] = -cell[1][c];
}

static void small_cell(uint64_t *state, double cell[3][3])
{
    for (int k = 0; k < 9; k++)
        cell[k / 3][k % 3] = (k % 4 == 0) * (1.2 + sample_uniform(state)) + sample_symmetric(state, 0.4);
}

static void large_cell(uint64_t *state, double cell[3][3])
{
    for (int k = 0; k < 9; k++)
        cell[k / 3][k % 3] = (k % 4 == 0) * 1e5 + sample_symmetric(state, 1e4);
}

static const kind kinds[] = {
    {"usual", usual_cell, 7, 16, 0},
    {"very skew", skew_cell, 4, 16, 0},
    {"very thin", thin_cell, 3, 8, 0},
    {"left-handed", left_cell, 5, 8, 0},
    {"one atom", small_cell, 1, 16, 0},
    {"atoms outside", usual_cell, 4, 8, 3},
    {"large, nearly empty", large_cell, 4, 3, 0},
};

static bool too_close(const chgi_structure *s)
{
    edge_list list = {0};
    chgnet_context *ctx = NULL;
    brute_force(ctx, s, 0.05, &list);
    chgi_memory_free(list.edges);
    return list.n > 0;
}

/* Atoms anywhere in the cell (and outside); along a non-periodic axis without a vector, within 8 A. */
static void random_structure(chgnet_context *ctx, const kind *k, int axes, bool zero, uint64_t *state,
                             chgi_structure *s)
{
    double cell[3][3];
    sample_must(ctx, chgi_structure_create(ctx, k->n_atom, s));
    do {
        k->cell(state, cell);
        for (int i = 0; i < 3; i++)
            s->pbc[i] = axes >> i & 1;
        for (int64_t i = 0; i < s->n_atom; i++) {
            s->numbers[i] = 1 + (int)(90 * sample_uniform(state));
            for (int c = 0; c < 3; c++)
                s->positions[3 * i + c] = 0;
            for (int a = 0; a < 3; a++) {
                double x = sample_uniform(state) * (1 + 2 * k->outside) - k->outside;
                for (int c = 0; c < 3; c++)
                    s->positions[3 * i + c] += x * cell[a][c];
            }
        }
        for (int i = 0; i < 9; i++)
            s->cell[i / 3][i % 3] = zero && !s->pbc[i / 3] ? 0 : cell[i / 3][i % 3];
    } while (too_close(s));
}

static void check_structure(chgnet_context *ctx, const chgi_structure *s, chgi_graph *g, double atom_cutoff,
                            double bond_cutoff, const char *label)
{
    edge_list want = {0}, got = {0};
    double near = brute_force(ctx, s, atom_cutoff, &want);
    double size = fmax(10, fmax(sample_largest(9, s->cell[0]), sample_largest(3 * s->n_atom, s->positions)));
    tolerance = 1e-12 * size;
    if (near < 100 * tolerance)
        tap_bail("a random pair lies at the cutoff: change the seed");
    sample_must(ctx, chgi_graph_build(ctx, s, atom_cutoff, bond_cutoff, g));
    edges_of_graph(ctx, g, &got);
    sort(&want);
    sort(&got);
    tap_ok(same_edges(&got, &want), "%s: the %zu edges of brute force", label, want.n);
    const char *wrong = wrong_graph(g, bond_cutoff);
    tap_ok(!wrong, "%s: graph holds together%s%s", label, wrong ? ": " : "", wrong ? wrong : "");
    chgi_memory_free(want.edges);
    chgi_memory_free(got.edges);
}

static void check_random(chgnet_context *ctx)
{
    chgi_graph g = {0}; /* one for all: it must not remember */
    uint64_t state = 2024;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int axes = 0; axes < 8; axes++)
            for (int trial = 0; trial < kinds[k].trials; trial++) {
                char label[160];
                chgi_structure s;
                double cutoff = trial % 2 ? 5 : 6;
                random_structure(ctx, &kinds[k], axes, trial % 2, &state, &s);
                snprintf(label, sizeof label, "%s cell, periodic %c%c%c%s", kinds[k].name, s.pbc[0] ? 'T' : 'F',
                         s.pbc[1] ? 'T' : 'F', s.pbc[2] ? 'T' : 'F', trial % 2 ? ", else no vector" : "");
                check_structure(ctx, &s, &g, cutoff, 3, label);
                chgi_structure_destroy(&s);
            }
    chgi_graph_destroy(&g);
}

/* ---- given cases ------------------------------------------------------------------------------- */

static chgi_structure plain_structure(chgnet_context *ctx, int n, const double *positions, double a, double b, double c,
                                      bool periodic)
{
    chgi_structure s;
    sample_must(ctx, chgi_structure_create(ctx, n, &s));
    memcpy(s.positions, positions, (size_t)n * 3 * sizeof *positions);
    for (int i = 0; i < n; i++)
        s.numbers[i] = i % 2 ? 8 : 3;
    s.cell[0][0] = a;
    s.cell[1][1] = b;
    s.cell[2][2] = c;
    s.pbc[0] = s.pbc[1] = s.pbc[2] = periodic;
    return s;
}

static void check_shells(chgnet_context *ctx)
{
    const double origin[3] = {0.1, 0.2, 0.3};
    chgi_graph g = {0};
    chgi_structure s = plain_structure(ctx, 1, origin, 3, 3, 3, true);
    sample_must(ctx, chgi_graph_build(ctx, &s, 6, 3, &g));
    /* Simple cubic, a = 3: within exactly 2 a lie 6 + 12 + 8 + 6 images. */
    tap_is_int(g.n_edge, 32, "shell exactly at the atom cutoff is inside");
    tap_is_int(g.n_short_edge, 6, "shell exactly at the bond cutoff counts as short");
    tap_is_int(g.n_angle, 0, "bonds of exactly the bond cutoff are second to none");
    tap_ok(!wrong_graph(&g, 3), "exact shells: graph holds together");
    chgi_structure_destroy(&s);
    chgi_graph_destroy(&g);
}

static void check_lonely(chgnet_context *ctx)
{
    const double origin[3] = {1, 2, 3}, plane[12] = {0, 0, 0, 1.4, 0, 0, 0, 1.4, 0, 1.4, 1.4, 0};
    chgi_graph g = {0};
    chgi_structure s = plain_structure(ctx, 1, origin, 0, 0, 0, false);
    sample_must(ctx, chgi_graph_build(ctx, &s, 6, 3, &g));
    tap_is_int(g.n_edge, 0, "one atom alone has no edge");
    tap_ok(!wrong_graph(&g, 3), "one atom alone: graph holds together");
    chgi_structure_destroy(&s);
    s = plain_structure(ctx, 4, plane, 0, 0, 0, false);
    check_structure(ctx, &s, &g, 6, 3, "flat molecule");
    chgi_structure_destroy(&s);
    s = plain_structure(ctx, 4, plane, 2.8, 2.8, 0, false);
    s.pbc[0] = s.pbc[1] = true;
    check_structure(ctx, &s, &g, 6, 3, "flat sheet");
    chgi_structure_destroy(&s);
    chgi_graph_destroy(&g);
}

static void refused(chgnet_context *ctx, chgi_structure *s, const char *part, const char *other, const char *label)
{
    chgi_graph g = {0};
    chgnet_status status = chgi_graph_build(ctx, s, 6, 3, &g);
    const char *text = chgnet_context_error(ctx);
    tap_ok(status == CHGNET_EINPUT && strstr(text, part) && strstr(text, other), "%s is refused: %s", label, text);
    chgi_graph_destroy(&g);
    chgi_structure_destroy(s);
}

static void check_refusals(chgnet_context *ctx)
{
    const double near[9] = {0, 0, 0, 5, 5, 5, 0.0004, 0.0005, 0}, across[6] = {0.0002, 1, 1, 7.9999, 1, 1};
    chgi_structure s = plain_structure(ctx, 3, near, 8, 8, 8, true);
    refused(ctx, &s, "atoms 1 (Li)", "3 (Li)", "a pair of atoms within 1e-3 A");
    s = plain_structure(ctx, 2, across, 8, 8, 8, true);
    refused(ctx, &s, "1 (Li)", "2 (O)", "a pair within 1e-3 A across the boundary");
    s = plain_structure(ctx, 1, near, 8, 8, 0.0005, true);
    refused(ctx, &s, "atom 1 (Li)", "own image", "an atom on its own image");
    s = plain_structure(ctx, 1, near, 0.005, 0.005, 0.005, true);
    refused(ctx, &s, "images", "larger cell", "a cell with 7e9 images within the cutoff");
    s = plain_structure(ctx, 1, near, 5, 5, 5, true);
    memcpy(s.cell[1], s.cell[0], sizeof s.cell[1]);
    refused(ctx, &s, "cell", "volume", "a flat cell");
    const double apart[6] = {0, 0, 0, 0.0011, 0, 0};
    chgi_graph g = {0};
    s = plain_structure(ctx, 2, apart, 8, 8, 8, true);
    tap_ok(chgi_graph_build(ctx, &s, 6, 3, &g) == CHGNET_OK, "1.1e-3 A apart is far enough");
    chgi_structure_destroy(&s);
    chgi_graph_destroy(&g);
}

/* 20,000 atoms: brute force would take minutes, bins a fraction of a second. */
static void check_large(chgnet_context *ctx)
{
    enum { SIDE = 28, COUNT = 20000 };
    chgi_structure s;
    chgi_graph g = {0};
    uint64_t state = 4;
    double box = 2.5 * SIDE, pairs = 0;
    sample_must(ctx, chgi_structure_create(ctx, SIDE * SIDE * SIDE, &s));
    s.n_atom = 0;
    for (int k = 0; k < SIDE * SIDE * SIDE && s.n_atom < COUNT; k++, s.n_atom++) {
        const int place[3] = {k % SIDE, k / SIDE % SIDE, k / SIDE / SIDE};
        s.numbers[s.n_atom] = 14;
        for (int c = 0; c < 3; c++)
            s.positions[3 * s.n_atom + c] = 2.5 * place[c] + sample_symmetric(&state, 0.5);
    }
    for (int k = 0; k < 3; k++) {
        s.cell[k][k] = box + 2;
        s.pbc[k] = k < 2;
    }
    s.cell[2][0] = 20;
    tap_is_int(s.n_atom, COUNT, "a large structure is made");
    sample_must(ctx, chgi_graph_build(ctx, &s, 6, 3, &g));
    tap_ok(!wrong_graph(&g, 3), "%lld atoms: graph of %lld edges holds together", (long long)s.n_atom,
           (long long)g.n_edge);
    for (int64_t i = 0; i < s.n_atom; i += 1000) /* a sample of atoms, each against all others in the nearest images */
        for (int64_t j = 0; j < s.n_atom; j++)
            for (int m = 0; m < 9; m++) {
                double d[3];
                for (int c = 0; c < 3; c++)
                    d[c] = s.positions[3 * j + c] - s.positions[3 * i + c] + (m % 3 - 1) * s.cell[0][c] +
                           (m / 3 - 1) * s.cell[1][c];
                double r2 = dot(d, d);
                pairs += r2 > 0 && r2 < 36 + SLACK;
            }
    for (int64_t i = 0; i < s.n_atom; i += 1000)
        pairs -= (double)(g.edge_start[i + 1] - g.edge_start[i]);
    tap_near(pairs, 0, 0, "a sample of its atoms has as many edges as brute force finds");
    chgi_graph_destroy(&g);
    chgi_structure_destroy(&s);
}

int main(void)
{
    chgnet_context *ctx = sample_context();
    check_random(ctx);
    check_shells(ctx);
    check_lonely(ctx);
    check_refusals(ctx);
    check_large(ctx);
    chgnet_context_destroy(ctx);
    return tap_done();
}
