#!/bin/sh
# chgnet delta: options, results, files, and every input that must be refused.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

chgnet=$top_builddir/chgnet
labels=$top_srcdir/tests/files/labels.extxyz
cd "$tap_dir" || exit 99

# run STATUS NAME ARGUMENT...: run, standard output to `out`, standard error to `err`.
run() {
    want=$1
    name=$2
    shift 2
    "$chgnet" "$@" >out 2>err </dev/null
    tap_is_int $? "$want" "$name: exit code $want" || tap_note "$(head -n 5 err)"
}

says() {
    grep -q -e "$2" "$1"
    tap_ok $? "$3" || tap_note "$(head -n 20 "$1")"
}

# refused STATUS NAME PATTERN ARGUMENT...: one line that has the pattern and says what would be right; no file is left.
refused() {
    want=$1
    name=$2
    pattern=$3
    shift 3
    rm -f bad.h5
    run "$want" "$name" "$@"
    says err "^chgnet: .*$pattern" "$name: says what is wrong"
    says err '; ' "$name: says what would be right"
    tap_is_text "$(wc -l <err | tr -d ' ')" 1 "$name: in one line"
    [ ! -e bad.h5 ]
    tap_ok $? "$name: leaves no file"
}

# frame N FILE: the N-th frame (from 0) of labels with 13 or 14 atoms.
frame() {
    awk -v want="$1" '{ if (left == 0) { left = $1 + 2; k++ } if (k - 1 == want) print; left-- }' "$2"
}

# number KEY: a number of the JSON object in `out`; nested keys by dots.
number() {
    awk -v key="$1" '{ n = split(key, part, "."); line = $0
        for (k = 1; k <= n; k++) {
            at = index(line, "\"" part[k] "\": ")
            if (!at) exit
            line = substr(line, at + length(part[k]) + 4)
        }
        gsub(/[],}].*/, "", line); print line; exit }' out
}

frame 0 "$labels" >f0
frame 1 "$labels" >f1
frame 5 "$labels" >f5
frame 0 "$labels" >four.extxyz
frame 1 "$labels" >>four.extxyz
frame 2 "$labels" >>four.extxyz
frame 3 "$labels" >>four.extxyz
quick="--no-optimize"

# ---- a fit and what comes of it ---------------------------------------------------------------------------------------

run 0 "fit" delta fit "$labels" -o D.h5 $quick
says out '^delta-model ' "fit: tells what was made"
says out '^labels *12: 12 energies, ' "fit: counts labels"
[ -s D.h5 ]
tap_ok $? "fit: writes the file"
run 0 "show" delta show D.h5
says out 'labels.extxyz:1$' "show: where a label was read"
says out '^noise_energy' "show: hyperparameters"
run 0 "show --json" delta show D.h5 --json
says out '"aggregation": "' "show --json: an object"
run 0 "info" info D.h5
says out '^delta-model ' "info: knows a delta-model"
run 0 "info --verify" info D.h5 --verify
says out '^verified ' "info --verify: with the weights"

run 0 "eval" delta eval D.h5 "$labels" --json
before=$(number energy.before.mae)
after=$(number energy.after.mae)
awk -v a="$after" -v b="$before" 'BEGIN { exit !(a != "" && b != "" && a < b) }'
tap_ok $? "eval: labels that it learnt from are closer after ($after) than before ($before)"
run 0 "eval as a table" delta eval D.h5 "$labels"
says out '^energy (meV/atom) ' "eval: errors per atom"
says out '^forces (meV/A) ' "eval: errors of forces"

run 0 "predict -d" predict -d D.h5 --json f0 -p double
std=$(number energy_std)
delta=$(number delta_energy)
corrected=$(number energy)
awk -v s="$std" 'BEGIN { exit !(s != "" && s > 0 && s < 10) }'
tap_ok $? "predict -d: a standard deviation ($std eV)"
run 0 "predict without" predict --json f0 -p double
plain=$(number energy)
tap_near "$(awk -v a="$corrected" -v b="$plain" 'BEGIN { printf "%.9f", a - b }')" "$delta" 1e-6 \
    "predict -d: delta_energy is corrected minus CHGNet (printed digits)"
