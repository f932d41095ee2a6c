#define _POSIX_C_SOURCE 200809L
#include "store/h5_disk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct driver_file {
    H5FD_t head; /* of HDF5; must come first */
    chgi_h5_disk *disk;
    haddr_t end; /* of what HDF5 has given out */
} driver_file;

#define LARGEST_ADDRESS (((haddr_t)1 << 62) - 1)

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t largest)
{
    const void *info = H5Pget_driver_info(access);
    driver_file *file = info ? chgi_memory_new(1, sizeof *file) : NULL;
    (void)name, (void)flags, (void)largest;
    if (!file)
        return NULL;
    memcpy(&file->disk, info, sizeof file->disk);
    return &file->head;
}

static herr_t close_file(H5FD_t *head)
{
    chgi_memory_free(head);
    return 0;
}

/* As HDF5's own driver for files: it gathers small pieces before it writes. */
static herr_t query(const H5FD_t *head, unsigned long *flags)
{
    (void)head;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t get_end(const H5FD_t *head, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)(const void *)head)->end;
}

static herr_t set_end(H5FD_t *head, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((driver_file *)(void *)head)->end = end;
    return 0;
}

static haddr_t get_size(const H5FD_t *head, H5FD_mem_t type)
{
    (void)type;
    return ((const driver_file *)(const void *)head)->disk->size;
}

/* Behind the end are zeros. */
static herr_t read_bytes(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t length, void *to)
{
    const driver_file *file = (const driver_file *)(const void *)head;
    char *bytes = to;
    (void)type, (void)transfer;
    while (length > 0) {
        if (at > LARGEST_ADDRESS)
            return -1;
        ssize_t got = pread(file->disk->fd, bytes, length, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            memset(bytes, 0, length);
            break;
        }
        bytes += got;
        at += (haddr_t)got;
        length -= (size_t)got;
    }
    return 0;
}

static herr_t write_bytes(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t length, const void *from)
{
    chgi_h5_disk *disk = ((driver_file *)(void *)head)->disk;
    const char *bytes = from;
    (void)type, (void)transfer;
    while (length > 0 && disk->error == 0) {
        ssize_t done = pwrite(disk->fd, bytes, length, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            disk->error = errno;
            break;
        }
        bytes += done;
        at += (haddr_t)done;
        length -= (size_t)done;
        disk->size = at > disk->size ? at : disk->size;
    }
    return 0;
}

/* The owner cuts the file to its size. */
static herr_t cut(H5FD_t *head, hid_t transfer, hbool_t closing)
{
    driver_file *file = (driver_file *)(void *)head;
    (void)transfer, (void)closing;
    file->disk->size = file->end;
    return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = H5_VFD_RESERVED + 77, /* 256 to 511 are for drivers that nobody registered */
#endif
    .name = "chgnet-disk",
    .maxaddr = LARGEST_ADDRESS,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(chgi_h5_disk *),
    .open = open_file,
    .close = close_file,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_size,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = cut,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t chgi_h5_disk_access(chgi_h5_disk *disk)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), id = H5FDregister(&driver);
    bool good = access >= 0 && id >= 0 && H5Pset_driver(access, id, &disk) >= 0;
    if (id >= 0)
        H5FDunregister(id); /* the list, and later the file, keep it */
    if (good)
        return access;
    H5Pclose(access);
    return -1;
}
