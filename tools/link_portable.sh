#!/bin/sh
# Link a libchgnet.so that needs the C library alone, and lay beside it what it loads and the notices of what is inside.
#
# Usage: link_portable.sh CORE.a FOLDER [PROGRAM OBJECT...]     (environment: CC, OPENBLAS_ARCHIVE)
#
# With PROGRAM also a program of that name from these objects, which may use what the library keeps to itself.  It holds
# the OpenMP runtime too: without /proc a program cannot find what lies beside it.
#
# HDF5, libaec (HDF5's szip filter), zlib, OpenBLAS and, where configure found it, spglib come from static archives and
# stay invisible: only chgnet_* is exported, so that another HDF5 or OpenBLAS in the process is neither used nor
# replaced.  The shared HDF5 of Debian would bring 35 further libraries, curl and Kerberos among them.  The serial
# OpenBLAS starts no threads of its own; the library splits work by OpenMP, whose runtime is copied.
# SPDX-License-Identifier: BSD-3-Clause
set -eu
core=$1 folder=$2
shift 2
: "${CC:=cc}"

# archive FILE PACKAGE: the path of a static archive.
archive() {
    for path in "$($CC -print-file-name="$1")" /usr/lib/*/"$1"; do
        if [ -f "$path" ]; then
            echo "$path"
            return
        fi
    done
    echo "link_portable.sh: no $1; install the Debian package $2" >&2
    exit 3
}

[ -f "$core" ] || { echo "link_portable.sh: no $core; run configure without --disable-shared, and make" >&2; exit 3; }
hdf5=$(archive hdf5/serial/libhdf5.a libhdf5-dev)
szip=$(archive libsz.a libaec-dev)
aec=$(archive libaec.a libaec-dev)
zlib=$(archive libz.a zlib1g-dev)
blas=${OPENBLAS_ARCHIVE:-$(archive openblas-serial/libopenblas.a libopenblas-serial-dev)}
spglib=
# NM may hold options beside the name.
# shellcheck disable=SC2086
if ${NM:-nm} "$core" 2>/dev/null | grep -q 'U spg_get_dataset$'; then # configure found it
    spglib=$(archive libsymspg.a libsymspg-dev)
fi
rm -rf "$folder"
mkdir -p "$folder/licenses"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Debian's archive of HDF5 is position-independent except where it names the C library's streams: it reaches those
# through three variables of ours.  OpenBLAS's LAPACK joins texts by one function of the Fortran runtime.
objcopy --redefine-sym stdin=chgi_stdin --redefine-sym stdout=chgi_stdout --redefine-sym stderr=chgi_stderr \
    "$hdf5" "$work/libhdf5.a"
cat >"$work/streams.c" <<'EOF'
#include <stdio.h>
#include <string.h>
#define HIDDEN __attribute__((visibility("hidden")))
HIDDEN FILE *chgi_stdin, *chgi_stdout, *chgi_stderr;
__attribute__((constructor)) static void set_streams(void)
{
    chgi_stdin = stdin;
    chgi_stdout = stdout;
    chgi_stderr = stderr;
}
HIDDEN void _gfortran_concat_string(size_t size, char *to, size_t first_size, const char *first, size_t second_size,
                                    const char *second);
void _gfortran_concat_string(size_t size, char *to, size_t first_size, const char *first, size_t second_size,
                             const char *second)
{
    memset(to, ' ', size);
    memcpy(to, first, first_size < size ? first_size : size);
    if (first_size < size)
        memcpy(to + first_size, second, second_size < size - first_size ? second_size : size - first_size);
}
EOF
echo '{ global: chgnet_*; local: *; };' >"$work/exports"
# CC may hold options beside the name.
# shellcheck disable=SC2086
$CC -O2 -fPIC -shared -s -o "$folder/libchgnet.so" -Wl,-soname,libchgnet.so.0 "$work/streams.c" \
    -Wl,--whole-archive "$core" -Wl,--no-whole-archive $spglib "$work/libhdf5.a" "$blas" "$szip" "$aec" "$zlib" \
    -fopenmp -lm -Wl,--version-script="$work/exports" -Wl,-Bsymbolic -Wl,--gc-sections -Wl,--no-undefined \
    -Wl,--enable-new-dtags -Wl,-rpath,'$ORIGIN'
if [ $# -gt 1 ]; then
    program=$1
    shift
    # shellcheck disable=SC2086
    $CC -O2 -s -o "$folder/$program" "$work/streams.c" "$@" "$core" $spglib "$work/libhdf5.a" "$blas" "$szip" "$aec" "$zlib" \
        "$(archive libgomp.a libgcc-12-dev)" -lm -static-libgcc -Wl,--gc-sections
fi

gomp=$($CC -print-file-name=libgomp.so.1)
[ -f "$gomp" ] || gomp=$(ldd "$folder/libchgnet.so" | awk '$1 ~ /^libgomp/ { print $3 }')
cp -L "$gomp" "$folder/libgomp.so.1"

# notice NAME PACKAGE...: the notice of the first package that has one.
notice() {
    name=$1
    shift
    for package in "$@"; do
        if [ -f "/usr/share/doc/$package/copyright" ]; then
            cp -L "/usr/share/doc/$package/copyright" "$folder/licenses/$name"
            return
        fi
    done
    echo "link_portable.sh: no notice of $name in /usr/share/doc/$1" >&2
    exit 3
}
notice HDF5 libhdf5-dev libhdf5-103-1
notice libaec libaec-dev libaec0
notice zlib zlib1g-dev zlib1g
notice OpenBLAS libopenblas-serial-dev libopenblas-dev libopenblas-pthread-dev libopenblas0
notice libgomp libgomp1 gcc-12-base
[ -z "$spglib" ] || notice spglib libsymspg-dev
