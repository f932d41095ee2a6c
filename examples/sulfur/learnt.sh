#!/bin/sh
# Judges what the search of learn.ini has learnt: a delta-model from its first 2, 4, ... labels against the nine labels of two S on
# Cu(111) in labels.extxyz, none of which it saw.  Writes learnt.csv into the given folder.  SPDX-License-Identifier: BSD-3-Clause
#
#     sh learnt.sh CHGNET RESULTS
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
frames() { # frames PATTERN MOST: the first frames whose second line has the pattern
    awk -v pattern="$1" -v most="$2" 'at == 0 { n = $1; first = $0; at = 1; next }
        at == 1 { keep = $0 ~ pattern && kept < most; kept += keep; if (keep) print first }
        { if (keep) print; if (++at == n + 2) at = 0 }'
}
frames ' id=Cu2S' 1000 <"$here/labels.extxyz" >"$work/judge.extxyz"
echo "labels,energy_before_meV,energy_after_meV,forces_before_meV_A,forces_after_meV_A" >"$2/learnt.csv"
for n in 2 4 6 8 10 12; do
    [ "$(grep -c Lattice "$here/learn/labels.extxyz")" -ge $n ] || break
    frames . $n <"$here/learn/labels.extxyz" >"$work/learn.extxyz"
    "$1" delta fit -q -o "$work/D.h5" "$work/learn.extxyz" >/dev/null
    "$1" delta eval -q "$work/D.h5" "$work/judge.extxyz" |
        awk -v n=$n '/^energy \(meV\/cell\)/ { e = $3 "," $6 } /^forces/ { print n "," e "," $3 "," $6 }' >>"$2/learnt.csv"
done
