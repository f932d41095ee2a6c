#!/bin/sh
# chgnet md: options, files, exit codes; stopped in every way and resumed, the files have the same bytes.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
cd "$tap_dir" || exit 99

cp "$top_srcdir/tests/files/MgO.vasp" .
sed 's/0.51/0.52/' MgO.vasp >other.vasp

# md WANTED-STATUS NAME ARGUMENT...: run, standard output to `out`, standard error to `err`.
md() {
    want=$1
    name=$2
    shift 2
    "$chgnet" md --quiet "$@" >out 2>err </dev/null
    tap_is_int $? "$want" "$name: exit code $want" || tap_note "$(cat err)"
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
    md 2 "$name" "$@"
    says err "^chgnet: .*; " "$name: says what is wrong and what would be right"
    says err "$pattern" "$name: $pattern is named"
    tap_is_int "$(wc -l <err | tr -d ' ')" 1 "$name: in one line"
}

# same A B NAME: trajectory and table of two runs (names with suffix) have the same bytes.
same() {
    cmp "$1" "$2" && cmp "${1%.*}.csv" "${2%.*}.csv"
    tap_ok $? "$3"
}

langevin="--ensemble nvt-langevin --temperature 600"

# ---- wrong use --------------------------------------------------------------------------------------------------------

wrong "no file" "no structure file" --ensemble nve -o x.xyz
wrong "two files" "several" --ensemble nve -o x.xyz MgO.vasp MgO.vasp
wrong "no ensemble" "--ensemble is missing" -o x.xyz MgO.vasp
wrong "an unknown ensemble" "nvt-bussi" --ensemble nvt -o x.xyz MgO.vasp
wrong "no output" "no trajectory" --ensemble nve MgO.vasp
wrong "an unknown suffix" "extxyz" --ensemble nve -o x.cif MgO.vasp
wrong "a negative temperature" "temperature" --ensemble nve --temperature -1 -o x.xyz MgO.vasp
wrong "half a ramp" "temperature" --ensemble nve --temperature 300: -o x.xyz MgO.vasp
wrong "a temperature of nothing for a thermostat" "temperature" --ensemble nvt-bussi --temperature 0 -o x.xyz MgO.vasp
wrong "a pressure without a barostat" "npt" --ensemble nve --pressure 1 -o x.xyz MgO.vasp
wrong "a cell without a barostat for it" "npt-mtk" --ensemble npt-scr --full-cell -o x.xyz MgO.vasp
wrong "no time step" "timestep" --ensemble nve --timestep 0 -o x.xyz MgO.vasp
wrong "a negative number of steps" "steps" --ensemble nve --steps -5 -o x.xyz MgO.vasp
wrong "a frame every 0 steps" "every" --ensemble nve --every 0 -o x.xyz MgO.vasp
wrong "a time without a meaning" "max-walltime" --ensemble nve --max-walltime soon -o x.xyz MgO.vasp
wrong "an interval without a meaning" "checkpoint-every" --ensemble nve --checkpoint-every often -o x.xyz MgO.vasp
wrong "one name for two files" "own" --ensemble nve --log x.xyz -o x.xyz MgO.vasp
wrong "a limit without a delta-model" "max-std" --ensemble nve --max-std 1 -o x.xyz MgO.vasp
wrong "a wrong selection" "column" --ensemble nve --fix "element (" -o x.xyz MgO.vasp
md 3 "a missing file" --ensemble nve -o x.xyz nowhere.vasp
md 3 "a selection of nothing that is there" --ensemble nve --fix "index 7" -o x.xyz MgO.vasp
md 6 "a folder that is not there" --ensemble nve -o nowhere/x.xyz MgO.vasp
md 6 "a table in a folder that is not there" --ensemble nve --log nowhere/x.csv -o x.xyz MgO.vasp
md 6 "a checkpoint in a folder that is not there" --ensemble nve --checkpoint nowhere/c -o x.xyz MgO.vasp
tap_is_text "$(find . -name 'x.*')" "" "nothing was written"

