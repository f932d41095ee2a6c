#!/usr/bin/env python3
"""Local minimisations per hour on a 30-atom slab: ours, and AGOX with upstream's CHGNet, in turn on the same cores.

    compare_agox.py [--chgnet COMMAND] [--rounds 3] [--first 1] [--ours 24] [--agox 4] [--processes 2] [--flush]

Both place three S atoms at random on three layers of Cu(111), 3 x 3, and relax them with BFGS to 0.05 eV/A in at most 200
steps; the lowest layer is fixed.  Ours is one `chgnet search run` with as many threads as processes; AGOX is as many
processes, each with a generator, CalculatorModel around CHGNetCalculator and RelaxPostprocess, and one thread of PyTorch:
the fastest way to run it on these cores.  Ours counts denormal numbers as zero, which some processors are slow with;
PyTorch does so only with --flush.  The time to start (imports, loading weights) is left out for both.  Prints one line a
round and the ratio of the medians, per minimisation and per step of a minimisation.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

# One AGOX process: prints `seconds steps` for each minimisation.
WORKER = r"""
import os, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy, torch
torch.set_num_threads(1)
torch.set_flush_denormal(len(sys.argv) > 4)
import ase.constraints
import ase.constraints.constraint
for name in ("IndexedConstraint", "slice2enlist"):  # AGOX 3.11 looks for them where ASE before 3.29 had them
    if not hasattr(ase.constraints, name):
        setattr(ase.constraints, name, getattr(ase.constraints.constraint, name))
from ase.build import fcc111
from ase.constraints import FixAtoms
from agox.environments import Environment
from agox.generators import RandomGenerator
from agox.models.ase_model import CalculatorModel
from agox.postprocessors.relax import RelaxPostprocess
from chgnet.model.dynamics import CHGNetCalculator

seed, count, go = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
numpy.random.seed(seed)
slab = fcc111("Cu", (3, 3, 3), a=3.58, vacuum=6.5)
top = slab.positions[:, 2].max()
cell = slab.cell.array.copy()
cell[2] = [0, 0, 3.0]
environment = Environment(template=slab, symbols="S3", confinement_cell=cell, confinement_corner=numpy.array([0, 0, top]),
                          print_report=False)
generator = RandomGenerator(confinement_cell=cell, confinement_corner=numpy.array([0, 0, top]), c1=0.75, c2=2,
                            contiguous=False, environment=environment)
model = CalculatorModel(CHGNetCalculator(use_device="cpu", verbose=False), composition_model=False)
relax = RelaxPostprocess(model=model, optimizer_run_kwargs={"fmax": 0.05, "steps": 200},
                         constraints=[FixAtoms(indices=[a.index for a in slab if a.tag == 3])])
warm = generator(None, environment)[0]
warm.calc = model
warm.get_forces()
open(go + f".ready{seed}", "w").close()
while not os.path.exists(go):
    time.sleep(0.01)
done = 0
while done < count:
    for candidate in generator(None, environment):
        start = time.perf_counter()
        relaxed = relax.postprocess(candidate)
        print("RESULT", time.perf_counter() - start, relaxed.get_meta_information("relaxation_steps"), flush=True)
        done += 1
"""


def agox_round(round_number):
    """Minimisations, steps and seconds of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        go = os.path.join(folder, "go")
        environment = dict(os.environ, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, str(100 * round_number + k), str(arguments.agox), go] +
                             ["flush"] * arguments.flush, cwd=folder, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
            for k in range(arguments.processes)
        ]
        while not all(os.path.exists(f"{go}.ready{100 * round_number + k}") for k in range(arguments.processes)):
            if any(worker.poll() for worker in workers):
                sys.exit("an AGOX process failed to start")
            time.sleep(0.1)
        start = time.perf_counter()
        open(go, "w").close()
        lines = [line.split() for worker in workers for line in worker.communicate()[0].splitlines()
                 if line.startswith("RESULT")]
        seconds = time.perf_counter() - start
    return len(lines), sum(int(line[2]) for line in lines), seconds


def our_round(round_number):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "slab")
        subprocess.run([arguments.chgnet, "search", "run", os.path.join(HERE, "slab.ini"), "-t", str(arguments.processes),
                        "--seed", str(round_number), "--budget", str(arguments.ours), "-o", out, "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        rows = [row for row in csv.DictReader(open(os.path.join(out, "search.csv"))) if row["what"] != "label"]
    return len(rows), sum(int(row["steps"]) for row in rows), float(rows[-1]["seconds"])


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--chgnet", default="chgnet")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--first", type=int, default=1, help="number of the first round, of which the seeds are made")
parser.add_argument("--ours", type=int, default=24)
parser.add_argument("--agox", type=int, default=4, help="minimisations of each process")
parser.add_argument("--processes", type=int, default=2)
parser.add_argument("--flush", action="store_true", help="AGOX too counts denormal numbers as zero (PyTorch's default: not)")
arguments = parser.parse_args()
rates = {"ours": [], "AGOX": []}
print("| round | who | minimisations | steps | s | minimisations per hour | steps per s |\n|---|---|---|---|---|---|---|")
for number in range(arguments.first, arguments.first + arguments.rounds):
    for who, run in (("AGOX", agox_round), ("ours", our_round)):
        count, steps, seconds = run(number)
        rates[who].append((3600 * count / seconds, steps / seconds))
        print(f"| {number} | {who} | {count} | {steps} | {seconds:.1f} | {3600 * count / seconds:.0f} | {steps / seconds:.1f} |",
              flush=True)
for k, what in enumerate(("minimisations per hour", "steps per second")):
    ours, theirs = (statistics.median(rate[k] for rate in rates[who]) for who in ("ours", "AGOX"))
    print(f"{what}: {ours:.4g} against {theirs:.4g}, ratio {ours / theirs:.1f}")
