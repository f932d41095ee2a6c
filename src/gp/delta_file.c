#include "gp/delta_file.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "gp/label_store.h"

/* ---- names ------------------------------------------------------------------------------------ */

const char *chgi_aggregation_name(chgi_aggregation aggregation)
{
    static const char *const names[] = {"global", "species", "atomic"};
    return names[aggregation];
}

const char *chgi_layer_name(chgi_embedding_layer layer)
{
    return layer == CHGI_ATOM_FEA_FINAL ? "atom_fea_final" : "atom_fea";
}

const char *chgi_inducing_name(chgi_inducing inducing)
{
    static const char *const names[] = {"greedy", "cur", "kmeans"};
    return names[inducing];
}

/* ---- small values ----------------------------------------------------------------------------- */

static const int64_t MOST = INT64_C(1) << 40; /* of any count */

static chgnet_status visit_flag(chgi_record *r, const char *name, bool *flag)
{
    int64_t value = *flag;
    CHGI_TRY(chgi_record_int(r, "gp", name, 0, 1, &value));
    *flag = value != 0;
    return CHGNET_OK;
}

static chgnet_status visit_count(chgi_record *r, const char *name, int64_t least, int64_t most, int *count)
{
    int64_t value = *count;
    CHGI_TRY(chgi_record_int(r, "gp", name, least, most, &value));
    *count = (int)value;
    return CHGNET_OK;
}

/* A value that has a text form, and how that form is printed and read. */
static chgnet_status visit_covariance(chgi_record *r, chgi_covariance *covariance)
{
    chgi_text text = {0};
    if (r->writing)
        chgi_covariance_print(covariance, &text);
    char *kernel = text.data;
    chgnet_status status =
        text.failed ? chgi_context_nomem(r->ctx, 1, 4096) : chgi_record_text(r, "gp", "kernel", &kernel);
    if (status == CHGNET_OK && !r->writing)
        status = chgi_covariance_parse(r->ctx, kernel, covariance);
    chgi_memory_free(kernel);
    return status;
}

static chgnet_status visit_parameter(chgi_record *r, const char *name, chgi_parameter *parameter)
{
    chgi_text text = {0};
    if (r->writing)
        chgi_parameter_print(parameter, &text);
    char *value = text.data;
    chgnet_status status = text.failed ? chgi_context_nomem(r->ctx, 1, 256) : chgi_record_text(r, "gp", name, &value);
    if (status == CHGNET_OK && !r->writing)
        status = chgi_parameter_parse(r->ctx, value, parameter);
    chgi_memory_free(value);
    return status;
}

/* A word of a short list: what the file says must be one of them. */
static chgnet_status visit_word(chgi_record *r, const char *group, const char *name, const char *const *words, int n,
                                int *index)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%s", words[r->writing ? *index : 0]);
    char *word = copy;
    CHGI_TRY(chgi_record_text(r, group, name, &word));
    if (r->writing)
        return CHGNET_OK;
    int found = -1;
    for (int i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            found = i;
    chgnet_status status = CHGNET_OK;
    if (found < 0)
        status =
            chgi_context_fail(r->ctx, CHGNET_EINPUT, "%s is '%.40s'; '%s' is one that is known", name, word, words[0]);
    chgi_memory_free(word);
    *index = found;
    return status;
}

/* ---- the Gaussian process --------------------------------------------------------------------- */

