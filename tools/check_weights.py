#!/usr/bin/env python3
"""Convert upstream's checkpoints again and compare them with the weights of this repository, bit for bit.

    python3 tools/check_weights.py PATH/TO/chgnet [WHEEL]

Without WHEEL, pip downloads the wheel of chgnet 0.4.2 from PyPI into a temporary folder.  Its checkpoints are read
here by zipfile and a reduced unpickler (and by torch too, where it is installed), converted by the command, and compared
tensor by tensor with the new file and with the one in weights/.  Needs numpy and h5py.  Exit status 1 when anything
differs.

SPDX-License-Identifier: BSD-3-Clause
"""
import collections
import glob
import hashlib
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

import h5py
import numpy as np

try:
    import torch
except ImportError:
    torch = None

WEIGHTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "weights")
NAMES = ("0.2.0", "0.3.0", "r2scan")
failures = []


def check(name, good, detail=""):
    """Tell one comparison that failed."""
    if not good:
        failures.append(name)
        print(f"differs: {name} {detail}")


def rebuild(storage, offset, sizes, strides, *_):
    """What torch._utils._rebuild_tensor_v2 makes, as an array."""
    return np.lib.stride_tricks.as_strided(storage[offset:], sizes, [4 * stride for stride in strides]).copy()


class Reader(pickle.Unpickler):
    """The pickle of a checkpoint without torch."""

    def __init__(self, file, archive, prefix):
        super().__init__(file)
        self.archive, self.prefix = archive, prefix

    def find_class(self, module, name):
        known = {"collections.OrderedDict": collections.OrderedDict, "torch.FloatStorage": "<f4",
                 "torch._utils._rebuild_tensor_v2": rebuild}
        return known[f"{module}.{name}"]

    def persistent_load(self, pid):
        _, kind, key, _, count = pid
        values = np.frombuffer(self.archive.read(f"{self.prefix}/data/{key}"), kind)
        assert len(values) == count
        return values


def read_checkpoint(path):
    """Arguments and tensors of a checkpoint."""
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        with archive.open(name) as file:
            model = Reader(file, archive, name[: -len("/data.pkl")]).load()["model"]
    return model["model_args"], dict(model["state_dict"])


def hyperparameters(args, state):
    """The hyperparameters as our files hold them."""
    same = ("angle_fea_dim", "angle_layer_hidden_dim", "atom_conv_hidden_dim", "atom_fea_dim", "bond_conv_hidden_dim",
            "bond_fea_dim", "cutoff_coeff", "n_conv", "num_angular", "num_radial", "mlp_hidden_dims")
    hyper = {name: args[name] for name in same}
    hyper.update({name: float(args[name]) for name in ("atom_graph_cutoff", "bond_graph_cutoff")})
    hyper.update({name: int(args[name] == "layer") for name in ("gMLP_norm", "readout_norm")})
    hyper["is_intensive"] = int(args["is_intensive"])
    hyper["mlp_out_bias"] = int("atom_conv_layers.0.mlp_out.layers.1.bias" in state)
    hyper["n_element"] = state["atom_embedding.embedding.weight"].shape[0]
    return hyper


def model_sum(hyper, state):
    """model_sha256, as src/model/weights.h defines it."""
    total = hashlib.sha256()
    for name in sorted(hyper):
        values = np.atleast_1d(np.asarray(hyper[name], "<f8"))
        total.update(name.encode() + b"\0" + struct.pack("<q", len(values)) + values.tobytes())
    for name in sorted(state):
        values = np.ascontiguousarray(state[name], "<f4")
        total.update(name.encode() + b"\0" + struct.pack(f"<{values.ndim + 1}q", values.ndim, *values.shape))
        total.update(values.tobytes())
    return total.hexdigest()


def file_sum(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def same_bits(first, second):
    """Equal in type, shape and every bit."""
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()


def compare(label, path, hyper, state, texts):
    """One of our files against a checkpoint."""
    with h5py.File(path) as file:
        check(f"{label}: names of tensors", set(file) == set(state), sorted(set(file) ^ set(state)))
        for name in set(file) & set(state):
            check(f"{label}: {name}", same_bits(file[name][()], state[name]))
        for name, value in hyper.items():
            check(f"{label}: {name}", np.array_equal(file.attrs[name], value), file.attrs[name])
        for name, value in texts.items():
            check(f"{label}: {name}", file.attrs[name].decode() == value, file.attrs[name].decode()[:80])


def check_torch(label, path, state):
    """Our reader against torch's, where there is one."""
    if torch is None:
        return
    loaded = torch.load(path, map_location="cpu", weights_only=True)["model"]["state_dict"]
    check(f"{label}: names as torch reads them", list(loaded) == list(state))
    for name, tensor in loaded.items():
        check(f"{label}: {name} as torch reads it", same_bits(tensor.numpy(), state[name]))


def check_set(command, name, checkpoint, license_text, folder):
    """One set of weights."""
    made, kept = os.path.join(folder, f"chgnet-{name}.h5"), os.path.join(WEIGHTS, f"chgnet-{name}.h5")
    args, state = read_checkpoint(checkpoint)
    check_torch(name, checkpoint, state)
    hyper = hyperparameters(args, state)
    texts = {"version": name, "license": license_text, "source": os.path.basename(checkpoint),
             "source_sha256": file_sum(checkpoint), "model_sha256": model_sum(hyper, state)}
    done = subprocess.run([command, "convert", checkpoint, "-o", made], capture_output=True, text=True)
    check(f"{name}: conversion", done.returncode == 0, done.stderr)
    if done.returncode == 0:
        compare(f"{name}, converted now", made, hyper, state, texts)
    compare(f"{name}, in weights/", kept, hyper, state, texts)
    with open(os.path.join(WEIGHTS, "SHA256SUMS"), encoding="ascii") as file:
        check(f"{name}: SHA256SUMS", f"{file_sum(kept)}  chgnet-{name}.h5\n" in file.readlines())
    print(f"{name}: {len(state)} tensors, {sum(t.size for t in state.values())} parameters compared"
          f"{'' if torch is None else ', with torch too'}")


def unpack(wheel, folder):
    """The wheel's files; without WHEEL pip downloads it."""
    if wheel is None:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                        "--dest", folder, "chgnet==0.4.2"], check=True)
        wheel = glob.glob(os.path.join(folder, "chgnet-0.4.2-*.whl"))[0]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: check_weights.py PATH/TO/chgnet [WHEEL]")
    with tempfile.TemporaryDirectory() as folder:
        unpack(sys.argv[2] if len(sys.argv) == 3 else None, folder)
        with open(glob.glob(os.path.join(folder, "chgnet-0.4.2.dist-info", "licenses", "LICENSE"))[0],
                  encoding="utf-8") as file:
            license_text = file.read()
        with open(os.path.join(WEIGHTS, "NOTICE"), encoding="utf-8") as file:
            check("NOTICE holds upstream's licence", license_text in file.read())
        for name in NAMES:
            checkpoint = glob.glob(os.path.join(folder, "chgnet", "pretrained", name, "*.pth.tar"))[0]
            check_set(os.path.abspath(sys.argv[1]), name, checkpoint, license_text, folder)
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
