/* chgnet delta select: which structures to label next.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/delta.h"
#include "crystal/writer.h"

enum { OPTION_BY = CHGI_CLI_LONG_ONLY, OPTION_SKIP_BAD };

static const chgi_cli_option known[] = {
    {'n', "number", "K", "how many to pick (default: 1)"},
    {'o', "output", "PICKED.extxyz", "where they go, best first; their keys and columns are kept"},
    {OPTION_BY, "by", "WHAT",
     "d-optimal (default): largest variance of the energy, given the picks\n"
     "before; variance: the same, picks left out of account;\n"
     "farthest: largest distance to what is known, in the embedding"},
    {OPTION_SKIP_BAD, "skip-bad", NULL, "leave out candidates that cannot be used, with a warning"},
    {'m', "model", "MODEL", "0.3.0 (default), 0.2.0, r2scan, or a path ending in .h5"},
    {'t', "threads", "N", "default: OMP_NUM_THREADS, else the cores this process may use"},
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Pick from CANDIDATES (structure files, all frames) those whose labels would teach a delta-model\n"
    "most.  Each picked frame gets the keys pick (from 1), pick_score and pick_source.\n";

static const char more[] = "Examples\n"
                           "  chgnet delta select D.h5 pool.extxyz -n 10 -o next.extxyz\n"
                           "  chgnet delta select D.h5 pool.extxyz -n 10 -o next.extxyz --by farthest\n";

typedef enum criterion { BY_D_OPTIMAL, BY_VARIANCE, BY_FARTHEST } criterion;

typedef struct options {
    chgi_cli_common common;
    criterion by;
    bool skip_bad;
    int64_t n_pick;
    const char *delta, *output;
    int n_file;
    char **files;
} options;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    static const char *const words[] = {"d-optimal", "variance", "farthest"};
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "delta select", letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case 'n':
        return chgi_cli_take_count(ctx, "delta select", "-n", value, 1, 1000000000, &o->n_pick);
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case OPTION_SKIP_BAD:
        o->skip_bad = true;
        return CHGNET_OK;
    case OPTION_BY:
        for (int i = 0; i < 3; i++)
            if (strcmp(value, words[i]) == 0) {
                o->by = (criterion)i;
                return CHGNET_OK;
            }
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta select: --by '%s' is not known; give variance, d-optimal or farthest", value);
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true;; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_delta_select, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
        if (o->common.help)
            return CHGNET_OK;
    }
    int argument = chgi_cli_first_argument();
    if (argc - argument < 2)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta select: a delta-model and candidates are needed; give D.h5 CANDIDATES");
    if (!o->output)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "delta select: no place for what is picked; give -o PICKED.extxyz");
    const char *dot = strrchr(o->output, '.');
    if (!dot || (strcmp(dot, ".extxyz") != 0 && strcmp(dot, ".xyz") != 0))
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "delta select: -o %s: end the name in .extxyz or .xyz", o->output);
    o->delta = argv[argument];
    o->files = argv + argument + 1;
    o->n_file = argc - argument - 1;
    return CHGNET_OK;
}

/* ---- candidates ------------------------------------------------------------------------------- */

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgnet_model *model;
    chgnet_delta *delta;
    chgi_label_set set;     /* the candidates, embedded */
    chgi_structure *frames; /* as they were read, one for each of the set's labels at first */
    size_t capacity;
    int64_t n_frame;
    int64_t *picks;
    double *scores;
    chgi_cli_talk talk;
} run;

/* The frame's number goes along as the label's energy: embedding may leave out frames. */
static chgnet_status add_candidate(run *r, const chgi_reader *reader, chgi_structure *structure)
{
    chgi_labelled l = {.energy = (double)r->n_frame};
    chgi_text place = {0};
    CHGI_TRY(chgi_memory_grow(r->ctx, &r->frames, &r->capacity, (size_t)r->n_frame + 1, sizeof *r->frames));
    CHGI_TRY(chgi_structure_copy(r->ctx, structure, &l.structure));
    r->frames[r->n_frame++] = *structure;
    *structure = (chgi_structure){0};
    chgi_text_print(&place, "%s:%ld", chgi_reader_path(reader), chgi_reader_line(reader));
    l.place = place.data;
    return chgi_label_set_add(r->ctx, &r->set, &l);
}

