"""Whom the money of addresses reached, and from whom theirs came, within some hops: by category, sanctions first.

An inference, told as one: money is divided by haircut (Möser, Böhme, Breuker 2014), in whole satoshi; no error rate of it is
published. That also holds within one transaction, where others pay too: what is observed there is only that both stand in it,
and `direct_amount` is a share like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER, STATED_UNSPENT
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel.setfile import Glance
from shieldwall.intel.tag import SERVICE_CATEGORIES
from shieldwall.kernels.arrays import frozen
from shieldwall.kernels.engine import EngineName, kernel
from shieldwall.kernels.plain import reach
from shieldwall.kernels.plain.reach import Budget, Reached, Surroundings
from shieldwall.model.claim import Layer
from shieldwall.trace.coinjoin.starts import starts_of
from shieldwall.trace.screening.figures import Holdings
from shieldwall.trace.screening.said import SANCTION
from shieldwall.trace.tagged_holders import TaggedHolders

HOPS = 3  # transactions, unless said otherwise
MOST_HOPS = 10
MOST_TRANSACTIONS = 256  # of one address, each way; what lies beyond is counted as cut
MOST_ROWS = 4096  # inputs and outputs of these
SENT, RECEIVED = "sent", "received"
ENDS = {
    reach.HELD: "held_amount",
    reach.BURNT: "unspendable_amount",
    reach.OUTSIDE: "outside_amount",
    reach.UNKNOWN: "unknown_amount",
    reach.RETURNED: "returned_amount",
    reach.COINJOINED: "coinjoin_amount",
    reach.FEES: "fee_amount",
    reach.MINED: "mined_amount",
    reach.BEYOND: "beyond_amount",
    reach.CUT: "cut_amount",
    reach.TOUCHED: "transactions",
    reach.CUT_TRANSACTIONS: "cut_transactions",
}
"""What became of the rest of the money, and two counts; docs/screening.md says each."""

_COMPILED_FROM = 4  # addresses: fewer are looked at in plain Python before a compiled kernel is loaded
_SHARE = 64  # addresses that are worth a second thread
_DIGITS = 64  # hex, of a txid
_OTHERS = "other categories"
_MOST_CODES = 250  # categories that are told apart


@dataclass(frozen=True, slots=True)
class Category:
    """What a tagged holder counts as; one holder is one thing, the most urgent that is said of it.

    Attributes:
        name: A sanction, an abuse, or a category of the taxonomy; "tagged" where no tag says more.
        rank: 0 for sanctions, 1 for other abuses, 2 for services, 3 for the others.
    """

    name: str
    rank: int

    @property
    def ends(self) -> bool:
        """Whether money that comes to it is not followed further: an offender's, or a service's, which pools that of many."""
        return self.rank < 3

    @property
    def finding(self) -> bool:
        """Whether it is a sanction or another abuse."""
        return self.rank < 2


def category_of(said: Sequence[Glance]) -> Category | None:
    """What a holder of which this is said counts as; None where nothing of it stands."""
    if any(SANCTION in (glance.category, glance.abuse) for glance in said):
        return Category(SANCTION, 0)
    abuses = sorted({glance.abuse for glance in said} - {""})
    if abuses:
        return Category(abuses[0], 1)
    services = sorted({glance.category for glance in said} & SERVICE_CATEGORIES)
    others = sorted({glance.category for glance in said} - {""})
    if services:
        return Category(services[0], 2)
    return Category(others[0] if others else "tagged", 3) if said else None


class Exposures:
    """Looks around addresses in a chain store.

    Args:
        store: The chain.
        tagged: Whom to look for.
        hops: How many transactions away, at most.
        threads: How many kernels work at once.
        engine: Which kernels; "auto" takes the plain ones for a few addresses.

    Raises:
        UsageError: Fewer than one hop, or more than `MOST_HOPS`.
    """

    def __init__(
        self,
        store: ChainStore,
        tagged: TaggedHolders,
        hops: int = HOPS,
        *,
        threads: int = 2,
        engine: EngineName = "auto",
    ) -> None:
        if not 1 <= hops <= MOST_HOPS:
            raise UsageError(f"{hops} hops: from 1 to {MOST_HOPS}", hint="trace an address to follow it further")
        self.store = store
        self.tagged = tagged
        self.budget = Budget(hops, MOST_TRANSACTIONS, MOST_ROWS)
        self._threads = threads
        self._engine = engine
        self._graph = graph_of(store)
        self._labels: dict[int, dict[str, Any]] = {}
        found = [category_of(tagged.standing(place)) for place in range(len(tagged))]
        known = sorted({category for category in found if category}, key=lambda each: (each.rank, each.name))
        if len(known) > _MOST_CODES:
            known = [*known[:_MOST_CODES], Category(_OTHERS, 3)]
        self.categories: tuple[Category | None, ...] = (None, *known)
        number = {category: code for code, category in enumerate(self.categories)}
        codes = np.array([0 if each is None else number.get(each, len(known)) for each in found], np.uint8)
        said = np.flatnonzero(codes)
        ends = np.array([category is not None and category.ends for category in self.categories], np.uint8)
        self._tagged = reach.tagged_of(tagged.holders[said], codes[said], ends, store.rows("holder"))
        self._around = _surroundings(store, tagged)

    @property
    def hops(self) -> int:
        """How many transactions away is looked."""
        return self.budget.hops

    def of(self, held: Holdings) -> list[dict[str, Any] | None]:
        """The field `exposure` of each address: None for one with too many outputs to look at."""
        own = np.where(held.own == NO_HOLDER, held.own[:, ::-1], held.own).astype(np.uint32)
        some = np.flatnonzero(np.diff(held.first))
        first = np.concatenate((held.first[some], held.first[-1:]))
        ways = {way: self._reach(way, np.ascontiguousarray(own[some]), first, held.outputs) for way in (SENT, RECEIVED)}
        rest = {way: _ends(found) for way, found in ways.items()}
        told: list[dict[str, Any] | None] = [
            None if large else {"hops": self.hops, "reached": [], SENT: {}, RECEIVED: {}}
            for large in held.too_many.tolist()
        ]
        for row, place in enumerate(some.tolist()):
            told[place] = {"hops": self.hops, "reached": [], **{way: ends[row] for way, ends in rest.items()}}
        met = [entry for way, found in ways.items() for entry in self._entries(way, found, some)]
        met.sort(key=lambda entry: entry[0])  # codes are in the order of urgency
        for (place, *_), entry in met:
            one = told[place]
            if one is not None:
                one["reached"].append(entry)
        return told

    def _reach(self, way: str, own: npt.NDArray[np.uint32], first: Any, outputs: Any) -> Reached:  # noqa: ANN401
        compiled = self._engine == "compiled" or (self._engine == "auto" and len(own) > _COMPILED_FROM)
        ask = getattr(kernel("reach", compiled=compiled), way)
        parts = self._threads if compiled and len(own) >= _SHARE else 1
        edges = [len(own) * part // parts for part in range(parts + 1)]

        def one(part: int) -> Reached:
            a, b = edges[part], edges[part + 1]
            found: Reached = ask(
                self._graph, self._tagged, self._around, self.budget, own[a:b], first[a : b + 1], outputs
            )
            return found

        if parts == 1:
            return one(0)
        with ThreadPoolExecutor(parts, "reach") as pool:
            return Reached(*(np.concatenate(columns) for columns in zip(*pool.map(one, range(parts)), strict=True)))

    def _entries(
        self, way: str, found: Reached, places: npt.NDArray[np.int64]
    ) -> list[tuple[tuple[int, int, int, str], dict[str, Any]]]:
        """What was reached, with its place among the addresses and its order there."""
        rows, codes = np.nonzero(found.hops)
        path = found.path[rows, codes]
        txids = self.store.column("tx_txid")[np.where(path < self.store.rows("tx"), path, 0)]
        digits, width = txids[:, :, ::-1].tobytes().hex(), _DIGITS * path.shape[1]
        taken = (
            getattr(found, name)[rows, codes].tolist() for name in ("hops", "holders", "amount", "direct", "nearest")
        )
        starts = range(0, width * len(rows), width)
        entries = []
        for start, place, code, hops, holders, amount, direct, nearest in zip(
            starts, places[rows].tolist(), codes.tolist(), *taken, strict=True
        ):
            category = self.categories[code]
            assert category is not None  # noqa: S101 - code 0 reaches nobody
            entry = {
                "category": category.name,
                "finding": category.finding,
                "ends": category.ends,
                "way": way,
                "hops": hops,
                "holders": holders,
                "amount": amount,
                "direct_amount": direct,
                "nearest": self._nearest(nearest, category),
                "layer": Layer.INFERENCE.value,
                "path": [digits[at : at + _DIGITS] for at in range(start, start + _DIGITS * hops, _DIGITS)],
            }
            entries.append(((place, code, hops, way), entry))
        return entries

    def _nearest(self, holder: int, category: Category) -> dict[str, Any]:
        """Who was met, with the tag that says so: the surest."""
        told = self._labels.get(holder)
        if told is None:
            place = int(self.tagged.places_of(np.array([holder], np.uint32))[0])
            fits = [said for said in self.tagged.standing(place) if category.name in (said.abuse, said.category)]
            best = max(
                fits or self.tagged.standing(place), key=lambda said: -1 if said.confidence is None else said.confidence
            )
            told = self._labels[holder] = {
                "address": self.tagged.subjects[place].name,
                "label": best.label,
                "set": best.set,
                "source": best.source,
            }
        return told


def _ends(found: Reached) -> list[dict[str, int]]:
    """What became of the money that came to nobody who is tagged; what is zero is left out."""
    names = [ENDS[number] for number in range(reach.SUMS)]
    return [{name: sum_ for name, sum_ in zip(names, row, strict=True) if sum_} for row in found.sums.tolist()]


def _surroundings(store: ChainStore, tagged: TaggedHolders) -> Surroundings:
    stated = store.column("stated_output")
    outside = (store.column("stated_txid") != np.frombuffer(STATED_UNSPENT, np.uint8)).any(axis=1)
    unspent = ~outside & (store.column("stated_height") >= store.stated_from)
    said = np.where(outside, reach.STATED_OUTSIDE, np.where(unspent, reach.STATED_UNSPENT, reach.STATED_UNKNOWN))
    services = tagged.holders[tagged.service_places(SERVICE_CATEGORIES)]
    kinds = store.column("holder_kind")
    return Surroundings(
        frozen(kinds), frozen(services), frozen(starts_of(store)), frozen(stated), frozen(said.astype(np.uint8)),
        store.followed_from_tx,
    )  # fmt: skip
