#!/usr/bin/env python3
"""Run upstream's documented inference usage twice, with `chgnet` and with `chgnet_native` in the import lines.

Usage: check_python.py CHGNET

CHGNET is the built command, beside whose folder .libs/libchgnet.so lies.  Needs chgnet, ase, pymatgen, and numpy.
Run by `make check-upstream`.
"""

# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import io
import os
import pickle
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from ase import units

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src" / "python"))
os.environ["CHGNET_LIBRARY"] = str(Path(sys.argv[1]).resolve().parent / ".libs" / "libchgnet.so")
os.environ.setdefault("CHGNET_DEVICE", "cpu")
warnings.filterwarnings("ignore")
CIF = str(ROOT / "examples" / "LiMnO2.cif")
ROUNDING = 1e-4  # of upstream's single precision, of the largest number of an array or 1, as in check_predict.py
STRESS = 10  # times that: GPa
PATH = 1e-3  # likewise; a relaxation or a run adds up the roundings of its steps
failures = 0

# What upstream documents: its README, and the arguments of each class's own documentation.  {0} is the package.
PREDICT = """
from {0}.model.model import CHGNet
from pymatgen.core import Structure
model = CHGNet.load(model_name={1!r})
structure = Structure.from_file(CIF)
bigger = structure * (2, 1, 1)
results["README"] = model.predict_structure(structure)
for task in ("e", "ef", "em", "efs", "efsm"):
    results[task] = model.predict_structure(structure, task=task)
results["everything"] = model.predict_structure(
    structure, return_site_energies=True, return_atom_feas=True, return_crystal_feas=True)
results["list"] = model.predict_structure([structure, bigger, structure], batch_size=2)
results["list of one"] = model.predict_structure([structure], task="ef")
results["version"] = (model.version, model.n_params)
"""
FILE = """
from {0}.model.model import CHGNet
from pymatgen.core import Structure
results["file"] = CHGNet.from_file(CHECKPOINT).predict_structure(Structure.from_file(CIF))
"""
DYNAMICS = """
from {0}.model.model import CHGNet
from {0}.model.dynamics import MolecularDynamics
from {0}.utils import solve_charge_by_mag
from pymatgen.core import Structure
from ase.io.trajectory import Trajectory
from pymatgen.io.ase import AseAtomsAdaptor
structure = Structure.from_file(CIF)
structure.perturb(0.05, seed=1)
md = MolecularDynamics(
    atoms=structure, model=CHGNet.load(), ensemble={1!r}, thermostat={2!r}, temperature=1000, timestep=2,
    bulk_modulus=100, trajectory="md_out.traj", logfile="md_out.log", loginterval=2, crystal_feas_logfile="fea.pkl")
md.run(10)
trajectory = Trajectory("md_out.traj")
last = trajectory[-1]
results["number of frames"] = len(trajectory)
results["magmoms"] = np.array(last.get_magnetic_moments())
results["positions"] = last.get_positions()
results["cell"] = last.cell.array
results["stress"] = last.get_stress() / units.GPa
results["energy"] = np.array(last.get_potential_energy())
results["features"] = np.array(pickle.load(open("fea.pkl", "rb"))["crystal_feas"])
results["lines of the log"] = len(open("md_out.log").readlines())
charged = solve_charge_by_mag(AseAtomsAdaptor.get_structure(last))
results["charges"] = None if charged is None else [site.species_string for site in charged]
"""
RELAX = """
from {0}.model import StructOptimizer
from pymatgen.core import Structure
structure = Structure.from_file(CIF)
structure.perturb(0.1, seed=1)
structure.apply_strain([0.03, 0.01, -0.02])
relaxer = StructOptimizer(optimizer_class={1!r})
result = relaxer.relax(structure, relax_cell={2}, fmax=0.02, steps=100, verbose=False,
                       save_path="relax.pkl", crystal_feas_save_path="features.pkl")
final, path = result["final_structure"], result["trajectory"]
results["keys"] = sorted(result)
results["site properties"] = sorted(final.site_properties)
results["relaxed total energy in eV"] = np.array(path.energies[-1])
results["volume"] = np.array(final.volume)
results["lattice"] = np.array(final.lattice.abc + final.lattice.angles)
results["first energy"] = np.array(path.energies[0])
results["first forces"], results["first stress"] = path.forces[0], path.stresses[0] / units.GPa
results["first magmoms"] = np.array(path.magmoms[0])
saved = pickle.load(open("relax.pkl", "rb"))
results["saved"] = {{key: np.array(value).shape[1:] for key, value in saved.items()}}
results["features"] = np.array(pickle.load(open("features.pkl", "rb"))["crystal_feas"][0])
results["lengths agree"] = len(path) == len(saved["energy"])
"""
EQUATION = """
from {0}.model.dynamics import EquationOfState
from pymatgen.core import Structure
equation = EquationOfState()
equation.fit(Structure.from_file(CIF), n_points=5)
results["modulus"] = np.array([equation.get_bulk_modulus(), equation.get_bulk_modulus(unit="GPa"),
                               equation.get_compressibility(), equation.get_compressibility(unit="GPa^-1")])
"""
CALCULATOR = """
from {0}.model.dynamics import CHGNetCalculator
from ase.build import bulk
atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
atoms.rattle(0.1, seed=1)
atoms.calc = CHGNetCalculator(return_site_energies=True)
results["energy"] = np.array(atoms.get_potential_energy())
results["forces"], results["stress"] = atoms.get_forces(), atoms.get_stress() / units.GPa
results["magmoms"], results["energies"] = atoms.get_magnetic_moments(), atoms.get_potential_energies()
results["keys"] = sorted(atoms.calc.results)
results["features"] = atoms.calc.results["crystal_fea"]
"""


