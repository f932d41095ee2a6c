/* Atoms that may not move, or only along some directions: a structure's move_mask. */
#ifndef CHGI_TASK_CONSTRAINT_H
#define CHGI_TASK_CONSTRAINT_H

#include "crystal/structure.h"

/** Take out of displacements, velocities or forces what the structure's mask forbids.  Atoms whose mask is along the
 * cell vectors (mask_direct) keep the part that lies in the span of the vectors they may move along. \param[in]
 * structure  its mask and cell \param[in,out] rows       (n_atom,3) */
void chgi_constraint_project(const chgi_structure *structure, double *rows);

/** Whether no atom may move at all. */
bool chgi_constraint_fixes_all(const chgi_structure *structure);

#endif
