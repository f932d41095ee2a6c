#!/usr/bin/env python3
"""Compare with upstream's PyTorch package, in turn (A B A B), on the same structures with the same number of threads.

    python3 benchmarks/compare_pytorch.py [--build build] [-t 1] [--quick] [--only step,md] [--data RATIOS.dat]

Measured: the calculator step (upstream: CHGNetCalculator through ASE; ours: neighbours, energy, forces, stress,
magmoms), upstream's bare `ef` on a ready graph, the time from start to the first result on a 4-atom cell, MD steps per
second, a batch of 200 small structures, peak memory, and what is installed.  Positions change at every step, so that
nothing can be reused.  Both sides must first agree on the results.  Prints Markdown; --data writes what plot.gp reads.

Needs python3 with chgnet 0.4.2 (PyTorch, ase, pymatgen, numpy) and a build with `make bench`.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
STRUCTURES = os.path.join(HERE, "structures.extxyz")
CELLS = os.path.join(HERE, "cells.extxyz")
PARTS = ["check", "step", "start", "md", "batch", "memory", "size"]

# Largest differences that single precision on both sides explains.
MOST_ENERGY, MOST_FORCE, MOST_STRESS, MOST_MAGMOM = 2e-5, 1e-3, 1e-2, 1e-3  # eV/atom, eV/A, GPa, mu_B


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(SOURCE, "build"), help="folder in which make was run")
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, two minutes instead of ten")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas: %(default)s")
    parser.add_argument("--data", help="write the ratios to this file")
    parser.add_argument("--flush-denormals", action="store_true",
                        help="upstream counts denormal numbers as zero, as ours does: torch.set_flush_denormal(True)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.rounds = 3
    options.only = options.only.split(",")
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    return options


OPTIONS = arguments()
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(OPTIONS.threads)
os.environ.setdefault("CHGNET_WEIGHTS", os.path.join(SOURCE, "weights"))


def table(head, rows):
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def clock(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


class Upstream:
    """The package chgnet."""

    def __init__(self):
        import contextlib
        import io
        import warnings
        import torch
        from chgnet.model.dynamics import CHGNetCalculator
        from chgnet.model.model import CHGNet
        from pymatgen.io.ase import AseAtomsAdaptor
        warnings.filterwarnings("ignore")
        torch.set_num_threads(OPTIONS.threads)
        if OPTIONS.flush_denormals and not torch.set_flush_denormal(True):
            sys.exit("this processor cannot flush denormal numbers; leave out --flush-denormals")
        with contextlib.redirect_stdout(io.StringIO()):
            self.model = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
            self.calculator = CHGNetCalculator(self.model, use_device="cpu")
        self.model.graph_converter.set_isolated_atom_response("ignore")
        self.structure = AseAtomsAdaptor.get_structure

    def step(self, atoms):
        atoms.calc = self.calculator
        atoms.get_potential_energy()
        return atoms.get_forces(), atoms.get_stress(), atoms.get_magnetic_moments()

    def graph(self, atoms):
        return self.model.graph_converter(self.structure(atoms))

    def batch(self, structures, size):
        self.model.predict_structure(structures, task="efsm", batch_size=size)

    def bare(self, graph):
        self.model.predict_graph(graph, task="ef")


class Ours:
    """Programs of the build."""

    def __init__(self):
        self.server = None
        self.chgnet = self.program("chgnet")
        with open(self.chgnet, "rb") as file:
            if file.read(2) == b"#!":
                sys.exit(f"{self.chgnet} is a wrapper script, which would spoil the start-up time")

    @staticmethod
    def program(name):
        path = os.path.join(OPTIONS.build, name)
        if not os.access(path, os.X_OK):
            sys.exit(f"{path} is not there; run `make bench` in the build folder, or give --build")
        return path

    def step(self, name):
        """Seconds of one step on a frame of structures.extxyz, moved."""
        if not self.server:
            self.server = subprocess.Popen(
                [self.program("benchmarks/bench_step"), "--serve", "-t", str(OPTIONS.threads), STRUCTURES],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.server.stdin.write(name + "\n")
        self.server.stdin.flush()
        return float(self.server.stdout.readline())

    def close(self):
        if self.server:
            self.server.stdin.close()
            self.server.wait()

    def predict(self, path, *more):
        command = [self.chgnet, "predict", "-q", "-t", str(OPTIONS.threads), *more, path]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def frames(path):
    import ase.io
    return {atoms.info["id"]: atoms for atoms in ase.io.read(path, ":")}


def moved(atoms, generator):
    new = atoms.copy()
    new.positions += generator.uniform(-0.002, 0.002, new.positions.shape)
    return new


# ---- the parts -----------------------------------------------------------------------------------

def check(ours, upstream):
    """Both sides give the same results; otherwise nothing is measured."""
    import numpy as np
    rows, good = [], True
    lines = ours.predict(STRUCTURES, "--json").splitlines()
    for (name, atoms), line in zip(frames(STRUCTURES).items(), lines, strict=True):
        result = json.loads(line)
        got = upstream.model.predict_structure(upstream.structure(atoms), task="efsm")
        differences = [abs(result["energy"] / len(atoms) - float(got["e"]))]
        for key, short in (("forces", "f"), ("stress", "s"), ("magmom", "m")):
            differences.append(float(np.abs(np.array(result[key]) - got[short]).max()))
        good &= all(d <= most for d, most in zip(differences, (MOST_ENERGY, MOST_FORCE, MOST_STRESS, MOST_MAGMOM)))
        rows.append([name, str(len(atoms)), *(f"{d:.1e}" for d in differences)])
    table(["largest difference", "atoms", "energy, eV/atom", "force, eV/A", "stress, GPa", "magmom, mu_B"], rows)
    if not good:
        sys.exit("the two sides disagree: nothing was measured")


def measure_steps(ours, upstream):
    """Rows for plot.gp; the table is printed."""
    import numpy as np
    generator, rows, data, ratios = np.random.default_rng(1), [], [], {"step": [], "ef": []}
    for name, atoms in frames(STRUCTURES).items():
        times = {"step": [], "ef": [], "ours": []}
        for turn in range(-1, OPTIONS.rounds):
            changed = moved(atoms, generator)
            graph = upstream.graph(changed)
            one = {"step": clock(upstream.step, changed), "ours": ours.step(name)}
            one["ef"] = clock(upstream.bare, graph)
            other = ours.step(name)  # ours stands behind each of theirs
            if turn >= 0:
                times["step"].append(one["step"])
                times["ef"].append(one["ef"])
                times["ours"] += [one["ours"], other]
        per_atom = {key: 1e3 * statistics.median(t) / len(atoms) for key, t in times.items()}
        least = {key: 1e3 * min(t) / len(atoms) for key, t in times.items()}
        ratio = {key: per_atom[key] / per_atom["ours"] for key in ratios}
        for key in ratios:
            ratios[key].append(ratio[key])
        data.append((name, len(atoms), *per_atom.values(), *ratio.values()))
        rows.append([name, str(len(atoms)),
                     *(f"{per_atom[key]:.3f} ({least[key]:.3f})" for key in ("step", "ef", "ours")),
                     f"**{ratio['step']:.1f}**", f"**{ratio['ef']:.1f}**"])
    means = {key: geometric_mean(values) for key, values in ratios.items()}
    rows.append(["geometric mean", "", "", "", "", f"**{means['step']:.1f}**", f"**{means['ef']:.1f}**"])
    table(["ms/atom: median (least)", "atoms", "upstream step", "upstream bare `ef`", "ours, full step", "step ratio",
           "`ef` ratio"], rows)
    return data


START = """
import sys, warnings
warnings.filterwarnings("ignore")
from ase.io import read
from chgnet.model.model import CHGNet
from pymatgen.io.ase import AseAtomsAdaptor
model = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
print(model.predict_structure(AseAtomsAdaptor.get_structure(read(sys.argv[1])))["e"])
"""


def measure_start(ours, folder):
    """Wall time of the whole process on a 4-atom cell."""
    import ase.io
    path = os.path.join(folder, "Cu4.extxyz")
    ase.io.write(path, frames(CELLS)["Cu"], format="extxyz")
    theirs, mine = [], []

    def python():
        subprocess.run([sys.executable, "-c", START, path], check=True, capture_output=True)

    clock(python)
    clock(ours.predict, path)
    for _ in range(2 if OPTIONS.quick else 4):
        theirs.append(clock(python))
        mine += [clock(ours.predict, path) for _ in range(10)]
    return [["start to first result, Cu, 4 atoms, s", *compare_times(theirs, mine, "{:.3f}")]]


def compare_times(theirs, mine, form):
    a, b = statistics.median(theirs), statistics.median(mine)
    return [f"{form.format(a)} ({form.format(min(theirs))})", f"{form.format(b)} ({form.format(min(mine))})",
            f"**{a / b:.1f}**"]


def upstream_md(upstream, atoms, steps):
    """Seconds for some steps of velocity Verlet, the first two not counted."""
    from ase import units
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
    from ase.md.verlet import VelocityVerlet
    import numpy as np
    atoms = atoms.copy()
    atoms.calc = upstream.calculator
    MaxwellBoltzmannDistribution(atoms, temperature_K=300, rng=np.random.default_rng(1))
    dynamics = VelocityVerlet(atoms, timestep=1 * units.fs)
    dynamics.run(2)
    return clock(dynamics.run, steps)


def measure_md(ours, upstream):
    rows, steps = [], 5 if OPTIONS.quick else 15
    for name in ("LiMnO2", "Cu", "MgO"):
        atoms, theirs, mine = frames(STRUCTURES)[name], [], []
        for _ in range(2):
            theirs.append(steps / upstream_md(upstream, atoms, steps))
            command = [ours.program("benchmarks/bench_md"), "-n", str(10 * steps), "-t", str(OPTIONS.threads),
                       "-i", name, STRUCTURES]
            mine.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[5]))
        a, b = max(theirs), max(mine)
        rows.append([f"MD steps per second, {name}, {len(atoms)} atoms (best of 2 runs)", f"{a:.2f}", f"{b:.1f}",
                     f"**{b / a:.1f}**"])
    return rows


def measure_batch(ours, upstream, folder):
    """200 rattled cells of 4 to 8 atoms from a file; upstream's time is without its start and reading."""
    import ase.io
    cells = [atoms for atoms in frames(CELLS).values() if len(atoms) <= 8]
    batch = []
    for k in range(200):
        atoms = cells[k % len(cells)].copy()
        atoms.rattle(0.03, seed=k)
        atoms.info = {}
        batch.append(atoms)
    path = os.path.join(folder, "batch.extxyz")
    ase.io.write(path, batch, format="extxyz")
    structures = [upstream.structure(atoms) for atoms in batch]
    theirs, mine = {16: [], 64: []}, []
    for _ in range(1 if OPTIONS.quick else 3):
        for size, times in theirs.items():
            times.append(clock(upstream.batch, structures, size))
            mine.append(clock(ours.predict, path, "-o", os.path.join(folder, "batch.h5")))
    return [[f"200 structures of 4 to 8 atoms, s; upstream: batch_size={size}, structures ready; ours: "
             "start, file to file", *compare_times(times, mine, "{:.2f}")] for size, times in theirs.items()]


