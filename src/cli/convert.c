/* chgnet convert: upstream's PyTorch checkpoint -> weights in HDF5. */
#include "cli/convert.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/checkpoint.h"

static const char usage[] =
    "Usage: chgnet convert CHECKPOINT.pth.tar -o MODEL.h5\n"
    "\n"
    "Convert a checkpoint of CHGNet, as PyTorch and upstream's trainer write it, into a file of\n"
    "weights that `chgnet predict -m MODEL.h5` reads.  Nothing in the checkpoint is executed.\n"
    "\n"
    "  -o, --output FILE  the file to write; its name ends in .h5\n"
    "      --quiet        print no summary\n"
    "      --help         print this help\n";

typedef struct options {
    const char *input, *output;
    bool quiet, help;
} options;

static int misuse(const char *problem)
{
    fprintf(stderr, "chgnet: convert: %s; see `chgnet convert --help`\n", problem);
    return CHGNET_EUSAGE;
}

static bool ends_in_h5(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".h5") == 0;
}

static int parse(int argc, char **argv, options *o)
{
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:", known, NULL)) != -1) {
        if (option == 'o')
            o->output = optarg;
        else if (option == 'q')
            o->quiet = true;
        else if (option == 'h')
            o->help = true;
        else
            return misuse("an option is unknown or lacks its value");
    }
    if (o->help)
        return CHGNET_OK;
    if (argc - optind != 1)
        return misuse("one checkpoint is expected");
    o->input = argv[optind];
    if (!o->output || !ends_in_h5(o->output))
        return misuse("-o with a file name that ends in .h5 is expected");
    return CHGNET_OK;
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

int chgi_cli_convert(int argc, char **argv)
{
    options o = {0};
    chgnet_context *ctx;
    int code = parse(argc, argv, &o);
    if (code != CHGNET_OK)
        return code;
    if (o.help) {
        fputs(usage, stdout);
        return CHGNET_OK;
    }
    if (chgnet_context_create(&ctx) != CHGNET_OK) {
        fputs("chgnet: not enough memory\n", stderr);
        return CHGNET_ENOMEM;
    }
    chgnet_status status = convert(ctx, &o);
    if (status != CHGNET_OK)
        fprintf(stderr, "chgnet: %s\n", chgnet_context_error(ctx));
    chgnet_context_destroy(ctx);
    return status;
}
