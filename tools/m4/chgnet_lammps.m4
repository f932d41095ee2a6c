# SPDX-License-Identifier: BSD-3-Clause

# CHGNET_LAMMPS
# --with-lammps[=FOLDER]: build pair style chgnet for the LAMMPS whose headers lie there.  Sets MPICXX, LAMMPS_CPPFLAGS
# and the conditionals LAMMPS_PLUGIN (a runtime plugin) and LAMMPS_DRIVER (lmp_chgnet, linked with its library).
# Without the option nothing is looked for.
AC_DEFUN([CHGNET_LAMMPS], [
  AC_ARG_WITH([lammps], [AS_HELP_STRING([--with-lammps@<:@=FOLDER@:>@], [build pair style chgnet of LAMMPS; FOLDER has its
    headers, without it those of the Debian package liblammps-dev are taken])], [], [with_lammps=no])
  AC_ARG_VAR([MPICXX], [C++ compiler of the MPI that LAMMPS was built with])
  AC_ARG_VAR([LAMMPS_LIBS], [linker flags for the library that belongs to the headers; for Debian's package -llammps])
  AC_ARG_VAR([LAMMPS_CXXFLAGS], [flags for pair style chgnet, without it -O2 -g])
  chgnet_lammps_plugin=no
  chgnet_lammps_driver=no
  chgnet_lammps=no
  AS_IF([test "$with_lammps" != no], [
    AS_CASE([$with_lammps], [yes], [chgnet_lammps_folder=/usr/include/lammps], [chgnet_lammps_folder=$with_lammps])
    AS_IF([test ! -f "$chgnet_lammps_folder/pair.h" && test -f "$chgnet_lammps_folder/lammps/pair.h"],
      [chgnet_lammps_folder=$chgnet_lammps_folder/lammps])
    AC_CHECK_TOOLS([MPICXX], [mpicxx mpic++ CC])
    CHGNET_LAMMPS_COMPILE
    CHGNET_LAMMPS_LINK
    AS_IF([test "$enable_shared" = yes], [chgnet_lammps_plugin=yes])
    chgnet_lammps="$chgnet_lammps_folder; plugin: $chgnet_lammps_plugin; lmp_chgnet: $chgnet_lammps_driver"
  ])
  : ${LAMMPS_CXXFLAGS="-O2 -g"}
  AC_SUBST([LAMMPS_CPPFLAGS])
  AM_CONDITIONAL([LAMMPS_PLUGIN], [test "$chgnet_lammps_plugin" = yes])
  AM_CONDITIONAL([LAMMPS_DRIVER], [test "$chgnet_lammps_driver" = yes])
])

# Headers of Debian's package name a {fmt} that it does not have: then src/lammps/driver gives the names.
AC_DEFUN([CHGNET_LAMMPS_COMPILE], [
  chgnet_found=no
  AC_MSG_CHECKING([for LAMMPS's headers in $chgnet_lammps_folder])
  cat > conftest.cpp <<CHGNET_END
#include <mpi.h>
#include "pair.h"
#include "error.h"
int main() { return 0; }
CHGNET_END
  for chgnet_fmt in "" "-I$srcdir/src/lammps/driver"; do
    AS_IF([test $chgnet_found = no], [
      LAMMPS_CPPFLAGS="$chgnet_fmt -isystem $chgnet_lammps_folder -DLAMMPS_SMALLBIG -DOMPI_SKIP_MPICXX"
      AS_IF([$MPICXX -std=c++17 $LAMMPS_CPPFLAGS -c -o conftest.o conftest.cpp 2>&AS_MESSAGE_LOG_FD], [chgnet_found=yes])])
  done
  AC_MSG_RESULT([$chgnet_found])
  rm -f conftest.cpp conftest.o
  AS_IF([test $chgnet_found = no], [AC_MSG_ERROR([--with-lammps: cannot use the headers in $chgnet_lammps_folder with
  MPICXX=$MPICXX.  On Debian install liblammps-dev and libopenmpi-dev, or give the folder with pair.h; config.log says more.])])
  AS_IF([test -n "$chgnet_fmt" && test "$LAMMPS_CPPFLAGS" != "${LAMMPS_CPPFLAGS#-I}"],
    [LAMMPS_CPPFLAGS="-I\$(top_srcdir)/src/lammps/driver ${LAMMPS_CPPFLAGS#* }"])
  CHGNET_LAMMPS_VERSION
])

# The version is in none of the installed headers, but in the files for CMake beside them.
AC_DEFUN([CHGNET_LAMMPS_VERSION], [
  chgnet_lammps_version=0
  for chgnet_file in "$chgnet_lammps_folder"/../../cmake/LAMMPS/LAMMPSConfigVersion.cmake \
      "$chgnet_lammps_folder"/../../lib/cmake/LAMMPS/LAMMPSConfigVersion.cmake \
      "$chgnet_lammps_folder"/../../lib/*/cmake/LAMMPS/LAMMPSConfigVersion.cmake; do
    AS_IF([test -f "$chgnet_file"], [
      chgnet_date=`$AWK -F'[[".]]' '/^set\(PACKAGE_VERSION "[[0-9]]/ { printf "%d%02d%02d", $[2], $[3], $[4] }' "$chgnet_file"`
      AS_IF([test -n "$chgnet_date"], [chgnet_lammps_version=$chgnet_date])])
  done
  LAMMPS_CPPFLAGS="$LAMMPS_CPPFLAGS -DCHGNET_LAMMPS_VERSION=$chgnet_lammps_version"
])

AC_DEFUN([CHGNET_LAMMPS_LINK], [
  AS_IF([test "$with_lammps" = yes], [: ${LAMMPS_LIBS="-llammps"}])
  AC_MSG_CHECKING([for LAMMPS's library])
  cat > conftest.cpp <<CHGNET_END
extern "C" void *lammps_open_no_mpi(int, char **, void **);
int main() { return lammps_open_no_mpi == nullptr; }
CHGNET_END
  AS_IF([test -n "$LAMMPS_LIBS" && $MPICXX -o conftest$EXEEXT conftest.cpp $LAMMPS_LIBS 2>&AS_MESSAGE_LOG_FD], [chgnet_lammps_driver=yes])
  AC_MSG_RESULT([$chgnet_lammps_driver])
  rm -f conftest.cpp conftest$EXEEXT
])
