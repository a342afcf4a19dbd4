"""graphsense-clustering: a lock-free union-find in Rust, two threads, fed with Arrow lists without a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from gs_clustering import Clustering

from bench.figures import GRAPHSENSE, GRAPHSENSE_OF_TWO


def works(sets: Any) -> dict[str, Callable[[], Any]]:
    """Two ways to feed it: the sets that ours reads, and without those that join nothing."""
    return {GRAPHSENSE: _work(sets), GRAPHSENSE_OF_TWO: _work(sets.of_two_or_more())}


def _work(sets: Any) -> Callable[[], Any]:
    lists = pa.ListArray.from_arrays(pa.array(sets.first), pa.array(sets.holder))

    def work() -> Any:
        clustering = Clustering(sets.holders - 1)
        clustering.process_transactions_arrow(lists)
        mapping = clustering.get_mapping()  # a row for each id, ascending
        return np.asarray(mapping.column("cluster_id"))

    return work
