/* Options and help of `chgnet md`.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/md.h"

enum {
    OPTION_ENSEMBLE = CHGI_CLI_LONG_ONLY,
    OPTION_TEMPERATURE,
    OPTION_PRESSURE,
    OPTION_TIMESTEP,
    OPTION_STEPS,
    OPTION_EVERY,
    OPTION_SEED,
    OPTION_FRICTION,
    OPTION_TAU_T,
    OPTION_TAU_P,
    OPTION_FULL_CELL,
    OPTION_FIX,
    OPTION_EMBEDDINGS,
    OPTION_LOG,
    OPTION_CHECKPOINT,
    OPTION_CHECKPOINT_EVERY,
    OPTION_RESUME,
    OPTION_WALLTIME
};

static const chgi_cli_option known[] = {
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    {OPTION_ENSEMBLE, "ensemble", "NAME", "nve, nvt-langevin, nvt-nose-hoover, nvt-bussi, npt-scr or npt-mtk"},
    {OPTION_TEMPERATURE, "temperature", "K", "or T1:T2, a ramp over all steps; default 300"},
    {OPTION_PRESSURE, "pressure", "GPA", "or P1:P2; for npt; default 0"},
    {OPTION_TIMESTEP, "timestep", "FS", "default 1"},
    {OPTION_STEPS, "steps", "N", "of the whole run; default 1000"},
    {OPTION_EVERY, "every", "N", "steps from one frame to the next; default 10"},
    {OPTION_SEED, "seed", "S", "of the random numbers; default 0.  Same seed, same run, whatever -t"},
    {OPTION_FRICTION, "friction", "PER_FS", "nvt-langevin; default 0.01"},
    {OPTION_TAU_T, "tau-t", "FS", "time of the other thermostats; default 100"},
    {OPTION_TAU_P, "tau-p", "FS", "time of the barostats; default 1000"},
    {OPTION_FULL_CELL, "full-cell", NULL, "npt-mtk: the shape of the cell may change, not its volume alone"},
    {OPTION_FIX, "fix", "EXPR", "hold these atoms, beside those that FILE holds;\nmay be given several times"},
    {'o', "output", "TRAJ", "trajectory: .extxyz or .xyz (read by ASE, OVITO), .h5 (H5MD: MDAnalysis)"},
    {OPTION_EMBEDDINGS, "embeddings", NULL, "write the atoms' atom_fea too"},
    {OPTION_LOG, "log", "FILE", "table of observables, CSV; default: TRAJ with .csv"},
    {OPTION_CHECKPOINT, "checkpoint", "C", "default: TRAJ.checkpoint; the one before is kept as C.old"},
    {OPTION_CHECKPOINT_EVERY, "checkpoint-every", "N", "steps, or a time such as 30s or 10m; default 1m"},
    {OPTION_RESUME, "resume", NULL, "go on from the checkpoint; --steps may be larger"},
    {OPTION_WALLTIME, "max-walltime", "T", "stop before T has passed: seconds, 90m, 12h, 1d, or H:M:S"},
    CHGI_CLI_PLOT_OPTION,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Molecular dynamics with CHGNet.  FILE: VASP POSCAR or CONTCAR, CIF, extended XYZ (its last\n"
    "frame); `-` reads extended XYZ from standard input.  Velocities are those of FILE, if it has\n"
    "some, else drawn at the temperature; in nve --temperature always draws them.\n";

static const char more[] =
    "A run that was stopped, in whatever way, goes on with the same command and --resume: the\n"
    "trajectory and the table have the same bytes then as if it had never stopped.\n"
    "\n"
    "Examples\n"
    "  chgnet md --ensemble nvt-langevin --temperature 600 --steps 20000 -o run.extxyz POSCAR\n"
    "  chgnet md --ensemble npt-mtk --temperature 300:900 --pressure 1 -o run.h5 MgO.cif\n"
    "  chgnet md --ensemble nve --steps 100000 --max-walltime 12h --resume -o run.extxyz POSCAR\n"
    "\n"
    "In Python: MolecularDynamics(atoms, ensemble=\"nvt\", temperature=600, timestep=1, ...).run(20000)\n";

/* ---- values ----------------------------------------------------------------------------------- */

static chgnet_status take_number(chgnet_context *ctx, const char *option, const char *value, double least, double most,
                                 double *number)
{
    return chgi_cli_take_number(ctx, "md", option, value, least, most, number);
}

static chgnet_status take_count(chgnet_context *ctx, const char *option, const char *value, int64_t least,
                                int64_t *count)
{
    return chgi_cli_take_count(ctx, "md", option, value, least, 1000000000000000, count);
}

