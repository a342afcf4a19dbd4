"""Follow money and put the answer together: walk, rank the ends, find the paths, name the gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shieldwall import __version__
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.model.moment import utc
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.result import TraceResult
from shieldwall.trace.sentence import sentence
from shieldwall.trace.targets import Target
from shieldwall.trace.view import View
from shieldwall.trace.walk import EndKind, Walk, Walker, totals

FORMAT = "shieldwall-trace/1"
DEFAULT_METHOD = "fifo"


def follow(
    store: ChainStore,
    targets: Sequence[Target],
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    *,
    labels: Labels | None = None,
    published: PublishedHops | None = None,
    progress: Progress = silent,
) -> TraceResult:
    """Follow the money of `targets` to every end.

    Args:
        store: The chain.
        targets: What to start from, in any order; see `shieldwall.trace.targets.find_targets`.
        method: poison, haircut, fifo; or all: the default method, with the totals of each side by side.
        limits: How far to go.
        labels: Tags and directory; none by default.
        published: Published hops that the store does not hold.
        progress: Called now and then with the transactions passed.

    Returns:
        The answer, with `seed_amount = held + service + unknown + fee + limit + gap`, exactly, for haircut and FIFO.

    Raises:
        UsageError: No such method.
        PartialData: The value of an input to start from is not known.
    """
    limits = limits or Limits()
    labels = labels or NoLabels()
    holders = Holders(store, labels)
    published = published or PublishedHops(())
    chosen = method_named(DEFAULT_METHOD if method == "all" else method)
    ordered = sorted(set(targets), key=lambda target: (target.kind, target.identity, target.text))

    def walked(name: str) -> tuple[View, Walk]:
        walk = Walker(store, method_named(name), limits, holders, published, progress).run(ordered)
        return View(store, holders, walk), walk

    view, walk = walked(chosen.name)
    ends = view.ends()
    paths = view.paths(ends)
    body: dict[str, Any] = {
        "format": FORMAT,
        "program": f"shieldwall {__version__}",
        "targets": [target.as_dict() for target in ordered],
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "chain_digest": store.digest,
        "method": chosen.name,
        "method_rule": chosen.rule,
        "conserved": chosen.conserved,
        "unit": "satoshi",
        **_amounts(walk),
        "unspendable_amount": sum(e.amount for e in walk.endings if e.kind == EndKind.FEE and e.output is not None),
        "ends": ends,
        "paths": paths,
        "paths_omitted": len(
            {end["rank"] for end in ends if end["kind"] != EndKind.FEE} - {path["end"] for path in paths}
        ),
        "gaps": view.gaps(),
        "transfers": view.transfers(),
        "notes": [f"{t.text}: not in this store; unknown, not clean" for t in ordered if not t.found] + walk.notes,
        "parameters": {
            "method": chosen.name,
            **limits.as_dict(),
            "stop_categories": list(labels.stop),
            "tag_sets": list(labels.versions),
            "published_hops": published.ids,
        },
    }
    if method == "all":
        sides = {name: (view, walk) if name == chosen.name else walked(name) for name in METHODS}
        body["methods"] = [_side(name, *sides[name]) for name in METHODS]
    body["sentence"] = sentence(body)
    return TraceResult(body)


def _side(name: str, view: View, walk: Walk) -> dict[str, Any]:
    """One method's totals, and what of it each address got."""
    method = METHODS[name]
    return {
        "method": name,
        "conserved": method.conserved,
        "rule": method.rule,
        "source": method.source,
        **_amounts(walk),
        "transactions": len(walk.steps),
        "ends": view.sums(),
    }


def _amounts(walk: Walk) -> dict[str, int]:
    sums = totals(walk.endings)
    return {
        "seed_amount": walk.seed_amount,
        "returned_amount": walk.returned_amount,
        **{f"{kind.value}_amount": sums[kind] for kind in EndKind},
    }
