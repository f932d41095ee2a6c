#include "model/pair_table.h"

#include <math.h>
#include <string.h>

#include "model/rows.h"
#include "nn/flush.h"

/* A table costs as much as this many edges gain over some ten steps. */
enum { EDGES_PER_PAIR = 200 };

/* The elements of a structure, ascending; 0 where they are too many. */
static int list_elements(const chgi_pass *pass, int element[CHGI_MOST_PAIRED])
{
    bool seen[CHGI_MOST_ELEMENTS] = {false};
    int count = 0;
    for (int64_t i = 0; i < pass->graph->n_atom; i++)
        seen[pass->numbers[i]] = true;
    for (int z = 0; z < CHGI_MOST_ELEMENTS; z++) {
        if (seen[z] && count == CHGI_MOST_PAIRED)
            return 0;
        if (seen[z])
            element[count++] = z;
    }
    return count;
}

bool chgi_pair_choose(const chgi_pass *pass, const chgi_pair_tables *tables)
{
    int element[CHGI_MOST_PAIRED], count = 0;
    if (tables && !CHGI_DOUBLE && pass->net->n_element < CHGI_MOST_ELEMENTS &&
        pass->net->pair_bond.n_in <= chgi_network_widest(pass->net)) /* the basis has room in a tile */
        count = list_elements(pass, element);
    return count > 0 && pass->graph->n_edge >= (int64_t)EDGES_PER_PAIR * count * count;
}

/* Polynomials in the place within an interval, -1 to 1, through the Chebyshev points of the interval. */
enum { POINTS = 8, ROWS = 4 };
static const double STEP = 0.01; /* A, at most */

static int intervals(const chgi_network *net)
{
    return (int)ceil(net->atom_cutoff / STEP);
}

static int64_t table_size(const chgi_network *net)
{
    return (int64_t)intervals(net) * POINTS * net->width_atom;
}

/* ---- making them, in double: a slope takes differences of values apart ---- */

typedef chg_real narrow
    __attribute__((vector_size(sizeof(chg_real) * CHGI_DOUBLE_LANES), aligned(sizeof(chg_real)), may_alias));

/* out = base + in linear for POINTS rows. \param[in] base  (n_out) */
static void product(const chgi_linear *linear, int n_in, const chg_real *base, const double *in, int64_t in_stride,
                    double *out, int64_t out_stride)
{
    for (int c = 0; c < linear->n_out; c += CHGI_DOUBLE_LANES)
        for (int first = 0; first < POINTS; first += ROWS) {
            chg_dvector sum[ROWS];
            for (int r = 0; r < ROWS; r++)
                sum[r] = __builtin_convertvector(*(const narrow *)(base + c), chg_dvector);
            for (int i = 0; i < n_in; i++) {
                chg_dvector column =
                    __builtin_convertvector(*(const narrow *)(linear->forward + (int64_t)i * linear->n_out + c),
                                            chg_dvector);
#pragma GCC unroll 4
                for (int r = 0; r < ROWS; r++)
                    sum[r] += in[(first + r) * in_stride + i] * column;
            }
            for (int r = 0; r < ROWS; r++)
                *(chg_dvector *)(out + (first + r) * out_stride + c) = sum[r];
        }
}

/* The tiles in which the points of one interval are worked out, POINTS rows each. */
typedef struct point_tiles {
    int n, width;            /* of a message; of the first map's result */
    double *bond, *weight;   /* parts that depend on the length alone: (width), (n) */
    double *x, *y, *message; /* (width), (2 n), (n) */
} point_tiles;

/* In units of the interval's half, from its middle. */
static double point(int k)
{
    return cos(3.14159265358979323846 * (k + 0.5) / POINTS);
}

static void work_lengths(const chgi_network *net, int interval, const point_tiles *t)
{
    static const chg_real zeros[2 * CHGI_MOST_WIDTH];
    double slope[CHGI_MOST_FUNCTIONS + CHGI_PAD], curvature[CHGI_MOST_FUNCTIONS + CHGI_PAD];
    double step = net->atom_cutoff / intervals(net), *basis = t->x;
    int n_in = net->pair_bond.n_in;
    for (int k = 0; k < POINTS; k++)
        chgi_radial_basis(&net->radial_atom, step * (interval + 0.5 + 0.5 * point(k)), basis + k * n_in, slope,
                          curvature);
    product(&net->pair_bond, net->radial_atom.n, zeros, basis, n_in, t->bond, t->width);
    product(&net->pair_weight, net->radial_atom.n, zeros, basis, n_in, t->weight, t->n);
}

static double inverse_of(const chgi_gated *gated, const double *y)
{
    double square = 0;
    for (int c = 0; c < gated->n_feature && gated->norm; c++)
        square += y[c] * y[c] / gated->n_feature;
    return gated->norm ? 1 / sqrt(square + 1e-5) : 1;
}

