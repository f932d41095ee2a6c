/* The checks of tap.h themselves: a test that cannot fail would prove nothing anywhere else. */
#include "tap.h"

/** Run a check that must fail, and take its failure back. */
#define TAP_MUST_FAIL(check)                                                \
    do {                                                                    \
        printf("# the next line is meant to fail, and does not count\n# "); \
        bool passed = (check);                                              \
        tap_count_--;                                                       \
        tap_failed_ -= !passed;                                             \
        tap_ok(!passed, "%s fails", #check);                                \
    } while (0)

int main(void)
{
    tap_ok(true, "truth passes");
    tap_is_int(INT64_MAX, INT64_MAX, "equal integers pass");
    tap_is_text("a", "a", "equal texts pass");
    tap_is_text(NULL, NULL, "no text equals no text");
    tap_near(1.0, 1.0 + 1e-12, 1e-9, "near numbers pass");
    TAP_MUST_FAIL(tap_ok(false, "falsehood"));
    TAP_MUST_FAIL(tap_is_int(1, 2, "1 is 2"));
    TAP_MUST_FAIL(tap_is_text("a", NULL, "text is no text"));
    TAP_MUST_FAIL(tap_is_text("a", "b", "a is b"));
    TAP_MUST_FAIL(tap_near(1.0, 2.0, 0.5, "1 is 2"));
    TAP_MUST_FAIL(tap_near(NAN, NAN, 1.0, "NaN is near NaN"));
    return tap_done();
}
