#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/checkpoint.h"

typedef chgi_pickle_value value;

/* A value for an error text. */
static void print_value(const value *v, char *text, size_t size)
{
    static const char *const kinds[] = {
        "None",         "",         "",          "",        "", "a tuple", "a list", "a dictionary",
        "a dictionary", "a global", "a storage", "a tensor"};
    switch (v->kind) {
    case CHGI_PICKLE_BOOL:
        snprintf(text, size, "%s", v->integer ? "True" : "False");
        break;
    case CHGI_PICKLE_INT:
        snprintf(text, size, "%lld", (long long)v->integer);
        break;
    case CHGI_PICKLE_REAL:
        snprintf(text, size, "%g", v->real);
        break;
    case CHGI_PICKLE_TEXT:
        snprintf(text, size, "'%.*s'", v->count < 40 ? (int)v->count : 40, v->text);
        break;
    default:
        snprintf(text, size, "%s", kinds[v->kind]);
    }
}

static chgnet_status refuse(chgnet_context *ctx, const char *name, const value *v, const char *wanted)
{
    char text[64];
    print_value(v, text, sizeof text);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "the model argument %s is %s; %s", name, text, wanted);
}

/* Upstream takes 8.0 where it expects 8. */
static bool as_int(const value *v, int64_t *number)
{
    if (v->kind == CHGI_PICKLE_REAL && v->real == rint(v->real) && fabs(v->real) < 1e9)
        *number = (int64_t)v->real;
    else if (v->kind == CHGI_PICKLE_INT)
        *number = v->integer;
    else
        return false;
    return true;
}

static chgnet_status get_int(chgnet_context *ctx, const value *args, const char *name, int64_t absent, int64_t *number)
{
    const value *v = chgi_pickle_get(args, name);
    *number = absent;
    if (!v || as_int(v, number))
        return CHGNET_OK;
    return refuse(ctx, name, v, "an integer is expected");
}

static chgnet_status get_real(chgnet_context *ctx, const value *args, const char *name, double absent, double *number)
{
    const value *v = chgi_pickle_get(args, name);
    *number = absent;
    if (!v)
        return CHGNET_OK;
    if (v->kind != CHGI_PICKLE_INT && v->kind != CHGI_PICKLE_REAL)
        return refuse(ctx, name, v, "a number is expected");
    *number = v->kind == CHGI_PICKLE_INT ? (double)v->integer : v->real;
    return CHGNET_OK;
}

static chgnet_status get_flag(chgnet_context *ctx, const value *args, const char *name, bool absent, bool *flag)
{
    const value *v = chgi_pickle_get(args, name);
    *flag = absent;
    if (!v)
        return CHGNET_OK;
    if (v->kind != CHGI_PICKLE_BOOL)
        return refuse(ctx, name, v, "True or False is expected");
    *flag = v->integer != 0;
    return CHGNET_OK;
}

/* Hidden sizes: a number, None or 0 for no hidden layer, or a list of numbers. */
static chgnet_status get_sizes(chgnet_context *ctx, const value *args, const char *name, int64_t most, int64_t *count,
                               int64_t *sizes)
{
    const value *v = chgi_pickle_get(args, name);
    if (!v)
        return CHGNET_OK;
    *count = 0;
    if (v->kind == CHGI_PICKLE_NONE)
        return CHGNET_OK;
    if (as_int(v, &sizes[0])) {
        *count = sizes[0] != 0;
        return CHGNET_OK;
    }
    if (v->kind != CHGI_PICKLE_LIST && v->kind != CHGI_PICKLE_TUPLE)
        return refuse(ctx, name, v, "a number or a list of numbers is expected");
    if (v->count == 0 || v->count > most)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "the model argument %s has %u sizes; 1 to %lld are supported",
                                 name, (unsigned)v->count, (long long)most);
    for (uint32_t i = 0; i < v->count; i++)
        if (!as_int(v->items[i], &sizes[i]))
            return refuse(ctx, name, v->items[i], "a list of integers is expected");
    *count = v->count;
    return CHGNET_OK;
}

static chgnet_status get_hidden(chgnet_context *ctx, const value *args, const char *name, int64_t absent,
                                int64_t *hidden)
{
    int64_t count = absent != 0, size = absent;
    CHGI_TRY(get_sizes(ctx, args, name, 1, &count, &size));
    *hidden = count ? size : 0;
    return CHGNET_OK;
}

/* Upstream compares names without regard to case. */
static bool is_name(const value *v, const char *name)
{
    return v->kind == CHGI_PICKLE_TEXT && v->count == strlen(name) && strncasecmp(v->text, name, v->count) == 0;
}

static chgnet_status get_norm(chgnet_context *ctx, const value *args, const char *name, int64_t *norm)
{
    const value *v = chgi_pickle_get(args, name);
    *norm = !v || v->kind != CHGI_PICKLE_NONE;
    if (!v || v->kind == CHGI_PICKLE_NONE || is_name(v, "layer"))
        return CHGNET_OK;
    return refuse(ctx, name, v, "only 'layer' and None are implemented");
}

