#!/bin/sh
# The sulfur example at reduced length: twelve labels, the default model, each metal and the three together.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

if ! command -v python3 >/dev/null; then
    tap_skip "no python3"
    tap_done
    exit
fi
results=$tap_dir/results
python3 "$top_srcdir/examples/sulfur/study.py" --quick --chgnet "$top_builddir/chgnet" \
    --labels "$top_srcdir/tests/files/labels.extxyz" --results "$results" 2>"$tap_dir/error"
tap_ok $? "study.py runs" || tap_note "$(cat "$tap_dir/error")"
tap_is_int "$(grep -c '^all\|^Cu\|^Ag\|^Au' "$results/errors.csv")" 4 "a line for each metal and the three together"
awk -F, 'NR == 1 { for (k = 1; k <= NF; k++) column[$k] = k }
    $1 == "all" { exit !($column["forces_after"] < $column["forces_before"] / 1.5) }' "$results/errors.csv"
tap_ok $? "corrected forces are better on labels kept aside"
tap_is_int "$(grep -c '^| ' "$results/table.md")" 5 "the table has a head and those lines"

# The environments that --explain names.
n=$(head -n 1 "$top_srcdir/examples/sulfur/labels.extxyz")
head -n $((n + 2)) "$top_srcdir/examples/sulfur/labels.extxyz" >"$tap_dir/one.extxyz"
"$top_builddir/chgnet" delta fit -q --no-optimize "$top_srcdir/tests/files/labels.extxyz" -o "$tap_dir/D.h5" >/dev/null
"$top_builddir/chgnet" predict -q -d "$tap_dir/D.h5" --explain \
    --references "$top_srcdir/examples/sulfur/references/references.extxyz" "$tap_dir/one.extxyz" >"$tap_dir/explained"
tap_ok $? "predict --explain runs"
tap_ok "$(grep -c ' S ' "$tap_dir/explained" | awk '{ print $1 < 1 }')" "and tells of sulfur"
tap_done
