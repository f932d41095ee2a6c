"""A script written for upstream's chgnet, its import lines changed.  SPDX-License-Identifier: BSD-3-Clause"""

import warnings

from chgnet_native.model import StructOptimizer
from chgnet_native.utils import solve_charge_by_mag
from pymatgen.core import Lattice, Structure

warnings.filterwarnings("ignore", module="pymatgen")
structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.4), ["Mn", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
result = StructOptimizer().relax(structure, fmax=0.05, verbose=False)
print(result["final_structure"])
print("relaxed total energy in eV:", result["trajectory"].energies[-1])
print(solve_charge_by_mag(result["final_structure"]))
