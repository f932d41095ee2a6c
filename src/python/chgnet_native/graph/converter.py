"""Upstream's `chgnet.graph.converter`: graphs stay inside the library."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native.graph import CrystalGraphConverter

__all__ = ["CrystalGraphConverter"]
