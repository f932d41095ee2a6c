/* The committed inputs of the fuzzer, and all that it ever found, through the same functions without the fuzzer: each
 * file in tests/corpus/TARGET.  A broken promise ends this program; memory and time are bounded by the input's length.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <time.h>

#include "fuzz/fuzz.h"
#include "tap.h"

/* Seconds that any input may take, and those that a byte of it adds: a fifth of the slowest input here is used on a
 * machine of 2020; sanitizers and Valgrind may be 100 times slower. */
static const double TIME_CONSTANT = 20, TIME_MULTIPLE = 1e-3;

static char names[4096][256];

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int list(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (struct dirent *entry; n < 4096 && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            snprintf(names[n++], sizeof names[0], "%.255s", entry->d_name);
    closedir(dir);
    qsort(names, (size_t)n, sizeof names[0], compare);
    return n;
}

static uint8_t *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        tap_bail("an input cannot be read");
    *length = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length ? *length : 1); /* so that a sanitizer sees its end */
    if (!bytes || fread(bytes, 1, *length, file) != *length)
        tap_bail("an input cannot be read");
    fclose(file);
    return bytes;
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void run_all(const fuzz_target *target)
{
    char path[4096];
    double slowest = 0, highest = 0;
    const char *slow = "", *high = "";
    snprintf(path, sizeof path, "%s/%s", tap_source("tests/corpus"), target->name);
    int n = list(path);
    bool in_time = true;
    for (int i = 0; i < n; i++) {
        size_t length;
        snprintf(path, sizeof path, "%s/%s/%s", tap_source("tests/corpus"), target->name, names[i]);
        uint8_t *bytes = read_file(path, &length);
        fprintf(stderr, "# %s\n", path); /* the last one printed is the one that broke a promise */
        double began = seconds();
        size_t held = fuzz_run(target, bytes, length);
        double took = seconds() - began, share = (double)held / (double)(FUZZ_CONSTANT + target->multiple * length);
        if (took > TIME_CONSTANT + TIME_MULTIPLE * (double)length) {
            tap_note("%s: %zu bytes take %.1f s", path, length, took);
            in_time = false;
        }
        if (took > slowest) {
            slowest = took;
            slow = names[i];
        }
        if (share > highest) {
            highest = share;
            high = names[i];
        }
        free(bytes);
    }
    tap_note("%s: slowest %s, %.3f s; %.2f of the memory allowed: %s", target->name, slow, slowest, highest, high);
    tap_ok(n > 0 && in_time, "%s: %d inputs", target->name, n);
}

int main(void)
{
    for (int i = 0; fuzz_target_at(i); i++)
        run_all(fuzz_target_at(i));
    return tap_done();
}