says out '"energy_std": null' "predict without a delta-model: null"
run 0 "predict -d table" predict -d D.h5 f0
says out '^  correction ' "predict -d: the table has the correction"
run 0 "predict -d, two frames" predict -d D.h5 four.extxyz
says out 'correction      std' "predict -d: a column each"
run 0 "predict -d extxyz" predict -d D.h5 f0 -o p.extxyz
says p.extxyz 'energy_std=' "predict -d: energy_std in extended XYZ"
says p.extxyz 'delta_energy=' "predict -d: delta_energy in extended XYZ"
run 0 "predict -o without -d from such a file" predict p.extxyz -o q.extxyz
grep -q 'energy_std=' q.extxyz
tap_is_int $? 1 "results of an earlier delta-model are not kept"
run 0 "--max-std" predict -d D.h5 --max-std 1e-9 four.extxyz
tap_is_int "$(grep -c 'warning: .*max-std' err)" 1 "--max-std: one warning"
run 2 "--max-std alone" predict --max-std 0.1 f0
run 0 "--explain" predict -d D.h5 --explain --references four.extxyz f0
says out 'Cu1S-00$' "--explain: names the nearest reference"
run 0 "--explain without a delta-model" predict --explain --references four.extxyz f0

run 0 "select" delta select D.h5 "$labels" -n 3 -o picked.extxyz
tap_is_int "$(grep -c 'pick_score=' picked.extxyz)" 3 "select: as many as asked"
says picked.extxyz 'REF_energy=' "select: keeps the frames' keys"
for by in variance d-optimal farthest; do
    run 0 "select --by $by" delta select D.h5 "$labels" -n 2 -o picked.extxyz --by $by
done
refused 3 "select more than there are" '4 candidates for 5' delta select D.h5 four.extxyz -n 5 -o picked5.extxyz

# ---- options of the fit ----------------------------------------------------------------------------------------------

for form in global species atomic; do
    for layer in atom_fea atom_fea_final; do
        run 0 "$form, $layer" delta fit four.extxyz -o o.h5 --aggregation $form --layer $layer $quick
        says out "^delta-model *$form.*, $layer of " "$form, $layer: said so"
        run 0 "$form, $layer: predicts" predict -d o.h5 f1
    done
done
run 0 "--energies-only" delta fit four.extxyz -o o.h5 --energies-only
says out ' 0 force components' "--energies-only: no forces"
run 0 "--kernel" delta fit four.extxyz -o o.h5 --kernel 'constant(0.5)*matern(length=9)+constant(0.1)*dot(2)' $quick
says out 'matern(' "--kernel: it is that one"
run 0 "noise" delta fit four.extxyz -o o.h5 --noise-energy 0.02 --noise-force 0.2 $quick
says out '20 meV per energy, 200 meV/A' "noise: as given"
run 0 "--offsets none" delta fit four.extxyz -o o.h5 --offsets none $quick
printf 'Cu -0.1\nS 0.5\n' >offsets
run 0 "--offsets FILE" delta fit four.extxyz -o o.h5 --offsets offsets $quick
run 0 "show given offsets" delta show o.h5
says out '^S *0.500000' "--offsets FILE: kept"
run 0 "--inducing" delta fit four.extxyz -o o.h5 --inducing 20 $quick
says out 'sparse: ' "--inducing: sparse"
for how in greedy cur kmeans; do
    run 0 "--select-inducing $how" delta fit four.extxyz -o o.h5 --inducing 12 --select-inducing $how $quick
    run 0 "--select-inducing $how: predicts" predict -d o.h5 f1
done
run 0 "--cross-validation" delta fit four.extxyz --cross-validation 2 $quick
says out '^cross-validation: 2 folds' "--cross-validation: told"
run 0 "--cross-validation loo" delta fit four.extxyz --cross-validation loo --fixed-hyperparameters $quick --json
says out '"cross_validation": ' "--cross-validation loo --json: an object"
run 0 "--learning-curve" delta fit "$labels" --learning-curve --energies-only $quick
says out '^learning curve' "--learning-curve: told"
run 0 "--validation" delta fit four.extxyz --validation f0 $quick
says out '^validation by f0' "--validation: told"
run 0 "--mask" delta fit four.extxyz -o o.h5 --mask move_mask $quick
run 0 "--plot" delta eval D.h5 four.extxyz --plot
if command -v gnuplot >/dev/null; then
    grep -q '<svg' D-parity.svg
    tap_ok $? "--plot: a picture"
else
    says err 'gnuplot' "--plot without gnuplot: a warning"
fi

