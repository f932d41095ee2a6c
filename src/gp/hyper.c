/* Hyperparameters: their vector, prior, and the search for the best. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "gp/delta_inside.h"
#include "math/lbfgs.h"

/* A gain below a thousandth of a natural unit of the likelihood changes no prediction that matters. */
static const double tolerance = 1e-3;

enum { STREAM_STARTS = 101 }; /* of random numbers */

int chgi_hyper_count(const chgi_delta_choice *choice)
{
    return chgi_covariance_count(&choice->covariance) + 2;
}

chgi_parameter *chgi_hyper_parameter(chgi_delta_choice *choice, int k)
{
    int n = chgi_covariance_count(&choice->covariance);
    if (k < n)
        return chgi_covariance_parameter(&choice->covariance, k);
    return k == n ? &choice->noise_energy : &choice->noise_force;
}

double chgi_hyper_log_prior(chgi_delta_choice *choice, double *slope)
{
    double sum = 0;
    for (int k = 0; k < chgi_hyper_count(choice); k++)
        sum += chgi_parameter_log_prior(chgi_hyper_parameter(choice, k), &slope[k]);
    return sum;
}

chgnet_status chgi_problem_evaluate(chgnet_context *ctx, chgi_problem *problem, bool mend, double *value,
                                    double *gradient)
{
    problem->n_evaluation++;
    return (problem->inducing ? chgi_sparse_evaluate : chgi_dense_evaluate)(ctx, problem, mend, value, gradient);
}

/* ---- search ------------------------------------------------------------------------------------------------------ */

typedef struct search {
    chgnet_context *ctx;
    chgi_problem *problem;
} search;

static void set_values(chgi_delta_choice *choice, const double *x)
{
    for (int k = 0; k < chgi_hyper_count(choice); k++) {
        chgi_parameter *p = chgi_hyper_parameter(choice, k);
        if (!p->fixed)
            p->value = fmin(fmax(exp(x[k]), p->low), p->high);
    }
}

/* Minus (log likelihood + log prior). */
static chgnet_status objective(void *self, const double *x, double *value, double *gradient)
{
    search *s = self;
    double slope[CHGI_MAX_HYPER];
    set_values(s->problem->choice, x);
    CHGI_TRY(chgi_problem_evaluate(s->ctx, s->problem, false, value, gradient));
    *value = -*value - chgi_hyper_log_prior(s->problem->choice, slope);
    for (int k = 0; k < chgi_hyper_count(s->problem->choice); k++)
        gradient[k] = -gradient[k] - slope[k];
    if (!isfinite(*value))
        *value = INFINITY;
    return CHGNET_OK;
}

/* The first start is the choice's own values; others are drawn from the prior, or evenly between the bounds' logarithms
 * where there is none. */
static void choose_start(chgi_delta_choice *choice, const double *low, const double *high, int start, double *x)
{
    chgi_rng rng = chgi_rng_start(choice->seed, STREAM_STARTS, (uint64_t)start, 0);
    for (int k = 0; k < chgi_hyper_count(choice); k++) {
        const chgi_parameter *p = chgi_hyper_parameter(choice, k);
        double normal = chgi_rng_normal(&rng), u = chgi_rng_uniform(&rng);
        double drawn = p->spread > 0 ? log(p->centre) + p->spread * normal : low[k] + u * (high[k] - low[k]);
        if (start > 0)
            x[k] = fmin(fmax(drawn, low[k]), high[k]);
    }
}

chgnet_status chgi_hyper_optimize(chgnet_context *ctx, chgi_problem *problem)
{
    chgi_delta_choice *choice = problem->choice, best_choice = *choice;
    search s = {ctx, problem};
    double low[CHGI_MAX_HYPER], high[CHGI_MAX_HYPER], x[CHGI_MAX_HYPER], first[CHGI_MAX_HYPER], best = INFINITY;
    int n = chgi_hyper_count(choice), n_free = 0;
    for (int k = 0; k < n; k++) {
        const chgi_parameter *p = chgi_hyper_parameter(choice, k);
        first[k] = log(p->value);
        low[k] = p->fixed ? first[k] : log(p->low);
        high[k] = p->fixed ? first[k] : log(p->high);
        n_free += high[k] > low[k];
    }
    for (int start = 0; n_free > 0 && (start < choice->n_start || start == 0); start++) {
        double value;
        memcpy(x, first, sizeof x);
        choose_start(choice, low, high, start, x);
        CHGI_TRY(chgi_lbfgs_minimize(n, low, high, x, choice->max_step, tolerance, objective, &s, &value));
        if (value < best - (start ? tolerance : 0)) {
            best = value;
            set_values(choice, x);
            best_choice = *choice;
        }
    }
    *choice = best_choice;
    return CHGNET_OK;
}
