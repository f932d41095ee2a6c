#include "task/train.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

enum { STREAM_FOLDS = 0x6464 }; /* what the random numbers are for */

/* ---- a fit ------------------------------------------------------------------------------------ */

/* The labels as a fit sees them. */
static chgnet_status view_labels(chgnet_context *ctx, const chgi_label_set *set, const bool *out, bool with_forces,
                                 chgi_label **labels, int64_t *n)
{
    *n = 0;
    *labels = chgi_memory_new((size_t)set->n_label, sizeof **labels);
    if (!*labels)
        return chgi_context_nomem(ctx, (size_t)set->n_label, sizeof **labels);
    for (int64_t i = 0; i < set->n_label; i++)
        if (!out || !out[i])
            (*labels)[(*n)++] = chgi_labelled_view(&set->labels[i], with_forces);
    return CHGNET_OK;
}

chgnet_status chgi_train_fit(chgnet_context *ctx, const chgi_delta_choice *choice, const chgi_label_set *set,
                             const bool *out, bool with_forces, chgi_delta **delta)
{
    chgi_label *labels;
    int64_t n;
    *delta = NULL;
    CHGI_TRY(view_labels(ctx, set, out, with_forces, &labels, &n));
    chgnet_status status = chgi_delta_fit(ctx, choice, set->n_feature, n, labels, delta);
    chgi_memory_free(labels);
    return status;
}

/* ---- a model with its labels ------------------------------------------------------------------ */

/* How well the model predicts each of its labels from the others; told by `show` and `info`. */
static chgnet_status sum_left_out(chgnet_context *ctx, chgnet_delta *delta)
{
    chgi_judgement judgement = {0};
    memset(delta->loo, 0, sizeof delta->loo);
    memset(delta->within, 0, sizeof delta->within);
    if (delta->set.n_label < 2)
        return CHGNET_OK;
    chgnet_status status = chgi_judge_left_out(ctx, delta->gp, &delta->set, NULL, &judgement);
    if (status == CHGNET_OK) {
        chgi_summary sum = chgi_judgement_sum(&judgement);
        const double errors[4] = {sum.energy[0].mae, sum.energy[1].mae, sum.forces[0].mae, sum.forces[1].mae};
        memcpy(delta->loo, errors, sizeof errors);
        memcpy(delta->within, sum.within, sizeof sum.within);
    }
    chgi_judgement_destroy(&judgement);
    return status;
}

static void drop_embeddings(chgi_label_set *set)
{
    for (int64_t i = 0; i < set->n_label; i++) {
        chgi_labelled *l = &set->labels[i];
        chgi_memory_free(l->fea);
        chgi_memory_free(l->jacobian);
        chgi_memory_free(l->residual);
        chgi_memory_free(l->component);
        l->fea = l->jacobian = l->residual = NULL;
        l->component = NULL;
    }
}

chgnet_status chgi_train_finish(chgnet_context *ctx, const chgnet_model *model, const char *base, chgi_delta **gp,
                                chgi_label_set *set, chgnet_delta **delta)
{
    chgnet_model_info info = chgnet_model_get_info(model);
    chgnet_delta *made = chgi_memory_new(1, sizeof *made);
    if (made) {
        *made = (chgnet_delta){.gp = *gp,
                               .set = *set,
                               .model = chgi_memory_copy_text(info.version),
                               .model_sha256 = chgi_memory_copy_text(info.sha256),
                               .base = chgi_memory_copy_text(base ? base : "chgnet"),
                               .version = chgi_memory_copy_text(chgnet_version())};
    } else {
        chgi_delta_destroy(*gp);
        chgi_label_set_destroy(set);
    }
    *gp = NULL;
    *set = (chgi_label_set){0};
    chgnet_status status = made && made->model && made->model_sha256 && made->base && made->version
                               ? CHGNET_OK
                               : chgi_context_nomem(ctx, 1, sizeof *made);
    if (status == CHGNET_OK) {
        drop_embeddings(&made->set);
        status = sum_left_out(ctx, made);
    }
    if (status == CHGNET_OK)
        *delta = made;
    else
        chgi_delta_file_destroy(made);
    return status;
}

