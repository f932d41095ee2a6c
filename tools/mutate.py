#!/usr/bin/env python3
"""Changes one line of src at a time and asks the tests: do they see it?

    mutate.py [--count 40] [--seed 1] [--only N,...] [--work FOLDER] [--jobs 2] [--tests "tests/test_x ..."]

Draws `count` mutations with a fixed seed over all lines of src/**/*.c that hold code: an operator, a sign, an index, a
constant, a comparison or a dropped call.  Each is made in a copy of the source tree, built incrementally, and the tests
run until one fails.  Prints one line per mutation and writes FOLDER/mutations.txt; leaves with 0 when at most a tenth
survived.  What survives is to be judged by hand: either a test is missing, or it changes nothing, with a proof in
docs/reliability.md.

First those tests run whose name holds a word of the changed file's name, then the others.  A mutation that does not compile
is no mutation, and the next one is drawn.

SPDX-License-Identifier: BSD-3-Clause
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# (name, pattern, replacements): a place of a line that matches is replaced by one of them.
RULES = [
    ("comparison", r"(?<![<>=!\-&|])(<=|>=|==|!=)(?!=)", {"<=": ["<", ">"], ">=": [">", "<"], "==": ["!="], "!=": ["=="]}),
    ("less", r" (<|>) ", {" < ": [" <= ", " > "], " > ": [" >= ", " < "]}),
    ("sign", r" (\+|-) ", {" + ": [" - "], " - ": [" + "]}),
    ("product", r" (\*|/) ", {" * ": [" / "], " / ": [" * "]}),
    ("logic", r" (&&|\|\|) ", {" && ": [" || "], " || ": [" && "]}),
    ("sum", r" (\+=|-=|\*=) ", {" += ": [" -= "], " -= ": [" += "], " *= ": [" /= "]}),
    ("index", r"\[([ijkn])\]", {f"[{c}]": [f"[{c} ? {c} - 1 : {c}]"] for c in "ijkn"}),
    ("constant", r"(?<![\w.%\"'])([0-9]+)(?![\w.\"'%xX])", None),
    ("boolean", r"\b(true|false)\b", {"true": ["false"], "false": ["true"]}),
    ("call", r"^ +[a-z_0-9]+\(.*\);$", "drop"),
]


def code_lines(source):
    """(file, number, text) of lines inside functions, without comments, texts for people and preprocessor lines."""
    for folder, _, names in sorted(os.walk(os.path.join(source, "src"))):
        if "/lammps" in folder or "/python" in folder:
            continue
        for name in sorted(names):
            if not name.endswith(".c"):
                continue
            path = os.path.join(folder, name)
            inside, comment = False, False
            with open(path, encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    text = line.rstrip("\n")
                    if comment:
                        comment = "*/" not in text
                        continue
                    if re.match(r"\s*/\*", text):
                        comment = "*/" not in text
                        continue
                    if text == "{":
                        inside = True
                    elif text.startswith("}"):
                        inside = False
                    elif inside and not re.match(r'\s*(#|"|$)', text):
                        yield path, number, text


def without_texts(text):
    """The line with the content of quotes and comments blanked, so that places stay."""
    text = re.sub(r'"(\\.|[^"\\])*"', lambda m: '"' + " " * (len(m.group()) - 2) + '"', text)
    text = re.sub(r"'(\\.|[^'\\])*'", lambda m: "'" + " " * (len(m.group()) - 2) + "'", text)
    return re.sub(r"/\*.*", lambda m: " " * len(m.group()), text)


def choices(text):
    """All (rule, start, end, new) for a line."""
    plain, found = without_texts(text), []
    for name, pattern, table in RULES:
        for match in re.finditer(pattern, plain):
            piece = match.group()
            if table == "drop":
                if not re.match(r" +(return|free|chgi_\w+_(destroy|free)|close)\b", plain):
                    found.append((name, match.start() + len(piece) - len(piece.lstrip()), match.end(), ";"))
            elif table is None:
                found.append((name, match.start(), match.end(), str(int(piece) + 1)))
            else:
                for new in table.get(piece, []):
                    found.append((name, match.start(), match.end(), new))
    return found


def draw(source, seed):
    """Mutations without end, lines drawn evenly."""
    lines = [line for line in code_lines(source) if choices(line[2])]
    generator = random.Random(seed)
    seen = set()
    while len(seen) < len(lines):
        path, number, text = generator.choice(lines)
        if (path, number) in seen:
            continue
        seen.add((path, number))
        rule, start, end, new = generator.choice(choices(text))
        yield path, number, rule, text, text[:start] + new + text[end:]


def copy_tree(source, folder):
    tree = os.path.join(folder, "source")
    files = subprocess.run(["git", "-C", source, "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True,
                           text=True).stdout.split("\n")  # fmt: skip
    for name in files:
        if name and os.path.isfile(os.path.join(source, name)):
            target = os.path.join(tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(os.path.join(source, name)):
                shutil.copy2(os.path.join(source, name), target)
    return tree


class Build:
    def __init__(self, tree, folder, jobs):
        self.tree, self.folder, self.jobs = tree, os.path.join(folder, "build"), jobs
        os.makedirs(self.folder, exist_ok=True)
        if not os.path.exists(os.path.join(tree, "configure")):
            subprocess.run(["autoreconf", "-fi"], cwd=tree, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not os.path.exists(os.path.join(self.folder, "Makefile")):
            compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
            self.run([os.path.join(tree, "configure"), "--disable-shared", f"CC={compiler}", "CFLAGS=-O1"], 600)
        self.make(["all"])
        self.make(["check", "TESTS="])

    def run(self, command, limit):
        with open(os.path.join(self.folder, "mutate.log"), "w", encoding="utf-8") as log:
            try:
                return subprocess.run(command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, timeout=limit,
                                      check=False).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                return 124

    def make(self, arguments, limit=1800):
        return self.run(["make", f"-j{self.jobs}", *arguments], limit)

    def first_failure(self, tests):
        return next((t for t in tests if failed(os.path.join(self.folder, re.sub(r"\.sh$", "", t) + ".trs"))), None)

    def tests(self):
        """Programs and scripts of `make check`, as the Makefile names them."""
        text = subprocess.run(["make", "-s", "-f", "-", "print"], cwd=self.folder, check=True, text=True, capture_output=True,
                              input="include Makefile\nprint:\n\t@echo $(TESTS)\n").stdout  # fmt: skip
        return text.split()


def failed(path):
    """Whether a test's .trs file tells of a failure."""
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return re.search(r"^:test-result: (FAIL|ERROR|XPASS)", file.read(), re.M) is not None


