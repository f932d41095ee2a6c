"""Upstream's `chgnet.trainer`: training is not offered."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native._not_offered import missing

globals().update(missing(__name__, "training", "CombinedLoss", "Trainer"))