static chgnet_status read_candidates(run *r, chgi_reader *reader)
{
    while (!chgi_reader_at_end(reader)) {
        chgi_structure structure;
        bool got = true;
        chgnet_status status = chgi_reader_next(reader, &structure, &got);
        if (status == CHGNET_EINPUT && r->options->skip_bad) {
            chgi_context_warn(r->ctx, CHGI_WARN_LABEL, "a candidate is left out: %s", chgnet_context_error(r->ctx));
            continue;
        }
        CHGI_TRY(status);
        if (!got)
            break;
        status = add_candidate(r, reader, &structure);
        chgi_structure_destroy(&structure);
        CHGI_TRY(status);
    }
    return CHGNET_OK;
}

static chgnet_status read_files(run *r)
{
    for (int i = 0; i < r->options->n_file; i++) {
        chgi_reader *reader;
        CHGI_TRY(chgi_reader_open(r->ctx, r->options->files[i], &reader));
        chgnet_status status = read_candidates(r, reader);
        chgi_reader_destroy(reader);
        CHGI_TRY(status);
    }
    return CHGNET_OK;
}

static chgnet_status embed(run *r)
{
    chgi_embed_choice choice = {.model = r->model,
                                .layer = chgi_delta_describe(r->delta->gp).choice->layer,
                                .skip_bad = r->options->skip_bad,
                                .n_thread = r->options->common.threads,
                                .progress = chgi_cli_talk_progress,
                                .user = &r->talk};
    chgi_progress_start(&r->talk.progress, !r->options->common.quiet);
    CHGI_TRY(chgi_embed_set(r->ctx, &choice, &r->set));
    chgi_progress_hide(&r->talk.progress);
    if (r->set.n_label >= r->options->n_pick)
        return CHGNET_OK;
    return chgi_context_fail(r->ctx, CHGNET_EINPUT, "%s: %lld candidates for %lld picks; give more, or a smaller -n",
                             r->options->files[0], (long long)r->set.n_label, (long long)r->options->n_pick);
}

/* ---- picking ---------------------------------------------------------------------------------- */

/* Keep the `n` largest scores in `scores`, best first, by insertion: picks are few. */
static void insert(run *r, int64_t candidate, double score, int64_t *n)
{
    int64_t i = *n < r->options->n_pick ? (*n)++ : *n;
    for (; i > 0 && score > r->scores[i - 1]; i--)
        if (i < *n) {
            r->scores[i] = r->scores[i - 1];
            r->picks[i] = r->picks[i - 1];
        }
    if (i < *n) {
        r->scores[i] = score;
        r->picks[i] = candidate;
    }
}

static chgnet_status pick_by_variance(run *r)
{
    chgi_delta_workspace workspace = {0};
    chgnet_status status = CHGNET_OK;
    int64_t n = 0;
    for (int64_t i = 0; status == CHGNET_OK && i < r->set.n_label; i++) {
        const chgi_labelled *l = &r->set.labels[i];
        chgi_correction c = {.want_std = true};
        status =
            chgi_delta_predict(r->ctx, r->delta->gp, l->structure.n_atom, l->structure.numbers, l->fea, &workspace, &c);
        if (status == CHGNET_OK)
            insert(r, i, c.std, &n);
        else {
            char place[400];
            chgi_label_set_place(&r->set, i, place, sizeof place);
            chgi_context_locate(r->ctx, place, 0);
        }
    }
    chgi_delta_workspace_destroy(&workspace);
    return status;
}

static chgnet_status pick(run *r)
{
    int64_t n = r->options->n_pick;
    r->picks = chgi_memory_new((size_t)n, sizeof *r->picks);
    r->scores = chgi_memory_new((size_t)n, sizeof *r->scores);
    chgi_label *views = chgi_memory_new((size_t)r->set.n_label, sizeof *views);
    chgnet_status status = CHGNET_OK;
    if (!r->picks || !r->scores || !views)
        status = chgi_context_nomem(r->ctx, (size_t)(n + r->set.n_label), sizeof *views);
    else if (r->options->by == BY_VARIANCE)
        status = pick_by_variance(r);
    else {
        for (int64_t i = 0; i < r->set.n_label; i++)
            views[i] = chgi_labelled_view(&r->set.labels[i], false);
        status = chgi_delta_select(r->ctx, r->delta->gp, r->set.n_label, views,
                                   r->options->by == BY_FARTHEST ? CHGI_FARTHEST : CHGI_LARGEST_VARIANCE, n, r->picks,
                                   r->scores);
    }
    chgi_memory_free(views);
    return status;
}

