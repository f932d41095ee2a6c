#!/bin/sh
# The library on another processor: cross-compile for aarch64, run tests under qemu-user; see docs/reliability.md.
# Usage, in a built build folder: check_aarch64.sh SOURCE-FOLDER [TEST...]
# Needs Debian's packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user; the arm64 libraries are fetched into check-aarch64/.
# SPDX-License-Identifier: BSD-3-Clause
set -eu
source=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- test_extxyz test_h5 test_pickle test_delta_file
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || {
        echo "check_aarch64.sh: no $tool; install the Debian packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user" >&2
        exit 77
    }
done
mkdir -p check-aarch64/debs check-aarch64/lists/partial
cd check-aarch64
here=$(pwd)
apt="-qq -o Dir::State::lists=$here/lists -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root"
wanted="libhdf5-dev:arm64 libopenblas-serial-dev:arm64 zlib1g-dev:arm64 libgomp1:arm64"
if [ ! -d root ]; then
    # shellcheck disable=SC2086
    {
        apt-get $apt update
        all=$(apt-cache $apt depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
            --no-enhances $wanted | grep '^lib.*:arm64$\|^zlib.*:arm64$' | grep -v '^libc6' | sort -u)
        (cd debs && apt-get $apt download $all)
    }
    for package in debs/*.deb; do dpkg -x "$package" fetching; done
    mv fetching root
fi
libraries=$here/root/usr/lib/aarch64-linux-gnu
hidden="-Wl,--allow-shlib-undefined -L$libraries -Wl,-rpath-link,$libraries"
[ -f Makefile ] || "$source/configure" --quiet --host=aarch64-linux-gnu --disable-shared CFLAGS=-O2 \
    HDF5_CFLAGS="-I$here/root/usr/include/hdf5/serial" HDF5_LIBS="-L$libraries -lhdf5_serial $hidden" \
    OPENBLAS_CFLAGS="-I$here/root/usr/include/aarch64-linux-gnu/openblas-serial" \
    OPENBLAS_LIBS="-L$libraries/openblas-serial -lopenblas $hidden" \
    ZLIB_CFLAGS="-I$here/root/usr/include" ZLIB_LIBS="-L$libraries -lz"
programs=
for test in "$@"; do programs="$programs tests/$test"; done
# shellcheck disable=SC2086
make -s chgnet $programs >make.log
export top_srcdir="$source" CHGNET_WEIGHTS="$source/weights" OMP_NUM_THREADS=1
run="qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$libraries:$libraries/openblas-serial:$here/root/lib/aarch64-linux-gnu"
status=0
for test in "$@"; do
    if $run "tests/$test" >"$test.log" 2>&1; then
        echo "aarch64: $test: $(grep -c '^ok' "$test.log") passed"
    else
        echo "aarch64: $test: failed; $here/$test.log"
        status=1
    fi
done
for precision in double single; do
    $run ./chgnet predict -t 1 -p $precision "$source/examples/LiMnO2.cif" >predicted
    ../chgnet predict -t 1 -p $precision "$source/examples/LiMnO2.cif" >expected
    if cmp -s predicted expected; then
        echo "aarch64: chgnet predict in $precision precision: the same table as here"
    else
        echo "aarch64: chgnet predict in $precision precision: another table than here; $here/predicted"
        [ $precision = single ] || status=1 # the last digit of single may differ
    fi
done
exit $status
