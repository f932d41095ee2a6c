"""CHGNetCalculator: the potential for ASE."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator as AseCalculator
from ase.calculators.calculator import all_changes
from ase.outputs import Properties, all_outputs

from chgnet_native.core import Calculator, Delta, Model
from chgnet_native.model.model import CHGNet
from chgnet_native.utils.common_utils import determine_device

_VOIGT = np.array([0, 4, 8, 5, 2, 1])  # xx yy zz yz xz xy of a symmetric (3,3)
#: what a pass without forces gives
_FORWARD = frozenset({"energy", "free_energy", "magmoms", "energies", "crystal_fea", "energy_std"})


class CHGNetCalculator(AseCalculator):
    """CHGNet for ASE.

    Results (`calc.results`, and ASE's getters for those that ASE knows):

    | key | shape | unit | |
    |---|---|---|---|
    | energy, free_energy | () | eV | total, equal |
    | forces | (n,3) | eV/A | |
    | stress | (6,) | eV/A^3 | xx yy zz yz xz xy, ASE's sign; per volume of the cell, which has three vectors |
    | magmoms | (n,) | mu_B | magnitudes |
    | energies | (n,) | eV | when asked for, or with return_site_energies |
    | crystal_fea | (64,) | | sum of the atoms' last embeddings |
    | energy_std | () | eV | with a delta-model: standard deviation of the energy |

    All are float64; from single-precision kernels unless precision is "double".  A pass without forces is made where
    nothing that is asked for needs them, as in Monte Carlo.
    """

    implemented_properties = [
        "energy",
        "free_energy",
        "forces",
        "stress",
        "magmoms",
        "energies",
        "crystal_fea",
        "energy_std",
    ]

    def __init__(
        self,
        model: CHGNet | Model | str | os.PathLike[str] | None = None,
        *,
        use_device: str | None = None,
        check_cuda_mem: bool = False,
        stress_weight: float = units.GPa,
        on_isolated_atoms: Literal["ignore", "warn", "error"] = "warn",
        return_site_energies: bool = False,
        delta: Delta | str | os.PathLike[str] | None = None,
        skin: float = 1.0,
        threads: int = 0,
        precision: str = "single",
        **kwargs: Any,
    ) -> None:
        """Make a calculator; the first calculation loads what it needs.

        Args:
            model: a CHGNet or a Model, or a name or path of weights; None: 0.3.0.
            use_device: accepted for scripts written for upstream; it runs on the processor.
            check_cuda_mem: as use_device.
            stress_weight: what the stress in GPa is multiplied by; eV/A^3 by default.
            on_isolated_atoms: atoms without a neighbour within the cutoff: "warn" once per calculator, "error" raises
                ValueError.
            return_site_energies: put "energies" into every calculation's results.
            delta: a delta-model, or its file from `chgnet delta fit`.
            skin: Angstrom; the list of neighbours is kept until an atom has moved half of it.  Results do not depend
                on it.
            threads: 0: OMP_NUM_THREADS, else the cores that this process may use.
            precision: "single" or "double".
            **kwargs: passed to ase.calculators.calculator.Calculator.
        """
        super().__init__(**kwargs)
        self.device = determine_device(use_device)
        if isinstance(model, CHGNet):
            self.model = model
        else:
            self.model = CHGNet(model if isinstance(model, Model) else Model("0.3.0" if model is None else model))
        self.delta = delta if isinstance(delta, Delta) or delta is None else Delta(delta)
        self.stress_weight = stress_weight
        self.return_site_energies = return_site_energies
        self.on_isolated_atoms = on_isolated_atoms
        self.skin, self.threads, self.precision = skin, threads, precision
        self._engine: Calculator | None = None
        self._set: tuple | None = None  # numbers, cell, pbc of the structure that the engine has
        self._passed: bool | None = None  # its last pass was made, True: with forces

    @classmethod
    def from_file(cls, path: str, use_device: str | None = None, **kwargs: Any) -> CHGNetCalculator:
        """A calculator with weights of one's own: HDF5, or a checkpoint as upstream's trainer writes it."""
        return cls(model=CHGNet.from_file(path), use_device=use_device, **kwargs)

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.model.version

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.model.n_params

    @property
    def engine(self) -> Calculator:
        """The library's calculator, to read what ASE has no name for: atom_fea, novelty, std_forces."""
        if self._engine is None:
            self._engine = Calculator(
                self.model.model,
                precision=self.precision,
                threads=self.threads,
                skin=self.skin,
                delta=self.delta,
                on_isolated_atoms=self.on_isolated_atoms,
            )
            self._set = self._passed = None
        return self._engine

    def check_state(self, atoms: Atoms, tol: float = 0) -> list[str]:
        """ASE's names of what results depend on and has changed since the last calculation, by a single bit; ASE's
        own comparison, within a tolerance, takes longer than all else that is done here in Python."""
        old = self.atoms
        if old is None:
            return list(all_changes)
        pairs = {
            "positions": (old.positions, atoms.positions),
            "numbers": (old.numbers, atoms.numbers),
            "cell": (old.cell.array, atoms.cell.array),
            "pbc": (old.pbc, atoms.pbc),
        }
        return [name for name, (before, now) in pairs.items() if not np.array_equal(before, now)]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] | None = None,
        task: str = "efsm",
    ) -> None:
        """Fill `results`.

        Args:
            atoms: the structure.
            properties: what is asked for; None: everything.
            system_changes: what has changed since the last call; ASE's names.
            task: one of "e", "em", "ef", "efs", "efsm"; without "f" and "s" the pass gives no forces.
        Raises:
            ValueError: a structure that cannot be used (InputError names the atom), or isolated atoms that are errors.
        """
        if atoms is not None and self.check_state(atoms):
            self.atoms = atoms.copy()
        asked = set(properties or self.implemented_properties)
        gradient = bool(set(task) & set("fs")) and not asked <= _FORWARD
        if system_changes is None or system_changes or self._passed is None or gradient > self._passed:
            self.results = {}
            self._run(gradient)
        self.results.update(self._read(task, self.return_site_energies or "energies" in (properties or ())))

    def _run(self, gradient: bool) -> None:
        self._passed = None
        self._place(self.engine, self.atoms)
        self.engine.compute(gradient, std=self.delta is not None)
        self._passed = gradient

    def _read(self, task: str, energies: bool) -> dict[str, Any]:
        """What the last pass gave."""
        engine = self.engine
        results = {"energy": engine.energy, "crystal_fea": engine.crystal_fea}
        results["free_energy"] = results["energy"]
        if "m" in task:
            results["magmoms"] = engine.magmoms
        if self._passed and "f" in task:
            results["forces"] = engine.forces
        if self._passed and "s" in task and engine.volume > 0:
            results["stress"] = (engine.cell_stress * self.stress_weight).take(_VOIGT)
        if energies:
            results["energies"] = engine.site_energies
        if self.delta is not None:
            results["energy_std"] = engine.energy_std
        return results

    def _place(self, engine: Calculator, atoms: Atoms) -> None:
        """Move the atoms where only they have moved, so that the list of neighbours may serve on."""
        numbers, cell, pbc = atoms.numbers, atoms.cell.array, atoms.pbc
        same = self._set is not None and all(
            np.array_equal(new, old) for new, old in zip((numbers, cell, pbc), self._set)
        )
        if same:
            engine.set_positions(atoms.positions)
            return
        self._set = None
        engine.set_structure(numbers, atoms.positions, cell, pbc)
        self._set = (numbers.copy(), cell.copy(), pbc.copy())

    def export_properties(self) -> Properties:
        """Those results that ASE's outputs know."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.update(_engine=None, _set=None, _passed=None)
        return state

    def __deepcopy__(self, memo: dict) -> CHGNetCalculator:
        import copy

        made = self.__class__.__new__(self.__class__)
        memo[id(self)] = made
        made.__dict__.update({key: copy.deepcopy(value, memo) for key, value in self.__getstate__().items()})
        return made
