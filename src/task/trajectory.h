/* Trajectories: frames appended to extended XYZ or H5MD while a run goes on, and a table of observables (CSV) beside.
 *
 * Extended XYZ: one write a frame.  H5MD: frames go to T.h5.part, records with checksums, and T.h5 is made from what is
 * in T.h5 and T.h5.part, whole, when the run ends and when a mark finds that the frames have doubled; so T.h5 is always
 * a closed file, all in all each frame is copied a few times only, and memory holds a few frames, however long the run.
 * Equal frames make equal files, whenever T.h5 was made and however often the run was stopped and resumed.
 */
#ifndef CHGI_TASK_TRAJECTORY_H
#define CHGI_TASK_TRAJECTORY_H

#include "crystal/structure.h"

/** A number that each frame has: a column of the table and an observable of H5MD. */
typedef struct chgi_column_name {
    const char *column; /**< in the table: "potential_eV" */
    const char *name;   /**< in H5MD: "potential_energy" */
    const char *unit;   /**< in H5MD: "eV"; "" for none */
} chgi_column_name;

enum { CHGI_TRAJECTORY_MAX_COLUMNS = 24 };

/** What a trajectory holds, the same for all of its frames. */
typedef struct chgi_trajectory_plan {
    const char *path;                /**< T; its suffix chooses the format: .extxyz, .xyz; .h5, .h5md */
    const char *log;                 /**< of the table; NULL: none */
    const chgi_structure *structure; /**< elements, periodic axes, mask; must outlive the trajectory */
    const double *masses;            /**< (n_atom) atomic mass units; must outlive the trajectory */
    const char *creator;             /**< version of the program, for H5MD */
    int n_feature;                   /**< length of the embeddings that frames have; 0: none */
    bool magmoms;                    /**< frames have them */
    int n_column;
    const chgi_column_name *columns; /**< (n_column) after step and time; must outlive the trajectory */
} chgi_trajectory_plan;

typedef struct chgi_frame {
    int64_t step;
    double time;              /**< fs */
    double energy;            /**< eV, potential */
    const double *positions;  /**< (n_atom,3) A */
    const double *velocities; /**< (n_atom,3) A/fs */
    const double *forces;     /**< (n_atom,3) eV/A */
    const double *magmoms;    /**< (n_atom) mu_B, where the plan says so */
    const double *embeddings; /**< (n_atom,n_feature), where the plan says so */
    double cell[3][3];        /**< A */
    double stress[3][3];      /**< GPa, of the potential alone, ASE's sign; read where all axes are periodic */
    const double *values;     /**< (n_column); not finite: an empty field of the table */
} chgi_frame;

/** Where a trajectory stands; a checkpoint keeps it. */
typedef struct chgi_trajectory_mark {
    int64_t n_frame;
    int64_t length;     /**< bytes of extended XYZ; 0 for H5MD */
    int64_t log_length; /**< bytes of the table */
} chgi_trajectory_mark;

typedef struct chgi_trajectory chgi_trajectory;

/** Refuse a path before long work.  \return CHGNET_OK; CHGNET_EUSAGE for an unknown suffix; CHGNET_EIO when the folder
 *  is not there or nothing can be written there */
chgnet_status chgi_trajectory_check(chgnet_context *ctx, const char *path);

/** Begin, or go on from a mark: what lies behind it is cut off.
 *  \param[in] mark  NULL: a new trajectory; an old one of that name stays until chgi_trajectory_clear
 *  \return CHGNET_OK; CHGNET_EINPUT when the files are not those of the mark; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_trajectory_open(chgnet_context *ctx, const chgi_trajectory_plan *plan,
                                   const chgi_trajectory_mark *mark, chgi_trajectory **trajectory);

/** Empty a new trajectory: the old one, if any, may go. */
chgnet_status chgi_trajectory_clear(chgnet_context *ctx, chgi_trajectory *trajectory);

/** Append a frame, and its line of the table.
 *  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM, and then the files are as they were before */
chgnet_status chgi_trajectory_add(chgnet_context *ctx, chgi_trajectory *trajectory, const chgi_frame *frame);

int64_t chgi_trajectory_count(const chgi_trajectory *trajectory);

/** Wait until all frames are on the disk, and say where that is. */
chgnet_status chgi_trajectory_sync(chgnet_context *ctx, chgi_trajectory *trajectory, chgi_trajectory_mark *mark);

/** Where T.h5 lags behind by half of the frames: make it.  Call it after the checkpoint that holds the mark. */
chgnet_status chgi_trajectory_publish(chgnet_context *ctx, chgi_trajectory *trajectory);

/** Make T.h5 complete and remove T.h5.part. */
chgnet_status chgi_trajectory_finish(chgnet_context *ctx, chgi_trajectory *trajectory);

/** Close and free; NULL is allowed.  What was not finished stays to be resumed; without any frame there is no file. */
void chgi_trajectory_destroy(chgi_trajectory *trajectory);

#endif
