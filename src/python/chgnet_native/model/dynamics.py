"""Upstream's `chgnet.model.dynamics`: relaxation, molecular dynamics and equation of state by ASE.

pymatgen is imported where a pymatgen structure is taken or returned.
"""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import pickle
import sys
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ase import Atoms, filters, units
from ase.calculators.calculator import BaseCalculator

from chgnet_native.calculator import CHGNetCalculator
from chgnet_native.model.model import CHGNet

if TYPE_CHECKING:
    from ase.io import Trajectory
    from ase.optimize.optimize import Optimizer
    from pymatgen.core import Molecule, Structure

__all__ = [
    "CHGNet",
    "CHGNetCalculator",
    "CrystalFeasObserver",
    "EquationOfState",
    "MolecularDynamics",
    "OPTIMIZERS",
    "StructOptimizer",
    "TrajectoryObserver",
]


class _Optimizers(dict):
    """ASE's optimizers by name; each is imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Optimizer]:
        return getattr(importlib.import_module(super().__getitem__(name)), name)


OPTIMIZERS = _Optimizers(
    FIRE="ase.optimize.fire",
    BFGS="ase.optimize.bfgs",
    LBFGS="ase.optimize.lbfgs",
    LBFGSLineSearch="ase.optimize.lbfgs",
    MDMin="ase.optimize.mdmin",
    SciPyFminCG="ase.optimize.sciopt",
    SciPyFminBFGS="ase.optimize.sciopt",
    BFGSLineSearch="ase.optimize.bfgslinesearch",
)


def _as_atoms(structure: Atoms | Structure | Molecule) -> Atoms:
    """ase.Atoms as they are; pymatgen's by its adaptor."""
    if isinstance(structure, Atoms):
        return structure
    from pymatgen.io.ase import AseAtomsAdaptor

    return AseAtomsAdaptor.get_atoms(structure)


def _as_structure(atoms: Atoms) -> Structure:
    from pymatgen.io.ase import AseAtomsAdaptor

    return AseAtomsAdaptor.get_structure(atoms)


class StructOptimizer:
    """Relax structures by ASE's optimizers."""

    def __init__(
        self,
        model: CHGNet | CHGNetCalculator | None = None,
        optimizer_class: type[Optimizer] | str | None = "FIRE",
        use_device: str | None = None,
        stress_weight: float = units.GPa,
        on_isolated_atoms: Literal["ignore", "warn", "error"] = "warn",
    ) -> None:
        """Choose model and optimizer.

        Args:
            model: a CHGNet or a CHGNetCalculator, which then keeps its options; None: 0.3.0.
            optimizer_class: an optimizer of ASE's, or its name in OPTIMIZERS.
            use_device, stress_weight, on_isolated_atoms: as CHGNetCalculator.
        Raises:
            ValueError: no optimizer of that name.
        """
        if isinstance(optimizer_class, str):
            if optimizer_class not in OPTIMIZERS:
                raise ValueError(f"no optimizer {optimizer_class!r}; give one of {list(OPTIMIZERS)}")
            optimizer_class = OPTIMIZERS[optimizer_class]
        self.optimizer_class = optimizer_class
        if isinstance(model, CHGNetCalculator):
            self.calculator = model
        else:
            self.calculator = CHGNetCalculator(
                model=model,
                use_device=use_device,
                stress_weight=stress_weight,
                on_isolated_atoms=on_isolated_atoms,
            )

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.calculator.version

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.calculator.n_params

    def relax(
        self,
        atoms: Structure | Atoms,
        *,
        fmax: float | None = 0.1,
        steps: int | None = 500,
        relax_cell: bool | None = True,
        ase_filter: str | type | None = "FrechetCellFilter",
        save_path: str | None = None,
        loginterval: int | None = 1,
        crystal_feas_save_path: str | None = None,
        verbose: bool = True,
        assign_magmoms: bool = True,
        **kwargs: Any,
    ) -> dict[str, Structure | TrajectoryObserver]:
        """Relax until no force exceeds fmax, or the steps are spent.

        Args:
            atoms: a pymatgen Structure, or ase.Atoms, which are moved.
            fmax: eV/Angstrom.
            steps: at most so many.
            relax_cell: the cell too, through ase_filter.
            ase_filter: a filter of ase.filters, or its name.
            save_path: a pickle file for the trajectory.
            loginterval: observe every so many steps.
            crystal_feas_save_path: a pickle file for the crystal features.
            verbose: show the optimizer's lines.
            assign_magmoms: the final structure has the predicted "magmom" alone among its site properties.
            **kwargs: passed to the optimizer.
        Returns:
            {"final_structure": pymatgen Structure, "trajectory": TrajectoryObserver}
        Raises:
            ValueError: no filter of that name; a structure that cannot be used.
        """
        atoms = _as_atoms(atoms)
        atoms.calc = self.calculator
        with contextlib.redirect_stdout(sys.stdout if verbose else io.StringIO()):
            trajectory = TrajectoryObserver(atoms)
            observers: list[Any] = [trajectory]
            if crystal_feas_save_path:
                observers.append(CrystalFeasObserver(atoms))
            optimizer = self.optimizer_class(_find_filter(ase_filter)(atoms) if relax_cell else atoms, **kwargs)
            for observer in observers:
                optimizer.attach(observer, interval=loginterval)
            optimizer.run(fmax=fmax, steps=steps)
            trajectory()
        if save_path is not None:
            trajectory.save(save_path)
        if crystal_feas_save_path:
            observers[1].save(crystal_feas_save_path)
        return {"final_structure": _final_structure(atoms, assign_magmoms), "trajectory": trajectory}


