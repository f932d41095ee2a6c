#!/usr/bin/env python3
"""How many labels until the most stable structure is found: search on corrected CHGNet against search on plain CHGNet.

    learning.py [--chgnet COMMAND] [--seeds 10] [--folder OUT] [--relaxations 500] [--part corrected|plain|random]

The system is 3 S on (sqrt7 x sqrt7)R19.1 Ag(111), learning.ini; the teacher, in place of a DFT program, SevenNet-0 (teacher.py).
  corrected   the delta-model learns from each batch of labels, and what is relaxed in it is labelled next
  plain       basin hopping of eight walkers without labels; then its distinct minima are labelled, the lowest first
The same number of minimisations in both.  The teacher's best energy is the lowest of all labels and of some hundred
relaxations in the teacher: of the five best structures of every run, lowest first, and of minima of a random search (a fifth
of the relaxations, or what the five best leave).  A run has found it with the first label that lies within a limit above; a
run without such a label counts as longer than every other.  A second table counts the first label, of a run's five lowest, which the
teacher relaxes to within the limit: what a user does in the end.  The interval of the ratio of medians is from 10,000 resamplings
of the seeds.

What is in OUT already is not done again, and a search that was broken off goes on; --part does one part only, so that several
can run beside each other.  Prints the report; OUT/learning.dat has the success curves.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import csv
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time

from ase.io import read, write

import teacher

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # eV above the teacher's best
COUNTS = (5, 10, 20, 40, 80, 120)  # labels
SAMPLERS = {"plain": "basin", "random": "random"}
FMAX, STEPS = 0.05, 100  # of the teacher's relaxations


def configuration(arm):
    lines, section = [], None
    for line in open(os.path.join(HERE, "learning.ini")):
        section = line.strip() if line.startswith("[") else section
        if section == "[label]" and arm != "corrected":
            continue
        line = line.replace("python3 teacher.py", f"{sys.executable} {os.path.join(HERE, 'teacher.py')}")
        if arm != "corrected":
            line = line.replace("sampler = gofee", f"sampler = {SAMPLERS[arm]}").replace("walkers = 2", "walkers = 8")
        if arm == "random":
            line = line.replace("budget = 160", f"budget = {2 * starts_needed()}")  # some are dropped
        lines.append(line)
    return "".join(lines)


def starts_needed():
    """Minima of a random search among the starts of the teacher's relaxations; the others are labelled structures."""
    return max(arguments.relaxations - 5 * 2 * arguments.seeds, arguments.relaxations // 5)


def search(arm, seed):
    """The folder of a finished search; one that was broken off goes on."""
    folder = os.path.join(arguments.folder, f"{arm}-{seed}")
    ini = folder + ".ini"
    if not os.path.exists(folder + ".done"):
        if os.path.exists(os.path.join(folder, "checkpoint")):
            what = ["resume", "-t", "1", "--quiet", folder]
        else:
            with open(ini, "w") as file:
                file.write(configuration(arm))
            subprocess.run(["rm", "-rf", folder], check=True)
            what = ["run", ini, "-t", "1", "--seed", str(seed), "-o", folder, "--quiet"]
        subprocess.run([arguments.chgnet, "search", *what], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, TEACHER=address()))
        open(folder + ".done", "w").close()
        print(arm, seed, time.strftime("%H:%M"), file=sys.stderr, flush=True)
    return folder


def address():
    return os.path.join(os.path.abspath(arguments.folder), f"teacher-{os.getpid()}")


def start_teacher():
    process = subprocess.Popen([sys.executable, os.path.join(HERE, "teacher.py"), "--serve", address()],
                               stderr=subprocess.DEVNULL)
    while not os.path.exists(address()):
        if process.poll() is not None:
            sys.exit("learning.py: the teacher did not start; does teacher.py --serve work?")
        time.sleep(0.5)
    return process


