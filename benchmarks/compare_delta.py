#!/usr/bin/env python3
"""Time of fits of the delta-model at size, beside scikit-learn's GaussianProcessRegressor and AGOX's SparseGPR.

    python3 benchmarks/compare_delta.py [--chgnet build/chgnet] [-t 2] [--structures 1000] [--forces 200]

Structures: Cu46S4 in a 48-atom fcc cell with two further atoms, shaken; labels: CHGNet's own energy and forces, and
noise.  What is timed is whole runs of `chgnet delta fit`, embeddings included, hyperparameters optimised (default) and
kept (--no-optimize); of the others only their fit on ready descriptors (our embeddings, the same kernel and noise, no
optimisation), in the same run.  Prints Markdown with seconds and peak memory.

Needs python3 with numpy and h5py; scikit-learn and agox 3.11 (with ase) where they are to be compared.  AGOX 3.11 takes two
names from ase.constraints that ASE 3.29 has in ase.stress: they are put back.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def structures(count, seed=1):
    """Shaken cells of 50 atoms: (positions, numbers, cell)."""
    rng = np.random.default_rng(seed)
    cell = np.diag([7.7, 7.7, 11.6])
    grid = np.array([[x, y, z] for x in range(2) for y in range(2) for z in range(3)], float)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    sites = ((grid[:, None, :] + basis[None, :, :]).reshape(-1, 3)) * 3.85
    holes = np.array([[1.925, 1.925, 1.925], [5.775, 5.775, 9.6]])
    for _ in range(count):
        positions = np.concatenate([sites, holes]) + rng.normal(0, 0.08, (50, 3))
        numbers = np.full(50, 29)
        numbers[[5, 20, 48, 49]] = 16
        yield positions, numbers, cell


def write(path, frames, energies=None, forces=None):
    symbols = {29: "Cu", 16: "S"}
    with open(path, "w", encoding="ascii") as file:
        for i, (positions, numbers, cell) in enumerate(frames):
            file.write("50\nLattice=\"%s\" Properties=species:S:1:pos:R:3%s pbc=\"T T T\"%s\n" % (
                " ".join("%.10g" % x for x in cell.ravel()), ":REF_forces:R:3" if forces is not None else "",
                " REF_energy=%.10f" % energies[i] if energies is not None else ""))
            for k in range(50):
                row = list(positions[k]) + (list(forces[i][k]) if forces is not None else [])
                file.write(symbols[numbers[k]] + "".join(" %.8f" % x for x in row) + "\n")


def timed(command):
    """Seconds and peak memory (MB) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), out.decode(), err.decode()))
    return seconds


def peak():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def ours(options, path, folder, label, *more):
    out = os.path.join(folder, "D.h5")
    command = [options.chgnet, "delta", "fit", "-q", "-t", str(options.threads), path, "-o", out, *more]
    child = os.fork()
    if child == 0:
        seconds = timed(command)
        print("| chgnet delta fit | %s | %.1f | %.0f |" % (label, seconds, peak()), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)


def scikit_learn(features, energies):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF
    total = features.sum(axis=1)
    scaled = (total - total.mean(0)) / total.std(0)
    model = GaussianProcessRegressor(RBF(16.0), alpha=25e-6, optimizer=None)
    start = time.perf_counter()
    model.fit(scaled, energies - energies.mean())
    print("| scikit-learn GaussianProcessRegressor | global, ready descriptors | %.1f | |" %
          (time.perf_counter() - start), flush=True)


def agox(features, energies, frames, inducing):
    import ase
    import ase.constraints
    import ase.stress
    for name in ("full_3x3_to_voigt_6_stress", "voigt_6_to_full_3x3_stress"):
        if not hasattr(ase.constraints, name):
            setattr(ase.constraints, name, getattr(ase.stress, name))
    from agox.models.descriptors import DescriptorBaseClass
    from agox.models.GPR import SparseGPR
    from agox.models.GPR.kernels import RBF, Constant
    from agox.utils.sparsifiers import CUR
    scaled = (features - features.mean((0, 1))) / features.std((0, 1))

    class Ready(DescriptorBaseClass):
        """Embeddings that were computed before, found by a mark of the structure."""
        name = "Ready"
        descriptor_type = "local"

        def __init__(self, **more):
            super().__init__(environment=None, **more)

        def create_features(self, atoms):
            return scaled[atoms.info["index"]]

        def get_number_of_centers(self, atoms):
            return len(atoms)

    atoms = []
    for i, (positions, numbers, cell) in enumerate(frames):
        from ase.calculators.singlepoint import SinglePointCalculator
        one = ase.Atoms(numbers, positions, cell=cell, pbc=True, info={"index": i})
        one.calc = SinglePointCalculator(one, energy=float(energies[i]), forces=np.zeros((50, 3)))
        atoms.append(one)
    model = SparseGPR(descriptor=Ready(), kernel=Constant(1.0) * RBF(16.0), sigma=0.005,
                      sparsifier=CUR(m_points=inducing), use_ray=False)
    start = time.perf_counter()
    model.train(atoms)
    print("| AGOX SparseGPR | atomic, %d inducing, ready descriptors | %.1f | |" %
          (inducing, time.perf_counter() - start), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chgnet", default=os.path.join(HERE, "..", "build", "chgnet"))
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--structures", type=int, default=1000)
    parser.add_argument("--forces", type=int, default=200, help="structures of the fit with forces; 0: none")
    parser.add_argument("--inducing", type=int, default=2000)
    parser.add_argument("--only", default="ours,forces,sklearn,agox")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
    only = options.only.split(",")
    import h5py
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory() as folder:
        frames = list(structures(options.structures))
        plain, labels = os.path.join(folder, "plain.extxyz"), os.path.join(folder, "labels.extxyz")
        write(plain, frames)
        results = os.path.join(folder, "results.h5")
        timed([options.chgnet, "predict", "-q", "--embeddings", plain, "-o", results])
        with h5py.File(results) as file:
            read = [file[str(i)] for i in range(len(frames))]
            energies = np.array([g["energy"][()] for g in read]) + rng.normal(0, 0.1, len(frames))
            forces = np.array([g["forces"][:] for g in read]) + rng.normal(0, 0.05, (len(frames), 50, 3))
            features = np.array([g["atom_fea"][:] for g in read], dtype=float)
        print("| program | what | s | peak MB |\n|---|---|---|---|")
        if "ours" in only:
            write(labels, frames, energies)
            for form in ("global", "species", "atomic"):
                more = ["--inducing", str(options.inducing)] if form == "atomic" else []
                ours(options, labels, folder, "%d energies, %s" % (len(frames), form), "--aggregation", form, *more)
                ours(options, labels, folder, "%d energies, %s, hyperparameters kept" % (len(frames), form),
                     "--aggregation", form, "--no-optimize", *more)
        if "forces" in only and options.forces:
            some = os.path.join(folder, "some.extxyz")
            write(some, frames[:options.forces], energies, forces)
            ours(options, some, folder, "%d energies and forces, atomic, sparse, hyperparameters kept" % options.forces,
                 "--inducing", str(options.inducing), "--no-optimize")
        if "sklearn" in only:
            scikit_learn(features, energies)
        if "agox" in only:
            agox(features, energies, frames, options.inducing)


main()
