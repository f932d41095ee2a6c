#!/usr/bin/env python3
# CHGNet and other potentials on the same labels: errors left out one by one, before and after the correction, and the dimer test of
# ../why.  Standard library only; the picture needs gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 compare.py [--chgnet PROGRAM] [--quick] [--results FOLDER]
#
# A potential is a file labels_NAME.extxyz made by add_base.py, and dimers_NAME.extxyz made by it from ../why/results/structures.extxyz.
# Writes errors.csv, dimers.csv, errors.svg into results/.
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from example_tools import frames, info, run, save  # noqa: E402

WHY = HERE.parent / "why" / "results"
BASE = ["--base-energy-key", "base_energy", "--base-forces-key", "base_forces"]


def potentials():
    """(name, options of delta fit, labels, dimers)."""
    first = HERE / "labels_sevennet.extxyz"
    yield "CHGNet", [], first, None
    for path in sorted(HERE.glob("labels_*.extxyz")):
        yield path.stem.split("_", 1)[1], BASE, path, HERE / path.name.replace("labels_", "dimers_")


def errors(options, work):
    rows = []
    for metals in ("Cu",) if options.quick else ("all", "Cu", "Ag", "Au"):
        for name, base, labels, _ in potentials():
            file = work / f"{name}-{metals}.extxyz"
            file.write_text("".join(text for head, text in frames(labels) if metals == "all" or info(head, "id").startswith(metals)))
            told = json.loads(run(options.chgnet, "delta", "fit", "-q", "--json", *base, "--cross-validation", "loo", file))
            judged = told["cross_validation"]
            row = {"potential": name, "metals": metals}
            for kind in ("energy", "forces"):
                for when in ("before", "after"):
                    row[f"{kind}_{when}"] = f"{1000 * judged[kind][when]['mae']:.1f}"
            rows.append(row)
            save(options.results / "errors.csv", rows)
    return rows


def heads(path):
    """Second lines of the frames by id."""
    return {info(head, "id"): head for head, _ in frames(path)}


def dimers(options, work):
    """Energy of the S2 dimer less that of two separate S on each metal, by every potential, and by PBE where there are labels."""
    columns = {}
    for name, _, _, path in potentials():
        if name == "CHGNet":
            told = work / "told.extxyz"
            run(options.chgnet, "predict", "-q", "-t", "1", "-o", told, WHY / "structures.extxyz")
            columns[name] = heads(told), "energy"
        elif path.exists():
            columns[name] = heads(path), "base_energy"
    if (WHY / "labels.extxyz").exists():
        columns["PBE"] = heads(WHY / "labels.extxyz"), "REF_energy"
    rows = []
    for metal in ("Cu", "Ag", "Au"):
        row = {"metal": metal}
        for name, (found, key) in columns.items():
            pair = [found.get(f"{metal}-{kind}") for kind in ("dimer", "separate")]
            row[name] = f"{float(info(pair[0], key)) - float(info(pair[1], key)):.3f}" if all(pair) else ""
        rows.append(row)
    save(options.results / "dimers.csv", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dimers", action="store_true", help="leave the errors as they are")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if not options.dimers:
            errors(options, pathlib.Path(folder))
        dimers(options, pathlib.Path(folder))
    if shutil.which("gnuplot"):
        subprocess.run(["gnuplot", str(HERE / "errors.gp")], cwd=options.results, check=True)


if __name__ == "__main__":
    main()
