/* A disk that fails: LD_PRELOAD this to let one call fail on a regular file that is open for writing.
 *
 *     IO_FAIL="KIND N"   the N-th call of KIND fails: write, short (a write that takes half), fsync, rename, close,
 *                        truncate, open (of a file that is to be written)
 *     IO_COUNT=PATH      how many calls of each kind there were is written there, "KIND N" by lines
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE, SHORT, FSYNC, RENAME, CLOSE, TRUNCATE, OPEN, KINDS };
static const char *const names[KINDS] = {"write", "short", "fsync", "rename", "close", "truncate", "open"};
static long counts[KINDS];

/* Counts a call; true when it is the one that is to fail. */
static int is_due(int kind)
{
    const char *text = getenv("IO_FAIL"), *blank = text ? strchr(text, ' ') : NULL;
    long n = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    return blank && strncmp(text, names[kind], (size_t)(blank - text)) == 0 && !names[kind][blank - text] &&
           atol(blank + 1) == n;
}

static int is_output(int fd)
{
    struct stat info;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && fd > 2;
}

/* The C library's function of that name; ISO C has no other way from a pointer to a function. */
#define NEXT(type, name)                      \
    static type next;                         \
    if (!next) {                              \
        void *found = dlsym(RTLD_NEXT, name); \
        memcpy(&next, &found, sizeof next);   \
    }

typedef ssize_t (*writer)(int, const void *, size_t);
typedef ssize_t (*placed_writer)(int, const void *, size_t, off_t);
typedef int (*one)(int);
typedef int (*renamer)(const char *, const char *);
typedef int (*truncater)(int, off_t);
typedef int (*opener)(const char *, int, ...);

ssize_t write(int fd, const void *data, size_t length)
{
    NEXT(writer, "write")
    if (is_output(fd) && is_due(WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    if (is_output(fd) && length > 1 && is_due(SHORT))
        length /= 2;
    return next(fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at)
{
    NEXT(placed_writer, "pwrite")
    if (is_output(fd) && is_due(WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    return next(fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at)
{
    return pwrite(fd, data, length, at);
}

int fsync(int fd)
{
    NEXT(one, "fsync")
    if (is_output(fd) && is_due(FSYNC)) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}

/* Fails only in what it says: the descriptor is closed, as Linux does it. */
int close(int fd)
{
    NEXT(one, "close")
    int fails = is_output(fd) && is_due(CLOSE), result = next(fd);
    if (!fails)
        return result;
    errno = EIO;
    return -1;
}

int rename(const char *from, const char *to)
{
    NEXT(renamer, "rename")
    if (is_due(RENAME)) {
        errno = EIO;
        return -1;
    }
    return next(from, to);
}

int ftruncate(int fd, off_t length)
{
    NEXT(truncater, "ftruncate")
    if (is_output(fd) && is_due(TRUNCATE)) {
        errno = EIO;
        return -1;
    }
    return next(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return ftruncate(fd, length);
}

static int open_or_fail(opener next, const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) != O_RDONLY && (flags & O_CREAT) && is_due(OPEN)) {
        errno = EACCES;
        return -1;
    }
    return next(path, flags, mode);
}

/* The mode is there only where a file may be made. */
#define OPEN_FUNCTION(name)                           \
    int name(const char *path, int flags, ...)        \
    {                                                 \
        NEXT(opener, #name)                           \
        mode_t mode = 0;                              \
        va_list list;                                 \
        va_start(list, flags);                        \
        if (flags & O_CREAT)                          \
            mode = va_arg(list, mode_t);              \
        va_end(list);                                 \
        return open_or_fail(next, path, flags, mode); \
    }
OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("IO_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    for (int kind = 0; file && kind < KINDS; kind++)
        fprintf(file, "%s %ld\n", names[kind], counts[kind]);
    if (file)
        fclose(file);
}
