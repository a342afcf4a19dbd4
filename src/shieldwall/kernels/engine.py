"""Choose between the plain and the compiled kernels."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, Literal

EngineName = Literal["auto", "plain", "compiled"]

COMPILED_FROM = 24 << 20  # bytes of input from which compiling (some seconds, once a machine) pays


class Engine:
    """The kernels of one implementation: `decode`, `txids`, `merkle_roots`, `classify`, `Interner`, `LiveOutputs`."""

    def __init__(self, name: Literal["plain", "compiled"]) -> None:
        self.name = name
        self.decode: Any = self._module("decoding").decode
        self.txids: Any = self._module("hashing").txids
        self.merkle_roots: Any = self._module("hashing").merkle_roots
        self.classify: Any = self._module("scripts").classify
        self.Interner: Any = self._module("interning").Interner
        self.LiveOutputs: Any = self._module("outpoints").LiveOutputs

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"shieldwall.kernels.{self.name}.{name}")


def pick(size: int, wanted: EngineName = "auto") -> Engine:
    """The engine for `size` bytes of input; `wanted` overrules."""
    if wanted == "auto":
        return Engine("compiled" if size >= COMPILED_FROM else "plain")
    return Engine(wanted)
