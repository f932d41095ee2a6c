#!/bin/sh
# chgnet phonon-forces: phonopy's displaced cells (tests/files/phonopy, by tools/make_phonopy_reference.py) and our own, FORCE_SETS,
# wrong use; and that the commands of examples/phonons/README.md do what is printed there.  Bands against those from upstream's
# forces: tools/check_phonons.py.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
files=$top_srcdir/tests/files/phonopy
cd "$tap_dir" || exit 99

# run WANTED-STATUS NAME ARGUMENT...: standard output to `out`, standard error to `err`.
run() {
    want=$1
    name=$2
    shift 2
    "$chgnet" "$@" >out 2>err
    got=$?
    tap_is_int "$got" "$want" "$name: exit code $want" || tap_note "$(cat err)"
}

# says PATTERN NAME: the last run's only error line.
says() {
    { [ "$(wc -l <err)" -eq 1 ] && grep -q "^chgnet: .*$1" err; }
    tap_ok $? "$2" || tap_note "$(cat err)"
}

# close_to A B TOLERANCE NAME: columns of numbers.
close_to() {
    paste "$1" "$2" | awk -v t="$3" '{ for (k = 1; k <= NF / 2; k++) { d = $k - $(k + NF / 2); if (d < 0) d = -d
        if (d > t) bad = 1; n++ } } END { exit bad || !n }'
    tap_ok $? "$4"
}

# ---- cells of phonopy ---------------------------------------------------------------------------------------------------

run 0 "phonopy's file" phonon-forces -p double "$files/phonopy_disp.yaml"
tap_is_text "$(sed -n '1,2p;4,5p;23p' FORCE_SETS | tr -s ' \n' ' ')" \
    "16 2 1 0.0000000000000000 0.0070710678118655 0.0070710678118655 9 " "FORCE_SETS: atoms, cells, atom, displacement"
tap_is_int "$(wc -l <FORCE_SETS | tr -d ' ')" 40 "has a line for each force"
run 0 "the cell alone" predict -p double -o 1.extxyz "$files/POSCAR-001"
sed -n '3,$p' 1.extxyz | awk '{ print $5, $6, $7 }' >wanted
sed -n '6,21p' FORCE_SETS >found
# phonopy writes the cell's coordinates to 16 decimals of its edges, and we the forces to 10.
close_to found wanted 1e-8 "forces are those of chgnet predict on POSCAR-001"
cp FORCE_SETS first
run 0 "with the cells" phonon-forces -p double -t 2 "$files/phonopy_disp.yaml" "$files/POSCAR-001" "$files/POSCAR-002"
tap_ok "$(cmp -s FORCE_SETS first; echo $?)" "two threads: the same bytes"
run 3 "cells in the wrong order" phonon-forces "$files/phonopy_disp.yaml" "$files/POSCAR-002" "$files/POSCAR-001"
says "POSCAR-002" "is told"
run 3 "one cell of two" phonon-forces "$files/phonopy_disp.yaml" "$files/POSCAR-001"
says "give all or none" "is told"

# ---- our own cells ------------------------------------------------------------------------------------------------------

run 0 "--supercell" phonon-forces -p double --no-symmetry --supercell '2 2 2' --cells own.yaml -o own "$files/POSCAR-unitcell"
tap_is_int "$(sed -n 2p own | tr -d ' ')" 12 "two atoms both ways along three vectors"
# The first displacement is phonopy's.
sed -n '4,21p' own >found
sed -n '4,21p' first >wanted
close_to found wanted 1e-8 "the first one is phonopy's, with its forces"
run 0 "read back" phonon-forces -p double -o again own.yaml
sed -n '6,21p;25,40p' again >found
sed -n '6,21p;25,40p' own >wanted
close_to found wanted 1e-9 "our file gives the same forces"
if "${PYTHON3:-python3}" -c 'import phonopy' 2>/dev/null; then
    "${PYTHON3:-python3}" -c 'import phonopy
found = []
for cells, forces in (("'"$files"'/phonopy_disp.yaml", "first"), ("own.yaml", "own")):
    p = phonopy.load(cells, force_sets_filename=forces, log_level=0)
    p.run_mesh([3, 3, 3])
    found.append(p.get_mesh_dict()["frequencies"])
assert abs(found[0] - found[1]).max() < 1e-6, abs(found[0] - found[1]).max()' 2>err # THz: the cell has inversion
    tap_ok $? "phonopy reads ours and finds the same frequencies" || tap_note "$(tail -n 1 err)"
else
    tap_skip "no phonopy"
fi

# ---- wrong use, failures ------------------------------------------------------------------------------------------------

run 2 "no file" phonon-forces
run 2 "no supercell" phonon-forces --supercell '2 2' "$files/POSCAR-unitcell"
run 2 "a flat supercell" phonon-forces --supercell '1 0 0 1 0 0 0 0 1' "$files/POSCAR-unitcell"
run 2 "a distance without cells to make" phonon-forces --distance 0.02 "$files/phonopy_disp.yaml"
run 3 "a crystal without --supercell" phonon-forces "$files/POSCAR-unitcell"
says "give phonopy_disp.yaml, or --supercell" "says what is needed"
run 3 "no such file" phonon-forces nowhere.yaml
head -n 60 "$files/phonopy_disp.yaml" >torn.yaml
run 3 "a torn file" phonon-forces torn.yaml
says "torn.yaml" "says which"
rm -f FORCE_SETS
run 6 "no such folder" phonon-forces -o nowhere/FORCE_SETS "$files/phonopy_disp.yaml"
tap_ok "$([ ! -e FORCE_SETS ]; echo $?)" "nothing is written"
awk 'NR == 10 { $1 += 0.02 } { print }' "$files/POSCAR-unitcell" >moved
run 0 "atoms not at rest" phonon-forces --no-symmetry --supercell '1 1 1' -o moved.sets --cells moved.yaml moved
says "relax the crystal first" "a warning"
run 0 "--subtract-residual" phonon-forces --no-symmetry --subtract-residual --supercell '1 1 1' -o less --cells moved.yaml moved
tap_is_int "$(wc -l <err | tr -d ' ')" 0 "no warning then"

# ---- the example --------------------------------------------------------------------------------------------------------

readme=$top_srcdir/examples/phonons/README.md
cp "$top_srcdir/examples/properties/MgO.vasp" .
PATH="$top_builddir:$PATH"
export PATH
sed -n '/^```sh$/,/^```$/p' "$readme" | grep '^chgnet ' | sed "s/'3 3 3'/'1 1 1'/" >commands # the third reads what the second wrote
tap_is_int "$(wc -l <commands | tr -d ' ')" 3 "the example has its commands"
while read -r line; do
    eval "$line" >shown 2>err
    tap_ok $? "$line" || tap_note "$(cat err)"
done <commands
tap_ok "$(grep -q '(MgO.svg)' "$readme" && [ -s "$top_srcdir/examples/phonons/MgO.svg" ]; echo $?)" "has its picture"
tap_done
