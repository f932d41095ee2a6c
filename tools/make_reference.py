#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reference predictions of upstream CHGNet (PyTorch), in double and in single precision.

Upstream runs in float32 only.  Here its parameters are widened to float64 and its graph is built in float64: the numbers
are then exact to about 1e-12, and a program that computes in float32 can be judged by them: it should be as near to them
as upstream's own float32 run is (attributes err32_*), or nearer.

OUT.h5 holds a group /<id>/ for each structure with numbers (n), positions (n,3) A, cell (3,3) A, pbc (3), and in it a
group for each model:
  energy           ()       eV, the sum of site_energies (upstream's total rounds the composition to float32)
  forces           (n,3)    eV/A
  stress           (3,3)    GPa, dE/dstrain over upstream's volume, which is signed
  magmom           (n)      mu_B
  site_energies    (n)      eV, composition reference included
  atom_fea         (n,64)   before the last atom convolution
  atom_fea_final   (n,64)   what the energy MLP reads
  crystal_fea      (64)     sum of atom_fea_final over the atoms
  attributes       n_directed_bond, n_angle, and err32_energy_per_atom, err32_forces, err32_stress, err32_magmom,
                   err32_atom_fea: largest difference of upstream's float32 from its float64; or upstream_error, where
                   upstream refuses the structure
tools/import_reference.py brings the file into the form that the tests read.
"""
import argparse
import contextlib
import io
import warnings

MODELS = ["0.3.0", "0.2.0", "r2scan"]
# our name, upstream's key
RESULTS = [("forces", "f"), ("stress", "s"), ("magmom", "m"), ("site_energies", "site_energies"),
           ("atom_fea", "atom_fea"), ("atom_fea_final", "final"), ("crystal_fea", "crystal_fea")]
ERRORS = [("forces", "f"), ("stress", "s"), ("magmom", "m"), ("atom_fea", "atom_fea")]


class Upstream:
    """One of upstream's models in one precision."""

    def __init__(self, name, bits):
        import torch
        from chgnet.model import CHGNet

        self.dtype = {32: torch.float32, 64: torch.float64}[bits]
        self.set_precision()
        with contextlib.redirect_stdout(io.StringIO()):
            model = CHGNet.load(model_name=name, use_device="cpu", verbose=False)
        self.model = model.to(self.dtype)
        model.graph_converter.set_isolated_atom_response("ignore")
        model.composition_model.fc.register_forward_pre_hook(lambda module, args: (args[0].to(module.weight.dtype),))
        model.mlp.register_forward_pre_hook(self.keep)

    def keep(self, module, args):
        self.final = args[0].detach().numpy()

    def set_precision(self):
        """Upstream's precision is a constant of three modules."""
        import torch
        import chgnet.graph.converter
        import chgnet.graph.crystalgraph
        import chgnet.model.model

        for module in (chgnet.graph.converter, chgnet.graph.crystalgraph, chgnet.model.model):
            if hasattr(module, "TORCH_DTYPE"):
                module.TORCH_DTYPE = self.dtype
        torch.set_default_dtype(self.dtype)

    def predict(self, atoms):
        from pymatgen.core import Lattice, Structure

        self.set_precision()
        structure = Structure(Lattice(atoms.cell[:], pbc=tuple(bool(axis) for axis in atoms.pbc)),
                              atoms.get_chemical_symbols(), atoms.positions, coords_are_cartesian=True)
        graph = self.model.graph_converter(structure)
        results = self.model.predict_graph(graph, task="efsm", return_site_energies=True, return_atom_feas=True,
                                           return_crystal_feas=True)
        results["final"] = self.final
        return results, len(graph.atom_graph), len(graph.bond_graph)


def write_results(group, exact, single, atoms):
    import numpy as np

    try:
        results, n_bond, n_angle = exact.predict(atoms)
        rounded, _, _ = single.predict(atoms)
    except Exception as error:  # upstream refuses some structures: keep its words
        group.attrs["upstream_error"] = repr(error)[:500]
        return
    group["energy"] = energy = float(np.sum(results["site_energies"]))
    for name, key in RESULTS:
        group[name] = np.asarray(results[key], dtype=np.float64)
    for name, key in ERRORS:
        group.attrs["err32_" + name] = float(np.abs(np.asarray(results[key], float) - rounded[key]).max())
    group.attrs["err32_energy_per_atom"] = abs(float(rounded["e"]) - energy / len(atoms))
    group.attrs["n_directed_bond"] = n_bond
    group.attrs["n_angle"] = n_angle


def main():
    parser = argparse.ArgumentParser(description="Predict structures by upstream's chgnet 0.4.2, in double and single "
                                     "precision; needs chgnet, torch, ase, h5py.")
    parser.add_argument("structures", metavar="STRUCTURES.extxyz", help="frames, named by the info key id")
    parser.add_argument("out", metavar="OUT.h5")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS, metavar="NAME",
                        help="any of " + ", ".join(MODELS) + "; all by default")
    args = parser.parse_args()

    warnings.filterwarnings("ignore")
    import h5py
    import torch
    from ase.io import read
    from chgnet import __version__ as version

    frames = read(args.structures, ":")
    models = {name: (Upstream(name, 64), Upstream(name, 32)) for name in args.models}
    with h5py.File(args.out, "w") as out:
        out.attrs.update(chgnet=str(version), torch=str(torch.__version__))
        for index, atoms in enumerate(frames):
            key = atoms.info.get("id", f"s{index:03d}")
            group = out.create_group(key)
            for name, value in (("numbers", atoms.numbers), ("positions", atoms.positions), ("cell", atoms.cell[:]),
                                ("pbc", atoms.pbc.astype("i1"))):
                group[name] = value
            for name in args.models:
                write_results(group.create_group(name), *models[name], atoms)
            print(f"{index + 1}/{len(frames)} {key}: {len(atoms)} atoms", flush=True)


if __name__ == "__main__":
    main()
