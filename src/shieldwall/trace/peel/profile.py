"""The profile of a cluster: what its transactions have in common, so that a further one can be told to be like them.

Kappos and others describe a cluster by the features of the transactions that it pays in (SegWit, version, replaceable,
locktime), the types of its addresses, and where its change stands among the outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.graph import graph_of
from shieldwall.chain.many import paid_outputs, payees, payers
from shieldwall.chain.mapping import places_of
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import kernel
from shieldwall.kernels.profile_bits import (
    PROFILE_LOCKED,
    PROFILE_REPLACEABLE,
    PROFILE_SEGWIT,
    PROFILE_UNKNOWN,
    PROFILE_VERSION,
)
from shieldwall.model.script import ScriptKind
from shieldwall.trace.clusters.clustering import Clustering

FEATURES = PROFILE_VERSION | PROFILE_REPLACEABLE | PROFILE_LOCKED | PROFILE_SEGWIT
"""The bits of a transaction's profile that a cluster's profile is made of: 32 combinations."""
AT_FIRST, AT_LAST, ELSEWHERE = 1, 2, 4  # where change was seen
PLACES = ("any", "first", "last", "either")
"""The change index by the bits seen; with `ELSEWHERE` among them, or none at all, it is any."""
MOST_MEMBERS = 100_000  # of a cluster that a profile is made of: about a second
MOST_TRANSACTIONS = 200_000
_COMPILED_FROM = 20_000  # transactions

Transactions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClusterProfile:
    """What a cluster's transactions have in common.

    Attributes:
        cluster: Its number.
        features: The combinations of the bits `FEATURES` that were seen, ascending.
        kinds: Script kinds of its members, 1 << kind each.
        change: "first", "last", "either", or "any": where change stands among a transaction's outputs. Known change is the
            only output of a transaction of two and more that pays the cluster itself; where none is known, it is any.
        transactions: That it was made of.
        changes: Of these with known change.
        left_aside: Transactions with payers outside the cluster (CoinJoins), or payers that nobody knows.
        cut: True where the cluster is larger than what was looked at, so that something may have been missed.
    """

    cluster: int
    features: tuple[int, ...]
    kinds: int
    change: str
    transactions: int
    changes: int
    left_aside: int
    cut: bool

    def has_kind(self, kind: int) -> bool:
        """Whether an address of the cluster is of this script kind."""
        return bool(self.kinds >> kind & 1)

    def has_place(self, index: int, outputs: int) -> bool:
        """Whether output `index` of so many stands where the cluster's change does."""
        first, last = index == 0, index == outputs - 1
        return {"first": first, "last": last, "either": first or last}.get(self.change, True)

    def has_features(self, word: int) -> bool | None:
        """Whether a transaction of the cluster had the features of this profile; None where it is not known."""
        own = word & FEATURES
        if word & PROFILE_UNKNOWN and not word & PROFILE_SEGWIT:
            plain, segwit = own in self.features, own | PROFILE_SEGWIT in self.features
            return plain if plain == segwit else None
        return own in self.features

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "features": [features_told(word) for word in self.features],
            "address_types": [kind.label for kind in ScriptKind if self.has_kind(kind)],
            "change": self.change,
            "transactions": self.transactions,
            "known_changes": self.changes,
            "left_aside": self.left_aside,
            "cut": self.cut,
        }


def features_told(word: int) -> str:
    """The features in words, such as "version 2, replaceable, no locktime, SegWit"."""
    version = word & PROFILE_VERSION
    unknown = word & PROFILE_UNKNOWN and not word & PROFILE_SEGWIT
    return ", ".join(
        (
            f"version {version}" if version else "a version that is none of 1 to 3",
            "replaceable" if word & PROFILE_REPLACEABLE else "not replaceable",
            "locktime" if word & PROFILE_LOCKED else "no locktime",
            "SegWit not known" if unknown else "SegWit" if word & PROFILE_SEGWIT else "no SegWit",
        )
    )


def place_told(seen: int) -> str:
    """The change index of places seen, as bits `AT_FIRST`, `AT_LAST`, `ELSEWHERE`."""
    return PLACES[0] if seen & ELSEWHERE else PLACES[seen]


def profiles_of(store: ChainStore, transactions: Transactions) -> npt.NDArray[np.uint16]:
    """uint16[k]: the profile of each transaction, with the bits of `kernels.profile_bits`."""
    module = kernel("profiles", compiled=len(transactions) >= _COMPILED_FROM)
    words: npt.NDArray[np.uint16] = module.profiles_of(graph_of(store), store.column("holder_kind"), transactions)
    return words


def profile_of(store: ChainStore, clustering: Clustering, cluster: int) -> ClusterProfile:
    """The profile of a cluster, from the transactions of the store that it pays in."""
    members = clustering.members(cluster)
    spender = _spending(store, members[:MOST_MEMBERS])
    known = _paid_by(store, clustering, cluster, spender[:MOST_TRANSACTIONS])
    words = profiles_of(store, known)
    changes, seen = _places_of_change(store, clustering, cluster, known)
    kinds = np.unique(store.column("holder_kind")[members]).tolist()
    return ClusterProfile(
        cluster,
        tuple(np.unique(words & FEATURES).tolist()),
        sum(1 << kind for kind in kinds),
        place_told(seen),
        len(known),
        changes,
        min(len(spender), MOST_TRANSACTIONS) - len(known),
        len(members) > MOST_MEMBERS or len(spender) > MOST_TRANSACTIONS,
    )


def _spending(store: ChainStore, members: npt.NDArray[np.uint32]) -> Transactions:
    """The transactions that spend from these holders, ascending: outputs of the store, and such as are from outside it."""
    outputs, _ = paid_outputs(store, members)
    spender = store.column("output_spender")[outputs].astype(np.int64)
    inputs = store.column("outside_input")[:].astype(np.int64)
    inputs = inputs[np.isin(store.column("input_holder")[inputs], members)]
    outside = places_of(store.column("tx_first_input"), inputs, "right") - 1
    return np.union1d(spender[spender < store.rows("tx")], outside)


def _paid_by(store: ChainStore, clustering: Clustering, cluster: int, transactions: Transactions) -> Transactions:
    """Those of the transactions in which nobody pays but the cluster."""
    holders, place = payers(store, transactions)
    other = (holders == NO_HOLDER) | (clustering.clusters_of(holders) != cluster)
    alone: Transactions = transactions[np.bincount(place[other], minlength=len(transactions)) == 0]
    return alone


def _places_of_change(
    store: ChainStore, clustering: Clustering, cluster: int, transactions: Transactions
) -> tuple[int, int]:
    """How many of the transactions have known change, and where it stands, as bits."""
    outputs, place = payees(store, transactions)
    own = clustering.clusters_of(store.column("output_holder")[outputs]) == cluster
    counts = np.bincount(place, minlength=len(transactions))
    backs = np.bincount(place[own], minlength=len(transactions))
    firsts = np.cumsum(counts) - counts
    index = np.arange(len(outputs)) - firsts[place]
    certain = own & (backs[place] == 1) & (counts[place] > 1)
    at, of = index[certain], counts[place[certain]]
    seen = np.where(at == 0, AT_FIRST, np.where(at == of - 1, AT_LAST, ELSEWHERE))
    return len(seen), int(np.bitwise_or.reduce(seen)) if len(seen) else 0
