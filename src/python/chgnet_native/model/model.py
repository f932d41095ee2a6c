"""Upstream's `chgnet.model.model`: CHGNet, for predictions."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NoReturn, get_args

import numpy as np

from chgnet_native import PredTask
from chgnet_native._not_offered import refuse
from chgnet_native.core import RELEASES, Calculator, Model, StructureLike, structure_arrays
from chgnet_native.utils.common_utils import determine_device


class GraphConverter:
    """What of upstream's CrystalGraphConverter a prediction needs: cutoffs in Angstrom, and what isolated atoms do."""

    def __init__(self, model: Model) -> None:
        self.atom_graph_cutoff = model.atom_cutoff
        self.bond_graph_cutoff = model.bond_cutoff
        self.on_isolated_atoms = "error"

    def set_isolated_atom_response(self, on_isolated_atoms: str) -> None:
        """Choose "ignore", "warn" or "error"."""
        if on_isolated_atoms not in ("ignore", "warn", "error"):
            raise ValueError(f"on_isolated_atoms {on_isolated_atoms!r}; give 'ignore', 'warn' or 'error'")
        self.on_isolated_atoms = on_isolated_atoms

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse("CrystalGraphConverter", "graphs")


class CHGNet:
    """A pretrained or fine-tuned CHGNet that predicts; made by `load` or `from_file`."""

    is_intensive = True

    def __init__(self, model: Model | None = None, **hyperparameters: Any) -> None:
        """Wrap a loaded model; upstream's constructor, which makes a network to be trained, is not offered."""
        if model is None or hyperparameters:
            refuse("CHGNet()", "training")
        self.model = model
        self.graph_converter = GraphConverter(model)
        self._engine: Calculator | None = None

    @classmethod
    def load(
        cls,
        model_name: str = "0.3.0",
        *,
        use_device: str | None = None,
        check_cuda_mem: bool = False,
        verbose: bool = True,
    ) -> CHGNet:
        """Load a release of upstream's.

        Args:
            model_name: "0.3.0", "0.2.0" or "r2scan".
            use_device: accepted for scripts written for upstream; it runs on the processor.
            check_cuda_mem: as use_device.
            verbose: print the model's name, number of weights and device.
        Raises:
            ValueError: another name.
        """
        if model_name not in RELEASES:
            raise ValueError(f"no release of the name {model_name!r}; give one of {RELEASES}, or use from_file")
        device = determine_device(use_device)
        made = cls(Model(model_name))
        if verbose:
            print(f"CHGNet v{made.version}: {made.n_params:,} weights, on {device}")
        return made

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **kwargs: Any) -> CHGNet:
        """Load weights of one's own: HDF5, or a checkpoint as upstream's trainer writes it, of which nothing is
        executed.

        Raises:
            InputError (a ValueError): they are damaged, or of a variant that is not implemented.
            FileError (an OSError): the file could not be read.
        """
        if kwargs:
            refuse("CHGNet.from_file with hyperparameters", "training")
        return cls(Model(os.path.abspath(path)))

    @property
    def version(self) -> str:
        """Version of the weights."""
        return self.model.version

    @property
    def n_params(self) -> int:
        """Number of weights."""
        return self.model.n_parameter

    @property
    def model_args(self) -> dict[str, Any]:
        """Version and cutoffs (Angstrom)."""
        return {
            "version": self.version,
            "atom_graph_cutoff": self.model.atom_cutoff,
            "bond_graph_cutoff": self.model.bond_cutoff,
        }

    def to(self, device: Any = None) -> CHGNet:
        """Itself; another device than the processor gives a warning."""
        determine_device(None if device is None else str(device))
        return self

    def eval(self) -> CHGNet:
        """Itself: it only ever predicts."""
        return self

    def train(self, mode: bool = True) -> CHGNet:
        """Itself for False; else NotImplementedError."""
        if mode:
            refuse("CHGNet.train", "training")
        return self

    def predict_structure(
        self,
        structure: StructureLike | Sequence[StructureLike],
        *,
        task: PredTask = "efsm",
        return_site_energies: bool = False,
        return_atom_feas: bool = False,
        return_crystal_feas: bool = False,
        batch_size: int = 16,
    ) -> dict[str, np.ndarray] | list[dict[str, np.ndarray]]:
        """Predict from pymatgen Structures (ase.Atoms are taken too); neither package is imported.

        Args:
            structure: one, or a sequence of them.
            task: "e", "ef", "em", "efs" or "efsm".
            return_site_energies, return_atom_feas, return_crystal_feas: more keys.
            batch_size: accepted for scripts written for upstream; structures are done one by one.
        Returns:
            For one structure (also in a sequence) a dict, else a list of dicts, of float32 arrays: "e" () eV/atom,
            "f" (n,3) eV/Angstrom, "s" (3,3) GPa, "m" (n) mu_B; "site_energies" (n) eV, "atom_fea" (n,64) before the
            last convolution, "crystal_fea" (64).
        Raises:
            ValueError: another task; a structure that cannot be used (InputError names the atom); isolated atoms,
                unless graph_converter.set_isolated_atom_response says otherwise; stress without a cell.
        """
        if task not in get_args(PredTask):
            raise ValueError(f"task {task!r}; give one of {get_args(PredTask)}")
        structures = structure if isinstance(structure, list | tuple) else [structure]
        more = [
            key
            for key, asked in (
                ("site_energies", return_site_energies),
                ("atom_fea", return_atom_feas),
                ("crystal_fea", return_crystal_feas),
            )
            if asked
        ]
        results = [self._predict(each, task, more) for each in structures]
        return results[0] if len(results) == 1 else results

    def _predict(self, structure: StructureLike, task: str, more: list[str]) -> dict[str, np.ndarray]:
        policy = self.graph_converter.on_isolated_atoms
        if self._engine is None or self._engine.on_isolated_atoms != policy:
            self._engine = Calculator(self.model, on_isolated_atoms=policy)
        engine = self._engine
        engine.set_structure(*structure_arrays(structure))
        engine.compute(gradient="f" in task or "s" in task)
        found = {"e": engine.energy / engine.n_atom}
        if "f" in task:
            found["f"] = engine.forces
        if "s" in task:
            found["s"] = engine.cell_stress
        if "m" in task:
            found["m"] = engine.magmoms
        found.update((key, getattr(engine, key)) for key in more)
        return {key: np.asarray(value, dtype=np.float32) for key, value in found.items()}

    def todict(self) -> dict[str, Any]:
        """Name and arguments, for ASE's files."""
        return {"model_name": type(self).__name__, "model_args": self.model_args}

    def predict_graph(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.predict_graph", "graphs")

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.forward", "graphs")

    __call__ = forward

    def parameters(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.parameters", "training")

    def state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.state_dict", "PyTorch's side of a model")

    def load_state_dict(self, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.load_state_dict", "PyTorch's side of a model")

    def as_dict(self) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.as_dict", "PyTorch's side of a model")

    @classmethod
    def from_dict(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """NotImplementedError."""
        refuse("CHGNet.from_dict", "PyTorch's side of a model")

    def __repr__(self) -> str:
        return f"CHGNet({self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None}
