/* What all subcommands share: options and their help, error lines, exit codes, signals.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_CLI_H
#define CHGI_CLI_CLI_H

#include <stdio.h>

#include "base/context.h"

/** One option; a list of them ends with one without a name. */
typedef struct chgi_cli_option {
    int letter;        /**< its short form, or a number beyond the letters where there is none */
    const char *name;  /**< long form, without the dashes */
    const char *value; /**< name of its value in the help; NULL when it takes none */
    const char *help;  /**< may hold line breaks */
} chgi_cli_option;

/** Letters of options without a short form begin here. */
enum { CHGI_CLI_LONG_ONLY = 256, CHGI_CLI_MAX_OPTIONS = 48 };

/** A subcommand. */
typedef struct chgi_cli_command {
    const char *name;
    const char *usage;   /**< what follows the name in the usage line */
    const char *summary; /**< one line in the list of commands */
    const char *about;   /**< text of the help before the options */
    const chgi_cli_option *options;
    const char *more;                            /**< text of the help after the options */
    const struct chgi_cli_command *const *parts; /**< its own subcommands, a NULL after the last; NULL: none */
    /** Run it; argv[0] is its name.  \return the exit code; every error has been told by then */
    int (*run)(chgnet_context *ctx, int argc, char **argv);
} chgi_cli_command;

extern const chgi_cli_command chgi_cli_predict, chgi_cli_convert, chgi_cli_delta, chgi_cli_info, chgi_cli_md,
    chgi_cli_relax, chgi_cli_search, chgi_cli_socket, chgi_cli_eos, chgi_cli_elastic, chgi_cli_phonon_forces;

/** The options that every command has; they are handled by chgi_cli_next. */
#define CHGI_CLI_HELP_OPTION                 \
    {                                        \
        'h', "help", NULL, "print this help" \
    }

/** What chgi_cli_next returns beside letters. */
enum { CHGI_CLI_END = -1, CHGI_CLI_WRONG = -2, CHGI_CLI_HELP = 'h' };

/** The next option of a command line.  Options may stand behind other arguments.
 *  \param[in]  command  whose options are known
 *  \param[in]  first    true at the first call
 *  \param[out] value    of the option; NULL when it takes none
 *  \return its letter; CHGI_CLI_END; CHGI_CLI_WRONG after an error was put into the context */
int chgi_cli_next(chgnet_context *ctx, const chgi_cli_command *command, int argc, char **argv, bool first,
                  const char **value);
/** Index in argv of the first argument that is no option, after CHGI_CLI_END. */
int chgi_cli_first_argument(void);

/** Run the subcommand that argv[1] names, or print the group's help: the `run` of a command that has parts. */
int chgi_cli_run_part(chgnet_context *ctx, const chgi_cli_command *group, int argc, char **argv);
/** The part of that name; its whole name is the group's, a blank and its own.  NULL when there is none. */
const chgi_cli_command *chgi_cli_find_part(const chgi_cli_command *group, const char *name);

/** Print the help of a command on standard output. */
void chgi_cli_print_help(const chgi_cli_command *command);

/** Print "chgnet: " and the context's error on standard error.  \return status, so that commands can return it */
int chgi_cli_report(const chgnet_context *ctx, chgnet_status status);

/** Print "chgnet: FILE: warning: TEXT" on standard error, in one line whatever the name of the file. */
void chgi_cli_warn(const char *file, const char *text);

/** True when a terminal reads this stream and NO_COLOR is not set. */
bool chgi_cli_has_colour(FILE *stream);

/** Write what standard output still holds.  A failure is told once: later calls return CHGNET_OK.
 *  \return CHGNET_OK; CHGNET_EIO */
chgnet_status chgi_cli_flush(chgnet_context *ctx);

/** From now on SIGINT and SIGTERM are remembered instead of ending the program, and end a wait for standard input;
 *  a second one ends the program. */
void chgi_cli_catch_signals(void);
/** The signal that came, or 0. */
int chgi_cli_caught(void);

#endif
