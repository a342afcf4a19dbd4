"""The Python API of clusters: the verbs of `shieldwall cluster` as functions, with the same defaults and errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.node.config import Config, load
from shieldwall.node.wiring import CO_SPEND, build_clusters, open_clustering, reasons_of, tagged_holders
from shieldwall.trace.clusters.building import BuildReport
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.profile import profile
from shieldwall.trace.clusters.rules import DROP, MOST, ClusterRules
from shieldwall.trace.clusters.why import Reason
from shieldwall.trace.targets import holder_named


def cluster_chain(
    chain: ChainStore,
    *,
    name: str = CO_SPEND,
    coinjoin: str = DROP,
    change: str = "",
    most: int = MOST,
    tags: Sequence[str] | None = None,
    again: bool = False,
    data: str | Path | None = None,
) -> BuildReport:
    """Cluster a chain store, or extend the clustering that is there.

    Args:
        chain: From `open_chain`.
        name: What the clustering is called.
        coinjoin: drop, or keep: whether payers of CoinJoins are joined.
        change: A change rule, such as `unique(address_type & locktime)`; "" joins payers only.
        most: Change never makes a cluster of more addresses; 0 for no limit.
        tags: Tag sets whose services never merge; None for all, an empty list for no constraint.
        again: From scratch in any case.
        data: The member's own data; the configured one by default.

    Raises:
        ShieldwallError: As `build_clustering` says.
    """
    rules = ClusterRules(coinjoin=coinjoin, change=change, most=most, constrained=tags is None or bool(tags))
    return build_clusters(_config(data), chain, name, rules, tags or (), again=again)


def open_clusters(chain: ChainStore, name: str = CO_SPEND, *, data: str | Path | None = None) -> Clustering:
    """The clustering of a chain store called `name`, for `trace_money` and `screen`.

    Raises:
        StoreError: None there, damaged, or made of another store.
    """
    return open_clustering(_config(data), chain, name)


def show_cluster(
    chain: ChainStore, address: str, clustering: Clustering, *, data: str | Path | None = None
) -> dict[str, Any]:
    """The cluster of an address: size, activity, balance by spend state, tags (docs/spec/clustering.md).

    Raises:
        PartialData: Nothing was paid to the address in this store.
    """
    return profile(chain, clustering, holder_named(chain, address), tagged_holders(_config(data), chain))


def why_together(
    chain: ChainStore, one: str, other: str, clustering: Clustering, *, data: str | Path | None = None
) -> Reason:
    """The transactions that join two addresses in one cluster.

    Raises:
        PartialData: Nothing was paid to one of them in this store.
    """
    holders = [holder_named(chain, address) for address in (one, other)]
    return reasons_of(_config(data), chain, clustering).between(*holders)


def _config(data: str | Path | None) -> Config:
    return load(os.environ, {"data": str(data) if data is not None else None})
