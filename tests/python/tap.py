"""What the Python tests share: each check is a line for tests/test_python.sh."""

# SPDX-License-Identifier: BSD-3-Clause
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np

SOURCE = Path(os.environ["top_srcdir"])
COMMAND = os.environ["top_builddir"] + "/chgnet"


def ok(good, name, note=""):
    print(f"{'PASS' if good else 'FAIL'} {name}" + (f" ({note})" if note else ""), flush=True)


def skip(name):
    print(f"SKIP {name}", flush=True)


def same(got, want, name):
    """Equal to the last bit."""
    got, want = np.asarray(got), np.asarray(want)
    good = got.shape == want.shape and np.array_equal(got, want)
    ok(good, name, "" if good else f"{got.shape} {want.shape} {np.abs(got - want).max()}")


def near(got, want, tolerance, name):
    error = np.abs(np.asarray(got) - np.asarray(want)).max()
    ok(error <= tolerance, f"{name}: {error:.1e} of {tolerance:g}")


def raises(kind, text, function, name):
    try:
        function()
    except kind as error:
        good = text in str(error)
        ok(good, f"{name}: {kind.__name__}", "" if good else str(error))
    else:
        ok(False, f"{name}: {kind.__name__}", "nothing was raised")


def predict(*arguments):
    """What the command gives for each frame."""
    done = subprocess.run(
        [COMMAND, "predict", "--json", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def python(program, *arguments, timeout=None, **environment):
    """What another Python prints for the program; a failure is its last line of error."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=timeout,
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr.strip().splitlines()[-1:]}"


def run(*tests):
    """Run each; an error in one is a failed check, and the others go on."""
    for test in tests:
        try:
            test()
        except Exception:
            ok(False, test.__name__, traceback.format_exc().replace("\n", " | "))
