/* The delta-model: a Gaussian process on atoms' embeddings that corrects an energy.
 *
 *     correction(A) = sum over elements s of n_s eps_s + Delta(A),   Delta ~ GP(0, k)
 *
 * This module knows numbers only: embeddings in, corrections and their derivatives by embeddings out.  Whoever calls it
 * turns those into forces by CHGNet's own reverse pass.  Energies in eV, forces in eV/A.
 *
 * Every aggregation is a sum over points of the two structures, k(A,B) = sum_p sum_q w(g_p,g_q) kappa(x_p,x_q):
 *     atomic    a point per atom, its group g is the element; w = 1 for equal groups, `mix` for others
 *     global    one point, the sum (or mean) of the atoms' vectors
 *     species   one point, the sums over each element side by side; or, with species_sum, a point per element
 * Points are standardised: minus the mean, divided by the standard deviation of each feature over the training set
 * (features that do not vary there keep their unit).
 *
 * The offsets eps_s have a Gaussian prior: centre by ridge least squares on the energies, standard deviation
 * `offset_spread`; they are part of the kernel matrix, so everything below counts them as fitted.
 * A sparse model (n_inducing > 0) is the deterministic training conditional on M inducing points, with the
 * projected process's variance.
 * Sources: arXiv 2502.21179; Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), ch. 2, 5, 8;
 * L. Foster et al., J. Mach. Learn. Res. 10, 857 (2009) (sparse, by QR). */
#ifndef CHGI_GP_DELTA_H
#define CHGI_GP_DELTA_H

#include "base/arena.h"
#include "gp/covariance.h"

typedef enum chgi_aggregation { CHGI_GLOBAL, CHGI_SPECIES, CHGI_ATOMIC } chgi_aggregation;
typedef enum chgi_embedding_layer { CHGI_ATOM_FEA, CHGI_ATOM_FEA_FINAL } chgi_embedding_layer;
typedef enum chgi_inducing { CHGI_INDUCING_GREEDY, CHGI_INDUCING_CUR, CHGI_INDUCING_KMEANS } chgi_inducing;

/** What is known of one structure.  The owner keeps the arrays; a fit copies what it needs. */
typedef struct chgi_label {
    int64_t n_atom;
    const int32_t *numbers; /**< (n_atom) */
    const double *fea;      /**< (n_atom,n_feature) embeddings of the chosen layer, as the network gives them */
    bool has_energy;
    double energy;            /**< label minus base, eV of the whole cell */
    int64_t n_force;          /**< force components used; 0: none */
    const int32_t *component; /**< (n_force) 3*atom + axis; not read by the fit */
    const double *forces;     /**< (n_force) label minus base, eV/A */
    const double *jacobian;   /**< (n_force,n_atom,n_feature) d fea / d position component, 1/A */
} chgi_label;

/** Choices of a fit; chgi_delta_choice_default gives those that did best in the project's own tables. */
typedef struct chgi_delta_choice {
    chgi_aggregation aggregation;
    chgi_embedding_layer layer;  /**< only stored: the caller makes the embeddings */
    bool species_sum;            /**< species: sum over elements of kappa(X_s, X_s'), not kappa(X, X') */
    bool mean;                   /**< global: mean, not sum, of the atoms' vectors */
    bool scale_by_element;       /**< atomic: mean and deviation of each element by itself */
    double mix;                  /**< atomic: weight of pairs of different elements, 0 to 1 */
    chgi_covariance covariance;  /**< kernel and its hyperparameters */
    chgi_parameter noise_energy; /**< eV per structure */
    chgi_parameter noise_force;  /**< eV/A */
    bool optimize;               /**< hyperparameters by maximum of log marginal likelihood plus log prior */
    int n_start;                 /**< starts of the optimiser: the given values, then draws from prior or bounds */
    int max_step;                /**< steps of the optimiser from each start */
    uint64_t seed;
    int64_t n_inducing;          /**< at most so many inducing points; 0: all rows, the dense form */
    chgi_inducing inducing;      /**< how they are chosen, among the points of each group */
    int64_t n_inducing_optimize; /**< the optimiser uses at most so many of them */
    bool calibrate;              /**< standard deviations are multiplied by one number, so that left-out energies lie
                                      one of them away in the root mean square; from three energies on */
    double offset_spread;        /**< eV per atom */
    const double *offsets;       /**< (CHGI_MAX_ELEMENT+1) eV by atomic number, kept as they are; NULL: fitted */
} chgi_delta_choice;

typedef struct chgi_delta chgi_delta;

/** What a prediction needs beside the model; one per thread, grows as needed, zeroed at first. */
typedef struct chgi_delta_workspace {
    chgi_arena arena;
    int n_thread; /**< 0: as many as OpenMP takes */
} chgi_delta_workspace;

