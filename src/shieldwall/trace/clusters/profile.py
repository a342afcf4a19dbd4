"""What a cluster is: its size, what it did and holds, and what is said of its members."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_VALUE
from shieldwall.chain.many import STATES, makers, outside_spends, paid_outputs, spend_states
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.model.canonical import digest
from shieldwall.model.moment import utc
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.tagged_holders import TaggedHolders

FORMAT = "shieldwall-cluster/1"
SHOWN = 20  # members listed with what they received; the others are counted
_NAMES = {
    SpendState.SPENT: "spent_amount",
    SpendState.SPENT_OUTSIDE: "spent_amount",
    SpendState.UNSPENT: "held_amount",
    SpendState.UNKNOWN: "unknown_amount",
    SpendState.UNSPENDABLE: "unspendable_amount",
}


def profile(
    store: ChainStore, clustering: Clustering, holder: int, tagged: TaggedHolders | None = None, shown: int = SHOWN
) -> dict[str, Any]:
    """The cluster of a holder, as plain JSON values with a digest (docs/spec/clustering.md).

    Args:
        store: The chain.
        clustering: The clustering of it.
        holder: Who is asked about.
        tagged: What tags say; None for no tags.
        shown: Members to list: who was asked about, then those that received most.

    Amounts are satoshi; received is the sum of spent, held, unknown and unspendable.
    """
    cluster = clustering.cluster_of(holder)
    members = clustering.members(cluster)
    outputs, owner = paid_outputs(store, members)
    values = store.column("output_value")[outputs]
    transactions_outside, _, values_outside = outside_spends(store, members)
    received = np.zeros(len(members), np.uint64)
    np.add.at(received, owner, values)
    body: dict[str, Any] = {
        "format": FORMAT,
        "address": store.identity(holder),
        "cluster": cluster,
        "named_after": store.identity(cluster),
        "size": len(members),
        **_amounts(store, outputs, values),
        **_outside(values_outside),
        **_activity(store, outputs, transactions_outside),
        "members": _members(store, members, received, holder, shown),
        "members_omitted": max(0, len(members) - shown),
        "tags": [] if tagged is None else _tags(store, members, holder, tagged),
        "tag_sets": [] if tagged is None else [{"set": k, "version": v} for k, v in sorted(tagged.versions.items())],
        "clustering": clustering.stamp,
        "covers": {
            "blocks": clustering.body["blocks"],
            "blocks_since": store.rows("block") - clustering.body["blocks"],
            "tip_height": store.tip_height,
            "tip_hash": store.tip_hash,
        },
        "layer": "inference",
    }
    return {**body, "digest": digest(body)}


def _amounts(store: ChainStore, outputs: npt.NDArray[np.uint64], values: npt.NDArray[np.uint64]) -> dict[str, int]:
    states = spend_states(store, outputs)
    sums = dict.fromkeys(_NAMES.values(), 0)
    for code, state in enumerate(STATES):
        sums[_NAMES[state]] += int(values[states == code].sum(dtype=np.uint64))
    return {"received_amount": int(values.sum(dtype=np.uint64)), **sums}


def _outside(values: npt.NDArray[np.uint64]) -> dict[str, int]:
    """What it spends of outputs that are not in the store, and so in no other sum here."""
    known = values[values != np.uint64(NO_VALUE)]
    return {
        "outside_inputs": len(values),
        "outside_amount": int(known.sum(dtype=np.uint64)),
        "outside_unknown": len(values) - len(known),
    }


def _activity(store: ChainStore, outputs: npt.NDArray[np.uint64], outside: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Outputs that pay it, transactions that pay it or that it pays in (`outside`: int64[m], some of these), first and last."""
    paying = makers(store, outputs)
    spender = store.column("output_spender")[outputs].astype(np.int64)
    spending = np.union1d(spender[spender < store.rows("tx")], outside)
    transactions = np.union1d(paying, spending)
    empty = {"first_height": None, "first_time": None, "last_height": None, "last_time": None}
    ends: dict[str, Any] = {}
    if len(transactions):
        for name, number in (("first", int(transactions[0])), ("last", int(transactions[-1]))):
            ends |= {f"{name}_height": store.height_of(number), f"{name}_time": utc(store.time_of(number))}
    counts = {"outputs": len(outputs), "transactions": len(transactions), "spending_transactions": len(spending)}
    return {**counts, **empty, **ends}


def _members(
    store: ChainStore, members: npt.NDArray[np.uint32], received: npt.NDArray[np.uint64], holder: int, shown: int
) -> list[dict[str, Any]]:
    own = int(np.searchsorted(members, holder))
    order = [own, *(place for place in np.lexsort((members, ~received)).tolist() if place != own)][:shown]
    return [
        {"address": store.identity(int(members[place])), "received_amount": int(received[place])} for place in order
    ]


def _tags(
    store: ChainStore, members: npt.NDArray[np.uint32], holder: int, tagged: TaggedHolders
) -> list[dict[str, Any]]:
    """What is said of each tagged member, the one asked about first; what others are called is inherited."""
    places = tagged.places_of(members)
    rows = []
    for member, place in zip(members[places >= 0].tolist(), places[places >= 0].tolist(), strict=True):
        known = tagged.known(place)
        rows.append(
            {
                "address": store.identity(member),
                "inherited": member != holder,
                "tags": [tag.as_dict() for tag in known.tags],
                "contradictions": [entry.text for entry in known.contradictions],
                "retracted": known.retracted,
            }
        )
    return sorted(rows, key=lambda row: (row["inherited"], row["address"]))