def child_memory(name):
    """In a process of its own: one upstream step."""
    Upstream().step(frames(STRUCTURES)[name])


def measure_memory(ours, folder):
    import ase.io
    rows = []
    for name, atoms in frames(STRUCTURES).items():
        if OPTIONS.quick and name not in ("LiMnO2", "Li9Co7O16"):
            continue
        path = os.path.join(folder, name + ".extxyz")
        ase.io.write(path, atoms, format="extxyz")
        command = [sys.executable, os.path.abspath(__file__), "--child", name, "-t", str(OPTIONS.threads)]
        a = peak_of(command)
        b = peak_of([ours.chgnet, "predict", "-q", "-t", str(OPTIONS.threads), path])
        rows.append([f"peak memory, {name}, {len(atoms)} atoms, MB", f"{a / 1e6:.0f}", f"{b / 1e6:.0f}",
                     f"**{a / b:.1f}**"])
    return rows


# A program starts with the peak of whoever started it: let that be something small.
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_of(command):
    """Peak memory of a command in bytes."""
    return int(subprocess.run([sys.executable, "-S", "-c", PEAK, *command], check=True, capture_output=True,
                              text=True).stdout)


def closure(name, seen):
    """Names of a distribution and all it requires here."""
    from packaging.requirements import Requirement
    name = name.lower().replace("_", "-")
    if name in seen:
        return seen
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return seen
    seen[name] = distribution
    for line in distribution.requires or []:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            closure(requirement.name, seen)
    return seen


