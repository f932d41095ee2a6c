#!/bin/sh
# chgnet relax: outputs and their formats, constraints, trajectory, exit codes, several structures, signals; and that the
# commands of examples/relax/README.md do what is printed there.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
cif=$top_srcdir/examples/LiMnO2.cif
slab=$top_srcdir/examples/relax/slab.extxyz
cd "$tap_dir" || exit 99

# relax WANTED-STATUS NAME ARGUMENT...: run, standard output to `out`, standard error to `err`.
relax() {
    want=$1
    name=$2
    shift 2
    "$chgnet" relax "$@" >out 2>err
    got=$?
    tap_is_int "$got" "$want" "$name: exit code $want" || tap_note "$(cat err)"
}

# says PATTERN NAME: the last run's only error line.
says() {
    { [ "$(wc -l <err)" -eq 1 ] && grep -q "^chgnet: .*$1" err; }
    tap_ok $? "$2" || tap_note "$(cat err)"
}

# positions FILE: species and coordinates of the last frame of extended XYZ.
positions() {
    n=$(head -n 1 "$1")
    tail -n "$n" "$1" | awk '{ print $1, $2, $3, $4 }'
}

# ---- outputs ----------------------------------------------------------------------------------------------------------

relax 0 "a crystal with its cell" --cell full --fmax 0.01 "$cif" -o a.extxyz --trajectory steps.extxyz
tap_ok "$(grep -q 'relax_converged=T energy=-58\.9[0-9]* stress=' a.extxyz; echo $?)" "the result holds energy and stress"
tap_is_int "$(grep -c 'Properties=.*:forces:R:3' steps.extxyz)" \
    "$(($(sed -n 's/.*relax_steps=\([0-9]*\).*/\1/p' a.extxyz) + 1))" "the trajectory has a frame for each step"
tap_is_text "$(positions a.extxyz)" "$(positions steps.extxyz)" "its last one is the final structure"
tap_ok "$(grep -q '^ *0 *8 .* yes ' out; echo $?)" "the table says that it converged"
"$chgnet" predict --json a.extxyz >again.json
relax 0 "no step is needed again" --cell full --fmax 0.011 a.extxyz -o a.json
tap_is_text "$(sed 's/.*"energy": \([-0-9.]*\).*/\1/' a.json)" "$(sed 's/.*"energy": \([-0-9.]*\).*/\1/' again.json)" \
    "the energy is that of predict"
for suffix in h5 cif vasp xyz json; do
    relax 0 "to .$suffix" --fmax 0.1 "$cif" -o "b.$suffix"
    [ -s "b.$suffix" ]
    tap_ok $? "b.$suffix is there"
done
for suffix in cif vasp xyz; do
    relax 0 "from .$suffix" --fmax 0.1 "b.$suffix" -o c.xyz
    tap_ok "$(grep -q 'relax_steps=0 ' c.xyz; echo $?)" "b.$suffix holds the relaxed structure"
done

# ---- precision, threads -----------------------------------------------------------------------------------------------

for kind in fire lbfgs bfgs; do
    relax 0 "$kind" --optimizer $kind --cell full --fmax 0.02 --pressure 5 -t 1 "$cif" -o one.extxyz
    relax 0 "$kind, three threads" --optimizer $kind --cell full --fmax 0.02 --pressure 5 -t 3 "$cif" -o three.extxyz
    tap_ok "$(cmp -s one.extxyz three.extxyz; echo $?)" "$kind: the same for any number of threads"
done

# ---- fixed atoms ------------------------------------------------------------------------------------------------------

relax 4 "two steps of a slab" --steps 2 --fix 'layer 1-2' "$slab" -o fixed.extxyz
says 'slab.extxyz:1: not converged in 2 steps' "what has not converged is told with its place"
tap_ok "$(grep -q 'relax_converged=F' fixed.extxyz; echo $?)" "the last state is written"
tap_is_text "$(positions fixed.extxyz | sed -n 1,8p | awk '{ printf "%s %.8f %.8f %.8f\n", $1, $2, $3, $4 }')" \
    "$(positions "$slab" | sed -n 1,8p)" "the lower layers have not moved"
tap_is_int "$(grep -c ' F ' fixed.extxyz)" 8 "the constraints are kept"
relax 4 "the file's own constraints" --steps 2 fixed.extxyz -o fixed2.extxyz
tap_is_text "$(positions fixed2.extxyz | sed -n 1,8p)" "$(positions fixed.extxyz | sed -n 1,8p)" "are heeded"
relax 0 "all fixed" --fix all "$slab" -o none.extxyz
tap_ok "$(grep -q 'relax_steps=0 ' none.extxyz; echo $?)" "nothing is left to do"
relax 4 "one component" --steps 2 --fix 'element S along xy' "$slab" -o along.extxyz
tap_is_text "$(positions along.extxyz | sed -n 's/^S //p' | awk '{ printf "%.8f %.8f", $1, $2 }')" \
    "$(positions "$slab" | sed -n 's/^S //p' | awk '{ print $1, $2 }')" "moves along the other alone"
relax 2 "a wrong expression" --fix 'elemnt Cu' "$slab" -o none.h5
says "--fix 'elemnt Cu', column 1" "names the column"
relax 3 "an atom that is not there" --fix 'index 18' "$slab" -o none.h5
says "slab.extxyz:1: --fix 'index 18': there is no atom 18" "names the atom"

# ---- several structures -----------------------------------------------------------------------------------------------

