"""Upstream's `chgnet.trainer.trainer`: training is not offered."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native.trainer import CombinedLoss, Trainer

__all__ = ["CombinedLoss", "Trainer"]