def label_plain(folder):
    """Labels of all distinct minima, the lowest first: (n) frames."""
    best, labels = os.path.join(folder, "best.extxyz"), os.path.join(folder, "plain-labels.extxyz")
    if not os.path.exists(labels):
        subprocess.run([arguments.chgnet, "search", "best", "-n", "100000", "-o", best, folder], check=True,
                       stdout=subprocess.DEVNULL)
        question, answer = os.path.join(folder, "in.extxyz"), os.path.join(folder, "out.extxyz")
        frames = []
        for frame in read(best, ":"):
            write(question, frame)
            teacher.ask(address(), question, answer)
            frames.append(read(answer))
            frames[-1].set_constraint(frame.constraints)
        write(labels, frames)
    return read(labels, ":")


def energy_of(frame):
    return frame.info.get("REF_energy", frame.info.get("energy")) or frame.get_potential_energy()


def relax_in_teacher(frames):
    """Energies after relaxation in the teacher."""
    from ase.optimize import LBFGS
    log, energies, calculator = os.path.join(arguments.folder, "relaxations.csv"), [], None
    if os.path.exists(log):
        energies = [float(row["energy_eV"]) for row in csv.DictReader(open(log))]
    else:
        open(log, "w").write("start_eV,energy_eV,fmax_eV_A,steps\n")
    for frame in frames[len(energies):]:
        calculator = calculator or teacher.load()
        assert frame.constraints, "the lowest layer is free"
        frame.calc = calculator
        start = frame.get_potential_energy(force_consistent=True)
        walk = LBFGS(frame, logfile=None, maxstep=0.1)
        walk.run(fmax=FMAX, steps=STEPS)
        forces = (frame.get_forces() ** 2).sum(axis=1).max() ** 0.5
        energies.append(float(frame.get_potential_energy(force_consistent=True)))
        with open(log, "a") as file:
            file.write(f"{start:.6f},{energies[-1]:.6f},{forces:.4f},{walk.nsteps}\n")
        write(os.path.join(arguments.folder, "relaxed.extxyz"), frame, append=len(energies) > 1)
    return energies


def labels_needed(energies, most):
    return next((k + 1 for k, energy in enumerate(energies) if energy <= most), math.inf)


def ratio(corrected, plain):
    """Of the medians; NaN: neither arm has found it in half of the runs, 0 or infinite: one has not."""
    a, b = statistics.median(corrected), statistics.median(plain)
    return math.nan if math.isinf(a) and math.isinf(b) else b / a


def interval(corrected, plain):
    """Of that ratio: 95 %, as a text."""
    chance = random.Random(1)
    ratios = [ratio(chance.choices(corrected, k=len(corrected)), chance.choices(plain, k=len(plain))) for _ in range(10000)]
    if sum(map(math.isnan, ratios)) > 0.025 * len(ratios):
        return "undetermined"
    ratios = sorted(r for r in ratios if not math.isnan(r))
    return f"{ratios[int(0.025 * len(ratios))]:.1f} to {ratios[int(0.975 * len(ratios))]:.1f}"


def print_lowest(labels, best):
    """Median over the runs of the lowest energy among the first n labels: needs no limit."""
    print("| lowest above the teacher's best, eV, after labels | " + " | ".join(map(str, COUNTS)) + " |\n|---" +
          "|---" * len(COUNTS) + "|")
    for arm, runs in labels.items():
        cells = [f"{statistics.median(min(run[:n]) for run in runs) - best:.3f}" if max(map(len, runs)) >= n else ""
                 for n in COUNTS]
        print(f"| {arm} | " + " | ".join(cells) + " |")


