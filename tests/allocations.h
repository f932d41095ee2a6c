/* Counts what the library allocates.  The linker sends its calls of malloc and its relatives to the functions below
 * (Makefile.am, WRAP_MALLOC); what other libraries do is their own.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef TEST_ALLOCATIONS_H
#define TEST_ALLOCATIONS_H

#include <stddef.h>
#include <stdint.h>

static int64_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **pointer, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **pointer, size_t alignment, size_t size);

static void allocations_add(void)
{
#pragma omp atomic
    allocations++;
}

void *__wrap_malloc(size_t size)
{
    allocations_add();
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations_add();
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations_add();
    return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    allocations_add();
    return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **pointer, size_t alignment, size_t size)
{
    allocations_add();
    return __real_posix_memalign(pointer, alignment, size);
}

#endif
