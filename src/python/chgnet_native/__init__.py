"""CHGNet, the universal interatomic potential, by the C library of chgnet-native; torch and chgnet are not imported.

    from chgnet_native import CHGNetCalculator      # ASE
    from chgnet_native.model import CHGNet          # upstream's names and module paths
    from chgnet_native import Model, Calculator     # numpy alone

Modules are imported when a name of theirs is first used.
"""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Literal

__version__ = "0.1.0"

TrainTask = Literal["ef", "efs", "efsm"]
PredTask = Literal["e", "ef", "em", "efs", "efsm"]

_PLACES = {
    "CHGNet": "chgnet_native.model.model",
    "CHGNetCalculator": "chgnet_native.calculator",
    "Calculator": "chgnet_native.core",
    "ChgnetError": "chgnet_native._library",
    "CrystalFeasObserver": "chgnet_native.model.dynamics",
    "Delta": "chgnet_native.core",
    "EquationOfState": "chgnet_native.model.dynamics",
    "InputError": "chgnet_native._library",
    "Model": "chgnet_native.core",
    "MolecularDynamics": "chgnet_native.model.dynamics",
    "StructOptimizer": "chgnet_native.model.dynamics",
    "TrajectoryObserver": "chgnet_native.model.dynamics",
    "UsageError": "chgnet_native._library",
}

__all__ = ["PredTask", "TrainTask", "__version__", *sorted(_PLACES)]


def __getattr__(name: str):
    if name not in _PLACES:
        raise AttributeError(f"module 'chgnet_native' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PLACES))


if TYPE_CHECKING:
    from chgnet_native._library import ChgnetError, InputError, UsageError
    from chgnet_native.calculator import CHGNetCalculator
    from chgnet_native.core import Calculator, Delta, Model
    from chgnet_native.model.dynamics import (
        CrystalFeasObserver,
        EquationOfState,
        MolecularDynamics,
        StructOptimizer,
        TrajectoryObserver,
    )
    from chgnet_native.model.model import CHGNet
