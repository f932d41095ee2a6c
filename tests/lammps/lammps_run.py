"""LAMMPS beside `chgnet predict`: structures as data files, and results in the frame of the structure.

Only the standard library is needed.  Structures are dictionaries: symbols, positions, cell (rows), pbc.

SPDX-License-Identifier: BSD-3-Clause
"""

import json
import math
import os
import subprocess

BAR = 1.6021765e6  # of LAMMPS's metal units, in an eV/A^3
GPA = 160.21766208  # of the command, likewise


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def times(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)] for i in range(len(a))]


def transposed(a):
    return [list(row) for row in zip(*a)]


def inverse(m):
    volume = dot(m[0], cross(m[1], m[2]))
    return transposed([[x / volume for x in cross(m[(i + 1) % 3], m[(i + 2) % 3])] for i in range(3)])


def restricted(cell):
    """The cell as LAMMPS wants it: first vector along x, second in the xy plane."""
    a, b, c = cell
    lx = math.sqrt(dot(a, a))
    xy = dot(b, a) / lx
    ly = math.sqrt(dot(b, b) - xy * xy)
    xz = dot(c, a) / lx
    yz = (dot(b, c) - xy * xz) / ly
    return [[lx, 0, 0], [xy, ly, 0], [xz, yz, math.sqrt(dot(c, c) - xz * xz - yz * yz)]]


def types_of(structure):
    return sorted(set(structure["symbols"]))


def write_extxyz(structure, path):
    lattice = " ".join("%.17g" % x for row in structure["cell"] for x in row)
    pbc = " ".join("T" if p else "F" for p in structure["pbc"])
    with open(path, "w") as file:
        file.write('%d\nLattice="%s" pbc="%s" Properties=species:S:1:pos:R:3\n' % (len(structure["symbols"]), lattice, pbc))
        for symbol, x in zip(structure["symbols"], structure["positions"]):
            file.write("%s %.17g %.17g %.17g\n" % (symbol, *x))


def write_data(structure, path):
    """A data file, and the rotation R of row vectors from the structure's frame to LAMMPS's."""
    box = restricted(structure["cell"])
    rotation = times(inverse(structure["cell"]), box)
    positions = times(structure["positions"], rotation)
    types = types_of(structure)
    low, high = [0.0] * 3, [box[k][k] for k in range(3)]
    for k in range(3):
        if not structure["pbc"][k]:  # the box of an open axis holds the atoms
            low[k], high[k] = min(x[k] for x in positions) - 1, max(x[k] for x in positions) + 1
    with open(path, "w") as file:
        file.write("structure\n\n%d atoms\n%d atom types\n\n" % (len(positions), len(types)))
        for k, name in enumerate("xyz"):
            file.write("%.17g %.17g %slo %shi\n" % (low[k], high[k], name, name))
        file.write("%.17g %.17g %.17g xy xz yz\n\nMasses\n\n" % (box[1][0], box[2][0], box[2][1]))
        for number in range(len(types)):
            file.write("%d 20\n" % (number + 1))
        file.write("\nAtoms # atomic\n\n")
        for number, (symbol, x) in enumerate(zip(structure["symbols"], positions)):
            file.write("%d %d %.17g %.17g %.17g\n" % (number + 1, types.index(symbol) + 1, *x))
    return rotation


def head(structure, plugin, settings="", coeff="0.3.0"):
    boundary = " ".join("p" if p else "f" for p in structure["pbc"])
    return (
        "plugin load %s\nunits metal\natom_style atomic\natom_modify map yes\nboundary %s\nbox tilt large\nread_data in.data\n"
        "pair_style chgnet %s\npair_coeff * * %s %s\n"
        % (plugin, boundary, settings, coeff, " ".join(types_of(structure)))
    )


SINGLE_POINT = """compute v all pressure NULL virial
compute s all pair chgnet
fix m all property/atom d_magmom
thermo_style custom step pe c_v[1] c_v[2] c_v[3] c_v[4] c_v[5] c_v[6] c_s[1] c_s[2] c_s[3] c_s[4]
thermo_modify format float %.17g
compute e all pe/atom
compute a all stress/atom NULL virial
dump d all custom 1 out.dump id fx fy fz c_e d_magmom c_a[1] c_a[2] c_a[3] c_a[4] c_a[5] c_a[6]
dump_modify d sort id format float %.17g
run 0 post no
"""


