#include "gp/covariance.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names and defaults ---------------------------------------------------------------------------------------- */

typedef struct parameter_kind {
    const char *name;
    double value, low, high;
} parameter_kind;

typedef struct factor_kind {
    const char *name;
    int n_parameter;
    parameter_kind parameter[CHGI_FACTOR_PARAMETERS];
} factor_kind;

static const factor_kind kinds[] = {
    [CHGI_CONSTANT] = {"constant", 1, {{"variance", 1, 1e-8, 1e6}}},
    [CHGI_RBF] = {"rbf", 1, {{"length", 16, 1e-2, 1e4}}},
    [CHGI_MATERN] = {"matern", 1, {{"length", 16, 1e-2, 1e4}}},
    [CHGI_RQ] = {"rq", 2, {{"length", 16, 1e-2, 1e4}, {"alpha", 1, 1e-2, 1e3}}},
    [CHGI_DOT] = {"dot", 0, {{0}}},
};
enum { N_KIND = (int)(sizeof kinds / sizeof *kinds), MAX_POWER = 8 };

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct cursor {
    chgnet_context *ctx;
    const char *text, *at;
} cursor;

static chgnet_status wrong(const cursor *c, const char *wanted)
{
    return chgi_context_fail(c->ctx, CHGNET_EINPUT, "covariance \"%.200s\", place %ld: %s expected", c->text,
                             (long)(c->at - c->text) + 1, wanted);
}

static bool take(cursor *c, char wanted)
{
    while (isspace((unsigned char)*c->at))
        c->at++;
    if (*c->at != wanted || !wanted)
        return false;
    c->at++;
    return true;
}

static size_t word_length(cursor *c)
{
    size_t n = 0;
    while (isspace((unsigned char)*c->at))
        c->at++;
    while (isalnum((unsigned char)c->at[n]) || c->at[n] == '_')
        n++;
    return n;
}

static chgnet_status read_positive(cursor *c, double *value)
{
    while (isspace((unsigned char)*c->at))
        c->at++;
    size_t n = strspn(c->at, "0123456789.eE+-");
    while (n && strchr("+-", c->at[n - 1])) /* the sign of a sum may follow at once */
        n--;
    if (!chgi_text_to_double(c->at, n, value) || !(*value > 0) || !isfinite(*value))
        return wrong(c, "a positive number");
    c->at += n;
    return CHGNET_OK;
}

static chgnet_status read_parameter(cursor *c, chgi_parameter *p)
{
    CHGI_TRY(read_positive(c, &p->value));
    p->low = p->value < p->low ? p->value : p->low;
    p->high = p->value > p->high ? p->value : p->high;
    if (take(c, '[')) {
        CHGI_TRY(read_positive(c, &p->low));
        if (!take(c, ':'))
            return wrong(c, "':'");
        CHGI_TRY(read_positive(c, &p->high));
        if (!take(c, ']'))
            return wrong(c, "']'");
        if (!(p->low <= p->value && p->value <= p->high))
            return wrong(c, "a value between its bounds");
    }
    p->centre = p->value;
    if (take(c, '~')) {
        CHGI_TRY(read_positive(c, &p->centre));
        if (!take(c, ':'))
            return wrong(c, "':'");
        CHGI_TRY(read_positive(c, &p->spread));
    }
    p->fixed = take(c, '!');
    return CHGNET_OK;
}

chgnet_status chgi_parameter_parse(chgnet_context *ctx, const char *text, chgi_parameter *parameter)
{
    cursor c = {ctx, text, text};
    chgi_parameter p = {.low = 1e-6, .high = 1e3};
    CHGI_TRY(read_parameter(&c, &p));
    take(&c, ' ');
    if (*c.at)
        return wrong(&c, "the end");
    *parameter = p;
    return CHGNET_OK;
}

static chgnet_status read_power(cursor *c, int *power)
{
    int64_t value;
    size_t n = strspn(c->at, "0123456789");
    if (!chgi_text_to_int(c->at, n, &value) || value < 1 || value > MAX_POWER)
        return wrong(c, "a whole number from 1 to 8");
    c->at += n;
    *power = (int)value;
    return CHGNET_OK;
}

/* "name=" is optional; without it values come in their order. */
static chgnet_status read_argument(cursor *c, chgi_factor *factor, int place)
{
    const factor_kind *kind = &kinds[factor->kind];
    size_t n = word_length(c);
    const char *name = c->at;
    bool named = n && isalpha((unsigned char)*name) && name[n] == '=';
    if (named)
        c->at += n + 1;
    if (factor->kind == CHGI_DOT) {
        if (place > 0 || (named && (n != 5 || strncmp(name, "power", n))))
            return wrong(c, "power");
        return read_power(c, &factor->power);
    }
    if (named)
        for (place = 0; place < kind->n_parameter; place++)
            if (strlen(kind->parameter[place].name) == n && !strncmp(kind->parameter[place].name, name, n))
                break;
    if (place >= kind->n_parameter)
        return wrong(c, kind->n_parameter == 2 ? "length or alpha" : kind->parameter[0].name);
    return read_parameter(c, &factor->parameter[place]);
}

