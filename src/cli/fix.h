/* Option --fix: atoms that stay, chosen by expressions.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CLI_FIX_H
#define CHGI_CLI_FIX_H

#include "task/select.h"

enum { CHGI_CLI_MOST_FIX = 16 };

typedef struct chgi_cli_fix {
    int n;                                        /**< how often it was given */
    const char *text[CHGI_CLI_MOST_FIX];          /**< as the user wrote it */
    chgi_selection *selection[CHGI_CLI_MOST_FIX]; /**< what it means */
} chgi_cli_fix;

/** Take one value.  \param[in] command  its name, for errors  \return CHGNET_OK; CHGNET_EUSAGE, CHGNET_ENOMEM */
chgnet_status chgi_cli_fix_take(chgnet_context *ctx, const char *command, const char *value, chgi_cli_fix *fix);
void chgi_cli_fix_destroy(chgi_cli_fix *fix);

/** Fix the chosen atoms, beside those that are fixed.  \return as chgi_selection_fix */
chgnet_status chgi_cli_fix_apply(chgnet_context *ctx, const chgi_cli_fix *fix, chgi_structure *structure);

#endif
