#define _POSIX_C_SOURCE 200809L
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static chgnet_status read_all(chgnet_context *ctx, int fd, const char *path, char **data, size_t *length)
{
    size_t capacity = 0, used = 0;
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        CHGI_TRY(chgi_memory_grow(ctx, data, &capacity, (size_t)info.st_size + 2, 1));
    for (;;) {
        CHGI_TRY(chgi_memory_grow(ctx, data, &capacity, used + 2, 1)); /* room for one more byte and the NUL */
        ssize_t got = read(fd, *data + used, capacity - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be read: %s; a file that can be read is needed", path,
                                     strerror(errno));
        if (got == 0)
            break;
        used += (size_t)got;
    }
    (*data)[used] = '\0';
    *length = used;
    return CHGNET_OK;
}

static chgnet_status open_to_read(chgnet_context *ctx, const char *path, int *fd)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: is a directory; give a file", path);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0)
        return CHGNET_OK;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: cannot be opened: %s; check the path", path, strerror(errno));
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be opened: %s; a file that may be read is needed", path,
                             strerror(errno));
}

chgnet_status chgi_file_read(chgnet_context *ctx, const char *path, char **data, size_t *length)
{
    *data = NULL;
    *length = 0;
    int fd = STDIN_FILENO;
    bool standard = strcmp(path, "-") == 0;
    if (!standard)
        CHGI_TRY(open_to_read(ctx, path, &fd));
    chgnet_status status = read_all(ctx, fd, path, data, length);
    if (!standard)
        close(fd);
    if (status != CHGNET_OK) {
        chgi_memory_free(*data);
        *data = NULL;
    }
    return status;
}

bool chgi_file_put(int fd, const void *data, size_t length)
{
    const char *bytes = data;
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        length -= (size_t)done;
    }
    return true;
}

static chgnet_status not_written(chgnet_context *ctx, const char *path, int error)
{
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; choose another place", path, strerror(error));
}

static bool folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? snprintf(folder, size, "%.*s/", (int)(slash - path), path) : snprintf(folder, size, ".");
    return length >= 0 && (size_t)length < size;
}

/* The rename itself must survive a power cut; a folder that cannot be synced is no reason to fail. */
static void sync_folder(const char *path)
{
    char folder[4096];
    if (!folder_of(path, folder, sizeof folder))
        return;
    int fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* A device or a pipe (such as /dev/stdout) cannot be replaced by a rename: it is written as it is. */
static chgnet_status write_special(chgnet_context *ctx, const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && chgi_file_put(fd, data, length) && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    return good ? CHGNET_OK : not_written(ctx, path, error);
}

/* A file beside `path`, with a short name of its own: `path` may be as long as names may be. */
static int open_temporary(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        int length = snprintf(name, size, "%.*s.chgnet.%ld.%u.tmp", folder, path, (long)getpid(), attempt);
        if (length < 0 || (size_t)length >= size) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

chgnet_status chgi_file_check_writable(chgnet_context *ctx, const char *path)
{
    struct stat info;
    char folder[4096];
    bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: is a directory; give a file", path);
    if (exists && access(path, W_OK) != 0)
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; choose another place", path,
                                 strerror(errno));
    if (exists && !S_ISREG(info.st_mode))
        return CHGNET_OK;
    if (!folder_of(path, folder, sizeof folder))
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; choose another place", path,
                                 strerror(ENAMETOOLONG));
    if (access(folder, W_OK | X_OK) != 0)
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: its folder: %s; choose another place", path,
                                 strerror(errno));
    return CHGNET_OK;
}

static int open_suffixed(const char *path, const char *suffix, char *name, size_t size)
{
    int length = snprintf(name, size, "%s%s", path, suffix);
    if (length >= 0 && (size_t)length < size)
        return open(name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    errno = ENAMETOOLONG;
    return -1;
}

chgnet_status chgi_file_begin(chgnet_context *ctx, const char *path, const char *suffix, chgi_file_part *part)
{
    struct stat info;
    part->fd = -1;
    part->path = path;
    CHGI_TRY(chgi_file_check_writable(ctx, path));
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: is not a regular file; choose another place", path);
    part->fd = suffix ? open_suffixed(path, suffix, part->name, sizeof part->name)
                      : open_temporary(path, part->name, sizeof part->name);
    return part->fd >= 0 ? CHGNET_OK : not_written(ctx, path, errno);
}

void chgi_file_abandon(chgi_file_part *part)
{
    if (part->fd < 0)
        return;
    close(part->fd);
    unlink(part->name);
    part->fd = -1;
}

chgnet_status chgi_file_commit(chgnet_context *ctx, chgi_file_part *part)
{
    bool good = fsync(part->fd) == 0;
    int error = errno;
    if (close(part->fd) != 0 && good) {
        good = false;
        error = errno;
    }
    part->fd = -1;
    if (good && rename(part->name, part->path) != 0) {
        good = false;
        error = errno;
    }
    if (!good) {
        unlink(part->name);
        return not_written(ctx, part->path, error);
    }
    sync_folder(part->path);
    return CHGNET_OK;
}

chgnet_status chgi_file_write(chgnet_context *ctx, const char *path, const void *data, size_t length)
{
    struct stat info;
    chgi_file_part part;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        CHGI_TRY(chgi_file_check_writable(ctx, path));
        return write_special(ctx, path, data, length);
    }
    CHGI_TRY(chgi_file_begin(ctx, path, NULL, &part));
    if (chgi_file_put(part.fd, data, length))
        return chgi_file_commit(ctx, &part);
    int error = errno;
    chgi_file_abandon(&part);
    return not_written(ctx, path, error);
}
