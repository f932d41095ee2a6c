/* A file on the disk as HDF5 sees it: our own descriptor behind a driver of HDF5's.
 *
 * HDF5 cannot cope with a disk that fails: some of its own writes are not looked at, and a close that fails leaves it
 * in a state that crashes later.  So it never hears of a failed write: `error` remembers the first one, and who closes
 * the file asks for it.  A failed read is told to HDF5, which passes it on. */
#ifndef CHGI_STORE_H5_DISK_H
#define CHGI_STORE_H5_DISK_H

#include <hdf5.h>
#include <stdbool.h>

typedef struct chgi_h5_disk {
    int fd;       /**< stays the owner's */
    int error;    /**< number of the first error of a write; 0: none */
    haddr_t size; /**< bytes that count; what lies behind them may be cut off */
} chgi_h5_disk;

/** A file access list for H5Fcreate (with `size` 0) or H5Fopen; to be closed, negative on failure.
 *  \param[in] disk  must outlive the file */
hid_t chgi_h5_disk_access(chgi_h5_disk *disk);

#endif
