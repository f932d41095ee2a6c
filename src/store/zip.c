#include "store/zip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"

/* Sizes and places of the records, from the zip specification (APPNOTE). */
enum {
    END_SIZE = 22,
    END_MOST = END_SIZE + 65535, /* with the longest comment */
    DIRECTORY_SIZE = 46,
    LOCAL_SIZE = 30,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAGS_REFUSED = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 13, /* encrypted, patched, strongly encrypted, masked */
    EXPANSION = 64,                                     /* all that is read, relative to the archive */
    SLACK = 1 << 20
};

static const uint32_t end_mark = 0x06054b50, directory_mark = 0x02014b50, local_mark = 0x04034b50;

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static chgnet_status refuse(chgnet_context *ctx, const char *problem)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "the zip archive %s; a whole checkpoint as PyTorch writes it is needed", problem);
}

static chgnet_status refuse_entry(chgnet_context *ctx, const char *name, const char *problem)
{
    return chgi_context_fail(ctx, CHGNET_EINPUT,
                             "entry '%s' of the zip archive %s; a whole checkpoint as PyTorch writes it is needed",
                             name, problem);
}

/* The end record, whose comment must reach the end of the file exactly. */
static const uint8_t *find_end(const uint8_t *bytes, size_t length)
{
    size_t lowest = length > END_MOST ? length - END_MOST : 0;
    if (length < END_SIZE)
        return NULL;
    for (size_t at = length - END_SIZE + 1; at-- > lowest;)
        if (get32(bytes + at) == end_mark && at + END_SIZE + get16(bytes + at + 20) == length)
            return bytes + at;
    return NULL;
}

/* Where the directory lies, and how many entries it has. */
static chgnet_status read_end(chgnet_context *ctx, const chgi_zip *zip, size_t *start, size_t *size, size_t *count)
{
    const uint8_t *end = find_end(zip->bytes, zip->length);
    if (!end)
        return refuse(ctx, "has no end record: the file is no zip archive or is truncated");
    *count = get16(end + 10);
    *size = get32(end + 12);
    *start = get32(end + 16);
    if (*count == 0xffff || *size == 0xffffffff || *start == 0xffffffff)
        return refuse(ctx, "has more than 65534 entries or 4 GB (zip64)");
    if (get16(end + 4) != 0 || get16(end + 6) != 0 || get16(end + 8) != *count)
        return refuse(ctx, "is spread over several disks");
    size_t limit = (size_t)(end - zip->bytes);
    if (*start > limit || *size > limit - *start || *count > *size / DIRECTORY_SIZE)
        return refuse(ctx, "has a directory that does not fit into the file: it is truncated or damaged");
    return CHGNET_OK;
}

/* The local header must agree with the directory; its sizes may be zero (flag bit 3), so they are not used. */
static chgnet_status check_local(chgnet_context *ctx, const chgi_zip *zip, size_t limit, uint32_t method,
                                 chgi_zip_entry *entry)
{
    if (entry->start > limit || limit - entry->start < LOCAL_SIZE)
        return refuse_entry(ctx, entry->name, "begins beyond the end of the file");
    const uint8_t *local = zip->bytes + entry->start;
    size_t name_length = get16(local + 26), extra = get16(local + 28), room = limit - entry->start - LOCAL_SIZE;
    if (get32(local) != local_mark || (get16(local + 6) & FLAGS_REFUSED) != 0 || get16(local + 8) != method)
        return refuse_entry(ctx, entry->name, "has a local header that disagrees with the directory");
    if (name_length > room || extra > room - name_length || entry->compressed > room - name_length - extra)
        return refuse_entry(ctx, entry->name, "reaches beyond its place in the file");
    if (name_length != strlen(entry->name) || memcmp(local + LOCAL_SIZE, entry->name, name_length) != 0)
        return refuse_entry(ctx, entry->name, "has another name in its local header");
    entry->data = entry->start + LOCAL_SIZE + name_length + extra;
    return CHGNET_OK;
}

static chgnet_status check_method(chgnet_context *ctx, const uint8_t *record, chgi_zip_entry *entry)
{
    uint32_t method = get16(record + 10);
    if ((get16(record + 8) & FLAGS_REFUSED) != 0)
        return refuse_entry(ctx, entry->name, "is encrypted or patched");
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return refuse_entry(ctx, entry->name, "is neither stored nor deflated");
    entry->deflated = method == METHOD_DEFLATED;
    if (entry->compressed == 0xffffffff || entry->size == 0xffffffff || entry->start == 0xffffffff)
        return refuse_entry(ctx, entry->name, "is larger than 4 GB (zip64)");
    if (!entry->deflated && entry->compressed != entry->size)
        return refuse_entry(ctx, entry->name, "is stored with two different sizes");
    if (get16(record + 34) != 0)
        return refuse_entry(ctx, entry->name, "lies on another disk");
    return CHGNET_OK;
}

