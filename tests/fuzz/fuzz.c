/* What the targets share: the list of them, files, memory that is counted.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"

/* Multiples: a site of a CIF takes 8 bytes and becomes up to 192 atoms of 40 bytes, in arrays that double; archives and
 * compressed arrays may expand 64-fold (store/zip.c, store/h5_read.c); a value of a pickle takes a byte and becomes 24,
 * or a place in a growing list. */
static const fuzz_target targets[] = {
    {"poscar", 64, fuzz_poscar},
    {"cif", 4096, fuzz_cif},
    {"extxyz", 64, fuzz_extxyz},
    {"zip", 256, fuzz_zip},
    {"pickle", 256, fuzz_pickle},
    {"torch", 512, fuzz_torch},
    {"model", 256, fuzz_model},
    {"delta", 512, fuzz_delta},
    {"trajectory", 256, fuzz_trajectory},
    {"checkpoint", 64, fuzz_checkpoint},
    {"ini", 64, fuzz_ini},
    {"ipi", 64, fuzz_ipi},
};

const fuzz_target *fuzz_target_at(int i)
{
    return i >= 0 && (size_t)i < sizeof targets / sizeof *targets ? &targets[i] : NULL;
}

const fuzz_target *fuzz_find(const char *name)
{
    for (int i = 0; fuzz_target_at(i); i++)
        if (strcmp(targets[i].name, name) == 0)
            return &targets[i];
    return NULL;
}

void fuzz_broken(const char *promise)
{
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* ---- files ------------------------------------------------------------------------------------ */

static char file_name[256];

static void remove_file(void)
{
    unlink(file_name);
}

const char *fuzz_file(const uint8_t *bytes, size_t length)
{
    if (!file_name[0]) {
        snprintf(file_name, sizeof file_name, "./fuzz-%ld.tmp", (long)getpid());
        atexit(remove_file);
    }
    FILE *file = fopen(file_name, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        fuzz_broken("no room for a temporary file");
    return file_name;
}

/* ---- contexts --------------------------------------------------------------------------------- */

static void hear(const char *text, void *user)
{
    (void)user;
    if (!text[0] || strchr(text, '\n'))
        fuzz_broken("a warning is one line");
}

chgnet_context *fuzz_context(void)
{
    chgnet_context *ctx;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        fuzz_broken("no memory");
    chgnet_context_on_warning(ctx, hear, NULL);
    return ctx;
}

void fuzz_check_refusal(chgnet_context *ctx, int status)
{
    const char *text = chgnet_context_error(ctx);
    if (status != CHGNET_EINPUT && status != CHGNET_ENOMEM) {
        fprintf(stderr, "status %d: %s\n", status, text);
        fuzz_broken("bad input is CHGNET_EINPUT, or CHGNET_ENOMEM where it cannot be held");
    }
    if (!text[0] || strchr(text, '\n'))
        fuzz_broken("an error is one line");
}

/* ---- memory: the linker sends the calls of aligned_alloc and free of the library and of the targets here
 * (tests/hard.am, WRAP_FUZZ); both have no other allocator than base/memory.h ---- */

static size_t held, most;
static bool counting;

void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *pointer);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *pointer);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    void *pointer = __real_aligned_alloc(alignment, size);
    if (pointer && counting) {
#pragma omp critical(fuzz_memory)
        {
            held += malloc_usable_size(pointer);
            most = held > most ? held : most;
        }
    }
    return pointer;
}

void __wrap_free(void *pointer)
{
    if (pointer && counting) {
        size_t size = malloc_usable_size(pointer);
#pragma omp critical(fuzz_memory)
        held -= size;
    }
    __real_free(pointer);
}

size_t fuzz_run(const fuzz_target *target, const uint8_t *bytes, size_t length)
{
    held = most = 0;
    counting = true;
    target->run(bytes, length);
    counting = false;
    if (held != 0)
        fuzz_broken("all memory is freed");
    if (most > FUZZ_CONSTANT + target->multiple * length) {
        fprintf(stderr, "%s: %zu bytes of input, %zu bytes held\n", target->name, length, most);
        fuzz_broken("memory is at most a multiple of the input");
    }
    return most;
}
