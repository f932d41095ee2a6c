#!/bin/sh
# chgnet eos and chgnet elastic: bulk moduli and elastic constants against ASE with upstream's calculator
# (tests/ref/properties.txt by tools/check_properties.py), outputs, exit codes; and that the commands of
# examples/properties/README.md do what is printed there.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
crystals=$top_srcdir/examples/properties
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

# member FILE.json KEY: what the value begins with, without brackets.
member() {
    sed "s/.*\"$2\": \[*\([^]]*\)].*/\1/; s/,//g" "$1"
}

# ---- against the reference --------------------------------------------------------------------------------------------

# compare CRYSTAL: `found`, lines of a name and a number, with the reference.  Wanted: 0.5 %; what is zero by symmetry is
# so but for rounding and for what the relaxation left, 1e-5 eV/A.
compare() {
    grep -v '^#' "$top_srcdir/tests/ref/properties.txt" | sed -n "s/^$1 //p" >wanted
    sort wanted >a
    sort found | join a - >both
    tap_is_int "$(wc -l <both | tr -d ' ')" "$(wc -l <wanted | tr -d ' ')" "$1: has them all"
    awk '{ e = $3 - $2; if (e < 0) e = -e; size = $2 < 0 ? -$2 : $2
           if (e > (size < 0.1 ? 0.1 : 0.005 * size)) { print; bad = 1 } } END { exit bad }' both >off
    tap_ok $? "$1: volume, bulk modulus and elastic constants within 0.5 %" || tap_note "$(cat off)"
}

for crystal in MgO Cu Si; do
    run 0 "$crystal: equation of state" eos -p double --fmax 1e-5 "$crystals/$crystal.vasp"
    awk '/^volume  / { print "V0", $2 } /^bulk modulus/ { print "B0", $3 }' out >found
    run 0 "$crystal: elastic constants" elastic -p double --fmax 1e-5 -o c.json "$crystals/$crystal.vasp"
    sed 's/.*"elastic_tensor": \[\[//; s/\]\].*//; s/\], \[/\n/g; s/,//g' c.json |
        awk '{ for (j = NR; j <= 6; j++) print "C" NR j, $j }' >>found
    compare "$crystal"
done

# ---- outputs ----------------------------------------------------------------------------------------------------------

run 0 "as .csv" elastic "$crystals/Cu.vasp" -o c.csv --points 5 --strain 0.002
tap_is_int "$(wc -l <c.csv | tr -d ' ')" 31 "a line for each strain"
tap_is_int "$(awk -F, 'NF != 14' c.csv | wc -l | tr -d ' ')" 0 "of 14 numbers"
tap_is_text "$(sed -n '2p;6p' c.csv | cut -d, -f1,2 | tr '\n' ' ')" "xx,-0.002 xx,0.002 " "from the least to the largest"
if command -v python3 >/dev/null 2>&1; then
    python3 -c 'import json; c = json.load(open("c.json")); assert len(c["stresses"]) == len(c["strains"]) == 24
assert c["stable"] is True and len(c["compliance_tensor"]) == 6 and abs(c["k_vrh"] - sum(
    c["elastic_tensor"][i][j] for i in range(3) for j in range(3)) / 9) < 1e-3' 2>err
    tap_ok $? "JSON, as Python reads it" || tap_note "$(cat err)"
else
    tap_skip "no python3"
fi
if command -v gnuplot >/dev/null 2>&1; then
    run 0 "--plot" elastic --plot "$crystals/Cu.vasp"
    tap_ok "$(grep -q '</svg>' Cu-elastic.svg; echo $?)" "makes a picture"
else
    tap_skip "no gnuplot"
