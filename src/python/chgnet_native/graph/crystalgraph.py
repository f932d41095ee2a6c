"""Upstream's `chgnet.graph.crystalgraph`: graphs stay inside the library."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native.graph import CrystalGraph

__all__ = ["CrystalGraph"]
