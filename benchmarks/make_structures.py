#!/usr/bin/env python3
"""Make the structures that the benchmarks run on: structures.extxyz (rattled, 64 or 65 atoms) and cells.extxyz.

    python3 benchmarks/make_structures.py tests/ref/upstream.h5

LiMnO2 and Li9Co7O16 are upstream's example cells as the reference file holds them.  Needs numpy, h5py, ase.

SPDX-License-Identifier: BSD-3-Clause
"""
import os
import sys

import h5py
import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111
from ase.io import write

RATTLE = 0.03  # A, standard deviation of each coordinate
HERE = os.path.dirname(os.path.abspath(__file__))


def reference(file, name):
    group = file[name]
    return Atoms(group["numbers"][:], positions=group["positions"][:], cell=group["cell"][:], pbc=True)


def sulfur_on_copper():
    slab = fcc111("Cu", (4, 4, 4), a=3.64, vacuum=6.0, orthogonal=False)
    add_adsorbate(slab, "S", 1.9, "fcc")
    slab.pbc = True
    return Atoms(slab.numbers, positions=slab.positions, cell=slab.cell, pbc=True)


def save(name, frames):
    for key, atoms in frames.items():
        atoms.info = {"id": key}
        atoms.positions = np.round(atoms.positions, 6)
    write(os.path.join(HERE, name), list(frames.values()), format="extxyz")


def main():
    with h5py.File(sys.argv[1]) as file:
        limno2, li9co7o16 = reference(file, "LiMnO2"), reference(file, "Li9Co7O16")
    copper = bulk("Cu", "fcc", a=3.61, cubic=True)
    oxide = bulk("MgO", "rocksalt", a=4.21, cubic=True)
    save("cells.extxyz", {"LiMnO2": limno2.copy(), "Cu": copper.copy(), "MgO": oxide.copy(),
                          "Li9Co7O16": li9co7o16.copy()})
    large = {"LiMnO2": limno2.repeat((2, 2, 2)), "Cu": copper.repeat((4, 2, 2)), "MgO": oxide.repeat((2, 2, 2)),
             "Li9Co7O16": li9co7o16.repeat((2, 1, 1)), "S-Cu111": sulfur_on_copper()}
    for seed, atoms in enumerate(large.values(), start=1):
        atoms.rattle(RATTLE, seed=seed)
    save("structures.extxyz", large)


if __name__ == "__main__":
    main()
