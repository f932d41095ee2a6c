#!/usr/bin/env python3
"""What the tests reached: by folder, and line by line what they did not reach in the parsers.

    coverage.py SOURCE BUILD       BUILD: built with --coverage, and `make check` has run in it

Prints a table of lines by folder of src, with the branches, the files below 95 %, and the lines of the parsers that no
test reached.  Needs gcov.  Leaves with 1 when less than 95 % of the lines of src were reached.

SPDX-License-Identifier: BSD-3-Clause
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict

PARSERS = ("base/ini.c", "crystal/cif", "crystal/extxyz", "crystal/lines.c", "crystal/poscar.c", "crystal/reader.c", "gp/delta_file.c",
           "gp/label_store.c", "model/checkpoint", "model/weights.c", "store/", "task/ipi.c", "task/label_file.c", "task/restart.c")  # fmt: skip


def notes(build):
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                yield os.path.join(folder, name)


def main():
    source, build = (os.path.realpath(a) for a in sys.argv[1:3])
    lines, branches = defaultdict(dict), defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        for data in notes(build):
            subprocess.run(["gcov", "--json-format", "--branch-probabilities", data], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            for name in os.listdir(folder):
                with gzip.open(os.path.join(folder, name)) as file:
                    report = json.load(file)
                for entry in report["files"]:
                    path = os.path.realpath(os.path.join(report["current_working_directory"], entry["file"]))
                    if not path.startswith(os.path.join(source, "src")) or not path.endswith(".c"):
                        continue
                    for line in entry["lines"]:
                        n = line["line_number"]
                        lines[path][n] = max(lines[path].get(n, 0), line["count"])
                        for k, branch in enumerate(line["branches"]):
                            branches[path][n, k] = max(branches[path].get((n, k), 0), branch["count"])
                os.remove(os.path.join(folder, name))
    table = defaultdict(lambda: [0, 0, 0, 0])
    low, missed = [], []
    for path in sorted(lines):
        name = os.path.relpath(path, os.path.join(source, "src"))
        reached = sum(c > 0 for c in lines[path].values())
        row = table[name.split("/")[0]]
        for k, value in enumerate((reached, len(lines[path]), sum(c > 0 for c in branches[path].values()), len(branches[path]))):
            row[k] += value
        if reached < 0.95 * len(lines[path]):
            low.append(f"{name:36s} {100 * reached / len(lines[path]):5.1f} %  {len(lines[path]) - reached:4d} lines")
        if name.startswith(PARSERS):
            with open(path, encoding="utf-8") as file:
                text = file.read().split("\n")
            missed += [f"src/{name}:{n}: {text[n - 1].strip()}" for n, count in sorted(lines[path].items()) if not count]
    total = [sum(row[k] for row in table.values()) for k in range(4)]
    print("| folder | lines | reached | branches | reached |\n|---|---|---|---|---|")
    for name, row in [*sorted(table.items()), ("all", total)]:
        print(f"| {name} | {row[1]} | {100 * row[0] / max(row[1], 1):.1f} % | {row[3]} | {100 * row[2] / max(row[3], 1):.1f} % |")
    print("\nbelow 95 %:\n" + "\n".join(low))
    print("\nlines of the parsers that no test reached:\n" + "\n".join(missed))
    return 0 if total[0] >= 0.95 * total[1] else 1


if __name__ == "__main__":
    sys.exit(main())
