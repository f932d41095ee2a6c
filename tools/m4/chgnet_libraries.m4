# SPDX-License-Identifier: BSD-3-Clause
#
# The libraries that chgnet-native needs.  Each macro sets NAME_CFLAGS, NAME_LIBS and chgnet_NAME_version, or adds the
# Debian package that is missing to chgnet_missing; configure.ac tells about all of them at once, at the end.
# pkg-config is used when it is there and never needed.

# CHGNET_MISSING(WHAT, DEBIAN-PACKAGE, [HINT])
AC_DEFUN([CHGNET_MISSING], [
  AS_VAR_APPEND([chgnet_missing], ["
  $1: install the Debian package $2[]m4_ifval([$3], [, or $3])"])
  AS_CASE([" $chgnet_missing_packages "], [*" $2 "*], [], [AS_VAR_APPEND([chgnet_missing_packages], [" $2"])])
])

# CHGNET_TRY_LIBRARY(NAME, CFLAGS, LIBS, PROLOGUE, BODY)
# Unless NAME was found already: when PROLOGUE and BODY compile and link so, set chgnet_NAME_found, NAME_CFLAGS, NAME_LIBS.
AC_DEFUN([CHGNET_TRY_LIBRARY], [
  AS_IF([test "$chgnet_$1_found" != yes], [
    chgnet_save_CPPFLAGS=$CPPFLAGS
    chgnet_save_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS $2"
    LIBS="$3 $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([$4], [$5])], [
      chgnet_$1_found=yes
      $1_CFLAGS="$2"
      $1_LIBS="$3"
    ])
    CPPFLAGS=$chgnet_save_CPPFLAGS
    LIBS=$chgnet_save_LIBS
  ])
])


# CHGNET_HEADER_VALUE(VARIABLE, CFLAGS, HEADER, EXPRESSION)
# What a macro of a header stands for, without quotes and blanks; by the preprocessor, so it works when cross-compiling.
AC_DEFUN([CHGNET_HEADER_VALUE], [
  chgnet_save_CPPFLAGS=$CPPFLAGS
  CPPFLAGS="$CPPFLAGS $2"
  AC_LANG_CONFTEST([AC_LANG_SOURCE([[#include <$3>
chgnet_value $4]])])
  $1=`(eval "$ac_cpp conftest.$ac_ext") 2>/dev/null | sed -n '/^chgnet_value/,$ p' | grep -v '^#' |
    tr -d '" \t\n' | sed 's/^chgnet_value//'`
  rm -f conftest.$ac_ext
  CPPFLAGS=$chgnet_save_CPPFLAGS
])

# CHGNET_MPI_CFLAGS
# Where mpi.h lies, for a parallel HDF5, whose header includes it: candidates in chgnet_mpi_cflags, `|' between them.
AC_DEFUN([CHGNET_MPI_CFLAGS], [
  chgnet_mpi_cflags=
  for chgnet_module in ompi-c mpi-c ompi mpich mvapich2; do
    AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists $chgnet_module 2>/dev/null],
      [AS_VAR_APPEND([chgnet_mpi_cflags], ["`$PKG_CONFIG --cflags $chgnet_module`|"])])
  done
  AC_CHECK_PROGS([MPICC], [mpicc mpicc.openmpi mpicc.mpich])
  AS_IF([test -n "$MPICC"], [
    for chgnet_option in --showme:compile -compile_info -show; do
      chgnet_words=`$MPICC $chgnet_option 2>/dev/null | tr ' ' '\n' | grep '^-I' | tr '\n' ' '`
      AS_VAR_APPEND([chgnet_mpi_cflags], ["$chgnet_words|"])
    done
  ])
])

