#!/usr/bin/env python3
"""A label command: energy and forces of one structure by an ASE calculator.

    [label]
    command = python3 label.py {in} {out}

Put your own calculator into calculator(); EMT stands here since ASE brings it along.

SPDX-License-Identifier: BSD-3-Clause
"""
import sys

from ase.io import read, write


def calculator():
    from ase.calculators.emt import EMT

    return EMT()


source, target = sys.argv[1:]
atoms = read(source)
atoms.set_constraint()  # forces on every atom, also on those that the search keeps fixed
atoms.calc = calculator()
energy, forces = atoms.get_potential_energy(force_consistent=True), atoms.get_forces()
atoms.calc = None
atoms.info["REF_energy"] = float(energy)
atoms.arrays["REF_forces"] = forces
write(target, atoms, format="extxyz")
