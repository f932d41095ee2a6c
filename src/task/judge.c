#include "task/judge.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

chgnet_status chgi_judgement_create(chgnet_context *ctx, int64_t n, chgi_judgement *judgement)
{
    *judgement = (chgi_judgement){.n = n, .rows = chgi_memory_new((size_t)n, sizeof *judgement->rows)};
    return judgement->rows ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)n, sizeof *judgement->rows);
}

void chgi_judgement_destroy(chgi_judgement *judgement)
{
    for (int64_t i = 0; judgement->rows && i < judgement->n; i++)
        chgi_memory_free(judgement->rows[i].forces[0]); /* one block */
    chgi_memory_free(judgement->rows);
    *judgement = (chgi_judgement){0};
}

/* ---- one label -------------------------------------------------------------------------------- */

chgnet_status chgi_judged_allocate(chgnet_context *ctx, int64_t n, chgi_judged *row)
{
    double *block = chgi_memory_new((size_t)n, 3 * sizeof *block);
    if (!block)
        return chgi_context_nomem(ctx, (size_t)n, 3 * sizeof *block);
    row->n_force = n;
    for (int k = 0; k < 3; k++)
        row->forces[k] = block + k * n;
    return CHGNET_OK;
}

/* The correction's force is minus its gradient by embeddings times their Jacobian. */
static void judge_forces(const chgi_labelled *l, int n_feature, const double *gradient, chgi_judged *row)
{
    int64_t width = l->structure.n_atom * n_feature;
    for (int64_t k = 0; k < l->n_force; k++) {
        const double *jacobian = l->jacobian + k * width;
        double correction = 0;
        for (int64_t i = 0; i < width; i++)
            correction -= gradient[i] * jacobian[i];
        row->forces[0][k] = l->forces[l->component[k]];
        row->forces[1][k] = l->base_forces[l->component[k]];
        row->forces[2][k] = row->forces[1][k] + correction;
    }
}

/* Sums of powers of the atomic numbers tell compositions apart. */
static int64_t composition(const chgi_structure *s)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < s->n_atom; i++) {
        int64_t z = s->numbers[i];
        sum += z * (z * (z * z + 1000) + 1000000);
    }
    return sum;
}

/* The model's element offsets alone, as least squares on all its energies gives them. */
static double offset_energy(const chgi_delta_tensors *t, const chgi_structure *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->n_atom; i++)
        for (int32_t k = 0; k < t->n_element; k++)
            sum += t->elements[k] == s->numbers[i] ? t->offset_centre[k] : 0;
    return sum;
}

/* What a row says before the correction. */
static void begin_row(const chgi_delta_tensors *t, const chgi_labelled *l, chgi_judged *row)
{
    row->n_atom = l->structure.n_atom;
    row->composition = composition(&l->structure);
    row->has_energy = l->has_energy;
    row->energy = l->energy;
    row->before = l->base_energy + offset_energy(t, &l->structure);
    row->noise = t->choice.noise_energy.value;
}

void chgi_judged_begin(const chgi_delta *delta, const chgi_labelled *labelled, chgi_judged *row)
{
    chgi_delta_tensors tensors = chgi_delta_view(delta);
    begin_row(&tensors, labelled, row);
}

chgnet_status chgi_judge_label(chgnet_context *ctx, const chgi_delta *delta, const chgi_labelled *labelled,
                               int n_feature, chgi_delta_workspace *workspace, chgi_judged *row)
{
    const chgi_structure *s = &labelled->structure;
    bool forces = labelled->jacobian && labelled->n_force > 0;
    chgi_correction correction = {.want_std = true};
    double *gradient = forces ? chgi_memory_new((size_t)s->n_atom, (size_t)n_feature * sizeof *gradient) : NULL;
    if (forces && !gradient)
        return chgi_context_nomem(ctx, (size_t)s->n_atom, (size_t)n_feature * sizeof *gradient);
    correction.gradient = gradient;
    chgnet_status status = chgi_delta_predict(ctx, delta, s->n_atom, s->numbers, labelled->fea, workspace, &correction);
    if (status == CHGNET_OK && forces)
        status = chgi_judged_allocate(ctx, labelled->n_force, row);
    if (status == CHGNET_OK) {
        chgi_judged_begin(delta, labelled, row);
        row->after = labelled->base_energy + correction.energy;
        row->std = correction.std;
        if (forces)
            judge_forces(labelled, n_feature, gradient, row);
    }
    chgi_memory_free(gradient);
    return status;
}

/* ---- labels left out in closed form ----------------------------------------------------------- */

typedef struct left_out {
    double *energy, *std, *offset; /* (n_label) */
    double *forces;                /* (n_force) */
} left_out;

