#!/bin/sh
# The examples of surfaces at reduced length: the "8" oxide, systems of sulfur, why, other potentials.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

if ! command -v python3 >/dev/null; then
    tap_skip "no python3"
    tap_done
    exit
fi
labels=$top_srcdir/tests/files/labels.extxyz
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
cd "$tap_dir" || exit 99

# example FOLDER SCRIPT OPTION...: one command, with its results in a folder of the test.
example() {
    folder=$1 script=$2
    shift 2
    python3 "$top_srcdir/examples/$folder/$script" --chgnet "$top_builddir/chgnet" --results "$tap_dir/$folder" "$@" 2>error
    tap_ok $? "$folder: $script runs" || tap_note "$(cat error)"
}

example cu8-oxide study.py --quick --work oxide-work
tap_ok "$(awk -F, 'NR > 1 && $4 == "scan"' cu8-oxide/films.csv | awk 'END { print NR < 1 }')" "films of the scan are listed"
tap_ok "$(awk -F, 'NR > 1 && $4 == "by-hand"' cu8-oxide/films.csv | awk 'END { print NR < 1 }')" "films built by hand are listed"
# Along the hull each film begins where the one before ends, and slopes rise.
awk -F, 'NR == 2 && $4 != "-inf" { bad = 1 } NR > 2 && ($4 != last || $4 >= $5 + 0 && $5 != "inf") { bad = 1 } { last = $5 }
    END { exit bad || last != "inf" }' cu8-oxide/hull.csv
tap_ok $? "the hull runs from the clean surface to the last film"

example sulfur systems.py --quick --labels "$labels" --work systems-work
tap_is_int "$(grep -c '^Cu-\|^Ag-' sulfur/systems.csv)" 2 "a line for each system"

example sulfur enough.py --quick --judges "$labels" --work enough-work
awk -F, 'NR == 2 && $7 < $6 { good = 1 } END { exit !good }' sulfur/enough.csv
tap_ok $? "the first labels make errors of forces smaller"

example why why.py --labels "$labels" --work why-work
tap_is_int "$(grep -c '^Cu,\|^Ag,\|^Au,' why/energies.csv)" 3 "a line for each metal"
tap_is_int "$(wc -l <why/atoms.csv)" 13 "a line for each S of six structures"

example other-potentials compare.py --quick
awk -F, 'NR > 1 && ($4 >= $3 + 0 || $6 >= $5 + 0) { bad = 1 } END { exit bad || NR != 3 }' other-potentials/errors.csv
tap_ok $? "each potential is better when corrected"
tap_done