chgnet_status chgi_train_add(chgnet_context *ctx, chgnet_delta *delta, bool with_forces, chgi_label_set *set)
{
    chgi_label *labels;
    int64_t n;
    CHGI_TRY(chgi_memory_grow(ctx, &delta->set.labels, &delta->set.capacity,
                              (size_t)(delta->set.n_label + set->n_label), sizeof *delta->set.labels));
    CHGI_TRY(view_labels(ctx, set, NULL, with_forces, &labels, &n));
    chgnet_status status = chgi_delta_add(ctx, delta->gp, n, labels);
    chgi_memory_free(labels);
    CHGI_TRY(status);
    drop_embeddings(set);
    for (int64_t i = 0; i < set->n_label; i++) {
        delta->set.labels[delta->set.n_label++] = set->labels[i];
        set->labels[i] = (chgi_labelled){0};
    }
    chgi_label_set_destroy(set);
    return sum_left_out(ctx, delta);
}

/* ---- folds ------------------------------------------------------------------------------------ */

/* Labels in a random order that the seed alone decides. */
static chgnet_status shuffle(chgnet_context *ctx, uint64_t seed, int64_t n, int64_t **order)
{
    *order = chgi_memory_new((size_t)n, sizeof **order);
    if (!*order)
        return chgi_context_nomem(ctx, (size_t)n, sizeof **order);
    for (int64_t i = 0; i < n; i++)
        (*order)[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        chgi_rng rng = chgi_rng_start(seed, STREAM_FOLDS, (uint64_t)i, 0);
        int64_t j = (int64_t)(chgi_rng_uniform(&rng) * (double)(i + 1)), kept = (*order)[i];
        (*order)[i] = (*order)[j];
        (*order)[j] = kept;
    }
    return CHGNET_OK;
}

/* Labels in random orders that the seed alone decides. */
typedef struct order {
    int64_t *fold;  /* (n_label) labels of one set of elements together: place i belongs to fold i % n_fold */
    int64_t *group; /* (n_label) number of each label's set of elements */
    int64_t n_group;
} order;

static void free_order(order *o)
{
    chgi_memory_free(o->fold);
    chgi_memory_free(o->group);
}

static bool same_elements(const chgi_structure *a, const chgi_structure *b)
{
    bool in[2][CHGI_MAX_ELEMENT + 1] = {{false}};
    for (int64_t i = 0; i < a->n_atom; i++)
        in[0][a->numbers[i]] = true;
    for (int64_t i = 0; i < b->n_atom; i++)
        in[1][b->numbers[i]] = true;
    return memcmp(in[0], in[1], sizeof in[0]) == 0;
}

/* Number the sets of elements in the order in which they come. */
static chgnet_status group_labels(chgnet_context *ctx, const chgi_label_set *set, int64_t **group, int64_t *n_group)
{
    *group = chgi_memory_new((size_t)set->n_label, sizeof **group);
    *n_group = 0;
    if (!*group)
        return chgi_context_nomem(ctx, (size_t)set->n_label, sizeof **group);
    for (int64_t i = 0; i < set->n_label; i++) {
        int64_t j = 0;
        while (j < i && !same_elements(&set->labels[j].structure, &set->labels[i].structure))
            j++;
        (*group)[i] = j < i ? (*group)[j] : (*n_group)++;
    }
    return CHGNET_OK;
}

static chgnet_status make_order(chgnet_context *ctx, uint64_t seed, const chgi_label_set *set, order *o)
{
    int64_t *shuffled, place = 0;
    size_t n = (size_t)set->n_label;
    *o = (order){.fold = chgi_memory_new(n, sizeof *o->fold)};
    if (!o->fold)
        return chgi_context_nomem(ctx, n, sizeof *o->fold);
    chgnet_status status = shuffle(ctx, seed, set->n_label, &shuffled);
    if (status == CHGNET_OK)
        status = group_labels(ctx, set, &o->group, &o->n_group);
    for (int64_t g = 0; status == CHGNET_OK && g < o->n_group; g++)
        for (int64_t i = 0; i < set->n_label; i++)
            if (o->group[shuffled[i]] == g)
                o->fold[place++] = shuffled[i];
    chgi_memory_free(shuffled);
    if (status != CHGNET_OK)
        free_order(o);
    return status;
}

