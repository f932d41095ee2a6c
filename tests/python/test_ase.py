"""CHGNetCalculator under ASE's own checks, and the classes that build on it."""

# SPDX-License-Identifier: BSD-3-Clause
import contextlib
import copy
import importlib.util
import io
import os
import pickle
import tempfile
import time
import warnings

import ase.io
import numpy as np
from ase import Atoms, units
from ase.build import bulk, fcc111
from ase.calculators.calculator import PropertyNotImplementedError, all_changes
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.calculators.test import gradient_test
from ase.md.verlet import VelocityVerlet
from ase.outputs import all_outputs
from ase.stress import voigt_6_to_full_3x3_stress
from chgnet_native import Calculator, CHGNet, CHGNetCalculator, Model, UsageError
from chgnet_native.model.dynamics import MolecularDynamics
from tap import SOURCE, near, ok, predict, raises, run, same, skip

MODEL = Model()
CIF = SOURCE / "examples" / "LiMnO2.cif"


def salt(seed=1):
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True)
    atoms.rattle(0.1, seed=seed)
    return atoms


def results_protocol():
    """Names, types and shapes as ase.outputs defines them; ASE's getters give the results."""
    atoms = salt()
    atoms.calc = CHGNetCalculator(MODEL, return_site_energies=True)
    atoms.get_forces()
    results = atoms.calc.results
    known = {name: value for name, value in results.items() if name in all_outputs}
    ok(set(known) == {"energy", "free_energy", "forces", "stress", "magmoms", "energies"}, "results that ASE knows")
    properties = atoms.calc.export_properties()
    ok(properties["natoms"] == 8 and all(name in properties for name in known), "ase.outputs takes the results")
    ok(all(np.asarray(v).dtype == np.float64 for v in results.values()), "float64")
    ok(type(results["energy"]) is float and results["stress"].shape == (6,), "a float; Voigt's order")
    near(results["energies"].sum(), results["energy"], 1e-9, "energies add up")
    ok(atoms.get_properties(["energy", "forces"])["energy"] == results["energy"], "Atoms.get_properties")
    same(atoms.get_stress(voigt=False), voigt_6_to_full_3x3_stress(results["stress"]), "stress as a matrix")
    ok(atoms.get_potential_energy(force_consistent=True) == results["energy"], "free energy")
    ok(not atoms.calc.calculation_required(atoms, ["forces"]), "nothing to do for the same atoms")
    forces = atoms.get_forces()
    forces[:] = 0
    ok(np.abs(atoms.get_forces()).max() > 0.01, "results are copied to the caller")
    atoms.positions[0, 0] += 0.01
    ok(atoms.calc.calculation_required(atoms, ["forces"]), "moved atoms are noticed")
    molecule = Atoms("H2O", positions=[[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    molecule.calc = CHGNetCalculator(MODEL)
    ok(molecule.get_forces().shape == (3, 3), "without a cell")
    raises(PropertyNotImplementedError, "", molecule.get_stress, "stress without a cell")
    raises(PropertyNotImplementedError, "", molecule.calc.get_dipole_moment, "a dipole moment")
    slab = fcc111("Cu", (1, 1, 3), vacuum=6)
    ok(not slab.pbc[2], "a slab")
    slab.calc = CHGNetCalculator(MODEL, precision="double")
    near(calculate_numerical_stress(slab, eps=1e-4)[[0, 1, 5]], slab.get_stress()[[0, 1, 5]], 1e-7, "stress of a slab")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.traj")
        ase.io.write(path, atoms)
        atoms.get_forces()
        ase.io.write(path, atoms)
        back = ase.io.read(path)
        same(back.get_magnetic_moments(), atoms.get_magnetic_moments(), "ASE's trajectory file keeps the magmoms")


def energy_first():
    """A pass without forces, then what is missing; bits as at once."""
    whole, parts = salt(), salt()
    whole.calc, parts.calc = CHGNetCalculator(MODEL), CHGNetCalculator(MODEL)
    forces = whole.get_forces()
    ok("forces" not in (parts.get_potential_energy(), parts.calc.results)[1], "energy alone needs no forces")
    ok(parts.get_potential_energy() == whole.get_potential_energy(), "energy alone: the same bits")
    parts.get_potential_energies()
    same(parts.get_forces(), forces, "forces later: the same bits")
    same(parts.get_stress(), whole.get_stress(), "stress later: the same bits")
    calculator = CHGNetCalculator(MODEL)
    calculator.calculate(whole, ["energy", "forces"], all_changes, task="e")
    ok(sorted(calculator.results) == ["crystal_fea", "energy", "free_energy"], "task e")


def numeric_forces_and_stress():
    """Central differences in double precision: of order 1e-4^2 times the third derivative."""
    for atoms in (salt(), bulk("Cu") * (2, 1, 1), ase.io.read(CIF)):
        atoms.rattle(0.05, seed=2)
        atoms.calc = CHGNetCalculator(MODEL, precision="double")
        near(calculate_numerical_forces(atoms, eps=1e-4), atoms.get_forces(), 2e-6, f"{atoms.symbols}: numeric forces")
        near(calculate_numerical_stress(atoms, eps=1e-4), atoms.get_stress(), 1e-6, f"{atoms.symbols}: numeric stress")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analytic, numeric = gradient_test(atoms, indices=[0, 3])
    near(analytic, numeric, 1e-5, "ase.calculators.test.gradient_test")


def bits_of_the_command():
    frame = predict(CIF)[0]
    atoms = Atoms(frame["numbers"], frame["positions"], cell=frame["cell"], pbc=True)
    atoms.calc = CHGNetCalculator(MODEL)
    same(atoms.get_potential_energy(), frame["energy"], "energy of the command")
    same(atoms.get_forces(), frame["forces"], "forces of the command")
    near(atoms.get_stress(voigt=False) / units.GPa, frame["stress"], 1e-14, "stress of the command, in other units")
    same(atoms.get_magnetic_moments(), frame["magmom"], "magmoms of the command")


def dynamics_keep_bits():
    """A run with a skin and one without it."""
    energies = []
    for skin in (0.0, 1.0):
        atoms = salt()
        atoms.calc = CHGNetCalculator(MODEL, skin=skin)
        VelocityVerlet(atoms, timestep=2 * units.fs).run(15)
        energies.append((atoms.get_potential_energy(), atoms.positions.sum()))
    ok(energies[0] == energies[1], "molecular dynamics: the same bits with and without a skin")
    atoms.set_cell(atoms.cell * 1.01, scale_atoms=True)
    fresh = atoms.copy()
    fresh.calc = CHGNetCalculator(MODEL)
    same(atoms.get_forces(), fresh.get_forces(), "another cell is noticed")
    atoms.pbc = [True, True, False]
    fresh.pbc = atoms.pbc
    same(atoms.get_forces(), fresh.get_forces(), "other periodic axes are noticed")
    del atoms[0]
    ok(atoms.get_forces().shape == (7, 3), "fewer atoms are noticed")


def copies():
    atoms = salt()
    atoms.calc = CHGNetCalculator(MODEL, skin=0.5)
    energy = atoms.get_potential_energy()
    for name, calculator in (("pickle", pickle.loads(pickle.dumps(atoms.calc))), ("copy", copy.deepcopy(atoms.calc))):
        ok(calculator.skin == 0.5 and calculator.get_potential_energy(atoms) == energy, name)


def delta_model():
    from chgnet_native import Delta

    labels = ase.io.read(SOURCE / "tests" / "files" / "labels.extxyz", ":")
    energies = []
    for k, atoms in enumerate(labels):
        atoms.calc = CHGNetCalculator(MODEL)
        energies.append(atoms.get_potential_energy() + 0.1 * len(atoms) + 0.05 * (k % 3))
    delta = Delta.fit(MODEL, labels, energies, optimize=False)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "d.h5")
        delta.save(path)
        atoms = labels[0]
        atoms.calc = CHGNetCalculator(MODEL, delta=path, precision="double")
        corrected = atoms.get_potential_energy()
        ok(abs(corrected - energies[0]) < abs(0.1 * len(atoms)), "a delta-model corrects")
        ok(atoms.calc.results["energy_std"] >= 0, "energy_std", str(atoms.calc.results["energy_std"]))
        ok(atoms.calc.get_property("energy_std", atoms) == atoms.calc.results["energy_std"], "energy_std as a property")
        near(
            calculate_numerical_forces(atoms, eps=1e-4, iatoms=[0, 1]),
            atoms.get_forces()[:2],
            1e-5,
            "numeric forces with a delta-model",
        )
        atoms.calc = CHGNetCalculator("r2scan", delta=path)
        raises(ValueError, "", atoms.get_potential_energy, "a delta-model of other weights")


def isolated_atoms():
    atoms = Atoms("He", cell=[20] * 3, pbc=True)
    atoms.calc = CHGNetCalculator(MODEL, on_isolated_atoms="error")
    for k in range(2):
        raises(ValueError, "without a neighbour", atoms.get_potential_energy, f"isolated atoms {k}")
    raises(UsageError, "on_isolated_atoms", lambda: Calculator(MODEL, on_isolated_atoms="x"), "no such answer")


def overhead():
    """Processor time of a step as molecular dynamics makes it, and how much of it the two C calls take, which do the
    work; salt has few neighbours, so that they are short."""
    from chgnet_native._library import library

    atoms = salt() * (2, 2, 2)
    ok(len(atoms) == 64, "64 atoms")
    atoms.calc = CHGNetCalculator(MODEL, skin=1.0, threads=1)
    start = atoms.get_positions()
    atoms.get_forces()
    inside, whole, calls = [], [], ("calculator_set_positions", "calculator_compute")
    plain = {name: getattr(library, name) for name in calls}

    def timed(function):
        def call(*arguments):
            before = time.thread_time()
            status = function(*arguments)
            inside[-1] += time.thread_time() - before
            return status

        return call

    for name in calls:
        setattr(library, name, timed(plain[name]))
    for k in range(40):
        atoms.positions = start + 0.001 * np.random.default_rng(k).normal(size=(64, 3))
        inside.append(0)
        before = time.thread_time()
        atoms.get_forces()
        whole.append(time.thread_time() - before)
    for name in calls:
        setattr(library, name, plain[name])
    added, c = np.median(np.subtract(whole, inside)), np.median(inside)
    ok(added < 0.05 * c, "overhead over the C call at 64 atoms is below 5 %",
       f"{100 * added / c:.1f} %: {1e3 * added:.2f} ms, C {1e3 * c:.2f} ms")  # fmt: skip


def molecular_dynamics():
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = os.path.join(folder, "md")
        for ensemble, thermostat in (
            ("nve", "any"),
            ("nvt", "Berendsen"),
            ("nvt", "Nose-Hoover"),
            ("npt", "Nose-Hoover"),
            ("npt", "Berendsen_inhomogeneous"),
            ("npt", "NPT_Berendsen"),
        ):
            dynamics = MolecularDynamics(
                atoms=salt(), model=CHGNet(MODEL), ensemble=ensemble, thermostat=thermostat, starting_temperature=300,
                timestep=1, bulk_modulus=25, trajectory=path + ".traj", logfile=path + ".log", loginterval=2,
                crystal_feas_logfile=path + ".pkl")  # fmt: skip
            dynamics.run(4)
            frames = ase.io.read(path + ".traj", ":")
            with open(path + ".pkl", "rb") as file:
                features = np.array(pickle.load(file)["crystal_feas"])
            good = len(frames) == 3 and features.shape == (3, 64) and "magmoms" in frames[-1].calc.results
            report.append((good, f"MolecularDynamics {ensemble} {thermostat}"))
        for kind, wrong in (("ensemble", {"ensemble": "nvx"}), ("thermostat", {"thermostat": "x"})):
            try:
                MolecularDynamics(atoms=salt(), model=CHGNet(MODEL), **wrong)
            except ValueError as error:
                report.append((kind in str(error), f"MolecularDynamics: no such {kind}"))
    skewed = bulk("Cu")
    dynamics = MolecularDynamics.__new__(MolecularDynamics)
    dynamics.atoms = skewed
    volume, lengths = skewed.get_volume(), skewed.cell.cellpar()
    dynamics.upper_triangular_cell()
    report.append((not np.tril(skewed.cell.array, -1).any(), "the cell is upper triangular"))
    report.append((np.allclose(skewed.cell.cellpar(), lengths), "its lengths and angles are kept"))
    report.append((abs(skewed.get_volume() - volume) < 1e-9, "its volume is kept"))
    for good, name in report:
        ok(good, name)


def with_pymatgen():
    if not importlib.util.find_spec("pymatgen"):
        skip("relaxation and equation of state: pymatgen is not here")
        return
    warnings.filterwarnings("ignore", module="pymatgen")
    from chgnet_native.model import StructOptimizer
    from chgnet_native.model.dynamics import EquationOfState
    from pymatgen.core import Structure

    structure = Structure.from_file(CIF)
    result = StructOptimizer(CHGNet(MODEL)).relax(structure, fmax=0.05, verbose=False)
    final, path = result["final_structure"], result["trajectory"]
    ok(isinstance(final, Structure) and sorted(final.site_properties) == ["magmom"], "relax: final structure")
    ok(np.abs(path.forces[-1]).max() < 0.05 and len(path.energies) == len(path), "relax: trajectory")
    raises(ValueError, "optimizer", lambda: StructOptimizer(CHGNet(MODEL), "x"), "no such optimizer")
    raises(
        ValueError, "filter", lambda: StructOptimizer(CHGNet(MODEL)).relax(structure, ase_filter="x"), "no such filter"
    )
    equation = EquationOfState(CHGNet(MODEL))
    raises(ValueError, "fit", equation.get_bulk_modulus, "before the fit")
    equation.fit(salt(), n_points=5)
    near(
        equation.get_bulk_modulus("GPa") * equation.get_compressibility("GPa^-1"), 1, 1e-12, "modulus, compressibility"
    )
    ok(
        15 < equation.get_bulk_modulus("GPa") < 35,
        "bulk modulus of NaCl",
        f"{equation.get_bulk_modulus('GPa'):.1f} GPa",
    )


report = []
run(results_protocol, energy_first, numeric_forces_and_stress, bits_of_the_command, dynamics_keep_bits, copies,
    delta_model, isolated_atoms, overhead, molecular_dynamics, with_pymatgen)  # fmt: skip
