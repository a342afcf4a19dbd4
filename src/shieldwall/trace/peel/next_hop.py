"""Which output of one transaction a peel chain goes on with: every output judged, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.many import payers
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.model.script import ScriptKind
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.peel.profile import ClusterProfile, features_told, profiles_of
from shieldwall.trace.peel.rules import PeelRule

FOUND, NO_CANDIDATE, SEVERAL, UNSPENT, UNKNOWN = "found", "no candidate", "several candidates", "unspent", "unknown"

_NO, _YES, _PERHAPS, _WAITS = "no", "yes", "perhaps", "waits"


@dataclass(frozen=True, slots=True)
class Judged:
    """One output of a transaction.

    Attributes:
        output: Its number in the store.
        index: Its place in the transaction.
        state: Where it stands as of the tip.
        spender: The transaction that spends it; None for none here.
        answer: "yes": it fits; "no"; "perhaps": this data cannot tell; "waits": it would, and is unspent.
        why: In words.
    """

    output: int
    index: int
    state: SpendState
    spender: int | None
    answer: str
    why: str


@dataclass(frozen=True, slots=True)
class NextHop:
    """What a rule says of one transaction.

    Attributes:
        verdict: "found", "no candidate", "several candidates", "unspent", or "unknown".
        chosen: The output that goes on; None unless one was found.
        why: In words.
        judged: All outputs, in order.
    """

    verdict: str
    chosen: Judged | None
    why: str
    judged: tuple[Judged, ...]


def next_hop(
    store: ChainStore,
    clustering: Clustering,
    transaction: int,
    profile: ClusterProfile,
    rule: PeelRule,
    own: frozenset[int],
) -> NextHop:
    """Which output of a transaction the chain goes on with.

    The place among the outputs, the address type and the spending transaction must fit; the answer is the only output of
    which all three do. An output that would fit and of which this data does not know who spends it, or what that transaction
    looks like, may be another: then the answer is unknown, not the one that is seen. `find-next2` asks the answer of
    `find-next` whether the payers of the next hop are a whole co-spend cluster, and does not choose among several by it.

    Args:
        store: The chain.
        clustering: The co-spend clustering of it.
        transaction: Number of the transaction.
        profile: Of the cluster that the chain is of.
        rule: Which rule.
        own: Clusters that the chain has paid from so far.
    """
    judged = tuple(_judge(store, profile, transaction))
    yes, perhaps, waits = ([entry for entry in judged if entry.answer == a] for a in (_YES, _PERHAPS, _WAITS))
    if len(yes) > 1:
        places = ", ".join(str(entry.index) for entry in yes)
        return NextHop(SEVERAL, None, f"outputs {places} fit equally well", judged)
    if perhaps:
        return NextHop(UNKNOWN, None, f"output {perhaps[0].index}: {perhaps[0].why}", judged)
    if not yes:
        if waits:
            return NextHop(UNSPENT, None, _waiting(waits), judged)
        return NextHop(NO_CANDIDATE, None, "no spent output fits the cluster's profile", judged)
    (chosen,) = yes
    why = f"{chosen.why}; {_others(len(judged) - 1, len(waits))}"
    if rule.whole and chosen.spender is not None:
        whole, told = _is_whole(store, clustering, chosen.spender, own)
        if not whole:
            return NextHop(NO_CANDIDATE if whole is False else UNKNOWN, None, f"output {chosen.index}: {told}", judged)
        why = f"{why}; {told}"
    return NextHop(FOUND, chosen, why, judged)


def _others(count: int, waiting: int) -> str:
    """What is said of the outputs beside the one that was found; the rule asks no unspent one, fitting or not."""
    if count == 1:
        return (
            "the other output is unspent, which the rule does not ask about" if waiting else "the other output is not"
        )
    unspent = f" ({waiting} fit as far as seen, and are unspent)" if waiting else ""
    return f"none of the {count} other outputs is{unspent}" if count else "there is no other output"


def _waiting(waits: list[Judged]) -> str:
    if len(waits) == 1:
        return f"output {waits[0].index} is unspent, and nothing else fits"
    places = ", ".join(str(entry.index) for entry in waits)
    return f"outputs {places} are unspent, and nothing shows which of them goes on"


def _judge(store: ChainStore, profile: ClusterProfile, transaction: int) -> list[Judged]:
    numbers = store.output_range(transaction)
    holders, kinds = store.column("output_holder"), store.column("holder_kind")
    spends = [store.spend(number) for number in numbers]
    spenders = [spend.transaction for spend in spends if spend.transaction is not None]
    words = dict(zip(spenders, profiles_of(store, np.array(spenders, np.int64)).tolist(), strict=True))
    found = []
    for index, (number, spend) in enumerate(zip(numbers, spends, strict=True)):
        kind = int(kinds[int(holders[number])])
        if not profile.has_place(index, len(numbers)):
            answer, why = _NO, f"change of this cluster stands {_stands(profile.change)}"
        elif not profile.has_kind(kind):
            answer, why = _NO, f"no address of the cluster is {ScriptKind(kind).label}"
        elif spend.transaction is not None:
            answer, why = _like(profile, words[spend.transaction])
        elif spend.state == SpendState.UNSPENT:
            answer, why = _WAITS, "it is unspent, and fits as far as seen"
        elif spend.state == SpendState.UNSPENDABLE:
            answer, why = _NO, "nobody can ever spend it"
        elif spend.state == SpendState.SPENT_OUTSIDE:
            answer, why = _PERHAPS, f"its spender {spend.txid} is not in this store"
        else:
            answer, why = _PERHAPS, "it is not known whether it is spent"
        found.append(Judged(number, index, spend.state, spend.transaction, answer, why))
    return found


def _stands(change: str) -> str:
    return "first or last" if change == "either" else change


def _like(profile: ClusterProfile, word: int) -> tuple[str, str]:
    told = features_told(word)
    fits = profile.has_features(word)
    if fits is None:
        return _PERHAPS, f"not all payers of its spender are known ({told})"
    if fits:
        return _YES, f"place, address type and spender ({told}) are like the cluster's"
    return _NO, f"the cluster has made no transaction like its spender ({told})"


def _is_whole(
    store: ChainStore, clustering: Clustering, transaction: int, own: frozenset[int]
) -> tuple[bool | None, str]:
    """Whether who pays in a transaction is a whole co-spend cluster, or the chain's own; None where it is not known."""
    holders = np.unique(payers(store, np.array([transaction], np.int64))[0])
    if (holders == NO_HOLDER).any():
        return None, "not all payers of its spender are known"
    clusters = np.unique(clustering.clusters_of(holders)).tolist()
    if len(clusters) > 1:
        return False, f"the payers of its spender are of {len(clusters)} clusters"
    if clusters[0] in own:
        return True, "who pays in its spender is the chain's own cluster"
    size = clustering.size(clusters[0])
    if size != len(holders):
        return False, f"its spender has {len(holders)} payers of a cluster of {size}, not the whole of it"
    return True, f"the payers of its spender are a whole co-spend cluster of {size}"