def run(command, text, folder):
    """LAMMPS on a script.  Returns exit status and what it said."""
    with open(os.path.join(folder, "in.lammps"), "w") as file:
        file.write(text)
    done = subprocess.run(command + ["-in", "in.lammps", "-log", "log.lammps"], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


def thermo_rows(output):
    """Rows of numbers of the thermo tables."""
    rows, inside = [], False
    for line in output.splitlines():
        words = line.split()
        if words[:1] == ["Step"]:
            inside = True
        elif line.startswith("Loop time"):
            inside = False
        elif inside:
            try:
                rows.append([float(word) for word in words])
            except ValueError:
                pass
    return rows


def last_dump(path):
    with open(path) as file:
        lines = file.read().split("ITEM: ATOMS")[-1].splitlines()[1:]
    return [[float(word) for word in line.split()] for line in lines]


def single_point(command, structure, plugin, folder, settings="", coeff="0.3.0"):
    """Energy (eV), forces (eV/A), virial stress (GPa, 3x3), magmoms, site energies, in the structure's frame."""
    rotation = write_data(structure, os.path.join(folder, "in.data"))
    status, output = run(command, head(structure, plugin, settings, coeff) + SINGLE_POINT, folder)
    if status != 0:
        raise RuntimeError("LAMMPS ends with %d:\n%s" % (status, output[-2000:]))
    row = thermo_rows(output)[-1]
    atoms = last_dump(os.path.join(folder, "out.dump"))
    xx, yy, zz, xy, xz, yz = (-p * GPA / BAR for p in row[2:8])
    stress = times(times(rotation, [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]), transposed(rotation))
    return {
        "energy": row[1],
        "forces": times([a[1:4] for a in atoms], transposed(rotation)),
        "stress": stress,
        "site_energies": [a[4] for a in atoms],
        "magmom": [a[5] for a in atoms],
        "atom_stress_sum": [sum(a[6 + k] for a in atoms) for k in range(6)],
        "pressure": row[2:8],
        "energy_std": row[8],
        "delta_energy": row[9],
        "bytes": row[10],
        "seconds": row[11],
    }


def predict(chgnet, structure, folder, options=()):
    path = os.path.join(folder, "structure.extxyz")
    write_extxyz(structure, path)
    out = subprocess.run([chgnet, "predict", "--json", "--quiet", *options, path], stdout=subprocess.PIPE, check=True)
    return json.loads(out.stdout)


def error(got, want):
    """Largest difference, relative to the largest value."""
    flat = lambda x: [z for y in x for z in flat(y)] if isinstance(x, list) else [x]
    pairs = list(zip(flat(got), flat(want)))
    return max(abs(g - w) for g, w in pairs) / max(max(abs(w) for _, w in pairs), 1e-300)


# ---- structures ------------------------------------------------------------------------------------------------------


class Random:
    """The same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def shift(self, size):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return size * (2 * (self.state >> 11) / 2**53 - 1)


def rocksalt(repeat, a=4.25, noise=0.08, seed=1, strain=((0, 0, 0), (0, 0, 0), (0, 0, 0)), pbc=(True, True, True)):
    random = Random(seed)
    cell = [[a * repeat[k] * (k == c) for c in range(3)] for k in range(3)]
    symbols, positions = [], []
    for i in range(2 * repeat[0]):
        for j in range(2 * repeat[1]):
            for k in range(2 * repeat[2]):
                symbols.append("Mg" if (i + j + k) % 2 == 0 else "O")
                positions.append([a / 2 * n + random.shift(noise) for n in (i, j, k)])
    change = [[(r == c) + strain[r][c] for c in range(3)] for r in range(3)]
    return {"symbols": symbols, "positions": times(positions, change), "cell": times(cell, change), "pbc": list(pbc)}


def structures():
    """Name -> structure; triclinic, slab, tiny cell with its own images, 512 atoms."""
    tiny = {"symbols": ["Mg", "O"], "positions": [[0.05, -0.02, 0.01], [2.2, 0.1, -0.05]],
            "cell": [[0, 2.13, 2.13], [2.13, 0, 2.13], [2.13, 2.13, 0]], "pbc": [True] * 3}
    slab = rocksalt((2, 2, 1), pbc=(True, True, False))
    slab["cell"][2][2] += 12
    return {
        "triclinic": rocksalt((2, 2, 2), strain=((0.02, 0.05, -0.03), (0.04, -0.01, 0.06), (-0.02, 0.03, 0.01))),
        "slab": slab,
        "tiny cell": tiny,
        "512 atoms": rocksalt((4, 4, 4)),
    }
