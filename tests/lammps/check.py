"""Pair style chgnet: each line PASS, FAIL or SKIP is a check.

    check.py CHGNET PLUGIN RANKS LAMMPS...

LAMMPS... is the command of one process; RANKS is the command that starts several, such as "mpirun -np", or "".

SPDX-License-Identifier: BSD-3-Clause
"""

import os
import subprocess
import sys
import tempfile

import lammps_run as lr

chgnet, plugin, ranks, lammps = sys.argv[1], sys.argv[2], sys.argv[3].split(), sys.argv[4:]
folder = tempfile.mkdtemp(dir=".")
mgo = lr.rocksalt((2, 2, 2))


def check(good, name, note=""):
    print("PASS" if good else "FAIL", name, flush=True)
    if not good:
        print("#", note, flush=True)


largest = {}  # differences, for docs/lammps.md


def widen(kind, value):
    largest[kind] = max(largest.get(kind, 0), value)


def same(name, got, want, tolerance=1e-6):
    """1e-6, relative to the largest value of each kind."""
    for key in ("energy", "forces", "stress"):
        if want.get(key) is not None:
            e = lr.error(got[key], want[key])
            widen("relative to chgnet predict, " + ("double" if tolerance == 1e-6 else "single"), e)
            check(e < tolerance, "%s: %s as chgnet predict" % (name, key), "relative difference %g" % e)


def command(n):
    return ranks + [str(n)] + lammps if n > 1 else lammps


def delta_model():
    """Labels by the r2SCAN weights: a correction as large as the functionals differ."""
    labels, first = os.path.join(folder, "labels.extxyz"), os.path.join(folder, "first.extxyz")
    with open(first, "w") as out:
        for seed in range(6):
            one = os.path.join(folder, "one.extxyz")
            lr.write_extxyz(lr.rocksalt((1, 1, 1), seed=seed + 7), one)
            out.write(open(one).read())
    subprocess.run([chgnet, "predict", "--quiet", "-m", "r2scan", "-o", labels, first], check=True)
    models = []
    for aggregation in ("atomic", "global"):
        model = os.path.abspath(os.path.join(folder, aggregation + ".h5"))
        subprocess.run([chgnet, "delta", "fit", labels, "--energy-key", "energy", "--forces-key", "forces", "--quiet",
                        "--aggregation", aggregation, "-o", model], check=True, stdout=subprocess.DEVNULL)
        models.append(model)
    return models


def check_structures():
    for name, structure in lr.structures().items():
        got = lr.single_point(lammps, structure, plugin, folder, "precision double")
        want = lr.predict(chgnet, structure, folder, ["-p", "double"])
        same(name, got, want)
        # In single the command itself is up to 3e-6 away from double; two orders of adding up differ by as much.
        same(name + ", single", lr.single_point(lammps, structure, plugin, folder), want, 4e-6)
        if name == "triclinic":
            check(lr.error(got["magmom"], want["magmom"]) < 1e-6, "magmoms are there", "")
            check(lr.error(got["site_energies"], want["site_energies"]) < 1e-6, "site energies add to pe/atom", "")
            volume = lr.dot(structure["cell"][0], lr.cross(structure["cell"][1], structure["cell"][2]))
            total = [-s / volume for s in got["atom_stress_sum"]]
            check(lr.error(total, got["pressure"]) < 1e-6, "shares of the virial add up to the pressure", str(total))


def check_delta(models):
    for model in models:
        name = os.path.basename(model)
        got = lr.single_point(lammps, mgo, plugin, folder, "precision double std yes", "0.3.0 " + model)
        want = lr.predict(chgnet, mgo, folder, ["-p", "double", "-d", model])
        same("with " + name, got, want)
        for key in ("energy_std", "delta_energy"):
            check(lr.error([got[key]], [want[key]]) < 1e-6, "%s of %s" % (key, name), "%s %s" % (got[key], want[key]))


def check_pressure():
    """dE/dV by differences; in double, so that the step's error is that of the third derivative."""
    def energy(scale):
        cell = [[x * scale for x in row] for row in mgo["cell"]]
        return dict(mgo, cell=cell, positions=[[x * scale for x in row] for row in mgo["positions"]])
    h = 1e-4
    up, down = (lr.single_point(lammps, energy(1 + s), plugin, folder, "precision double")["energy"] for s in (h, -h))
    volume = mgo["cell"][0][0] ** 3
    want = -(up - down) / (volume * ((1 + h) ** 3 - (1 - h) ** 3)) * lr.BAR
    got = sum(lr.single_point(lammps, mgo, plugin, folder, "precision double")["pressure"][:3]) / 3
    check(abs(got - want) < 1e-5 * abs(want), "pressure is -dE/dV", "%g bar, by differences %g bar" % (got, want))


