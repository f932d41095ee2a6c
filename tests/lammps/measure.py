"""Figures of docs/lammps.md; takes minutes to an hour, never part of `make check`.

    measure.py WHICH[=N] CHGNET PLUGIN RANKS LAMMPS...

WHICH: nve, npt (N steps, 6000), ranks (N turns, 3), overhead (N turns, 3); the rest as for check.py.

SPDX-License-Identifier: BSD-3-Clause
"""

import csv
import os
import re
import subprocess
import sys
import tempfile
import time

import lammps_run as lr

which, _, number = sys.argv[1].partition("=")
chgnet, plugin, ranks, lammps = sys.argv[2], sys.argv[3], sys.argv[4].split(), sys.argv[5:]
folder = tempfile.mkdtemp(dir=".")
BOLTZMANN = 8.617333262e-5  # eV/K
MASS = {"Mg": 24.305, "O": 15.999}
# ASE's unit of time in ps: sqrt(u A^2 / eV)
TIME = 1.0180505710774743e-2


def start(structure, temperature):
    """Velocities in A/ps, the same for both codes; the momenta in ASE's units, for the command's file."""
    random = lr.Random(99)
    velocities = []
    for symbol in structure["symbols"]:
        size = (BOLTZMANN * temperature / MASS[symbol]) ** 0.5 * 3**0.5 / TIME  # of a flat distribution
        velocities.append([random.shift(size) for _ in range(3)])
    total = sum(MASS[s] for s in structure["symbols"])
    drift = [sum(MASS[s] * v[c] for s, v in zip(structure["symbols"], velocities)) / total for c in range(3)]
    return [[v[c] - drift[c] for c in range(3)] for v in velocities]


def write_command_input(structure, velocities, path):
    lattice = " ".join("%.17g" % x for row in structure["cell"] for x in row)
    with open(path, "w") as file:
        file.write('%d\nLattice="%s" pbc="T T T" Properties=species:S:1:pos:R:3:masses:R:1:momenta:R:3\n'
                   % (len(velocities), lattice))
        for symbol, x, v in zip(structure["symbols"], structure["positions"], velocities):
            p = [MASS[symbol] * c * TIME for c in v]
            file.write("%s %.17g %.17g %.17g %.17g %.17g %.17g %.17g\n" % (symbol, *x, MASS[symbol], *p))


def script(structure, velocities, commands, settings=""):
    lr.write_data(structure, os.path.join(folder, "in.data"))
    with open(os.path.join(folder, "in.data"), "a") as file:
        file.write("\nVelocities\n\n")
        for k, v in enumerate(velocities):
            file.write("%d %.17g %.17g %.17g\n" % (k + 1, *v))
    masses = "".join("mass %d %.17g\n" % (k + 1, MASS[s]) for k, s in enumerate(lr.types_of(structure)))
    return lr.head(structure, plugin, settings) + masses + commands


