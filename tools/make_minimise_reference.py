#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Steps of ASE's minimisers on a function that tests/test_minimise.c knows too: a chain of valleys in 12 coordinates,
f = sum over k of (1 - x_k)^2 + 5 (x_(k+1) - x_k^2)^2, from x_k = 0.3 cos(k).  OUT.txt has a line for each step: the minimiser, the
step, the coordinates."""
import argparse

N, STEPS = 12, 130


def main():
    parser = argparse.ArgumentParser(description="Write steps of ASE 3.29's minimisers; needs ase.")
    parser.add_argument("out", metavar="OUT.txt")
    args = parser.parse_args()
    import numpy as np
    from ase.optimize import BFGS, FIRE, LBFGS
    from ase.utils.abc import Optimizable

    class Valleys(Optimizable):
        def __init__(self):
            self.x = 0.3 * np.cos(np.arange(N, dtype=float))

        def ndofs(self):
            return N

        def get_x(self):
            return self.x.copy()

        def set_x(self, x):
            self.x = np.array(x)

        def get_gradient(self):
            x, g = self.x, np.zeros(N)
            d = x[1:] - x[:-1] ** 2
            g[:-1] = -2 * (1 - x[:-1]) - 20 * d * x[:-1]
            g[1:] += 10 * d
            return g

        def get_value(self):
            x = self.x
            return float(np.sum((1 - x[:-1]) ** 2 + 5 * (x[1:] - x[:-1] ** 2) ** 2))

        def iterimages(self):
            return iter(())

    with open(args.out, "w") as out:
        for name, kind in (("fire", FIRE), ("lbfgs", LBFGS), ("bfgs", BFGS)):
            valleys = Valleys()
            run = kind(valleys, logfile=None)
            for step, _ in enumerate(run.irun(fmax=1e-4, steps=STEPS)):
                out.write(f"{name} {step} " + " ".join(f"{x:.17g}" for x in valleys.x) + "\n")


if __name__ == "__main__":
    main()
