#define _POSIX_C_SOURCE 200809L
#include "base/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

static chgnet_status not_written(chgnet_context *ctx, const char *path, int error)
{
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: cannot be written: %s; make room or choose another place", path,
                             strerror(error));
}

/* A lock that a file system cannot give is done without. */
static chgnet_status take_alone(chgnet_context *ctx, const chgi_append *file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file->fd, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN))
        return CHGNET_OK;
    return chgi_context_fail(ctx, CHGNET_EIO, "%s: another run writes to it; wait for its end or choose another place",
                             file->path);
}

static chgnet_status check_kind(chgnet_context *ctx, chgi_append *file, int64_t keep)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return not_written(ctx, file->path, errno);
    if (!S_ISREG(info.st_mode))
        return chgi_context_fail(ctx, CHGNET_EIO, "%s: is not a regular file; choose another place", file->path);
    file->length = info.st_size;
    if (info.st_size < keep)
        return chgi_context_fail(ctx, CHGNET_EINPUT,
                                 "%s: has %lld bytes, but %lld are needed to go on; put the file back, or start anew",
                                 file->path, (long long)info.st_size, (long long)keep);
    return CHGNET_OK;
}

static chgnet_status open_kept(chgnet_context *ctx, chgi_append *file, int64_t keep)
{
    file->fd = open(file->path, O_RDWR | O_CLOEXEC | (keep > 0 ? 0 : O_CREAT), 0666);
    if (file->fd < 0 && keep > 0 && errno == ENOENT)
        return chgi_context_fail(ctx, CHGNET_EINPUT, "%s: is missing; put the file back, or start anew", file->path);
    if (file->fd < 0)
        return not_written(ctx, file->path, errno);
    CHGI_TRY(check_kind(ctx, file, keep));
    CHGI_TRY(take_alone(ctx, file));
    return keep < 0 ? CHGNET_OK : chgi_append_cut(ctx, file, keep);
}

chgnet_status chgi_append_open(chgnet_context *ctx, const char *path, int64_t keep, chgi_append *file)
{
    *file = (chgi_append){.fd = -1, .path = chgi_memory_copy_text(path)};
    if (!file->path)
        return chgi_context_nomem(ctx, strlen(path) + 1, 1);
    chgnet_status status = open_kept(ctx, file, keep);
    if (status != CHGNET_OK)
        (void)chgi_append_close(NULL, file);
    return status;
}

chgnet_status chgi_append_cut(chgnet_context *ctx, chgi_append *file, int64_t length)
{
    if (ftruncate(file->fd, (off_t)length) != 0 || lseek(file->fd, (off_t)length, SEEK_SET) < 0)
        return not_written(ctx, file->path, errno);
    file->length = length;
    return CHGNET_OK;
}

chgnet_status chgi_append_write(chgnet_context *ctx, chgi_append *file, const void *data, size_t length)
{
    if (chgi_file_put(file->fd, data, length)) {
        file->length += (int64_t)length;
        return CHGNET_OK;
    }
    int error = errno;
    (void)chgi_append_cut(NULL, file, file->length); /* a part of a piece is of no use to anyone */
    return not_written(ctx, file->path, error);
}

chgnet_status chgi_append_sync(chgnet_context *ctx, chgi_append *file)
{
    return fsync(file->fd) == 0 ? CHGNET_OK : not_written(ctx, file->path, errno);
}

chgnet_status chgi_append_close(chgnet_context *ctx, chgi_append *file)
{
    chgnet_status status = CHGNET_OK;
    if (file->fd >= 0 && close(file->fd) != 0)
        status = not_written(ctx, file->path, errno);
    chgi_memory_free(file->path);
    *file = (chgi_append){.fd = -1};
    return status;
}
