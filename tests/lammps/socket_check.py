"""`chgnet socket` beside `chgnet predict`, with ASE's SocketIOCalculator and i-PI as servers; lines as in check.py.

    socket_check.py CHGNET [IPI]         IPI: the command of i-PI

SPDX-License-Identifier: BSD-3-Clause
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import lammps_run as lr
from ase import Atoms
from ase.calculators.socketio import SocketIOCalculator
from ase.units import GPa

HARTREE, BOHR = 27.211386245988, 0.529177210903  # eV, A; CODATA 2018
chgnet, ipi = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
folder = tempfile.mkdtemp(dir=".")


def check(good, name, note=""):
    print("PASS" if good else "FAIL", name, flush=True)
    if not good:
        print("#", note, flush=True)


def atoms_of(structure):
    return Atoms(structure["symbols"], positions=structure["positions"], cell=structure["cell"], pbc=structure["pbc"])


def client(path, where, *options):
    return subprocess.Popen([chgnet, "socket", *where, "--quiet", *options, path])


def results(atoms, server):
    atoms.calc = server
    stress = None if not all(atoms.pbc) else (atoms.get_stress(voigt=False) / GPa).tolist()
    return {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces().tolist(), "stress": stress}


largest = [0.0]  # relative difference, for docs/ipi.md


def compare(name, got, want):
    """1e-6: units go to atomic ones and back, and the server's positions have 1e-16 of rounding."""
    for key in ("energy", "forces", "stress"):
        if want.get(key) is not None and got[key] is not None:
            e = lr.error(got[key], want[key])
            largest[0] = max(largest[0], e)
            check(e < 1e-6, "%s: %s as chgnet predict" % (name, key), "relative difference %g" % e)


def serve(name, structure, where, options=()):
    path = os.path.join(folder, "atoms.extxyz")
    lr.write_extxyz(structure, path)
    atoms = atoms_of(structure)
    server = {"unixsocket": where} if isinstance(where, str) else {"port": where}
    with SocketIOCalculator(timeout=60, **server) as calculator:
        place = ("--unix", where) if isinstance(where, str) else ("--host", "localhost", "--port", str(where))
        process = client(path, place, "-p", "double", *options)
        got = results(atoms, calculator)
        extra = json.loads(bytes(calculator.results["morebytes"]).decode())
        atoms.positions += 0.01  # a second structure over the same connection
        again = results(atoms, calculator)
    # ASE closes without the protocol's EXIT, which is the end of a server to the client: 6.
    check(process.wait(timeout=60) in (0, 6), name + ": the client ends with the server", "")
    want = lr.predict(chgnet, structure, folder, ["-p", "double", *options])
    compare(name, got, want)
    for key, word in (("magmoms", "magmom"), ("energy_std_eV", "energy_std")):
        if want.get(word) is not None:
            e = lr.error(extra[key], want[word]) if key in extra else 1
            check(e < 1e-6, "%s: %s in the extra string" % (name, key), "relative difference %g" % e)
    check(abs(again["energy"] - got["energy"]) < 1e-8 * abs(got["energy"]), name + ": shifted atoms, the same energy", "")


def check_restart():
    """A server that goes and comes back finds the same client."""
    structure = lr.structures()["tiny cell"]
    name = "chgnet-test-%d" % os.getpid()
    path = os.path.join(folder, "atoms.extxyz")
    lr.write_extxyz(structure, path)
    process = client(path, ("--unix", name), "--retry")
    time.sleep(0.3)  # it waits for a server that is not there yet
    energies = []
    for _ in range(2):
        with SocketIOCalculator(unixsocket=name, timeout=60) as calculator:
            energies.append(results(atoms_of(structure), calculator)["energy"])
    check(process.poll() is None and energies[0] == energies[1], "--retry: two servers, one client", str(energies))
    process.terminate()
    check(process.wait(timeout=60) == 128 + 15, "SIGTERM ends it", "")


