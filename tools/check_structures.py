#!/usr/bin/env python3
"""Compare the structure readers and writers with ASE and pymatgen, in both directions.

    python3 tools/check_structures.py [PATH/TO/chgnet]

The helper program tests/convert_structure of the same build is used (or $CONVERT_STRUCTURE).
Needs numpy, ase, pymatgen (and spglib through it).  Exit status 1 when anything differs.

SPDX-License-Identifier: BSD-3-Clause
"""
import os
import subprocess
import sys
import tempfile
import warnings
from io import StringIO

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixCartesian, FixScaled
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser, CifWriter
from pymatgen.io.vasp import Poscar
from pymatgen.symmetry.groups import SpaceGroup

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(sys.argv[1])) if len(sys.argv) > 1 else "."
CONVERT = os.environ.get("CONVERT_STRUCTURE", os.path.join(HERE, "tests", "convert_structure"))
random = np.random.default_rng(20240229)
checked, failures = {}, []


def check(group, name, good, detail=""):
    """Count one comparison."""
    checked[group] = checked.get(group, 0) + 1
    if not good:
        failures.append(f"{group}: {name}: {detail}")


def convert(path, form):
    """Our own reader and writer; None when they refuse the file."""
    done = subprocess.run([CONVERT, form, path], capture_output=True, text=True)
    if done.returncode != 0:
        failures.append(f"{os.path.basename(path)}: exit {done.returncode}: {done.stderr.strip()}")
        return None
    return done.stdout


def ours(path):
    """All frames of a file as our reader sees them."""
    text = convert(path, "extxyz")
    return None if text is None else ase.io.read(StringIO(text), ":", format="extxyz")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def random_cell(kind):
    if kind == "orthogonal":
        return np.diag(random.uniform(3, 9, 3))
    while True:
        cell = random.normal(size=(3, 3)) * 4 + np.diag([4, 4, 4])
        if kind == "left-handed":
            cell[0] *= -np.sign(np.linalg.det(cell))
        elif np.linalg.det(cell) < 0:
            continue
        if kind == "skew":
            cell[2] += 7 * cell[0] - 5 * cell[1]
        if abs(np.linalg.det(cell)) > 20:
            return cell


def random_atoms(kind=None, pbc=True):
    n = int(random.integers(1, 12))
    kind = kind or random.choice(["orthogonal", "triclinic", "skew", "left-handed"])
    numbers = np.sort(random.integers(1, 95, n))
    return Atoms(numbers, scaled_positions=random.uniform(-1, 2, (n, 3)), cell=random_cell(kind), pbc=pbc)


def same_atoms(a, b, tolerance=0.0):
    """Everything but info: '' or what differs."""
    if len(a) != len(b) or not (a.numbers == b.numbers).all():
        return "elements"
    if not (a.pbc == b.pbc).all():
        return "pbc"
    if np.abs(a.cell[:] - b.cell[:]).max() > tolerance:
        return "cell"
    error = np.abs(a.positions - b.positions).max()
    return f"positions {error:.3g}" if error > tolerance else ""


