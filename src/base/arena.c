#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum { ALIGNMENT = 64 };

void *chgi_arena_take(chgi_arena *arena, size_t count, size_t size)
{
    size_t limit = SIZE_MAX - ALIGNMENT;
    if (arena->used == SIZE_MAX || (size && count > limit / size) || count * size > limit - arena->used) {
        arena->used = SIZE_MAX;
        return NULL;
    }
    void *pointer = arena->base ? arena->base + arena->used : NULL;
    arena->used += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return pointer;
}

chgnet_status chgi_arena_reserve(chgnet_context *ctx, chgi_arena *arena, size_t size)
{
    if (size > arena->size || !arena->base) {
        chgi_arena_destroy(arena);
        size_t wanted = size + size / 8 < size ? size : size + size / 8; /* room for a graph that grows a little */
        arena->base = chgi_memory_raw(wanted);
        if (!arena->base)
            arena->base = chgi_memory_raw(wanted = size);
        if (!arena->base)
            return chgi_context_nomem(ctx, size, 1);
        arena->size = wanted;
    }
    arena->used = 0;
    return CHGNET_OK;
}

chgnet_status chgi_arena_reserve_zeroed(chgnet_context *ctx, chgi_arena *arena, size_t size)
{
    CHGI_TRY(chgi_arena_reserve(ctx, arena, size));
    memset(arena->base, 0, size);
    return CHGNET_OK;
}

void chgi_arena_destroy(chgi_arena *arena)
{
    chgi_memory_free(arena->base);
    *arena = (chgi_arena){0};
}
