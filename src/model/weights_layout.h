/* Which hyperparameters there are and which tensors they ask for. */
#ifndef CHGI_MODEL_WEIGHTS_LAYOUT_H
#define CHGI_MODEL_WEIGHTS_LAYOUT_H

#include <stddef.h>

#include "model/weights.h"

typedef enum chgi_hyper_kind {
    CHGI_HYPER_INT = 0, /**< int64_t in [least, most] */
    CHGI_HYPER_REAL,    /**< double in (0, most] */
    CHGI_HYPER_LIST     /**< mlp_hidden, each in [least, most] */
} chgi_hyper_kind;

/** One hyperparameter: its name in the file (upstream's) and its place in chgi_hyper. */
typedef struct chgi_hyper_field {
    const char *name;
    chgi_hyper_kind kind;
    size_t offset;
    double least, most;
} chgi_hyper_field;

int chgi_hyper_field_count(void);
/** The i-th field, in the order of names. */
const chgi_hyper_field *chgi_hyper_field_at(int i);
/** Number of values: 1, or the length of the list. */
int64_t chgi_hyper_field_length(const chgi_hyper_field *field, const chgi_hyper *hyper);
/** The j-th value. */
double chgi_hyper_field_value(const chgi_hyper_field *field, const chgi_hyper *hyper, int64_t j);

/** Refuse hyperparameters out of their ranges.
 *  \return CHGNET_OK; CHGNET_EINPUT names the one that is wrong */
chgnet_status chgi_hyper_check(chgnet_context *ctx, const chgi_hyper *hyper);

enum { CHGI_SHAPE_TEXT = 112 };
/** A shape for an error text: "(64, 31)". */
void chgi_shape_print(int rank, const int64_t *shape, char text[CHGI_SHAPE_TEXT]);

#endif