# CHGNET_TRY_HDF5(CFLAGS, LIBS): once as it is, then with the include path of each MPI.
AC_DEFUN([CHGNET_TRY_HDF5], [
  CHGNET_TRY_LIBRARY([HDF5], [$1], [$2], [[#include <hdf5.h>]], [[return H5open() < 0;]])
  AS_IF([test "$chgnet_HDF5_found" != yes], [
    chgnet_save_IFS=$IFS
    IFS='|'
    for chgnet_mpi in $chgnet_mpi_cflags; do
      IFS=$chgnet_save_IFS
      CHGNET_TRY_LIBRARY([HDF5], [$1 $chgnet_mpi], [$2], [[#include <hdf5.h>]], [[return H5open() < 0;]])
    done
    IFS=$chgnet_save_IFS
  ])
])

# CHGNET_LIB_HDF5: pkg-config, then h5cc, then the plain name; or --with-hdf5=DIR alone.
AC_DEFUN([CHGNET_LIB_HDF5], [
  AC_ARG_WITH([hdf5], [AS_HELP_STRING([--with-hdf5=DIR], [HDF5 lies in DIR/include and DIR/lib])], [], [with_hdf5=])
  AC_ARG_VAR([HDF5_CFLAGS], [C flags for HDF5, in place of the search])
  AC_ARG_VAR([HDF5_LIBS], [linker flags for HDF5, in place of the search])
  CHGNET_MPI_CFLAGS
  AC_CHECK_PROGS([H5CC], [h5cc h5pcc])
  AC_MSG_CHECKING([for HDF5])
  chgnet_HDF5_found=no
  AS_CASE([$with_hdf5], [yes|no], [with_hdf5=])
  AS_IF([test -n "$HDF5_LIBS$HDF5_CFLAGS"], [
    CHGNET_TRY_HDF5([$HDF5_CFLAGS], [$HDF5_LIBS])
  ], [test -n "$with_hdf5"], [
    for chgnet_dir in "$with_hdf5/lib" "$with_hdf5/lib64"; do
      for chgnet_more in "" "-lz -ldl -lm -lpthread" "-lsz -lz -ldl -lm -lpthread"; do
        AS_IF([ls "$chgnet_dir"/libhdf5.* >/dev/null 2>&1], [
          CHGNET_TRY_HDF5([-I$with_hdf5/include], [-L$chgnet_dir -Wl,-rpath,$chgnet_dir -lhdf5 $chgnet_more])
        ])
      done
    done
  ], [
    for chgnet_module in hdf5 hdf5-serial hdf5-openmpi hdf5-mpich; do
      AS_IF([test "$chgnet_HDF5_found" != yes && test -n "$PKG_CONFIG" && $PKG_CONFIG --exists $chgnet_module 2>/dev/null], [
        chgnet_pc_cflags=`$PKG_CONFIG --cflags $chgnet_module`
        chgnet_pc_libs=`$PKG_CONFIG --libs $chgnet_module`
        CHGNET_TRY_HDF5([$chgnet_pc_cflags], [$chgnet_pc_libs])
      ])
    done
    AS_IF([test "$chgnet_HDF5_found" != yes && test -n "$H5CC"], [
      chgnet_h5cc=`$H5CC -show 2>/dev/null`
      chgnet_h5cflags= chgnet_h5dirs= chgnet_h5libs=
      for chgnet_word in $chgnet_h5cc; do
        AS_CASE([$chgnet_word],
          [-I*], [AS_VAR_APPEND([chgnet_h5cflags], [" $chgnet_word"])],
          [-L*], [chgnet_dir=`AS_ECHO(["$chgnet_word"]) | sed 's/^-L//'`
                  AS_VAR_APPEND([chgnet_h5dirs], [" -L$chgnet_dir -Wl,-rpath,$chgnet_dir"])],
          [-l*|*.a|*.so|-Wl,*], [AS_VAR_APPEND([chgnet_h5libs], [" $chgnet_word"])])
      done
      CHGNET_TRY_HDF5([$chgnet_h5cflags], [$chgnet_h5dirs -lhdf5])
      CHGNET_TRY_HDF5([$chgnet_h5cflags], [$chgnet_h5dirs $chgnet_h5libs])
    ])
    CHGNET_TRY_HDF5([], [-lhdf5])
  ])
  chgnet_HDF5_version= chgnet_HDF5_kind=
  AS_IF([test "$chgnet_HDF5_found" = yes], [
    CHGNET_HEADER_VALUE([chgnet_HDF5_version], [$HDF5_CFLAGS], [hdf5.h], [H5_VERS_MAJOR.H5_VERS_MINOR.H5_VERS_RELEASE])
    CHGNET_HEADER_VALUE([chgnet_parallel], [$HDF5_CFLAGS], [hdf5.h], [H5_HAVE_PARALLEL])
    AS_IF([test "$chgnet_parallel" = 1], [chgnet_HDF5_kind=parallel], [chgnet_HDF5_kind=serial])
    AC_MSG_RESULT([$chgnet_HDF5_version, $chgnet_HDF5_kind])
    AS_CASE([$chgnet_HDF5_version], [0.*|1.@<:@0-9@:>@.*], [
      CHGNET_MISSING([HDF5 1.10 or newer (found: $chgnet_HDF5_version)], [libhdf5-dev], [give --with-hdf5=DIR])
    ])
  ], [
    AC_MSG_RESULT([no])
    AS_IF([test -n "$with_hdf5"], [
      CHGNET_MISSING([HDF5 in --with-hdf5=$with_hdf5 (include/hdf5.h, lib/libhdf5.so)], [libhdf5-dev],
        [give the DIR where it lies])
    ], [
      CHGNET_MISSING([HDF5 1.10 or newer], [libhdf5-dev], [give --with-hdf5=DIR])
    ])
  ])
])

# CHGNET_LIB_OPENBLAS: pkg-config, then the plain name and the usual folders; or --with-openblas=DIR alone.
AC_DEFUN([CHGNET_LIB_OPENBLAS], [
  AC_ARG_WITH([openblas], [AS_HELP_STRING([--with-openblas=DIR], [OpenBLAS lies in DIR/include and DIR/lib])],
    [], [with_openblas=])
  AC_ARG_VAR([OPENBLAS_CFLAGS], [C flags for OpenBLAS, in place of the search])
  AC_ARG_VAR([OPENBLAS_LIBS], [linker flags for OpenBLAS, in place of the search])
  AC_MSG_CHECKING([for OpenBLAS])
  chgnet_OPENBLAS_found=no
  AS_CASE([$with_openblas], [yes|no], [with_openblas=])
  m4_pushdef([chgnet_prologue], [[#include <cblas.h>]])
  m4_pushdef([chgnet_body], [[openblas_set_num_threads(1); return (int)cblas_ddot(0, 0, 1, 0, 1);]])
  AS_IF([test -n "$OPENBLAS_LIBS$OPENBLAS_CFLAGS"], [
    CHGNET_TRY_LIBRARY([OPENBLAS], [$OPENBLAS_CFLAGS], [$OPENBLAS_LIBS], [chgnet_prologue], [chgnet_body])
  ], [test -n "$with_openblas"], [
    for chgnet_dir in "$with_openblas/lib" "$with_openblas/lib64"; do
      for chgnet_inc in "$with_openblas/include" "$with_openblas/include/openblas"; do
        for chgnet_more in "" "-lpthread -lm" "-lgfortran -lpthread -lm"; do
          AS_IF([test -f "$chgnet_inc/cblas.h" && ls "$chgnet_dir"/libopenblas.* >/dev/null 2>&1], [
            CHGNET_TRY_LIBRARY([OPENBLAS], [-I$chgnet_inc],
              [-L$chgnet_dir -Wl,-rpath,$chgnet_dir -lopenblas $chgnet_more], [chgnet_prologue], [chgnet_body])
          ])
        done
      done
    done
  ], [
    AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists openblas 2>/dev/null], [
      chgnet_pc_cflags=`$PKG_CONFIG --cflags openblas`
      chgnet_pc_libs=`$PKG_CONFIG --libs openblas`
      CHGNET_TRY_LIBRARY([OPENBLAS], [$chgnet_pc_cflags], [$chgnet_pc_libs], [chgnet_prologue], [chgnet_body])
    ])
    CHGNET_TRY_LIBRARY([OPENBLAS], [], [-lopenblas], [chgnet_prologue], [chgnet_body])
    chgnet_multiarch=`$CC -print-multiarch 2>/dev/null`
    for chgnet_root in /usr /usr/local /opt/OpenBLAS; do
      for chgnet_inc in "$chgnet_root/include/$chgnet_multiarch" "$chgnet_root/include/openblas" "$chgnet_root/include" \
          "$chgnet_root/include/$chgnet_multiarch/openblas-pthread" "$chgnet_root/include/$chgnet_multiarch/openblas-openmp" \
          "$chgnet_root/include/$chgnet_multiarch/openblas-serial"; do
        AS_IF([test "$chgnet_OPENBLAS_found" != yes && test -f "$chgnet_inc/cblas.h"], [
          CHGNET_TRY_LIBRARY([OPENBLAS], [-I$chgnet_inc], [-lopenblas], [chgnet_prologue], [chgnet_body])
          CHGNET_TRY_LIBRARY([OPENBLAS], [-I$chgnet_inc],
            [-L$chgnet_root/lib -Wl,-rpath,$chgnet_root/lib -lopenblas], [chgnet_prologue], [chgnet_body])
        ])
      done
    done
  ])
  m4_popdef([chgnet_prologue])
  m4_popdef([chgnet_body])
  chgnet_OPENBLAS_version=
  AS_IF([test "$chgnet_OPENBLAS_found" = yes], [
    CHGNET_HEADER_VALUE([chgnet_OPENBLAS_version], [$OPENBLAS_CFLAGS], [openblas_config.h], [OPENBLAS_VERSION])
    chgnet_OPENBLAS_version=`AS_ECHO(["$chgnet_OPENBLAS_version"]) | sed 's/^OpenBLAS//'`
    AC_MSG_RESULT([${chgnet_OPENBLAS_version:-yes}])
  ], [
    AC_MSG_RESULT([no])
    AS_IF([test -n "$with_openblas"], [
      CHGNET_MISSING([OpenBLAS in --with-openblas=$with_openblas (include/cblas.h, lib/libopenblas.so)], [libopenblas-dev],
        [give the DIR where it lies])
    ], [
      CHGNET_MISSING([OpenBLAS], [libopenblas-dev], [give --with-openblas=DIR])
    ])
  ])
])

# CHGNET_LIB_ZLIB
AC_DEFUN([CHGNET_LIB_ZLIB], [
  AC_ARG_VAR([ZLIB_CFLAGS], [C flags for zlib, in place of the search])
  AC_ARG_VAR([ZLIB_LIBS], [linker flags for zlib, in place of the search])
  AC_MSG_CHECKING([for zlib])
  chgnet_ZLIB_found=no
  m4_pushdef([chgnet_prologue], [[#include <zlib.h>]])
  m4_pushdef([chgnet_body], [[return zlibVersion()[0] == 0 || crc32(0, Z_NULL, 0) != 0;]])
  AS_IF([test -n "$ZLIB_LIBS$ZLIB_CFLAGS"], [
    CHGNET_TRY_LIBRARY([ZLIB], [$ZLIB_CFLAGS], [$ZLIB_LIBS], [chgnet_prologue], [chgnet_body])
  ], [
    AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists zlib 2>/dev/null], [
      chgnet_pc_cflags=`$PKG_CONFIG --cflags zlib`
      chgnet_pc_libs=`$PKG_CONFIG --libs zlib`
      CHGNET_TRY_LIBRARY([ZLIB], [$chgnet_pc_cflags], [$chgnet_pc_libs], [chgnet_prologue], [chgnet_body])
    ])
    CHGNET_TRY_LIBRARY([ZLIB], [], [-lz], [chgnet_prologue], [chgnet_body])
  ])
  m4_popdef([chgnet_prologue])
  m4_popdef([chgnet_body])
  chgnet_ZLIB_version=
  AS_IF([test "$chgnet_ZLIB_found" = yes], [
    CHGNET_HEADER_VALUE([chgnet_ZLIB_version], [$ZLIB_CFLAGS], [zlib.h], [ZLIB_VERSION])
    AC_MSG_RESULT([${chgnet_ZLIB_version:-yes}])
  ], [
    AC_MSG_RESULT([no])
    CHGNET_MISSING([zlib], [zlib1g-dev])
  ])
])

# CHGNET_OPENMP: AC_OPENMP, with the package of the compiler's own runtime when it is missing.
AC_DEFUN([CHGNET_OPENMP], [
  AC_OPENMP
  AS_CASE([$ac_cv_prog_c_openmp],
    [unsupported|no|"not found"], [
      AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error not clang
#endif
]])], [CHGNET_MISSING([OpenMP for clang], [libomp-dev])],
        [CHGNET_MISSING([OpenMP for $CC], [gcc], [use another compiler])])
    ])
])

# CHGNET_LIB_SPGLIB: optional, for `chgnet relax --keep-symmetry`; --without-spglib does without.
AC_DEFUN([CHGNET_LIB_SPGLIB], [
  AC_ARG_WITH([spglib], [AS_HELP_STRING([--with-spglib=DIR], [spglib lies in DIR/include and DIR/lib; --without-spglib:
    no space groups])], [], [with_spglib=])
  chgnet_SPGLIB_found=no
  chgnet_SPGLIB_version="no (relax --keep-symmetry; Debian package libsymspg-dev)"
  SPGLIB_CFLAGS=
  SPGLIB_LIBS=
  AC_MSG_CHECKING([for spglib])
  AS_CASE([$with_spglib], [no], [], [yes|""], [
    AS_IF([test -n "$PKG_CONFIG" && $PKG_CONFIG --exists spglib 2>/dev/null], [
      chgnet_pc_cflags=`$PKG_CONFIG --cflags spglib`
      chgnet_pc_libs=`$PKG_CONFIG --libs spglib`
      CHGNET_TRY_LIBRARY([SPGLIB], [$chgnet_pc_cflags], [$chgnet_pc_libs], [[#include <spglib.h>]],
        [[return spg_get_major_version() < 1;]])
    ])
    CHGNET_TRY_LIBRARY([SPGLIB], [], [-lsymspg], [[#include <spglib.h>]], [[return spg_get_major_version() < 1;]])
  ], [
    CHGNET_TRY_LIBRARY([SPGLIB], [-I$with_spglib/include], [-L$with_spglib/lib -Wl,-rpath,$with_spglib/lib -lsymspg],
      [[#include <spglib.h>]], [[return spg_get_major_version() < 1;]])
  ])
  AC_MSG_RESULT([$chgnet_SPGLIB_found])
  AS_IF([test "$chgnet_SPGLIB_found" = yes], [
    chgnet_SPGLIB_version=found
    AC_DEFINE([HAVE_SPGLIB], [1], [Define to 1 when spglib is there.])
  ], [test -n "$with_spglib" && test "$with_spglib" != no], [
    AC_MSG_ERROR([--with-spglib: there is no spglib in $with_spglib: install the Debian package libsymspg-dev])
  ])
  AC_SUBST([SPGLIB_CFLAGS])
  AC_SUBST([SPGLIB_LIBS])
])
