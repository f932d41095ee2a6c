#!/bin/sh
# Pack what `make` built so that it runs wherever it is unpacked, on any Linux of this processor with a C library as new.
#
# Usage: portable_tarball.sh SOURCE NAME OBJECT...     in a build folder; OBJECTs of the command; environment: CC
#
# Writes NAME.tar.gz: bin/chgnet, lib, include, share with weights, man pages and notices.
# SPDX-License-Identifier: BSD-3-Clause
set -eu
source=$1 name=$2
shift 2
here=$(pwd)
work=$(mktemp -d "$here/$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/$name

sh "$source/tools/link_portable.sh" .libs/libchgnet_core.a "$work/portable" chgnet "$@"
# Headers, weights, manuals, package files.  The prefix is empty: they lie in the root of the tarball.
MAKEFLAGS='' make install-data DESTDIR="$root" prefix= exec_prefix= >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

mkdir -p "$root/bin" "$root/lib"
mv "$work/portable/chgnet" "$root/bin/chgnet"
mv "$work/portable/libchgnet.so" "$root/lib/libchgnet.so.0"
ln -s libchgnet.so.0 "$root/lib/libchgnet.so"
mv "$work/portable/libgomp.so.1" "$root/lib/libgomp.so.1"
doc=$(dirname "$(find "$root/share/doc" -name LICENSE)")
mv "$work/portable/licenses" "$doc/licenses"
cp "$source/README.md" "$doc"

# pkg-config knows where its file lies; what the library needs is inside it.
for file in "$root"/lib/pkgconfig/*.pc; do
    sed -i -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^exec_prefix=.*|exec_prefix=${prefix}|' \
        -e 's|^libdir=.*|libdir=${prefix}/lib|' -e 's|^includedir=.*|includedir=${prefix}/include|' \
        -e 's|^datarootdir=.*|datarootdir=${prefix}/share|' -e '/^Libs.private:/d' "$file"
done

# Equal files give equal bytes.
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-315532800}" {} +
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cf - "$name" | gzip -9n >"$here/$name.tar.gz.part"
mv "$here/$name.tar.gz.part" "$here/$name.tar.gz"
echo "$name.tar.gz"