/* One cross-validation, or one point of a learning curve. */
typedef struct validation {
    const chgi_delta_choice *choice;
    const chgi_fold_choice *folds;
    const chgi_label_set *set;
    const order *order;
    int64_t n_train;    /* labels of the training part that are used */
    double from, share; /* of the progress */
    bool *out;          /* (n_label) */
    chgi_delta_workspace workspace;
    chgi_judgement *judgement;
} validation;

/* Take a label that is not in yet and not in the fold, of one set of elements.  \return whether there was one */
static bool take_one(validation *v, int64_t fold, int64_t group)
{
    for (int64_t i = 0; i < v->set->n_label; i++) {
        int64_t label = v->order->fold[i];
        if (v->order->group[label] == group && v->out[label] && i % v->folds->n_fold != fold) {
            v->out[label] = false;
            return true;
        }
    }
    return false;
}

/* All but the fold's own labels; for fewer, one of each set of elements in turn, so that few labels know all elements.
 */
static void choose_labels(validation *v, int64_t fold)
{
    int64_t n = v->set->n_label, used = 0;
    for (int64_t i = 0; i < n; i++)
        v->out[v->order->fold[i]] = v->n_train < n || i % v->folds->n_fold == fold;
    for (int64_t before = -1; v->n_train < n && used != before;) {
        before = used;
        for (int64_t g = 0; g < v->order->n_group && used < v->n_train; g++)
            used += take_one(v, fold, g);
    }
}

static chgnet_status judge_fold(chgnet_context *ctx, validation *v, const chgi_delta *delta, int64_t fold)
{
    for (int64_t i = fold; i < v->set->n_label; i += v->folds->n_fold) {
        int64_t label = v->order->fold[i];
        chgnet_status status = chgi_judge_label(ctx, delta, &v->set->labels[label], v->set->n_feature, &v->workspace,
                                                &v->judgement->rows[label]);
        if (status != CHGNET_OK) {
            char place[400];
            chgi_label_set_place(v->set, label, place, sizeof place);
            return chgi_context_fail(ctx, status, "%s, kept aside by the cross-validation: %.500s", place,
                                     chgnet_context_error(ctx));
        }
    }
    return CHGNET_OK;
}

static chgnet_status run_fold(chgnet_context *ctx, validation *v, int64_t fold)
{
    chgi_delta *delta;
    choose_labels(v, fold);
    CHGI_TRY(chgi_train_fit(ctx, v->choice, v->set, v->out, v->folds->with_forces, &delta));
    chgnet_status status = judge_fold(ctx, v, delta, fold);
    chgi_delta_destroy(delta);
    if (v->folds->progress)
        v->folds->progress(v->folds->user, v->from + v->share * (double)(fold + 1) / (double)v->folds->n_fold,
                           fold + 1);
    return status;
}

static chgnet_status run_folds(chgnet_context *ctx, validation *v)
{
    chgnet_status status = CHGNET_OK;
    v->out = chgi_memory_new((size_t)v->set->n_label, sizeof *v->out);
    if (!v->out)
        return chgi_context_nomem(ctx, (size_t)v->set->n_label, sizeof *v->out);
    for (int64_t fold = 0; status == CHGNET_OK && fold < v->folds->n_fold; fold++)
        status = run_fold(ctx, v, fold);
    chgi_memory_free(v->out);
    chgi_delta_workspace_destroy(&v->workspace);
    return status;
}

static chgnet_status check_folds(chgnet_context *ctx, const chgi_fold_choice *folds, const chgi_label_set *set)
{
    if (folds->n_fold >= 2 && folds->n_fold <= set->n_label)
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EUSAGE,
                             "%lld folds for %lld labels; give 2 folds to as many as there are labels",
                             (long long)folds->n_fold, (long long)set->n_label);
}

/* One fit to all labels, and folds left out of it in closed form. */
static chgnet_status validate_in_closed_form(chgnet_context *ctx, const chgi_delta_choice *choice,
                                             const chgi_fold_choice *folds, const chgi_label_set *set,
                                             const order *orders, chgi_judgement *judgement)
{
    chgi_delta *delta;
    int32_t *fold = chgi_memory_new((size_t)set->n_label, sizeof *fold);
    if (!fold)
        return chgi_context_nomem(ctx, (size_t)set->n_label, sizeof *fold);
    for (int64_t i = 0; i < set->n_label; i++)
        fold[orders->fold[i]] = (int32_t)(i % folds->n_fold);
    chgnet_status status = chgi_train_fit(ctx, choice, set, NULL, folds->with_forces, &delta);
    if (status == CHGNET_OK) {
        status = chgi_judge_left_out(ctx, delta, set, fold, judgement);
        chgi_delta_destroy(delta);
    }
    chgi_memory_free(fold);
    return status;
}

