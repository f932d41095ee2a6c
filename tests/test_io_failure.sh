#!/bin/sh
# A disk that fails: the n-th write, fsync, rename, close, truncation or opening of a file fails (tests/io_shim.c).
# Exit code 6, one line; the old file as it was or the new one whole; nothing left beside it; runs that last go on
# afterwards to the same bytes.  CHGNET_TEST_ALL=1 takes every n, else a sample of each kind.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
: "${CHGNET_WEIGHTS:=$top_srcdir/weights}"
export CHGNET_WEIGHTS
cd "$tap_dir" || exit 99
if ! ${CC:-cc} -shared -fPIC -O1 -o shim.so "$top_srcdir/tests/io_shim.c" -ldl 2>/dev/null; then
    tap_skip "no compiler here for the shim"
    tap_done
fi
shim=$tap_dir/shim.so
if ! LD_PRELOAD=$shim "$chgnet" --version >/dev/null 2>&1; then
    tap_skip "this build does not run with a library before it (a sanitizer)"
    tap_done
fi
most=3
[ -z "${CHGNET_TEST_ALL:-}" ] || most=1000000

cp "$top_srcdir/tests/files/MgO.vasp" .
for k in 1 2 3; do
    printf '1\nLattice="%d 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 REF_energy=-0.%d pbc="T T T"\nNe 0 0 0\n' $((2 + k)) $k
done >labels.extxyz
printf '[template]\nbox = 9 9 9\n[place]\natoms = Ar4\n[region]\nradius = 1.5\ncloseness = 0\nleast-distance = 0.6\nisolation = 0\nfarthest = 1.8\n[potential]\nkind = lennard-jones\n[relax]\nsteps = 50\n[search]\nsampler = basin\nbudget = 4\nwalkers = 1\nseed = 3\n' >search.ini

# Commands, by name; each works in the folder it is called in.
run() {
    case $1 in
    predict-h5) "$chgnet" predict ../MgO.vasp -o out.h5 ;;
    predict-xyz) "$chgnet" predict ../MgO.vasp -o out.extxyz ;;
    relax) "$chgnet" relax --quiet --steps 3 --fmax 0.9 ../MgO.vasp -o out.vasp ;;
    fit) "$chgnet" delta fit --quiet --energies-only --no-optimize ../labels.extxyz -o out.h5 ;;
    md) "$chgnet" md --quiet --ensemble nvt-langevin --temperature 300 --steps 12 --every 3 --checkpoint-every 5 -o out.extxyz ../MgO.vasp ;;
    md-resume) "$chgnet" md --quiet --ensemble nvt-langevin --temperature 300 --steps 12 --every 3 --checkpoint-every 5 --resume -o out.extxyz ../MgO.vasp ;;
    md-h5) "$chgnet" md --quiet --ensemble nvt-langevin --temperature 300 --steps 12 --every 3 --checkpoint-every 5 -o out.h5 ../MgO.vasp ;;
    md-h5-resume) "$chgnet" md --quiet --ensemble nvt-langevin --temperature 300 --steps 12 --every 3 --checkpoint-every 5 --resume -o out.h5 ../MgO.vasp ;;
    search) "$chgnet" search run --quiet ../search.ini -o out ;;
    search-resume) if [ -e out/checkpoint ]; then "$chgnet" search resume --quiet out; else rm -rf out && "$chgnet" search run --quiet ../search.ini -o out; fi ;;
    esac
}

# failed_well NAME KIND N STATUS: what the failure left in the folder.
failed_well() {
    name=$1
    case $name in
    md* | search)
        [ "$4" -eq 0 ] || [ "$4" -eq 6 ] || { echo "exit code $4"; return 1; }
        run "$name-resume" >/dev/null 2>../again || { echo "does not go on: $(head -c 300 ../again)"; return 1; }
        for file in out.extxyz out.h5 out/candidates.extxyz; do
            [ ! -e "../whole-$name/$file" ] || cmp -s "$file" "../whole-$name/$file" || { echo "$file differs"; return 1; }
        done
        ;;
    *)
        file=$(cd "../whole-$name" && echo out.*)
        if [ "$4" -eq 0 ]; then
            cmp -s "$file" "../whole-$name/$file" || { echo "success, but $file is not whole"; return 1; }
        elif [ "$4" -ne 6 ]; then
            echo "exit code $4"
            return 1
        else
            cmp -s "$file" ../old || cmp -s "$file" "../whole-$name/$file" || { echo "$file is neither old nor whole"; return 1; }
        fi
        [ "$(ls -A | wc -l)" -eq 1 ] || { echo "files left: $(ls -A | tr '\n' ' ')"; return 1; }
        ;;
    esac
    [ "$4" -eq 0 ] || [ "$(grep -c '^chgnet: .*; ' ../err)" -eq 1 ] || { echo "not one line: $(head -c 300 ../err)"; return 1; }
}

echo old >old
for name in predict-h5 predict-xyz relax fit md md-h5 search; do
    mkdir "whole-$name"
    (cd "whole-$name" && IO_COUNT=$tap_dir/counts LD_PRELOAD=$shim run "$name" >/dev/null 2>&1)
    tap_ok $? "$name without a failure" || continue
    while read -r kind count; do
        tried=0
        failures=0
        bad=
        step=$(((count + most - 1) / most))
        n=1
        while [ "$n" -le "$count" ]; do
            rm -rf work && mkdir work
            case $name in
            md* | search) ;;
            *) cp old "work/$(cd "whole-$name" && echo out.*)" ;;
            esac
            (
                cd work || exit 99
                IO_FAIL="$kind $n" LD_PRELOAD=$shim run "$name" >/dev/null 2>../err
                status=$?
                [ "$status" -ne 6 ] || touch ../failed
                failed_well "$name" "$kind" "$n" "$status" >../why 2>&1
            ) || bad="$bad $n ($(cat why));"
            [ ! -e failed ] || { failures=$((failures + 1)); rm -f failed; }
            tried=$((tried + 1))
            n=$((n + step))
        done
        [ "$tried" -eq 0 ] && continue
        [ -z "$bad" ]
        tap_ok $? "$name: $tried of $count calls of $kind, $failures told" || tap_note "$bad"
    done <counts
done
tap_done
