/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/fix.h"

chgnet_status chgi_cli_fix_take(chgnet_context *ctx, const char *command, const char *value, chgi_cli_fix *fix)
{
    if (fix->n == CHGI_CLI_MOST_FIX)
        return chgi_context_fail(ctx, CHGNET_EUSAGE, "%s: more than %d times --fix; join them by `or`", command,
                                 CHGI_CLI_MOST_FIX);
    chgnet_status status = chgi_selection_parse(ctx, value, &fix->selection[fix->n]);
    if (status != CHGNET_OK)
        return chgi_context_fail(ctx, status, "%s: --fix %s", command, ctx->error);
    fix->text[fix->n++] = value;
    return CHGNET_OK;
}

void chgi_cli_fix_destroy(chgi_cli_fix *fix)
{
    for (int k = 0; k < fix->n; k++)
        chgi_selection_destroy(fix->selection[k]);
}

chgnet_status chgi_cli_fix_apply(chgnet_context *ctx, const chgi_cli_fix *fix, chgi_structure *structure)
{
    for (int k = 0; k < fix->n; k++) {
        chgnet_status status = chgi_selection_fix(ctx, fix->selection[k], structure);
        if (status != CHGNET_OK)
            return chgi_context_fail(ctx, status, "--fix '%s': %s", fix->text[k], ctx->error);
    }
    return CHGNET_OK;
}