static void gate(const chgi_gated *gated, const point_tiles *t)
{
    int n = t->n;
    for (int k = 0; k < POINTS; k++) {
        double *core = t->y + 2 * k * n, *open = core + n;
        double inverse[2] = {inverse_of(gated, core), inverse_of(gated, open)};
        for (int c = 0; c < n; c++) {
            core[c] = core[c] * inverse[0] * (double)gated->scale[0][c] + (double)gated->shift[0][c];
            open[c] = open[c] * inverse[1] * (double)gated->scale[1][c] + (double)gated->shift[1][c];
        }
        for (int c = 0; c < n; c += CHGI_DOUBLE_LANES) {
            chg_dvector z = *(chg_dvector *)(core + c), weight = *(chg_dvector *)(t->weight + k * n + c);
            *(chg_dvector *)(t->message + k * n + c) =
                z * chgi_sigmoid_double(z) * chgi_sigmoid_double(*(chg_dvector *)(open + c)) * weight;
        }
    }
}

/* Messages at the points of an interval. \param[in] base  (width) what both atoms add to the first map's result */
static void work_messages(const chgi_network *net, const chg_real *base, const point_tiles *t)
{
    const chgi_gated *gated = &net->atom_conv[0].gated;
    int hidden = gated->n_hidden, n = t->n;
    double *x = hidden ? t->x : t->y;
    for (int k = 0; k < POINTS; k++)
        for (int c = 0; c < t->width; c++)
            x[k * t->width + c] = t->bond[k * t->width + c] + (double)base[c];
    for (int k = 0; k < POINTS * 2 * hidden; k += CHGI_DOUBLE_LANES) {
        chg_dvector z = *(chg_dvector *)(x + k);
        *(chg_dvector *)(x + k) = z * chgi_sigmoid_double(z);
    }
    if (hidden) {
        product(&gated->core, hidden, gated->core.bias, x, t->width, t->y, 2 * n);
        product(&gated->gate, hidden, gated->gate.bias, x + hidden, t->width, t->y + n, 2 * n);
    }
    gate(gated, t);
}

/* terms = sum over points of fit messages. */
static void fit_terms(double (*fit)[POINTS], const point_tiles *t, chg_real *terms)
{
    for (int m = 0; m < POINTS; m++)
        for (int c = 0; c < t->n; c++) {
            double sum = 0;
            for (int k = 0; k < POINTS; k++)
                sum += fit[m][k] * t->message[k * t->n + c];
            terms[m * t->n + c] = (chg_real)sum;
        }
}

/* From values at the points to coefficients of powers, by way of Chebyshev polynomials T_d. */
static void find_fit(double fit[POINTS][POINTS])
{
    double power[3][POINTS + 1] = {{1}, {0, 1}}; /* coefficients of T_d, T_(d+1) and the next */
    memset(fit, 0, sizeof(double[POINTS][POINTS]));
    for (int d = 0; d < POINTS; d++) {
        double *now = power[d % 3], *next = power[(d + 1) % 3], *after = power[(d + 2) % 3];
        for (int m = 0; m <= d; m++)
            for (int k = 0; k < POINTS; k++)
                fit[m][k] += now[m] * (d ? 2.0 : 1.0) / POINTS * cos(d * acos(point(k)));
        after[0] = -now[0];
        for (int m = 1; m <= POINTS; m++)
            after[m] = 2 * next[m - 1] - now[m];
    }
}

/* What the first map adds for both atoms. */
static void pair_base(const chgi_network *net, int center, int neighbour, chg_real *base)
{
    const chgi_atom_conv *conv = &net->atom_conv[0];
    int n = net->width_atom, width = conv->center.n_out;
    chgi_product(1, width, n, net->embedding + (int64_t)(center - 1) * n, n, conv->center.forward, width,
                 conv->center.bias, 0, base, width);
    chgi_product(1, width, n, net->embedding + (int64_t)(neighbour - 1) * n, n, conv->neighbour.forward, width, base, 0,
                 base, width);
}

static void fill_interval(const chgi_pass *pass, const chgi_pair_tables *tables, int interval, double (*fit)[POINTS])
{
    const chgi_network *net = pass->net;
    int thread = omp_get_thread_num(), count = tables->n_element;
    chg_real *terms = (chg_real *)(void *)tables->memory.base;
    chg_real base[2 * CHGI_MOST_WIDTH];
    double *tile[5];
    for (int k = 0; k < 5; k++)
        tile[k] = (double *)(void *)chgi_pass_tile(pass, thread, k);
    point_tiles t = {net->width_atom, net->atom_conv[0].center.n_out, tile[0], tile[1], tile[2], tile[3], tile[4]};
    work_lengths(net, interval, &t);
    for (int k = 0; k < count * count; k++) {
        pair_base(net, tables->element[k / count], tables->element[k % count], base);
        work_messages(net, base, &t);
        fit_terms(fit, &t, terms + k * table_size(net) + (int64_t)interval * POINTS * t.n);
    }
}

