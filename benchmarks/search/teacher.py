#!/usr/bin/env python3
"""A teacher for searches: energy and forces of SevenNet-0 through ASE, as a label command.

    teacher.py --serve SOCKET                 keep the network in memory and answer those who ask
    TEACHER=SOCKET teacher.py IN OUT          [label] command = python3 teacher.py {in} {out}

Loading the network takes ten seconds, a label a tenth of one.

SPDX-License-Identifier: BSD-3-Clause
"""
import multiprocessing.connection
import os
import sys


def load():
    import torch
    from sevenn.calculator import SevenNetCalculator
    torch.set_num_threads(1)
    return SevenNetCalculator("7net-0", device="cpu")


def label(calculator, source, target):
    from ase.io import read, write
    atoms = read(source)
    atoms.set_constraint()  # forces on every atom, also on those that the search keeps fixed
    atoms.calc = calculator
    energy, forces = atoms.get_potential_energy(force_consistent=True), atoms.get_forces()
    atoms.calc = None
    atoms.info["REF_energy"] = float(energy)
    atoms.arrays["REF_forces"] = forces
    write(target, atoms, format="extxyz")


def serve(address):
    calculator = load()
    if os.path.exists(address):
        os.unlink(address)
    with multiprocessing.connection.Listener(address, "AF_UNIX") as listener:
        while True:
            with listener.accept() as peer:
                source, target = peer.recv()
                try:
                    label(calculator, source, target)
                    peer.send("")
                except Exception as error:  # the client fails with it; the others go on
                    peer.send(f"{type(error).__name__}: {error}")


def ask(address, source, target):
    with multiprocessing.connection.Client(address, "AF_UNIX") as server:
        server.send([os.path.abspath(source), os.path.abspath(target)])
        error = server.recv()
    if error:
        sys.exit(f"teacher.py: {error}")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        ask(os.environ["TEACHER"], *sys.argv[1:])
