/* chgnet socket: energies and forces for a program that speaks the i-PI protocol.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <time.h>

#include "calc/calculator.h"
#include "cli/common.h"
#include "gp/delta_file.h"
#include "task/ipi.h"

enum { OPTION_HOST = CHGI_CLI_LONG_ONLY, OPTION_PORT, OPTION_UNIX, OPTION_RETRY };

#define SKIN 1.0 /* A: neighbours beyond the cutoff that are listed too */

static const chgi_cli_option known[] = {
    {OPTION_HOST, "host", "H", "server's name or address (default: localhost)"},
    {OPTION_PORT, "port", "P", "its port (default: 31415)"},
    {OPTION_UNIX, "unix", "NAME", "a UNIX socket instead: /tmp/ipi_NAME, or a path"},
    {OPTION_RETRY, "retry", NULL, "wait for a server, and for the next one when it is gone"},
    CHGI_CLI_MODEL_OPTIONS,
    CHGI_CLI_DELTA_OPTIONS,
    CHGI_CLI_TALK_OPTIONS,
    {0},
};

static const char about[] =
    "Serve energies, forces and virials to i-PI, ASE (SocketIOCalculator) or another program that\n"
    "speaks the i-PI protocol.  FILE says which atoms there are, in the server's order, and which axes\n"
    "are periodic; cell and positions come from the server.  Magmoms and the standard deviation go with\n"
    "the answer as JSON.  Ends when the server says so; SIGINT and SIGTERM end it too.\n";

static const char more[] = "Examples\n"
                           "  chgnet socket --unix chgnet start.extxyz\n"
                           "  chgnet socket --host node7 --port 31415 --retry -d D.h5 POSCAR\n";

typedef struct options {
    chgi_cli_common common;
    const char *host, *unix_name, *file;
    int64_t port;
    bool retry;
} options;

typedef struct run {
    chgnet_context *ctx;
    const options *options;
    chgnet_model *model;
    chgnet_calculator *calculator;
    chgnet_delta *delta;
    chgi_structure structure;
    int64_t n_done;
} run;

/* ---- options ---------------------------------------------------------------------------------- */

static chgnet_status take(chgnet_context *ctx, int letter, const char *value, options *o)
{
    bool taken;
    CHGI_TRY(chgi_cli_take_common(ctx, "socket", letter, value, &o->common, &taken));
    if (taken)
        return CHGNET_OK;
    switch (letter) {
    case OPTION_HOST:
        o->host = value;
        return CHGNET_OK;
    case OPTION_PORT:
        return chgi_cli_take_count(ctx, "socket", "--port", value, 1, 65535, &o->port);
    case OPTION_UNIX:
        o->unix_name = value;
        return CHGNET_OK;
    case OPTION_RETRY:
        o->retry = true;
        return CHGNET_OK;
    default:
        return CHGNET_EUSAGE;
    }
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->common.help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_socket, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(ctx, letter, value, o));
    }
    if (o->common.help)
        return CHGNET_OK;
    if (o->unix_name && (o->host || o->port))
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "socket: --unix and --host or --port; give one kind of socket");
    if (argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE,
                                 "socket: %d files given; give one structure, with the server's atoms",
                                 argc - chgi_cli_first_argument());
    o->file = argv[chgi_cli_first_argument()];
    return CHGNET_OK;
}

/* ---- preparation ------------------------------------------------------------------------------ */

static chgnet_status load(run *r)
{
    chgnet_options chosen = chgnet_options_default();
    chosen.skin = SKIN;
    chosen.trajectory = 1;
    CHGI_TRY(chgi_cli_read_first(r->ctx, r->options->file, &r->structure));
    return chgi_cli_load(r->ctx, &r->options->common, chosen, &r->model, &r->delta, &r->calculator);
}

/* ---- serving ---------------------------------------------------------------------------------- */

static bool should_stop(void *user)
{
    (void)user;
    return chgi_cli_caught() != 0;
}

static void tell(void *user, int64_t n_done, const chgi_outcome *outcome)
{
    run *r = user;
    if (r->options->common.verbose)
        fprintf(stderr, "chgnet: structure %lld: %.6f eV\n", (long long)(r->n_done + n_done), outcome->energy);
}

static void on_warning(const char *text, void *user)
{
    const run *r = user;
    if (!r->options->common.quiet)
        chgi_cli_warn(r->options->file, text);
}

/* A server that is not there, or goes, is waited for; everything else ends the command. */
static chgnet_status serve(run *r)
{
    const options *o = r->options;
    chgi_potential potential = chgi_calculator_potential(r->calculator);
    const chgi_ipi_choice choice = {o->unix_name ? NULL
                                    : o->host    ? o->host
                                                 : "localhost",
                                    o->port ? (int)o->port : 31415,
                                    o->unix_name,
                                    o->common.delta ? CHGNET_WANT_STD : 0,
                                    o->common.max_std,
                                    should_stop,
                                    tell,
                                    r};
    const struct timespec pause = {0, 300000000};
    for (;;) {
        int64_t n_done = 0;
        chgnet_status status = chgi_ipi_serve(r->ctx, &choice, &potential, &r->structure, &n_done);
        r->n_done += n_done;
        bool again = o->retry && (status == CHGNET_EIO || status == CHGNET_OK);
        if (!again || chgi_cli_caught())
            return chgi_cli_caught() ? CHGNET_OK : status;
        nanosleep(&pause, NULL);
    }
}

static int socket_run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status != CHGNET_OK)
        return chgi_cli_report(ctx, status);
    if (o.common.help) {
        chgi_cli_print_help(&chgi_cli_socket);
        return CHGNET_OK;
    }
    run r = {.ctx = ctx, .options = &o};
    chgnet_context_on_warning(ctx, on_warning, &r);
    status = load(&r);
    chgi_cli_catch_signals();
    if (status == CHGNET_OK)
        status = serve(&r);
    chgnet_context_on_warning(ctx, NULL, NULL);
    if (status != CHGNET_OK)
        chgi_cli_report(ctx, status);
    else if (!o.common.quiet)
        fprintf(stderr, "chgnet: %lld structures computed\n", (long long)r.n_done);
    chgi_structure_destroy(&r.structure);
    chgnet_calculator_destroy(r.calculator);
    chgi_delta_file_destroy(r.delta);
    chgnet_model_destroy(r.model);
    return status == CHGNET_OK && chgi_cli_caught() ? 128 + chgi_cli_caught() : (int)status;
}

const chgi_cli_command chgi_cli_socket = {
    .name = "socket",
    .usage = "[--host H --port P | --unix NAME] [OPTION]... FILE",
    .summary = "serve energies and forces to i-PI or ASE",
    .about = about,
    .options = known,
    .more = more,
    .run = socket_run,
};
