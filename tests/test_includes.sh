#!/bin/sh
# Order of knowledge: a module of src/ includes only what stands to its left, and modules in braces not each other.
#   base < math < {store, crystal, nn} < {model, gp} < calc < task < search < api < clients
# `api/chgnet.h` alone may be included from everywhere: it holds the statuses.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

# rank MODULE: its place in the order; 0 for a module nobody knows.
rank() {
    case $1 in
    base) echo 1 ;;
    math) echo 2 ;;
    store | crystal | nn) echo 3 ;;
    model | gp) echo 4 ;;
    calc) echo 5 ;;
    task) echo 6 ;;
    search) echo 7 ;;
    api) echo 8 ;;
    cli | fortran | python | lammps) echo 9 ;;
    *) echo 0 ;;
    esac
}

# allowed FROM TO: may module FROM include module TO?
allowed() {
    [ "$1" = "$2" ] && return 0
    from=$(rank "$1")
    to=$(rank "$2")
    [ "$from" -gt 0 ] && [ "$to" -gt 0 ] && [ "$to" -lt "$from" ]
}

# wrong_includes FOLDER: one line for each include that is not allowed, or that names no file.
wrong_includes() {
    find "$1" -name '*.[ch]' | sort | while read -r file; do
        module=${file#"$1"/}
        module=${module%%/*}
        sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file" | while read -r header; do
            case $header in
            config.h | api/chgnet.h) continue ;;
            */*) ;;
            *)
                echo "$file: \"$header\" has no module before it"
                continue
                ;;
            esac
            allowed "$module" "${header%%/*}" || echo "$file: may not include $header"
            [ -f "$1/$header" ] || echo "$file: there is no $header"
        done
    done
}

wrong=$(wrong_includes "$top_srcdir/src")
tap_is_text "$wrong" "" "every include of src/ points leftwards"

unknown=$(for folder in "$top_srcdir"/src/*/; do
    module=$(basename "$folder")
    [ "$(rank "$module")" -gt 0 ] || echo "$module"
done)
tap_is_text "$unknown" "" "every folder of src/ has a place in the order"

# The check itself must see what it is there for.
mkdir -p "$tap_dir/base" "$tap_dir/nn" "$tap_dir/store"
echo '#include "nn/x.h"' >"$tap_dir/base/a.c"
echo '#include "nn/x.h"' >"$tap_dir/store/b.c"
echo '#include "base/y.h"' >"$tap_dir/nn/x.h"
echo '#include "x.h"' >"$tap_dir/nn/c.c"
: >"$tap_dir/base/y.h"
tap_is_text "$(wrong_includes "$tap_dir" | sed "s|$tap_dir/||")" 'base/a.c: may not include nn/x.h
nn/c.c: "x.h" has no module before it
store/b.c: may not include nn/x.h' "a step to the right, one sideways and a bare name are seen"

tap_done