chgnet_status chgi_pair_fill(chgnet_context *ctx, const chgi_pass *pass, chgi_pair_tables *tables)
{
    int element[CHGI_MOST_PAIRED] = {0}, count = list_elements(pass, element);
    if (tables->network == pass->net && tables->n_element == count &&
        memcmp(tables->element, element, sizeof element) == 0)
        return CHGNET_OK;
    tables->network = NULL;
    CHGI_TRY(
        chgi_arena_reserve(ctx, &tables->memory, (size_t)(count * count * table_size(pass->net)) * sizeof(chg_real)));
    tables->n_element = count;
    memcpy(tables->element, element, sizeof element);
    for (int k = 0; k < count; k++)
        tables->slot[element[k]] = k;
    double fit[POINTS][POINTS];
    find_fit(fit);
#pragma omp parallel num_threads(pass->n_thread)
    {
        uint64_t flush = chgi_flush_begin();
#pragma omp for schedule(dynamic)
        for (int interval = 0; interval < intervals(pass->net); interval++)
            fill_interval(pass, tables, interval, fit);
        chgi_flush_end(flush);
    }
    tables->network = pass->net;
    return CHGNET_OK;
}

/* ---- edges ---- */

/* The terms for one edge, and its place between -1 and 1. */
static inline const chg_real *edge_terms(const chgi_pass *pass, int64_t atom, int64_t edge, chg_real *place)
{
    const chgi_pair_tables *tables = pass->pairs;
    const chgi_graph *g = pass->graph;
    int64_t near = tables->slot[pass->numbers[atom]], far = tables->slot[pass->numbers[g->neighbour[edge]]];
    const chg_real *terms = (const chg_real *)(const void *)tables->memory.base;
    int most = intervals(pass->net);
    double x = g->bond_length[g->bond[edge]] * (most / pass->net->atom_cutoff);
    int interval = (int)x < most ? (int)x : most - 1;
    *place = (chg_real)(2 * (x - interval) - 1);
    return terms + (near * tables->n_element + far) * table_size(pass->net) +
           (int64_t)interval * POINTS * pass->net->width_atom;
}

/* Call in the terms of an edge some edges ahead. */
static inline void call_terms(const chgi_pass *pass, int64_t atom, int64_t edge)
{
    enum { AHEAD = 2 };
    chg_real place;
    if (edge + AHEAD < pass->graph->edge_start[atom + 1])
        chgi_prefetch(edge_terms(pass, atom, edge + AHEAD, &place), POINTS * pass->net->width_atom, 0);
}

void chgi_pair_sum(const chgi_pass *pass, int64_t atom, chg_real *sum)
{
    const chgi_graph *g = pass->graph;
    int n = pass->net->width_atom;
    chg_real place;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e++) {
        const chg_real *terms = edge_terms(pass, atom, e, &place);
        call_terms(pass, atom, e);
        for (int c = 0; c < n; c += CHGI_LANES) {
            chg_vector value = chgi_load(terms + (POINTS - 1) * n + c);
#pragma GCC unroll 12
            for (int k = POINTS - 2; k >= 0; k--)
                value = value * place + chgi_load(terms + k * n + c);
            chgi_store(sum + c, chgi_load(sum + c) + value);
        }
    }
}

void chgi_pair_slopes(const chgi_pass *pass, int64_t atom, const chg_real *dsum)
{
    const chgi_graph *g = pass->graph;
    int n = pass->net->width_atom;
    double scale = 2 * intervals(pass->net) / pass->net->atom_cutoff;
    chg_real place;
    for (int64_t e = g->edge_start[atom]; e < g->edge_start[atom + 1]; e++) {
        const chg_real *terms = edge_terms(pass, atom, e, &place);
        chg_vector along = {0};
        call_terms(pass, atom, e);
        for (int c = 0; c < n; c += CHGI_LANES) {
            chg_vector slope = (chg_real)(POINTS - 1) * chgi_load(terms + (POINTS - 1) * n + c);
#pragma GCC unroll 12
            for (int k = POINTS - 2; k > 0; k--)
                slope = slope * place + (chg_real)k * chgi_load(terms + k * n + c);
            along += slope * chgi_load(dsum + c);
        }
        pass->w.dlength_edge[e] += scale * (double)chgi_sum(along);
    }
}