static chgnet_status visit_choice(chgi_record *r, chgi_delta_choice *c)
{
    const char *const aggregations[] = {chgi_aggregation_name(CHGI_GLOBAL), chgi_aggregation_name(CHGI_SPECIES),
                                        chgi_aggregation_name(CHGI_ATOMIC)};
    const char *const layers[] = {chgi_layer_name(CHGI_ATOM_FEA), chgi_layer_name(CHGI_ATOM_FEA_FINAL)};
    const char *const selections[] = {chgi_inducing_name(CHGI_INDUCING_GREEDY), chgi_inducing_name(CHGI_INDUCING_CUR),
                                      chgi_inducing_name(CHGI_INDUCING_KMEANS)};
    int aggregation = (int)c->aggregation, layer = (int)c->layer, inducing = (int)c->inducing;
    int64_t seed = (int64_t)(c->seed & INT64_MAX);
    CHGI_TRY(visit_word(r, "", "aggregation", aggregations, 3, &aggregation));
    CHGI_TRY(visit_word(r, "", "layer", layers, 2, &layer));
    CHGI_TRY(visit_word(r, "gp", "inducing", selections, 3, &inducing));
    c->aggregation = (chgi_aggregation)aggregation;
    c->layer = (chgi_embedding_layer)layer;
    c->inducing = (chgi_inducing)inducing;
    CHGI_TRY(visit_covariance(r, &c->covariance));
    CHGI_TRY(visit_parameter(r, "noise_energy", &c->noise_energy));
    CHGI_TRY(visit_parameter(r, "noise_force", &c->noise_force));
    CHGI_TRY(visit_flag(r, "species_sum", &c->species_sum));
    CHGI_TRY(visit_flag(r, "mean", &c->mean));
    CHGI_TRY(visit_flag(r, "scale_by_element", &c->scale_by_element));
    CHGI_TRY(visit_flag(r, "calibrate", &c->calibrate));
    CHGI_TRY(visit_flag(r, "optimize", &c->optimize));
    CHGI_TRY(chgi_record_double(r, "gp", "mix", &c->mix));
    CHGI_TRY(chgi_record_double(r, "gp", "offset_spread", &c->offset_spread));
    CHGI_TRY(visit_count(r, "n_start", 0, 1000000, &c->n_start));
    CHGI_TRY(visit_count(r, "max_step", 0, 1000000, &c->max_step));
    CHGI_TRY(chgi_record_int(r, "gp", "seed", 0, INT64_MAX, &seed));
    CHGI_TRY(chgi_record_int(r, "gp", "most_inducing", 0, MOST, &c->n_inducing));
    CHGI_TRY(chgi_record_int(r, "gp", "n_inducing_optimize", 0, MOST, &c->n_inducing_optimize));
    c->seed = (uint64_t)seed;
    return CHGNET_OK;
}

static chgnet_status visit_sizes(chgi_record *r, chgi_delta_tensors *t)
{
    int64_t sizes[4] = {t->n_feature, t->n_element, t->width, t->n_group};
    CHGI_TRY(chgi_record_int(r, "gp", "n_feature", 1, 4096, &sizes[0]));
    CHGI_TRY(chgi_record_int(r, "gp", "n_element", 1, CHGI_MAX_ELEMENT, &sizes[1]));
    CHGI_TRY(chgi_record_int(r, "gp", "width", 1, 4096 * CHGI_MAX_ELEMENT, &sizes[2]));
    CHGI_TRY(chgi_record_int(r, "gp", "n_group", 1, CHGI_MAX_ELEMENT, &sizes[3]));
    t->n_feature = (int32_t)sizes[0];
    t->n_element = (int32_t)sizes[1];
    t->width = (int32_t)sizes[2];
    t->n_group = (int32_t)sizes[3];
    CHGI_TRY(chgi_record_int(r, "gp", "n_label", 1, MOST, &t->n_label));
    CHGI_TRY(chgi_record_int(r, "gp", "n_point", 1, MOST, &t->n_point));
    CHGI_TRY(chgi_record_int(r, "gp", "n_row", 1, MOST, &t->n_row));
    CHGI_TRY(chgi_record_int(r, "gp", "n_jacobian", 0, MOST, &t->n_jacobian));
    CHGI_TRY(chgi_record_int(r, "gp", "n_inducing", 0, MOST, &t->n_inducing));
    CHGI_TRY(chgi_record_int(r, "gp", "n_evaluation", 0, MOST, &t->n_evaluation));
    CHGI_TRY(chgi_record_double(r, "gp", "log_likelihood", &t->log_likelihood));
    CHGI_TRY(chgi_record_double(r, "gp", "log_prior", &t->log_prior));
    CHGI_TRY(chgi_record_double(r, "gp", "std_scale", &t->std_scale));
    return chgi_record_double(r, "gp", "jitter", &t->jitter);
}

