#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bulk moduli and elastic constants by ASE with upstream's calculator, widened to float64, beside those of chgnet.

    python3 tools/check_properties.py CHGNET [--write tests/ref/properties.txt]

Both sides relax the crystals of examples/properties, cell and atoms, and then take the same volumes and the same strains
with the atoms relaxed in each: B0 from the Birch-Murnaghan curve (ASE's EquationOfState; `chgnet eos`), C_ij from the
slopes of the stresses (here numpy.polyfit; `chgnet elastic`).  Prints a table; exit code 1 where a difference is beyond
0.5 %.  --write writes upstream's numbers for tests/test_properties.sh.
"""
import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CRYSTALS = ["MgO", "Cu", "Si"]
FMAX, RANGE, VOLUMES, STRAIN, STRAINS = 1e-5, 0.06, 11, 0.001, 4
WANTED = 0.005  # relative
PAIRS = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]  # Voigt's order


def relax(target):
    from ase.optimize import BFGS

    if not BFGS(target, logfile=None).run(fmax=FMAX, steps=500):
        raise RuntimeError("not converged")


def deformed(atoms, deformation):
    """A relaxed copy with another cell."""
    new = atoms.copy()
    new.calc = atoms.calc
    new.set_cell(atoms.cell[:] @ deformation, scale_atoms=True)
    relax(new)
    return new


def bulk_modulus(atoms):
    """Volume (A^3) and bulk modulus (GPa)."""
    import numpy as np
    from ase import units
    from ase.eos import EquationOfState

    factors = np.linspace(1 - RANGE, 1 + RANGE, VOLUMES)
    states = [deformed(atoms, np.eye(3) * factor ** (1 / 3)) for factor in factors]
    curve = EquationOfState([s.get_volume() for s in states], [s.get_potential_energy() for s in states],
                            eos="birchmurnaghan")
    volume, _, modulus = curve.fit()
    return volume, modulus / units.GPa


def stiffness(atoms):
    """(6,6) GPa, the mean of the slopes and their transpose."""
    import numpy as np
    from ase import units

    slopes, strains = np.zeros((6, 6)), np.linspace(-STRAIN, STRAIN, STRAINS)
    for component, (a, b) in enumerate(PAIRS):
        stresses = []
        for strain in strains:
            tensor = np.zeros((3, 3))
            tensor[a, b] += strain / 2
            tensor[b, a] += strain / 2
            stresses.append(deformed(atoms, np.eye(3) + tensor).get_stress(voigt=True) / units.GPa)
        slopes[:, component] = np.polyfit(strains, stresses, 2)[1]
    return (slopes + slopes.T) / 2


def properties(volume, modulus, tensor):
    named = {"V0": volume, "B0": modulus}
    for i in range(6):
        for j in range(i, 6):
            named[f"C{i + 1}{j + 1}"] = float(tensor[i][j])
    return named


def by_upstream(calculator, path):
    from ase.filters import FrechetCellFilter
    from ase.io import read

    atoms = read(path)
    atoms.calc = calculator
    relax(FrechetCellFilter(atoms))
    return properties(*bulk_modulus(atoms), stiffness(atoms))


def by_ours(chgnet, path):
    def run(*arguments):
        command = [chgnet, *arguments, "-p", "double", "--fmax", str(FMAX), path]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with tempfile.TemporaryDirectory() as folder:
        curve = run("eos", "--points", str(VOLUMES), "--range", str(RANGE))
        output = os.path.join(folder, "elastic.json")
        run("elastic", "--strain", str(STRAIN), "--points", str(STRAINS), "-o", output)
        with open(output) as file:
            tensor = json.load(file)["elastic_tensor"]
    number = {name: float(re.search(rf"^{name} +([0-9.]+)", curve, re.M)[1]) for name in ("volume", "bulk modulus")}
    return properties(number["volume"], number["bulk modulus"], tensor)


def main():
    parser = argparse.ArgumentParser(description="Compare bulk moduli and elastic constants with ASE and upstream's "
                                     "chgnet 0.4.2 in float64; needs chgnet, torch, ase.")
    parser.add_argument("chgnet", metavar="CHGNET", help="the command")
    parser.add_argument("--write", metavar="FILE", help="write upstream's numbers")
    args = parser.parse_args()

    warnings.filterwarnings("ignore")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from chgnet.model.dynamics import CHGNetCalculator
    from make_reference import Upstream

    upstream = Upstream("0.3.0", 64)
    with contextlib.redirect_stdout(io.StringIO()):
        calculator = CHGNetCalculator(upstream.model, use_device="cpu", on_isolated_atoms="ignore")
    os.environ.setdefault("CHGNET_WEIGHTS", os.path.join(SOURCE, "weights"))
    lines, good = [], True
    print(f"{'':5} {'':4} {'upstream':>12} {'chgnet':>12} {'relative':>10}")
    for name in CRYSTALS:
        path = os.path.join(SOURCE, "examples", "properties", name + ".vasp")
        theirs, ours = by_upstream(calculator, path), by_ours(args.chgnet, path)
        for key, value in theirs.items():
            lines.append(f"{name} {key} {value:.6f}\n")
            if abs(value) < 0.1:  # zero by symmetry
                good &= abs(ours[key]) < 0.1
                continue
            difference = ours[key] / value - 1
            good &= abs(difference) < WANTED
            print(f"{name:5} {key:4} {value:12.4f} {ours[key]:12.4f} {100 * difference:8.4f} %", flush=True)
    if args.write:
        with open(args.write, "w") as file:
            file.write("# A^3 and GPa, by tools/check_properties.py\n")
            file.writelines(lines)
    print("all within" if good else "NOT within", f"{100 * WANTED} %")
    sys.exit(not good)


if __name__ == "__main__":
    main()
