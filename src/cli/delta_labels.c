/* How the subcommands of `chgnet delta` read labels, and what they tell meanwhile.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include "cli/delta.h"

chgi_cli_labels chgi_cli_labels_default(void)
{
    return (chgi_cli_labels){.form = chgi_label_form_default()};
}

bool chgi_cli_take_labels(int letter, const char *value, chgi_cli_labels *labels)
{
    chgi_label_form *form = &labels->form;
    switch (letter) {
    case CHGI_CLI_ENERGY_KEY:
        form->energy_key = value;
        return true;
    case CHGI_CLI_FORCES_KEY:
        form->forces_key = value;
        return true;
    case CHGI_CLI_BASE_ENERGY_KEY:
        form->base_energy_key = value;
        return true;
    case CHGI_CLI_BASE_FORCES_KEY:
        form->base_forces_key = value;
        return true;
    case CHGI_CLI_MASK:
        form->mask = value;
        return true;
    case CHGI_CLI_ENERGIES_ONLY:
        labels->energies_only = true;
        return true;
    case CHGI_CLI_SKIP_BAD:
        form->skip_bad = true;
        return true;
    default:
        return false;
    }
}

chgnet_status chgi_cli_read_labels(chgnet_context *ctx, const chgi_cli_labels *labels, int n_element, int n_file,
                                   char **files, chgi_label_set *set)
{
    chgi_label_form form = labels->form;
    if (labels->energies_only)
        form.forces_key = NULL;
    for (int i = 0; i < n_file; i++)
        CHGI_TRY(chgi_label_file_read(ctx, files[i], &form, n_element, set));
    if (set->n_label == 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%s: none of %lld labels can be used; `--energy-key` and "
                                 "`--forces-key` name what the frames hold",
                                 files[0], (long long)set->n_skipped);
    return CHGNET_OK;
}

void chgi_cli_talk_warning(const char *text, void *user)
{
    chgi_cli_talk *talk = user;
    if (talk->quiet)
        return;
    chgi_progress_hide(&talk->progress);
    chgi_cli_warn(talk->file, text);
}

void chgi_cli_talk_progress(void *user, double share, int64_t n_done)
{
    chgi_cli_talk *talk = user;
    chgi_progress_show(&talk->progress, share, n_done);
}
