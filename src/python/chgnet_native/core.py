"""The library's own objects: Model, Calculator, Delta.  numpy is all they need.

Units: eV, Angstrom, mu_B; stress in GPa.  Rows of a cell are its vectors.  Stress is (1/|V|) dE/dstrain: a compressed
crystal has negative diagonal stress (ASE's sign).
"""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import ctypes
import os
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chgnet_native._library import Context, DeltaInfo, InputError, UsageError, library, weights_path

GPA = 160.21766208  # 1 eV/A^3

RELEASES = ("0.3.0", "0.2.0", "r2scan")

WANT_ENERGY, WANT_GRADIENT, WANT_STD, WANT_STD_GRADIENT, WANT_NOVELTY = 1, 2, 4, 8, 16

Array = NDArray[np.float64]
#: (numbers, positions, cell, pbc), or an object that has them as ase.Atoms does, or as pymatgen's Structure does
StructureLike = Any


def structure_arrays(structure: StructureLike) -> tuple[NDArray[np.int32], Array, Array, NDArray[np.int32]]:
    """Numbers (n), positions (n,3), cell (3,3), pbc (3) of a tuple, an ase.Atoms or a pymatgen Structure or Molecule.

    Neither package is imported.  Raises TypeError for anything else, ValueError for wrong shapes or a site that
    several elements share.
    """
    if isinstance(structure, tuple):
        numbers, positions, cell, pbc = structure
    elif hasattr(structure, "get_atomic_numbers"):
        numbers, positions = structure.get_atomic_numbers(), structure.get_positions()
        cell, pbc = structure.cell.array, structure.pbc
    elif hasattr(structure, "cart_coords"):
        if not getattr(structure, "is_ordered", True):
            raise ValueError("a site is shared by several elements; give an ordered structure")
        numbers, positions = structure.atomic_numbers, structure.cart_coords
        lattice = getattr(structure, "lattice", None)
        cell = np.zeros((3, 3)) if lattice is None else lattice.matrix
        pbc = (False,) * 3 if lattice is None else getattr(lattice, "pbc", (True,) * 3)
    else:
        raise TypeError(
            f"a structure of type {type(structure).__name__}; give (numbers, positions, cell, pbc), ase.Atoms or a "
            "pymatgen Structure"
        )
    numbers = np.ascontiguousarray(numbers, dtype=np.int32)
    if numbers.ndim != 1:
        raise ValueError(f"numbers of shape {numbers.shape}; give (n,)")
    return (
        numbers,
        _doubles(positions, (len(numbers), 3), "positions"),
        _doubles(cell, (3, 3), "cell"),
        np.ascontiguousarray(np.broadcast_to(pbc, 3), dtype=np.int32),
    )


def _doubles(values: ArrayLike, shape: tuple[int, ...], name: str) -> Array:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name} of shape {array.shape}; give {shape}")
    return array


class Model:
    """Weights, loaded and checked once; immutable, to be shared by any number of calculators and threads."""

    def __init__(self, name: str | os.PathLike[str] = "0.3.0") -> None:
        """Load weights.

        Args:
            name: "0.3.0", "0.2.0", "r2scan", or the path of a file of weights: HDF5 (*.h5), or a checkpoint as
                upstream's trainer writes it.  Nothing in a checkpoint is executed.
        Raises:
            InputError: no such weights, or they are damaged.
            FileError: the file could not be read.
        """
        self._handle = ctypes.c_void_p()
        path = os.fspath(name)
        if path not in RELEASES and os.path.isfile(path):
            path = os.path.abspath(path)
        context = Context()
        context.check(library.model_load(context.handle, os.fsencode(weights_path(path)), ctypes.byref(self._handle)))
        context.close()
        info = library.model_get_info(self._handle)
        #: "0.3.0", "0.2.0", "r2scan", or what the file says
        self.version: str = info.version.decode()
        #: over hyperparameters and tensors, not over the file
        self.sha256: str = info.sha256.decode()
        #: file it was read from
        self.path: str = os.fsdecode(info.path)
        #: Angstrom
        self.atom_cutoff: float = info.atom_cutoff
        #: Angstrom
        self.bond_cutoff: float = info.bond_cutoff
        #: atomic numbers 1..n_element are known
        self.n_element: int = info.n_element
        #: length of an atom's embedding
        self.n_feature: int = info.n_feature
        #: number of weights
        self.n_parameter: int = info.n_parameter

    def __repr__(self) -> str:
        return f"Model({self.version!r}, sha256={self.sha256[:8]})"

    def __reduce__(self):
        return Model, (os.path.abspath(self.path),)

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: dict) -> Model:
        return self

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle:
            self._handle = ctypes.c_void_p()
            library.model_destroy(handle)


