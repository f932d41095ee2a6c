/* The reader of zip archives: what PyTorch and zip write, and every archive that must be refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "store/zip.h"

#include "base/memory.h"
#include "fake.h"
#include "tap.h"

static chgnet_context *ctx;

/* Copies the bytes, so that a sanitizer sees every read behind their end. */
static chgnet_status open_copy(const fake_bytes *archive, size_t length, chgi_zip *zip, uint8_t **copy)
{
    *copy = malloc(length ? length : 1);
    if (!*copy)
        abort();
    if (length)
        memcpy(*copy, archive->data, length);
    return chgi_zip_open(ctx, *copy, length, zip);
}

/* Opening or reading everything must fail with CHGNET_EINPUT and a text that holds `word`. */
static void refused(fake_bytes archive, const char *word, const char *name)
{
    chgi_zip zip;
    uint8_t *copy, *data;
    chgnet_status status = open_copy(&archive, archive.length, &zip, &copy);
    for (size_t i = 0; status == CHGNET_OK && i < zip.n_entry; i++) {
        status = chgi_zip_read(ctx, &zip, &zip.entries[i], &data);
        chgi_memory_free(data);
    }
    const char *error = chgnet_context_error(ctx);
    if (!tap_ok(status == CHGNET_EINPUT && strstr(error, word) && strstr(error, "; "), "refused: %s", name))
        tap_note("status %d: %s", status, chgnet_context_error(ctx));
    chgi_zip_close(&zip);
    free(copy);
    fake_free(&archive);
}

static bool holds(chgi_zip *zip, const char *name, const char *content)
{
    const chgi_zip_entry *entry = chgi_zip_find(zip, name);
    uint8_t *data = NULL;
    bool same = entry && chgi_zip_read(ctx, zip, entry, &data) == CHGNET_OK && entry->size == strlen(content) &&
                memcmp(data, content, entry->size) == 0;
    chgi_memory_free(data);
    return same;
}

static const char long_text[] =
    "the same words again, the same words again, the same words again, the same words again";

static void check_good(void)
{
    fake_bytes deflated = fake_deflate(long_text, strlen(long_text));
    fake_entry entries[] = {fake_entry_of("b/two", "stored", 6), fake_entry_of("b/one", long_text, strlen(long_text)),
                            fake_entry_of("a/empty", "", 0)};
    fake_set_deflated(&entries[1], &deflated);
    fake_bytes archive = fake_zip(entries, 3);
    chgi_zip zip;
    uint8_t *copy;
    tap_is_int(open_copy(&archive, archive.length, &zip, &copy), CHGNET_OK, "an archive opens");
    tap_is_int((int64_t)zip.n_entry, 3, "number of entries");
    tap_ok(holds(&zip, "b/two", "stored"), "a stored entry");
    tap_ok(holds(&zip, "b/one", long_text), "a deflated entry");
    tap_ok(holds(&zip, "a/empty", ""), "an empty entry");
    tap_ok(chgi_zip_find(&zip, "b/three") == NULL, "an absent entry");
    chgi_zip_close(&zip);
    free(copy);
    int opened = 0;
    for (size_t length = 0; length < archive.length; length++) {
        opened += open_copy(&archive, length, &zip, &copy) == CHGNET_OK;
        chgi_zip_close(&zip);
        free(copy);
    }
    tap_is_int(opened, 0, "archives truncated at any byte that open");
    fake_free(&archive);
    fake_free(&deflated);
}

