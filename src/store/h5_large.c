#define _POSIX_C_SOURCE 200809L
#include "store/h5_large.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/h5_inside.h"

/* ---- files ------------------------------------------------------------------------------------ */

/* Created (with flags 0) or opened. */
static chgi_h5 *reach(const char *name, int fd, haddr_t size, unsigned flags)
{
    chgi_h5 *file = chgi_memory_new(1, sizeof *file);
    if (!file)
        return NULL;
    file->length = (size_t)size;
    file->disk = (chgi_h5_disk){.fd = fd, .size = size};
    chgi_h5_silence before = chgi_h5_enter();
    hid_t access = chgi_h5_disk_access(&file->disk), creation = H5Pcreate(H5P_FILE_CREATE);
    bool good = access >= 0 && H5Pset_libver_bounds(access, CHGI_H5_FORMAT, CHGI_H5_FORMAT) >= 0 && creation >= 0 &&
                H5Pset_obj_track_times(creation, false) >= 0;
    if (good && flags & H5F_ACC_TRUNC)
        file->id = H5Fcreate(name, flags, creation, access);
    else
        file->id = good ? H5Fopen(name, flags, access) : -1;
    H5Pclose(creation);
    H5Pclose(access);
    chgi_h5_leave(before);
    if (file->id >= 0)
        return file;
    chgi_memory_free(file);
    return NULL;
}

/* For what is not arrays: names, attributes, symbol tables. */
enum { SLACK = 1 << 16 };

/* \return 0 or the number of the error */
static int take_room(int fd, int64_t room)
{
    int error = posix_fallocate(fd, 0, (off_t)room + SLACK);
    return error == EINVAL || error == EOPNOTSUPP ? 0 : error; /* a file system that cannot say */
}

static chgnet_status not_written(chgnet_context *ctx, const char *path, int error)
{
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; make room or choose another place", path,
                             strerror(error));
}

chgnet_status chgi_h5_large_create(chgnet_context *ctx, const char *path, int64_t room, chgi_h5_large *large)
{
    large->file = NULL;
    CHGI_TRY(chgi_file_begin(ctx, path, ".new", &large->part));
    int error = take_room(large->part.fd, room);
    if (!error) {
        large->file = reach(large->part.name, large->part.fd, 0, H5F_ACC_TRUNC);
        error = large->file ? 0 : ENOMEM;
    }
    if (!error)
        return CHGNET_OK;
    chgi_h5_large_abandon(large);
    return error == ENOMEM ? chgi_context_nomem(ctx, SLACK, 1) : not_written(ctx, path, error);
}

chgnet_status chgi_h5_large_finish(chgnet_context *ctx, chgi_h5_large *large)
{
    chgi_h5_silence before = chgi_h5_enter();
    bool good = H5Fclose(large->file->id) >= 0;
    chgi_h5_leave(before);
    int error = large->file->disk.error;
    if (!error && !good)
        error = EIO;
    if (!error && ftruncate(large->part.fd, (off_t)large->file->disk.size) != 0)
        error = errno;
    chgi_memory_free(large->file);
    large->file = NULL;
    if (!error)
        return chgi_file_commit(ctx, &large->part);
    const char *path = large->part.path;
    chgi_file_abandon(&large->part);
    return not_written(ctx, path, error);
}

void chgi_h5_large_abandon(chgi_h5_large *large)
{
    chgi_h5_destroy(large->file);
    large->file = NULL;
    chgi_file_abandon(&large->part);
}

chgnet_status chgi_h5_open_large(chgnet_context *ctx, const char *path, chgi_h5 **file)
{
    struct stat info;
    *file = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return chgi_context_fail(ctx, error == ENOENT ? CHGNET_EINPUT : CHGNET_EIO,
                                 "%s: cannot be opened: %s; check it", path, strerror(error));
    }
    char start[16];
    ssize_t got = pread(fd, start, sizeof start, 0);
    if (got > 0 && chgi_h5_check_start(ctx, start, (size_t)got) == CHGNET_OK)
        *file = reach(path, fd, (haddr_t)info.st_size, H5F_ACC_RDONLY);
    if (*file) {
        (*file)->owns_fd = true;
        return CHGNET_OK;
    }
    close(fd);
    return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: is damaged, or no HDF5 file; put the right file there", path);
}

/* ---- arrays ----------------------------------------------------------------------------------- */

static chgnet_status not_made(chgnet_context *ctx, const char *group, const char *name)
{
    return chgi_context_fail(ctx, CHGNET_EINTERNAL, "HDF5 cannot store '%s/%s'", group, name);
}

