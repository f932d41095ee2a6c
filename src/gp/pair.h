/* Blocks of the kernel matrix between two ranges of points, with derivatives along the rows of their Jacobians, and the
 * way back from derivatives by the block's elements to derivatives by hyperparameters.
 *
 * With q = |x-y|^2 and c = x.y/|x||y| the derivatives of kappa are, for each pair,
 *     d/dx kappa = px x + s y        d/dy kappa = s x + qy y
 *     d2/dx dy   = s I + cxx x x^T + cxy x y^T + cyx y x^T + cyy y y^T     (the left one belongs to dx) */
#ifndef CHGI_GP_PAIR_H
#define CHGI_GP_PAIR_H

#include "gp/rows.h"

enum { CHGI_K_F, CHGI_K_S, CHGI_K_PX, CHGI_K_QY, CHGI_K_CXX, CHGI_K_CXY, CHGI_K_CYX, CHGI_K_CYY, CHGI_COEFFICIENTS };

/** Points of one group, and the Jacobians of m rows by each of them. */
typedef struct chgi_side {
    int64_t n, m;
    const double *x;        /**< (n,width) */
    const double *square;   /**< (n) */
    const double *jacobian; /**< (n,m,width); not read for m = 0 */
} chgi_side;

/** Working memory of one thread. */
typedef struct chgi_pair_work {
    double *dots;                           /**< (n_a,n_b) */
    double *coefficient[CHGI_COEFFICIENTS]; /**< (n_a,n_b) each */
    double *adjoint[CHGI_COEFFICIENTS];     /**< (n_a,n_b) each */
    double *own_a, *own_b;                  /**< (n,m) J x of each side's own points */
    double *u, *v;                          /**< (n_a,n_b,m_a) J_a y; (n_a,n_b,m_b) J_b x */
    double *l;                              /**< (n_a,n_b,max(m_a,m_b)) */
    double *w;                              /**< (max n, max m, width) */
} chgi_pair_work;

/** Take memory for sides of at most n_a, n_b points and m_a, m_b rows. */
void chgi_pair_take(chgi_arena *arena, int width, int64_t n_a, int64_t n_b, int64_t m_a, int64_t m_b,
                    chgi_pair_work *work);

/** Coefficients of all pairs, times `weight`.
 *  \param[in] order 0: F; 1: s, px, qy as well; 2: all  \param[in] dots (n_a,n_b) x_i . y_j
 *  \param[out] coefficient (CHGI_COEFFICIENTS) arrays (n_a,n_b) of those that `order` asks for */
void chgi_pair_coefficients(const chgi_covariance *covariance, int order, double weight, int64_t n_a, int64_t n_b,
                            const double *square_a, const double *square_b, const double *dots,
                            double *const coefficient[CHGI_COEFFICIENTS]);
/** gradient += sum of adjoint * d coefficient / d ln parameter.  \param[in] adjoint as `coefficient` above */
void chgi_pair_coefficients_reverse(const chgi_covariance *covariance, int order, double weight, int64_t n_a,
                                    int64_t n_b, const double *square_a, const double *square_b, const double *dots,
                                    double *const adjoint[CHGI_COEFFICIENTS], double *gradient);

/** Elements of a block of the kernel matrix, each NULL where it is not wanted. */
typedef struct chgi_block {
    double *ee; /**< one number: energy of a, energy of b */
    double *ef; /**< (m_b) energy of a, rows of b */
    double *fe; /**< (m_a), `ld` apart: rows of a, energy of b */
    double *ff; /**< (m_a,m_b), rows `ld` apart */
    int64_t ld;
} chgi_block;

/** Add the pairs of two sides to a block. */
void chgi_pair_forward(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *block);
/** gradient += sum of the block's elements times d element / d ln parameter.
 *  \param[in] adjoint the block of factors */
void chgi_pair_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *adjoint, double *gradient);

/** As above where each point of b is a column of its own, without Jacobian: ee is (n_b), ff is (m_a,n_b); ef and fe
 *  are not read. */
void chgi_pair_columns(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                       const chgi_side *b, const chgi_pair_work *work, const chgi_block *block);
void chgi_pair_columns_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                               const chgi_side *b, const chgi_pair_work *work, const chgi_block *adjoint,
                               double *gradient);

/** Each point of a against each of b, no Jacobians.  \param[in,out] k (n_a,n_b), rows `ld` apart, is added to */
void chgi_pair_each(const chgi_covariance *covariance, double weight, int width, const chgi_side *a, const chgi_side *b,
                    const chgi_pair_work *work, double *k, int64_t ld);
void chgi_pair_each_reverse(const chgi_covariance *covariance, double weight, int width, const chgi_side *a,
                            const chgi_side *b, const chgi_pair_work *work, const double *adjoint, int64_t ld,
                            double *gradient);

#endif
