#!/usr/bin/env python3
# The "8" oxide on Cu(111): references, films built by hand, composition scan, hull against the chemical potential of O, comparison
# with PBE.  Standard library only; the picture needs gnuplot.
#
# SPDX-License-Identifier: BSD-3-Clause
#
#     python3 study.py [--chgnet PROGRAM] [--quick] [--results FOLDER] [--seeds N]
#     python3 study.py --label PYTHON          # then GPAW labels, by a Python that has it, for results/for_pbe.extxyz
#
# Writes references.csv, films.extxyz, films.csv, hull.csv, table.md, hull.svg and, where labels.extxyz is, pbe.csv into results/.
import argparse
import math
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from example_tools import add_label, frames, ids_of, info, rows_of, run, save  # noqa: E402

A_CU, A_OXIDE = 3.617, 4.28  # A, lattice constants: Cu by CHGNet, Cu2O to begin with
LAYERS, VACUUM = 3, 6.5
MATRIX = ((3, 2), (-1, 2))
SEEDS, BUDGET = 2, 120 # searches, and minimisations of each


# ---- structures -------------------------------------------------------------------------------------------------------------------


def frame(cell, symbols, positions, pbc, moving=None, **info):
    """Text of one extended XYZ frame."""
    columns = "species:S:1:pos:R:3" + (":move_mask:L:1" if moving else "")
    keys = " ".join(f"{key}={value}" for key, value in info.items())
    lines = [str(len(symbols)),
             f'Lattice="{" ".join(f"{x:.10f}" for row in cell for x in row)}" Properties={columns} {keys} pbc="{pbc}"']
    for k, (s, r) in enumerate(zip(symbols, positions)):
        lines.append(f"{s} {r[0]:.8f} {r[1]:.8f} {r[2]:.8f}" + (f" {'T' if moving[k] else 'F'}" if moving else ""))
    return "\n".join(lines) + "\n"


def read_frames(path):
    """Frames as dictionaries: head (second line), rows (lists of words), text."""
    return [{"head": head, "rows": rows_of(text), "text": text} for head, text in frames(path)]


def counts(found):
    symbols = [row[0] for row in found["rows"]]
    return symbols.count("Cu"), symbols.count("O")


def slab():
    """Cell, positions and flags of three (111) layers in the cell (3 2; -1 2), the lowest fixed."""
    d = A_CU / math.sqrt(2)
    u, v = (d, 0.0), (d / 2, d * math.sqrt(3) / 2)
    height = A_CU / math.sqrt(3)
    p, q = ([m * u[k] + n * v[k] for k in (0, 1)] for m, n in MATRIX)
    turn = math.atan2(p[1], p[0])
    c, s = math.cos(turn), math.sin(turn)
    turned = lambda w: (c * w[0] + s * w[1], c * w[1] - s * w[0])
    area = p[0] * q[1] - p[1] * q[0]
    positions, moving = [], []
    for layer in range(LAYERS):
        shift = layer / 3
        for i in range(-8, 9):
            for j in range(-8, 9):
                w = [(i + shift) * u[k] + (j + shift) * v[k] for k in (0, 1)]
                f = (w[0] * q[1] - w[1] * q[0]) / area, (w[1] * p[0] - w[0] * p[1]) / area
                if all(-1e-6 <= x < 1 - 1e-6 for x in f):
                    positions.append((*turned(w), VACUUM + layer * height))
                    moving.append(layer > 0)
    p, q = turned(p), turned(q)
    return [(*p, 0.0), (*q, 0.0), (0.0, 0.0, 2 * VACUUM + 2 * height + 4.0)], positions, moving


# Planes of Cu2O(110), a/(2 sqrt 2) apart: fractions along [1-10], in units of two surface cells, and along [001].  The next plane of
# Cu and O is shifted by half a surface cell.
MIXED = [("O", 0.0, 0.0), ("O", 0.25, 0.5), ("Cu", 0.125, 0.75), ("Cu", 0.375, 0.75)]
METAL = [("Cu", 0.0, 0.25), ("Cu", 0.25, 0.25)]


def double(plane):
    return [(s, x + k / 2, y) for k in (0, 1) for s, x, y in plane]


