/* The subcommand `chgnet convert`. */
#ifndef CHGI_CLI_CONVERT_H
#define CHGI_CLI_CONVERT_H

/** Run `chgnet convert`; argv[0] is "convert".  \return the exit code */
int chgi_cli_convert(int argc, char **argv);

#endif