def installed(packages):
    """Bytes of the files of distributions."""
    paths = {str(d.locate_file(f)) for d in packages.values() for f in d.files or []}
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path))


def measure_size(ours):
    packages = closure("chgnet", {})
    cpu = {name: d for name, d in packages.items() if not name.startswith(("cuda", "nvidia", "triton"))}
    a, on_cpu = installed(packages), installed(cpu)
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["make", "-s", "install-strip", f"DESTDIR={root}"], cwd=OPTIONS.build, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        b = sum(os.path.getsize(os.path.join(folder, f)) for folder, _, files in os.walk(root) for f in files
                if not os.path.islink(os.path.join(folder, f)))
    linked = subprocess.run(["ldd", ours.chgnet], capture_output=True, text=True, check=True).stdout
    shared = {os.path.realpath(word) for word in linked.split() if word.startswith("/")}
    c = b + sum(os.path.getsize(path) for path in shared)
    return [[f"installed, MB: chgnet and the {len(packages) - 1} packages it requires; ours by `make install-strip`",
             f"{a / 1e6:.0f}", f"{b / 1e6:.1f}", f"**{a / b:.0f}**"],
            [f"installed, MB: theirs without the {len(packages) - len(cpu)} packages for GPUs; ours with all "
             f"{len(shared)} shared libraries the command loads, those of the system too",
             f"{on_cpu / 1e6:.0f}", f"{c / 1e6:.1f}", f"**{on_cpu / c:.0f}**"]]