/* One record of the directory; `*at` moves behind it. */
static chgnet_status read_record(chgnet_context *ctx, chgi_zip *zip, size_t start, size_t end, size_t *at)
{
    const uint8_t *record = zip->bytes + *at;
    if (end - *at < DIRECTORY_SIZE || get32(record) != directory_mark)
        return refuse(ctx, "has a damaged directory");
    size_t name_length = get16(record + 28), rest = (size_t)get16(record + 30) + get16(record + 32);
    if (end - *at - DIRECTORY_SIZE < name_length + rest)
        return refuse(ctx, "has a damaged directory");
    if (name_length == 0 || memchr(record + DIRECTORY_SIZE, '\0', name_length))
        return refuse(ctx, "has an entry without a proper name");
    chgi_zip_entry *entry = &zip->entries[zip->n_entry];
    entry->name = chgi_memory_new(name_length + 1, 1);
    if (!entry->name)
        return chgi_context_nomem(ctx, name_length + 1, 1);
    zip->n_entry++;
    memcpy(entry->name, record + DIRECTORY_SIZE, name_length);
    entry->crc = get32(record + 16);
    entry->compressed = get32(record + 20);
    entry->size = get32(record + 24);
    entry->start = get32(record + 42);
    *at += DIRECTORY_SIZE + name_length + rest;
    CHGI_TRY(check_method(ctx, record, entry));
    return check_local(ctx, zip, start, get16(record + 10), entry);
}

static int compare_starts(const void *a, const void *b)
{
    size_t first = ((const chgi_zip_entry *)a)->start, second = ((const chgi_zip_entry *)b)->start;
    return (first > second) - (first < second);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const chgi_zip_entry *)a)->name, ((const chgi_zip_entry *)b)->name);
}

/* Entries that share bytes or names could show different content to different readers. */
static chgnet_status check_together(chgnet_context *ctx, chgi_zip *zip)
{
    qsort(zip->entries, zip->n_entry, sizeof *zip->entries, compare_starts);
    for (size_t i = 1; i < zip->n_entry; i++)
        if (zip->entries[i].start < zip->entries[i - 1].data + zip->entries[i - 1].compressed)
            return refuse_entry(ctx, zip->entries[i].name, "overlaps another entry");
    qsort(zip->entries, zip->n_entry, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->n_entry; i++)
        if (strcmp(zip->entries[i].name, zip->entries[i - 1].name) == 0)
            return refuse_entry(ctx, zip->entries[i].name, "is there twice");
    return CHGNET_OK;
}

static chgnet_status read_directory(chgnet_context *ctx, chgi_zip *zip)
{
    size_t start = 0, size = 0, count = 0;
    CHGI_TRY(read_end(ctx, zip, &start, &size, &count));
    zip->entries = chgi_memory_new(count, sizeof *zip->entries);
    if (!zip->entries)
        return chgi_context_nomem(ctx, count, sizeof *zip->entries);
    size_t at = start;
    for (size_t i = 0; i < count; i++)
        CHGI_TRY(read_record(ctx, zip, start, start + size, &at));
    if (at != start + size)
        return refuse(ctx, "has a directory with bytes that belong to no entry");
    return check_together(ctx, zip);
}

chgnet_status chgi_zip_open(chgnet_context *ctx, const void *bytes, size_t length, chgi_zip *zip)
{
    *zip = (chgi_zip){.bytes = bytes, .length = length};
    zip->budget = length < (SIZE_MAX - SLACK) / EXPANSION ? length * EXPANSION + SLACK : SIZE_MAX;
    chgnet_status status = read_directory(ctx, zip);
    if (status != CHGNET_OK)
        chgi_zip_close(zip);
    return status;
}

void chgi_zip_close(chgi_zip *zip)
{
    for (size_t i = 0; i < zip->n_entry; i++)
        chgi_memory_free(zip->entries[i].name);
    chgi_memory_free(zip->entries);
    *zip = (chgi_zip){0};
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, ((const chgi_zip_entry *)entry)->name);
}

const chgi_zip_entry *chgi_zip_find(const chgi_zip *zip, const char *name)
{
    if (zip->n_entry == 0)
        return NULL;
    return bsearch(name, zip->entries, zip->n_entry, sizeof *zip->entries, compare_name);
}

/* The whole entry at once: it must give exactly the bytes that the directory promises. */
static bool expand(const uint8_t *bytes, const chgi_zip_entry *entry, uint8_t *data)
{
    if (entry->compressed > UINT_MAX || entry->size > UINT_MAX)
        return false;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    uint8_t none = 0;
    stream.next_in = (z_const Bytef *)(uintptr_t)bytes; /* zlib reads only, though not every version says const */
    stream.avail_in = (uInt)entry->compressed;
    stream.next_out = entry->size ? data : &none;
    stream.avail_out = (uInt)entry->size;
    bool good = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    inflateEnd(&stream);
    return good;
}

chgnet_status chgi_zip_read(chgnet_context *ctx, chgi_zip *zip, const chgi_zip_entry *entry, uint8_t **data)
{
    *data = NULL;
    if (entry->size > zip->budget)
        return refuse_entry(ctx, entry->name, "expands to more than such a small archive may hold");
    zip->budget -= entry->size;
    uint8_t *expanded = chgi_memory_new(entry->size, 1);
    if (!expanded)
        return chgi_context_nomem(ctx, entry->size, 1);
    const uint8_t *bytes = zip->bytes + entry->data;
    bool good = true;
    if (entry->deflated)
        good = expand(bytes, entry, expanded);
    else if (entry->size > 0)
        memcpy(expanded, bytes, entry->size);
    if (good && entry->crc == (uint32_t)crc32_z(crc32_z(0, NULL, 0), expanded, entry->size)) {
        *data = expanded;
        return CHGNET_OK;
    }
    chgi_memory_free(expanded);
    return refuse_entry(ctx, entry->name,
                        good ? "is damaged: its CRC-32 differs" : "is damaged: it cannot be expanded");
}
