#!/bin/sh
# kill -9 at random moments of a command that writes once: its output is the old file or the whole new one, each time.
#
#     kill_once.sh CHGNET KILLS relax|fit|predict
#
# Prints one line and leaves with 0 when all is well.
# SPDX-License-Identifier: BSD-3-Clause
files=$(cd "$(dirname "$0")" && pwd)/files || exit 99
chgnet=$1
kills=$2
task=$3

folder=$(mktemp -d "${TMPDIR:-/tmp}/chgnet-kill-XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
mkdir "$folder/work" && cd "$folder/work" || exit 99
cp "$files/MgO.vasp" ..
for k in 1 2 3 4 5 6; do
    printf '2\nLattice="4.%d 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:REF_forces:R:3 REF_energy=-11.%d pbc="T T T"\nMg 0 0 0 0.1 0 0\nO 2.0%d 2 2 -0.1 0 0\n' $k $k $k
done >../labels.extxyz

# The file that is written last, at the end of the run.
case $task in
relax) output=out.extxyz ;;
fit | predict) output=out.h5 ;;
*) echo "unknown task '$task'" && exit 2 ;;
esac

run() {
    case $task in
    relax) exec "$chgnet" relax --quiet --optimizer lbfgs --cell full --fmax 0.001 --steps 60 -o out.extxyz ../MgO.vasp ;;
    fit) exec "$chgnet" delta fit --quiet -o out.h5 ../labels.extxyz ;;
    predict) exec "$chgnet" predict --quiet -o out.h5 ../MgO.vasp ../labels.extxyz ;;
    esac
}

began=$(date +%s%N)
(run) >../out 2>&1 || { cat ../out; exit 1; }
lasted=$(($(date +%s%N) - began))
mv "$output" ../whole
echo old >../old
ls -A | while read -r file; do rm -rf "$file"; done

killed=0
kept=0
tried=0
while [ "$killed" -lt "$kills" ]; do
    tried=$((tried + 1))
    cp ../old "$output"
    (run) >../out 2>&1 &
    job=$!
    sleep "$(awk -v seed="$tried$$" -v lasted="$lasted" 'BEGIN { srand(seed); printf "%.4f", 1.1 * rand() * lasted / 1e9 }')"
    if kill -9 "$job" 2>/dev/null; then
        wait "$job" 2>/dev/null
        killed=$((killed + 1))
    else
        wait "$job" || { cat ../out; exit 1; }
    fi
    if cmp -s "$output" ../old; then
        kept=$((kept + 1))
    elif ! cmp -s "$output" ../whole; then
        echo "$task: after kill $killed $output is neither the old file nor the whole new one"
        exit 1
    fi
    find . -name '.chgnet.*.tmp' -exec rm -f {} + # what a killed run leaves has a name that no reader takes
    [ "$(ls -A | grep -vc "^${output%.*}\.")" -eq 0 ] || { echo "$task: left behind: $(ls -A | tr '\n' ' ')"; exit 1; }
    rm -f "${output%.*}".*
done
echo "$task: $killed kills, $kept times the old file, $((tried - kept)) times the whole new one"