# A base other than CHGNet: here the labels themselves, off by 1 eV for each S.
sed 's/REF_forces:R:3/REF_forces:R:3/; s/REF_energy=\([-0-9.]*\)/REF_energy=\1 other_energy=\1/' four.extxyz >base.extxyz
run 0 "--base-energy-key" delta fit base.extxyz -o base.h5 --base-energy-key other_energy --energies-only $quick
run 0 "eval with the base" delta eval base.h5 base.extxyz --base-energy-key other_energy --energies-only --json
tap_near "$(number energy.after.mae)" 0 1e-6 "a base without errors needs no correction (printed digits)"
refused 2 "eval without the base" 'give --base-energy-key other_energy' delta eval base.h5 base.extxyz
refused 3 "predict with another base" 'other_energy' predict -d base.h5 f0

# ---- adding labels ----------------------------------------------------------------------------------------------------

run 0 "a fit to all but one" delta fit f1 "$tap_dir/four.extxyz" -o dup.h5 $quick
says err 'warning: .*repeats the label' "a label twice: a warning, and taken once"
says out '^labels *4: ' "a label twice: counted once"
frame 4 "$labels" >f4
run 0 "--add" delta fit f4 --add o.h5 -o added.h5
says out '^labels *5: ' "--add: one more label"
run 0 "predict with what was added" predict -d added.h5 f4
refused 3 "--add an element that is new" 'number 47' delta fit f5 --add o.h5 -o bad.h5
refused 2 "--add with choices" 'has no place beside --add' delta fit f4 --add o.h5 -o bad.h5 --aggregation global

# ---- bits -------------------------------------------------------------------------------------------------------------

run 0 "fit again" delta fit four.extxyz -o one.h5 --seed 3
run 0 "and again" delta fit four.extxyz -o two.h5 --seed 3
cmp -s one.h5 two.h5
tap_ok $? "equal labels and seed: equal files"
OMP_NUM_THREADS=2 "$chgnet" delta fit four.extxyz -o two.h5 --seed 3 -t 2 >out 2>err
cmp -s one.h5 two.h5
tap_ok $? "one thread or two: equal files"

# ---- bad input --------------------------------------------------------------------------------------------------------

refused 3 "other weights" 'weights 0.3.0' predict -m 0.2.0 -d D.h5 f0
refused 3 "other weights in eval" 'weights 0.3.0' delta eval -m 0.2.0 D.h5 "$labels"
refused 3 "no such delta-model" 'nothing.h5' predict -d nothing.h5 f0
refused 3 "weights for a delta-model" 'not a delta-model\|format' predict -d "$top_srcdir/weights/chgnet-0.3.0.h5" f0
refused 3 "labels for a delta-model" 'not an HDF5 file' predict -d "$labels" f0
for part in 100 3000 20000; do
    head -c $part D.h5 >cut.h5
    refused 3 "the first $part bytes" 'cut.h5' predict -d cut.h5 f0
done
size=$(wc -c <D.h5)
head -c $((size - 64)) D.h5 >cut.h5
refused 3 "all but 64 bytes" 'cut.h5' delta show cut.h5

sed 's/^S /Qq /' f0 >f
refused 3 "an unknown element" "'Qq'" delta fit f four.extxyz -o bad.h5
sed 's/^S /Og /' f0 >f
refused 3 "an element beyond the model" 'f:1: ' delta fit f four.extxyz -o bad.h5
refused 3 "an element without labels" 'number 47' predict -d o.h5 f5
sed 's/REF_energy=/other=/' f0 >f
refused 3 "no energy" "f:1: the frame has no energy 'REF_energy'" delta fit f four.extxyz -o bad.h5
run 0 "--energy-key" delta fit four.extxyz -o o2.h5 --energy-key REF_energy0 --energies-only $quick
sed 's/REF_energy=[^ ]*/REF_energy=nan/' f0 >f
refused 3 "an energy that is no number" 'f:1: REF_energy' delta fit f four.extxyz -o bad.h5
sed '3s/[^ ]*$/nan/' f0 >f
refused 3 "a force that is no number" 'f:1: REF_forces of atom 1' delta fit f four.extxyz -o bad.h5
sed 's/REF_forces:R:3/REF_forces:R:2:rest:R:1/' f0 >f
refused 3 "two columns of forces" 'f:1: REF_forces has 2 columns' delta fit f four.extxyz -o bad.h5
sed '$d' f0 >f
refused 3 "an atom too few" 'f:' delta fit f -o bad.h5
sed 's/REF_energy=[-0-9]*\./REF_energy=-20./' f0 >f
refused 3 "a contradiction" 'f:1' delta fit four.extxyz f -o bad.h5
says err 'contradicts four.extxyz:1' "a contradiction: names both"
run 0 "--skip-bad" delta fit four.extxyz f -o o2.h5 --skip-bad $quick
says err 'warning: a label is left out: .*contradicts' "--skip-bad: a warning"
says out '^labels *4: ' "--skip-bad: without it"
sed 's/REF_energy=[^ ]*/REF_energy=nan/' f0 >g
cat g g four.extxyz >h.extxyz
run 0 "--skip-bad, two of a kind" delta fit h.extxyz -o o2.h5 --skip-bad $quick
tap_is_int "$(grep -c warning err)" 1 "--skip-bad: one warning of a kind"
# The same structure: shifted, its atoms in another order.
{ sed -n 1,2p f0; sed 1,2d f0 | awk '{ printf "%s %.8f %.8f %.8f %s %s %s\n", $1, $2 + 0.3, $3 + 0.2, $4, $5, $6, $7 }' | sed -n '1!G;h;$p'; } |
    sed 's/REF_energy=[-0-9]*\./REF_energy=-20./' >f
