/* The fuzzer: libFuzzer's entry points.  FUZZ_TARGET names the target; FUZZ_SEAL: see below.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);

static const fuzz_target *target;
static bool seals;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    const char *name = getenv("FUZZ_TARGET");
    target = name ? fuzz_find(name) : NULL;
    seals = getenv("FUZZ_SEAL") != NULL;
    if (target)
        return 0;
    fprintf(stderr, "FUZZ_TARGET is '%s'; it can be:", name ? name : "");
    for (int i = 0; fuzz_target_at(i); i++)
        fprintf(stderr, " %s", fuzz_target_at(i)->name);
    fprintf(stderr, "\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_run(target, bytes, length);
    return 0;
}

/* With FUZZ_SEAL changed HDF5 files get right checksums, and so reach what lies behind them: libhdf5, mostly. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned seed)
{
    static const uint8_t signature[8] = "\211HDF\r\n\032\n";
    length = LLVMFuzzerMutate(bytes, length, most);
    if (seals && seed % 4 && length > sizeof signature && memcmp(bytes, signature, sizeof signature) == 0)
        fuzz_seal_h5(bytes, length);
    return length;
}
