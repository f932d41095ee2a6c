"""Learn a correction from labels, and see where it is unsure.  SPDX-License-Identifier: BSD-3-Clause"""

from ase.build import bulk
from ase.calculators.emt import EMT
from chgnet_native import CHGNetCalculator, Delta, Model


def copper(a, seed):
    atoms = bulk("Cu", "fcc", a=a, cubic=True)
    atoms.rattle(0.05, seed=seed)
    return atoms


# Labels of another method; here ASE's effective medium stands for it.
structures = [copper(3.5 + 0.02 * k, k) for k in range(12)]
for atoms in structures:
    atoms.calc = EMT()
model = Model("0.3.0")
delta = Delta.fit(
    model,
    structures,
    [atoms.get_potential_energy() for atoms in structures],
    [atoms.get_forces() for atoms in structures],
)
print("a/A   method/eV  CHGNet/eV  corrected/eV  standard deviation/eV")
for a in (3.55, 3.65, 4.2):
    atoms = copper(a, 99)
    row = [f"{a:4.2f}"]
    for atoms.calc in (EMT(), CHGNetCalculator(model), CHGNetCalculator(model, delta=delta)):
        row.append(f"{atoms.get_potential_energy():9.3f}")
    print("  ".join(row), f"{atoms.calc.results['energy_std']:12.3f}")
