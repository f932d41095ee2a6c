/* chgnet search best: the lowest distinct minima of one or more searches.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/search.h"
#include "crystal/writer.h"

static const chgi_cli_option known[] = {
    {'n', "number", "N", "how many (default: 10)"},
    {'o', "output", "FILE", "write them as extended XYZ"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Show the lowest minima of searches: by their labels where there are any, else by the potential;\n"
    "energies less chemical potentials.  From several folders the lowest of all.\n";

typedef struct options {
    int64_t n;
    const char *output;
    bool help;
} options;

typedef struct found {
    double energy;
    int folder;
    int64_t minimum;
} found;

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_search_best, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        if (letter == CHGI_CLI_WRONG)
            return CHGNET_EUSAGE;
        if (letter == 'n')
            CHGI_TRY(chgi_cli_take_count(ctx, "search best", "-n", value, 1, 100000, &o->n));
        if (letter == 'o')
            o->output = value;
        o->help = letter == CHGI_CLI_HELP;
    }
    if (!o->help && chgi_cli_first_argument() == argc)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "search best: no folder; give one or more");
    return o->output ? chgi_file_check_writable(ctx, o->output) : CHGNET_OK;
}

/* Put the lowest of one folder into the list of all, lowest first. */
static void merge(const options *o, int folder, int64_t n, const int64_t *places, const double *energies, found *list,
                  int64_t *n_list)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t at = *n_list;
        if (at == o->n && list[at - 1].energy <= energies[k])
            continue;
        at -= at == o->n;
        for (; at > 0 && list[at - 1].energy > energies[k]; at--)
            list[at] = list[at - 1];
        list[at] = (found){energies[k], folder, places[k]};
        *n_list += *n_list < o->n;
    }
}

static chgnet_status collect(chgnet_context *ctx, const options *o, chgi_cli_folder *folders, int n_folder, found *list,
                             int64_t *n_list)
{
    int64_t *places = chgi_memory_new((size_t)o->n, sizeof *places);
    double *energies = chgi_memory_new((size_t)o->n, sizeof *energies);
    if (places && energies)
        for (int f = 0; f < n_folder; f++)
            merge(o, f, chgi_cli_folder_lowest(ctx, &folders[f], o->n, places, energies), places, energies, list,
                  n_list);
    chgi_memory_free(places);
    chgi_memory_free(energies);
    return places && energies ? CHGNET_OK : chgi_context_nomem(ctx, (size_t)o->n, sizeof *energies);
}

/* Elements in the order in which they first come, with their numbers: Cu12S. */
static void write_formula(const chgi_structure *s, char *formula, size_t size)
{
    size_t used = 0;
    formula[0] = 0;
    for (int64_t i = 0; i < s->n_atom && used < size; i++) {
        int64_t count = 0, before = 0;
        for (int64_t j = 0; j < s->n_atom; j++) {
            before += s->numbers[j] == s->numbers[i] && j < i;
            count += s->numbers[j] == s->numbers[i];
        }
        if (before == 0)
            used += (size_t)snprintf(formula + used, size - used, count > 1 ? "%s%lld" : "%s",
                                     chgi_element_symbol(s->numbers[i]), (long long)count);
    }
}

static void print_list(const chgi_cli_folder *folders, const found *list, int64_t n)
{
    printf("%4s %16s %14s  %-16s %8s  %s\n", "rank", "energy (eV)", "above (eV)", "atoms", "minimum", "folder");
    for (int64_t k = 0; k < n; k++) {
        char formula[256];
        write_formula(&folders[list[k].folder].minima[list[k].minimum], formula, sizeof formula);
        printf("%4lld %16.6f %14.6f  %-16s %8lld  %s\n", (long long)k + 1, list[k].energy,
               list[k].energy - list[0].energy, formula, (long long)list[k].minimum, folders[list[k].folder].path);
    }
}

static chgnet_status write_list(chgnet_context *ctx, const char *path, chgi_cli_folder *folders, const found *list,
                                int64_t n)
{
    chgi_text text = {0};
    chgnet_status status = CHGNET_OK;
    for (int64_t k = 0; status == CHGNET_OK && k < n; k++) {
        chgi_structure *s = &folders[list[k].folder].minima[list[k].minimum];
        status = chgi_structure_set_info(ctx, s, "search", folders[list[k].folder].path);
        if (status == CHGNET_OK)
            status = chgi_extxyz_write(ctx, &text, s);
    }
    if (status == CHGNET_OK)
        status = chgi_file_write(ctx, path, text.data, text.length);
    chgi_text_destroy(&text);
    return status;
}

static chgnet_status show(chgnet_context *ctx, const options *o, int n_folder, char **paths)
{
    chgnet_status status = CHGNET_OK;
    int64_t n = 0;
    int n_read = 0;
    chgi_cli_folder *folders = chgi_memory_new((size_t)n_folder, sizeof *folders);
    found *list = chgi_memory_new((size_t)o->n, sizeof *list);
    if (!folders || !list)
        CHGI_TRY_CLEANUP(chgi_context_nomem(ctx, (size_t)o->n, sizeof *list));
    for (; n_read < n_folder; n_read++)
        CHGI_TRY_CLEANUP(chgi_cli_folder_read(ctx, paths[n_read], true, &folders[n_read]));
    CHGI_TRY_CLEANUP(collect(ctx, o, folders, n_folder, list, &n));
    print_list(folders, list, n);
    if (o->output && n > 0)
        CHGI_TRY_CLEANUP(write_list(ctx, o->output, folders, list, n));
    CHGI_TRY_CLEANUP(chgi_cli_flush(ctx));
cleanup:
    for (int f = 0; f < n_read; f++)
        chgi_cli_folder_destroy(&folders[f]);
    chgi_memory_free(folders);
    chgi_memory_free(list);
    return status;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {.n = 10};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (status == CHGNET_OK && o.help)
        chgi_cli_print_help(&chgi_cli_search_best);
    else if (status == CHGNET_OK)
        status = show(ctx, &o, argc - chgi_cli_first_argument(), argv + chgi_cli_first_argument());
    return status == CHGNET_OK ? CHGNET_OK : chgi_cli_report(ctx, status);
}

const chgi_cli_command chgi_cli_search_best = {
    .name = "search best",
    .usage = "[-n N] [-o FILE] FOLDER...",
    .summary = "the lowest minima of one or more searches",
    .about = about,
    .options = known,
    .run = run,
};
