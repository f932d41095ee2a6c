"""chgnet_native in processes of its own: what importing costs and brings, libraries beside it, threads, time."""

# SPDX-License-Identifier: BSD-3-Clause
import importlib.util
import os
import tempfile

from tap import ok, python, run, skip

CELL = """
import numpy
base = numpy.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
shift = numpy.stack(numpy.meshgrid(*[numpy.arange(N)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
x = 3.6 * (base + shift).reshape(-1, 3)
x += numpy.random.default_rng(1).normal(0, 0.05, x.shape)
structure = ([29] * len(x), x, numpy.eye(3) * 3.6 * N)
"""
# Processor time of each thread of this process, in ticks of 10 ms.
TICKS = """
import os, time
def ticks():
    return {t: sum(map(int, open(f"/proc/self/task/{t}/stat").read().rsplit(")")[1].split()[11:13]))
            for t in os.listdir("/proc/self/task")}
def busy(before):
    after = ticks()
    return sum(after[t] - before.get(t, 0) > 2 for t in after)
"""


def import_cost():
    program = """
import time, numpy
start = time.perf_counter()
import chgnet_native
print(time.perf_counter() - start)
"""
    best = min(float(python(program)) for _ in range(3))
    ok(best <= 0.05, "import beyond numpy takes at most 0.05 s", f"{best:.4f} s")


def import_brings():
    program = """
import sys
import chgnet_native
chgnet_native.Calculator()
print(sorted({"ase", "pymatgen", "h5py", "scipy", "torch", "chgnet"} & set(sys.modules)))
"""
    ok(python(program).strip() == "[]", "numpy is all that the calculator imports")
    program = """
import sys
from chgnet_native import CHGNetCalculator
from chgnet_native.model import CHGNet, MolecularDynamics, StructOptimizer
from chgnet_native.model.dynamics import EquationOfState
CHGNet.load(verbose=False)
print(sorted({"torch", "chgnet", "pymatgen"} & set(sys.modules)))
"""
    if importlib.util.find_spec("ase"):
        ok(python(program).strip() == "[]", "never torch or chgnet, and pymatgen only for its structures")


def first_energy():
    """Processor time, the interpreter's start included: on a quiet machine it is the time that passes."""
    program = """
import time
from chgnet_native import Calculator
N = 2
%s
calculator = Calculator()
calculator.set_structure(*structure)
calculator.compute()
calculator.energy
print(time.process_time())
"""
    best = min(float(python(program % CELL)) for _ in range(3))
    ok(best < 0.5, "import with numpy, load, first energy and forces of 32 atoms: under 0.5 s", f"{best:.3f} s")


def beside_h5py():
    if not importlib.util.find_spec("h5py"):
        skip("beside h5py: it is not here")
        return
    program = """
import os, sys, numpy
ours = ["import chgnet_native; model = chgnet_native.Model()", "import h5py"]
for line in ours if sys.argv[1] == "first" else ours[::-1]:
    exec(line)
with h5py.File(sys.argv[2], "w") as file:
    file.create_dataset("a", data=numpy.arange(1000.0), compression="gzip")
for _ in range(3):
    model = chgnet_native.Model()
    with h5py.File(sys.argv[2]) as file, h5py.File(model.path) as weights:
        assert file["a"][:].sum() == 499500 and "0.3.0" in str(weights.attrs["version"])
        try:
            file["b"]
        except KeyError:
            pass
N = 1
%s
calculator = chgnet_native.Calculator(model)
calculator.set_structure(*structure)
calculator.compute()
print(calculator.energy.hex())
"""
    with tempfile.TemporaryDirectory() as folder:
        found = {order: python(program % CELL, order, os.path.join(folder, "a.h5")) for order in ("first", "second")}
    energies = set(found.values())
    ok(
        len(energies) == 1 and next(iter(energies)).startswith("-0x"),
        "loads beside h5py in either order",
        str(energies),
    )


def beside_numpy():
    """numpy's own OpenBLAS gives the same bits before and after, and so do we."""
    program = """
N = 2
%s
import hashlib
a = numpy.random.default_rng(2).normal(size=(200, 200))
def algebra():
    results = [a @ a, numpy.linalg.inv(a), numpy.linalg.eigvalsh(a + a.T)]
    return hashlib.sha256(b"".join(r.tobytes() for r in results)).hexdigest()
import sys
before = algebra() if sys.argv[1] == "numpy first" else None
import chgnet_native
calculator = chgnet_native.Calculator(threads=1)
def predict():
    calculator.set_structure(*structure)
    calculator.compute()
    return calculator.energy.hex(), hashlib.sha256(calculator.forces.tobytes()).hexdigest()
first = predict()
after = algebra()
assert before in (None, after) and algebra() == after and predict() == first
print(first, after)
"""
    found = {order: python(program % CELL, order, OPENBLAS_NUM_THREADS="2") for order in ("numpy first", "numpy after")}
    ok(
        len(set(found.values())) == 1 and "-0x" in found["numpy first"],
        "beside numpy's BLAS no result changes",
        "" if len(set(found.values())) == 1 else str(found),
    )


def threads_asked():
    """Threads that worked, of all that the process has; numpy's BLAS has its own, which stand still."""
    program = """
import sys
N = 3
%s
%s
import chgnet_native
asked = int(sys.argv[1])
calculator = chgnet_native.Calculator(threads=asked)
numpy.ones((200, 200)) @ numpy.ones((200, 200))
calculator.set_structure(*structure)
time.sleep(0.5)  # numpy's threads spin for a while before they sleep
before = ticks()
deadline = time.monotonic() + 20
while time.monotonic() < deadline and max(ticks()[t] - before.get(t, 0) for t in ticks()) < 40:
    calculator.set_positions(structure[1])
    calculator.compute()
print(busy(before))
"""
    for asked in (1, 2):
        got = python(program % (CELL, TICKS), str(asked), OPENBLAS_NUM_THREADS="4", OMP_NUM_THREADS="4")
        ok(got.strip() == str(asked), f"{asked} asked, {asked} worked", f"worked: {got.strip()}")
    got = python(
        (program % (CELL, TICKS)).replace("threads=asked", "threads=0"),
        "0",
        OPENBLAS_NUM_THREADS="4",
        OMP_NUM_THREADS="1",
    )
    ok(got.strip() == "1", "OMP_NUM_THREADS=1 is kept", f"worked: {got.strip()}")


def after_fork():
    """The OpenMP runtime's threads end at a fork, and come again on both sides."""
    program = """
import os
N = 1
%s
import chgnet_native
calculator = chgnet_native.Calculator(threads=2)
def energy(calculator):
    calculator.set_structure(*structure)
    calculator.compute()
    return calculator.energy
before = energy(calculator)
child = os.fork()
if child == 0:
    os._exit(not energy(calculator) == energy(chgnet_native.Calculator(threads=3)) == before)
print(os.waitpid(child, 0)[1] == 0 and energy(calculator) == before)
"""
    ok(
        python(program % CELL, timeout=60, OMP_WAIT_POLICY="passive").strip() == "True",
        "after a fork parent and child go on",
    )


run(import_cost, import_brings, first_energy, beside_h5py, beside_numpy, threads_asked, after_fork)
