#!/usr/bin/env python3
"""Lennard-Jones clusters: minimisations until the known global minimum is found.

    compare_search.py [--chgnet COMMAND] [--seeds 20] [--atoms 13,19] [--samplers basin,exchange,random]
                      [--budget 2000] [--ase-budget 200] [--only ours,ase] [--folder OUT]

Every run begins with atoms at random places in the same sphere.  Ours is `chgnet search run` on one thread with lj.ini;
ASE's is BasinHopping with its own Lennard-Jones calculator (no cutoff), the same temperature, the same fmax, LBFGS, and
steps of at most 0.4 sigma (its default of 0.1 A is meant for real atoms).  A minimisation is one relaxation of at most 1,000
steps in both.  A run that
has not found the minimum within its budget counts as longer than every other; the median is exact as long as half of the
runs found it.  Prints a table; one CSV line per run goes to OUT/runs.csv as it ends, and runs that are there are not done again.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import csv
import math
import os
import random
import subprocess
import sys
import time

# Global minima: Wales and Doye, J. Phys. Chem. A 101, 5111 (1997).
LOWEST = {13: -44.326801, 19: -72.659782, 38: -173.928427}
RADIUS = {13: 2.5, 19: 2.8, 38: 3.4}  # sigma
WITHIN = 1e-3
TEMPERATURE, FMAX, STEP = 0.8, 0.01, 0.4
HERE = os.path.dirname(os.path.abspath(__file__))


def configuration(atoms, sampler, budget, folder):
    """lj.ini with this run's own lines."""
    own = {
        "atoms": f"Ar{atoms}",
        "radius": RADIUS[atoms],
        "sampler": sampler,
        "budget": budget,
        "walkers": 4 if sampler == "exchange" else 1,
        "target": LOWEST[atoms] + WITHIN,
        "folder": folder,
    }
    lines = []
    for line in open(os.path.join(HERE, "lj.ini")):
        key = line.split("=")[0].strip()
        lines.append(f"{key} = {own[key]}\n" if "=" in line and key in own else line)
    return "".join(lines)


def minimisations_of(folder, atoms):
    """Number of minimisations done when the target was reached; None: not reached."""
    csv_file = os.path.join(folder, "curve.csv")
    subprocess.run(
        [arguments.chgnet, "search", "curve", "--against", "minimisations", "--energy", str(LOWEST[atoms]), "--within",
         str(WITHIN), "-o", csv_file, folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = [float(row["minimisations"]) for row in csv.DictReader(open(csv_file)) if float(row["found"]) > 0]
    return int(min(found)) if found else None


def ours(atoms, sampler, seed):
    folder = os.path.join(arguments.folder, f"{sampler}-{atoms}-{seed}")
    ini = folder + ".ini"
    with open(ini, "w") as file:
        file.write(configuration(atoms, sampler, arguments.budget, folder))
    subprocess.run(["rm", "-rf", folder], check=True)
    subprocess.run([arguments.chgnet, "search", "run", ini, "-t", "1", "--seed", str(seed), "-o", folder, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    return minimisations_of(folder, atoms)


def random_cluster(atoms, seed):
    """Places in a sphere, no two nearer than 0.6 sigma."""
    chance, places = random.Random(seed), []
    while len(places) < atoms:
        place = [chance.uniform(-1, 1) * RADIUS[atoms] for _ in range(3)]
        if math.hypot(*place) < RADIUS[atoms] and all(math.dist(place, other) > 0.6 for other in places):
            places.append(place)
    return places


class Found(Exception):
    """The global minimum has been reached."""


def ase_run(atoms, seed):
    import numpy
    from ase import Atoms
    from ase.calculators.lj import LennardJones
    from ase.optimize import LBFGS
    from ase.optimize.basin import BasinHopping

    class Counting(BasinHopping):
        """Counts minimisations, and ends at the global minimum."""

        minimisations = 0

        def get_energy(self, positions):
            known = numpy.all(positions == self.positions)
            energy = super().get_energy(positions)
            if not known:
                self.minimisations += 1
                if energy is not None and energy < LOWEST[atoms] + WITHIN:
                    raise Found(self.minimisations)
            return energy

    class Limited(LBFGS):
        """At most as many steps as ours: atoms on top of each other would never come to rest."""

        def run(self, fmax=0.05, steps=1000):
            return super().run(fmax=fmax, steps=steps)

    cluster = Atoms(f"Ar{atoms}", positions=random_cluster(atoms, seed))
    cluster.calc = LennardJones(rc=1000.0)
    numpy.random.seed(seed)
    try:
        walk = Counting(cluster, temperature=TEMPERATURE, optimizer=Limited, fmax=FMAX, dr=STEP, logfile=None, trajectory=None,
                        optimizer_logfile=None, local_minima_trajectory=None)
        walk.run(arguments.ase_budget)
    except Found as found:
        return found.args[0]
    return None


def median(counts):
    ordered = sorted(math.inf if c is None else c for c in counts)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def done():
    path = os.path.join(arguments.folder, "runs.csv")
    return list(csv.DictReader(open(path))) if os.path.exists(path) else []


def record(row):
    path = os.path.join(arguments.folder, "runs.csv")
    new = not os.path.exists(path)
    with open(path, "a") as file:
        writer = csv.DictWriter(file, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)


def run_all():
    methods = [("ours", s) for s in arguments.samplers.split(",")] if "ours" in arguments.only else []
    methods += [("ASE", "basin")] if "ase" in arguments.only else []
    have = {(r["who"], r["sampler"], int(r["atoms"]), int(r["seed"])) for r in done()}
    for atoms in map(int, arguments.atoms.split(",")):
        for who, sampler in methods:
            for seed in range(1, arguments.seeds + 1):
                if (who, sampler, atoms, seed) in have:
                    continue
                start = time.perf_counter()
                count = ours(atoms, sampler, seed) if who == "ours" else ase_run(atoms, seed)
                record({"who": who, "sampler": sampler, "atoms": atoms, "seed": seed,
                        "budget": arguments.budget if who == "ours" else arguments.ase_budget,
                        "minimisations": "" if count is None else count,
                        "seconds": f"{time.perf_counter() - start:.2f}"})
                print(who, sampler, atoms, seed, count, file=sys.stderr, flush=True)


def print_table():
    groups = {}
    for row in done():
        groups.setdefault((int(row["atoms"]), row["who"], row["sampler"], row["budget"]), []).append(row)
    print("| atoms | who | sampler | budget | found | median minimisations | median s |\n|---|---|---|---|---|---|---|")
    for (atoms, who, sampler, budget), rows in sorted(groups.items()):
        counts = [int(r["minimisations"]) if r["minimisations"] else None for r in rows]
        seconds = median([float(r["seconds"]) for r in rows])
        middle = median(counts)
        print(f"| {atoms} | {who} | {sampler} | {budget} | {sum(c is not None for c in counts)} of {len(counts)} | "
              f"{'beyond' if math.isinf(middle) else f'{middle:g}'} | {seconds:.2f} |")


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--chgnet", default="chgnet")
parser.add_argument("--seeds", type=int, default=20)
parser.add_argument("--atoms", default="13,19")
parser.add_argument("--samplers", default="basin,exchange,random")
parser.add_argument("--budget", type=int, default=2000)
parser.add_argument("--ase-budget", type=int, default=200)
parser.add_argument("--only", default="ours,ase")
parser.add_argument("--folder", default="compare-search")
arguments = parser.parse_args()
os.makedirs(arguments.folder, exist_ok=True)
run_all()
print_table()
