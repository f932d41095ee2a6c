#!/bin/sh
# chgnet.h compiles alone as strict C11 and as C++, and the shared library exports what it declares, nothing else.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

: "${CC:=cc}" "${NM:=nm}"

echo '#include "chgnet.h"' >"$tap_dir/use.c"
cp "$tap_dir/use.c" "$tap_dir/use.cc"

# compile NAME COMPILER-AND-OPTIONS...
compile() {
    name=$1
    shift
    "$@" -Wall -Wextra -Wpedantic -Werror -I "$top_srcdir/src/api" -fsyntax-only >"$tap_dir/log" 2>&1
    tap_ok $? "$name" || tap_note "$(cat "$tap_dir/log")"
}

# CC may hold options beside the name.
# shellcheck disable=SC2086
compile "chgnet.h as strict C11" $CC -std=c11 -pedantic-errors "$tap_dir/use.c"
for standard in c++11 c++17; do
    if [ -n "${CXX:-}" ]; then
        # shellcheck disable=SC2086
        compile "chgnet.h as $standard" $CXX -std=$standard "$tap_dir/use.cc"
    else
        tap_skip "chgnet.h as $standard: no C++ compiler"
    fi
done

# Declared: the first name chgnet_... before a parenthesis in each statement that the preprocessor leaves.
# shellcheck disable=SC2086
declared=$($CC -E -I "$top_srcdir/src/api" "$tap_dir/use.c" | grep -v '^#' | tr '\n' ' ' | tr ';' '\n' |
    awk 'match($0, /chgnet_[a-z0-9_]+ *\(/) { name = substr($0, RSTART, RLENGTH); sub(/ *\(/, "", name); print name }' | sort)
tap_ok "$([ -n "$declared" ]; echo $?)" "the header declares functions: $(echo "$declared" | wc -l)"

library=$top_builddir/.libs/libchgnet.so
if [ -f "$library" ]; then
    exported=$($NM -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | sort)
    tap_is_text "$exported" "$declared" "the shared library exports exactly what the header declares"
else
    tap_skip "exported symbols: no shared library was built"
fi

tap_done
