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
    from shieldwall.node.api import (
        build_chain,
        find_addresses,
        import_tags,
        open_chain,
        screen,
        screen_lists,
        trace_money,
    )
    from shieldwall.node.clusters import cluster_chain, open_clusters, show_cluster, why_together
    from shieldwall.node.disrupting import choke_points, family_payments, family_services

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "build_chain",
    "choke_points",
    "cluster_chain",
    "family_payments",
    "family_services",
    "find_addresses",
    "import_tags",
    "open_chain",
    "open_clusters",
    "screen",
    "screen_lists",
    "show_cluster",
    "trace_money",
    "why_together",
]
_ROOMS = dict.fromkeys(("cluster_chain", "open_clusters", "show_cluster", "why_together"), "clusters") | dict.fromkeys(
    ("choke_points", "family_payments", "family_services"), "disrupting"
)


def __getattr__(name: str) -> object:
    if name in __all__:
        module = import_module(
            f"shieldwall.node.{_ROOMS.get(name, 'api')}"
        )  # only now: `import shieldwall` stays light
        return getattr(module, name)
    raise AttributeError(f"module 'shieldwall' has no attribute {name!r}")
