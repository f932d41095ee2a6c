/*
 * chgnet.h - CHGNet, the universal interatomic potential, in C.
 *
 * Units everywhere: eV, Angstrom, mu_B; stress in GPa.  Cell vectors are the rows of a (3,3) array.
 * Stress is (1/|V|) dE/dstrain: a compressed crystal has negative diagonal stress (ASE's sign).
 *
 * Threads: a loaded model is immutable and may be shared.  A context, and the calculators made with
 * it, belong to one thread at a time.  The library never prints, exits, or keeps global state.
 *
 * Ownership: x_create and x_load give an object that x_destroy frees (NULL is allowed).  Arrays
 * passed in are copied; arrays passed to be filled belong to the caller.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGNET_H
#define CHGNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CHGNET_MUST_USE __attribute__((warn_unused_result))
#define CHGNET_API __attribute__((visibility("default")))
#else
#define CHGNET_MUST_USE
#define CHGNET_API
#endif

/** Every status with its text.  The values are also the exit codes of the command `chgnet`. */
#define CHGNET_STATUS_LIST(X)                                                           \
    X(CHGNET_OK, 0, "done")                                                             \
    X(CHGNET_EINTERNAL, 1, "internal error")                                            \
    X(CHGNET_EUSAGE, 2, "wrong use: unknown option, or a result that was not computed") \
    X(CHGNET_EINPUT, 3, "bad input: file, structure, weights or label")                 \
    X(CHGNET_ECONVERGE, 4, "not converged within the given steps")                      \
    X(CHGNET_ENUMERIC, 5, "numerical failure: non-finite energy or force")              \
    X(CHGNET_EIO, 6, "input or output failed: disk full, or no permission")             \
    X(CHGNET_ENOMEM, 7, "not enough memory")

#define CHGNET_STATUS_ENUM_(name, value, text) name = value,
typedef enum chgnet_status { CHGNET_STATUS_LIST(CHGNET_STATUS_ENUM_) CHGNET_STATUS_COUNT_ } chgnet_status;

/** The text of a status; never NULL. */
CHGNET_API const char *chgnet_status_text(chgnet_status status);

/** Version of the library, such as "0.1.0". */
CHGNET_API const char *chgnet_version(void);

/** Atomic number of an element's symbol, such as "Mg"; 0: there is none. */
CHGNET_API int chgnet_element_number(const char *symbol);

/* ---- context: where errors and warnings are told ------------------------------------------- */

typedef struct chgnet_context chgnet_context;

/** Called with one line of text (no newline) for each kind of warning, once per context. */
typedef void (*chgnet_warning_function)(const char *text, void *user);

CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_context_create(chgnet_context **context);
CHGNET_API void chgnet_context_destroy(chgnet_context *context);
/** One line that says what went wrong last; "" before the first error.  Valid until the next call. */
CHGNET_API const char *chgnet_context_error(const chgnet_context *context);
/** Choose who hears warnings; NULL (the start) drops them. */
CHGNET_API void chgnet_context_on_warning(chgnet_context *context, chgnet_warning_function function, void *user);

/* ---- model: weights, immutable once loaded --------------------------------------------------- */

typedef struct chgnet_model chgnet_model;

typedef struct chgnet_model_info {
    const char *version; /**< "0.3.0", "0.2.0", "r2scan", or what the file says */
    const char *sha256;  /**< 64 hex digits over hyperparameters and tensors, not over the file */
    const char *path;    /**< file it was read from */
    double atom_cutoff;  /**< Angstrom */
    double bond_cutoff;  /**< Angstrom */
    int n_element;       /**< atomic numbers 1..n_element are known */
    int n_feature;       /**< length of an atom's embedding (64) */
    int64_t n_parameter; /**< number of weights */
} chgnet_model_info;

/** Load weights and check them.
 *  \param[in]  name  "0.3.0", "0.2.0", "r2scan" (looked for in $CHGNET_WEIGHTS, the installed data folder,
 *                    the source tree's weights/), or the path of an HDF5 file or of a checkpoint as upstream's trainer
 *                    writes it, of which nothing is executed; NULL means "0.3.0"
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_model_load(chgnet_context *context, const char *name,
                                                           chgnet_model **model);
CHGNET_API void chgnet_model_destroy(chgnet_model *model);
/** Facts about a model; the texts live as long as the model. */
CHGNET_API chgnet_model_info chgnet_model_get_info(const chgnet_model *model);

