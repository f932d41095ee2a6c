"""The shared library behind the package: where it is, what its functions take, and what its errors become.

ctypes gives up the interpreter's lock during every call, and opens the library with local symbols, so that other copies
of HDF5 or OpenBLAS in the process (h5py's, numpy's) are neither seen nor replaced.
"""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint, c_uint64, c_void_p
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


class ChgnetError(Exception):
    """What the library refused or could not do; `status` is its number, which is also the command's exit code."""

    status = 1


class UsageError(ChgnetError, ValueError):
    """Wrong use: a result that was not computed or is not defined, an option out of its range."""

    status = 2


class InputError(ChgnetError, ValueError):
    """A structure, file, set of weights or label that cannot be used."""

    status = 3


class ConvergenceError(ChgnetError):
    """Not converged within the given steps."""

    status = 4


class NumericalError(ChgnetError, ArithmeticError):
    """An energy or a force is not finite."""

    status = 5


class FileError(ChgnetError, OSError):
    """A file could not be read or written."""

    status = 6


class OutOfMemoryError(ChgnetError, MemoryError):
    """Not enough memory."""

    status = 7


_ERRORS = {
    kind.status: kind
    for kind in (UsageError, InputError, ConvergenceError, NumericalError, FileError, OutOfMemoryError)
}


class ModelInfo(ctypes.Structure):
    """chgnet_model_info."""

    _fields_ = [
        ("version", c_char_p),
        ("sha256", c_char_p),
        ("path", c_char_p),
        ("atom_cutoff", c_double),
        ("bond_cutoff", c_double),
        ("n_element", c_int),
        ("n_feature", c_int),
        ("n_parameter", c_int64),
    ]


class Options(ctypes.Structure):
    """chgnet_options."""

    _fields_ = [
        ("size", c_size_t),
        ("precision", c_int),
        ("threads", c_int),
        ("skin", c_double),
        ("trajectory", c_int),
    ]


class Labels(ctypes.Structure):
    """chgnet_labels."""

    _fields_ = [
        ("size", c_size_t),
        ("n_structure", c_int64),
        ("n_atom", c_void_p),
        ("numbers", c_void_p),
        ("positions", c_void_p),
        ("cells", c_void_p),
        ("pbc", c_void_p),
        ("energies", c_void_p),
        ("forces", c_void_p),
    ]


class DeltaOptions(ctypes.Structure):
    """chgnet_delta_options."""

    _fields_ = [
        ("size", c_size_t),
        ("aggregation", c_char_p),
        ("layer", c_char_p),
        ("kernel", c_char_p),
        ("noise_energy", c_double),
        ("noise_force", c_double),
        ("optimize", c_int),
        ("starts", c_int),
        ("inducing", c_int64),
        ("seed", c_uint64),
        ("threads", c_int),
    ]


class DeltaInfo(ctypes.Structure):
    """chgnet_delta_info."""

    _fields_ = [
        ("aggregation", c_char_p),
        ("layer", c_char_p),
        ("model", c_char_p),
        ("model_sha256", c_char_p),
        ("base", c_char_p),
        ("n_label", c_int64),
        ("n_energy", c_int64),
        ("n_force", c_int64),
        ("n_inducing", c_int64),
        ("noise_energy", c_double),
        ("noise_force", c_double),
        ("log_likelihood", c_double),
        ("loo_energy", c_double * 2),
        ("loo_forces", c_double * 2),
    ]


WarningFunction = ctypes.CFUNCTYPE(None, c_char_p, c_void_p)

_HANDLE = POINTER(c_void_p)

