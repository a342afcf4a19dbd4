"""Choose between the plain and the compiled kernels."""

from __future__ import annotations

import importlib
from functools import partial
from types import ModuleType
from typing import Any, Literal

from shieldwall.kernels.arrays import BITCOIN, Rules

EngineName = Literal["auto", "plain", "compiled"]

COMPILED_FROM = 24 << 20  # bytes of input from which compiling (some seconds, once a machine) pays


class Engine:
    """The kernels of one implementation: from `decode` of raw blocks to the orders of indexes.

    Args:
        name: Which implementation.
        rules: What the network lets its transactions be; `decode` holds them to it.
    """

    def __init__(self, name: Literal["plain", "compiled"], rules: Rules = BITCOIN) -> None:
        self.name = name
        self.decode: Any = partial(self._module("decoding").decode, rules=rules)
        self.txids: Any = self._module("hashing").txids
        self.merkle_roots: Any = self._module("hashing").merkle_roots
        self.classify: Any = self._module("scripts").classify
        self.Interner: Any = self._module("interning").Interner
        self.LiveOutputs: Any = self._module("outpoints").LiveOutputs
        self.bucket_order: Any = self._module("ordering").bucket_order
        self.equal_keys: Any = self._module("ordering").equal_keys
        self.group_order: Any = self._module("ordering").group_order
        self.payload_keys: Any = self._module("ordering").payload_keys
        self.serialise: Any = self._module("serialising").serialise

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"shieldwall.kernels.{self.name}.{name}")


def pick(size: int, wanted: EngineName = "auto", rules: Rules = BITCOIN) -> Engine:
    """The engine for `size` bytes of input; `wanted` overrules."""
    if wanted == "auto":
        return Engine("compiled" if size >= COMPILED_FROM else "plain", rules)
    return Engine(wanted, rules)


def kernel(name: str, *, compiled: bool) -> Any:  # noqa: ANN401 - a module, whose functions mypy cannot see
    """The module of one kernel in one of its forms, without loading the others.

    Args:
        name: Such as "addresses".
        compiled: The compiled form; for work that is worth half a second of loading, and of compiling once a machine.
    """
    return importlib.import_module(f"shieldwall.kernels.{'compiled' if compiled else 'plain'}.{name}")


def is_compiled(wanted: EngineName, *, large: bool) -> bool:
    """Whether to take the compiled form: by what is wanted, else where the work is `large` enough to pay for loading it."""
    return large if wanted == "auto" else wanted == "compiled"