def delta_model():
    labels, first, model = (os.path.join(folder, f) for f in ("labels.extxyz", "first.extxyz", "delta.h5"))
    with open(first, "w") as out:
        for seed in range(4):
            one = os.path.join(folder, "one.extxyz")
            lr.write_extxyz(lr.rocksalt((1, 1, 1), seed=seed + 7), one)
            out.write(open(one).read())
    subprocess.run([chgnet, "predict", "--quiet", "-m", "r2scan", "-o", labels, first], check=True)
    subprocess.run([chgnet, "delta", "fit", labels, "--energy-key", "energy", "--forces-key", "forces", "--quiet", "-o",
                    model], check=True, stdout=subprocess.DEVNULL)
    return model


IPI_INPUT = """<simulation verbosity="quiet">
  <output prefix="out">
    <properties filename="properties"> [ potential, stress_md, %s ] </properties>
  </output>
  <total_steps> 1 </total_steps>
  <ffsocket mode="unix" name="chgnet" pbc="false"> <address> %s </address> </ffsocket>
  <system>
    <initialize nbeads="1"> <file mode="ase"> atoms.extxyz </file> </initialize>
    <forces> <force forcefield="chgnet"/> </forces>
    <motion mode="dynamics"> <dynamics mode="nve"> <timestep units="femtosecond"> 0.001 </timestep> </dynamics> </motion>
    <ensemble/>
  </system>
</simulation>
"""


def in_its_frame(structure):
    """i-PI, like LAMMPS, wants the first vector along x and the second in the xy plane."""
    cell = lr.restricted(structure["cell"])
    return dict(structure, cell=cell, positions=lr.times(structure["positions"], lr.times(lr.inverse(structure["cell"]), cell)))


def serve_by_ipi(name, structure, options=()):
    structure = in_its_frame(structure)
    place = "chgnet-ipi-%d" % os.getpid()
    n = min(len(structure["symbols"]), 64)
    with open(os.path.join(folder, "input.xml"), "w") as file:
        file.write(IPI_INPUT % (", ".join("atom_f(atom=%d)" % k for k in range(n)), place))
    path = os.path.join(folder, "atoms.extxyz")
    lr.write_extxyz(structure, path)
    process = client(path, ("--unix", place), "--retry", "-p", "double", *options)
    server = subprocess.run([ipi, "input.xml"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                            universal_newlines=True)
    process.terminate()
    process.wait(timeout=60)
    if server.returncode != 0:
        check(False, name + ": i-PI ends well", server.stdout[-300:])
        return
    rows = [line.split() for line in open(os.path.join(folder, "out.properties")) if not line.startswith("#")]
    row = [float(x) for x in rows[0]]  # in atomic units: i-PI's own for GPa has five digits
    xx, yy, zz, xy, xz, yz = (-x * HARTREE / BOHR**3 * lr.GPA for x in row[1:7])  # of what presses: the other sign
    got = {"energy": row[0] * HARTREE, "stress": [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]],
           "forces": [[x * HARTREE / BOHR for x in row[7 + 3 * k:10 + 3 * k]] for k in range(n)]}
    want = lr.predict(chgnet, structure, folder, ["-p", "double", *options])
    want["forces"] = want["forces"][:n]
    compare(name + " by i-PI", got, want)


unix = "chgnet-test-%d" % os.getpid()
for name, structure in lr.structures().items():
    serve(name, structure, unix)
delta = ("-d", delta_model())
serve("with a delta-model", lr.rocksalt((2, 2, 2)), unix, delta)
serve("over INET", lr.structures()["triclinic"], 20000 + os.getpid() % 20000)
check_restart()
if ipi:
    for name, structure in lr.structures().items():
        serve_by_ipi(name, structure)
    serve_by_ipi("with a delta-model", lr.rocksalt((2, 2, 2)), delta)
else:
    print("SKIP no i-PI", flush=True)
print("# largest relative difference to chgnet predict: %.1e" % largest[0], flush=True)
