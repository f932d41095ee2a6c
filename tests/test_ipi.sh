#!/bin/sh
# `chgnet socket` with ASE and i-PI as servers, and the input of docs/ipi.md.  IPI names the command of i-PI.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

: "${PYTHON3:=python3}" "${IPI:=i-pi}"
export PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
"$PYTHON3" -c 'import ase.calculators.socketio' 2>/dev/null || { tap_skip "$PYTHON3 has no ASE"; tap_done; }
command -v "$IPI" >/dev/null || IPI=
cd "$tap_dir" || exit 99

"$PYTHON3" "$top_srcdir/tests/lammps/socket_check.py" "$top_builddir/chgnet" $IPI >out 2>err
status=$?
tap_checks out
tap_ok $status "checks end" || tap_note "$(tail -n 5 err)"

if [ -z "$IPI" ]; then
    tap_skip "no i-PI: the input of docs/ipi.md was not run"
    tap_done
fi
mkdir bin && ln -s "$top_builddir/chgnet" bin/chgnet && ln -s "$(command -v "$IPI")" bin/i-pi
awk '/^```/ { if (inside) exit; inside = 1; next } inside' "$top_srcdir/docs/ipi.md" |
    sed "s|> chgnet </address>|> chgnet-doc-$$ </address>|; s|--unix chgnet|--unix chgnet-doc-$$|" >doc.sh
PATH=$PWD/bin:$PATH sh doc.sh >out 2>err
tap_ok $? "the input of docs/ipi.md runs" || tap_note "$(tail -n 3 err i-pi.log)"
tap_is_int "$(grep -vc '^#' MgO.out)" 21 "and makes its steps"
want=$("$top_builddir/chgnet" predict --json --quiet start.extxyz | sed 's/.*"energy": *\([-0-9.e+]*\).*/\1/')
got=$(awk '!/^#/ { print $5; exit }' MgO.out)
tap_near "$got" "$want" 5e-5 "its first energy is that of chgnet predict, 1e-6 of 50 eV"
tap_is_int "$(awk '!/^#/ && NF == 8' MgO.magmoms_0* | grep -c .)" 5 "magmoms of 8 atoms come with every fifth step"
tap_done
