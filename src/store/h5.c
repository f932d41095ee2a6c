#include "store/h5.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/h5_inside.h"

/* HDF5 may have been built without thread safety, so that all calls of the process take turns here. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

chgi_h5_silence chgi_h5_enter(void)
{
    chgi_h5_silence before = {NULL, NULL, 0};
    pthread_mutex_lock(&turn);
#if H5_VERSION_GE(1, 8, 15)
    if (H5PLget_loading_state(&before.plugins) >= 0)
        H5PLset_loading_state(0);
#endif
    H5Eget_auto2(H5E_DEFAULT, &before.function, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

void chgi_h5_leave(chgi_h5_silence before)
{
    H5Eset_auto2(H5E_DEFAULT, before.function, before.data);
#if H5_VERSION_GE(1, 8, 15)
    H5PLset_loading_state(before.plugins);
#endif
    pthread_mutex_unlock(&turn);
}

/* ---- types ------------------------------------------------------------------------------------ */

/* h5py's boolean: an enumeration over one byte. */
static hid_t boolean_type(void)
{
    int8_t no = 0, yes = 1;
    hid_t id = H5Tenum_create(H5T_STD_I8LE);
    if (id >= 0 && (H5Tenum_insert(id, "FALSE", &no) < 0 || H5Tenum_insert(id, "TRUE", &yes) < 0)) {
        H5Tclose(id);
        return -1;
    }
    return id;
}

/* The type in the file; to be closed. */
hid_t chgi_h5_file_type(chgi_h5_type type)
{
    switch (type) {
    case CHGI_H5_FLOAT:
        return H5Tcopy(H5T_IEEE_F32LE);
    case CHGI_H5_DOUBLE:
        return H5Tcopy(H5T_IEEE_F64LE);
    case CHGI_H5_INT32:
        return H5Tcopy(H5T_STD_I32LE);
    case CHGI_H5_INT64:
        return H5Tcopy(H5T_STD_I64LE);
    default:
        return boolean_type();
    }
}

/* The type in memory; to be closed.  A boolean is one byte in both. */
hid_t chgi_h5_memory_type(chgi_h5_type type)
{
    switch (type) {
    case CHGI_H5_FLOAT:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case CHGI_H5_DOUBLE:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case CHGI_H5_INT32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case CHGI_H5_INT64:
        return H5Tcopy(H5T_NATIVE_INT64);
    default:
        return boolean_type();
    }
}

/* ---- files and groups ------------------------------------------------------------------------- */

/* A file access list for files in memory; with `data`, for the file that those bytes are. */
static hid_t memory_access(const void *data, size_t length)
{
    enum { GROWTH = 1 << 20 };
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0)
        return -1;
    bool good = H5Pset_fapl_core(access, GROWTH, false) >= 0 &&
                H5Pset_libver_bounds(access, CHGI_H5_FORMAT, CHGI_H5_FORMAT) >= 0;
    /* HDF5 takes the image for reading only, though the argument is not const. */
    union {
        const void *constant;
        void *plain;
    } image = {data};
    if (good && data)
        good = H5Pset_file_image(access, image.plain, length) >= 0;
    if (good)
        return access;
    H5Pclose(access);
    return -1;
}

/* HDF5 takes two open files of one name for the same file; the address makes the name unique. */
static void memory_name(const chgi_h5 *file, char name[64])
{
    snprintf(name, 64, "chgnet-memory-%p", (const void *)file);
}

chgnet_status chgi_h5_create(chgnet_context *ctx, chgi_h5 **file)
{
    *file = chgi_memory_new(1, sizeof **file);
    if (!*file)
        return chgi_context_nomem(ctx, 1, sizeof **file);
    char name[64];
    memory_name(*file, name);
    chgi_h5_silence before = chgi_h5_enter();
    hid_t access = memory_access(NULL, 0);
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    bool good = access >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
    (*file)->id = good ? H5Fcreate(name, H5F_ACC_TRUNC, creation, access) : -1;
    H5Pclose(creation);
    H5Pclose(access);
    chgi_h5_leave(before);
    if ((*file)->id >= 0)
        return CHGNET_OK;
    chgi_memory_free(*file);
    *file = NULL;
    return chgi_context_fail(ctx, CHGNET_EINTERNAL, "HDF5 cannot create a file in memory");
}