def near_and_far(tests, path):
    """Tests with a word of the file's name in theirs, and the others."""
    words = set(re.split(r"[/_.]", path[path.rindex("/src/") + 5 :])) - {"c", "test", "sh"}
    near = [t for t in tests if words & set(re.split(r"[/_.]", os.path.basename(t)))]
    return near, [t for t in tests if t not in near]


def judge(build, tests, path, limit):
    """The first test that fails; None when all pass; "" when it does not compile."""
    if build.make(["all"]) != 0:
        return ""
    if build.make(["check", "TESTS="]) != 0:
        return ""
    for some in near_and_far(tests, path):
        if some and build.make(["check", f"TESTS={' '.join(some)}"], limit) != 0:
            return build.first_failure(some) or "a test that does not end"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="numbers of mutations, from 1, separated by commas")
    parser.add_argument("--work", default="mutate-work")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests", default="", help="these instead of all")
    parser.add_argument("--list", action="store_true", help="only tell what would be changed")
    options = parser.parse_args()
    source = HERE
    only = {int(n) for n in options.only.split(",") if n}
    if options.list:
        for k, (path, number, rule, old, new) in zip(range(options.count), draw(source, options.seed)):
            print(f"{k + 1:3d} {os.path.relpath(path, source)}:{number} {rule}\n    {old.strip()}\n    {new.strip()}")
        return 0
    os.makedirs(options.work, exist_ok=True)
    tree = copy_tree(source, os.path.abspath(options.work))
    build = Build(tree, os.path.abspath(options.work), options.jobs)
    tests = options.tests.split() or build.tests()
    caught = made = 0
    report = open(os.path.join(options.work, "mutations.txt"), "a", encoding="utf-8")
    for path, number, rule, old, new in draw(tree, options.seed):
        if made == options.count:
            break
        with open(path, encoding="utf-8") as file:
            original = file.read()
        lines = original.split("\n")
        if lines[number - 1] != old:
            sys.exit(f"{path}:{number} is not what it was")
        lines[number - 1] = new
        name = f"{os.path.relpath(path, tree)}:{number}"
        if only and made + 1 not in only:
            made += 1
            continue
        began = time.time()
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        try:
            result = judge(build, tests, path, 900)
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(original)
        if result == "":
            continue
        made += 1
        caught += result is not None
        line = f"{made:3d} {name} {rule}: {old.strip()}  ->  {new.strip()}: {result or 'SURVIVED'} ({time.time() - began:.0f} s)"
        print(line, flush=True)
        print(line, file=report, flush=True)
    tried = len(only) if only else made
    print(f"{caught} of {tried} caught")
    return 0 if caught >= 0.9 * tried else 1


if __name__ == "__main__":
    sys.exit(main())
