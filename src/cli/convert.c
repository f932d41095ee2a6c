/* chgnet convert: upstream's PyTorch checkpoint -> weights in HDF5. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "model/checkpoint.h"

typedef struct options {
    const char *input, *output;
    bool quiet, help;
} options;

static const chgi_cli_option known[] = {
    {'o', "output", "MODEL.h5", "the file to write; its name ends in .h5"},
    {'q', "quiet", NULL, "print no summary"},
    CHGI_CLI_HELP_OPTION,
    {0},
};

static const char about[] =
    "Convert a checkpoint of CHGNet, as PyTorch and upstream's trainer write it, into a file of\n"
    "weights that `chgnet predict -m MODEL.h5` reads.  Nothing in the checkpoint is executed.\n";

static bool ends_in_h5(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".h5") == 0;
}

static chgnet_status take(int letter, const char *value, options *o)
{
    if (letter == CHGI_CLI_WRONG)
        return CHGNET_EUSAGE;
    if (letter == 'o')
        o->output = value;
    o->quiet = o->quiet || letter == 'q';
    o->help = o->help || letter == CHGI_CLI_HELP;
    return CHGNET_OK;
}

static chgnet_status parse(chgnet_context *ctx, int argc, char **argv, options *o)
{
    const char *value;
    for (bool first = true; !o->help; first = false) {
        int letter = chgi_cli_next(ctx, &chgi_cli_convert, argc, argv, first, &value);
        if (letter == CHGI_CLI_END)
            break;
        CHGI_TRY(take(letter, value, o));
    }
    if (o->help)
        return CHGNET_OK;
    if (argc - chgi_cli_first_argument() != 1)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "convert: %d files given; give one checkpoint, and -o MODEL.h5",
                                 argc - chgi_cli_first_argument());
    o->input = argv[chgi_cli_first_argument()];
    if (!o->output)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "convert: -o is missing; give -o MODEL.h5");
    if (!ends_in_h5(o->output))
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "convert: -o %s: weights are HDF5; end the name in .h5",
                                 o->output);
    return chgi_file_check_writable(ctx, o->output);
}

static chgnet_status convert(chgnet_context *ctx, const options *o)
{
    chgi_weights weights;
    CHGI_TRY(chgi_checkpoint_load(ctx, o->input, &weights));
    chgnet_status status = chgi_weights_save(ctx, &weights, o->output);
    if (status == CHGNET_OK && !o->quiet)
        printf("version       %s\nparameters    %" PRId64 "\nmodel_sha256  %s\nwritten to    %s\n", weights.version,
               chgi_weights_count(&weights), weights.model_sha256, o->output);
    chgi_weights_destroy(&weights);
    return status;
}

static int run(chgnet_context *ctx, int argc, char **argv)
{
    options o = {0};
    chgnet_status status = parse(ctx, argc, argv, &o);
    if (o.help)
        chgi_cli_print_help(&chgi_cli_convert);
    else if (status == CHGNET_OK)
        status = convert(ctx, &o);
    return status == CHGNET_OK ? CHGNET_OK : chgi_cli_report(ctx, status);
}

const chgi_cli_command chgi_cli_convert = {
    .name = "convert",
    .usage = "CHECKPOINT.pth.tar -o MODEL.h5",
    .summary = "a PyTorch checkpoint of CHGNet into a file of weights",
    .about = about,
    .options = known,
    .run = run,
};