chgnet_status chgi_train_cross_validate(chgnet_context *ctx, const chgi_delta_choice *choice,
                                        const chgi_fold_choice *folds, const chgi_label_set *set,
                                        chgi_judgement *judgement)
{
    order orders;
    CHGI_TRY(check_folds(ctx, folds, set));
    CHGI_TRY(make_order(ctx, folds->seed, set, &orders));
    validation v = {.choice = choice,
                    .folds = folds,
                    .set = set,
                    .order = &orders,
                    .n_train = set->n_label,
                    .share = 1,
                    .judgement = judgement};
    *judgement = (chgi_judgement){0};
    chgnet_status status = CHGNET_OK;
    if (folds->fixed)
        status = validate_in_closed_form(ctx, choice, folds, set, &orders, judgement);
    else {
        status = chgi_judgement_create(ctx, set->n_label, judgement);
        if (status == CHGNET_OK)
            status = run_folds(ctx, &v);
    }
    free_order(&orders);
    if (status != CHGNET_OK)
        chgi_judgement_destroy(judgement);
    return status;
}

/* ---- learning curve --------------------------------------------------------------------------- */

/* Labels of the smallest training part. */
static int64_t smallest_part(const chgi_fold_choice *folds, int64_t n_label)
{
    return n_label - (n_label + folds->n_fold - 1) / folds->n_fold;
}

static chgnet_status run_point(chgnet_context *ctx, validation *v, chgi_curve_point *point)
{
    chgi_judgement judgement;
    CHGI_TRY(chgi_judgement_create(ctx, v->set->n_label, &judgement));
    v->judgement = &judgement;
    v->n_train = point->n_train;
    chgnet_status status = run_folds(ctx, v);
    if (status == CHGNET_OK)
        point->summary = chgi_judgement_sum(&judgement);
    chgi_judgement_destroy(&judgement);
    return status;
}

/* The hyperparameters of a fit to all labels, to be kept. */
static chgnet_status fix_choice(chgnet_context *ctx, const chgi_fold_choice *folds, const chgi_label_set *set,
                                chgi_delta_choice *choice)
{
    chgi_delta *delta;
    const double *offsets = choice->offsets;
    CHGI_TRY(chgi_train_fit(ctx, choice, set, NULL, folds->with_forces, &delta));
    *choice = *chgi_delta_describe(delta).choice;
    choice->offsets = offsets; /* the model's own go with it */
    choice->optimize = false;
    chgi_delta_destroy(delta);
    return CHGNET_OK;
}

chgnet_status chgi_train_learning_curve(chgnet_context *ctx, const chgi_delta_choice *choice,
                                        const chgi_fold_choice *folds, const chgi_label_set *set,
                                        chgi_curve_point points[CHGI_CURVE_POINTS], int *n_point)
{
    order orders;
    int64_t n = 0;
    CHGI_TRY(check_folds(ctx, folds, set));
    CHGI_TRY(make_order(ctx, folds->seed, set, &orders));
    chgi_delta_choice used = *choice;
    validation v = {.choice = &used, .folds = folds, .set = set, .order = &orders, .share = 1.0 / CHGI_CURVE_POINTS};
    chgnet_status status = folds->fixed ? fix_choice(ctx, folds, set, &used) : CHGNET_OK;
    *n_point = 0;
    for (int k = 1; status == CHGNET_OK && k <= CHGI_CURVE_POINTS; k++) {
        int64_t most = smallest_part(folds, set->n_label);
        int64_t wanted = (int64_t)(pow((double)most, (double)k / CHGI_CURVE_POINTS) + 0.5);
        if (wanted <= n || wanted < 2 || wanted < orders.n_group) /* all elements must be known */
            continue;
        n = wanted;
        points[*n_point].n_train = n;
        v.from = (double)(k - 1) / CHGI_CURVE_POINTS;
        status = run_point(ctx, &v, &points[(*n_point)++]);
    }
    free_order(&orders);
    return status;
}
