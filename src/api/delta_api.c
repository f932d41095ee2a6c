/* The public functions of delta-models. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "api/guest.h"
#include "base/memory.h"
#include "task/train.h"

/* Calculators, contexts and models have no more threads than this either. */
enum { MOST_THREADS = 4096 };

chgnet_labels chgnet_labels_default(void)
{
    return (chgnet_labels){.size = sizeof(chgnet_labels)};
}

chgnet_delta_options chgnet_delta_options_default(void)
{
    return (chgnet_delta_options){.size = sizeof(chgnet_delta_options), .optimize = 1};
}

/* ---- labels ----------------------------------------------------------------------------------- */

static chgnet_status check_labels(chgnet_context *ctx, const chgnet_labels *l)
{
    if (l->size != sizeof *l)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "labels of another version; start from chgnet_labels_default()");
    if (l->n_structure < 1 || !l->n_atom || !l->numbers || !l->positions || !l->cells || !l->pbc || !l->energies)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "labels without structures or energies; give all arrays but `forces`");
    for (int64_t i = 0; i < l->n_structure; i++)
        if (l->n_atom[i] < 1)
            return chgi_context_fail(ctx, CHGNET_EINPUT, "label %lld has %lld atoms; at least one is needed",
                                     (long long)i + 1, (long long)l->n_atom[i]);
    return CHGNET_OK;
}

/* Forces that are NaN are masked. */
static chgnet_status take_forces(chgnet_context *ctx, const double *forces, int64_t index, chgi_labelled *to)
{
    size_t n = 3 * (size_t)to->structure.n_atom;
    to->forces = chgi_memory_new(n, sizeof *to->forces);
    to->use = chgi_memory_new(n, sizeof *to->use);
    if (!to->forces || !to->use)
        return chgi_context_nomem(ctx, n, sizeof *to->forces);
    for (size_t k = 0; k < n; k++) {
        if (isinf(forces[k]))
            return chgi_context_fail(ctx, CHGNET_EINPUT, "label %lld: a force is infinite; NaN leaves a component out",
                                     (long long)index + 1);
        to->use[k] = !isnan(forces[k]);
        to->forces[k] = to->use[k] ? forces[k] : 0;
    }
    return CHGNET_OK;
}

static chgnet_status take_label(chgnet_context *ctx, const chgnet_labels *l, int64_t index, int64_t first,
                                int n_element, chgi_labelled *to)
{
    size_t n = (size_t)l->n_atom[index];
    CHGI_TRY(chgi_structure_create(ctx, l->n_atom[index], &to->structure));
    memcpy(to->structure.numbers, l->numbers + first, n * sizeof *l->numbers);
    memcpy(to->structure.positions, l->positions + 3 * first, 3 * n * sizeof *l->positions);
    memcpy(to->structure.cell, l->cells + 9 * index, 9 * sizeof *l->cells);
    for (int k = 0; k < 3; k++)
        to->structure.pbc[k] = l->pbc[3 * index + k] != 0;
    to->has_energy = true;
    to->energy = l->energies[index];
    chgnet_status status = chgi_structure_check(ctx, &to->structure, n_element);
    if (status == CHGNET_OK && !isfinite(to->energy))
        status = chgi_context_fail(ctx, CHGNET_EINPUT, "the energy is not finite; leave the label out");
    if (status != CHGNET_OK)
        return chgi_context_fail(ctx, status, "label %lld: %.900s", (long long)index + 1, chgnet_context_error(ctx));
    return l->forces ? take_forces(ctx, l->forces + 3 * first, index, to) : CHGNET_OK;
}

static chgnet_status take_labels(chgnet_context *ctx, const chgnet_model *model, const chgnet_labels *l,
                                 chgi_label_set *set)
{
    int n_element = chgnet_model_get_info(model).n_element;
    int64_t first = 0;
    CHGI_TRY(check_labels(ctx, l));
    for (int64_t i = 0; i < l->n_structure; i++) {
        chgi_labelled labelled = {0};
        chgnet_status status = take_label(ctx, l, i, first, n_element, &labelled);
        if (status != CHGNET_OK) {
            chgi_labelled_destroy(&labelled);
            return status;
        }
        CHGI_TRY(chgi_label_set_add(ctx, set, &labelled));
        first += l->n_atom[i];
    }
    return CHGNET_OK;
}

