/* What the files of the HDF5 helpers share. */
#ifndef CHGI_STORE_H5_INSIDE_H
#define CHGI_STORE_H5_INSIDE_H

#include <hdf5.h>

#include "store/h5.h"

struct chgi_h5 {
    hid_t id;
    size_t length; /**< of the bytes it was opened from: no array may be much larger */
};

/** How HDF5 told its errors before a call. */
typedef struct chgi_h5_silence {
    H5E_auto2_t function;
    void *data;
} chgi_h5_silence;

/** Wait for this thread's turn and silence HDF5's messages; chgi_h5_leave undoes both. */
chgi_h5_silence chgi_h5_enter(void);
void chgi_h5_leave(chgi_h5_silence before);

/* The format of HDF5 1.8: every version reads it, and its records have checksums, so that HDF5 sees damage before it
 * trusts a record (the older format, which is the default, lets it crash). */
#if H5_VERSION_GE(1, 10, 2)
#define CHGI_H5_FORMAT H5F_LIBVER_V18
#else
#define CHGI_H5_FORMAT H5F_LIBVER_LATEST
#endif

/* Identifiers of HDF5: to be closed by the caller, negative on failure. */

/** A group by path; "" is the root. */
hid_t chgi_h5_open_group(const chgi_h5 *file, const char *group);
/** The type of an array in the file, and of its values in memory. */
hid_t chgi_h5_file_type(chgi_h5_type type);
hid_t chgi_h5_memory_type(chgi_h5_type type);

#endif