def _find_filter(chosen: str | type | None) -> type:
    if not isinstance(chosen, str):
        return chosen
    known = [name for name, cls in inspect.getmembers(filters, inspect.isclass) if issubclass(cls, filters.Filter)]
    if chosen not in known:
        raise ValueError(f"no filter {chosen!r}; give one of {known}")
    return getattr(filters, chosen)


def _final_structure(atoms: Atoms, assign_magmoms: bool) -> Structure:
    structure = _as_structure(atoms)
    if assign_magmoms:
        for name in list(structure.site_properties):
            structure.remove_site_property(name)
        structure.add_site_property("magmom", atoms.get_magnetic_moments().tolist())
    return structure


class TrajectoryObserver:
    """Keeps what each step of an optimizer or a run has, in the units of ASE.

    energies [eV]; forces [(n,3) eV/A]; stresses [(6,) eV/A^3]; magmoms [(n,) mu_B]; atom_positions [(n,3) A];
    cells [(3,3) A].
    """

    def __init__(self, atoms: Atoms) -> None:
        """Observe these atoms."""
        self.atoms = atoms
        self.energies: list[float] = []
        self.forces: list[np.ndarray] = []
        self.stresses: list[np.ndarray] = []
        self.magmoms: list[np.ndarray] = []
        self.atom_positions: list[np.ndarray] = []
        self.cells: list[np.ndarray] = []

    def __call__(self) -> None:
        """Keep what the atoms have now."""
        forces = self.atoms.get_forces()  # first: one pass gives everything
        self.forces.append(forces)
        self.energies.append(self.compute_energy())
        self.stresses.append(self.atoms.get_stress())
        self.magmoms.append(self.atoms.get_magnetic_moments())
        self.atom_positions.append(self.atoms.get_positions())
        self.cells.append(self.atoms.cell.array.copy())

    def __len__(self) -> int:
        """How many were kept."""
        return len(self.energies)

    def compute_energy(self) -> float:
        """Potential energy, eV."""
        return self.atoms.get_potential_energy()

    def save(self, filename: str) -> None:
        """Write a pickle of a dict: energy, forces, stresses, magmoms, atom_positions, cell, atomic_number."""
        _save_pickle(
            filename,
            {
                "energy": self.energies,
                "forces": self.forces,
                "stresses": self.stresses,
                "magmoms": self.magmoms,
                "atom_positions": self.atom_positions,
                "cell": self.cells,
                "atomic_number": self.atoms.get_atomic_numbers(),
            },
        )


