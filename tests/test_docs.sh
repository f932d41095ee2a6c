#!/bin/sh
# The programs that docs/c.md and docs/fortran.md begin with compile and run; `make install` lays down everything, and CMake
# finds it.
# SPDX-License-Identifier: BSD-3-Clause
. "${top_srcdir:-.}/tests/tap.sh"

: "${CC:=cc}"
cd "$tap_dir" || exit 99

# first LANGUAGE PAGE: the first block of a language on a page.
first() {
    awk -v fence="^\`\`\`$1\$" '$0 ~ fence { inside = 1; next } /^```$/ && inside { exit } inside' "$top_srcdir/docs/$2"
}
# link OUTPUT COMPILER-AND-FILES...: through libtool, which knows what the library needs and where it lies.
link() {
    output=$1
    shift
    "$top_builddir/libtool" --silent --tag=CC --mode=link "$@" "$top_builddir/libchgnet.la" -o "$output" >log 2>&1
}
# works NAME: the program prints five lines, with energies that fall.
works() {
    "./$1" >out 2>log
    status=$?
    [ $status -eq 0 ] && [ "$(wc -l <out)" -eq 5 ] &&
        awk '{ energy = $2 } NR > 1 && !(energy < last) { bad = 1 } { last = energy } END { exit bad }' out
    tap_ok $? "the program of docs/$1 runs downhill" || tap_note "$(cat out log)"
    sed 's/  */ /g' out | cut -d ' ' -f 2,3 >"energies.$1"
}

if ${NM:-nm} "$top_builddir/.libs/libchgnet_core.a" 2>/dev/null | grep -Eq '__(asan|tsan|ubsan)_'; then
    tap_skip "programs of the pages: a library with sanitizers"
    tap_done
fi
first c c.md >c.c
# CC may hold options beside the name.
# shellcheck disable=SC2086
$CC -std=c11 -Wall -Wextra -Werror -I "$top_srcdir/src/api" -c c.c -o c.o >log 2>&1 && link c.md $CC c.o
tap_ok $? "the program of docs/c.md compiles" || tap_note "$(cat log)"
works c.md

if [ -n "${FC:-}" ]; then
    first fortran fortran.md >f.f90
    # shellcheck disable=SC2086
    $FC $FCFLAGS -Wall -I "$top_builddir/fortran" -c f.f90 -o f.o >log 2>&1 &&
        link fortran.md $FC f.o "$top_builddir/fortran/libchgnet_fortran.a"
    tap_ok $? "the program of docs/fortran.md compiles" || tap_note "$(cat log)"
    works fortran.md
    tap_is_text "$(cat energies.fortran.md)" "$(cat energies.c.md)" "it prints what the program in C does"
else
    tap_skip "docs/fortran.md: no Fortran compiler"
fi

# What `make install` lays down, and a tree that was moved afterwards.
if [ ! -f "$top_builddir/.libs/libchgnet.so" ]; then
    tap_skip "an installed tree: no shared library"
    tap_done
fi
MAKEFLAGS='' make -C "$top_builddir" install DESTDIR="$tap_dir/stage" >log 2>&1
tap_ok $? "make install into a stage" || tap_note "$(tail -n 5 log)"
found=$(find stage -name chgnet-config.cmake)
prefix=${found%/lib*/cmake/chgnet/chgnet-config.cmake}
mv "$prefix" moved
modules='include/chgnet/chgnet.mod include/chgnet/chgnet_c.mod lib*/libchgnet_fortran.a lib*/pkgconfig/chgnet-fortran.pc'
[ -n "${FC:-}" ] || modules=
for file in bin/chgnet 'lib*/libchgnet.so.0' 'lib*/libchgnet.so' include/chgnet.h 'lib*/pkgconfig/chgnet.pc' \
    'lib*/cmake/chgnet/chgnet-config-version.cmake' share/chgnet/chgnet-0.3.0.h5 share/chgnet/chgnet-0.2.0.h5 \
    share/chgnet/chgnet-r2scan.h5 share/chgnet/NOTICE share/chgnet/SHA256SUMS 'share/doc/*/LICENSE' \
    share/bash-completion/completions/chgnet include/chgnet/chgnet.f90 include/chgnet/chgnet_c.f90 \
    include/chgnet/chgnet_support.f90 $modules; do
    [ -n "$(find moved -path "moved/$file")" ] || echo "$file"
done >missing
tap_is_text "$(cat missing)" "" "library, header, package files, weights with their notice, completion and modules are there"
moved/bin/chgnet --help | awk '/^Commands$/ { inside = 1; next } /^$/ { inside = 0 }
    inside && $1 != "help" { print "chgnet-" $1 ".1" }' | sort >commands
(cd moved/share/man/man1 && ls chgnet-*) | sort >pages
tap_is_text "$(cat pages)" "$(cat commands)" "and a man page of each command"
if ! command -v cmake >/dev/null; then
    tap_skip "CMake is not here"
    tap_done
fi
mkdir project
cp c.c project
[ -z "${FC:-}" ] || cp f.f90 project
cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(use C)
find_package(chgnet 0.1 REQUIRED)
add_executable(c c.c)
target_link_libraries(c chgnet::chgnet)
message(STATUS "weights: ${chgnet_WEIGHTS}")
if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/f.f90")
  enable_language(Fortran)
  add_executable(f f.f90)
  target_link_libraries(f chgnet::fortran)
endif()
END
# shellcheck disable=SC2086
cmake -S project -B build -DCMAKE_PREFIX_PATH="$tap_dir/moved" ${FC:+-DCMAKE_Fortran_COMPILER="$FC"} >log 2>&1
tap_ok $? "CMake finds the package where it was moved to" || tap_note "$(tail -n 20 log)"
tap_is_text "$(sed -n 's/^-- weights: //p' log)" "$tap_dir/moved/share/chgnet" "and its weights"
cmake --build build >log 2>&1
tap_ok $? "and builds with it" || tap_note "$(tail -n 20 log)"
build/c 2>&1 | cmp -s - out || build/c 2>&1 | sed 's/  */ /g' | cut -d ' ' -f 2,3 | cmp -s - energies.c.md
tap_ok $? "the program in C does the same"
if [ -n "${FC:-}" ]; then
    build/f 2>&1 | sed 's/  */ /g' | cut -d ' ' -f 2,3 | cmp -s - energies.c.md
    tap_ok $? "the program in Fortran too"
fi
sed -i 's/chgnet 0.1/chgnet 0.9/' project/CMakeLists.txt
cmake -S project -B wrong -DCMAKE_PREFIX_PATH="$tap_dir/moved" >log 2>&1
tap_ok $((! $?)) "a newer version is not found in its place"
tap_done
