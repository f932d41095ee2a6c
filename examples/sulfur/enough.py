#!/usr/bin/env python3
# How many labels are enough?  Labels are chosen by the model that they teach, a few at a time, from a pool of random structures of one
# or two S in p(2x2) on the three metals; each model is judged by all of labels.extxyz, which it never sees.  Standard library only;
# the picture needs gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 enough.py --chgnet PROGRAM --label PYTHON [--most N]   # pool, choice, PBE labels into enough/, by a Python with GPAW
#     python3 enough.py --chgnet PROGRAM [--quick]                   # judges what is in enough/, into results/enough.csv and .svg
#
# What is there already is not made again.
import argparse
import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from example_tools import add_label, frames, ids_of, info, rows_of, run, save  # noqa: E402
from systems import CELLS, CONFIG, METALS  # noqa: E402

STEPS = (4, 14, 24, 44)  # of the relaxations by CHGNet, so that structures are near and far from minima
STARTS = 8  # for each metal, number of S, and number of steps
SHAKE = 0.05  # A, standard deviation, of every atom above the lowest layer
FIRST, BATCH = 6, 9  # labels: one of each metal and number of S from the pool at random, then so many at a time
KINDS = ("Cu1", "Cu2", "Ag1", "Ag2", "Au1", "Au2")


def shaken(head, text, name, chance):
    """The frame with its free atoms displaced, without what the search wrote about it."""
    lines = [str(len(rows_of(text))),
             f'Lattice="{head.split(chr(34))[1]}" Properties=species:S:1:pos:R:3:move_mask:L:1 id={name} pbc="T T T"']
    for symbol, x, y, z, moves in (row[:5] for row in rows_of(text)):
        places = [float(v) + (chance.gauss(0, SHAKE) if moves == "T" else 0) for v in (x, y, z)]
        lines.append(f"{symbol} {places[0]:.6f} {places[1]:.6f} {places[2]:.6f} {moves}")
    return "\n".join(lines) + "\n"


def make_pool(options, pool):
    """Random structures of each metal and number of S, as labels.extxyz was made, by other random numbers."""
    chance, text = random.Random(7), ""
    for kind in KINDS:
        metal, sulfur = kind[:2], kind[2:]
        for steps in STEPS:
            folder = options.work / f"{kind}-{steps}"
            config = options.work / f"{kind}-{steps}.ini"
            config.write_text(CONFIG.format(metal=metal, a=METALS[metal], matrix=CELLS["2x2"], sulfur=sulfur, more="",
                                            steps=steps, starts=STARTS, folder=folder))
            run(options.chgnet, "search", "run", "-q", "-t", "1", "--seed", 1000 + steps, config)
            for k, (head, frame) in enumerate(frames(folder / "candidates.extxyz")):
                text += shaken(head, frame, f"{kind}-{steps}-{k}", chance)
    pool.write_text(text)


def choose(options, pool, labels, left):
    """The next structures to label: of each metal and number of S one by chance, later those the model knows least."""
    known = ids_of(labels)
    rest = [(info(head, "id"), text) for head, text in frames(pool) if info(head, "id") not in known]
    if not known:
        chance = random.Random(1)
        return [chance.choice([text for name, text in rest if name.startswith(kind)]) for kind in KINDS]
    model, candidates, picked = (options.work / name for name in ("D.h5", "rest.extxyz", "picked.extxyz"))
    run(options.chgnet, "delta", "fit", "-q", "-o", model, labels)
    candidates.write_text("".join(text for _, text in rest))
    run(options.chgnet, "delta", "select", "-q", "-n", min(BATCH, left), "-o", picked, model, candidates)
    return [text for _, text in frames(picked)]


def label(options, labels):
    """GPAW labels until there are options.most."""
    pool = HERE / "enough" / "pool.extxyz"
    if not pool.exists():
        make_pool(options, pool)
    while (left := options.most - len(ids_of(labels))) > 0:
        chosen = options.work / "chosen.extxyz"
        if not chosen.exists():
            chosen.write_text("".join(choose(options, pool, labels, left)))
        known = ids_of(labels)  # some of a batch that was broken off
        for head, text in frames(chosen):
            if info(head, "id") not in known:
                add_label(options.label, options.work, text, labels)
                print(info(head, "id"), file=sys.stderr, flush=True)
        chosen.unlink()


def judge(options, labels):
    """Errors on labels.extxyz, each metal and all, after the first FIRST, FIRST + BATCH ... labels."""
    learnt, rows = [text for _, text in frames(labels)], []
    training, model = options.work / "learn.extxyz", options.work / "D.h5"
    judges = {metal: options.work / f"judge-{metal}.extxyz" for metal in ("all", *METALS)}
    for metal, judging in judges.items():
        judging.write_text("".join(text for head, text in frames(options.judges)
                                   if metal == "all" or info(head, "id").startswith(metal)))
    for n in range(FIRST, len(learnt) + 1, BATCH)[: 1 if options.quick else None]:
        training.write_text("".join(learnt[:n]))
        run(options.chgnet, "delta", "fit", "-q", "-o", model, training)
        for metal, judging in judges.items():
            told = json.loads(run(options.chgnet, "delta", "eval", "-q", "--json", model, judging))
            row = {"labels": n, "metal": metal}
            for kind, unit in (("energy", "meV"), ("forces", "meV_A")):
                before, after = (1000 * told[kind][when]["mae"] for when in ("before", "after"))
                row |= {f"{kind}_before_{unit}": f"{before:.1f}", f"{kind}_after_{unit}": f"{after:.1f}",
                        f"{kind}_times": f"{before / after:.2f}"}
            rows.append(row)
        save(options.results / "enough.csv", rows)
    if not options.quick:
        subprocess.run(["gnuplot", HERE / "enough.gp"], cwd=options.results, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet")
    parser.add_argument("--label", metavar="PYTHON")
    parser.add_argument("--quick", action="store_true", help="judge the first labels only")
    parser.add_argument("--most", type=int, default=60, help="labels in all")
    parser.add_argument("--judges", type=pathlib.Path, default=HERE / "labels.extxyz")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("enough-work"))
    options = parser.parse_args()
    for folder in (options.results, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    labels = HERE / "enough" / "labels.extxyz"
    if options.label:
        label(options, labels)
    judge(options, labels)


if __name__ == "__main__":
    main()