def by_hand():
    """Cu2O(110)-like films pressed into the cell, at four places over the metal: (name, frame)."""
    cell, positions, moving = slab()
    top = max(r[2] for r in positions)
    step = A_OXIDE / (2 * math.sqrt(2))
    mixed, metal = double(MIXED), double(METAL)
    shifted = [(s, x + 0.25, y) for s, x, y in mixed]
    kinds = {"Cu8O4": [(metal, 2.1), (mixed, 2.1 + step)], "Cu4O4": [(mixed, 2.1)],
             "Cu8O4-below": [(mixed, 2.1), (metal, 2.1 + step)], "Cu12O8": [(mixed, 2.1), (metal, 2.1 + step), (shifted, 2.1 + 2 * step)]}
    for name, planes in kinds.items():
        for place, (dx, dy) in enumerate(((0, 0), (0.0625, 0), (0, 0.25), (0.0625, 0.25))):
            symbols, places, flags = ["Cu"] * len(positions), list(positions), list(moving)
            for plane, height in planes:
                for s, x, y in plane:
                    f = x + dx, y + dy
                    symbols.append(s)
                    places.append((*(f[0] * cell[0][k] + f[1] * cell[1][k] for k in (0, 1)), top + height))
                    flags.append(True)
            yield frame(cell, symbols, places, "T T F", flags, source=f"by-hand-{name}-{place}")


def references():
    h = A_CU / 2
    a, box = A_OXIDE, 10.0
    cell = lambda x: [(x, 0, 0), (0, x, 0), (0, 0, x)]
    yield "Cu", "full", frame([(0, h, h), (h, 0, h), (h, h, 0)], ["Cu"], [(0, 0, 0)], "T T T", source="Cu")
    quarter = [(1, 1, 1), (3, 3, 1), (3, 1, 3), (1, 3, 3)]
    oxide = [(0, 0, 0), (a / 2, a / 2, a / 2)] + [tuple(a / 4 * x for x in q) for q in quarter]
    yield "Cu2O", "full", frame(cell(a), ["O"] * 2 + ["Cu"] * 4, oxide, "T T T", source="Cu2O")
    yield "O2", "none", frame(cell(box), ["O"] * 2, [(0, 0, 0), (0, 0, 1.22)], "T T T", source="O2")
    clean, positions, moving = slab()
    yield "slab", "none", frame(clean, ["Cu"] * len(positions), positions, "T T F", moving, source="slab")


# ---- running ----------------------------------------------------------------------------------------------------------------------


def relax(options, text, name, cell="none", steps=300, fmax=0.03):
    """Relaxed frames of those given; one that has not converged within the steps (exit code 4) is kept and shows its force."""
    start, end = options.work / f"{name}.start.extxyz", options.work / f"{name}.extxyz"
    start.write_text(text)
    run(options.chgnet, "relax", "-q", "-t", "1", "--cell", cell, "--optimizer", "lbfgs", "--fmax", fmax, "--steps", steps, start, "-o",
        end, may_fail=(4,))
    return read_frames(end)


def energy(found):
    return float(info(found["head"], "energy"))


def make_references(options):
    rows = {}
    for name, cell, text in references():
        found = relax(options, text, name, cell, fmax=0.01)[0]
        rows[name] = {"reference": name, "atoms": len(found["rows"]), "energy_eV": f"{energy(found):.5f}"}
        (options.results / f"reference-{name}.extxyz").write_text(found["text"])
    return save(options.results / "references.csv", list(rows.values()))


def scan(options):
    """The best two films of each composition from all searches together."""
    folders = []
    for seed in range(1, options.seeds + 1):
        folder = options.work / f"films-{seed}"
        if not (folder / "checkpoint").exists():
            run(options.chgnet, "search", "run", "-q", "-t", "1", "--seed", seed, "-o", folder, "--budget", options.budget,
                HERE / "films.ini")
        folders.append(folder)
    best = options.work / "best.extxyz"
    run(options.chgnet, "search", "best", "-n", 100000, "-o", best, *folders)
    kept = {}
    for found in read_frames(best):  # lowest first
        kept.setdefault(counts(found), []).append(found)
    return [found for group in kept.values() for found in group[:2]]


# ---- hull -------------------------------------------------------------------------------------------------------------------------


def potentials(rows):
    """Energies of Cu, of O in Cu2O beside Cu, of O in O2, and of the slab."""
    e = {row["reference"]: float(row["energy_eV"]) for row in rows}
    n = {row["reference"]: int(row["atoms"]) for row in rows}
    oxide = e["Cu2O"] * 3 / n["Cu2O"]
    return e["Cu"] / n["Cu"], oxide - 2 * e["Cu"] / n["Cu"], e["O2"] / 2, e["slab"]


