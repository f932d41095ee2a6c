/* Labelled structures from files. */
#ifndef CHGI_TASK_LABEL_FILE_H
#define CHGI_TASK_LABEL_FILE_H

#include "crystal/reader.h"
#include "gp/label_set.h"

/** How labels stand in a file.  Names that are NULL mean: none. */
typedef struct chgi_label_form {
    const char *energy_key;      /**< info key, eV of the whole cell */
    const char *forces_key;      /**< column of three, eV/A; NULL: energies only */
    const char *base_energy_key; /**< the prediction that is to be corrected, where it is not CHGNet's */
    const char *base_forces_key;
    const char *mask;   /**< column of flags (1 or 3): true where the force counts; "move_mask": the structure's own */
    bool energy_needed; /**< a frame without an energy is an error */
    bool skip_bad;      /**< leave out what cannot be used, with one warning of each kind */
} chgi_label_form;

/** REF_energy and REF_forces. */
chgi_label_form chgi_label_form_default(void);

/** Read all frames of a file and add them to a set.
 *  \param[in] n_element  atomic numbers 1..n_element are known to the model
 *  \return CHGNET_OK; CHGNET_EINPUT, the text beginning with PATH:LINE; CHGNET_EIO, CHGNET_ENOMEM */
chgnet_status chgi_label_file_read(chgnet_context *ctx, const char *path, const chgi_label_form *form, int n_element,
                                   chgi_label_set *set);

/** Take the label out of one frame, as chgi_label_file_read does.
 *  \param[in,out] structure  moved into `labelled`; empty then, also on failure
 *  \return CHGNET_OK; CHGNET_EINPUT without the place; CHGNET_ENOMEM */
chgnet_status chgi_labelled_take(chgnet_context *ctx, const chgi_label_form *form, int n_element,
                                 chgi_structure *structure, chgi_labelled *labelled);

#endif
