/* The steps of `chgnet relax` as extended XYZ.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calc/calculator.h"
#include "cli/relax.h"

chgnet_status chgi_cli_relax_trajectory_open(chgnet_context *ctx, const char *path,
                                             chgi_cli_relax_trajectory *trajectory)
{
    *trajectory = (chgi_cli_relax_trajectory){.next = 0};
    pthread_mutex_init(&trajectory->mutex, NULL);
    return chgi_append_open(ctx, path, 0, &trajectory->file);
}

static chgnet_status print_frame(chgnet_context *ctx, chgi_cli_relax_job *job, const chgi_relax_state *state,
                                 chgi_structure *frame)
{
    char number[32];
    double energy = state->energy, stress[9];
    const chgi_outcome *outcome = state->outcome;
    chgi_result result = {.provenance = job->result.provenance};
    snprintf(number, sizeof number, "%lld", (long long)job->result.number);
    CHGI_TRY(chgi_structure_set_info(ctx, frame, "frame", number));
    snprintf(number, sizeof number, "%lld", (long long)state->step);
    CHGI_TRY(chgi_structure_set_info(ctx, frame, "step", number));
    for (int k = 0; k < 9; k++)
        stress[k] = outcome->virial[k / 3][k % 3] / state->volume * CHGI_GPA;
    result.structure = *frame; /* only read */
    result.values[CHGI_ENERGY] = &energy;
    result.values[CHGI_FORCES] = (double *)(uintptr_t)outcome->forces;
    result.values[CHGI_MAGMOM] = (double *)(uintptr_t)outcome->magmoms;
    if (isfinite(state->volume))
        result.values[CHGI_STRESS] = stress;
    return chgi_results_extxyz_print(ctx, &job->frames, &result);
}

static chgnet_status write_frames(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory, chgi_cli_relax_job *job)
{
    if (job->frames.length == 0)
        return CHGNET_OK;
    chgnet_status status = chgi_append_write(ctx, &trajectory->file, job->frames.data, job->frames.length);
    chgi_text_clear(&job->frames);
    return status;
}

chgnet_status chgi_cli_relax_trajectory_add(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory,
                                            chgi_cli_relax_job *job, const chgi_relax_state *state)
{
    chgi_structure frame;
    CHGI_TRY(chgi_structure_copy(ctx, state->structure, &frame));
    chgnet_status status = print_frame(ctx, job, state, &frame);
    chgi_structure_destroy(&frame);
    CHGI_TRY(status);
    pthread_mutex_lock(&trajectory->mutex);
    if (trajectory->next == job->result.number)
        status = write_frames(ctx, trajectory, job);
    pthread_mutex_unlock(&trajectory->mutex);
    return status;
}

chgnet_status chgi_cli_relax_trajectory_finish(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory,
                                               chgi_cli_relax_job *job)
{
    pthread_mutex_lock(&trajectory->mutex);
    chgnet_status status = write_frames(ctx, trajectory, job);
    trajectory->next = job->result.number + 1;
    pthread_mutex_unlock(&trajectory->mutex);
    return status;
}

chgnet_status chgi_cli_relax_trajectory_close(chgnet_context *ctx, chgi_cli_relax_trajectory *trajectory)
{
    chgnet_status status = chgi_append_close(ctx, &trajectory->file);
    pthread_mutex_destroy(&trajectory->mutex);
    return status;
}
