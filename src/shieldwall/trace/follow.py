"""Follow money and put the answer together: walk, rank the ends, find the paths, name the gaps, value what moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall import __version__
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel.rates import Valuer
from shieldwall.model.moment import utc
from shieldwall.model.network import LITECOIN, MAIN
from shieldwall.trace.backward import BackwardWalker
from shieldwall.trace.facts import Facts
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.methods.interface import Method
from shieldwall.trace.paths import paths
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import EndKind, Walk, totals
from shieldwall.trace.result import TraceResult
from shieldwall.trace.sentence import sentence
from shieldwall.trace.targets import Target
from shieldwall.trace.transfers import transfers
from shieldwall.trace.view import View
from shieldwall.trace.walk import Walker
from shieldwall.trace.worth import put_values

FORMAT = "shieldwall-trace/1"
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

    def walk(self, method: Method) -> Walk:
        walker = BackwardWalker if self.backward else Walker
        return walker(self.store, method, self.limits, self.holders, self.published, self.progress).run(self.targets)


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
        progress: Called now and then with the transactions passed.

    Returns:
        The answer, with `seed_amount` the sum of the amounts of all kinds of end, exactly, for every method but poison.

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
    limits = limits or Limits()
    labels = labels or NoLabels()
    holders = Holders(store, labels)
    published = published or PublishedHops(())
    chosen = method_named(DEFAULT_METHOD if method == "all" else method)
    ordered = sorted(set(targets), key=lambda target: (target.kind, target.identity, target.text))
    backward = direction == BACKWARD
    job = _Job(store, ordered, limits, holders, published, backward, progress)
    facts = Facts(store, holders)
    walk = job.walk(chosen)
    view = View(facts, walk)
    ends = view.ends()
    found = paths(facts, walk, ends)
    body: dict[str, Any] = {
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
        "unspendable_amount": sum(e.amount for e in walk.endings if e.kind == EndKind.FEE and e.output is not None),
        "ends": ends,
        "paths": found,
        "paths_omitted": len(
            {end["rank"] for end in ends if end["kind"] != EndKind.FEE} - {path["end"] for path in found}
        ),
        "gaps": view.gaps(),
        "transfers": transfers(facts, walk),
        "notes": [f"{t.text}: not in this store; unknown, not clean" for t in ordered if not t.found] + walk.notes,
        "parameters": {
            "method": chosen.name,
            **limits.as_dict(),
            "stop_categories": list(labels.stop),
            "tag_sets": list(labels.versions),
            "published_hops": published.ids,
        },
        "fiat": None,
    }
    if method == "all":
        body["methods"] = _sides(job, facts, walk)
    if fiat is not None:
        put_values(body, facts, walk, fiat)
        if store.network not in (MAIN, LITECOIN):
            body["notes"].append(
                f"coins of {store.network.name} have no price; they are valued as if they were {store.network.coin}"
            )
    body["sentence"] = sentence(body)
    return TraceResult(body)


def _sides(job: _Job, facts: Facts, walk: Walk) -> list[dict[str, Any]]:
    """Each method's totals and ends; `walk` is that of the default one. Backward, only of those that can be asked so."""
    sides = []
    for name in METHODS:
        method = method_named(name)
        if method.reversible or not job.backward:
            found = walk if name == DEFAULT_METHOD else job.walk(method)
            sides.append(
                {
                    "method": name,
                    "conserved": method.conserved,
                    "rule": method.backward_rule if job.backward else method.rule,
                    "source": method.source,
                    **_amounts(found, job.store),
                    "transactions": len(found.steps),
                    "ends": View(facts, found).ends(),
                }
            )
    return sides


def _amounts(walk: Walk, store: ChainStore) -> dict[str, int]:
    """Sums; that of the extension block only where the network has one."""
    sums = totals(walk.endings)
    return {
        "seed_amount": walk.seed_amount,
        "returned_amount": walk.returned_amount,
        **{f"{kind.value}_amount": sums[kind] for kind in EndKind if kind != EndKind.MWEB or store.network.mweb},
    }
