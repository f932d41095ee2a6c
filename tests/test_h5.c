/* HDF5 files in memory: what is written is read again, and whatever is not as expected is refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "store/h5.h"

#include <hdf5.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/h5_inside.h"
#include "tap.h"

static chgnet_context *ctx;
static const char scratch[] = "test_h5.tmp.h5";

/* Run a call that must succeed. */
static void must(chgnet_status status, const char *what)
{
    if (status != CHGNET_OK) {
        printf("# %s: %s\n", what, chgnet_context_error(ctx));
        tap_bail(what);
    }
}

static void refused(chgnet_status status, const char *word, const char *name)
{
    const char *error = chgnet_context_error(ctx);
    if (!tap_ok(status == CHGNET_EINPUT && strstr(error, word) && strstr(error, "; "), "refused: %s", name))
        tap_note("status %d: %s", status, chgnet_context_error(ctx));
}

static const int64_t shape[4] = {2, 3, 1, 1};
static const double doubles[6] = {1.5, -2, 3e300, 4, 5, 6};
static const float floats[6] = {1.5f, -2, 3e30f, 4, 5, 6};
static const int32_t int32s[3] = {INT32_MIN, 0, INT32_MAX};
static const int64_t int64s[3] = {INT64_MIN, 0, INT64_MAX};
static const int8_t booleans[3] = {1, 0, 1};
static const int64_t three[1] = {3};

static void fill(chgi_h5 *file)
{
    const int64_t none[2] = {0, 3}, sizes[3] = {64, 32, 16};
    const double scalar = 2.25;
    must(chgi_h5_add(ctx, file, "", "float", CHGI_H5_FLOAT, 2, shape, floats), "add");
    must(chgi_h5_add_group(ctx, file, "0"), "add group");
    must(chgi_h5_add(ctx, file, "0", "doubles.with.dots", CHGI_H5_DOUBLE, 2, shape, doubles), "add");
    must(chgi_h5_add(ctx, file, "0", "int32", CHGI_H5_INT32, 1, three, int32s), "add");
    must(chgi_h5_add(ctx, file, "0", "int64", CHGI_H5_INT64, 1, three, int64s), "add");
    must(chgi_h5_add(ctx, file, "0", "bool", CHGI_H5_BOOL, 1, three, booleans), "add");
    must(chgi_h5_add(ctx, file, "0", "scalar", CHGI_H5_DOUBLE, 0, NULL, &scalar), "add");
    must(chgi_h5_add(ctx, file, "0", "empty", CHGI_H5_DOUBLE, 2, none, NULL), "add");
    must(chgi_h5_set_text(ctx, file, "0", "source", "a text of \xc3\xa5"), "text");
    must(chgi_h5_set_fixed_text(ctx, file, "0", "fixed", "a text of \xc3\xa5"), "text");
    must(chgi_h5_set_fixed_text(ctx, file, "0", "no text", ""), "text");
    must(chgi_h5_set_int(ctx, file, "0", "n", -7), "int");
    must(chgi_h5_set_double(ctx, file, "0", "x", 0.1), "double");
    must(chgi_h5_set_ints(ctx, file, "0", "sizes", 3, sizes), "ints");
    must(chgi_h5_set_ints(ctx, file, "0", "no sizes", 0, sizes), "no ints");
}

static chgi_h5 *reopen(char **data, size_t *length)
{
    chgi_h5 *file;
    must(chgi_h5_create(ctx, &file), "create");
    fill(file);
    must(chgi_h5_finish(ctx, file, data, length), "finish");
    chgi_h5_destroy(file);
    must(chgi_h5_open(ctx, *data, *length, &file), "open");
    return file;
}

