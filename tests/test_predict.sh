#!/bin/sh
# chgnet predict: right numbers in every form of output, one frame per number, nothing lost and nothing half-written.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

chgnet=$top_builddir/chgnet
print=$top_builddir/tests/print_results
upstream=$top_srcdir/tests/ref/upstream.h5
cif=$top_srcdir/examples/LiMnO2.cif
cd "$tap_dir" || exit 99

# predict WANTED-STATUS NAME ARGUMENT...: run, standard output to `out`, standard error to `err`.
predict() {
    want=$1
    name=$2
    shift 2
    "$chgnet" predict "$@" >out 2>err
    got=$?
    tap_is_int "$got" "$want" "$name: exit code $want" || tap_note "$(cat err)"
}

# json_lines: the numbers of one JSON object, one quantity per line as print_results prints them.
json_lines() {
    sed 's/, "/\n"/g; s/^{//; s/}$//' | sed -n 's/^"\([a-z_]*\)": \([^"]*\)$/\1 \2/p' | grep -v ' null$' |
        tr -d '[],' | grep -v -e '^frame ' -e '^source_frame ' -e '^n_' -e '^numbers ' -e '^pbc ' | sort
}

# near FILE FILE TOLERANCE [FACTOR]: the same names and as many numbers, each as near as TOLERANCE max(1, largest).
near() {
    [ -s "$1" ] && [ -s "$2" ] && awk -v tol="$3" '
        function abs(x) { return x < 0 ? -x : x }
        NR == FNR { line[$1] = $0; n++; next }
        {
            m++
            if (!($1 in line)) { print "missing " $1; bad = 1; next }
            k = split(line[$1], want, " ")
            if (k != NF) { print $1 ": " NF - 1 " numbers, " k - 1 " expected"; bad = 1; next }
            largest = 1
            for (i = 2; i <= k; i++) if (abs(want[i]) > largest) largest = abs(want[i])
            for (i = 2; i <= k; i++) if (!(abs($i - want[i]) <= tol * largest)) { bad = 1; print $1 ": " $i " is not " want[i] }
        }
        END { if (n != m) print m " quantities, " n " expected"; exit bad || n != m || n == 0 }' "$1" "$2" >difference
}

# ---- upstream's numbers -----------------------------------------------------------------------------------------------

# Crystals, a molecule in a box, a lone atom (no bonds) and one with bonds but no angles.
frame=0
for structure in LiMnO2 H2O-box Ne-isolated Na-dimer-no-angle; do
    "$print" structure "$upstream" "$structure" >>all.extxyz || tap_ok 1 "structure $structure"
done
for model in 0.3.0 0.2.0 r2scan; do
    predict 0 "$model in double precision" -m "$model" -p double --embeddings --json all.extxyz -o r.h5
    tap_is_int "$(grep -c 'warning:' err)" 1 "$model: one warning about the atom without neighbours"
    tap_is_int "$(wc -l <out | tr -d ' ')" 4 "$model: four lines of JSON"
    frame=0
    for structure in LiMnO2 H2O-box Ne-isolated Na-dimer-no-angle; do
        "$print" h5 "$upstream" "$structure/$model" | sort >want
        "$print" h5 r.h5 "$frame" | grep -v -e '^cell ' -e '^positions ' | sort >got
        near want got 1e-9
        tap_ok $? "$model: $structure has upstream's results" || tap_note "$(head -n 5 difference)"
        "$print" h5 r.h5 "$frame" | sort >want
        sed -n "$((frame + 1))p" out | json_lines >got
        tap_ok "$(cmp -s want got; echo $?)" "$model: $structure: JSON and HDF5 hold the same digits"
        frame=$((frame + 1))
    done
done

# ---- the forms of output ----------------------------------------------------------------------------------------------

