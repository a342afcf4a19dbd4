"""What ties two transactions together beside likeness: money that passed, an address that pays in both, one cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.model.claim import Layer
from shieldwall.model.script import ScriptKind

_MOST_NAMED = 5  # outputs or addresses that a fact spells out; the others are counted


@dataclass(frozen=True, slots=True)
class LinkFact:
    """One tie.

    Attributes:
        kind: "spends", "shared_payer", "same_cluster" or "change".
        layer: What everyone sees ("observation"), or what a rule concludes ("inference").
        of_actor: True when it ties those who pay; a spend alone ties a payer to whom it paid, who may be anyone.
        text: In words.
        rule: The rule that an inference is by; None for an observation.
    """

    kind: str
    layer: Layer
    of_actor: bool
    text: str
    rule: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "layer": self.layer.value}


@dataclass(frozen=True, slots=True)
class Inferred:
    """What rules of others say, for whoever has them; each with its name.

    Attributes:
        clusters: The clustering's name and digest; "" where none is asked.
        cluster_of: Holder -> its cluster.
        change_rule: The change heuristic's name; "" where none is asked.
        change_of: Transaction -> number of the output that is its change; None where the rule does not tell.
        joined: Transaction -> the kind of CoinJoin that it is typed as; None for none.
    """

    clusters: str = ""
    cluster_of: Callable[[int], int] | None = None
    change_rule: str = ""
    change_of: Callable[[int], int | None] | None = None
    joined: Callable[[int], str | None] | None = None


def find_links(store: ChainStore, one: int, other: int, inferred: Inferred) -> list[LinkFact]:
    """What ties two transactions of a store, observations first."""
    payers = [_payers(store, transaction) for transaction in (one, other)]
    facts = [
        *_shared(store, *payers),
        *_spends(store, one, other, inferred),
        *_spends(store, other, one, inferred),
    ]
    if inferred.cluster_of is not None and not payers[0] & payers[1]:
        clusters = [{inferred.cluster_of(payer) for payer in own} for own in payers]
        if clusters[0] & clusters[1]:
            facts.append(
                LinkFact(
                    "same_cluster",
                    Layer.INFERENCE,
                    True,
                    "addresses that pay in both are in one cluster",
                    inferred.clusters,
                )
            )
    return sorted(facts, key=lambda fact: fact.layer is not Layer.OBSERVATION)


def _payers(store: ChainStore, transaction: int) -> set[int]:
    return {entry.holder for entry in store.inputs(transaction) if entry.holder is not None}


def _shared(store: ChainStore, one: set[int], other: set[int]) -> list[LinkFact]:
    """Holders that pay in both, and keys that do in two forms of script."""
    found = [store.identity(holder) for holder in sorted(one & other)]
    for near, far in ((one, other), (other, one)):
        for holder in sorted(near - far):
            twin = store.twin(holder) if store.holder(holder).kind == ScriptKind.P2PK else None
            if twin is not None and twin in far:
                found.append(f"{store.identity(twin)} (the key {store.identity(holder)})")
    if not found:
        return []
    text = (
        f"the same address pays in both: {_some(found)}"
        if len(found) == 1
        else f"addresses pay in both: {_some(found)}"
    )
    return [LinkFact("shared_payer", Layer.OBSERVATION, True, text)]


def _spends(store: ChainStore, early: int, late: int, inferred: Inferred) -> list[LinkFact]:
    txid = store.txid(early)
    spent = [entry for entry in store.inputs(late) if entry.txid == txid]
    if not spent:
        return []
    named = _some([f"{txid}:{entry.index}" for entry in spent])
    facts = [LinkFact("spends", Layer.OBSERVATION, False, f"{store.txid(late)} spends {named}")]
    change = inferred.change_of(early) if inferred.change_of is not None else None
    if change is not None and change in {entry.output for entry in spent}:
        index = change - store.output_range(early).start
        text = f"{store.txid(late)} spends {txid}:{index}, which the rule calls that transaction's change"
        facts.append(LinkFact("change", Layer.INFERENCE, True, text, inferred.change_rule))
    return facts


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