refused 3 "a contradiction in other clothes" 'f:1: contradicts f0:1' delta fit f0 f four.extxyz -o bad.h5
refused 3 "one label" 'one label alone' delta fit f0 -o bad.h5
# One label again and again: what repeats goes, and one is left.
cat f0 f0 f0 >f
refused 3 "one label three times" 'one label alone' delta fit f -q -o bad.h5
# Structures without variance: far-apart atoms look all alike.
for x in 1 2 3; do
    printf '2\nREF_energy=-%s pbc="F F F" Properties=species:S:1:pos:R:3\nS 0 0 0\nS %s 0 0\n' $x $((x * 10))
done >far
run 0 "features without variance" delta fit far -o o2.h5 -q $quick
run 0 "features without variance: predicts" predict -d o2.h5 -q far --json
grep -qi 'nan\|inf' out
tap_is_int $? 1 "features without variance: numbers"
refused 3 "an empty file" 'f' delta fit /dev/null -o bad.h5
refused 3 "no such file" 'nowhere' delta fit nowhere -o bad.h5

# ---- wrong use --------------------------------------------------------------------------------------------------------

refused 2 "no command" 'delta: ' delta
refused 2 "an unknown command" "did you mean 'fit'" delta fti
refused 2 "no labels" 'delta fit: no file' delta fit -o bad.h5
refused 2 "nothing wanted" 'nothing would be left' delta fit four.extxyz
refused 2 "an unknown form" 'global, species or atomic' delta fit four.extxyz -o bad.h5 --aggregation none
refused 2 "an unknown layer" 'atom_fea or atom_fea_final' delta fit four.extxyz -o bad.h5 --layer last
refused 2 "a kernel that is none" '--kernel' delta fit four.extxyz -o bad.h5 --kernel 'gauss(3)'
refused 2 "noise that is none" '--noise-energy' delta fit four.extxyz -o bad.h5 --noise-energy=-1
refused 2 "folds that are none" '--cross-validation' delta fit four.extxyz --cross-validation 1
refused 2 "more folds than labels" '5 folds for 4 labels' delta fit four.extxyz --cross-validation 5 $quick
refused 3 "offsets that are none" 'offsets:1' delta fit four.extxyz -o bad.h5 --offsets "$(echo 'Xx 1' >offsets; echo offsets)"
refused 2 "select without a place" 'give -o' delta select D.h5 four.extxyz
refused 6 "a folder that is not there" 'nowhere' delta fit four.extxyz -o nowhere/D.h5
run 0 "help" delta --help
says out 'chgnet delta fit ' "help: lists the commands"
for command in fit eval select show; do
    run 0 "delta $command --help" delta $command --help
    tap_is_int "$(awk 'length > 100' out | wc -l | tr -d ' ')" 0 "delta $command --help: fits into 100 columns"
    cp out help
    run 0 "help delta $command" help delta $command
    cmp -s out help
    tap_ok $? "help delta $command is the same"
    for option in $(sed -n 's/^  \(-[a-z],\)\{0,1\} *--\([a-z-]*\).*/\2/p' help); do
        grep -q "Fl .*-$option" "$top_srcdir/man/chgnet-delta.1"
        tap_ok $? "chgnet-delta(1) has --$option"
    done
done

tap_done
