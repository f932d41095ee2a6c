"""CHGNet in an unmodified LAMMPS from Python: fix external calls a function.  One rank.

    python3 fix_external.py [STEPS]

Needs the packages lammps, numpy and chgnet_native.

SPDX-License-Identifier: BSD-3-Clause
"""

import sys

import numpy as np
from chgnet_native import Calculator, Model
from lammps import lammps

NUMBERS = {1: 12, 2: 8}  # atom type -> atomic number

lmp = lammps(cmdargs=["-log", "none", "-nocite"])
calculator = Calculator(Model("0.3.0"), skin=1.0)


def forces(caller, step, n_local, tag, x, f):
    """LAMMPS gives its atoms and takes forces, energy and virial."""
    low, high, xy, yz, xz, periodic, _ = lmp.extract_box()
    cell = [[high[0] - low[0], 0, 0], [xy, high[1] - low[1], 0], [xz, yz, high[2] - low[2]]]
    types = lmp.numpy.extract_atom("type")[:n_local]
    calculator.set_structure([NUMBERS[t] for t in types], np.array(x[:n_local]), cell, periodic)
    calculator.compute()
    f[:n_local] = calculator.forces
    lmp.fix_external_set_energy_global("chgnet", calculator.energy)
    v = -calculator.virial  # LAMMPS's is that of the forces
    lmp.fix_external_set_virial_global("chgnet", [v[0, 0], v[1, 1], v[2, 2], v[0, 1], v[0, 2], v[1, 2]])


lmp.file("fix_external.in")
lmp.set_fix_external_callback("chgnet", forces, lmp)
lmp.command("run %d" % int(sys.argv[1] if len(sys.argv) > 1 else 20))