# ---- about the run -------------------------------------------------------------------------------

def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def commit():
    def git(*args):
        return subprocess.run(["git", "-C", SOURCE, *args], capture_output=True, text=True, check=False).stdout.strip()
    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no", "--", "src") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed


def describe(ours):
    version = importlib.metadata.version
    mine = subprocess.run([ours.chgnet, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    print(f"{mine}, commit {commit()}; upstream chgnet {version('chgnet')}, torch {version('torch')}, "
          f"ase {version('ase')}, Python {platform.python_version()}")
    print(f"{processor()}, {os.cpu_count()} cores; {OPTIONS.threads} thread{'s' * (OPTIONS.threads > 1)}, "
          f"{OPTIONS.rounds} rounds; load before the run {os.getloadavg()[0]:.1f}"
          f"{'; upstream counts denormal numbers as zero' * OPTIONS.flush_denormals}")


def write_data(path, data):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# commit {commit()}, {processor()}, {OPTIONS.threads} thread(s)\n")
        file.write("# system atoms upstream_step upstream_ef ours (ms/atom, median) step_ratio ef_ratio\n")
        for row in data:
            file.write(" ".join([row[0], str(row[1]), *(f"{x:.4f}" for x in row[2:])]) + "\n")


def main():
    if OPTIONS.child:
        child_memory(OPTIONS.child)
        return
    ours, upstream, rows = Ours(), Upstream(), []
    start = time.perf_counter()
    describe(ours)
    with tempfile.TemporaryDirectory() as folder:
        if "check" in OPTIONS.only:
            check(ours, upstream)
        if "step" in OPTIONS.only:
            data = measure_steps(ours, upstream)
            if OPTIONS.data:
                write_data(OPTIONS.data, data)
        for part, measure in (("start", lambda: measure_start(ours, folder)),
                              ("md", lambda: measure_md(ours, upstream)),
                              ("batch", lambda: measure_batch(ours, upstream, folder)),
                              ("memory", lambda: measure_memory(ours, folder)), ("size", lambda: measure_size(ours))):
            if part in OPTIONS.only:
                rows += measure()
    ours.close()
    if rows:
        table(["median (least)", "upstream", "ours", "ratio"], rows)
    print(f"\nThis run took {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
