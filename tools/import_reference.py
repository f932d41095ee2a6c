#!/usr/bin/env python3
"""Bring reference predictions into the form that tests/test_reference.c reads.

usage: import_reference.py IN.h5 [IN.h5 ...] OUT.h5
needs: h5py, numpy

IN.h5 comes from tools/make_reference.py.  OUT.h5 holds the same groups and numbers; integers become int64.  SPDX-License-Identifier: BSD-3-Clause
"""
import sys

import h5py
import numpy as np


def copy(source, target):
    for key, value in source.attrs.items():
        target.attrs[key] = value
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name))
            continue
        data = np.asarray(item)
        data = data.astype("<i8" if data.dtype.kind in "iub" else "<f8")
        target.create_dataset(name, data=data)


def main():
    *sources, out = sys.argv[1:]
    with h5py.File(out, "w", libver=("v108", "v110")) as target:
        for path in sources:
            with h5py.File(path) as source:
                copy(source, target)


if __name__ == "__main__":
    main()
