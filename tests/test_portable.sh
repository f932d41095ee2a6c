#!/bin/sh
# The portable tarball runs in a root that holds a C library and nothing else, and serves programs from where it lies.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

: "${CC:=cc}"
if ${NM:-nm} "$top_builddir/.libs/libchgnet_core.a" 2>/dev/null | grep -Eq '__(asan|tsan|ubsan|gcov)_'; then
    tap_skip "a library with sanitizers or coverage"
    tap_done
fi
# The build folder may be read by others at the same time: link there, write here.
if ! MAKEFLAGS= make -s --no-print-directory -C "$top_builddir" portable-tarball >"$tap_dir/log" 2>&1; then
    if grep -q 'link_portable.sh: no' "$tap_dir/log"; then
        tap_skip "$(grep 'link_portable.sh: no' "$tap_dir/log")"
        tap_done
    fi
    tap_ok 1 "make portable-tarball"
    tap_note "$(tail -n 10 "$tap_dir/log")"
    tap_done
fi
tarball=$(tail -n 1 "$tap_dir/log")
tap_ok 0 "make portable-tarball: $tarball, $(($(wc -c <"$top_builddir/$tarball") / 1048576)) MiB"
cd "$tap_dir" || exit 99
mkdir root
tar -C root -xf "$top_builddir/$tarball"
name=${tarball%.tar.gz}
here=root/$name

# needs FILE: the libraries that it loads, without what every process has.
needs() {
    "${OBJDUMP:-objdump}" -p "$1" | awk '$1 == "NEEDED" { print $2 }' | sed 's/\..*//' | sort | tr '\n' ' '
}
tap_is_text "$(needs "$here/bin/chgnet" | sed 's/ld-linux-x86-64 //')" "libc libm " "the command needs the C library"
tap_is_text "$(needs "$here/lib/libchgnet.so.0" | sed 's/ld-linux-x86-64 //')" "libc libgomp libm " "the library also the OpenMP runtime beside it"
for notice in LICENSE licenses/HDF5 licenses/OpenBLAS licenses/libaec licenses/zlib licenses/libgomp; do
    find "$here/share/doc" -path "*/$notice" | grep -q .
    tap_ok $? "notice: $notice"
done
if ${NM:-nm} "$top_builddir/.libs/libchgnet_core.a" 2>/dev/null | grep -q 'U spg_get_dataset$'; then
    find "$here/share/doc" -path '*/licenses/spglib' | grep -q .
    tap_ok $? "notice: licenses/spglib"
fi
[ -f "$here/share/chgnet/NOTICE" ]
tap_ok $? "notice of the weights"

# A root with the C library alone.
library=$(ldd "$here/bin/chgnet" | awk '$1 == "libc.so.6" { print $3 }')
loader=$(ldd "$here/bin/chgnet" | awk '/ld-linux|ld-musl/ { print $1 }')
mkdir -p "root/$(dirname "$loader")" "root/$(dirname "$library")" root/proc root/tmp
cp -L "$loader" "root/$loader"
for name_of in libc.so.6 libm.so.6; do
    cp -L "$(dirname "$library")/$name_of" "root/$(dirname "$library")/"
done
cp "$top_srcdir/examples/LiMnO2.cif" root/tmp
want=$("$top_builddir/chgnet" predict --json "$top_srcdir/examples/LiMnO2.cif" | sed 's/.*"energy": *\([-0-9.e]*\).*/\1/')
enter=chroot
[ "$(id -u)" -eq 0 ] || enter="unshare -r chroot"
# shellcheck disable=SC2086
if $enter root "/$name/bin/chgnet" --version >version 2>&1; then
    # shellcheck disable=SC2086
    got=$(env -i OMP_NUM_THREADS=1 PATH="$PATH" $enter root "/$name/bin/chgnet" predict --json /tmp/LiMnO2.cif 2>log |
        sed 's/.*"energy": *\([-0-9.e]*\).*/\1/')
    tap_is_text "$got" "$want" "in a root with nothing else: the energy is the same" || tap_note "$(cat log)"
    # shellcheck disable=SC2086
    env -i PATH="$PATH" $enter root "/$name/bin/chgnet" info --verify >log 2>&1
    tap_ok $? "and its weights verify" || tap_note "$(cat log)"
elif grep -qi 'permitted\|permission' version; then
    tap_skip "a root of its own: $(head -n 1 version)"
else
    tap_ok 1 "the command runs in a root with nothing else"
    tap_note "$(cat version)"
fi

# A program against the unpacked tree: pkg-config, and weights found beside the library.
if command -v pkg-config >/dev/null; then
    flags=$(PKG_CONFIG_PATH="$tap_dir/$here/lib/pkgconfig" pkg-config --define-prefix --cflags --libs chgnet 2>log)
    # CC and the flags hold several words.
    # shellcheck disable=SC2086
    $CC "$top_srcdir/examples/energy.c" $flags -Wl,-rpath,"$tap_dir/$here/lib" -o energy >log 2>&1
    tap_ok $? "a program compiles with its pkg-config file" || tap_note "$(cat log)"
    env -u CHGNET_WEIGHTS ./energy >out 2>&1 && grep -q '^energy -[0-9.]* eV' out
    tap_ok $? "and finds the weights beside the library" || tap_note "$(cat out)"
else
    tap_skip "a program with its pkg-config file: no pkg-config"
fi
tap_done
