"""Upstream's `chgnet.model`: CHGNet, CHGNetCalculator, MolecularDynamics, StructOptimizer; ASE is imported when the
last three are."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from chgnet_native.model.model import CHGNet

__all__ = ["CHGNet", "CHGNetCalculator", "MolecularDynamics", "StructOptimizer"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("chgnet_native.model.dynamics"), name)


if TYPE_CHECKING:
    from chgnet_native.model.dynamics import CHGNetCalculator, MolecularDynamics, StructOptimizer
