#!/bin/sh
# The command line: help, versions, wrong use, streams and files that cannot be written, signals.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
cif=$top_srcdir/examples/LiMnO2.cif
cd "$tap_dir" || exit 99

# run WANTED-STATUS NAME ARGUMENT...: run, standard output to `out`, standard error to `err`.
run() {
    want=$1
    name=$2
    shift 2
    "$chgnet" "$@" >out 2>err </dev/null
    got=$?
    tap_is_int "$got" "$want" "$name: exit code $want" || tap_note "$(cat err)"
}

# says FILE PATTERN NAME: is there a line with this pattern?
says() {
    grep -q -e "$2" "$1"
    tap_ok $? "$3" || tap_note "$(cat "$1")"
}

# wrong NAME PATTERN ARGUMENT...: refused with exit code 2 and one line that has the pattern, before any work.
wrong() {
    name=$1
    pattern=$2
    shift 2
    run 2 "$name" "$@"
    says err "^chgnet: .*$pattern" "$name: says what is wrong"
    says err '; ' "$name: says what would be right"
    tap_is_text "$(wc -l <err | tr -d ' ') $(wc -c <out | tr -d ' ')" "1 0" "$name: in one line on standard error"
}

# ---- help -------------------------------------------------------------------------------------------------------------

run 2 "no command"
says err '^Usage: chgnet COMMAND' "no command: a short usage on standard error"
tap_is_int "$(wc -c <out | tr -d ' ')" 0 "no command: nothing on standard output"
run 0 "--version" --version
tap_ok "$(grep -q '^chgnet [0-9][0-9.]*$' out && [ "$(wc -l <out)" -eq 1 ]; echo $?)" "--version: name and number"
run 0 "--help" --help
says out 'CHGNet.load(model_name=' "--help: finds those who know CHGNet from Python"
tap_is_int "$(awk 'length > 100' out | wc -l | tr -d ' ')" 0 "--help: fits into 100 columns"
for command in predict relax md eos elastic phonon-forces search delta socket convert info; do
    says out "^  $command " "--help lists $command"
    run 0 "$command --help" "$command" --help
    says out "^Usage: chgnet $command " "$command --help: has a usage line"
    tap_is_int "$(awk 'length > 100' out | wc -l | tr -d ' ')" 0 "$command --help: fits into 100 columns"
    cp out help
    run 0 "help $command" help "$command"
    tap_ok "$(cmp -s out help; echo $?)" "help $command is the same"
    # The man page and the help know the same options.
    for option in $(sed -n 's/^  \(-[a-z],\)\{0,1\} *--\([a-z]*\).*/\2/p' help); do
        grep -q "Fl .*-$option" "$top_srcdir/man/chgnet-$command.1"
        tap_ok $? "chgnet-$command(1) has --$option"
    done
    run 0 "--help again" --help
done

# ---- wrong use --------------------------------------------------------------------------------------------------------

wrong "an unknown command" "did you mean 'predict'" predcit "$cif"
wrong "a command like none" "chgnet --help" frobnicate
wrong "help for an unknown command" "chgnet --help" help frobnicate
wrong "an option without a command" "chgnet --help" --frobnicate
wrong "an unknown option" "did you mean --json" predict --jsno "$cif"
wrong "an option like none" "chgnet predict --help" predict --frobnicate "$cif"
wrong "an unknown letter" "chgnet predict --help" predict -z "$cif"
wrong "an option without its value" "lacks its value" predict "$cif" -o
wrong "a value that is not taken" "takes no value" predict --json=yes "$cif"
wrong "no file" "POSCAR" predict
wrong "no threads" "1 to" predict -t 0 "$cif"
wrong "negative threads" "1 to" predict -t -1 "$cif"
wrong "threads in words" "1 to" predict -t two "$cif"
wrong "too many threads" "1 to" predict -t 99999999999999999999 "$cif"
wrong "an unknown precision" "single or double" predict -p half "$cif"
wrong "an unknown suffix" "\.h5" predict -o out.txt "$cif"
wrong "no suffix" "\.h5" predict -o out "$cif"
wrong "a POSCAR for results" "\.h5" predict -o out.vasp "$cif"
wrong "a CIF for results" "\.h5" predict -o out.cif "$cif"
wrong "convert without a file" "one checkpoint" convert
wrong "convert without -o" "-o" convert x.pth.tar
wrong "convert to another suffix" "\.h5" convert x.pth.tar -o x.txt
wrong "info about two models" "one" info 0.3.0 0.2.0
wrong "info about the licence of nothing" "give 0.3.0" info --license
tap_is_text "$(find . -name 'out.*')" "" "nothing was written"

run 0 "options behind the files" predict "$cif" --json --quiet -t 1
says out '^{' "options behind the files are taken"
run 3 "unknown weights" predict -m 9.9.9 "$cif"
says err "^chgnet: no weights named '9.9.9'.*0.3.0" "unknown weights: the known ones are named"

# ---- what cannot be written -------------------------------------------------------------------------------------------

