#!/bin/sh
# The Python package: bits of the command, ASE's checks, upstream's names, other libraries beside it, documents, wheels.
# SPDX-License-Identifier: BSD-3-Clause
. "$top_srcdir/tests/tap.sh"

: "${PYTHON3:=python3}"
has() {
    "$PYTHON3" -c "import sys, importlib.util; sys.exit(not importlib.util.find_spec('$1'))"
}
skip_all() {
    tap_skip "$1"
    tap_done
}
# ASE from 3.24 on: its checks, and filters of cells, were elsewhere before.
has_ase() {
    has ase && has ase.calculators.fd
}
command -v "$PYTHON3" >/dev/null || skip_all "no python3"
PYTHON3=$("$PYTHON3" -c 'import sys; print(sys.executable)') # not a script that looks for one
"$PYTHON3" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip_all "$PYTHON3 is older than 3.10"
has numpy || skip_all "$PYTHON3 has no numpy"
CHGNET_LIBRARY=$top_builddir/.libs/libchgnet.so
[ -f "$CHGNET_LIBRARY" ] || skip_all "no shared library was built"
if ldd "$CHGNET_LIBRARY" | grep -q libasan || nm -D "$CHGNET_LIBRARY" 2>/dev/null | grep -q __asan; then
    skip_all "a library with sanitizers cannot be opened by Python"
fi
export CHGNET_LIBRARY
export PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
PYTHONPATH=$top_srcdir/src/python:$top_srcdir/tests/python
export PYTHONPATH
cd "$tap_dir" || exit 99

# tap_python FILE: each line PASS, FAIL or SKIP is a check, and the program ends well.
tap_python() {
    "$PYTHON3" "$1" >out 2>err
    status=$?
    tap_checks out
    tap_ok $status "${1##*/} ends" || tap_note "$(tail -n 5 err)"
}

tap_python "$top_srcdir/tests/python/test_core.py"
tap_python "$top_srcdir/tests/python/test_process.py"
if has_ase; then
    tap_python "$top_srcdir/tests/python/test_ase.py"
else
    tap_skip "ASE's checks: $PYTHON3 has no ase, or one before 3.24"
fi

# The first program of each page, and the examples.
# program PAGE FILE
program() {
    awk '/^```python$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$top_srcdir/docs/$1" >"$2"
}
ln -s "$top_srcdir/examples" examples
# lacks PROGRAM: something that it imports is not here.
lacks() {
    { grep -q "pymatgen" "$1" && ! has pymatgen; } ||
        { grep -q "from ase\|CHGNetCalculator\|StructOptimizer" "$1" && ! has_ase; }
}
for page in python.md from-upstream.md units.md; do
    program "$page" program.py
    if lacks program.py; then
        tap_skip "docs/$page: $PYTHON3 lacks ase or pymatgen"
        continue
    fi
    "$PYTHON3" program.py >out 2>err && [ -s out ]
    tap_ok $? "docs/$page: its program runs" || tap_note "$(tail -n 3 err)"
done
for example in "$top_srcdir"/examples/python/*.py; do
    if lacks "$example"; then
        tap_skip "${example##*/}: $PYTHON3 lacks ase or pymatgen"
        continue
    fi
    "$PYTHON3" "$example" >out 2>err && [ -s out ]
    tap_ok $? "examples/python/${example##*/} runs" || tap_note "$(tail -n 3 err)"
done

# Wheels, installed into folders of their own; what runs there sees neither build nor compiler.
use='import chgnet_native, numpy
calculator = chgnet_native.Calculator()
calculator.set_structure([29], [[0, 0, 0]], numpy.array([[0, 1.8, 1.8], [1.8, 0, 1.8], [1.8, 1.8, 0]]))
calculator.compute()
print(calculator.energy.hex(), sorted({n.split("/")[-1].split(".")[0] for n in map(str.strip, open("/proc/self/maps"))
                                       for n in n.split()[-1:] if "/libhdf5" in n or "/libcurl" in n}))'
want=$("$PYTHON3" -c "$use")
want=${want%% *}
# installed NAME WHEEL-OR-FOLDER
installed() {
    rm -rf site
    "$PYTHON3" -m pip install --quiet --no-compile --disable-pip-version-check --no-index --no-deps \
        --target site "$2" >log 2>&1
    tap_ok $? "$1: pip installs it" || { tap_note "$(tail -n 3 log)"; return; }
    got=$(env -i PYTHONPATH="$tap_dir/site" OMP_NUM_THREADS=1 "$PYTHON3" -c "$use" 2>&1)
    tap_is_text "${got%% *}" "$want" "$1: the same bits"
}
if has pip; then
    CHGNET_BUILD=$top_builddir
    export CHGNET_BUILD
    cp -R "$top_srcdir/src/python" package # pip itself writes where it builds
    chmod -R u+w package
    mkdir -p tree/src && mv package tree/src/python
    ln -s "$top_srcdir/weights" "$top_srcdir/docs" "$top_srcdir/LICENSE" tree
    installed "pip install src/python" tree/src/python
    if sh "$top_srcdir/tools/link_portable.sh" "$top_builddir/.libs/libchgnet_core.a" portable >log 2>&1; then
        wheel=$("$PYTHON3" "$top_srcdir/src/python/wheel_backend.py" --library portable --output dist)
        tap_ok $? "wheel: made"
        again=$("$PYTHON3" "$top_srcdir/src/python/wheel_backend.py" --library portable --output again)
        cmp -s "$wheel" "$again"
        tap_ok $? "wheel: equal files give equal bytes"
        needed=$(ldd portable/libchgnet.so | awk '{ print $1 }' | sed 's/\..*//; s/.*\///' |
            grep -v '^ld-linux\|^linux-' | sort | tr '\n' ' ')
        tap_is_text "$needed" "libc libgomp libm " "wheel: needs the C library and carries the rest"
        ${NM:-nm} -D --defined-only portable/libchgnet.so | awk '$2 != "A" { print $3 }' | grep -qv '^chgnet_'
        tap_ok $((! $?)) "wheel: only chgnet_* is exported"
        "$PYTHON3" -m zipfile -l "$wheel" >contents
        for name in HDF5 OpenBLAS libaec zlib libgomp LICENSE weights/NOTICE; do
            grep -q "licenses/$name " contents
            tap_ok $? "wheel: notice of $name"
        done
        installed "wheel" "$wheel"
        tap_is_text "${got#* }" "[]" "wheel: neither the system's HDF5 nor curl is loaded"
    else
        tap_skip "wheel: $(tail -n 1 log)"
    fi
else
    tap_skip "wheels: $PYTHON3 has no pip"
fi
tap_done
