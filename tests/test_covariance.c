/* Covariances: text form, derivatives by distance, angle and hyperparameters.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "gp/covariance.h"

#include "base/memory.h"
#include "tap.h"

enum { N = 100 };

static const char *const kernels[] = {
    "rbf(1.3)",
    "matern(0.8)",
    "rq(1.1,0.7)",
    "dot(3)",
    "constant(0.5)*rbf(2)*matern(1.5)",
    "constant(2)*dot(2)*rq(length=2,alpha=3) + constant(0.3)*matern(0.9)*dot(1) + rbf(4)"};
enum { N_KERNEL = (int)(sizeof kernels / sizeof *kernels) };

static chgi_covariance parsed(const char *text)
{
    chgi_covariance covariance;
    if (chgi_covariance_parse(NULL, text, &covariance) != CHGNET_OK)
        tap_bail(text);
    return covariance;
}

static void evaluate(const chgi_covariance *covariance, int n, const double *q, const double *c,
                     double jet[CHGI_JET][CHGI_COVARIANCE_CHUNK])
{
    double *jets[CHGI_JET];
    memset(jet, 0, CHGI_JET * sizeof *jet);
    for (int m = 0; m < CHGI_JET; m++)
        jets[m] = jet[m];
    chgi_covariance_evaluate(covariance, 2, n, q, c, jets);
}

/* ---- values --------------------------------------------------------------------------------------------------- */

static void test_values(void)
{
    double q = 1.7, c = 0.6, jet[CHGI_JET][CHGI_COVARIANCE_CHUNK], r = sqrt(5 * q) / 0.8;
    double expected[] = {exp(-q / (2 * 1.3 * 1.3)), (1 + r + r * r / 3) * exp(-r),
                         pow(1 + q / (2 * 0.7 * 1.1 * 1.1), -0.7), c * c * c};
    for (int k = 0; k < 4; k++) {
        chgi_covariance covariance = parsed(kernels[k]);
        evaluate(&covariance, 1, &q, &c, jet);
        tap_near(jet[CHGI_F][0], expected[k], 1e-15, kernels[k]); /* a few units in the last place of numbers below 1 */
    }
    chgi_covariance sum = parsed(kernels[5]);
    tap_near(chgi_covariance_diagonal(&sum), 3.3, 1e-15, "kappa(x,x) of a sum of products");
}

/* ---- derivatives ---------------------------------------------------------------------------------------------- */

static double worst;

static void compare(double got, double plus, double minus, double h)
{
    double expected = (plus - minus) / (2 * h), error = fabs(got - expected) / (1 + fabs(expected));
    worst = error > worst || error != error ? error : worst;
}

/* Central differences with steps of 1e-5 lose about 1e-10 to rounding and to the third derivative, which is large for
 * the Matern kernel near q = 0. */
static void test_derivatives(const char *text)
{
    chgi_covariance covariance = parsed(text);
    static double up[CHGI_JET][CHGI_COVARIANCE_CHUNK], down[CHGI_JET][CHGI_COVARIANCE_CHUNK];
    static double jet[CHGI_JET][CHGI_COVARIANCE_CHUNK];
    double q[N], c[N], moved[N], h = 1e-5;
    for (int i = 0; i < N; i++) {
        q[i] = 0.05 + 0.07 * i;
        c[i] = cos(0.3 * i);
    }
    worst = 0;
    evaluate(&covariance, N, q, c, jet);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < N; i++)
            moved[i] = q[i] + sign * h;
        evaluate(&covariance, N, moved, c, sign > 0 ? up : down);
    }
    for (int i = 0; i < N; i++) {
        compare(jet[CHGI_F_Q][i], up[CHGI_F][i], down[CHGI_F][i], h);
        compare(jet[CHGI_F_QQ][i], up[CHGI_F_Q][i], down[CHGI_F_Q][i], h);
        compare(jet[CHGI_F_QC][i], up[CHGI_F_C][i], down[CHGI_F_C][i], h);
    }
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < N; i++)
            moved[i] = c[i] + sign * h;
        evaluate(&covariance, N, q, moved, sign > 0 ? up : down);
    }
    for (int i = 0; i < N; i++) {
        compare(jet[CHGI_F_C][i], up[CHGI_F][i], down[CHGI_F][i], h);
        compare(jet[CHGI_F_QC][i], up[CHGI_F_Q][i], down[CHGI_F_Q][i], h);
        compare(jet[CHGI_F_CC][i], up[CHGI_F_C][i], down[CHGI_F_C][i], h);
    }
    tap_ok(worst < 1e-8, "derivatives by distance and angle of %s", text);
    if (!(worst < 1e-8))
        tap_note("worst error %.3g", worst);
}

/* A fixed combination of all members of all jets, and its derivative by each hyperparameter. */
static double combine(const chgi_covariance *covariance, const double *q, const double *c,
                      double adjoint[CHGI_JET][CHGI_COVARIANCE_CHUNK])
{
    static double jet[CHGI_JET][CHGI_COVARIANCE_CHUNK];
    double sum = 0;
    evaluate(covariance, N, q, c, jet);
    for (int m = 0; m < CHGI_JET; m++)
        for (int i = 0; i < N; i++)
            sum += adjoint[m][i] * jet[m][i];
    return sum;
}