static void check_arrays(chgi_h5 *file)
{
    double d[6], scalar = 0;
    float f[6];
    int32_t i[3];
    int64_t l[3], found[CHGI_H5_MAX_RANK];
    int8_t b[3];
    const int64_t none[2] = {0, 3};
    int rank = -1;
    must(chgi_h5_read(ctx, file, "", "float", CHGI_H5_FLOAT, 2, shape, f), "read");
    must(chgi_h5_read(ctx, file, "0", "doubles.with.dots", CHGI_H5_DOUBLE, 2, shape, d), "read");
    must(chgi_h5_read(ctx, file, "0", "int32", CHGI_H5_INT32, 1, three, i), "read");
    must(chgi_h5_read(ctx, file, "0", "int64", CHGI_H5_INT64, 1, three, l), "read");
    must(chgi_h5_read(ctx, file, "0", "bool", CHGI_H5_BOOL, 1, three, b), "read");
    must(chgi_h5_read(ctx, file, "0", "scalar", CHGI_H5_DOUBLE, 0, NULL, &scalar), "read");
    must(chgi_h5_read(ctx, file, "0", "empty", CHGI_H5_DOUBLE, 2, none, d), "read");
    tap_ok(memcmp(f, floats, sizeof f) == 0, "float32");
    tap_ok(memcmp(d, doubles, sizeof d) == 0, "float64");
    tap_ok(memcmp(i, int32s, sizeof i) == 0, "int32");
    tap_ok(memcmp(l, int64s, sizeof l) == 0, "int64");
    tap_ok(memcmp(b, booleans, sizeof b) == 0, "boolean");
    tap_ok(scalar == 2.25, "a scalar");
    must(chgi_h5_shape(ctx, file, "0", "doubles.with.dots", CHGI_H5_DOUBLE, -1, found, &rank), "shape");
    tap_ok(rank == 2 && found[0] == 2 && found[1] == 3 && found[2] == 1, "a shape");
}

static void check_attributes(chgi_h5 *file)
{
    char *text = NULL, *none = NULL;
    int64_t n = 0, count = 0, sizes[3];
    double x = 0;
    must(chgi_h5_get_text(ctx, file, "0", "fixed", &text), "text");
    must(chgi_h5_get_text(ctx, file, "0", "no text", &none), "text");
    must(chgi_h5_get_int(ctx, file, "0", "n", &n), "int");
    must(chgi_h5_get_double(ctx, file, "0", "x", &x), "double");
    must(chgi_h5_get_ints(ctx, file, "0", "sizes", 3, &count, sizes), "ints");
    tap_is_text(text, "a text of \xc3\xa5", "a text");
    tap_is_text(none, "", "an empty text");
    tap_is_int(n, -7, "an integer");
    tap_ok(x == 0.1, "a real number");
    tap_ok(count == 3 && sizes[0] == 64 && sizes[2] == 16, "a list of integers");
    must(chgi_h5_get_ints(ctx, file, "0", "no sizes", 3, &count, sizes), "no ints");
    tap_is_int(count, 0, "an empty list of integers");
    chgi_memory_free(text);
    chgi_memory_free(none);
}

static void check_names(chgi_h5 *file)
{
    static const char *const want[] = {"bool", "doubles.with.dots", "empty", "int32", "int64", "scalar"};
    char **names;
    int64_t count, same = 0;
    must(chgi_h5_list(ctx, file, "0", &names, &count), "list");
    for (int64_t i = 0; i < count && i < 6; i++)
        same += strcmp(names[i], want[i]) == 0;
    tap_ok(count == 6 && same == 6, "names in order");
    chgi_h5_free_names(names, count);
    tap_ok(chgi_h5_has(file, "", "0") && !chgi_h5_has(file, "", "1") && !chgi_h5_has(file, "1", "0"), "members");
}

