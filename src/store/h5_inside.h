/* What the files of the HDF5 helpers share. */
#ifndef CHGI_STORE_H5_INSIDE_H
#define CHGI_STORE_H5_INSIDE_H

#include <hdf5.h>

#include "store/h5.h"
#include "store/h5_disk.h"

struct chgi_h5 {
    hid_t id;
    size_t length;     /**< of the bytes it was opened from: no array may be much larger */
    chgi_h5_disk disk; /**< of a file on the disk */
    bool owns_fd;      /**< whether the descriptor is closed with it */
};

/** How HDF5 told its errors before a call, and which plug-ins it might load. */
typedef struct chgi_h5_silence {
    H5E_auto2_t function;
    void *data;
    unsigned plugins;
} chgi_h5_silence;

/** Wait for this thread's turn, silence HDF5's messages and forbid it plug-ins; chgi_h5_leave undoes all three. */
chgi_h5_silence chgi_h5_enter(void);
void chgi_h5_leave(chgi_h5_silence before);

/* The format of HDF5 1.8: every version reads it, and its records have checksums, so that HDF5 sees damage before it
 * trusts a record (the older format, which is the default, lets it crash). */
#if H5_VERSION_GE(1, 10, 2)
#define CHGI_H5_FORMAT H5F_LIBVER_V18
#else
#define CHGI_H5_FORMAT H5F_LIBVER_LATEST
#endif

/** Refuse what is no HDF5 file, and files without checksums of their headers: libhdf5 reads memory that it has freed
 * where those are damaged.
 * \param[in] data  the first bytes of the file; the first nine are looked at */
chgnet_status chgi_h5_check_start(chgnet_context *ctx, const void *data, size_t length);

/* Identifiers of HDF5: to be closed by the caller, negative on failure. */

/** Whether a group has a member of that name which lies in the same file: HDF5 must not follow a name out of it.
 * `folder` may be negative. */
bool chgi_h5_is_inside(hid_t folder, const char *name);
/** The object, or, closed and negative, where its header has no checksum: see chgi_h5_check_start. */
hid_t chgi_h5_trusted(hid_t object);
/** A group by path; "" is the root.  Negative where a step of the path is a soft or external link, too. */
hid_t chgi_h5_open_group(const chgi_h5 *file, const char *group);
/** The type of an array in the file, and of its values in memory. */
hid_t chgi_h5_file_type(chgi_h5_type type);
hid_t chgi_h5_memory_type(chgi_h5_type type);

#endif