static void test_hyperparameters(const char *text)
{
    chgi_covariance covariance = parsed(text);
    static double adjoint[CHGI_JET][CHGI_COVARIANCE_CHUNK];
    double q[N], c[N], gradient[CHGI_MAX_PARAMETER] = {0}, h = 1e-5;
    const double *adjoints[CHGI_JET];
    for (int m = 0; m < CHGI_JET; m++) {
        adjoints[m] = adjoint[m];
        for (int i = 0; i < N; i++)
            adjoint[m][i] = sin(1.0 + 3 * m + 0.7 * i) / N;
    }
    for (int i = 0; i < N; i++) {
        q[i] = 0.07 * i;
        c[i] = cos(0.3 * i);
    }
    chgi_covariance_reverse(&covariance, 2, N, q, c, adjoints, gradient);
    worst = 0;
    for (int k = 0; k < chgi_covariance_count(&covariance); k++) {
        double *value = &chgi_covariance_parameter(&covariance, k)->value, old = *value;
        *value = old * exp(h);
        double up = combine(&covariance, q, c, adjoint);
        *value = old * exp(-h);
        double down = combine(&covariance, q, c, adjoint);
        *value = old;
        compare(gradient[k], up, down, h);
    }
    tap_ok(worst < 1e-8, "derivatives by %d hyperparameters of %s", chgi_covariance_count(&covariance), text);
    if (!(worst < 1e-8))
        tap_note("worst error %.3g", worst);
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static void test_text(void)
{
    chgi_text first = {0}, second = {0};
    chgi_covariance a =
        parsed(" constant( 0.1 [ 1e-3 : 7 ] ~ 0.3 : 2 ) * rbf(length=16!)+rq(alpha=2,length=3) + dot(power=4)");
    chgi_covariance_print(&a, &first);
    tap_is_text(first.data,
                "constant(variance=0.1[0.001:7]~0.3:2)*rbf(length=16[0.01:10000]!) + "
                "rq(length=3[0.01:10000],alpha=2[0.01:1000]) + dot(power=4)",
                "bounds, priors and fixed values are printed");
    chgi_covariance b = parsed(first.data);
    chgi_covariance_print(&b, &second);
    tap_is_text(second.data, first.data, "what is printed reads the same");
    char name[32];
    chgi_covariance_name(&a, 3, name);
    tap_is_text(name, "rq.2.alpha", "a hyperparameter's name");
    tap_is_int(chgi_covariance_count(&a), 4, "hyperparameters are counted");
    double slope;
    double prior = chgi_parameter_log_prior(&a.factor[0].parameter[0], &slope), z = log(0.1 / 0.3) / 2;
    tap_near(prior, -z * z / 2, 1e-15, "log prior");
    tap_near(slope, -z / 2, 1e-15, "its slope");
    chgi_text_destroy(&first);
    chgi_text_destroy(&second);
}

static void test_bad_text(void)
{
    static const char *const bad[] = {"",
                                      "rbf",
                                      "rbf(",
                                      "rbf(16",
                                      "rbf(0)",
                                      "rbf(-1)",
                                      "rbf(x)",
                                      "rbf(length=1,length)",
                                      "rbf(1,2)",
                                      "rbf(alpha=1)",
                                      "sinus(1)",
                                      "rbf(1)*",
                                      "rbf(1)+",
                                      "rbf(1) rbf(2)",
                                      "dot(0)",
                                      "dot(9)",
                                      "dot(1.5)",
                                      "dot(2,3)",
                                      "rbf(1[2:3])",
                                      "rbf(1[0:3])",
                                      "rbf(1[0.5:3)",
                                      "rbf(1~2)",
                                      "rbf(nan)",
                                      "rbf(inf)",
                                      "rbf(1e999)",
                                      "dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()*dot()"};
    chgi_covariance covariance;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        tap_is_int(chgi_covariance_parse(NULL, bad[k], &covariance), CHGNET_EINPUT, bad[k]);
    chgi_parameter parameter;
    tap_is_int(chgi_parameter_parse(NULL, "0.005[1e-4:1]~0.01:0.5!", &parameter), CHGNET_OK, "a single parameter");
    tap_ok(parameter.value == 0.005 && parameter.low == 1e-4 && parameter.high == 1 && parameter.centre == 0.01 &&
               parameter.spread == 0.5 && parameter.fixed,
           "all its parts");
    tap_is_int(chgi_parameter_parse(NULL, "0.005 eV", &parameter), CHGNET_EINPUT,
               "a parameter with something behind it");
}

int main(void)
{
    test_values();
    for (int k = 0; k < N_KERNEL; k++) {
        test_derivatives(kernels[k]);
        test_hyperparameters(kernels[k]);
    }
    test_text();
    test_bad_text();
    return tap_done();
}
