#!/usr/bin/env python3
# Why CHGNet needs a correction for S on Cu, Ag and Au(111): an S2 dimer against two separate S in p(2x2), by CHGNet, corrected and in
# PBE, with what `chgnet predict --explain` tells of each S.  Standard library only; the picture needs gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 why.py [--chgnet PROGRAM] [--results FOLDER]
#     python3 why.py --label PYTHON     # adds GPAW labels of results/structures.extxyz, by a Python that has it
#
# Writes structures.extxyz, atoms.csv, energies.csv, why.svg into results/.
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from example_tools import add_label, frames, info, run, save  # noqa: E402

SULFUR = HERE.parent / "sulfur"
METALS = {"Cu": 3.64, "Ag": 4.15, "Au": 4.16}  # A, as in the labels
VACUUM = 6.5


def slab_with(metal, kind):
    """One frame: three layers of p(2x2), the lowest fixed, and two S."""
    d, height = METALS[metal] / math.sqrt(2), METALS[metal] / math.sqrt(3)
    u, v = (d, 0.0), (d / 2, d * math.sqrt(3) / 2)
    at = lambda i, j: [i * u[k] + j * v[k] for k in (0, 1)]
    atoms = [(metal, *at(i + layer / 3, j + layer / 3), VACUUM + layer * height, "T" if layer else "F") for layer in range(3)
             for j in (0, 1) for i in (0, 1)]
    top = VACUUM + 2 * height
    # over the third layer's atom (2/3, 2/3): fcc hollows at (0, 0) + lattice, hcp hollows at (1/3, 1/3) + lattice
    fcc, hcp = at(1, 1), at(4 / 3, 4 / 3)
    if kind == "separate":
        hcp = at(1 / 3, 1 / 3)
        places = [(*fcc, top + 1.5), (*hcp, top + 1.5)]
    else:
        middle = [(a + b) / 2 for a, b in zip(fcc, hcp)]
        length = math.dist(fcc, hcp)
        places = [(*(m + sign * (b - a) / length for m, a, b in zip(middle, fcc, hcp)), top + 1.9) for sign in (-1, 1)]
    atoms += [("S", *place, "T") for place in places]
    cell = [*(2 * x for x in u), 0, *(2 * x for x in v), 0, 0, 0, 2 * VACUUM + 2 * height]
    lines = [str(len(atoms)), f'Lattice="{" ".join(f"{x:.10f}" for x in cell)}" Properties=species:S:1:pos:R:3:move_mask:L:1 '
             f'id={metal}-{kind} pbc="T T T"']
    return "\n".join(lines + [f"{s} {x:.8f} {y:.8f} {z:.8f} {m}" for s, x, y, z, m in atoms]) + "\n"


def read_labels(path):
    """PBE energies by id."""
    if not path.exists():
        return {}
    return {info(head, "id"): float(info(head, "REF_energy")) for head, _ in frames(path)}


def without_surfaces(options):
    """Reference environments that a training set of crystals may hold: elements and sulfides, no S on metals."""
    kept = [text for head, text in frames(SULFUR / "references" / "references.extxyz") if " on " not in head]
    path = options.work / "crystals.extxyz"
    path.write_text("".join(kept))
    return path


def explain(options, structures, references):
    """What predict --explain tells of each S: (site energy, correction, novelty, distance, nearest), structure by structure."""
    told = options.work / "told.json"
    text = run(options.chgnet, "predict", "-q", "-t", "1", "-d", options.delta, "--explain", "--references", references, "-o", told,
               structures)
    sulfur, energies = [], [json.loads(line) for line in told.read_text().splitlines()]
    for line in text.splitlines():
        words = line.split(None, 6)
        if line.startswith("atoms of"):
            sulfur.append([])
        elif len(words) == 7 and words[1] == "S":
            sulfur[-1].append((*map(float, words[2:6]), words[6]))
    return sulfur, energies


def make_structures(options):
    start, plain = options.work / "start.extxyz", options.results / "structures.extxyz"
    start.write_text("".join(slab_with(m, kind) for m in METALS for kind in ("separate", "dimer")))
    if not plain.exists():
        run(options.chgnet, "relax", "-q", "-t", "1", "--optimizer", "lbfgs", "--fmax", 0.03, "--steps", 300, start, "-o", plain,
            may_fail=(4,))
    return plain


def bond(text):
    """Shortest S-S distance of a frame, over images in the plane."""
    lines = text.splitlines()
    cell = [float(x) for x in lines[1].split('"')[1].split()]
    a, b = ([float(x) for x in line.split()[1:4]] for line in lines[2:] if line.startswith("S "))
    return min(math.dist(a, [b[k] + i * cell[k] + j * cell[3 + k] for k in range(3)]) for i in (-1, 0, 1) for j in (-1, 0, 1))


def tables(options, plain):
    names, texts = zip(*((info(head, "id"), text) for head, text in frames(plain)))
    near, told = explain(options, plain, without_surfaces(options))
    every, _ = explain(options, plain, SULFUR / "references" / "references.extxyz")
    pbe = read_labels(options.results / "labels.extxyz")
    atoms, energies = [], []
    for k, name in enumerate(names):
        for n, (site, correction, novelty, distance, nearest) in enumerate(near[k]):
            atoms.append({"structure": name, "S": n + 1, "site_energy_eV": site, "correction_eV": correction, "novelty_eV": novelty,
                          "nearest_crystal": nearest, "distance": distance, "nearest_of_all": every[k][n][4],
                          "distance_of_all": every[k][n][3]})
    for k in range(0, len(names), 2):
        corrected = told[k + 1]["energy"] - told[k]["energy"]
        base = corrected - told[k + 1]["delta_energy"] + told[k]["delta_energy"]
        a, b = (pbe.get(name) for name in names[k : k + 2])
        energies.append({"metal": names[k].split("-")[0], "S_S_separate_A": f"{bond(texts[k]):.2f}",
                         "S_S_dimer_A": f"{bond(texts[k + 1]):.2f}",
                         "CHGNet_eV": f"{base:.3f}", "corrected_eV": f"{corrected:.3f}", "std_separate_eV": f"{told[k]['energy_std']:.3f}",
                         "std_dimer_eV": f"{told[k + 1]['energy_std']:.3f}",
                         "PBE_eV": f"{b - a:.3f}" if a is not None and b is not None else "",
                         "distance_separate": near[k][0][3], "distance_dimer": near[k + 1][0][3]})
    save(options.results / "atoms.csv", atoms)
    save(options.results / "energies.csv", energies)


def label(options):
    """GPAW labels of the structures; what is labelled already is kept."""
    target = options.results / "labels.extxyz"
    known = read_labels(target)
    for head, text in frames(options.results / "structures.extxyz"):
        if info(head, "id") not in known:
            add_label(options.label, options.work, text, target)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet")
    parser.add_argument("--labels", type=pathlib.Path, default=SULFUR / "labels.extxyz", help="what the correction learns from")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("why-work"))
    parser.add_argument("--label", metavar="PYTHON")
    options = parser.parse_args()
    for folder in (options.results, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    if options.label:
        return label(options)
    options.delta = options.work / "sulfur.h5"
    if not options.delta.exists():
        run(options.chgnet, "delta", "fit", "-q", "-o", options.delta, options.labels)
    tables(options, make_structures(options))
    if shutil.which("gnuplot"):
        subprocess.run(["gnuplot", str(HERE / "why.gp")], cwd=options.results, check=True)


if __name__ == "__main__":
    main()
