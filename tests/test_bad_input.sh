#!/bin/sh
# Bad input: one line that says what is wrong and what would be right, the exit code of its kind, nothing half-written.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
cif=$top_srcdir/examples/LiMnO2.cif
: "${CHGNET_WEIGHTS:=$top_srcdir/weights}"
cd "$tap_dir" || exit 99

# refused STATUS FILE PATTERN NAME: FILE is refused with one line of "chgnet: FILE:", where PATTERN follows.
refused() {
    want=$1
    file=$2
    pattern=$3
    name=$4
    "$chgnet" predict "$file" -o out.h5 >out 2>err
    got=$?
    grep -q -e "^chgnet: $file:$pattern" err && grep -q '; ' err && [ "$got" -eq "$want" ] && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] &&
        [ -z "$(find . -name 'out.h5*')" ]
    tap_ok $? "$name: exit code $want, one line, no output" || tap_note "exit code $got: $(head -c 400 err)"
}

# xyz FILE COMMENT ATOM...: one frame of extended XYZ.
xyz() {
    file=$1
    comment=$2
    shift 2
    { echo $#; echo "$comment"; printf '%s\n' "$@"; } >"$file"
}
plain='Properties=species:S:1:pos:R:3'
cubic='Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3'

# ---- files ------------------------------------------------------------------------------------------------------------

refused 3 missing.cif ".*cannot be opened: .*;" "a missing file"
refused 3 missing/POSCAR ".*cannot be opened: .*;" "a file in a missing folder"
mkdir folder
refused 3 folder ".*directory; " "a directory"
: >empty.cif
refused 3 empty.cif ".*empty; " "an empty file"
printf '\n  \n\n' >blank.xyz
refused 3 blank.xyz ".*empty; " "a file of blank lines"
head -c 4096 "$chgnet" >binary.cif
refused 3 binary.cif ".*binary file; " "a binary file"
head -c 4096 "$CHGNET_WEIGHTS/chgnet-0.3.0.h5" >POSCAR.h5
refused 3 POSCAR.h5 ".*binary file; " "weights instead of a structure"
printf 'To be or not to be,\nthat is the question.\n' >text.txt
refused 3 text.txt ".*not recognised" "a text of another kind"
: >closed.cif
chmod 000 closed.cif
if [ "$(id -u)" -ne 0 ]; then
    refused 6 closed.cif ".*Permission denied" "a file that may not be read"
elif command -v setpriv >/dev/null 2>&1 && chmod 755 . &&
    setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$chgnet" -a -r "$CHGNET_WEIGHTS/chgnet-0.3.0.h5"; then
    setpriv --reuid=65534 --regid=65534 --clear-groups env CHGNET_WEIGHTS="$CHGNET_WEIGHTS" \
        "$chgnet" predict closed.cif >out 2>err
    got=$?
    tap_ok "$([ $got -eq 6 ] && grep -q '^chgnet: closed.cif: cannot be opened: Permission denied; ' err; echo $?)" \
        "a file that may not be read: exit code 6, one line" || tap_note "exit code $got: $(cat err)"
else
    tap_skip "no user here for whom permissions count"
fi

# ---- truncated files and wrong counts ---------------------------------------------------------------------------------

head -n 24 "$cif" >cut.cif
refused 3 cut.cif "[0-9]*: " "a truncated CIF: no atoms"
head -n 29 "$cif" | sed '$s/  1$//' >cut-row.cif
refused 3 cut-row.cif "[0-9]*: " "a truncated CIF: a row that is not full"
printf 'NaCl\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n' >cut.vasp
refused 3 cut.vasp "[0-9]*: " "a truncated POSCAR"
printf 'NaCl\n1.0\n4 0 0\n0 4 0\n' >cut-cell.vasp
refused 3 cut-cell.vasp "[0-9]*: " "a POSCAR truncated in its cell"
printf '3\n%s\nH 0 0 0\nH 0 0 1\n' "$plain" >cut.xyz
refused 3 cut.xyz "4: the file ends after 2 of 3 atoms" "a truncated extended XYZ"
printf '1\n%s\nH 0 0\n' "$plain" >short.xyz
refused 3 short.xyz "3: " "an atom with too few numbers"
printf '1\n%s\nH 0 0 0 0\n' "$plain" >long.xyz
refused 3 long.xyz "3: " "an atom with too many numbers"
printf '1\n%s\nH 0 0 0\nH 0 0 1\n' "$plain" >more.xyz
"$chgnet" predict more.xyz >out 2>err
tap_ok "$([ $? -eq 3 ] && grep -q '^chgnet: more.xyz:4: ' err; echo $?)" "more atoms than promised: named at its line"
printf 'NaCl\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1\nDirect\n0 0 0\n' >counts.vasp
refused 3 counts.vasp "7: " "a POSCAR with fewer counts than elements"
printf 'NaCl\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 -1\nDirect\n0 0 0\n' >negative.vasp
refused 3 negative.vasp "7: " "a negative count"
printf -- '-1\n%s\nH 0 0 0\n' "$plain" >negative.xyz
refused 3 negative.xyz "1: " "a negative number of atoms"
printf '0\n%s\n' "$plain" >none.xyz
refused 3 none.xyz "[0-9]*: " "no atoms"

# ---- overflowing counts -----------------------------------------------------------------------------------------------

for count in 1000000000 4294967297 9223372036854775807 18446744073709551617 99999999999999999999999; do
    printf '%s\n%s\nH 0 0 0\n' "$count" "$plain" >huge.xyz
    refused 3 huge.xyz "[0-9]*: " "extended XYZ: $count atoms"
    printf 'X\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa\n%s\nDirect\n0 0 0\n' "$count" >huge.vasp
    refused 3 huge.vasp "[0-9]*: " "POSCAR: $count atoms"
done
printf 'X\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n9223372036854775807 9223372036854775807\nDirect\n0 0 0\n' >sum.vasp
refused 3 sum.vasp "[0-9]*: " "POSCAR: counts whose sum overflows"
printf '1\nProperties=species:S:1:pos:R:3:big:R:2147483648\nH 0 0 0 1\n' >wide.xyz
refused 3 wide.xyz "2: " "extended XYZ: a column of 2147483648 numbers"

# ---- atoms ------------------------------------------------------------------------------------------------------------

xyz element.xyz "$cubic" "Xx 0 0 0"
refused 3 element.xyz "3: .*Xx" "an unknown element"
printf 'X\n1.0\n4 0 0\n0 4 0\n0 0 4\nQq\n1\nDirect\n0 0 0\n' >element.vasp
refused 3 element.vasp "6: .*Qq" "an unknown element in a POSCAR"
xyz heavy.xyz "$cubic" "H 0 0 0" "Am 2 2 2"
refused 3 heavy.xyz "1: .*Am (Z 95, atom 2)" "an element beyond Z = 94"
xyz nan.xyz "$cubic" "H 0 nan 0"
refused 3 nan.xyz "3: " "a coordinate that is NaN"
xyz inf.xyz "$cubic" "H 0 0 -inf"
refused 3 inf.xyz "3: " "a coordinate that is infinite"
xyz far.xyz "$cubic" "H 0 0 1e300"
refused 3 far.xyz "3: " "a coordinate beyond 1e6 A"
printf 'X\n1.0\n4 0 0\n0 4 0\n0 0 4\nH\n1\nDirect\nnan 0 0\n' >nan.vasp
refused 3 nan.vasp "9: " "NaN in a POSCAR"
sed 's/^_cell_length_a .*/_cell_length_a inf/' "$cif" >inf.cif
refused 3 inf.cif "[0-9]*: " "an infinite length in a CIF"
xyz close.xyz "$cubic" "H 0 0 0" "Li 2 2 2" "O 2 2 2.0009"
refused 3 close.xyz "1: atoms 2 (Li) and 3 (O) are 0.0009" "two atoms closer than 1e-3 A"
xyz image.xyz "$cubic" "H 0 0 0.0001" "O 0 0 3.9999"
refused 3 image.xyz "1: atoms 1 (H) and 2 (O)" "two atoms closer than 1e-3 A across the border of the cell"
xyz same.xyz "$plain" "H 1 1 1" "H 1 1 1"
refused 3 same.xyz "1: atoms 1 (H) and 2 (H)" "two atoms in one place"

# ---- cells ------------------------------------------------------------------------------------------------------------

for cell in "4 0 0 0 4 0 4 4 0" "4 0 0 8 0 0 0 0 4" "4 0 0 0 0 0 0 0 4" "0 0 0 0 0 0 0 0 0" "nan 0 0 0 4 0 0 0 4" \
    "1e7 0 0 0 4 0 0 0 4" "1e-5 0 0 0 4 0 0 0 4" "4 0 0 0 4 0"; do
    xyz cell.xyz "Lattice=\"$cell\" $plain" "H 0 0 0"
    refused 3 cell.xyz "2: " "the cell \"$cell\""
done
printf 'X\n1.0\n4 0 0\n0 4 0\n4 4 0\nH\n1\nDirect\n0 0 0\n' >singular.vasp
refused 3 singular.vasp "[0-9]*: .*singular" "a singular cell in a POSCAR"
sed 's/^_cell_angle_gamma .*/_cell_angle_gamma 180/' "$cif" >angle.cif
refused 3 angle.cif "[0-9]*: " "an impossible angle in a CIF"

# ---- memory -----------------------------------------------------------------------------------------------------------

# A frame of 64000 atoms where less than a gigabyte is allowed; AddressSanitizer cannot even start there.
awk 'BEGIN {
    print 64000; print "Lattice=\"100 0 0 0 100 0 0 0 100\" Properties=species:S:1:pos:R:3"
    for (i = 0; i < 40; i++) for (j = 0; j < 40; j++) for (k = 0; k < 40; k++) print "Cu", 2.5 * i, 2.5 * j, 2.5 * k
}' >large.xyz
if (ulimit -v 900000 && "$chgnet" predict "$cif") >out 2>err; then
    (ulimit -v 900000 && exec "$chgnet" predict large.xyz "$cif" --json -o out.h5) >out 2>err
    tap_is_int $? 7 "a frame that is too large for the memory: exit code 7"
    tap_ok "$([ "$(wc -l <err)" -eq 1 ] && grep -q '^chgnet: large.xyz:1: not enough memory: [0-9.]* MB' err; echo $?)" \
        "one line with the size that is needed" || tap_note "$(cat err)"
    tap_ok "$([ "$(wc -l <out)" -eq 1 ] && [ -s out.h5 ]; echo $?)" "the other frame is done"
    rm -f out.h5