static chgnet_status fill_row(chgnet_context *ctx, const chgi_delta_tensors *t, const chgi_labelled *l, int64_t i,
                              const left_out *out, int64_t *next, chgi_judged *row)
{
    int64_t n_force = t->row_start[i + 1] - t->row_start[i] - t->has_energy[i], k = 0;
    begin_row(t, l, row);
    row->has_energy = t->has_energy[i] != 0;
    row->before = l->base_energy + out->offset[i];
    row->after = l->base_energy + out->energy[i];
    row->std = out->std[i];
    if (n_force == 0)
        return CHGNET_OK;
    CHGI_TRY(chgi_judged_allocate(ctx, n_force, row));
    for (int64_t c = 0; c < 3 * l->structure.n_atom && k < n_force; c++) {
        if (l->use && !l->use[c])
            continue;
        row->forces[0][k] = l->forces[c];
        row->forces[1][k] = l->base_forces[c];
        row->forces[2][k] = l->base_forces[c] + out->forces[*next];
        (*next)++;
        k++;
    }
    return CHGNET_OK;
}

chgnet_status chgi_judge_left_out(chgnet_context *ctx, const chgi_delta *delta, const chgi_label_set *set,
                                  const int32_t *fold, chgi_judgement *judgement)
{
    chgi_delta_tensors t = chgi_delta_view(delta);
    size_t n = (size_t)t.n_label, n_force = (size_t)chgi_delta_describe(delta).n_force;
    left_out out = {.energy = chgi_memory_new(n, sizeof(double)),
                    .std = chgi_memory_new(n, sizeof(double)),
                    .offset = chgi_memory_new(n, sizeof(double)),
                    .forces = chgi_memory_new(n_force, sizeof(double))};
    int64_t next = 0;
    bool all = out.energy && out.std && out.offset && out.forces;
    chgnet_status status = all ? CHGNET_OK : chgi_context_nomem(ctx, n + n_force, 16);
    if (status == CHGNET_OK)
        status = chgi_delta_leave_out(ctx, delta, fold, out.energy, out.std, n_force ? out.forces : NULL, NULL);
    if (status == CHGNET_OK)
        status = chgi_delta_offsets_left_out(ctx, delta, fold, out.offset);
    if (status == CHGNET_OK)
        status = chgi_judgement_create(ctx, t.n_label, judgement);
    for (int64_t i = 0; status == CHGNET_OK && i < t.n_label; i++)
        status = fill_row(ctx, &t, &set->labels[i], i, &out, &next, &judgement->rows[i]);
    chgi_memory_free(out.energy);
    chgi_memory_free(out.std);
    chgi_memory_free(out.offset);
    chgi_memory_free(out.forces);
    return status;
}

/* ---- sums ------------------------------------------------------------------------------------- */

static void add_error(chgi_error_sum *sum, double error)
{
    sum->n++;
    sum->mae += fabs(error);
    sum->rmse += error * error;
    sum->max = fmax(sum->max, fabs(error));
}

static void finish(chgi_error_sum *sum)
{
    if (sum->n == 0)
        return;
    sum->mae /= (double)sum->n;
    sum->rmse = sqrt(sum->rmse / (double)sum->n);
}

static void add_energy(const chgi_judged *row, chgi_summary *s)
{
    const double errors[2] = {row->before - row->energy, row->after - row->energy};
    double noisy = hypot(row->std, row->noise);
    for (int k = 0; k < 2; k++) {
        add_error(&s->energy[k], errors[k]);
        add_error(&s->energy_per_atom[k], errors[k] / (double)row->n_atom);
        s->within[k] += fabs(errors[1]) <= (k + 1) * row->std;
        s->within_noisy[k] += fabs(errors[1]) <= (k + 1) * noisy;
    }
}

chgi_summary chgi_judgement_sum(const chgi_judgement *judgement)
{
    chgi_summary s = {0};
    for (int64_t i = 0; i < judgement->n; i++) {
        const chgi_judged *row = &judgement->rows[i];
        if (row->has_energy)
            add_energy(row, &s);
        for (int64_t j = 0; j < row->n_force; j++)
            for (int k = 0; k < 2; k++)
                add_error(&s.forces[k], row->forces[1 + k][j] - row->forces[0][j]);
    }
    for (int k = 0; k < 2; k++) {
        double n = s.energy[k].n > 0 ? (double)s.energy[k].n : 1;
        s.within[k] /= n;
        s.within_noisy[k] /= n;
        finish(&s.energy[k]);
        finish(&s.energy_per_atom[k]);
        finish(&s.forces[k]);
    }
    return s;
}