static chgnet_status embed(chgnet_context *ctx, const chgnet_model *model, chgi_embedding_layer layer, bool forces,
                           int threads, chgi_label_set *set)
{
    const chgi_embed_choice choice = {.model = model,
                                      .layer = layer,
                                      .with_forces = forces,
                                      .with_jacobians = forces,
                                      .check = true,
                                      .n_thread = threads};
    if (threads < 0 || threads > MOST_THREADS)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%d threads; give 1 to %d, or 0 for the default", threads,
                                 MOST_THREADS);
    return chgi_embed_set(ctx, &choice, set);
}

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status fail_word(chgnet_context *ctx, const char *what, const char *word, const char *known)
{
    return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s '%.60s' is not known; give %s", what, word, known);
}

static chgnet_status take_words(chgnet_context *ctx, const chgnet_delta_options *o, chgi_delta_choice *c)
{
    for (int k = CHGI_GLOBAL; o->aggregation && k <= CHGI_ATOMIC + 1; k++) {
        if (k > CHGI_ATOMIC)
            return fail_word(ctx, "aggregation", o->aggregation, "global, species or atomic");
        c->aggregation = (chgi_aggregation)k;
        if (strcmp(o->aggregation, chgi_aggregation_name(c->aggregation)) == 0)
            break;
    }
    if (o->layer) {
        bool last = strcmp(o->layer, chgi_layer_name(CHGI_ATOM_FEA_FINAL)) == 0;
        if (!last && strcmp(o->layer, chgi_layer_name(CHGI_ATOM_FEA)) != 0)
            return fail_word(ctx, "layer", o->layer, "atom_fea or atom_fea_final");
        c->layer = last ? CHGI_ATOM_FEA_FINAL : CHGI_ATOM_FEA;
    }
    if (o->kernel && chgi_covariance_parse(ctx, o->kernel, &c->covariance) != CHGNET_OK)
        return CHGNET_EUSAGE;
    return CHGNET_OK;
}

static chgnet_status take_noise(chgnet_context *ctx, const char *name, double value, chgi_parameter *parameter)
{
    if (value == 0)
        return CHGNET_OK;
    if (!(value > 0) || !isfinite(value))
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s is %g; give a positive number, or 0 for the default", name,
                                 value);
    parameter->value = value;
    parameter->low = fmin(parameter->low, value);
    parameter->high = fmax(parameter->high, value);
    return CHGNET_OK;
}

static chgnet_status take_options(chgnet_context *ctx, const chgnet_delta_options *o, chgi_delta_choice *c)
{
    *c = chgi_delta_choice_default();
    if (o->size != sizeof *o)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "options of another version; start from chgnet_delta_options_default()");
    if (o->starts < 0 || o->inducing < 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s is negative; give a number from 0",
                                 o->starts < 0 ? "starts" : "inducing");
    CHGI_TRY(take_words(ctx, o, c));
    CHGI_TRY(take_noise(ctx, "noise_energy", o->noise_energy, &c->noise_energy));
    CHGI_TRY(take_noise(ctx, "noise_force", o->noise_force, &c->noise_force));
    c->optimize = o->optimize != 0;
    c->n_start = o->starts > 0 ? o->starts : c->n_start;
    c->n_inducing = o->inducing;
    c->seed = o->seed;
    return CHGNET_OK;
}

/* ---- fit and update --------------------------------------------------------------------------- */

static chgnet_status fit(chgnet_context *ctx, const chgnet_model *model, const chgnet_labels *labels,
                         const chgi_delta_choice *choice, int threads, chgi_label_set *set, chgnet_delta **delta)
{
    chgi_delta *gp;
    bool forces = labels->forces != NULL;
    CHGI_TRY(take_labels(ctx, model, labels, set));
    if (set->n_label < 2)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "one label alone teaches only element offsets; two or more are "
                                 "needed");
    CHGI_TRY(embed(ctx, model, choice->layer, forces, threads, set));
    CHGI_TRY(chgi_train_fit(ctx, choice, set, NULL, forces, &gp));
    return chgi_train_finish(ctx, model, NULL, &gp, set, delta);
}

