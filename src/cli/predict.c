/* chgnet predict: structures in, energies, forces, stresses, magmoms and embeddings out.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "cli/common.h"
#include "cli/explain.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "crystal/reader.h"
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
    chgnet_delta *delta; /* NULL: none */
    chgnet_calculator *calculator;
    chgi_explain *explain; /* NULL: not asked for */
    chgi_provenance provenance;
    chgi_output *outputs[2];
    int n_output;
    chgi_progress progress;
    const char *file;    /* in work */
    int64_t number;      /* of the next frame */
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

static chgnet_status explain(run *r, const chgi_result *result)
{
    if (!r->explain)
        return CHGNET_OK;
    chgi_progress_hide(&r->progress);
    return chgi_explain_frame(r->ctx, r->explain, result, r->options->common.plot);
}

static void predict_frame(run *r, const chgi_reader *reader, chgi_result *result)
{
    chgnet_status status = chgi_result_compute(r->ctx, r->calculator, r->options->embeddings, result);
    if (status == CHGNET_OK) {
        r->n_done++;
        check_std(r, result);
        write_result(r, result);
        status = explain(r, result);
        if (status != CHGNET_OK)
            note_failure(r, status);
        return;
    }
    chgi_context_locate(r->ctx, chgi_reader_path(reader), chgi_reader_line(reader));
    note_failure(r, status);
}

static bool should_stop(const run *r)
{
    return chgi_cli_caught() || r->n_output == 0;
}

static void predict_frames(run *r, int file, chgi_reader *reader)
{
    for (int64_t frame = 0; !chgi_reader_at_end(reader) && !should_stop(r); frame++) {
        chgi_result result = {.provenance = &r->provenance, .source = r->file, .source_frame = frame};
        bool got;
        chgnet_status status = chgi_reader_next(reader, &result.structure, &got);
        if (status == CHGNET_OK && !got)
            return;
        result.number = r->number++;
        if (status == CHGNET_OK)
            predict_frame(r, reader, &result);
        else
            note_failure(r, status);
        chgi_result_destroy(&result);
        chgi_progress_show(&r->progress, (file + chgi_reader_share(reader)) / r->options->n_file, r->number);
    }
}

static void predict_file(run *r, int file)
{
    chgi_reader *reader;
    r->file = r->options->files[file];
    chgnet_status status = chgi_reader_open(r->ctx, r->file, &reader);
    if (chgi_cli_caught()) { /* what was read of standard input may be a part */
        chgi_reader_destroy(reader);
        return;
    }
    if (status != CHGNET_OK) {
        r->number++;
        note_failure(r, status);
        return;
    }
    predict_frames(r, file, reader);
    chgi_reader_destroy(reader);
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

/* The calculator, and the correction of what it says. */
static chgnet_status make_calculator(run *r, const chgnet_options *chosen)
{
    const char *delta = r->options->common.delta;
    CHGI_TRY(chgnet_calculator_create(r->ctx, r->model, chosen, &r->calculator));
    if (!delta)
        return CHGNET_OK;
    CHGI_TRY(chgi_delta_file_load(r->ctx, delta, &r->delta));
    return chgnet_calculator_set_delta(r->calculator, r->delta);
}

static chgnet_status prepare(run *r)
{
    const options *o = r->options;
    chgnet_options chosen = chgnet_options_default();
    chosen.precision = o->common.is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = o->common.threads;
    CHGI_TRY(open_outputs(r));
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    r->provenance =
        (chgi_provenance){chgnet_version(), info.version,   info.sha256, o->common.is_double ? "double" : "single",
                          info.n_feature,   o->common.delta};
    if (o->common.verbose)
        fprintf(stderr, "chgnet: model %s from %s, %lld parameters, %s precision\n", info.version, info.path,
                (long long)info.n_parameter, r->provenance.precision);
    CHGI_TRY(make_calculator(r, &chosen));
    return o->explain ? chgi_explain_create(r->ctx, r->model, r->calculator, o->references, &r->explain) : CHGNET_OK;
}

static void predict_all(run *r)
{
    const options *o = r->options;
    chgi_cli_catch_signals();
    chgi_progress_start(&r->progress, !o->common.quiet);
    for (int file = 0; file < o->n_file && !should_stop(r); file++)
        predict_file(r, file);
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
    run r = {.ctx = ctx, .options = &o};
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
    chgnet_calculator_destroy(r.calculator);
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