else
    tap_skip "memory cannot be limited here"
fi

# ---- weights ----------------------------------------------------------------------------------------------------------

# weights FILE PATTERN NAME: weights that are refused, before a structure is read.
weights() {
    "$chgnet" predict -m "$1" "$cif" -o out.h5 >out 2>err
    got=$?
    [ "$got" -eq 3 ] && grep -q -e "^chgnet: $1: .*$2" err && grep -q '; ' err && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] &&
        [ -z "$(find . -name 'out.h5*')" ]
    tap_ok $? "$3: exit code 3, one line, no output" || tap_note "exit code $got: $(head -c 400 err)"
}
good=$CHGNET_WEIGHTS/chgnet-0.3.0.h5
size=$(wc -c <"$good")
weights ./missing.h5 "cannot be opened" "missing weights"
: >nothing.h5
weights ./nothing.h5 "" "empty weights"
cp "$cif" text.h5
weights ./text.h5 "not an HDF5 file" "a text as weights"
for part in 8 512 2048 100000 $((size / 2)) $((size - 1)); do
    head -c "$part" "$good" >cut.h5
    weights ./cut.h5 "" "weights truncated after $part of $size bytes"
done
for place in 40000 $((size / 2)) $((size - 5000)); do
    { head -c "$place" "$good"; printf '\125\252\125\252\125\252\125\252'; tail -c +$((place + 9)) "$good"; } >changed.h5
    weights ./changed.h5 "" "weights changed at byte $place"
done
"$chgnet" predict "$cif" -o results.h5 || tap_ok 1 "results"
weights ./results.h5 "" "an HDF5 file that holds no weights"

tap_done
