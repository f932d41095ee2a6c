/* Right checksums for changed HDF5 files: superblock, object headers with their continuations, roots of B-trees and
 * fractal heaps.  Source: HDF5 File Format Specification, version 3.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

typedef struct image {
    uint8_t *bytes;
    size_t length;
} image;

static uint64_t number(const image *f, size_t at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | (at + i < f->length ? f->bytes[at + i] : 0);
    return value;
}

static uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* Bob Jenkins's lookup3. */
static uint32_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t s[3];
    s[0] = s[1] = s[2] = 0xdeadbeef + (uint32_t)length;
    static const uint8_t mix[6] = {4, 6, 8, 16, 19, 4}, last[7] = {14, 11, 25, 16, 4, 14, 24};
    for (size_t i = 0; i < length;) {
        bool final = length - i <= 12;
        for (size_t j = 0; j < 12 && i < length; j++, i++)
            s[j / 4] += (uint32_t)bytes[i] << (8 * (j % 4));
        for (unsigned j = 0; !final && j < 6; j++) {
            s[j % 3] = (s[j % 3] - s[(j + 2) % 3]) ^ turn(s[(j + 2) % 3], mix[j]);
            s[(j + 2) % 3] += s[(j + 1) % 3];
        }
        for (unsigned j = 0; final && j < 7; j++)
            s[(j + 2) % 3] = (s[(j + 2) % 3] ^ s[(j + 1) % 3]) - turn(s[(j + 1) % 3], last[j]);
    }
    return s[2];
}

/* The sum of `covered` bytes from `start` goes to `place`. */
static void put(const image *f, size_t start, size_t covered, size_t place)
{
    if (start > f->length || covered > f->length - start || place > f->length || f->length - place < 4)
        return;
    uint32_t sum = checksum(f->bytes + start, covered);
    for (int i = 0; i < 4; i++)
        f->bytes[place + (size_t)i] = (uint8_t)(sum >> (8 * i));
}

/* Messages from `at` to `end`: seal the blocks where the header goes on. */
static void seal_continuations(const image *f, size_t at, size_t end, bool has_order, int depth)
{
    enum { CONTINUATION = 16 };
    size_t head = has_order ? 6 : 4;
    while (at + head <= end && at + head <= f->length) {
        size_t size = (size_t)number(f, at + 1, 2);
        if (f->bytes[at] == CONTINUATION && size >= 16 && depth < 8) {
            uint64_t start = number(f, at + head, 8), length = number(f, at + head + 8, 8);
            if (start < f->length && length >= 8 && length <= f->length - start) {
                seal_continuations(f, (size_t)start + 4, (size_t)(start + length) - 4, has_order, depth + 1);
                put(f, (size_t)start, (size_t)length - 4, (size_t)(start + length) - 4);
            }
        }
        at += head + size;
    }
}

static void seal_header(const image *f, size_t at)
{
    unsigned flags = (unsigned)number(f, at + 5, 1);
    size_t start = at + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0), width = (size_t)1 << (flags & 3);
    uint64_t size = number(f, start, width);
    start += width;
    if (size > f->length)
        return;
    seal_continuations(f, start, start + (size_t)size, flags & 4, 0);
    put(f, at, start + (size_t)size - at, start + (size_t)size);
}

/* The root of a B-tree of version 2, where it is a leaf. */
static void seal_tree(const image *f, size_t at)
{
    uint64_t record = number(f, at + 10, 2), depth = number(f, at + 12, 2), root = number(f, at + 16, 8);
    size_t length = 6 + (size_t)(record * number(f, at + 24, 2));
    put(f, at, 34, at + 34);
    if (depth == 0 && root < f->length)
        put(f, (size_t)root, length, (size_t)root + length);
}

/* A fractal heap and its root, where that is a direct block: its sum is taken with zeros in the sum's place. */
static void seal_heap(const image *f, size_t at)
{
    uint64_t size = number(f, at + 112, 8), bits = number(f, at + 128, 2), root = number(f, at + 132, 8);
    size_t place = (size_t)root + 13 + (size_t)(bits + 7) / 8;
    put(f, at, 142, at + 142);
    if (number(f, at + 140, 2) == 0 && root < f->length && place + 4 <= f->length) {
        memset(f->bytes + place, 0, 4);
        put(f, (size_t)root, (size_t)size, place);
    }
}

void fuzz_seal_h5(uint8_t *bytes, size_t length)
{
    image f = {bytes, length};
    for (size_t at = 0; at + 4 < length; at++) {
        if (memcmp(bytes + at, "OHDR", 4) == 0)
            seal_header(&f, at);
        else if (memcmp(bytes + at, "BTHD", 4) == 0)
            seal_tree(&f, at);
        else if (memcmp(bytes + at, "FRHP", 4) == 0)
            seal_heap(&f, at);
    }
    put(&f, 0, 12 + 4 * (size_t)(length > 9 ? bytes[9] : 0), 12 + 4 * (size_t)(length > 9 ? bytes[9] : 0));
}
