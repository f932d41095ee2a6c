/* Atoms chosen by an expression such as `element Cu and z < 5`, `index 1-10,15` or `layer 1-2 along z`.
 *
 *     selection  = choice [ "along" letters of xyz ]
 *     choice     = both { ("or" | "|") both }
 *     both       = single { ("and" | "&") single }
 *     single     = ("not" | "!") single | "(" choice ")" | test
 *     test       = "all" | "index" ranges | "layer" ranges | "element" symbols | coordinate relation number
 *     ranges     = range { "," range },  range = number [ "-" number ],  counted from 1
 *     symbols    = symbol { "," symbol }
 *     coordinate = "x" | "y" | "z" | "height" (Angstrom; height is z) | "a" | "b" | "c" (fractions of the cell)
 *     relation   = "<" | "<=" | ">" | ">="
 *
 * Layers are counted upwards along z; a new one begins where no atom lies for more than 0.5 A. */
#ifndef CHGI_TASK_SELECT_H
#define CHGI_TASK_SELECT_H

#include "crystal/structure.h"

typedef struct chgi_selection chgi_selection;

/** \return CHGNET_OK; CHGNET_EUSAGE, the text names the column, counted from 1; CHGNET_ENOMEM */
chgnet_status chgi_selection_parse(chgnet_context *ctx, const char *text, chgi_selection **selection);
void chgi_selection_destroy(chgi_selection *selection);

/** The components after "along"; all three without it. */
void chgi_selection_components(const chgi_selection *selection, bool components[3]);

/** \param[out] chosen (n_atom)
 *  \return CHGNET_OK; CHGNET_EINPUT for an atom or a layer that is not there, or fractions without a cell;
 * CHGNET_ENOMEM */
chgnet_status chgi_selection_apply(chgnet_context *ctx, const chgi_selection *selection,
                                   const chgi_structure *structure, bool *chosen);

/** Fix the chosen atoms' components in the structure's move_mask, beside what is fixed there.
 *  \return as chgi_selection_apply; CHGNET_EINPUT also where single components along x, y, z meet a mask along the cell
 *          vectors */
chgnet_status chgi_selection_fix(chgnet_context *ctx, const chgi_selection *selection, chgi_structure *structure);

#endif
