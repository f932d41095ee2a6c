#!/usr/bin/env python3
"""Compare `chgnet predict` with upstream's CHGNet, and read its outputs by the programs that users read them with.

Usage: check_predict.py CHGNET

Needs chgnet, ase, pymatgen, h5py, and numpy.  Run by `make check-upstream`.
"""
# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import ase.io
import h5py
import numpy as np
from ase.build import bulk, molecule
from ase.calculators.calculator import PropertyNotImplementedError
from chgnet.model.model import CHGNet
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

warnings.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parent.parent
GPA = 160.21766208  # 1 eV/A^3
ROUNDING = 1e-4  # of upstream's single precision, relative to the largest number of an array
failures = 0


def check(good, text):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED'}  {text}")


def near(got, want, tolerance, text):
    got, want = np.asarray(got, float), np.asarray(want, float)
    if got.shape != want.shape:
        check(False, f"{text}: shape {got.shape}, expected {want.shape}")
        return
    error = np.abs(got - want).max(initial=0)
    check(error <= tolerance * max(1, np.abs(want).max(initial=0)), f"{text}: error {error:.2g}")


def rattled(atoms, seed):
    atoms = atoms.copy()
    atoms.rattle(0.05, seed=seed)
    atoms.info["label"] = f"rattled {seed}"
    atoms.set_tags(range(len(atoms)))
    return atoms


def structures():
    lithium = AseAtomsAdaptor.get_atoms(Structure.from_file(ROOT / "examples/LiMnO2.cif"), msonable=False)
    boxed = molecule("CH3CH2OH")
    boxed.center(vacuum=4)
    boxed.pbc = True
    return [rattled(atoms, seed) for seed, atoms in enumerate(
        [lithium, bulk("Cu", cubic=True) * (2, 1, 1), bulk("Fe"), bulk("GaAs", "zincblende", 5.65), boxed])]


def upstream(name, frames):
    """What somebody with upstream's package gets; in single precision, the only one it has."""
    with contextlib.redirect_stdout(io.StringIO()):
        model = CHGNet.load(model_name=name, use_device="cpu", verbose=False)
    return [model.predict_structure(AseAtomsAdaptor.get_structure(atoms), return_site_energies=True,
                                    return_atom_feas=True, return_crystal_feas=True) for atoms in frames]


def predict(command, *arguments):
    done = subprocess.run([command, "predict", *map(str, arguments)], capture_output=True, text=True, check=False)
    check(done.returncode == 0 and not done.stderr, f"chgnet predict {' '.join(map(str, arguments[:4]))} {done.stderr}")
    return done.stdout


def check_h5(path, frames, wanted):
    with h5py.File(path) as file:
        check(sorted(file, key=int) == [str(k) for k in range(len(frames))], "HDF5: a group per frame")
        for k, (atoms, want) in enumerate(zip(frames, wanted)):
            group = file[str(k)]
            check(np.array_equal(group["numbers"], atoms.numbers), f"{k}: numbers")
            check(group["pbc"].dtype == bool and np.array_equal(group["pbc"], atoms.pbc), f"{k}: pbc")
            near(group["positions"], atoms.positions, 1e-7, f"{k}: positions")
            near(group["cell"], atoms.cell.array, 1e-7, f"{k}: cell")
            near(group["energy"][()] / len(atoms), want["e"], ROUNDING, f"{k}: energy per atom")
            for ours, theirs in [("forces", "f"), ("stress", "s"), ("magmom", "m"), ("site_energies", "site_energies"),
                                 ("atom_fea", "atom_fea"), ("crystal_fea", "crystal_fea")]:
                near(group[ours], want[theirs],
                     10 * ROUNDING if ours == "stress" else ROUNDING, f"{k}: {ours}")


def check_extxyz(path, h5, frames):
    read = ase.io.read(path, ":")
    check(len(read) == len(frames), "ASE reads every frame")
    with h5py.File(h5) as file:
        for k, (atoms, own) in enumerate(zip(read, frames)):
            group = file[str(k)]
            near(atoms.get_potential_energy(), group["energy"][()], 0, f"ASE {k}: energy")
            near(atoms.get_forces(), group["forces"], 0, f"ASE {k}: forces")
            near(atoms.get_stress(voigt=False) * GPA, group["stress"], 1e-14, f"ASE {k}: stress")
            near(atoms.get_magnetic_moments(), group["magmom"], 0, f"ASE {k}: magmoms")
            try:
                near(atoms.get_potential_energies(), group["site_energies"], 0, f"ASE {k}: energies")
            except PropertyNotImplementedError:
                near(atoms.arrays["energies"], group["site_energies"], 0, f"ASE {k}: energies")
            check(atoms.info["label"] == own.info["label"], f"ASE {k}: the frame's own keys")
            check(np.array_equal(atoms.get_tags(), own.get_tags()), f"ASE {k}: the frame's own columns")


def check_json(text, h5):
    frames = [json.loads(line) for line in text.splitlines()]
    with h5py.File(h5) as file:
        check(len(frames) == len(file), "a line of JSON per frame")
        for k, frame in enumerate(frames):
            group = file[str(k)]
            check(frame["frame"] == k, f"JSON {k}: number")
            for name in group:
                check(np.array_equal(np.asarray(frame[name]), group[name][()]), f"JSON {k}: {name}")
            for name in group.attrs:
                check(frame[name] == group.attrs[name], f"JSON {k}: {name}")
            for name in file.attrs:
                check(frame[name] == file.attrs[name], f"JSON {k}: {name}")


def main():
    command = sys.argv[1]
    frames = structures()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        ase.io.write(path / "in.extxyz", frames)
        frames = ase.io.read(path / "in.extxyz", ":")  # with the digits that the command reads
        for model in ("0.3.0", "0.2.0", "r2scan"):
            wanted = upstream(model, frames)
            for precision in ("double", "single"):
                print(f"# {model}, {precision}")
                text = predict(command, "-m", model, "-p", precision, "--embeddings", "--json",
                               path / "in.extxyz", "-o", path / "out.h5")
                check_h5(path / "out.h5", frames, wanted)
                check_json(text, path / "out.h5")
                predict(command, "-m", model, "-p", precision, path / "in.extxyz", "-o", path / "out.extxyz")
                check_extxyz(path / "out.extxyz", path / "out.h5", frames)
    print(f"{failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