#define VISIT(type, rank, field, ...) \
    CHGI_TRY(chgi_record_array(r, "gp", #field, type, rank, (const int64_t[]){__VA_ARGS__}, &t->field))

static chgnet_status visit_training(chgi_record *r, chgi_delta_tensors *t)
{
    VISIT(CHGI_H5_INT32, 1, elements, t->n_element);
    VISIT(CHGI_H5_DOUBLE, 1, offset_centre, t->n_element);
    VISIT(CHGI_H5_DOUBLE, 2, mean, t->n_group, t->width);
    VISIT(CHGI_H5_DOUBLE, 2, scale, t->n_group, t->width);
    VISIT(CHGI_H5_INT64, 1, point_start, t->n_label + 1);
    VISIT(CHGI_H5_INT64, 1, row_start, t->n_label + 1);
    VISIT(CHGI_H5_INT32, 1, has_energy, t->n_label);
    VISIT(CHGI_H5_DOUBLE, 2, count, t->n_label, t->n_element);
    VISIT(CHGI_H5_DOUBLE, 2, points, t->n_point, t->width);
    VISIT(CHGI_H5_INT32, 1, groups, t->n_point);
    VISIT(CHGI_H5_DOUBLE, 1, jacobian, t->n_jacobian);
    VISIT(CHGI_H5_DOUBLE, 1, targets, t->n_row);
    return CHGNET_OK;
}

static chgnet_status visit_solution(chgi_record *r, chgi_delta_tensors *t)
{
    int64_t n_weight = t->n_inducing > 0 ? t->n_inducing + t->n_element : t->n_row;
    VISIT(CHGI_H5_DOUBLE, 1, weights, n_weight);
    if (t->n_inducing == 0) {
        VISIT(CHGI_H5_DOUBLE, 2, factor, t->n_row, t->n_row);
        return CHGNET_OK;
    }
    VISIT(CHGI_H5_DOUBLE, 2, inducing, t->n_inducing, t->width);
    VISIT(CHGI_H5_INT32, 1, inducing_group, t->n_inducing);
    VISIT(CHGI_H5_DOUBLE, 2, inducing_factor, t->n_inducing, t->n_inducing);
    VISIT(CHGI_H5_DOUBLE, 2, normal_factor, n_weight, n_weight);
    VISIT(CHGI_H5_DOUBLE, 1, normal_target, n_weight);
    return chgi_record_double(r, "gp", "normal_rest", &t->normal_rest);
}

/* Given offsets are kept apart from the fitted ones' centre, by atomic number. */
static chgnet_status visit_offsets(chgi_record *r, chgi_delta_choice *c)
{
    bool given = c->offsets != NULL;
    CHGI_TRY(visit_flag(r, "offsets_given", &given));
    return given ? chgi_record_array(r, "gp", "offsets", CHGI_H5_DOUBLE, 1, (const int64_t[]){CHGI_MAX_ELEMENT + 1},
                                     &c->offsets)
                 : CHGNET_OK;
}

static chgnet_status visit_tensors(chgi_record *r, chgi_delta_tensors *t)
{
    CHGI_TRY(chgi_record_group(r, "gp"));
    CHGI_TRY(visit_choice(r, &t->choice));
    CHGI_TRY(visit_offsets(r, &t->choice));
    CHGI_TRY(visit_sizes(r, t));
    CHGI_TRY(visit_training(r, t));
    return visit_solution(r, t);
}

static void free_constant(const void *pointer)
{
    void *plain;
    memcpy(&plain, &pointer, sizeof plain);
    chgi_memory_free(plain);
}

/* Of tensors that were read. */
static void free_tensors(chgi_delta_tensors *t)
{
    const void *const arrays[] = {t->choice.offsets, t->elements,        t->offset_centre, t->mean,
                                  t->scale,          t->point_start,     t->row_start,     t->has_energy,
                                  t->count,          t->points,          t->groups,        t->jacobian,
                                  t->targets,        t->weights,         t->factor,        t->inducing,
                                  t->inducing_group, t->inducing_factor, t->normal_factor, t->normal_target};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free_constant(arrays[i]);
}

/* ---- the root --------------------------------------------------------------------------------- */

static chgnet_status visit_format(chgi_record *r)
{
    char format_name[] = "chgnet-delta";
    char *format = format_name;
    int64_t version = CHGI_DELTA_FILE_VERSION;
    CHGI_TRY(chgi_record_text(r, "", "format", &format));
    bool same = strcmp(format, format_name) == 0;
    if (!r->writing)
        chgi_memory_free(format);
    if (!same)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT, "this is not a delta-model; `chgnet delta fit` writes one");
    CHGI_TRY(chgi_record_int(r, "", "format_version", 0, MOST, &version));
    if (version != CHGI_DELTA_FILE_VERSION)
        return chgi_context_fail(r->ctx, CHGNET_EINPUT,
                                 "a delta-model in format version %lld; this program reads version %d: fit it again",
                                 (long long)version, CHGI_DELTA_FILE_VERSION);
    return CHGNET_OK;
}

static chgnet_status visit_root(chgi_record *r, chgnet_delta *delta)
{
    static const char *const errors[4] = {"loo_energy_before", "loo_energy_after", "loo_force_before",
                                          "loo_force_after"};
    CHGI_TRY(visit_format(r));
    CHGI_TRY(chgi_record_text(r, "", "version", &delta->version));
    CHGI_TRY(chgi_record_text(r, "", "model", &delta->model));
    CHGI_TRY(chgi_record_text(r, "", "model_sha256", &delta->model_sha256));
    CHGI_TRY(chgi_record_text(r, "", "base", &delta->base));
    for (int k = 0; k < 4; k++)
        CHGI_TRY(chgi_record_double(r, "", errors[k], &delta->loo[k]));
    CHGI_TRY(chgi_record_double(r, "", "loo_within_1", &delta->within[0]));
    return chgi_record_double(r, "", "loo_within_2", &delta->within[1]);
}

static chgnet_status visit(chgi_record *r, chgnet_delta *delta, chgi_delta_tensors *tensors)
{
    CHGI_TRY(visit_root(r, delta));
    CHGI_TRY(visit_tensors(r, tensors));
    return chgi_label_set_visit(r, &delta->set);
}

chgnet_status chgi_delta_file_save(chgnet_context *ctx, const chgnet_delta *delta, const char *path)
{
    chgi_record record;
    chgnet_delta view = *delta; /* only read */
    chgi_delta_tensors tensors = chgi_delta_view(delta->gp);
    CHGI_TRY(chgi_record_create(ctx, &record));
    chgnet_status status = visit(&record, &view, &tensors);
    if (status == CHGNET_OK)
        status = chgi_record_save(&record, path);
    chgi_record_close(&record);
    return status;
}

static chgnet_status load(chgi_record *record, chgnet_delta *delta)
{
    chgi_delta_tensors tensors = {0};
    chgnet_status status = visit(record, delta, &tensors);
    if (status == CHGNET_OK)
        status = chgi_record_check(record);
    if (status == CHGNET_OK && delta->set.n_label != tensors.n_label)
        status = chgi_context_fail(record->ctx, CHGNET_EINPUT, "%lld labels for a fit to %lld; make the file again",
                                   (long long)delta->set.n_label, (long long)tensors.n_label);
    if (status == CHGNET_OK)
        status = chgi_delta_restore(record->ctx, &tensors, &delta->gp);
    free_tensors(&tensors);
    return status;
}

chgnet_status chgi_delta_file_load(chgnet_context *ctx, const char *path, chgnet_delta **delta)
{
    chgi_record record;
    *delta = NULL;
    CHGI_TRY(chgi_record_open(ctx, path, "delta-model", &record));
    chgnet_delta *made = chgi_memory_new(1, sizeof *made);
    chgnet_status status = made ? CHGNET_OK : chgi_context_nomem(ctx, 1, sizeof *made);
    if (status == CHGNET_OK)
        status = load(&record, made);
    if (status == CHGNET_OK && !(made->path = chgi_memory_copy_text(path)))
        status = chgi_context_nomem(ctx, strlen(path), 1);
    chgi_record_close(&record);
    if (status == CHGNET_OK) {
        *delta = made;
        return CHGNET_OK;
    }
    chgi_context_locate(ctx, path, 0);
    chgi_delta_file_destroy(made);
    return status;
}

bool chgi_delta_file_recognise(const char *path)
{
    chgi_record record;
    char *format = NULL;
    bool is = chgi_record_open(NULL, path, "delta-model", &record) == CHGNET_OK &&
              chgi_h5_get_text(NULL, record.file, "", "format", &format) == CHGNET_OK &&
              strcmp(format, "chgnet-delta") == 0;
    chgi_memory_free(format);
    chgi_record_close(&record);
    return is;
}

void chgi_delta_file_destroy(chgnet_delta *delta)
{
    if (!delta)
        return;
    chgi_delta_destroy(delta->gp);
    chgi_label_set_destroy(&delta->set);
    chgi_memory_free(delta->model);
    chgi_memory_free(delta->model_sha256);
    chgi_memory_free(delta->base);
    chgi_memory_free(delta->version);
    chgi_memory_free(delta->path);
    chgi_memory_free(delta);
}

chgnet_status chgi_delta_file_check_model(chgnet_context *ctx, const chgnet_delta *delta, const char *version,
                                          const char *sha256)
{
    if (strcmp(delta->model_sha256, sha256) == 0)
        return CHGNET_OK;
    chgi_context_fail(ctx, CHGNET_EINPUT,
                      "this delta-model was made with the weights %s (model_sha256 %.12s), not with %s (%.12s); choose "
                      "those weights (-m), or fit it again",
                      delta->model, delta->model_sha256, version, sha256);
    if (delta->path)
        chgi_context_locate(ctx, delta->path, 0);
    return CHGNET_EINPUT;
}
