#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reference relaxations by ASE with upstream's calculator, its parameters and graph widened to float64.

Each case is two frames of OUT.extxyz: the start, with its constraints and the info keys
  case, optimizer (fire, lbfgs, bfgs), cell (as `chgnet relax --cell`), fmax (eV/A), pressure (GPa)
and the end, with
  case, steps, energies (steps+1; eV, pressure's part not included), forces_max (steps+1; ASE's generalised ones, eV/A)
tests/test_relax_reference.c relaxes the starts anew.
"""
import argparse
import contextlib
import io
import os
import sys
import warnings

MASKS = {"inplane": [1, 1, 0, 0, 0, 1], "z-fixed": [1, 1, 0, 1, 1, 1]}
FMAX = 0.02


def structures(small, large):
    """The four kinds of structure, away from their minima; `small` holds LiMnO2, `large` Li9Co7O16 by its info key id."""
    import numpy as np
    from ase.build import add_adsorbate, fcc111
    from ase.constraints import FixAtoms
    from ase.io import read
    from ase.spacegroup import crystal

    made = {"LiMnO2": read(small)}
    made["Li9Co7O16"] = next(frame for frame in read(large, ":") if frame.info["id"] == "Li9Co7O16")
    for name in made:
        made[name].info.clear()
        strain = np.array([[0.02, 0.01, 0], [0.01, -0.015, 0.005], [0, 0.005, 0.01]])
        made[name].set_cell(made[name].cell[:] @ (np.eye(3) + strain), scale_atoms=True)
    slab = fcc111("Cu", (2, 2, 4), a=3.64, vacuum=7.0, periodic=True)
    add_adsorbate(slab, "S", 1.9, "ontop")
    slab.positions[-1] += (0.35, 0.2, 0)
    slab.set_constraint(FixAtoms(mask=slab.get_tags() > 2))
    made["S-Cu111"] = slab
    made["SrTiO3"] = crystal(["Sr", "Ti", "O"], [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)], spacegroup=221,
                             cellpar=[3.95, 3.95, 3.95, 90, 90, 90])
    strain = np.array([[0.03, 0.02, -0.01], [0.02, -0.02, 0.015], [-0.01, 0.015, 0.01]])
    made["SrTiO3"].set_cell(made["SrTiO3"].cell[:] @ (np.eye(3) + strain), scale_atoms=True)
    made["SrTiO3"].info.clear()
    for seed, name in enumerate(made):
        made[name].rattle(0.04, seed=seed)
        made[name].positions = np.round(made[name].positions, 8)  # the digits that the file has
        for key in list(made[name].arrays):
            if key not in ("numbers", "positions"):
                del made[name].arrays[key]
    return made


# structure, optimizer, cell, pressure in GPa
CASES = [
    ("LiMnO2", "fire", "full", 0), ("LiMnO2", "lbfgs", "full", 0), ("LiMnO2", "bfgs", "full", 0),
    ("LiMnO2", "fire", "none", 0), ("LiMnO2", "bfgs", "z-fixed", 0),
    ("Li9Co7O16", "lbfgs", "full", 0),
    ("S-Cu111", "fire", "none", 0), ("S-Cu111", "lbfgs", "none", 0), ("S-Cu111", "bfgs", "none", 0),
    ("SrTiO3", "fire", "full", 0), ("SrTiO3", "lbfgs", "full", 0), ("SrTiO3", "bfgs", "full", 5),
    ("SrTiO3", "lbfgs", "hydrostatic", 5), ("SrTiO3", "lbfgs", "shape", 0), ("SrTiO3", "bfgs", "inplane", 0),
]


def relax(start, optimizer, cell, pressure, calculator):
    import numpy as np
    from ase import units
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS, FIRE, LBFGS

    atoms = start.copy()
    atoms.calc = calculator
    target = atoms
    if cell != "none":
        target = FrechetCellFilter(atoms, mask=MASKS.get(cell), hydrostatic_strain=cell == "hydrostatic",
                                   constant_volume=cell == "shape", scalar_pressure=pressure * units.GPa)
    run = {"fire": FIRE, "lbfgs": LBFGS, "bfgs": BFGS}[optimizer](target, logfile=None)
    energies, forces = [], []

    def note():
        energies.append(float(atoms.get_potential_energy()))
        forces.append(float(np.linalg.norm(target.get_forces(), axis=1).max()))

    run.attach(note)
    if not run.run(fmax=FMAX, steps=400):
        raise RuntimeError("not converged")
    end = atoms.copy()
    end.set_constraint()
    end.info.update(steps=run.nsteps, energies=np.array(energies), forces_max=np.array(forces))
    return end


def main():
    parser = argparse.ArgumentParser(description="Relax structures by ASE with upstream's chgnet 0.4.2 in float64; needs "
                                     "chgnet, torch, ase.")
    parser.add_argument("small", metavar="LiMnO2.extxyz", help="examples/LiMnO2.extxyz")
    parser.add_argument("large", metavar="STRUCTURES.extxyz", help="benchmarks/structures.extxyz")
    parser.add_argument("out", metavar="OUT.extxyz")
    args = parser.parse_args()

    warnings.filterwarnings("ignore")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from ase.io import write
    from chgnet.model.dynamics import CHGNetCalculator
    from make_reference import Upstream

    upstream = Upstream("0.3.0", 64)
    with contextlib.redirect_stdout(io.StringIO()):
        calculator = CHGNetCalculator(upstream.model, use_device="cpu", on_isolated_atoms="ignore")
    starts, frames = structures(args.small, args.large), []
    for number, (name, optimizer, cell, pressure) in enumerate(CASES):
        start = starts[name].copy()
        end = relax(start, optimizer, cell, pressure, calculator)
        key = f"{name}-{optimizer}-{cell}" + (f"-{pressure}GPa" if pressure else "")
        start.info.update(case=key, optimizer=optimizer, cell=cell, fmax=FMAX, pressure=float(pressure))
        end.info["case"] = key
        frames += [start, end]
        print(f"{number + 1}/{len(CASES)} {key}: {end.info['steps']} steps, {end.info['energies'][-1]:.6f} eV", flush=True)
    write(args.out, frames, format="extxyz", write_results=False)


if __name__ == "__main__":
    main()
