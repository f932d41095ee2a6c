#!/usr/bin/env python3
"""Makes the starting inputs of the fuzzer anew: tests/corpus/TARGET/NAME, one file per kind of thing a reader knows.

    make_corpus.py CHGNET [FOLDER [FUZZER]]

CHGNET is the built command, FOLDER defaults to tests/corpus; python3 needs numpy and h5py.  With FUZZER
(tests/fuzzer of a build with clang) inputs that reach no line of their own are left out, but not those of HDF5, whose
library is not seen by the fuzzer.  Files named found-* are findings and stay.

SPDX-License-Identifier: BSD-3-Clause
"""
import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import types
import zipfile
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)

# ---- structures ---------------------------------------------------------------------------------------------------------

CELL = "3.0 0 0\n0.1 3.1 0\n0 -0.2 3.2\n"
POSCARS = {
    "plain": f"MgO\n1.0\n{CELL}Mg O\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n",
    "cartesian": f"cart\n 1.0 \n{CELL}Mg O\n1 1\nCartesian\n0 0 0 Mg\n1.5 1.5 1.5 O\n",
    "volume": f"neg\n-30.0\n{CELL}Mg\n1\nK\n0 0 0\n",
    "three": f"three\n1.0 1.1 0.9\n{CELL}Mg\n1\nd\n0 0 0\n",
    "selective": f"sel\n1.0\n{CELL}Mg O\n1 1\nSelective dynamics\nDirect\n0 0 0 T F T\n0.5 0.5 0.5 F F F\n",
    "version4": f"Mg O\n1.0\n{CELL}1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n",
    "potcar": f"pot\n1.0\n{CELL}Mg_pv O/a1b2\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n",
    "velocities": f"v\n1.0\n{CELL}Mg O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n\n0 0 0\n1e-2 0 0\n",
    "lattice-velocities": f"v\n1.0\n{CELL}Mg\n1\nDirect\n0 0 0\nLattice velocities and vectors\n1\n0 0 0\n0 0 0\n0 0 0\n{CELL}",
    "groups": f"g\n1.0\n{CELL}O Mg O\n1 1 2\nDirect\n0 0 0\n.5 .5 .5\n.25 0 0\n0 .3 0\n",
    "crlf": f"c\n1.0\n{CELL}Mg\n1\nDirect\n0 0 0\n".replace("\n", "\r\n"),
    "huge-count": f"h\n1.0\n{CELL}Mg\n4294967297\nDirect\n0 0 0\n",
    "flat": "f\n1.0\n1 0 0\n2 0 0\n0 0 1\nMg\n1\nDirect\n0 0 0\n",
}
CIF_HEAD = "data_x\n_cell_length_a 4.2(1)\n_cell_length_b 4.2\n_cell_length_c 4.2\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
CIF_SITES = "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n"
CIFS = {
    "plain": CIF_HEAD + CIF_SITES + "Mg1 Mg2+ 0 0 0 1\nO1 O2- 0.5 0.5 0.5 1.0\n",
    "symmetry": CIF_HEAD
    + "loop_\n_symmetry_equiv_pos_site_id\n_symmetry_equiv_pos_as_xyz\n1 'x,y,z'\n2 '-x, -y, z+1/2'\n3 \"x-y,-y,0.25+z\"\n"
    + CIF_SITES
    + "Na1 Na 0.1 0.2 0.3 1\n",
    "space-group": CIF_HEAD + "_space_group_symop_operation_xyz 'x,y,z'\n_symmetry_space_group_name_H-M 'P 1'\n" + CIF_SITES + "X C 0 0 0 1\n",
    "text-field": CIF_HEAD + "_note\n;long\n text\n;\n" + CIF_SITES + "C1 C . ? 0.1 1\n",
    "two-blocks": CIF_HEAD + CIF_SITES + "C1 C 0 0 0 1\n# end\n" + CIF_HEAD.replace("data_x", "data_y") + CIF_SITES + "H1 D 0 0 0 1\n",
    "no-type": CIF_HEAD + "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nFe1a 0 0 0\n'O 2' .5(2) .5 .5\n",
    "cartesian": CIF_HEAD + "loop_\n_atom_site_label\n_atom_site_Cartn_x\n_atom_site_Cartn_y\n_atom_site_Cartn_z\nFe 0 0 0\n",
    "partial": CIF_HEAD + CIF_SITES + "Mg1 Mg 0 0 0 0.5\nFe1 Fe 0 0 0 0.5\n",
    "magnetic": CIF_HEAD + "_space_group_magn.transform_BNS_Pp_abc 'a,b,c;0,0,0'\nloop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n" + CIF_SITES + "Fe1 Fe 0 0 0 1\n",
    "unclosed": CIF_HEAD + "_a 'open\nloop_\n_b\n",
    "save": "data_d\nsave_frame\n_a b\nsave_\nglobal_\nstop_\n",
}
LATTICE = 'Lattice="4 0 0 0 4 0 0 0 4"'
XYZS = {
    "plain": f'2\n{LATTICE} Properties=species:S:1:pos:R:3 pbc="T T F" energy=-1.5\nMg 0 0 0\nO 2 2 2\n',
    "no-cell": "1\nno keys here\nH 0 0 0\n",
    "columns": f"1\n{LATTICE} Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1:flag:L:1:name:S:1:move_mask:L:3\nH 0 0 0 1 2 3 4 T abc T F T\n",
    "move-mask": "1\nProperties=species:S:1:pos:R:3:move_mask:L:1\nH 0 0 0 F\n",
    "numbers": "1\nProperties=Z:I:1:pos:R:3\n26 1e0 -2.5E-1 3\n",
    "labels": f"1\n{LATTICE} Properties=species:S:1:pos:R:3:REF_forces:R:3:mask:L:1 REF_energy=-3.25\nH 0 0 0 0.1 0.2 0.3 T\n",
    "quotes": f"1\n{LATTICE} a='b c' d=\"e \\\" f\" g={{1 2}} h=[1,2] flag Properties=species:S:1:pos:R:3\nH 0 0 0\n",
    "frames": f"1\n{LATTICE}\nH 0 0 0\n1\npbc=F\nHe 1 1 1\n",
    "zero-row": '1\nLattice="4 0 0 0 4 0 0 0 0" pbc="T T F" Properties=species:S:1:pos:R:3\nH 0 0 0\n',
    "huge": "99999999999\nx\nH 0 0 0\n",
    "torn": f"3\n{LATTICE}\nH 0 0 0\nH 1 0",
    "stress": f'1\n{LATTICE} stress="1 0 0 0 1 0 0 0 1" virial="1 2 3 4 5 6" Properties=species:S:1:pos:R:3:magmoms:R:1\nFe 0 0 0 2.2\n',
}