def print_ratios(title, needed_of):
    """A line for each limit.  needed_of(arm, limit) gives the labels that each run of an arm needed."""
    print(f"| {title}, eV | corrected: found | median labels | plain: found | median labels | ratio | 95 % |\n" + 7 * "|---" + "|")
    for limit in LIMITS:
        needed = {arm: needed_of(arm, limit) for arm in ("corrected", "plain")}
        cells = " | ".join(f"{sum(map(math.isfinite, needed[arm]))} of {len(needed[arm])} | {statistics.median(needed[arm]):g}"
                           for arm in needed)
        print(f"| {limit} | {cells} | {ratio(needed['corrected'], needed['plain']):.1f} | "
              f"{interval(needed['corrected'], needed['plain'])} |")
    print()


def report(labels, relaxed, best):
    """labels: energies of each run of each arm; relaxed: for each run, {label: energy after relaxation}."""
    print(f"teacher's best: {best:.4f} eV; lowest label of the corrected searches "
          f"{min(map(min, labels['corrected'])):.4f} eV, of the plain ones {min(map(min, labels['plain'])):.4f} eV\n")
    print_ratios("label within", lambda arm, limit: [labels_needed(run, best + limit) for run in labels[arm]])
    print_ratios("label relaxes in the teacher to within", lambda arm, limit: [
        min((k + 1 for k, energy in run.items() if energy <= best + limit), default=math.inf) for run in relaxed[arm]])
    print_lowest(labels, best)
    with open(os.path.join(arguments.folder, "learning.dat"), "w") as file:
        file.write("# labels, then the share of runs that have found it: " +
                   ", ".join(f"{arm} {limit} eV" for limit in LIMITS for arm in labels) + "\n")
        for n in range(max(len(run) for runs in labels.values() for run in runs) + 1):
            shares = [sum(labels_needed(run, best + limit) <= n for run in labels[arm]) / len(labels[arm])
                      for limit in LIMITS for arm in labels]
            file.write(f"{n} " + " ".join(f"{share:.3f}" for share in shares) + "\n")


def searches_of(seed):
    """Labelled frames of both arms."""
    corrected = os.path.join(search("corrected", seed), "labels.extxyz")
    return {"corrected": read(corrected, ":"), "plain": label_plain(search("plain", seed))}


def do_part(part):
    if part == "random":
        search("random", 1000)
        return
    for seed in range(1, arguments.seeds + 1):
        folder = search(part, seed)
        if part == "plain":
            label_plain(folder)


def whole():
    labels, lowest = {"corrected": [], "plain": []}, []  # lowest: (frame, arm, run, label), the five best of each run
    for seed in range(1, arguments.seeds + 1):
        for arm, frames in searches_of(seed).items():
            energies = [energy_of(frame) for frame in frames]
            lowest += [(frames[k], arm, seed - 1, k) for k in sorted(range(len(frames)), key=energies.__getitem__)[:5]]
            labels[arm].append(energies)
    lowest = sorted(lowest, key=lambda start: energy_of(start[0]))[:arguments.relaxations - starts_needed()]
    starts = [start[0] for start in lowest]
    starts += read(os.path.join(search("random", 1000), "candidates.extxyz"), f":{starts_needed()}")
    energies = relax_in_teacher(starts)
    print(f"{len(energies)} relaxations in the teacher, lowest {min(energies):.4f} eV")
    relaxed = {arm: [{} for _ in runs] for arm, runs in labels.items()}
    for (_, arm, run, k), energy in zip(lowest, energies):
        relaxed[arm][run][k] = energy
    report(labels, relaxed, min(energies + [energy for runs in labels.values() for run in runs for energy in run]))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the teacher ends too
    os.makedirs(arguments.folder, exist_ok=True)
    server = start_teacher()
    try:
        do_part(arguments.part) if arguments.part else whole()
    finally:
        server.kill()
        os.unlink(address())


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--chgnet", default="chgnet")
parser.add_argument("--seeds", type=int, default=10)
parser.add_argument("--relaxations", type=int, default=500)
parser.add_argument("--folder", default="learning")
parser.add_argument("--part", choices=("corrected", "plain", "random"))
arguments = parser.parse_args()
main()