def hull(points):
    """Lower convex hull of (n_O, energy) as indices, clean surface included by the caller."""
    order = sorted(range(len(points)), key=lambda k: points[k])
    chain = []
    for k in order:
        if chain and points[chain[-1]][0] == points[k][0]:
            continue
        while len(chain) > 1:
            (x0, y0), (x1, y1), (x2, y2) = points[chain[-2]], points[chain[-1]], points[k]
            if (y1 - y0) * (x2 - x0) < (y2 - y0) * (x1 - x0):
                break
            chain.pop()
        chain.append(k)
    return chain


def films_table(found, refs):
    """Each film against clean surface, bulk Cu and bulk Cu2O; the best of each composition and source."""
    cu, o, _, clean = potentials(refs)
    rows = {}
    for f in found:
        n_cu, n_o = counts(f)
        n_cu -= 24
        formation = energy(f) - clean - n_cu * cu - n_o * o
        source = info(f["head"], "source")
        kind = "by-hand" if source.startswith("by-hand") else "scan"
        row = {"film": f"Cu{n_cu}O{n_o}", "n_Cu": n_cu, "n_O": n_o, "kind": kind, "source": source, "energy_eV": f"{energy(f):.4f}",
               "formation_eV": f"{formation:.4f}"}
        key = (n_cu, n_o, kind)
        if key not in rows or formation < float(rows[key][0]["formation_eV"]):
            rows[key] = (row, f)
    return sorted(rows.values(), key=lambda pair: (pair[0]["n_O"], float(pair[0]["formation_eV"])))


def hull_rows(films):
    """Films on the hull, each with the range of delta mu_O in which it is the most stable."""
    points = [(0, 0.0)] + [(int(r["n_O"]), float(r["formation_eV"])) for r in films]
    names = ["clean"] + [f"{r['film']} {r['kind']}" for r in films]
    chain = hull(points)
    edges = [-math.inf] + [(points[b][1] - points[a][1]) / (points[b][0] - points[a][0]) for a, b in zip(chain, chain[1:])] + [math.inf]
    return [{"film": names[k], "n_O": points[k][0], "formation_eV": f"{points[k][1]:.4f}", "stable_from_eV": f"{edges[i]:.3f}",
             "stable_to_eV": f"{edges[i + 1]:.3f}"} for i, k in enumerate(chain)]


def write_table(path, films, at=0.0):
    rows = sorted(films, key=lambda r: float(r["formation_eV"]) - at * int(r["n_O"]))
    lines = ["| film | found by | eV per cell over clean + Cu + Cu2O |", "|---|---|---|"]
    lines += [f"| {r['film']} | {r['kind']} | {float(r['formation_eV']):.3f} |" for r in rows]
    path.write_text("\n".join(lines) + "\n")


COLOURS = {"O": 0xD62728, "film": 0xE8A05C, "metal": 0xBBBBBB}


def write_views(path, pairs):
    """The best film by hand and of the scan from above, several cells: x, y, radius, colour, lowest atoms first."""
    blocks = []
    for kind in ("by-hand", "scan"):
        found = next(f for r, f in sorted(pairs, key=lambda p: float(p[0]["formation_eV"])) if r["kind"] == kind and r["n_Cu"] > 0)
        c = [float(x) for x in found["head"].split('"')[1].split()]
        atoms = sorted((float(row[3]), row[0], float(row[1]), float(row[2]), k) for k, row in enumerate(found["rows"]))
        lines = []
        for z, symbol, x, y, k in atoms:
            colour = COLOURS["O" if symbol == "O" else "film" if k >= 24 else "metal"]
            lines += [f"{x + i * c[0] + j * c[3]:.3f} {y + j * c[4]:.3f} {0.6 if symbol == 'O' else 1.1} {colour}"
                      for i in range(-2, 3) for j in range(-2, 5)]
        blocks.append("\n".join(lines))
    path.write_text("\n\n\n".join(blocks) + "\n")


def draw(results):
    if shutil.which("gnuplot"):
        for script in ("hull.gp", "views.gp"):
            subprocess.run(["gnuplot", str(HERE / script)], cwd=results, check=True)


# ---- PBE --------------------------------------------------------------------------------------------------------------------------


def choose(pairs, n=6):
    """Films for PBE: the best by hand and the best of the scan, then the next in formation energy."""
    order = sorted(pairs, key=lambda pair: float(pair[0]["formation_eV"]))
    first = [next(p for p in order if p[0]["kind"] == kind) for kind in ("by-hand", "scan") if any(p[0]["kind"] == kind for p in order)]
    return first + [p for p in order if p not in first][: n - len(first)]


