"""Follow money and put the answer together: walk, rank the ends, find the paths, name the gaps, value what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shieldwall import __version__
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel.rates import Valuer
from shieldwall.kernels.engine import EngineName
from shieldwall.model.moment import utc
from shieldwall.model.network import LITECOIN, MAIN
from shieldwall.trace.backward import BackwardWalker
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.ends import ends_by_cluster
from shieldwall.trace.clusters.inherited import labelled_holders
from shieldwall.trace.engines import walk_forward
from shieldwall.trace.facts import Facts
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.methods.interface import Method
from shieldwall.trace.paths import paths
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import EndKind, Walked, totals
from shieldwall.trace.result import TraceResult
from shieldwall.trace.sentence import sentence
from shieldwall.trace.services import at_services, services_of
from shieldwall.trace.summary import Summary
from shieldwall.trace.targets import Target
from shieldwall.trace.touched import Touched
from shieldwall.trace.transfers import transfers
from shieldwall.trace.view import View
from shieldwall.trace.worth import put_values

FORMAT = "shieldwall-trace/3"
DEFAULT_METHOD = "fifo"
FORWARD, BACKWARD = "forward", "backward"
DIRECTIONS = (FORWARD, BACKWARD)


@dataclass(frozen=True, slots=True)
class _Job:
    """What all methods of one trace have in common."""

    store: ChainStore
    targets: Sequence[Target]
    limits: Limits
    holders: Holders
    published: PublishedHops
    backward: bool
    progress: Progress
    engine: EngineName

    def walk(self, method: Method) -> Walked:
        common = method, self.limits, self.holders, self.published, self.progress
        if self.backward:
            return BackwardWalker(self.store, *common).run(self.targets)
        return walk_forward(self.store, self.targets, *common, self.engine)


def follow(
    store: ChainStore,
    targets: Sequence[Target],
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    *,
    direction: str = FORWARD,
    labels: Labels | None = None,
    published: PublishedHops | None = None,
    fiat: Valuer | None = None,
    clustering: Clustering | None = None,
    engine: EngineName = "auto",
    progress: Progress = silent,
) -> TraceResult:
    """Follow the money of `targets` to every end, or back to every source.

    Args:
        store: The chain.
        targets: What to start from, in any order; see `shieldwall.trace.targets.find_targets`.
        method: poison, haircut, fifo, lifo, tiho; or all: the default method, with each of them side by side.
        limits: How far to go.
        direction: forward: where the money is; backward: where it came from.
        labels: Tags and directory; none by default.
        published: Published hops that the store does not hold.
        fiat: Rates and a currency to value seeds and ends in; none by default.
        clustering: A clustering of the chain: members inherit the tags of their cluster, also as stops, and ends are summed
            by cluster too. None by default. Whether to start from whole clusters, the targets say.
        engine: auto, plain or compiled: how a walk forward is done; the answer is the same. See `trace.engines`.
        progress: Called now and then with the transactions passed.

    Returns:
        The answer; its `summary` is there at once, its `body` when it is asked for, also after the store is closed. For
        every method but poison `seed_amount` is the sum of the amounts of all kinds of end, exactly.

    Raises:
        UsageError: No such method or direction, a method that cannot be asked backward, or rates of another coin.
        PartialData: The value of an input to start from is not known.
    """
    if direction not in DIRECTIONS:
        raise UsageError(f"no direction is called {direction!r}", hint="use forward or backward")
    if fiat is not None and fiat.coin != store.network.coin:
        raise UsageError(
            f"the rates value {fiat.coin}, and the coins of {store.network.name} are {store.network.coin}",
            hint=f"give rates of {store.network.coin}: docs/rates.md",
        )
    store = store.kept()  # the whole answer may be asked for after the caller has closed the store, and the clustering
    clustering = None if clustering is None else clustering.kept()
    limits, labels, published = limits or Limits(), labels or NoLabels(), published or PublishedHops(())
    holders = labelled_holders(store, labels, clustering)
    chosen = method_named(DEFAULT_METHOD if method == "all" else method)
    ordered = sorted(set(targets), key=lambda target: (target.kind, target.identity, target.text))
    backward = direction == BACKWARD
    job = _Job(store, ordered, limits, holders, published, backward, progress, engine)
    facts = Facts(store, holders)
    walk = job.walk(chosen)
    head: dict[str, Any] = {
        "format": FORMAT,
        "program": f"shieldwall {__version__}",
        "direction": direction,
        "targets": [target.as_dict() for target in ordered],
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "chain_digest": store.digest,
        "method": chosen.name,
        "method_rule": chosen.backward_rule if backward else chosen.rule,
        "conserved": chosen.conserved,
        "unit": "satoshi",
        **_amounts(walk, store),
        "unspendable_amount": _unspendable(walk),
        "notes": [*_notes(ordered, clustering), *walk.notes],
        "parameters": {
            "method": chosen.name,
            **limits.as_dict(),
            "stop_categories": list(labels.stop),
            "tag_sets": list(labels.versions),
            "published_hops": published.ids,
            "clustering": None if clustering is None else clustering.stamp,
        },
        "clusters": None if clustering is None else ends_by_cluster(facts, walk, clustering),
        "fiat": None,
    }
    sides = [(each, walk if each.name == DEFAULT_METHOD else job.walk(each)) for each in _others(method, job)]
    if fiat is not None or not isinstance(walk, Touched):
        return TraceResult(_body(head, job, facts, walk, sides, fiat))
    summary = Summary(facts, walk)
    head["services"] = summary.services
    head["sentence"] = sentence(head, summary.gist())
    return TraceResult(partial(_body, head, job, facts, walk, sides, None), {**head, **summary.fields()})


def _notes(targets: Sequence[Target], clustering: Clustering | None) -> list[str]:
    """What a reader must know of the targets."""
    name = "" if clustering is None else clustering.name
    notes = [f"{target.text}: not in this store; unknown, not clean" for target in targets if not target.found]
    return notes + [
        f"{target.text}: started from all {target.members:,} addresses of its cluster in {name!r}, which is an inference"
        for target in targets
        if target.members > 1
    ]


def _others(method: str, job: _Job) -> list[Method]:
    """The methods to put side by side; backward, those that can be asked so."""
    methods = [method_named(name) for name in METHODS] if method == "all" else []
    return [each for each in methods if each.reversible or not job.backward]


def _body(
    head: Mapping[str, Any],
    job: _Job,
    facts: Facts,
    walk: Walked,
    sides: Sequence[tuple[Method, Walked]],
    fiat: Valuer | None,
) -> dict[str, Any]:
    """The whole answer."""
    if isinstance(walk, Touched):
        facts.holders.name(facts.holder_of(walk.output))  # all at once: one by one it would take most of the time
    view = View(facts, walk)
    ends = view.ends()
    found = paths(facts, walk, ends)
    followed = {end["rank"] for end in ends if end["kind"] != EndKind.FEE}
    body = {
        **head,
        "ends": ends,
        "services": services_of(at_services(ends), walk.seed_amount),
        "paths": found,
        "paths_omitted": len(followed - {path["end"] for path in found}),
        "gaps": view.gaps(),
        "transfers": transfers(facts, walk),
        "notes": list(head["notes"]),
    }
    if sides:
        body["methods"] = [_side(job, facts, method, other) for method, other in sides]
    if fiat is not None:
        put_values(body, facts, walk, fiat)
        network = job.store.network
        if network not in (MAIN, LITECOIN):
            body["notes"].append(
                f"coins of {network.name} have no price; they are valued as if they were {network.coin}"
            )
    body["sentence"] = sentence(body)
    return body


def _side(job: _Job, facts: Facts, method: Method, walk: Walked) -> dict[str, Any]:
    """One method's totals and ends."""
    return {
        "method": method.name,
        "conserved": method.conserved,
        "rule": method.backward_rule if job.backward else method.rule,
        "source": method.source,
        **_amounts(walk, job.store),
        "transactions": walk.passed if isinstance(walk, Touched) else len(walk.steps),
        "ends": View(facts, walk).ends(),
    }


def _unspendable(walk: Walked) -> int:
    if isinstance(walk, Touched):
        return walk.unspendable
    return sum(e.amount for e in walk.endings if e.kind == EndKind.FEE and e.output is not None)


def _amounts(walk: Walked, store: ChainStore) -> dict[str, int]:
    """Sums; that of the extension block only where the network has one."""
    sums = walk.sums if isinstance(walk, Touched) else totals(walk.endings)
    return {
        "seed_amount": walk.seed_amount,
        "returned_amount": walk.returned_amount,
        **{f"{kind.value}_amount": sums[kind] for kind in EndKind if kind != EndKind.MWEB or store.network.mweb},
    }
