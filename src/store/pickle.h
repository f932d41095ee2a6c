/* Reading the pickle of a PyTorch checkpoint as plain data.
 *
 * Only the operations and the globals that such a checkpoint needs are known; anything else is refused by its name, and
 * nothing is ever executed.  What comes out is a tree of values (in which parts may be shared, and which may even hold
 * itself: never walk it without a bound).  Time and memory are proportional to the length of the pickle.
 *
 * PyTorch's tensors: a storage is named by its entry in the archive; a tensor is a view of a storage, whose place and
 * strides are checked against the number of values that the storage claims to have.
 */
#ifndef CHGI_STORE_PICKLE_H
#define CHGI_STORE_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef enum chgi_pickle_kind {
    CHGI_PICKLE_NONE = 0,
    CHGI_PICKLE_BOOL,    /**< integer: 0 or 1 */
    CHGI_PICKLE_INT,     /**< integer */
    CHGI_PICKLE_REAL,    /**< real */
    CHGI_PICKLE_TEXT,    /**< text (count bytes, UTF-8, no NUL at the end) */
    CHGI_PICKLE_TUPLE,   /**< items (count) */
    CHGI_PICKLE_LIST,    /**< items (count) */
    CHGI_PICKLE_DICT,    /**< items (count): keys and values by turns */
    CHGI_PICKLE_ORDERED, /**< the same, from collections.OrderedDict or Counter */
    CHGI_PICKLE_GLOBAL,  /**< integer: which */
    CHGI_PICKLE_STORAGE, /**< items (2): its entry as text, its number of float32 values */
    CHGI_PICKLE_TENSOR   /**< items (4): storage, offset, sizes (tuple), strides (tuple), all checked */
} chgi_pickle_kind;

typedef struct chgi_pickle_value chgi_pickle_value;
struct chgi_pickle_value {
    uint8_t kind;
    uint32_t count, capacity;
    union {
        int64_t integer;
        double real;
        const char *text; /* points into the pickle */
        chgi_pickle_value **items;
    };
};

typedef struct chgi_pickle {
    const chgi_pickle_value *root;
    void *blocks; /**< everything the tree needs */
} chgi_pickle;

enum { CHGI_PICKLE_MAX_RANK = 8 };

/** Read a pickle of protocol 2.
 *  \param[in]  bytes   (length) must outlive the pickle
 *  \param[out] pickle  zero on failure
 *  \return CHGNET_OK; CHGNET_EINPUT names what is refused; CHGNET_ENOMEM */
chgnet_status chgi_pickle_read(chgnet_context *ctx, const uint8_t *bytes, size_t length, chgi_pickle *pickle);
void chgi_pickle_destroy(chgi_pickle *pickle);

/** The value of a text key in a dictionary (the last, as Python would have it); NULL when there is none, or when `dict`
 *  is NULL or no dictionary. */
const chgi_pickle_value *chgi_pickle_get(const chgi_pickle_value *dict, const char *key);

/** Whether a value is a text of that content; `value` may be NULL. */
bool chgi_pickle_is_text(const chgi_pickle_value *value, const char *text);

#endif