static chgnet_status set_keys(run *r, int64_t k, chgi_structure *frame)
{
    chgi_text text = {0};
    chgi_text_print(&text, "%lld", (long long)k + 1);
    chgnet_status status = text.failed ? CHGNET_ENOMEM : chgi_structure_set_info(r->ctx, frame, "pick", text.data);
    chgi_text_clear(&text);
    chgi_text_number(&text, r->scores[k]);
    if (status == CHGNET_OK)
        status = text.failed ? CHGNET_ENOMEM : chgi_structure_set_info(r->ctx, frame, "pick_score", text.data);
    if (status == CHGNET_OK)
        status = chgi_structure_set_info(r->ctx, frame, "pick_source", r->set.labels[r->picks[k]].place);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status write_picks(run *r, chgi_text *table)
{
    chgi_text text = {0};
    chgnet_status status = CHGNET_OK;
    chgi_text_print(table, " pick  %s  candidate\n", r->options->by == BY_FARTHEST ? "    distance" : "  std (meV) ");
    for (int64_t k = 0; status == CHGNET_OK && k < r->options->n_pick; k++) {
        chgi_structure *frame = &r->frames[(int64_t)r->set.labels[r->picks[k]].energy];
        chgi_text_print(table, "%5lld  %12.4f  %s\n", (long long)k + 1,
                        (r->options->by == BY_FARTHEST ? 1 : 1e3) * r->scores[k], r->set.labels[r->picks[k]].place);
        status = set_keys(r, k, frame);
        if (status == CHGNET_OK)
            status = chgi_extxyz_write(r->ctx, &text, frame);
    }
    if (status == CHGNET_OK && text.failed)
        status = chgi_context_nomem(r->ctx, text.length, 2);
    if (status == CHGNET_OK)
        status = chgi_file_write(r->ctx, r->options->output, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status select_frames(run *r)
{
    const options *o = r->options;
    chgi_text table = {0};
    CHGI_TRY(chgi_file_check_writable(r->ctx, o->output));
    CHGI_TRY(chgi_delta_file_load(r->ctx, o->delta, &r->delta));
    CHGI_TRY(chgnet_model_load(r->ctx, o->common.model, &r->model));
    chgnet_model_info info = chgnet_model_get_info(r->model);
    CHGI_TRY(chgi_delta_file_check_model(r->ctx, r->delta, info.version, info.sha256));
    CHGI_TRY(read_files(r));
    CHGI_TRY(embed(r));
    CHGI_TRY(pick(r));
    chgnet_status status = write_picks(r, &table);
    if (status == CHGNET_OK && !o->common.quiet)
        status = chgi_cli_print_text(r->ctx, &table);
    chgi_text_destroy(&table);
    return status;
}

static int run_select(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.n_pick = 1};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_delta_select);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o, .talk = {.file = o.files[0], .quiet = o.common.quiet}};
    chgnet_context_on_warning(ctx, chgi_cli_talk_warning, &r.talk);
    status = select_frames(&r);
    chgi_progress_hide(&r.talk.progress);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    chgnet_context_on_warning(ctx, NULL, NULL);
    for (int64_t i = 0; i < r.n_frame; i++)
        chgi_structure_destroy(&r.frames[i]);
    chgi_memory_free(r.frames);
    chgi_memory_free(r.picks);
    chgi_memory_free(r.scores);
    chgi_label_set_destroy(&r.set);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return status;
}

const chgi_cli_command chgi_cli_delta_select = {
    .name = "delta select",
    .usage = "[OPTION]... D.h5 CANDIDATES... -n K -o PICKED.extxyz",
    .summary = "the structures that should be labelled next",
    .about = about,
    .options = known,
    .more = more,
    .run = run_select,
};
