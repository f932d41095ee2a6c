/* chgnet info: what a file of weights or a delta-model holds, and which weights are installed. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/delta.h"
#include "crystal/structure.h"
#include "model/weights.h"

typedef struct options {
    const char *model;
    bool verify, license, help;
} options;

enum { OPTION_VERIFY = CHGI_CLI_LONG_ONLY, OPTION_LICENSE };

static const chgi_cli_option known[] = {
    {OPTION_VERIFY, "verify", NULL, "compare with the sums of the released weights too; exit code 3 when\nthey differ"},
    {OPTION_LICENSE, "license", NULL, "print the licence of the weights in full"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Show what a file of weights or a delta-model holds.  MODEL is 0.3.0, 0.2.0, r2scan, or a path.\n"
    "Without it, the three released sets of weights are listed.  Every file is checked against its own\n"
    "SHA-256.\n";

static chgnet_status take(int letter, options *o)
{
    if (letter == CHGI_CLI_WRONG)
        return CHGNET_EUSAGE;
    o->verify = o->verify || letter == OPTION_VERIFY;
    o->license = o->license || letter == OPTION_LICENSE;
    o->help = o->help || letter == CHGI_CLI_HELP;
    return CHGNET_OK;
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_info, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(letter, o));
    }
    if (o->help)
        return CHGNET_OK;
    if (argc - chgi_cli_first_argument() > 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "info: %d models given; give one, or none for a list",
                                 argc - chgi_cli_first_argument());
    o->model = argv[chgi_cli_first_argument()]; /* NULL behind the last */
    if (o->license && !o->model)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "info: --license lacks its weights; give 0.3.0, 0.2.0, r2scan or a path");
    return CHGNET_OK;
}

/* ---- releases --------------------------------------------------------------------------------- */

static const chgi_release *release_by_name(const char *name)
{
    for (int i = 0; chgi_weights_release(i); i++)
        if (strcmp(chgi_weights_release(i)->name, name) == 0)
            return chgi_weights_release(i);
    return NULL;
}

/* Weights that call themselves a release must be it, and what was asked for by a release's name too. */
static chgnet_status verify(chgnet_context *ctx, const char *asked, const chgi_weights *weights)
{
    const chgi_release *release = release_by_name(asked);
    if (!release)
        release = release_by_name(weights->version);
    if (!release)
        return CHGNET_OK;
    if (strcmp(weights->model_sha256, release->model_sha256) != 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%s: these are not the released weights %s; their model_sha256 should be %s",
                                 weights->path, release->name, release->model_sha256);
    if (strcmp(weights->source_sha256, release->source_sha256) != 0)
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "%s: these weights %s come from another file than the released one; their source_sha256 "
            "should be %s",
            weights->path, release->name, release->source_sha256);
    return CHGNET_OK;
}

/* ---- one model -------------------------------------------------------------------------------- */

static const char *norm_text(const chgi_hyper *hyper)
{
    if (hyper->gmlp_norm && hyper->readout_norm)
        return "LayerNorm in the gated MLPs and before the readout";
    if (hyper->gmlp_norm)
        return "LayerNorm in the gated MLPs";
    return hyper->readout_norm ? "LayerNorm before the readout" : "none";
}

static void print_sizes(chgi_text *text, const chgi_hyper *hyper)
{
    chgi_text_print(text, "features       %" PRId64 " per atom, %" PRId64 " per bond, %" PRId64 " per angle\n",
                    hyper->atom_fea_dim, hyper->bond_fea_dim, hyper->angle_fea_dim);
    chgi_text_print(text,
                    "layers         %" PRId64 " atom convolutions, %" PRId64 " bond convolutions, %" PRId64
                    " angle updates\n",
                    hyper->n_conv, hyper->n_conv - 1, hyper->n_conv - 1);
    chgi_text_print(text, "hidden         %" PRId64 " (atom), %" PRId64 " (bond), %" PRId64 " (angle); readout",
                    hyper->atom_hidden, hyper->bond_hidden, hyper->angle_hidden);
    for (int64_t i = 0; i < hyper->n_mlp_hidden; i++)
        chgi_text_print(text, "%s%" PRId64, i ? ", " : " ", hyper->mlp_hidden[i]);
    chgi_text_print(text, "%s\n", hyper->n_mlp_hidden ? "" : " linear");
}

