#!/usr/bin/env python3
# Errors of the delta-model on the labels, before and after correction: every aggregation, both layers, energies only and with
# forces, each metal and the three together.  Standard library only; pictures need gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 study.py [--chgnet PROGRAM] [--quick]
#
# Writes results/errors.csv, results/learning.csv, results/table.md, results/learning.svg.  Lines already in a CSV are not made
# again; delete the file to start over.
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
METALS = ("Cu", "Ag", "Au")
LAYERS = ("atom_fea", "atom_fea_final")
# The length follows the number of features that a point has and how far apart the points lie; values by leave-one-out.
KERNELS = {
    "atomic": [],  # the default
    "global": ["--kernel", "constant(100)*rbf(length=32)"],
    "species": ["--kernel", "constant(100)*rbf(length=64)"],
}
ERROR_KEYS = ["metals", "aggregation", "layer", "labels", "hyperparameters", "folds"]
ERROR_VALUES = ["energy_before", "energy_after", "energy_rmse_before", "energy_rmse_after", "forces_before", "forces_after",
                "forces_rmse_before", "forces_rmse_after", "within_1", "within_2"]


def frames(path):
    """(id, text) of each frame."""
    lines = path.read_text().splitlines(keepends=True)
    at = 0
    while at < len(lines):
        n = int(lines[at])
        name = lines[at + 1].split("id=")[1].split()[0]
        yield name, "".join(lines[at : at + n + 2])
        at += n + 2


def run(program, labels, options):
    command = [program, "delta", "fit", "--quiet", "--json", *options, labels]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return json.loads(done.stdout)


def options_of(row):
    options = ["--aggregation", row["aggregation"], "--layer", row["layer"], *KERNELS[row["aggregation"]]]
    if row["labels"] == "energies":
        options.append("--energies-only")
    return options if row["hyperparameters"] == "optimised" else [*options, "--no-optimize"]


def table_of(path, keys):
    """Rows of a CSV by their keys; none if there is no file."""
    if not path.exists():
        return {}
    with path.open() as file:
        return {tuple(row[k] for k in keys): row for row in csv.DictReader(file)}


def save(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(next(iter(rows.values()))), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())


def errors_of(told):
    judged = told["cross_validation"]
    values = {}
    for kind in ("energy", "forces"):
        for when in ("before", "after"):
            for name, column in (("mae", ""), ("rmse", "_rmse")):
                error = judged[kind][when][name] if judged[kind] else None
                values[f"{kind}{column}_{when}"] = f"{1000 * error:.1f}" if error is not None else ""
    values["within_1"], values["within_2"] = (f"{100 * share:.0f}" for share in judged["within"])
    return {key: values[key] for key in ERROR_VALUES}


def wanted(quick):
    for metals in ("all", *METALS):
        for aggregation in KERNELS:
            for layer in LAYERS:
                for labels in ("forces", "energies"):
                    for folds in ("loo", "5"):
                        for hyperparameters in ("optimised",) if quick else ("optimised", "fixed"):
                            yield dict(zip(ERROR_KEYS, (metals, aggregation, layer, labels, hyperparameters, folds)))


def make_errors(program, files, quick):
    path = RESULTS / "errors.csv"
    rows = table_of(path, ERROR_KEYS)
    for row in wanted(quick):
        key = tuple(row.values())
        if key in rows:
            continue
        print(*key, file=sys.stderr)
        told = run(program, files[row["metals"]], [*options_of(row), "--cross-validation", row["folds"]])
        rows[key] = {**row, **errors_of(told)}
        save(path, rows)
    return rows


def make_learning(program, files):
    path = RESULTS / "learning.csv"
    keys = ["metals", "labels", "size"]
    rows = table_of(path, keys)
    for metals in ("all", *METALS):
        for labels in ("forces", "energies"):
            if any(key[:2] == (metals, labels) for key in rows):
                continue
            row = {"aggregation": "atomic", "layer": "atom_fea_final", "labels": labels, "hyperparameters": "optimised"}
            told = run(program, files[metals], [*options_of(row), "--learning-curve"])
            for point in told["learning_curve"]:
                made = dict(zip(keys, (metals, labels, str(point["n_train"]))))
                for kind in ("energy", "forces"):
                    for when in ("before", "after"):
                        made[f"{kind}_{when}"] = f"{1000 * point[kind][when]['mae']:.1f}" if point[kind] else ""
                rows[tuple(made[k] for k in keys)] = made
            save(path, rows)
    return rows


def times(before, after):
    return f"{float(before) / float(after):.2f}" if before and after and float(after) > 0 else ""


def write_table(rows):
    lines = ["| metals | aggregation | layer | labels | hyperparameters | folds | energy before | after | times | forces before | after |"
             " times | within 1, 2 sigma |", "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        lines.append("| " + " | ".join([*(row[k] for k in ERROR_KEYS),
                                        row["energy_before"], row["energy_after"], times(row["energy_before"], row["energy_after"]),
                                        row["forces_before"], row["forces_after"], times(row["forces_before"], row["forces_after"]),
                                        f"{row['within_1']}, {row['within_2']} %"]) + " |")
    (RESULTS / "table.md").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet", help="the program")
    parser.add_argument("--quick", action="store_true", help="without the hyperparameters kept as they are")
    choice = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = {"all": HERE / "labels.extxyz"}
        for metal in METALS:
            files[metal] = pathlib.Path(folder) / f"{metal}.extxyz"
            files[metal].write_text("".join(text for name, text in frames(files["all"]) if name.startswith(metal)))
        write_table(make_errors(choice.chgnet, files, choice.quick))
        make_learning(choice.chgnet, files)
    subprocess.run(["gnuplot", "learning.gp"], cwd=HERE, check=True)


if __name__ == "__main__":
    main()
