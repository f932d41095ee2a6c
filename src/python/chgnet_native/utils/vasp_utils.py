"""Upstream's `chgnet.utils.vasp_utils`: oxidation states from magnetic moments."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NoReturn

from chgnet_native._not_offered import refuse

if TYPE_CHECKING:
    from pymatgen.core import Structure

# Ranges [low, high) of magnetic moments in mu_B that stand for an oxidation state.
_STATES = {"Mn": {(0.5, 1.5): 2, (1.5, 2.5): 3, (2.5, 3.5): 4, (3.5, 4.2): 3, (4.2, 5): 2}}
_FIXED = {"Li": 1, "O": -2}


def solve_charge_by_mag(
    structure: Structure,
    default_ox: dict[str, float] | None = None,
    ox_ranges: dict[str, dict[tuple[float, float], int]] | None = None,
) -> Structure | None:
    """Oxidation states by magnetic moments.

    Args:
        structure: with "final_magmom" or "magmom" (n) mu_B among its site properties.
        default_ox: states of elements whose moment does not matter; None: Li +1, O -2.
        ox_ranges: {element: {(low, high): state}} of moments, low included, high not; None: Mn.
    Returns:
        A copy with oxidation states; None, with a warning, where an element or a moment fits none.
    """
    fixed, ranges = default_ox or _FIXED, ox_ranges or _STATES
    properties = structure.site_properties
    moments = properties.get("final_magmom", properties.get("magmom"))
    decorated = structure.copy()
    decorated.remove_oxidation_states()
    states = []
    for index, site in enumerate(decorated):
        element = site.species_string
        if element in ranges:
            fitting = [state for (low, high), state in ranges[element].items() if low <= moments[index] < high]
        else:
            fitting = [fixed[element]] if element in fixed else []
        if not fitting:
            warnings.warn(f"site {index} ({element}): no oxidation state fits", stacklevel=2)
            return None
        states.append(fitting[0])
    print(f"oxidation states found, total charge {sum(states)}")
    decorated.add_oxidation_state_by_site(states)
    return decorated


def parse_vasp_dir(*args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError."""
    refuse("parse_vasp_dir", "VASP folders")