static chgnet_status read_factor(cursor *c, chgi_factor *factor)
{
    size_t n = word_length(c);
    int k = 0;
    while (k < N_KIND && !(strlen(kinds[k].name) == n && !strncmp(kinds[k].name, c->at, n)))
        k++;
    if (k == N_KIND)
        return wrong(c, "rbf, matern, rq, dot or constant");
    c->at += n;
    factor->kind = (chgi_factor_kind)k;
    factor->power = k == CHGI_DOT ? 2 : 0;
    for (int i = 0; i < kinds[k].n_parameter; i++) {
        const parameter_kind *p = &kinds[k].parameter[i];
        factor->parameter[i] = (chgi_parameter){p->value, p->low, p->high, p->value, 0, false};
    }
    if (!take(c, '('))
        return wrong(c, "'('");
    for (int place = 0; !take(c, ')'); place++) {
        if (place && !take(c, ','))
            return wrong(c, "',' or ')'");
        CHGI_TRY(read_argument(c, factor, place));
    }
    return CHGNET_OK;
}

chgnet_status chgi_covariance_parse(chgnet_context *ctx, const char *text, chgi_covariance *covariance)
{
    cursor c = {ctx, text, text};
    chgi_covariance made = {0};
    int term = 0;
    do {
        do {
            if (made.n_factor == CHGI_MAX_FACTOR)
                return wrong(&c, "at most 12 factors, so the end");
            chgi_factor *factor = &made.factor[made.n_factor];
            CHGI_TRY(read_factor(&c, factor));
            factor->term = term;
            made.n_factor++;
        } while (take(&c, '*'));
        term++;
    } while (take(&c, '+'));
    if (*c.at)
        return wrong(&c, "'*', '+' or the end");
    *covariance = made;
    return CHGNET_OK;
}

/* ---- printing -------------------------------------------------------------------------------------------------- */

void chgi_parameter_print(const chgi_parameter *parameter, chgi_text *text)
{
    chgi_text_number(text, parameter->value);
    chgi_text_print(text, "[");
    chgi_text_number(text, parameter->low);
    chgi_text_print(text, ":");
    chgi_text_number(text, parameter->high);
    chgi_text_print(text, "]");
    if (parameter->spread > 0) {
        chgi_text_print(text, "~");
        chgi_text_number(text, parameter->centre);
        chgi_text_print(text, ":");
        chgi_text_number(text, parameter->spread);
    }
    if (parameter->fixed)
        chgi_text_print(text, "!");
}

void chgi_covariance_print(const chgi_covariance *covariance, chgi_text *text)
{
    for (int f = 0; f < covariance->n_factor; f++) {
        const chgi_factor *factor = &covariance->factor[f];
        const factor_kind *kind = &kinds[factor->kind];
        if (f)
            chgi_text_print(text, factor->term == factor[-1].term ? "*" : " + ");
        chgi_text_print(text, "%s(", kind->name);
        if (factor->kind == CHGI_DOT)
            chgi_text_print(text, "power=%d", factor->power);
        for (int i = 0; i < kind->n_parameter; i++) {
            chgi_text_print(text, "%s%s=", i ? "," : "", kind->parameter[i].name);
            chgi_parameter_print(&factor->parameter[i], text);
        }
        chgi_text_print(text, ")");
    }
}

/* ---- hyperparameters ------------------------------------------------------------------------------------------- */

double chgi_parameter_log_prior(const chgi_parameter *parameter, double *slope)
{
    *slope = 0;
    if (!(parameter->spread > 0))
        return 0;
    double z = log(parameter->value / parameter->centre) / parameter->spread;
    *slope = -z / parameter->spread;
    return -0.5 * z * z;
}

int chgi_covariance_count(const chgi_covariance *covariance)
{
    int n = 0;
    for (int f = 0; f < covariance->n_factor; f++)
        n += kinds[covariance->factor[f].kind].n_parameter;
    return n;
}

/* Factor and place of the k-th hyperparameter. */
static int locate(const chgi_covariance *covariance, int k, int *place)
{
    int f = 0;
    while (k >= kinds[covariance->factor[f].kind].n_parameter)
        k -= kinds[covariance->factor[f++].kind].n_parameter;
    *place = k;
    return f;
}

chgi_parameter *chgi_covariance_parameter(chgi_covariance *covariance, int k)
{
    int place, f = locate(covariance, k, &place);
    return &covariance->factor[f].parameter[place];
}

void chgi_covariance_name(const chgi_covariance *covariance, int k, char name[32])
{
    int place, f = locate(covariance, k, &place);
    const factor_kind *kind = &kinds[covariance->factor[f].kind];
    snprintf(name, 32, "%s.%d.%s", kind->name, f, kind->parameter[place].name);
}

bool chgi_covariance_angular(const chgi_covariance *covariance)
{
    for (int f = 0; f < covariance->n_factor; f++)
        if (covariance->factor[f].kind == CHGI_DOT)
            return true;
    return false;
}

double chgi_covariance_diagonal(const chgi_covariance *covariance)
{
    double sum = 0;
    for (int f = 0; f < covariance->n_factor;) {
        double product = 1;
        int term = covariance->factor[f].term;
        for (; f < covariance->n_factor && covariance->factor[f].term == term; f++)
            if (covariance->factor[f].kind == CHGI_CONSTANT)
                product *= covariance->factor[f].parameter[0].value;
        sum += product;
    }
    return sum;
}
