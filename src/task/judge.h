/* Errors of predictions against labels. */
#ifndef CHGI_TASK_JUDGE_H
#define CHGI_TASK_JUDGE_H

#include "gp/label_set.h"

/** One label beside its predictions: "before" is the base with element offsets, "after" the corrected one. */
typedef struct chgi_judged {
    int64_t n_atom;
    int64_t composition; /**< equal for equal numbers of each element */
    bool has_energy;
    double energy, before, after; /**< eV of the whole cell */
    double std;                   /**< eV, of the corrected energy, without the label's noise */
    double noise;                 /**< eV, of an energy label */
    int64_t n_force;
    double *forces[3]; /**< (n_force) eV/A: label, before, after */
} chgi_judged;

typedef struct chgi_judgement {
    chgi_judged *rows; /**< (n) */
    int64_t n;
} chgi_judgement;

/** `n` empty rows. */
chgnet_status chgi_judgement_create(chgnet_context *ctx, int64_t n, chgi_judgement *judgement);
void chgi_judgement_destroy(chgi_judgement *judgement);

/** What a row says of a label before the correction. */
void chgi_judged_begin(const chgi_delta *delta, const chgi_labelled *labelled, chgi_judged *row);
/** Room for `n_force` force components. */
chgnet_status chgi_judged_allocate(chgnet_context *ctx, int64_t n_force, chgi_judged *row);

/** Judge a label by a model, its forces by the Jacobian that it holds.
 *  \param[in,out] workspace  as chgi_delta_predict
 *  \return CHGNET_OK; CHGNET_EINPUT for an element that the model does not know; CHGNET_ENOMEM */
chgnet_status chgi_judge_label(chgnet_context *ctx, const chgi_delta *delta, const chgi_labelled *labelled,
                               int n_feature, chgi_delta_workspace *workspace, chgi_judged *row);

/** Judge the labels that a model was fitted to, each predicted without its fold, in closed form.
 *  \param[in]  set        those labels, in their order; embeddings are not read
 *  \param[in]  fold       as chgi_delta_leave_out
 *  \param[out] judgement  a row for each label
 *  \return as chgi_delta_leave_out */
chgnet_status chgi_judge_left_out(chgnet_context *ctx, const chgi_delta *delta, const chgi_label_set *set,
                                  const int32_t *fold, chgi_judgement *judgement);

typedef struct chgi_error_sum {
    int64_t n;
    double mae, rmse, max;
} chgi_error_sum;

/** Errors of all rows together; index 0: before, 1: after. */
typedef struct chgi_summary {
    chgi_error_sum energy[2];          /**< eV of the cell */
    chgi_error_sum energy_per_atom[2]; /**< eV/atom */
    chgi_error_sum forces[2];          /**< eV/A, by component */
    double within[2];                  /**< share of energies within 1 and 2 standard deviations */
    double within_noisy[2];            /**< the same, the labels' noise included */
} chgi_summary;

chgi_summary chgi_judgement_sum(const chgi_judgement *judgement);

#endif