/** Correction of one structure. The caller owns the arrays; NULL: not wanted. */
typedef struct chgi_correction {
    double energy; /**< eV, offsets included */
    double std;    /**< eV, standard deviation of the energy without label noise; needs want_std */
    double
        *site; /**< (n_atom) eV, shares of the atoms, offsets included (atomic form; otherwise Delta in equal parts) */
    double *gradient; /**< (n_atom,n_feature) d energy / d fea */
    double *novelty;  /**< (n_atom) atomic form: variance of the atom's own share, without its offset, eV^2; else 0 */
    bool want_std;
    double *std_gradient; /**< (n_atom,n_feature) d std / d fea; needs want_std */
} chgi_correction;

/** Parameters with bounds and priors as the project recommends them; offsets fitted. */
chgi_delta_choice chgi_delta_choice_default(void);

/** Bytes that a fit holds at its peak, from sizes alone.  \return SIZE_MAX after an overflow */
size_t chgi_delta_memory(const chgi_delta_choice *choice, int n_feature, int64_t n_label, const chgi_label *labels);

/** Fit.  \param[in] n_feature length of an embedding
 *  \return CHGNET_OK; CHGNET_EINPUT says what is wrong with the labels or choices; CHGNET_ENUMERIC when the kernel
 *          matrix has no Cholesky factor even with jitter; CHGNET_ENOMEM, before the work, with the size needed */
chgnet_status chgi_delta_fit(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature, int64_t n_label,
                             const chgi_label *labels, chgi_delta **delta);
/** Add labels without a new fit of hyperparameters, offsets' centre or standardisation: the factor grows.
 *  \return as chgi_delta_fit; CHGNET_EINPUT for an element that no label had; on failure the model is as before */
chgnet_status chgi_delta_add(chgnet_context *ctx, chgi_delta *delta, int64_t n_label, const chgi_label *labels);
void chgi_delta_destroy(chgi_delta *delta);

/** Any number of threads may predict with one model, each with its own workspace; once the workspace has grown,
 *  nothing is allocated.
 *  \return CHGNET_OK; CHGNET_EINPUT for an element that no label had; CHGNET_ENOMEM */
chgnet_status chgi_delta_predict(chgnet_context *ctx, const chgi_delta *delta, int64_t n_atom, const int32_t *numbers,
                                 const double *fea, chgi_delta_workspace *workspace, chgi_correction *correction);
void chgi_delta_workspace_destroy(chgi_delta_workspace *workspace);

/** What a model is; pointers belong to it. */
typedef struct chgi_delta_summary {
    const chgi_delta_choice *choice; /**< with the hyperparameters found; offsets is NULL when they were fitted */
    int n_feature, n_element;
    const int32_t *elements;  /**< (n_element) ascending */
    const double *offsets;    /**< (n_element) eV: the posterior means */
    const double *offset_std; /**< (n_element) eV, 0 for given ones */
    int64_t n_label, n_energy, n_force, n_point;
    int64_t n_inducing;    /**< 0: dense */
    double log_likelihood; /**< log marginal likelihood of all rows at the hyperparameters found */
    double log_prior;
    double std_scale; /**< what standard deviations are multiplied by; 1 unless calibrated */
    double jitter;    /**< eV^2 added to the diagonal; 0 unless the matrix was singular */
    int n_evaluation; /**< of the likelihood while optimising */
} chgi_delta_summary;

chgi_delta_summary chgi_delta_describe(const chgi_delta *delta);

/** Log marginal likelihood (without prior) at the choice's values, and its gradient by the logarithms of covariance
 *  parameters, energy noise and force noise, in this order.
 *  \param[out] gradient (chgi_covariance_count + 2); NULL: not wanted  \return as chgi_delta_fit */
chgnet_status chgi_delta_likelihood(chgnet_context *ctx, const chgi_delta_choice *choice, int n_feature,
                                    int64_t n_label, const chgi_label *labels, double *value, double *gradient);

/** Predictions for the training labels when their fold is left out, in closed form: hyperparameters, standardisation,
 *  inducing points and the offsets' prior are those of the model.
 *  \param[in]  fold   (n_label) labels of equal number are left out together; NULL: one by one
 *  \param[out] energy, energy_std  (n_label) eV, NaN without energy label; offsets included, std without label noise
 *  \param[out] force, force_std    (n_force in all, label by label) eV/A; NULL: not wanted
 *  \return CHGNET_OK; CHGNET_EINPUT; CHGNET_ENOMEM; CHGNET_ENUMERIC */
