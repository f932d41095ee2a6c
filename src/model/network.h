/* CHGNet's weights bound to kernels, and the arrays of one forward and reverse pass.
 *
 * Compiled for each precision and instruction set (nn/real.h).  Widths are padded to CHGI_PAD.  Layers are twins
 * f_forward, f_backward; they run inside one parallel region, and every array element has one owner (an atom, a bond,
 * an edge), so results do not depend on the number of threads.
 *
 * The first linear map of a gated MLP acts on [v_i, e_ij, v_j] or [e_ij, e_ik, a_ijk, v_i].  It is split: each part is
 * projected once per atom or bond, and the projections are gathered and added per edge or angle.  What depends on a
 * distance or an angle alone (message weights, first features, their projections, and those of long bonds, whose
 * features never change) is tabulated.  The angles (p,q) and (q,p), one turn, share their theta.
 *
 * Activations are kept for the reverse pass, or (`keep` false, large systems) made again tile by tile. */
#ifndef CHGI_MODEL_NETWORK_H
#define CHGI_MODEL_NETWORK_H

#include "crystal/graph.h"
#include "model/weights.h"
#include "nn/basis.h"
#include "nn/gated.h"
#include "nn/table.h"

enum {
    CHGI_TILE = 48, /* rows of a tile: stays in the caches, a multiple of the kernel's rows */
    CHGI_MOST_LAYERS = 16,
    CHGI_MOST_WIDTH = 512 /* of any feature */
};

typedef struct chgi_atom_conv {
    chgi_linear center, bond, neighbour; /**< -> 2 hidden; the bias is in center */
    bool has_long_bias;                  /**< whether any of these is not zero */
    chg_real *long_bias; /**< (2 hidden) what the bond convolutions' biases before this layer add to long bonds */
    chgi_gated gated;
    chgi_linear out;
    int column; /**< of the radial table: the bond's part for a bond with its first features */
} chgi_atom_conv;

/** Bond convolution and angle update read the same four parts. */
typedef struct chgi_angle_layer {
    chgi_linear first, second, angle, center; /**< -> 2 hidden (or 2 out); the bias is in center */
    chgi_gated gated;
    chgi_linear out; /**< bond convolution only */
    int column;      /**< of the turn table, for the layers that read an angle's first features; else -1 */
} chgi_angle_layer;

typedef struct chgi_network {
    int n_feature; /**< unpadded width of an atom's embedding */
    int width_atom, width_bond, width_angle;
    int n_conv, n_mlp, n_element;
    double atom_cutoff, bond_cutoff;
    chgi_radial radial_atom, radial_bond;
    chgi_angular angular;
    chgi_table radial; /**< by r: atom convolutions' parts, message weights wa, features e */
    int column_weight, column_feature;
    chgi_table weight; /**< by r of short bonds: message weights wb */
    chgi_table turn;   /**< by theta: parts of the first bond convolution and angle update, features a */
    int column_angle;
    chg_real *embedding;                /**< (n_element,width_atom) */
    chgi_linear pair_bond, pair_weight; /**< of radial basis functions: the bond's parts of the first messages */
    double *reference;                  /**< (n_element) composition reference, eV */
    chgi_atom_conv atom_conv[CHGI_MOST_LAYERS];
    chgi_angle_layer bond_conv[CHGI_MOST_LAYERS], angle_update[CHGI_MOST_LAYERS];
    chgi_linear magmom; /**< width_atom -> 1 */
    bool norm;          /**< LayerNorm before the readout */
    chg_real *norm_scale, *norm_shift;
    chgi_linear mlp[CHGI_MOST_LAYERS];
    chgi_arena arena;
} chgi_network;

/** Arrays of one pass; n, b, s, d, e, a, p, f = atoms, bonds, short bonds, short edges, edges, angles, turns, far
 * atoms. [k]: one slot for each layer where the reverse pass needs them, else one. */