def check_ranks(models):
    slab = lr.structures()["slab"]
    for name, structure, settings, coeff in (
        ("crystal", lr.rocksalt((3, 2, 2)), "", "0.3.0"),
        ("triclinic", lr.structures()["triclinic"], "", "0.3.0"),
        ("slab", slab, "precision double", "0.3.0"),
        ("atomic delta-model", mgo, "std yes", "0.3.0 " + models[0]),
        ("global delta-model", mgo, "std yes", "0.3.0 " + models[1]),
    ):
        one = lr.single_point(lammps, structure, plugin, folder, settings, coeff)
        for n in (2, 4):
            got = lr.single_point(command(n), structure, plugin, folder, settings, coeff)
            e = max(abs(a - b) for x, y in zip(one["forces"], got["forces"]) for a, b in zip(x, y))
            widen("forces on several ranks, %s, eV/A" % ("double" if "double" in settings else "single"), e)
            check(e < 1e-5, "%s on %d ranks: forces as on one" % (name, n), "they differ by %g eV/A" % e)
            d = abs(one["energy"] - got["energy"])
            widen("energy on several ranks, %s, eV/atom" % ("double" if "double" in settings else "single"),
                  d / len(structure["symbols"]))
            check(d < 1e-5 * len(structure["symbols"]) and d < 1e-6 * abs(one["energy"]),
                  "%s on %d ranks: energy" % (name, n), "differs by %g eV" % d)
            check(lr.error(got["pressure"], one["pressure"]) < 1e-5, "%s on %d ranks: pressure" % (name, n), "")
            check(lr.error(got["magmom"], one["magmom"]) < 1e-4, "%s on %d ranks: magmoms" % (name, n), "")
            if settings == "std yes":
                check(lr.error([got["energy_std"]], [one["energy_std"]]) < 1e-4, "%s on %d ranks: deviation" % (name, n),
                      "%s %s" % (got["energy_std"], one["energy_std"]))
            if n == 2 and name == "crystal":
                print("# 2 ranks, %d atoms: %d bytes, %.4f s of exchange in a step" % (len(structure["symbols"]),
                      got["bytes"], got["seconds"]))


NO_IDS = """plugin load %s
units metal
atom_style atomic
atom_modify id no
lattice fcc 4.2
region all block 0 1 0 1 0 1
create_box 1 all
create_atoms 1 box
mass 1 24.305
pair_style chgnet
pair_coeff * * 0.3.0 Mg
run 0
"""


def check_errors():
    start = lr.head(mgo, plugin)
    lr.write_data(mgo, os.path.join(folder, "in.data"))
    cases = (
        ("wrong element", start.replace("Mg O", "Mg Xx") + "run 0\n", "which is no element"),
        ("element missing", start.replace(" Mg O\n", " Mg\n") + "run 0\n", "atom types"),
        ("unknown element", start.replace("Mg O", "Mg Og") + "run 0\n", "which this model does not know"),
        ("wrong units", start.replace("units metal", "units real") + "run 0\n", "give units metal"),
        ("no weights", start.replace("* * 0.3.0", "* * missing.h5") + "run 0\n", "missing.h5"),
        ("no delta-model", start.replace("* * 0.3.0", "* * 0.3.0 missing.h5") + "run 0\n", "missing.h5"),
        ("unknown keyword", start.replace("pair_style chgnet", "pair_style chgnet speed 11") + "run 0\n", "unknown keyword"),
        ("excluded pairs", start + "neigh_modify exclude type 1 1\nrun 0\n", "neigh_modify exclude"),
        ("deviation without delta-model", start.replace("pair_style chgnet", "pair_style chgnet std yes") + "run 0\n",
         "need a delta-model"),
        ("atoms without IDs", NO_IDS % plugin, "atoms have no IDs"),
        # LAMMPS sees to the ghosts when a run is set up; only a skin that grows later is beyond them.
        ("too few ghosts", start + "neigh_modify every 1 delay 0 check no\nrun 0\nneighbor 4 bin\nrun 2 pre no\n",
         "too few: cutoff and skin are 10"),
    )
    for name, text, message in cases:
        status, output = lr.run(lammps, text, folder)
        said = " ".join(output.split())
        check(status > 0 and message in said and "ERROR" in said, name + ": an error that says so",
              "status %d, %s" % (status, said[-300:]))


def check_commands():
    start = lr.head(mgo, plugin)
    lr.write_data(mgo, os.path.join(folder, "in.data"))
    status, output = lr.run(lammps, start + "thermo_style custom step pe fmax press vol\nminimize 0 0.02 200 400\n"
                            "fix b all box/relax iso 0\nminimize 0 0.05 200 400\n", folder)
    rows = lr.thermo_rows(output)
    check(status == 0 and rows[-1][2] < 0.05, "minimize, and fix box/relax", output[-500:])
    text = start + "thermo_style custom step pe etotal vol\nthermo_modify format float %.12g\nvelocity all create 300 1\n"
    status, output = lr.run(lammps, text + "fix 1 all npt temp 300 300 0.1 iso 0 0 1\nrun 12\n", folder)
    check(status == 0 and lr.thermo_rows(output)[-1][3] != lr.thermo_rows(output)[0][3], "fix npt changes the volume",
          output[-500:])
    nve = "fix 1 all nve\nthermo 5\n"
    status, output = lr.run(lammps, text + nve + "run 10\nwrite_restart out.restart\nrun 10\n", folder)
    straight = lr.thermo_rows(output)[-1]
    again = ("plugin load %s\nread_restart out.restart\npair_style chgnet\npair_coeff * * 0.3.0 Mg O\n"
             "thermo_style custom step pe etotal vol\nthermo_modify format float %%.12g\n" % plugin)
    status, output = lr.run(lammps, again + nve + "run 10\n", folder)
    resumed = lr.thermo_rows(output)[-1] if status == 0 else [0, 0, 0]
    # The box is read in blocks, so atoms come in another order: rounding in single precision, 64 atoms.
    check(resumed[0] == 20 and abs(resumed[2] - straight[2]) < 1e-4, "a restart goes on", "%s %s" % (resumed, straight))
    status, output = lr.run(lammps, start + "run 2\nclear\n" + start + "run 2\nclear\n" + start + "run 0\n", folder)
    energies = [row[2] for row in lr.thermo_rows(output)]
    check(status == 0 and len(energies) >= 3 and energies[0] == energies[-1], "clear and load again", output[-500:])


check_structures()
check_pressure()
models = delta_model()
check_delta(models)
check_errors()
check_commands()
if ranks:
    check_ranks(models)
else:
    print("SKIP several ranks: no mpirun that fits", flush=True)
for kind in sorted(largest):
    print("# largest difference, %s: %.1e" % (kind, largest[kind]))