run 6 "a folder that does not exist" predict "$cif" -o nowhere/x.h5
says err '^chgnet: nowhere/x.h5: .*;' "a folder that does not exist: named"
mkdir folder.h5
run 6 "a folder as output" predict "$cif" -o folder.h5
run 6 "it is told before the work" predict no-such-file -o nowhere/x.h5
tap_is_int "$(wc -l <err | tr -d ' ')" 1 "and nothing else"
if [ -c /dev/full ] && ! (echo x >/dev/full) 2>/dev/null; then
    for arguments in "predict $cif" "predict --json $cif" "--help" "predict --help" "info 0.3.0"; do
        # shellcheck disable=SC2086
        "$chgnet" $arguments >/dev/full 2>err
        tap_is_int $? 6 "a full disk: exit code 6 (${arguments%"$cif"})"
        tap_is_int "$(grep -c '^chgnet: standard output: cannot be written' err)" 1 "a full disk: one line"
    done
    "$chgnet" predict --json "$cif" -o x.h5 >/dev/full 2>err
    tap_is_int $? 6 "standard output is full, the file is not: exit code 6"
    tap_ok "$([ -s x.h5 ]; echo $?)" "and the file is written"
    tap_is_int "$(wc -l <err | tr -d ' ')" 1 "one line in all"
else
    tap_skip "there is no /dev/full"
fi

# as_user COMMAND...: run as somebody who is not root; root may write everywhere.
if [ "$(id -u)" -ne 0 ]; then
    as_user() { "$@"; }
elif command -v setpriv >/dev/null 2>&1; then
    as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
else
    as_user() { false; }
fi
mkdir closed
echo old >closed/old.h5
cp "$cif" closed/ && cp "$cif" here.cif && chmod 644 here.cif
chmod 555 closed
chmod 444 closed/old.h5
chmod 755 .
if as_user test -r here.cif && as_user test -x "$chgnet" && ! as_user test -w closed; then
    for name in old.h5 new.h5 new.extxyz; do
        as_user "$chgnet" predict here.cif -o "closed/$name" >out 2>err
        tap_is_int $? 6 "a folder that may not be written: exit code 6 ($name)"
    done
    tap_is_text "$(cat closed/old.h5) $(ls closed)" "old LiMnO2.cif
old.h5" "and nothing in it has changed"
else
    tap_skip "no user here for whom permissions count"
fi
chmod 755 closed

# ---- colours and progress ---------------------------------------------------------------------------------------------

if command -v script >/dev/null 2>&1 && script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    TERM=xterm script -qec "'$chgnet' predict '$cif'" /dev/null >out </dev/null
    tap_ok "$(grep -q "$(printf '\033\\[1m')" out; echo $?)" "bold headings on a terminal"
    NO_COLOR=1 TERM=xterm script -qec "'$chgnet' predict '$cif'" /dev/null >out </dev/null
    tap_is_int "$(grep -c "$(printf '\033')" out)" 0 "none with NO_COLOR"
else
    tap_skip "no program script to make a terminal"
fi

# ---- signals ----------------------------------------------------------------------------------------------------------

# A run that would take long: the same crystal many times.  Its first lines of JSON tell that it is at work.
"$chgnet" predict "$cif" -o one.extxyz
rm -f out
i=0
while [ $i -lt 14 ]; do
    cat one.extxyz one.extxyz >two.extxyz
    mv two.extxyz one.extxyz
    i=$((i + 1))
done
"$chgnet" predict --json one.extxyz -o many.h5 >out 2>err &
job=$!
waited=0
while [ ! -s out ] && [ $waited -lt 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
tap_is_text "$(find . -name 'many.h5*')" "" "while it works there is no output"
kill -TERM "$job"
wait "$job"
tap_is_int $? 143 "SIGTERM: exit code 143"
tap_ok "$([ -s many.h5 ]; echo $?)" "SIGTERM: what is finished is written"
lines=$(wc -l <out | tr -d ' ')
last=$((lines - 1))
"$top_builddir/tests/print_results" h5 many.h5 "$last" | grep -q '^energy '
tap_ok $? "SIGTERM: as many groups as lines ($lines)"
tap_ok "$([ "$lines" -lt 16384 ]; echo $?)" "SIGTERM: before the end"

# Waiting for standard input ends too, and what was finished before is written.
rm -f out
mkfifo pipe
sleep 60 >pipe &
writer=$!
"$chgnet" predict --json "$cif" - -o waited.h5 <pipe >out 2>err &
job=$!
waited=0
while [ ! -s out ] && [ $waited -lt 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
sleep 0.3
kill -TERM "$job"
wait "$job"
tap_is_int $? 143 "SIGTERM while it waits for standard input: exit code 143"
tap_ok "$([ -s waited.h5 ]; echo $?)" "and what was finished is written"
kill "$writer"

# A reader that is slow: the signal comes while a write waits for it, and what was begun is written to its end.
rm -f out
mkfifo slow
{
    head -n 1 >begun
    while [ ! -e continue ]; do sleep 0.1; done
    cat >out
} <slow &
reader=$!
"$chgnet" predict --json one.extxyz >slow 2>err &
job=$!
waited=0
while [ ! -s begun ] && [ $waited -lt 600 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
sleep 0.5
kill -TERM "$job"
sleep 0.1
: >continue
wait "$job"
tap_is_int $? 143 "SIGTERM while it waits for a slow reader: exit code 143"
wait "$reader"
tap_is_text "$(cat err)" "" "and not a word of a failed write"
tap_is_text "$(tail -n 1 out | tail -c 2)" "}" "and the last line is whole"

# A reader that has seen enough.
"$chgnet" predict --json one.extxyz 2>err | head -n 1 >out
tap_is_text "$(wc -l <out | tr -d ' ') $(wc -l <err | tr -d ' ')" "1 0" "a closed pipe ends it without a word"

tap_done