def command_md(structure, velocities, options, threads=1):
    path, out = os.path.join(folder, "start.extxyz"), os.path.join(folder, "md.extxyz")
    write_command_input(structure, velocities, path)
    begun = time.time()
    subprocess.run([chgnet, "md", "-t", str(threads), "--quiet", *options, "-o", out, path], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.time() - begun
    with open(os.path.join(folder, "md.csv")) as file:
        return list(csv.DictReader(file)), seconds


def column(rows, word):
    name = next(k for k in rows[0] if word in k)
    return [float(r[name]) for r in rows]


def drift(times, energies):
    """Slope by least squares, per time."""
    t, e = sum(times) / len(times), sum(energies) / len(energies)
    return sum((x - t) * (y - e) for x, y in zip(times, energies)) / sum((x - t) ** 2 for x in times)


def spread(values):
    mean = sum(values) / len(values)
    return (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5


def nve():
    structure = lr.rocksalt((2, 2, 2), noise=0)
    velocities = start(structure, 600)
    commands = ("fix 1 all nve\ntimestep 0.001\nthermo 1\nthermo_style custom step temp pe ke etotal\n"
                "thermo_modify format float %.12g\nrun 1000\n")
    for precision in ("single", "double"):
        status, output = lr.run(lammps, script(structure, velocities, commands, "precision " + precision), folder)
        ours = lr.thermo_rows(output)
        rows, _ = command_md(structure, velocities, ["-p", precision, "--ensemble", "nve", "--steps", "1000", "--every", "1"])
        potential, total = column(rows, "potential"), column(rows, "total")
        n = len(structure["symbols"])
        if precision == "single":
            print("columns of the command: %s" % ", ".join(rows[0]))
        print("%s: first 50 steps, largest difference of the potential energy %.3g eV, of 1000 steps %.3g eV"
              % (precision, max(abs(a[2] - b) for a, b in zip(ours[:51], potential[:51])),
                 max(abs(a[2] - b) for a, b in zip(ours, potential))))
        print("%s: total energy, LAMMPS: drift %.4f meV/atom/ps, spread %.4f meV/atom; chgnet md: %.4f, %.4f"
              % (precision, 1e3 / n * drift([r[0] / 1e3 for r in ours], [r[4] for r in ours]),
                 1e3 / n * spread([r[4] for r in ours]),
                 1e3 / n * drift([k / 1e3 for k in range(len(total))], total), 1e3 / n * spread(total)), flush=True)


def blocks(values, count=10):
    size = len(values) // count
    means = [sum(values[k * size:(k + 1) * size]) / size for k in range(count)]
    return sum(means) / count, spread(means) / (count - 1) ** 0.5


def npt(steps=6000):
    structure = lr.rocksalt((2, 2, 2), noise=0)
    velocities = start(structure, 600)
    commands = ("fix 1 all npt temp 300 300 0.1 iso 0 0 0.5\ntimestep 0.001\nthermo 5\n"
                "thermo_style custom step temp pe vol press\nrun %d\n" % steps)
    status, output = lr.run(lammps, script(structure, velocities, commands), folder)
    ours = [r[3] / 64 for r in lr.thermo_rows(output)][steps // 20:]
    rows, _ = command_md(structure, velocities, ["--ensemble", "npt-mtk", "--temperature", "300", "--tau-t", "100",
                                                 "--tau-p", "500", "--steps", str(steps), "--every", "5"])
    theirs = column(rows, "volume")
    scale = 64 if max(theirs) > 100 else 1
    theirs = [v / scale for v in theirs][steps // 20:]
    print("npt, 64 atoms, %d steps, 300 K: LAMMPS %.4f +- %.4f A^3/atom, chgnet md %.4f +- %.4f"
          % (steps, *blocks(ours), *blocks(theirs)), flush=True)


LOOP = re.compile(r"Loop time of ([0-9.e+-]+) on")


def loop_time(command, structure, steps, settings=""):
    commands = ("compute s all pair chgnet\nfix 1 all nve\ntimestep 0.001\nthermo %d\n"
                "thermo_style custom step pe c_s[3] c_s[4]\nrun %d\n" % (steps, steps))
    status, output = lr.run(command, script(structure, start(structure, 300), commands, settings), folder)
    if status != 0:
        raise RuntimeError(output[-1000:])
    return float(LOOP.search(output).group(1)) / steps, lr.thermo_rows(output)[-1][2:]


def scaling(turns=3):
    structure = lr.rocksalt((8, 8, 8), noise=0.02)
    n, results = len(structure["symbols"]), {"threads": [], "ranks": [], "one": []}
    for turn in range(turns):
        results["one"].append(loop_time(lammps, structure, 2, "threads 1"))
        results["threads"].append(loop_time(lammps, structure, 3, "threads 2"))
        results["ranks"].append(loop_time(ranks + ["2"] + lammps, structure, 3, "threads 1"))
        one, threads, two = (results[k][-1][0] for k in ("one", "threads", "ranks"))
        print("%d atoms, s/step: 1 rank 1 thread %.3f, 1 rank 2 threads %.3f, 2 ranks %.3f: ratio %.2f; %.1f MB, %.4f s exchange"
              % (n, one, threads, two, threads / two, results["ranks"][-1][1][0] / 1e6, results["ranks"][-1][1][1]), flush=True)
    one, threads, two = (min(r[0] for r in results[k]) for k in ("one", "threads", "ranks"))
    print("best: %.3f, %.3f, %.3f s/step: 2 ranks take %.2f of the speed of 2 threads" % (one, threads, two, threads / two))


def overhead(turns=3):
    for repeat, steps in (((4, 4, 4), 40), ((8, 8, 8), 5)):
        structure = lr.rocksalt(repeat, noise=0.02)
        velocities = start(structure, 300)
        ours, short, long = [], [], []  # the command's time of a step is the difference of two runs, the least of each
        for turn in range(turns):
            ours.append(loop_time(lammps, structure, steps)[0])
            for times, count in ((long, 3 * steps), (short, steps)):
                options = ["--ensemble", "nve", "--steps", str(count), "--every", "1000"]
                times.append(command_md(structure, velocities, options)[1])
        theirs = (min(long) - min(short)) / (2 * steps)
        print("%d atoms, s/step: LAMMPS %.4f, chgnet md %.4f, ratio %.3f; LAMMPS %s, chgnet md's runs %s, %s" % (
            len(structure["symbols"]), min(ours), theirs, min(ours) / theirs,
            *(" ".join("%.4g" % x for x in times) for times in (ours, long, short))), flush=True)


{"nve": nve, "npt": npt, "ranks": scaling, "overhead": overhead}[which](*([int(number)] if number else []))
