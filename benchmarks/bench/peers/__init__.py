"""Other tools on the same files or arrays; each gives the same answer, or a part of it, and is held to it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def _later(module: str) -> Callable[[Any], dict[str, Callable[[], Any]]]:
    """The function `works` of a peer's module, which is imported when it is called."""

    def works(arrays: Any) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = import_module(f"bench.peers.{module}").works(arrays)
        return found

    return works


PEER_CLUSTERERS = {
    "graphsense-clustering": _later("graphsense_clusters"),
    "scipy": _later("scipy_components"),
    "networkx": _later("networkx_components"),
}
"""By the name of the package: given the sets, what to call, by what the page calls it."""

PEER_HAIRCUTS = {"duckdb": _later("duckdb_haircut")}
"""Given the arrays, what to call, by what the page calls it."""
