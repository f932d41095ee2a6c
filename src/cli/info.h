/* The subcommand `chgnet info`. */
#ifndef CHGI_CLI_INFO_H
#define CHGI_CLI_INFO_H

/** Run `chgnet info`; argv[0] is "info".  \return the exit code */
int chgi_cli_info(int argc, char **argv);

#endif