# ---- PyTorch ------------------------------------------------------------------------------------------------------------

SIZES = {"atom": 2, "bond": 1, "angle": 1, "radial": 1, "angular": 3, "element": 3, "hidden": 2}


def tensor_shapes():
    """Names and shapes as model/weights_layout.c asks for them, for SIZES and two convolutions."""
    a, b, g, h = SIZES["atom"], SIZES["bond"], SIZES["angle"], SIZES["hidden"]
    shapes = {
        "composition_model.fc.weight": (1, SIZES["element"]),
        "atom_embedding.embedding.weight": (SIZES["element"], a),
        "bond_basis_expansion.rbf_expansion_ag.frequencies": (SIZES["radial"],),
        "bond_basis_expansion.rbf_expansion_bg.frequencies": (SIZES["radial"],),
        "angle_basis_expansion.fourier_expansion.frequencies": ((SIZES["angular"] - 1) // 2,),
        "bond_embedding.weight": (b, SIZES["radial"]),
        "bond_weights_ag.weight": (a, SIZES["radial"]),
        "bond_weights_bg.weight": (b, SIZES["radial"]),
        "angle_embedding.weight": (g, SIZES["angular"]),
        "site_wise.weight": (1, a),
        "site_wise.bias": (1,),
        "mlp.layers.0.weight": (h, a),
        "mlp.layers.0.bias": (h,),
        "mlp.layers.3.weight": (1, h),
        "mlp.layers.3.bias": (1,),
    }

    def gated(prefix, width, hidden, out):
        for half in ("mlp_core", "mlp_gate"):
            layers = [(0, hidden, width), (3, out, hidden)] if hidden else [(1, out, width)]
            for place, rows, columns in layers:
                shapes[f"{prefix}.{half}.layers.{place}.weight"] = (rows, columns)
                shapes[f"{prefix}.{half}.layers.{place}.bias"] = (rows,)

    for t in range(2):
        gated(f"atom_conv_layers.{t}.twoBody_atom", 2 * a + b, h, a)
        shapes[f"atom_conv_layers.{t}.mlp_out.layers.1.weight"] = (a, a)
    gated("bond_conv_layers.0.twoBody_bond", a + 2 * b + g, h, b)
    shapes["bond_conv_layers.0.mlp_out.layers.1.weight"] = (b, b)
    gated("angle_layers.0.twoBody_bond", a + 2 * b + g, 0, g)
    return shapes


class Storage:
    def __init__(self, key, count):
        self.key, self.count = key, count


def fake_modules():
    """Modules of the names that PyTorch's pickles say; nothing of PyTorch is needed."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*arguments):
        return arguments

    class FloatStorage:
        pass

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    FloatStorage.__module__ = "torch"
    FloatStorage.__qualname__ = "FloatStorage"
    utils._rebuild_tensor_v2, torch.FloatStorage, torch._utils = _rebuild_tensor_v2, FloatStorage, utils
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
    return torch


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        from collections import OrderedDict

        strides = (self.shape[1], 1) if len(self.shape) == 2 else (1,)
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self.storage, 0, self.shape, strides, False, OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", sys.modules["torch"].FloatStorage, obj.key, "cpu", obj.count)
        return None


def dump(obj):
    out = io.BytesIO()
    Pickler(out, protocol=2).dump(obj)
    return out.getvalue()


def checkpoint():
    """(pickle, {entry: bytes}) of a model with SIZES."""
    from collections import OrderedDict

    fake_modules()
    arguments = {
        "atom_fea_dim": SIZES["atom"], "bond_fea_dim": SIZES["bond"], "angle_fea_dim": SIZES["angle"],
        "num_radial": SIZES["radial"], "num_angular": SIZES["angular"], "n_conv": 2, "cutoff_coeff": 8,
        "atom_conv_hidden_dim": SIZES["hidden"], "bond_conv_hidden_dim": [SIZES["hidden"]],
        "angle_layer_hidden_dim": 0, "mlp_hidden_dims": (SIZES["hidden"],), "atom_graph_cutoff": 6.0,
        "bond_graph_cutoff": 3, "composition_model": "MPtrj", "gMLP_norm": None, "readout_norm": None,
        "version": "0.3.0", "skip_connection": True, "learnable_rbf": False,
    }  # fmt: skip
    state, data = OrderedDict(), {}
    for k, (name, shape) in enumerate(tensor_shapes().items()):
        count = int(np.prod(shape))
        state[name] = Tensor(Storage(str(k), count), shape)
        data[f"data/{k}"] = (0.25 * np.arange(1, count + 1)).astype("<f4").tobytes()
    return dump({"model": {"model_args": arguments, "state_dict": state}}), data


def archive(entries, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in entries.items():
            file.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return out.getvalue()


def torch_inputs():
    text, data = checkpoint()
    entries = {"model/data.pkl": text, "model/byteorder": b"little", **{f"model/{k}": v for k, v in data.items()}}
    entries["model/version"] = b"3\n"
    stored = archive(entries)
    torch = {"stored": stored, "deflated": archive(entries, zipfile.ZIP_DEFLATED), "cut": stored[: len(stored) // 2]}
    pickles = {
        "checkpoint": text,
        "arguments": dump({"mlp_hidden_dims": [64, 64], "is_intensive": False, "atom_conv_hidden_dim": 64, "x": None}),
        "kinds": dump([None, True, False, 0, 255, 65535, 2**31 - 1, -(2**63), 1.5, "text", (), (1,), (1, 2), (1, 2, 3, 4)]),
        "shared": dump([[1], {"a": {"b": []}}] * 3),
        "call": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
        "itself": b"\x80\x02]q\x00h\x00a.",
        "deep": b"\x80\x02" + b"(" * 200 + b"t" * 200 + b".",
        "memo": b"\x80\x02K\x01r\xff\xff\xff\x7fj\xff\xff\xff\x7f.",
        "long": b"\x80\x02\x8a\x08" + struct.pack("<q", -5) + b".",
        "unknown": b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.",
    }
    zips = {
        "stored": archive({"a": b"abc", "b/c": b""}),
        "deflated": archive({"a": b"abc" * 50}, zipfile.ZIP_DEFLATED),
        "bomb": archive({"a": bytes(200000)}, zipfile.ZIP_DEFLATED),
        "empty": archive({}),
        "comment": archive({"a": b"x"})[:-2] + struct.pack("<H", 3) + b"end",
    }
    return torch, pickles, zips


# ---- HDF5 ---------------------------------------------------------------------------------------------------------------

FIT = """1
Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3{c} REF_energy={e} pbc="T T T"
{s} 0 0 0{f}
"""


def made_by_program(chgnet, folder):
    """Files as the program writes them: {name: bytes} of models and of delta-models."""
    text, data = checkpoint()
    path = os.path.join(folder, "tiny.pth.tar")
    with open(path, "wb") as file:
        file.write(archive({"m/data.pkl": text, **{f"m/{k}": v for k, v in data.items()}}))

    def run(*arguments):
        subprocess.run([chgnet, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def content(name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    run("convert", path, "-o", "tiny.h5")
    with open(os.path.join(folder, "labels.extxyz"), "w", encoding="ascii") as file:
        for k, symbol in enumerate(("Ne", "Ar", "Ne")):
            file.write(FIT.format(c=":REF_forces:R:3", e=-1.0 - 0.1 * k, s=symbol, f=" 0 0 0").replace("3 0 0 0 3", f"{3 + k} 0 0 0 3", 1))
    deltas = {}
    for name, options in {"global": ["--aggregation", "global"], "atomic": ["--aggregation", "atomic"],
                          "sparse": ["--aggregation", "atomic", "--inducing", "2"]}.items():  # fmt: skip
        run("delta", "fit", "labels.extxyz", "-o", f"{name}.h5", "--energies-only", "--no-optimize", *options)
        deltas[name] = content(f"{name}.h5")
    return {"tiny": content("tiny.h5")}, deltas


def made_by_h5py(folder, write, **options):
    path = os.path.join(folder, "crafted.h5")
    with h5py.File(path, "w", **options) as file:
        write(file)
    with open(path, "rb") as file:
        return file.read()


def crafted_models(folder, tiny):
    """Files that a reader must refuse: each breaks one rule of store/h5.h."""
    source = os.path.join(folder, "source.h5")
    with open(source, "wb") as file:
        file.write(tiny)
    name = "atom_conv_layers.0.mlp_out.layers.1.weight"

    def copy(change):
        def write(file):
            with h5py.File(source, "r") as old:
                for key, value in old.attrs.items():
                    file.attrs.create(key, value, dtype=old.attrs.get_id(key).dtype)
                for key in old:
                    if key != name:
                        file.create_dataset(key, data=old[key][()])
            change(file)

        return write

    def scaled(file):
        file.create_dataset(name, data=np.ones((2, 2), "f4"), chunks=(2, 2), scaleoffset=2)

    def szip_like(file):
        space = h5py.h5s.create_simple((2, 2))
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((2, 2))
        plist.set_filter(32000, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)

    def external_storage(file):
        file.create_dataset(name, (2, 2), "f4", external=[("/etc/passwd", 0, 16)])

    def virtual(file):
        layout = h5py.VirtualLayout((2, 2), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (2, 2))
        file.create_virtual_dataset(name, layout)

    def rank(file):
        file.create_dataset(name, data=np.ones((1, 1, 1, 1, 4), "f4"))

    def put(value):
        def change(file):
            file[name] = value

        return change

    changes = {
        "chunked": lambda f: f.create_dataset(name, data=np.ones((2, 2), "f4"), chunks=(1, 2), compression=9, shuffle=True, fletcher32=True),
        "compact": put(np.ones((2, 2), "f4")),
        "scale-offset": scaled,
        "unknown-filter": szip_like,
        "external-storage": external_storage,
        "virtual": virtual,
        "external-link": put(h5py.ExternalLink("other.h5", "/x")),
        "soft-link": put(h5py.SoftLink("/atom_embedding.embedding.weight")),
        "group-in-place": lambda f: f.create_group(name),
        "rank-5": rank,
        "wrong-size": put(np.ones((3, 3), "f4")),
        "double": put(np.ones((2, 2), "f8")),
        "big-endian": put(np.ones((2, 2), ">f4")),
        "strings": put(np.array([b"a"] * 4)),
        "vlen": lambda f: f.create_dataset(name, (2, 2), dtype=h5py.vlen_dtype(np.dtype("f4"))),
        "nan": put(np.full((2, 2), np.nan, "f4")),
        "empty-space": lambda f: f.create_dataset(name, dtype="f4", data=h5py.Empty("f4")),
        "huge": lambda f: f.create_dataset(name, (2**40, 2**20), "f4", chunks=(1, 1)),
        "huge-chunk": lambda f: f.create_dataset(name, (2, 2), "f4", chunks=(2**14, 2**14), maxshape=(None, None)),
        "vlen-attribute": lambda f: (f.__setitem__(name, np.ones((2, 2), "f4")), f.attrs.__setitem__("license", "text")),
        "array-attribute": lambda f: (f.__setitem__(name, np.ones((2, 2), "f4")), f.attrs.create("n_conv", np.array([2, 2]))),
        "list-attribute": lambda f: (f.__setitem__(name, np.ones((2, 2), "f4")), f.attrs.create("mlp_hidden_dims", np.arange(1, 100))),
    }  # fmt: skip
    files = {}
    for change, action in changes.items():
        last = "v110" if change == "virtual" else "v108"
        files[change] = made_by_h5py(folder, copy(action), libver=("v108", last))
    files["old-format"] = made_by_h5py(folder, copy(put(np.ones((2, 2), "f4"))), libver=("earliest", "v108"))
    files["user-block"] = made_by_h5py(folder, copy(put(np.ones((2, 2), "f4"))), libver=("v108", "v108"), userblock_size=512)
    return files


def crafted_deltas(folder, good):
    """Links where groups are expected; the rest of a delta-model is changed by the fuzzer itself."""

    def linked(link):
        def write(file):
            source = os.path.join(folder, "source.h5")
            with open(source, "wb") as out:
                out.write(good)
            with h5py.File(source, "r") as old:
                for key, value in old.attrs.items():
                    file.attrs.create(key, value, dtype=old.attrs.get_id(key).dtype)
            file["gp"] = link

        return write

    return {
        "external-group": made_by_h5py(folder, linked(h5py.ExternalLink("other.h5", "/gp")), libver=("v108", "v108")),
        "soft-group": made_by_h5py(folder, linked(h5py.SoftLink("/labels")), libver=("v108", "v108")),
    }


def trajectories(folder):
    """The groups and arrays that the target looks for (fuzz_stores.c)."""

    def write(file, **options):
        file.create_dataset("step", data=np.arange(4.0), **options)
        group = file.create_group("particles/all/position")
        group.create_dataset("value", data=np.arange(24.0).reshape(4, 2, 3), **options)
        group["step"] = file["step"]
        file.create_dataset("particles/value", data=np.zeros((2, 0)))

    def outside(file):
        file["particles"] = h5py.ExternalLink("other.h5", "/particles")
        file["observables"] = h5py.SoftLink("/particles/all")
        file["value"] = h5py.SoftLink("value")

    version = {"libver": ("v108", "v108")}
    return {
        "plain": made_by_h5py(folder, write, **version),
        "chunked": made_by_h5py(folder, lambda f: write(f, chunks=True, compression=1, shuffle=True), **version),
        "links": made_by_h5py(folder, outside, **version),
    }


# ---- checkpoints, configurations, messages --------------------------------------------------------------------------------


def entry(name, kind, count, values):
    return name.encode().ljust(32, b"\0") + struct.pack("<QQ", kind, count) + values


def checkpoints():
    def doubles(name, values):
        return entry(name, 1, len(values), struct.pack(f"<{len(values)}d", *values))

    texts = b"".join(entry(n, 3, len(v) + 1, v.encode() + b"\0") for n, v in (("kind", "md"), ("version", "0.1.0"), ("kernels", "avx2")))
    numbers = entry("frames", 2, 1, struct.pack("<q", 3)) + doubles("sums", [1, 2, 3, 4])
    files = {"texts": texts, "other": entry("kind", 3, 7, b"search\0"), "short": texts[:50]}
    for ensemble in range(6):
        state = [2.0, float(ensemble)] + [0.0] * 200
        files[f"state-{ensemble}"] = texts + numbers + doubles("state", state)
    files["huge"] = texts + entry("state", 1, 2**61, b"")
    files["magic"] = b"CHGNETCP" + struct.pack("<QQ", 0x0102030405060708, 4) + b"abcd" + b"0" * 64
    return files


INIS = {
    "lj13": open(os.path.join(os.path.dirname(TESTS), "examples", "search", "lj13.ini"), encoding="utf-8").read(),
    "sections": "# c\n; d\n[a]\nkey = value # no\nother=1\n\n[b-c_d]\nx =\n",
    "twice": "[search]\nseed = 1\nseed = 2\n",
    "unknown": "[searhc]\nx = 1\n[search]\nsede = 1\n",
    "no-section": "x = 1\n",
    "limits": "[search]\nbudget = -1\nwalkers = 99999999999999999999\ntarget = nan\n",
    "words": "[search]\nsampler = bassin\n[potential]\nkind = chgnet\nprecision = double\n[label]\ncommand = x {in} {out}\n",
    "many": "[search]\n" + "".join(f"k{k} = 1\n" for k in range(5000)),
    "bytes": "[search]\nfolder = \x01\x7f\u00e9\r\n[search\n]\n= 3\n",
}


def messages():
    def word(text):
        return text.ljust(12).encode()

    cell = struct.pack("<9d", *(7.5 if k % 4 == 0 else 0 for k in range(9)))
    positions = word("POSDATA") + cell + cell + struct.pack("<i", 2) + struct.pack("<6d", 0, 0, 0, 3.7, 3.7, 3.7)
    init = word("INIT") + struct.pack("<ii", 0, 4) + b"\0abc"
    status, force = word("STATUS"), word("GETFORCE")
    return {
        "whole": status + init + status + positions + status + force + status + positions + force + word("EXIT"),
        "early-force": status + force,
        "wrong-count": init + word("POSDATA") + cell + cell + struct.pack("<i", -1),
        "long-init": word("INIT") + struct.pack("<ii", 0, 2**31 - 1),
        "no-word": b"HTTP/1.1 200",
        "cut": status + init + positions[:100],
        "nan": init + positions.replace(struct.pack("<d", 3.7), struct.pack("<d", float("nan"))) + force,
    }


# ---- writing ------------------------------------------------------------------------------------------------------------


def all_inputs(chgnet):
    with tempfile.TemporaryDirectory() as folder:
        models, deltas = made_by_program(chgnet, folder)
        torch, pickles, zips = torch_inputs()
        inputs = {
            "poscar": POSCARS, "cif": CIFS, "extxyz": XYZS, "ini": INIS, "torch": torch, "pickle": pickles, "zip": zips,
            "model": {**models, **crafted_models(folder, models["tiny"])},
            "delta": {**deltas, **crafted_deltas(folder, deltas["global"])},
            "trajectory": trajectories(folder), "checkpoint": checkpoints(), "ipi": messages(),
        }  # fmt: skip
    for name, files in inputs.items():
        for key, value in files.items():
            files[key] = value.encode() if isinstance(value, str) else value
        files["empty"] = b""
    return inputs


def minimise(fuzzer, target, folder):
    """Leave out what reaches no line of its own."""
    with tempfile.TemporaryDirectory() as kept:
        subprocess.run([fuzzer, "-merge=1", kept, folder], env={**os.environ, "FUZZ_TARGET": target}, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        wanted = {zlib.crc32(open(os.path.join(kept, n), "rb").read()) for n in os.listdir(kept)}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            if not name.startswith("found-") and zlib.crc32(file.read()) not in wanted:
                os.remove(os.path.join(folder, name))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    chgnet = os.path.abspath(sys.argv[1])
    corpus = sys.argv[2] if len(sys.argv) > 2 else os.path.join(TESTS, "corpus")
    for target, files in all_inputs(chgnet).items():
        folder = os.path.join(corpus, target)
        os.makedirs(folder, exist_ok=True)
        for old in os.listdir(folder):
            if not old.startswith("found-"):
                os.remove(os.path.join(folder, old))
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        if len(sys.argv) > 3 and target not in ("model", "delta", "trajectory"):
            minimise(sys.argv[3], target, folder)
        print(f"{target:12s} {len(os.listdir(folder)):3d} files")


if __name__ == "__main__":
    main()