{ cat "$slab"; sed 's/^S .*/Xx 0 0 0/' "$slab"; sed '3s/.*/Cu 2.57386868 0 7.0001/' "$slab"; } >many.extxyz
relax 3 "good and bad ones" -t 3 --steps 400 --fmax 0.2 --fix 'z < 10' "$cif" many.extxyz "$cif" -o many.h5 --trajectory t.xyz
tap_is_int "$(grep -c ' yes ' out)" 3 "the good ones are relaxed"
tap_is_int "$(grep -c ' failed ' out)" 2 "the others are listed"
tap_is_int "$(wc -l <err | tr -d ' ')" 2 "and told"
tap_is_text "$(sed -n 's/.*[" ]frame=\([0-9]*\).*/\1/p' t.xyz | uniq | tr '\n' ' ')" "0 1 4 " \
    "the trajectory has the structures one after the other"
relax 3 "the same with one thread" -t 1 --steps 400 --fmax 0.2 --fix 'z < 10' "$cif" many.extxyz "$cif" -o many1.h5 \
    --trajectory t1.xyz
tap_ok "$(cmp -s many.h5 many1.h5 && cmp -s t.xyz t1.xyz; echo $?)" "any number of threads gives the same files"
relax 2 "two structures in a POSCAR" "$cif" "$cif" --fmax 1 -o two.vasp
tap_ok "$([ -s two.vasp ] && grep -q 'a POSCAR holds one structure' err; echo $?)" "the first one is there, the other refused"

# ---- wrong use, failures ----------------------------------------------------------------------------------------------

relax 2 "no output" "$cif"
says "no output; give -o" "says so"
relax 2 "no file" -o x.h5
relax 2 "an unknown minimiser" --optimizer cg "$cif" -o x.h5
says "fire, lbfgs or bfgs" "says which there are"
relax 2 "an unknown cell" --cell all "$cif" -o x.h5
relax 2 "a force limit of zero" --fmax 0 "$cif" -o x.h5
relax 2 "a suffix without a format" "$cif" -o x.txt
relax 2 "a trajectory of another format" "$cif" -o x.h5 --trajectory t.h5
relax 2 "one name for two files" "$cif" -o x.xyz --trajectory x.xyz
relax 2 "a limit without a delta-model" --max-std 0.1 "$cif" -o x.h5
relax 3 "no such file" nowhere.cif -o x.h5
relax 6 "no such folder" "$cif" -o nowhere/x.h5
relax 6 "no folder for the trajectory" "$cif" -o x.h5 --trajectory nowhere/t.xyz
sed 's/pbc="T T T"/pbc="T T F"/' "$slab" >open.extxyz
relax 3 "the cell of an open slab" --cell full open.extxyz -o x.h5
says "open.extxyz:1: the cell has an axis that is not periodic" "cannot relax"
relax 4 "but its plane can" --cell inplane --steps 1 open.extxyz -o x.h5
relax 3 "a stress limit for it" --smax 1 open.extxyz -o y.h5
relax 5 "a crystal crushed" --cell full --pressure 9999 --steps 400 "$cif" -o y.h5
says 'LiMnO2.cif:[0-9]*: step [0-9]*: ' "is a numerical failure at a step"
tap_ok "$([ ! -e y.h5 ]; echo $?)" "and leaves no output"
relax 0 "a stress limit" --cell full --fmax 1 --smax 0.2 "$cif" -o smax.extxyz
if "$chgnet" relax --keep-symmetry --cell full --fmax 0.02 "$cif" -o s.extxyz >out 2>err; then
    tap_ok 0 "with the space group kept"
else
    says "without spglib" "no space groups in this build"
fi

# ---- signals ----------------------------------------------------------------------------------------------------------

"$chgnet" relax --fmax 1e-9 --steps 1000000 "$slab" -o never.h5 --trajectory long.xyz >out 2>err &
pid=$!
for tenth in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    sleep 0.1
    [ "$(grep -c 'step=' long.xyz 2>/dev/null)" -ge 2 ] && break
done
kill -TERM $pid
wait $pid
tap_is_int $? 143 "SIGTERM ends it after $tenth tenths of a second"
tap_is_int "$(($(wc -l <long.xyz) % 19))" 0 "the trajectory holds whole frames"
tap_ok "$([ ! -e never.h5 ]; echo $?)" "what is not finished is not written"

# ---- the example ------------------------------------------------------------------------------------------------------

mkdir examples examples/relax
cp "$slab" examples/relax/
cp "$cif" examples/
chmod u+w examples/relax/slab.extxyz examples/LiMnO2.cif
PATH="$top_builddir:$PATH"
export PATH
sed -n '/^```sh$/,/^```$/p' "$top_srcdir/examples/relax/README.md" | grep '^chgnet ' >commands
tap_is_int "$(wc -l <commands | tr -d ' ')" 3 "the example has its commands"
while read -r line; do
    (cd examples/relax && eval "$line") >>shown 2>err
    tap_ok $? "$line" || tap_note "$(cat err)"
done <commands
if command -v gnuplot >/dev/null 2>&1; then
    tap_ok "$(grep -q '</svg>' examples/relax/slab-relax.svg; echo $?)" "slab-relax.svg is drawn"
else
    tap_skip "no gnuplot"
fi
# Labels, and numbers to two decimals: the last digits of single precision differ between processors.
shorten() {
    grep -v '^$' | sed 's/\(\.[0-9][0-9]\)[0-9]*/\1/g; s/-0\.00 / 0.00 /g; s/  */ /g'
}
sed -n '/^CHGNet/,/^```$/p' "$top_srcdir/examples/relax/README.md" | grep -v '^```' | shorten >printed
head -n 14 shown | shorten | head -n "$(wc -l <printed)" >now
tap_is_text "$(cat now)" "$(cat printed)" "the tables are those printed"
tap_done
