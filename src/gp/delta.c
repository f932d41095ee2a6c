/* Fitting, adding to and describing a delta-model. */
#include "gp/delta.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "gp/delta_inside.h"
#include "math/blas.h"
#include "math/cholesky.h"

enum { FEWEST_TO_CALIBRATE = 3 };

/* ---- choices ------------------------------------------------------------------------------------------------------
 */

/* The hyperparameters are fixed, save for the scale of all variances (`calibrate`), which leave-one-out gives in closed
 * form: the marginal likelihood, which a thousand force rows dominate, prefers values that do worse on energies kept
 * aside (examples/sulfur/README.md). */
chgi_delta_choice chgi_delta_choice_default(void)
{
    chgi_delta_choice choice = {.aggregation = CHGI_ATOMIC,
                                .layer = CHGI_ATOM_FEA_FINAL,
                                .noise_energy = {0.005, 1e-4, 1, 0.005, 0.2, true},
                                .noise_force = {0.04, 1e-3, 1, 0.04, 0.3, true},
                                .optimize = true,
                                .n_start = 3,
                                .max_step = 40,
                                .seed = 1,
                                .n_inducing_optimize = 300,
                                .calibrate = true,
                                .offset_spread = 1};
    choice.covariance.n_factor = 2;
    choice.covariance.factor[0] = (chgi_factor){.kind = CHGI_CONSTANT, .parameter = {{1, 1e-6, 1e4, 1, 1, true}}};
    choice.covariance.factor[1] = (chgi_factor){.kind = CHGI_RBF, .parameter = {{32, 0.5, 1e3, 32, 0.3, true}}};
    return choice;
}

static chgnet_status check_parameter(chgnet_context *ctx, const chgi_parameter *p, const char *name)
{
    if (p->value > 0 && isfinite(p->value) && p->low > 0 && p->low <= p->value && p->value <= p->high &&
        p->spread >= 0 && (p->spread == 0 || p->centre > 0))
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EINPUT, "%s is %g; a positive number within its bounds %g to %g is needed",
                             name, p->value, p->low, p->high);
}

chgnet_status chgi_delta_check_choice(chgnet_context *ctx, const chgi_delta_choice *choice)
{
    chgi_delta_choice copy = *choice;
    if (choice->covariance.n_factor < 1 || choice->covariance.n_factor > CHGI_MAX_FACTOR)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the covariance is empty; such as \"constant(1)*rbf(16)\" is needed");
    for (int k = 0; k < chgi_covariance_count(&copy.covariance); k++) {
        char name[32];
        chgi_covariance_name(&copy.covariance, k, name);
        CHGI_TRY(check_parameter(ctx, chgi_covariance_parameter(&copy.covariance, k), name));
    }
    CHGI_TRY(check_parameter(ctx, &choice->noise_energy, "the energies' noise"));
    CHGI_TRY(check_parameter(ctx, &choice->noise_force, "the forces' noise"));
    if (!(choice->mix >= 0 && choice->mix <= 1))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the share of pairs of unlike elements is %g; 0 to 1 is possible",
                                 choice->mix);
    if (!(choice->offset_spread > 0 && isfinite(choice->offset_spread)) || choice->n_inducing < 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the offsets' spread must be positive, and the number of inducing "
                                 "points not negative");
    return CHGNET_OK;
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

size_t chgi_delta_memory(const chgi_delta_choice *choice, int n_feature, int64_t n_label, const chgi_label *labels)
{
    double row = 0, jacobian = 0, points = 0, point = 0, most_point = 1, most_force = 0, size = sizeof(double);
    bool atomic = choice->aggregation == CHGI_ATOMIC;
    for (int64_t k = 0; k < n_label; k++) {
        double n = atomic ? (double)labels[k].n_atom : 1;
        row += (double)labels[k].n_force + labels[k].has_energy;
        jacobian += n * (double)labels[k].n_force * n_feature;
        points += n;
        point += n * n_feature;
        most_point = fmax(most_point, n);
        most_force = fmax(most_force, (double)labels[k].n_force);
    }
    double total =
        jacobian + 3 * point + (double)chgi_team_memory(n_feature, (int64_t)most_point, (int64_t)most_force) / size;
    double m = fmin((double)choice->n_inducing, points);
    if (choice->n_inducing > 0)
        total += 3 * row * m + 5 * m * m + (double)CHGI_CANDIDATES_EACH * m * m;
    else
        total += row * row * (choice->optimize ? 2 : 1) + 64 * row;
    return total * size < (double)(SIZE_MAX / 2) ? (size_t)(total * size) : SIZE_MAX;
}

