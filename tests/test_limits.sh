#!/bin/sh
# Limits: what does not fit into memory is refused with the size that is needed, exit code 7, at once and without a file.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
: "${CHGNET_WEIGHTS:=$top_srcdir/weights}"
export CHGNET_WEIGHTS
OPENBLAS_NUM_THREADS=1
export OPENBLAS_NUM_THREADS
cd "$tap_dir" || exit 99

# limited KB ARGUMENT...: the command with that much address space.
limited() {
    kilobytes=$1
    shift
    (ulimit -v "$kilobytes" 2>/dev/null || exit 99; "$chgnet" "$@") >out 2>err
}
if ! limited 1000000 --version; then
    tap_skip "this shell or this build (a sanitizer) cannot do with little memory"
    tap_done
fi

# crystal NAME N: N x N x N cells of rock salt, 8 atoms each.
crystal() {
    awk -v n="$2" 'BEGIN {
        a = 4.2 * n
        printf "%d\nLattice=\"%g 0 0 0 %g 0 0 0 %g\" Properties=species:S:1:pos:R:3\n", 8 * n ^ 3, a, a, a
        for (i = 0; i < 2 * n; i++)
            for (j = 0; j < 2 * n; j++)
                for (k = 0; k < 2 * n; k++)
                    printf "%s %g %g %g\n", (i + j + k) % 2 ? "O" : "Mg", 2.1 * i, 2.1 * j, 2.1 * k
    }' >"$1"
}

# refused NAME: the last command was, with the size.
refused() {
    status=$?
    [ "$status" -eq 7 ] && [ "$(wc -l <err)" -eq 1 ] && [ "$(ls out.* 2>/dev/null | wc -l)" -eq 0 ] &&
        grep -Eq 'not enough memory: [0-9.]+ MB more are needed|: [0-9.]+ GB' err
    tap_ok $? "$1: exit code 7, one line with the size, no file" || tap_note "exit code $status: $(cat err) $(ls)"
}

crystal small.extxyz 1
limited 1000000 predict small.extxyz -o out.extxyz
tap_ok $? "8 atoms need little" || tap_note "$(cat err)"
rm -f out.extxyz
crystal large.extxyz 20
limited 400000 predict large.extxyz -o out.extxyz
refused "predict, 64000 atoms in 400 MB"
limited 400000 relax --quiet large.extxyz -o out.extxyz
refused "relax, 64000 atoms in 400 MB"
limited 400000 md --quiet --ensemble nve --steps 1 large.extxyz -o out.extxyz
refused "md, 64000 atoms in 400 MB"

# 20,000 atoms within reach of each other: 200 million bonds, of 100 bytes and more, which are counted before they are stored.
awk 'BEGIN {
    n = 20000
    printf "%d\nProperties=species:S:1:pos:R:3\n", n
    for (i = 0; i < n; i++)
        printf "H %.3f %.3f %.3f\n", i % 28 * 0.05, int(i / 28) % 28 * 0.05, int(i / 784) * 0.05
}' >crowd.extxyz
limited 400000 predict crowd.extxyz -o out.extxyz
refused "20,000 atoms within 3 A of each other, in 400 MB"

tap_done