fi
run 0 "one thread" elastic -t 1 -o one.json "$crystals/Si.vasp"
run 0 "three threads" elastic -t 3 -o three.json "$crystals/Si.vasp"
tap_ok "$(cmp -s one.json three.json; echo $?)" "the same bytes"
relaxed=$(member one.json 'elastic_tensor')
run 0 "atoms clamped" elastic --clamp -o clamped.json "$crystals/Si.vasp"
tap_near "$(member clamped.json elastic_tensor | cut -d' ' -f1)" "$(echo "$relaxed" | cut -d' ' -f1)" 0.1 \
    "Si: C11 is the same without internal strain"
tap_ok "$(awk '$1 == "yz" { exit !($5 > 56.5) }' out; echo $?)" "C44 is larger"
run 0 "as it is" elastic --no-relax "$crystals/MgO.vasp"
tap_ok "$(awk '$1 == "pressure" { exit !($2 > -2 && $2 < 2 && $2 != 0) }' out; echo $?)" "a pressure is told"
run 0 "no average" elastic --no-symmetry "$crystals/MgO.vasp"
tap_ok "$(grep -q '^point group  *not averaged' out; echo $?)" "is told"

# ---- wrong use, failures ----------------------------------------------------------------------------------------------

for command in eos elastic; do
    run 2 "$command: no file" $command
    says "give one crystal" "$command: says so"
    run 2 "$command: two files" $command "$crystals/Cu.vasp" "$crystals/MgO.vasp"
    run 2 "$command: too few points" $command --points 3 "$crystals/Cu.vasp"
    run 3 "$command: no such file" $command nowhere.cif
    run 6 "$command: no such folder" $command -o nowhere/c.csv "$crystals/Cu.vasp"
    run 4 "$command: no step is enough" $command --fmax 1e-9 "$top_srcdir/examples/LiMnO2.extxyz"
    says "LiMnO2.extxyz: not converged in" "$command: says of what"
    sed 's/pbc="T T T"/pbc="T T F"/' "$top_srcdir/examples/relax/slab.extxyz" >open.extxyz
    run 3 "$command: a slab" $command --no-relax open.extxyz
    says "periodic along all axes" "$command: says why not"
done
run 2 "a suffix without a format" elastic -o c.txt "$crystals/Cu.vasp"
says "end it in .json or .csv" "says which there are"
run 2 "no strain" elastic --strain 0 "$crystals/Cu.vasp"
sed '2s/.*/1.1/' "$crystals/MgO.vasp" >wide.vasp
run 5 "an equation of state without a minimum" eos --no-relax --range 0.02 wide.vasp
says "wide.vasp: the energies have no minimum" "says so"

# ---- the example ------------------------------------------------------------------------------------------------------

readme=$crystals/README.md
mkdir example
cp "$crystals"/*.vasp example
PATH="$top_builddir:$PATH"
export PATH
sed -n '/^```sh$/,/^```$/p' "$readme" | grep '^chgnet ' >commands
tap_is_int "$(wc -l <commands | tr -d ' ')" 3 "the example has its commands"
command -v gnuplot >/dev/null 2>&1 || sed -i 's/ --plot//' commands
while read -r line; do
    (cd example && eval "$line") >>shown 2>err
    tap_ok $? "$line" || tap_note "$(cat err)"
done <commands
if command -v gnuplot >/dev/null 2>&1; then
    for picture in MgO-eos.svg Si-elastic.svg; do
        tap_ok "$(grep -q "($picture)" "$readme" && grep -q '</svg>' "example/$picture"; echo $?)" "$picture is drawn"
    done
else
    tap_skip "no gnuplot"
fi
# Numbers to two decimals; the lines about rounding and spglib depend on the machine.
shorten() {
    grep -v '^$\|^C - C^T\|^point group' | sed 's/\(\.[0-9][0-9]\)[0-9]*/\1/g; s/-\(0\.00\) / \1 /g; s/  */ /g'
}
sed -n '/^CHGNet [0-9]/,/^```$/p' "$readme" | grep -v '^```' | shorten >printed
head -n "$(grep -v '^$' shown | wc -l)" shown | shorten | head -n "$(wc -l <printed)" >now
tap_is_text "$(cat now)" "$(cat printed)" "the tables are those printed"
tap_done