/* X or X1:X2. */
static chgnet_status take_ends(chgnet_context *ctx, const char *option, const char *value, double least, double most,
                               double ends[2])
{
    const char *colon = strchr(value, ':');
    char first[64];
    if (!colon) {
        CHGI_TRY(take_number(ctx, option, value, least, most, &ends[0]));
        ends[1] = ends[0];
        return CHGNET_OK;
    }
    snprintf(first, sizeof first, "%.*s", (int)(colon - value), value);
    CHGI_TRY(take_number(ctx, option, first, least, most, &ends[0]));
    return take_number(ctx, option, colon + 1, least, most, &ends[1]);
}

/* Seconds of "90", "1.5h", "1:30:00".  \return a negative number when it is none of these */
static double duration(const char *value)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t length = strlen(value);
    double number, sum = 0;
    for (size_t i = 0; length > 1 && i < sizeof units / sizeof *units; i++)
        if (value[length - 1] == units[i].unit)
            return chgi_text_to_double(value, length - 1, &number) && number >= 0 ? number * units[i].seconds : -1;
    for (int part = 0; part < 3; part++) {
        size_t n = strcspn(value, ":");
        if (!chgi_text_to_double(value, n, &number) || !(number >= 0))
            return -1;
        sum = 60 * sum + number;
        if (!value[n])
            return sum;
        value += n + 1;
    }
    return -1;
}

static chgnet_status take_walltime(chgnet_context *ctx, const char *value, double *seconds)
{
    *seconds = duration(value);
    if (*seconds > 0 && isfinite(*seconds))
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EUSAGE,
                             "md: --max-walltime '%s' is no time; give seconds, 90m, 12h, 1d or H:M:S", value);
}

/* A number of steps; with a unit, or colons, a time. */
static chgnet_status take_interval(chgnet_context *ctx, const char *value, chgi_cli_md_options *o)
{
    if (*value && strspn(value, "0123456789") == strlen(value)) {
        o->checkpoint_time = INFINITY;
        return take_count(ctx, "--checkpoint-every", value, 1, &o->checkpoint_steps);
    }
    o->checkpoint_time = duration(value);
    if (o->checkpoint_time >= 0 && isfinite(o->checkpoint_time))
        return CHGNET_OK;
    return chgi_context_fail(
        ctx, CHGNET_EUSAGE,
        "md: --checkpoint-every '%s' is wrong; give a number of steps, or a time such as 30s or 10m", value);
}

static chgnet_status take_ensemble(chgnet_context *ctx, const char *value, chgi_cli_md_options *o)
{
    o->md.ensemble = chgi_md_ensemble_find(value);
    o->has_ensemble = o->md.ensemble != CHGI_MD_ENSEMBLE_COUNT;
    if (o->has_ensemble)
        return CHGNET_OK;
    return chgi_context_fail(
        ctx, CHGNET_EUSAGE,
        "md: --ensemble '%s' is not known; give nve, nvt-langevin, nvt-nose-hoover, nvt-bussi, npt-scr or npt-mtk",
        value);
}

static chgnet_status replace_text(chgnet_context *ctx, char **text, const char *value)
{
    chgi_memory_free(*text);
    *text = chgi_memory_copy_text(value);
    return *text ? CHGNET_OK : chgi_context_nomem(ctx, strlen(value) + 1, 1);
}

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take_physics(chgnet_context *ctx, int letter, const char *value, chgi_cli_md_options *o,
                                  bool *taken)
{
    int64_t seed = 0;
    *taken = true;
    switch (letter) {
    case OPTION_ENSEMBLE:
        return take_ensemble(ctx, value, o);
    case OPTION_TEMPERATURE:
        o->has_temperature = true;
        return take_ends(ctx, "--temperature", value, 0, 1e6, o->md.temperature);
    case OPTION_PRESSURE:
        o->has_pressure = true;
        return take_ends(ctx, "--pressure", value, -1e4, 1e4, o->md.pressure);
    case OPTION_TIMESTEP:
        return take_number(ctx, "--timestep", value, 1e-6, 1000, &o->md.timestep);
    case OPTION_STEPS:
        return take_count(ctx, "--steps", value, 0, &o->md.n_step);
    case OPTION_SEED:
        CHGI_TRY(chgi_cli_take_count(ctx, "md", "--seed", value, 0, INT64_MAX, &seed));
        o->md.seed = (uint64_t)seed;
        return CHGNET_OK;
    case OPTION_FRICTION:
        return take_number(ctx, "--friction", value, 0, 1000, &o->md.friction);
    case OPTION_TAU_T:
        return take_number(ctx, "--tau-t", value, 1e-3, 1e9, &o->md.thermostat_time);
    case OPTION_TAU_P:
        return take_number(ctx, "--tau-p", value, 1e-3, 1e9, &o->md.barostat_time);
    case OPTION_FULL_CELL:
        o->md.full_cell = true;
        return CHGNET_OK;
    case OPTION_FIX:
        return chgi_cli_fix_take(ctx, "md", value, &o->fix);
    default:
        *taken = false;
        return CHGNET_OK;
    }
}

