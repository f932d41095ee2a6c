#!/bin/sh
# chgnet info: what is told about weights, and how --verify finds what is not the released set.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
weights=$top_srcdir/weights
cd "$tap_dir" || exit 99

# run WANTED-STATUS NAME ARGUMENT...: run with CHGNET_WEIGHTS=here/$folder, standard output to `out`, standard error to `err`.
run() {
    want=$1
    name=$2
    shift 2
    CHGNET_WEIGHTS=$folder "$chgnet" "$@" >out 2>err </dev/null
    got=$?
    tap_is_int "$got" "$want" "$name: exit code $want" || tap_note "$(cat err)"
}

# says FILE PATTERN NAME: is there a line with this pattern?
says() {
    grep -q -e "$2" "$1"
    tap_ok $? "$3" || tap_note "$(cat "$1")"
}

# ---- the released sets ------------------------------------------------------------------------------------------------

folder=$weights
run 0 "the list" info
tap_is_int "$(grep -c ' present ' out)" 3 "three sets are present"
run 0 "the list, verified" info --verify
tap_is_int "$(grep -c ' verified ' out)" 3 "three sets are verified"
for model in 0.3.0 0.2.0 r2scan; do
    run 0 "$model" info --verify "$model"
    says out "^version  *$model\$" "$model: names itself"
    says out '^verified .*, and so have the released weights$' "$model: verified"
    says out "$(printf '^parameters  *[0-9]*$')" "$model: counts its parameters"
done
run 0 "0.3.0" info 0.3.0
tap_is_int "$(grep -c '^verified' out)" 0 "only what was asked for is verified"
says out '^parameters  *412525$' "0.3.0: 412,525 parameters"
says out '^elements  *1 to 94 (H to Pu)$' "0.3.0: elements"
says out '^cutoffs  *6 A (atom graph), 3 A (bond graph)' "0.3.0: cutoffs"
says out '^norm  *LayerNorm in the gated MLPs and before the readout$' "0.3.0: norm"
run 0 "the licence" info --license 0.3.0
says out '^AND ANY EXPRESS OR IMPLIED WARRANTIES' "the licence of the weights in full"

# ---- what is not them -------------------------------------------------------------------------------------------------

# A program that stands in the source tree would find the weights there.
mkdir empty
folder=empty
built=$chgnet
cp "$built" alone
chgnet=./alone
run 0 "no weights" info
tap_is_int "$(grep -c ' not found$' out)" 3 "none is found"
run 3 "no weights, verified" info --verify

chgnet=$built
mkdir other
folder=other
cp "$weights/chgnet-0.2.0.h5" other/chgnet-0.3.0.h5
cp "$weights/chgnet-r2scan.h5" other/
head -c 100000 "$weights/chgnet-0.2.0.h5" >other/chgnet-0.2.0.h5
run 3 "other weights under a name" info --verify 0.3.0
says err '^chgnet: .*these are not the released weights 0.3.0; their model_sha256 should be [0-9a-f]\{64\}$' "the name is not believed"
run 0 "without --verify they are taken as what they are" info 0.3.0
run 3 "a list with one that is damaged, verified" info --verify
says out '^0.2.0  *damaged$' "the list: damaged"
says out '^r2scan .* verified ' "the list: the good one"

# One value of a tensor is changed: what the file says of itself is wrong.
cp "$weights/chgnet-r2scan.h5" changed.h5 && chmod u+w changed.h5
size=$(wc -c <changed.h5)
printf '\101' | dd of=changed.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
run 3 "a changed byte" info ./changed.h5
says err '^chgnet: ./changed.h5: .*; ' "a changed byte: says what to do"

tap_done
