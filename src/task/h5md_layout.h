/* Which arrays an H5MD file has, and where a frame's numbers stand in a record. */
#ifndef CHGI_TASK_H5MD_LAYOUT_H
#define CHGI_TASK_H5MD_LAYOUT_H

#include "store/h5.h"
#include "task/trajectory.h"

/** An array whose rows are frames. */
typedef struct chgi_h5md_field {
    char group[64];
    const char *name;
    const char *unit; /**< NULL: none */
    chgi_h5_type type;
    int rank;         /**< of a frame's part */
    int64_t shape[2]; /**< of a frame's part */
    int64_t start;    /**< where it begins in a record */
    int64_t n_word;   /**< numbers of 8 bytes of a frame */
} chgi_h5md_field;

enum { CHGI_H5MD_MAX_FIELDS = 12 + CHGI_TRAJECTORY_MAX_COLUMNS };

typedef struct chgi_h5md_layout {
    const chgi_trajectory_plan *plan;
    int64_t n_atom;
    bool has_stress;
    int n_field;
    chgi_h5md_field fields[CHGI_H5MD_MAX_FIELDS];
    int64_t n_word; /**< of all fields */
} chgi_h5md_layout;

/** \param[in] plan  must outlive the layout */
chgnet_status chgi_h5md_layout_make(chgnet_context *ctx, const chgi_trajectory_plan *plan, chgi_h5md_layout *layout);

/** \param[out] record (n_word) */
void chgi_h5md_layout_pack(const chgi_h5md_layout *layout, const chgi_frame *frame, uint64_t *record);

/** Records of n frames, field by field.
 *  \param[in]  stride   words from one record to the next
 *  \param[out] columns  (n_word * n) */
void chgi_h5md_layout_sort(const chgi_h5md_layout *layout, int64_t n, int64_t stride, const uint64_t *records,
                           double *columns);

/** Everything but the rows of an empty file. */
chgnet_status chgi_h5md_layout_declare(chgnet_context *ctx, const chgi_h5md_layout *layout, chgi_h5 *file,
                                       int64_t n_frame);
/** Check a file's arrays and count its frames.  \return CHGNET_OK; CHGNET_EINPUT when they are not those of the layout
 */
chgnet_status chgi_h5md_layout_count(chgnet_context *ctx, const chgi_h5md_layout *layout, chgi_h5 *file,
                                     int64_t *n_frame);

/** Frames first, first+1, ... (n of them), field by field: (n_word * n). */
chgnet_status chgi_h5md_layout_write(chgnet_context *ctx, const chgi_h5md_layout *layout, chgi_h5 *file, int64_t first,
                                     int64_t n, const double *columns);
chgnet_status chgi_h5md_layout_read(chgnet_context *ctx, const chgi_h5md_layout *layout, chgi_h5 *file, int64_t first,
                                    int64_t n, double *columns);

#endif
