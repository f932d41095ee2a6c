#!/bin/sh
# C and Fortran give the bits of `chgnet predict`; the Fortran module has all of chgnet.h, the example conserves energy.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

PATH="$top_builddir:$PATH"
export PATH
cd "$tap_dir" || exit 99

# Five structures: an oxide, rock salt, diamond, a molecular halide from CIF, a slab.
for file in LiMnO2.cif md/MgO.vasp properties/Si.vasp relax/slab.extxyz; do
    echo "$top_srcdir/examples/$file"
done >files
echo "$top_srcdir/tests/files/NaCl-symmetric.cif" >>files
xargs chgnet predict --quiet -o results.h5 <files
tap_ok $? "chgnet predict"
for k in 0 1 2 3 4; do
    "$top_builddir/tests/print_results" h5 results.h5 $k | grep -E '^(energy|forces|stress) ' | sort
done | "$top_builddir/tests/predict_plain" bits >want
tap_is_int "$(grep -c '^energy' want)" 5 "it predicts five structures"
xargs "$top_builddir/tests/plain_structures" <files >plain
"$top_builddir/tests/predict_plain" <plain >got
cmp -s want got
tap_ok $? "C gives the same bits of $(wc -w <want) numbers"

"$top_builddir/examples/energy" >energy.c.out

# The raw layer binds every function of the header but those of parts.
sed -n 's/^.*[ *]\(chgnet_[a-z_0-9]*\)(.*/\1/p' "$top_srcdir/src/api/chgnet.h" | grep -Ev 'part|exchange|warning_function' | sort -u >functions
missing=$(while read -r name; do grep -qiw "$name" "$top_srcdir/src/fortran/chgnet_c.f90" || echo "$name"; done <functions)
tap_ok "$([ "$(wc -l <functions)" -gt 40 ]; echo $?)" "the header has $(wc -l <functions) functions for Fortran"
tap_is_text "$missing" "" "and the raw layer has each of them"

if [ -z "${FC:-}" ]; then
    tap_skip "the Fortran module: no Fortran compiler"
    tap_done
fi
if ${NM:-nm} "$top_builddir/.libs/libchgnet_core.a" 2>/dev/null | grep -Eq '__(asan|tsan|ubsan)_'; then
    tap_skip "the Fortran module: a library with sanitizers"
    tap_done
fi

# build NAME SOURCE: link with the module as the build tree has it.
build() {
    # FC and FCFLAGS may hold several words.
    # shellcheck disable=SC2086
    $FC $FCFLAGS -I "$top_builddir/fortran" -c "$2" -o "$1.o" &&
        "$top_builddir/libtool" --silent --tag=CC --mode=link $FC $FCFLAGS -o "$1" "$1.o" \
            "$top_builddir/fortran/libchgnet_fortran.a" "$top_builddir/libchgnet.la" >link.log 2>&1
}

build predict_plain "$top_srcdir/tests/predict_plain.f90"
tap_ok $? "a program with the module compiles" || tap_note "$(cat link.log)"
./predict_plain <plain >got
cmp -s want got
tap_ok $? "Fortran gives the same bits"

build energy "$top_srcdir/examples/fortran/energy.f90"
tap_ok $? "the first example compiles"
./energy >energy.out 2>&1 && grep -q '^energy *-[0-9.]* eV, force on the moved atom *-[0-9.]* eV/A$' energy.out
tap_ok $? "and runs" || tap_note "$(cat energy.out)"
sed 's/  */ /g' energy.out | cmp -s - energy.c.out
tap_ok $? "it prints what the program in C does"

build md "$top_srcdir/examples/fortran/md.f90"
tap_ok $? "the example compiles"
./md >md.out 2>&1
tap_ok $? "and runs" || tap_note "$(cat md.out)"
# 600 K in single precision: its energy wavers by some 0.1 meV per atom, as that of velocity Verlet at 1 fs does.
tap_near "$(sed -n 's/drift of the energy: *\([-0-9.]*\) meV per atom/\1/p' md.out)" 0 0.5 "its energy drifts by less than 0.5 meV per atom"

build all "$top_srcdir/tests/all_of_module.f90"
tap_ok $? "a program that uses all of the module compiles"
./all >all.out 2>all.err
ended=$?
while read -r line; do
    case $line in
    "not ok "*) tap_ok 1 "${line#not ok }" ;;
    ends) ;;
    *) tap_ok 0 "$line" ;;
    esac
done <all.out
tap_is_text "$ended $(tail -n 1 all.out)" "0 ends" "it ends" || tap_note "$(cat all.err)"
tap_done
