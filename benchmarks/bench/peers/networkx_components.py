"""networkx: connected components of a graph of Python objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from bench.peers.scipy_components import edges


def works(sets: Any) -> dict[str, Callable[[], Any]]:
    """Making the graph counts: it cannot read sets."""

    def work() -> Any:
        heads, others = edges(sets)
        graph = nx.Graph()
        graph.add_nodes_from(range(sets.holders))
        graph.add_edges_from(zip(heads.tolist(), others.tolist(), strict=True))
        labels = np.empty(sets.holders, np.int64)
        for members in nx.connected_components(graph):
            labels[list(members)] = min(members)
        return labels

    return {"networkx, connected_components": work}
