/* The Test Anything Protocol in one header: each check prints a line, tap_done() prints the plan.
 * Every test program ends with `return tap_done();`.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define TAP_UNUSED __attribute__((unused))
#define TAP_PRINTF(n, first) __attribute__((unused, format(printf, n, first)))
#else
#define TAP_UNUSED
#define TAP_PRINTF(n, first)
#endif

static int tap_count_;
static int tap_failed_;

static bool tap_ok(bool ok, const char *format, ...) TAP_PRINTF(2, 3);
static void tap_note(const char *format, ...) TAP_PRINTF(1, 2);

/** One check with a name as in printf.  \return ok, so that callers can stop when the rest would make no sense */
static bool tap_ok(bool ok, const char *format, ...)
{
    va_list args;
    tap_count_++;
    tap_failed_ += !ok;
    printf("%s %d - ", ok ? "ok" : "not ok", tap_count_);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    return ok;
}

/** A line for the reader of the log. */
static void tap_note(const char *format, ...)
{
    va_list args;
    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

TAP_UNUSED static bool tap_is_int(int64_t got, int64_t want, const char *name)
{
    bool ok = tap_ok(got == want, "%s", name);
    if (!ok)
        tap_note("got %" PRId64 ", expected %" PRId64, got, want);
    return ok;
}

TAP_UNUSED static bool tap_is_text(const char *got, const char *want, const char *name)
{
    bool ok = tap_ok(got && want ? strcmp(got, want) == 0 : got == want, "%s", name);
    if (!ok)
        tap_note("got \"%s\", expected \"%s\"", got ? got : "(null)", want ? want : "(null)");
    return ok;
}

/** |got - want| <= tol; NaN is never near. */
TAP_UNUSED static bool tap_near(double got, double want, double tol, const char *name)
{
    double error = fabs(got - want);
    bool ok = tap_ok(error <= tol, "%s", name);
    if (!ok)
        tap_note("got %.17g, expected %.17g, error %.3g, allowed %.3g", got, want, error, tol);
    return ok;
}

/** One check that cannot be made here. */
TAP_UNUSED static void tap_skip(const char *reason)
{
    printf("ok %d # SKIP %s\n", ++tap_count_, reason);
    fflush(stdout);
}

/** Stop at once: nothing further can be tested. */
TAP_UNUSED static void tap_bail(const char *reason)
{
    printf("Bail out! %s\n", reason);
    exit(99);
}

/** Print the plan.  \return the exit status: 1 when a check failed or none was made */
TAP_UNUSED static int tap_done(void)
{
    printf("1..%d\n", tap_count_);
    return tap_failed_ > 0 || tap_count_ == 0;
}

/** `path` inside the source tree; the text lives until the next four calls. */
TAP_UNUSED static const char *tap_source(const char *path)
{
    static char buffer[4][4096];
    static int next;
    const char *root = getenv("top_srcdir");
    char *text = buffer[next++ & 3];
    snprintf(text, sizeof buffer[0], "%s/%s", root ? root : ".", path);
    return text;
}

#endif
