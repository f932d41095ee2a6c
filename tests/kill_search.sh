#!/bin/sh
# kill -9 at random moments of a search that learns, also while its label command runs: after `search resume` candidates
# and labels have the same bytes as those of an undisturbed search, and so has the best structure.
#
#     kill_search.sh CHGNET KILLS
#
# The label command is `chgnet predict` with other weights, slowed down so that about half of the kills come while it runs.
# A search that came to its end is compared and begun anew.  Prints one line and leaves with 0 when all is equal.
# SPDX-License-Identifier: BSD-3-Clause
chgnet=$1
kills=$2

folder=$(mktemp -d "${TMPDIR:-/tmp}/chgnet-kill-XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
cd "$folder" || exit 99
cat >search.ini <<END
[template]
box = 8 8 8
[place]
atoms = Cu1 S2
[region]
radius = 2
[relax]
fmax = 0.2
steps = 30
[search]
walkers = 2
budget = 16
seed = 5
[label]
most = 6
retries = 0
command = echo x >>$folder/asked; sleep 0.2; $chgnet predict -q -t 1 -m r2scan -o {out} {in}
END

# A process group of its own, so that a kill also reaches the label command.
start() {
    if [ -f "$1/search.ini" ]; then
        setsid "$chgnet" search resume -t 1 -q "$1" &
    else
        setsid "$chgnet" search run -t 1 -q search.ini -o "$1" &
    fi
    job=$!
}

compare() {
    for file in candidates.extxyz labels.extxyz; do
        cmp "run/$file" "whole/$file" || exit 1
    done
    "$chgnet" search best -n 1 run | cut -d ' ' -f 1-30 | sed 's/run *$//' >run.best
    cmp -s run.best whole.best || { echo "another best structure"; exit 1; }
}

began=$(date +%s%N)
start whole
wait "$job" || exit 1
lasted=$(($(date +%s%N) - began))
asked=$(grep -c . asked)
"$chgnet" search best -n 1 whole | cut -d ' ' -f 1-30 | sed 's/whole *$//' >whole.best

killed=0
labelling=0
ended=0
tried=0
while [ "$killed" -lt "$kills" ]; do
    start run
    sleep "$(awk -v seed="$killed$tried$$" -v lasted="$lasted" \
        'BEGIN { srand(seed); printf "%.4f", (0.05 + 0.5 * rand()) * lasted / 1e9 }')"
    tried=$((tried + 1))
    if kill -0 "$job" 2>/dev/null; then
        ps -o args= -g "$job" | grep -q 'sleep 0.2\|r2scan' && labelling=$((labelling + 1))
        kill -9 "-$job" 2>/dev/null
        wait "$job" 2>/dev/null
        killed=$((killed + 1))
    else
        wait "$job" || exit 1
        compare
        ended=$((ended + 1))
        rm -rf run
    fi
done
start run
wait "$job" || exit 1
compare
echo "$killed kills, $labelling of them while a label was made, $((ended + 1)) searches, $asked labels each: all bytes equal"
