"""Names of upstream that are not offered: importing them is allowed, using them says so."""

# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from typing import Any, NoReturn

_INSTEAD = {
    "training": "train with upstream's chgnet; CHGNet.from_file reads the checkpoint",
    "graphs": "structures are predicted directly, by predict_structure",
    "PyTorch's side of a model": "the weights are in the file that CHGNet.model.path names",
    "VASP folders": "read them with pymatgen or ASE",
}


def refuse(name: str, topic: str) -> NoReturn:
    """Raise NotImplementedError that names what is missing and what to do instead."""
    raise NotImplementedError(f"{name}: chgnet_native does not offer {topic}; {_INSTEAD[topic]}")


class _Refusing(type):
    _topic = "training"

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(cls.__name__, cls._topic)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"{cls.__name__}.{name}", cls._topic)


def missing(module: str, topic: str, *names: str) -> dict[str, type]:
    """Classes that refuse to be used, for a module's globals()."""
    return {name: _Refusing(name, (), {"_topic": topic, "__module__": module}) for name in names}
