"""Upstream's `chgnet.graph`: graphs stay inside the library."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native._not_offered import missing

globals().update(missing(__name__, "graphs", "CrystalGraph", "CrystalGraphConverter"))