static chgnet_status check_memory(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int64_t n_label,
                                  const chgi_label *labels)
{
    size_t needed = chgi_delta_memory(choice, n_feature, n_label, labels), there = chgi_memory_physical();
    if (needed <= there)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_ENOMEM,
                             "the fit needs %.1f GB and this machine has %.1f; fewer labels or force components, or a "
                             "sparse model with fewer inducing points would fit",
                             (double)needed / 1e9, (double)there / 1e9);
}

/* ---- elements and offsets ------------------------------------------------------------------------------------------
 */

static chgnet_status find_elements(chgnet_context *ctx, int64_t n_label, const chgi_label *labels, int *n_element,
                                   int32_t elements[CHGI_MAX_ELEMENT])
{
    bool found[CHGI_MAX_ELEMENT + 1] = {false};
    for (int64_t k = 0; k < n_label; k++)
        for (int64_t i = 0; i < labels[k].n_atom; i++) {
            int32_t z = labels[k].numbers[i];
            if (z < 1 || z > CHGI_MAX_ELEMENT)
                return chgi_context_fail(ctx, CHGNET_EINPUT,
                                         "label %lld has an atomic number of %d; 1 to %d are possible",
                                         (long long)k + 1, z, CHGI_MAX_ELEMENT);
            found[z] = true;
        }
    *n_element = 0;
    for (int32_t z = 1; z <= CHGI_MAX_ELEMENT; z++)
        if (found[z])
            elements[(*n_element)++] = z;
    return CHGNET_OK;
}

double chgi_delta_offset_spread(const chgi_delta *delta)
{
    return delta->choice.offsets ? 0 : delta->choice.offset_spread;
}

void chgi_delta_residual(const chgi_delta *delta, const chgi_rows *rows, double *residual)
{
    memcpy(residual, rows->targets, (size_t)rows->n_row * sizeof *residual);
    for (int64_t a = 0; a < rows->n_label; a++)
        if (rows->has_energy[a])
            residual[rows->row_start[a]] -=
                chgi_vector_dot(rows->n_element, rows->count + a * rows->n_element, delta->offset_centre);
}

/* (H^T H + ridge) eps = H^T y over the energies, H the atoms of each element.
 * \param[in] fold, left_out  labels of this fold are left out; NULL: none */
static chgnet_status fit_offsets(chgnet_context *ctx, const chgi_rows *rows, const int32_t *fold, int32_t left_out,
                                 double *offsets)
{
    int64_t n = rows->n_element;
    double mean = 0, *normal = chgi_memory_new((size_t)(n * n), sizeof *normal);
    if (!normal)
        return chgi_context_nomem(ctx, (size_t)(n * n), sizeof *normal);
    memset(offsets, 0, (size_t)n * sizeof *offsets);
    for (int64_t a = 0; a < rows->n_label; a++) {
        const double *count = rows->count + a * n;
        if (!rows->has_energy[a] || (fold && fold[a] == left_out))
            continue;
        chgi_gemm(true, false, n, n, 1, 1, count, n, count, n, normal, n);
        chgi_vector_add(n, rows->targets[rows->row_start[a]], count, offsets);
    }
    for (int64_t e = 0; e < n; e++)
        mean += normal[e * n + e] / (double)n;
    for (int64_t e = 0; e < n; e++)
        normal[e * n + e] += mean > 0 ? 1e-8 * mean : 1;
    bool done = chgi_cholesky_factor(n, 0, normal, n);
    if (done) {
        chgi_lower_solve(n, normal, n, 1, offsets, 1);
        chgi_lower_solve_transposed(n, normal, n, 1, offsets, 1);
    }
    chgi_memory_free(normal);
    return done ? CHGNET_OK
                : chgi_context_fail(ctx, CHGNET_ENUMERIC, "the elements' offsets cannot be fitted; give them");
}

