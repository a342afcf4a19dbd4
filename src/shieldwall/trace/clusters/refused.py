"""Merges that a constraint refused, in words: each a hint at a CoinJoin that no rule knows, a wrong tag or a wrong change."""

from __future__ import annotations

from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import OTHER_NAME, TOO_LARGE, TWO_NAMES
from shieldwall.model.moment import utc
from shieldwall.trace.clusters.clustering import Clustering

REFUSED_COLUMNS = ("height", "time", "why", "one", "other", "txid")
_WHY = {
    TWO_NAMES: "the payers are called two services; none of them were joined",
    OTHER_NAME: "the change is called another service than the payers",
    TOO_LARGE: "change would have made a cluster of more addresses than it may",
}


def refused_rows(store: ChainStore, clustering: Clustering) -> list[dict[str, Any]]:
    """One row for each that was kept, in chain order: `REFUSED_COLUMNS`; services by name."""
    names = ["", *clustering.services]
    return [
        {
            "height": store.height_of(transaction),
            "time": utc(store.time_of(transaction)),
            "why": _WHY[why],
            "one": names[one],
            "other": names[other],
            "txid": store.txid(transaction),
        }
        for transaction, why, one, other in clustering.refused.tolist()
    ]