static void check_mismatches(chgi_h5 *file)
{
    double d[8];
    char *text;
    int64_t n, count, sizes[3];
    const int64_t turned[2] = {3, 2}, longer[3] = {2, 3, 1};
    char **names;
    refused(chgi_h5_read(ctx, file, "0", "none", CHGI_H5_DOUBLE, 2, shape, d), "missing", "an absent array");
    refused(chgi_h5_read(ctx, file, "1", "none", CHGI_H5_DOUBLE, 2, shape, d), "missing", "an absent group");
    refused(chgi_h5_read(ctx, file, "", "0", CHGI_H5_DOUBLE, 2, shape, d), "missing", "a group as an array");
    refused(chgi_h5_read(ctx, file, "", "float", CHGI_H5_DOUBLE, 2, shape, d), "wrong type", "float32 as float64");
    refused(chgi_h5_read(ctx, file, "0", "int32", CHGI_H5_INT64, 1, three, d), "wrong type", "int32 as int64");
    refused(chgi_h5_read(ctx, file, "", "float", CHGI_H5_FLOAT, 2, turned, d), "(2, 3); (3, 2)", "another shape");
    refused(chgi_h5_read(ctx, file, "", "float", CHGI_H5_FLOAT, 3, longer, d), "(2, 3); (2, 3, 1)", "another rank");
    refused(chgi_h5_shape(ctx, file, "", "float", CHGI_H5_FLOAT, 1, sizes, NULL), "wrong rank", "a vector expected");
    refused(chgi_h5_get_text(ctx, file, "0", "n", &text), "text", "an integer as text");
    refused(chgi_h5_get_text(ctx, file, "0", "source", &text), "fixed length", "a text of variable length");
    refused(chgi_h5_get_int(ctx, file, "0", "x", &n), "int64", "a real number as an integer");
    refused(chgi_h5_get_int(ctx, file, "0", "sizes", &n), "int64", "a list as an integer");
    refused(chgi_h5_get_int(ctx, file, "0", "absent", &n), "missing", "an absent attribute");
    refused(chgi_h5_get_double(ctx, file, "0", "n", d), "float64", "an integer as a real number");
    refused(chgi_h5_get_ints(ctx, file, "0", "sizes", 2, &count, sizes), "short list", "a list that is too long");
    refused(chgi_h5_list(ctx, file, "1", &names, &count), "missing", "the names of an absent group");
    tap_is_int(chgi_h5_add_group(ctx, file, "2"), CHGNET_EINTERNAL, "a group in a file opened for reading");
}

/* The same input gives the same bytes, and any truncation is seen. */
static void check_bytes(void)
{
    char *data, *again, *copy;
    size_t length, length_again;
    chgi_h5 *file = reopen(&data, &length);
    chgi_h5_destroy(file);
    file = reopen(&again, &length_again);
    chgi_h5_destroy(file);
    tap_ok(length == length_again && memcmp(data, again, length) == 0, "equal bytes from equal calls");
    int opened = 0;
    for (size_t i = 0; i < length; i += 13) {
        copy = malloc(i ? i : 1);
        if (!copy)
            abort();
        memcpy(copy, data, i);
        if (chgi_h5_open(ctx, copy, i, &file) == CHGNET_OK)
            opened++;
        chgi_h5_destroy(file);
        free(copy);
    }
    tap_is_int(opened, 0, "truncated files that open");
    refused(chgi_h5_open(ctx, "no HDF5 file", 12, &file), "not an HDF5 file", "a text");
    chgi_memory_free(data);
    chgi_memory_free(again);
}

/* ---- files that others could have made -------------------------------------------------------- */

/* An array of 2 float32 with that creation list, in a file on disk. */
static void add_foreign(hid_t file, const char *name, hid_t creation, const hsize_t *sizes)
{
    hid_t space = H5Screate_simple(1, sizes, NULL);
    hid_t array = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (array < 0)
        tap_bail("HDF5 cannot make a foreign array");
    H5Dclose(array);
    H5Sclose(space);
}

