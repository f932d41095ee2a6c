#!/usr/bin/env python3
"""Two builds side by side: time of one step of each structure, the builds taking turns.

    compare_builds.py BUILD OTHER [STEPS]     each with benchmarks/bench_step; one thread, 100 steps

Prints a Markdown table: the least and the middle time of each, and the middle of the ratios of steps that ran one after
the other, which a machine that is busy or changes its clock disturbs least.

SPDX-License-Identifier: BSD-3-Clause
"""
import os
import statistics
import subprocess
import sys

STRUCTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "structures.extxyz")
NAMES = ["LiMnO2", "Cu", "MgO", "Li9Co7O16", "S-Cu111"]
WARM_UP = 3


def serve(build):
    program = os.path.join(build, "benchmarks", "bench_step")
    return subprocess.Popen([program, "--serve", "-t", "1", STRUCTURES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def step(server, name):
    server.stdin.write(name + "\n")
    server.stdin.flush()
    return 1e3 * float(server.stdout.readline())


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    servers = [serve(build) for build in sys.argv[1:3]]
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    print("| structure | ms, least | other, least | ms, median | other, median | ratio |\n|---|---|---|---|---|---|")
    for name in NAMES:
        times = [[], []]
        for k in range(steps + WARM_UP):
            for which in (0, 1) if k % 2 else (1, 0):
                time = step(servers[which], name)
                if k >= WARM_UP:
                    times[which].append(time)
        ratio = statistics.median(a / b for a, b in zip(*times))
        least, middle = [min(t) for t in times], [statistics.median(t) for t in times]
        print(f"| {name} | {least[0]:.2f} | {least[1]:.2f} | {middle[0]:.2f} | {middle[1]:.2f} | {ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
