/* Crystals and surfaces made from a few numbers. */
#ifndef CHGI_CRYSTAL_BUILD_H
#define CHGI_CRYSTAL_BUILD_H

#include "crystal/structure.h"

/** Surfaces by their two-dimensional lattice and stacking; `chgi_surface_names` lists them in this order. */
typedef enum chgi_surface_kind {
    CHGI_FCC111,
    CHGI_FCC100,
    CHGI_FCC110,
    CHGI_BCC100,
    CHGI_BCC110,
    CHGI_HCP0001
} chgi_surface_kind;
#define CHGI_SURFACE_NAMES "fcc111 fcc100 fcc110 bcc100 bcc110 hcp0001"

typedef struct chgi_surface {
    chgi_surface_kind kind;
    int element;      /**< atomic number */
    double a;         /**< A, lattice constant of the bulk */
    double c;         /**< A, hcp only */
    int matrix[2][2]; /**< rows: the cell's two vectors in those of the (1x1) surface cell */
    int layers;
    double vacuum; /**< A, above the top layer; as much lies below the bottom one */
} chgi_surface;

/** A slab, bottom layer first; periodic in the plane; the first vector along x, the third along z.
 *  \return CHGNET_OK; CHGNET_EINPUT when the matrix has no positive determinant; CHGNET_ENOMEM */
chgnet_status chgi_build_surface(chgnet_context *ctx, const chgi_surface *surface, chgi_structure *slab);

typedef enum chgi_bulk_kind { CHGI_FCC, CHGI_BCC, CHGI_HCP, CHGI_SC, CHGI_DIAMOND } chgi_bulk_kind;
#define CHGI_BULK_NAMES "fcc bcc hcp sc diamond"

/** A crystal in its conventional cell (hcp: the hexagonal one), repeated.
 *  \param[in] repeat (3)  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_build_bulk(chgnet_context *ctx, chgi_bulk_kind kind, int element, double a, double c,
                              const int repeat[3], chgi_structure *bulk);

#endif
