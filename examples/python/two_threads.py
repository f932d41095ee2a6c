"""Two Python threads share one model, each with a calculator of its own.  SPDX-License-Identifier: BSD-3-Clause"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from chgnet_native import Calculator, Model

model = Model()


def energies(lattice_constants):
    calculator = Calculator(model, threads=1)
    found = []
    for a in lattice_constants:
        calculator.set_structure([29], [[0, 0, 0]], a / 2 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]))
        calculator.compute(gradient=False)
        found.append(calculator.energy)
    return found


with ThreadPoolExecutor(2) as pool:
    halves = np.array_split(np.linspace(3.4, 3.8, 9), 2)
    for part, values in zip(halves, pool.map(energies, halves)):
        for a, energy in zip(part, values):
            print(f"{a:.2f} A  {energy:.4f} eV")
