#!/bin/sh
# clang-tidy (.clang-tidy) and cppcheck over src, without findings but those of tests/tidy.known and tests/cppcheck.known,
# each with its reason.
#
#     tidy.sh SOURCE CPPFLAGS...       CPPFLAGS: where the headers of HDF5, OpenBLAS and config.h are
#
# SPDX-License-Identifier: BSD-3-Clause
cd "$1" || exit 99
shift
flags="-std=c11 -Isrc -D_XOPEN_SOURCE=700 -fopenmp -DHAVE_CONFIG_H -DCHGNET_DATADIR=\"x\" -DCHGI_DOUBLE=1 -DCHGI_ISA=generic $*"
found=$(mktemp) && trap 'rm -f "$found"' EXIT
status=0
# Clients for other programs need those programs' headers.
files=$(find src -name '*.c' ! -path 'src/python/*' ! -path 'src/lammps/*' | sort)

if command -v clang-tidy >/dev/null; then
    # shellcheck disable=SC2086
    echo "$files" | xargs -n 8 -P "${TIDY_JOBS:-2}" sh -c 'flags=$1; shift; clang-tidy --quiet "$@" -- $flags' sh "$flags" 2>/dev/null |
        grep -E '^/.*(warning|error):' | sed "s|^$PWD/||" | sort -u >"$found"
    left=$(awk 'NR == FNR { if ($0 !~ /^#/) known[$1 " " $2] = 1; next }
        { file = $0; sub(/:.*/, "", file); check = $0; sub(/.*\[/, "", check); sub(/[],].*/, "", check) }
        !((file " " check) in known)' tests/tidy.known "$found")
    echo "clang-tidy: $(echo "$files" | wc -l) files, $(wc -l <"$found") findings, $(printf %s "$left" | grep -c .) that are not known"
    [ -z "$left" ] || { printf '%s\n' "$left"; status=1; }
else
    echo "clang-tidy is missing: install the Debian package clang-tidy" >&2
    status=77
fi
if command -v cppcheck >/dev/null; then
    # shellcheck disable=SC2086
    cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr -j "${TIDY_JOBS:-2}" \
        --suppressions-list=tests/cppcheck.known --template='{file}:{line}: {id}: {message}' --error-exitcode=1 \
        -Isrc -D__GNUC__=12 -DCHGI_DOUBLE=1 -DCHGI_ISA=generic $files || status=1
    echo "cppcheck: $(echo "$files" | wc -l) files"
else
    echo "cppcheck is missing: install the Debian package cppcheck" >&2
    status=77
fi
exit "$status"
