/* The space group of a structure, kept while it is relaxed: vectors and tensors averaged over its operations.
 * The group is found by spglib, where the library was built with it. */
#ifndef CHGI_TASK_SYMMETRY_H
#define CHGI_TASK_SYMMETRY_H

#include "crystal/structure.h"
#include "math/matrix3.h"

typedef struct chgi_symmetry chgi_symmetry;

/** Whether the library was built with spglib. */
bool chgi_symmetry_available(void);

/** Find the group, and move cell and atoms to where its operations hold exactly.
 *  \param[in] tolerance  A, how far atoms may be from that
 *  \return CHGNET_OK; CHGNET_EUSAGE without spglib; CHGNET_EINPUT when not all axes are periodic, atoms are fixed, or
 *          spglib finds no group; CHGNET_ENOMEM */
chgnet_status chgi_symmetry_create(chgnet_context *ctx, chgi_structure *structure, double tolerance,
                                   chgi_symmetry **symmetry);
void chgi_symmetry_destroy(chgi_symmetry *symmetry);

/** Name of the group, such as "Pm-3m"; number of its operations in this cell. */
const char *chgi_symmetry_name(const chgi_symmetry *symmetry);
int chgi_symmetry_count(const chgi_symmetry *symmetry);

/** What an operation does to directions: rows become x . turn.  \param[in] cell (3,3) A, the present one */
chgi_matrix3 chgi_symmetry_turn(const chgi_symmetry *symmetry, const double *cell, int operation);

/** \param[in]     cell (3,3) A, the present one
 *  \param[in,out] rows (n_atom,3) forces or displacements */
void chgi_symmetry_apply_vectors(chgi_symmetry *symmetry, const double *cell, double *rows);

/** \param[in]     cell    (3,3) A, the present one
 *  \param[in,out] tensor  a stress, or c of a deformation x -> x + x . c */
void chgi_symmetry_apply_tensor(const chgi_symmetry *symmetry, const double *cell, chgi_matrix3 *tensor);

#endif
