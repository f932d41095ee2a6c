#!/bin/sh
# chgnet search: runs, resumes after kills, threads, labels, failures, and what is told of a search.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"
cd "$tap_dir" || exit 99
chgnet="$top_builddir/chgnet"

# run COMMAND...: its exit code in $status, what it says in the files out and err.
run() {
    status=0
    "$@" >out 2>err || status=$?
}

is() {
    tap_is_text "$1" "$2" "$3"
}

# ok NAME COMMAND...: passed when the command succeeds.
ok() {
    name=$1
    shift
    "$@" >/dev/null 2>&1
    tap_ok $? "$name"
}

# lj LINE...: a Lennard-Jones cluster of 9 atoms, with more lines for the section [search].
lj() {
    cat <<END
[template]
box = 20 20 20
[place]
atoms = Ar9
[region]
radius = 2.2
closeness = 0
least-distance = 0.6
isolation = 0
farthest = 1.8
[potential]
kind = lennard-jones
[relax]
optimizer = lbfgs
fmax = 0.001
[sampler]
temperature = 0.8
temperature-top = 3
rattle = 0.4
acceptance = 0.5
[search]
seed = 3
END
    for line; do echo "$line"; done
}

# same FOLDER FOLDER: the same minima, and the same log but for the time.
same() {
    cmp -s "$1/candidates.extxyz" "$2/candidates.extxyz" &&
        [ "$(cut -d, -f1-12,14- "$1/search.csv")" = "$(cut -d, -f1-12,14- "$2/search.csv")" ]
}

lowest() {
    "$chgnet" search best -n 1 "$1" | awk 'NR == 2 { print $2 }'
}

# ---- samplers --------------------------------------------------------------------------------------------------------
for sampler in random basin exchange; do
    lj "sampler = $sampler" "budget = 60" "walkers = 3" "folder = $sampler" >$sampler.ini
    run "$chgnet" search run -t 1 -q $sampler.ini
    is "$status" 0 "$sampler search runs"
    is "$(tail -n 1 $sampler/search.csv | cut -d, -f1)" 60 "$sampler: as many minimisations as asked for"
done
is "$(lowest basin)" -24.113360 "basin hopping finds the minimum of nine atoms"
is "$(lowest exchange)" -24.113360 "replica exchange does"

# ---- the same candidates for any number of threads, and after kills ----------------------------------------------------
for threads in 2 4; do
    "$chgnet" search run -t $threads -q exchange.ini -o threads$threads
    ok "$threads threads: the same candidates" same exchange threads$threads
done
"$chgnet" search run -t 1 -q exchange.ini -o killed &
for pause in 0.02 0.05 0.03 0.08 0.04; do
    sleep $pause
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    [ -f killed/checkpoint ] || { "$chgnet" search run -t 1 -q exchange.ini -o killed & continue; }
    "$chgnet" search resume -t 1 -q killed &
done
wait $!
"$chgnet" search resume -t 1 -q killed
ok "after kill -9 at five moments: the same candidates" same exchange killed
run "$chgnet" search resume -q --budget 90 killed
is "$(tail -n 1 killed/search.csv | cut -d, -f1)" 90 "a larger budget goes on"
lj "sampler = basin" "budget = 1000000" "folder = long" >long.ini
"$chgnet" search run -t 1 -q long.ini &
sleep 0.5
kill -TERM $!
wait $!
is "$?" 143 "SIGTERM ends a search cleanly"
run "$chgnet" search status long
is "$status" 0 "which can be looked at"

sh "$top_srcdir/tests/kill_search.sh" "$chgnet" 3 >out 2>&1
tap_ok $? "kill -9 while it searches and while a label is made: the same bytes" || tap_note "$(cat out)"

# ---- what is told ------------------------------------------------------------------------------------------------------
run "$chgnet" search status basin exchange
is "$(wc -l <out)" 3 "a line for each folder"
run timeout -s INT 0.6 "$chgnet" search status --every 0.2 basin
ok "a live table" [ "$(grep -c '^basin ' out)" -ge 2 ]
run "$chgnet" search best -n 3 -o best.extxyz basin random exchange
is "$status" 0 "the best of several folders"
is "$(grep -c '^9$' best.extxyz)" 3 "as many structures as asked for"
run "$chgnet" search curve --energy -24.113360 --within 1e-4 -o curve.csv basin exchange threads2
is "$status" 0 "a success curve"
is "$(head -n 1 curve.csv)" "minimisations,found,low,high" "with its columns"
is "$(tail -n 1 curve.csv | cut -d, -f2)" 1.0000 "all three found it"
# The lowest minimum, its atoms in another order and the whole turned and moved.
{ echo 9; echo 'Properties=species:S:1:pos:R:3 pbc="F F F"'; } >turned.extxyz
sed -n '3,11p' best.extxyz | sort -r | awk '{ print $1, $3 + 1, $4 - 2, $2 }' >>turned.extxyz
run "$chgnet" search curve --structure turned.extxyz -o same.csv basin exchange threads2
is "$status" 0 "a success curve by structure"
ok "agrees with that by energy" cmp -s same.csv curve.csv
run "$chgnet" search curve --structure nowhere.cif basin
is "$status" 3 "no such structure"
run "$chgnet" search report -o report.html basin
is "$status" 0 "a report"
ok "which needs no other file" sh -c "! grep -qE 'src=|href=|url\\(' report.html"
ok "and has pictures" grep -q "<svg class='atoms'" report.html
run "$chgnet" search report -o report.html exchange
is "$(grep -o 'walker [0-9], [0-9.]* eV' report.html | tr '\n' ';')" "walker 0, 0.8 eV;walker 1, 1.55 eV;walker 2, 3 eV;" \
    "and temperatures"

