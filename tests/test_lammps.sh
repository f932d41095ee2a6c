#!/bin/sh
# Pair style chgnet in LAMMPS: as `chgnet predict`, on 1, 2 and 4 ranks, its errors, and the inputs of docs/lammps.md and
# examples/lammps.  Needs configure --with-lammps; LMP names a LAMMPS with PLUGIN for the plugin, MPIRUN what starts ranks.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

: "${PYTHON3:=python3}"
export PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
skip_all() {
    tap_skip "$1"
    tap_done
}
driver=$top_builddir/src/lammps/lmp_chgnet
plugin=$top_builddir/src/lammps/chgnetplugin.so
[ -x "$driver" ] || [ -f "$plugin" ] || skip_all "built without --with-lammps"
command -v "$PYTHON3" >/dev/null || skip_all "no python3"
chgnet=$top_builddir/chgnet
cd "$tap_dir" || exit 99

# ranks_by COMMAND: how COMMAND starts several processes, or nothing.
ranks_by() {
    if "$1" --oversubscribe -np 1 true 2>/dev/null; then
        echo "$1 --oversubscribe -np"
    elif "$1" -np 1 true 2>/dev/null; then
        echo "$1 -np"
    fi
}

# with NAME RANKS LAMMPS: all checks.
with() {
    "$PYTHON3" "$top_srcdir/tests/lammps/check.py" "$chgnet" "$plugin" "$2" "$3" >out 2>err
    status=$?
    while read -r word name; do
        case $word in
        PASS) tap_ok 0 "$1: $name" ;;
        FAIL) tap_ok 1 "$1: $name" ;;
        SKIP) tap_skip "$1: $name" ;;
        *) tap_note "$name" ;;
        esac
    done <out
    tap_ok $status "$1: checks end" || tap_note "$(tail -n 5 err)"
}

# first_input FILE: the first block of a document.
first_input() {
    awk '/^```/ { if (inside) exit; inside = 1; next } inside' "$1"
}

lammps=
if [ -x "$driver" ]; then
    lammps=$driver
    with "lmp_chgnet" "$(ranks_by "${MPIRUN:-mpirun}")" "$driver"
else
    tap_skip "no LAMMPS library beside the headers: lmp_chgnet was not built"
fi
: "${LMP:=lmp}"
if [ -f "$plugin" ] && "$LMP" -help 2>/dev/null | grep -qw PLUGIN; then
    lammps=$LMP
    with "plugin" "$(ranks_by "${MPIRUN:-mpirun}")" "$LMP"
else
    tap_skip "no LAMMPS with the package PLUGIN: LMP=$LMP"
fi
[ -n "$lammps" ] || skip_all "no LAMMPS to run documents with"

# The documents' and examples' inputs, a few steps each.
first_input "$top_srcdir/docs/lammps.md" | sed "s|chgnetplugin.so|$plugin|; s|^run .*|run 3|" >doc.in
tap_ok $? "docs/lammps.md begins with an input"
"$lammps" -in doc.in -log none >out 2>&1
tap_ok $? "it runs" || tap_note "$(tail -n 5 out)"
grep -q "^Loop time.*3 steps with 64 atoms" out
tap_ok $? "and makes its steps" || tap_note "$(tail -n 5 out)"
cp "$top_srcdir"/examples/lammps/* .
sed "s|chgnetplugin.so|$plugin|; s|^run .*|run 3|" nve.in >short.in
"$lammps" -in short.in -log none >out 2>&1
tap_ok $? "examples/lammps/nve.in runs" || tap_note "$(tail -n 5 out)"

tap_done