/* One fit or update, as chgi_guest_run takes it. */
typedef struct lesson {
    chgnet_context *ctx;
    const chgnet_model *model;
    const chgnet_labels *labels;
    const chgi_delta_choice *choice;
    int threads;
    chgi_label_set set;
    chgnet_delta *delta;
} lesson;

static chgnet_status run_fit(void *argument)
{
    lesson *l = argument;
    return fit(l->ctx, l->model, l->labels, l->choice, l->threads, &l->set, &l->delta);
}

/* The embeddings take as many as asked, the Gaussian process as many as there are by default. */
static int threads_of(int threads)
{
    int most = threads > omp_get_max_threads() ? threads : omp_get_max_threads();
    return most < MOST_THREADS ? most : MOST_THREADS;
}

chgnet_status chgnet_delta_fit(chgnet_context *context, const chgnet_model *model, const chgnet_labels *labels,
                               const chgnet_delta_options *options, chgnet_delta **delta)
{
    const chgnet_delta_options chosen = options ? *options : chgnet_delta_options_default();
    chgi_delta_choice choice;
    *delta = NULL;
    CHGI_TRY(take_options(context, &chosen, &choice));
    lesson l = {.ctx = context, .model = model, .labels = labels, .choice = &choice, .threads = chosen.threads};
    chgnet_status status = chgi_guest_run(context, threads_of(chosen.threads), run_fit, &l);
    chgi_label_set_destroy(&l.set);
    *delta = l.delta;
    return status;
}

static chgnet_status update(chgnet_context *ctx, chgnet_delta *delta, const chgnet_model *model,
                            const chgnet_labels *labels, int threads, chgi_label_set *set)
{
    chgnet_model_info info = chgnet_model_get_info(model);
    CHGI_TRY(chgi_delta_file_check_model(ctx, delta, info.version, info.sha256));
    CHGI_TRY(take_labels(ctx, model, labels, set));
    CHGI_TRY(embed(ctx, model, chgi_delta_describe(delta->gp).choice->layer, labels->forces != NULL, threads, set));
    return chgi_train_add(ctx, delta, labels->forces != NULL, set);
}

static chgnet_status run_update(void *argument)
{
    lesson *l = argument;
    return update(l->ctx, l->delta, l->model, l->labels, l->threads, &l->set);
}

chgnet_status chgnet_delta_update(chgnet_context *context, chgnet_delta *delta, const chgnet_model *model,
                                  const chgnet_labels *labels, int threads)
{
    lesson l = {.ctx = context, .model = model, .labels = labels, .threads = threads, .delta = delta};
    chgnet_status status = chgi_guest_run(context, threads_of(threads), run_update, &l);
    chgi_label_set_destroy(&l.set);
    return status;
}

/* ---- files and facts -------------------------------------------------------------------------- */

chgnet_status chgnet_delta_load(chgnet_context *context, const char *path, chgnet_delta **delta)
{
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_delta_file_load(context, path, delta));
}

chgnet_status chgnet_delta_save(chgnet_context *context, const chgnet_delta *delta, const char *path)
{
    chgi_guest guest;
    chgi_guest_enter(&guest, 1);
    return chgi_guest_leave(&guest, chgi_delta_file_save(context, delta, path));
}

void chgnet_delta_destroy(chgnet_delta *delta)
{
    chgi_delta_file_destroy(delta);
}

chgnet_delta_info chgnet_delta_get_info(const chgnet_delta *delta)
{
    chgi_delta_summary s = chgi_delta_describe(delta->gp);
    return (chgnet_delta_info){.aggregation = chgi_aggregation_name(s.choice->aggregation),
                               .layer = chgi_layer_name(s.choice->layer),
                               .model = delta->model,
                               .model_sha256 = delta->model_sha256,
                               .base = delta->base,
                               .n_label = s.n_label,
                               .n_energy = s.n_energy,
                               .n_force = s.n_force,
                               .n_inducing = s.n_inducing,
                               .noise_energy = s.choice->noise_energy.value,
                               .noise_force = s.choice->noise_force.value,
                               .log_likelihood = s.log_likelihood,
                               .loo_energy = {delta->loo[0], delta->loo[1]},
                               .loo_forces = {delta->loo[2], delta->loo[3]}};
}