typedef struct chgi_workspace {
    chg_real *v;             /**< [n_conv + 1] (n,width_atom) */
    chg_real *e;             /**< [n_conv] (s,width_bond) features of short bonds */
    chg_real *angle;         /**< [n_conv-2, recomputing] (a,width_angle) from the first update on; then dangle */
    chgi_place *bond_place;  /**< (b) in the radial table */
    chgi_place *turn_place;  /**< (p) in the turn table */
    chg_real *wa;            /**< (b,width_atom) weights of atom messages */
    chg_real *wa_slope;      /**< keeping: (b,width_atom) their slopes in r */
    chg_real *wb, *wb_slope; /**< (s,width_bond) weights of bond messages; slope in r */
    chg_real *from_center, *from_neighbour; /**< [n_conv] (n,2 hidden) projections of v */
    chg_real *from_bond;       /**< keeping: [n_conv] (b,2 hidden) projections of e for atom convolutions */
    chg_real *from_bond_slope; /**< keeping: [n_conv] (b - s,2 hidden) slopes in r of long bonds' projections */
    chg_real *from_first, *from_second; /**< (s,widest) projections of e for the angle layer at work */
    chg_real *from_middle;              /**< (n,widest) projection of v for the angle layer at work */
    chg_real *sum;                      /**< (n,width_atom) message sums; backward: their gradient */
    chg_real *message;                  /**< (d,width_bond) */
    chg_real *y_atom;                   /**< keeping: [n_conv] (e,2 width_atom) what enters the LayerNorms */
    chg_real *slope_bond, *y_bond;      /**< keeping: [n_conv-1] (a,2 hidden), (a,2 width_bond) */
    chg_real *slope_angle, *y_angle;    /**< keeping: [n_conv-2] likewise of angle updates */
    chg_real *readout;                  /**< [n_mlp] (n,hidden) before each activation */
    chg_real *final;                    /**< (n,width_atom) atom_fea_final */
    chg_real *crossing;                 /**< (graph->n_crossing,width_bond) on their way to other processes */

    chg_real *dv, *dv_part;     /**< (n,width_atom), (n,widest) */
    chg_real *de, *de_part;     /**< (s,width_bond) */
    chg_real *dangle;           /**< (a,width_angle), in the place of the last features */
    chg_real *dfar;             /**< (f,2 hidden) */
    chg_real *dfirst, *dsecond; /**< (d,widest) */
    double *dlength_edge;       /**< (e) dE/dr through tables */
    double *dlength_short;      /**< (d) dE/dr through the weights of bond messages */
    double *dtheta;             /**< (p) */
    double *dvector_short;      /**< (d,3) dE/d(edge vector) through the angles */

    chg_real *scratch;   /**< [threads] tiles of one thread */
    size_t scratch_size; /**< numbers per thread */
    chg_real *turns;     /**< [threads] (2,turns of one atom,widest) rows of the turn table, values and slopes */
    size_t turns_size;   /**< numbers per thread */
} chgi_workspace;

/** Everything one pass works on. */
typedef struct chgi_pass {
    const chgi_network *net;
    const chgi_graph *graph;
    const int32_t *numbers;
    chgi_workspace w;
    int n_thread;
    bool gradient;                        /**< there will be a reverse pass */
    struct chgi_profile *profile;         /**< NULL: no times are taken */
    bool keep;                            /**< keep activations for it */
    const chgnet_exchange *exchange;      /**< with other processes' parts; NULL: there are none */
    const struct chgi_pair_tables *pairs; /**< where the first atom convolution's messages come from; NULL: made */
} chgi_pass;

#define chgi_network_bind CHGI_K(network_bind)
#define chgi_network_release CHGI_K(network_release)
#define chgi_network_widest CHGI_K(network_widest)
#define chgi_pass_layout CHGI_K(pass_layout)
#define chgi_embed_forward CHGI_K(embed_forward)
#define chgi_embed_backward CHGI_K(embed_backward)
#define chgi_atom_conv_forward CHGI_K(atom_conv_forward)
#define chgi_atom_conv_backward CHGI_K(atom_conv_backward)
#define chgi_bond_conv_forward CHGI_K(bond_conv_forward)
#define chgi_bond_conv_backward CHGI_K(bond_conv_backward)
#define chgi_angle_update_forward CHGI_K(angle_update_forward)
#define chgi_angle_update_backward CHGI_K(angle_update_backward)
#define chgi_readout_forward CHGI_K(readout_forward)
#define chgi_readout_backward CHGI_K(readout_backward)