chgnet_status chgi_delta_offsets_left_out(chgnet_context *ctx, const chgi_delta *delta, const int32_t *fold,
                                          double *energy)
{
    const chgi_rows *rows = &delta->rows;
    size_t n = (size_t)rows->n_element, n_label = (size_t)rows->n_label;
    double *offsets = chgi_memory_new(n, sizeof *offsets);
    int32_t *own = chgi_memory_new(n_label, sizeof *own);
    chgnet_status status = offsets && own ? CHGNET_OK : chgi_context_nomem(ctx, n + n_label, sizeof *offsets);
    for (size_t a = 0; status == CHGNET_OK && a < n_label; a++)
        own[a] = fold ? fold[a] : (int32_t)a;
    if (status == CHGNET_OK)
        memcpy(offsets, delta->offset_centre, n * sizeof *offsets);
    for (size_t a = 0; status == CHGNET_OK && a < n_label; a++) {
        if (!delta->choice.offsets)
            status = fit_offsets(ctx, rows, own, own[a], offsets);
        energy[a] = chgi_vector_dot((int64_t)n, rows->count + a * n, offsets);
    }
    chgi_memory_free(offsets);
    chgi_memory_free(own);
    return status;
}

static chgnet_status set_offsets(chgnet_context *ctx, chgi_delta *delta)
{
    if (!delta->choice.offsets)
        return fit_offsets(ctx, &delta->rows, NULL, 0, delta->offset_centre);
    for (int e = 0; e < delta->form.n_element; e++) {
        delta->offset_centre[e] = delta->given[delta->form.elements[e]];
        if (!isfinite(delta->offset_centre[e]))
            return chgi_context_fail(ctx, CHGNET_EINPUT, "the offset of atomic number %d is not finite",
                                     delta->form.elements[e]);
    }
    return CHGNET_OK;
}

/* ---- making a model ------------------------------------------------------------------------------------------------
 */

chgnet_status chgi_delta_create(chgnet_context *ctx, const chgi_delta_choice *choice, chgi_delta **delta)
{
    *delta = chgi_memory_new(1, sizeof **delta);
    if (!*delta)
        return chgi_context_nomem(ctx, 1, sizeof **delta);
    (*delta)->choice = *choice;
    (*delta)->std_scale = 1;
    if (choice->offsets) {
        memcpy((*delta)->given, choice->offsets, sizeof(*delta)->given);
        (*delta)->choice.offsets = (*delta)->given;
    }
    return CHGNET_OK;
}

chgnet_status chgi_delta_allocate_offsets(chgnet_context *ctx, chgi_delta *delta)
{
    size_t n = (size_t)delta->form.n_element;
    delta->offset_centre = chgi_memory_new(n, sizeof *delta->offset_centre);
    delta->offsets = chgi_memory_new(n, sizeof *delta->offsets);
    delta->offset_std = chgi_memory_new(n, sizeof *delta->offset_std);
    return delta->offset_centre && delta->offsets && delta->offset_std
               ? CHGNET_OK
               : chgi_context_nomem(ctx, n, 3 * sizeof *delta->offsets);
}

/* Everything before the hyperparameters: elements, points, standardisation, offsets' centre. */
static chgnet_status begin(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int64_t n_label,
                           const chgi_label *labels, chgi_delta **delta)
{
    int32_t elements[CHGI_MAX_ELEMENT];
    int n_element = 0;
    bool by_group = choice->aggregation == CHGI_SPECIES || choice->scale_by_element;
    CHGI_TRY(chgi_delta_check_choice(ctx, choice));
    if (n_label < 1 || n_feature < 1)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "there are no labels; at least one is needed");
    CHGI_TRY(chgi_rows_check(ctx, n_feature, n_label, labels));
    CHGI_TRY(find_elements(ctx, n_label, labels, &n_element, elements));
    CHGI_TRY(check_memory(ctx, choice, n_feature, n_label, labels));
    CHGI_TRY(chgi_delta_create(ctx, choice, delta));
    CHGI_TRY(chgi_form_create(ctx, choice, n_feature, n_element, elements, &(*delta)->form));
    CHGI_TRY(chgi_rows_create(ctx, &(*delta)->form, true, by_group, n_label, labels, &(*delta)->rows));
    CHGI_TRY(chgi_delta_allocate_offsets(ctx, *delta));
    return set_offsets(ctx, *delta);
}