static void print_model(chgi_text *text, const options *o, const chgi_weights *weights)
{
    const chgi_hyper *hyper = &weights->hyper;
    const char *license = weights->license;
    chgi_text_print(text, "version        %s\n", weights->version);
    chgi_text_print(text, "file           %s\n", weights->path);
    chgi_text_print(text, "elements       1 to %" PRId64 " (H to %s)\n", hyper->n_element,
                    chgi_element_symbol((int)hyper->n_element));
    chgi_text_print(text, "cutoffs        %g A (atom graph), %g A (bond graph); envelope power %" PRId64 "\n",
                    hyper->atom_cutoff, hyper->bond_cutoff, hyper->cutoff_coeff);
    chgi_text_print(text, "basis          %" PRId64 " radial, %" PRId64 " angular\n", hyper->n_radial,
                    hyper->n_angular);
    print_sizes(text, hyper);
    chgi_text_print(text, "norm           %s\n", norm_text(hyper));
    chgi_text_print(text, "parameters     %" PRId64 "\n", chgi_weights_count(weights));
    chgi_text_print(text, "licence        %.*s...\n", (int)strcspn(license, "\n"), license);
    chgi_text_print(text, "source         %s\n", weights->source);
    chgi_text_print(text, "source_sha256  %s\n", weights->source_sha256);
    chgi_text_print(text, "model_sha256   %s\n", weights->model_sha256);
    if (o->verify)
        chgi_text_print(text, "verified       %s\n",
                        release_by_name(weights->version) ? "the content has this sum, and so have the released weights"
                                                          : "the content has this sum; this is no released set");
    if (o->license)
        chgi_text_print(text, "\n%s", license);
}

/* ---- a delta-model ---------------------------------------------------------------------------- */

/* With --verify the weights that it was made with must be at hand. */
static chgnet_status verify_delta(chgnet_context *ctx, const chgnet_delta *delta, chgi_text *text)
{
    chgi_weights weights;
    chgnet_status status = chgi_weights_load(ctx, delta->model, &weights);
    if (status == CHGNET_OK)
        status = chgi_delta_file_check_model(ctx, delta, weights.version, weights.model_sha256);
    if (status == CHGNET_OK)
        chgi_text_print(text,
                        "verified        the content has its sum, and the weights %s are those it was made with\n",
                        weights.version);
    chgi_weights_destroy(&weights);
    return status;
}

static chgnet_status show_delta(chgnet_context *ctx, const options *o, chgi_text *text)
{
    chgnet_delta *delta;
    if (o->license)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "info: --license: a delta-model has no licence of its own; give "
                                 "weights");
    CHGI_TRY(chgi_delta_file_load(ctx, o->model, &delta));
    chgi_cli_print_delta(text, delta, true);
    chgnet_status status = o->verify ? verify_delta(ctx, delta, text) : CHGNET_OK;
    chgi_delta_file_destroy(delta);
    return status;
}

static chgnet_status show_model(chgnet_context *ctx, const options *o, chgi_text *text)
{
    if (chgi_delta_file_recognise(o->model))
        return show_delta(ctx, o, text);
    chgi_weights weights;
    CHGI_TRY(chgi_weights_load(ctx, o->model, &weights));
    chgnet_status status = o->verify ? verify(ctx, o->model, &weights) : CHGNET_OK;
    if (status == CHGNET_OK)
        print_model(text, o, &weights);
    chgi_weights_destroy(&weights);
    return status;
}

/* ---- the list --------------------------------------------------------------------------------- */

static chgnet_status list_release(chgnet_context *ctx, const options *o, const char *name, chgi_text *text)
{
    chgi_weights weights;
    char *path;
    chgnet_status status = chgi_weights_locate(ctx, name, &path);
    if (status != CHGNET_OK) {
        chgi_text_print(text, "%-8s  not found\n", name);
        return status == CHGNET_EINPUT && !o->verify ? CHGNET_OK : status;
    }
    chgi_memory_free(path);
    status = chgi_weights_load(ctx, name, &weights);
    if (status == CHGNET_OK && o->verify)
        status = verify(ctx, name, &weights);
    if (status == CHGNET_OK)
        chgi_text_print(text, "%-8s  %10" PRId64 "  %.12s  %-8s  %s\n", name, chgi_weights_count(&weights),
                        weights.model_sha256, o->verify ? "verified" : "present", weights.path);
    else
        chgi_text_print(text, "%-8s  damaged\n", name);
    chgi_weights_destroy(&weights);
    return status;
}

/* All are listed; the first failure decides. */
static chgnet_status list_releases(chgnet_context *ctx, const options *o, chgi_text *text)
{
    chgnet_status first = CHGNET_OK;
    chgi_text_print(text, "name      parameters  sha256        state     file\n");
    for (int i = 0; chgi_weights_release(i); i++) {
        chgnet_status status = list_release(ctx, o, chgi_weights_release(i)->name, text);
        if (status != CHGNET_OK)
            chgi_cli_report(ctx, status);
        if (first == CHGNET_OK)
            first = status;
    }
    return first;
}

static chgnet_status show(chgnet_context *ctx, const options *o)
{
    chgi_text text = {0};
    chgnet_status status = o->model ? show_model(ctx, o, &text) : list_releases(ctx, o, &text);
    if (o->model && status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    if (text.data)
        fwrite(text.data, 1, text.length, stdout);
    chgi_text_destroy(&text);
    return status;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.help) {
        chgi_cli_print_help(&chgi_cli_info);
        return CHGNET_OK;
    }
    return show(ctx, &o);
}

const chgi_cli_command chgi_cli_info = {
    .name = "info",
    .usage = "[MODEL | DELTA.h5] [--verify] [--license]",
    .summary = "what a file of weights or a delta-model holds; which weights are installed",
    .about = about,
    .options = known,
    .run = run,
};
