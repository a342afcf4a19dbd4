"""Which addresses the tag sets call a ransomware family's, and which of them a store holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData, UsageError
from shieldwall.intel import TAG, TagIndex
from shieldwall.intel.known import plain_name
from shieldwall.intel.subject import ADDRESS_TYPE
from shieldwall.model import address
from shieldwall.model.network import Network

ABUSE = "ransomware"
_MOST_NAMED = 20  # families in an error


@dataclass(frozen=True, slots=True)
class Family:
    """A family as the tags name it.

    Attributes:
        name: Its most frequent label; of equals the first in order.
        key: The name as it is compared: letters and digits, without case.
        addresses: Addresses that a tag calls its own, in order; attributions of their sources.
        sets: Tag sets that say so, in order.
    """

    name: str
    key: str
    addresses: tuple[str, ...]
    sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A family's addresses in a store.

    Attributes:
        family: The family.
        holders: Their numbers, ascending; the same key's other form (P2PK, P2PKH) among them.
        here: How many of its addresses the store holds a payment to.
    """

    family: Family
    holders: tuple[int, ...]
    here: int


def families_of(index: TagIndex, network: Network) -> list[Family]:
    """Every family that the tags name on a network, by name.

    Tags whose abuse is ransomware, by label: labels that are equal in letters and digits are one family. "Netwalker" and
    "Netwalker (Mailto)" are two, since no source says here that they are one; an address of both counts in both, and once
    in sums over all.
    """
    labels: dict[str, Counter[str]] = {}
    addresses: dict[str, set[str]] = {}
    sets: dict[str, set[str]] = {}
    for sourced in index.everything():
        claim = sourced.claim
        if claim.kind != TAG.name or claim.retracted or claim.statement.get("abuse") != ABUSE:
            continue
        if claim.subject.type != ADDRESS_TYPE or claim.subject.chain != network.caip2:
            continue
        label = str(claim.statement["label"])
        key = plain_name(label)
        labels.setdefault(key, Counter())[label] += 1
        addresses.setdefault(key, set()).add(claim.subject.name)
        sets.setdefault(key, set()).add(sourced.set)
    return sorted(
        (
            Family(
                min(found, key=lambda label: (-found[label], label)),
                key,
                tuple(sorted(addresses[key])),
                tuple(sorted(sets[key])),
            )
            for key, found in labels.items()
        ),
        key=lambda family: family.key,
    )


def choose(families: Sequence[Family], names: Iterable[str]) -> list[Family]:
    """The families called `names`, each once; all where there are no names.

    Raises:
        UsageError: No such family.
    """
    by_key = {family.key: family for family in families}
    chosen = []
    for name in dict.fromkeys(map(plain_name, names)):
        if name not in by_key:
            near = [family.name for family in families if name and (name in family.key or family.key in name)]
            known = near or [family.name for family in families]
            more = f" and {len(known) - _MOST_NAMED} others" if len(known) > _MOST_NAMED else ""
            raise UsageError(
                f"no tag of this network calls a ransomware family {name!r}",
                hint=f"known: {', '.join(known[:_MOST_NAMED]) or 'none'}{more}; shieldwall tags import brings tags",
            )
        chosen.append(by_key[name])
    return chosen or list(families)


def locate(store: ChainStore, family: Family) -> Located:
    """Find a family's addresses in a store."""
    holders: set[int] = set()
    here = 0
    for name in family.addresses:
        script = address.parse(name, store.network)
        if script is None:
            continue
        found = {number for number in (store.find_holder(script), store.same_key(script)) if number is not None}
        paid = {number for number in found if store.outputs_of(number)}
        here += bool(paid)
        holders |= paid
    return Located(family, tuple(sorted(holders)), here)


def is_own(located: Iterable[Located], cluster_of: Callable[[int], int] | None = None) -> Callable[[int], bool]:
    """Whether a holder is one of these families': tagged, or, with a clustering, in one cluster with one that is tagged."""
    holders = {holder for each in located for holder in each.holders}
    if cluster_of is None:
        return holders.__contains__
    clusters = {cluster_of(holder) for holder in holders}
    return lambda holder: holder in holders or cluster_of(holder) in clusters


def located_families(store: ChainStore, index: TagIndex, names: Iterable[str]) -> list[Located]:
    """The families called `names`, with what of their addresses the store holds.

    Raises:
        UsageError: No family is called so.
        PartialData: None of their addresses is in this store.
    """
    located = [locate(store, family) for family in choose(families_of(index, store.network), names)]
    if not any(each.here for each in located):
        raise PartialData(
            "no payment to any of these addresses is in this store: unknown, not zero",
            hint="extend the store with the blocks or histories that hold them: shieldwall chain build",
        )
    return located


def coverage(located: Sequence[Located]) -> str:
    """How much of the families the store holds, in words."""
    tagged, here = sum(len(each.family.addresses) for each in located), sum(each.here for each in located)
    return f"{', '.join(each.family.name for each in located)}: {here} of {tagged} tagged addresses are in this store"
