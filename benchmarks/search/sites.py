#!/usr/bin/env python3
"""One S in p(2x2) on Cu(111): does a search from a random start find what a scan of all sites finds?

    sites.py [--chgnet COMMAND] [--seeds 20] [--folder OUT]

The scan puts S on a grid of 6 x 6 places over the (1x1) cell, at two heights, and relaxes each with `chgnet relax`; the
searches are `chgnet search run` with sites.ini: 50 minimisations, basin hopping, CHGNet 0.3.0.  A search has found the scan's
minimum when one of its minima has that energy within 5 meV; the table tells after how many minimisations.  Searches that
are in OUT already are not done again.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import csv
import os
import statistics
import subprocess

from ase.build import fcc111
from ase.constraints import FixAtoms
from ase.io import read, write

HERE = os.path.dirname(os.path.abspath(__file__))
WITHIN = 5e-3  # eV: relaxed to 0.02 eV/A one site spreads over 1.4 meV; the next lies 18 meV higher


def scan_minimum():
    """Energy of the best relaxed site, eV."""
    slab = fcc111("Cu", (2, 2, 3), a=3.58, vacuum=6.5)
    slab.info.clear()
    fixed = FixAtoms(indices=[atom.index for atom in slab if atom.tag == 3])
    top, frames = slab.positions[-4], []
    for i in range(6):
        for j in range(6):
            for height in (1.3, 2.0):
                frame = slab.copy()
                frame.set_constraint(fixed)
                frame.append("S")
                frame.positions[-1] = top + slab.cell[0] * i / 12 + slab.cell[1] * j / 12 + [0, 0, height]
                frames.append(frame)
    start, end = os.path.join(arguments.folder, "scan.extxyz"), os.path.join(arguments.folder, "relaxed.extxyz")
    write(start, frames)
    if not os.path.exists(end):
        subprocess.run([arguments.chgnet, "relax", start, "--fmax", "0.02", "-t", "1", "--quiet", "-o", end], check=True,
                       stdout=subprocess.DEVNULL)
    energies = sorted(frame.get_potential_energy() for frame in read(end, ":"))
    print(f"scan: {len(energies)} starts, lowest {energies[0]:.4f} eV, highest {energies[-1]:.4f} eV\n")
    return energies[0]


def search(seed):
    """(minimisation, energy) of the search's accepted and rejected minima."""
    folder = os.path.join(arguments.folder, f"seed{seed}")
    if not os.path.exists(folder):
        subprocess.run([arguments.chgnet, "search", "run", os.path.join(HERE, "sites.ini"), "-t", "1", "--seed", str(seed),
                        "-o", folder, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    rows = csv.DictReader(open(os.path.join(folder, "search.csv")))
    return [(int(row["minimisation"]), float(row["energy_eV"])) for row in rows if row["energy_eV"]]


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--chgnet", default="chgnet")
parser.add_argument("--seeds", type=int, default=20)
parser.add_argument("--folder", default="sites")
arguments = parser.parse_args()
os.makedirs(arguments.folder, exist_ok=True)
wanted = scan_minimum()
print("| seed | scan's minimum after | lowest, eV below it | after |\n|---|---|---|---|")
firsts = []
for seed in range(1, arguments.seeds + 1):
    minima = search(seed)
    first = next((count for count, energy in minima if abs(energy - wanted) < WITHIN), None)
    lowest = min(minima, key=lambda found: found[1])
    firsts.append(first)
    print(f"| {seed} | {first or 'not found'} | {wanted - lowest[1]:.3f} | {lowest[0]} |", flush=True)
found = [first for first in firsts if first]
print(f"\nfound by {len(found)} of {len(firsts)}; median {statistics.median(found):g} minimisations, most {max(found)}")
