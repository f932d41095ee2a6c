/* The network behind one interface, whatever its precision and instruction set. */
#ifndef CHGI_MODEL_KERNEL_H
#define CHGI_MODEL_KERNEL_H

#include "base/arena.h"
#include "crystal/graph.h"
#include "model/weights.h"

enum {
    CHGI_MOST_DIRECTIONS = 32, /* of one tangent pass */
    CHGI_MOST_PAIRED = 8,      /* elements of a structure whose first messages are tabulated by pairs */
    CHGI_MOST_ELEMENTS = 128   /* atomic numbers below */
};

/** The parts of a pass; layers have an entry for each convolution. */
enum {
    CHGI_PHASE_EMBED,
    CHGI_PHASE_ATOM_CONV,
    CHGI_PHASE_BOND_CONV,
    CHGI_PHASE_ANGLE_UPDATE,
    CHGI_PHASE_READOUT,
    CHGI_PHASE_OTHER,
    CHGI_PHASES,
    CHGI_PHASE_LAYERS = 16
};

/** Where the time of passes goes, for the benchmarks. */
typedef struct chgi_profile {
    double seconds[2][CHGI_PHASES][CHGI_PHASE_LAYERS]; /**< forward, backward; passes add to it */
    double mark;                                       /**< when the last part ended */
} chgi_profile;

/** The first messages of pairs of elements (model/pair_table.h).  Whoever makes many steps owns one, zero at first;
 *  passes fill it when the elements change. */
typedef struct chgi_pair_tables {
    const void *network; /**< whose they are; NULL: there are none */
    int n_element;
    int element[CHGI_MOST_PAIRED]; /**< atomic numbers, ascending */
    int slot[CHGI_MOST_ELEMENTS];  /**< place among them, by atomic number */
    chgi_arena memory;             /**< (n_element,n_element,intervals,terms,width_atom) */
} chgi_pair_tables;

/** Input and output of a forward and reverse pass.  The caller owns every array. */
typedef struct chgi_run {
    const void *network; /**< what chgi_kernel.bind made */
    const chgi_graph *graph;
    const int32_t *numbers; /**< (n_atom) */
    int n_thread;
    bool gradient;           /**< a reverse pass will follow the forward pass */
    size_t keep_at_most;     /**< bytes of workspace up to which activations are kept; beyond it the reverse pass makes
                                  them again, in a quarter of the memory and some 1.4 times the time */
    chgi_arena *workspace;   /**< grows as needed; holds the activations between the passes */
    chgi_pair_tables *pairs; /**< NULL: no tables by pairs of elements */
    double *site_energies;   /**< (n_atom) eV, composition reference included */
    double *magmoms;         /**< (n_atom) mu_B */
    double *atom_fea;        /**< (n_atom,n_feature) before the last convolution */
    double *atom_fea_final;  /**< (n_atom,n_feature) what the energy MLP reads */
    const double *seed_site; /**< (n_atom) dE/d(site energy); NULL: 1 */
    const double *seed_atom_fea;     /**< (n_atom,n_feature) dE/d(atom_fea); NULL: 0 */
    const double *seed_final;        /**< (n_atom,n_feature) dE/d(atom_fea_final); NULL: 0 */
    double *bond_gradient;           /**< (n_bond,3) dE/d(bond vector), eV/A */
    chgi_profile *profile;           /**< NULL: no times are taken */
    const chgnet_exchange *exchange; /**< how parts of the system on other processes are asked; NULL: there are none */
} chgi_run;

typedef struct chgi_kernel {
    const char *name; /**< "generic", "avx2", "avx512" */
    bool is_double;
    /** Weights in kernel order.  \return CHGNET_OK, CHGNET_EINPUT, CHGNET_ENOMEM */
    chgnet_status (*bind)(chgnet_context *ctx, const chgi_weights *weights, void **network);
    void (*release)(void *network);
    /** Energies, magmoms, embeddings.  \return CHGNET_OK, CHGNET_ENOMEM */
    chgnet_status (*forward)(chgnet_context *ctx, const chgi_run *run);
    /** Gradient, after a forward pass of the same run with `gradient`. */
    void (*backward)(const chgi_run *run);
    /** Changes along given changes of the bond vectors; the directions of one call share a forward pass of their own.
     *  Of the run it reads network, graph, numbers, n_thread and workspace, whose content is lost.
     *  \param[in]  n_direction  at most CHGI_MOST_DIRECTIONS
     *  \param[in]  dvector  (n_direction,n_bond,3) in the order and sense of graph->bond_vector
     *  \param[out] d_site   (n_direction,n_atom); this and the next two may be NULL: not wanted
     *  \param[out] d_fea    (n_direction,n_atom,n_feature) of atom_fea
     *  \param[out] d_final  (n_direction,n_atom,n_feature) of atom_fea_final
     *  \return CHGNET_OK, CHGNET_ENOMEM */
    chgnet_status (*tangent)(chgnet_context *ctx, const chgi_run *run, int n_direction, const double *dvector,
                             double *d_site, double *d_fea, double *d_final);
} chgi_kernel;

/** The fastest kernels this processor runs, or those named by `isa` ("generic", "avx2", "avx512"); NULL when it has no
 *  such kernels. */
const chgi_kernel *chgi_kernel_choose(bool is_double, const char *isa);

#endif