class CrystalFeasObserver:
    """Keeps the crystal features (64) of each step."""

    def __init__(self, atoms: Atoms) -> None:
        """Observe these atoms."""
        self.atoms = atoms
        self.crystal_feature_vectors: list[np.ndarray] = []

    def __call__(self) -> None:
        """Keep the last calculation's."""
        self.crystal_feature_vectors.append(self.atoms.calc.results["crystal_fea"])

    def __len__(self) -> int:
        """How many were kept."""
        return len(self.crystal_feature_vectors)

    def save(self, filename: str) -> None:
        """Write a pickle of {"crystal_feas": [...]}."""
        _save_pickle(filename, {"crystal_feas": self.crystal_feature_vectors})


def _save_pickle(filename: str, content: dict[str, Any]) -> None:
    with open(filename, "wb") as file:
        pickle.dump(content, file)


class MolecularDynamics:
    """Molecular dynamics by ASE."""

    def __init__(
        self,
        atoms: Atoms | Structure | Molecule,
        *,
        model: CHGNet | CHGNetCalculator | None = None,
        ensemble: str = "nvt",
        thermostat: str = "Berendsen_inhomogeneous",
        temperature: int = 300,
        starting_temperature: int | None = None,
        timestep: float = 2.0,
        pressure: float = 1.01325e-4,
        taut: float | None = None,
        taup: float | None = None,
        bulk_modulus: float | None = None,
        trajectory: str | Trajectory | None = None,
        logfile: str | None = None,
        loginterval: int = 1,
        crystal_feas_logfile: str | None = None,
        append_trajectory: bool = False,
        on_isolated_atoms: Literal["ignore", "warn", "error"] = "warn",
        return_site_energies: bool = False,
        use_device: str | None = None,
    ) -> None:
        """Prepare a run; `self.dyn` is ASE's object.

        Args:
            atoms: structure; ase.Atoms are moved.
            model: a CHGNet, or any calculator of ASE's; None: 0.3.0.
            ensemble: "nve", "nvt" or "npt".
            thermostat: "Nose-Hoover" or "Berendsen..." for nvt; "Nose-Hoover", "Berendsen_inhomogeneous" (three
                lengths of the cell) or "NPT_Berendsen" (its volume) for npt.
            temperature: K.
            starting_temperature: K, of velocities drawn anew; None: those that the atoms have.
            timestep: fs.
            pressure: GPa; 3x3 or 6 numbers for "Nose-Hoover".
            taut: fs, of the thermostat; None: 100 time steps.
            taup: fs, of the barostat; None: 1000 time steps.
            bulk_modulus: GPa, for npt; None: by EquationOfState, or 2 with a warning where that fails.
            trajectory, logfile, loginterval, append_trajectory: as ASE's.
            crystal_feas_logfile: a pickle file for the crystal features.
            on_isolated_atoms, return_site_energies, use_device: as CHGNetCalculator.
        Raises:
            ValueError: no such ensemble or thermostat.
        """
        self.ensemble, self.thermostat = ensemble, thermostat
        self.atoms = _as_atoms(atoms)
        if starting_temperature is not None:
            from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary

            MaxwellBoltzmannDistribution(self.atoms, temperature_K=starting_temperature, force_temp=True)
            Stationary(self.atoms)
        if not isinstance(model, BaseCalculator):
            model = CHGNetCalculator(
                model=model,
                use_device=use_device,
                on_isolated_atoms=on_isolated_atoms,
                return_site_energies=return_site_energies,
            )
        self.atoms.calc = model
        self.trajectory, self.logfile, self.loginterval = trajectory, logfile, loginterval
        self.timestep, self.crystal_feas_logfile = timestep, crystal_feas_logfile
        make = self._choose(ensemble.lower(), thermostat.lower())
        files = {
            "timestep": timestep * units.fs,
            "trajectory": trajectory,
            "logfile": logfile,
            "loginterval": loginterval,
            "append_trajectory": append_trajectory,
        }
        self._given = {
            "temperature": temperature,
            "pressure": pressure,
            "taut": (100 * timestep if taut is None else taut) * units.fs,
            "taup": (1000 * timestep if taup is None else taup) * units.fs,
        }
        if ensemble.lower() == "npt":
            self.bulk_modulus = self._estimate_bulk_modulus() if bulk_modulus is None else bulk_modulus
        self.dyn = make(files)
        print(f"{ensemble.upper()} molecular dynamics: {type(self.dyn).__name__}")

    def _choose(self, ensemble: str, thermostat: str):
        """The function that makes ASE's object."""
        if ensemble == "nve":
            return self._make_nve
        if ensemble == "nvt" and thermostat.startswith("berendsen"):
            return self._make_nvt_berendsen
        if ensemble in ("nvt", "npt") and thermostat == "nose-hoover":
            return self._make_nose_hoover
        if ensemble == "npt" and thermostat in ("berendsen_inhomogeneous", "npt_berendsen"):
            return self._make_npt_berendsen
        if ensemble not in ("nvt", "npt"):
            raise ValueError(f"ensemble {self.ensemble!r}; give 'nve', 'nvt' or 'npt'")
        raise ValueError(
            f"thermostat {self.thermostat!r} for {ensemble}; give 'Nose-Hoover', 'Berendsen_inhomogeneous', or "
            "'NPT_Berendsen' for npt"
        )

    def _make_nve(self, files: dict[str, Any]):
        from ase.md.verlet import VelocityVerlet

        return VelocityVerlet(self.atoms, **files)

    def _make_nvt_berendsen(self, files: dict[str, Any]):
        from ase.md.nvtberendsen import NVTBerendsen

        return NVTBerendsen(self.atoms, temperature_K=self._given["temperature"], taut=self._given["taut"], **files)

    def _make_nose_hoover(self, files: dict[str, Any]):
        """Nose-Hoover, with Parrinello-Rahman's cell for npt."""
        try:
            from ase.md.melchionna import MelchionnaNPT as NPT
        except ImportError:  # before ASE 3.26
            from ase.md.npt import NPT

        factor = None
        if self.ensemble.lower() == "npt":
            factor = self.bulk_modulus * units.GPa * self._given["taup"] ** 2
        self.upper_triangular_cell()
        return NPT(
            self.atoms,
            temperature_K=self._given["temperature"],
            externalstress=np.asarray(self._given["pressure"]) * units.GPa,
            ttime=self._given["taut"],
            pfactor=factor,
            **files,
        )

    def _make_npt_berendsen(self, files: dict[str, Any]):
        from ase.md.nptberendsen import Inhomogeneous_NPTBerendsen, NPTBerendsen

        by_name = {"npt_berendsen": NPTBerendsen, "berendsen_inhomogeneous": Inhomogeneous_NPTBerendsen}
        return by_name[self.thermostat.lower()](
            self.atoms,
            temperature_K=self._given["temperature"],
            pressure_au=self._given["pressure"] * units.GPa,
            taut=self._given["taut"],
            taup=self._given["taup"],
            compressibility_au=1 / (self.bulk_modulus * units.GPa),
            **files,
        )

    def _estimate_bulk_modulus(self) -> float:
        """GPa, by EquationOfState; 2 (water's) where its fit fails, as it may for what is soft."""
        try:
            equation = EquationOfState(model=self.atoms.calc)
            equation.fit(atoms=self.atoms, steps=500, fmax=0.1, verbose=False)
            found = equation.get_bulk_modulus(unit="GPa")
        except Exception as error:  # whatever the fit's libraries raise: the run can go on
            warnings.warn(
                f"no bulk modulus from an equation of state ({error}); 2 GPa sets the barostat's time: give "
                "bulk_modulus",
                stacklevel=3,
            )
            return 2.0
        print(f"bulk modulus by equation of state: {found:.3g} GPa")
        return found

    def run(self, steps: int) -> None:
        """Make so many time steps."""
        observer = None
        if self.crystal_feas_logfile:
            observer = CrystalFeasObserver(self.atoms)
            self.dyn.attach(observer, interval=self.loginterval)
        self.dyn.run(steps)
        if observer is not None:
            observer.save(self.crystal_feas_logfile)

    def set_atoms(self, atoms: Atoms) -> None:
        """Go on with other atoms, and the same calculator."""
        atoms.calc = self.atoms.calc
        self.atoms = self.dyn.atoms = atoms

    def upper_triangular_cell(self, *, verbose: bool | None = False) -> None:
        """Turn the cell so that it is upper triangular, as ASE's Nose-Hoover needs it; the atoms keep their
        fractional coordinates."""
        cell = self.atoms.cell.array
        if not np.tril(cell, -1).any():
            return
        # Lower triangular of the vectors in reverse order; both orders reversed once more make it upper triangular.
        lower = np.linalg.cholesky((cell @ cell.T)[::-1, ::-1])
        self.atoms.set_cell(lower[::-1, ::-1], scale_atoms=True)
        if verbose:
            print("the cell was turned to be upper triangular", flush=True)