static void make_foreign(H5F_libver_t oldest)
{
    const hsize_t two[1] = {2}, huge[1] = {(hsize_t)1 << 60}, chunk[1] = {1 << 20};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, oldest, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(scratch, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    hid_t plain = H5Pcreate(H5P_DATASET_CREATE), outside = H5Pcreate(H5P_DATASET_CREATE);
    hid_t packed = H5Pcreate(H5P_DATASET_CREATE), bits = H5Pcreate(H5P_DATASET_CREATE);
    hid_t wide = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(outside, "elsewhere", 0, 8);
    H5Pset_chunk(packed, 1, two);
    H5Pset_shuffle(packed);
    H5Pset_deflate(packed, 6);
    H5Pset_fletcher32(packed);
    H5Pset_chunk(bits, 1, two);
    H5Pset_nbit(bits);
    H5Pset_chunk(wide, 1, chunk);
    add_foreign(file, "plain", plain, two);
    add_foreign(file, "huge", plain, huge);
    add_foreign(file, "outside", outside, two);
    add_foreign(file, "packed", packed, two);
    add_foreign(file, "nbit", bits, two);
    H5Pset_alloc_time(wide, H5D_ALLOC_TIME_INCR);
    const hsize_t many[1] = {2};
    hid_t space = H5Screate_simple(1, many, (const hsize_t[1]){H5S_UNLIMITED});
    H5Dclose(H5Dcreate2(file, "wide", H5T_IEEE_F32LE, space, H5P_DEFAULT, wide, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(plain);
    H5Pclose(outside);
    H5Pclose(packed);
    H5Pclose(bits);
    H5Pclose(wide);
    H5Gclose(H5Gcreate2(file, "links", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_soft("/plain", file, "links/soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("elsewhere", "/x", file, "links/external", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
}

static void check_foreign(void)
{
    char *data, **names;
    size_t length;
    int64_t count;
    float f[2];
    const int64_t two[1] = {2}, huge[1] = {(int64_t)1 << 60};
    chgi_h5 *file;
    make_foreign(H5F_LIBVER_EARLIEST);
    must(chgi_file_read(ctx, scratch, &data, &length), "read the foreign file");
    refused(chgi_h5_open(ctx, data, length, &file), "no checksums", "the oldest format");
    chgi_memory_free(data);
    make_foreign(CHGI_H5_FORMAT);
    must(chgi_file_read(ctx, scratch, &data, &length), "read the foreign file");
    must(chgi_h5_open(ctx, data, length, &file), "open the foreign file");
    tap_is_int(chgi_h5_read(ctx, file, "", "plain", CHGI_H5_FLOAT, 1, two, f), CHGNET_OK, "a plain array");
    tap_is_int(chgi_h5_read(ctx, file, "", "packed", CHGI_H5_FLOAT, 1, two, f), CHGNET_OK,
               "deflate, shuffle, checksum");
    refused(chgi_h5_read(ctx, file, "", "huge", CHGI_H5_FLOAT, 1, huge, f), "larger than", "an array of 4 EB");
    refused(chgi_h5_read(ctx, file, "", "outside", CHGI_H5_FLOAT, 1, two, f), "not allowed", "values in another file");
    refused(chgi_h5_read(ctx, file, "", "nbit", CHGI_H5_FLOAT, 1, two, f), "not allowed", "another filter");
    refused(chgi_h5_read(ctx, file, "", "wide", CHGI_H5_FLOAT, 1, two, f), "not allowed", "a chunk of 4 MB");
    refused(chgi_h5_read(ctx, file, "links", "soft", CHGI_H5_FLOAT, 1, two, f), "missing", "a soft link");
    refused(chgi_h5_read(ctx, file, "links", "external", CHGI_H5_FLOAT, 1, two, f), "missing", "an external link");
    refused(chgi_h5_list(ctx, file, "links", &names, &count), "link", "the names of links");
    chgi_h5_destroy(file);
    chgi_memory_free(data);
    remove(scratch);
}

/* HDF5's own messages: silent in our calls, as before after them. */
static herr_t heard(hid_t stack, void *user)
{
    (void)stack;
    ++*(int *)user;
    return 0;
}

static void check_silence(void)
{
    int count = 0, during;
    chgi_h5 *file;
    H5Eset_auto2(H5E_DEFAULT, heard, &count);
    static const char torn[] = "\211HDF\r\n\032\n and no more of it";
    refused(chgi_h5_open(ctx, torn, sizeof torn, &file), "damaged", "a damaged superblock");
    during = count;
    hid_t none = H5Fopen("test_h5.absent.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    tap_ok(none < 0 && during == 0 && count == 1, "HDF5's messages are silent during a call, and only then");
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

int main(void)
{
    char *data;
    size_t length;
    if (chgnet_context_create(&ctx) != CHGNET_OK)
        return 1;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    chgi_h5 *file = reopen(&data, &length), *second;
    must(chgi_h5_open(ctx, data, length, &second), "open a second file");
    check_arrays(file);
    chgi_h5_destroy(file);
    check_attributes(second);
    check_names(second);
    check_mismatches(second);
    chgi_h5_destroy(second);
    chgi_memory_free(data);
    check_bytes();
    check_foreign();
    check_silence();
    chgnet_context_destroy(ctx);
    return tap_done();
}
