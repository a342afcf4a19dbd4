"""Put the answer together: trace, account, choice of points, cut."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shieldwall import __version__
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.kernels.engine import EngineName
from shieldwall.model.amount import share
from shieldwall.model.moment import utc
from shieldwall.model.transaction import internal
from shieldwall.trace.choke.account import Account
from shieldwall.trace.choke.answer import cut_sentence, sentence
from shieldwall.trace.choke.coverage import WaysAccount
from shieldwall.trace.choke.cut import minimum_cut
from shieldwall.trace.choke.points import BY_SERVICE, Points
from shieldwall.trace.choke.result import ChokeResult
from shieldwall.trace.choke.rewalk import RewalkAccount
from shieldwall.trace.choke.ways import IN_ORDER, ways_of
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.inherited import labelled_holders
from shieldwall.trace.follow import DEFAULT_METHOD, follow
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import method_named
from shieldwall.trace.record import EndKind
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.targets import Target

FORMAT = "shieldwall-choke/1"
ANY, FREEZABLE = "any", "freezable"
SERVICES, ENDS = "services", "ends"
_NO_POINT = (EndKind.FEE.value, EndKind.MWEB.value)  # ends that are no place where money could be stopped
_MOST_ADDRESSES = 20  # of a point in the answer
_LAYERS = {"service": "attribution", "cluster": "inference", "address": "observation", "unknown": "observation"}
_DAY = 86_400  # seconds
_BY_DAY = 62  # days that a curve shows one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for.

    Attributes:
        most: How many points to choose.
        since: Unix seconds from which they are frozen; None: always.
        only: any, or freezable: points where the directory names somebody who can freeze.
        by: service: all addresses of a service are one point; address: each is one.
        cut: Whether to find the minimum cut, too.
        to: What the cut keeps money from: services, or all ends.
        family: Names of the families that the targets are the payments to; for the record.
    """

    most: int = 3
    since: int | None = None
    only: str = ANY
    by: str = BY_SERVICE
    cut: bool = False
    to: str = SERVICES
    family: tuple[str, ...] = ()


def find_choke_points(
    store: ChainStore,
    targets: Sequence[Target],
    question: Question | None = None,
    *,
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    labels: Labels | None = None,
    clustering: Clustering | None = None,
    apart: Collection[int] = (),
    engine: EngineName = "auto",
    progress: Progress = silent,
) -> ChokeResult:
    """Through which few points must the money of `targets` pass?

    Args:
        store: The chain.
        targets: What to start from; the points that it starts from are never chosen.
        question: How many points, from when, which may be chosen.
        method: fifo, lifo, haircut or tiho.
        limits: How far to follow; what is not followed is stopped by nobody.
        labels: Tags and directory; none by default.
        clustering: A clustering of the chain: members of one cluster are one point, and have its tags. An inference.
        apart: Further holders that are no points, such as the rest of a family's addresses.
        engine: auto, plain or compiled: how it is walked and cut; the answer is the same.
        progress: Called now and then while the trace is walked.

    Returns:
        The answer: `stopped_amount` is exact, each satoshi counted once.

    Raises:
        UsageError: A method that counts nothing (poison), or several.
        PartialData: As `follow` says.
    """
    question = question or Question()
    limits, labels = limits or Limits(), labels or NoLabels()
    if method in ("poison", "all"):
        raise UsageError(
            f"--method {method} does not say how much passes where", hint="use fifo, lifo, haircut or tiho"
        )
    traced = follow(
        store, targets, method, limits, labels=labels, clustering=clustering, engine=engine, progress=progress
    ).body
    holders = labelled_holders(store, labels, clustering)
    if isinstance(labels, TagLabels):
        holders.services()  # from then on no address needs to be known to tell its tags
    points = Points(holders, question.by, None if clustering is None else clustering.cluster_of)
    account: Account
    if method in IN_ORDER:
        account = WaysAccount(ways_of(store, targets, traced, points))
    else:
        account = RewalkAccount(store, targets, traced, points, method_named(method))
    finder = _Finder(store, account, points, holders, traced, question, engine)
    return ChokeResult(finder.body({points.of(holder) for holder in apart}))