static void check_end(void)
{
    fake_bytes none = {0};
    refused(none, "no end record", "an empty file");
    fake_text(&none, "this is some text that is no archive, longer than an end record");
    refused(none, "no end record", "a text");
    fake_entry e = fake_entry_of("x", "1234", 4);
    fake_bytes comment = fake_zip(&e, 1);
    fake_text(&comment, "more");
    refused(comment, "no end record", "bytes behind the end record that are no comment");
    static const struct {
        fake_end end;
        const char *word, *name;
    } cases[] = {
        {{.count_here = 0xffff, .count = 0xffff}, "zip64", "zip64 count"},
        {{.start = 0xffffffff}, "zip64", "zip64 start"},
        {{.size = 0xffffffff}, "zip64", "zip64 size"},
        {{.disk = 1}, "several disks", "a second disk"},
        {{.count_here = 1, .count = 2}, "several disks", "entries on another disk"},
        {{.count_here = 1, .count = 1, .size = 45}, "does not fit", "more entries than the directory holds"},
        {{.start = 1000}, "does not fit", "a directory behind the end"},
        {{.size = 1000}, "does not fit", "a directory longer than the file"},
        {{.count_here = 1, .count = 1, .size = 46}, "damaged directory", "a directory without its mark"},
        {{.size = 46}, "belong to no entry", "a directory longer than its entries"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_bytes zip = {0};
        for (int j = 0; j < 46; j++)
            fake_number(&zip, 0, 1);
        fake_zip_end(&zip, cases[i].end);
        refused(zip, cases[i].word, cases[i].name);
    }
}

/* One entry after a change. */
static void refused_entry(fake_entry e, const char *word, const char *name)
{
    refused(fake_zip(&e, 1), word, name);
}

static void check_entries(void)
{
    const fake_entry good = fake_entry_of("name", "1234", 4);
    fake_entry e = good;
    e.flags = 1;
    refused_entry(e, "encrypted", "an encrypted entry");
    e = good, e.method = e.local_method = 12;
    refused_entry(e, "neither stored nor deflated", "bzip2");
    e = good, e.local_method = 8;
    refused_entry(e, "disagrees", "another method in the local header");
    e = good, e.local_name = "nama";
    refused_entry(e, "another name", "another name in the local header");
    e = good, e.name = "";
    refused_entry(e, "proper name", "an empty name");
    e = good, e.size = 5;
    refused_entry(e, "two different sizes", "a stored entry with two sizes");
    e = good, e.size = e.compressed = 1000;
    refused_entry(e, "reaches beyond", "an entry longer than the file");
    e = good, e.size = e.compressed = 0xffffffff;
    refused_entry(e, "zip64", "a zip64 entry");
    e = good, e.disk = 1;
    refused_entry(e, "another disk", "an entry on another disk");
    e = good, e.crc ^= 1;
    refused_entry(e, "CRC-32", "a wrong CRC-32");
    e = good, e.start = 5, e.reuse_start = true;
    refused_entry(e, "begins beyond", "an entry without a local header");
    fake_entry pair[] = {good, fake_entry_of("other", "5678", 4)};
    pair[1].start = 100000, pair[1].reuse_start = true;
    refused(fake_zip(pair, 2), "begins beyond", "a local header behind the end");
}

static void check_together(void)
{
    fake_entry twice[] = {fake_entry_of("a", "1234", 4), fake_entry_of("a", "5678", 4)};
    refused(fake_zip(twice, 2), "twice", "two entries of one name");
    fake_entry same[] = {fake_entry_of("a", "1234", 4), fake_entry_of("a", "1234", 4)};
    same[1].reuse_start = true;
    refused(fake_zip(same, 2), "overlaps", "two entries at one place");
    fake_entry inner = fake_entry_of("b", "1234", 4);
    fake_bytes hidden = {0};
    fake_zip_local(&hidden, &inner);
    fake_entry nested[] = {fake_entry_of("a", hidden.data, hidden.length), inner};
    nested[1].reuse_start = true;
    nested[1].start = 31; /* the data of "a" */
    refused(fake_zip(nested, 2), "overlaps", "an entry inside another");
    fake_free(&hidden);
}

static void check_deflated(void)
{
    fake_bytes deflated = fake_deflate(long_text, strlen(long_text));
    fake_entry good = fake_entry_of("a", long_text, strlen(long_text)), e = good;
    fake_set_deflated(&good, &deflated);
    e = good, e.size--;
    refused_entry(e, "cannot be expanded", "a deflated entry that gives more than it says");
    e = good, e.size++;
    refused_entry(e, "cannot be expanded", "a deflated entry that gives less than it says");
    e = good, e.compressed--;
    refused_entry(e, "cannot be expanded", "a deflated entry that is cut");
    e = good, e.crc ^= 0x80000000u;
    refused_entry(e, "CRC-32", "a deflated entry with a wrong CRC-32");
    deflated.data[0] = 7; /* a block type that does not exist */
    refused_entry(good, "cannot be expanded", "bytes that are no deflate stream");
    fake_free(&deflated);
    size_t large = 4 << 20;
    uint8_t *zeros = calloc(large, 1);
    if (!zeros)
        abort();
    deflated = fake_deflate(zeros, large);
    e = fake_entry_of("bomb", zeros, large);
    fake_set_deflated(&e, &deflated);
    refused_entry(e, "more than such a small archive", "an archive that expands a thousandfold");
    free(zeros);
    fake_free(&deflated);
}

int main(void)
{
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return 1;
    check_good();
    check_end();
    check_entries();
    check_together();
    check_deflated();
    chgnet_context_destroy(ctx);
    return tap_done();
}