chgnet_status chgi_h5_check_start(chgnet_context *ctx, const void *data, size_t length)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    const unsigned char *bytes = data;
    if (length <= sizeof signature || memcmp(data, signature, sizeof signature) != 0)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "this is not an HDF5 file; weights as `chgnet convert` writes them are needed");
    if (bytes[sizeof signature] < 2)
        return chgi_context_fail(
            ctx, CHGNET_EINPUT,
            "this HDF5 file has the format of before HDF5 1.8, which has no checksums; write it anew "
            "(h5py: libver='v108')");
    return CHGNET_OK;
}

chgnet_status chgi_h5_open(chgnet_context *ctx, const void *data, size_t length, chgi_h5 **file)
{
    *file = NULL;
    CHGI_TRY(chgi_h5_check_start(ctx, data, length));
    chgi_h5 *opened = chgi_memory_new(1, sizeof *opened);
    if (!opened)
        return chgi_context_nomem(ctx, 1, sizeof *opened);
    char name[64];
    memory_name(opened, name);
    chgi_h5_silence before = chgi_h5_enter();
    hid_t access = memory_access(data, length);
    opened->id = access >= 0 ? H5Fopen(name, H5F_ACC_RDONLY, access) : -1;
    opened->length = length;
    H5Pclose(access);
    chgi_h5_leave(before);
    if (opened->id < 0) {
        chgi_memory_free(opened);
        return chgi_context_fail(ctx, CHGNET_EINPUT, "this HDF5 file is damaged or truncated; make or copy it again");
    }
    *file = opened;
    return CHGNET_OK;
}

void chgi_h5_destroy(chgi_h5 *file)
{
    if (!file)
        return;
    chgi_h5_silence before = chgi_h5_enter();
    H5Fclose(file->id);
    chgi_h5_leave(before);
    if (file->owns_fd)
        close(file->disk.fd);
    chgi_memory_free(file);
}

/* Bob Jenkins's lookup3, the checksum of HDF5's records (file format specification, section "Checksum"). */
static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t record_checksum(const uint8_t *bytes, size_t length)
{
    uint32_t s[3];
    s[0] = s[1] = s[2] = 0xdeadbeef + (uint32_t)length;
    static const uint8_t mix[6] = {4, 6, 8, 16, 19, 4}, last[7] = {14, 11, 25, 16, 4, 14, 24};
    size_t i = 0;
    for (size_t left = length; left > 0; left = length > i ? length - i : 0) {
        bool final = left <= 12;
        for (size_t j = 0; j < 12 && i < length; j++, i++)
            s[j / 4] += (uint32_t)bytes[i] << (8 * (j % 4));
        for (unsigned j = 0; !final && j < 6; j++) {
            s[j % 3] = (s[j % 3] - s[(j + 2) % 3]) ^ rotate(s[(j + 2) % 3], mix[j]);
            s[(j + 2) % 3] += s[(j + 1) % 3];
        }
        for (unsigned j = 0; final && j < 7; j++)
            s[(j + 2) % 3] = (s[(j + 2) % 3] ^ s[(j + 1) % 3]) - rotate(s[(j + 1) % 3], last[j]);
    }
    return s[2];
}

/* H5Fget_file_image clears the superblock's mark of a file that is open for writing, but not always its checksum. */
static void seal_superblock(uint8_t *bytes, size_t length)
{
    enum { VERSION = 8, OFFSET_SIZE = 9, FIRST_OFFSET = 12 };
    size_t checked = FIRST_OFFSET + 4 * (size_t)bytes[OFFSET_SIZE];
    if (bytes[VERSION] < 2 || checked + 4 > length) /* older superblocks have no checksum */
        return;
    uint32_t sum = record_checksum(bytes, checked);
    for (int i = 0; i < 4; i++)
        bytes[checked + (size_t)i] = (uint8_t)(sum >> (8 * i));
}

