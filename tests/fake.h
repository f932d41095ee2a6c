/* Small zip archives, pickles and checkpoints, made byte by byte, right and wrong, for the tests of the converter.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FAKE_UNUSED __attribute__((unused))

/* ---- bytes ------------------------------------------------------------------------------------ */

typedef struct fake_bytes {
    uint8_t *data;
    size_t length, capacity;
} fake_bytes;

FAKE_UNUSED static void fake_add(fake_bytes *b, const void *data, size_t length)
{
    if (b->length + length > b->capacity) {
        b->capacity = 2 * (b->length + length) + 64;
        b->data = realloc(b->data, b->capacity);
        if (!b->data)
            abort();
    }
    if (length)
        memcpy(b->data + b->length, data, length);
    b->length += length;
}

FAKE_UNUSED static void fake_text(fake_bytes *b, const char *text)
{
    fake_add(b, text, strlen(text));
}

FAKE_UNUSED static void fake_number(fake_bytes *b, uint64_t number, int n_byte)
{
    for (int i = 0; i < n_byte; i++) {
        uint8_t byte = (uint8_t)(i < 8 ? number >> (8 * i) : 0);
        fake_add(b, &byte, 1);
    }
}

FAKE_UNUSED static void fake_free(fake_bytes *b)
{
    free(b->data);
    *b = (fake_bytes){0};
}

/* ---- zip -------------------------------------------------------------------------------------- */

/* What is written about an entry; a test may change any of it after fake_entry_of. */
typedef struct fake_entry {
    const char *name, *local_name;
    const uint8_t *data; /* as it lies in the archive */
    size_t length;
    uint32_t compressed, size, crc, start, method, local_method, flags, disk;
    bool reuse_start; /* do not write data: `start` points to what is there already */
} fake_entry;

FAKE_UNUSED static fake_entry fake_entry_of(const char *name, const void *data, size_t length)
{
    return (fake_entry){.name = name,
                        .local_name = name,
                        .data = data,
                        .length = length,
                        .compressed = (uint32_t)length,
                        .size = (uint32_t)length,
                        .crc = (uint32_t)crc32(0, data, (uInt)length),
                        .flags = 8};
}

/* Like PyTorch: sizes in the local header are zero. */
FAKE_UNUSED static void fake_zip_local(fake_bytes *zip, fake_entry *e)
{
    if (e->reuse_start)
        return;
    e->start = (uint32_t)zip->length;
    fake_text(zip, "PK\3\4");
    fake_number(zip, 20, 2);
    fake_number(zip, e->flags, 2);
    fake_number(zip, e->local_method, 2);
    fake_number(zip, 0, 16); /* time, date, CRC, sizes */
    fake_number(zip, strlen(e->local_name), 2);
    fake_number(zip, 0, 2);
    fake_text(zip, e->local_name);
    fake_add(zip, e->data, e->length);
}

FAKE_UNUSED static void fake_zip_record(fake_bytes *zip, const fake_entry *e)
{
    fake_text(zip, "PK\1\2");
    fake_number(zip, 20, 2);
    fake_number(zip, 20, 2);
    fake_number(zip, e->flags, 2);
    fake_number(zip, e->method, 2);
    fake_number(zip, 0, 4);
    fake_number(zip, e->crc, 4);
    fake_number(zip, e->compressed, 4);
    fake_number(zip, e->size, 4);
    fake_number(zip, strlen(e->name), 2);
    fake_number(zip, 0, 4); /* extra, comment */
    fake_number(zip, e->disk, 2);
    fake_number(zip, 0, 6); /* attributes */
    fake_number(zip, e->start, 4);
    fake_text(zip, e->name);
}

typedef struct fake_end {
    uint32_t disk, count_here, count, size, start;
} fake_end;

FAKE_UNUSED static void fake_zip_end(fake_bytes *zip, fake_end end)
{
    fake_text(zip, "PK\5\6");
    fake_number(zip, end.disk, 2);
    fake_number(zip, end.disk, 2);
    fake_number(zip, end.count_here, 2);
    fake_number(zip, end.count, 2);
    fake_number(zip, end.size, 4);
    fake_number(zip, end.start, 4);
    fake_number(zip, 0, 2);
}

