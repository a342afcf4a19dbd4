"""scipy: connected components of a sparse matrix; its edges join each set's first member with the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def edges(sets: Any) -> tuple[Any, Any]:
    """int64[e], int64[e]: a set's first member, and each of the others."""
    sizes = np.diff(sets.first)
    heads = np.repeat(sets.holder[sets.first[:-1]], sizes)
    others = np.ones(len(sets.holder), bool)
    others[sets.first[:-1]] = False
    return heads[others].astype(np.int64), sets.holder[others].astype(np.int64)


def works(sets: Any) -> dict[str, Callable[[], Any]]:
    """Making the edges counts: it cannot read sets."""

    def work() -> Any:
        heads, others = edges(sets)
        shape = (sets.holders, sets.holders)
        matrix = coo_array((np.ones(len(heads), bool), (heads, others)), shape=shape)
        return connected_components(matrix, directed=False)[1]

    return {"scipy, connected_components": work}
