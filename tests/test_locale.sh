#!/bin/sh
# A comma as decimal sign in the locale changes nothing: neither in the command nor in a program that uses the library.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

# A locale with a comma, made here; localedef warns about the categories that it lacks.
cat >"$tap_dir/comma.src" <<'DONE'
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
DONE
localedef -c -i "$tap_dir/comma.src" -f ANSI_X3.4-1968 "$tap_dir/xx_XX" >"$tap_dir/log" 2>&1

cif=$top_srcdir/examples/LiMnO2.cif
program=$top_builddir/tests/predict_in_locale
command=$top_builddir/chgnet

# The C library keeps what it once read of LOCPATH, which AddressSanitizer takes for a leak.
in_comma() {
    env LOCPATH="$tap_dir" LC_ALL=xx_XX ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" "$@"
}

in_comma "$program" "$cif" >"$tap_dir/comma" 2>"$tap_dir/comma.err"
if ! grep -q 'decimal sign of the locale: ,' "$tap_dir/comma.err"; then
    tap_skip "no locale with a comma can be made here"
    tap_done
fi
LC_ALL=C "$program" "$cif" >"$tap_dir/point"
tap_ok $? "the library predicts and writes in the plain locale"
tap_ok "$([ -s "$tap_dir/point" ] && cmp -s "$tap_dir/point" "$tap_dir/comma"; echo $?)" \
    "with a comma the library reads, predicts and writes the same bytes"

LC_ALL=C "$command" predict "$cif" >"$tap_dir/point.table"
in_comma "$command" predict "$cif" >"$tap_dir/comma.table"
tap_ok "$([ -s "$tap_dir/point.table" ] && cmp -s "$tap_dir/point.table" "$tap_dir/comma.table"; echo $?)" \
    "the command prints the same table"

cd "$tap_dir" || exit 99
for format in h5 json extxyz; do
    LC_ALL=C "$command" predict "$cif" -o "point.$format"
    in_comma "$command" predict "$cif" -o "comma.$format"
    tap_ok "$([ -s "point.$format" ] && cmp -s "point.$format" "comma.$format"; echo $?)" "the same bytes in .$format"
done

tap_done