class EquationOfState:
    """Energy against volume, and the bulk modulus by Birch and Murnaghan's equation."""

    def __init__(
        self,
        model: CHGNet | CHGNetCalculator | None = None,
        optimizer_class: type[Optimizer] | str | None = "FIRE",
        use_device: str | None = None,
        stress_weight: float = units.GPa,
        on_isolated_atoms: Literal["ignore", "warn", "error"] = "error",
    ) -> None:
        """Arguments as StructOptimizer."""
        self.relaxer = StructOptimizer(
            model=model,
            optimizer_class=optimizer_class,
            use_device=use_device,
            stress_weight=stress_weight,
            on_isolated_atoms=on_isolated_atoms,
        )
        self.fitted = False

    def fit(
        self,
        atoms: Structure | Atoms,
        *,
        n_points: int = 11,
        fmax: float | None = 0.1,
        steps: int | None = 500,
        verbose: bool | None = False,
        **kwargs: Any,
    ) -> None:
        """Relax the primitive cell, then its positions at linear strains from -0.1 to 0.1, and fit `self.bm`.

        Args:
            atoms: the structure; it is left as it is.
            n_points: number of strains.
            fmax: eV/Angstrom.
            steps: at most so many in each relaxation.
            verbose: show the optimizer's lines.
            **kwargs: passed to `StructOptimizer.relax`.
        """
        from pymatgen.analysis.eos import BirchMurnaghan

        structure = _as_structure(atoms) if isinstance(atoms, Atoms) else atoms
        options = {"fmax": fmax, "steps": steps, "verbose": verbose, **kwargs}
        relaxed = self.relaxer.relax(structure.get_primitive_structure(), relax_cell=True, **options)
        volumes, energies = [], []
        for strain in np.linspace(-0.1, 0.1, n_points):
            strained = relaxed["final_structure"].copy()
            strained.apply_strain([strain] * 3)
            result = self.relaxer.relax(strained, relax_cell=False, **options)
            volumes.append(result["final_structure"].volume)
            energies.append(result["trajectory"].energies[-1])
        self.bm = BirchMurnaghan(volumes=volumes, energies=energies)
        self.bm.fit()
        self.fitted = True

    def _modulus(self) -> tuple[float, float]:
        if not self.fitted:
            raise ValueError("there is no equation of state yet; call fit first")
        return float(self.bm.b0), float(self.bm.b0_GPa)

    def get_bulk_modulus(self, unit: Literal["eV/A^3", "GPa"] = "eV/A^3") -> float:
        """Bulk modulus in the unit; ValueError before fit, or for another unit."""
        by_unit = dict(zip(("eV/A^3", "GPa"), self._modulus()))
        if unit not in by_unit:
            raise ValueError(f"unit {unit!r}; give one of {list(by_unit)}")
        return by_unit[unit]

    def get_compressibility(self, unit: str = "A^3/eV") -> float:
        """1 / bulk modulus, in "A^3/eV", "GPa^-1", "Pa^-1" or "m^2/N"; ValueError before fit, NotImplementedError for
        another unit, as upstream's."""
        atomic, gpa = self._modulus()
        by_unit = {"A^3/eV": 1 / atomic, "GPa^-1": 1 / gpa, "Pa^-1": 1e-9 / gpa, "m^2/N": 1e-9 / gpa}
        if unit not in by_unit:
            raise NotImplementedError(f"unit {unit!r}; give one of {list(by_unit)}")
        return by_unit[unit]
