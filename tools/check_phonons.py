#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Phonon bands by phonopy from the forces of `chgnet phonon-forces` and from those of upstream's calculator.

    python3 tools/check_phonons.py CHGNET [--plot examples/phonons]

MgO and Si, relaxed by `chgnet relax`; primitive cells, 3x3x3 supercells, displacements of 0.01 A.  chgnet reads phonopy's
phonopy_disp.yaml and writes FORCE_SETS, upstream's model is widened to float64.  Prints the largest difference of a
frequency along the path; exit code 1 where that in double is beyond 0.05 THz.  --plot writes MgO.dat, both bands by the
path's length.
"""
import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import warnings

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CRYSTALS = ["MgO", "Si"]
WANTED = 0.05  # THz
# Of a face-centred lattice, in its reciprocal primitive vectors.
PATH = {"G": (0, 0, 0), "X": (0.5, 0, 0.5), "U": (0.625, 0.25, 0.625), "K": (0.375, 0.375, 0.75), "L": (0.5, 0.5, 0.5)}
SEGMENTS = [("G", "X"), ("X", "U"), ("K", "G"), ("G", "L")]
POINTS = 51
TO_PRIMITIVE = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]


def displaced(chgnet, crystal):
    """phonopy's object with its displacements, of the relaxed crystal's primitive cell."""
    from ase.io import read
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms
    from phonopy.structure.cells import get_primitive

    subprocess.run([chgnet, "relax", "-q", "-p", "double", "--cell", "full", "--fmax", "1e-5", "-o", "relaxed.vasp",
                    os.path.join(SOURCE, "examples/properties", crystal + ".vasp")], check=True, stdout=subprocess.DEVNULL)
    atoms = read("relaxed.vasp")
    whole = PhonopyAtoms(symbols=atoms.get_chemical_symbols(), cell=atoms.cell[:], scaled_positions=atoms.get_scaled_positions())
    phonon = Phonopy(get_primitive(whole, TO_PRIMITIVE), [[3, 0, 0], [0, 3, 0], [0, 0, 3]])
    phonon.generate_displacements(distance=0.01)
    phonon.save("phonopy_disp.yaml", settings={"force_sets": False})
    return phonon


def ours(chgnet, precision, more=()):
    from phonopy.file_IO import parse_FORCE_SETS

    subprocess.run([chgnet, "phonon-forces", "-q", "-p", precision, *more, "phonopy_disp.yaml"], check=True,
                   stdout=subprocess.DEVNULL)
    return [first["forces"] for first in parse_FORCE_SETS(filename="FORCE_SETS")["first_atoms"]]


def upstream():
    """ASE calculator with the released model in float64."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from chgnet.model.dynamics import CHGNetCalculator
    from make_reference import Upstream

    with contextlib.redirect_stdout(io.StringIO()):
        return CHGNetCalculator(Upstream("0.3.0", 64).model, use_device="cpu", on_isolated_atoms="ignore")


def theirs(calculator, phonon):
    from ase import Atoms

    forces = []
    for cell in phonon.supercells_with_displacements:
        atoms = Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
        atoms.calc = calculator
        forces.append(atoms.get_forces())
    return forces


def bands(phonon, forces):
    """Lengths along the path (n), frequencies (n, branches) in THz."""
    import numpy as np

    phonon.forces = forces
    phonon.produce_force_constants()
    paths = [np.linspace(PATH[a], PATH[b], POINTS) for a, b in SEGMENTS]
    phonon.run_band_structure(paths)
    found = phonon.get_band_structure_dict()
    return np.concatenate(found["distances"]), np.concatenate(found["frequencies"])


def write_bands(folder, lengths, a, b):
    with open(os.path.join(folder, "MgO.dat"), "w") as file:
        file.write("# length along the path, frequencies (THz) by chgnet, by upstream\n")
        for k, length in enumerate(lengths):
            if k % POINTS == 0 and k > 0:
                file.write("\n")
            file.write(f"{length:.5f} " + " ".join(f"{f:.4f}" for f in [*a[k], *b[k]]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chgnet", type=os.path.abspath)
    parser.add_argument("--plot", type=os.path.abspath, help="folder for MgO.dat")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.environ.setdefault("CHGNET_WEIGHTS", os.path.join(SOURCE, "weights"))
    calculator, good = upstream(), True
    print(f"{'crystal':8} {'highest (THz)':>14} {'double - upstream':>18} {'single - upstream':>18}")
    for crystal in CRYSTALS:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            phonon = displaced(arguments.chgnet, crystal)
            lengths, reference = bands(phonon, theirs(calculator, phonon))
            double = bands(phonon, ours(arguments.chgnet, "double"))[1]
            single = bands(phonon, ours(arguments.chgnet, "single"))[1]
            off = [abs(frequencies - reference).max() for frequencies in (double, single)]
            print(f"{crystal:8} {reference.max():14.3f} {off[0]:18.2e} {off[1]:18.2e}")
            good = good and off[0] <= WANTED
            if arguments.plot and crystal == "MgO":
                write_bands(arguments.plot, lengths, double, reference)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