static chgnet_status take_files(chgnet_context *ctx, int letter, const char *value, chgi_cli_md_options *o)
{
    switch (letter) {
    case 'o':
        o->output = value;
        return CHGNET_OK;
    case OPTION_EVERY:
        return take_count(ctx, "--every", value, 1, &o->every);
    case OPTION_EMBEDDINGS:
        o->embeddings = true;
        return CHGNET_OK;
    case OPTION_LOG:
        return replace_text(ctx, &o->log, value);
    case OPTION_CHECKPOINT:
        return replace_text(ctx, &o->checkpoint, value);
    case OPTION_CHECKPOINT_EVERY:
        return take_interval(ctx, value, o);
    case OPTION_RESUME:
        o->resume = true;
        return CHGNET_OK;
    case OPTION_WALLTIME:
        return take_walltime(ctx, value, &o->walltime);
    default:
        return CHGNET_EUSAGE; /* told by chgi_cli_next */
    }
}

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, chgi_cli_md_options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "md", letter, value, &o->common, &taken));
    if (!taken)
        CHGI_TRY(take_physics(ctx, letter, value, o, &taken));
    return taken ? CHGNET_OK : take_files(ctx, letter, value, o);
}

/* run.extxyz: run.csv, run.extxyz.checkpoint. */
static chgnet_status choose_names(chgnet_context *ctx, chgi_cli_md_options *o)
{
    const char *slash = strrchr(o->output, '/'), *dot = strrchr(slash ? slash : o->output, '.');
    size_t stem = dot ? (size_t)(dot - o->output) : strlen(o->output), size = strlen(o->output) + 16;
    char *name = chgi_memory_new(size, 1);
    if (!name)
        return chgi_context_nomem(ctx, size, 1);
    snprintf(name, size, "%.*s.csv", (int)stem, o->output);
    chgnet_status status = o->log ? CHGNET_OK : replace_text(ctx, &o->log, name);
    snprintf(name, size, "%s.checkpoint", o->output);
    if (status == CHGNET_OK && !o->checkpoint)
        status = replace_text(ctx, &o->checkpoint, name);
    chgi_memory_free(name);
    return status;
}

/* What an ensemble does not heed would be misunderstood in silence. */
static chgnet_status check_together(chgnet_context *ctx, const chgi_cli_md_options *o)
{
    bool npt = o->md.ensemble == CHGI_MD_NPT_SCR || o->md.ensemble == CHGI_MD_NPT_MTK;
    const char *name = chgi_md_ensemble_name(o->md.ensemble);
    if (o->has_pressure && !npt)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "md: --pressure with %s; give npt-scr or npt-mtk, or leave it out",
                                 name);
    if (o->md.full_cell && o->md.ensemble != CHGI_MD_NPT_MTK)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "md: --full-cell with %s; give npt-mtk, or leave it out", name);
    if (o->common.max_std > 0 && !o->common.delta)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "md: --max-std without a delta-model; give one by -d");
    if (strcmp(o->log, o->output) == 0 || strcmp(o->checkpoint, o->output) == 0 || strcmp(o->log, o->checkpoint) == 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "md: trajectory, table and checkpoint have one name; give each its own");
    return CHGNET_OK;
}

static chgnet_status check(chgnet_context *ctx, int n_file, chgi_cli_md_options *o)
{
    if (n_file != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "md: %s; give one POSCAR, CIF or extended XYZ, or - for standard input",
                                 n_file == 0 ? "no structure file" : "several structure files");
    if (!o->has_ensemble)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "md: --ensemble is missing; give nve, nvt-langevin, nvt-nose-hoover, nvt-bussi, "
                                 "npt-scr or npt-mtk");
    if (!o->output)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "md: no trajectory; give -o and a name that ends in .extxyz, .xyz or .h5");
    CHGI_TRY(choose_names(ctx, o));
    return check_together(ctx, o);
}

chgnet_status chgi_cli_md_parse(chgnet_context *ctx, int argc, char **argv, chgi_cli_md_options *o)
{
    const char *value;
    *o = (chgi_cli_md_options){.md = chgi_md_options_default(CHGI_MD_NVE), .every = 10, .checkpoint_time = 60};
    o->md.n_step = 1000;
    for (bool first = true;; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_md, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
        if (o->common.help)
            return CHGNET_OK;
    }
    CHGI_TRY(check(ctx, argc - chgi_cli_first_argument(), o));
    o->file = argv[chgi_cli_first_argument()];
    o->md.draw = o->md.ensemble == CHGI_MD_NVE && o->has_temperature;
    o->md.max_std = o->common.max_std;
    return CHGNET_OK;
}

const chgi_cli_command chgi_cli_md = {
    .name = "md",
    .usage = "[OPTION]... --ensemble NAME -o TRAJ FILE",
    .summary = "molecular dynamics",
    .about = about,
    .options = known,
    .more = more,
    .run = chgi_cli_md_main,
};
