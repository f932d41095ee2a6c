"""chgnet_native with numpy alone: bits of the command, errors, delta-model, memory, threads."""

# SPDX-License-Identifier: BSD-3-Clause
import copy
import gc
import os
import pickle
import re
import tempfile
import threading
import time
import warnings

import chgnet_native
import numpy as np
from chgnet_native import Calculator, Delta, InputError, Model, UsageError
from chgnet_native._library import FileError, library
from tap import SOURCE, near, ok, predict, raises, run, same

MODEL = Model()
STRUCTURES = SOURCE / "tests" / "ref" / "structures_extra.extxyz"
LABELS = SOURCE / "tests" / "files" / "labels.extxyz"
NAMES = {"energy": "energy", "forces": "forces", "stress": "stress", "magmoms": "magmom",
         "site_energies": "site_energies", "crystal_fea": "crystal_fea"}  # fmt: skip


def arrays(frame):
    return frame["numbers"], frame["positions"], frame["cell"], frame["pbc"]


def copper(n, seed=0, a=3.6):
    """(n,n,n) cells of copper, rattled."""
    base = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    shift = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    x = a * (base + shift).reshape(-1, 3)
    return [29] * len(x), x + np.random.default_rng(seed).normal(0, 0.05, x.shape), np.eye(3) * a * n, True


def version():
    header = re.search(r"AC_INIT\(\[.*\], \[(.*)\]\)", (SOURCE / "configure.ac").read_text()).group(1)
    ok(
        chgnet_native.__version__ == library.version().decode() == header,
        "versions of package, library and source agree",
    )


def bits_of_the_command():
    compared = 0
    for precision in ("single", "double"):
        calculator = Calculator(MODEL, precision=precision)
        frames = predict("-p", precision, SOURCE / "examples" / "LiMnO2.extxyz", STRUCTURES)
        for frame in frames[:9]:
            calculator.set_structure(*arrays(frame))
            calculator.compute()
            for ours, theirs in NAMES.items():
                if frame[theirs] is not None:
                    same(getattr(calculator, ours), frame[theirs], f"frame {frame['frame']}, {precision}: {ours}")
            compared += 1
            same(calculator.counts, (frame["n_directed_bond"], frame["n_angle"]), f"frame {frame['frame']}: counts")
    ok(compared >= 10, f"at least five structures were compared in each precision: {compared}")


def delta_model():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "d.h5")
        frames = predict(LABELS)
        rng = np.random.default_rng(1)
        energies = [f["energy"] + 0.3 * len(f["numbers"]) + rng.normal(0, 0.05) for f in frames]
        structures = [arrays(f) for f in frames]
        delta = Delta.fit(MODEL, structures[:-1], energies[:-1], optimize=False, seed=1)
        delta.save(path)
        ok(delta.info["n_label"] == len(frames) - 1 and delta.info["model"] == "0.3.0", "fit: info")
        calculator = Calculator(MODEL, delta=path)
        for frame in predict("-d", path, LABELS)[-2:]:
            calculator.set_structure(*arrays(frame))
            calculator.compute(std=True, std_gradient=True, novelty=True)
            for name in ("energy", "forces", "energy_std", "delta_energy"):
                same(getattr(calculator, name), frame[name], f"delta-model of the command: {name}")
            near(calculator.site_corrections.sum(), calculator.delta_energy, 1e-10, "site corrections add up")
            ok(calculator.std_forces.shape == calculator.forces.shape, "std_forces")
        before = calculator.energy_std
        delta.update(MODEL, structures[-1:], energies[-1:])
        raises(TypeError, "save", lambda: pickle.dumps(delta), "a delta-model in no file cannot be pickled")
        calculator = Calculator(MODEL, delta=delta)
        calculator.set_structure(*structures[-1])
        calculator.compute(std=True)
        ok(calculator.energy_std < before, "a label lowers the standard deviation at its structure")
        ok(pickle.loads(pickle.dumps(Delta(path))).info == Delta(path).info, "pickle of a delta-model")
        raises(ValueError, "forces of 1", lambda: Delta.fit(MODEL, structures, energies, [np.zeros((1, 3))]), "labels")
        raises(InputError, "", lambda: Delta(STRUCTURES), "not a delta-model")
        plain = Calculator(MODEL)
        plain.set_structure(*structures[0])
        raises(UsageError, "", lambda: plain.compute(std=True), "std without a delta-model")