static chgnet_status need_true(chgnet_context *ctx, const value *args, const char *name)
{
    bool flag = true;
    CHGI_TRY(get_flag(ctx, args, name, true, &flag));
    return flag ? CHGNET_OK : refuse(ctx, name, chgi_pickle_get(args, name), "only True is implemented");
}

/* What other variants of the architecture would need. */
static chgnet_status check_variant(chgnet_context *ctx, const value *args)
{
    CHGI_TRY(need_true(ctx, args, "update_bond"));
    CHGI_TRY(need_true(ctx, args, "update_angle"));
    CHGI_TRY(need_true(ctx, args, "mlp_first"));
    const value *v = chgi_pickle_get(args, "non_linearity");
    if (v && !is_name(v, "silu"))
        return refuse(ctx, "non_linearity", v, "only 'silu' is implemented");
    v = chgi_pickle_get(args, "conv_norm");
    if (v && v->kind != CHGI_PICKLE_NONE)
        return refuse(ctx, "conv_norm", v, "only None is implemented");
    v = chgi_pickle_get(args, "final_mlp");
    if (v && !chgi_pickle_is_text(v, "MLP") && !chgi_pickle_is_text(v, "normal"))
        return refuse(ctx, "final_mlp", v, "only 'MLP' is implemented");
    return CHGNET_OK;
}

/* The references of upstream are per atom for some data sets and not for others: where they are not as the energy of
 * the network is, upstream's total depends on both in a way that is not a sum over atoms. */
static chgnet_status check_composition(chgnet_context *ctx, const value *args, bool intensive, bool *has_composition)
{
    static const char *const per_atom[] = {"MPtrj", "MPtrj_e", "MP-r2SCAN"};
    const value *v = chgi_pickle_get(args, "composition_model");
    *has_composition = !v || v->kind != CHGI_PICKLE_NONE;
    if (v && v->kind == CHGI_PICKLE_NONE)
        return CHGNET_OK;
    bool reference_intensive = !v;
    for (size_t i = 0; v && i < sizeof per_atom / sizeof per_atom[0]; i++)
        reference_intensive = reference_intensive || chgi_pickle_is_text(v, per_atom[i]);
    if (v && !reference_intensive && !chgi_pickle_is_text(v, "MPF"))
        return refuse(ctx, "composition_model", v, "'MPtrj', 'MP-r2SCAN', 'MPF' or None is expected");
    if (reference_intensive != intensive)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "the model argument is_intensive is %s, but the composition model is "
                                 "fitted %s; the two must agree",
                                 intensive ? "True" : "False", reference_intensive ? "per atom" : "to whole cells");
    return CHGNET_OK;
}

static chgnet_status get_hidden_sizes(chgnet_context *ctx, const value *args, chgi_hyper *hyper)
{
    CHGI_TRY(get_hidden(ctx, args, "atom_conv_hidden_dim", 64, &hyper->atom_hidden));
    CHGI_TRY(get_hidden(ctx, args, "bond_conv_hidden_dim", 64, &hyper->bond_hidden));
    CHGI_TRY(get_hidden(ctx, args, "angle_layer_hidden_dim", 0, &hyper->angle_hidden));
    hyper->n_mlp_hidden = 3;
    for (int i = 0; i < 3; i++)
        hyper->mlp_hidden[i] = 64;
    return get_sizes(ctx, args, "mlp_hidden_dims", CHGI_HYPER_MAX_MLP, &hyper->n_mlp_hidden, hyper->mlp_hidden);
}

chgnet_status chgi_checkpoint_hyper(chgnet_context *ctx, const chgi_pickle_value *args, chgi_hyper *hyper,
                                    bool *has_composition)
{
    bool intensive = true;
    CHGI_TRY(check_variant(ctx, args));
    CHGI_TRY(get_int(ctx, args, "atom_fea_dim", 64, &hyper->atom_fea_dim));
    CHGI_TRY(get_int(ctx, args, "bond_fea_dim", 64, &hyper->bond_fea_dim));
    CHGI_TRY(get_int(ctx, args, "angle_fea_dim", 64, &hyper->angle_fea_dim));
    CHGI_TRY(get_int(ctx, args, "num_radial", 31, &hyper->n_radial));
    CHGI_TRY(get_int(ctx, args, "num_angular", 31, &hyper->n_angular));
    CHGI_TRY(get_int(ctx, args, "n_conv", 4, &hyper->n_conv));
    CHGI_TRY(get_int(ctx, args, "cutoff_coeff", 8, &hyper->cutoff_coeff));
    CHGI_TRY(get_real(ctx, args, "atom_graph_cutoff", 6, &hyper->atom_cutoff));
    CHGI_TRY(get_real(ctx, args, "bond_graph_cutoff", 3, &hyper->bond_cutoff));
    CHGI_TRY(get_hidden_sizes(ctx, args, hyper));
    CHGI_TRY(get_norm(ctx, args, "gMLP_norm", &hyper->gmlp_norm));
    CHGI_TRY(get_norm(ctx, args, "readout_norm", &hyper->readout_norm));
    CHGI_TRY(get_flag(ctx, args, "is_intensive", true, &intensive));
    hyper->is_intensive = intensive;
    return check_composition(ctx, args, intensive, has_composition);
}