chgnet_status chgi_h5_finish(chgnet_context *ctx, chgi_h5 *file, char **data, size_t *length)
{
    *data = NULL;
    *length = 0;
    chgi_h5_silence before = chgi_h5_enter();
    ssize_t size = H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0 ? H5Fget_file_image(file->id, NULL, 0) : -1;
    if (size > 0)
        *data = chgi_memory_new((size_t)size, 1);
    bool good = *data && H5Fget_file_image(file->id, *data, (size_t)size) == size;
    chgi_h5_leave(before);
    if (good) {
        *length = (size_t)size;
        seal_superblock((uint8_t *)*data, *length);
        return CHGNET_OK;
    }
    bool no_memory = size > 0 && !*data;
    chgi_memory_free(*data);
    *data = NULL;
    if (no_memory)
        return chgi_context_nomem(ctx, (size_t)size, 1);
    return chgi_context_fail(ctx, CHGNET_EINTERNAL, "HDF5 cannot finish a file in memory");
}

bool chgi_h5_is_inside(hid_t folder, const char *name)
{
    H5L_info_t info;
    return folder >= 0 && H5Lexists(folder, name, H5P_DEFAULT) > 0 &&
           H5Lget_info(folder, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

static int header_version(hid_t object)
{
#if H5_VERSION_GE(1, 12, 0)
    H5O_native_info_t info;
    return H5Oget_native_info(object, &info, H5O_NATIVE_INFO_HDR) >= 0 ? (int)info.hdr.version : 0;
#elif H5_VERSION_GE(1, 10, 3)
    H5O_info_t info;
    return H5Oget_info2(object, &info, H5O_INFO_HDR) >= 0 ? (int)info.hdr.version : 0;
#else
    H5O_info_t info;
    return H5Oget_info(object, &info) >= 0 ? (int)info.hdr.version : 0;
#endif
}

hid_t chgi_h5_trusted(hid_t object)
{
    if (object < 0 || header_version(object) >= 2)
        return object;
    H5Oclose(object);
    return -1;
}

hid_t chgi_h5_open_group(const chgi_h5 *file, const char *group)
{
    hid_t at = chgi_h5_trusted(H5Gopen2(file->id, "/", H5P_DEFAULT));
    while (at >= 0 && *group) {
        char name[256];
        size_t length = strcspn(group, "/");
        int n = snprintf(name, sizeof name, "%.*s", (int)length, group);
        hid_t next = n < (int)sizeof name && chgi_h5_is_inside(at, name) ? H5Gopen2(at, name, H5P_DEFAULT) : -1;
        H5Gclose(at);
        at = chgi_h5_trusted(next);
        group += length + (group[length] == '/');
    }
    return at;
}

static chgnet_status not_made(chgnet_context *ctx, const char *group, const char *name)
{
    return chgi_context_fail(ctx, CHGNET_EINTERNAL, "HDF5 cannot store '%s/%s'", group, name);
}

chgnet_status chgi_h5_add_group(chgnet_context *ctx, chgi_h5 *file, const char *group)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    bool good = creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
    hid_t id = good ? H5Gcreate2(file->id, group, H5P_DEFAULT, creation, H5P_DEFAULT) : -1;
    H5Gclose(id);
    H5Pclose(creation);
    chgi_h5_leave(before);
    return id >= 0 ? CHGNET_OK : not_made(ctx, "", group);
}

/* ---- writing arrays and attributes ------------------------------------------------------------ */

static hid_t make_space(int rank, const int64_t *shape)
{
    hsize_t sizes[CHGI_H5_MAX_RANK];
    if (rank == 0)
        return H5Screate(H5S_SCALAR);
    if (rank < 0 || rank > CHGI_H5_MAX_RANK)
        return -1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return -1;
        sizes[i] = (hsize_t)shape[i];
    }
    return H5Screate_simple(rank, sizes, NULL);
}

