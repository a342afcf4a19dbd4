"""Shieldwall: a self-hosted coalition node against cybercrime.

The verbs of the command line, for a notebook or a program. Nothing is loaded until it is used, and nothing is asked of
any network.

Example:
    ::

        import shieldwall

        shieldwall.build_chain("chain", ["blocks/"])
        with shieldwall.open_chain("chain") as chain:
            result = shieldwall.trace_money(chain, ["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"])
        print(result.sentence)
        result                      # in a notebook: the picture
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shieldwall.node.api import build_chain, find_addresses, import_tags, open_chain, screen, trace_money

__version__ = "0.1.0"
__all__ = ["__version__", "build_chain", "find_addresses", "import_tags", "open_chain", "screen", "trace_money"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("shieldwall.node.api"), name)  # only now: `import shieldwall` stays light
    raise AttributeError(f"module 'shieldwall' has no attribute {name!r}")
