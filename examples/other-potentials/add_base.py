#!/usr/bin/env python3
# Adds SevenNet-0's predictions to labelled structures, as the base that `chgnet delta fit` then corrects.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 add_base.py LABELS.extxyz WITH_BASE.extxyz
#
# Writes info `base_energy` (eV) and arrays `base_forces` (eV/A), everything else as it was.  Any other ASE calculator will do in
# place of the one made in base().  Needs the package sevenn, whose wheel holds the weights; runs on a CPU.
import sys

from ase.io import read, write


def base():
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator("7net-0", device="cpu")


def main():
    source, target = sys.argv[1:]
    calculator = base()
    frames = read(source, ":")
    for atoms in frames:
        bare = atoms.copy()
        bare.calc = calculator
        atoms.calc = None
        atoms.info["base_energy"] = float(bare.get_potential_energy(force_consistent=True))
        atoms.arrays["base_forces"] = bare.get_forces()
    write(target, frames, format="extxyz")


if __name__ == "__main__":
    main()