def virial():
    calculator = Calculator(MODEL, precision="double")
    z, x, cell, _ = copper(1)
    for pbc in (True, (True, True, False)):
        calculator.set_structure(z, x, cell, pbc)
        calculator.compute()
        near(calculator.virial / np.linalg.det(cell) * 160.21766208, calculator.cell_stress, 1e-12, f"virial, {pbc}")
    raises(UsageError, "periodic", lambda: calculator.stress, "stress of a slab")
    calculator.set_structure(z, x, np.diag([3.6, 3.6, 0]), (True, True, False))
    calculator.compute()
    raises(UsageError, "volume", lambda: calculator.cell_stress, "stress without a third vector")


def errors():
    raises(InputError, "no weights named", lambda: Model("0.9.9"), "unknown weights")
    raises(InputError, "", lambda: Model(str(STRUCTURES)), "a file that holds no weights")
    ok(issubclass(InputError, ValueError) and issubclass(FileError, OSError), "errors are Python's too")
    raises(UsageError, "precision", lambda: Calculator(MODEL, precision="half"), "precision")
    raises(UsageError, "threads", lambda: Calculator(MODEL, threads=-1), "threads")
    raises(UsageError, "skin", lambda: Calculator(MODEL, skin=11), "skin")
    calculator = Calculator(MODEL)
    raises(UsageError, "computed", lambda: calculator.energy, "energy before compute")
    raises(UsageError, "", lambda: calculator.compute(), "compute without a structure")
    raises(ValueError, "positions of shape", lambda: calculator.set_structure([1], [0, 0, 0], np.eye(3)), "shape")
    raises(InputError, "", lambda: calculator.set_structure([119], [[0, 0, 0]], np.eye(3) * 5), "no such element")
    raises(InputError, "", lambda: calculator.set_structure([1], [[np.nan, 0, 0]], np.eye(3) * 5), "not a number")
    raises(InputError, "", lambda: calculator.set_structure([], np.zeros((0, 3)), np.eye(3) * 5), "no atoms")
    raises(TypeError, "structure of type int", lambda: chgnet_native.core.structure_arrays(3), "no structure")
    calculator.set_structure(*copper(1))
    calculator.compute(gradient=False)
    ok(calculator.energy < 0, "goes on after errors")
    raises(UsageError, "forces", lambda: calculator.forces, "forces were not computed")
    calculator.close()
    raises(UsageError, "closed", lambda: calculator.compute(), "closed")
    calculator.close()


def isolated_atoms():
    lonely = ([2], [[0, 0, 0]], np.eye(3) * 20)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        calculator = Calculator(MODEL)
        for _ in range(3):
            calculator.set_structure(*lonely)
        ok(len(heard) == 1 and "without a neighbour" in str(heard[0].message), "isolated atoms: one warning")
        Calculator(MODEL, on_isolated_atoms="ignore").set_structure(*lonely)
        ok(len(heard) == 1, "isolated atoms: ignored")
    calculator = Calculator(MODEL, on_isolated_atoms="error")
    for k in range(2):
        raises(InputError, "without a neighbour", lambda: calculator.set_structure(*lonely), f"isolated atoms {k}")
    calculator.set_structure(*copper(1))


def upstream_class():
    from chgnet_native.model import CHGNet

    class Lattice:
        matrix, pbc = np.eye(3) * 3.6, (True, True, True)

    class Structure:  # what pymatgen's has, as far as it is read
        lattice, is_ordered = Lattice, True
        atomic_numbers, cart_coords = copper(1)[:2]

    model = CHGNet.load(verbose=False)
    one = model.predict_structure(
        Structure(), return_site_energies=True, return_atom_feas=True, return_crystal_feas=True
    )
    shapes = {"e": (), "f": (4, 3), "s": (3, 3), "m": (4,), "site_energies": (4,), "atom_fea": (4, 64),
              "crystal_fea": (64,)}  # fmt: skip
    ok({key: value.shape for key, value in one.items()} == shapes, "predict_structure: keys and shapes")
    ok(all(isinstance(v, np.ndarray) and v.dtype == np.float32 for v in one.values()), "predict_structure: float32")
    many = model.predict_structure([Structure(), Structure()], task="em")
    ok([sorted(m) for m in many] == [["e", "m"]] * 2, "predict_structure: a list")
    raises(ValueError, "task", lambda: model.predict_structure(Structure(), task="sm"), "task")
    raises(ValueError, "release", lambda: CHGNet.load(model_name="0.9"), "CHGNet.load")
    for name in ("predict_graph", "forward", "train", "as_dict", "state_dict", "parameters"):
        raises(NotImplementedError, "chgnet_native", getattr(model, name), f"CHGNet.{name}")
    from chgnet_native.data.dataset import StructureData
    from chgnet_native.graph.converter import CrystalGraphConverter
    from chgnet_native.graph.crystalgraph import CrystalGraph
    from chgnet_native.trainer import Trainer

    for kind in (StructureData, CrystalGraph, CrystalGraphConverter, Trainer, CHGNet):
        raises(NotImplementedError, "chgnet_native", kind, kind.__name__)
    raises(NotImplementedError, "training", lambda: Trainer.load("x"), "Trainer.load")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        ok(model.to("cuda") is model and len(heard) == 1, "another device: a warning")


