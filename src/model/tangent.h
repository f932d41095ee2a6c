/* The tangent (forward-mode) pass: how site energies and embeddings change along given changes of the bond vectors.
 *
 * Compiled for each precision and instruction set, as the network is.  A pass makes the values once more, tile by tile,
 * beside the tangents of all its directions: it shares weights and tables with the other passes, and no activations.
 * Arrays have a slot for the values and then one for each direction, and follow the newest layer: every layer changes
 * v, e or the angles' features in place. */
#ifndef CHGI_MODEL_TANGENT_H
#define CHGI_MODEL_TANGENT_H

#include "model/kernel.h"
#include "model/rows.h"
#include "nn/gated_tangent.h"

#define chgi_tangent_run CHGI_K(tangent_run)
#define chgi_tangent_project CHGI_K(tangent_project)
#define chgi_tangent_point CHGI_K(tangent_point)
#define chgi_tangent_embed CHGI_K(tangent_embed)
#define chgi_tangent_atom_conv CHGI_K(tangent_atom_conv)
#define chgi_tangent_bond_conv CHGI_K(tangent_bond_conv)
#define chgi_tangent_angle_update CHGI_K(tangent_angle_update)
#define chgi_tangent_readout CHGI_K(tangent_readout)

/** n, b, s, d, a, p, l = atoms, bonds, short bonds, short edges, angles, turns, long bonds. */
typedef struct chgi_tangent {
    const chgi_network *net;
    const chgi_graph *graph;
    const int32_t *numbers;
    int n_thread;
    int n_slot; /**< 1 + directions */

    chg_real *v;                            /**< [slot] (n,width_atom) */
    chg_real *e;                            /**< [slot] (s,width_bond) */
    chg_real *angle;                        /**< [slot] (a,width_angle) */
    chg_real *length, *theta;               /**< [direction] (b), (p): dr, A, and dtheta, radian */
    chgi_place *bond_place, *turn_place;    /**< (b), (p) in the radial and the turn table */
    chg_real *wa, *wa_slope;                /**< (b,width_atom) weights of atom messages; slope in r */
    chg_real *wb, *wb_slope;                /**< (s,width_bond) weights of bond messages */
    chg_real *from_center, *from_neighbour; /**< [slot] (n,2 hidden) projections of v */
    chg_real *from_short;                   /**< [slot] (s,2 hidden) projections of e */
    chg_real *from_long, *from_long_slope;  /**< (l,2 hidden) likewise of long bonds, from the table */
    chg_real *from_first, *from_second;     /**< [slot] (s,widest) projections of e for the angle layer at work */
    chg_real *from_middle;                  /**< [slot] (n,widest) projection of v for it */
    chg_real *sum;                          /**< [slot] (n,width_atom) message sums */
    chg_real *message;                      /**< [slot] (d,width_bond) */
    chg_real *final;                        /**< [slot] (n,width_atom) atom_fea_final */
    chg_real *scratch;                      /**< [threads] tiles of one thread */
    size_t scratch_size;                    /**< numbers per thread */
} chgi_tangent;

/** Tiles of one thread, CHGI_TILE rows of the widest width each. */
enum {
    CHGI_TANGENT_X,
    CHGI_TANGENT_H,
    CHGI_TANGENT_Y,
    CHGI_TANGENT_G,
    CHGI_TANGENT_FACTOR,
    CHGI_TANGENT_SHARE,
    CHGI_TANGENT_SLOPE,
    CHGI_TANGENT_DX,
    CHGI_TANGENT_DY,
    CHGI_TANGENT_DG,
    CHGI_TANGENT_TILES
};

static inline chg_real *chgi_tangent_tile(const chgi_tangent *t, int tile)
{
    return t->scratch + (size_t)omp_get_thread_num() * t->scratch_size +
           (size_t)tile * (t->scratch_size / CHGI_TANGENT_TILES);
}

/** The calling thread's tiles as the place where a gated MLP is linearised. */
chgi_gated_point chgi_tangent_point(const chgi_tangent *t);

/** out = x W^T, or out += x W^T, in every slot; the bias goes to the values alone.
 *  \param[in] rows  of one slot */
void chgi_tangent_project(const chgi_tangent *t, const chgi_linear *linear, int64_t rows, const chg_real *x,
                          chg_real *out, bool add);

/* Layers: as in network.h; all threads of a parallel region call them. */

/** \param[in] dvector (n_direction,n_bond,3) changes of the bond vectors */
void chgi_tangent_embed(const chgi_tangent *t, const double *dvector);
void chgi_tangent_atom_conv(const chgi_tangent *t, int layer);
void chgi_tangent_bond_conv(const chgi_tangent *t, int layer);
void chgi_tangent_angle_update(const chgi_tangent *t, int layer);
/** Makes t->final.  \param[out] d_site (n_direction,n_atom); NULL: the energies are not wanted */
void chgi_tangent_readout(const chgi_tangent *t, double *d_site);

/** chgi_kernel.tangent */
chgnet_status chgi_tangent_run(chgnet_context *ctx, const chgi_run *run, int n_direction, const double *dvector,
                               double *d_site, double *d_fea, double *d_final);

#endif
