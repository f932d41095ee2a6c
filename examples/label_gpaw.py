#!/usr/bin/env python3
# A label command: PBE energy and forces of one slab by GPAW, with the settings of labels.extxyz.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 label.py {in} {out} [--kpts 3 3 1] [--bulk]
#
# pip install gpaw gpaw-data; Debian: libxc-dev, libopenblas-dev, libopenmpi-dev.  One core; 13 atoms take about 90 s.
import argparse

from ase.io import read, write
from gpaw import GPAW, PW, FermiDirac

SETTINGS = {"cutoff": 350, "xc": "PBE", "smearing": 0.1, "convergence": {"energy": 2e-4, "density": 1e-3, "eigenstates": 1e-5}}


def calculator(kpts):
    return GPAW(mode=PW(SETTINGS["cutoff"]), xc=SETTINGS["xc"], kpts=kpts, occupations=FermiDirac(SETTINGS["smearing"]),
                symmetry={"point_group": False}, convergence=SETTINGS["convergence"], txt=None)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("source")
    options.add_argument("target")
    options.add_argument("--kpts", type=int, nargs=3, default=(3, 3, 1))
    options.add_argument("--bulk", action="store_true", help="periodic along z too")
    options = options.parse_args()
    atoms = read(options.source)
    atoms.set_constraint()  # forces on every atom, also on those that a search keeps fixed
    atoms.pbc = (True, True, options.bulk)
    atoms.calc = calculator(options.kpts)
    energy, smooth, forces = atoms.get_potential_energy(force_consistent=True), atoms.get_potential_energy(), atoms.get_forces()
    atoms.calc = None
    atoms.info["REF_energy"], atoms.info["REF_energy0"] = float(energy), float(smooth)
    atoms.info["kpts"] = " ".join(map(str, options.kpts))
    atoms.arrays["REF_forces"] = forces
    atoms.pbc = True
    write(options.target, atoms, format="extxyz")


if __name__ == "__main__":
    main()
