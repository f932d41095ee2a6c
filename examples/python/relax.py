"""Relax a strained crystal, atoms and cell, by ASE.  SPDX-License-Identifier: BSD-3-Clause"""

from ase.build import bulk
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from chgnet_native import CHGNetCalculator

atoms = bulk("MgO", "rocksalt", a=4.5, cubic=True)
atoms.rattle(0.1, seed=1)
atoms.calc = CHGNetCalculator()
FIRE(FrechetCellFilter(atoms), logfile=None).run(fmax=0.02, steps=300)
print(f"a = {atoms.get_volume() ** (1 / 3):.3f} A, energy {atoms.get_potential_energy() / len(atoms):.4f} eV per atom")
