"""Molecular dynamics with magnetic moments, by ASE.  SPDX-License-Identifier: BSD-3-Clause"""

import numpy as np
from ase import units
from ase.build import bulk
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from chgnet_native import CHGNetCalculator

atoms = bulk("Fe", "bcc", a=2.85, cubic=True) * (2, 2, 2)
atoms.calc = CHGNetCalculator(skin=1.0)  # the list of neighbours is kept over many steps
rng = np.random.default_rng(1)
MaxwellBoltzmannDistribution(atoms, temperature_K=600, rng=rng)
dynamics = Langevin(atoms, 2 * units.fs, temperature_K=300, friction=0.01 / units.fs, rng=rng)
for _ in range(5):
    dynamics.run(10)
    moments = atoms.get_magnetic_moments()
    print(f"{dynamics.get_time() / units.fs:5.0f} fs  {atoms.get_temperature():5.0f} K  {moments.mean():.3f} mu_B")