# ---- the examples, at reduced length ----------------------------------------------------------------------------------
cp "$top_srcdir"/examples/search/*.ini .
PATH="$top_builddir:$PATH" # the label command of learn.ini
for example in lj13 s-on-cu oxide learn; do
    sed -i 's/^budget = .*/budget = 4/; s/^steps = .*/steps = 20/; s/^candidates = .*/candidates = 2/' $example.ini
    run "$chgnet" search run $example.ini -t 1 --seed 1
    is "$status" 0 "example $example"
    run "$chgnet" search best -n 1 $example
    ok "example $example: has a best structure" grep -q "^   1 .* $example\$" out
done
is "$(grep -c '^REF_energy\|REF_energy=' learn/labels.extxyz)" 4 "the example learns from labels"

# ---- labels ------------------------------------------------------------------------------------------------------------
label() {
    cat <<END
[template]
box = 8 8 8
[place]
atoms = Cu1 S2
[region]
radius = 2
[relax]
fmax = 0.2
steps = 30
[search]
walkers = 2
budget = 8
folder = $1
[label]
most = 4
command = $2
END
}
teacher="$chgnet predict -q -m r2scan -o {out} {in}"
label taught "$teacher" >taught.ini
run "$chgnet" search run -t 1 -q taught.ini
is "$status" 0 "a search that learns"
is "$(grep -c REF_energy taught/labels.extxyz)" 4 "has as many labels as asked for"
ok "and its delta-model" "$chgnet" delta show taught/delta-1.h5
is "$(ls taught/work | wc -l)" 0 "label files are removed"
"$chgnet" search run -t 1 -q taught.ini -o taught2 &
sleep 1
kill -9 $!
wait $! 2>/dev/null
if [ -f taught2/checkpoint ]; then "$chgnet" search resume -t 1 -q taught2; else "$chgnet" search run -t 1 -q taught.ini -o taught2; fi
ok "killed while it learns: the same candidates" cmp -s taught/candidates.extxyz taught2/candidates.extxyz
for threads in 2 4; do
    "$chgnet" search run -t $threads -q taught.ini -o taught-t$threads
    ok "$threads threads: the same candidates" same taught taught-t$threads
    ok "and the same labels" cmp -s taught/labels.extxyz taught-t$threads/labels.extxyz
done

# refused REASON COMMAND: a label command that fails is recorded, and the search goes on.
refused() {
    rm -rf failing
    { label failing "$2"; echo "time-limit = 0.3"; } >failing.ini
    run "$chgnet" search run -t 1 -q failing.ini
    is "$status" 0 "a label command that fails does not end a search: $2"
    ok "it is recorded: $1" grep -q ",label,.*$1" failing/search.csv
    is "$(grep -vc ',label,' failing/search.csv)" 9 "and all minimisations are done"
}
refused "the command returned 1" "exit 1; : {in} {out}"
refused "the command ran longer than 0.3 s" "sleep 100; : {in} {out}"
refused "no finite energy" "cp {in} {out}"
refused "label-0.out.extxyz:1:" "echo garbage >{out}; cat {in} >/dev/null"
refused "the answer has another number of atoms" "sed '1s/.*/2/; 3d' {in} >{out}"
refused "the answer has other elements or places" "sed 's/^Cu/Ag/' {in} >{out}"

# ---- wrong use -----------------------------------------------------------------------------------------------------------
run "$chgnet" search run -q basin.ini
is "$status" 2 "a folder that holds a search is not overwritten"
run "$chgnet" search resume nothing
is "$status" 3 "nothing to resume"
run "$chgnet" search run nothing.ini
is "$status" 3 "no configuration"
lj "budgett = 3" >wrong.ini
run "$chgnet" search run wrong.ini
is "$status" 3 "an unknown key"
is "$(cat err)" "chgnet: wrong.ini:23: unknown key budgett; did you mean budget?" "is named with its line"
lj "folder = impossible" | sed 's/Ar9/Ar900/' >impossible.ini
run "$chgnet" search run -q impossible.ini
is "$status" 3 "an impossible composition"
run "$chgnet" search run
is "$status" 2 "no argument"
run "$chgnet" search
is "$status" 2 "no subcommand"
for part in "" run resume status best curve report; do
    run "$chgnet" search $part --help
    is "$status" 0 "search $part --help"
done
tap_done
