# The Test Anything Protocol for shell tests; each script begins with `. "$top_srcdir/tests/tap.sh"` and ends with tap_done.
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh

# Absolute, so that a test may change its folder.
top_srcdir=$(cd "${top_srcdir:-.}" && pwd) && top_builddir=$(cd "${top_builddir:-.}" && pwd) ||
    { echo "Bail out! no source or build folder"; exit 99; }
OMP_NUM_THREADS=1 # small structures, and maybe a busy machine
export OMP_NUM_THREADS
tap_count=0
tap_failed=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/chgnet-test-XXXXXX") || { echo "Bail out! mktemp failed"; exit 99; }
trap 'chmod -R u+rwx "$tap_dir"; rm -rf "$tap_dir"' EXIT
trap 'exit 130' HUP INT TERM

# tap_ok STATUS NAME: one check, passed when STATUS is 0.
tap_ok() {
    tap_count=$((tap_count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_count - $2"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $2"
    fi
    return "$1"
}

# tap_note TEXT: lines for the reader of the log.
tap_note() {
    printf '%s\n' "$1" | sed 's/^/# /'
}

# tap_is_text GOT WANT NAME
tap_is_text() {
    if [ "$1" = "$2" ]; then
        tap_ok 0 "$3"
    else
        tap_ok 1 "$3"
        tap_note "got: $1"
        tap_note "expected: $2"
        return 1
    fi
}

# tap_is_int GOT WANT NAME
tap_is_int() {
    tap_is_text "$1" "$2" "$3"
}

# tap_near GOT WANT TOLERANCE NAME
tap_near() {
    awk -v got="$1" -v want="$2" -v tol="$3" 'BEGIN { e = got - want; if (e < 0) e = -e; exit !(got != "" && e <= tol) }'
    tap_ok $? "$4" || { tap_note "got $1, expected $2, allowed $3"; return 1; }
}

# tap_skip REASON: one check that cannot be made here.
tap_skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count # SKIP $1"
}

# tap_checks FILE [PREFIX]: a program's own checks, a line each, PASS, FAIL or SKIP and a name; other lines are notes.
tap_checks() {
    while read -r tap_word tap_name; do
        case $tap_word in
        PASS) tap_ok 0 "${2-}$tap_name" ;;
        FAIL) tap_ok 1 "${2-}$tap_name" ;;
        SKIP) tap_skip "${2-}$tap_name" ;;
        '#') tap_note "$tap_name" ;;
        *) tap_note "$tap_word $tap_name" ;;
        esac
    done <"$1"
}

# tap_done: print the plan and leave; status 1 when a check failed or none was made.
tap_done() {
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ] && [ "$tap_count" -gt 0 ]
    exit
}