chgi_problem chgi_delta_problem(chgi_delta *delta, const double *residual)
{
    return (chgi_problem){.form = &delta->form,
                          .rows = &delta->rows,
                          .choice = &delta->choice,
                          .residual = residual,
                          .offset_spread = chgi_delta_offset_spread(delta)};
}

/* Choose inducing points (if any) and make room. */
static chgnet_status set_up(chgnet_context *ctx, chgi_delta *delta, int64_t n_inducing, bool gradient,
                            chgi_problem *problem)
{
    problem->inducing = NULL;
    if (delta->choice.n_inducing > 0) {
        chgi_centres_destroy(&delta->inducing);
        CHGI_TRY(chgi_inducing_choose(ctx, &delta->form, &delta->choice, &delta->rows, n_inducing, &delta->inducing));
        problem->inducing = &delta->inducing;
    }
    return chgi_problem_allocate(ctx, problem, gradient);
}

static int64_t fewer(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static chgnet_status optimize(chgnet_context *ctx, chgi_delta *delta, const double *residual)
{
    chgi_problem problem = chgi_delta_problem(delta, residual);
    chgnet_status status;
    CHGI_TRY_CLEANUP(
        set_up(ctx, delta, fewer(delta->choice.n_inducing, delta->choice.n_inducing_optimize), true, &problem));
    CHGI_TRY_CLEANUP(chgi_hyper_optimize(ctx, &problem));
    delta->n_evaluation = problem.n_evaluation;
cleanup:
    chgi_problem_destroy(&problem);
    return status;
}

/* The model takes what the problem found. */
void chgi_delta_take_solution(chgi_delta *delta, chgi_problem *problem)
{
    double *slots[] = {delta->weights, delta->factor, delta->inducing_factor, delta->normal_factor,
                       delta->normal_target};
    for (size_t k = 0; k < sizeof slots / sizeof *slots; k++)
        chgi_memory_free(slots[k]);
    delta->weights = problem->weights;
    delta->factor = problem->k;
    delta->inducing_factor = problem->inducing_factor;
    delta->normal_factor = problem->normal_factor;
    delta->normal_target = problem->normal_target;
    delta->normal_rest = problem->normal_rest;
    delta->jitter = problem->jitter;
    problem->weights = problem->k = problem->inducing_factor = problem->normal_factor = problem->normal_target = NULL;
    if (delta->factor)
        for (int64_t i = 0; i < delta->rows.n_row; i++)
            memset(delta->factor + i * delta->rows.n_row + i + 1, 0,
                   (size_t)(delta->rows.n_row - i - 1) * sizeof *delta->factor);
}

/* With the hyperparameters as they are: factor, weights, centres. */
chgnet_status chgi_delta_solve(chgnet_context *ctx, chgi_delta *delta, bool choose)
{
    double *residual = chgi_memory_new((size_t)delta->rows.n_row, sizeof *residual);
    chgi_problem problem = chgi_delta_problem(delta, residual);
    chgnet_status status = CHGNET_OK;
    double slope[CHGI_MAX_HYPER];
    if (!residual)
        return chgi_context_nomem(ctx, (size_t)delta->rows.n_row, sizeof *residual);
    chgi_delta_residual(delta, &delta->rows, residual);
    if (choose && delta->choice.optimize)
        CHGI_TRY_CLEANUP(optimize(ctx, delta, residual));
    if (choose)
        CHGI_TRY_CLEANUP(set_up(ctx, delta, delta->choice.n_inducing, false, &problem));
    if (!choose) {
        problem.inducing = delta->inducing.n ? &delta->inducing : NULL;
        CHGI_TRY_CLEANUP(chgi_problem_allocate(ctx, &problem, false));
    }
    CHGI_TRY_CLEANUP(chgi_problem_evaluate(ctx, &problem, true, &delta->log_likelihood, NULL));
    delta->log_prior = chgi_hyper_log_prior(&delta->choice, slope);
    chgi_delta_take_solution(delta, &problem);
    CHGI_TRY_CLEANUP(chgi_delta_collapse(ctx, delta));
    if (delta->jitter > 0)
        chgi_context_warn(ctx, CHGI_WARN_SINGULAR, "the kernel matrix is singular: %.2g was added to its diagonal",
                          delta->jitter);
cleanup:
    chgi_memory_free(residual);
    chgi_problem_destroy(&problem);
    return status;
}

/* Left-out energies, by their standard deviations. */
static chgnet_status calibrate(chgnet_context *ctx, chgi_delta *delta)
{
    const chgi_rows *rows = &delta->rows;
    size_t n = (size_t)rows->n_label;
    double *energy = chgi_memory_new(2 * n, sizeof *energy), *std = energy + n, sum = 0;
    int64_t count = 0;
    if (!energy)
        return chgi_context_nomem(ctx, 2 * n, sizeof *energy);
    chgnet_status status = chgi_delta_leave_out(ctx, delta, NULL, energy, std, NULL, NULL);
    for (int64_t a = 0; status == CHGNET_OK && a < rows->n_label; a++)
        if (rows->has_energy[a] && std[a] > 0) {
            double z = (energy[a] - rows->targets[rows->row_start[a]]) / std[a];
            sum += z * z;
            count++;
        }
    if (count >= FEWEST_TO_CALIBRATE && sum > 0 && isfinite(sum))
        delta->std_scale = sqrt(sum / (double)count);
    chgi_memory_free(energy);
    return status;
}

chgnet_status chgi_delta_fit(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int64_t n_label,
                             const chgi_label *labels, chgi_delta **delta)
{
    chgi_delta *made = NULL;
    chgnet_status status;
    *delta = NULL;
    CHGI_TRY_CLEANUP(begin(ctx, choice, n_feature, n_label, labels, &made));
    CHGI_TRY_CLEANUP(chgi_delta_solve(ctx, made, true));
    if (choice->calibrate)
        CHGI_TRY_CLEANUP(calibrate(ctx, made));
    *delta = made;
    made = NULL;
cleanup:
    chgi_delta_destroy(made);
    return status;
}

chgnet_status chgi_delta_likelihood(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature,
                                    int64_t n_label, const chgi_label *labels, double *value, double *gradient)
{
    chgi_delta *delta = NULL;
    chgi_problem problem = {0};
    double *residual = NULL;
    chgnet_status status;
    CHGI_TRY_CLEANUP(begin(ctx, choice, n_feature, n_label, labels, &delta));
    residual = chgi_memory_new((size_t)delta->rows.n_row, sizeof *residual);
    if (!residual)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)delta->rows.n_row, sizeof *residual));
    chgi_delta_residual(delta, &delta->rows, residual);
    problem = chgi_delta_problem(delta, residual);
    CHGI_TRY_CLEANUP(set_up(ctx, delta, choice->n_inducing, gradient != NULL, &problem));
    CHGI_TRY_CLEANUP(chgi_problem_evaluate(ctx, &problem, true, value, gradient));
