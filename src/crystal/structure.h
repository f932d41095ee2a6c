/* A structure: what files hold and what the graph is made from. */
#ifndef CHGI_CRYSTAL_STRUCTURE_H
#define CHGI_CRYSTAL_STRUCTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

enum { CHGI_MAX_ELEMENT = 118 };

/** No coordinate and no cell vector is longer than this (A). */
#define CHGI_MAX_LENGTH 1e6

/** Cells whose volume is a smaller share of the product of their lengths count as flat. */
#define CHGI_FLAT_CELL 1e-8

/** One key of an extended XYZ comment line; the value without its quotes. */
typedef struct chgi_info {
    char *key;
    char *value;
} chgi_info;

/** One per-atom column of an extended XYZ file beyond species, pos and move_mask. */
typedef struct chgi_column {
    char *name;
    char type;    /**< 'R' real, 'I' integer, 'L' logical (0 or 1); text columns are dropped */
    int width;    /**< numbers per atom */
    double *data; /**< (n_atom,width) */
} chgi_column;

typedef struct chgi_structure {
    int64_t n_atom;
    int32_t *numbers;  /**< (n_atom) atomic numbers */
    double *positions; /**< (n_atom,3) Angstrom */
    double cell[3][3]; /**< rows are cell vectors, Angstrom; zero rows where there is none */
    bool pbc[3];
    bool *move_mask;  /**< (n_atom,3) true where the component may move; NULL: everything may */
    bool mask_direct; /**< the mask of partly free atoms is along the cell vectors, not along x, y, z: a
                           POSCAR whose selective dynamics mean directions that are no Cartesian ones */
    chgi_info *info;  /**< (n_info) */
    int n_info;
    chgi_column *columns; /**< (n_column) */
    int n_column;
} chgi_structure;

/** Allocate the arrays of `n_atom` atoms; the rest is zero. */
chgnet_status chgi_structure_create(chgnet_context *ctx, int64_t n_atom, chgi_structure *structure);
void chgi_structure_destroy(chgi_structure *structure);

/** Value of an info key; NULL when absent. */
const char *chgi_structure_info(const chgi_structure *structure, const char *key);
/** Set (or replace) an info key. */
chgnet_status chgi_structure_set_info(chgnet_context *ctx, chgi_structure *structure, const char *key,
                                      const char *value);
/** A column by name; NULL when absent. */
const chgi_column *chgi_structure_column(const chgi_structure *structure, const char *name);
/** Remove an info key if it is there. */
void chgi_structure_drop_info(chgi_structure *structure, const char *key);
/** Set (or replace) a real column; `data` (n_atom,width) is copied; it may not be the column's own. */
chgnet_status chgi_structure_set_column(chgnet_context *ctx, chgi_structure *structure, const char *name, int width,
                                        const double *data);

/** Add (or replace) a column of zeros of type 'R', 'I' or 'L' and give its data to be filled. */
chgnet_status chgi_structure_add_column(chgnet_context *ctx, chgi_structure *structure, const char *name, char type,
                                        int width, double **data);
/** Copy everything: atoms, cell, mask, info and columns. */
chgnet_status chgi_structure_copy(chgnet_context *ctx, const chgi_structure *from, chgi_structure *to);

/** Give a structure a mask, unless it has one, that lets every atom move. */
chgnet_status chgi_structure_free_all(chgnet_context *ctx, chgi_structure *structure);

/** Refuse what no potential can use: no atoms, non-finite or huge (> 1e6 A) numbers, an impossible cell,
 *  Z outside 1..n_element.  (Two atoms closer than 1e-3 A are found by the neighbour search.)
 *  \return CHGNET_OK; CHGNET_EINPUT names what is wrong */
chgnet_status chgi_structure_check(chgnet_context *ctx, const chgi_structure *structure, int n_element);

/** The part of chgi_structure_check that looks at the cell alone: the rows of periodic axes are independent and
 *  longer than 1e-3 A, all numbers finite and at most 1e6 A.
 *  \return CHGNET_OK; CHGNET_EINPUT */
chgnet_status chgi_structure_check_cell(chgnet_context *ctx, const chgi_structure *structure);

/** Signed volume of the cell, A^3. */
double chgi_structure_volume(const double cell[3][3]);

/** inverse = cell^-1, so that fractional = position . inverse (rows).
 *  \return false when the cell has no volume to speak of */
bool chgi_structure_invert(const double cell[3][3], double inverse[3][3]);

/** Symbol of an element ("X" when z is outside 1..118) and back (0 when unknown). */
const char *chgi_element_symbol(int z);
int chgi_element_number(const char *symbol, size_t length);
/** Covalent radius, A; beyond Cm that of Cm. */
double chgi_element_radius(int z);

#endif