/* ---- calculator: structure in, results out --------------------------------------------------- */

typedef struct chgnet_calculator chgnet_calculator;

typedef enum chgnet_precision { CHGNET_SINGLE = 0, CHGNET_DOUBLE = 1 } chgnet_precision;

typedef struct chgnet_options {
    size_t size;                /**< sizeof(chgnet_options), set by chgnet_options_default */
    chgnet_precision precision; /**< of the network; geometry and sums of energies are always double */
    int threads;                /**< 0: OMP_NUM_THREADS, else the cores this process may use */
    double skin;                /**< Angstrom, 0 to 10: neighbours this much beyond the cutoff are listed too, and the
                                     list serves until an atom has moved half of it.  Results do not depend on it.
                                     0 (default): a new list for every structure; 1 suits molecular dynamics */
    int trajectory; /**< nonzero: many steps with the same elements follow, as in dynamics.  Then what depends
                         on two elements and their distance is tabulated first, which takes milliseconds
                         and about a megabyte for each pair of elements, and steps in single precision
                         are faster; results agree within rounding.  0 (default): no tables */
} chgnet_options;

/** What to compute; energy, site energies, magmoms and embeddings come with every pass. */
enum {
    CHGNET_WANT_ENERGY = 1,
    CHGNET_WANT_GRADIENT = 2,     /**< forces, and stress where it is defined */
    CHGNET_WANT_STD = 4,          /**< with a delta-model: standard deviation of the energy */
    CHGNET_WANT_STD_GRADIENT = 8, /**< the same, and the standard deviation's own forces and stress, which take a second
                                       pass through the network */
    CHGNET_WANT_NOVELTY = 16,     /**< with a delta-model: novelty of the atoms */
    CHGNET_WANT_SITE_VIRIALS = 32 /**< with CHGNET_WANT_GRADIENT: shares of the virial by atoms */
};

CHGNET_API chgnet_options chgnet_options_default(void);

/** A calculator owns its workspace and grows it as needed.  Model and context must outlive it.
 *  \param[in] options  NULL means the defaults */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_create(chgnet_context *context, const chgnet_model *model,
                                                                  const chgnet_options *options,
                                                                  chgnet_calculator **calculator);
CHGNET_API void chgnet_calculator_destroy(chgnet_calculator *calculator);

/** Give the calculator a structure; earlier results are gone.
 *  \param[in] n_atom     number of atoms, at least 1
 *  \param[in] numbers    (n_atom)   atomic numbers
 *  \param[in] positions  (n_atom,3) Angstrom, anywhere in space
 *  \param[in] cell       (3,3)      rows are cell vectors; a zero row is allowed along a non-periodic axis
 *  \param[in] pbc        (3)        nonzero where periodic
 *  \return CHGNET_OK; CHGNET_EINPUT names the atom, element, pair or cell that is wrong; CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_set_structure(chgnet_calculator *calculator, int64_t n_atom,
                                                                         const int32_t *numbers,
                                                                         const double *positions, const double *cell,
                                                                         const int *pbc);
/** Move the atoms of the structure that is set, as each step of a trajectory or a relaxation does; earlier results are
 *  gone.  With a skin the list of neighbours is kept while it holds, and a step that keeps it allocates no memory once
 *  the workspace has grown.  Give coordinates that run on: an atom put back into the cell counts as moved.
 *  After an error other positions may be given.
 *  \param[in] positions  (n_atom,3) Angstrom, anywhere in space
 *  \return CHGNET_OK; CHGNET_EUSAGE without a structure; CHGNET_EINPUT names the atom or pair that is wrong;
 *          CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_set_positions(chgnet_calculator *calculator,
                                                                         const double *positions);
/** Run the network.
 *  \param[in] want  CHGNET_WANT_ENERGY, with other CHGNET_WANT_ flags by |
 *  \return CHGNET_OK; CHGNET_EUSAGE for a standard deviation without a delta-model; CHGNET_EINPUT for an element that
 *          the delta-model does not know; CHGNET_ENUMERIC when the energy or a force is not finite; CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_compute(chgnet_calculator *calculator, unsigned want);

/* Results of the last compute.  Each returns CHGNET_EUSAGE when it was not computed or is not defined. */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_energy(const chgnet_calculator *calculator,
                                                                      double *energy); /**< () eV, total */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_forces(const chgnet_calculator *calculator,
                                                                      double *forces); /**< (n_atom,3) eV/A */