/* A whole archive. */
FAKE_UNUSED static fake_bytes fake_zip(fake_entry *entries, uint32_t count)
{
    fake_bytes zip = {0};
    for (uint32_t i = 0; i < count; i++)
        fake_zip_local(&zip, &entries[i]);
    fake_end end = {.count_here = count, .count = count, .start = (uint32_t)zip.length};
    for (uint32_t i = 0; i < count; i++)
        fake_zip_record(&zip, &entries[i]);
    end.size = (uint32_t)zip.length - end.start;
    fake_zip_end(&zip, end);
    return zip;
}

/* Raw deflate, as zip holds it. */
FAKE_UNUSED static fake_bytes fake_deflate(const void *data, size_t length)
{
    fake_bytes out = {0};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    out.capacity = deflateBound(&stream, (uLong)length) + 64;
    out.data = malloc(out.capacity);
    if (!out.data)
        abort();
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)length;
    stream.next_out = out.data;
    stream.avail_out = (uInt)out.capacity;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    out.length = stream.total_out;
    deflateEnd(&stream);
    return out;
}

FAKE_UNUSED static void fake_set_deflated(fake_entry *e, const fake_bytes *deflated)
{
    e->data = deflated->data;
    e->length = deflated->length;
    e->compressed = (uint32_t)deflated->length;
    e->method = e->local_method = 8;
}

/* ---- pickle ----------------------------------------------------------------------------------- */

FAKE_UNUSED static void fake_key(fake_bytes *p, const char *text)
{
    fake_text(p, "X");
    fake_number(p, strlen(text), 4);
    fake_text(p, text);
}

FAKE_UNUSED static void fake_int(fake_bytes *p, int32_t value)
{
    fake_text(p, "J");
    fake_number(p, (uint32_t)value, 4);
}

FAKE_UNUSED static void fake_real(fake_bytes *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    fake_text(p, "G");
    for (int i = 7; i >= 0; i--)
        fake_number(p, bits >> (8 * i), 1);
}

FAKE_UNUSED static void fake_global(fake_bytes *p, const char *module, const char *name)
{
    fake_text(p, "c");
    fake_text(p, module);
    fake_text(p, "\n");
    fake_text(p, name);
    fake_text(p, "\n");
}

FAKE_UNUSED static void fake_proto(fake_bytes *p)
{
    fake_add(p, "\x80\2", 2);
}

/* A tensor (rank 1: rows 0) as PyTorch writes it, up to its REDUCE. */
typedef struct fake_tensor {
    const char *type, *key;
    int32_t values, offset, rows, columns, row_stride, stride;
} fake_tensor;

FAKE_UNUSED static fake_tensor fake_tensor_of(const char *key, int32_t rows, int32_t columns)
{
    return (fake_tensor){.type = "FloatStorage",
                         .key = key,
                         .values = (rows ? rows : 1) * columns,
                         .rows = rows,
                         .columns = columns,
                         .row_stride = columns,
                         .stride = 1};
}

FAKE_UNUSED static void fake_put_tensor(fake_bytes *p, const fake_tensor *t)
{
    fake_global(p, "torch._utils", "_rebuild_tensor_v2");
    fake_text(p, "((");
    fake_key(p, "storage");
    fake_global(p, "torch", t->type);
    fake_key(p, t->key);
    fake_key(p, "cpu");
    fake_int(p, t->values);
    fake_text(p, "tQ");
    fake_int(p, t->offset);
    fake_text(p, "(");
    if (t->rows)
        fake_int(p, t->rows);
    fake_int(p, t->columns);
    fake_text(p, "t(");
    if (t->rows)
        fake_int(p, t->row_stride);
    fake_int(p, t->stride);
    fake_text(p, "t\x89");
    fake_global(p, "collections", "OrderedDict");
    fake_text(p, ")RtR");
}

#endif
