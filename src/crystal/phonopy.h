/* Displaced cells as phonopy keeps them: one atom of a supercell is displaced at a time (its dataset of type 1). */
#ifndef CHGI_CRYSTAL_PHONOPY_H
#define CHGI_CRYSTAL_PHONOPY_H

#include "base/text.h"
#include "crystal/lines.h"
#include "crystal/structure.h"

typedef struct chgi_displacement {
    int32_t atom;     /**< of the supercell, from 0 */
    double vector[3]; /**< A */
} chgi_displacement;

typedef struct chgi_displaced {
    chgi_structure supercell; /**< without displacement */
    int64_t n_displacement;
    chgi_displacement *displacements; /**< (n_displacement) */
} chgi_displaced;

void chgi_displaced_destroy(chgi_displaced *cells);

/** Compare a displaced cell of another file with displacement k; the order of the atoms may differ.
 *  \return CHGNET_OK; CHGNET_EINPUT where cell or an atom differ by 1e-5 A or more */
chgnet_status chgi_displaced_compare(chgnet_context *ctx, const chgi_displaced *cells, int64_t k,
                                     const chgi_structure *other);

/** True when a line of the file begins with a key of phonopy's files that no structure has. */
bool chgi_phonopy_recognise(const chgi_lines *lines);

/** Read phonopy_disp.yaml (phonopy 2 and later) or disp.yaml (before): supercell and displacements.  This is no YAML
 *  reader: it knows the form in which phonopy writes them, and passes over all other keys.
 *  Format: https://phonopy.github.io/phonopy/phonopy-yaml.html
 *  \return CHGNET_OK; CHGNET_EINPUT with path and line, also for random displacements of all atoms at once (dataset of
 * type 2), for units other than Angstrom, and for mixed sites; CHGNET_ENOMEM */
chgnet_status chgi_phonopy_read(chgi_lines *lines, chgi_displaced *cells);

/** phonopy_disp.yaml.
 *  \param[in] matrix  vector j of the supercell is sum_i matrix[i][j] a_i
 *  \return CHGNET_OK; CHGNET_EINPUT for a flat cell; CHGNET_ENOMEM */
chgnet_status chgi_phonopy_write_cells(chgnet_context *ctx, chgi_text *text, const chgi_structure *unit,
                                       const int matrix[3][3], const chgi_displaced *cells);

/** FORCE_SETS.  \param[in] forces (n_displacement,n_atom,3) eV/A  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_phonopy_write_forces(chgnet_context *ctx, chgi_text *text, const chgi_displaced *cells,
                                        const double *forces);

#endif
