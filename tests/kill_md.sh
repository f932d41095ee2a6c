#!/bin/sh
# kill -9 at random moments: after --resume the files have the same bytes as those of an undisturbed run.
#
#     kill_md.sh CHGNET KILLS [FORMAT [OPTION...]]
#
# FORMAT is extxyz (default) or h5; OPTIONs go to `chgnet md`.  Each kill comes at a random moment of a run that makes
# frames and checkpoints all the time; a run that came to its end is compared and begun anew.  Prints one line and leaves
# with 0 when all is equal.
# SPDX-License-Identifier: BSD-3-Clause
chgnet=$1
kills=$2
format=${3:-extxyz}
[ $# -gt 3 ] && shift 3 || shift $#

folder=$(mktemp -d "${TMPDIR:-/tmp}/chgnet-kill-XXXXXX") || exit 99
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
cd "$folder" || exit 99
# So many edges to each pair of elements that first messages come from tables; atoms run so far that the list of
# neighbours is made anew.
cat >Cu.vasp <<'END'
Cu, cubic cell
3.6
1.0 0.0 0.0
0.0 1.0 0.0
0.0 0.0 1.0
Cu
4
Direct
0.01 0.0 0.0
0.5 0.49 0.0
0.5 0.01 0.5
0.0 0.5 0.5
END

# run NAME OPTION...: the run of all comparisons.
run() {
    name=$1
    shift
    exec "$chgnet" md --quiet --ensemble nvt-langevin --temperature 2000 --steps 150 --every 3 --checkpoint-every 7 \
        "$@" -o "$name.$format" Cu.vasp
}

# compare: the killed run's files with those of the undisturbed one.
compare() {
    for file in "run.$format" run.csv; do
        cmp "$file" "whole.${file#run.}" || exit 1
    done
}

began=$(date +%s%N)
(run whole "$@") >out 2>&1 || { cat out; exit 1; }
lasted=$(($(date +%s%N) - began)) # of a whole run: kills come before its half, so that some need many resumes

killed=0
ended=0
resumed=0
while [ "$killed" -lt "$kills" ]; do
    (run run --resume "$@") >out 2>&1 &
    job=$!
    sleep "$(awk -v seed="$killed$resumed$$" -v lasted="$lasted" \
        'BEGIN { srand(seed); printf "%.4f", (0.05 + 0.6 * rand()) * lasted / 1e9 }')"
    if kill -9 "$job" 2>/dev/null; then
        wait "$job" 2>/dev/null
        killed=$((killed + 1))
        grep -c . run.csv >>lengths 2>/dev/null
    else
        wait "$job" || { cat out; exit 1; }
        compare
        ended=$((ended + 1))
        rm -f run.*
    fi
    resumed=$((resumed + 1))
done
(run run --resume "$@") >out 2>&1 || { cat out; exit 1; }
compare
ls -A | grep -q '\.new$\|\.tmp$\|\.part$' && { ls -A; exit 1; }
echo "$killed kills, $((ended + 1)) runs, $(sort -u lengths | wc -l | tr -d ' ') different lengths when killed: all bytes equal"
