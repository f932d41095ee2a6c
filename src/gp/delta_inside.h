/* What a delta-model holds, and the steps of a fit. */
#ifndef CHGI_GP_DELTA_INSIDE_H
#define CHGI_GP_DELTA_INSIDE_H

#include "crystal/structure.h"
#include "gp/matrix.h"

struct chgi_delta {
    chgi_delta_choice choice; /* with the hyperparameters found */
    double given[CHGI_MAX_ELEMENT + 1];
    chgi_form form;
    chgi_rows rows;
    double *offset_centre, *offsets, *offset_std; /* (n_element) */
    double *weights;                              /* (n_row), or (n_inducing+n_element) */
    double *factor;                               /* dense: (n_row,n_row) */
    chgi_centres inducing;                        /* sparse */
    int32_t *inducing_group;                      /* (inducing.n) */
    double *inducing_factor, *normal_factor, *normal_target;
    double normal_rest;
    chgi_centres centres; /* of the prediction: all points, or the inducing ones */
    int64_t *origin;      /* dense: (centres.n) their places in rows.points */
    double *by_value;     /* (centres.n) a_j of sum_j a_j kappa(x,z_j) + c_j . grad_z kappa(x,z_j) */
    double *by_slope;     /* (centres.n,width) c_j; NULL where all are 0 */
    double *slope_own;    /* (centres.n) c_j . z_j */
    double log_likelihood, log_prior, jitter, std_scale;
    int n_evaluation;
};

/** A likelihood that can be evaluated again and again. */
typedef struct chgi_problem {
    const chgi_form *form;
    const chgi_rows *rows;
    chgi_delta_choice *choice; /**< hyperparameters are read from it, and set by the optimiser */
    const double *residual;    /**< (n_row) targets minus the offsets' centre */
    double offset_spread;      /**< 0 where offsets are given */
    chgi_team team;
    double jitter;
    int n_evaluation;
    double *weights;              /**< (n_row) or (n_inducing+n_element) */
    double *k;                    /**< dense: (n_row,n_row) kernel matrix, then its factor */
    double *inverse;              /**< dense: (n_row,n_row), for the gradient; else NULL */
    double *scratch;              /**< dense: (64,n_row) */
    const chgi_centres *inducing; /**< sparse; NULL: dense */
    double *columns;              /**< sparse: (n_row,n_weight) */
    double *inducing_factor;      /**< sparse: (n_inducing,n_inducing) */
    double *normal_factor;        /**< sparse: (n_weight,n_weight) */
    double *normal_target;        /**< sparse: (n_weight) */
    double normal_rest;
} chgi_problem;

enum { CHGI_MAX_HYPER = CHGI_MAX_PARAMETER + 2 };

/** Number of hyperparameters: the covariance's, energy noise, force noise; and the k-th. */
int chgi_hyper_count(const chgi_delta_choice *choice);
chgi_parameter *chgi_hyper_parameter(chgi_delta_choice *choice, int k);
/** Log prior of all; slope (chgi_hyper_count) is overwritten. */
double chgi_hyper_log_prior(chgi_delta_choice *choice, double *slope);

/** Log marginal likelihood at the choice's hyperparameters; factor and weights are left in the problem.
 *  \param[out] gradient (chgi_hyper_count) by logarithms; NULL: not wanted
 *  \param[in]  mend     add jitter where the matrix is singular; else the value is -infinity there
 *  \return CHGNET_OK; CHGNET_ENUMERIC where even the largest jitter does not help */
chgnet_status chgi_problem_evaluate(chgnet_context *ctx, chgi_problem *problem, bool mend, double *value,
                                    double *gradient);
chgnet_status chgi_dense_evaluate(chgnet_context *ctx, chgi_problem *problem, bool mend, double *value,
                                  double *gradient);
chgnet_status chgi_sparse_evaluate(chgnet_context *ctx, chgi_problem *problem, bool mend, double *value,
                                   double *gradient);
/** Maximise likelihood plus prior; the choice gets the best hyperparameters. */
chgnet_status chgi_hyper_optimize(chgnet_context *ctx, chgi_problem *problem);

/** Memory for a problem whose pointers to form, rows, choice and residual are set.
 *  \param[in] gradient  room for gradients too */
chgnet_status chgi_problem_allocate(chgnet_context *ctx, chgi_problem *problem, bool gradient);
void chgi_problem_destroy(chgi_problem *problem);

/** Labels `first` to the last: kernel, offsets and noise, lower triangle. */
void chgi_dense_fill(const chgi_form *form, const chgi_delta_choice *choice, double offset_spread,
                     const chgi_rows *rows, int64_t first, chgi_team *team, double *k);
/** Variance of the noise of a row. */
void chgi_noise_fill(const chgi_delta_choice *choice, const chgi_rows *rows, double *variance);

/** Rows enter a sparse model's normal equations.  \param[in] columns (n_row,n_weight) */
chgnet_status chgi_sparse_absorb(chgnet_context *ctx, int64_t n_weight, int64_t n_row, const double *variance,
                                 const double *columns, const double *residual, double *normal_factor,
                                 double *normal_target, double *normal_rest);
/** Rows against inducing points, and the offsets' columns. \param[out] columns (n_row,n_inducing+n_element) */
void chgi_sparse_columns(const chgi_form *form, const chgi_covariance *covariance, double offset_spread,
                         const chgi_rows *rows, const chgi_centres *inducing, chgi_team *team, double *columns);
/** Choose inducing points among the rows' points, of which at most so many times n_wanted (or 4096) are looked at. */
enum { CHGI_CANDIDATES_EACH = 8 };
chgnet_status chgi_inducing_choose(chgnet_context *ctx, const chgi_form *form, const chgi_delta_choice *choice,
                                   const chgi_rows *rows, int64_t n_wanted, chgi_centres *inducing);

/** Hyperparameters positive and within their bounds, and so on.  \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_delta_check_choice(chgnet_context *ctx, const chgi_delta_choice *choice);
/** An empty model with its own copy of the choice. */
chgnet_status chgi_delta_create(chgnet_context *ctx, const chgi_delta_choice *choice, chgi_delta **delta);
/** Arrays for the form's elements. */
chgnet_status chgi_delta_allocate_offsets(chgnet_context *ctx, chgi_delta *delta);
/** A problem on the model's rows, without memory. */
chgi_problem chgi_delta_problem(chgi_delta *delta, const double *residual);
/** Factor, weights and centres for the rows that are there.
 *  \param[in] choose  optimise hyperparameters and choose inducing points first, as the choice says */
chgnet_status chgi_delta_solve(chgnet_context *ctx, chgi_delta *delta, bool choose);
/** The model takes what the problem found. */
void chgi_delta_take_solution(chgi_delta *delta, chgi_problem *problem);

/** 0 where offsets are given, else their prior's standard deviation. */
double chgi_delta_offset_spread(const chgi_delta *delta);
/** Targets minus the offsets' centre. \param[out] residual (n_row) */
void chgi_delta_residual(const chgi_delta *delta, const chgi_rows *rows, double *residual);
/** What predictions read: centres and their weights, offsets. */
chgnet_status chgi_delta_collapse(chgnet_context *ctx, chgi_delta *delta);
/** a_j and c_j from weights of rows. \param[out] by_slope NULL where no row is a force */
void chgi_delta_spread_weights(const chgi_delta *delta, const double *weights, double *by_value, double *by_slope,
                               double *slope_own);

#endif