CHGNET_API CHGNET_MUST_USE chgnet_status
chgnet_calculator_get_stress(const chgnet_calculator *calculator, double *stress); /**< (3,3) GPa; all axes periodic */
/** (3,3) eV, dE/dstrain, symmetric, whatever axes are periodic; the stress is this by the cell's volume.  The virial of
 *  molecular-dynamics codes is minus this. */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_virial(const chgnet_calculator *calculator,
                                                                      double *virial);
/** (n_atom,3,3) eV, the atoms' shares of the virial: half of what each of their bonds gives; CHGNET_WANT_SITE_VIRIALS
 */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_site_virials(const chgnet_calculator *calculator,
                                                                            double *site_virials);
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_magmoms(const chgnet_calculator *calculator,
                                                                       double *magmoms); /**< (n_atom) mu_B */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_site_energies(const chgnet_calculator *calculator,
                                                                             double *site_energies); /**< (n_atom) eV */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_atom_fea(
    const chgnet_calculator *calculator, double *atom_fea); /**< (n_atom,n_feature) before the last convolution */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_atom_fea_final(
    const chgnet_calculator *calculator, double *atom_fea_final); /**< (n_atom,n_feature) what the energy MLP reads */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_crystal_fea(
    const chgnet_calculator *calculator, double *crystal_fea); /**< (n_feature) sum of atom_fea_final */
/** Numbers of directed bonds within the atom cutoff and of ordered angles. */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_counts(const chgnet_calculator *calculator,
                                                                      int64_t *n_directed_bond, int64_t *n_angle);

/* ---- calculator inside a host that has its own neighbour list ------------------------------------- */

/** A host's atoms, ghosts and neighbour list; start from chgnet_neighbours_default().
 *
 *  Atoms are numbered from 0: the local ones, then the ghosts.  A ghost is either an image of another atom in these
 *  arrays, which its owner says: it lies whole cell vectors away from it, and what happens to it happens to the owner.
 *  Or it stands for an atom that is nowhere else in the arrays, as one of another process: its owner is its own number.
 *  All images of one atom have the same owner.
 *
 *  On one process every ghost has a local owner, ghosts reach as far as the model's atom cutoff, and results are those
 *  of chgnet_calculator_set_structure with the local atoms, to the last bit.
 *
 *  With several processes there are two ways.  chgnet_calculator_set_part, below, needs ghosts within the atom cutoff
 *  only and exchanges features.  Here each process computes the energy of its local atoms and how that depends on all
 *  atoms here, without a word with the others: the sum over processes, after the forces of ghosts have been added to
 *  those of the atoms that they stand for, is the result for all.  For that the ghosts must reach as far as
 *  chgnet_model_receptive_field says from any local atom, and the list must hold the pairs among ghosts too.
 *
 *  The list holds at least all pairs of atoms closer than the model's atom cutoff; farther ones do no harm, so that it
 *  can be kept while atoms move (chgnet_calculator_move_neighbours).  A pair may be given in either atom's row or in
 *  both (half and full lists), and once for several images of it: pairs of a ghost that has a local owner need not be
 *  given where the owner has its own. */
typedef struct chgnet_neighbours {
    size_t size;              /**< sizeof(chgnet_neighbours), set by chgnet_neighbours_default */
    int64_t n_local, n_ghost; /**< n_atom = n_local + n_ghost in the following */
    const int32_t *numbers;   /**< (n_atom) atomic numbers */
    const double *positions;  /**< (n_atom,3) Angstrom */
    const int32_t *owner;     /**< (n_ghost) 0 to n_atom-1; NULL only without ghosts */
    const double *cell;       /**< (3,3) rows are cell vectors, Angstrom; NULL: none */
    const int *pbc;           /**< (3) nonzero where periodic; NULL: nowhere */
    int64_t n_row;            /**< the list has rows for the atoms 0 to n_row-1; at most n_atom */
    const int64_t *start;     /**< (n_row+1) row i is neighbour[start[i]] to neighbour[start[i+1]-1] */
    const int32_t *neighbour; /**< (start[n_row]) atoms, 0 to n_atom-1 */
} chgnet_neighbours;

