/* Frames of a run as extended XYZ, named and in the units as ASE writes and reads them; see task/trajectory.h. */
#ifndef CHGI_TASK_TRAJECTORY_EXTXYZ_H
#define CHGI_TASK_TRAJECTORY_EXTXYZ_H

#include "base/text.h"
#include "task/trajectory.h"

typedef struct chgi_frame_writer {
    const double *masses;
    bool has_stress;
    int n_feature;
    chgi_structure structure;                        /**< the frame in work */
    double *forces, *momenta, *magmoms, *embeddings; /* its columns */
} chgi_frame_writer;

/** Memory of a frame.  Destroy it also after a failure. */
chgnet_status chgi_frame_writer_create(chgnet_context *ctx, const chgi_trajectory_plan *plan,
                                       chgi_frame_writer *writer);
void chgi_frame_writer_destroy(chgi_frame_writer *writer);
/** Append a frame: info energy, stress (eV/A^3), step, time (fs); columns forces (eV/A), momenta (sqrt(amu eV)),
 * magmoms and atom_fea. */
chgnet_status chgi_frame_writer_print(chgnet_context *ctx, chgi_frame_writer *writer, const chgi_frame *frame,
                                      chgi_text *text);

#endif
