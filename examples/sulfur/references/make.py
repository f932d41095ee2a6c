#!/usr/bin/env python3
# Reference environments for `chgnet predict --explain`: makes references.extxyz.  Needs ASE.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 make.py LABELS.extxyz > references.extxyz
#
# Lattice constants (A) and bond lengths are experimental, rounded.  Antifluorite stands for the high-temperature forms of Cu2S and
# Ag2S, cuprite for Au2S.  The adatoms on metals are, for each metal and number of S atoms, the label with the smallest forces.
import io
import sys

import numpy as np
from ase import Atoms
from ase.build import bulk, fcc111
from ase.io import read, write
from ase.spacegroup import crystal

METALS = {"Cu": 3.61, "Ag": 4.09, "Au": 4.08}


def boxed(atoms):
    atoms.center(vacuum=6.0)
    atoms.pbc = True
    return atoms


def sulfur_ring():
    """S8: a crown, bond 2.05 A, angle 108 degrees."""
    bond, angle = 2.05, np.radians(108.0)
    # neighbours on a circle are 45 degrees apart and 2h apart in height; second neighbours have equal heights
    radius = bond * np.sin(angle / 2) / np.sin(np.pi / 4)
    side = 2 * radius * np.sin(np.pi / 8)
    height = np.sqrt(bond**2 - side**2)
    turn = np.arange(8) * np.pi / 4
    return Atoms("S8", np.c_[radius * np.cos(turn), radius * np.sin(turn), (np.arange(8) % 2) * height])


def references(labels):
    yield "S2", boxed(Atoms("S2", [(0, 0, 0), (0, 0, 1.89)]))
    yield "S8", boxed(sulfur_ring())
    for metal, a in METALS.items():
        yield f"{metal} bulk", bulk(metal, "fcc", a=a, cubic=True)
        yield f"{metal}(111)", fcc111(metal, (1, 1, 5), a=a, vacuum=6.5, periodic=True)
    for metal, a in (("Cu", 5.57), ("Ag", 6.24)):
        yield f"{metal}2S antifluorite", crystal(["S", metal], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225,
                                                 cellpar=[a, a, a, 90, 90, 90])
    yield "Au2S cuprite", crystal(["S", "Au"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=224,
                                  cellpar=[5.02, 5.02, 5.02, 90, 90, 90])
    yield "CuS covellite", crystal(["Cu", "Cu", "S", "S"],
                                   [(1 / 3, 2 / 3, 0.75), (1 / 3, 2 / 3, 0.107), (1 / 3, 2 / 3, 0.25), (0, 0, 0.063)],
                                   spacegroup=194, cellpar=[3.79, 3.79, 16.34, 90, 90, 120])
    for metal in METALS:
        for n, kind in ((1, "S"), (2, "2 S")):
            group = [a for a in labels if a.symbols.get_chemical_formula().count(metal) and sum(a.symbols == "S") == n]
            calmest = min(group, key=lambda a: np.abs(a.arrays["REF_forces"]).max())
            yield f"{kind} on {metal}(111)", Atoms(calmest.symbols, calmest.positions, cell=calmest.cell, pbc=True)


def main():
    frames = []
    for name, atoms in references(read(sys.argv[1], ":")):
        plain = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)
        plain.info["environment"] = name
        frames.append(plain)
    text = io.StringIO()
    write(text, frames, format="extxyz")
    sys.stdout.write(text.getvalue())


if __name__ == "__main__":
    main()