CHGNET_API chgnet_neighbours chgnet_neighbours_default(void);

/** Give the calculator a host's atoms and list; earlier results are gone.  The arrays are copied.  Then
 *  chgnet_calculator_compute; results are
 *    - energy, delta energy: of the local atoms;
 *    - site energies, magmoms, embeddings, corrections, novelty: (n_local,...)
 *    - forces, site virials, std forces: (n_local+n_ghost,...), zero for a ghost that is an image: its share is the
 *      owner's;  virial, stress: as for a structure, where there are other processes this one's share
 *  Where ghosts stand for atoms elsewhere a delta-model must be of the atomic aggregation, and no standard deviation
 *  can be had.
 *  \return CHGNET_OK; CHGNET_EUSAGE for a struct of another version; CHGNET_EINPUT names the atom (from 1), ghost or
 *          pair that is wrong; CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_set_neighbours(chgnet_calculator *calculator,
                                                                          const chgnet_neighbours *neighbours);
/** Move the atoms, and the cell, under the list that is set: as long as it still holds all pairs within the atom cutoff
 *  and no atom has been put back into the cell.  Allocates no memory once the workspace has grown.
 *  \param[in] positions  (n_atom,3) Angstrom; those of ghosts that are images are not read
 *  \param[in] cell       (3,3) Angstrom; NULL: as it is
 *  \return CHGNET_OK; CHGNET_EUSAGE without a list; CHGNET_EINPUT, CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_move_neighbours(chgnet_calculator *calculator,
                                                                           const double *positions, const double *cell);
/** Angstrom: farther atoms do not matter to an atom's energy. */
CHGNET_API double chgnet_model_receptive_field(const chgnet_model *model);

/* ---- a part of a system, for simulation codes ------------------------------------------------ */

/** The atoms that one process computes, and what stands near them.  A site is an own atom, a periodic image of one, or
 *  a copy of a remote atom, which another process owns.  The network's receptive field is not needed as sites:
 *  processes exchange features instead (chgnet_exchange). */
typedef struct chgnet_part {
    size_t size;             /**< sizeof(chgnet_part), set by chgnet_part_default */
    int64_t n_own, n_remote; /**< numbers of different atoms; either may be 0 */
    const int32_t *numbers;  /**< (n_own+n_remote) atomic numbers, own atoms first */
    int64_t n_site;          /**< at least n_own */
    const double
        *positions; /**< (n_site,3) Angstrom, own atoms first; all sites within `reach` of them must be there */
    const int32_t *site_atom; /**< (n_site) which atom stands there; i for the first n_own */
    double reach; /**< Angstrom, at least the atom cutoff: the list of neighbours holds until an atom has moved
                       half of what it is more */
} chgnet_part;

/** A short bond between an own and a remote atom. */
typedef struct chgnet_crossing {
    int32_t own, remote; /**< the atoms; remote ones have the numbers from n_own on */
    double vector[3];    /**< Angstrom, from own to remote: tells bonds to different images apart */
} chgnet_crossing;

/** How a part asks the others.  In each pass every process makes the same calls in the same order, in the thread that
 *  called chgnet_calculator_compute.  A host whose communication fails has to end all of them. */
typedef struct chgnet_exchange {
    size_t size; /**< sizeof(chgnet_exchange), set by chgnet_exchange_default */
    void *user;
    int n_process; /**< processes that share this machine's memory; 0: 1 */
    /** Fill the rows of remote atoms with their owners'. \param rows (n_own+n_remote) of row_size bytes */
    void (*spread)(void *user, size_t row_size, void *rows);
    /** Add the rows of remote atoms to their owners'. \param rows (n_own+n_remote,width) of double or float */
    void (*collect)(void *user, int width, int is_double, void *rows);
    /** The short bonds across the border from now on; the other owner of a bond has it with the opposite vector, but
     *  for bonds whose length is the bond cutoff within rounding. */
    void (*cross)(void *user, int64_t n_crossing, const chgnet_crossing *crossings);
    /** Put in the place of each of these bonds' rows what its other owner has there; zeros where he has none.
     *  \param rows (n_crossing) of row_size bytes */
    void (*swap)(void *user, size_t row_size, void *rows);
    /** Sums over all processes. \param values (n), each process's, then the sums */
    void (*sum)(void *user, int n, double *values);
    /** The rows of all processes' own atoms, in the order of processes.
     *  \param[in] rows (n_own) of row_size bytes  \param[out] n_all their number
     *  \param[out] first where one's own begin
     *  \return (n_all) rows, valid until the next call; NULL: no memory */
    const void *(*gather)(void *user, size_t row_size, const void *rows, int64_t *n_all, int64_t *first);
} chgnet_exchange;

