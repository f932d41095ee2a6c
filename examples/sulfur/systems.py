#!/usr/bin/env python3
# S on Cu, Ag and Au(111), system by system: three metals, three cells, one to three S, none to two extra metal atoms.  Minima by
# CHGNet, and the same relaxed on with the correction: which is the lowest for each, and do they agree?  Standard library only.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 systems.py [--chgnet PROGRAM] [--quick] [--results FOLDER] [--starts N] [--cells 2x2 r3 r7]
#
# Writes systems.csv, systems.md and minima.extxyz (the three lowest of each system by each) into results/.
import argparse
import math
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from example_tools import frames, info, rows_of, run, save  # noqa: E402

METALS = {"Cu": 3.64, "Ag": 4.15, "Au": 4.16}  # A, as in the labels
CELLS = {"2x2": "2 0 0 2", "r3": "1 1 -1 2", "r7": "2 1 -1 3"}
DIMER = 2.4  # A: S closer than this are bound to each other
CONFIG = """[template]
surface = fcc111
element = {metal}
a = {a}
matrix = {matrix}
layers = 3
fixed-layers = 1
[place]
atoms = S{sulfur} {more}
[region]
below = 0
above = 3
[relax]
fmax = 0.05
steps = {steps}
[search]
sampler = random
budget = {starts}
walkers = 1
folder = {folder}
"""


def places(frame, element):
    return [[float(x) for x in row[1:4]] for row in frame[1] if row[0] == element]


def distances(frame, a, b):
    """Distances between two places in all nearest images of the plane."""
    cell = [float(x) for x in frame[0].split('"')[1].split()]
    for i in range(-2, 3):
        for j in range(-2, 3):
            yield math.dist(a, [b[k] + i * cell[k] + j * cell[3 + k] for k in range(3)])


def form(frame, metal):
    """What the S atoms do: dimers, sunk below the top metal atoms, and bonds to metal of each."""
    sulfur, metals = places(frame, "S"), places(frame, metal)
    dimers = sum(min(distances(frame, a, b)) < DIMER for k, a in enumerate(sulfur) for b in sulfur[:k])
    bonds = []
    for a in sulfur:
        lengths = [d for m in metals for d in distances(frame, a, m)]
        shortest = min(lengths)
        bonds.append(sum(d < 1.2 * shortest for d in lengths))
    bonds.sort(reverse=True)
    cell = [float(x) for x in frame[0].split('"')[1].split()]
    layer = round((cell[0] * cell[4] - cell[1] * cell[3]) / (METALS[metal] ** 2 * math.sqrt(3) / 4))
    height = sum(m[2] for m in metals[2 * layer : 3 * layer]) / layer  # the slab's atoms come first, from below
    sunk = sum(a[2] < height + 0.2 for a in sulfur)
    return f"{dimers} S-S, {sunk} sunk, bonds {'/'.join(map(str, bonds))}"


def with_keys(frame, **keys):
    head, rows = frame
    words = " ".join(f"{k}={v}" for k, v in keys.items())
    return "\n".join([str(len(rows)), f"{head} {words}", *(" ".join(row) for row in rows)]) + "\n"


def one_system(options, metal, cell, sulfur, extra):
    """Row of the table and the frames of the lowest minima."""
    name = f"{metal}-{cell}-S{sulfur}-{metal}{extra}"
    folder = options.work / name
    best, after = folder / "best.extxyz", folder / "corrected.extxyz"
    if not after.exists():
        config = options.work / f"{name}.ini"
        more = f"{metal}{extra}" if extra else ""
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut short
        config.write_text(CONFIG.format(metal=metal, a=METALS[metal], matrix=CELLS[cell], sulfur=sulfur, more=more,
                                        steps=120, starts=options.starts, folder=folder))
        run(options.chgnet, "search", "run", "-q", "-t", "1", config)
        run(options.chgnet, "search", "best", "-n", options.kept, "-o", best, folder)
        run(options.chgnet, "relax", "-q", "-t", "1", "-d", options.delta, "--optimizer", "lbfgs", "--steps", 60, best, "-o", after,
            may_fail=(4,))
    plain, corrected = ([(head, rows_of(text)) for head, text in frames(path)] for path in (best, after))
    energies = [float(info(head, "energy")) for head, _ in plain]
    fixed = [float(info(head, "energy")) for head, _ in corrected]
    order = sorted(range(len(fixed)), key=lambda k: fixed[k])
    row = {"system": name, "minima": len(plain), "CHGNet_lowest": form(plain[0], metal),
           "corrected_lowest": form(corrected[order[0]], metal),
           "rank_in_CHGNet": order[0] + 1, "above_in_CHGNet_meV": f"{1000 * (energies[order[0]] - energies[0]):.0f}",
           "CHGNet_lowest_above_corrected_meV": f"{1000 * (fixed[0] - fixed[order[0]]):.0f}",
           "std_meV": f"{1000 * float(info(corrected[order[0]][0], 'energy_std')):.0f}"}
    kept = [with_keys(f, system=name, by="CHGNet", rank=k + 1) for k, f in enumerate(plain[:3])]
    kept += [with_keys(corrected[k], system=name, by="corrected", rank=n + 1) for n, k in enumerate(order[:3])]
    return row, kept


def write_table(path, rows):
    lines = ["| system | CHGNet's lowest | corrected lowest | its rank in CHGNet | meV above there | std, meV |",
             "|---|---|---|---|---|---|"]
    lines += [f"| {r['system']} | {r['CHGNet_lowest']} | {r['corrected_lowest']} | {r['rank_in_CHGNet']} of {r['minima']} |"
              f" {r['above_in_CHGNet_meV']} | {r['std_meV']} |" for r in rows]
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--labels", type=pathlib.Path, default=HERE / "labels.extxyz")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("systems-work"))
    parser.add_argument("--starts", type=int, default=6)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    options = parser.parse_args()
    options.kept = 4
    wanted = [(m, c, s, e) for c in options.cells for m in METALS for s in (1, 2, 3) for e in (0, 1, 2)]
    if options.quick:
        wanted, options.starts, options.kept = [("Cu", "r3", 1, 0), ("Ag", "r3", 2, 1)], 2, 2
    for folder in (options.results, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    options.delta = options.work / "sulfur.h5"
    if not options.delta.exists():
        run(options.chgnet, "delta", "fit", "-q", "-o", options.delta, options.labels)
    rows, kept = [], []
    for system in wanted:
        row, lowest = one_system(options, *system)
        rows.append(row)
        kept += lowest
        save(options.results / "systems.csv", rows)
    (options.results / "minima.extxyz").write_text("".join(kept))
    write_table(options.results / "systems.md", rows)


if __name__ == "__main__":
    main()