predict 0 "single precision by default" "$cif" --json
tap_ok "$(grep -q '"precision": "single"' out; echo $?)" "JSON says which precision it was"
tap_ok "$(grep -q '"model": "0.3.0", "model_sha256": "[0-9a-f]\{64\}"' out; echo $?)" "JSON says which weights it were"
tap_ok "$(grep -q '"atom_fea": null, "atom_fea_final": null' out; echo $?)" "what was not asked for is null"
tap_is_int "$(grep -c -i -e nan -e '[^a-z]inf' out)" 0 "JSON holds no NaN"
predict 0 "-o X.json" "$cif" -o x.json
tap_is_text "$(wc -c <out | tr -d ' ')" 0 "with -o nothing goes to standard output"
"$chgnet" predict --json "$cif" >out
tap_ok "$(cmp -s x.json out; echo $?)" "-o X.json and --json are the same"
predict 0 "several outputs at once" --json -o x.h5 "$cif"
json_lines <out >got
"$print" h5 x.h5 0 | sort >want
tap_ok "$(cmp -s want got; echo $?)" "--json and -o X.h5 hold the same digits"

cat >own.extxyz <<'END'
2
Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3:charge:R:1:move_mask:L:1 energy=-99 note="two words" pbc="T T T"
Na 0.5 0 0 7 8 9 1.5 T
Cl 2 2 2 7 8 9 -1.5 F
2
Properties=species:S:1:pos:R:3 stress="1 2 3 4 5 6 7 8 9"
H 0 0 0
H 0 0 0.74
END
predict 0 "-o X.extxyz" own.extxyz -o x.extxyz
predict 0 "-o X.xyz" own.extxyz -o x.xyz
tap_ok "$(cmp -s x.extxyz x.xyz; echo $?)" ".xyz and .extxyz are one format"
predict 0 "-o X.h5" own.extxyz -o x.h5
"$print" extxyz x.extxyz 0 | grep -v -e '^stress ' -e '^charge ' | sort >got
"$print" h5 x.h5 0 | grep -e '^energy ' -e '^forces ' -e '^magmom ' -e '^site_energies ' |
    sed 's/^magmom /magmoms /; s/^site_energies /energies /' | sort >want
tap_ok "$(cmp -s want got; echo $?)" "extended XYZ and HDF5 hold the same digits" || tap_note "$(diff want got)"
"$print" extxyz x.extxyz 0 | sed -n 's/^stress //p' | tr ' ' '\n' | awk '{ printf " %.17g", $1 * 160.21766208 }' |
    sed 's/^/stress/' >got
"$print" h5 x.h5 0 | grep '^stress ' >want
near want got 1e-14
tap_ok $? "stress in extended XYZ is in eV/A^3"
tap_ok "$(sed -n 2p x.extxyz | grep -q 'note="two words"'; echo $?)" "the frame's own keys are kept"
tap_is_text "$("$print" extxyz x.extxyz 0 | grep '^charge ')" "charge 1.5 -1.5" "the frame's own columns are kept"
tap_is_int "$(grep -c 'move_mask:L:1' x.extxyz)" 1 "the frame's constraints are kept"
tap_is_int "$(sed -n 2p x.extxyz | grep -c 'energy=-99')" 0 "the frame's own energy is replaced"
tap_is_int "$(sed -n 6p x.extxyz | grep -c stress)" 0 "a stress that is not defined is absent, whatever the frame said"
tap_is_int "$("$print" h5 x.h5 1 | grep -c '^stress ')" 0 "and absent in HDF5"
predict 0 "a result is predicted again" x.extxyz -o y.extxyz
tap_ok "$(cmp -s x.extxyz y.extxyz; echo $?)" "predicting from an output gives the same output"

predict 0 "an output that is also the input" y.extxyz -o y.extxyz
tap_ok "$(cmp -s x.extxyz y.extxyz; echo $?)" "it is replaced as a whole"

predict 0 "a table for one structure" "$cif"
tap_ok "$(grep -q 'Li2Mn2O4' out && grep -q 'eV/atom' out && grep -q 'stress (GPa)' out; echo $?)" "it tells what there is"
tap_is_int "$(grep -c "$(printf '\033')" out)" 0 "no colours in a file"
predict 0 "a table for several frames" all.extxyz "$cif"
tap_is_int "$(grep -c -e 'all.extxyz' -e 'LiMnO2.cif' out)" 5 "it has a line per frame"

