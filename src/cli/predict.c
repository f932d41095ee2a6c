/* chgnet predict: structures in, energies, forces, stresses, magmoms and embeddings out.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "cli/common.h"
#include "cli/explain.h"
#include "cli/frames.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "gp/delta_file.h"

enum { OPTION_JSON = CHGI_CLI_LONG_ONLY, OPTION_EMBEDDINGS, OPTION_EXPLAIN, OPTION_REFERENCES };

static const chgi_cli_option known[] = {
    CHGI_CLI_MODEL_OPTIONS,
    {'o', "output", "OUT",
     "write results to a file; its suffix chooses the format:\n"
     ".h5 (HDF5), .extxyz or .xyz (read by ASE), .json (one object per line)"},
    {OPTION_EMBEDDINGS, "embeddings", NULL, "with -o or --json: atom_fea and atom_fea_final too"},
    {OPTION_JSON, "json", NULL, "one JSON object per frame and line on standard output"},
    CHGI_CLI_DELTA_OPTIONS,
    {OPTION_EXPLAIN, "explain", NULL,
     "per atom: site energy, its correction, novelty, and the reference\nenvironment that is nearest in the embedding"},
    {OPTION_REFERENCES, "references", "FILE", "structures to be compared with there (default: those installed)"},
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Predict energy, forces, stress, magnetic moments and embeddings of structures with CHGNet.\n"
    "FILE: VASP POSCAR or CONTCAR, CIF, extended XYZ (all frames), recognised by content and name;\n"
    "`-` reads extended XYZ from standard input.  Without -o and --json a table is printed.\n";

static const char more[] =
    "Results\n"
    "  energy          eV, of the whole cell (CHGNet.predict_structure: \"e\", which is per atom)\n"
    "  forces          eV/A, (n,3)                                     (\"f\")\n"
    "  stress          GPa, (3,3), where all three axes are periodic   (\"s\"); negative: compressed\n"
    "  magmom          mu_B, (n)                                       (\"m\")\n"
    "  site_energies   eV, (n); their sum is the energy                (return_site_energies=True)\n"
    "  crystal_fea     (64)                                            (return_crystal_feas=True)\n"
    "  atom_fea        (n,64), atom_fea_final (n,64): --embeddings     (return_atom_feas=True)\n"
    "  energy_std      eV, standard deviation of the energy, and delta_energy (eV, corrected minus\n"
    "                  CHGNet): with -d; energy, forces and stress are the corrected ones then\n"
    "  In extended XYZ they are named as in ASE: energy, forces, stress (eV/A^3), magmoms, energies.\n"
    "\n"
    "Examples\n"
    "  chgnet predict POSCAR\n"
    "  chgnet predict -m r2scan -p double *.cif -o results.h5\n"
    "  chgnet predict -d D.h5 --max-std 0.05 POSCAR\n"
    "  chgnet predict --json trajectory.extxyz | jq .energy\n";

typedef struct options {
    chgi_cli_common common;
    const char *output;
    bool embeddings, json, explain;
    const char *references; /* NULL: those that are installed */
    int n_file;
    char **files;
} options;

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgnet_model *model;
    chgnet_delta *delta;   /* NULL: none */
    chgi_explain *explain; /* NULL: not asked for */
    chgi_provenance provenance;
    chgi_output *outputs[2];
    int n_output;
    chgi_progress progress;
    const char *file;    /* that a warning is about */
    int64_t number;      /* of frames, done or not */
    int64_t n_done;      /* frames with results */
    chgnet_status first; /* failure */
} run;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "predict", letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case OPTION_JSON:
        o->json = true;
        return CHGNET_OK;
    case OPTION_EMBEDDINGS:
        o->embeddings = true;
        return CHGNET_OK;
    case OPTION_EXPLAIN:
        o->explain = true;
        return CHGNET_OK;
    case OPTION_REFERENCES:
        o->references = value;
        o->explain = true;
        return CHGNET_OK;
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true;; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_predict, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
        if (o->common.help)
            return CHGNET_OK;
    }
    o->files = argv + chgi_cli_first_argument();
    o->n_file = argc - chgi_cli_first_argument();
    if (o->common.max_std > 0 && !o->common.delta)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "predict: --max-std without a delta-model; give one by -d");
    if (o->explain && o->json)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "predict: --explain and --json both want standard output; give -o X.json for the "
                                 "results");
    if (o->common.plot && !o->explain)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "predict: --plot draws what --explain tells; give that too");
    if (o->n_file == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "predict: no structure file; give a POSCAR, CIF or extended XYZ, "
                                 "or - for standard input");
    return CHGNET_OK;
}

/* ---- frames ----------------------------------------------------------------------------------- */

static void note_failure(run *r, chgnet_status status)
{
    chgi_progress_hide(&r->progress);
    chgi_cli_report(r->ctx, status);
    if (r->first == CHGNET_OK)
        r->first = status;
}

static void on_warning(const char *text, void *user)
{
    run *r = user;
    if (r->options->common.quiet)
        return;
    chgi_progress_hide(&r->progress);
    chgi_cli_warn(r->file, text);
}

/* An output that fails is given up; the others go on. */
static void write_result(run *r, const chgi_result *result)
{
    for (int i = 0; i < r->n_output; i++) {
        if (chgi_output_on_terminal(r->outputs[i]))
            chgi_progress_hide(&r->progress);
        chgnet_status status = chgi_output_add(r->ctx, r->outputs[i], result);
        if (status == CHGNET_OK)
            continue;
        note_failure(r, status);
        chgi_output_destroy(r->outputs[i]);
        r->outputs[i--] = r->outputs[--r->n_output];
    }
}

