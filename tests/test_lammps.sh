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
    tap_checks out "$1: "
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
runs() { # LOG NAME COMMAND...
    log=$1 name=$2
    shift 2
    "$@" >"$log" 2>&1
    tap_ok $? "$name" || tap_note "$(tail -n 5 "$log")"
}
shortened() { # INPUT: with the plugin that was built, and 20 steps
    sed "s|chgnetplugin.so|$plugin|; s|^run .*|run 20|; s|^thermo  .*|thermo 5|" "$1"
}
energy_at() { # STEP LOG: total energy of a thermo table
    awk -v step="$1" '$1 == "Step" { inside = 1; next } /^Loop/ { inside = 0 } inside && $1 == step { print $4 + 0; exit }' "$2"
}
first_input "$top_srcdir/docs/lammps.md" >doc.in
tap_ok $? "docs/lammps.md begins with an input"
shortened doc.in >doc20.in
runs doc.log "it runs" "$lammps" -in doc20.in -log none
grep -q "^Loop time.*20 steps with 64 atoms" doc.log
tap_ok $? "and makes its steps" || tap_note "$(tail -n 5 doc.log)"
cp "$top_srcdir"/examples/lammps/* .
shortened nve.in >nve20.in
runs nve.log "examples/lammps/nve.in runs" "$lammps" -in nve20.in -log none

# fix external makes the same steps; 64 atoms in single, and LAMMPS shows 8 digits of 760 eV.
same_steps() { # LOG NAME
    for step in 0 20; do
        tap_near "$(energy_at $step "$1")" "$(energy_at $step nve.log)" 1e-4 "$2: total energy of step $step as by the pair style"
    done
}
if [ -f /usr/include/lammps/library.h ] && [ -f "$top_builddir/.libs/libchgnet.so" ] &&
    "${CC:-cc}" fix_external.c -o fix_external -DLAMMPS_SMALLBIG -I/usr/include/lammps -I"$top_srcdir/src/api" \
        -L"$top_builddir/.libs" -Wl,-rpath,"$top_builddir/.libs" -lchgnet -llammps 2>compile.log; then
    runs external_c.log "examples/lammps/fix_external.c runs" ./fix_external 20
    same_steps external_c.log "fix_external.c"
else
    tap_skip "fix_external.c: no LAMMPS library in the system, or no shared library was built"
fi
if [ -f "$top_builddir/.libs/libchgnet.so" ] && "$PYTHON3" -c 'import lammps, numpy' 2>/dev/null; then
    runs external_py.log "examples/lammps/fix_external.py runs" env PYTHONPATH="$top_srcdir/src/python" \
        CHGNET_LIBRARY="$top_builddir/.libs/libchgnet.so" "$PYTHON3" fix_external.py 20
    same_steps external_py.log "fix_external.py"
else
    tap_skip "fix_external.py: $PYTHON3 has no lammps"
fi

# Learning on the fly, shorter: it stops at least once, is told the label, and comes to the end.
sed -i "s|chgnetplugin.so|$plugin|" learn.in
runs learn.log "examples/lammps/learn.sh runs" env LMP="$lammps" CHGNET="$chgnet" sh learn.sh 40 0.03
tap_is_text "$(awk 'END { print $1, $2 }' learn.log)" "step 40," "and comes to its last step"
[ "$(grep -c '^step' learn.log)" -gt 1 ]
tap_ok $? "having stopped for a label on the way" || tap_note "$(cat learn.log)"

tap_done