chgnet_status chgi_h5_declare(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                              chgi_h5_type type, int rank, const int64_t *shape)
{
    hsize_t sizes[CHGI_H5_MAX_RANK] = {0};
    for (int i = 0; i < rank && rank <= CHGI_H5_MAX_RANK; i++)
        sizes[i] = (hsize_t)shape[i];
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group), space = H5Screate_simple(rank, sizes, NULL);
    hid_t stored = chgi_h5_file_type(type), creation = H5Pcreate(H5P_DATASET_CREATE);
    bool good =
        folder >= 0 && space >= 0 && stored >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
        H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER) >= 0;
    hid_t id = good ? H5Dcreate2(folder, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT) : -1;
    H5Dclose(id);
    H5Pclose(creation);
    H5Tclose(stored);
    H5Sclose(space);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return id >= 0 ? CHGNET_OK : not_made(ctx, group, name);
}

/* Rows of an array, chosen in its space.  \return the space, to be closed; negative when they are not there */
static hid_t choose_rows(hid_t array, int64_t first, int64_t n_row, hid_t *memory_space)
{
    hsize_t sizes[CHGI_H5_MAX_RANK], start[CHGI_H5_MAX_RANK] = {(hsize_t)first};
    hid_t space = array >= 0 ? H5Dget_space(array) : -1;
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    *memory_space = -1;
    if (rank >= 1 && rank <= CHGI_H5_MAX_RANK && H5Sget_simple_extent_dims(space, sizes, NULL) == rank) {
        sizes[0] = (hsize_t)n_row;
        *memory_space = H5Screate_simple(rank, sizes, NULL);
        if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, sizes, NULL) >= 0 && H5Sselect_valid(space) > 0)
            return space;
    }
    H5Sclose(space);
    return -1;
}

typedef enum direction { READ, WRITE } direction;

static bool move_rows(direction way, const chgi_h5 *file, const char *group, const char *name, chgi_h5_type type,
                      int64_t first, int64_t n_row, void *to, const void *from)
{
    hid_t here;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group), memory = chgi_h5_memory_type(type);
    hid_t array = chgi_h5_is_inside(folder, name) ? chgi_h5_trusted(H5Dopen2(folder, name, H5P_DEFAULT)) : -1;
    hid_t there = choose_rows(array, first, n_row, &here);
    bool good = there >= 0 && here >= 0 && memory >= 0;
    if (good && way == READ)
        good = H5Dread(array, memory, here, there, H5P_DEFAULT, to) >= 0;
    else if (good)
        good = H5Dwrite(array, memory, here, there, H5P_DEFAULT, from) >= 0;
    H5Sclose(here);
    H5Sclose(there);
    H5Dclose(array);
    H5Tclose(memory);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return good;
}

chgnet_status chgi_h5_write_rows(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                 chgi_h5_type type, int64_t first, int64_t n_row, const void *data)
{
    return move_rows(WRITE, file, group, name, type, first, n_row, NULL, data) ? CHGNET_OK : not_made(ctx, group, name);
}

chgnet_status chgi_h5_read_rows(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                chgi_h5_type type, int64_t first, int64_t n_row, void *data)
{
    return move_rows(READ, file, group, name, type, first, n_row, data, NULL)
               ? CHGNET_OK
               : chgi_context_fail(ctx, CHGNET_EINPUT, "'%s/%s' cannot be read; the file is damaged", group, name);
}

/* ---- names and attributes --------------------------------------------------------------------- */

chgnet_status chgi_h5_link(chgnet_context *ctx, chgi_h5 *file, const char *old, const char *group, const char *name)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group);
    bool good = folder >= 0 && H5Lcreate_hard(file->id, old, folder, name, H5P_DEFAULT, H5P_DEFAULT) >= 0;
    H5Gclose(folder);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : not_made(ctx, group, name);
}

/* Texts of variable length, which h5py reads as `str`; `object` and `space` may be negative. */
static bool put_texts(hid_t object, hid_t space, const char *name, const char *const *texts)
{
    hid_t type = H5Tcopy(H5T_C_S1), id = -1;
    if (type >= 0 && object >= 0 && space >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        id = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = id >= 0 && H5Awrite(id, type, texts) >= 0;
    H5Aclose(id);
    H5Tclose(type);
    return good;
}

chgnet_status chgi_h5_set_array_text(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name,
                                     const char *attribute, const char *text)
{
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group), space = H5Screate(H5S_SCALAR);
    hid_t array = folder >= 0 ? H5Dopen2(folder, name, H5P_DEFAULT) : -1;
    bool good = put_texts(array, space, attribute, &text);
    H5Dclose(array);
    H5Sclose(space);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : not_made(ctx, name, attribute);
}

chgnet_status chgi_h5_set_texts(chgnet_context *ctx, chgi_h5 *file, const char *group, const char *name, int64_t count,
                                const char *const *texts)
{
    const hsize_t size = (hsize_t)count;
    chgi_h5_silence before = chgi_h5_enter();
    hid_t folder = chgi_h5_open_group(file, group), space = H5Screate_simple(1, &size, NULL);
    bool good = put_texts(folder, space, name, texts);
    H5Sclose(space);
    H5Gclose(folder);
    chgi_h5_leave(before);
    return good ? CHGNET_OK : not_made(ctx, group, name);
}