class _Finder:
    """Chooses, and puts into words."""

    def __init__(
        self,
        store: ChainStore,
        account: Account,
        points: Points,
        holders: Holders,
        traced: dict[str, Any],
        question: Question,
        engine: EngineName,
    ) -> None:
        self._store = store
        self._account = account
        self._points = points
        self._holders = holders
        self._traced = traced
        self._question = question
        self._engine = engine
        self._freezers: dict[int, tuple[dict[str, Any], ...]] = {}

    def body(self, apart: Collection[int]) -> dict[str, Any]:
        """The answer."""
        account, traced, question = self._account, self._traced, self._question
        seed = traced["seed_amount"]
        barred = {*account.sources, *apart}
        candidates = {
            point
            for point in account.arrivals
            if point not in barred and (question.only == ANY or self._freezable(point))
        }
        order = {point: self._order(point) for point in candidates}
        picks = account.greedy(candidates, question.most, question.since, order)
        chosen = [pick.point for pick in picks]
        stopped, gone, undated = account.split(chosen, question.since)
        rows, total = [], 0
        for rank, pick in enumerate(picks, 1):
            total += pick.stopped
            rows.append(self._row(rank, pick.point, pick.stopped, total))
        body: dict[str, Any] = {
            "format": FORMAT,
            "program": f"shieldwall {__version__}",
            **{name: traced[name] for name in (
                "targets", "network", "tip_height", "tip_hash", "tip_time", "chain_digest", "method", "method_rule",
                "unit", "seed_amount", "returned_amount",
            )},
            "points": rows,
            "stopped_amount": stopped,
            "stopped_share": share(stopped, seed),
            "gone_amount": gone,
            "undated_amount": undated,
            "passed_by_amount": seed - stopped - gone - undated,
            "guarantee": account.guarantee,
            "freezable": self._reachable(candidates, order, rows),
            "candidates": len(candidates),
            "points_met": len(account.arrivals),
            "curve": self._curve(chosen),
            "ends": {kind.value: traced[f"{kind.value}_amount"] for kind in EndKind if f"{kind.value}_amount" in traced},
            "cut": self._cut(barred) if question.cut else None,
            "notes": [*traced["notes"], *self._notes(rows)],
            "parameters": {
                **traced["parameters"],
                "most_points": question.most,
                "from": None if question.since is None else utc(question.since),
                "only": question.only,
                "by": question.by,
                "cut_to": question.to if question.cut else None,
                "families": list(question.family),
            },
        }  # fmt: skip
        body["sentence"] = sentence(body)
        return body

    def _order(self, point: int) -> tuple[object, ...]:
        """What decides between points that stop as much: those that somebody can freeze, then kind and place in the store."""
        met = self._points.met[point]
        return not self._freezable(point), met.kind, met.holders[0]

    def _reachable(
        self, candidates: Collection[int], order: dict[int, tuple[object, ...]], rows: Sequence[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """Where some chosen point is nobody's to freeze: what as many stop of which somebody is known; else None."""
        able = [point for point in candidates if self._freezable(point)]
        if not able or all(row["freezable_by"] for row in rows):
            return None
        picks = self._account.greedy(able, self._question.most, self._question.since, order)
        return {
            "points": [self._points.name(pick.point) for pick in picks],
            "stopped_amount": sum(pick.stopped for pick in picks),
            "stopped_share": share(sum(pick.stopped for pick in picks), self._traced["seed_amount"]),
        }

    def _freezable(self, point: int) -> bool:
        return bool(self._can_freeze(point))

    def _can_freeze(self, point: int) -> tuple[dict[str, Any], ...]:
        """Who can freeze at a point: at one of its addresses at least."""
        if point not in self._freezers:
            found: dict[str, dict[str, Any]] = {}
            for holder in self._points.met[point].holders:
                for entry in self._holders.label(holder).freezable_by:
                    found.setdefault(entry["id"], entry)
            self._freezers[point] = tuple(found.values())
        return self._freezers[point]

    def _row(self, rank: int, number: int, stopped: int, total: int) -> dict[str, Any]:
        """A point in the words of the answer."""
        account, seed = self._account, self._traced["seed_amount"]
        point = self._points.met[number]
        passed = account.split([number], None)[0]
        unspent, unknown = account.resting(number)
        inherited = sum(1 for holder in point.holders if self._holders.label(holder).inherited is not None)
        paid, first, last = account.arrivals.get(number, (0, None, None))
        return {
            "rank": rank,
            "kind": point.kind,
            "name": self._points.name(number),
            "layer": "inference" if inherited else _LAYERS[point.kind],
            "inherited": inherited,
            "addresses": [self._holders.identity(holder) for holder in point.holders[:_MOST_ADDRESSES]],
            "addresses_omitted": max(0, len(point.holders) - _MOST_ADDRESSES),
            "stopped_amount": stopped,
            "stopped_share": share(stopped, seed),
            "cumulative_amount": total,
            "cumulative_share": share(total, seed),
            "passed_amount": passed,
            "unspent_amount": unspent,
            "unknown_amount": unknown,
            "payments": paid,
            "first_paid": None if first is None else utc(first),
            "last_paid": None if last is None else utc(last),
            "freezable_by": [
                {name: entry[name] for name in ("id", "name", "legal_entity", "country", "channel") if name in entry}
                for entry in self._can_freeze(number)
            ],
            "curve": self._curve([number]),
        }

    def _curve(self, chosen: Sequence[int]) -> list[dict[str, Any]]:
        """By month (by day, where the chain ends soon): what would have been stopped, frozen from its first second on."""
        seen = [self._account.arrivals[point] for point in chosen]
        if not seen or self._store.tip_time is None:
            return []
        moments = moments_between(min(first for _, first, _ in seen), self._store.tip_time)
        sums = self._account.curve(chosen, moments)
        return [{"from": utc(moment), "amount": amount} for moment, amount in zip(moments, sums, strict=True)]

    def _cut(self, barred: Collection[int]) -> dict[str, Any]:
        question, account = self._question, self._account
        sinks: set[int] = set()
        reached = 0
        for end in self._traced["ends"]:
            if end["kind"] == EndKind.SERVICE or (question.to == ENDS and end["kind"] not in _NO_POINT):
                reached += end["amount"]
                sinks |= {point for point in map(self._point_of, end["outputs"]) if point is not None}
        edges = account.edges()
        nodes = {point for edge in edges for point in edge} | sinks | set(account.sources)
        weights = {
            point: None if point in barred or (question.only == FREEZABLE and not self._freezable(point)) else 1
            for point in nodes
        }
        found = minimum_cut(edges.keys(), account.sources, sinks, weights, self._engine)
        if found.points is None:
            reason = "money gets there without passing anything that may be taken"
        else:
            reason = "" if found.points else "no money of this trace gets there"
        rows = None
        if found.points is not None:
            ordered = sorted(found.points, key=lambda point: (-account.split([point], None)[0], point))
            rows, total = [], 0
            for rank, point in enumerate(ordered, 1):
                before, total = total, account.split(ordered[:rank], None)[0]
                rows.append(self._row(rank, point, total - before, total))
        cut = {
            "to": question.to,
            "reached_amount": reached,
            "weight": found.weight,
            "points": rows,
            "stopped_amount": None if found.points is None else account.split(found.points, None)[0],
            "graph_points": found.nodes,
            "graph_edges": found.edges,
            "reason": reason,
        }
        return {**cut, "sentence": cut_sentence(cut, question.to)}

    def _point_of(self, output: dict[str, Any]) -> int | None:
        transaction = self._store.find_transaction(internal(output["txid"]))
        if transaction is None or output["index"] is None:
            return None
        number = self._store.output_range(transaction)[output["index"]]
        return self._points.of(int(self._store.column("output_holder")[number]))

    def _notes(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        notes = []
        if self._traced["parameters"]["clustering"] is not None:
            notes.append("points that are clusters are inferences: their addresses may have several owners")
        if any(row["kind"] == "service" for row in rows):
            notes.append("which addresses are a service's is what sources say; of a service only those met here count")
        if self._traced["limit_amount"]:
            notes.append("the trace was limited: money behind its limits is stopped by no point here")
        return notes


def moments_between(first: int, last: int) -> list[int]:
    """The beginnings (UTC) of days between two moments no more than 62 days apart, else of months; Unix seconds."""
    if last - first > _BY_DAY * _DAY:
        return months_between(first, last)
    return list(range(first - first % _DAY, max(first, last) + 1, _DAY))


def months_between(first: int, last: int) -> list[int]:
    """Unix seconds of the beginning (UTC) of every month from that of `first` to that of `last`.

    Example:
        >>> [utc(moment)[:7] for moment in months_between(1_638_000_000, 1_642_000_000)]
        ['2021-11', '2021-12', '2022-01']
    """
    month = datetime.fromtimestamp(first, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [int(month.timestamp())]
    while True:
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        if month.timestamp() > last:
            return found
        found.append(int(month.timestamp()))
