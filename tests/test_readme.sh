#!/bin/sh
# The README's examples run as printed: its commands, the table that is shown, the C program.  Its programs in Fortran and
# Python are those that test_fortran.sh and test_python.sh run.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

readme=$top_srcdir/README.md
ln -s "$top_srcdir/examples" "$tap_dir/examples"
PATH="$top_builddir:$PATH"
export PATH

# Lines of the blocks that begin with ```sh.
sed -n '/^```sh$/,/^```$/p' "$readme" | grep '^chgnet ' >"$tap_dir/commands"
[ "$(wc -l <"$tap_dir/commands")" -ge 5 ]
tap_ok $? "the README has commands"
while read -r line; do
    (cd "$tap_dir" && eval "$line") >"$tap_dir/output" 2>"$tap_dir/error" && [ ! -s "$tap_dir/error" ]
    tap_ok $? "$line"
done <"$tap_dir/commands"

# Labels and numbers to three decimals: the last digits of single precision differ between processors.
shorten() {
    sed 's/\(\.[0-9][0-9][0-9]\)[0-9]*/\1/g; s/-0\.000/ 0.000/g' | sed -n '4,9p'
}
chgnet predict -p double "$top_srcdir/examples/LiMnO2.cif" | shorten >"$tap_dir/now"
sed -n '/^Li2Mn2O4 /,/^```$/p' "$readme" | shorten >"$tap_dir/printed"
tap_is_text "$(cat "$tap_dir/printed")" "$(cat "$tap_dir/now")" "the table is the one printed"

# shown LANGUAGE FILE: the block of a language is a file.
shown() {
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$readme" | sed '/^```/d' | cmp -s - "$top_srcdir/examples/$2"
    tap_ok $? "the program in $1 is examples/$2"
}
shown c energy.c
shown fortran fortran/energy.f90
shown python python/relax.py
"$top_builddir/examples/energy" | grep -q '^energy -[0-9.]* eV, force on the moved atom -[0-9.]* eV/A$'
tap_ok $? "examples/energy runs"
tap_done
