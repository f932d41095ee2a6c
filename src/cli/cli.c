/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* ---- options ---------------------------------------------------------------------------------- */

/* The two forms in which getopt_long wants them. */
static void translate(const chgi_cli_option *options, struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* tell a missing value from an unknown option */
    for (; options->name; options++) {
        *longs++ =
            (struct option){options->name, options->value ? required_argument : no_argument, NULL, options->letter};
        if (options->letter >= CHGI_CLI_LONG_ONLY)
            continue;
        *shorts++ = (char)options->letter;
        if (options->value)
            *shorts++ = ':';
    }
    *longs = (struct option){0};
    *shorts = '\0';
}

static int fail_unknown(chgnet_context *ctx, const chgi_cli_command *command, const char *argument)
{
    const char *names[CHGI_CLI_MAX_OPTIONS];
    char name[64];
    int n = 0;
    for (const chgi_cli_option *o = command->options; o->name; o++)
        names[n++] = o->name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    const char *near = chgi_text_nearest(name, names, n);
    if (near)
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: unknown option --%s; did you mean --%s?", command->name, name, near);
    else
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: unknown option --%s; `chgnet %s --help` lists what there is",
                          command->name, name, command->name);
    return CHGI_CLI_WRONG;
}

static int fail_option(chgnet_context *ctx, const chgi_cli_command *command, const char *argument, int found)
{
    const char *name = command->name;
    bool is_long = strncmp(argument, "--", 2) == 0;
    if (found == ':')
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: option %s lacks its value; `chgnet %s --help` tells which", name,
                          argument, name);
    else if (is_long && optopt == 0)
        return fail_unknown(ctx, command, argument);
    else if (is_long)
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: option %.*s takes no value; leave out what follows it", name,
                          (int)strcspn(argument, "="), argument);
    else
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: unknown option -%c; `chgnet %s --help` lists what there is", name,
                          optopt, name);
    return CHGI_CLI_WRONG;
}

int chgi_cli_next(chgnet_context *ctx, const chgi_cli_command *command, int argc, char **argv, bool first,
                  const char **value)
{
    struct option longs[CHGI_CLI_MAX_OPTIONS + 1];
    char shorts[2 * CHGI_CLI_MAX_OPTIONS + 2];
    translate(command->options, longs, shorts);
    if (first) {
        optind = 1;
        opterr = 0;
    }
    int found = getopt_long(argc, argv, shorts, longs, NULL);
    *value = optarg;
    if (found == '?' || found == ':')
        return fail_option(ctx, command, argv[optind - 1], found);
    return found;
}

int chgi_cli_first_argument(void)
{
    return optind;
}

/* ---- help ------------------------------------------------------------------------------------- */

