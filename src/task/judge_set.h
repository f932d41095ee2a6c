/* Sets of labels judged by a finished delta-model. */
#ifndef CHGI_TASK_JUDGE_SET_H
#define CHGI_TASK_JUDGE_SET_H

#include "task/embed.h"
#include "task/judge.h"

/** Judge all labels of a set by the corrected potential itself: energies, and forces from its reverse pass.
 *  \param[in]     choice     as for chgi_embed_set; layer and Jacobians do not matter
 *  \param[in,out] set        base energies and forces are filled in; bad labels are left out where they are skipped
 *  \param[out]    judgement  a row for each label
 *  \return as chgi_embed_set; CHGNET_EINPUT for an element that the model does not know */
chgnet_status chgi_judge_set(chgnet_context *ctx, const chgi_embed_choice *choice, const chgi_delta *delta,
                             chgi_label_set *set, chgi_judgement *judgement);

#endif
