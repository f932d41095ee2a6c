/* Fits of the delta-model on sets of labels, and how well they do on labels that were kept aside. */
#ifndef CHGI_TASK_TRAIN_H
#define CHGI_TASK_TRAIN_H

#include "gp/delta_file.h"
#include "task/embed.h"
#include "task/judge.h"

/** Fit a model to the labels of an embedded set.
 *  \param[in] out          (n_label) true: this label is not used; NULL: all are
 *  \param[in] with_forces  use the labels' forces where their Jacobians are there
 *  \return as chgi_delta_fit; a bad label is named by its place */
chgnet_status chgi_train_fit(chgnet_context *ctx, const chgi_delta_choice *choice, const chgi_label_set *set,
                             const bool *out, bool with_forces, chgi_delta **delta);

/** Put a fit and its labels together.
 *  \param[in]     base  key of the prediction that is corrected; NULL: CHGNet's
 *  \param[in,out] gp    moved into the model
 *  \param[in,out] set   moved into the model without its embeddings
 *  \return CHGNET_OK; CHGNET_ENOMEM; CHGNET_ENUMERIC; `gp` and `set` are empty in any case */
chgnet_status chgi_train_finish(chgnet_context *ctx, const chgnet_model *model, const char *base, chgi_delta **gp,
                                chgi_label_set *set, chgnet_delta **delta);

/** Add the labels of an embedded set to a model without a new fit of its hyperparameters.
 *  \param[in,out] set  moved into the model where all goes well
 *  \return as chgi_delta_add; on failure the model is as before */
chgnet_status chgi_train_add(chgnet_context *ctx, chgnet_delta *delta, bool with_forces, chgi_label_set *set);

/** How a cross-validation goes. */
typedef struct chgi_fold_choice {
    int64_t n_fold; /**< 2 to n_label; n_label: leave one out */
    bool with_forces;
    bool fixed; /**< hyperparameters, standardisation and the offsets' prior of a fit to all labels: in closed form */
    uint64_t seed; /**< of the folds */
    chgi_progress_function progress;
    void *user;
} chgi_fold_choice;

/** Each label judged by a model that was fitted without its fold; hyperparameters are optimised there if `choice` says
 *  so, hence without the labels that are judged.
 *  \param[out] judgement  a row for each label, in their order
 *  \return CHGNET_OK; CHGNET_EUSAGE for too few labels; as chgi_delta_fit */
chgnet_status chgi_train_cross_validate(chgnet_context *ctx, const chgi_delta_choice *choice,
                                        const chgi_fold_choice *folds, const chgi_label_set *set,
                                        chgi_judgement *judgement);

/** One point of a learning curve: fits to `n_train` labels of each fold's training part, judged by the fold's labels.
 */
typedef struct chgi_curve_point {
    int64_t n_train;
    chgi_summary summary;
} chgi_curve_point;

enum { CHGI_CURVE_POINTS = 6 };

/** A learning curve: the numbers of labels grow by equal factors up to all of a fold's training part.
 *  \param[out] n_point  at most CHGI_CURVE_POINTS */
chgnet_status chgi_train_learning_curve(chgnet_context *ctx, const chgi_delta_choice *choice,
                                        const chgi_fold_choice *folds, const chgi_label_set *set,
                                        chgi_curve_point points[CHGI_CURVE_POINTS], int *n_point);

#endif
