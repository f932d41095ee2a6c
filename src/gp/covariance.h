/* The covariance kappa(x,y) of two vectors: sums of products of
 *
 *     rbf(length)        exp(-r^2/2l^2),  r = |x - y|
 *     matern(length)     (1 + sqrt5 r/l + 5r^2/3l^2) exp(-sqrt5 r/l)
 *     rq(length,alpha)   (1 + r^2/(2 alpha l^2))^-alpha
 *     dot(power)         (x.y / |x||y|)^power, power a whole number from 1 to 8
 *     constant(variance) variance
 *
 * Everything but `power` is a hyperparameter: optimised as its logarithm within bounds, under a Gaussian prior of the
 * logarithm (as in C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, ch. 4, 5).
 *
 * Text form: "constant(1)*rbf(length=16) + constant(variance=0.1)*matern(length=4[0.5:100]~4:1)"
 * A value may be followed by its bounds [low:high], its prior ~centre:spread (spread: standard deviation of the natural
 * logarithm), and by ! when it is to stay as it is.  Names of values may be left out. */
#ifndef CHGI_GP_COVARIANCE_H
#define CHGI_GP_COVARIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/** One positive hyperparameter. */
typedef struct chgi_parameter {
    double value, low, high; /**< 0 < low <= value <= high */
    double centre, spread;   /**< log prior -(ln(value/centre)/spread)^2/2; spread 0: none */
    bool fixed;
} chgi_parameter;

typedef enum chgi_factor_kind { CHGI_CONSTANT, CHGI_RBF, CHGI_MATERN, CHGI_RQ, CHGI_DOT } chgi_factor_kind;

enum { CHGI_MAX_FACTOR = 12, CHGI_FACTOR_PARAMETERS = 2, CHGI_MAX_PARAMETER = 2 * CHGI_MAX_FACTOR };

typedef struct chgi_factor {
    chgi_factor_kind kind;
    int term;                                         /**< factors of one term are multiplied, terms are added */
    int power;                                        /**< dot */
    chgi_parameter parameter[CHGI_FACTOR_PARAMETERS]; /**< length, alpha; or variance */
} chgi_factor;

/** Factors in the order of the text; terms count from 0 without gaps. */
typedef struct chgi_covariance {
    int n_factor;
    chgi_factor factor[CHGI_MAX_FACTOR];
} chgi_covariance;

/** Read the text form.  \return CHGNET_OK; CHGNET_EINPUT says where and what would be right */
chgnet_status chgi_covariance_parse(chgnet_context *ctx, const char *text, chgi_covariance *covariance);
/** Append the text form; reading it gives the same covariance, bit for bit. */
void chgi_covariance_print(const chgi_covariance *covariance, chgi_text *text);

/** Read or append one value with its bounds and prior, as within the brackets: "0.005[1e-4:1]~0.005:1". */
chgnet_status chgi_parameter_parse(chgnet_context *ctx, const char *text, chgi_parameter *parameter);
void chgi_parameter_print(const chgi_parameter *parameter, chgi_text *text);
/** Log prior of the parameter's value and its derivative by ln value. */
double chgi_parameter_log_prior(const chgi_parameter *parameter, double *slope);

/** Number of hyperparameters, fixed ones counted. */
int chgi_covariance_count(const chgi_covariance *covariance);
/** The k-th hyperparameter, in the order of the text. */
chgi_parameter *chgi_covariance_parameter(chgi_covariance *covariance, int k);
/** Its name, such as "length" and its place, such as "rbf.1.length" (factor 1, counting from 0), at most 32 bytes. */
void chgi_covariance_name(const chgi_covariance *covariance, int k, char name[32]);
/** Whether the covariance depends on the angle between x and y. */
bool chgi_covariance_angular(const chgi_covariance *covariance);

/** kappa(x,x), the same for every x. */
double chgi_covariance_diagonal(const chgi_covariance *covariance);

/** kappa as a function of q = |x-y|^2 and c = x.y/|x||y|: the value and derivatives f, f_q, f_c, f_qq, f_qc, f_cc. */
enum { CHGI_F, CHGI_F_Q, CHGI_F_C, CHGI_F_QQ, CHGI_F_QC, CHGI_F_CC, CHGI_JET };
enum { CHGI_COVARIANCE_CHUNK = 256 }; /**< most pairs of one call of the two functions below */

/** Value and derivatives of n pairs.
 *  \param[in]  order  0: value; 1: first derivatives as well; 2: second ones too
 *  \param[in]  q (n) squared distances  \param[in] c (n) cosines; read only by angular covariances
 *  \param[out] jet   (CHGI_JET) arrays of n; of those that `order` asks for, and by c only if angular */
void chgi_covariance_evaluate(const chgi_covariance *covariance, int order, int n, const double *q, const double *c,
                              double *const jet[CHGI_JET]);
/** gradient[k] += sum over pairs and members of the jet: adjoint * d member / d ln(parameter k).
 *  \param[in] adjoint (CHGI_JET) arrays of n, of those that `order` asks for
 *  \param[in,out] gradient (chgi_covariance_count) */
void chgi_covariance_reverse(const chgi_covariance *covariance, int order, int n, const double *q, const double *c,
                             const double *const adjoint[CHGI_JET], double *gradient);

#endif
