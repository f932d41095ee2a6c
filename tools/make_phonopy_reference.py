#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Displaced cells as phonopy writes them, for tests/test_phonon.sh: MgO, 2x2x2 primitive cells.

    python3 tools/make_phonopy_reference.py      (phonopy 4.10)
"""
import os

from phonopy import Phonopy
from phonopy.interface.vasp import write_vasp
from phonopy.structure.atoms import PhonopyAtoms

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/files/phonopy")
A = 4.2535

cell = PhonopyAtoms(symbols=["Mg", "O"], cell=[[0, A / 2, A / 2], [A / 2, 0, A / 2], [A / 2, A / 2, 0]],
                    scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]])
phonon = Phonopy(cell, [[2, 0, 0], [0, 2, 0], [0, 0, 2]])
phonon.generate_displacements(distance=0.01)
os.makedirs(FOLDER, exist_ok=True)
phonon.save(os.path.join(FOLDER, "phonopy_disp.yaml"), settings={"force_sets": False})
write_vasp(os.path.join(FOLDER, "POSCAR-unitcell"), cell)
for number, displaced in enumerate(phonon.supercells_with_displacements, 1):
    write_vasp(os.path.join(FOLDER, f"POSCAR-{number:03d}"), displaced)
