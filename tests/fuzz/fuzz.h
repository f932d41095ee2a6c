/* Everything that reads files or messages of others, as functions of bytes: what the fuzzer (fuzz_main.c) and the
 * regression test (test_corpus.c) call.
 *
 * A target does not care whether its input is taken or refused; it ends the process when a promise is broken: a status
 * that bad input cannot have, an error without text, a structure that cannot be written and read again, memory beyond
 * the bound.  The sanitizers see the rest.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Memory that any input may cost beside its multiple: fixed buffers, the model that a message is for. */
#define FUZZ_CONSTANT ((size_t)4 << 20)

typedef struct fuzz_target {
    const char *name; /**< also of its folder of inputs in tests/corpus and of its dictionary */
    size_t multiple;  /**< an input of n bytes makes the library hold at most FUZZ_CONSTANT + multiple n bytes */
    void (*run)(const uint8_t *bytes, size_t length);
} fuzz_target;

/** By name; NULL when there is none. */
const fuzz_target *fuzz_find(const char *name);
/** The i-th; NULL behind the last. */
const fuzz_target *fuzz_target_at(int i);

/** Run a target; abort where the library held more than its bound.
 *  \return bytes that it held at most, by its own allocator */
size_t fuzz_run(const fuzz_target *target, const uint8_t *bytes, size_t length);

/** Make the checksums of HDF5's records right again, so that a changed file is not refused by them alone. */
void fuzz_seal_h5(uint8_t *bytes, size_t length);

/* ---- between the files of the targets --------------------------------------------------------- */

struct chgnet_context;

/** Abort, with a word about why. */
_Noreturn void fuzz_broken(const char *promise);
/** A context for one run; errors of earlier ones are gone. */
struct chgnet_context *fuzz_context(void);
/** The bytes as a file; its name has a slash in it and lives as long as the process. */
const char *fuzz_file(const uint8_t *bytes, size_t length);
/** Check how a reader failed: with CHGNET_EINPUT or CHGNET_ENOMEM, and with one line of text. */
void fuzz_check_refusal(struct chgnet_context *ctx, int status);

void fuzz_poscar(const uint8_t *bytes, size_t length);
void fuzz_cif(const uint8_t *bytes, size_t length);
void fuzz_extxyz(const uint8_t *bytes, size_t length);
void fuzz_zip(const uint8_t *bytes, size_t length);
void fuzz_pickle(const uint8_t *bytes, size_t length);
void fuzz_torch(const uint8_t *bytes, size_t length);
void fuzz_model(const uint8_t *bytes, size_t length);
void fuzz_delta(const uint8_t *bytes, size_t length);
void fuzz_trajectory(const uint8_t *bytes, size_t length);
void fuzz_checkpoint(const uint8_t *bytes, size_t length);
void fuzz_ini(const uint8_t *bytes, size_t length);
void fuzz_ipi(const uint8_t *bytes, size_t length);

#endif
