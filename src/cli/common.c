/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/common.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "calc/calculator.h"
#include "crystal/reader.h"
#include "gp/delta_file.h"

enum { MOST_THREADS = 4096 };

chgnet_status chgi_cli_take_number(chgnet_context *ctx, const char *command, const char *option, const char *value,
                                   double least, double most, double *number)
{
    double got;
    if (!chgi_text_to_double(value, strlen(value), &got) || !(got >= least && got <= most))
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: %s '%s' is wrong; give a number from %g to %g", command,
                                 option, value, least, most);
    *number = got;
    return CHGNET_OK;
}

chgnet_status chgi_cli_take_count(chgnet_context *ctx, const char *command, const char *option, const char *value,
                                  int64_t least, int64_t most, int64_t *count)
{
    int64_t got;
    if (!chgi_text_to_int(value, strlen(value), &got) || got < least || got > most)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: %s '%s' is wrong; give a whole number from %lld to %lld",
                                 command, option, value, (long long)least, (long long)most);
    *count = got;
    return CHGNET_OK;
}

static chgnet_status take_precision(chgnet_context *ctx, const char *command, const char *value, bool *is_double)
{
    *is_double = strcmp(value, "double") == 0;
    if (!*is_double && strcmp(value, "single") != 0)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: -p '%s' is no precision; give single or double", command,
                                 value);
    return CHGNET_OK;
}

static chgnet_status take_threads(chgnet_context *ctx, const char *command, const char *value, int *threads)
{
    int64_t n = 0;
    CHGI_TRY(chgi_cli_take_count(ctx, command, "-t", value, 1, MOST_THREADS, &n));
    *threads = (int)n;
    omp_set_num_threads(*threads); /* of this program's own work, such as fits */
    return CHGNET_OK;
}

chgnet_status chgi_cli_take_common(chgnet_context *ctx, const char *command, int letter, const char *value,
                                   chgi_cli_common *common, bool *taken)
{
    *taken = true;
    switch (letter) {
    case 'm':
        common->model = value;
        return CHGNET_OK;
    case 'p':
        return take_precision(ctx, command, value, &common->is_double);
    case 't':
        return take_threads(ctx, command, value, &common->threads);
    case 'd':
        common->delta = value;
        return CHGNET_OK;
    case CHGI_CLI_MAX_STD:
        return chgi_cli_take_number(ctx, command, "--max-std", value, 0, 1e6, &common->max_std);
    case CHGI_CLI_PLOT:
        common->plot = true;
        return CHGNET_OK;
    case 'q':
        common->quiet = true;
        return CHGNET_OK;
    case 'v':
        common->verbose = true;
        return CHGNET_OK;
    case CHGI_CLI_HELP:
        common->help = true;
        return CHGNET_OK;
    default:
        *taken = false;
        return CHGNET_OK;
    }
}

chgnet_status chgi_cli_read_first(chgnet_context *ctx, const char *path, chgi_structure *structure)
{
    chgi_reader *reader;
    bool got;
    CHGI_TRY(chgi_reader_open(ctx, path, &reader));
    chgnet_status status = chgi_reader_next(reader, structure, &got);
    chgi_reader_destroy(reader);
    return status;
}

chgnet_status chgi_cli_load(chgnet_context *ctx, const chgi_cli_common *common, chgnet_options chosen,
                            chgnet_model **model, chgnet_delta **delta, chgnet_calculator **calculator)
{
    chosen.precision = common->is_double ? CHGNET_DOUBLE : CHGNET_SINGLE;
    chosen.threads = common->threads;
    *model = NULL;
    *delta = NULL;
    *calculator = NULL;
    CHGI_TRY(chgnet_model_load(ctx, common->model, model));
    if (common->verbose)
        fprintf(stderr, "chgnet: model %s from %s\n", chgnet_model_get_info(*model).version,
                chgnet_model_get_info(*model).path);
    CHGI_TRY(chgnet_calculator_create(ctx, *model, &chosen, calculator));
    if (!common->delta)
        return CHGNET_OK;
    CHGI_TRY(chgi_delta_file_load(ctx, common->delta, delta));
    return chgnet_calculator_set_delta(*calculator, *delta);
}

void chgi_cli_print_model(const chgi_cli_common *common, const chgnet_model *model)
{
    printf("CHGNet %s, %s precision%s%s\n\n", chgnet_model_get_info(model).version,
           common->is_double ? "double" : "single", common->delta ? ", corrected by " : "",
           common->delta ? common->delta : "");
}
