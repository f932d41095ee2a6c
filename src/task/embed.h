/* What CHGNet says of labelled structures: embeddings, their Jacobians, and the prediction that is to be corrected. */
#ifndef CHGI_TASK_EMBED_H
#define CHGI_TASK_EMBED_H

#include "gp/label_set.h"

/** Told while the work goes on, from one thread at a time.  \param[in] share of the work that is done, 0 to 1 */
typedef void (*chgi_progress_function)(void *user, double share, int64_t n_done);

typedef struct chgi_embed_choice {
    const chgnet_model *model;
    chgi_embedding_layer layer;
    bool with_forces;                /**< the base's forces for labels with forces, and which components count */
    bool with_jacobians;             /**< Jacobians of those */
    bool base_given;                 /**< the base's predictions stand in the labels already: CHGNet's are not taken */
    bool check;                      /**< refuse labels that contradict each other, leave out those that repeat one */
    bool skip_bad;                   /**< leave out what cannot be used, with one warning of each kind */
    int n_thread;                    /**< 0: as a calculator's default */
    chgi_progress_function progress; /**< NULL: nobody wants to know */
    void *user;
} chgi_embed_choice;

/** Embed all labels of a set in double precision, several structures at a time.
 *  \return CHGNET_OK; CHGNET_EINPUT names the label; CHGNET_ENUMERIC; CHGNET_ENOMEM, for Jacobians before the work */
chgnet_status chgi_embed_set(chgnet_context *ctx, const chgi_embed_choice *choice, chgi_label_set *set);

/** What is done with each label; `ctx` and `calculator` (double precision) belong to one thread.
 *  \param[in] index  of the label in its set */
typedef chgnet_status (*chgi_label_function)(chgnet_context *ctx, chgnet_calculator *calculator,
                                             chgi_labelled *labelled, int64_t index, void *user);

/** Do something with all labels of a set, several at a time.
 *  \param[in] from, share  of the progress that this is: from `from` to `from + share`
 *  \return CHGNET_OK; the first label's failure, with its place; where bad labels are skipped they leave the set */
chgnet_status chgi_embed_each(chgnet_context *ctx, const chgi_embed_choice *choice, double from, double share,
                              chgi_label_function function, void *user, chgi_label_set *set);

/** Bytes of all Jacobians of a set. */
double chgi_embed_bytes(const chgi_label_set *set, int n_feature);

#endif
