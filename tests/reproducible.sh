#!/bin/sh
# Two builds of one source, in folders of different names and at different times, give the same bits.
#
#     reproducible.sh SOURCE       SOURCE: an unpacked source package (make distdir)
#
# SPDX-License-Identifier: BSD-3-Clause
folder=$(mktemp -d "${TMPDIR:-/tmp}/chgnet-reproducible-XXXXXX") || exit 99
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
for name in one another-one; do
    mkdir "$folder/$name"
    cp -R "$1" "$folder/$name/source" && chmod -R u+w "$folder/$name/source" || exit 99
    (
        cd "$folder/$name" && mkdir build && cd build || exit 99
        # What depends on the folder is where the source lies: mapped away.
        ../source/configure --prefix=/usr CC="${CC:-cc}" CFLAGS="-O2 -ffile-prefix-map=$folder/$name=." >log 2>&1 &&
            make -j"${JOBS:-2}" chgnet libchgnet.la >>log 2>&1 || { tail -n 5 log; exit 1; }
    ) || exit 1
done
status=0
for file in chgnet .libs/libchgnet.so .libs/libchgnet.a .libs/chgnet; do
    [ -f "$folder/one/build/$file" ] || continue
    if cmp -s "$folder/one/build/$file" "$folder/another-one/build/$file"; then
        echo "$file: the same"
    else
        echo "$file: two builds differ"
        status=1
    fi
done
exit "$status"
