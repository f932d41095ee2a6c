"""Upstream's `chgnet.utils.common_utils`: device and JSON."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import os
import warnings
from typing import Any


def determine_device(use_device: str | None = None, *, check_cuda_mem: bool = False) -> str:
    """Always "cpu": another device gives a warning, so that scripts written for upstream go on."""
    asked = use_device or os.environ.get("CHGNET_DEVICE") or "cpu"
    if not asked.startswith("cpu"):
        warnings.warn(f"chgnet_native runs on the processor, not on {asked!r}", stacklevel=3)
    return "cpu"


def read_json(filepath: str) -> Any:
    """What the JSON file holds."""
    with open(filepath, encoding="utf-8") as file:
        return json.load(file)


def write_json(dct: dict, filepath: str) -> None:
    """Write JSON; numpy's numbers and arrays become Python's, anything else that JSON does not know its text."""

    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else str(value)

    with open(filepath, "w", encoding="utf-8") as file:
        json.dump(dct, file, default=plain)


def mkdir(path: str) -> str:
    """Make a folder where there is none; its path."""
    os.makedirs(path, exist_ok=True)
    return path