CHGNET_API chgnet_part chgnet_part_default(void);
CHGNET_API chgnet_exchange chgnet_exchange_default(void);

/** Give the calculator a part in place of a structure.  Energy, virial, site energies and forces are then those of the
 *  own atoms: summed over the processes they are the system's, but for forces, which are complete; arrays over atoms
 *  have n_own rows.  Stress, crystal_fea of the whole and the count of bonds are not defined.
 *  \param[in] exchange  copied; NULL where there are no remote atoms
 *  \return as chgnet_calculator_set_structure; CHGNET_EUSAGE for numbers that do not fit together */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_set_part(chgnet_calculator *calculator,
                                                                    const chgnet_part *part,
                                                                    const chgnet_exchange *exchange);
/** Move the sites, which no atom may have done by more than half of what the reach is beyond the cutoff.
 *  \param[in] positions (n_site,3) Angstrom */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_move_part(chgnet_calculator *calculator,
                                                                     const double *positions);

/* ---- delta-model in a calculator ------------------------------------------------------------- */

/** A correction of CHGNet, learnt from labels; immutable while calculators use it, and may be shared among threads. */
typedef struct chgnet_delta chgnet_delta;

/** Correct what the calculator computes from now on: energy, site energies, forces and stress.  Earlier results are
 *  gone.
 *  \param[in] delta  must outlive its use; NULL: CHGNet alone again
 *  \return CHGNET_OK; CHGNET_EINPUT when it was fitted to the embeddings of other weights, or corrects another
 *          potential */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_set_delta(chgnet_calculator *calculator,
                                                                     const chgnet_delta *delta);
/* Results of the last compute; CHGNET_EUSAGE without a delta-model, or without the flag that asks for them. */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_delta_energy(
    const chgnet_calculator *calculator, double *delta_energy); /**< () eV, corrected minus CHGNet, offsets included */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_site_corrections(
    const chgnet_calculator *calculator, double *corrections); /**< (n_atom) eV, their sum is the delta energy; equal
                                                                    shares beside the offsets unless it is atomic */
/** () eV, standard deviation of the total energy without label noise; CHGNET_WANT_STD */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_energy_std(const chgnet_calculator *calculator,
                                                                          double *energy_std);
/** (n_atom) eV^2, variance of each atom's share: how far it is from what was learnt; zeros unless the delta-model is
 *  atomic; CHGNET_WANT_NOVELTY */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_novelty(const chgnet_calculator *calculator,
                                                                       double *novelty);
/** (n_atom,3) eV/A, minus the gradient of the energy's standard deviation: for E - kappa std these are the forces
 *  F - kappa F_std; CHGNET_WANT_STD_GRADIENT */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_std_forces(const chgnet_calculator *calculator,
                                                                          double *std_forces);
/** (3,3) GPa, likewise, where all axes are periodic; CHGNET_WANT_STD_GRADIENT */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_calculator_get_std_stress(const chgnet_calculator *calculator,
                                                                          double *std_stress);

/* ---- delta-model: learnt from labels --------------------------------------------------------- */

/** Labelled structures, one after another.  N: number of atoms of all together. */
typedef struct chgnet_labels {
    size_t size;             /**< sizeof(chgnet_labels), set by chgnet_labels_default */
    int64_t n_structure;     /**< at least 1; a fit needs 2 */
    const int64_t *n_atom;   /**< (n_structure) */
    const int32_t *numbers;  /**< (N) atomic numbers */
    const double *positions; /**< (N,3) Angstrom */
    const double *cells;     /**< (n_structure,3,3) Angstrom, rows are cell vectors */
    const int *pbc;          /**< (n_structure,3) nonzero where periodic */
    const double *energies;  /**< (n_structure) eV, total */
    const double *forces;    /**< (N,3) eV/Angstrom; NaN: this component is not known, as of a fixed atom; NULL: none */
} chgnet_labels;