def check(good, text):
    global failures
    failures += not good
    print(f"{'ok' if good else 'FAILED'}  {text}")


def run(package, source, *arguments):
    """What the source puts into `results`, run in a folder of its own."""
    found = {}
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        try:
            names = {"results": found, "CIF": CIF, "CHECKPOINT": CHECKPOINT, "np": np, "pickle": pickle, "units": units}
            exec(compile(source.format(package, *arguments), package, "exec"), names)
        finally:
            os.chdir(here)
    return found


def compare(new, old, where, tolerance, exact_dtype):
    """Keys, shapes, types; values relative to the largest number."""
    if isinstance(old, dict):
        check(sorted(new) == sorted(old), f"{where}: keys {sorted(old)}")
        for key in old:
            compare(new[key], old[key], f"{where}: {key}", tolerance, exact_dtype)
    elif isinstance(old, list) and old and isinstance(old[0], dict):
        check(isinstance(new, list) and len(new) == len(old), f"{where}: a list of {len(old)}")
        for k, (a, b) in enumerate(zip(new, old)):
            compare(a, b, f"{where}[{k}]", tolerance, exact_dtype)
    elif isinstance(old, np.ndarray):
        same = new.shape == old.shape and (new.dtype == old.dtype or not exact_dtype)
        error = np.abs(new.astype(float) - old).max() / max(1, np.abs(old).max()) if same else np.inf
        allowed = tolerance * (STRESS if where.endswith(("stress", ": s")) else 1)
        good = same and type(new) is type(old) and error <= allowed
        check(good, f"{where}: {new.dtype}{new.shape}, error {error:.1e} of {allowed:g}")
    else:
        check(new == old, f"{where}: {new!r}, upstream {old!r}")


def both(title, source, *arguments, tolerance=ROUNDING, exact_dtype=False):
    compare(run("chgnet_native", source, *arguments), run("chgnet", source, *arguments), title, tolerance, exact_dtype)


import chgnet  # noqa: E402

RELEASED = Path(chgnet.__file__).parent / "pretrained"
CHECKPOINT = str(next((RELEASED / "0.3.0").glob("*.pth.tar")))
for release in ("0.3.0", "0.2.0", "r2scan"):
    both(f"predict_structure {release}", PREDICT, release, exact_dtype=True)
both("from_file", FILE, exact_dtype=True)
both("CHGNetCalculator", CALCULATOR)
for ensemble, thermostat in (
    ("nve", "any"),
    ("nvt", "Berendsen_inhomogeneous"),
    ("nvt", "Nose-Hoover"),
    ("npt", "Nose-Hoover"),
    ("npt", "Berendsen_inhomogeneous"),
    ("npt", "NPT_Berendsen"),
):
    both(f"MolecularDynamics {ensemble} {thermostat}", DYNAMICS, ensemble, thermostat, tolerance=PATH)
for optimizer, cell in (("FIRE", True), ("BFGS", True), ("LBFGS", False)):
    both(f"StructOptimizer {optimizer} cell {cell}", RELAX, optimizer, cell, tolerance=PATH)
both("EquationOfState", EQUATION, tolerance=1e-2)  # of the modulus: curvature of energies relaxed to fmax 0.1
print(f"{failures} failed")
sys.exit(failures > 0)