chgnet_status chgi_delta_leave_out(chgnet_context *ctx, const chgi_delta *delta, const int32_t *fold, double *energy,
                                   double *energy_std, double *force, double *force_std);

/** What element offsets alone say of the training labels when their fold is left out, as ridge least squares on the
 *  other energies gives them (given ones stay as they are).
 *  \param[in]  fold   as chgi_delta_leave_out  \param[out] energy (n_label) eV
 *  \return CHGNET_OK; CHGNET_ENUMERIC, CHGNET_ENOMEM */
chgnet_status chgi_delta_offsets_left_out(chgnet_context *ctx, const chgi_delta *delta, const int32_t *fold,
                                          double *energy);

typedef enum chgi_criterion {
    CHGI_LARGEST_VARIANCE, /**< of the energy, given all picks before: greedy D-optimal design */
    CHGI_FARTHEST          /**< largest distance to the nearest training point or pick, of the point that is farthest */
} chgi_criterion;

/** Which structures to label next.
 *  \param[in]  n_candidate, candidates  their numbers and fea are read
 *  \param[out] picks (n_pick) places in `candidates`, best first
 *  \param[out] score (n_pick) eV of standard deviation, or distance of standardised points, when it was picked; may be
 * NULL \return CHGNET_OK; CHGNET_EINPUT when n_pick is not from 1 to n_candidate, or an element is unknown;
 * CHGNET_ENOMEM */
chgnet_status chgi_delta_select(chgnet_context *ctx, const chgi_delta *delta, int64_t n_candidate,
                                const chgi_label *candidates, chgi_criterion criterion, int64_t n_pick, int64_t *picks,
                                double *score);

/** Points of a structure as kappa sees them, such as for distances to reference environments (atomic form: a point per
 *  atom, in the order of the atoms).
 *  \param[out] points (n_atom,n_feature)  \return CHGNET_OK; CHGNET_EINPUT unless the form is atomic and elements known
 */
chgnet_status chgi_delta_standardise(chgnet_context *ctx, const chgi_delta *delta, int64_t n_atom,
                                     const int32_t *numbers, const double *fea, double *points);

/** Everything a model is made of: what a file stores.  A model made from the tensors of another has the same bits. */
typedef struct chgi_delta_tensors {
    chgi_delta_choice choice;                     /**< offsets: NULL or not tells whether they were given */
    int32_t n_feature, n_element, width, n_group; /**< width of a point; groups of points */
    int64_t n_label, n_point, n_row, n_jacobian, n_inducing, n_evaluation;
    double log_likelihood, log_prior, jitter, std_scale;
    const int32_t *elements;     /**< (n_element) */
    const double *offset_centre; /**< (n_element) */
    const double *mean, *scale;  /**< (n_group,width) */
    const int64_t *point_start;  /**< (n_label+1) points of label k are point_start[k] to point_start[k+1] */
    const int64_t *row_start;    /**< (n_label+1) rows: its energy, if it has one, then its force components */
    const int32_t *has_energy;   /**< (n_label) 0 or 1 */
    const double *count;         /**< (n_label,n_element) atoms of each element */
    const double *points;        /**< (n_point,width) standardised */
    const int32_t *groups;       /**< (n_point) ascending within a label */
    const double *jacobian;      /**< (n_jacobian) label by label (its points,n_force,width): -d point / d position */
    const double *targets;       /**< (n_row) labels minus base: energies, forces */
    const double *weights;       /**< NULL: the solution is made anew, from here on nothing is read but inducing points;
                                      (n_row) dense: K^-1 (y - centre); sparse (n_inducing+n_element) */
    const double *factor;        /**< dense: (n_row,n_row) lower Cholesky factor, zeros above; sparse: NULL */
    const double *inducing;      /**< sparse: (n_inducing,width) sorted by group */
    const int32_t *inducing_group; /**< sparse: (n_inducing) ascending */
    const double *inducing_factor; /**< sparse: (n_inducing,n_inducing) lower Cholesky factor of their covariance */
    const double *normal_factor; /**< sparse: (n_inducing+n_element)^2 lower, its square solves the normal equations */
    const double *normal_target; /**< sparse: (n_inducing+n_element) the right side that belongs to it */
    double normal_rest;          /**< sparse: sum of squares that no weights explain */
} chgi_delta_tensors;

/** Views into a model, valid while it lives and is not added to. */
chgi_delta_tensors chgi_delta_view(const chgi_delta *delta);
/** A model from tensors, which are copied.  Sizes, orders and signs are checked (CHGNET_EINPUT), contents for finite
 *  numbers; the caller answers for the arrays' lengths. */
chgnet_status chgi_delta_restore(chgnet_context *ctx, const chgi_delta_tensors *tensors, chgi_delta **delta);

#endif