"$chgnet" predict - <all.extxyz --json >out 2>err
tap_is_int $? 0 "- reads standard input"
"$chgnet" predict all.extxyz --json | sed 's/"source": "all.extxyz"/"source": "-"/' >want
tap_ok "$(cmp -s want out; echo $?)" "with the same results as from a file"

# Same bits for any number of threads.
for threads in 1 2 4; do
    predict 0 "-t $threads" -t "$threads" --embeddings all.extxyz "$cif" -o "t$threads.h5"
done
tap_ok "$(cmp -s t1.h5 t2.h5 && cmp -s t1.h5 t4.h5; echo $?)" "1, 2 and 4 threads give the same file"

# ---- isolated atoms, no bonds, no angles ------------------------------------------------------------------------------

cat >lone.extxyz <<'END'
1
Properties=species:S:1:pos:R:3 pbc="F F F"
He 0 0 0
1
Lattice="30 0 0 0 30 0 0 0 30" Properties=species:S:1:pos:R:3 pbc="T T T"
He 1 2 3
3
Properties=species:S:1:pos:R:3 pbc="F F F"
He 0 0 0
He 50 0 0
He 0 50 0
END
predict 0 "lone atoms" -p double --json lone.extxyz
tap_is_int "$(grep -c warning err)" 1 "lone atoms: one warning in all"
tap_is_int "$(wc -l <err | tr -d ' ')" 1 "and nothing else"
awk -F'"energy": ' '{ split($2, a, ","); print "energy " a[1] / ($0 ~ /"numbers": \[2, 2, 2\]/ ? 3 : 1) }' out | sort -u >got
tap_is_int "$(wc -l <got | tr -d ' ')" 1 "an atom alone has one energy, wherever it is" || tap_note "$(cat got)"
tap_is_int "$(grep -c '"forces": \[\[0, 0, 0\]' out)" 3 "and no force"
tap_is_int "$(grep -c '"stress": \[\[0, 0, 0\], \[0, 0, 0\], \[0, 0, 0\]\]' out)" 1 "and no stress in a large cell"
predict 0 "--quiet" --quiet lone.extxyz
tap_is_int "$(wc -l <err | tr -d ' ')" 0 "--quiet silences the warning"

# ---- good and bad together --------------------------------------------------------------------------------------------

cat >mixed.extxyz <<'END'
1
Properties=species:S:1:pos:R:3
He 0 0 0
2
Properties=species:S:1:pos:R:3
O 0 0 0
O 0 0 0.0005
2
Properties=species:S:1:pos:R:3
O 0 0 0
O 0 0 1.2
END
predict 3 "good and bad frames" "$cif" mixed.extxyz missing.vasp "$cif" -o mixed.h5 --json
tap_is_text "$(sed 's/^{"frame": \([0-9]*\), .*/\1/' out | tr '\n' ' ')" "0 1 3 5 " "failed frames leave their numbers unused"
tap_is_int "$(grep -c '^chgnet: ' err)" 3 "one line for each failure and one for the warning"
tap_ok "$(grep -q '^chgnet: mixed.extxyz:4: atoms 1 (O) and 2 (O) are ' err; echo $?)" "file, line and atoms are named"
for k in 0 1 3 5; do
    tap_ok "$("$print" h5 mixed.h5 $k | grep -q '^energy '; echo $?)" "group $k is there"
done
for k in 2 4; do
    tap_is_int "$("$print" h5 mixed.h5 $k 2>/dev/null | grep -c '^energy ')" 0 "group $k is not"
done
echo old >kept.h5
predict 3 "no frame succeeded" missing.vasp -o kept.h5
tap_is_text "$(cat kept.h5)" old "an old output is left as it was"
predict 3 "no frame succeeded, no output yet" missing.vasp -o new.extxyz
tap_ok "$([ ! -e new.extxyz ]; echo $?)" "there is no output"
rm -f kept.h5
long=$(printf '%0250d' 0).json
predict 0 "a name of 255 bytes" "$cif" -o "$long"
tap_ok "$([ -s "$long" ]; echo $?)" "it is written"
leftover=$(find . -name '*.tmp*')
tap_is_text "$leftover" "" "no temporary file is left"

tap_done