static void print_option(const chgi_cli_option *option)
{
    enum { WIDTH = 26 };
    char left[80];
    snprintf(left, sizeof left, "%c%c%s --%s%s%s", option->letter < CHGI_CLI_LONG_ONLY ? '-' : ' ',
             option->letter < CHGI_CLI_LONG_ONLY ? option->letter : ' ',
             option->letter < CHGI_CLI_LONG_ONLY ? "," : " ", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    const char *line = option->help;
    for (int row = 0; line; row++) {
        size_t length = strcspn(line, "\n");
        printf("  %-*s%s%.*s\n", WIDTH, row ? "" : left, row || strlen(left) < WIDTH ? "" : " ", (int)length, line);
        line = line[length] ? line + length + 1 : NULL;
    }
}

void chgi_cli_print_help(const chgi_cli_command *command)
{
    const char *bold = chgi_cli_has_colour(stdout) ? "\033[1m" : "", *plain = *bold ? "\033[0m" : "";
    printf("%sUsage:%s chgnet %s %s\n\n%s\n", bold, plain, command->name, command->usage, command->about);
    if (command->parts) {
        printf("%sCommands%s\n", bold, plain);
        for (const chgi_cli_command *const *part = command->parts; *part; part++)
            printf("  chgnet %-14s %s\n", (*part)->name, (*part)->summary);
        printf("  `chgnet %s --help` and so on tell their options.\n", (*command->parts)->name);
    } else {
        printf("%sOptions%s\n", bold, plain);
        for (const chgi_cli_option *option = command->options; option->name; option++)
            print_option(option);
    }
    if (command->more)
        printf("\n%s", command->more);
}

/* ---- subcommands ------------------------------------------------------------------------------ */

const chgi_cli_command *chgi_cli_find_part(const chgi_cli_command *group, const char *name)
{
    size_t length = strlen(group->name) + 1; /* "delta " of "delta fit" */
    for (const chgi_cli_command *const *part = group->parts; part && *part; part++)
        if (strcmp((*part)->name + length, name) == 0)
            return *part;
    return NULL;
}

static int fail_part(chgnet_context *ctx, const chgi_cli_command *group, const char *name)
{
    enum { MOST = 16 };
    const char *names[MOST];
    int n = 0;
    for (const chgi_cli_command *const *part = group->parts; *part && n < MOST; part++)
        names[n++] = (*part)->name + strlen(group->name) + 1;
    const char *near = name ? chgi_text_nearest(name, names, n) : NULL;
    if (!name)
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: a command is missing; `chgnet %s --help` lists them", group->name,
                          group->name);
    else if (near)
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: unknown command '%s'; did you mean '%s'?", group->name, name, near);
    else
        chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: unknown command '%s'; `chgnet %s --help` lists what there is",
                          group->name, name, group->name);
    return chgi_cli_report(ctx, CHGNET_EUSAGE);
}

int chgi_cli_run_part(chgnet_context *ctx, const chgi_cli_command *group, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const chgi_cli_command *part = name ? chgi_cli_find_part(group, name) : NULL;
    if (part)
        return part->run(ctx, argc - 1, argv + 1);
    if (!name || (strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0))
        return fail_part(ctx, group, name);
    chgi_cli_print_help(group);
    return CHGNET_OK;
}

/* ---- names spelt almost right ----------------------------------------------------------------- */

/* ---- streams ---------------------------------------------------------------------------------- */

int chgi_cli_report(const chgnet_context *ctx, chgnet_status status)
{
    fflush(stdout); /* so that a terminal shows both in order */
    fprintf(stderr, "chgnet: %s\n", chgnet_context_error(ctx));
    return (int)status;
}

void chgi_cli_warn(const char *file, const char *text)
{
    fflush(stdout);
    fputs("chgnet: ", stderr);
    for (; *file; file++)
        fputc((unsigned char)*file < 0x20 || *file == 0x7f ? '?' : *file, stderr);
    fprintf(stderr, ": warning: %s\n", text);
}

bool chgi_cli_has_colour(FILE *stream)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !(no && *no) && !(terminal && strcmp(terminal, "dumb") == 0) && isatty(fileno(stream));
}

chgnet_status chgi_cli_flush(chgnet_context *ctx)
{
    static bool told;
    errno = 0;
    if (told || (fflush(stdout) == 0 && !ferror(stdout)))
        return CHGNET_OK;
    told = true;
    return chgi_context_fail(ctx, CHGNET_EIO, "standard output: cannot be written: %s; choose another place",
                             errno ? strerror(errno) : "an earlier write failed");
}

/* ---- signals ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t caught;
static int nothing = -1; /* /dev/null: where standard input goes when the user wants to stop */

static void on_signal(int number)
{
    int error = errno;
    caught = number;
    if (nothing >= 0)
        (void)dup2(nothing, STDIN_FILENO);
    errno = error;
}

void chgi_cli_catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action = {0}, before;
        action.sa_handler = on_signal;
        action.sa_flags = (int)(SA_RESETHAND | SA_RESTART); /* a full pipe or a read goes on */
        sigemptyset(&action.sa_mask);
        /* Who started the program may have chosen that it ignores them, as nohup and `&` do. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

int chgi_cli_caught(void)
{
    return caught;
}