# Function: what it returns, what it takes.  Names are without "chgnet_".
_PROTOTYPES = {
    "version": (c_char_p, ()),
    "status_text": (c_char_p, (c_int,)),
    "context_create": (c_int, (_HANDLE,)),
    "context_destroy": (None, (c_void_p,)),
    "context_error": (c_char_p, (c_void_p,)),
    "context_on_warning": (None, (c_void_p, WarningFunction, c_void_p)),
    "model_load": (c_int, (c_void_p, c_char_p, _HANDLE)),
    "model_destroy": (None, (c_void_p,)),
    "model_get_info": (ModelInfo, (c_void_p,)),
    "options_default": (Options, ()),
    "calculator_create": (c_int, (c_void_p, c_void_p, POINTER(Options), _HANDLE)),
    "calculator_destroy": (None, (c_void_p,)),
    "calculator_set_structure": (c_int, (c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p)),
    "calculator_set_positions": (c_int, (c_void_p, c_void_p)),
    "calculator_compute": (c_int, (c_void_p, c_uint)),
    "calculator_get_counts": (c_int, (c_void_p, POINTER(c_int64), POINTER(c_int64))),
    "calculator_set_delta": (c_int, (c_void_p, c_void_p)),
    "labels_default": (Labels, ()),
    "delta_options_default": (DeltaOptions, ()),
    "delta_fit": (c_int, (c_void_p, c_void_p, POINTER(Labels), POINTER(DeltaOptions), _HANDLE)),
    "delta_update": (c_int, (c_void_p, c_void_p, c_void_p, POINTER(Labels), c_int)),
    "delta_load": (c_int, (c_void_p, c_char_p, _HANDLE)),
    "delta_save": (c_int, (c_void_p, c_void_p, c_char_p)),
    "delta_destroy": (None, (c_void_p,)),
    "delta_get_info": (DeltaInfo, (c_void_p,)),
}
# Functions that fill an array of doubles with a result of the last compute.
RESULTS = (
    "energy",
    "forces",
    "stress",
    "virial",
    "magmoms",
    "site_energies",
    "atom_fea",
    "atom_fea_final",
    "crystal_fea",
    "delta_energy",
    "site_corrections",
    "energy_std",
    "novelty",
    "std_forces",
    "std_stress",
)
_PROTOTYPES.update({f"calculator_get_{name}": (c_int, (c_void_p, c_void_p)) for name in RESULTS})


class _Functions:
    """The library's functions, without "chgnet_" before their names; opened by the first that is asked for."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        opened = _open()
        for function, (result, arguments) in _PROTOTYPES.items():
            entry = getattr(opened, "chgnet_" + function)
            entry.restype = result
            entry.argtypes = arguments
            setattr(self, function, entry)
        return self.__dict__[name]


def _open() -> ctypes.CDLL:
    """The library that CHGNET_LIBRARY names, else the one of the wheel, else the one that is installed."""
    beside = PACKAGE / "lib" / "libchgnet.so"
    path = os.environ.get("CHGNET_LIBRARY") or (str(beside) if beside.exists() else "libchgnet.so.0")
    try:
        library = ctypes.CDLL(path)  # RTLD_LOCAL
    except OSError as error:
        raise ImportError(
            f"chgnet_native: the library {path} cannot be opened ({error}); install the wheel, or build "
            "chgnet-native and set CHGNET_LIBRARY to its libchgnet.so"
        ) from None
    library.chgnet_options_default.restype = Options
    if library.chgnet_options_default().size != ctypes.sizeof(Options):
        raise ImportError(f"chgnet_native: {path} belongs to another version; install both from one source")
    return library


library = _Functions()


def weights_path(name: str) -> str:
    """The path of weights that the package carries, where `name` is one of them and CHGNET_WEIGHTS does not name
    another folder; else `name`, which the library looks for."""
    carried = PACKAGE / "weights" / f"chgnet-{name}.h5"
    if "CHGNET_WEIGHTS" not in os.environ and "/" not in name and carried.exists():
        return str(carried)
    return name


class Context:
    """Where one calculator's errors and warnings are told; `warnings` collects them until they are taken."""

    def __init__(self) -> None:
        self.handle = c_void_p()
        status = library.context_create(ctypes.byref(self.handle))
        if status:
            raise _ERRORS.get(status, ChgnetError)(library.status_text(status).decode())
        heard: list[str] = []
        self.warnings = heard
        self._callback = WarningFunction(lambda text, _: heard.append(text.decode("utf-8", "replace")))
        library.context_on_warning(self.handle, self._callback, None)

    def check(self, status: int) -> None:
        """Raise what `status` stands for, with the library's line of text."""
        if status:
            text = library.context_error(self.handle) or library.status_text(status)
            raise _ERRORS.get(status, ChgnetError)(text.decode("utf-8", "replace"))

    def close(self) -> None:
        """Free it; nothing made with it may be used any more."""
        handle, self.handle = getattr(self, "handle", None), c_void_p()
        if handle:
            library.context_destroy(handle)

    __del__ = close
