/* The command `chgnet`: finds the subcommand and runs it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "math/blas.h"

static const chgi_cli_command *const commands[] = {&chgi_cli_predict, &chgi_cli_relax,   &chgi_cli_md,
                                                   &chgi_cli_eos,     &chgi_cli_elastic, &chgi_cli_phonon_forces,
                                                   &chgi_cli_search,  &chgi_cli_delta,   &chgi_cli_socket,
                                                   &chgi_cli_convert, &chgi_cli_info};
enum { N_COMMAND = sizeof commands / sizeof *commands };

static const char from_python[] =
    "  CHGNet.load(model_name=\"r2scan\")            -m r2scan (default: 0.3.0)\n"
    "  CHGNet.from_file(\"my.pth.tar\")              chgnet convert my.pth.tar -o my.h5, then -m my.h5\n"
    "  model.predict_structure(structure)          chgnet predict FILE: always all of task=\"efsm\"\n"
    "    [\"e\"], [\"f\"], [\"s\"], [\"m\"]                energy (eV; \"e\" is eV/atom), forces (eV/A),\n"
    "                                              stress (GPa), magmom (mu_B)\n"
    "    return_atom_feas, return_crystal_feas     --embeddings\n"
    "  CHGNetCalculator in ASE                     -o OUT.extxyz, then ase.io.read(\"OUT.extxyz\", \":\")\n";

static const char codes[] = "  0 done; 1 internal error; 2 usage; 3 bad input; 4 not converged within the steps\n"
                            "  (the last state is written); 5 a result is not finite, or beyond --max-std;\n"
                            "  6 cannot read or write; 7 not enough memory; 128+n stopped by signal n\n";

static void print_help(void)
{
    const char *bold = chgi_cli_has_colour(stdout) ? "\033[1m" : "", *plain = *bold ? "\033[0m" : "";
    printf("chgnet %s - CHGNet, the universal interatomic potential, in C\n\n", chgnet_version());
    printf("%sUsage:%s chgnet COMMAND [OPTION]... [FILE]...\n\n%sCommands%s\n", bold, plain, bold, plain);
    for (int i = 0; i < N_COMMAND; i++)
        printf("  %-13s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-13s %s\n\n", "help", "help for a command: `chgnet help predict` or `chgnet predict --help`");
    printf("%sOptions%s\n  --help    print this help\n  --version print the version\n\n", bold, plain);
    printf("%sExamples%s\n"
           "  chgnet predict POSCAR                        a table to look at\n"
           "  chgnet predict *.cif -o results.h5           everything, in HDF5\n"
           "  chgnet predict traj.extxyz -o new.extxyz     frames with results, read by ase.io.read\n"
           "  chgnet predict --json POSCAR | jq .energy    one JSON object per frame\n"
           "  chgnet delta fit labels.extxyz -o D.h5       learn a correction from DFT energies and forces\n"
           "  chgnet predict -d D.h5 POSCAR                the corrected prediction\n\n",
           bold, plain);
    printf("%sIn Python                                     Here%s\n%s\n%sExit codes%s\n%s", bold, plain, from_python,
           bold, plain, codes);
}

static void print_short_usage(void)
{
    fprintf(stderr, "Usage: chgnet COMMAND [OPTION]... [FILE]...\n\n");
    for (int i = 0; i < N_COMMAND; i++)
        fprintf(stderr, "  %-13s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(stderr, "\nTry `chgnet predict POSCAR`, or `chgnet --help`.\n");
}

static const chgi_cli_command *find(const char *name)
{
    for (int i = 0; i < N_COMMAND; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int fail_unknown(chgnet_context *ctx, const char *name)
{
    static const char *const extra[] = {"help", "--help", "--version"};
    enum { N_EXTRA = sizeof extra / sizeof *extra };
    const char *names[N_COMMAND + N_EXTRA];
    for (int i = 0; i < N_COMMAND; i++)
        names[i] = commands[i]->name;
    for (int i = 0; i < N_EXTRA; i++)
        names[N_COMMAND + i] = extra[i];
    const char *near = chgi_text_nearest(name, names, N_COMMAND + N_EXTRA);
    const char *kind = *name == '-' ? "option" : "command";
    if (near)
        chgi_context_fail(ctx, CHGNET_EUSAGE, "unknown %s '%s'; did you mean '%s'?", kind, name, near);
    else
        chgi_context_fail(ctx, CHGNET_EUSAGE, "unknown %s '%s'; `chgnet --help` lists what there is", kind, name);
    return chgi_cli_report(ctx, CHGNET_EUSAGE);
}

static int help(chgnet_context *ctx, int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        print_help();
        return CHGNET_OK;
    }
    const chgi_cli_command *command = find(argv[1]);
    if (!command)
        return fail_unknown(ctx, argv[1]);
    const chgi_cli_command *part = argc > 2 && command->parts ? chgi_cli_find_part(command, argv[2]) : NULL;
    chgi_cli_print_help(part ? part : command);
    return CHGNET_OK;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    if (argc < 2) {
        print_short_usage();
        return CHGNET_EUSAGE;
    }
    const char *name = argv[1];
    const chgi_cli_command *command = find(name);
    if (command)
        return command->run(ctx, argc - 1, argv + 1);
    if (strcmp(name, "help") == 0)
        return help(ctx, argc - 1, argv + 1);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help();
        return CHGNET_OK;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("chgnet %s\n", chgnet_version());
        return CHGNET_OK;
    }
    return fail_unknown(ctx, name);
}

int main(int argc, char **argv)
{
    chgnet_context *ctx;
    if (chgnet_context_create(&ctx) != CHGNET_OK) {
        fputs("chgnet: not enough memory\n", stderr);
        return CHGNET_ENOMEM;
    }
    chgi_blas_serial();
    int code = run(ctx, argc, argv);
    if (chgi_cli_flush(ctx) != CHGNET_OK) {
        chgi_cli_report(ctx, CHGNET_EIO);
        code = code == CHGNET_OK ? CHGNET_EIO : code;
    }
    chgnet_context_destroy(ctx);
    return code;
}
