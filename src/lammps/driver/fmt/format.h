/* What Debian's headers of LAMMPS take from fmt: names, for functions of theirs that nothing here calls.
 *
 * They name a function of the {fmt} that LAMMPS brings along and Debian does not install; its own package of {fmt} no
 * longer has it.
 *
 * SPDX-License-Identifier: GPL-2.0-only
 */
#ifndef CHGNET_LAMMPS_FMT_FORMAT_H
#define CHGNET_LAMMPS_FMT_FORMAT_H

namespace fmt {

class string_view;
class format_args;
template <typename... Args> const format_args &make_args_checked(Args &&...);

} // namespace fmt

#endif
