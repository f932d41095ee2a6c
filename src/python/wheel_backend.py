#!/usr/bin/env python3
"""Pack the wheel of chgnet_native from a source tree and a built library.

For pip (`pip install src/python`) it takes the library from the build folder: $CHGNET_BUILD, else the root of the
source tree; that wheel serves the machine it was built on.  `make wheel` runs it as a program, on what
tools/link_portable.sh linked; that wheel carries all that it needs but the C library.

Usage: wheel_backend.py --library FOLDER --output FOLDER
"""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import stat
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = "chgnet_native"
VERSION = re.search(r'^__version__ = "(.*)"$', (HERE / PACKAGE / "__init__.py").read_text(), re.M).group(1)
INFO = f"{PACKAGE}-{VERSION}.dist-info"

METADATA = f"""\
Metadata-Version: 2.1
Name: chgnet-native
Version: {VERSION}
Summary: CHGNet, the universal interatomic potential, without PyTorch: C library, ASE calculator, upstream's names
License: BSD-3-Clause
Requires-Python: >=3.10
Requires-Dist: numpy>=1.22
Provides-Extra: ase
Requires-Dist: ase>=3.23; extra == 'ase'
Provides-Extra: pymatgen
Requires-Dist: ase>=3.23; extra == 'pymatgen'
Requires-Dist: pymatgen; extra == 'pymatgen'
Description-Content-Type: text/markdown

"""


def find_library(folder: Path) -> Path:
    """libchgnet.so in a folder of tools/link_portable.sh, or in a build folder."""
    for place in (folder / "libchgnet.so", folder / ".libs" / "libchgnet.so"):
        if place.exists():
            return place.resolve()
    raise SystemExit(
        f"no libchgnet.so in {folder} or {folder}/.libs; build chgnet-native with shared libraries, and set "
        "CHGNET_BUILD to its build folder where that is not the source tree"
    )


def contents(folder: Path, portable: bool) -> dict[str, Path]:
    """Name in the wheel: file."""
    library = find_library(folder)
    files = {
        str(path.relative_to(HERE)): path
        for path in (HERE / PACKAGE).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    files[f"{PACKAGE}/lib/libchgnet.so"] = library
    for path in [*(ROOT / "weights").glob("*.h5"), ROOT / "weights" / "NOTICE"]:
        files[f"{PACKAGE}/weights/{path.name}"] = path
    files[f"{INFO}/licenses/LICENSE"] = ROOT / "LICENSE"
    files[f"{INFO}/licenses/weights/NOTICE"] = ROOT / "weights" / "NOTICE"
    if portable:
        files[f"{PACKAGE}/lib/libgomp.so.1"] = folder / "libgomp.so.1"
        for path in (folder / "licenses").iterdir():
            files[f"{INFO}/licenses/{path.name}"] = path
    return dict(sorted(files.items()))


def platform_tag(files: dict[str, Path], portable: bool) -> str:
    """linux_MACHINE, or manylinux_X_Y_MACHINE by the newest glibc that a library in the wheel asks for."""
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not portable:
        return platform
    asked = [
        tuple(map(int, found))
        for name, path in files.items()
        if name.startswith(f"{PACKAGE}/lib/")
        for found in re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=\0|\.)", path.read_bytes())
    ]
    return f"many{platform.replace('linux', 'linux_%d_%d' % max(asked), 1)}"


def pack(output: Path, folder: Path, portable: bool) -> Path:
    """Write the wheel; equal files give equal bytes."""
    files = contents(folder, portable)
    tag = f"py3-none-{platform_tag(files, portable)}"
    target = output / f"{PACKAGE}-{VERSION}-{tag}.whl"
    output.mkdir(parents=True, exist_ok=True)
    moment = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))[:6]  # zip begins in 1980
    records = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(data)}\n")

        for name, path in files.items():
            put(name, path.read_bytes())
        put(f"{INFO}/METADATA", (METADATA + (ROOT / "docs" / "python.md").read_text("utf-8")).encode())
        wheel = f"Wheel-Version: 1.0\nGenerator: wheel_backend\nRoot-Is-Purelib: false\nTag: {tag}\n"
        put(f"{INFO}/WHEEL", wheel.encode())
        put(f"{INFO}/RECORD", "".join([*records, f"{INFO}/RECORD,,\n"]).encode())
    return target


def build_wheel(wheel_directory: str, config_settings=None, metadata_directory=None) -> str:
    """PEP 517, for pip."""
    return pack(Path(wheel_directory), Path(os.environ.get("CHGNET_BUILD", ROOT)), portable=False).name


def build_sdist(sdist_directory: str, config_settings=None) -> str:
    """PEP 517; the package needs a built library."""
    raise SystemExit("there is no source distribution of the Python package alone; `make dist` packs everything")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, required=True, help="folder that link_portable.sh filled")
    parser.add_argument("--output", type=Path, required=True, help="folder for the wheel")
    given = parser.parse_args()
    print(pack(given.output, given.library, portable=True))


if __name__ == "__main__":
    sys.exit(main())
