#!/usr/bin/env python3
"""Copy the labels that the tests use into tests/files/labels.extxyz.

usage: tools/import_labels.py LABELS.extxyz

LABELS.extxyz holds PBE energies and forces of sulfur on Cu, Ag and Au(111) (REF_energy, REF_forces; the key `id` names
a frame).  The frames of the list below are copied as they stand, in the order of the list.  Needs Python 3 alone.
SPDX-License-Identifier: BSD-3-Clause
"""
import os
import re
import sys

# Two adatom densities and different distances from equilibrium for each metal.
WANTED = ["Cu1S-00", "Cu1S-03", "Cu1S-06", "Cu2S-01", "Cu2S-04", "Ag1S-00", "Ag1S-03", "Ag2S-02",
          "Au1S-00", "Au1S-06", "Au2S-01", "Au2S-04"]


def frames(path):
    """Yield (id, text) of each frame."""
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines(keepends=True)
    i = 0
    while i < len(lines):
        n = int(lines[i])
        name = re.search(r"\bid=(\S+)", lines[i + 1])
        yield name.group(1) if name else "", "".join(lines[i:i + n + 2])
        i += n + 2


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = dict(frames(sys.argv[1]))
    missing = [name for name in WANTED if name not in found]
    if missing:
        sys.exit("%s lacks the frames %s" % (sys.argv[1], " ".join(missing)))
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "files", "labels.extxyz")
    with open(target, "w", encoding="ascii") as file:
        file.write("".join(found[name] for name in WANTED))
    print("%d labels in %s" % (len(WANTED), os.path.normpath(target)))


main()
