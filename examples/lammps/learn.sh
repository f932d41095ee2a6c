#!/bin/sh
# Learning on the fly: LAMMPS runs until the delta-model's standard deviation is beyond LIMIT; that structure is labelled,
# the delta-model fitted anew, and the run goes on from where it stopped.  The labels come from CHGNet's r2SCAN weights here;
# put your own code into `label`.
#
#     sh learn.sh [STEPS [LIMIT]]          LMP names LAMMPS, CHGNET the command
# SPDX-License-Identifier: BSD-3-Clause
set -eu
: "${LMP:=lmp}" "${CHGNET:=chgnet}"
steps=${1:-200} limit=${2:-0.15}

# extxyz DUMP: a frame of an upright box of Mg and O as extended XYZ.
extxyz() {
    awk '/NUMBER/ { getline n } /BOX/ { for (k = 0; k < 3; k++) { getline; l[k] = $2 - $1 } }
        /ITEM: ATOMS/ { printf "%d\nLattice=\"%.10f 0 0 0 %.10f 0 0 0 %.10f\" Properties=species:S:1:pos:R:3\n", n, l[0], l[1], l[2]
            while (getline > 0) print ($2 == 1 ? "Mg" : "O"), $3, $4, $5 }' "$1"
}

# label FILE: append it to the labels, with REF_energy and REF_forces.
label() {
    "$CHGNET" predict -m r2scan --quiet -o labelled.extxyz "$1"
    sed 's/energy=/REF_energy=/; s/forces:R:3/REF_forces:R:3/' labelled.extxyz >>labels.extxyz
}

fit() {
    "$CHGNET" delta fit labels.extxyz --aggregation atomic --quiet -o delta.h5 >fit.txt
}

rm -f labels.extxyz
"$LMP" -in learn_start.in -log none >lammps.txt
for dump in last.dump other.dump; do
    extxyz $dump >new.extxyz
    label new.extxyz
done
reached=0
while [ "$reached" -lt "$steps" ]; do
    fit
    "$LMP" -in learn.in -var delta delta.h5 -var limit "$limit" -var steps "$steps" -log none >lammps.txt
    read -r reached std <reached.txt
    echo "step $reached, standard deviation $std eV, $(grep -c Lattice labels.extxyz) labels"
    extxyz last.dump >new.extxyz
    label new.extxyz
done