class Delta:
    """A correction of CHGNet, learnt from labels; calculators and threads may share it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read a file that `save` or `chgnet delta fit` wrote.

        Raises:
            InputError: it is not such a file, or damaged.
            FileError: it could not be read.
        """
        self._handle = ctypes.c_void_p()
        #: file it was read from; None when it was fitted here, or learnt since
        self.path: str | None = os.fspath(path)
        context = Context()
        context.check(library.delta_load(context.handle, os.fsencode(path), ctypes.byref(self._handle)))

    @classmethod
    def fit(
        cls,
        model: Model,
        structures: Sequence[StructureLike],
        energies: ArrayLike,
        forces: Sequence[ArrayLike] | None = None,
        *,
        aggregation: str | None = None,
        layer: str | None = None,
        kernel: str | None = None,
        noise_energy: float = 0,
        noise_force: float = 0,
        optimize: bool = True,
        starts: int = 0,
        inducing: int = 0,
        seed: int = 0,
        threads: int = 0,
    ) -> Delta:
        """Learn from labels; None and 0 stand for what did best in the project's own tables.

        Args:
            structures: at least two.
            energies: (n_structure) eV, total.
            forces: n_structure arrays (n_atom,3) eV/Angstrom; NaN: this component is not known.
            aggregation: "global", "species" or "atomic".
            layer: "atom_fea" or "atom_fea_final".
            kernel: such as "constant(1)*rbf(length=16)".
            noise_energy: eV, starting value.
            noise_force: eV/Angstrom, starting value.
            inducing: at most so many inducing atoms; 0: the dense form.
        Raises:
            InputError: a label cannot be used, or contradicts another.
        """
        context, labels = Context(), _Labels(structures, energies, forces)
        options = library.delta_options_default()
        for name, text in (("aggregation", aggregation), ("layer", layer), ("kernel", kernel)):
            setattr(options, name, None if text is None else text.encode())
        options.noise_energy, options.noise_force = noise_energy, noise_force
        options.optimize, options.starts, options.inducing = int(optimize), starts, inducing
        options.seed, options.threads = seed, threads
        made = cls.__new__(cls)
        made._handle, made.path = ctypes.c_void_p(), None
        context.check(
            library.delta_fit(
                context.handle,
                model._handle,
                ctypes.byref(labels.c),
                ctypes.byref(options),
                ctypes.byref(made._handle),
            )
        )
        _tell(context)
        return made

    def update(
        self,
        model: Model,
        structures: Sequence[StructureLike],
        energies: ArrayLike,
        forces: Sequence[ArrayLike] | None = None,
        *,
        threads: int = 0,
    ) -> None:
        """Add labels: hyperparameters and scales stay.  No calculator may compute with it meanwhile.

        Raises InputError for an element that no label had; it is then as before.
        """
        context, labels = Context(), _Labels(structures, energies, forces)
        context.check(
            library.delta_update(context.handle, self._handle, model._handle, ctypes.byref(labels.c), threads)
        )
        self.path = None
        _tell(context)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file: whole or not at all.  Raises FileError."""
        context = Context()
        context.check(library.delta_save(context.handle, self._handle, os.fsencode(path)))
        self.path = os.fspath(path)

    @property
    def info(self) -> dict[str, Any]:
        """Facts: aggregation, layer, numbers of labels, noises (eV, eV/Angstrom), leave-one-out errors."""
        info = library.delta_get_info(self._handle)
        facts = {}
        for name, _ in DeltaInfo._fields_:
            value = getattr(info, name)
            if isinstance(value, bytes):
                value = value.decode()
            facts[name] = tuple(value) if isinstance(value, ctypes.Array) else value
        return facts

    def __reduce__(self):
        if self.path is None:
            raise TypeError("a delta-model that is in no file cannot be pickled; save it first")
        return Delta, (os.path.abspath(self.path),)

    def __copy__(self) -> Delta:
        return self

    def __deepcopy__(self, memo: dict) -> Delta:
        return self

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle:
            self._handle = ctypes.c_void_p()
            library.delta_destroy(handle)


class _Labels:
    """chgnet_labels and the arrays that it points to."""

    def __init__(self, structures: Sequence[StructureLike], energies: ArrayLike, forces) -> None:
        arrays = [structure_arrays(s) for s in structures]
        if not arrays:
            raise ValueError("no labels; give at least one structure")
        counts = np.array([len(a[0]) for a in arrays], dtype=np.int64)
        self.arrays = {
            "n_atom": counts,
            "numbers": np.concatenate([a[0] for a in arrays]),
            "positions": np.concatenate([a[1] for a in arrays]),
            "cells": np.stack([a[2] for a in arrays]),
            "pbc": np.stack([a[3] for a in arrays]),
            "energies": _doubles(energies, (len(arrays),), "energies"),
        }
        if forces is not None:
            if len(forces) != len(arrays):
                raise ValueError(f"forces of {len(forces)} structures; give those of {len(arrays)}")
            parts = [_doubles(f, (n, 3), "forces") for f, n in zip(forces, counts.tolist())]
            self.arrays["forces"] = np.concatenate(parts)
        self.c = library.labels_default()
        self.c.n_structure = len(arrays)
        for name, array in self.arrays.items():
            setattr(self.c, name, array.ctypes.data)


def _tell(context: Context) -> None:
    """Pass the library's warnings on as Python's."""
    heard, context.warnings[:] = list(context.warnings), []
    for text in heard:
        warnings.warn(text, stacklevel=3)


class Calculator:
    """Structure in, results out; keeps its workspace, and with a skin its list of neighbours.

    Calls from several threads take turns; threads that are to work at one time have a calculator each and share the
    model.  Results are new arrays.
    """

    def __init__(
        self,
        model: Model | str | os.PathLike[str] = "0.3.0",
        *,
        precision: str = "single",
        threads: int = 0,
        skin: float = 0.0,
        delta: Delta | str | os.PathLike[str] | None = None,
        on_isolated_atoms: str = "warn",
    ) -> None:
        """Make a calculator.

        Args:
            model: a Model, or what Model takes.
            precision: "single" or "double", of the network; geometry and sums of energies are always double.
            threads: 0: OMP_NUM_THREADS, else the cores that this process may use.
            skin: Angstrom, 0 to 10: neighbours this much beyond the cutoff are listed too, and the list serves until
                an atom has moved half of it.  Results do not depend on it; 1 suits molecular dynamics.
            delta: a delta-model or its file, which corrects energy, site energies, forces and stress.
            on_isolated_atoms: atoms without a neighbour within the cutoff: "ignore", "warn" (once), or "error".
        Raises:
            UsageError: an option is out of its range.
            InputError: weights or delta-model cannot be used, or do not fit each other.
        """
        if precision not in ("single", "double"):
            raise UsageError(f"precision {precision!r}; give 'single' or 'double'")
        if on_isolated_atoms not in ("ignore", "warn", "error"):
            raise UsageError(f"on_isolated_atoms {on_isolated_atoms!r}; give 'ignore', 'warn' or 'error'")
        self.model = model if isinstance(model, Model) else Model(model)
        self.delta = delta if isinstance(delta, Delta) or delta is None else Delta(delta)
        self.precision, self.threads, self.skin = precision, threads, skin
        self.on_isolated_atoms = on_isolated_atoms
        self.n_atom, self._periodic = 0, False
        #: Angstrom^3; 0 where the cell has no three vectors
        self.volume = 0.0
        self._lock = threading.Lock()
        self._open()

    def _open(self) -> None:
        self._handle = ctypes.c_void_p()
        self.context = Context()
        options = library.options_default()
        options.precision, options.threads, options.skin = int(self.precision == "double"), self.threads, self.skin
        made = ctypes.byref(self._handle)
        self._call(
            library.calculator_create, self.model._handle, ctypes.byref(options), made, first=self.context.handle
        )
        if self.delta is not None:
            self._call(library.calculator_set_delta, self.delta._handle)

    def _call(self, function, *arguments, first=None) -> None:
        with self._lock:
            handle = first or self._handle
            if not handle:
                raise UsageError("this calculator was closed; make another")
            self.context.check(function(handle, *arguments))

    def set_structure(self, numbers: ArrayLike, positions: ArrayLike, cell: ArrayLike, pbc: ArrayLike = True) -> None:
        """Give a structure; earlier results are gone.

        Args:
            numbers: (n) atomic numbers.
            positions: (n,3) Angstrom, anywhere in space.
            cell: (3,3) Angstrom, rows are the vectors; a zero row is allowed along an axis that is not periodic.
            pbc: (3) or one for all.
        Raises:
            InputError: names the atom, element, pair or cell that is wrong.
        """
        z, x, c, p = structure_arrays((numbers, positions, cell, pbc))
        self._call(library.calculator_set_structure, len(z), z.ctypes.data, x.ctypes.data, c.ctypes.data, p.ctypes.data)
        self.n_atom, self._periodic, self.volume = len(z), bool(p.all()), abs(float(np.linalg.det(c)))
        self._judge_isolated()

    def _judge_isolated(self) -> None:
        """The only warning about a structure; the context tells it once, so that an error needs a new one."""
        if self.on_isolated_atoms == "ignore":
            self.context.warnings.clear()
        elif self.on_isolated_atoms == "error" and self.context.warnings:
            text = self.context.warnings[0]
            self.close()
            self._open()
            raise InputError(text)
        _tell(self.context)

    def set_positions(self, positions: ArrayLike) -> None:
        """Move the atoms of the structure that is set; with a skin the list of neighbours is kept while it holds.

        Args:
            positions: (n,3) Angstrom that run on: an atom put back into the cell counts as moved.
        Raises:
            UsageError: no structure is set.
            InputError: names the atom or pair that is wrong.
        """
        x = _doubles(positions, (self.n_atom, 3), "positions")
        self._call(library.calculator_set_positions, x.ctypes.data)
        self._judge_isolated()

    def compute(
        self, gradient: bool = True, *, std: bool = False, std_gradient: bool = False, novelty: bool = False
    ) -> None:
        """Run the network.

        Args:
            gradient: forces too, and stress where it is defined.
            std: with a delta-model, the standard deviation of the energy.
            std_gradient: its forces and stress too, which take a second pass.
            novelty: with a delta-model, the novelty of the atoms.
        Raises:
            UsageError: a standard deviation without a delta-model.
            InputError: an element that the delta-model does not know.
            NumericalError: the energy or a force is not finite.
        """
        want = WANT_ENERGY
        want |= WANT_GRADIENT if gradient else 0
        want |= WANT_STD if std else 0
        want |= WANT_STD_GRADIENT if std_gradient else 0
        want |= WANT_NOVELTY if novelty else 0
        self._call(library.calculator_compute, want)

    def _get(self, name: str, shape: tuple[int, ...]) -> Array:
        result = np.empty(shape)
        self._call(getattr(library, "calculator_get_" + name), result.ctypes.data)
        return result

    @property
    def energy(self) -> float:
        """eV, total."""
        return float(self._get("energy", ()))

    @property
    def forces(self) -> Array:
        """(n,3) eV/Angstrom."""
        return self._get("forces", (self.n_atom, 3))

    @property
    def stress(self) -> Array:
        """(3,3) GPa; UsageError unless all three axes are periodic."""
        return self._get("stress", (3, 3))

    @property
    def virial(self) -> Array:
        """(3,3) eV, dE/dstrain, whatever axes are periodic; minus what molecular-dynamics codes call virial."""
        return self._get("virial", (3, 3))

    @property
    def cell_stress(self) -> Array:
        """(3,3) GPa, the stress, also where an axis is not periodic: then per volume of the cell; UsageError where the
        cell has none."""
        if self._periodic:
            return self.stress
        if self.volume == 0:
            raise UsageError("the cell has no volume; give three vectors where a stress is wanted")
        return self.virial * (GPA / self.volume)

    @property
    def magmoms(self) -> Array:
        """(n) mu_B, magnitudes."""
        return self._get("magmoms", (self.n_atom,))

    @property
    def site_energies(self) -> Array:
        """(n) eV; their sum is the energy."""
        return self._get("site_energies", (self.n_atom,))

    @property
    def atom_fea(self) -> Array:
        """(n,n_feature) embeddings before the last convolution."""
        return self._get("atom_fea", (self.n_atom, self.model.n_feature))

    @property
    def atom_fea_final(self) -> Array:
        """(n,n_feature) embeddings that the energy is read from."""
        return self._get("atom_fea_final", (self.n_atom, self.model.n_feature))

    @property
    def crystal_fea(self) -> Array:
        """(n_feature) sum of atom_fea_final."""
        return self._get("crystal_fea", (self.model.n_feature,))

    @property
    def counts(self) -> tuple[int, int]:
        """Directed bonds within the atom cutoff, and ordered angles."""
        bonds, angles = ctypes.c_int64(), ctypes.c_int64()
        self._call(library.calculator_get_counts, ctypes.byref(bonds), ctypes.byref(angles))
        return bonds.value, angles.value

    @property
    def delta_energy(self) -> float:
        """eV, corrected minus CHGNet, offsets included."""
        return float(self._get("delta_energy", ()))

    @property
    def site_corrections(self) -> Array:
        """(n) eV, their sum is delta_energy."""
        return self._get("site_corrections", (self.n_atom,))

    @property
    def energy_std(self) -> float:
        """eV, standard deviation of the total energy without label noise."""
        return float(self._get("energy_std", ()))

    @property
    def novelty(self) -> Array:
        """(n) eV^2, variance of each atom's share; zeros unless the delta-model is atomic."""
        return self._get("novelty", (self.n_atom,))

    @property
    def std_forces(self) -> Array:
        """(n,3) eV/Angstrom, minus the gradient of energy_std."""
        return self._get("std_forces", (self.n_atom, 3))

    @property
    def std_stress(self) -> Array:
        """(3,3) GPa, likewise, where all axes are periodic."""
        return self._get("std_stress", (3, 3))

    def close(self) -> None:
        """Free its memory now; it cannot be used any more."""
        handle = getattr(self, "_handle", None)
        if handle:
            self._handle = ctypes.c_void_p()
            library.calculator_destroy(handle)
            self.context.close()

    __del__ = close
