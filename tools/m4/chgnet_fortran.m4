# SPDX-License-Identifier: BSD-3-Clause

# CHGNET_FORTRAN
# Look for a Fortran compiler that takes a module with C bindings; set FC, FCFLAGS and the condition FORTRAN.  libtool
# and automake are kept out of it: one file, no shared library of its own.
AC_DEFUN([CHGNET_FORTRAN], [
  AC_ARG_VAR([FC], [Fortran compiler for the module chgnet])
  AC_ARG_VAR([FCFLAGS], [its flags])
  AC_ARG_ENABLE([fortran], [AS_HELP_STRING([--disable-fortran], [install the Fortran module as source alone])],
    [], [enable_fortran=auto])
  chgnet_fortran=no
  AS_IF([test "$enable_fortran" != no], [
    AC_CHECK_TOOLS([FC], [gfortran flang-new flang ifx])
    : ${FCFLAGS="-O2 -g"}
    AS_IF([test -n "$FC"], [
      AC_MSG_CHECKING([whether $FC compiles modules with C bindings])
      rm -rf conftest.dir && mkdir conftest.dir
      cat >conftest.dir/bound.f90 <<'_EOF'
module bound
    use, intrinsic :: iso_c_binding
    type, bind(c) :: pair
        integer(c_size_t) :: size
        type(c_ptr) :: pointer
    end type
    interface
        type(pair) function make_pair() bind(c)
            import :: pair
        end function
    end interface
end module
_EOF
      AS_IF([(cd conftest.dir && $FC $FCFLAGS -fPIC -c bound.f90) >&AS_MESSAGE_LOG_FD 2>&1 && test -f conftest.dir/bound.mod],
        [chgnet_fortran=yes])
      rm -rf conftest.dir
      AC_MSG_RESULT([$chgnet_fortran])
    ])
    AS_IF([test "$enable_fortran" = yes && test "$chgnet_fortran" = no],
      [AC_MSG_ERROR([--enable-fortran needs a Fortran compiler: install the Debian package gfortran, or set FC])])
  ])
  AS_IF([test "$chgnet_fortran" = no], [FC=])
  AM_CONDITIONAL([FORTRAN], [test "$chgnet_fortran" = yes])
])
