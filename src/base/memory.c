#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void *chgi_memory_new(size_t count, size_t size)
{
    if (size && count > (PTRDIFF_MAX - ALIGNMENT) / size)
        return NULL;
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *pointer = aligned_alloc(ALIGNMENT, bytes ? bytes : ALIGNMENT);
    if (pointer)
        memset(pointer, 0, bytes);
    return pointer;
}

chgnet_status chgi_memory_grow(chgnet_context *ctx, void *pointer, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return CHGNET_OK;
    size_t wanted = *capacity > need / 2 ? 2 * *capacity : need;
    void *old, *larger = chgi_memory_new(wanted, size);
    if (!larger)
        return chgi_context_nomem(ctx, wanted, size);
    memcpy(&old, pointer, sizeof old);
    if (old)
        memcpy(larger, old, *capacity * size);
    chgi_memory_free(old);
    memcpy(pointer, &larger, sizeof larger);
    *capacity = wanted;
    return CHGNET_OK;
}

char *chgi_memory_copy_text(const char *text)
{
    size_t length = strlen(text) + 1;
    char *copy = chgi_memory_new(length, 1);
    return copy ? memcpy(copy, text, length) : NULL;
}

void chgi_memory_free(void *pointer)
{
    free(pointer);
}
