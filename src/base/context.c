#define CHGI_BASE_CONTEXT_C
#include "base/context.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

const char *chgnet_status_text(chgnet_status status)
{
    switch (status) {
#define CHGI_STATUS_CASE(name, value, text) \
    case name:                              \
        return text;
        CHGNET_STATUS_LIST(CHGI_STATUS_CASE)
    default:
        return "unknown status";
    }
}

chgnet_status chgnet_context_create(chgnet_context **context)
{
    *context = chgi_memory_new(1, sizeof **context);
    return *context ? CHGNET_OK : CHGNET_ENOMEM;
}

void chgnet_context_destroy(chgnet_context *context)
{
    chgi_memory_free(context);
}

const char *chgnet_context_error(const chgnet_context *context)
{
    return context->error;
}

void chgnet_context_on_warning(chgnet_context *context, chgnet_warning_function function, void *user)
{
    context->warning = function;
    context->warning_user = user;
}

/* Text from a file may hold control characters: an error stays one printable line. */
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

chgnet_status chgi_context_fail(chgnet_context *ctx, chgnet_status status, const char *format, ...)
{
    if (ctx) {
        char text[sizeof ctx->error]; /* the arguments may point into the old text */
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        keep_one_line(text);
        memcpy(ctx->error, text, sizeof text);
    }
    return status;
}

chgnet_status chgi_context_nomem(chgnet_context *ctx, size_t count, size_t size)
{
    return chgi_context_fail(ctx, CHGNET_ENOMEM, "not enough memory: %.1f MB more are needed",
                             (double)count * (double)size / 1e6);
}

void chgi_context_locate(chgnet_context *ctx, const char *file, long line)
{
    if (!ctx)
        return;
    if (line > 0)
        chgi_context_fail(ctx, CHGNET_OK, "%.400s:%ld: %.590s", file, line, ctx->error);
    else
        chgi_context_fail(ctx, CHGNET_OK, "%.400s: %.600s", file, ctx->error);
}

void chgi_context_warn(chgnet_context *ctx, chgi_warning kind, const char *format, ...)
{
    if (!ctx || !ctx->warning || ctx->warned[kind])
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep_one_line(text);
    ctx->warned[kind] = true;
    ctx->warning(text, ctx->warning_user);
}
