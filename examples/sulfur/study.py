#!/usr/bin/env python3
# Errors of the delta-model on the labels, before and after correction: every aggregation, both layers, energies only and with
# forces, each metal and the three together.  Standard library only; pictures need gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 study.py [--chgnet PROGRAM] [--quick] [--labels FILE] [--results FOLDER]
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
METALS = ("Cu", "Ag", "Au")
LAYERS = ("atom_fea", "atom_fea_final")
# Hyperparameters of the table; those marked ! stay as they are.  The length follows the number of features that a point has and
# how far apart the points lie; values by leave-one-out on these labels.
KERNELS = {
    "atomic": [],  # the default
    "global": ["--kernel", "constant(100!)*rbf(length=32!)"],
    "species": ["--kernel", "constant(100!)*rbf(length=64!)"],
}
# The default's values as starts of an optimisation by marginal likelihood, within priors.
OPTIMISED = ["--kernel", "constant(1~1:1)*rbf(length=32~32:0.3)", "--noise-energy", "0.005~0.005:0.2", "--noise-force",
             "0.04~0.04:0.3"]
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
    options = ["--aggregation", row["aggregation"], "--layer", row["layer"]]
    options += OPTIMISED if row["hyperparameters"] == "optimised" else KERNELS[row["aggregation"]]
    return options + ["--energies-only"] if row["labels"] == "energies" else options


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
        for aggregation in ("atomic",) if quick else KERNELS:
            for layer in LAYERS[1:] if quick else LAYERS:
                for labels in ("forces",) if quick else ("forces", "energies"):
                    for folds in ("loo",) if quick else ("loo", "5"):
                        yield dict(zip(ERROR_KEYS, (metals, aggregation, layer, labels, "kept", folds)))
    if not quick:
        yield dict(zip(ERROR_KEYS, ("all", "atomic", "atom_fea_final", "forces", "optimised", "5")))


def make_errors(program, files, path, quick):
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


def make_learning(program, files, path):
    keys = ["metals", "labels", "size"]
    rows = table_of(path, keys)
    for metals in ("all", *METALS):
        for labels in ("forces", "energies"):
            if any(key[:2] == (metals, labels) for key in rows):
                continue
            row = {"aggregation": "atomic", "layer": "atom_fea_final", "labels": labels, "hyperparameters": "kept"}
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


def write_table(path, rows):
    lines = ["| metals | aggregation | layer | labels | hyperparameters | folds | energy before | after | times | forces before | after |"
             " times | within 1, 2 sigma |", "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        lines.append("| " + " | ".join([*(row[k] for k in ERROR_KEYS),
                                        row["energy_before"], row["energy_after"], times(row["energy_before"], row["energy_after"]),
                                        row["forces_before"], row["forces_after"], times(row["forces_before"], row["forces_after"]),
                                        f"{row['within_1']}, {row['within_2']} %"]) + " |")
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet", help="the program")
    parser.add_argument("--quick", action="store_true", help="the default alone, leave-one-out, no learning curve")
    parser.add_argument("--labels", type=pathlib.Path, default=HERE / "labels.extxyz")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    choice = parser.parse_args()
    results = choice.results.resolve()
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = {"all": choice.labels}
        for metal in METALS:
            files[metal] = pathlib.Path(folder) / f"{metal}.extxyz"
            files[metal].write_text("".join(text for name, text in frames(files["all"]) if name.startswith(metal)))
        write_table(results / "table.md", make_errors(choice.chgnet, files, results / "errors.csv", choice.quick))
        if not choice.quick:
            make_learning(choice.chgnet, files, results / "learning.csv")
            subprocess.run(["gnuplot", HERE / "learning.gp"], cwd=results, check=True)


if __name__ == "__main__":
    main()