static bool is_empty(int rank, const int64_t *shape)
{
    for (int i = 0; i < rank; i++)
        if (shape[i] == 0)
            return true;
    return false;
}

chgnet_status chgi_h5_add(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                          int rank, const int64_t *shape, const void *data)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group), space = make_space(rank, shape);
    hid_t stored = chgi_h5_file_type(type), memory = chgi_h5_memory_type(type),
          creation = H5Pcreate(H5P_DATASET_CREATE);
    bool good = folder >= 0 && space >= 0 && stored >= 0 && memory >= 0 && creation >= 0 &&
                H5Pset_obj_track_times(creation, false) >= 0;
    hid_t id = good ? H5Dcreate2(folder, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT) : -1;
    good = id >= 0;
    if (good && !is_empty(rank, shape))
        good = H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    H5Dclose(id);
    H5Pclose(creation);
    H5Tclose(memory);
    H5Tclose(stored);
    H5Sclose(space);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : not_made(ctx, group, name);
}

/* `type` and `space` are closed here; they may be negative. */
static chgnet_status set_attribute(chgnet_context *ctx, const chgi_h5 *file, const char *group, const char *name,
                                   hid_t type, hid_t space, const void *data)
{
    hid_t folder = chgi_h5_open_group(file, group), memory = -1, id = -1;
    if (folder >= 0 && type >= 0 && space >= 0) {
        memory = H5Tget_native_type(type, H5T_DIR_ASCEND);
        id = H5Acreate2(folder, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    }
    bool good = id >= 0 && memory >= 0 && H5Awrite(id, memory, data) >= 0;
    H5Aclose(id);
    H5Tclose(memory);
    H5Sclose(space);
    H5Tclose(type);
    H5Gclose(folder);
    return good ? CHGNET_OK : not_made(ctx, group, name);
}

/* A text type of that many bytes, or of variable length. */
static hid_t text_type(size_t size)
{
    hid_t id = H5Tcopy(H5T_C_S1);
    if (id >= 0 && (H5Tset_size(id, size) < 0 || H5Tset_cset(id, H5T_CSET_UTF8) < 0)) {
        H5Tclose(id);
        return -1;
    }
    return id;
}

chgnet_status chgi_h5_set_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                               const char *text)
{
    chgi_h5_silence before = chgi_h5_enter();
    chgnet_status status = set_attribute(ctx, file, group, name, text_type(H5T_VARIABLE), H5Screate(H5S_SCALAR), &text);
    chgi_h5_leave(before);
    return status;
}

chgnet_status chgi_h5_set_fixed_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                     const char *text)
{
    chgi_h5_silence before = chgi_h5_enter();
    chgnet_status status =
        set_attribute(ctx, file, group, name, text_type(strlen(text) + 1), H5Screate(H5S_SCALAR), text);
    chgi_h5_leave(before);
    return status;
}

chgnet_status chgi_h5_set_int(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t value)
{
    chgi_h5_silence before = chgi_h5_enter();
    chgnet_status status = set_attribute(ctx, file, group, name, H5Tcopy(H5T_STD_I64LE), H5Screate(H5S_SCALAR), &value);
    chgi_h5_leave(before);
    return status;
}

chgnet_status chgi_h5_set_double(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, double value)
{
    chgi_h5_silence before = chgi_h5_enter();
    chgnet_status status =
        set_attribute(ctx, file, group, name, H5Tcopy(H5T_IEEE_F64LE), H5Screate(H5S_SCALAR), &value);
    chgi_h5_leave(before);
    return status;
}

chgnet_status chgi_h5_set_ints(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t count,
                               const int64_t *values)
{
    chgi_h5_silence before = chgi_h5_enter();
    chgnet_status status = set_attribute(ctx, file, group, name, H5Tcopy(H5T_STD_I64LE), make_space(1, &count), values);
    chgi_h5_leave(before);
    return status;
}
