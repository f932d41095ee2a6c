#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

/* Large blocks ask for huge pages: fewer misses of the address cache, fewer faults at the first touch.  What the
 * machine does not have is refused here: the kernel might promise it, and end the process when it is used. */
void *chgi_memory_raw(size_t bytes)
{
    size_t unit = bytes >= 4 * (size_t)HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    if (bytes > PTRDIFF_MAX - HUGE_PAGE || (unit == HUGE_PAGE && bytes > chgi_memory_physical()))
        return NULL;
    size_t rounded = bytes ? (bytes + unit - 1) / unit * unit : unit;
    void *pointer = aligned_alloc(unit, rounded);
#ifdef MADV_HUGEPAGE
    if (pointer && unit == HUGE_PAGE)
        (void)madvise(pointer, rounded, MADV_HUGEPAGE); /* only a wish */
#endif
    return pointer;
}

void *chgi_memory_new(size_t count, size_t size)
{
    if (size && count > PTRDIFF_MAX / size)
        return NULL;
    void *pointer = chgi_memory_raw(count * size);
    if (pointer)
        memset(pointer, 0, count * size);
    return pointer;
}

size_t chgi_memory_physical(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : SIZE_MAX;
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