/** How a delta-model is fitted; chgnet_delta_options_default gives what did best in the project's own tables. */
typedef struct chgnet_delta_options {
    size_t size;             /**< sizeof(chgnet_delta_options), set by chgnet_delta_options_default */
    const char *aggregation; /**< "global", "species" or "atomic"; NULL: the default */
    const char *layer;       /**< "atom_fea" or "atom_fea_final"; NULL: the default */
    const char *kernel;      /**< text form, such as "constant(1)*rbf(length=16)"; NULL: the default */
    double noise_energy;     /**< eV, starting value; 0: the default */
    double noise_force;      /**< eV/Angstrom, starting value; 0: the default */
    int optimize;            /**< nonzero (default): hyperparameters by maximum of likelihood and prior */
    int starts;              /**< of the optimiser; 0: the default */
    int64_t inducing;        /**< at most so many inducing atoms; 0 (default): the dense form */
    uint64_t seed;           /**< equal seeds and labels give equal models */
    int threads;             /**< for the embeddings; 0: as for calculators */
} chgnet_delta_options;

typedef struct chgnet_delta_info {
    const char *aggregation, *layer;    /**< as in the options */
    const char *model;                  /**< version of the weights whose embeddings it takes */
    const char *model_sha256;           /**< of those weights */
    const char *base;                   /**< "chgnet", or the key of the prediction that it corrects in its place */
    int64_t n_label, n_energy, n_force; /**< structures, energies, force components learnt from */
    int64_t n_inducing;                 /**< 0: dense */
    double noise_energy;                /**< eV */
    double noise_force;                 /**< eV/Angstrom */
    double log_likelihood;
    double loo_energy[2]; /**< eV: mean absolute leave-one-out error, before (element offsets only) and after */
    double loo_forces[2]; /**< eV/Angstrom, likewise by component; 0 without forces */
} chgnet_delta_info;

CHGNET_API chgnet_labels chgnet_labels_default(void);
CHGNET_API chgnet_delta_options chgnet_delta_options_default(void);

/** Fit a delta-model: embeddings and their derivatives by the model, in double precision, then the Gaussian process.
 *  \param[in] options  NULL means the defaults
 *  \return CHGNET_OK; CHGNET_EINPUT names a label that cannot be used, or that contradicts another; CHGNET_EUSAGE for
 *          wrong options; CHGNET_ENUMERIC; CHGNET_ENOMEM, before the work where it can be told */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_delta_fit(chgnet_context *context, const chgnet_model *model,
                                                          const chgnet_labels *labels,
                                                          const chgnet_delta_options *options, chgnet_delta **delta);
/** Add labels, to learn on the fly: hyperparameters and scales stay, the factor grows.  No calculator may compute with
 *  `delta` meanwhile; those that use it are corrected by all labels from then on.
 *  \param[in] threads  0: as for calculators
 *  \return as chgnet_delta_fit; CHGNET_EINPUT for an element that no label had; on failure it is as before */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_delta_update(chgnet_context *context, chgnet_delta *delta,
                                                             const chgnet_model *model, const chgnet_labels *labels,
                                                             int threads);
/** Read a file that chgnet_delta_save or `chgnet delta fit` wrote.
 *  \return CHGNET_OK; CHGNET_EINPUT, CHGNET_EIO, CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_delta_load(chgnet_context *context, const char *path,
                                                           chgnet_delta **delta);
/** Write a file: whole or not at all.  \return CHGNET_OK; CHGNET_EIO, CHGNET_ENOMEM */
CHGNET_API CHGNET_MUST_USE chgnet_status chgnet_delta_save(chgnet_context *context, const chgnet_delta *delta,
                                                           const char *path);
CHGNET_API void chgnet_delta_destroy(chgnet_delta *delta);
/** Facts about a delta-model; the texts live as long as it. */
CHGNET_API chgnet_delta_info chgnet_delta_get_info(const chgnet_delta *delta);

#ifdef __cplusplus
}
#endif
#endif /* CHGNET_H */
