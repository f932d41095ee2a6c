#!/usr/bin/env python3
"""Read trajectories of `chgnet md` by the programs that users read them with: MDAnalysis (H5MD) and ASE (extended XYZ).

Usage: check_trajectory.py CHGNET

One run is written in both formats; positions, velocities, forces, cells, magnetic moments, embeddings and observables
must agree between the two readers, with `chgnet predict`, and with the laws that join them.
Needs MDAnalysis, ase, h5py, and numpy.  Run by `make check-upstream`.
"""
# SPDX-License-Identifier: BSD-3-Clause
import csv
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import ase.io
import h5py
import MDAnalysis
import numpy as np
from ase import units
from ase.build import bulk

warnings.filterwarnings("ignore")
KJ_PER_MOL = units.kJ / units.mol  # in eV
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


def run(command, *options):
    subprocess.run([command, *map(str, options)], check=True, stdout=subprocess.DEVNULL)


def check_mdanalysis(path, frames, table, predicted):
    """Without and with a topology; MDAnalysis holds single precision: 1e-6."""
    reader = MDAnalysis.coordinates.H5MD.H5MDReader(str(path / "run.h5"))
    universe = MDAnalysis.Universe.empty(len(frames[0]), trajectory=False)
    universe.load_new(str(path / "run.h5"), format="H5MD")
    check(MDAnalysis.coordinates.H5MD.H5MDReader.parse_n_atoms(str(path / "run.h5")) == len(frames[0]),
          "MDAnalysis: number of atoms without a topology")
    check(reader.n_frames == len(frames) == len(universe.trajectory), "MDAnalysis: number of frames")
    for k, (step, atoms, line) in enumerate(zip(universe.trajectory, frames, table)):
        near(step.positions, atoms.positions, 1e-6, f"MDAnalysis {k}: positions, A")
        near(step.velocities, atoms.get_velocities() * 1000 * units.fs, 1e-6, f"MDAnalysis {k}: velocities, A/ps")
        near(step.forces, atoms.get_forces() / KJ_PER_MOL, 1e-6, f"MDAnalysis {k}: forces, kJ/(mol A)")
        near(step.dimensions, atoms.cell.cellpar(), 1e-5, f"MDAnalysis {k}: box")
        near(step.time, atoms.info["time"] / 1000, 1e-9, f"MDAnalysis {k}: time, ps")
        near(step.data["step"], atoms.info["step"], 0, f"MDAnalysis {k}: step")
        near(step.data["trajectory/magmom"], atoms.get_magnetic_moments(), 1e-12, f"MDAnalysis {k}: magmoms")
        near(step.data["trajectory/atom_fea"], predicted[str(k)]["atom_fea"], 1e-5, f"MDAnalysis {k}: embeddings")
        near(step.data["stress"], atoms.get_stress(voigt=False) / units.GPa, 1e-9, f"MDAnalysis {k}: stress")
        for name, column in (("potential_energy", "potential_eV"), ("kinetic_energy", "kinetic_eV"),
                             ("conserved_energy", "conserved_eV"), ("temperature", "temperature_K"),
                             ("pressure", "pressure_GPa"), ("volume", "volume_A3")):
            near(step.data[name], float(line[column]), 1e-12, f"MDAnalysis {k}: {name}")


def check_ase(frames, table, predicted):
    for k, (atoms, line) in enumerate(zip(frames, table)):
        check(atoms.info["step"] == int(line["step"]) == 5 * k, f"ASE {k}: step")
        near(atoms.info["time"], float(line["time_fs"]), 1e-12, f"ASE {k}: time")
        near(atoms.get_potential_energy(), float(line["potential_eV"]), 1e-12, f"ASE {k}: energy")
        near(atoms.get_kinetic_energy(), float(line["kinetic_eV"]), 1e-6, f"ASE {k}: kinetic energy")
        near(abs(atoms.get_volume()), float(line["volume_A3"]), 1e-12, f"ASE {k}: volume")
        freedom = 3 * len(atoms) - 3
        near(2 * atoms.get_kinetic_energy() / (freedom * units.kB), float(line["temperature_K"]), 1e-5,
             f"ASE {k}: temperature")
        pressure = -np.trace(atoms.get_stress(voigt=False)) / 3 + 2 * atoms.get_kinetic_energy() / 3 / atoms.get_volume()
        near(pressure / units.GPa, float(line["pressure_GPa"]), 1e-5, f"ASE {k}: pressure")
        group = predicted[str(k)]
        near(atoms.get_forces(), group["forces"], 1e-4, f"ASE {k}: forces as chgnet predict says")
        near(atoms.get_magnetic_moments(), group["magmom"], 1e-5, f"ASE {k}: magmoms")
        near(atoms.get_stress(voigt=False) / units.GPa, group["stress"], 1e-4, f"ASE {k}: stress")


def check_layout(path):
    with h5py.File(path / "run.h5") as file:
        check(list(file["h5md"].attrs["version"]) == [1, 1], "H5MD: version")
        check(file["h5md/creator"].attrs["name"] == "chgnet", "H5MD: creator")
        particles = file["particles/trajectory"]
        check(list(particles["box"].attrs["boundary"]) == ["periodic"] * 3, "H5MD: boundary")
        check(particles["velocity/step"] == particles["position/step"], "H5MD: one step for all")


def main():
    command = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        atoms = bulk("MgO", "rocksalt", a=4.2)
        atoms.rattle(0.05, seed=1)
        ase.io.write(path / "in.extxyz", atoms)
        options = ("md", "--ensemble", "npt-mtk", "--full-cell", "--temperature", 600, "--pressure", 2, "--steps", 50,
                   "--every", 5, "--quiet")
        run(command, *options, "--embeddings", "-o", path / "run.h5", path / "in.extxyz")
        run(command, *options, "-o", path / "run.extxyz", path / "in.extxyz")
        frames = ase.io.read(path / "run.extxyz", ":")
        run(command, "predict", "--quiet", "--embeddings", "-o", path / "predicted.h5", path / "run.extxyz")
        with open(path / "run.csv", encoding="ascii") as file:
            table = list(csv.DictReader(file))
        with h5py.File(path / "predicted.h5") as predicted:
            check(len(frames) == len(table) == 11, "11 frames")
            check_mdanalysis(path, frames, table, predicted)
            check_ase(frames, table, predicted)
        check_layout(path)
    print(f"{failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
