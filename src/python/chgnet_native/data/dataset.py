"""Upstream's `chgnet.data.dataset`: sets of training data are not offered."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native._not_offered import missing

globals().update(
    missing(
        __name__,
        "training",
        "GraphData",
        "StructureData",
        "StructureJsonData",
        "collate_graphs",
        "get_loader",
        "get_train_val_test_loader",
    )
)
