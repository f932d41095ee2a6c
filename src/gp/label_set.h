/* Labelled structures: what a delta-model learns from and what it is judged by. */
#ifndef CHGI_GP_LABEL_SET_H
#define CHGI_GP_LABEL_SET_H

#include "crystal/structure.h"
#include "gp/delta.h"

/** One structure with its label, the base's prediction for it, and its embeddings. */
typedef struct chgi_labelled {
    chgi_structure structure; /**< atoms, cell, axes and mask; info and columns are left out */
    char *place;              /**< where it was read, such as "labels.extxyz:17"; NULL: nowhere */
    bool has_energy;
    double energy;       /**< eV of the whole cell */
    double *forces;      /**< (n_atom,3) eV/A; NULL: none */
    bool *use;           /**< (n_atom,3) force components that count; NULL: all */
    double base_energy;  /**< eV, what is to be corrected */
    double *base_forces; /**< (n_atom,3) eV/A; NULL: none */
    double *fea;         /**< (n_atom,n_feature) embeddings of the chosen layer */
    int64_t n_force;     /**< force components used, once the embeddings are there */
    int32_t *component;  /**< (n_force) 3*atom + axis */
    double *residual;    /**< (n_force) label minus base, eV/A */
    double *jacobian;    /**< (n_force,n_atom,n_feature) d fea / d position component, 1/A; NULL: not made */
} chgi_labelled;

typedef struct chgi_label_set {
    chgi_labelled *labels; /**< (n_label) */
    int64_t n_label;
    size_t capacity;
    int64_t n_skipped;   /**< labels that could not be used and were left out */
    int64_t n_duplicate; /**< labels that said the same as an earlier one and were left out */
    int n_feature;       /**< 0 before the embeddings are there */
} chgi_label_set;

void chgi_labelled_destroy(chgi_labelled *labelled);
void chgi_label_set_destroy(chgi_label_set *set);

/** Move a label to the end of a set; `labelled` is empty then, also on failure.
 *  \return CHGNET_OK; CHGNET_ENOMEM */
chgnet_status chgi_label_set_add(chgnet_context *ctx, chgi_label_set *set, chgi_labelled *labelled);

/** Where a label was read, or "label 3" for the third of an array. */
void chgi_label_set_place(const chgi_label_set *set, int64_t index, char *text, size_t size);

/** What chgi_label_set_find_repeat says of two labels of one structure. */
typedef enum chgi_repeat { CHGI_REPEAT_NONE, CHGI_REPEAT_SAME, CHGI_REPEAT_CONTRADICTION } chgi_repeat;

/** Look for an earlier label of the same structure: same cell, elements and positions, whatever the order of the atoms,
 *  a common shift, or images.
 *  \param[in]  index  of the label in question; those before it are looked at
 *  \param[out] other  the earlier one
 *  \return whether there is one, and whether it has the same energy (within 1e-3 eV or 1e-4 eV/atom) and forces
 *          (within 0.02 eV/A), which is what two careful calculations reach */
chgi_repeat chgi_label_set_find_repeat(const chgi_label_set *set, int64_t index, int64_t *other);

/** The numbers that a fit takes from a label; the arrays stay the set's. */
chgi_label chgi_labelled_view(const chgi_labelled *labelled, bool with_forces);

#endif
