/* New candidates: from nothing, or from a parent by a move. */
#ifndef CHGI_SEARCH_GENERATE_H
#define CHGI_SEARCH_GENERATE_H

#include "base/rng.h"
#include "search/space.h"

typedef enum chgi_move {
    CHGI_MOVE_RATTLE = 0, /**< atoms are displaced at random, by up to the amplitude */
    CHGI_MOVE_SWAP,       /**< two placed atoms of different elements change places */
    CHGI_MOVE_GROUP,      /**< the placed atoms together are turned and shifted */
    CHGI_MOVE_JUMP,       /**< one placed atom is put anywhere in the region */
    CHGI_MOVE_ADD,        /**< one more atom, where the composition may vary */
    CHGI_MOVE_REMOVE,     /**< one fewer */
    CHGI_N_MOVE
} chgi_move;

/** Name of a move for the records of candidates. */
const char *chgi_move_name(chgi_move move);

/** The scaffold with atoms placed at random; the composition is drawn from the ranges.
 *  \param[out] structure  made; the caller destroys it
 *  \return CHGNET_OK; CHGNET_EINPUT when no place was found in many attempts: too many atoms for the region or too
 * large distances; CHGNET_ENOMEM */
chgnet_status chgi_generate_random(chgnet_context *ctx, const chgi_space *space, chgi_rng *rng,
                                   chgi_structure *structure);

/** A move that this parent allows, drawn with equal weights among rattle (twice), swap, group, jump, add, remove. */
chgi_move chgi_generate_draw(const chgi_space *space, const chgi_structure *parent, chgi_rng *rng);

/** A child of a parent.  Falls back to a rattle by smaller and smaller amplitudes where a move finds no room.
 *  \param[in]  amplitude  A, of a rattle
 *  \param[out] structure  made; the caller destroys it
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_generate_child(chgnet_context *ctx, const chgi_space *space, const chgi_structure *parent,
                                  chgi_move move, double amplitude, chgi_rng *rng, chgi_structure *structure);

#endif