cleanup:
    chgi_problem_destroy(&problem);
    chgi_memory_free(residual);
    chgi_delta_destroy(delta);
    return status;
}

void chgi_delta_destroy(chgi_delta *delta)
{
    if (!delta)
        return;
    double *arrays[] = {delta->offset_centre, delta->offsets,         delta->offset_std,    delta->weights,
                        delta->factor,        delta->inducing_factor, delta->normal_factor, delta->normal_target,
                        delta->by_value,      delta->by_slope,        delta->slope_own};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        chgi_memory_free(arrays[k]);
    chgi_memory_free(delta->origin);
    chgi_memory_free(delta->inducing_group);
    chgi_form_destroy(&delta->form);
    chgi_rows_destroy(&delta->rows);
    chgi_centres_destroy(&delta->inducing);
    chgi_centres_destroy(&delta->centres);
    chgi_memory_free(delta);
}

chgi_delta_summary chgi_delta_describe(const chgi_delta *delta)
{
    return (chgi_delta_summary){.choice = &delta->choice,
                                .n_feature = delta->form.n_feature,
                                .n_element = delta->form.n_element,
                                .elements = delta->form.elements,
                                .offsets = delta->offsets,
                                .offset_std = delta->offset_std,
                                .n_label = delta->rows.n_label,
                                .n_energy = delta->rows.n_energy,
                                .n_force = delta->rows.n_row - delta->rows.n_energy,
                                .n_point = delta->rows.n_point,
                                .n_inducing = delta->inducing.n,
                                .log_likelihood = delta->log_likelihood,
                                .log_prior = delta->log_prior,
                                .jitter = delta->jitter,
                                .std_scale = delta->std_scale,
                                .n_evaluation = delta->n_evaluation};
}
