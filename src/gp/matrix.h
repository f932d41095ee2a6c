/* Kernel matrices of whole training sets, and the way back to hyperparameters.  Offsets and noise are not in them.
 * Every element is made by one thread in one order: the same bits for any number of threads. */
#ifndef CHGI_GP_MATRIX_H
#define CHGI_GP_MATRIX_H

#include "gp/pair.h"

/** Points by themselves, sorted by group: inducing points, or centres of a prediction. */
typedef struct chgi_centres {
    int64_t n;
    int n_group, width;
    int64_t *start; /**< (n_group+1) centres of group g are start[g] to start[g+1] */
    double *x;      /**< (n,width) */
    double *square; /**< (n) */
} chgi_centres;

chgnet_status chgi_centres_create(chgnet_context *ctx, int64_t n, int n_group, int width, chgi_centres *centres);
/** Squares from vectors. */
void chgi_centres_finish(chgi_centres *centres);
void chgi_centres_destroy(chgi_centres *centres);

/** Working memory of all threads. */
typedef struct chgi_team {
    chgi_arena arena;
    chgi_pair_work *work; /**< one per thread */
    int n_thread;
    double *gradient; /**< (n_slot,n_parameter) partial sums */
    int64_t n_slot;
} chgi_team;

enum { CHGI_COLUMN_TILE = 128 }; /**< columns made at once */

/** Memory for pairs of labels, and for labels with tiles of columns. */
chgnet_status chgi_team_create(chgnet_context *ctx, const chgi_rows *rows, chgi_team *team);
/** The same for two sets of labels. */
chgnet_status chgi_team_for(chgnet_context *ctx, const chgi_rows *a, const chgi_rows *b, chgi_team *team);
void chgi_team_destroy(chgi_team *team);
/** Bytes that a team takes, for labels with so many points and force components. */
size_t chgi_team_memory(int width, int64_t n_point, int64_t n_force);

/** Blocks of labels `first` to the last with all labels before them and themselves.
 *  \param[out] k rows row_start[first].. of (n_row,n_row): their lower triangle, and whole blocks at the diagonal */
void chgi_matrix_fill(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t first,
                      double *k, int64_t ld, chgi_team *team);
/** gradient += sum over all elements, both triangles, of factor * d k / d ln parameter.
 *  \param[in] factor (n_row,n_row) symmetric */
void chgi_matrix_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                         const double *factor, int64_t ld, chgi_team *team, double *gradient);

/** Rows against centres.  \param[out] k (n_row,centres->n) */
void chgi_matrix_columns(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                         const chgi_centres *centres, double *k, int64_t ld, chgi_team *team);
void chgi_matrix_columns_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows,
                                 const chgi_centres *centres, const double *factor, int64_t ld, chgi_team *team,
                                 double *gradient);

/** Centres against others.  \param[out] k (a->n,b->n) */
void chgi_matrix_centres(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *a,
                         const chgi_centres *b, double *k, int64_t ld, chgi_team *team);
/** gradient += sum of factor * d k / d ln parameter of centres against themselves, k (n,n). */
void chgi_matrix_centres_reverse(const chgi_form *form, const chgi_covariance *covariance, const chgi_centres *centres,
                                 const double *factor, int64_t ld, chgi_team *team, double *gradient);

/** The block of one label with itself.  \param[out] k (rows of the label, the same), whole */
void chgi_matrix_self(const chgi_form *form, const chgi_covariance *covariance, const chgi_rows *rows, int64_t label,
                      double *k, chgi_team *team);

#endif
