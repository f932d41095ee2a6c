/* Status, error text and warnings.  Every fallible function returns chgnet_status and leaves the detail here. */
#ifndef CHGI_BASE_CONTEXT_H
#define CHGI_BASE_CONTEXT_H

#include <stdarg.h>
#include <stdbool.h>

#include "api/chgnet.h"

/** Kinds of warning; each is told at most once per context. */
typedef enum chgi_warning {
    CHGI_WARN_ISOLATED = 0,
    CHGI_WARN_FILE,
    CHGI_WARN_LABEL,         /* left out: cannot be used */
    CHGI_WARN_CONTRADICTION, /* left out: says otherwise than an earlier label of the same structure */
    CHGI_WARN_REPEAT,        /* left out: says the same as an earlier label */
    CHGI_WARN_STD,           /* the standard deviation is beyond --max-std */
    CHGI_WARN_CHECKPOINT,    /* the older of two is used */
    CHGI_WARN_SINGULAR,      /* a kernel matrix was mended by adding to its diagonal */
    CHGI_WARN_COUNT
} chgi_warning;

struct chgnet_context {
    char error[1024];
    chgnet_warning_function warning;
    void *warning_user;
    bool warned[CHGI_WARN_COUNT];
};

/** Store one line of error text and return `status`, so that callers write `return chgi_context_fail(...)`.
 *  A NULL context keeps only the status. */
chgnet_status chgi_context_fail(chgnet_context *ctx, chgnet_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** CHGNET_ENOMEM with the size that was asked for. */
chgnet_status chgi_context_nomem(chgnet_context *ctx, size_t count, size_t size);

/* clang's analyzer does not see into other files: told here, it knows that what failed has a status. */
#if defined(__clang_analyzer__) && !defined(CHGI_BASE_CONTEXT_C)
#define chgi_context_fail(ctx, status, ...) ((void)(ctx), (status))
#define chgi_context_nomem(ctx, count, size) ((void)(ctx), (void)(count), (void)(size), CHGNET_ENOMEM)
#endif

/** Put "FILE:LINE: " (or "FILE: " for line 0) before the error text that is there. */
void chgi_context_locate(chgnet_context *ctx, const char *file, long line);

/** Tell a warning, once per kind. */
void chgi_context_warn(chgnet_context *ctx, chgi_warning kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Return from the calling function unless `expression` is CHGNET_OK. */
#define CHGI_TRY(expression)                           \
    do {                                               \
        chgnet_status chgi_try_status_ = (expression); \
        if (chgi_try_status_ != CHGNET_OK)             \
            return chgi_try_status_;                   \
    } while (0)

/** Jump to `cleanup:` unless `expression` is CHGNET_OK; needs a local `status`. */
#define CHGI_TRY_CLEANUP(expression) \
    do {                             \
        status = (expression);       \
        if (status != CHGNET_OK)     \
            goto cleanup;            \
    } while (0)

#endif