def copies():
    ok(copy.deepcopy(MODEL) is MODEL, "a model is not copied")
    ok(pickle.loads(pickle.dumps(MODEL)).sha256 == MODEL.sha256, "pickle of a model")


def skin():
    """A list that is kept gives the same bits as a new one."""
    kept, new = Calculator(MODEL, skin=1.0), Calculator(MODEL)
    z, x, cell, pbc = copper(2)
    kept.set_structure(z, x, cell, pbc)
    rng = np.random.default_rng(3)
    equal = True
    for _ in range(12):
        x = x + rng.normal(0, 0.08, x.shape)
        kept.set_positions(x)
        new.set_structure(z, x, cell, pbc)
        kept.compute()
        new.compute()
        equal &= kept.energy == new.energy and np.array_equal(kept.forces, new.forces)
        equal &= np.array_equal(kept.stress, new.stress)
    ok(equal, "results with a skin have the bits of those without")


def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def memory():
    def cycle(k):
        calculator = Calculator(Model(), skin=1.0 if k % 2 else 0.0)
        calculator.set_structure(*copper(1))
        calculator.compute()
        return calculator.energy

    for k in range(20):
        cycle(k)
    before = resident()
    for k in range(200):
        cycle(k)
    grown = resident() - before
    # A cycle's model alone is 5 MiB; one leaked in twenty would show.
    ok(grown < 8, "200 create-destroy cycles: grown by less than 8 MiB", f"{grown:.1f} MiB")
    calculator = Calculator(MODEL)
    order = np.random.default_rng(5).integers(1, 17, 1000)
    z, x, cell, _ = copper(2, a=4.1)
    before = None
    for k, n in enumerate(order):
        calculator.set_structure(z[:n], x[:n], cell)
        calculator.compute(gradient=bool(k % 2))
        if k == 200:
            before = resident()
    grown = resident() - before
    ok(grown < 4, "1000 structures of changing size: grown by less than 4 MiB", f"{grown:.1f} MiB")


def threads():
    """Two calculators on two threads share a model; the interpreter's lock is given up meanwhile."""
    structures = [copper(2, seed) for seed in range(2)]
    calculators = [Calculator(MODEL, threads=1) for _ in structures]
    want, got = [], [None, None]
    for calculator, structure in zip(calculators, structures):
        calculator.set_structure(*structure)
        calculator.compute()
        want.append(calculator.forces)

    def work(k):
        for _ in range(8):
            calculators[k].set_structure(*structures[k])
            calculators[k].compute()
        got[k] = calculators[k].forces

    workers = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for worker in workers:
        worker.start()
    turns = 0
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.001)
        turns += 1
    for worker in workers:
        worker.join()
    same(got, want, "two calculators on two threads")
    ok(turns > 10, "the interpreter goes on meanwhile", f"{turns} turns")
    for count in (2, 3):
        calculator = Calculator(MODEL, threads=count)
        calculator.set_structure(*structures[0])
        calculator.compute()
        same(calculator.forces, want[0], f"{count} threads: the same bits")


def one_calculator_on_two_threads():
    """Calls take turns, so that the results of either structure may come, but nothing breaks."""
    calculator = Calculator(MODEL)
    z, x, cell, _ = copper(1)
    calculator.set_structure(z, x, cell)
    failed = []

    def work():
        try:
            for k in range(50):
                calculator.set_positions(x + 0.001 * k)
                calculator.compute()
        except Exception as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ok(not failed, "one calculator on two threads", str(failed or ""))


run(version, bits_of_the_command, virial, delta_model, errors, isolated_atoms, upstream_class, copies, skin, memory,
    threads, one_calculator_on_two_threads)  # fmt: skip
