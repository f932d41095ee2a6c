/* The one allocator: zeroed, 64-byte aligned, products of sizes checked for overflow. */
#ifndef CHGI_BASE_MEMORY_H
#define CHGI_BASE_MEMORY_H

#include <stddef.h>

#include "base/context.h"

/** `count` zeroed objects of `size` bytes; NULL when there is no memory or the product overflows.
 *  A count of 0 gives a valid pointer. */
void *chgi_memory_new(size_t count, size_t size);

/** The same without zeros, for large workspaces: memory that is never used is never touched.  NULL also for more than
 * the machine has. */
void *chgi_memory_raw(size_t bytes);

/** Bytes of memory that this machine has; SIZE_MAX where that is not known. */
size_t chgi_memory_physical(void);

/** Grow `*pointer` (NULL at first) so that it holds at least `need` objects; `*capacity` doubles.
 *  Old content is kept, the rest is zero.  On failure nothing changes. */
chgnet_status chgi_memory_grow(chgnet_context *ctx, void *pointer, size_t *capacity, size_t need, size_t size);

/** A copy of a text; NULL when there is no memory. */
char *chgi_memory_copy_text(const char *text);

void chgi_memory_free(void *pointer);

#endif
