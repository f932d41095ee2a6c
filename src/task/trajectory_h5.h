/* H5MD trajectories in closed files; see task/trajectory.h.  Format: https://www.nongnu.org/h5md (version 1.1), with
 * the names and units that MDAnalysis reads. */
#ifndef CHGI_TASK_TRAJECTORY_H5_H
#define CHGI_TASK_TRAJECTORY_H5_H

#include "task/trajectory.h"

typedef struct chgi_h5md chgi_h5md;

/** \param[in] n_frame  frames to keep; negative: those of an old trajectory stay until chgi_h5md_clear
 *  \return CHGNET_OK; CHGNET_EINPUT when T.h5 and T.h5.part do not hold so many; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_h5md_open(chgnet_context *ctx, const chgi_trajectory_plan *plan, int64_t n_frame, chgi_h5md **file);
chgnet_status chgi_h5md_clear(chgnet_context *ctx, chgi_h5md *file);
/** Append a frame to T.h5.part. */
chgnet_status chgi_h5md_add(chgnet_context *ctx, chgi_h5md *file, const chgi_frame *frame);
/** Take the frame back that was just appended. */
chgnet_status chgi_h5md_take_back(chgnet_context *ctx, chgi_h5md *file);
chgnet_status chgi_h5md_sync(chgnet_context *ctx, chgi_h5md *file);
/** Make T.h5 when it lacks at least as many frames as it has. */
chgnet_status chgi_h5md_publish(chgnet_context *ctx, chgi_h5md *file);
/** Make T.h5 if it lacks any frame, and remove T.h5.part. */
chgnet_status chgi_h5md_finish(chgnet_context *ctx, chgi_h5md *file);
void chgi_h5md_destroy(chgi_h5md *file);

#endif