/** Copy weights into kernel order.
 *  \return CHGNET_OK; CHGNET_EINPUT for sizes beyond the limits above; CHGNET_ENOMEM */
chgnet_status chgi_network_bind(chgnet_context *ctx, const chgi_weights *weights, chgi_network *net);
void chgi_network_release(chgi_network *net);

/** Width of the widest row that any layer handles. */
int chgi_network_widest(const chgi_network *net);

/** Bind the workspace's pointers (arena with memory) or count bytes (empty arena). */
void chgi_pass_layout(chgi_arena *arena, chgi_pass *pass);

/** Tiles of the calling thread, CHGI_TILE rows of the widest width each. */
enum {
    CHGI_TILE_X,
    CHGI_TILE_H,
    CHGI_TILE_Y,
    CHGI_TILE_G,
    CHGI_TILE_DG,
    CHGI_TILE_DY,
    CHGI_TILE_DX,
    CHGI_TILE_SLOPE,
    CHGI_TILES
};

static inline chg_real *chgi_pass_tile(const chgi_pass *pass, int thread, int tile)
{
    return pass->w.scratch + (size_t)thread * pass->w.scratch_size + (size_t)tile * (pass->w.scratch_size / CHGI_TILES);
}

/** Rows of the calling thread for the turns of one atom: of values, or of slopes. */
static inline chg_real *chgi_pass_turns(const chgi_pass *pass, int thread, bool slopes)
{
    return pass->w.turns + (size_t)thread * pass->w.turns_size + (slopes ? pass->w.turns_size / 2 : 0);
}

/** Slot of a layer among the arrays that the reverse pass needs. */
static inline int64_t chgi_pass_slot(const chgi_pass *pass, int layer)
{
    return pass->gradient ? layer : 0;
}

/** v and e as atom convolution `layer` reads them; with layer = n_conv, v as the readout does. */
static inline chg_real *chgi_pass_v(const chgi_pass *pass, int layer)
{
    return pass->w.v + chgi_pass_slot(pass, layer) * pass->graph->n_atom * pass->net->width_atom;
}

static inline chg_real *chgi_pass_e(const chgi_pass *pass, int layer)
{
    int64_t slot = pass->graph->has_angles ? chgi_pass_slot(pass, layer) : 0; /* without angles e never changes */
    return pass->w.e + slot * pass->graph->n_short_bond * pass->net->width_bond;
}

/* Layers.  All threads of a parallel region call them.  Backward twins add to the d arrays of their inputs. */

/** Bases, embeddings, message weights, angle features. */
void chgi_embed_forward(const chgi_pass *pass);
/** \param[out] bond_gradient (n_bond,3) dE/d(bond vector), eV/A */
void chgi_embed_backward(const chgi_pass *pass, double *bond_gradient);
/** v_i += out(sum over edges of gated([v_i, e_ij, v_j]) wa_ij).  Source: chgnet/model/layers.py:AtomConv */
void chgi_atom_conv_forward(const chgi_pass *pass, int layer);
void chgi_atom_conv_backward(const chgi_pass *pass, int layer);
/** e_ij += out(sum over angles of gated([e_ij, e_ik, a_ijk, v_i]) wb_ij wb_ik), both ends.  Source: layers.py:BondConv
 */
void chgi_bond_conv_forward(const chgi_pass *pass, int layer);
void chgi_bond_conv_backward(const chgi_pass *pass, int layer);
/** a_ijk += gated([e_ij, e_ik, a_ijk, v_i]).  Source: layers.py:AngleUpdate */
void chgi_angle_update_forward(const chgi_pass *pass, int layer);
void chgi_angle_update_backward(const chgi_pass *pass, int layer);
/** LayerNorm, then the energy MLP.  \param[out] site_energies (n) eV, composition reference included */
void chgi_readout_forward(const chgi_pass *pass, double *site_energies);
/** Overwrites dv.  \param[in] seed_site (n) dE/d(site energy), NULL: 1  \param[in] seed_final (n,n_feature) or NULL */
void chgi_readout_backward(const chgi_pass *pass, const double *seed_site, const double *seed_final);

#endif