/* One warning, for the first frame of which little is known. */
static void check_std(run *r, const chgi_result *result)
{
    double most = r->options->common.max_std;
    const double *std = result->values[CHGI_ENERGY_STD];
    if (most > 0 && std && *std > most)
        chgi_context_warn(r->ctx, CHGI_WARN_STD,
                          "the standard deviation of frame %lld is %.4g eV, beyond --max-std %.4g eV; label such "
                          "structures (chgnet delta select)",
                          (long long)result->source_frame, *std, most);
}

static void take_result(void *user, chgnet_calculator *calculator, const chgi_result *result)
{
    run *r = user;
    r->n_done++;
    r->file = result->source;
    check_std(r, result);
    write_result(r, result);
    if (!r->explain)
        return;
    chgi_progress_hide(&r->progress);
    chgnet_status status = chgi_explain_frame(r->ctx, r->explain, calculator, result, r->options->common.plot);
    if (status != CHGNET_OK)
        note_failure(r, status);
}

static void take_failure(void *user, chgnet_status status)
{
    note_failure(user, status);
}

static void take_warning(void *user, const char *file, const char *text)
{
    run *r = user;
    r->file = file;
    on_warning(text, r);
}

static void show_progress(void *user, double share, int64_t n_frame)
{
    run *r = user;
    chgi_progress_show(&r->progress, share, n_frame);
}

static bool should_stop(void *user)
{
    const run *r = user;
    return chgi_cli_caught() || r->n_output == 0;
}

/* ---- the run ---------------------------------------------------------------------------------- */

static chgnet_status open_output(run *r, chgi_format format, const char *path)
{
    CHGI_TRY(chgi_output_create(r->ctx, format, path, &r->outputs[r->n_output]));
    r->n_output++;
    return CHGNET_OK;
}

static chgnet_status open_outputs(run *r)
{
    const options *o = r->options;
    if (o->output) {
        chgi_format format;
        CHGI_TRY(chgi_output_format(r->ctx, o->output, &format));
        CHGI_TRY(open_output(r, format, o->output));
    }
    if (o->json)
        return open_output(r, CHGI_FORMAT_JSON, NULL);
    return o->output ? CHGNET_OK : open_output(r, CHGI_FORMAT_TABLE, NULL);
}

/* The correction of what CHGNet says; it refuses to run on other weights. */
static chgnet_status load_delta(run *r)
{
    const char *path = r->options->common.delta;
    chgnet_model_info info = chgnet_model_get_info(r->model);
    if (!path)
        return CHGNET_OK;
    CHGI_TRY(chgi_delta_file_load(r->ctx, path, &r->delta));
    return chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256);
}

static chgnet_status prepare(run *r)
{
    const options *o = r->options;
    CHGI_TRY(open_outputs(r));
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    r->provenance =
        (chgi_provenance){chgnet_version(), info.version,   info.sha256, o->common.is_double ? "double" : "single",
                          info.n_feature,   o->common.delta};
    if (o->common.verbose)
        fprintf(stderr, "chgnet: model %s from %s, %lld parameters, %s precision\n", info.version, info.path,
                (long long)info.n_parameter, r->provenance.precision);
    CHGI_TRY(load_delta(r));
    const chgi_delta *gp = r->delta ? r->delta->gp : NULL;
    return o->explain ? chgi_explain_create(r->ctx, r->model, gp, o->references, &r->explain) : CHGNET_OK;
}

static void predict_all(run *r)
{
    const options *o = r->options;
    chgi_cli_catch_signals();
    chgi_progress_start(&r->progress, !o->common.quiet);
    const chgi_frames frames = {.model = r->model,
                                .delta = r->delta,
                                .precision = o->common.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE,
                                .n_thread = o->common.threads,
                                .one_by_one = o->explain,
                                .embeddings = o->embeddings,
                                .novelty = o->explain,
                                .provenance = &r->provenance,
                                .n_file = o->n_file,
                                .files = o->files,
                                .user = r,
                                .take = take_result,
                                .fail = take_failure,
                                .warn = take_warning,
                                .progress = show_progress,
                                .should_stop = should_stop};
    chgnet_status ran = chgi_frames_run(r->ctx, &frames, &r->number);
    if (ran != CHGNET_OK)
        note_failure(r, ran);
    chgi_progress_hide(&r->progress);
    for (int i = 0; i < r->n_output; i++) {
        chgnet_status status = chgi_output_finish(r->ctx, r->outputs[i]);
        if (status != CHGNET_OK)
            note_failure(r, status);
    }
    if (o->common.verbose)
        fprintf(stderr, "chgnet: %lld of %lld frames in %.2f s\n", (long long)r->n_done, (long long)r->number,
                chgi_progress_elapsed(&r->progress));
}

static int predict(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_predict);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o, .file = o.files[0]};
    chgnet_context_on_warning(ctx, on_warning, &r);
    status = prepare(&r);
    if (status == CHGNET_OK)
        predict_all(&r);
    else
        note_failure(&r, status);
    chgnet_context_on_warning(ctx, NULL, NULL);
    for (int i = 0; i < r.n_output; i++)
        chgi_output_destroy(r.outputs[i]);
    chgi_explain_destroy(r.explain);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)r.first;
}

const chgi_cli_command chgi_cli_predict = {
    .name = "predict",
    .usage = "[OPTION]... FILE...",
    .summary = "energy, forces, stress, magmoms and embeddings of structures",
    .about = about,
    .options = known,
    .more = more,
    .run = predict,
};
