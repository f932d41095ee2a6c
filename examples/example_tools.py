# What the scripts of several examples share.  SPDX-License-Identifier: BSD-3-Clause
import csv
import pathlib
import subprocess
import sys


def run(*command, may_fail=()):
    """Standard output of a command; an exit code other than 0 and those of may_fail ends the script with what it said."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode and done.returncode not in may_fail:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def save(path, rows):
    """Rows, dictionaries with the same keys, as CSV; gives them back."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def info(head, key):
    """A value of the second line of an extended XYZ frame, as text."""
    return head.split(f" {key}=")[1].split()[0].strip('"')


def frames(path):
    """(second line, text) of each frame of an extended XYZ file."""
    lines = path.read_text().splitlines(keepends=True)
    at = 0
    while at < len(lines):
        n = int(lines[at])
        yield lines[at + 1].rstrip("\n"), "".join(lines[at : at + n + 2])
        at += n + 2


def ids_of(path):
    """The key id of each frame; none where there is no file."""
    return {info(head, "id") for head, _ in frames(path)} if path.exists() else set()


def rows_of(text):
    """The atoms of a frame, as lists of words."""
    return [line.split() for line in text.splitlines()[2:]]


def add_label(python, work, text, labels, *options):
    """PBE label of one frame by label_gpaw.py, run by a Python that has GPAW, to the end of the file labels."""
    source, made = work / "label.in.extxyz", work / "label.out.extxyz"
    source.write_text(text)
    run(python, pathlib.Path(__file__).resolve().parent / "label_gpaw.py", source, made, *options)
    with labels.open("a") as file:
        file.write(made.read_text())