def two_layers(found, name):
    """The frame without the fixed layer, and less vacuum: 36 atoms are too many for a PBE label of minutes."""
    kept = [row for row in found["rows"] if row[4] == "T"]
    cell = [float(x) for x in found["head"].split('"')[1].split()]
    low, high = (f(float(row[3]) for row in kept) for f in (min, max))
    places = [[float(row[1]), float(row[2]), float(row[3]) - low + 5.0] for row in kept]
    box = [cell[0:3], cell[3:6], [0.0, 0.0, high - low + 10.0]]
    return frame(box, [row[0] for row in kept], places, "T T T", None, id=name)


def write_for_pbe(options, pairs):
    clean = read_frames(options.results / "reference-slab.extxyz")[0]
    text = two_layers(clean, "clean") + "".join(two_layers(f, f"{r['film']}-{r['kind']}") for r, f in choose(pairs))
    (options.results / "for_pbe.extxyz").write_text(text)


def label(options):
    """GPAW labels for what is in for_pbe.extxyz and for bulk Cu and Cu2O; what is labelled already is kept."""
    target = HERE / "results" / "labels.extxyz"
    known = ids_of(target)
    todo = [(info(f["head"], "id"), f["text"], (1, 3, 1)) for f in read_frames(HERE / "results" / "for_pbe.extxyz")]
    for name, k in (("Cu", 9), ("Cu2O", 5)):
        found = read_frames(HERE / "results" / f"reference-{name}.extxyz")[0]
        todo.append((name, found["text"].replace(" source=", " id="), (k, k, k)))
    for name, text, kpts in todo:
        if name in known:
            continue
        periodic = ["--bulk"] if name in ("Cu", "Cu2O") else []
        add_label(options.label, options.work, text, target, "--kpts", *kpts, *periodic)


def compare(options, labels):
    """Formation energies on the same two-layer frames, by CHGNet and by PBE."""
    told = options.work / "told.extxyz"
    run(options.chgnet, "predict", "-q", "-t", "1", "-o", told, labels)
    known = {info(f["head"], "id"): f for f in read_frames(told)}
    if not {"clean", "Cu", "Cu2O"} <= set(known):
        return
    rows = []
    for name, f in known.items():
        if name in ("clean", "Cu", "Cu2O"):
            continue
        row = {"film": name}
        for key, column in (("energy", "CHGNet"), ("REF_energy", "PBE")):
            e = {n: float(info(g["head"], key)) for n, g in known.items()}
            size = len(known["Cu2O"]["rows"]) / 3
            o = e["Cu2O"] / size - 2 * e["Cu"]
            n_cu, n_o = counts(f)
            row[f"{column}_eV"] = f"{e[name] - e['clean'] - (n_cu - counts(known['clean'])[0]) * e['Cu'] - n_o * o:.3f}"
        rows.append(row)
    rows.sort(key=lambda r: float(r["PBE_eV"]))
    for column in ("CHGNet", "PBE"):
        order = sorted(rows, key=lambda r: float(r[f"{column}_eV"]))
        for r in rows:
            r[f"{column}_rank"] = order.index(r) + 1
    save(options.results / "pbe.csv", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--chgnet", default="chgnet")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("cu8-work"))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--label", metavar="PYTHON")
    options = parser.parse_args()
    for folder in (options.results, options.work):
        folder.mkdir(parents=True, exist_ok=True)
    if options.label:
        label(options)
    elif options.quick:
        options.seeds, options.budget = 1, 4
    if not options.label:
        study(options)
    labels = HERE / "results" / "labels.extxyz"
    if labels.exists():
        compare(options, labels)


def study(options):
    refs = make_references(options)
    hand = list(by_hand())[:: 8 if options.quick else 1]
    found = relax(options, "".join(hand), "by-hand", steps=30 if options.quick else 300)
    best = scan(options)
    text = "".join(f["text"].replace(f["head"], f["head"] + f" source=scan-{k}") for k, f in enumerate(best))
    found += relax(options, text, "scan", steps=10 if options.quick else 150)
    pairs = films_table(found, refs)
    films = save(options.results / "films.csv", [row for row, _ in pairs])
    (options.results / "films.extxyz").write_text("".join(f["text"] for _, f in pairs))
    save(options.results / "hull.csv", hull_rows(films))
    write_table(options.results / "table.md", films)
    write_views(options.results / "views.dat", pairs)
    draw(options.results)
    (options.results / "views.dat").unlink()
    if not (options.results / "for_pbe.extxyz").exists():
        write_for_pbe(options, pairs)


if __name__ == "__main__":
    main()
