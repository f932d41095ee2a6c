# SPDX-License-Identifier: BSD-3-Clause

# CHGNET_KEEP_FLAGS(VARIABLE, FLAGS)
# Append to VARIABLE those of FLAGS that the C compiler takes without a word.
AC_DEFUN([CHGNET_KEEP_FLAGS], [
  AC_LANG_ASSERT([C])
  for chgnet_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([chgnet_cache], [chgnet_cv_flag_$chgnet_flag])
    AC_CACHE_CHECK([whether $CC takes $chgnet_flag], [chgnet_cache], [
      chgnet_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS -Werror $chgnet_flag"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([chgnet_cache], [yes])], [AS_VAR_SET([chgnet_cache], [no])])
      CFLAGS=$chgnet_save_CFLAGS
    ])
    AS_VAR_IF([chgnet_cache], [yes], [AS_VAR_APPEND([$1], [" $chgnet_flag"])])
    AS_VAR_POPDEF([chgnet_cache])
  done
])

# CHGNET_X86_ISA
# Set chgnet_x86_isa to yes when this is x86-64 and the compiler can build the AVX2 and AVX-512 kernels and ask the
# processor at run time which of them it runs; set AVX2_CFLAGS and AVX512_CFLAGS.
AC_DEFUN([CHGNET_X86_ISA], [
  AVX2_CFLAGS="-mavx2 -mfma"
  AVX512_CFLAGS="-mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl"
  AC_CACHE_CHECK([for AVX2 and AVX-512 kernels], [chgnet_cv_x86_isa], [
    chgnet_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $AVX512_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#if !defined(__x86_64__) || !defined(__AVX2__) || !defined(__FMA__) || !defined(__AVX512F__)
#error not x86-64 with AVX-512
#endif
]], [[__builtin_cpu_init();
return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512vl") ? 0 : 1;]])],
      [chgnet_cv_x86_isa=yes], [chgnet_cv_x86_isa=no])
    CFLAGS=$chgnet_save_CFLAGS
  ])
  AS_IF([test "$chgnet_cv_x86_isa" = yes], [
    CHGNET_KEEP_FLAGS([AVX512_CFLAGS], [-mprefer-vector-width=512])
    AC_DEFINE([CHGI_HAVE_X86_ISA], [1], [Define to 1 when the AVX2 and AVX-512 kernel sets are built.])
  ])
  AM_CONDITIONAL([X86_ISA], [test "$chgnet_cv_x86_isa" = yes])
  AC_SUBST([AVX2_CFLAGS])
  AC_SUBST([AVX512_CFLAGS])
])

# CHGNET_HARDENING
# Unless --disable-hardening: set HARDENING_CFLAGS (all objects but the kernels'), PIE_CFLAGS (all objects),
# HARDENING_LDFLAGS (programs and the shared library) and PIE_LDFLAGS (programs) to what this compiler and linker have.
# _FORTIFY_SOURCE needs optimisation, and sanitizers do its work better.
AC_DEFUN([CHGNET_HARDENING], [
  HARDENING_CFLAGS=
  HARDENING_LDFLAGS=
  PIE_CFLAGS=
  PIE_LDFLAGS=
  AS_IF([test "$enable_hardening" != no], [
    CHGNET_KEEP_FLAGS([HARDENING_CFLAGS], [-fstack-protector-strong -fstack-clash-protection])
    AS_IF([test "$enable_sanitize" = no], [
      AS_CASE([$CFLAGS], [*-O@<:@123s@:>@*],
        [AS_VAR_APPEND([HARDENING_CFLAGS], [" -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])])
    CHGNET_KEEP_LINK_FLAGS([HARDENING_LDFLAGS], [-Wl,-z,relro -Wl,-z,now])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#ifndef __PIE__
#error not position-independent by itself
#endif
]])], [], [
      CHGNET_KEEP_LINK_FLAGS([PIE_LDFLAGS], ["-fPIE -pie"])
      AS_IF([test -n "$PIE_LDFLAGS"], [PIE_CFLAGS=-fPIE PIE_LDFLAGS=-pie])])
  ])
  AC_SUBST([HARDENING_CFLAGS])
  AC_SUBST([HARDENING_LDFLAGS])
  AC_SUBST([PIE_CFLAGS])
  AC_SUBST([PIE_LDFLAGS])
])

# CHGNET_KEEP_LINK_FLAGS(VARIABLE, FLAGS)
# Append to VARIABLE those of FLAGS with which a program can be linked.
AC_DEFUN([CHGNET_KEEP_LINK_FLAGS], [
  for chgnet_flag in m4_normalize([$2]); do
    AC_MSG_CHECKING([whether programs can be linked with $chgnet_flag])
    chgnet_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $chgnet_flag"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [
      AC_MSG_RESULT([yes])
      AS_VAR_APPEND([$1], [" $chgnet_flag"])], [AC_MSG_RESULT([no])])
    CFLAGS=$chgnet_save_CFLAGS
  done
])