# ---- what a run leaves ------------------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # words of the options
{
md 0 "a run" $langevin --steps 40 --every 4 -o whole.extxyz MgO.vasp
says out '^temperature ' "a table at the end: temperature"
says out '^drift ' "drift"
says out 'ns/day' "speed"
tap_is_int "$(grep -c Lattice whole.extxyz)" 11 "a frame every fourth step, and the first"
tap_is_text "$(cut -d, -f1,2 whole.csv | tail -n 2 | tr '\n' ' ')" "36,36 40,40 " "the table has the same steps"
says whole.csv '^step,time_fs,potential_eV,kinetic_eV,total_eV,conserved_eV,temperature_K,pressure_GPa,volume_A3' \
    "and its columns"
says whole.extxyz 'pos:R:3:momenta:R:3:forces:R:3:magmoms:R:1 energy=.* stress=".*" step=0 time=0 ' "names as ASE has them"
tap_is_text "$(ls whole.*)" "$(printf 'whole.%s\n' csv extxyz extxyz.checkpoint extxyz.checkpoint.old)" "these files"
"$chgnet" predict --quiet --json whole.extxyz >predicted
energy=$(sed -n '7s/.*"energy": *\([^,]*\).*/\1/p' predicted)
# Positions have all their digits: the same structure, the same pass but for its list of neighbours, which has no effect.
tap_near "$energy" "$(sed -n '8s/^[^,]*,[^,]*,\([^,]*\),.*/\1/p' whole.csv)" 1e-12 "the energy of a frame is that of predict"
md 0 "another number of threads" $langevin --steps 40 --every 4 -t 2 -o threads.extxyz MgO.vasp
same whole.extxyz threads.extxyz "1 thread, 2 threads: the same bytes"
md 0 "another seed" $langevin --steps 40 --every 4 --seed 7 -o seed.extxyz MgO.vasp
cmp -s whole.csv seed.csv
tap_is_int $? 1 "another seed, another run"
md 0 "no steps" $langevin --steps 0 -o none.extxyz MgO.vasp
tap_is_int "$(grep -c Lattice none.extxyz)" 1 "no steps: one frame"
"$chgnet" md --quiet --ensemble nve --steps 2 --every 1 -o stdin.extxyz - <whole.extxyz >out 2>err
tap_is_int $? 0 "standard input, the last of its frames"
tap_is_text "$(sed -n 3p stdin.extxyz | cut -d' ' -f1-5)" "$(tail -n 2 whole.extxyz | head -n 1 | cut -d' ' -f1-5)" \
    "where that frame's atoms are the run begins"
md 0 "fixed atoms" $langevin --steps 10 --fix "index 1" --embeddings -o fixed.extxyz MgO.vasp
tap_is_int "$(grep -c '^Mg 0 0 0 F ' fixed.extxyz)" 2 "fixed atoms stay, and say so"
says fixed.extxyz 'atom_fea:R:64' "--embeddings"
md 0 "fixed in two parts" $langevin --steps 10 --fix "index 1 along xy" --fix "index 1 along z" -o parts.extxyz MgO.vasp
cmp fixed.csv parts.csv
tap_ok $? "--fix may be given several times"
md 2 "another --fix" $langevin --steps 20 --fix "index 1 along xy" --resume -o parts.extxyz MgO.vasp
says err "^chgnet: parts.extxyz.checkpoint: --fix is 'index 1 along xy', but the run began with 'index 1 along xy; index 1" \
    "is not the same run"
if command -v gnuplot >/dev/null 2>&1; then
    "$chgnet" md $langevin --steps 40 --plot -o plot.extxyz MgO.vasp >out 2>err
    tap_ok "$(grep -q '</svg>' plot.svg; echo $?)" "--plot makes a picture"
else
    tap_skip "no gnuplot"
fi

# ---- stopped and resumed ----------------------------------------------------------------------------------------------

for ensemble in nve nvt-langevin nvt-nose-hoover nvt-bussi npt-scr npt-mtk; do
    options="--ensemble $ensemble --temperature 500 --every 3"
    md 0 "$ensemble" $options --steps 30 -o one.extxyz MgO.vasp
    md 0 "$ensemble, its first part" $options --steps 11 -o two.extxyz MgO.vasp
    md 0 "$ensemble, the rest" $options --steps 30 --resume -o two.extxyz MgO.vasp
    same one.extxyz two.extxyz "$ensemble, resumed with more steps: the same bytes"
done
md 0 "nothing left to do" $options --steps 30 --resume -o two.extxyz MgO.vasp
same one.extxyz two.extxyz "nothing left to do: the files stay"
md 0 "H5MD" $options --full-cell --steps 30 --embeddings -o one.h5 MgO.vasp
md 0 "H5MD, its first part" $options --full-cell --steps 11 --checkpoint-every 2 --embeddings -o two.h5 MgO.vasp
md 0 "H5MD, the rest" $options --full-cell --steps 30 --checkpoint-every 2 --embeddings --resume -o two.h5 MgO.vasp
same one.h5 two.h5 "H5MD: the same bytes"
tap_is_text "$(ls two.h5*)" "$(printf 'two.h5%s\n' '' .checkpoint .checkpoint.old)" "H5MD: the part is gone"

for format in extxyz h5; do
    OMP_NUM_THREADS=1 sh "$top_srcdir/tests/kill_md.sh" "$chgnet" 3 $format >out 2>&1
    tap_ok $? "kill -9, $format" || tap_note "$(cat out)"
    tap_note "$(tail -n 1 out)"
done

# What must be the same.
begun="$langevin --steps 40 --every 4 --resume -o whole.extxyz"
md 2 "another time step" $begun --timestep 2 MgO.vasp
says err "^chgnet: whole.extxyz.checkpoint: --timestep is '2', but the run began with '1'; " "and it says so"
md 2 "another temperature" $begun --temperature 601 MgO.vasp
md 2 "another interval" $begun --every 5 MgO.vasp
md 2 "another precision" $begun -p double MgO.vasp
md 3 "another model" $begun -m r2scan MgO.vasp
says err "the model is not the one" "and it says so"
md 3 "another structure" $begun other.vasp
says err "the structure is not the one" "and it says so"
md 0 "a ramp" --ensemble nvt-bussi --temperature 300:600 --steps 10 -o ramp.extxyz MgO.vasp
md 2 "a ramp of another length" --ensemble nvt-bussi --temperature 300:600 --steps 20 --resume -o ramp.extxyz MgO.vasp
says ramp.csv '^10,.*,585$' "a ramp: the target of the last step, at its middle"
md 3 "no checkpoint, but a trajectory" $begun --checkpoint nowhere.checkpoint MgO.vasp
same whole.extxyz threads.extxyz "after all these refusals the files are as they were"
mv threads.extxyz moved.extxyz
md 3 "a trajectory that is gone" $langevin --steps 40 --every 4 --resume -o threads.extxyz MgO.vasp
head -c 1000 moved.extxyz >threads.extxyz
md 3 "a trajectory that is cut" $langevin --steps 40 --every 4 --resume -o threads.extxyz MgO.vasp
"$chgnet" md $langevin --steps 40 --every 4 --resume -o fresh.extxyz MgO.vasp >out 2>err
tap_is_int $? 0 "--resume before there is anything: exit code 0"
says err '^chgnet: fresh.extxyz.checkpoint: warning: no checkpoint yet' "with a warning"
same whole.extxyz fresh.extxyz "the run begins"

# Damage.
options="$langevin --every 4 --checkpoint-every 5"
md 0 "a run to be damaged" $options --steps 28 -o damaged.extxyz MgO.vasp
printf X | dd of=damaged.extxyz.checkpoint bs=1 seek=300 conv=notrunc 2>/dev/null
"$chgnet" md $options --steps 40 --resume -o damaged.extxyz MgO.vasp >out 2>err
tap_is_int $? 0 "a damaged checkpoint: exit code 0"
says err 'warning: the newest checkpoint is torn or damaged; going on from the one before' "with a warning"
same whole.extxyz damaged.extxyz "the same bytes"
: >damaged.extxyz.checkpoint
: >damaged.extxyz.checkpoint.old
md 3 "both are torn" $options --steps 40 --resume -o damaged.extxyz MgO.vasp

# ---- stopped by signals and by time -----------------------------------------------------------------------------------

# stopped SIGNAL CODE FILE: a long run gets the signal at work.
stopped() {
    rm -f long.*
    env --default-signal=INT "$chgnet" md $langevin --steps 1000000 --every 2 -o long.$3 MgO.vasp >out 2>err &
    job=$!
    waited=0
    while [ "$(grep -c . long.csv 2>/dev/null)0" -lt 100 ] && [ $waited -lt 600 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    kill "-$1" "$job"
    wait "$job"
    tap_is_int $? "$2" "SIG$1, $3: exit code $2"
    says out "the same command with --resume goes on" "SIG$1, $3: says how to go on"
    lines=$(tail -n 1 long.csv | cut -d, -f1)
    md 0 "SIG$1, the same without" $langevin --steps "$lines" --every 2 -o short.$3 MgO.vasp
    same short.$3 long.$3 "SIG$1, $3: the files hold the finished steps, whole"
}
stopped TERM 143 extxyz
stopped TERM 143 h5
if env --default-signal=INT true 2>/dev/null; then
    stopped INT 130 extxyz
else
    tap_skip "env cannot undo that a background job ignores SIGINT"
fi

options="$langevin --steps 400 --every 4"
md 0 "a run without a limit" $options -o unlimited.extxyz MgO.vasp
md 0 "--max-walltime" $options --max-walltime 0.2 -o limited.extxyz MgO.vasp
says out 'the same command with --resume goes on' "--max-walltime: says how to go on"
tap_ok "$([ "$(grep -c . limited.csv)" -lt 102 ]; echo $?)" "--max-walltime: before the end"
times=0
while [ "$(grep -c . limited.csv)" -lt 102 ] && [ $times -lt 100 ]; do
    "$chgnet" md --quiet $options --max-walltime 0:01 --resume -o limited.extxyz MgO.vasp >out 2>err || break
    times=$((times + 1))
done
tap_note "resumed $times times"
same unlimited.extxyz limited.extxyz "--max-walltime again and again: the same bytes"

# ---- a numerical failure ----------------------------------------------------------------------------------------------

md 5 "too long a time step" --ensemble nve --temperature 2000 --timestep 40 --steps 500 --every 3 -o bad.extxyz MgO.vasp
says err '^chgnet: .*;' "says why"
tap_is_int "$(wc -l <err | tr -d ' ')" 1 "in one line"
"$chgnet" predict --quiet --json bad.extxyz >predicted
tap_is_int $? 0 "the trajectory can be read"
tap_is_int "$(grep -c . predicted)" "$(grep -c '^[0-9]' bad.csv)" "and has a line of the table for each frame"
cp bad.extxyz before.extxyz
md 5 "resumed" --ensemble nve --temperature 2000 --timestep 40 --steps 500 --every 3 --resume -o bad.extxyz MgO.vasp
cmp before.extxyz bad.extxyz
tap_ok $? "it fails again, with the same last good state"

# ---- a full disk ------------------------------------------------------------------------------------------------------

trap 'umount "$tap_dir/small" 2>/dev/null; chmod -R u+rwx "$tap_dir"; rm -rf "$tap_dir"' EXIT

# full NAME FORMAT: after a disk was full in folder `small` and there is room again in `large`, the run goes on.
full() {
    if [ "$2" = h5 ]; then # whether it is whole is found out when the run goes on
        tap_is_text "$(head -c 4 small/run.h5 | tail -c 3)" HDF "$1, $2: there is a file"
    else
        "$chgnet" predict --quiet --json small/run.extxyz >predicted 2>err
        tap_ok $? "$1, $2: the trajectory can be read" || tap_note "$(cat err)"
        tap_ok "$([ "$(grep -c . predicted)" -gt 1 ]; echo $?)" "$1, $2: and has frames"
    fi
    tap_is_int "$(tail -c 1 small/run.csv | wc -l | tr -d ' ')" 1 "$1, $2: the table has whole lines"
    rm -rf large
    cp -R small large
    md 0 "$1, $2, resumed with room" $options --resume -o large/run.$2 MgO.vasp
    same roomy.$2 large/run.$2 "$1, $2: the same bytes"
}
options="$langevin --steps 400 --every 1"
for format in extxyz h5; do
    md 0 "a run with room, $format" $options -o roomy.$format MgO.vasp
    rm -rf small
    mkdir small
    (ulimit -f 200 && "$chgnet" md --quiet $options --checkpoint-every 20 -o small/run.$format MgO.vasp) >out 2>err
    tap_is_int $? 6 "a limit to the size of files, $format: exit code 6"
    says err '^chgnet: small/run.*: cannot be written: .*; ' "and one line"
    full "a limit" $format
    rm -rf small
    mkdir small
    if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=200k tmpfs small 2>/dev/null; then
        md 6 "a full disk, $format" $options --checkpoint-every 20 -o small/run.$format MgO.vasp
        says err '^chgnet: small/run.*: cannot be written: No space left.*; ' "and one line"
        full "a full disk" $format
        umount small
    else
        tap_skip "no small disk can be mounted here"
    fi
done

# ---- the example ------------------------------------------------------------------------------------------------------

# The command of examples/md, with fewer steps.
readme=$top_srcdir/examples/md/README.md
command=$(sed -n '/^```sh$/,/^```$/p' "$readme" | grep '^chgnet md')
cp "$top_srcdir/examples/md/MgO.vasp" .
(
    PATH=$top_builddir:$PATH
    eval "$(printf '%s' "$command" | sed 's/--steps [0-9]*/--steps 20/')"
) >out 2>err
tap_is_int $? 0 "the example's command runs"
if command -v gnuplot >/dev/null 2>&1; then
    tap_ok "$(grep -q '</svg>' MgO.svg; echo $?)" "its picture is drawn"
else
    tap_skip "no gnuplot"
fi
sed 's/[0-9.+-][0-9.]*/#/g; s/ \+/ /g' out | grep -v '^drift' >shape
awk '/^```/ { plain = !inside && $0 == "```"; inside = !inside; next } inside && plain' "$readme" |
    sed 's/[0-9.+-][0-9.]*/#/g; s/ \+/ /g' | grep -v '^drift' >wanted
cmp shape wanted
tap_ok $? "its table has the lines that are shown" || tap_note "$(cat out)"
tap_near "$(sed -n 2p MgO.csv | cut -d, -f7)" 600 1e-9 "it begins at 600 K, but for rounding"
}

tap_done
