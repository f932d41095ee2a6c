/* One block of memory cut into arrays.  A layout function runs twice: first on an empty arena, which only counts,
 * then on the block, which binds pointers; so sizes cannot drift apart. */
#ifndef CHGI_BASE_ARENA_H
#define CHGI_BASE_ARENA_H

#include <stddef.h>

#include "base/context.h"

typedef struct chgi_arena {
    unsigned char *base; /**< NULL while counting */
    size_t used;         /**< bytes given out or counted; SIZE_MAX after an overflow */
    size_t size;         /**< bytes at base */
} chgi_arena;

/** The next `count` objects of `size` bytes, 64-byte aligned; NULL while counting. */
void *chgi_arena_take(chgi_arena *arena, size_t count, size_t size);

/** Make the arena hold at least `size` bytes and start it anew; never shrinks.  Old content is lost, and
 *  what is there then is not zero.  More than the machine has is refused before it is asked for.
 *  \return CHGNET_OK; CHGNET_ENOMEM, and then the arena is empty */
chgnet_status chgi_arena_reserve(chgnet_context *ctx, chgi_arena *arena, size_t size);

/** The same, and all of it is zero. */
chgnet_status chgi_arena_reserve_zeroed(chgnet_context *ctx, chgi_arena *arena, size_t size);

void chgi_arena_destroy(chgi_arena *arena);

#endif
