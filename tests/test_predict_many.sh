#!/bin/sh
# chgnet predict over many frames: several at one time, results in order, whatever happens to one of them.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"
cd "$tap_dir" || exit 99
chgnet=$top_builddir/chgnet

# frames N [BAD]: N strained cells of copper; in number BAD two atoms are at one place.
frames() {
    awk -v n="$1" -v bad="${2:--1}" 'BEGIN {
        for (i = 0; i < n; i++) {
            print "4\nLattice=\"3.6 0 0 0 3.6 0 0 0 3.6\" Properties=species:S:1:pos:R:3 pbc=\"T T T\""
            printf "Cu 0 0 %.4f\nCu 0 1.8 1.8\n", 0.001 * i
            print (i == bad ? "Cu 0 1.8 1.8" : "Cu 1.8 0 1.8") "\nCu 1.8 1.8 0"
        }
    }'
}

frames 60 >good.extxyz
frames 60 31 >bad.extxyz
for threads in 1 3; do
    "$chgnet" predict -q -t $threads -o good$threads.h5 --json good.extxyz >good$threads.json
    tap_ok $? "60 frames, $threads at one time"
    "$chgnet" predict -q -t $threads -o bad$threads.h5 --json bad.extxyz good.extxyz >bad$threads.json 2>error$threads
    tap_is_int $? 3 "one of 120 is bad, $threads at one time: exit code 3"
done
cmp -s good1.json good3.json && cmp -s good1.h5 good3.h5
tap_ok $? "the same bytes for any number of threads"
cmp -s bad1.json bad3.json && cmp -s bad1.h5 bad3.h5 && cmp -s error1 error3
tap_ok $? "also with a bad frame"
tap_is_int "$(wc -l <bad3.json | tr -d ' ')" 119 "the others are there"
tap_is_text "$(cut -d: -f1-3 error3)" "chgnet: bad.extxyz:187" "the bad one is named by file and line"
frames 3000 >many.extxyz
"$chgnet" predict -q -t 3 -o many.extxyz.xyz many.extxyz &
sleep 0.5
kill -TERM $! 2>/dev/null
wait $!
tap_is_int $? 143 "SIGTERM ends it"
n=$(grep -c '^4$' many.extxyz.xyz)
[ "$n" -gt 0 ] && [ "$n" -lt 3000 ] && [ "$(wc -l <many.extxyz.xyz)" -eq $((6 * n)) ]
tap_ok $? "what is finished is published, $n whole frames"
tap_done