def free_mask(atoms):
    """(n,3) from Cartesian constraints."""
    mask = np.ones((len(atoms), 3), bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            mask[constraint.index] = False
        elif isinstance(constraint, FixCartesian):
            mask[constraint.index] &= ~np.asarray(constraint.mask)
        elif isinstance(constraint, FixScaled):
            mask[constraint.index] &= ~np.asarray(constraint.mask)
    return mask


def same_value(a, b):
    try:
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype.kind in "fi" and b.dtype.kind in "fi":
            return a.shape == b.shape and np.array_equal(a.astype(float), b.astype(float), equal_nan=True)
        return a.shape == b.shape and (a == b).all()
    except (ValueError, TypeError):
        return a == b


# ---- extended XYZ ------------------------------------------------------------------------------

INFO = {
    "energy_old": -12.345678901234567, "step": 7, "name": "a b", "quote": 'say "yes"', "apostrophe": "it's",
    "flag": True, "off": False, "vector": np.array([1.5, -2.25e-30, 3e22]), "whole": np.array([1, 2, 3]),
    "bools": np.array([True, False, True]), "brackets": "[x] {y}", "equals": "a=b", "comma": "a,b",
    "nested": {"a": [1, 2], "b": "text"}, "matrix": np.arange(6.0).reshape(2, 3), "empty_list": [], "unicode": "Å",
}


def extxyz_frame():
    atoms = random_atoms(pbc=random.random(3) < 0.6)
    if random.random() < 0.15:
        atoms.set_cell(None)
        atoms.pbc = False
    n = len(atoms)
    for key in random.permutation(list(INFO))[: random.integers(0, 7)]:
        atoms.info[str(key)] = INFO[str(key)]
    if random.random() < 0.5:
        atoms.new_array("labels", random.integers(-5, 5, n))
    if random.random() < 0.5:
        atoms.new_array("momenta", random.normal(size=(n, 3)))
    if random.random() < 0.3:
        atoms.new_array("is_surface", random.random(n) < 0.5)
    choice = random.random()
    if choice < 0.3:
        atoms.set_constraint(FixAtoms(mask=random.random(n) < 0.5))
    elif choice < 0.6:
        atoms.set_constraint([FixCartesian(i, mask=random.random(3) < 0.5) for i in range(n)])
    if random.random() < 0.5:
        atoms.calc = SinglePointCalculator(atoms, energy=random.normal(), forces=random.normal(size=(n, 3)),
                                           stress=random.normal(size=6), magmoms=random.normal(size=n))
    return atoms


def compare_extxyz(name, want, got):
    check("extxyz", name, same_atoms(want, got) == "", same_atoms(want, got))
    check("extxyz", name, (free_mask(want) == free_mask(got)).all(), "move_mask")
    check("extxyz", name, sorted(want.info) == sorted(got.info), f"info {sorted(want.info)} {sorted(got.info)}")
    for key in want.info:
        check("extxyz", name, same_value(want.info[key], got.info.get(key)),
              f"info {key}: {want.info[key]!r} {got.info.get(key)!r}")
    check("extxyz", name, sorted(want.arrays) == sorted(got.arrays), "arrays")
    for key in want.arrays:
        check("extxyz", name, same_value(want.arrays[key], got.arrays.get(key)), f"array {key}")
    results = [frame.calc.results if frame.calc else {} for frame in (want, got)]
    check("extxyz", name, sorted(results[0]) == sorted(results[1]), "results")
    for key in results[0]:
        check("extxyz", name, same_value(results[0][key], results[1].get(key)), f"result {key}")


def check_extxyz(folder):
    for k in range(60):
        frames = [extxyz_frame() for _ in range(random.integers(1, 5))]
        path = os.path.join(folder, f"{k}.extxyz")
        ase.io.write(path, frames)
        want, got = ase.io.read(path, ":"), ours(path)
        check("extxyz", path, got is not None and len(got) == len(want), "number of frames")
        for a, b in zip(want, got or []):
            compare_extxyz(path, a, b)
        again = ours(write(folder, "again.extxyz", convert(path, "extxyz") or ""))
        for a, b in zip(got or [], again or []):
            compare_extxyz(path + " again", a, b)


# ---- POSCAR ------------------------------------------------------------------------------------


def check_poscar_ase(folder):
    for k in range(60):
        atoms = random_atoms()
        n = len(atoms)
        choice = random.random()
        if choice < 0.3:
            atoms.set_constraint(FixAtoms(mask=random.random(n) < 0.5))
        elif choice < 0.6:
            atoms.set_constraint([FixScaled(i, random.random(3) < 0.5, atoms.cell) for i in range(n)])
        path = os.path.join(folder, f"ase{k}.vasp")
        ase.io.write(path, atoms, format="vasp", direct=bool(k & 1), vasp5=k % 3 > 0)
        want, got = ase.io.read(path), ours(path)
        if got is None:
            continue
        check("POSCAR by ASE", path, same_atoms(want, got[0], 1e-9) == "", same_atoms(want, got[0], 1e-9))
        direct = got[0].arrays.get("move_mask_direct")
        mask = direct if direct is not None else free_mask(got[0])
        check("POSCAR by ASE", path, (free_mask(want) == mask).all(), "selective dynamics")
        back = ase.io.read(write(folder, "back.vasp", convert(path, "poscar") or ""))
        check("POSCAR to ASE", path, same_atoms(want, back, 1e-9) == "", same_atoms(want, back, 1e-9))
        check("POSCAR to ASE", path, (free_mask(want) == free_mask(back)).all(), "selective dynamics")


def same_structure(group, name, structure, atoms, tolerance=1e-9):
    """Same order, same orientation."""
    good = [site.specie.Z for site in structure] == list(atoms.numbers)
    check(group, name, good, "elements")
    check(group, name, np.abs(structure.lattice.matrix - atoms.cell[:]).max() < tolerance, "cell")
    if good:
        check(group, name, np.abs(structure.cart_coords - atoms.positions).max() < tolerance, "positions")


def check_poscar_pymatgen(folder):
    for k in range(60):
        atoms = random_atoms()
        structure = Structure(atoms.cell[:], atoms.numbers, atoms.get_scaled_positions(wrap=False))
        n = len(structure)
        selective = (random.random((n, 3)) < 0.5).tolist() if k % 2 else None
        velocities = random.normal(size=(n, 3)).tolist() if k % 3 == 0 else None
        poscar = Poscar(structure, selective_dynamics=selective, velocities=velocities)
        text = poscar.get_str(direct=k % 5 != 0, vasp4_compatible=False, significant_figures=16)
        if k % 4 == 1:  # a volume instead of a scale
            lines = text.split("\n")
            lines[1] = f"{-structure.volume * 1.1:.16f}"
            text = "\n".join(lines)
        path = write(folder, f"POSCAR_{k}", text)
        want = Poscar.from_str(text)
        got = ours(path)
        if got is None:
            continue
        # pymatgen scales Cartesian coordinates wrongly with a negative scale: only direct ones are compared
        if not (k % 4 == 1 and k % 5 == 0):
            same_structure("POSCAR by pymatgen", path, want.structure, got[0], 1e-8)
        if selective:
            direct = got[0].arrays.get("move_mask_direct")
            mask = direct if direct is not None else free_mask(got[0])
            check("POSCAR by pymatgen", path, (mask == np.array(selective)).all(), "selective dynamics")
        back = Poscar.from_str(convert(path, "poscar") or "")
        same_structure("POSCAR to pymatgen", path, back.structure, got[0])


# ---- CIF ---------------------------------------------------------------------------------------


def same_crystal(group, name, want_cell, want_numbers, want_fractions, atoms, tolerance=2e-4):
    """Same cell parameters, same set of atoms up to whole cell vectors."""
    cell = atoms.cell.cellpar()
    check(group, name, np.abs(cell - want_cell).max() < 1e-5, f"cell {cell} {want_cell}")
    want_numbers = np.asarray(want_numbers)
    good = len(want_numbers) == len(atoms) and (np.sort(want_numbers) == np.sort(atoms.numbers)).all()
    check(group, name, good, f"atoms {len(atoms)} instead of {len(want_numbers)}")
    if not good:
        return
    way = atoms.get_scaled_positions(wrap=False)[:, None, :] - np.asarray(want_fractions)[None, :, :]
    way = np.abs(way - np.round(way)).max(axis=2)
    way[atoms.numbers[:, None] != want_numbers[None, :]] = 9
    partner = way.argmin(axis=1)
    check(group, name, len(set(partner)) == len(atoms) and way.min(axis=1).max() < tolerance,
          f"positions {way.min(axis=1).max():.3g}")


def lattice_of(number):
    a, b, c = random.uniform(5, 9, 3)
    if number <= 2:
        return Lattice.from_parameters(a, b, c, *random.uniform(70, 110, 3))
    if number <= 15:
        return Lattice.monoclinic(a, b, c, random.uniform(92, 115))
    if number <= 74:
        return Lattice.orthorhombic(a, b, c)
    if number <= 142:
        return Lattice.tetragonal(a, c)
    return Lattice.hexagonal(a, c) if number <= 194 else Lattice.cubic(a)


SPECIAL = [(0, 0, 0), (0.5, 0.5, 0.5), (1 / 3, 2 / 3, 0.25), (0, 0.5, 0.25), (0.25, 0.25, 0.25), (0.5, 0, 0)]


def from_group(number):
    """A random crystal of a space group: a general position and one or two special ones; None when atoms collide."""
    symbol = SpaceGroup.from_int_number(number).symbol
    for _ in range(20):
        special = random.permutation(len(SPECIAL))[:2]
        coords = [SPECIAL[i] for i in special[: random.integers(1, 3)]] + [random.uniform(0.05, 0.95, 3)]
        species = random.permutation(["Li", "O", "Mn", "Fe", "Si", "Na"])[: len(coords)]
        structure = Structure.from_spacegroup(symbol, lattice_of(number), species, coords)
        if len(structure) == 1 or structure.distance_matrix[np.triu_indices(len(structure), 1)].min() > 0.35:
            return structure
    return None


def cif_by_hand(structure, number, sites):
    """A CIF with the operations of pymatgen's own table and short coordinates, as in old databases."""
    group = SpaceGroup.from_int_number(number)
    lattice = structure.lattice
    lines = ["#comment", "data_by_hand", f"_symmetry_space_group_name_H-M '{group.symbol}'"]
    for key, value in zip(("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"),
                          lattice.parameters):
        lines.append(f"_cell_{key} {value:.6f}(2)")
    lines += ["loop_", "_symmetry_equiv_pos_site_id", "_symmetry_equiv_pos_as_xyz"]
    lines += [f"{i} '{op.as_xyz_str()}'" for i, op in enumerate(group.symmetry_ops, 1)]
    lines += ["loop_", "_atom_site_label", "_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"]
    lines += [f"{symbol}1 " + " ".join(f"{x:.4f}(1)" for x in coords) for symbol, coords in sites]
    return "\n".join(lines) + "\n"


def check_cif_groups(folder):
    for number in range(1, 231):
        structure = from_group(number)
        if structure is None:
            failures.append(f"space group {number}: no example found")
            continue
        name = f"group {number}"
        path = write(folder, f"group{number}.cif", str(CifWriter(structure, symprec=1e-3, significant_figures=10)))
        got = ours(path)
        if got is None:
            continue
        want = CifParser(path).parse_structures(primitive=False)[0]
        same_crystal("CIF by pymatgen", name, want.lattice.parameters, want.atomic_numbers, want.frac_coords, got[0])
        want = ase.io.read(path)
        same_crystal("CIF by pymatgen, ASE reads", name, want.cell.cellpar(), want.numbers,
                     want.get_scaled_positions(), got[0])
        back = CifParser.from_str(convert(path, "cif")).parse_structures(primitive=False)[0]
        same_crystal("CIF to pymatgen", name, back.lattice.parameters, back.atomic_numbers, back.frac_coords, got[0])


def check_cif_by_hand(folder):
    for number in (2, 14, 15, 62, 63, 88, 122, 139, 141, 148, 152, 160, 164, 166, 167, 176, 186, 187, 191, 194, 198,
                   205, 206, 216, 221, 225, 227, 229, 230):
        sites = [("O", (1 / 3, 2 / 3, 0.25)), ("Mn", (0, 0, 0)), ("Li", (0.1234, 0.2468, 0.0617))]
        symbol = SpaceGroup.from_int_number(number).symbol
        structure = Structure.from_spacegroup(symbol, lattice_of(number), [s for s, _ in sites], [x for _, x in sites])
        if structure.distance_matrix[np.triu_indices(len(structure), 1)].min() < 0.35:
            sites = sites[1:2]
            structure = Structure.from_spacegroup(symbol, structure.lattice, ["Mn"], [(0, 0, 0)])
        path = write(folder, f"hand{number}.cif", cif_by_hand(structure, number, sites))
        got = ours(path)
        if got is not None:
            same_crystal("CIF by hand", f"group {number}", structure.lattice.parameters, structure.atomic_numbers,
                         structure.frac_coords, got[0])


def check_cif_ase(folder):
    for k in range(60):
        atoms = random_atoms()
        path = os.path.join(folder, f"ase{k}.cif")
        ase.io.write(path, atoms)
        want, got = ase.io.read(path), ours(path)
        if got is None:
            continue
        same_crystal("CIF by ASE", path, want.cell.cellpar(), want.numbers, want.get_scaled_positions(), got[0])
        source = os.path.join(folder, "full.extxyz")
        ase.io.write(source, atoms)
        source_atoms = ase.io.read(source)
        back = ase.io.read(write(folder, "back.cif", convert(source, "cif") or ""))
        same_crystal("CIF to ASE", path, back.cell.cellpar(), back.numbers, back.get_scaled_positions(), source_atoms)


def check_blocks(folder):
    structures = [from_group(n) for n in (1, 62, 166, 225)]
    text = "data_global\n_publ_section_title\n;\n two lines 'and \" quotes\n;\n"
    text += "\n".join(str(CifWriter(s, symprec=1e-3, significant_figures=10)) for s in structures)
    got = ours(write(folder, "blocks.cif", text))
    check("CIF blocks", "number", got is not None and len(got) == 4)
    for k, (structure, atoms) in enumerate(zip(structures, got or [])):
        check("CIF blocks", str(k), sorted(structure.atomic_numbers) == sorted(atoms.numbers), "atoms")
        check("CIF blocks", str(k), abs(structure.volume - atoms.get_volume()) < 1e-5, "volume")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for part in (check_extxyz, check_poscar_ase, check_poscar_pymatgen, check_cif_groups, check_cif_by_hand,
                     check_cif_ase, check_blocks):
            part(folder)
    for group, count in checked.items():
        bad = sum(text.startswith(group + ":") for text in failures)
        print(f"{group:28s} {count:6d} comparisons, {bad} differ")
    for text in failures[:40]:
        print("  " + text)
    print(f"check_structures: {sum(checked.values())} comparisons, {len(failures)} failures")
    return 1 if failures or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
