"""Only where money changed hands: what a cluster pays to itself is folded out of a picture, and stays counted.

A transaction that a cluster alone pays in, and what the same cluster does with what it got back there, are one step: the picture
shows what came to the cluster and what left it. Which cluster an address is in is an inference of whoever made the clustering.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.model.script import from_identity
from shieldwall.trace.runs import MOVED, Run


class Clusters(Protocol):
    """A clustering of holders, such as `clusters.clustering.Clustering`."""

    def clusters_of(self, holders: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """uint32[k]: the cluster of each holder."""


def clusters_in(body: Mapping[str, Any], store: ChainStore, clustering: Clusters) -> dict[str, int]:
    """Address -> cluster for every address in the transfers of a trace that the store holds.

    Args:
        body: Of a trace result.
        store: The chain that was traced.
        clustering: A clustering of it.
    """
    entries = (entry for transfer in body["transfers"] for entry in (*transfer["inputs"], *transfer["outputs"]))
    names = sorted({entry["address"] for entry in entries if entry["address"]})
    found = store.find_addresses(names).tolist()
    for place, name in enumerate(names):
        if found[place] == NO_HOLDER and ":" in name:  # a script without an address
            number = store.find_holder(from_identity(name))
            found[place] = NO_HOLDER if number is None else number
    known = [(name, holder) for name, holder in zip(names, found, strict=True) if holder != NO_HOLDER]
    clusters = clustering.clusters_of(np.array([holder for _, holder in known], np.uint32)).tolist()
    return {name: cluster for (name, _), cluster in zip(known, clusters, strict=True)}


def moved_runs(body: Mapping[str, Any], cluster_of: Mapping[str, int]) -> list[Run]:
    """The transactions of a trace that money passed without changing hands, each with those that it hangs together with.

    A transaction joins the one before where it spends what that one paid back to its own payers, whose money is
    followed. It does not where it also spends what came into the picture later: time would run backward there, so that the
    edge stays.

    Args:
        body: Of a trace result, forward or backward.
        cluster_of: Address -> cluster; an address that is missing is of no known cluster, and never folded.

    Returns:
        Runs of two transactions and more, in the order of their beginnings.
    """
    place: dict[str, int] = {}  # txid -> where its group stands
    own: dict[str, int] = {}  # txid -> the cluster that alone pays in it
    members: dict[int, list[Mapping[str, Any]]] = {}
    inside: dict[int, set[str]] = {}
    kept_apart = _ends(body)
    paid = {
        f"{transfer['txid']}:{entry['index']}": (entry["address"], entry["amount"])
        for transfer in body["transfers"]
        for entry in transfer["outputs"]
    }
    for number, transfer in enumerate(body["transfers"]):
        txid = transfer["txid"]
        payers = {cluster_of.get(entry["address"]) for entry in transfer["inputs"]}
        if len(payers) == 1 and (cluster := payers.pop()) is not None:
            own[txid] = cluster
        back = {}
        for entry in transfer["inputs"]:
            key = f"{entry['txid']}:{entry['index']}"
            address, amount = paid.get(key, (None, None))
            cluster = cluster_of.get(address) if address else None
            whole = amount == entry["amount"] and key not in kept_apart
            if cluster is not None and own.get(entry["txid"]) == cluster and whole:
                back[key] = place[entry["txid"]]
        earliest = max(back.values(), default=number)
        others = [
            place.get(entry["txid"], -1)
            for entry in transfer["inputs"]
            if f"{entry['txid']}:{entry['index']}" not in back
        ]
        joins = bool(back) and all(other < earliest for other in others)
        place[txid] = earliest if joins else number
        members.setdefault(place[txid], []).append(transfer)
        if joins:
            inside.setdefault(earliest, set()).update(key for key, at in back.items() if at == earliest)
    groups = [(members[at], keys) for at, keys in sorted(inside.items())]
    return [Run(number, tuple(group), frozenset(keys), MOVED) for number, (group, keys) in enumerate(groups, 1)]


def _ends(body: Mapping[str, Any]) -> frozenset[str]:
    """Outputs of which a part stays where it is, or began there: their boxes are always shown."""
    return frozenset(f"{output['txid']}:{output['index']}" for end in body["ends"] for output in end["outputs"])
